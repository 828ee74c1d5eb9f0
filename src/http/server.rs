//! Listens, bounds what a connection may cost, and stops in order.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::routes::Routes;
use super::{krl, probes};

/// Connections served at once; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 256;

/// How long a client may take to send its headers, and how long a connection may idle.
const HEADERS_LIMIT: Duration = Duration::from_secs(10);

/// How long a request may take, body included.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

/// How long a connection may last, whatever it does: one that asks and never reads holds a slot.
const CONNECTION_LIMIT: Duration = Duration::from_secs(60);

/// How long requests under way are given when the server stops.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// How long to leave the listener alone when no connection can be taken (out of file descriptors).
const BREATHER: Duration = Duration::from_millis(200);

/// The HTTP server, before it runs.
#[derive(Debug, Clone, Copy)]
pub struct Server;

/// The HTTP server, running. Dropping it stops it at once.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Listens, and serves until it is stopped.
    ///
    /// # Errors
    /// When the address can't be listened on.
    pub async fn start(listen: SocketAddr, routes: Routes) -> io::Result<Running> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let accepting = tokio::spawn(accept(listener, router(routes), stopped));
        Ok(Running {
            address,
            stop,
            accepting,
        })
    }
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, and gives requests under way a moment to end.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn router(routes: Routes) -> Router {
    Router::new()
        .merge(probes::router(routes.probes.clone(), routes.clock.clone()))
        .merge(krl::router(routes))
        .layer(middleware::from_fn(in_time))
}

/// A request that takes too long is answered, and what it waited for is dropped.
async fn in_time(request: Request, next: Next) -> Response {
    tokio::time::timeout(REQUEST_LIMIT, next.run(request))
        .await
        .unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}

async fn accept(listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            let slot = slots.clone().acquire_owned().await;
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            next = next => next,
            // An error means that the sender is gone, which stops us too.
            _ = stopped.wait_for(|stop| *stop) => break,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, from)) => {
                let (router, stopped) = (router.clone(), stopped.clone());
                connections.spawn(async move {
                    serve(stream, from, router, stopped).await;
                    drop(slot);
                });
            }
            Err(e) => {
                tracing::warn!("a connection could not be taken: {e}");
                let _ = tokio::time::timeout(BREATHER, stopped.wait_for(|stop| *stop)).await;
            }
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    // Dropping the set ends those that are left.
    let _ = tokio::time::timeout(STOP_LIMIT, ended).await;
}

async fn serve(
    stream: TcpStream,
    from: SocketAddr,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    let router = router.layer(axum::Extension(ConnectInfo(from)));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_LIMIT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(connection);
    let until = tokio::time::timeout(CONNECTION_LIMIT, stopped.wait_for(|stop| *stop));
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _ = until => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(STOP_LIMIT, connection).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
    };
    if let Err(e) = ended {
        // Clients that hang up or dawdle are everyday.
        tracing::debug!(from = %from.ip(), "a connection ended: {e}");
    }
}
