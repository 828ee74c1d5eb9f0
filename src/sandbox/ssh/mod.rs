//! An SSH server on loopback that trusts one certificate authority and one revocation list, and clients that try to log in.
//!
//! Two servers do the same work. The machine's own OpenSSH is the one that proves anything about certificates that others
//! will meet; the small one (russh) needs nothing installed and runs no command, so that the demo always has a server.
//! [`Target::describe`] says which one a person is looking at.
//!
//! Nothing here uses the project's own minting of certificates or its writer of revocation lists: what judges them must not
//! share their mistakes.

#![allow(
    clippy::disallowed_methods,
    reason = "servers, clients and certificates here live in the machine's time, which no test can set"
)]

mod child;
pub mod keys;
pub mod login;
mod openssh;
mod place;
pub mod small;
mod target;

pub use place::{TargetConfig, TargetError};
pub use target::{LISTENS_WITHIN, Target, TargetKind, best, current_account};
