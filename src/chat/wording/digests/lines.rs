//! Who, and which access, in the lines of a digest.

use super::super::super::text::Text;
use crate::domain::ids::AccountId;
use crate::domain::tally::Access;

pub(super) fn somebody(who: Option<&AccountId>) -> Text {
    match who {
        Some(who) => Text::default().quietly(who),
        None => Text::of("somebody"),
    }
}

/// `staging-ssh of alice`.
pub(super) fn about(text: Text, access: &Access) -> Text {
    let text = match &access.resource {
        Some(resource) => text.strong(resource.as_str()),
        None => text.plain("an access"),
    };
    match &access.of {
        Some(of) => text.plain(" of ").quietly(of),
        None => text,
    }
}
