//! The console on the demo's page: time, the way in, and what to try.
//!
//! The page belongs to the sandbox, which knows nothing of ours. It passes what is asked under
//! `/console/` on to this service, and refuses other sites' pages before it does; whoever comes here
//! directly from a browser is refused as well.

mod moments;
mod steps;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context as _;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::stage::Stage;
use crate::sandbox::guard;
use crate::sandbox::ssh::login::{LoginOutcome, command_line};
use moments::{Moments, Wait};
use steps::{Seen, Step};

/// Where the console will answer: the chat has to know before there is anything to tell.
pub struct Desk {
    listener: TcpListener,
    address: SocketAddr,
}

/// The console at work.
pub struct Console(JoinHandle<()>);

struct AtWork {
    stage: Arc<Stage>,
    seen: Mutex<Seen>,
    /// One login at a time, however many pages ask.
    trying: Mutex<()>,
}

type Shared = Arc<AtWork>;

impl Desk {
    /// Takes a free port of this machine's own.
    ///
    /// # Errors
    /// When there is none.
    pub async fn open() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("the console has no port to listen on")?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where that is.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers from now on.
    pub fn serve(self, stage: Arc<Stage>) -> Console {
        let shared = Arc::new(AtWork {
            stage,
            seen: Mutex::new(Seen::default()),
            trying: Mutex::new(()),
        });
        let router = Router::new()
            .route("/state", get(state))
            .route("/pass", post(pass))
            .route("/try", post(try_login))
            .layer(axum::middleware::from_fn_with_state(
                self.address,
                guard::own_page_only,
            ))
            .with_state(shared);
        Console(tokio::spawn(async move {
            if let Err(error) = axum::serve(self.listener, router).await {
                println!("The page's console stopped: {error}");
            }
        }))
    }
}

impl Console {
    /// Stops answering.
    pub async fn stop(self) {
        self.0.abort();
        // It was ended, so its only answer is that it was.
        let _ = self.0.await;
    }
}

/// Why the console did not do what it was asked, as the page shows it.
struct Failed(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let said = serde_json::json!({ "error": format!("{:#}", self.0) });
        (StatusCode::INTERNAL_SERVER_ERROR, Json(said)).into_response()
    }
}

/// Everything that the console shows.
#[derive(Debug, Serialize)]
struct Shown {
    engine_now_ms: i64,
    ahead_s: i64,
    passing: bool,
    waits: Vec<Wait>,
    steps: Vec<Step>,
    people: Vec<Access>,
    config: String,
    replaced: Vec<String>,
    server: String,
}

/// One person's way in.
#[derive(Debug, Serialize)]
struct Access {
    user: String,
    name: String,
    /// The line to paste; none before a certificate for the demo's server was sent.
    ssh: Option<String>,
    /// Certificates for hosts that don't run here.
    elsewhere: Vec<String>,
}

async fn shown(shared: &Shared) -> Result<Shown, Failed> {
    let stage = &shared.stage;
    let mut people = Vec::new();
    for player in stage.cast.players.iter().filter(|player| player.has_key) {
        let kept = stage.keep_certificates(&player.name).await?;
        people.push(Access {
            user: player.id.clone(),
            name: player.name.clone(),
            ssh: kept.here.then(|| command_line(&stage.login(&player.name))),
            elsewhere: kept.elsewhere,
        });
    }
    let moments = Moments::of(stage).await?;
    let mut seen = shared.seen.lock().await;
    seen.look(stage).await?;
    Ok(Shown {
        engine_now_ms: stage.engine_now().timestamp_millis(),
        ahead_s: stage.ahead().num_seconds(),
        passing: stage.time_passes(),
        waits: moments.waits(),
        steps: steps::steps(stage, &seen),
        people,
        config: stage.called.clone(),
        replaced: replaced(stage),
        server: format!(
            "The SSH server stands in for {}. It is {}.",
            stage.here(),
            stage.target.describe()
        ),
    })
}

/// What of this rehearsal is not as the config says, for people.
fn replaced(stage: &Stage) -> Vec<String> {
    let made_up = stage.cast.players.iter().filter(|player| player.made_up);
    let made_up = made_up.map(|player| {
        format!(
            "{} is made up: only the real chat knows who is in that group",
            player.name
        )
    });
    stage.replaced.iter().cloned().chain(made_up).collect()
}

async fn state(State(shared): State<Shared>) -> Result<Json<Shown>, Failed> {
    shown(&shared).await.map(Json)
}

#[derive(Debug, Deserialize)]
struct Passing {
    to: String,
}

async fn pass(
    State(shared): State<Shared>,
    Json(passing): Json<Passing>,
) -> Result<Json<Shown>, Failed> {
    let moments = Moments::of(&shared.stage).await?;
    let by = moments.until(&passing.to).with_context(|| {
        format!(
            "there is no moment {:?} to wait for now; nothing was done",
            passing.to
        )
    })?;
    shared.stage.let_pass(by.max(TimeDelta::zero())).await?;
    shown(&shared).await.map(Json)
}

#[derive(Debug, Deserialize)]
struct Trying {
    user: String,
}

#[derive(Debug, Serialize)]
struct Tried {
    outcome: &'static str,
    said: String,
}

/// Asks the SSH server whether somebody gets in, by trying it.
async fn try_login(
    State(shared): State<Shared>,
    Json(trying): Json<Trying>,
) -> Result<Json<Tried>, Failed> {
    let stage = &shared.stage;
    let player = stage
        .cast
        .players
        .iter()
        .find(|player| player.id == trying.user && player.has_key);
    let player = player
        .with_context(|| format!("there is no key for {}; nothing was tried", trying.user))?;
    let _one_at_a_time = shared.trying.lock().await;
    let outcome = stage.try_login(&player.name).await;
    let mut seen = shared.seen.lock().await;
    let (outcome, said) = match outcome {
        LoginOutcome::Accepted { stdout } => {
            seen.let_in(&player.name);
            ("works", stdout)
        }
        LoginOutcome::Refused { said } => {
            seen.refused(&player.name);
            ("refused", last_line(&said))
        }
        LoginOutcome::Unreachable { said } => ("unreachable", last_line(&said)),
    };
    let said = said.trim().to_owned();
    Ok(Json(Tried { outcome, said }))
}

/// What a client says last is what the server answered.
fn last_line(said: &str) -> String {
    said.trim()
        .lines()
        .next_back()
        .unwrap_or_default()
        .to_owned()
}
