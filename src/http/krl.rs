//! `GET /krl/{issuer}` and `POST /krl/{issuer}/report`: for hosts that fetch what ended early.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::rate::Rate;
use super::routes::Routes;
use crate::domain::ids::IssuerName;
use crate::issuer::ssh_ca::desk::{Desk, KnownHost, NotTaken};

/// The largest report, in bytes: a host's name and a digest.
const REPORT_MAX_BYTES: usize = 1_024;

/// Requests without a right token that one address may make in a minute. Those with one are never
/// refused for them: all hosts may stand behind one proxy, and whoever reaches it could keep them
/// from learning what ended. Tokens are too long to be guessed, however fast.
const WRONG_TOKENS_PER_MINUTE: u32 = 30;

/// What both routes share.
#[derive(Debug)]
struct Shared {
    routes: Routes,
    wrong_tokens: Rate,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    host: String,
    digest: String,
}

/// The routes for hosts.
pub fn router(routes: Routes) -> Router {
    Router::new()
        .route("/krl/{issuer}", get(fetch))
        .route("/krl/{issuer}/report", post(report))
        .layer(DefaultBodyLimit::max(REPORT_MAX_BYTES))
        .with_state(Arc::new(Shared {
            routes,
            wrong_tokens: Rate::per_minute(WRONG_TOKENS_PER_MINUTE),
        }))
}

async fn fetch(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Path(issuer): Path<String>,
    headers: HeaderMap,
) -> Response {
    let desk = match shared.admit(from.ip(), &issuer, &headers) {
        Ok((desk, _)) => desk,
        Err(refused) => return refused,
    };
    let Some(list) = desk.current() else {
        return say(
            StatusCode::SERVICE_UNAVAILABLE,
            "no list has been made yet; keep the one that you have",
        );
    };
    let tag = format!("\"{}\"", list.digest);
    let known = headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(',').any(|known| known.trim() == tag));
    let tag = HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static(""));
    let shared_headers = [
        (ETAG, tag),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, shared_headers).into_response();
    }
    let kind = HeaderValue::from_static("application/octet-stream");
    (shared_headers, [(CONTENT_TYPE, kind)], list.bytes.clone()).into_response()
}

async fn report(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Path(issuer): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (desk, by) = match shared.admit(from.ip(), &issuer, &headers) {
        Ok(admitted) => admitted,
        Err(refused) => return refused,
    };
    let Ok(report) = serde_json::from_slice::<Report>(&body) else {
        return say(
            StatusCode::BAD_REQUEST,
            "a report is {\"host\":\"NAME\",\"digest\":\"SHA256\"}",
        );
    };
    let at = shared.routes.clock.machine_now();
    match desk.report(&by, &report.host, &report.digest, at) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refused) => {
            tracing::warn!(issuer, from = %from.ip(), "a report was refused: {refused}");
            let status = match refused {
                NotTaken::AnotherHost => StatusCode::FORBIDDEN,
                NotTaken::AnotherList => StatusCode::CONFLICT,
            };
            say(status, &refused.to_string())
        }
    }
}

impl Shared {
    /// Whose request this is. Unknown issuers, issuers without hosts that fetch and wrong tokens
    /// get the same answer, so that names can't be probed.
    #[expect(
        clippy::result_large_err,
        reason = "the refusal is the answer, made once a request and returned at once"
    )]
    fn admit(
        &self,
        from: IpAddr,
        issuer: &str,
        headers: &HeaderMap,
    ) -> Result<(Arc<Desk>, KnownHost), Response> {
        let token = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        let admitted = IssuerName::new(issuer)
            .ok()
            .and_then(|name| self.routes.desks.load().get(&name).cloned())
            .zip(token)
            .and_then(|(desk, token)| desk.host_of(token).map(|host| (desk, host)));
        admitted.ok_or_else(|| {
            if !self
                .wrong_tokens
                .count(from, self.routes.clock.machine_now())
            {
                let mut refused = say(StatusCode::TOO_MANY_REQUESTS, "too many requests");
                refused
                    .headers_mut()
                    .insert(RETRY_AFTER, HeaderValue::from_static("60"));
                return refused;
            }
            let mut refused = say(
                StatusCode::UNAUTHORIZED,
                "show the host's own token: Authorization: Bearer TOKEN",
            );
            refused
                .headers_mut()
                .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            refused
        })
    }
}

fn say(status: StatusCode, words: &str) -> Response {
    (status, format!("{words}\n")).into_response()
}
