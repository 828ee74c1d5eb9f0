//! Chat: what goes in, what comes out, and every sentence that a person reads.
//!
//! `port` is all that the rest of jitbot and a platform's adapter know of each other.

pub mod button;
pub mod card;
pub mod form;
pub mod parse;
pub mod port;
pub mod slack;
pub mod text;
pub mod verb;
pub mod wording;
