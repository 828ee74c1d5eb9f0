//! Receivers: one whose answers are bytes of ours, and the shipped example behind a line that fails
//! on demand.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jitbot::issuer::GrantOrder;
use jitbot::issuer::conformance::Hand;
use jitbot::issuer::contract::webhook::WebhookSettings;
use jitbot::issuer::contract::{Contracted, Webhook};
use secrecy::SecretString;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::script::example;
use super::subject::{clock, settings};

/// The base64 of 32 bytes that say that they are none.
pub const SECRET: &str = "whsec_bm90LWEtc2VjcmV0LWJ1dC1sb25nLWVub3VnaC0wMDE=";
pub const FORMER: &str = "whsec_bm90LWEtc2VjcmV0LWJ1dC1sb25nLWVub3VnaC0wMDI=";

pub fn webhook_at(url: &str) -> WebhookSettings {
    WebhookSettings {
        url: url::Url::parse(url).unwrap(),
        secrets: vec![SecretString::from(SECRET)],
        allow_private: true,
        ca_file: None,
        time_limit: Duration::from_millis(1_500),
    }
}

pub fn issuer(webhook: WebhookSettings) -> Contracted<Webhook> {
    let webhook = Webhook::new(webhook, clock()).unwrap();
    Contracted::new(settings(), webhook, clock())
}

/// What a receiver does with a request.
#[derive(Debug, Clone)]
pub enum Does {
    Says(Vec<u8>),
    /// Says it, and more of it, without an end.
    Floods(Vec<u8>),
    Hangs,
    HangsUp,
}

/// A whole HTTP answer.
pub fn http(status: &str, headers: &str, body: &str) -> Does {
    let length = body.len();
    Does::Says(
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
            .into_bytes(),
    )
}

/// A receiver that does the same with every request, and keeps them.
pub struct Canned {
    pub address: SocketAddr,
    pub requests: Arc<Mutex<Vec<String>>>,
}

impl Canned {
    pub async fn start(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let kept = requests.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, does.clone(), kept.clone()));
            }
        });
        Self { address, requests }
    }

    pub fn url(&self) -> String {
        format!("http://{}/access?for=jitbot", self.address)
    }

    pub fn issuer(&self) -> Contracted<Webhook> {
        issuer(webhook_at(&self.url()))
    }
}

pub async fn serve<S>(mut stream: S, does: Does, kept: Arc<Mutex<Vec<String>>>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let request = read_request(&mut stream).await;
    kept.lock().unwrap().push(request);
    match does {
        Does::Says(bytes) => {
            let _ = stream.write_all(&bytes).await;
        }
        Does::Floods(bytes) => {
            let _ = stream.write_all(&bytes).await;
            while stream.write_all(&[b' '; 4_096]).await.is_ok() {}
        }
        Does::Hangs => std::future::pending().await,
        Does::HangsUp => {}
    }
    let _ = stream.shutdown().await;
}

async fn read_request<S: tokio::io::AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length: usize = header(head, "content-length").parse().unwrap();
            if body.len() >= length {
                return text;
            }
        }
        let mut buffer = [0; 4_096];
        let read = stream.read(&mut buffer).await.unwrap_or(0);
        if read == 0 {
            return text;
        }
        bytes.extend_from_slice(&buffer[..read]);
    }
}

/// A header's value; empty where it is not there.
pub fn header(request: &str, name: &str) -> String {
    request
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim().to_owned())
        .unwrap_or_default()
}

/// The shipped receiver as a process, and a line to it that a hand can break.
pub struct Example {
    process: Child,
    room: TempDir,
    fault: Arc<Mutex<Option<&'static str>>>,
    pub address: SocketAddr,
    /// Past the line.
    pub behind: SocketAddr,
}

impl Example {
    pub async fn start() -> Self {
        let room = tempfile::tempdir().unwrap();
        let mut process = Command::new("python3")
            .arg(example("receiver.py"))
            .args(["0".as_ref(), room.path().join("grants.json").as_os_str()])
            .env("JITBOT_WEBHOOK_SECRET", SECRET)
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 starts");
        let mut port = String::new();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        said.read_line(&mut port).unwrap();
        let behind = SocketAddr::from(([127, 0, 0, 1], port.trim().parse().unwrap()));
        let fault = Arc::<Mutex<Option<&'static str>>>::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let next = fault.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let fault = next.lock().unwrap().take();
                tokio::spawn(pass_on(stream, behind, fault));
            }
        });
        Self {
            process,
            room,
            fault,
            address,
            behind,
        }
    }

    fn grants(&self) -> PathBuf {
        self.room.path().join("grants.json")
    }

    fn read(&self) -> serde_json::Map<String, Value> {
        std::fs::read_to_string(self.grants())
            .map(|text| serde_json::from_str(&text).unwrap())
            .unwrap_or_default()
    }

    fn write(&self, grants: &serde_json::Map<String, Value>) {
        std::fs::write(self.grants(), serde_json::to_string(grants).unwrap()).unwrap();
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn pass_on(mut stream: TcpStream, behind: SocketAddr, fault: Option<&'static str>) {
    match fault {
        Some("hang") => std::future::pending().await,
        Some("throttle") => {
            read_request(&mut stream).await;
            let _ = stream
                .write_all(b"HTTP/1.1 503 Busy\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n")
                .await;
            return;
        }
        _ => {}
    }
    let mut there = TcpStream::connect(behind).await.unwrap();
    let request = read_request(&mut stream).await;
    there.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    there.read_to_end(&mut answer).await.unwrap();
    if fault != Some("lost") {
        let _ = stream.write_all(&answer).await;
    }
}

#[async_trait]
impl Hand for Example {
    async fn has_access(&self) -> bool {
        self.read().values().any(|it| it["account"] == "alice")
    }

    async fn give_before(&self) {
        let mut grants = self.read();
        grants.insert(
            "standing".to_owned(),
            serde_json::json!({"account": "alice", "deadline": 0}),
        );
        self.write(&grants);
    }

    async fn take_by_hand(&self, order: &GrantOrder) {
        let mut grants = self.read();
        grants.remove(order.grant.as_str());
        self.write(&grants);
    }

    async fn lose_next_answer(&self) {
        *self.fault.lock().unwrap() = Some("lost");
    }

    async fn hang_next_call(&self) {
        *self.fault.lock().unwrap() = Some("hang");
    }

    async fn throttle_next_call(&self) {
        *self.fault.lock().unwrap() = Some("throttle");
    }
}
