//! A machine whose clock was set anew.

use super::judged;
use super::support::World;
use chrono::TimeDelta;
use jitbot::clock::{Clock as _, Jump};

#[tokio::test]
async fn nothing_new_is_given_by_a_clock_that_was_set_anew_and_ends_go_on() {
    let world = World::start().await;
    let old = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.presses("bob", "Approve", &old).await;
    let jump = Jump {
        at: world.here.clock.now(),
        by: TimeDelta::hours(-24),
    };
    world.here.clock.set_jump(Some(jump));

    let mut held = Vec::new();
    for duration in ["2h", "3h"] {
        let id = world
            .asks(
                "alice",
                &format!("/jit request staging-ssh {duration} please"),
            )
            .await;
        world.presses("bob", "Approve", &id).await;
        assert_eq!(world.kinds(&id).await.last().unwrap(), "approved");
        held.push(id);
    }
    world.pass("1m").await;
    let told = world.security_reads().await;
    assert_eq!(told.len(), 1, "once: {told:#?}");
    assert!(told[0].contains("set back by 1d"), "{}", told[0]);

    world.types("alice", &format!("/jit done {old}")).await;
    assert_eq!(world.kinds(&old).await.last().unwrap(), "ended");

    world.here.clock.set_jump(None);
    world.pass("1m").await;
    for id in held {
        assert_eq!(world.kinds(&id).await.last().unwrap(), "issued");
    }
    judged(&world).await;
}
