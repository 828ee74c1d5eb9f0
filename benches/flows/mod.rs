//! Whole flows through a bot, and what they cost. `docs/BENCHMARK.md` says what counts.
//!
//! A sandbox (a process of its own) plays Slack, a [`target`] notes when access was given and taken away,
//! [`bots`] says how each bot is started and what it says, [`play`] does what people do at a fixed rate,
//! [`tally`] judges what came of it, [`trial`] takes one bot through all of it, and [`report`] writes it
//! down. [`live`] does the same beside very many live grants, which [`live_fill`] puts into the database and
//! [`live_cards`] into the channels; [`live_ends`] judges how they end.

pub mod bots;
pub mod live;
pub mod live_cards;
pub mod live_ends;
pub mod live_fill;
pub mod live_report;
pub mod machine;
pub mod play;
pub mod process;
pub mod report;
pub mod tally;
pub mod target;
pub mod trial;
pub mod workspace;
