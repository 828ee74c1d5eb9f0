//! (being built)

pub mod ssh;
