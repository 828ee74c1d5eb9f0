//! What is said of public keys that people give in chat.

use super::super::text::{Message, Part, Text};
use super::super::verb::Verb;
use crate::domain::answer::{KeyAnswer, KeyChange};
use crate::domain::duration;
use crate::domain::ids::AccountId;
use crate::domain::public_key::BadKey;
use crate::domain::spec::NEW_KEY_S;

/// Which key is known, and what became of it.
pub(super) fn key(answer: &KeyAnswer) -> Message {
    let known = |text: Text, fingerprint: &str| text.code(fingerprint).plain(".");
    let message = match (answer.done, &answer.fingerprint) {
        (Some(KeyChange::Given), Some(fingerprint)) => {
            let mut message = Message::line(known(
                Text::of("🔑 From now on your public key is "),
                fingerprint,
            ));
            message = message.with(Part::Line(Text::of(format!(
                "For {} only people approve access for it, no rule. What you hold already keeps the key that it was given for.",
                duration::format(NEW_KEY_S)
            ))));
            message.with(Part::Aside(Text::of(
                "Security is told, and so are you: in a private message.",
            )))
        }
        (Some(KeyChange::Forgotten), _) if answer.of.is_some() => Message::line(Text::of(
            "🔑 Their public key is forgotten; they are told. What they hold goes on until it ends or is revoked.",
        )),
        (Some(KeyChange::Forgotten), _) => Message::line(Text::of(
            "🔑 Your public key is forgotten. What you hold goes on until it ends; give it back if the key is no longer yours alone.",
        )),
        (_, Some(fingerprint)) => {
            let message = Message::line(known(Text::of("🔑 Your public key is "), fingerprint));
            message.with(Part::Aside(match answer.given_at {
                Some(at) => Text::of("You gave it here ").moment(at).plain("."),
                None => Text::of(
                    "jitbot's config names it; to change it, ask whoever keeps the config.",
                ),
            }))
        }
        (_, None) => Message::line(Text::of("🔑 No public key of yours is known.")),
    };
    if answer.taken_in_chat && answer.done != Some(KeyChange::Given) {
        message.with(Part::Aside(how()))
    } else {
        message
    }
}

/// How a key is given.
fn how() -> Text {
    Text::of("Give one with ")
        .code(Verb::Key.usage())
        .plain(": the line of your ")
        .code(".pub")
        .plain(" file, for instance of ")
        .code("~/.ssh/id_ed25519.pub")
        .plain(".")
}

/// Why something is no key. To follow what is said of the refusal.
pub(super) fn bad(why: &BadKey) -> Text {
    match why {
        BadKey::Private => Text::of(
            "That is a private key, and it was not kept. But it has been sent through chat: make a new one with ",
        )
        .code("ssh-keygen -t ed25519")
        .plain(", stop using this one, and send the line of the new ")
        .code(".pub")
        .plain(" file."),
        BadKey::Unreadable => Text::of("That is not a public key in OpenSSH's form. ").then(how()),
        BadKey::RsaBits(bits) => Text::of(format!(
            "That is an RSA key of {bits} bits; 2048 to 4096 are allowed. Better is a new one: "
        ))
        .code("ssh-keygen -t ed25519")
        .plain("."),
        BadKey::Kind(kind) => Text::of("That is a key of the kind ")
            .strong(kind)
            .plain(", for which no certificate can be made. Make a new one with ")
            .code("ssh-keygen -t ed25519")
            .plain("."),
    }
}

/// That an issuer needs a key, and how it is given.
pub(super) fn missing(issuer: &str) -> Text {
    Text::default()
        .code(issuer)
        .plain(" needs your public SSH key, and none is known. ")
        .then(how())
        .plain(" Then ask again.")
}

/// To security: somebody's key changed.
pub(super) fn news(of: &AccountId, by: Option<&AccountId>, fingerprint: Option<&str>) -> Message {
    let who = Text::default().quietly(of);
    match fingerprint {
        Some(fingerprint) => Message::titled("🔑 A public key was given in chat")
            .with(Part::Line(
                who.plain(" from now on has the key ")
                    .code(fingerprint)
                    .plain("."),
            ))
            .with(Part::Aside(Text::of(format!(
                "For {} no rule approves access for it; people see on the card that it is new. If it is not theirs, their account may be in other hands; have it forgotten with ",
                duration::format(NEW_KEY_S)
            ))
            .code(format!("/jit key forget {}", of.member()))
            .plain("."))),
        None => Message::titled("🔑 A public key was forgotten").with(Part::Line(
            match by {
                Some(by) => Text::default()
                    .quietly(by)
                    .plain(" had the key forgotten that ")
                    .then(who)
                    .plain(" gave in chat."),
                None => who.plain(" had the key forgotten that they gave in chat."),
            },
        )),
    }
}

/// To the person themselves, on each of their accounts.
pub(super) fn yours(by: &AccountId, fingerprint: Option<&str>) -> Message {
    let message = match fingerprint {
        Some(fingerprint) => Message::titled("🔑 Your public key changed").with(Part::Line(
            Text::of("From now on it is ")
                .code(fingerprint)
                .plain(", given by ")
                .quietly(by)
                .plain("."),
        )),
        None => Message::titled("🔑 Your public key is forgotten")
            .with(Part::Line(Text::of("By ").quietly(by).plain("."))),
    };
    message.with(Part::Aside(Text::of(
        "If that wasn't you, tell security at once: somebody uses your account.",
    )))
}
