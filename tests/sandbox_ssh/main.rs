//! Both SSH servers of the sandbox under both clients: what OpenSSH refuses, the small server refuses.
//!
//! The certificates are made with the ssh-key crate and the revocation lists with `ssh-keygen -k`. OpenSSH must be
//! installed (Debian: openssh-server, openssh-client); where it is not, these tests fail.

#![allow(
    clippy::disallowed_methods,
    reason = "servers and certificates here live in the machine's time"
)]

mod logins;
mod servers;
mod table;
mod world;
