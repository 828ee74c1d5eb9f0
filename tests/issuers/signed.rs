//! What a call carries, and that it goes only to whom TLS says that it is.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use jitbot::issuer::{IssueError, Issuer as _};
use jitbot::web_call::trust::CaFile;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::receiver::{Canned, Does, FORMER, SECRET, header, http, issuer, serve, webhook_at};
use super::subject::{order, unknown};

fn signature(secret: &str, request: &str) -> String {
    let key = STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap())
        .unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let signed = format!(
        "{}.{}.{body}",
        header(head, "webhook-id"),
        header(head, "webhook-timestamp")
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(signed.as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn a_call_is_signed_with_every_secret_and_names_its_wish() {
    let canned = Canned::start(http("200 OK", "", r#"{"outcome":"ok"}"#)).await;
    let mut settings = webhook_at(&canned.url());
    settings.secrets.push(FORMER.into());
    let issuer = issuer(settings);
    let order = order(9);
    issuer.issue(&order).await.unwrap();
    issuer.issue(&order).await.unwrap();
    unknown(issuer.inspect(&order).await);
    unknown(issuer.inspect(&order).await);
    let requests = canned.requests.lock().unwrap().clone();
    let first = &requests[0];
    assert!(
        first.starts_with("POST /access?for=jitbot HTTP/1.1\r\n"),
        "{first}"
    );
    assert_eq!(header(first, "host"), canned.address.to_string());
    assert_eq!(header(first, "content-type"), "application/json");
    let both = format!("{} {}", signature(SECRET, first), signature(FORMER, first));
    assert_eq!(header(first, "webhook-signature"), both);
    let sent: i64 = header(first, "webhook-timestamp").parse().unwrap();
    assert!((sent - jitbot::clock::machine_now().timestamp()).abs() < 60);
    // The same wish has the same key; a question has one of its own.
    let key = format!("issue:{}", order.grant);
    for name in ["idempotency-key", "webhook-id"] {
        assert_eq!(header(first, name), key);
        assert_eq!(header(&requests[1], name), key);
        assert_ne!(header(&requests[2], name), header(&requests[3], name));
    }
    // No call is ever signed twice alike: a receiver may refuse what it has seen.
    assert_ne!(
        header(first, "webhook-timestamp"),
        header(&requests[1], "webhook-timestamp")
    );
}

/// A receiver with a certificate of its own.
async fn secured() -> (u16, String, Arc<Mutex<Vec<String>>>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let requests = Arc::<Mutex<Vec<String>>>::default();
    let kept = requests.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                let does = http("200 OK", "", r#"{"outcome":"ok"}"#);
                serve(stream, does, kept.clone()).await;
            }
        }
    });
    (port, made.cert.pem(), requests)
}

#[tokio::test]
async fn only_whom_tls_trusts_is_told_anything() {
    let (port, pem, requests) = secured().await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(pem.as_bytes()).unwrap();
    let trusting = |host: &str, trusts: bool| {
        let mut settings = webhook_at(&format!("https://{host}:{port}/"));
        settings.ca_file = trusts.then(|| CaFile::read(file.path()).unwrap());
        settings.time_limit = std::time::Duration::from_secs(10);
        issuer(settings)
    };
    // A certificate of somebody unknown, and one of another name.
    for (host, trusts) in [("localhost", false), ("127.0.0.1", true)] {
        let answer = trusting(host, trusts).issue(&order(1)).await;
        let Err(IssueError::Retry { said, .. }) = answer else {
            panic!("{host}: {answer:?}")
        };
        assert!(
            said.starts_with("no secure connection could be made"),
            "{said}"
        );
    }
    assert_eq!(requests.lock().unwrap().len(), 0);
    trusting("localhost", true).issue(&order(1)).await.unwrap();
    assert_eq!(requests.lock().unwrap().len(), 1);
}

/// What speaks no TLS is sent nothing either.
#[tokio::test]
async fn a_receiver_without_tls_is_sent_nothing() {
    let canned = Canned::start(Does::Says(b"HTTP/1.1 200 OK\r\n\r\n".to_vec())).await;
    let url = format!("https://{}/", canned.address);
    let answer = issuer(webhook_at(&url)).issue(&order(1)).await;
    assert!(
        matches!(
            answer,
            Err(IssueError::Retry { .. } | IssueError::Unknown { .. })
        ),
        "{answer:?}"
    );
    for request in canned.requests.lock().unwrap().iter() {
        assert!(!request.contains("issue"), "{request}");
    }
}
