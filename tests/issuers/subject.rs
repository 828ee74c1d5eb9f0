//! What the kit gives in these tests, and how its findings are read.

use std::sync::Arc;

use jitbot::clock::{Clock, SystemClock};
use jitbot::domain::ids::{IssuerName, RequestId, ResourceName};
use jitbot::domain::spec::{Risk, Spec, TargetAccount};
use jitbot::issuer::conformance::{Bench, Finding, Subject, judge};
use jitbot::issuer::contract::{Accounts, Settings};
use jitbot::issuer::{Capabilities, EarlyEnd, GrantOrder, IssueError, NativeExpiry};
use serde_json::{Map, Value, json};

pub fn name() -> IssuerName {
    IssuerName::new("box").unwrap()
}

pub fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

fn table(value: Value) -> Map<String, Value> {
    let Value::Object(table) = value else {
        panic!("a table")
    };
    table
}

pub fn subject(account: &str) -> Subject {
    Subject {
        issuer: name(),
        account: TargetAccount {
            id: account.to_owned(),
            parameters: table(json!({"person": "alice"})),
            given_at: None,
        },
        parameters: table(json!({"group": "admins"})),
        lasts_s: 3_600,
    }
}

pub fn capabilities() -> Capabilities {
    Capabilities {
        native_expiry: NativeExpiry::None,
        early_end: EarlyEnd::Seen,
        sessions_outlive: true,
        settles_within_s: 0,
        makes_secret: false,
    }
}

pub fn settings() -> Settings {
    Settings {
        name: name(),
        accounts: Accounts {
            by_name: true,
            listed: [].into(),
        },
        capabilities: capabilities(),
    }
}

/// A grant of an hour.
pub fn order(number: u64) -> GrantOrder {
    let subject = subject("alice");
    GrantOrder {
        grant: RequestId::from_bits(number).grant(),
        serial: number,
        spec: Spec {
            resource: ResourceName::new("box-admin").unwrap(),
            title: "Admin".to_owned(),
            project: "shop".to_owned(),
            action: "admin".to_owned(),
            risk: Risk::Low,
            issuer: name(),
            target: "the box".to_owned(),
            account: subject.account,
            entitlements: vec!["group:admins".to_owned()],
            parameters: subject.parameters,
            duration_s: 3_600,
            until: None,
        },
        native_deadline: Some(clock().machine_now() + chrono::TimeDelta::hours(1)),
        renewal: None,
    }
}

/// Names of rules by what was found of them.
#[derive(Debug)]
pub struct Judged {
    pub broken: Vec<(&'static str, String)>,
    pub not_judged: Vec<&'static str>,
    pub held: usize,
}

pub async fn judged(bench: &Bench) -> Judged {
    let findings = judge(bench, |_, _| {}).await;
    let mut judged = Judged {
        broken: vec![],
        not_judged: vec![],
        held: 0,
    };
    for (name, finding) in findings {
        match finding {
            Finding::Held => judged.held += 1,
            Finding::Broken(seen) => judged.broken.push((name, seen)),
            Finding::NotJudged(_) => judged.not_judged.push(name),
        }
    }
    judged
}

/// What is said of an outcome that nobody knows.
pub fn unknown<T: std::fmt::Debug>(answer: Result<T, IssueError>) -> String {
    match answer {
        Err(IssueError::Unknown { said }) => said,
        other => panic!("not unknown: {other:?}"),
    }
}

/// Real time passes, for what other programs judge by it.
#[expect(
    clippy::disallowed_methods,
    reason = "programs and receivers live in real time"
)]
pub async fn passes(time: std::time::Duration) {
    tokio::time::sleep(time).await;
}
