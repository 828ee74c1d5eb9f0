//! A card and what belongs to it, to be drawn.

use chrono::DateTime;
use jitbot::chat::card::{Card, CardDecision, CardGrant, HowItEnds, LostPlace, Notable};
use jitbot::chat::slack::render::Names;
use jitbot::domain::grant::GrantState;
use jitbot::domain::ids::{AccountId, GroupName, Place, RequestId, ResourceName};
use jitbot::domain::person::Subject;
use jitbot::domain::request::RequestState;
use jitbot::domain::spec::Risk;
use jitbot::domain::timing::Timestamp;

pub fn at(s: i64) -> Timestamp {
    DateTime::from_timestamp(1_800_000_000 + s, 0).unwrap()
}

pub fn account(user: &str) -> AccountId {
    AccountId::new(format!("slack:T1/{user}")).unwrap()
}

pub fn card() -> Card {
    Card {
        id: RequestId::from_bits(42),
        version: 1,
        requester: account("UALICE"),
        beneficiary: None,
        resource: ResourceName::new("staging-ssh").unwrap(),
        title: "Shell on the staging hosts".into(),
        project: "shop-staging".into(),
        action: "shell".into(),
        target: "the staging hosts".into(),
        entitlements: vec!["principal:deploy".into()],
        risk: Risk::Low,
        duration_s: 3_600,
        reason: Some("deploy is stuck".into()),
        how_it_ends: HowItEnds {
            enforced_by_target: true,
            can_end_early: true,
            can_be_seen: true,
            sessions_outlive: true,
        },
        notable: vec![Notable::FirstTime],
        state: RequestState::Pending,
        approvals_missing: 1,
        approvers: vec![Subject::Group(GroupName::new("sre").unwrap())],
        submitted_at: at(0),
        pending_until: at(3_600),
        decisions: Vec::new(),
        grant: None,
        extends: None,
        more_time_asked: None,
        more_time: Vec::new(),
    }
}

pub fn yes(by: Option<AccountId>, s: i64) -> CardDecision {
    CardDecision {
        by,
        approved: true,
        why: None,
        at: at(s),
    }
}

/// A channel for more resources than one message names, with the longest names.
pub fn lost_place(said: &str) -> LostPlace {
    let place = |id: &str| Place::new(format!("slack:T1/{id}")).unwrap();
    LostPlace {
        place: place("C1"),
        said: said.to_owned(),
        is_securitys: true,
        resources: vec![ResourceName::new("r".repeat(64)).unwrap(); 10],
        more_resources: 90,
        fallback: Some(place("C2")),
    }
}

pub fn live(mut card: Card, by: Option<AccountId>, state: GrantState) -> Card {
    card.state = RequestState::Approved;
    card.approvals_missing = 0;
    card.decisions = vec![yes(by, 60)];
    card.grant = Some(CardGrant {
        id: card.id.grant(),
        state,
        deadline: Some(at(3_660)),
        reason: None,
        by: None,
        why: None,
        ended_at: None,
        evidence: None,
        stuck_since: None,
    });
    card
}

pub fn names() -> Names {
    Names::from([
        (account("UBOB"), "bob".to_owned()),
        (account("UALICE"), "alice".to_owned()),
    ])
}
