//! A running SSH server: started, looked at, stopped.

mod ready;

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

pub use ready::LISTENS_WITHIN;
use ready::{listening, read_log};

use super::{
    child::Child,
    keys, openssh,
    place::{Paths, TargetConfig, TargetError},
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
