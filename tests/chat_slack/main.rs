//! The Slack adapter against a small double: when it acknowledges, what it survives, and what it makes
//! of Slack's failures.

#![expect(
    clippy::disallowed_methods,
    reason = "an inbox that is too slow has to be slow in real time"
)]

mod asking;
mod double;
mod listening;
mod posting;
mod reopening;
mod things;
