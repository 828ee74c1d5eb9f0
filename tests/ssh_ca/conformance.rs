//! The conformance kit over the `ssh-ca` issuer, with a file as the way to the hosts.

use jitbot::domain::ids::IssuerName;
use jitbot::issuer::conformance::{Bench as Kit, Books, Finding, RULES, Subject, judge};
use jitbot::issuer::ssh_ca::Hosts;
use jitbot::issuer::{GrantOrder, Issuer as _};
use serde_json::json;

use super::sshd::room;
use super::store::{Bench, Ended};

impl Books for Ended {
    fn end_is_ordered(&self, order: &GrantOrder) {
        self.add(order);
    }
}

#[tokio::test]
async fn it_keeps_every_rule_that_can_be_judged_without_a_hand() {
    let (_room, krl) = room();
    let bench = Bench::new(Hosts::Path(krl));
    let facts = bench.person_facts();
    let subject = Subject {
        issuer: IssuerName::new("staging-ca").unwrap(),
        account: bench.issuer.resolve(&facts).await.unwrap(),
        parameters: json!({"principals": ["deploy"]})
            .as_object()
            .unwrap()
            .clone(),
        lasts_s: 600,
    };
    let kit = Kit::new(bench.issuer.clone(), subject, bench.clock.clone())
        .with_books(bench.ended.clone());
    let findings = judge(&kit, |_, _| {}).await;
    let held = findings.iter().filter(|(_, f)| *f == Finding::Held).count();
    let not_judged: Vec<&str> = findings
        .iter()
        .filter(|(_, finding)| matches!(finding, Finding::NotJudged(_)))
        .map(|(name, _)| *name)
        .collect();
    // Certificates are with people: there is nothing to list, no secret, and no hand takes one away.
    let expected = [
        "list",
        "another_secret",
        "taken_by_hand",
        "there_before",
        "lost_answer",
        "slow_target",
        "throttling_target",
    ];
    assert_eq!(not_judged, expected, "{findings:?}");
    assert_eq!(held, RULES.len() - expected.len(), "{findings:?}");
    assert_eq!(kit.left_there(), Vec::<String>::new());
}

/// Where no host can be told, what needs an early end is not judged, and nothing is broken.
#[tokio::test]
async fn without_a_way_to_the_hosts_ends_are_not_judged() {
    let bench = Bench::new(Hosts::None);
    let facts = bench.person_facts();
    let subject = Subject {
        issuer: IssuerName::new("staging-ca").unwrap(),
        account: bench.issuer.resolve(&facts).await.unwrap(),
        parameters: json!({"principals": ["deploy"]})
            .as_object()
            .unwrap()
            .clone(),
        lasts_s: 600,
    };
    let kit = Kit::new(bench.issuer.clone(), subject, bench.clock.clone());
    let findings = judge(&kit, |_, _| {}).await;
    let broken = findings
        .iter()
        .any(|(_, f)| matches!(f, Finding::Broken(_)));
    assert!(!broken, "{findings:?}");
}
