//! The record is kept for so long, and no longer: what is old goes, what goes on keeps its past.

use chrono::TimeDelta;
use jitbot::domain::audit::Head;
use jitbot::domain::audit_verify::{Broken, Verified, Verifier};
use jitbot::domain::ids::RequestId;
use jitbot::sandbox::people::Change;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use super::support::{Setup, Site, World};

/// A world that keeps its record for 30 days.
async fn keeping(setup: Setup, more: impl Fn(&str) -> String) -> World {
    let mut site = Site::with(&setup).await;
    let store = "[store]\nkeep = \"30d\"\n";
    site.config = more(&site.config.replace("[store]\n", store));
    site.world().await
}

impl World {
    /// Days pass, for targets too, with a digest each day.
    async fn days(&self, days: i64) {
        for _ in 0..days {
            self.here.clock.advance_both(TimeDelta::days(1));
            self.settle().await;
        }
    }

    /// Days pass in which whatever can go goes.
    async fn days_by_the_hour(&self, days: i64) {
        for _ in 0..days * 8 {
            self.here.clock.advance_both(TimeDelta::hours(3));
            self.settle().await;
        }
    }

    async fn verified(&self, head: Option<Head>) -> Result<Verified, Broken> {
        let mut reader = self.app.store().reader().await.unwrap();
        let segments = reader.removed_segments().await.unwrap();
        let mut verifier = Verifier::after(&segments, head)?;
        for entry in reader.audit_after(0, 100_000).await.unwrap() {
            verifier.take(&entry)?;
        }
        verifier.finish()
    }

    async fn removed(&self) -> i64 {
        let verified = self.verified(None).await.unwrap();
        verified.removed.map_or(0, |removed| removed.count)
    }

    async fn head(&self) -> Head {
        let mut reader = self.app.store().reader().await.unwrap();
        reader.head().await.unwrap()
    }
}

#[tokio::test]
async fn what_is_over_for_long_enough_goes_and_the_heads_that_were_told_can_still_be_compared() {
    let world = keeping(Setup::default(), str::to_owned).await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h first")
        .await;
    world.presses("bob", "Approve", &id).await;
    world.types("alice", &format!("/jit done {id}")).await;
    world.types("erin", "/jit request staging-ssh 1h no").await;
    let before = world.head().await;
    world.days(1).await;
    let digest = world.security_reads().await.pop().unwrap();
    world.days(29).await;
    assert_eq!(world.removed().await, 0, "not old enough");
    world.days(3).await;
    assert!(world.removed().await >= before.count);
    let entries = world.record().await;
    assert!(!entries.iter().any(|entry| entry["request"] == id.as_str()));
    let told: Vec<_> = entries
        .iter()
        .filter(|entry| entry["kind"] == "segment_removed")
        .collect();
    assert!(!told.is_empty());
    let head = told[0]["facts"]["head"].as_str().unwrap();
    assert!(
        digest.contains(&head[..12]),
        "the head of {head} was told: {digest}"
    );
    let head: Head = head.parse().unwrap();
    assert!(world.verified(Some(head)).await.is_ok());

    let answer = world.types("alice", &format!("/jit status {id}")).await;
    let unknown = world.types("alice", "/jit status rzzzzzzzzzz").await;
    assert_eq!(
        answer.replace(&id, "ID"),
        unknown.replace("rzzzzzzzzzz", "ID")
    );
    let next = world
        .asks("alice", "/jit request staging-ssh 1h again")
        .await;
    world.presses("bob", "Approve", &next).await;
    assert!(
        world
            .last_told("alice")
            .await
            .contains("-cert-v01@openssh.com")
    );
    let world = world.restart().await;
    assert!(world.verified(None).await.is_ok());
}

#[tokio::test]
async fn access_that_lasts_keeps_its_beginning() {
    let world = keeping(Setup::default(), |config| {
        config.replacen("max = \"8h\"", "max = \"60d\"", 1)
    })
    .await;
    let id = world
        .asks("alice", "/jit request staging-ssh 45d long")
        .await;
    world.presses("bob", "Approve", &id).await;
    world.days(44).await;
    let told = world.kinds(&id).await;
    assert!(told.contains(&"requested".to_owned()), "{told:?}");
    world.days(30).await;
    let told = world.kinds(&id).await;
    assert!(
        told.contains(&"requested".to_owned()),
        "over, but not for long: {told:?}"
    );
    world.days_by_the_hour(20).await;
    assert_eq!(world.kinds(&id).await, Vec::<String>::new());
    let id = RequestId::new(id).unwrap();
    let mut reader = world.app.store().reader().await.unwrap();
    assert_eq!(reader.grant(&id.grant()).await, Ok(None));
}

#[tokio::test]
async fn without_a_word_everything_is_kept_and_a_reload_changes_that() {
    let world = World::start().await;
    world.days(40).await;
    assert_eq!(world.removed().await, 0);
    let mut world = world;
    let kept = world.here.config.clone();
    world.here.config = kept.replace("[store]\n", "[store]\nkeep = \"30d\"\n");
    world.app.reload(world.here.read()).await.unwrap();
    world.settle().await;
    let shorter = "The record is kept for less time";
    assert_eq!(world.security_reads_with(shorter).await, 1);
    let told = world.security_reads_with("kept for 30 days; it was kept for ever");
    assert_eq!(told.await, 1);
    // Read again it is the same, and the look stands.
    world.pass("12h").await;
    world.app.reload(world.here.read()).await.unwrap();
    world.pass("11h").await;
    assert_eq!(world.removed().await, 0, "the first look comes a day later");
    world.pass("61m").await;
    let removed = world.removed().await;
    assert!(removed > 0);
    assert_eq!(world.security_reads_with(shorter).await, 1);
    world.here.config = kept;
    world.app.reload(world.here.read()).await.unwrap();
    world.days(3).await;
    assert_eq!(world.removed().await, removed);
    let words = format!("Record: {removed} old entries were removed");
    assert_eq!(world.security_reads_with(&words).await, 1);
    // For ever is not shorter than anything; anything is shorter than that, also after a start.
    assert_eq!(world.security_reads_with(shorter).await, 1);
    world.here.config = world
        .here
        .config
        .replace("[store]\n", "[store]\nkeep = \"60d\"\n");
    let world = world.restart().await;
    world.settle().await;
    assert_eq!(world.security_reads_with(shorter).await, 2);
}

#[tokio::test]
async fn not_all_goes_at_once_and_a_start_puts_the_first_look_off_by_a_day() {
    let mut world = World::start().await;
    world.days(55).await;
    // Of these 25 are too old, all at once.
    let config = &world.here.config;
    world.here.config = config.replace("[store]\n", "[store]\nkeep = \"30d\"\n");
    let world = world.restart().await;
    world.pass("23h").await;
    assert_eq!(world.removed().await, 0);
    world.pass("61m").await;
    assert!(world.removed().await > 0);
    let segments = async || {
        let mut reader = world.app.store().reader().await.unwrap();
        reader.removed_segments().await.unwrap()
    };
    let before = segments().await;
    // A day in steps that are shorter than any pause between two removals.
    for _ in 0..48 {
        let half_an_hour = TimeDelta::minutes(30);
        world.here.clock.advance_both(half_an_hour);
        world.settle().await;
    }
    let after = segments().await;
    let days = after.last().unwrap().last_at - before.last().unwrap().last_at;
    assert!(days > TimeDelta::days(2), "{days}");
    assert!(days < TimeDelta::days(9), "{days}");
}

#[tokio::test]
async fn what_is_old_goes_also_where_the_bot_never_runs_for_a_day() {
    let world = keeping(Setup::default(), str::to_owned).await;
    world.days(29).await;
    assert_eq!(world.removed().await, 0);
    let mut world = world;
    for _ in 0..8 {
        let World { here, app } = world;
        app.stop().await;
        here.clock.advance_both(TimeDelta::hours(20));
        world = here.world().await;
    }
    assert!(world.removed().await > 0);
}

#[tokio::test]
async fn after_a_long_time_away_the_clock_is_given_a_day_to_be_put_right() {
    let world = keeping(Setup::default(), str::to_owned).await;
    world.days(2).await;
    let World { here, app } = world;
    app.stop().await;
    here.clock.advance_both(TimeDelta::days(60));
    let world = here.world().await;
    world.pass("22h").await;
    assert_eq!(world.removed().await, 0);
    // Started again meanwhile: the moment stays.
    let world = world.restart().await;
    world.pass("1h").await;
    assert_eq!(world.removed().await, 0);
    world.pass("61m").await;
    assert!(world.removed().await > 0);
}

#[tokio::test]
async fn a_clock_that_was_set_anew_removes_nothing() {
    use jitbot::clock::{Clock as _, Jump};
    let world = keeping(Setup::default(), str::to_owned).await;
    world.days(1).await;
    let jump = Jump {
        at: world.here.clock.now(),
        by: TimeDelta::days(40),
    };
    world.here.clock.set_jump(Some(jump));
    world.here.clock.advance_both(TimeDelta::days(40));
    world.settle().await;
    assert_eq!(world.removed().await, 0);
    // It was put right, and the engine's time went on from where it was.
    world.here.clock.set_jump(None);
    world.here.clock.advance_both(TimeDelta::days(-40));
    world.here.clock.advance(TimeDelta::days(41));
    world.settle().await;
    assert_eq!(
        world.removed().await,
        0,
        "by the machine's clock nothing is old"
    );
}

#[tokio::test]
async fn a_record_that_was_changed_is_not_removed_for_that_would_hide_it() {
    let world = keeping(Setup::default(), str::to_owned).await;
    world.types("erin", "/jit request staging-ssh 1h no").await;
    world.days(1).await;
    // What the database itself forbids, somebody with the file can do all the same.
    let db = world.here.folder.path().join("jitbot.db");
    let mut shell = SqliteConnectOptions::new()
        .filename(db)
        .connect()
        .await
        .unwrap();
    sqlx::raw_sql(
        "DROP TRIGGER audit_is_not_edited;
        UPDATE audit SET body = replace(body, 'U0ERIN', 'U0EVE!') WHERE body LIKE '%U0ERIN%'",
    )
    .execute(&mut shell)
    .await
    .unwrap();
    world.days(34).await;
    let mut reader = world.app.store().reader().await.unwrap();
    assert_eq!(reader.removed_segments().await, Ok(Vec::new()));
    let first = reader.audit_after(0, 1).await.unwrap();
    assert_eq!(first[0].seq, 1);
    drop(reader);
    let told = async || {
        world
            .security_reads_with("The record is not as it was made")
            .await
    };
    let often = told().await;
    assert!((1..=5).contains(&often), "{often}");
    world.days_by_the_hour(1).await;
    assert_eq!(told().await, often + 1, "once a day");
    // Nor where the end of what a digest told is another.
    sqlx::raw_sql("UPDATE digests SET to_hash = replace(to_hash, 'a', 'b')")
        .execute(&mut shell)
        .await
        .unwrap();
    world.days(1).await;
    let words = "a digest told another head of the record";
    assert_eq!(world.security_reads_with(words).await, 1);
}

#[tokio::test]
async fn security_is_not_told_again_of_what_a_removed_entry_remembered() {
    let world = keeping(Setup::with_usergroups(), str::to_owned).await;
    let renames = |group: &str, handle: &str| Change::RenameGroup {
        group: group.to_owned(),
        handle: handle.to_owned(),
    };
    world.changes(renames("S0ENG", "engineers")).await;
    world.changes(renames("S0NEW", "engineering")).await;
    let world = world.restart().await;
    let moved = "means another user group now";
    assert_eq!(world.security_reads_with(moved).await, 1);
    // For so long that what tells of the removal is removed itself.
    for _ in 0..2 {
        world.days(34).await;
        let entries = world.record().await;
        assert!(!entries.iter().any(|entry| entry["kind"] == "started"));
        let kept = entries
            .iter()
            .rfind(|entry| !entry["facts"]["keep_days"].is_null());
        assert_eq!(kept.unwrap()["facts"]["keep_days"], 30);
    }
    let world = world.restart().await;
    assert_eq!(world.security_reads_with(moved).await, 1);
    let shorter = "The record is kept for less time";
    assert_eq!(world.security_reads_with(shorter).await, 0);
}
