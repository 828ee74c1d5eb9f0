//! Logging in with the russh library, for machines without `ssh`.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use russh::{
    ChannelMsg,
    client::{self, AuthResult, Handle, Handler},
    keys::{Certificate, PrivateKey, PublicKeyOrCertificate, check_known_hosts_path},
};
use tokio::net::{TcpSocket, TcpStream};

use super::{CONNECTS_WITHIN, Login, LoginOutcome};

/// The most that is kept of what a command writes, in bytes.
const OUTPUT_MAX: usize = 1 << 20;

pub(super) async fn attempt(login: &Login) -> LoginOutcome {
    let unreachable = |said| LoginOutcome::Unreachable { said };
    let (key, certificate) = match credentials(login) {
        Ok(both) => both,
        Err(said) => return unreachable(said),
    };
    let mut session = match connect(login).await {
        Ok(session) => session,
        Err(said) => return unreachable(said),
    };
    match session
        .authenticate_openssh_cert(&login.user, Arc::new(key), certificate)
        .await
    {
        Ok(AuthResult::Success) => {}
        // The library reports a connection that broke off in the meantime as a failure too, without any method left to try.
        Ok(AuthResult::Failure {
            remaining_methods, ..
        }) if remaining_methods.is_empty() => {
            return unreachable("the server hung up instead of judging the certificate".into());
        }
        Ok(AuthResult::Failure { .. }) => {
            let said = format!(
                "{}@{}: the server refused the certificate",
                login.user, login.addr
            );
            return LoginOutcome::Refused { said };
        }
        Err(error) => return unreachable(format!("no answer to the certificate: {error}")),
    }
    match run(&session, login.command.as_deref()).await {
        Ok(stdout) => LoginOutcome::Accepted {
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
        },
        Err(error) => unreachable(format!("let in, but then the connection failed: {error}")),
    }
}

fn credentials(login: &Login) -> Result<(PrivateKey, Certificate), String> {
    let key = PrivateKey::read_openssh_file(&login.key)
        .map_err(|error| format!("the key {} is unusable: {error}", login.key.display()))?;
    let certificate = Certificate::read_file(&login.certificate).map_err(|error| {
        format!(
            "the certificate {} is unusable: {error}",
            login.certificate.display()
        )
    })?;
    Ok((key, certificate))
}

async fn connect(login: &Login) -> Result<Handle<KnownHost>, String> {
    let addr = login.addr;
    let host = KnownHost {
        addr,
        known_hosts: login.known_hosts.clone(),
    };
    let connected = async {
        let stream = open(addr, login.source)
            .await
            .map_err(|error| format!("{addr} cannot be reached: {error}"))?;
        client::connect_stream(Arc::default(), stream, host)
            .await
            .map_err(|error| format!("{addr} is not the SSH server that is known: {error}"))
    };
    tokio::time::timeout(CONNECTS_WITHIN, connected)
        .await
        .unwrap_or_else(|_| {
            Err(format!(
                "{addr} did not answer within {} s",
                CONNECTS_WITHIN.as_secs()
            ))
        })
}

async fn open(addr: SocketAddr, source: Option<IpAddr>) -> std::io::Result<TcpStream> {
    let socket = if addr.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    if let Some(source) = source {
        socket.bind(SocketAddr::new(source, 0))?;
    }
    socket.connect(addr).await
}

/// Runs `command`, or a shell whose input ends at once, and collects its standard output.
async fn run(session: &Handle<KnownHost>, command: Option<&str>) -> Result<Vec<u8>, russh::Error> {
    let mut channel = session.channel_open_session().await?;
    match command {
        Some(command) => channel.exec(true, command).await?,
        None => channel.request_shell(true).await?,
    }
    channel.eof().await?;
    let mut stdout = Vec::new();
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Data { data } => {
                let room = OUTPUT_MAX - stdout.len();
                stdout.extend_from_slice(&data[..data.len().min(room)]);
            }
            ChannelMsg::Close => break,
            _ => {}
        }
    }
    Ok(stdout)
}

/// Accepts the one host key that is written down.
struct KnownHost {
    addr: SocketAddr,
    known_hosts: PathBuf,
}

impl Handler for KnownHost {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        server: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = server else {
            return Ok(false);
        };
        let host = self.addr.ip().to_string();
        Ok(
            check_known_hosts_path(&host, self.addr.port(), key, &self.known_hosts)
                .unwrap_or(false),
        )
    }
}
