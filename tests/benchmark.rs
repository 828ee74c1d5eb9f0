//! The benchmark itself: it works end to end with both bots, and what goes wrong is counted.

#[path = "../benches/flows/mod.rs"]
mod flows;

use std::path::PathBuf;
use std::time::Duration;

use flows::bots::Bot;
use flows::live::{Books, LivePlan, measure_live};
use flows::live_ends::{Due, Ends};
use flows::machine::Machine;
use flows::play::Patience;
use flows::process::{mib_in, ticks_in};
use flows::report::Report;
use flows::tally::{Failure, Flow, Step, UNANSWERED_US, percentile, spread};
use flows::target::held_account;
use flows::trial::{Measured, Plan, measure};

/// So few and so slow that any machine keeps up, also with an unoptimised binary and beside other tests.
fn small(folder: &tempfile::TempDir) -> Plan {
    Plan {
        jitbot: PathBuf::from(env!("CARGO_BIN_EXE_jitbot")),
        folder: folder.path().to_owned(),
        rates: vec![4],
        step: Duration::from_secs(1),
        idle: Duration::from_millis(200),
        patience: Patience {
            hold_s: 1,
            wait: Duration::from_secs(20),
        },
        keeps: Vec::new(),
        freeze: None,
    }
}

async fn measured(bot: Bot, plan: &Plan) -> Measured {
    measure(bot, plan)
        .await
        .unwrap_or_else(|error| panic!("{error:#}"))
}

#[tokio::test]
async fn both_bots_go_through_whole_flows_and_are_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let plan = small(&folder);
    let mut bots = Vec::new();
    for bot in [Bot::Jitbot, Bot::Bolt] {
        let measured = measured(bot, &plan).await;
        let [step] = measured.steps.as_slice() else {
            panic!("one step was planned: {measured:?}");
        };
        assert_eq!((step.asked, step.done), (4, 4), "{step:?}");
        assert_eq!(measured.strangers, 0);
        assert!(measured.idle.resident_mib > 1.0 && measured.end.peak_mib > 1.0);
        assert!(measured.database_mib > 0.0);
        assert!(step.answer.is_some_and(|it| it.p50_ms > 0.0), "{step:?}");
        assert!(step.cpu_ms_per_flow.is_some_and(|cpu| cpu > 0.0));
        assert_eq!(measured.readyz_ms.is_some(), bot == Bot::Jitbot);
        bots.push(measured);
    }
    let report = Report {
        machine: Machine::look(folder.path()).unwrap(),
        hold_s: 1,
        step_s: 1.0,
        bots,
        live: None,
    };
    let text = report.markdown();
    for wanted in [
        "| 4 | jitbot |",
        "| 4 | plain Bolt bot |",
        "0 of 4",
        "needs so many times",
    ] {
        assert!(text.contains(wanted), "{wanted} in\n{text}");
    }
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["bots"][1]["steps"][0]["done"], 4);
}

#[tokio::test]
async fn an_end_that_the_target_never_confirms_is_counted_as_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    for bot in [Bot::Jitbot, Bot::Bolt] {
        let mut plan = small(&folder);
        plan.keeps = vec!["p002".to_owned()];
        plan.patience.wait = Duration::from_secs(8);
        let measured = measured(bot, &plan).await;
        let step = &measured.steps[0];
        assert_eq!((step.asked, step.done), (4, 3), "{step:?}");
        assert_eq!(step.failures.get(&Failure::NotEnded), Some(&1), "{step:?}");
        assert!(
            step.lag.is_some_and(|lag| lag.max_ms >= 8_000.0),
            "{step:?}"
        );
    }
}

#[tokio::test]
async fn a_bot_that_stands_still_for_a_while_shows_in_the_slowest_answers() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = small(&folder);
    plan.rates = vec![10];
    plan.freeze = Some(Duration::from_millis(1_200));
    let measured = measured(Bot::Jitbot, &plan).await;
    let answer = measured.steps[0].answer.unwrap();
    // Requests went on arriving meanwhile: the first of them waited longest.
    assert!(answer.p99_ms > 800.0, "{answer:?}");
    assert_eq!(measured.steps[0].done, 10, "{:?}", measured.steps);
}

/// So few that it takes some seconds; the bot has time to start, and people to wait.
fn few(folder: &tempfile::TempDir) -> LivePlan {
    LivePlan {
        plan: small(folder),
        live: 200,
        ending: 10,
        window: Duration::from_secs(2),
        before: Duration::from_secs(12),
        overdue: 50,
        longest: Duration::from_secs(15),
        rate: 4,
    }
}

fn books(not_over: usize) -> Books {
    Books {
        not_due: 190,
        live: 190,
        not_over,
    }
}

#[tokio::test]
async fn beside_live_grants_those_end_that_are_due_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let plan = few(&folder);
    let measured = measure_live(&plan).await;
    let measured = measured.unwrap_or_else(|error| panic!("{error:#}"));
    let (window, overdue) = (&measured.window, &measured.overdue);
    assert_eq!((window.due, window.ended), (10, 10), "{window:?}");
    assert_eq!((overdue.due, overdue.ended), (50, 50), "{overdue:?}");
    assert_eq!((window.early, measured.too_soon), (0, 0));
    let lag = window.lag.unwrap();
    assert!(lag.max_ms < 5_000.0, "{window:?}");
    // They were overdue for ten minutes and less, and the longest first: nothing else fills that in.
    let lag = overdue.lag.unwrap();
    assert!(lag.p50_ms > 250_000.0 && lag.max_ms > 590_000.0, "{lag:?}");
    assert!(overdue.took_s > 0.0 && overdue.took_s < 15.0, "{overdue:?}");
    assert_eq!((measured.flows.asked, measured.flows.done), (4, 4));
    assert_eq!(measured.books, books(0));
    // Four entries of each that was filled in, and two of each that ended.
    let entries = measured.record.split_whitespace().rev();
    let entries = entries
        .skip_while(|word| !word.starts_with("entries"))
        .nth(1);
    let entries: usize = entries.and_then(|n| n.parse().ok()).unwrap_or_default();
    assert!(entries >= 4 * 250 + 2 * 60, "{}", measured.record);
    let report = Report {
        machine: Machine::look(folder.path()).unwrap(),
        hold_s: 1,
        step_s: 1.0,
        bots: Vec::new(),
        live: Some(measured),
    };
    let text = report.markdown();
    for wanted in [
        "| ends confirmed, in the window | 10 of 10 | all |",
        "| ends confirmed, overdue | 50 of 50 | all |",
        "not over of those due | 190 of 190 / 0 |",
    ] {
        assert!(text.contains(wanted), "{wanted} in\n{text}");
    }
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["live"]["overdue"]["ended"], 50);
}

#[tokio::test]
async fn live_grants_that_the_target_never_ends_are_counted_as_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = few(&folder);
    // The third in the window, and the eighth of the overdue.
    plan.plan.keeps = vec![held_account(192), held_account(207)];
    plan.plan.patience.wait = Duration::from_secs(8);
    let measured = measure_live(&plan).await;
    let measured = measured.unwrap_or_else(|error| panic!("{error:#}"));
    let (window, overdue) = (&measured.window, &measured.overdue);
    assert_eq!((window.due, window.forgotten()), (10, 1), "{window:?}");
    assert!(window.lag.unwrap().max_ms >= 8_000.0, "{window:?}");
    assert_eq!((overdue.due, overdue.forgotten()), (50, 1), "{overdue:?}");
    assert_eq!(measured.books, books(2));
    let text = measured.markdown();
    for wanted in ["**9 of 10**", "**49 of 50**", "190 of 190 / 2"] {
        assert!(text.contains(wanted), "{wanted} in\n{text}");
    }
}

#[test]
fn ends_are_counted_early_out_of_order_and_forgotten() {
    let due = |deadline_us, ended_us| Due {
        deadline_us,
        ended_us,
    };
    let ends = Ends::of(
        &[
            due(0, Some(10_000)),
            due(5_000_000, Some(5_100_000)),
            // After one whose deadline was later, but confirmed less than a second later.
            due(3_000_000, Some(5_900_000)),
            // After one whose deadline was less than a second later.
            due(4_500_000, Some(6_200_000)),
            // Neither.
            due(1_000_000, Some(6_300_000)),
            due(9_000_000, Some(7_000_000)),
            due(3_000_000, None),
        ],
        30_000_000,
    );
    assert_eq!((ends.due, ends.ended, ends.forgotten()), (7, 6, 1));
    assert_eq!((ends.early, ends.out_of_order), (1, 1));
    assert_eq!((ends.took_s, ends.per_s), (7.0, 6.0 / 7.0));
    let lag = ends.lag.unwrap();
    assert_eq!((lag.p50_ms, lag.max_ms), (1_700.0, 30_000.0));
    let nothing = Ends::of(&[], 1);
    assert!(nothing.lag.is_none() && nothing.per_s == 0.0);
}

#[test]
fn percentiles_are_those_of_the_nearest_rank() {
    let hundred: Vec<i64> = (1..=100).collect();
    for (share, value) in [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)] {
        assert_eq!(percentile(&hundred, share), Some(value), "{share}");
    }
    assert_eq!(percentile(&[7], 0.99), Some(7));
    assert_eq!(percentile(&[], 0.5), None);
    let spread = spread(vec![3_000, 1_000, 2_000]).unwrap();
    assert_eq!(
        (spread.p50_ms, spread.p99_ms, spread.max_ms),
        (2.0, 3.0, 3.0)
    );
}

#[test]
fn what_failed_is_neither_dropped_nor_made_faster() {
    let good = |ended_at_us| Flow {
        answer_us: Some(1_000),
        given_after_us: Some(5_000),
        lag_us: Some(10_000),
        ended_at_us: Some(ended_at_us),
        ..Flow::default()
    };
    let unanswered = Flow {
        failure: Some(Failure::NotAnswered),
        ..Flow::default()
    };
    let kept = Flow {
        answer_us: Some(1_000),
        given_after_us: Some(5_000),
        failure: Some(Failure::NotEnded),
        ..Flow::default()
    };
    let not_played = Flow {
        failure: Some(Failure::NotPlayed),
        ..Flow::default()
    };
    let flows = [good(0), good(2_000_000), unanswered, kept, not_played];
    let step = Step::of(10, &flows, 30.0, 9_000_000);
    assert_eq!((step.asked, step.done, step.failed()), (5, 2, 3));
    assert_eq!(step.done_per_s, 1.0);
    assert_eq!(step.cpu_ms_per_flow, Some(15.0));
    #[expect(clippy::cast_precision_loss, reason = "three seconds")]
    let unanswered_ms = UNANSWERED_US as f64 / 1000.0;
    assert_eq!(step.answer.unwrap().max_ms, unanswered_ms);
    assert_eq!(step.lag.unwrap().max_ms, 9_000.0);
    let nothing = Step::of(10, &[], 1.0, 1);
    assert!(nothing.answer.is_none() && nothing.cpu_ms_per_flow.is_none());
}

#[test]
fn what_the_kernel_says_is_read_right() {
    let stat = "7 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 100 20 3 4 20 0 1 0 5 0 0";
    assert_eq!(ticks_in(stat), Some(127));
    let status = "VmPeak:\t 9 kB\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n";
    assert_eq!(
        (mib_in(status, "VmHWM:"), mib_in(status, "VmRSS:")),
        (2.0, 1.0)
    );
}
