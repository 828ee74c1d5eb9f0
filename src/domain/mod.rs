//! The pure core: words, states and decisions of jitbot.
//!
//! Nothing here waits, reads a clock, logs or talks to anybody. Time is an argument. Every function
//! can be read as a table of (state, facts, now) and is tested as one.

pub mod answer;
pub mod audit;
pub mod audit_verify;
pub mod binding;
pub mod command;
pub mod decide;
pub mod decision;
pub mod delivery;
pub mod departure;
pub mod directory;
pub mod directory_jobs;
pub mod duration;
pub mod erasure;
pub mod grant;
pub mod happened;
pub mod ids;
pub mod job;
mod job_kind;
pub mod job_order;
pub mod outcome;
pub mod person;
pub mod place_orders;
pub mod policy_news;
pub mod public_key;
pub mod record_news;
pub mod refusal;
pub mod request;
pub mod segment;
pub mod spec;
pub mod standing;
pub mod steady;
pub mod tally;
pub mod timing;
