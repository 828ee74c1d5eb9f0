//! What was not done, why, and what is allowed: one private sentence or two for each refusal.

use super::super::text::Text;
use super::super::verb::Verb;
use super::directory::status;
use super::{command, keys, whom};
use crate::domain::duration;
use crate::domain::grant::GrantState;
use crate::domain::refusal::Refusal;
use crate::domain::request::RequestState;

/// The sentence for a refusal beside the field of a form: without how a command is typed.
#[must_use]
pub fn beside_field(why: &Refusal) -> Text {
    match why {
        Refusal::BadDuration { typed } => bad_duration(typed),
        other => refusal(other),
    }
}

/// The sentence for a refusal.
#[must_use]
pub fn refusal(refusal: &Refusal) -> Text {
    match refusal {
        Refusal::UnknownCommand { typed, suggestion } => {
            let text = Text::of("There is no command ").strong(typed).plain(". ");
            match suggestion {
                Some(near) => text.plain("Did you mean ").code(format!("/jit {near}")).plain("? "),
                None => text,
            }
            .code(Verb::Help.usage())
            .plain(" shows all commands.")
        }
        Refusal::Missing { usage } => Text::of("Type it like this: ").code(usage),
        Refusal::BadDuration { typed } => bad_duration(typed)
            .plain(" Type it like this: ")
            .code(Verb::Request.usage()),
        Refusal::BadTimeOfDay { typed } => {
            let text = Text::of("After ").code("until").plain(" comes a time of day from ");
            let text = text.code("0:00").plain(" to ").code("23:59");
            if typed.is_empty() {
                text.plain(".")
            } else {
                text.plain("; ").strong(typed).plain(" is none.")
            }
        }
        Refusal::ReasonMissing => {
            Text::of("A reason is needed: a few words that say why.")
        }
        Refusal::ReasonTooLong { chars, max } => Text::of(format!(
            "The reason has {chars} characters; {max} are allowed."
        )),
        Refusal::ControlCharacters => Text::of(
            "The text holds control characters. Letters, digits, signs and emoji of any script are allowed; please type it again.",
        ),
        Refusal::BadReference { typed } => Text::default()
            .strong(typed)
            .plain(" isn't a request's id. One looks like ")
            .code("r4x9k2m0tqz")
            .plain("; ")
            .code(Verb::List.usage())
            .plain(" shows yours."),
        Refusal::UnknownResource { typed, suggestion } => {
            let text = Text::of("There is no resource ").strong(typed).plain(". ");
            match suggestion {
                Some(near) => text.plain("Did you mean ").code(near.as_str()).plain("?"),
                None => text
                    .code(Verb::Help.usage())
                    .plain(" shows what you may ask for."),
            }
        }
        Refusal::MayNotAsk { resource, who } => whom(
            Text::default()
                .code(resource.as_str())
                .plain(" can be asked for by "),
            "members of ",
            who,
        )
        .plain("; you are not known to be one."),
        Refusal::TooLong { asked_s, max_s } => Text::of(format!(
            "That would be {}; at most {} is allowed.",
            duration::format(*asked_s),
            duration::format(*max_s)
        )),
        Refusal::TooLongInAll {
            asked_s,
            max_s,
            latest,
        } => Text::of(format!(
            "It would last {} in all; at most {} is allowed, so until ",
            duration::format(*asked_s),
            duration::format(*max_s)
        ))
        .moment(*latest)
        .plain("."),
        Refusal::TooShort { min_s } => Text::of(format!(
            "That is too short to be given; at least {} is allowed.",
            duration::format(*min_s)
        )),
        Refusal::NotInTheFuture => {
            Text::of("That moment has passed; the end must lie in the future.")
        }
        Refusal::NoAccount { issuer, missing } => Text::default()
            .code(issuer.as_str())
            .plain(" can't tell who you are on its target: ")
            .plain(missing.trim_end_matches('.'))
            .plain(". Ask whoever keeps jitbot's config to add it."),
        Refusal::KeyMissing { issuer } => keys::missing(issuer.as_str()),
        Refusal::BadKey { why } => keys::bad(why),
        Refusal::KeyInConfig => Text::of(
            "jitbot's config names your public key, and chat can't change it. Ask whoever keeps the config. ",
        )
        .code("/jit key")
        .plain(" shows which it is."),
        Refusal::KeysNotTaken => Text::of(
            "Nothing that you may ask for takes a public key from chat, so none was kept.",
        ),
        Refusal::KeyOfAnother => Text::of(
            "Somebody else has this key. Targets know people by their keys, so each person has one of their own: please send another.",
        ),
        Refusal::NobodyLikeThat => Text::of(
            "That names nobody. Name somebody by their member id, or by a mention.",
        ),
        Refusal::KeyTooSoon { again_at } => {
            Text::of("Your key was changed a moment ago. It can be changed again ")
                .moment(*again_at)
                .plain(".")
        }
        Refusal::ZoneNotKnown => Text::of(
            "It is not known yet in which time zone you are, so nothing was done. It is being looked up: please try again in a moment, or type a length like ",
        )
        .code("1h")
        .plain("."),
        Refusal::TooManyLive { max } => Text::of(format!(
            "You hold {max} accesses, and no more are allowed at once. Give one back: "
        ))
        .code(Verb::Done.usage())
        .plain("."),
        Refusal::TooOften { max } => Text::of(format!(
            "You asked {max} times within an hour, and no more is allowed. Please wait a while."
        )),
        Refusal::TooManyOpen { max } => Text::of(format!(
            "You have {max} open requests, and no more are allowed. Withdraw one or wait for a decision: "
        ))
        .code(Verb::List.usage()),
        Refusal::NotFound { reference } => Text::of("You have nothing with the reference ")
            .code(reference.as_str())
            .plain(". ")
            .code(Verb::List.usage())
            .plain(" shows what is yours."),
        Refusal::OwnRequest => Text::of(
            "Nobody approves or denies what they asked for or would receive. To take it back, use ",
        )
        .code(Verb::Withdraw.usage())
        .plain("."),
        Refusal::NotAnApprover { who } => whom(
            Text::of("Only these can decide this request: "),
            "members of ",
            who,
        )
        .plain("."),
        Refusal::FactsTooOld { group, as_of } => {
            let text = Text::of("It is not known freshly enough who is in ").code(group.as_str());
            match as_of {
                Some(at) => text.plain(" (last known ").moment(*at).plain(")"),
                None => text,
            }
            .plain(", so nothing was decided. It is being looked up: please try again in a moment.")
        }
        Refusal::AccountNotKnown { .. } => Text::of(
            "It could not be checked just now that your account is a full member's, so nothing was decided. It is being looked up: please try again in a moment.",
        ),
        Refusal::MayNotAct { status: is } => Text::of(format!(
            "Your account is {}. Only full members of the workspace ask and decide.",
            status(*is)
        )),
        Refusal::DirectoryUnreachable => Text::of(
            "Whether you may ask could not be found out: for two minutes nobody answered who belongs to which group. Please ask again in a while; security is told if it lasts.",
        ),
        Refusal::NotYours => {
            Text::of("Only who asked for it or receives it can do that.")
        }
        Refusal::MayNotRevoke => {
            Text::of("Only its approvers and security can revoke it. What you hold yourself you give back with ")
                .code(Verb::Done.usage())
                .plain(".")
        }
        Refusal::NoLongerOpen { reference, state } => Text::of("Nothing changed: ")
            .code(reference.as_str())
            .plain(format!(" {}.", meanwhile(*state))),
        Refusal::NothingToEnd { reference, state } => Text::of("There is no access to end: ")
            .code(reference.as_str())
            .plain(format!(" {}.", no_access(*state))),
        Refusal::CannotEndEarly { ends_at } => {
            Text::of("This access can't be ended early. It ends by itself ")
                .moment(*ends_at)
                .plain(".")
        }
        Refusal::NothingToExtend { reference, state } => {
            Text::of("There is no live access that could last longer: ")
                .code(reference.as_str())
                .plain(format!(" {}.", no_access(*state)))
        }
        Refusal::NotLater { ends_at } => Text::of("That is not later than its end now, ")
            .moment(*ends_at)
            .plain("."),
        Refusal::OnlySecurity => Text::of("Only security sees everybody's. Yours: ")
            .code(Verb::List.usage())
            .plain("."),
        Refusal::NoForm { usage } => Text::of("The form could not be opened. Type it instead: ")
            .code(usage),
        Refusal::NotTheCard { reference } => Text::of("This message is a copy; its buttons don't count. ")
            .code(command(Verb::Status, reference))
            .plain(" says where the request stands."),
        Refusal::StaleCard { reference } => {
            Text::of("The request changed before you pressed, so nothing was decided. Look at the card again, or use ")
                .code(command(Verb::Status, reference))
                .plain(".")
        }
        Refusal::ForgedButton => {
            Text::of("That button was not made by jitbot, so nothing was done. Only the buttons on a card count.")
        }
        Refusal::ForeignCommunity => {
            Text::of("jitbot is not set up for your workspace; only its own can use it.")
        }
        Refusal::SpecChanged => Text::of(
            "The config, or your key, changed after it was asked for, so what was approved would no longer be what is given. Please ask anew.",
        ),
        Refusal::NoLongerAllowed => {
            Text::of("The requester may no longer ask for this resource, so it is not given.")
        }
    }
}

fn bad_duration(typed: &str) -> Text {
    Text::default()
        .strong(typed)
        .plain(" isn't a duration. Allowed are lengths like ")
        .names(&["45m", "1h", "1h30m"], ", ")
        .plain(" or ")
        .code("2d")
        .plain(", and ")
        .code("until 18:00")
        .plain(".")
}

const fn meanwhile(state: RequestState) -> &'static str {
    match state {
        RequestState::Checking => "is still being checked",
        RequestState::Pending => "still waits for a decision",
        RequestState::Approved => "was approved",
        RequestState::Denied => "was denied",
        RequestState::Refused => "was refused",
        RequestState::Withdrawn => "was withdrawn",
        RequestState::Expired => "ran out undecided",
        RequestState::Cancelled => "was cancelled",
    }
}

const fn no_access(state: Option<GrantState>) -> &'static str {
    match state {
        None => "is not approved",
        Some(GrantState::Scheduled) => "is still to be given",
        Some(GrantState::Issuing) => "is being given",
        Some(GrantState::Active) => "is live",
        Some(GrantState::Unknown) => "may have been given; that is being found out",
        Some(GrantState::Revoking | GrantState::Stuck) => "is being taken away already",
        Some(GrantState::Ended) => "has ended",
        Some(GrantState::Failed) => "could not be given",
        Some(GrantState::Cancelled) => "was cancelled before it was given",
    }
}

#[cfg(test)]
mod tests;
