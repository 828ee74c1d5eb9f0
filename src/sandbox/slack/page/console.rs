//! The console of whoever started the sandbox, under the page's own address. What is asked there is not
//! the sandbox's affair: it is passed on as it is.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::super::workspace::Shared;

/// Headers that say which page asked. The guard has judged them; the console refuses whatever has any.
const OF_THE_PAGE: &[&str] = &[
    "origin",
    "referer",
    "sec-fetch-site",
    "sec-fetch-mode",
    "sec-fetch-dest",
    "sec-fetch-user",
    "connection",
];

/// `/console/PATH` becomes `/PATH` of the console.
pub(super) async fn pass_on(State(workspace): State<Shared>, mut request: Request) -> Response {
    let Some(console) = workspace.console else {
        return (StatusCode::NOT_FOUND, "this sandbox has no console\n").into_response();
    };
    let path = request.uri().path().strip_prefix("/console").unwrap_or("/");
    let Ok(uri) = format!("http://{console}{path}").parse::<Uri>() else {
        return (StatusCode::BAD_REQUEST, "no such path\n").into_response();
    };
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.remove(header::HOST);
    for name in OF_THE_PAGE {
        headers.remove(*name);
    }
    match Client::builder(TokioExecutor::new())
        .build_http::<Body>()
        .request(request)
        .await
    {
        Ok(answer) => answer.map(Body::new).into_response(),
        Err(error) => (
            StatusCode::BAD_GATEWAY,
            format!("the console at {console} does not answer: {error}\n"),
        )
            .into_response(),
    }
}
