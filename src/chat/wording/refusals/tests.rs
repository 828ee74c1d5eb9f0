//! Each refusal has a sentence of its own.

use chrono::DateTime;

use super::*;
use crate::domain::directory::AccountStatus;
use crate::domain::ids::{GroupName, IssuerName, RequestId, ResourceName};
use crate::domain::person::Subject;
use crate::domain::public_key::BadKey;

fn every() -> Vec<Refusal> {
    let reference = RequestId::from_bits(9);
    let group = GroupName::new("sre").unwrap();
    let sre = vec![Subject::Group(group.clone())];
    let resource = ResourceName::new("staging-ssh").unwrap();
    let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    vec![
        Refusal::UnknownCommand {
            typed: "reqest".into(),
            suggestion: Some("request".into()),
        },
        Refusal::Missing {
            usage: "/jit done <id>".into(),
        },
        Refusal::BadDuration {
            typed: "abc".into(),
        },
        Refusal::BadTimeOfDay {
            typed: "25:00".into(),
        },
        Refusal::ReasonMissing,
        Refusal::ReasonTooLong {
            chars: 3_000,
            max: 1_000,
        },
        Refusal::ControlCharacters,
        Refusal::BadReference { typed: "r1".into() },
        Refusal::UnknownResource {
            typed: "staging".into(),
            suggestion: Some(resource.clone()),
        },
        Refusal::MayNotAsk {
            resource,
            who: sre.clone(),
        },
        Refusal::TooLong {
            asked_s: 36_000,
            max_s: 28_800,
        },
        Refusal::TooLongInAll {
            asked_s: 36_000,
            max_s: 28_800,
            latest: at,
        },
        Refusal::TooShort { min_s: 60 },
        Refusal::NotInTheFuture,
        Refusal::NoAccount {
            issuer: IssuerName::new("ca").unwrap(),
            missing: "no SSH key.".into(),
        },
        Refusal::KeyMissing {
            issuer: IssuerName::new("ca").unwrap(),
        },
        Refusal::BadKey {
            why: BadKey::Private,
        },
        Refusal::BadKey {
            why: BadKey::Unreadable,
        },
        Refusal::BadKey {
            why: BadKey::RsaBits(1_024),
        },
        Refusal::BadKey {
            why: BadKey::Kind("ssh-dss".into()),
        },
        Refusal::KeyInConfig,
        Refusal::KeysNotTaken,
        Refusal::KeyOfAnother,
        Refusal::NobodyLikeThat,
        Refusal::KeyTooSoon { again_at: at },
        Refusal::ZoneNotKnown,
        Refusal::TooManyLive { max: 100 },
        Refusal::TooOften { max: 60 },
        Refusal::TooManyOpen { max: 5 },
        Refusal::NotFound {
            reference: reference.clone(),
        },
        Refusal::OwnRequest,
        Refusal::NotAnApprover { who: sre.clone() },
        Refusal::FactsTooOld {
            group,
            as_of: Some(at),
        },
        Refusal::AccountNotKnown { as_of: None },
        Refusal::MayNotAct {
            status: AccountStatus::Guest,
        },
        Refusal::DirectoryUnreachable,
        Refusal::NotYours,
        Refusal::MayNotRevoke,
        Refusal::NoLongerOpen {
            reference: reference.clone(),
            state: RequestState::Denied,
        },
        Refusal::NothingToEnd {
            reference: reference.clone(),
            state: Some(GrantState::Ended),
        },
        Refusal::CannotEndEarly { ends_at: at },
        Refusal::NothingToExtend {
            reference: reference.clone(),
            state: Some(GrantState::Ended),
        },
        Refusal::NotLater { ends_at: at },
        Refusal::OnlySecurity,
        Refusal::NoForm {
            usage: "/jit extend <id> <duration>".into(),
        },
        Refusal::NotTheCard {
            reference: reference.clone(),
        },
        Refusal::StaleCard { reference },
        Refusal::ForgedButton,
        Refusal::ForeignCommunity,
        Refusal::SpecChanged,
        Refusal::NoLongerAllowed,
    ]
}

#[test]
fn each_refusal_is_a_short_sentence_of_its_own() {
    let mut seen = std::collections::BTreeSet::new();
    for one in every() {
        let said = refusal(&one).flat();
        assert!(said.len() < 330, "{said}");
        assert!(said.ends_with(['.', '?', '>', 't']), "{said}");
        assert!(!said.contains("  "), "{said}");
        assert!(seen.insert(said.clone()), "twice: {said}");
    }
}

#[test]
fn what_the_digest_takes_for_slips_are_refusals() {
    let codes: Vec<&str> = every().iter().map(Refusal::code).collect();
    for slip in super::super::digests::tries::SLIPS {
        assert!(codes.contains(&slip), "there is no refusal {slip}");
    }
    // What somebody may not do is never one.
    for serious in ["own_request", "not_an_approver", "not_yours", "may_not_ask"] {
        assert!(codes.contains(&serious));
        assert!(!super::super::digests::tries::SLIPS.contains(&serious));
    }
}

#[test]
fn a_bad_duration_names_what_is_allowed() {
    assert_eq!(
        refusal(&Refusal::BadDuration {
            typed: "abc".into()
        })
        .flat(),
        "abc isn't a duration. Allowed are lengths like 45m, 1h, 1h30m or 2d, and until 18:00. \
         Type it like this: /jit request <resource> <duration> <reason>"
    );
}
