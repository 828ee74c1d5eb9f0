//! What whoever is on call sees of a life of access in traces, and that a collector in trouble is
//! nobody's trouble.

#[path = "support/mod.rs"]
mod support;

#[path = "traces/spans.rs"]
mod spans;

use std::process::ExitStatus;
use std::time::Duration;

use jitbot::clock::Stopwatch;
use jitbot::sandbox::people::FaultKind;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use spans::{Seen, Spans};
use support::collector::{Collector, Does, section};
use support::scene::{Scene, WAIT};
use support::watching::free;
use support::{APPROVALS, PEOPLE, Setup, id_of};
use tokio::process::{Child, Command};

const KEY: &str = "marker-of-a-test";
/// What a stop may take beside what is in flight, with a collector that hangs.
const SOON: Duration = Duration::from_secs(6);
const NOT_TAKEN: &str = "traces are not taken";
const LAST_LOST: &str = "the last traces were not taken";

async fn scene(section: String) -> Scene {
    let setup = Setup {
        more_config: section,
        ..Setup::default()
    };
    Scene::with(&setup).await
}

fn told(command: &mut Command) -> &mut Command {
    command
        .env("COLLECTOR_KEY", KEY)
        // The config says what holds.
        .env("OTEL_TRACES_SAMPLER", "always_off")
        .env("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "1")
        .env("OTEL_RESOURCE_ATTRIBUTES", "why=deploy is stuck")
}

async fn serve(scene: &Scene) -> Child {
    let mut command = scene.command();
    told(&mut command).env("RUST_LOG", "debug");
    scene.ready(command).await
}

fn tell(bot: &Child, signal: Signal) {
    let pid = i32::try_from(bot.id().unwrap()).unwrap();
    kill(Pid::from_raw(pid), signal).unwrap();
}

async fn stop(bot: &mut Child) -> (ExitStatus, Duration) {
    let begun = Stopwatch::start();
    tell(bot, Signal::SIGTERM);
    let status = tokio::time::timeout(WAIT, bot.wait()).await;
    (status.unwrap().unwrap(), begun.elapsed())
}

#[tokio::test]
async fn a_life_of_access_is_told_in_spans_and_in_ids_alone() {
    let collector = Collector::start(Does::Takes).await;
    let scene = scene(collector.section("")).await;
    let mut bot = serve(&scene).await;
    let id = scene.a_life().await;
    let grant = format!("g{}", &id[1..]);
    let form = scene
        .people
        .command(id_of("alice"), APPROVALS, "/jit request");
    assert!(form.await.unwrap().acked);
    let open = async || !scene.people.views(id_of("alice")).await.unwrap().is_empty();
    scene.until("the form", open).await;
    let unknown = scene
        .people
        .command(id_of("alice"), APPROVALS, "/jit pleace");
    assert!(unknown.await.unwrap().acked);
    let (status, took) = stop(&mut bot).await;
    assert!(status.success() && took < SOON, "{status:?} {took:?}");

    let spans = Spans::of(&collector);
    of_what_people_did(&spans, &id);
    of_jobs(&spans, &id, &grant);
    for span in &spans.0 {
        let has_parent = spans
            .0
            .iter()
            .any(|other| other.id == span.parent && other.trace == span.trace);
        assert!(span.parent.is_empty() || has_parent, "an orphan: {span:?}");
        assert!(
            span.took_ns < WAIT.as_nanos().try_into().unwrap(),
            "{span:?}"
        );
    }
    for (headers, body) in collector.received() {
        assert_eq!(headers["x-key"], KEY);
        assert_eq!(headers["content-type"], "application/x-protobuf");
        let text = String::from_utf8_lossy(&body);
        for never in [KEY, "deploy is stuck", "is over", "ssh-ed25519", "pleace"] {
            assert!(!text.contains(never), "{never} in {text}");
        }
    }
    for span in &spans.0 {
        for text in span.says.values() {
            let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
            let named = words.any(|word| PEOPLE.iter().any(|(name, _)| word == *name));
            assert!(!named, "{span:?}");
        }
    }
    // Spans are no part of any log.
    let log = scene.log();
    assert!(
        !log.contains("jitbot.verb") && !log.contains("otel."),
        "{log}"
    );
    assert!(
        !log.contains(NOT_TAKEN) && !log.contains(LAST_LOST),
        "{log}"
    );
    scene.nothing_is_lost_doubled_or_left(&id).await;
}

fn of_what_people_did(spans: &Spans, id: &str) {
    for (name, via, verb, outcome) in [
        ("typed request", "typed", "request", "received"),
        ("button approve", "button", "approve", "approved"),
        ("typed done", "typed", "done", "ending"),
    ] {
        let span = spans.one(name);
        assert!(span.parent.is_empty() && span.kind == SpanKind::Server && !span.failed);
        assert!(span.took_ns > 0);
        let said = ["jitbot.via", "jitbot.verb", "jitbot.outcome"].map(|key| span.says(key));
        assert_eq!(said, [via, verb, outcome]);
        assert_eq!(span.says("jitbot.request.id"), id);
        assert_eq!(span.says("jitbot.platform"), "slack");
        assert_eq!(span.says("jitbot.resource"), "staging-ssh");
    }
    let form = spans.one("typed request_form");
    let beside = spans.child(form, "beside the answer");
    let opened = spans.child(beside, "slack views.open");
    well(opened, "done");
    let refused = |span: &&Seen| span.says("jitbot.refusal") == "unknown_command";
    let refused: Vec<&Seen> = spans.0.iter().filter(refused).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].says("jitbot.outcome"), "refused");
}

fn of_jobs(spans: &Spans, id: &str, grant: &str) {
    let issue = spans.one("job issue");
    assert!(issue.parent.is_empty() && issue.kind == SpanKind::Consumer);
    assert_eq!(issue.says("jitbot.job.kind"), "issue");
    assert_eq!(issue.says("jitbot.lane"), "issuer:staging-ca");
    assert_eq!(issue.says("jitbot.attempt"), "1");
    assert_eq!(issue.says("jitbot.grant.id"), grant);
    assert!(issue.says("jitbot.job.id").parse::<i64>().unwrap() > 0);
    assert_eq!(issue.says("jitbot.outcome"), "issued");
    let call = spans.child(issue, "issuer issue");
    well(call, "done");
    assert_eq!(call.says("jitbot.issuer"), "staging-ca");
    assert_eq!(call.says("jitbot.op"), "issue");
    assert_eq!(call.says("jitbot.grant.id"), grant);
    assert!(call.took_ns <= issue.took_ns);

    let revoke = spans.named("job revoke");
    let revoke = revoke
        .iter()
        .find(|span| span.says("jitbot.outcome") == "gone");
    let revoke = revoke.expect("an attempt that ended it");
    well(spans.child(revoke, "issuer revoke"), "done");
    well(spans.child(revoke, "issuer inspect"), "absent");

    let cards = spans.named("job sync_card");
    assert!(
        cards
            .iter()
            .all(|card| card.says("jitbot.request.id") == id)
    );
    let posted = cards
        .iter()
        .find(|card| card.says("jitbot.outcome") == "card_posted");
    let post = spans.child(posted.expect("a card"), "slack chat.postMessage");
    well(post, "done");
    assert_eq!(post.says("jitbot.method"), "chat.postMessage");
}

fn well(call: &Seen, outcome: &str) {
    assert_eq!(call.kind, SpanKind::Client, "{call:?}");
    assert!(!call.failed, "{call:?}");
    assert_eq!(call.says("jitbot.outcome"), outcome, "{call:?}");
}

/// A call that failed is one that failed, and the attempt with it.
#[tokio::test]
async fn what_failed_is_told_as_failed() {
    let collector = Collector::start(Does::Takes).await;
    let scene = scene(collector.section("")).await;
    let mut bot = serve(&scene).await;
    let error = FaultKind::RateLimited { retry_after_s: 1 };
    scene
        .people
        .fault("chat.postMessage", 1, error)
        .await
        .unwrap();
    scene.ask().await;
    let (status, _) = stop(&mut bot).await;
    assert!(status.success());
    let spans = Spans::of(&collector);
    let posts = spans.named("slack chat.postMessage");
    let failed: Vec<&&Seen> = posts.iter().filter(|post| post.failed).collect();
    assert_eq!(failed.len(), 1, "{posts:?}");
    assert_eq!(failed[0].says("jitbot.outcome"), "rate_limited");
    let attempt = spans.0.iter().find(|span| span.id == failed[0].parent);
    let attempt = attempt.expect("an attempt");
    assert!(attempt.failed, "{attempt:?}");
    assert_eq!(attempt.says("jitbot.outcome"), "retry");
}

#[tokio::test]
async fn a_collector_that_fails_is_named_once_and_so_is_its_return() {
    let collector = Collector::start(Does::Fails).await;
    let scene = scene(collector.section("")).await;
    let mut bot = serve(&scene).await;
    let id = scene.a_life().await;
    more_comes(&scene, &collector, 3).await;
    let said = scene.log();
    assert_eq!(said.matches(NOT_TAKEN).count(), 1, "{said}");
    assert!(said.contains("answered with status 500"), "{said}");
    assert!(!said.contains(KEY), "{said}");

    collector.now(Does::Takes);
    let again = async || {
        help(&scene).await;
        scene.log().contains("traces are taken again")
    };
    scene.until("its return", again).await;
    let (status, took) = stop(&mut bot).await;
    assert!(status.success() && took < SOON, "{status:?} {took:?}");
    assert_eq!(scene.log().matches(NOT_TAKEN).count(), 1);
    scene.nothing_is_lost_doubled_or_left(&id).await;
}

#[tokio::test]
async fn a_collector_that_hangs_holds_nothing_up() {
    let collector = Collector::start(Does::NeverAnswers).await;
    let scene = scene(collector.section("timeout = \"1s\"")).await;
    let mut bot = serve(&scene).await;
    let id = scene.a_life().await;
    more_comes(&scene, &collector, 3).await;
    let (status, took) = stop(&mut bot).await;
    assert!(status.success() && took < SOON, "{status:?} {took:?}");
    let said = scene.log();
    assert_eq!(said.matches(NOT_TAKEN).count(), 1, "{said}");
    assert!(said.contains("no answer within 1 s"), "{said}");
    assert!(!said.contains(LAST_LOST), "one warning is enough: {said}");
    scene.nothing_is_lost_doubled_or_left(&id).await;
}

/// A stop does not wait for as long as a request may take.
#[tokio::test]
async fn a_stop_waits_for_a_collector_for_a_moment_only() {
    let collector = Collector::start(Does::NeverAnswers).await;
    let scene = scene(collector.section("timeout = \"30s\"")).await;
    let mut bot = serve(&scene).await;
    more_comes(&scene, &collector, 1).await;
    help(&scene).await;
    let (status, took) = stop(&mut bot).await;
    assert!(status.success() && took < SOON, "{status:?} {took:?}");
    let said = scene.log();
    assert_eq!(said.matches(LAST_LOST).count(), 1, "{said}");
    assert!(!said.contains(NOT_TAKEN), "{said}");

    // Not at all where a second signal says so.
    let mut bot = serve(&scene).await;
    more_comes(&scene, &collector, 1).await;
    help(&scene).await;
    let begun = Stopwatch::start();
    tell(&bot, Signal::SIGTERM);
    let stopped = async || scene.log().matches("jitbot::cli::serve: stopped").count() == 2;
    scene.until("all else to stop", stopped).await;
    tell(&bot, Signal::SIGTERM);
    let status = tokio::time::timeout(WAIT, bot.wait())
        .await
        .unwrap()
        .unwrap();
    assert!(status.success(), "{status:?}");
    assert!(
        begun.elapsed() < Duration::from_millis(2_500),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_collector_that_is_not_there_is_named_once() {
    let scene = scene(section(free(), "")).await;
    let mut bot = serve(&scene).await;
    let id = scene.a_life().await;
    for _ in 0..3 {
        help(&scene).await;
        a_batch_goes_out().await;
    }
    let (status, took) = stop(&mut bot).await;
    assert!(status.success() && took < SOON, "{status:?} {took:?}");
    let said = scene.log();
    assert_eq!(said.matches(NOT_TAKEN).count(), 1, "{said}");
    assert!(said.contains("can't be reached"), "{said}");
    assert!(!said.contains(LAST_LOST), "{said}");
    scene.nothing_is_lost_doubled_or_left(&id).await;
}

#[tokio::test]
async fn a_sample_of_none_sends_none() {
    let collector = Collector::start(Does::Takes).await;
    let scene = scene(collector.section("sample_ratio = 0.0")).await;
    let mut bot = serve(&scene).await;
    help(&scene).await;
    let (status, _) = stop(&mut bot).await;
    assert!(status.success());
    assert_eq!(collector.received().len(), 0);
}

#[tokio::test]
async fn traces_go_elsewhere_with_the_next_start_only() {
    let collector = Collector::start(Does::Takes).await;
    let scene = scene(collector.section("")).await;
    let bot = serve(&scene).await;
    let file = scene.path().join("jitbot.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let other = text.replace(&collector.address.to_string(), &free().to_string());
    std::fs::write(&file, other).unwrap();
    tell(&bot, Signal::SIGHUP);
    let refused = async || {
        scene
            .log()
            .contains("traces: can't change while jitbot runs")
    };
    scene.until("a refusal", refused).await;
}

/// What only the machine shows is said by a check too, without the secret.
#[tokio::test]
async fn a_check_says_what_can_not_be_sent() {
    let scene = scene(section(free(), "")).await;
    for (key, fine) in [(KEY, true), ("marker-of-a-test\nand-more", false)] {
        let mut check = Command::new(env!("CARGO_BIN_EXE_jitbot"));
        check
            .arg("check")
            .arg(scene.path().join("jitbot.toml"))
            .env("SLACK_BOT_TOKEN", &scene.tokens.0)
            .env("SLACK_APP_TOKEN", &scene.tokens.1)
            .env("COLLECTOR_KEY", key);
        let output = check.output().await.unwrap();
        let said = format!("{output:?}");
        assert_eq!(output.status.success(), fine, "{said}");
        assert_eq!(
            said.contains("traces.headers.x-key holds what can't be sent"),
            !fine,
            "{said}"
        );
        assert!(!said.contains(KEY), "{said}");
    }
}

async fn help(scene: &Scene) {
    let help = scene.people.command(id_of("alice"), APPROVALS, "/jit help");
    assert!(help.await.unwrap().acked);
}

/// Spans are made until so many more requests came.
async fn more_comes(scene: &Scene, collector: &Collector, more: usize) {
    let before = collector.received().len();
    let came = async || {
        help(scene).await;
        collector.received().len() >= before + more
    };
    scene.until("requests to the collector", came).await;
}

#[expect(clippy::disallowed_methods, reason = "batches go out in real time")]
async fn a_batch_goes_out() {
    tokio::time::sleep(Duration::from_millis(2_200)).await;
}
