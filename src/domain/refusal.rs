//! Everything that can be refused, as data. The sentence for each stands in `chat::wording`.

use serde::{Deserialize, Serialize};

use super::directory::AccountStatus;
use super::grant::GrantState;
use super::ids::{GroupName, IssuerName, RequestId, ResourceName};
use super::person::Subject;
use super::public_key::BadKey;
use super::request::RequestState;
use super::timing::Timestamp;

/// Why something that a person tried was not done. A person's mistake, never our fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "refusal", rename_all = "snake_case")]
#[error("refused: {}", self.code())]
pub enum Refusal {
    /// No command has this name.
    UnknownCommand {
        /// What was typed.
        typed: String,
        /// The nearest command.
        suggestion: Option<String>,
    },
    /// A command lacks something.
    Missing {
        /// How the command is used.
        usage: String,
    },
    /// Not a duration, or none that is allowed anywhere.
    BadDuration {
        /// What was typed.
        typed: String,
    },
    /// `until` a time of day that is not one.
    BadTimeOfDay {
        /// What was typed.
        typed: String,
    },
    /// A reason is needed.
    ReasonMissing,
    /// The reason is too long.
    ReasonTooLong {
        /// Characters that were sent.
        chars: usize,
        /// Characters that are allowed.
        max: usize,
    },
    /// A text holds characters that no text for people holds.
    ControlCharacters,
    /// Not a reference.
    BadReference {
        /// What was typed.
        typed: String,
    },
    /// The config has no such resource.
    UnknownResource {
        /// What was typed.
        typed: String,
        /// The nearest one that this person may ask for.
        suggestion: Option<ResourceName>,
    },
    /// The person may not ask for this resource.
    MayNotAsk {
        /// The resource.
        resource: ResourceName,
        /// Who may ask.
        who: Vec<Subject>,
    },
    /// The duration is over the resource's maximum.
    TooLong {
        /// Seconds that were asked for.
        asked_s: i64,
        /// Seconds that are allowed.
        max_s: i64,
    },
    /// With more time the access would last longer in all than the resource's maximum.
    TooLongInAll {
        /// Seconds that it would last in all.
        asked_s: i64,
        /// Seconds that are allowed.
        max_s: i64,
        /// The latest end that is allowed.
        latest: Timestamp,
    },
    /// The duration is shorter than anything that can be given.
    TooShort {
        /// Seconds that are the least.
        min_s: i64,
    },
    /// `until` lies in the past or now.
    NotInTheFuture,
    /// The issuer does not know this person on its target.
    NoAccount {
        /// The issuer.
        issuer: IssuerName,
        /// What is missing, in words for people.
        missing: String,
    },
    /// The issuer knows people by their public key, and knows none of this person.
    KeyMissing {
        /// The issuer.
        issuer: IssuerName,
    },
    /// What was typed is no public key that can be used.
    BadKey {
        /// Why.
        why: BadKey,
    },
    /// The config names this person's key, and chat can't change it.
    KeyInConfig,
    /// Nothing that this person may ask for takes a key from chat.
    KeysNotTaken,
    /// Somebody else has this key.
    KeyOfAnother,
    /// What was typed names nobody.
    NobodyLikeThat,
    /// The key was changed a moment ago.
    KeyTooSoon {
        /// When it can be changed again.
        again_at: Timestamp,
    },
    /// It is not known yet in which zone this person means a time of day.
    ZoneNotKnown,
    /// The person holds too many accesses.
    TooManyLive {
        /// How many are allowed.
        max: i64,
    },
    /// The person asked too often of late.
    TooOften {
        /// How many requests are allowed in an hour.
        max: i64,
    },
    /// The person has too many open requests.
    TooManyOpen {
        /// How many are allowed.
        max: i64,
    },
    /// No such request or grant, or none that this person may know of.
    NotFound {
        /// What was asked for.
        reference: RequestId,
    },
    /// The requester or beneficiary tried to approve.
    OwnRequest,
    /// The person is no approver of it.
    NotAnApprover {
        /// Who may decide.
        who: Vec<Subject>,
    },
    /// The facts that say whether somebody is an approver are too old.
    FactsTooOld {
        /// The group whose members are not known freshly enough.
        group: GroupName,
        /// As of when it is known.
        as_of: Option<Timestamp>,
    },
    /// It is not known freshly enough whether somebody may act at all.
    AccountNotKnown {
        /// As of when it is known.
        as_of: Option<Timestamp>,
    },
    /// Guests, external people, bots and deactivated accounts neither ask nor decide.
    MayNotAct {
        /// What the account is.
        status: AccountStatus,
    },
    /// The facts that decide a request could not be had in time.
    DirectoryUnreachable,
    /// Neither the requester nor the beneficiary.
    NotYours,
    /// Neither an approver of it nor security.
    MayNotRevoke,
    /// It was decided, or ended, meanwhile.
    NoLongerOpen {
        /// The request.
        reference: RequestId,
        /// Where it stands now.
        state: RequestState,
    },
    /// There is no access to end.
    NothingToEnd {
        /// The request.
        reference: RequestId,
        /// Where its grant stands, if there is one.
        state: Option<GrantState>,
    },
    /// The issuer has no way to end it early.
    CannotEndEarly {
        /// When it ends by itself.
        ends_at: Timestamp,
    },
    /// There is no live access that could last longer.
    NothingToExtend {
        /// The request.
        reference: RequestId,
        /// Where its grant stands, if there is one.
        state: Option<GrantState>,
    },
    /// The new end would not be later than the one that holds.
    NotLater {
        /// The end that holds.
        ends_at: Timestamp,
    },
    /// Only security sees everybody's.
    OnlySecurity,
    /// The form that this person would need can't be opened here, or was not understood.
    NoForm {
        /// The command that does the same.
        usage: String,
    },
    /// The button is on a message that is not the card.
    NotTheCard {
        /// The request.
        reference: RequestId,
    },
    /// The button is of an older version of the card.
    StaleCard {
        /// The request.
        reference: RequestId,
    },
    /// A button that we did not make.
    ForgedButton,
    /// The command belongs to another workspace.
    ForeignCommunity,
    /// The approved spec is not what today's config yields.
    SpecChanged,
    /// The requester was removed from the groups that may ask, or the resource is gone.
    NoLongerAllowed,
}

impl Refusal {
    /// Stable name of the reason, for the record and for counting.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownCommand { .. } => "unknown_command",
            Self::Missing { .. } => "missing",
            Self::BadDuration { .. } => "bad_duration",
            Self::BadTimeOfDay { .. } => "bad_time_of_day",
            Self::ReasonMissing => "reason_missing",
            Self::ReasonTooLong { .. } => "reason_too_long",
            Self::ControlCharacters => "control_characters",
            Self::BadReference { .. } => "bad_reference",
            Self::UnknownResource { .. } => "unknown_resource",
            Self::MayNotAsk { .. } => "may_not_ask",
            Self::TooLong { .. } => "too_long",
            Self::TooLongInAll { .. } => "too_long_in_all",
            Self::TooShort { .. } => "too_short",
            Self::NotInTheFuture => "not_in_the_future",
            Self::NoAccount { .. } => "no_account",
            Self::KeyMissing { .. } => "key_missing",
            Self::BadKey { .. } => "bad_key",
            Self::KeyInConfig => "key_in_config",
            Self::KeysNotTaken => "keys_not_taken",
            Self::KeyOfAnother => "key_of_another",
            Self::NobodyLikeThat => "nobody_like_that",
            Self::KeyTooSoon { .. } => "key_too_soon",
            Self::ZoneNotKnown => "zone_not_known",
            Self::TooManyLive { .. } => "too_many_live",
            Self::TooOften { .. } => "too_often",
            Self::TooManyOpen { .. } => "too_many_open",
            Self::NotFound { .. } => "not_found",
            Self::OwnRequest => "own_request",
            Self::NotAnApprover { .. } => "not_an_approver",
            Self::FactsTooOld { .. } => "facts_too_old",
            Self::AccountNotKnown { .. } => "account_not_known",
            Self::MayNotAct { .. } => "may_not_act",
            Self::DirectoryUnreachable => "directory_unreachable",
            Self::NotYours => "not_yours",
            Self::MayNotRevoke => "may_not_revoke",
            Self::NoLongerOpen { .. } => "no_longer_open",
            Self::NothingToEnd { .. } => "nothing_to_end",
            Self::CannotEndEarly { .. } => "cannot_end_early",
            Self::NothingToExtend { .. } => "nothing_to_extend",
            Self::NotLater { .. } => "not_later",
            Self::OnlySecurity => "only_security",
            Self::NoForm { .. } => "no_form",
            Self::NotTheCard { .. } => "not_the_card",
            Self::StaleCard { .. } => "stale_card",
            Self::ForgedButton => "forged_button",
            Self::ForeignCommunity => "foreign_community",
            Self::SpecChanged => "spec_changed",
            Self::NoLongerAllowed => "no_longer_allowed",
        }
    }

    /// Whether nothing was decided because facts are too old: asking the directory helps.
    #[must_use]
    pub const fn lacks_facts(&self) -> bool {
        matches!(
            self,
            Self::FactsTooOld { .. } | Self::AccountNotKnown { .. } | Self::ZoneNotKnown
        )
    }
}
