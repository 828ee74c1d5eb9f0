//! The kit itself: an honest issuer keeps every rule, and each wrong one breaks exactly its own.

use std::sync::Arc;

use jitbot::issuer::conformance::{Bench, RULES};

use super::model::{Lie, Model};
use super::subject::{clock, judged, subject};

fn bench(lie: Lie) -> Bench {
    let model = Arc::new(Model::new(lie));
    Bench::new(model.clone(), subject("alice"), clock()).with_hand(model)
}

#[tokio::test]
async fn an_honest_issuer_keeps_every_rule() {
    let bench = bench(Lie::None);
    let judged = judged(&bench).await;
    assert_eq!(judged.held, RULES.len(), "{judged:?}");
    assert_eq!(bench.left_there(), Vec::<String>::new());
}

#[tokio::test]
async fn each_wrong_issuer_breaks_its_own_rule_alone() {
    let lies = [
        (Lie::Check, "check"),
        (Lie::DoubleIssue, "double_issue"),
        (Lie::DoubleRevoke, "double_revoke"),
        (Lie::RevokeBeforeIssue, "revoke_before_issue"),
        (Lie::WithoutHandle, "without_handle"),
        (Lie::LateIssue, "late_issue"),
        (Lie::ExtendTwice, "extend_twice"),
        (Lie::ExtendAfterRevoke, "extend_after_revoke"),
        (Lie::GivenUp, "given_up"),
        (Lie::List, "list"),
        (Lie::FirstEndsFirst, "first_ends_first"),
        (Lie::SecondEndsFirst, "second_ends_first"),
        (Lie::IssueDuringRevoke, "issue_during_revoke"),
        (Lie::TakenByHand, "taken_by_hand"),
        (Lie::ThereBefore, "there_before"),
        (Lie::LostAnswer, "lost_answer"),
        (Lie::SlowTarget, "slow_target"),
        (Lie::ThrottlingTarget, "throttling_target"),
        (Lie::AnotherSecret, "another_secret"),
    ];
    let each = lies.map(|(lie, rule)| async move {
        let judged = judged(&bench(lie)).await;
        let broken: Vec<&str> = judged.broken.iter().map(|(name, _)| *name).collect();
        assert_eq!(broken, [rule], "{lie:?}: {judged:?}");
        assert_eq!(judged.held, RULES.len() - 1, "{lie:?}");
    });
    futures_util::future::join_all(each).await;
    // Together with the first rule, which the next test is about, these are all there are.
    assert_eq!(lies.len() + 1, RULES.len());
}

/// Where nothing is given, no other rule says anything.
#[tokio::test]
async fn an_issuer_that_only_says_that_it_gives_is_not_judged_further() {
    let judged = judged(&bench(Lie::GivesAndTakes)).await;
    assert_eq!(
        judged.broken,
        [("gives_and_takes", "given, it is not there".to_owned())]
    );
    assert_eq!((judged.held, judged.not_judged.len()), (1, RULES.len() - 2));
}

#[tokio::test]
async fn without_a_hand_five_rules_are_not_judged() {
    let bench = Bench::new(Arc::new(Model::new(Lie::None)), subject("alice"), clock());
    let judged = judged(&bench).await;
    assert_eq!(
        judged.not_judged,
        [
            "taken_by_hand",
            "there_before",
            "lost_answer",
            "slow_target",
            "throttling_target"
        ]
    );
    assert_eq!(judged.held, RULES.len() - 5, "{judged:?}");
}

/// What a wrong issuer leaves on the target is named.
#[tokio::test]
async fn what_could_not_be_taken_away_is_told() {
    let bench = bench(Lie::GivenUp);
    judged(&bench).await;
    let left = bench.left_there();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].ends_with("the target still shows it"), "{left:?}");
}
