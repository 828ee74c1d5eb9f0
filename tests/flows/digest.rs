//! The digest's numbers, recomputed from the exported record by other code.

use super::judged;
use super::support::World;

#[tokio::test]
async fn the_digests_numbers_are_those_of_the_record() {
    let world = World::start().await;
    let a = world.asks("alice", "/jit request staging-ssh 1h one").await;
    world.presses("bob", "Approve", &a).await;
    let b = world.asks("alice", "/jit request staging-ssh 2h two").await;
    world.denies("dana", &b, "too long").await;
    let c = world
        .asks("alice", "/jit request staging-ssh 3h three")
        .await;
    world.types("alice", &format!("/jit withdraw {c}")).await;
    world
        .asks("alice", "/jit request staging-ssh 4h four")
        .await;
    let e = world
        .asks("olga", "/jit request staging-ssh 30m five")
        .await;
    world.types("olga", &format!("/jit done {e}")).await;
    world.types("erin", "/jit request staging-ssh 1h six").await;
    world.pass("2h").await;

    let before = world.security_reads().await.len();
    let entries = world.record().await;
    let wait = world.next_digest();
    world.pass(&wait).await;
    let digests = world.security_reads().await;
    assert_eq!(digests.len(), before + 1, "one digest");
    let digest = digests.last().unwrap();

    // Nothing but words and numbers of the record, counted with other code than the bot's.
    let count = |kind: &str| entries.iter().filter(|e| e["kind"] == kind).count();
    let rule = entries
        .iter()
        .filter(|e| e["kind"] == "approved" && e["actor"].is_null())
        .count();
    let early = entries
        .iter()
        .filter(|e| e["kind"] == "ended" && e["facts"]["reason"] != "deadline")
        .count();
    let expected = [
        ("made", count("requested")),
        ("refused", count("refused")),
        ("approved by people", count("approved") - rule),
        ("approved by a rule", rule),
        ("denied", count("denied")),
        ("ran out", count("expired")),
        ("withdrawn", count("withdrawn")),
        ("given", count("issued")),
        ("ended", count("ended")),
        ("of them early", early),
    ];
    let words: Vec<&str> = digest
        .split([',', ':', ';', '(', '\n'])
        .map(str::trim)
        .collect();
    for (label, number) in expected {
        assert!(number > 0, "the story has one of each: {label}");
        let line = format!("{number} {label}");
        assert!(words.contains(&line.as_str()), "{line} in {words:?}");
    }
    let head = &format!("{}:", entries.len());
    assert!(
        digest.contains(head.as_str()),
        "the head counts the entries: {digest}"
    );

    world.pass("24h").await;
    assert_eq!(
        world.security_reads().await.len(),
        before + 2,
        "also when nothing happened"
    );
    judged(&world).await;
}
