//! A card and where it stands.

use chrono::DateTime;
use jitbot::chat::card::{Card, CardDecision, HowItEnds};
use jitbot::domain::ids::{AccountId, Place, RequestId, ResourceName};
use jitbot::domain::request::RequestState;
use jitbot::domain::spec::Risk;

pub fn request() -> RequestId {
    RequestId::from_bits(42)
}

pub fn card() -> Card {
    let at = |s: i64| DateTime::from_timestamp(1_800_000_000 + s, 0).unwrap();
    Card {
        id: request(),
        version: 1,
        requester: AccountId::new("slack:T1/U1").unwrap(),
        beneficiary: None,
        resource: ResourceName::new("staging-ssh").unwrap(),
        title: "Shell".into(),
        project: "shop".into(),
        action: "shell".into(),
        target: "hosts".into(),
        entitlements: Vec::new(),
        risk: Risk::Low,
        duration_s: 3_600,
        reason: Some("<!channel> why".into()),
        how_it_ends: HowItEnds {
            enforced_by_target: true,
            can_end_early: true,
            can_be_seen: true,
            sessions_outlive: false,
        },
        notable: Vec::new(),
        state: RequestState::Pending,
        approvals_missing: 1,
        approvers: Vec::new(),
        submitted_at: at(0),
        pending_until: at(60),
        decisions: vec![CardDecision {
            by: Some(AccountId::new("slack:T1/U2").unwrap()),
            approved: true,
            why: None,
            at: at(1),
        }],
        extends: None,
        more_time_asked: None,
        more_time: Vec::new(),
        grant: None,
    }
}

pub fn place() -> Place {
    Place::new("slack:T1/C1").unwrap()
}
