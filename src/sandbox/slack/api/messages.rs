//! `conversations.history` and `conversations.replies`.

use serde_json::{Value, json};

use super::super::message::Message;
use super::super::state::{Conversation, Kind, State};
use super::conversations::{from_cursor, to_cursor};
use super::scopes::check_kind;
use super::{Args, Refusal};

const HISTORY_PAGE_MAX: usize = 999;
const REPLIES_PAGE_MAX: usize = 1000;

/// A conversation whose messages the app may read: from inside, with the scope of its kind.
fn readable<'s>(state: &'s State, args: &Args) -> Result<&'s Conversation, Refusal> {
    let one = super::conversations::visible(state, args)?;
    check_kind(&state.manifest, one.kind, "history")?;
    if !one.bot_in && one.kind == Kind::Public {
        return Err(Refusal::new("not_in_channel"));
    }
    Ok(one)
}

/// Whether a timestamp lies between `oldest` and `latest`.
fn within(args: &Args, ts: &str) -> bool {
    let inclusive = args.flag("inclusive");
    let inside = |bound: &str, wanted: std::cmp::Ordering| match compare(ts, bound) {
        Some(std::cmp::Ordering::Equal) => inclusive,
        found => found == Some(wanted),
    };
    let given = |key: &str| {
        args.text(key)
            .filter(|bound| !bound.is_empty() && bound != "0")
    };
    given("oldest").is_none_or(|bound| inside(&bound, std::cmp::Ordering::Greater))
        && given("latest").is_none_or(|bound| inside(&bound, std::cmp::Ordering::Less))
}

/// By time; `SECONDS[.MICROSECONDS]`.
fn compare(left: &str, right: &str) -> Option<std::cmp::Ordering> {
    let micros = |ts: &str| {
        let (seconds, fraction) = ts.split_once('.').unwrap_or((ts, ""));
        let fraction = format!("{fraction:0<6}");
        Some(seconds.parse::<u64>().ok()? * 1_000_000 + fraction.get(..6)?.parse::<u64>().ok()?)
    };
    Some(micros(left)?.cmp(&micros(right)?))
}

struct Page {
    start: usize,
    limit: usize,
}

fn page(args: &Args, default: usize, max: usize) -> Result<Page, Refusal> {
    let start = match args.text("cursor").filter(|cursor| !cursor.is_empty()) {
        None => 0,
        Some(cursor) => from_cursor(&cursor).ok_or_else(|| Refusal::new("invalid_cursor"))?,
    };
    let limit = match args.number("limit") {
        None | Some(0) => default,
        Some(limit) => limit.min(max),
    };
    Ok(Page { start, limit })
}

fn answer(
    state: &State,
    one: &Conversation,
    messages: &[&Message],
    page: &Page,
    args: &Args,
) -> Value {
    let end = (page.start + page.limit).min(messages.len());
    let more = end < messages.len();
    let slice = messages.get(page.start.min(end)..end).unwrap_or_default();
    let author = state.author();
    let with_metadata = args.flag("include_all_metadata");
    let objects: Vec<Value> = slice
        .iter()
        .map(|message| message.to_json(&author, &one.thread(&message.ts), with_metadata))
        .collect();
    json!({
        "messages": objects,
        "has_more": more,
        "response_metadata": { "next_cursor": if more { to_cursor(end) } else { String::new() } },
    })
}

pub(super) fn history(state: &State, args: &Args) -> Result<Value, Refusal> {
    let one = readable(state, args)?;
    let page = page(args, 100, HISTORY_PAGE_MAX)?;
    let messages: Vec<&Message> = one
        .messages
        .values()
        .rev()
        .filter(|message| {
            message.ephemeral_to.is_none()
                && (message.thread_ts.is_none() || message.reply_broadcast)
        })
        .filter(|message| within(args, &message.ts))
        .collect();
    let mut answer = answer(state, one, &messages, &page, args);
    answer["pin_count"] = json!(0);
    Ok(answer)
}

pub(super) fn replies(state: &State, args: &Args) -> Result<Value, Refusal> {
    let one = readable(state, args)?;
    let ts = args.required("ts", "thread_not_found")?;
    let page = page(args, REPLIES_PAGE_MAX, REPLIES_PAGE_MAX)?;
    let named = one
        .messages
        .get(&ts)
        .filter(|message| message.ephemeral_to.is_none());
    let Some(named) = named else {
        return Err(Refusal::new("thread_not_found"));
    };
    let parent = named
        .thread_ts
        .as_deref()
        .and_then(|parent| one.messages.get(parent))
        .unwrap_or(named);
    let replies = one
        .thread(&parent.ts)
        .into_iter()
        .filter(|message| within(args, &message.ts));
    // The parent comes first on every page of Slack's; here on the first, which is all that a short thread has.
    let messages: Vec<&Message> = std::iter::once(parent).chain(replies).collect();
    Ok(answer(state, one, &messages, &page, args))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_compare_by_time() {
        use std::cmp::Ordering::{Equal, Less};
        assert_eq!(compare("100.000001", "100.000002"), Some(Less));
        assert_eq!(compare("99.9", "100"), Some(Less));
        assert_eq!(compare("100", "100.000000"), Some(Equal));
        assert_eq!(compare("x", "100"), None);
    }
}
