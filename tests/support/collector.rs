//! Whoever collects traces: takes OTLP over HTTP, or fails to, and keeps what it was sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;

/// What it does with what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    Takes,
    /// Answers 500, with all that it was told as a secret, in its headers and its text.
    Fails,
    NeverAnswers,
}

#[derive(Clone)]
pub struct Collector {
    pub address: SocketAddr,
    does: Arc<Mutex<Does>>,
    received: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
}

impl Collector {
    pub async fn start(does: Does) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let collector = Self {
            address: listener.local_addr().unwrap(),
            does: Arc::new(Mutex::new(does)),
            received: Arc::default(),
        };
        let routes = Router::new()
            .route("/v1/traces", post(take))
            .with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        collector
    }

    pub fn now(&self, does: Does) {
        *self.does.lock().unwrap() = does;
    }

    /// The section that has traces sent there, under a key that is read from `COLLECTOR_KEY`.
    pub fn section(&self, more: &str) -> String {
        section(self.address, more)
    }

    /// What it was sent, whatever it answered.
    pub fn received(&self) -> Vec<(HeaderMap, Bytes)> {
        self.received.lock().unwrap().clone()
    }
}

pub fn section(address: SocketAddr, more: &str) -> String {
    format!(
        "[traces]\nendpoint = \"http://{address}\"\nallow_private = true\n\
         headers = {{ x-key = {{ env = \"COLLECTOR_KEY\" }} }}\n{more}\n"
    )
}

async fn take(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) -> Response {
    let told = headers.get("x-key").cloned();
    let received = (headers, body);
    collector.received.lock().unwrap().push(received);
    let does = *collector.does.lock().unwrap();
    match does {
        Does::Takes => StatusCode::OK.into_response(),
        Does::Fails => {
            let told = told.expect("a key");
            let text = told.to_str().unwrap().to_owned();
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                [("location", told)],
                text,
            )
                .into_response()
        }
        Does::NeverAnswers => std::future::pending().await,
    }
}
