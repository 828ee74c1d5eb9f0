//! What watches over the bot sees: the real binary asked over HTTP, in a life, while Slack is away and
//! while nothing can be written.

#[path = "support/mod.rs"]
mod support;

#[path = "operating/exposition.rs"]
mod exposition;
#[path = "operating/packaged.rs"]
mod packaged;

use std::net::SocketAddr;
use std::time::Duration;

use exposition::Exposition;
use jitbot::sandbox::people::{Change, Disconnect, FaultKind};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::scene::Scene;
use support::watching::{free, get, served_at};
use support::{APPROVALS, PEOPLE, Site, id_of};

async fn scrape(at: SocketAddr) -> Exposition {
    let (status, head, body) = get(at, "/metrics").await;
    assert_eq!(status, 200, "{body}");
    assert!(
        head.contains("content-type: text/plain; version=0.0.4"),
        "{head}"
    );
    Exposition::read(&body).unwrap_or_else(|problem| panic!("{problem}\n{body}"))
}

/// Asks for the numbers until this one is there, no more often than is allowed.
#[expect(
    clippy::disallowed_methods,
    reason = "it waits for another process, in real time"
)]
async fn until(at: SocketAddr, series: &str, value: f64) -> Exposition {
    let mut told = scrape(at).await;
    for _ in 0..60 {
        if told.value(series) == Some(value) {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
        told = scrape(at).await;
    }
    panic!("{series} was never {value}:\n{}", told.text);
}

async fn until_ready(scene: &Scene, at: SocketAddr) {
    let holds = async || get(at, "/readyz").await.0 == 200;
    scene.until("readiness", holds).await;
}

#[tokio::test]
async fn a_life_is_counted_and_nobody_is_named() {
    let at = free();
    let scene = Scene::with(&served_at(at)).await;
    let bot = scene.serve().await;
    assert_eq!(get(at, "/healthz").await.2, "ok\n");
    until_ready(&scene, at).await;
    let first = scrape(at).await;
    for series in ["jitbot_requests_total", "jitbot_grants_live"] {
        assert_eq!(first.value(series), Some(0.0), "{series}");
    }
    let version = env!("CARGO_PKG_VERSION");
    let build = format!("jitbot_build_info{{version=\"{version}\"}}");
    assert_eq!(first.value(&build), Some(1.0));
    assert_eq!(first.value("jitbot_ready"), Some(1.0));

    let (id, card) = scene.ask().await;
    let pending = until(at, "jitbot_requests_pending", 1.0).await;
    assert_eq!(pending.value("jitbot_requests_total"), Some(1.0));
    scene.approve(&card).await;
    scene.until_recorded("issued").await;
    until(at, "jitbot_grants_live", 1.0).await;
    scene.done(&id).await;
    scene.over().await;
    // A rule refuses: nobody may ask for that long.
    let refused = scene
        .people
        .command(
            id_of("alice"),
            APPROVALS,
            "/jit request staging-ssh 900h please",
        )
        .await
        .unwrap();
    assert!(refused.acked);
    let ended = "jitbot_grants_ended_total{evidence=\"seen_gone\"}";
    until(at, ended, 1.0).await;
    let by_person = scrape(at).await;
    let rule = "jitbot_decisions_total{by=\"rule\",decision=\"approved\"}";
    assert_eq!(
        by_person.value(rule),
        Some(0.0),
        "only a person decided so far"
    );
    // A rule approves.
    let by_rule = scene
        .people
        .command(
            id_of("olga"),
            APPROVALS,
            "/jit request staging-ssh 30m pager",
        )
        .await
        .unwrap();
    assert!(by_rule.visible_text.contains("rule"), "{by_rule:?}");

    until(at, "jitbot_grants_given_total", 2.0).await;
    let told = scrape(at).await;
    for (series, value) in [
        ("jitbot_requests_total", 2.0),
        (
            "jitbot_decisions_total{by=\"person\",decision=\"approved\"}",
            1.0,
        ),
        (
            "jitbot_decisions_total{by=\"rule\",decision=\"approved\"}",
            1.0,
        ),
        ("jitbot_decision_time_seconds_count{by=\"person\"}", 1.0),
        ("jitbot_decision_time_seconds_count{by=\"rule\"}", 1.0),
        ("jitbot_issue_duration_seconds_count", 2.0),
        ("jitbot_revoke_duration_seconds_count", 1.0),
        ("jitbot_revocation_lag_seconds_count", 1.0),
        ("jitbot_grants_live", 1.0),
        ("jitbot_grants_stuck", 0.0),
        ("jitbot_jobs_waiting{lane=\"issuer\"}", 0.0),
        ("jitbot_oldest_job_age_seconds{lane=\"issuer\"}", 0.0),
        // Two requests, a press, a refusal, and giving back.
        (
            "jitbot_answer_duration_seconds_count{platform=\"slack\"}",
            5.0,
        ),
    ] {
        assert_eq!(told.value(series), Some(value), "{series}\n{}", told.text);
    }
    let lag = told.value("jitbot_revocation_lag_seconds_sum").unwrap();
    assert!((0.0..60.0).contains(&lag), "{lag}");
    let age = told.value("jitbot_fact_age_seconds{source=\"slack\",facts=\"accounts\"}");
    assert!(
        age.is_some_and(|age| (0.0..600.0).contains(&age)),
        "{age:?}"
    );
    assert_eq!(told.of("jitbot_refusals_total"), 1.0, "{}", told.text);

    // Whoever may read the numbers learns nothing of anybody.
    let (token, app_token) = &scene.tokens;
    let mut never = vec![
        token.as_str(),
        app_token,
        &id,
        "deploy is stuck",
        "staging",
        "ticket=",
    ];
    never.extend(PEOPLE.iter().map(|(_, id)| *id));
    for text in never {
        assert!(!told.text.contains(text), "{text}");
    }

    let pid = Pid::from_raw(i32::try_from(bot.id().unwrap()).unwrap());
    kill(pid, Signal::SIGHUP).unwrap();
    until(at, "jitbot_config_reloads_total{outcome=\"taken_up\"}", 1.0).await;
    std::fs::write(scene.path().join("jitbot.toml"), "nonsense").unwrap();
    kill(pid, Signal::SIGHUP).unwrap();
    until(at, "jitbot_config_reloads_total{outcome=\"refused\"}", 1.0).await;
}

#[tokio::test]
async fn not_ready_while_slack_is_away_and_ready_again_after() {
    let at = free();
    let scene = Scene::with(&served_at(at)).await;
    let _bot = scene.serve().await;
    until_ready(&scene, at).await;
    let away = FaultKind::Status(503);
    let always = scene.people.fault("apps.connections.open", 10_000, away);
    always.await.unwrap();
    let both = scene.people.disconnect_sockets(Disconnect::Abrupt);
    both.await.unwrap();
    let holds = async || get(at, "/readyz").await.0 == 503;
    scene.until("unready", holds).await;
    let (_, _, said) = get(at, "/readyz").await;
    assert!(said.contains("connection to Slack is down"), "{said}");
    assert!(!said.contains("the store"), "only what is wrong: {said}");
    assert_eq!(
        get(at, "/healthz").await.0,
        200,
        "it is no reason to restart"
    );
    scene.people.clear_faults().await.unwrap();
    until_ready(&scene, at).await;
    // A card that can't be posted is an error of the platform.
    let gone = FaultKind::SlackError("internal_error".into());
    scene
        .people
        .fault("chat.postMessage", 1, gone)
        .await
        .unwrap();
    scene.ask().await;
    let unknown = "jitbot_chat_errors_total{platform=\"slack\",kind=\"unknown\"}";
    until(at, unknown, 1.0).await;
}

#[tokio::test]
async fn not_ready_where_slack_would_open_no_connection() {
    let at = free();
    let scene = Scene::with(&served_at(at)).await;
    let revoked = FaultKind::SlackError("invalid_auth".into());
    let _bot = scene.serve().await;
    let always = scene.people.fault("apps.connections.open", 10_000, revoked);
    always.await.unwrap();
    let holds = async || get(at, "/readyz").await.0 == 503;
    scene.until("unready", holds).await;
    let (_, _, said) = get(at, "/readyz").await;
    assert!(said.contains("invalid_auth"), "{said}");
}

#[tokio::test]
async fn not_ready_with_an_app_token_of_another_app_until_the_right_one_is_read() {
    let at = free();
    let scene = Scene::with(&served_at(at)).await;
    let token = scene.path().join("app_token");
    let write = |text: &str| {
        std::fs::write(&token, text).unwrap();
        let alone = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&token, alone).unwrap();
    };
    let other = format!("xapp-{:x}", rand::random::<u128>());
    write(&other);
    let change = Change::IssueTokenOfOtherApp {
        token: other,
        app_id: "A0OTHER".to_owned(),
    };
    scene.people.change(change).await.unwrap();
    let config = scene.path().join("jitbot.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let from_file = format!("app_token = {{ file = \"{}\" }}", token.display());
    let text = text.replace("app_token = { env = \"SLACK_APP_TOKEN\" }", &from_file);
    assert!(text.contains(&from_file));
    std::fs::write(&config, text).unwrap();
    let bot = scene.command().spawn().unwrap();
    let said = "slack.app_token is of Slack app A0OTHER, and the bot token is of another";
    let holds = async || {
        let (status, _, body) = get(at, "/readyz").await;
        status == 503 && body.contains(said)
    };
    scene.until("unready", holds).await;
    let logged = "the app token is of Slack app A0OTHER, and the bot token of A0SANDBOX";
    let log = scene.log();
    let line = log.lines().find(|line| line.contains(logged));
    assert!(line.is_some_and(|line| line.contains("ERROR")), "{log}");

    write(&scene.tokens.1);
    let pid = Pid::from_raw(i32::try_from(bot.id().unwrap()).unwrap());
    kill(pid, Signal::SIGHUP).unwrap();
    until_ready(&scene, at).await;
}

#[tokio::test]
async fn not_ready_while_nothing_can_be_written_and_ready_again_after() {
    let at = free();
    let scene = Scene::with(&served_at(at)).await;
    let _bot = scene.serve().await;
    until_ready(&scene, at).await;
    scene
        .sql(
            "CREATE TRIGGER staged BEFORE UPDATE ON meta
             BEGIN SELECT RAISE(ABORT, 'staged'); END",
        )
        .await;
    let holds = async || get(at, "/readyz").await.0 == 503;
    scene.until("unready", holds).await;
    let (_, _, said) = get(at, "/readyz").await;
    assert!(said.contains("the store can't be written"), "{said}");
    assert_eq!(
        get(at, "/healthz").await.0,
        200,
        "the loop turns all the same"
    );
    until(at, "jitbot_ready", 0.0).await;
    scene.record_again().await;
    until_ready(&scene, at).await;
}

#[tokio::test]
async fn a_loop_that_does_not_turn_is_not_health() {
    let at = free();
    let site = Site::with(&served_at(at)).await;
    // Built, and nobody works.
    let mut world = site.world().await;
    let turned = |app: &jitbot::app::App| app.worker().since_last_turn();
    assert_eq!(turned(&world.app), None);
    let (status, _, said) = get(at, "/healthz").await;
    assert_eq!(status, 503);
    assert!(said.contains("has not begun to turn"), "{said}");
    world.app.start_working();
    let mut well = 0;
    for _ in 0..200 {
        well = get(at, "/healthz").await.0;
        if well == 200 {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(well, 200);
    // Whoever asks too often is told so, with all three together.
    let mut last = 200;
    for _ in 0..700 {
        last = get(at, "/healthz").await.0;
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
    assert_eq!(get(at, "/metrics").await.0, 429);
    // A transaction that never ends holds the loop up: its last turn is longer and longer ago.
    let store = world.app.store().clone();
    tokio::spawn(async move {
        let never = jitbot::store::write(&*store, jitbot::store::Urgency::Answer, |_| {
            Box::pin(std::future::pending::<Result<(), jitbot::store::StoreError>>())
        });
        never.await
    });
    let longest = Duration::from_millis(1_500);
    let _ = tokio::time::timeout(longest * 2, std::future::pending::<()>()).await;
    assert!(turned(&world.app).is_some_and(|since| since > longest));
}
