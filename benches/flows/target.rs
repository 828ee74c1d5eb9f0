//! What access is given on: a server on loopback that both bots call, each in its own way, and that
//! notes when it gave and when it took away. Signatures are not looked at: both bots get the same server.
#![expect(
    clippy::disallowed_methods,
    reason = "it measures processes, in real time"
)]

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router, routing::any};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How accounts begin whose access was there before the bot started.
const HELD: &str = "live-";

/// Whose access to what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Access {
    /// The person's account on the target.
    pub account: String,
    /// The resource's name.
    pub resource: String,
}

/// What the target saw of one access.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen {
    /// The approver pressed.
    pub approved: bool,
    /// When it was first given.
    pub given: Option<Instant>,
    /// When it was first gone again.
    pub gone: Option<Instant>,
    /// Given without an approval, or again after its end.
    pub wrong: bool,
    there: bool,
}

#[derive(Default)]
struct Books {
    accesses: Mutex<HashMap<Access, watch::Sender<Seen>>>,
    /// Which grant of jitbot's is which access.
    grants: Mutex<HashMap<String, Access>>,
    /// When access that was there before the bot started was taken away, by its number.
    held: Mutex<Vec<Option<Instant>>>,
    /// Accounts whose access is never taken away, whoever asks.
    keeps: HashSet<String>,
    strangers: Mutex<u64>,
}

/// A running target.
pub struct Target {
    /// Where.
    pub address: SocketAddr,
    books: Arc<Books>,
    server: JoinHandle<()>,
}

impl Drop for Target {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Target {
    /// Starts one that does not take away what these accounts have.
    ///
    /// # Errors
    /// That it can't listen.
    pub async fn start(keeps: &[String]) -> anyhow::Result<Self> {
        let books = Arc::new(Books {
            keeps: keeps.iter().cloned().collect(),
            ..Books::default()
        });
        let routes = Router::new()
            .route("/contract", any(contract))
            .route("/access", any(access))
            .with_state(books.clone());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                eprintln!("the target ended: {error}");
            }
        });
        Ok(Self {
            address,
            books,
            server,
        })
    }

    /// From now on this access may be asked for; what is seen of it.
    #[must_use]
    pub fn expect(&self, access: &Access) -> watch::Receiver<Seen> {
        let (sender, seen) = watch::channel(Seen::default());
        lock(&self.books.accesses).insert(access.clone(), sender);
        seen
    }

    /// An approver is about to press.
    pub fn approved(&self, access: &Access) {
        if let Some(sender) = lock(&self.books.accesses).get(access) {
            sender.send_modify(|seen| seen.approved = true);
        }
    }

    /// From now on it holds access for this many more [`held_account`]s, which nobody asked it for.
    pub fn hold(&self, more: usize) {
        let mut held = lock(&self.books.held);
        let count = held.len() + more;
        held.resize(count, None);
    }

    /// When the access of each [`held_account`] was taken away.
    #[must_use]
    pub fn held(&self) -> Vec<Option<Instant>> {
        lock(&self.books.held).clone()
    }

    /// Whether all of these are taken away.
    #[must_use]
    pub fn are_gone(&self, numbers: Range<usize>) -> bool {
        let held = lock(&self.books.held);
        held[numbers].iter().all(Option::is_some)
    }

    /// Calls about what nobody asked for.
    #[must_use]
    pub fn strangers(&self) -> u64 {
        *lock(&self.books.strangers)
    }
}

/// The account of access that was there before the bot started.
#[must_use]
pub fn held_account(number: usize) -> String {
    format!("{HELD}{number:07}")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Books {
    /// The number of an access that was there before the bot started.
    fn number(&self, access: &Access) -> Option<usize> {
        let number = access.account.strip_prefix(HELD)?.parse().ok()?;
        (number < lock(&self.held).len()).then_some(number)
    }

    fn give(&self, access: &Access) {
        let accesses = lock(&self.accesses);
        let Some(sender) = accesses.get(access) else {
            *lock(&self.strangers) += 1;
            return;
        };
        sender.send_modify(|seen| {
            seen.wrong |= !seen.approved || seen.gone.is_some();
            seen.given.get_or_insert_with(Instant::now);
            seen.there = true;
        });
    }

    /// Whether it is gone now.
    fn take(&self, access: &Access) -> bool {
        if self.keeps.contains(&access.account) {
            return false;
        }
        if let Some(number) = self.number(access) {
            lock(&self.held)[number].get_or_insert_with(Instant::now);
            return true;
        }
        if let Some(sender) = lock(&self.accesses).get(access) {
            sender.send_modify(|seen| {
                if seen.there {
                    seen.there = false;
                    seen.gone.get_or_insert_with(Instant::now);
                }
            });
        }
        true
    }

    fn is_there(&self, access: &Access) -> bool {
        if let Some(number) = self.number(access) {
            return lock(&self.held)[number].is_none();
        }
        let accesses = lock(&self.accesses);
        accesses.get(access).is_some_and(|seen| seen.borrow().there)
    }

    fn of_grant(&self, question: &Value) -> Access {
        let access = Access::named_in(question);
        let grant = question["grant"].as_str().unwrap_or_default().to_owned();
        lock(&self.grants).insert(grant, access.clone());
        access
    }
}

impl Access {
    fn named_in(question: &Value) -> Self {
        let text = |key: &str| question[key].as_str().unwrap_or_default().to_owned();
        Self {
            account: text("account"),
            resource: text("resource"),
        }
    }
}

/// jitbot's contract for issuers (docs/ISSUERS.md).
async fn contract(State(books): State<Arc<Books>>, Json(question): Json<Value>) -> Json<Value> {
    Json(match question["op"].as_str().unwrap_or_default() {
        "issue" => {
            books.give(&books.of_grant(&question));
            json!({ "outcome": "ok", "message": "Log in as usual." })
        }
        "revoke" if books.take(&books.of_grant(&question)) => json!({ "outcome": "ok" }),
        "revoke" => json!({ "outcome": "retry", "message": "this target keeps it" }),
        "inspect" => {
            let there = books.is_there(&books.of_grant(&question));
            json!({ "outcome": "ok", "presence": if there { "present" } else { "absent" } })
        }
        "list" => {
            let grants = lock(&books.grants).clone();
            let items: Vec<Value> = grants
                .iter()
                .filter(|(_, access)| books.is_there(access))
                .map(|(grant, _)| json!({ "grant": grant, "deadline": null }))
                .collect();
            json!({ "outcome": "ok", "items": items })
        }
        "check" => json!({ "outcome": "ok" }),
        other => json!({ "outcome": "permanent", "message": format!("{other} is not served") }),
    })
}

/// What a plain bot calls: POST gives, DELETE takes away.
async fn access(
    State(books): State<Arc<Books>>,
    method: Method,
    Json(asked): Json<Value>,
) -> Response {
    let access = Access::named_in(&asked);
    match method {
        Method::POST => books.give(&access),
        Method::DELETE if books.take(&access) => {}
        _ => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
    Json(json!({})).into_response()
}
