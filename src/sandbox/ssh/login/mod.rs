//! Trying to log in with a certificate, as a person would, and saying what the server answered.

mod library;
mod machine;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

pub use machine::command_line;

/// How long one attempt may take in all, whatever the server does.
pub const ANSWERS_WITHIN: Duration = Duration::from_secs(15);
/// How long the connection may take to come about.
pub const CONNECTS_WITHIN: Duration = Duration::from_secs(5);

/// Which client tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// The machine's `ssh`, without any of the user's settings, keys or agent.
    OpenSsh,
    /// The russh library, in this process.
    Russh,
}

/// The better client that this machine has: its `ssh`, else the library.
#[must_use]
pub fn best() -> Client {
    if machine::installed() {
        Client::OpenSsh
    } else {
        Client::Russh
    }
}

/// One attempt.
#[derive(Clone, Debug)]
pub struct Login {
    /// The account on the server.
    pub user: String,
    /// The server.
    pub addr: SocketAddr,
    /// The private key, without a passphrase, readable by its owner alone.
    pub key: PathBuf,
    /// The certificate for that key. `ssh` would also offer a file named like the key with `-cert.pub` behind it:
    /// if both are there, both are tried.
    pub certificate: PathBuf,
    /// The `known_hosts` file that must hold the server's key ([`super::Target::known_hosts`]): an answer by another server
    /// is no answer.
    pub known_hosts: PathBuf,
    /// What to run there; a shell without a terminal if nothing is given, whose input ends at once.
    pub command: Option<String>,
    /// The address of ours to come from; the machine's choice if none is given.
    pub source: Option<IpAddr>,
    /// Which client tries.
    pub client: Client,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginOutcome {
    /// The server let us in; what then ran may still have failed.
    Accepted {
        /// What the command, or the shell, wrote to its standard output.
        stdout: String,
    },
    /// The server answered and did not let us in.
    Refused {
        /// The client's words. The reason is in the server's log alone: a server does not tell it to strangers.
        said: String,
    },
    /// The server gave no answer to judge: not there, not the server that we know, too slow, or our own files are unusable.
    Unreachable {
        /// The client's words, or what was lacking.
        said: String,
    },
}

/// Tries to log in, once, within [`ANSWERS_WITHIN`].
pub async fn attempt(login: Login) -> LoginOutcome {
    let outcome = async {
        match login.client {
            Client::OpenSsh => machine::attempt(&login).await,
            Client::Russh => library::attempt(&login).await,
        }
    };
    tokio::time::timeout(ANSWERS_WITHIN, outcome)
        .await
        .unwrap_or_else(|_| {
            let said = format!("no answer within {} seconds", ANSWERS_WITHIN.as_secs());
            LoginOutcome::Unreachable { said }
        })
}
