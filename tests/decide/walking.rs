//! Random lives of a request. Everything in `checks` holds after each step; beside that it ends.

use chrono::TimeDelta;
use jitbot::domain::grant::{Evidence, GrantState};
use jitbot::domain::request::RequestState;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::steps::{Step, any_step};
use crate::walk::{Call, World};

fn often() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn walk(until_s: Option<i64>, steps: &[Step]) -> World {
    let mut world = World::new(until_s);
    world.check();
    for step in steps {
        world.take(*step);
    }
    world
}

proptest! {
    #![proptest_config(often())]

    #[test]
    fn whatever_happens_everything_that_must_hold_holds(
        until_s in option::weighted(0.3, 1..6_000_i64),
        steps in vec(any_step(), 0..100),
    ) {
        walk(until_s, &steps);
    }

    #[test]
    fn once_the_target_answers_it_ends(
        until_s in option::weighted(0.3, 1..6_000_i64),
        steps in vec(any_step(), 0..100),
        unknown in any::<bool>(),
    ) {
        let all = [&[Step::Approve { by_rule: false }][..], &steps].concat();
        let mut world = walk(until_s, &all);
        let due = world.grant.as_ref().map(|grant| grant.due_end()).unwrap();
        let at = world.now;
        world.take(Step::Crash);
        // It may be given or not: only the end is heard.
        for _ in 0..2_000 {
            if world.grant.as_ref().is_some_and(|grant| grant.state.is_over()) {
                break;
            }
            world.take(Step::UntilDue);
            world.take(Step::Revoke);
            world.take(Step::Gone(Evidence::SeenGone));
            world.take(Step::Issue { allowed: true });
            world.take(Step::Troubled { unknown, after_s: None });
        }
        let grant = world.grant.unwrap();
        prop_assert!(grant.state.is_over(), "{:?} for ever", grant.state);
        prop_assert!(!world.maybe_there);
        // At the latest when the longest wait before the next attempt is over.
        let latest = due.max(grant.due_end()).max(at) + TimeDelta::seconds(300);
        prop_assert!(grant.ended_at.unwrap() <= latest);
    }

    #[test]
    fn what_is_decided_stays_decided(
        first in prop::sample::select(vec![Step::Deny, Step::Withdraw, Step::RunOut]),
        steps in vec(any_step(), 0..40),
    ) {
        let mut world = walk(None, &[Step::UntilDue, first]);
        let decided = world.request.clone();
        prop_assert!(!decided.state.is_open());
        for step in steps {
            world.take(step);
            prop_assert_eq!(&world.request, &decided);
            prop_assert_eq!(world.grant.as_ref(), None);
        }
    }
}

/// The walk meets what it is there for: a walk that never got anywhere would prove nothing.
#[test]
fn walks_reach_every_state() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let (mut requests, mut grants, mut crashed) = (Vec::new(), Vec::new(), 0);
    for _ in 0..120 {
        let steps = vec(any_step(), 120)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let mut world = World::new(None);
        for step in steps {
            let in_flight = world.in_flight;
            world.take(step);
            crashed += usize::from(matches!(
                (step, in_flight),
                (Step::Crash, Some(Call::Issue | Call::Revoke))
            ));
            requests.push(world.request.state);
            grants.extend(world.grant.as_ref().map(|grant| grant.state));
        }
    }
    for state in GrantState::ALL {
        assert!(grants.contains(&state), "no walk reached {state:?}");
    }
    use RequestState as S;
    for state in [S::Pending, S::Approved, S::Denied, S::Withdrawn, S::Expired] {
        assert!(requests.contains(&state), "no walk reached {state:?}");
    }
    assert!(crashed > 10, "{crashed} calls were cut off");
}
