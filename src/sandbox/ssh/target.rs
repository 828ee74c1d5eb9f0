//! A running SSH server: started, looked at, stopped.

mod ready;

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

pub use ready::LISTENS_WITHIN;
use ready::{listening, read_log};

use super::{
    child::Child,
    keys::{self, KeyError},
    openssh,
    small::SmallConfig,
};

/// How many free ports are tried: another program may take one between our choosing it and the server's opening it.
const PORTS_TRIED: usize = 5;

/// Which server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// The machine's own sshd, `/usr/sbin/sshd`.
    OpenSsh,
    /// The sandbox's own server, a child process: `program sandbox-ssh --config FILE`.
    Small {
        /// The program to execute, normally this one (`std::env::current_exe`).
        program: PathBuf,
    },
}

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

/// The better server that this machine can run: its OpenSSH if that is installed and the current user has an account,
/// else the small one in `program`.
#[must_use]
pub fn best(program: &Path) -> TargetKind {
    if openssh::installed() && current_account().is_some() {
        TargetKind::OpenSsh
    } else {
        TargetKind::Small {
            program: program.to_owned(),
        }
    }
}

/// The account name of the user that runs us, if the machine knows one: the one account that can log in.
#[must_use]
pub fn current_account() -> Option<String> {
    let uid = nix::unistd::Uid::effective();
    nix::unistd::User::from_uid(uid)
        .ok()
        .flatten()
        .map(|user| user.name)
}

/// A running SSH server. It is killed when this is dropped and when this process dies.
#[derive(Debug)]
pub struct Target {
    child: Child,
    kind: TargetKind,
    addr: SocketAddr,
    account: String,
    banner: String,
    paths: Paths,
}

impl Target {
    /// Starts a server and comes back when it listens and has named itself.
    ///
    /// # Errors
    /// Any [`TargetError`]; after ten seconds without listening it is [`TargetError::NotListening`].
    pub async fn start(kind: TargetKind, config: TargetConfig) -> Result<Self, TargetError> {
        // Relative paths would mean something else to a server that changes its directory.
        let config = TargetConfig {
            dir: absolute(&config.dir)?,
            ca_pub: absolute(&config.ca_pub)?,
            krl: absolute(&config.krl)?,
            ..config
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&config.dir)
            .map_err(|source| TargetError::file("made", &config.dir, source))?;
        let (account, log) = match &kind {
            TargetKind::OpenSsh => (current_account().ok_or(TargetError::NoAccount)?, "sshd.log"),
            TargetKind::Small { .. } => (
                current_account().unwrap_or_else(|| "demo".into()),
                "small.log",
            ),
        };
        let paths = Paths {
            host_key: config.dir.join("host_key"),
            known_hosts: config.dir.join("known_hosts"),
            log: config.dir.join(log),
        };
        let host = keys::load_or_make(&paths.host_key, "sandbox host key")?;
        let mut tried = 0;
        loop {
            tried += 1;
            let port = match config.port {
                Some(port) => port,
                None => free_port()?,
            };
            let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let known = format!("[{}]:{port} {}\n", addr.ip(), host.public_line);
            fs::write(&paths.known_hosts, known)
                .map_err(|source| TargetError::file("written", &paths.known_hosts, source))?;
            let mut command = match &kind {
                TargetKind::OpenSsh => openssh::prepare(&config, &paths, &account, port)?,
                TargetKind::Small { program } => small(program, &config, &paths, &account, addr)?,
            };
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            let before = fs::metadata(&paths.log).map_or(0, |log| log.len());
            let program = command.get_program().into();
            let child =
                Child::spawn(command).map_err(|source| TargetError::Program { program, source })?;
            match listening(&child, addr, &paths.log, before).await {
                Ok(banner) => {
                    return Ok(Self {
                        child,
                        kind,
                        addr,
                        account,
                        banner,
                        paths,
                    });
                }
                Err(TargetError::PortTaken { .. })
                    if config.port.is_none() && tried < PORTS_TRIED => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// One sentence for people: which server this is, in its own words, where it listens, and what a login there does.
    #[must_use]
    pub fn describe(&self) -> String {
        let Self {
            banner,
            addr,
            account,
            ..
        } = self;
        match &self.kind {
            TargetKind::OpenSsh => format!(
                "this machine's own OpenSSH server ({banner}) on {addr}; a login is a real shell of {account}"
            ),
            TargetKind::Small { .. } => format!(
                "the sandbox's own small SSH server ({banner}) on {addr}; \
                 a login as {account} is answered and runs nothing"
            ),
        }
    }

    /// Which of the two servers it is.
    #[must_use]
    pub fn kind(&self) -> &TargetKind {
        &self.kind
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The one account that can log in.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// A `known_hosts` file that holds this server's host key and nothing else.
    #[must_use]
    pub fn known_hosts(&self) -> &Path {
        &self.paths.known_hosts
    }

    /// The process id of the server.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Whether the server is still running.
    #[must_use]
    pub fn alive(&self) -> bool {
        self.child.alive()
    }

    /// Everything that the server has logged in its directory so far, earlier runs included. Each refused login has its
    /// reason there, in the server's own words.
    ///
    /// # Errors
    /// [`TargetError::File`] if the log cannot be read.
    pub fn log(&self) -> Result<String, TargetError> {
        read_log(&self.paths.log, 0)
    }

    /// Ends the server and its open sessions; takes at most a few seconds. A server that has ended already is left alone.
    pub async fn stop(&self) {
        self.child.stop().await;
    }
}

fn small(
    program: &Path,
    config: &TargetConfig,
    paths: &Paths,
    account: &str,
    listen: SocketAddr,
) -> Result<Command, TargetError> {
    let file = config.dir.join("small.json");
    SmallConfig {
        listen,
        host_key: paths.host_key.clone(),
        ca_pub: config.ca_pub.clone(),
        krl: config.krl.clone(),
        account: account.to_owned(),
        principals: config.principals.clone(),
        log: paths.log.clone(),
    }
    .write(&file)
    .map_err(|source| TargetError::file("written", &file, source))?;
    let mut command = Command::new(program);
    command.arg("sandbox-ssh").arg("--config").arg(&file);
    Ok(command)
}

fn free_port() -> Result<u16, TargetError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|addr| addr.port())
        .map_err(|source| TargetError::file("listened on", "127.0.0.1", source))
}

fn absolute(path: &Path) -> Result<PathBuf, TargetError> {
    std::path::absolute(path).map_err(|source| TargetError::file("found", path, source))
}
