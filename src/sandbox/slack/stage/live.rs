//! News for the page: a stream that says that something changed, never what. Whoever hears it looks
//! again, so a lost or joined message costs nothing.

use std::convert::Infallible;

use axum::extract::State as AxumState;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::Stream;
use tokio::sync::watch;

use super::super::workspace::Shared;

/// `GET /sandbox/live`: server-sent events, each with the number of changes so far; one at once.
pub(super) async fn live(
    AxumState(workspace): AxumState<Shared>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut changed = workspace.changed.subscribe();
    changed.mark_changed();
    Sse::new(futures_util::stream::unfold(changed, next)).keep_alive(KeepAlive::default())
}

async fn next(
    mut changed: watch::Receiver<u64>,
) -> Option<(Result<Event, Infallible>, watch::Receiver<u64>)> {
    // An error means that the workspace is gone, and then the stream ends.
    changed.changed().await.ok()?;
    let version = *changed.borrow_and_update();
    Some((Ok(Event::default().data(version.to_string())), changed))
}
