//! The one request that every case is about: alice wants an hour of `staging-ssh`.

use chrono::TimeDelta;
use jitbot::domain::ids::{AccountId, IssuerName, PersonName, Place, RequestId, ResourceName};
use jitbot::domain::person::Identity;
use jitbot::domain::request::{Request, RequestState};
use jitbot::domain::spec::{ContentHash, Risk, Spec, TargetAccount};
use jitbot::domain::timing::Timestamp;

/// What was asked for, in seconds.
pub const DURATION_S: i64 = 3_600;

/// Within how many seconds after the approval it must be given.
pub const ACTIVATION_S: i64 = 600;

/// So many seconds after the start of every case.
pub fn at(s: i64) -> Timestamp {
    let start = chrono::DateTime::from_timestamp(1_773_144_000, 0).unwrap();
    start + TimeDelta::seconds(s)
}

pub fn identity(account: &str, person: &str) -> Identity {
    Identity {
        account: AccountId::new(format!("slack:T1/{account}")).unwrap(),
        person: Some(PersonName::new(person).unwrap()),
    }
}

pub fn policy() -> ContentHash {
    ContentHash::of(b"policy")
}

/// Where security reads.
pub fn security() -> Vec<Place> {
    vec![Place::new("slack:T1/SEC").unwrap()]
}

/// Asked at 0, open for half an hour.
pub fn request(state: RequestState) -> Request {
    let spec = Spec {
        resource: ResourceName::new("staging-ssh").unwrap(),
        title: "Shell on the staging hosts".into(),
        project: "shop".into(),
        action: "shell".into(),
        risk: Risk::Low,
        issuer: IssuerName::new("ca").unwrap(),
        target: "staging".into(),
        account: TargetAccount {
            id: "SHA256:alice".into(),
            parameters: serde_json::Map::new(),
            given_at: None,
        },
        entitlements: vec!["principal:deploy".into()],
        parameters: serde_json::Map::new(),
        duration_s: DURATION_S,
        until: None,
    };
    Request {
        id: RequestId::from_bits(7),
        state,
        requester: identity("U1", "alice"),
        beneficiary: identity("U1", "alice"),
        spec_hash: spec.hash(),
        spec,
        reason: Some("the deploy is stuck".into()),
        origin: Place::new("slack:T1/C1").unwrap(),
        card_place: Some(Place::new("slack:T1/C1").unwrap()),
        approvals_needed: 1,
        version: 1,
        submitted_at: at(0),
        pending_until: at(1_800),
        decided_at: None,
        extends: None,
    }
}
