//! What is no longer in the record, in a line of a digest.

use super::super::super::text::Text;
use crate::domain::tally::Tally;

/// Accounts that are named; more are counted.
const NAMED_MAX: usize = 3;

/// What was removed and erased; none where nothing was.
pub(super) fn gone(tally: &Tally) -> Option<Text> {
    let Tally {
        removed, erased, ..
    } = tally;
    if removed.is_none() && erased.is_empty() {
        return None;
    }
    let mut line = Text::default().strong("Record").plain(": ");
    if let Some(removed) = removed {
        line = line
            .plain(format!("{} old entries were removed, from ", removed.count))
            .moment(removed.first_at)
            .plain(" to ")
            .moment(removed.last_at);
    }
    if removed.is_some() && !erased.is_empty() {
        line = line.plain("; ");
    }
    for (place, (account, texts)) in erased.iter().take(NAMED_MAX).enumerate() {
        line = line
            .plain(if place == 0 {
                "the operator erased "
            } else {
                ", "
            })
            .plain(format!("{texts} texts about "))
            .quietly(account);
    }
    let more = erased.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        line = line.plain(format!(", and texts about {more} more accounts"));
    }
    Some(line.plain("."))
}
