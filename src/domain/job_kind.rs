//! What must still happen: every kind of job.

use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::command::MessageRef;
use super::departure::Departure;
use super::directory::GroupNews;
use super::ids::{AccountId, GrantId, IssuerName, Place, RequestId};
use super::policy_news::PolicyNews;
use super::record_news::RecordNews;
use super::refusal::Refusal;

/// What must happen. The serialised form is stored: a variant's name is never changed, and a field
/// that is added has a default, so that jobs of an older version still run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum JobKind {
    /// Give the access.
    Issue {
        /// Whose.
        grant: GrantId,
    },
    /// Take the access away; due at the deadline.
    Revoke {
        /// Whose.
        grant: GrantId,
    },
    /// Tell the target the later end of an approved extension.
    Extend {
        /// The request that asked for it.
        request: RequestId,
    },
    /// Let a request that nobody decided run out.
    ExpireRequest {
        /// Which.
        request: RequestId,
    },
    /// Ask a platform for the facts about people and groups that are due.
    RefreshFacts {
        /// E.g. `slack`.
        platform: String,
    },
    /// Decide a request that waits for facts, or refuse it when they did not come in time.
    DecideChecked {
        /// Which.
        request: RequestId,
    },
    /// Look whether this account may still have what it asked for or would receive.
    CheckHolder {
        /// Whose.
        account: AccountId,
    },
    /// Draw the card as it is true now.
    SyncCard {
        /// Whose.
        request: RequestId,
    },
    /// Make another copy of a card say that it is one.
    StrikeCopy {
        /// Whose.
        request: RequestId,
        /// The copy.
        copy: MessageRef,
    },
    /// Tell the requester that it was decided.
    NotifyDecided {
        /// Which.
        request: RequestId,
    },
    /// Tell the requester why what they asked for was refused after all.
    NotifyRefused {
        /// Which.
        request: RequestId,
        /// Why.
        refusal: Box<Refusal>,
    },
    /// Tell the beneficiary that access works, and how.
    NotifyReady {
        /// Which.
        grant: GrantId,
    },
    /// Tell the beneficiary again how access is used, because they asked for it.
    SendAgain {
        /// Which.
        grant: GrantId,
        /// Which of the beneficiary's accounts asked.
        account: AccountId,
    },
    /// Have the target make a grant's secret anew, because the beneficiary asked for it.
    RenewSecret {
        /// Which.
        grant: GrantId,
        /// Which of the beneficiary's accounts asked, and gets it.
        account: AccountId,
    },
    /// Tell the beneficiary that the target makes no other secret.
    NotifyNotRenewed {
        /// Which.
        grant: GrantId,
        /// Which of their accounts asked.
        account: AccountId,
    },
    /// Draw a reminder as it is true now: its buttons go once they have nothing to do.
    SyncReminder {
        /// Which.
        grant: GrantId,
        /// The reminder.
        on: MessageRef,
    },
    /// Tell the beneficiary that access works for longer.
    NotifyExtended {
        /// The request that asked for it.
        request: RequestId,
    },
    /// Tell the beneficiary that an approved extension is not given.
    NotifyNotExtended {
        /// The request that asked for it.
        request: RequestId,
    },
    /// Tell the beneficiary that it ends soon.
    Remind {
        /// Which.
        grant: GrantId,
        /// Seconds before the deadline, one reminder each.
        before_s: i64,
    },
    /// Tell the beneficiary that it is over.
    NotifyEnded {
        /// Which.
        grant: GrantId,
    },
    /// Draw somebody's Home tab as it is true now.
    SyncHome {
        /// Whose.
        account: AccountId,
    },
    /// Write into a card's thread what happened since it was last written.
    History {
        /// Whose.
        request: RequestId,
    },
    /// Tell somebody privately what came of their press.
    AnswerPress {
        /// Where they pressed.
        place: Place,
        /// Who.
        account: AccountId,
        /// What.
        answer: Box<Answer>,
    },
    /// Tell a channel of security about a revocation that keeps failing.
    TellStuck {
        /// Which.
        grant: GrantId,
        /// Where.
        place: Place,
    },
    /// Tell a channel of security that a stuck revocation succeeded.
    TellHealed {
        /// Which.
        grant: GrantId,
        /// Where.
        place: Place,
    },
    /// Tell a channel of security that a card could not be posted.
    TellCardLost {
        /// Which.
        request: RequestId,
        /// Where.
        place: Place,
        /// What the platform said.
        said: String,
    },
    /// Tell a channel of security that the machine's clock was set anew.
    TellClock {
        /// Where.
        place: Place,
        /// By how much, in milliseconds; negative when it was set back.
        by_ms: i64,
    },
    /// Tell a channel of security whose access ends because they left.
    TellLeft {
        /// Where.
        place: Place,
        /// Who.
        account: AccountId,
        /// Why.
        why: Departure,
        /// What ends.
        grants: Vec<GrantId>,
    },
    /// Tell a channel of security that a group lost many people, or has them again.
    TellGroup {
        /// Where.
        place: Place,
        /// Its name in the config.
        group: String,
        /// What.
        news: GroupNews,
    },
    /// Tell a channel of security that a platform's directory can't be asked.
    TellDirectoryFails {
        /// Where.
        place: Place,
        /// E.g. `slack`.
        platform: String,
        /// What it said.
        said: String,
    },
    /// Tell a channel of security that it can be asked again.
    TellDirectoryAnswers {
        /// Where.
        place: Place,
        /// E.g. `slack`.
        platform: String,
    },
    /// Tell a channel of security that another channel can't be posted to.
    TellPlaceLost {
        /// Which.
        lost: Place,
        /// Where it is told.
        place: Place,
        /// What the platform said.
        said: String,
    },
    /// Tell a channel of security that a channel can be posted to again.
    TellPlaceBack {
        /// Which.
        back: Place,
        /// Where it is told.
        place: Place,
    },
    /// Tell a person of security privately what no channel of security can be told.
    Privately {
        /// Whom.
        account: AccountId,
        /// What: a message to a channel of security.
        message: Box<JobKind>,
    },
    /// Give a channel of security the message that it missed, once it can be posted to again.
    OnceBack {
        /// What: the message to that channel.
        message: Box<JobKind>,
    },
    /// A channel can't be posted to: look whether it can again. While this job waits, that is known
    /// and was told.
    WatchPlace {
        /// Which.
        place: Place,
        /// What the platform said.
        said: String,
        /// Whether looking at the channel shows it; otherwise only a post that succeeds does.
        shows: bool,
    },
    /// Look whether the channels can be posted to in which cards wait for a press.
    LookAtPlaces,
    /// Tell the requester where their request is seen now, if anywhere.
    NotifyWhere {
        /// Which.
        request: RequestId,
    },
    /// Tell a channel of security what became of a config.
    TellPolicy {
        /// Where.
        place: Place,
        /// What.
        news: PolicyNews,
    },
    /// Tell a channel of security something about the record itself.
    TellRecord {
        /// Where.
        place: Place,
        /// What.
        news: RecordNews,
    },
    /// Tell a channel of security that somebody's public key changed in chat.
    TellKey {
        /// Where.
        place: Place,
        /// Whose.
        of: AccountId,
        /// Who changed it; none where that is the same account.
        #[serde(default)]
        by: Option<AccountId>,
        /// The new one's fingerprint; none where it is forgotten.
        fingerprint: Option<String>,
    },
    /// Tell somebody on one of their accounts that their public key changed in chat.
    NotifyKey {
        /// Whom.
        account: AccountId,
        /// Which of their accounts changed it.
        by: AccountId,
        /// The new one's fingerprint; none where it is forgotten.
        fingerprint: Option<String>,
    },
    /// Put onto a target what must stand there whatever grants there are; at each start.
    Publish {
        /// The issuer instance.
        issuer: IssuerName,
    },
    /// Make the digest of the scheduled moment that it runs at, and wait for the next. The moment is
    /// not in the kind: a job that is ordered anew while it runs keeps its kind.
    DigestDue,
    /// Remove what of the record is older than it is kept; looks every day.
    RemoveOld,
    /// Tell a channel of security the day.
    Digest {
        /// Which digest.
        digest: i64,
        /// Where.
        place: Place,
    },
}

impl JobKind {
    /// Whether it only keeps up what is known or published: nobody sees that it is done.
    #[must_use]
    pub const fn is_upkeep(&self) -> bool {
        matches!(
            self,
            Self::RefreshFacts { .. }
                | Self::Publish { .. }
                | Self::LookAtPlaces
                | Self::WatchPlace { .. }
                | Self::RemoveOld
        )
    }

    /// The channel of security that this message is for. Security gets it, whatever becomes of the
    /// channel; none for everything else.
    #[must_use]
    pub fn security_place(&self) -> Option<Place> {
        self.clone().security_place_mut().cloned()
    }

    fn security_place_mut(&mut self) -> Option<&mut Place> {
        match self {
            Self::TellStuck { place, .. }
            | Self::TellHealed { place, .. }
            | Self::TellCardLost { place, .. }
            | Self::TellClock { place, .. }
            | Self::TellPlaceLost { place, .. }
            | Self::TellPlaceBack { place, .. }
            | Self::TellLeft { place, .. }
            | Self::TellGroup { place, .. }
            | Self::TellDirectoryFails { place, .. }
            | Self::TellDirectoryAnswers { place, .. }
            | Self::TellPolicy { place, .. }
            | Self::TellRecord { place, .. }
            | Self::TellKey { place, .. }
            | Self::Digest { place, .. } => Some(place),
            Self::Issue { .. }
            | Self::Extend { .. }
            | Self::RefreshFacts { .. }
            | Self::DecideChecked { .. }
            | Self::CheckHolder { .. }
            | Self::NotifyRefused { .. }
            | Self::NotifyExtended { .. }
            | Self::NotifyNotExtended { .. }
            | Self::SendAgain { .. }
            | Self::RenewSecret { .. }
            | Self::NotifyNotRenewed { .. }
            | Self::SyncReminder { .. }
            | Self::SyncHome { .. }
            | Self::History { .. }
            | Self::Revoke { .. }
            | Self::ExpireRequest { .. }
            | Self::SyncCard { .. }
            | Self::StrikeCopy { .. }
            | Self::NotifyDecided { .. }
            | Self::NotifyReady { .. }
            | Self::Remind { .. }
            | Self::NotifyEnded { .. }
            | Self::AnswerPress { .. }
            | Self::Privately { .. }
            | Self::OnceBack { .. }
            | Self::WatchPlace { .. }
            | Self::LookAtPlaces
            | Self::NotifyWhere { .. }
            | Self::NotifyKey { .. }
            | Self::Publish { .. }
            | Self::DigestDue
            | Self::RemoveOld => None,
        }
    }

    /// The same message to another channel of security.
    #[must_use]
    pub fn to_place(&self, to: &Place) -> Self {
        let mut other = self.clone();
        if let Some(place) = other.security_place_mut() {
            *place = to.clone();
        }
        other
    }
}
