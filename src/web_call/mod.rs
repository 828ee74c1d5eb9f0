//! Calls to addresses that the operator names: receivers of webhooks, and who waits for the heartbeat.
//!
//! Each is one HTTP call over a connection of its own, so that it is known whether anything was sent.
//! A name is resolved once, each address is judged, and exactly that address is connected to: a name
//! that is made to point elsewhere meanwhile changes nothing. Redirects are not followed.

pub mod address;
pub mod trust;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::HeaderMap;
use hyper::http::request::Builder;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use url::{Host, Url};

use self::address::is_private;

/// The longest that making a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Seconds that it asks to wait.
    pub retry_after_s: Option<i64>,
    /// Its body.
    pub body: Bytes,
}

/// Why no reply came.
#[derive(Debug, PartialEq, Eq)]
pub enum NoReply {
    /// Nothing was sent.
    NotSent(String),
    /// Something may have been sent.
    Lost(String),
}

/// Where a call goes and what it may meet there.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The address.
    pub url: Url,
    /// Whether it may be one of a private network.
    pub allow_private: bool,
    /// Whom TLS trusts; none for plain HTTP.
    pub tls: Option<Arc<ClientConfig>>,
}

/// Sends a request and waits for the whole reply.
///
/// # Errors
/// [`NoReply`], which says whether anything may have been sent.
pub async fn call(
    to: &Destination,
    headers: &[(&'static str, String)],
    body: String,
    body_max: usize,
) -> Result<Reply, NoReply> {
    let mut post = Request::post(target(&to.url));
    for (name, value) in headers {
        post = post.header(*name, value);
    }
    send(to, post, body.into(), body_max).await
}

/// Sends bytes under headers that are known while it runs only.
///
/// # Errors
/// [`NoReply`], which says whether anything may have been sent.
pub async fn post(
    to: &Destination,
    headers: HeaderMap,
    body: Bytes,
    body_max: usize,
) -> Result<Reply, NoReply> {
    let mut post = Request::post(target(&to.url));
    if let Some(own) = post.headers_mut() {
        own.extend(headers);
    }
    send(to, post, body, body_max).await
}

/// Asks for what stands at an address.
///
/// # Errors
/// [`NoReply`], which says whether anything may have been sent.
pub async fn get(to: &Destination, body_max: usize) -> Result<Reply, NoReply> {
    let ask = Request::get(target(&to.url)).header("user-agent", "jitbot");
    send(to, ask, Bytes::new(), body_max).await
}

async fn send(
    to: &Destination,
    request: Builder,
    body: Bytes,
    body_max: usize,
) -> Result<Reply, NoReply> {
    let request = addressed(to, request, body).map_err(NoReply::NotSent)?;
    let connected = tokio::time::timeout(CONNECT_MAX, connect(to)).await;
    let stream = match connected {
        Ok(stream) => stream.map_err(NoReply::NotSent)?,
        Err(_) => {
            return Err(NoReply::NotSent(format!(
                "no connection within {} s",
                CONNECT_MAX.as_secs()
            )));
        }
    };
    let Some(tls) = &to.tls else {
        return exchange(stream, request, body_max).await;
    };
    let name = server_name(&to.url).map_err(NoReply::NotSent)?;
    let secured = TlsConnector::from(tls.clone()).connect(name, stream);
    match tokio::time::timeout(CONNECT_MAX, secured).await {
        Ok(Ok(stream)) => exchange(stream, request, body_max).await,
        // The request goes out after the handshake alone.
        Ok(Err(error)) => Err(NoReply::NotSent(format!(
            "no secure connection could be made: {error}"
        ))),
        Err(_) => Err(NoReply::NotSent(format!(
            "no secure connection within {} s",
            CONNECT_MAX.as_secs()
        ))),
    }
}

fn target(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

fn addressed(
    to: &Destination,
    request: Builder,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, String> {
    let host = to.url.host_str().ok_or("the address names no host")?;
    let host = match to.url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    request
        .header("host", host)
        .header("connection", "close")
        .body(Full::new(body))
        .map_err(|error| format!("no request can be made of it: {error}"))
}

async fn connect(to: &Destination) -> Result<TcpStream, String> {
    let port = to
        .url
        .port_or_known_default()
        .ok_or("the address names no port")?;
    let addresses: Vec<SocketAddr> = match to.url.host() {
        Some(Host::Ipv4(v4)) => vec![SocketAddr::from((v4, port))],
        Some(Host::Ipv6(v6)) => vec![SocketAddr::from((v6, port))],
        Some(Host::Domain(name)) => tokio::net::lookup_host((name, port))
            .await
            .map_err(|error| format!("{name} can't be found: {error}"))?
            .collect(),
        None => return Err("the address names no host".to_owned()),
    };
    let mut why = "the name has no address".to_owned();
    for address in addresses {
        if let Err(refused) = judge(to, address.ip()) {
            why = refused;
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => why = format!("{address} can't be reached: {error}"),
        }
    }
    Err(why)
}

/// Whether this address may be connected to.
fn judge(to: &Destination, address: IpAddr) -> Result<(), String> {
    if to.tls.is_none() && !address.to_canonical().is_loopback() {
        return Err(format!(
            "{address} is another machine, and plain http:// is for this one alone"
        ));
    }
    if !to.allow_private && is_private(address) {
        return Err(format!(
            "{address} is an address of a private network; allow_private = true would let it be \
             called"
        ));
    }
    Ok(())
}

fn server_name(url: &Url) -> Result<ServerName<'static>, String> {
    match url.host() {
        Some(Host::Ipv4(v4)) => Ok(ServerName::from(IpAddr::V4(v4))),
        Some(Host::Ipv6(v6)) => Ok(ServerName::from(IpAddr::V6(v6))),
        Some(Host::Domain(name)) => ServerName::try_from(name.to_owned())
            .map_err(|_| format!("{name} is no name that a certificate could hold")),
        None => Err("the address names no host".to_owned()),
    }
}

async fn exchange<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    body_max: usize,
) -> Result<Reply, NoReply>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let lost =
        |what: &str, error: &dyn std::fmt::Display| NoReply::Lost(format!("{what}: {error}"));
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(64 * 1024)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| NoReply::NotSent(format!("no HTTP could be spoken: {error}")))?;
    // Polled beside the exchange, never in a task of its own: a call that is given up closes it.
    let talk = async {
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| lost("the connection broke before an answer came", &error))?;
        reply(response, body_max).await
    };
    tokio::pin!(talk, connection);
    tokio::select! {
        reply = &mut talk => reply,
        // The connection is over: what was received is read on.
        _ = &mut connection => talk.await,
    }
}

async fn reply(
    response: Response<hyper::body::Incoming>,
    body_max: usize,
) -> Result<Reply, NoReply> {
    let status = response.status().as_u16();
    let retry_after_s = response
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.trim().parse().ok());
    let body = Limited::new(response.into_body(), body_max)
        .collect()
        .await
        .map_err(
            |error| match error.downcast_ref::<http_body_util::LengthLimitError>() {
                Some(_) => NoReply::Lost(format!("the answer is longer than {body_max} bytes")),
                None => NoReply::Lost(format!("the answer broke off: {error}")),
            },
        )?
        .to_bytes();
    Ok(Reply {
        status,
        retry_after_s,
        body,
    })
}
