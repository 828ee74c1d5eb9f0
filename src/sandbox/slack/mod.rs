//! A stateful stand-in for Slack on loopback: Web API and Socket Mode for the app, `/sandbox/…` for everybody else.
//!
//! It is written from Slack's documentation and shares nothing with the bot, so that a misunderstanding cannot hide
//! by being made twice. `docs/SANDBOX.md` lists what was never seen on real Slack.

mod api;
mod check;
mod clock;
mod connection;
mod delivery;
pub mod manifest;
mod mentions;
mod message;
mod page;
mod payloads;
mod reading;
mod response_url;
mod socket;
mod stage;
mod state;
pub mod wire;
mod workspace;
pub mod world;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::{any, get, post};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use manifest::{Manifest, ManifestError};
pub use world::{World, WorldError};

use super::guard;
use clock::Clock;
use connection::{CuttableListener, Cutter, OpenConnections};
use state::State;
use workspace::{Shared, Workspace};

/// Why the sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// People's side and tokens are not protected against a network.
    #[error(
        "the sandbox listens on loopback only, not on {0}; nothing was started: give an address such as 127.0.0.1:0"
    )]
    NotLoopback(SocketAddr),
    /// The world is no world.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The manifest is over a limit.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The address is taken, or the system refuses it.
    #[error(
        "the sandbox cannot listen on {address}; nothing was started: free the address or give another"
    )]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// Starts sandboxes.
pub struct Server;

/// A sandbox that is running. Dropping it ends it.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a sandbox of this world for an app with this manifest; port 0 picks a free one.
    pub async fn start(
        world: World,
        manifest: Manifest,
        address: SocketAddr,
    ) -> Result<Running, StartError> {
        Server::start_with_console(world, manifest, address, None).await
    }

    /// The same, with a console on its page: a service on loopback, whose answers the sandbox passes
    /// on under `/console/` of its own address.
    pub async fn start_with_console(
        world: World,
        manifest: Manifest,
        address: SocketAddr,
        console: Option<SocketAddr>,
    ) -> Result<Running, StartError> {
        if let Some(console) = console.filter(|console| !console.ip().is_loopback()) {
            return Err(StartError::NotLoopback(console));
        }
        if !address.ip().is_loopback() {
            return Err(StartError::NotLoopback(address));
        }
        world.check()?;
        let problems = manifest.problems();
        if !problems.is_empty() {
            return Err(ManifestError::Refused(problems).into());
        }
        let failed = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let clock = Clock::new();
        let state = State::new(world, manifest, clock.now_s());
        let workspace: Shared = Arc::new(Workspace::new(state, clock, addr.to_string(), console));
        let router = Router::new()
            .route("/api/{method}", any(api::call))
            .route("/link/", get(socket::link))
            .route("/commands/{team}/{key}", post(response_url::respond))
            .route("/actions/{team}/{key}", post(response_url::respond))
            .merge(stage::routes())
            .merge(page::routes())
            .layer(axum::middleware::from_fn_with_state(
                addr,
                guard::own_page_only,
            ))
            .with_state(workspace);
        let open = OpenConnections::default();
        let listener = CuttableListener {
            listener,
            open: open.clone(),
        };
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(async move {
            let service = router.into_make_service_with_connect_info::<Cutter>();
            let ended = async move {
                // A dropped sender means the same: nobody wants the sandbox any more.
                if stopped.await.is_err() {
                    tracing::debug!("the sandbox was dropped");
                }
                open.cut_all();
            };
            if let Err(error) = axum::serve(listener, service)
                .with_graceful_shutdown(ended)
                .await
            {
                tracing::error!(%error, "the sandbox stopped serving");
            }
        });
        Ok(Running {
            addr,
            stop: Some(stop),
            served: Some(served),
        })
    }
}

impl Running {
    /// `http://ADDRESS`, for [`People`](crate::sandbox::people::People).
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// `http://ADDRESS/api`, where Slack's clients find the Web API.
    pub fn api_url(&self) -> String {
        format!("http://{}/api", self.addr)
    }

    /// Ends it: all connections are cut, the address is free when this returns.
    pub async fn shutdown(mut self) {
        self.stop.take();
        if let Some(served) = self.served.take()
            && let Err(error) = served.await
        {
            tracing::error!(%error, "the sandbox's server task ended badly");
        }
    }

    /// Waits for as long as it serves.
    pub async fn wait(&mut self) {
        if let Some(served) = self.served.as_mut()
            && let Err(error) = served.await
        {
            tracing::error!(%error, "the sandbox's server task ended badly");
        }
        self.served = None;
    }
}
