//! Hosts that fetch the list over HTTP, and those who pretend to be one.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use jitbot::domain::grant::Evidence;
use jitbot::domain::ids::IssuerName;
use jitbot::domain::spec::ContentHash;
use jitbot::http::{Routes, Running, Server};
use jitbot::issuer::ssh_ca::Hosts;
use jitbot::issuer::ssh_ca::desk::{Desk, TOKEN_MIN_CHARS};
use jitbot::issuer::{EarlyEnd, Issuer as _, Presence};
use secrecy::SecretString;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::sshd::{Sshd, room};
use super::store::{Bench, said};

const LIST: &str = "/krl/staging-ca";
const REPORT: &str = "/krl/staging-ca/report";

/// A process that is well.
struct Well;

#[async_trait::async_trait]
impl jitbot::http::Probes for Well {
    async fn health(&self) -> Result<(), String> {
        Ok(())
    }

    async fn readiness(&self) -> Result<(), Vec<String>> {
        Ok(())
    }

    async fn metrics(&self) -> Result<(&'static str, String), String> {
        Ok(("text/plain", String::new()))
    }
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

struct Fetching {
    bench: Bench,
    server: Running,
    tokens: BTreeMap<String, String>,
}

impl Fetching {
    async fn start() -> Self {
        // Made here, at run time: nothing that opens anything stands in a file.
        let tokens: BTreeMap<String, String> = ["web-1", "web-2"]
            .map(|host| (host.to_owned(), format!("{:032x}", rand::random::<u128>())))
            .into();
        let hosts = tokens
            .iter()
            .map(|(host, token)| (host.clone(), SecretString::from(token.clone())))
            .collect();
        let bench = Bench::new(Hosts::Fetch {
            hosts,
            former: BTreeMap::new(),
        });
        let desk = bench.issuer.desk().unwrap();
        let routes = Routes {
            desks: Arc::new(ArcSwap::from_pointee(
                [(IssuerName::new("staging-ca").unwrap(), desk)].into(),
            )),
            clock: bench.clock.clone(),
            probes: Arc::new(Well),
        };
        let server = Server::start(SocketAddr::from(([127, 0, 0, 1], 0)), routes)
            .await
            .unwrap();
        Self {
            bench,
            server,
            tokens,
        }
    }

    async fn ask(&self, request: &str, token: Option<&str>, body: &[u8]) -> Answer {
        let bearer = token.map_or(String::new(), |t| format!("Authorization: Bearer {t}\r\n"));
        let head = format!(
            "{request} HTTP/1.1\r\nHost: jitbot\r\nConnection: close\r\n{bearer}\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(self.server.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // A server that refuses a body may hang up before it has come.
        let _ = stream.write_all(body).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let end = answer
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .expect("an answer with headers");
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head,
            body: answer[end + 4..].to_vec(),
        }
    }

    async fn fetch(&self, host: &str) -> Answer {
        let token = self.tokens[host].clone();
        self.ask(&format!("GET {LIST}"), Some(&token), b"").await
    }

    async fn report(&self, token: Option<&str>, host: &str, digest: &str) -> u16 {
        let body = serde_json::json!({"host": host, "digest": digest}).to_string();
        self.ask(&format!("POST {REPORT}"), token, body.as_bytes())
            .await
            .status
    }

    /// What an honest host's loop does.
    async fn installs(&self, host: &str) -> (Vec<u8>, u16) {
        let list = self.fetch(host).await;
        assert_eq!(list.status, 200);
        let digest = ContentHash::of(&list.body).0;
        let token = self.tokens[host].clone();
        (list.body, self.report(Some(&token), host, &digest).await)
    }
}

#[tokio::test]
async fn ended_only_when_every_host_has_reported_under_its_own_token() {
    let fetching = Fetching::start().await;
    let bench = &fetching.bench;
    assert_eq!(bench.issuer.capabilities().early_end, EarlyEnd::Seen);
    assert_eq!(fetching.fetch("web-1").await.status, 503);
    bench.issuer.publish().await.unwrap();
    let empty = fetching.installs("web-1").await.0;
    fetching.installs("web-2").await;
    let order = bench.hour().await;
    assert_eq!(bench.issuer.inspect(&order).await, Ok(Presence::Present));
    bench.end(&order).await.unwrap();

    let (one, two) = (&fetching.tokens["web-1"], &fetching.tokens["web-2"]);
    let now = bench
        .issuer
        .desk()
        .unwrap()
        .current()
        .unwrap()
        .digest
        .0
        .clone();
    let before = ContentHash::of(&empty).0;
    for (what, token, host, digest, status) in [
        ("without a token", None, "web-1", &now, 401),
        ("with a guess", Some("x"), "web-1", &now, 401),
        ("with a prefix", Some(&one[..31]), "web-1", &now, 401),
        ("for another host", Some(two), "web-1", &now, 403),
        ("for a host that isn't", Some(two), "web-3", &now, 403),
        ("of the list before", Some(one), "web-1", &before, 409),
        ("of no list", Some(one), "web-1", &String::new(), 409),
    ] {
        let answered = fetching.report(token, host, digest).await;
        assert_eq!(answered, status, "a report {what}");
        let waits = said(bench.issuer.inspect(&order).await.unwrap_err());
        assert!(waits.contains("web-1, web-2"), "a report {what}: {waits}");
    }
    assert_eq!(fetching.installs("web-1").await.1, 204);
    let waits = said(bench.issuer.inspect(&order).await.unwrap_err());
    assert!(
        waits.contains("web-2") && !waits.contains("web-1"),
        "{waits}"
    );
    assert_eq!(fetching.installs("web-2").await.1, 204);
    assert_eq!(
        bench.issuer.inspect(&order).await,
        Ok(Presence::Absent(Evidence::SeenGone))
    );

    // The next end needs new reports; the one before stays seen.
    let next = bench.hour().await;
    bench.end(&next).await.unwrap();
    assert!(bench.issuer.inspect(&next).await.is_err());
    assert_eq!(
        bench.issuer.inspect(&order).await,
        Ok(Presence::Absent(Evidence::SeenGone))
    );
    fetching.installs("web-1").await;
    fetching.installs("web-2").await;
    assert_eq!(
        bench.issuer.inspect(&next).await,
        Ok(Presence::Absent(Evidence::SeenGone))
    );
    let reports = bench.issuer.desk().unwrap().reports();
    assert_eq!(reports.keys().collect::<Vec<_>>(), ["web-1", "web-2"]);
}

#[tokio::test]
async fn a_fetched_list_is_what_sshd_reads() {
    let fetching = Fetching::start().await;
    let bench = &fetching.bench;
    let (directory, krl) = room();
    bench.issuer.publish().await.unwrap();
    std::fs::write(&krl, fetching.installs("web-1").await.0).unwrap();
    let sshd = Sshd::start(directory, &krl, &bench.ca);
    let order = bench.hour().await;
    let certificate = bench.certificate(&order).await;
    sshd.lets_in(&bench.person, &certificate);
    bench.end(&order).await.unwrap();
    sshd.lets_in(&bench.person, &certificate);
    std::fs::write(&krl, fetching.installs("web-1").await.0).unwrap();
    sshd.refuses(&bench.person, &certificate, "revoked by file");
}

#[tokio::test]
async fn only_known_hosts_read_and_the_tag_saves_the_rest() {
    let fetching = Fetching::start().await;
    fetching.bench.issuer.publish().await.unwrap();
    let list = fetching.fetch("web-1").await;
    let tag = format!("\"{}\"", ContentHash::of(&list.body));
    assert!(list.head.contains(&format!("etag: {tag}")), "{}", list.head);
    let token = fetching.tokens["web-1"].clone();
    let unchanged = fetching
        .ask(
            &format!("GET {LIST}"),
            Some(&format!("{token}\r\nIf-None-Match: {tag}")),
            b"",
        )
        .await;
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    for (request, token, status) in [
        (format!("GET {LIST}"), None, 401),
        (format!("GET {LIST}"), Some("wrong"), 401),
        ("GET /krl/another-ca".to_owned(), Some(token.as_str()), 401),
        ("GET /krl/%2e%2e".to_owned(), Some(token.as_str()), 401),
        ("GET /".to_owned(), None, 404),
        ("GET /healthz".to_owned(), None, 200),
        (format!("PUT {LIST}"), Some(token.as_str()), 405),
    ] {
        assert_eq!(
            fetching.ask(&request, token, b"").await.status,
            status,
            "{request}"
        );
    }
}

#[tokio::test]
async fn bodies_and_guesses_are_bounded() {
    let fetching = Fetching::start().await;
    fetching.bench.issuer.publish().await.unwrap();
    let token = fetching.tokens["web-1"].clone();
    let post = format!("POST {REPORT}");
    for (body, status) in [
        (b"".to_vec(), 400),
        (b"{\"host\":\"web-1\"}".to_vec(), 400),
        (vec![0xFF; 900], 400),
        (vec![b'x'; 100_000], 413),
    ] {
        let answer = fetching.ask(&post, Some(&token), &body).await;
        assert_eq!(answer.status, status, "{} bytes", body.len());
    }
    let mut answers = Vec::new();
    for _ in 0..40 {
        answers.push(
            fetching
                .ask(&format!("GET {LIST}"), Some("a guess"), b"")
                .await
                .status,
        );
    }
    assert_eq!(answers[0], 401);
    assert_eq!(answers[39], 429);
    // All hosts may stand behind one proxy: whoever guesses there keeps none of them away.
    assert_eq!(fetching.fetch("web-1").await.status, 200);
    fetching.bench.clock.by(chrono::TimeDelta::seconds(60));
    let ask = format!("GET {LIST}");
    let again = fetching.ask(&ask, Some("a guess"), b"").await;
    assert_eq!(again.status, 401, "a new minute starts anew");

    let address = fetching.server.address();
    fetching.server.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_client_that_dawdles_does_not_hold_the_stop() {
    let fetching = Fetching::start().await;
    let mut dawdler = TcpStream::connect(fetching.server.address()).await.unwrap();
    dawdler.write_all(b"GET /healthz HTT").await.unwrap();
    assert_eq!(fetching.ask("GET /healthz", None, b"").await.status, 200);
    let stopped = tokio::time::timeout(std::time::Duration::from_secs(8), fetching.server.stop());
    assert!(stopped.await.is_ok());
    let mut rest = Vec::new();
    let _ = dawdler.read_to_end(&mut rest).await;
}

#[test]
fn tokens_that_are_short_or_shared_are_refused_without_being_said() {
    let new = |tokens: &[(&str, &str)]| {
        let hosts = tokens
            .iter()
            .map(|(host, token)| ((*host).to_owned(), SecretString::from(*token)))
            .collect();
        Desk::new(&hosts, &BTreeMap::new()).unwrap_err()
    };
    let token = "t".repeat(TOKEN_MIN_CHARS);
    assert!(new(&[]).contains("no host"));
    let short = new(&[("web-1", &token[1..])]);
    assert!(short.contains("24") && !short.contains("ttt"), "{short}");
    let shared = new(&[("web-1", &token), ("web-2", &token)]);
    assert!(shared.contains("its own") && !shared.contains("ttt"));
    assert!(new(&[("-web", &token)]).contains("host"));
}
