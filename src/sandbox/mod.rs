//! Stand-ins for the world outside, on loopback: for the demo, for rehearsing a config, for tests.
//! Nothing here imports anything of ours from outside `sandbox`.

pub mod guard;
pub mod people;
pub mod slack;
pub mod ssh;
