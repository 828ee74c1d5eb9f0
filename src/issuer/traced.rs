//! An issuer whose calls to its target are spans of traces.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use serde_json::{Map, Value};
use tracing::Instrument as _;

use super::{
    Capabilities, GrantOrder, IssueError, Issued, Issuer, Observed, PersonFacts, Presence,
};
use crate::domain::ids::{GrantId, IssuerName};
use crate::domain::spec::TargetAccount;
use crate::traces;

/// An issuer whose calls to its target are spans of traces.
pub struct Traced {
    name: IssuerName,
    issuer: Arc<dyn Issuer>,
}

impl Traced {
    /// This one, under the name that the config gives it.
    #[must_use]
    pub fn of(name: IssuerName, issuer: Arc<dyn Issuer>) -> Self {
        Self { name, issuer }
    }

    async fn call<T>(
        &self,
        op: &'static str,
        grant: Option<&GrantId>,
        call: impl Future<Output = Result<T, IssueError>>,
        well: impl FnOnce(&T) -> &'static str,
    ) -> Result<T, IssueError> {
        let span = traces::target_call(op, &self.name, grant);
        let answered = call.instrument(span.clone()).await;
        let outcome = match &answered {
            Ok(answer) => well(answer),
            Err(IssueError::Retry { .. }) => "retry",
            Err(IssueError::Permanent { .. }) => "permanent",
            Err(IssueError::Unknown { .. }) => "unknown",
        };
        traces::ended(&span, outcome, answered.is_ok());
        answered
    }
}

fn done<T>(_: &T) -> &'static str {
    "done"
}

#[async_trait]
impl Issuer for Traced {
    fn capabilities(&self) -> Capabilities {
        self.issuer.capabilities()
    }

    fn bound_to(&self) -> BTreeSet<String> {
        self.issuer.bound_to()
    }

    async fn resolve(&self, person: &PersonFacts) -> Result<TargetAccount, IssueError> {
        let call = self.issuer.resolve(person);
        self.call("resolve", None, call, done).await
    }

    fn entitlements(&self, parameters: &Map<String, Value>) -> Result<Vec<String>, String> {
        self.issuer.entitlements(parameters)
    }

    async fn issue(&self, order: &GrantOrder) -> Result<Issued, IssueError> {
        let call = self.issuer.issue(order);
        self.call("issue", Some(&order.grant), call, done).await
    }

    async fn extend(
        &self,
        order: &GrantOrder,
        handle: Option<&Value>,
    ) -> Result<Issued, IssueError> {
        let call = self.issuer.extend(order, handle);
        self.call("extend", Some(&order.grant), call, done).await
    }

    async fn revoke(&self, order: &GrantOrder, handle: Option<&Value>) -> Result<(), IssueError> {
        let call = self.issuer.revoke(order, handle);
        self.call("revoke", Some(&order.grant), call, done).await
    }

    async fn inspect(&self, order: &GrantOrder) -> Result<Presence, IssueError> {
        let call = self.issuer.inspect(order);
        let seen = |presence: &Presence| match presence {
            Presence::Present => "present",
            Presence::Absent(_) => "absent",
            Presence::CannotTell => "cannot_tell",
        };
        self.call("inspect", Some(&order.grant), call, seen).await
    }

    fn list(&self) -> BoxStream<'_, Result<Observed, IssueError>> {
        self.issuer.list()
    }

    async fn publish(&self) -> Result<(), IssueError> {
        let call = self.issuer.publish();
        self.call("publish", None, call, done).await
    }

    async fn check(&self) -> Result<(), IssueError> {
        let call = self.issuer.check();
        self.call("check", None, call, done).await
    }
}
