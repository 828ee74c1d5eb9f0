//! A config that is read again while the bot runs: taken up as a whole, or not at all.

use super::judged;
use super::support::{APPROVALS, SECURITY, World};

impl World {
    /// The config is changed and read again.
    pub async fn reloads(&mut self, old: &str, new: &str) -> Result<(), Vec<String>> {
        assert!(self.here.config.contains(old), "{old:?} is not in it");
        let before = self.here.config.clone();
        self.here.config = before.replace(old, new);
        let taken_up = self.app.reload(self.here.read()).await;
        self.settle().await;
        if taken_up.is_err() {
            self.here.config = before;
        }
        taken_up.map(|_| ()).map_err(|refused| refused.0)
    }

    async fn record_of(&self, kind: &str) -> Vec<serde_json::Value> {
        let all = self.record().await;
        all.into_iter().filter(|e| e["kind"] == kind).collect()
    }
}

#[tokio::test]
async fn a_good_file_holds_from_then_on_and_security_reads_what_differs() {
    let mut world = World::start().await;
    let refused = world.types("alice", "/jit request db-ssh 1h please").await;
    assert!(refused.contains("db-ssh"), "{refused}");
    let waiting = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;

    let db = "[resource.db-ssh]\ntitle = \"Shell on the database\"\nproject = \"shop\"\naction = \"shell\"\nrisk = \"low\"\nissuer = \"staging-ca\"\ngrant = { principals = [\"db\"] }\nduration = { default = \"1h\", max = \"2h\" }\nrequest = [\"group:engineering\"]\napprove = [{ from = [\"group:sre\"] }]\nchannels = [\"slack:#approvals\"]\n[resource.prod-ssh]";
    world.reloads("[resource.prod-ssh]", db).await.unwrap();
    world
        .reloads(
            "[group.sre]\nmembers = [\"person:bob\", \"person:dana\"]",
            "[group.sre]\nmembers = [\"person:carol\", \"person:dana\"]",
        )
        .await
        .unwrap();

    let told = world.security_reads().await;
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].contains("The policy changed"), "{}", told[0]);
    assert!(told[0].contains("resource.db-ssh is new."), "{}", told[0]);
    assert!(told[1].contains("group.sre is different."), "{}", told[1]);
    assert!(!told[1].contains("db-ssh"), "{}", told[1]);
    world.asks("alice", "/jit request db-ssh 1h please").await;
    // Who is no approver any more decides nothing, also on what was asked before.
    world.presses("bob", "Approve", &waiting).await;
    assert!(!world.kinds(&waiting).await.contains(&"approved".to_owned()));
    world.presses("dana", "Approve", &waiting).await;
    let kinds = world.kinds(&waiting).await;
    assert!(kinds.contains(&"issued".to_owned()), "{kinds:?}");

    // The record says which policy held when.
    let changed = world.record_of("policy_changed").await;
    let reloaded = world.record_of("reloaded").await;
    let started = world.record_of("started").await;
    let approved = world.record_of("approved").await;
    assert_eq!((changed.len(), reloaded.len()), (2, 2));
    assert_eq!(changed[0]["facts"]["from"], started[0]["policy"]);
    assert_eq!(changed[1]["facts"]["from"], changed[0]["policy"]);
    assert_eq!(changed[1]["facts"]["what"][0], "group.sre");
    assert_eq!(approved[0]["policy"], changed[1]["policy"]);

    // What decides nothing is no change of policy, but on record.
    world
        .reloads("[security]", "# a word\n[security]")
        .await
        .unwrap();
    assert_eq!(world.security_reads().await.len(), 2);
    assert_eq!(world.record_of("reloaded").await.len(), 3);
    judged(&world).await;
}

#[tokio::test]
async fn a_bad_file_changes_nothing_and_is_told_once() {
    let mut world = World::start().await;
    let bad = "duration = { default = \"1h\", max = \"8x\" }";
    let good = "duration = { default = \"1h\", max = \"8h\" }";
    for _ in 0..2 {
        let why = world.reloads(good, bad).await.unwrap_err();
        assert_eq!(why.len(), 1, "{why:?}");
        assert!(why[0].contains("resource.staging-ssh.duration.max"));
    }
    let told = world.security_reads().await;
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(
        told[0].contains("was not taken up") && told[0].contains("\"8x\" is not a duration"),
        "{}",
        told[0]
    );
    let why = world
        .reloads("slack:#approvals", "slack:#approval")
        .await
        .unwrap_err();
    assert!(why.iter().any(|line| line.contains("#approval")), "{why:?}");
    assert_eq!(world.security_reads().await.len(), 2, "another refusal");
    assert_eq!(world.record_of("reload_refused").await.len(), 3);
    assert!(world.record_of("policy_changed").await.is_empty());

    // All goes on as before, and after a file that is taken up the same refusal is news again.
    world
        .asks("alice", "/jit request staging-ssh 8h please")
        .await;
    world
        .reloads("[security]", "# a word\n[security]")
        .await
        .unwrap();
    world.reloads(good, bad).await.unwrap_err();
    assert_eq!(world.security_reads().await.len(), 3);
    judged(&world).await;
}

#[tokio::test]
async fn what_needs_a_restart_is_named_and_the_rest_is_not_taken_up_either() {
    let mut world = World::start().await;
    let api = format!("http://{}/api", world.here.sandbox.addr);
    let base = world.here.config.clone();
    world.here.config = base
        .replace(&api, "http://127.0.0.1:9/api")
        .replace("jitbot.db\"", "other.db\"")
        .replace("[limits]", "")
        + "[http]\nlisten = \"127.0.0.1:1\"\n[limits]\nmax_open_per_person = 1\n";
    let refused = world.app.reload(world.here.read()).await.unwrap_err().0;
    world.settle().await;
    let said = refused.join("\n");
    for key in ["slack.api_url", "store.url", "http.listen"] {
        assert!(
            said.contains(&format!("{key}: can't change while jitbot runs.")),
            "{said}"
        );
    }
    assert_eq!(refused.len(), 3, "{said}");
    for _ in 0..2 {
        world
            .asks("alice", "/jit request staging-ssh 1h please")
            .await;
        world
            .asks("alice", "/jit request staging-ssh 2h please")
            .await;
    }
}

#[tokio::test]
async fn an_issuer_with_live_grants_is_not_taken_away_and_the_grants_are_named() {
    let mut world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.presses("bob", "Approve", &id).await;
    let grant = format!("g{}", &id[1..]);
    for (old, new, said) in [
        ("staging-ca", "other-ca", "the config no longer has it"),
        ("target/jitbot.krl", "target/other.krl", "target/jitbot.krl"),
    ] {
        let why = world.reloads(old, new).await.unwrap_err().join("\n");
        assert!(
            why.contains("`staging-ca`") && why.contains(&grant) && why.contains(said),
            "{why}"
        );
        let told = world.security_reads().await;
        assert!(told.last().unwrap().contains(&grant), "{told:#?}");
    }
    // Marked as retired, it gives nothing more and takes away what it gave.
    let ca = world.here.folder.path().join("ca");
    let second = world.here.folder.path().join("second");
    jitbot::sandbox::ssh::keys::make(&second, "second").unwrap();
    let config = world.here.config.clone();
    world.here.config = config
        .replace("[issuer.staging-ca]", "[issuer.staging-ca]\nretired = true")
        .replace("issuer = \"staging-ca\"", "issuer = \"second-ca\"")
        + &format!(
            "[issuer.second-ca]\nkind = \"ssh-ca\"\nca_key = {{ file = \"{}\" }}\nkrl = {{ path = \"{}\" }}\n",
            second.display(),
            ca.with_file_name("target/second.krl").display()
        );
    world.app.reload(world.here.read()).await.unwrap();
    world.settle().await;
    let other = world.asks("alice", "/jit request prod-ssh 1h please").await;
    world.presses("bob", "Approve", &other).await;
    world.presses("dana", "Approve", &other).await;
    assert!(world.kinds(&other).await.contains(&"issued".to_owned()));
    world.types("alice", &format!("/jit done {id}")).await;
    assert_eq!(world.kinds(&id).await.last().unwrap(), "ended");
    let krl = std::fs::read(world.krl()).unwrap();
    assert!(krl.windows(grant.len()).any(|w| w == grant.as_bytes()));
    assert!(world.here.folder.path().join("target/second.krl").exists());
}

#[tokio::test]
async fn what_was_approved_otherwise_is_not_given_and_what_was_given_ends_as_approved() {
    let mut world = World::start().await;
    let live = world.asks("olga", "/jit request staging-ssh 1h live").await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.presses_only("bob", "Approve", &id).await;
    let old = "grant = { principals = [\"deploy\"] }";
    let new = "grant = { principals = [\"root\"] }";
    world.reloads(old, new).await.unwrap();
    let kinds = world.kinds(&id).await;
    assert!(kinds.contains(&"grant_cancelled".to_owned()), "{kinds:?}");
    assert!(!kinds.contains(&"issue_intended".to_owned()), "{kinds:?}");
    let told = world.last_told("alice").await;
    assert!(told.contains("no longer the same"), "{told}");

    // Shorter now, other people, another title: what lives goes on to its own end.
    world
        .reloads("max = \"8h\"", "max = \"61m\"")
        .await
        .unwrap();
    world.pass("59m").await;
    assert!(!world.kinds(&live).await.contains(&"ended".to_owned()));
    world.pass("2m").await;
    assert_eq!(world.kinds(&live).await.last().unwrap(), "ended");
}

#[tokio::test]
async fn who_may_no_longer_ask_loses_what_they_hold() {
    let mut world = World::start().await;
    let id = world
        .asks("alice", "/jit request staging-ssh 1h please")
        .await;
    world.presses("bob", "Approve", &id).await;
    let other = world.asks("olga", "/jit request staging-ssh 1h more").await;
    let old = "members = [\"person:alice\", \"person:bob\", \"person:olga\"]";
    let new = "members = [\"person:bob\", \"person:olga\"]";
    world.reloads(old, new).await.unwrap();
    assert_eq!(world.kinds(&id).await.last().unwrap(), "ended");
    assert!(!world.kinds(&other).await.contains(&"ended".to_owned()));
}

#[tokio::test]
async fn a_channel_that_was_lost_meanwhile_holds_up_no_other_change_and_a_new_one_must_be_there() {
    let mut world = World::start().await;
    world.here.people.archive(APPROVALS).await.unwrap();
    let (eight, nine) = ("max = \"8h\"", "max = \"9h\"");
    world.reloads(eight, nine).await.unwrap();
    let why = world
        .reloads(
            "channels = [\"slack:#security\"]",
            "channels = [\"slack:#nowhere\"]",
        )
        .await
        .unwrap_err();
    assert_eq!(why.len(), 1, "{why:?}");
    assert!(
        why[0].contains("`slack:#nowhere` matches no channel"),
        "{why:?}"
    );
    assert!(
        world
            .security_reads()
            .await
            .iter()
            .any(|told| told.contains("#nowhere"))
    );
}

#[tokio::test]
async fn a_new_hour_for_the_digest_holds_at_once() {
    let mut world = World::start().await;
    // It is noon.
    world
        .reloads("cron = \"0 9 * * *\"", "cron = \"0 15 * * *\"")
        .await
        .unwrap();
    let before = world.security_reads().await.len();
    world.pass("2h59m").await;
    assert_eq!(world.security_reads().await.len(), before);
    world.pass("2m").await;
    assert_eq!(world.security_reads().await.len(), before + 1);
    world.pass("20h").await;
    assert_eq!(
        world.security_reads().await.len(),
        before + 1,
        "not at nine"
    );
    world.pass("4h").await;
    assert_eq!(world.security_reads().await.len(), before + 2);
}

#[tokio::test]
async fn a_policy_that_came_with_a_restart_is_told_too_and_a_channel_that_is_dropped_reads_of_it() {
    let mut world = World::start().await;
    let World { mut here, app } = world;
    app.stop().await;
    here.config = here.config.replace("max = \"8h\"", "max = \"9h\"");
    world = here.world().await;
    let told = world.security_reads().await;
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(
        told[0].contains("resource.staging-ssh is different: max_s."),
        "{}",
        told[0]
    );
    world = world.restart().await;
    assert_eq!(world.security_reads().await.len(), 1, "the same as before");
    // Back to one that held once is a change as well.
    world.pass("1m").await;
    let World { mut here, app } = world;
    app.stop().await;
    here.config = here.config.replace("max = \"9h\"", "max = \"8h\"");
    world = here.world().await;
    assert_eq!(world.security_reads().await.len(), 2);
    world = world.restart().await;
    assert_eq!(world.security_reads().await.len(), 2, "the same as before");
    world
        .reloads(
            "channels = [\"slack:#security\"]",
            "channels = [\"slack:#approvals\"]",
        )
        .await
        .unwrap();
    let told = world.security_reads().await;
    assert!(
        told[2].contains("security is different: channels."),
        "{told:#?}"
    );
    let there = world
        .here
        .people
        .messages("U0BOB", APPROVALS)
        .await
        .unwrap();
    assert!(there[0].visible_text.contains("The policy changed"));
}

#[tokio::test]
async fn news_for_a_dropped_channel_that_nobody_can_post_to_are_given_up() {
    let mut world = World::start().await;
    world.here.people.archive(SECURITY).await.unwrap();
    world
        .reloads(
            "channels = [\"slack:#security\"]",
            "channels = [\"slack:#approvals\"]",
        )
        .await
        .unwrap();
    world.pass("6m").await;
    world.pass("1h").await;
    let there = world
        .here
        .people
        .messages("U0BOB", APPROVALS)
        .await
        .unwrap();
    assert!(there[0].visible_text.contains("The policy changed"));
    assert!(world.told("carol").await.is_empty());
    let mut reader = world.app.store().reader().await.unwrap();
    let open = reader.open_jobs().await.unwrap();
    let waits = |(key, state): &&(String, _)| {
        let prefixes = ["policy:", "once-back:", "privately:"];
        *state == "waiting" && prefixes.iter().any(|prefix| key.starts_with(prefix))
    };
    assert_eq!(open.iter().filter(waits).count(), 0, "{open:?}");
}
