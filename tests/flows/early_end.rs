//! Ends before the deadline: done, revoke, withdraw.

use super::judged;
use super::support::World;

async fn given(world: &World) -> String {
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.presses("bob", "Approve", &id).await;
    id
}

fn krl_names(world: &World, id: &str) -> bool {
    let grant = format!("g{}", &id[1..]);
    let krl = std::fs::read(world.krl()).unwrap();
    krl.windows(grant.len())
        .any(|window| window == grant.as_bytes())
}

#[tokio::test]
async fn done_takes_it_away_at_once() {
    let world = World::start().await;
    let id = given(&world).await;
    assert!(!krl_names(&world, &id));
    let answer = world.types("alice", &format!("/jit done {id}")).await;
    assert!(answer.contains(&id), "{answer}");
    assert!(krl_names(&world, &id), "hosts refuse it from now on");
    assert_eq!(
        world.kinds(&id).await[3..],
        ["issued", "end_ordered", "ended"].map(String::from)
    );
    let ended = world.record().await.pop().unwrap();
    assert_eq!(ended["facts"]["evidence"], "seen_gone");
    assert_eq!(ended["facts"]["reason"], "done");

    // Again, when nothing is left: one sentence, no change.
    let entries = world.record().await.len();
    let answer = world.types("alice", &format!("/jit done {id}")).await;
    assert!(answer.contains("ended"), "{answer}");
    assert_eq!(world.record().await.len(), entries + 1, "only the refusal");
    world.pass("2h").await;
    assert_eq!(
        world
            .kinds(&id)
            .await
            .iter()
            .filter(|k| *k == "ended")
            .count(),
        1
    );
}

#[tokio::test]
async fn approvers_and_security_revoke_and_others_do_not() {
    let world = World::start().await;
    let id = given(&world).await;
    for stranger in ["erin", "olga"] {
        world
            .types(stranger, &format!("/jit revoke {id} because"))
            .await;
    }
    world
        .types("alice", &format!("/jit revoke {id} because"))
        .await;
    assert!(!krl_names(&world, &id), "nobody of these may");
    let answer = world
        .types("carol", &format!("/jit revoke {id} odd hours"))
        .await;
    assert!(answer.contains(&id), "{answer}");
    assert!(krl_names(&world, &id));
    let told = world.last_told("alice").await;
    assert!(told.contains("is over"), "{told}");
    let status = world.types("alice", &format!("/jit status {id}")).await;
    for said in [told, world.card(&id).await.visible_text, status] {
        assert!(
            said.contains("carol (“odd hours”)"),
            "by whom and why: {said}"
        );
    }
    let order = world
        .record()
        .await
        .into_iter()
        .find(|entry| entry["kind"] == "end_ordered")
        .unwrap();
    assert_eq!(order["rules"][0], "security.people");
    assert_eq!(order["actor"], "slack:T0SHOP/U0CAROL");
    judged(&world).await;
}

#[tokio::test]
async fn a_request_is_withdrawn_only_by_its_own_people() {
    let world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.types("bob", &format!("/jit withdraw {id}")).await;
    assert_eq!(world.card(&id).await.buttons.len(), 3);
    world.types("alice", &format!("/jit withdraw {id}")).await;
    assert!(world.card(&id).await.buttons.is_empty());
    assert_eq!(
        world.kinds(&id).await,
        ["requested", "refused", "withdrawn"]
    );
}

#[tokio::test]
async fn without_a_way_to_the_hosts_the_card_says_that_it_cannot_be_ended_early() {
    let world = World::without_hosts().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    let card = world.card(&id).await.visible_text;
    assert!(card.contains("can't be ended early"), "{card}");
    world.presses("bob", "Approve", &id).await;
    let answer = world.types("alice", &format!("/jit done {id}")).await;
    assert!(answer.contains("can't be ended early"), "{answer}");
    assert_eq!(world.kinds(&id).await.last().unwrap(), "refused");
}

#[tokio::test]
async fn a_list_that_somebody_emptied_is_put_back() {
    let world = World::start().await;
    let id = given(&world).await;
    world.types("alice", &format!("/jit done {id}")).await;
    assert!(krl_names(&world, &id));
    for round in 0..3 {
        std::fs::remove_file(world.krl()).unwrap();
        let made = std::process::Command::new("ssh-keygen")
            .args(["-k", "-f"])
            .arg(world.krl())
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        assert!(!krl_names(&world, &id), "an empty list refuses nobody");
        world.pass("6m").await;
        assert!(krl_names(&world, &id), "round {round}");
    }
}
