//! What a server trusts, where its files lie, and why there may be none.

use std::{io, net::SocketAddr, path::PathBuf};

use super::keys::KeyError;

/// What the server trusts and where its files lie.
#[derive(Clone, Debug)]
pub struct TargetConfig {
    /// A directory of the server's own for its host key, configuration and log; made (0700) if it is missing.
    pub dir: PathBuf,
    /// The public key of the authority whose user certificates are accepted, as OpenSSH writes it.
    pub ca_pub: PathBuf,
    /// The revocation list (`ssh-keygen -k`), read afresh at each login. While it is missing nobody gets in.
    pub krl: PathBuf,
    /// The port on 127.0.0.1; a free one if none is given.
    pub port: Option<u16>,
    /// A certificate must carry at least one of these.
    pub principals: Vec<String>,
}

/// Why there is no server. Nothing is left running.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The machine has no sshd.
    #[error("no OpenSSH server at {}: install openssh-server, or use the small server", path.display())]
    NotInstalled {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The user that runs us has no account name, which OpenSSH needs to log anybody in.
    #[error(
        "the current user has no account on this machine, so OpenSSH could log nobody in: use the small server"
    )]
    NoAccount,
    /// A file or directory could not be used.
    #[error("{} could not be {done}", path.display())]
    File {
        /// What was tried.
        done: &'static str,
        /// The file.
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The host key could not be made or read.
    #[error("the server has no host key")]
    HostKey(#[from] KeyError),
    /// A value cannot be written into the server's configuration so that it means itself.
    #[error(
        "sshd's configuration cannot hold the {what} {}: choose a plain one",
        value.display()
    )]
    Unwritable {
        /// What the value is.
        what: &'static str,
        /// The value.
        value: PathBuf,
    },
    /// sshd refuses its configuration.
    #[error("sshd refuses {}: {said}", file.display())]
    Configuration {
        /// The configuration file.
        file: PathBuf,
        /// sshd's words.
        said: String,
    },
    /// The server's program could not be started.
    #[error("{} could not be started", program.display())]
    Program {
        /// The program.
        program: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The port is taken (or every one of several that had been free a moment before).
    #[error("port {port} on 127.0.0.1 is taken: free it or leave the port open")]
    PortTaken {
        /// The last port tried.
        port: u16,
    },
    /// The server ended or said nothing instead of listening.
    #[error("the SSH server does not listen on {addr}; the end of its log: {log}")]
    NotListening {
        /// Where it should listen.
        addr: SocketAddr,
        /// The last lines of its log.
        log: String,
    },
}

impl TargetError {
    pub(super) fn file(done: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::File {
            done,
            path: path.into(),
            source,
        }
    }
}

/// The files of a server in its directory, named alike for both kinds.
#[derive(Debug)]
pub(super) struct Paths {
    pub(super) host_key: PathBuf,
    pub(super) known_hosts: PathBuf,
    pub(super) log: PathBuf,
}
