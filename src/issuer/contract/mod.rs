//! The contract for targets that an operator connects: one question, one answer, as JSON. A program
//! hears it on stdin, a webhook as the body of a request. `docs/ISSUERS.md` is the writer's view.
//!
//! Whatever can't be read as an answer is an unknown outcome, never a failure: nobody knows what was
//! done by then.

pub mod answer;
pub mod program;
pub mod question;
pub mod webhook;

mod said;

pub(crate) mod standard_webhooks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use serde_json::{Map, Value, json};

use self::answer::{Answer, Given};
use self::question::{Op, Question};
use super::{
    Capabilities, EarlyEnd, GrantOrder, IssueError, Issued, Issuer, NativeExpiry, Observed,
    PersonFacts, Presence,
};
use crate::clock::Clock;
use crate::domain::grant::Evidence;
use crate::domain::ids::{IssuerName, PersonName};
use crate::domain::spec::TargetAccount;

pub use self::program::Program;
pub use self::webhook::Webhook;

/// The most pages of a list that are asked for: a target that never comes to an end is none.
const PAGES_MAX: usize = 1_000;

/// How what says how access ends begins, in [`Issuer::bound_to`]; many issuers share one.
pub const ENDS: &str = "ends ";

/// Who people are on a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    /// Whether who is not in `listed` is called there as in the config.
    pub by_name: bool,
    /// Accounts by person.
    pub listed: BTreeMap<PersonName, String>,
}

impl Accounts {
    /// What this person is called there.
    #[must_use]
    pub fn of(&self, person: &PersonName) -> Option<String> {
        match self.listed.get(person) {
            Some(account) => Some(account.clone()),
            None => self.by_name.then(|| person.to_string()),
        }
    }
}

/// What an instance is made of, whatever it speaks through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Its name in the config.
    pub name: IssuerName,
    /// Who people are there.
    pub accounts: Accounts,
    /// What its writer says that it can do.
    pub capabilities: Capabilities,
}

/// A way to bring a question there and the answer back.
#[async_trait]
pub trait Wire: Send + Sync + 'static {
    /// Where it leads, for [`Issuer::bound_to`].
    fn leads_to(&self) -> String;

    /// Asks.
    ///
    /// # Errors
    /// `Retry` where surely nothing was done, `Unknown` where nobody knows, `Permanent` where the
    /// answer says so.
    async fn ask(&self, question: &Question) -> Result<Answer, IssueError>;

    /// What can be seen to be wrong without asking.
    ///
    /// # Errors
    /// What is wrong, in words for the operator.
    fn check(&self) -> Result<(), String>;
}

/// An issuer that speaks the contract through some wire.
pub struct Contracted<W> {
    settings: Settings,
    wire: W,
    clock: Arc<dyn Clock>,
}

impl<W> Contracted<W> {
    /// Makes an instance. Touches nothing yet.
    pub fn new(settings: Settings, wire: W, clock: Arc<dyn Clock>) -> Self {
        Self {
            settings,
            wire,
            clock,
        }
    }

    /// An end that the target itself enforces has passed, or nothing was ever minted.
    fn has_ended_natively(&self, order: &GrantOrder) -> bool {
        self.settings.capabilities.native_expiry == NativeExpiry::Enforced
            && order
                .native_deadline
                .is_none_or(|deadline| deadline <= self.clock.machine_now())
    }

    fn question<'a>(&'a self, op: Op, order: &'a GrantOrder) -> Question {
        Question::of_grant(op, &self.settings.name, order)
    }
}

impl<W: Wire> Contracted<W> {
    async fn give(&self, question: Question) -> Result<Issued, IssueError> {
        let makes_secret = self.settings.capabilities.makes_secret;
        let question = question.making_secret(makes_secret);
        let Given {
            handle,
            message,
            document,
            secret,
        } = self
            .wire
            .ask(&question)
            .await?
            .given(question.op, makes_secret)?;
        Ok(Issued {
            handle,
            usable: true,
            how_to_use: message,
            document,
            secret,
        })
    }

    async fn page(
        &self,
        cursor: Option<String>,
    ) -> Result<(Vec<Observed>, Option<String>), IssueError> {
        let question = Question::list(&self.settings.name, cursor.as_deref());
        let (items, next) = self.wire.ask(&question).await?.listed()?;
        if next.is_some() && next == cursor {
            return Err(unknown(
                "the list's next page is the page itself; it would never end".to_owned(),
            ));
        }
        Ok((items, next))
    }
}

/// A list that is being read: the next page, and how many there were.
enum Reading {
    Page(Option<String>, usize),
    Over,
}

#[async_trait]
impl<W: Wire> Issuer for Contracted<W> {
    fn capabilities(&self) -> Capabilities {
        self.settings.capabilities.clone()
    }

    fn bound_to(&self) -> BTreeSet<String> {
        // Its ends are believed by what is declared of it, and the card has shown that.
        let can = &self.settings.capabilities;
        let mut ends = format!("{ENDS}{}/{}", can.native_expiry, can.early_end);
        // Without it a secret that is made anew would be thrown away, and nobody have one.
        if can.makes_secret {
            ends.push_str(", makes a secret");
        }
        BTreeSet::from([self.wire.leads_to(), ends])
    }

    async fn resolve(&self, person: &PersonFacts) -> Result<TargetAccount, IssueError> {
        let Some(id) = self.settings.accounts.of(&person.name) else {
            return Err(IssueError::Permanent {
                said: format!(
                    "the config names no account of {} for {}; ask whoever runs jitbot to add one",
                    person.name, self.settings.name
                ),
            });
        };
        let mut parameters = Map::new();
        parameters.insert("person".to_owned(), json!(person.name));
        Ok(TargetAccount {
            id,
            parameters,
            given_at: None,
        })
    }

    fn entitlements(&self, parameters: &Map<String, Value>) -> Result<Vec<String>, String> {
        entitlements(&self.settings.name, parameters)
    }

    async fn issue(&self, order: &GrantOrder) -> Result<Issued, IssueError> {
        self.give(self.question(Op::Issue, order)).await
    }

    async fn extend(
        &self,
        order: &GrantOrder,
        handle: Option<&Value>,
    ) -> Result<Issued, IssueError> {
        self.give(self.question(Op::Extend, order).with_handle(handle))
            .await
    }

    async fn revoke(&self, order: &GrantOrder, handle: Option<&Value>) -> Result<(), IssueError> {
        if self.settings.capabilities.early_end == EarlyEnd::Impossible {
            if self.has_ended_natively(order) {
                return Ok(());
            }
            return Err(IssueError::Permanent {
                said: format!(
                    "the config says that {} can't end access early; it ends by itself at its \
                     deadline",
                    self.settings.name
                ),
            });
        }
        let question = self.question(Op::Revoke, order).with_handle(handle);
        self.wire.ask(&question).await?.done()
    }

    async fn inspect(&self, order: &GrantOrder) -> Result<Presence, IssueError> {
        let ended = self.has_ended_natively(order);
        if self.settings.capabilities.early_end != EarlyEnd::Seen {
            return Ok(match self.settings.capabilities.early_end {
                _ if ended => Presence::Absent(Evidence::ExpiredAtTarget),
                EarlyEnd::Impossible => Presence::Present,
                EarlyEnd::ToldOnly | EarlyEnd::Seen => Presence::CannotTell,
            });
        }
        let question = self.question(Op::Inspect, order);
        match self.wire.ask(&question).await?.presence()? {
            Presence::CannotTell if ended => Ok(Presence::Absent(Evidence::ExpiredAtTarget)),
            seen => Ok(seen),
        }
    }

    fn list(&self) -> BoxStream<'_, Result<Observed, IssueError>> {
        futures_util::stream::unfold(Reading::Page(None, 0), move |reading| async move {
            let Reading::Page(cursor, pages) = reading else {
                return None;
            };
            if pages == PAGES_MAX {
                let error = unknown(format!("the list has more than {PAGES_MAX} pages"));
                return Some((vec![Err(error)], Reading::Over));
            }
            Some(match self.page(cursor).await {
                Ok((items, next)) => {
                    let rest = match next {
                        Some(next) => Reading::Page(Some(next), pages + 1),
                        None => Reading::Over,
                    };
                    (items.into_iter().map(Ok).collect(), rest)
                }
                Err(error) => (vec![Err(error)], Reading::Over),
            })
        })
        .flat_map(futures_util::stream::iter)
        .boxed()
    }

    /// Nothing stands there but what each grant put there.
    async fn publish(&self) -> Result<(), IssueError> {
        Ok(())
    }

    async fn check(&self) -> Result<(), IssueError> {
        self.wire
            .check()
            .map_err(|said| IssueError::Permanent { said })?;
        let question = Question::check(&self.settings.name);
        self.wire.ask(&question).await?.done()
    }
}

/// One holding for each value: `group = ["a", "b"]` are `group:a` and `group:b`.
fn entitlements(name: &IssuerName, parameters: &Map<String, Value>) -> Result<Vec<String>, String> {
    let mut found = BTreeSet::new();
    for (key, value) in parameters {
        let values = match value {
            Value::Array(values) => values.iter().collect(),
            value => vec![value],
        };
        for value in values {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => {
                    return Err(format!("{key} is neither text, number, true or false"));
                }
            };
            found.insert(format!("{key}:{text}"));
        }
    }
    if found.is_empty() {
        found.insert(format!("access:{name}"));
    }
    Ok(found.into_iter().collect())
}

fn unknown(said: String) -> IssueError {
    IssueError::Unknown { said }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_a_holding() {
        let name = IssuerName::new("box").expect("a name");
        let of = |value: Value| entitlements(&name, value.as_object().expect("a table"));
        assert_eq!(
            of(json!({"group": ["b", "a"], "level": 3})),
            Ok(vec![
                "group:a".to_owned(),
                "group:b".to_owned(),
                "level:3".to_owned()
            ])
        );
        assert_eq!(of(json!({})), Ok(vec!["access:box".to_owned()]));
        assert!(of(json!({"deep": {"er": 1}})).is_err());
    }
}
