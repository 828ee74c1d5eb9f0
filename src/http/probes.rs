//! `GET /healthz`, `/readyz` and `/metrics`: for what watches over the process. They need no token,
//! so they say nothing about anybody.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::rate::Rate;
use crate::clock::Clock;

/// Requests to all three together that one address may make in a minute: several watchers, each once
/// a second.
const PER_MINUTE: u32 = 300;

/// What is asked about the process. Each answer is bounded in time and kept for a moment, so that
/// asking often costs little.
#[async_trait]
pub trait Probes: Send + Sync + 'static {
    /// Whether the process lives and works.
    ///
    /// # Errors
    /// What is wrong, in plain words.
    async fn health(&self) -> Result<(), String>;

    /// Whether what people do now is kept and answered.
    ///
    /// # Errors
    /// What is wrong, in plain words, one line each.
    async fn readiness(&self) -> Result<(), Vec<String>>;

    /// The numbers, with their content type.
    ///
    /// # Errors
    /// Why there are none, in plain words.
    async fn metrics(&self) -> Result<(&'static str, String), String>;
}

#[derive(Clone)]
struct Watch {
    probes: Arc<dyn Probes>,
    clock: Arc<dyn Clock>,
    rate: Arc<Rate>,
}

/// The routes for what watches.
pub fn router(probes: Arc<dyn Probes>, clock: Arc<dyn Clock>) -> Router {
    let watch = Watch {
        probes,
        clock,
        rate: Arc::new(Rate::per_minute(PER_MINUTE)),
    };
    Router::new()
        .route("/healthz", get(health))
        .route("/readyz", get(readiness))
        .route("/metrics", get(metrics))
        .layer(middleware::from_fn_with_state(watch.clone(), bounded))
        .with_state(watch)
}

async fn bounded(
    State(watch): State<Watch>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = if watch.rate.count(from.ip(), watch.clock.machine_now()) {
        next.run(request).await
    } else {
        let wait = [(RETRY_AFTER, HeaderValue::from_static("60"))];
        (StatusCode::TOO_MANY_REQUESTS, wait, "too many requests\n").into_response()
    };
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn health(State(watch): State<Watch>) -> Response {
    match watch.probes.health().await {
        Ok(()) => "ok\n".into_response(),
        Err(why) => unavailable(&[why]),
    }
}

async fn readiness(State(watch): State<Watch>) -> Response {
    match watch.probes.readiness().await {
        Ok(()) => "ready\n".into_response(),
        Err(why) => unavailable(&why),
    }
}

async fn metrics(State(watch): State<Watch>) -> Response {
    match watch.probes.metrics().await {
        Ok((kind, text)) => ([(CONTENT_TYPE, kind)], text).into_response(),
        Err(why) => unavailable(&[why]),
    }
}

fn unavailable(why: &[String]) -> Response {
    let text = format!("{}\n", why.join("\n"));
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}
