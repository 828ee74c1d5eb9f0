//! What is asked.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use crate::domain::ids::IssuerName;
use crate::issuer::GrantOrder;

/// The version of the contract.
pub const VERSION: i64 = 1;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Give access until the deadline.
    Issue,
    /// Give it until a later deadline than before.
    Extend,
    /// Take it away.
    Revoke,
    /// Say whether it is there.
    Inspect,
    /// Say what is there with our mark.
    List,
    /// Say whether you could do your job.
    Check,
}

impl Op {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Extend => "extend",
            Self::Revoke => "revoke",
            Self::Inspect => "inspect",
            Self::List => "list",
            Self::Check => "check",
        }
    }
}

/// One question.
#[derive(Debug, Clone)]
pub struct Question {
    /// What is to be done.
    pub op: Op,
    /// The same for the same wish, however often it is sent; another for each question that only
    /// asks, so that nobody answers it from memory.
    pub key: String,
    /// The fields that a program finds in its environment too, for those without a JSON parser.
    pub plain: Vec<(&'static str, String)>,
    /// Whether its answer makes a secret, which a program may then say on stderr too.
    pub makes_secret: bool,
    fields: Value,
}

impl Question {
    /// About a grant.
    #[must_use]
    pub fn of_grant(op: Op, issuer: &IssuerName, order: &GrantOrder) -> Self {
        let spec = &order.spec;
        let deadline = order.native_deadline;
        // Whole seconds, cut off: never later than it must have ended.
        let unix = deadline.map(|deadline| deadline.timestamp());
        let key = match op {
            Op::Extend => format!("extend:{}:{}", order.grant, unix.unwrap_or_default()),
            Op::Issue => match order.renewal {
                Some(number) => format!("issue:{}:{number}", order.grant),
                None => format!("issue:{}", order.grant),
            },
            Op::Revoke => format!("{}:{}", op.as_str(), order.grant),
            Op::Inspect | Op::List | Op::Check => {
                format!("{}:{}:{}", op.as_str(), order.grant, once())
            }
        };
        let person = spec.account.parameters.get("person");
        let plain = vec![
            ("JITBOT_GRANT", order.grant.to_string()),
            ("JITBOT_ACCOUNT", spec.account.id.clone()),
            ("JITBOT_RESOURCE", spec.resource.to_string()),
            (
                "JITBOT_DEADLINE",
                unix.map(|unix| unix.to_string()).unwrap_or_default(),
            ),
        ];
        Self::new(
            op,
            key,
            issuer,
            plain,
            json!({
                "grant": order.grant,
                "account": spec.account.id,
                "person": person,
                "resource": spec.resource,
                "entitlements": spec.entitlements,
                "parameters": spec.parameters,
                "deadline": deadline.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)),
                "deadline_unix": unix,
                "handle": null,
            }),
        )
    }

    /// For what is there with our mark; a page at a time.
    #[must_use]
    pub fn list(issuer: &IssuerName, cursor: Option<&str>) -> Self {
        let key = format!("list:{issuer}:{}", once());
        Self::new(
            Op::List,
            key,
            issuer,
            Vec::new(),
            json!({ "cursor": cursor }),
        )
    }

    /// Whether the job could be done.
    #[must_use]
    pub fn check(issuer: &IssuerName) -> Self {
        let key = format!("check:{issuer}:{}", once());
        Self::new(Op::Check, key, issuer, Vec::new(), json!({}))
    }

    fn new(
        op: Op,
        key: String,
        issuer: &IssuerName,
        mut plain: Vec<(&'static str, String)>,
        mut fields: Value,
    ) -> Self {
        plain.push(("JITBOT_OP", op.as_str().to_owned()));
        plain.push(("JITBOT_KEY", key.clone()));
        fields["v"] = json!(VERSION);
        fields["op"] = json!(op.as_str());
        fields["key"] = json!(key);
        fields["issuer"] = json!(issuer);
        Self {
            op,
            key,
            plain,
            makes_secret: false,
            fields,
        }
    }

    /// With what an earlier answer gave to find it again.
    #[must_use]
    pub fn with_handle(mut self, handle: Option<&Value>) -> Self {
        self.fields["handle"] = handle.cloned().unwrap_or_default();
        self
    }

    /// An answer to it makes a secret.
    #[must_use]
    pub const fn making_secret(mut self, makes_secret: bool) -> Self {
        self.makes_secret = makes_secret;
        self
    }

    /// As it is sent: one line.
    #[must_use]
    pub fn to_line(&self) -> String {
        format!("{}\n", self.fields)
    }
}

fn once() -> String {
    format!("{:016x}", rand::random::<u64>())
}
