//! Cards of grants that are filled in, posted to the sandbox as the bot would have done: when such a grant
//! ends, its card is there to be changed.

use std::ops::Range;

use anyhow::{Context as _, ensure};
use axum::http::{Request, header};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use super::live_fill::Wanted;

/// Calls in flight together.
const TOGETHER: usize = 16;

/// Posts the cards of the grants with these numbers; their timestamps in that order.
///
/// # Errors
/// What the sandbox refused.
pub async fn post(
    sandbox: &str,
    bot_token: &str,
    numbers: Range<usize>,
) -> anyhow::Result<Vec<String>> {
    let client: Client<HttpConnector, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).build(HttpConnector::new());
    stream::iter(numbers)
        .map(|number| {
            let client = &client;
            async move {
                let text = format!("The card of number {number}, which holds since before.");
                let body = json!({ "channel": Wanted::channel(number), "text": text });
                let request = Request::post(format!("{sandbox}/api/chat.postMessage"))
                    .header(header::AUTHORIZATION, format!("Bearer {bot_token}"))
                    .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
                    .body(Full::new(Bytes::from(body.to_string())))?;
                let answer = client.request(request).await?;
                let answer = answer.into_body().collect().await?.to_bytes();
                let answer: Value = serde_json::from_slice(&answer)?;
                ensure!(answer["ok"] == true, "the sandbox took no card: {answer}");
                let ts = answer["ts"].as_str().context("a card has no timestamp")?;
                Ok(ts.to_owned())
            }
        })
        .buffered(TOGETHER)
        .try_collect()
        .await
}
