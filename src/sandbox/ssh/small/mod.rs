//! A small SSH server for machines without OpenSSH: it judges user certificates as sshd does, and runs nothing.
//!
//! It runs as a process of its own ([`run`]), so that a demo can be shown what happens when the server dies.

mod krl;
mod log;
mod session;
mod source_address;
mod verdict;

use std::{
    borrow::Cow,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use russh::{
    MethodKind, MethodSet, SshId,
    keys::{PrivateKey, PublicKey},
    server::{self, Server as _},
};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use log::Log;
use session::Session;

/// How long every refusal takes at least, so that its reason cannot be read from a clock.
const REFUSAL_TAKES: Duration = Duration::from_millis(50);
/// How long a connection may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(300);
/// How many keys a client may offer before it is hung up on; OpenSSH's own number.
const ATTEMPTS_MAX: usize = 6;

/// What the small server is told, in a JSON file.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SmallConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The private host key, in OpenSSH's format.
    pub host_key: PathBuf,
    /// The public keys of the trusted authorities, one a line.
    pub ca_pub: PathBuf,
    /// The revocation list, read at each attempt. While it is missing or unreadable nobody gets in.
    pub krl: PathBuf,
    /// The one account that can log in.
    pub account: String,
    /// A certificate must carry at least one of these.
    pub principals: Vec<String>,
    /// The log, appended to.
    pub log: PathBuf,
}

impl SmallConfig {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// [`SmallError::File`] if it cannot be read or is no JSON with exactly these fields.
    pub fn read(file: &Path) -> Result<Self, SmallError> {
        let what = "configuration of the small SSH server";
        let text = fs::read(file).map_err(|source| unusable(what, file, source))?;
        serde_json::from_slice(&text).map_err(|source| unusable(what, file, source))
    }

    /// Writes a configuration file that [`SmallConfig::read`] reads.
    ///
    /// # Errors
    /// The file cannot be written, or a path is no UTF-8.
    pub fn write(&self, file: &Path) -> io::Result<()> {
        fs::write(file, serde_json::to_vec_pretty(self)?)
    }
}

/// Why the small server does not run.
#[derive(Debug, thiserror::Error)]
pub enum SmallError {
    /// A file that it was told of is of no use.
    #[error("{} is no {what}", path.display())]
    File {
        /// What it should be.
        what: &'static str,
        /// The file.
        path: PathBuf,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The log cannot be written, or something else in this process has taken the place of the logger already: refusals
    /// by the SSH library would then be nowhere on record.
    #[error("the log {} cannot be kept", path.display())]
    Log {
        /// The log.
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The address cannot be listened on, or listening came to an end.
    #[error("{addr} cannot be listened on")]
    Listen {
        /// The address.
        addr: SocketAddr,
        #[source]
        source: io::Error,
    },
}

/// Runs the small server in this process until it is killed.
///
/// It must be called before anything has installed a logger in the process: the SSH library tells the reasons of some
/// refusals only there, and they belong into the server's log.
///
/// # Errors
/// [`SmallError`] if it cannot start; the reason stands in its log as well, if that can be written.
pub async fn run(config: SmallConfig) -> Result<(), SmallError> {
    let log = Log::open(&config.log).map_err(|source| SmallError::Log {
        path: config.log.clone(),
        source,
    })?;
    let outcome = serve(config, &log).await;
    if let Err(error) = &outcome {
        let source = std::error::Error::source(error)
            .map(ToString::to_string)
            .unwrap_or_default();
        log.line(&format!("ended: {error}: {source}"));
    }
    outcome
}

async fn serve(config: SmallConfig, log: &Log) -> Result<(), SmallError> {
    let host_key = PrivateKey::read_openssh_file(&config.host_key)
        .map_err(|source| unusable("private key", &config.host_key, source))?;
    let authorities = authorities(&config.ca_pub)?;
    let protocol = Arc::new(server::Config {
        server_id: SshId::Standard(Cow::Borrowed(concat!(
            "SSH-2.0-jitbot_sandbox_",
            env!("CARGO_PKG_VERSION"),
            " russh"
        ))),
        methods: MethodSet::from(&[MethodKind::PublicKey][..]),
        auth_rejection_time: REFUSAL_TAKES,
        auth_rejection_time_initial: Some(Duration::ZERO),
        max_auth_attempts: ATTEMPTS_MAX,
        inactivity_timeout: Some(SILENCE_MAX),
        keys: vec![host_key],
        nodelay: true,
        ..server::Config::default()
    });
    let addr = config.listen;
    let listen = |source| SmallError::Listen { addr, source };
    let listener = TcpListener::bind(addr).await.map_err(listen)?;
    // sshd's own sentence, so that both servers are waited for alike.
    log.line(&format!(
        "Server listening on {} port {}.",
        addr.ip(),
        addr.port()
    ));
    let mut server = Small {
        shared: Arc::new(Shared {
            config,
            authorities,
            log: log.clone(),
        }),
    };
    server
        .run_on_socket(protocol, &listener)
        .await
        .map_err(listen)
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    config: SmallConfig,
    authorities: Vec<PublicKey>,
    log: Log,
}

struct Small {
    shared: Arc<Shared>,
}

impl server::Server for Small {
    type Handler = Session;

    fn new_client(&mut self, peer: Option<SocketAddr>) -> Session {
        Session::new(Arc::clone(&self.shared), peer)
    }

    fn handle_session_error(&mut self, error: russh::Error) {
        self.shared
            .log
            .line(&format!("a connection broke off: {error}"));
    }
}

fn authorities(file: &Path) -> Result<Vec<PublicKey>, SmallError> {
    let what = "list of public keys";
    let text = fs::read_to_string(file).map_err(|source| unusable(what, file, source))?;
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| PublicKey::from_openssh(line).map_err(|source| unusable(what, file, source)))
        .collect()
}

fn unusable(
    what: &'static str,
    path: &Path,
    source: impl std::error::Error + Send + Sync + 'static,
) -> SmallError {
    SmallError::File {
        what,
        path: path.to_owned(),
        source: Box::new(source),
    }
}
