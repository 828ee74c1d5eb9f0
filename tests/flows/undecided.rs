//! What nobody decides runs out.

use super::judged;
use super::support::World;

#[tokio::test]
async fn a_request_that_nobody_decides_runs_out() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.pass("59m").await;
    assert_eq!(world.card(&id).await.buttons.len(), 3);
    world.pass("2m").await;
    let card = world.card(&id).await;
    assert!(card.buttons.is_empty());
    let told = world.last_told("alice").await;
    assert!(told.contains(&id), "{told}");
    assert_eq!(world.kinds(&id).await, ["requested", "expired"]);
    judged(&world).await;
}

#[tokio::test]
async fn a_press_after_its_time_gives_nothing_though_no_job_ran() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    let card = world.card(&id).await;
    let button = card
        .buttons
        .iter()
        .find(|b| b.text.contains("Approve"))
        .unwrap();
    world.here.clock.advance(chrono::TimeDelta::minutes(61));
    let press = world
        .here
        .people
        .press(
            "U0BOB",
            super::support::APPROVALS,
            &card.ts,
            &button.action_id,
        )
        .await
        .unwrap();
    assert!(press.acked);
    world.settle().await;
    assert_eq!(world.kinds(&id).await, ["requested", "refused", "expired"]);
}

#[tokio::test]
async fn until_a_time_of_day_ends_then_even_when_approved_late() {
    let world = World::start().await;
    let answer = world
        .types("alice", "/jit request staging-ssh until 23:59 please")
        .await;
    // Whether that is within the maximum depends on the time of day; both answers are definite.
    match super::support::reference(&answer) {
        Some(id) => {
            world.pass("1m").await;
            world.presses("bob", "Approve", &id).await;
            let intended = world
                .record()
                .await
                .into_iter()
                .find(|entry| entry["kind"] == "issue_intended");
            let deadline = intended.unwrap()["facts"]["deadline"].as_i64().unwrap();
            let berlin = chrono::DateTime::from_timestamp_millis(deadline)
                .unwrap()
                .with_timezone(&chrono_tz::Europe::Berlin);
            assert_eq!(berlin.format("%H:%M:%S").to_string(), "23:59:00");
        }
        None => assert!(answer.contains("8h"), "says the maximum: {answer}"),
    }
}
