//! `jitbot check`, the real binary against the sandbox: for each kind of thing that is missing, the
//! sentence that says so.

mod missing;
mod silence;
#[path = "../support/mod.rs"]
mod support;
