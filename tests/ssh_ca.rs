//! The `ssh-ca` issuer against the machine's real sshd, and against hosts that misbehave.
//! A missing sshd fails these tests: nothing else proves the issuer.

#[path = "ssh_ca/child.rs"]
mod child;
#[path = "ssh_ca/conformance.rs"]
mod conformance;
#[path = "ssh_ca/fetch.rs"]
mod fetch;
#[path = "ssh_ca/file.rs"]
mod file;
#[path = "ssh_ca/issuing.rs"]
mod issuing;
#[path = "ssh_ca/push.rs"]
mod push;
#[path = "ssh_ca/rotating.rs"]
mod rotating;
#[path = "ssh_ca/sshd.rs"]
mod sshd;
#[path = "ssh_ca/store.rs"]
mod store;
#[path = "ssh_ca/taking_over.rs"]
mod taking_over;
