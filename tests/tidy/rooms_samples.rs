//! Each rule about who may name what against samples: those that break it, with the line, and those
//! that only seem to.

use super::{
    rooms,
    source::{Fault, Source},
};

/// Holds a rule against (path, text, lines with a fault).
#[track_caller]
fn judge(rule: impl Fn(&Source) -> Vec<Fault>, samples: &[(&str, &str, &[usize])]) {
    for (path, text, expected) in samples {
        let faults = rule(&Source::new(path, text));
        let mut lines: Vec<usize> = faults
            .iter()
            .filter_map(|fault| fault.place.rsplit(':').next()?.parse().ok())
            .collect();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines, *expected, "{path}:\n{text}\n{faults:#?}");
        assert!(
            faults
                .iter()
                .all(|fault| fault.place.starts_with(path) && !fault.reason.is_empty()),
            "{faults:?}"
        );
    }
}

#[test]
fn pure_rooms() {
    judge(
        rooms::pure,
        &[
            (
                "src/domain/grant.rs",
                "use std::fmt;\npub async fn f() {}",
                &[2],
            ),
            ("src/domain/grant.rs", "use tokio::time::Duration;", &[1]),
            (
                "src/domain/grant.rs",
                "fn f() { tracing::info!(\"x\") }",
                &[1],
            ),
            ("src/domain/grant.rs", "use std::{fmt, fs};", &[1]),
            ("src/policy/rule.rs", "use sqlx::Row;", &[1]),
            (
                "src/policy.rs",
                "use crate::{domain::grant, service};",
                &[1],
            ),
            ("src/policy/mod.rs", "use super::config;", &[1]),
            ("src/domain/grant.rs", "use crate::policy::Rule;", &[1]),
            (
                "src/domain/mod.rs",
                "mod tests {\n    use super::super::store;\n}",
                &[2],
            ),
            ("src/domain/mod.rs", "use crate::*;", &[1]),
            // The words in comments, strings and longer words, and paths that stay inside.
            (
                "src/domain/grant.rs",
                "// async tokio\n/* sqlx /* nested */ tracing */\nfn f() { \"await\"; }",
                &[],
            ),
            (
                "src/domain/grant.rs",
                "let asynchronous = r#\"use tokio::x \"#; let c = '\"'; let d = 'a';",
                &[],
            ),
            (
                "src/domain/grant.rs",
                "use super::request;\nuse crate::domain::{ids, timing};",
                &[],
            ),
            (
                "src/domain/mod.rs",
                "mod tests {\n    use super::*;\n}",
                &[],
            ),
            (
                "src/policy/rule.rs",
                "use crate::{domain::{grant, ids}, policy};\npub(crate) fn f<'a>(x: &'a str) {}",
                &[],
            ),
            ("src/service/mod.rs", "pub async fn f() {}", &[]),
        ],
    );
}

#[test]
fn sql_elsewhere() {
    judge(
        rooms::sql,
        &[
            ("src/service/queries.rs", "use sqlx::Row;", &[1]),
            (
                "src/worker/claim.rs",
                "let q = \"\n    UPDATE job SET x = 1\";",
                &[1],
            ),
            (
                "src/effects/digest.rs",
                "q(\"SELECT count(*) FROM grant_\")",
                &[1],
            ),
            (
                "src/effects/digest.rs",
                "q(r#\"select id from job where id = ?\"#)",
                &[1],
            ),
            ("src/app.rs", "q(\"PRAGMA journal_mode\")", &[1]),
            (
                "src/store/sqlite/jobs.rs",
                "use crate::service::Outcome;",
                &[1],
            ),
            (
                "src/store/sqlite/jobs.rs",
                "use sqlx::Row;\nuse crate::{config, domain};\nlet q = \"SELECT 1 FROM x\";",
                &[],
            ),
            (
                "src/chat/wording.rs",
                "let s = \"Select a resource from the list\"; // SELECT x FROM y",
                &[],
            ),
            (
                "src/chat/wording.rs",
                "let s = (\"DELETE\", \"FROM\");",
                &[],
            ),
            (
                "src/chat/parse.rs",
                "#[cfg(test)]\nmod tests { fn t() { parse(\"'; DROP TABLE grants\") } }",
                &[],
            ),
        ],
    );
}

#[test]
fn sdks_elsewhere() {
    judge(
        rooms::adapters,
        &[
            (
                "src/effects/notify.rs",
                "use slack_morphism::prelude::*;",
                &[1],
            ),
            (
                "src/chat/card.rs",
                "fn f(x: slack_morphism::SlackTs) {}",
                &[1],
            ),
            ("src/chat/slack/send.rs", "use serenity::all::Http;", &[1]),
            ("src/chat/slack/listen.rs", "use crate::service;", &[1]),
            (
                "src/chat/discord/listen.rs",
                "use crate::{chat::Port, store::Store};",
                &[1],
            ),
            ("src/chat/slack/mod.rs", "use super::super::worker;", &[1]),
            (
                "src/chat/slack/send.rs",
                "use slack_morphism::prelude::*;\nuse crate::{chat::card, domain::ids};",
                &[],
            ),
            (
                "src/chat/discord/send.rs",
                "use serenity::all::Http; // not slack_morphism",
                &[],
            ),
        ],
    );
}

#[test]
fn engine_reaching_out() {
    judge(
        rooms::engine,
        &[
            ("src/service/outcome.rs", "use crate::chat::card;", &[1]),
            ("src/store/mod.rs", "use crate::issuer;", &[1]),
            (
                "src/worker/run.rs",
                "fn f() {\n    crate::effects::run();\n}",
                &[2],
            ),
            ("src/service/facts.rs", "use crate::directory;", &[1]),
            ("src/effects/issue.rs", "use crate::store::Tx;", &[1]),
            (
                "src/effects/issue.rs",
                "use crate::{chat, directory, issuer, service};",
                &[],
            ),
            (
                "src/service/outcome.rs",
                "use crate::{domain, policy, store};\n/// See `crate::chat`.\nfn f() {}",
                &[],
            ),
            ("src/app.rs", "use crate::{chat, effects, store};", &[]),
        ],
    );
}

#[test]
fn clocks_elsewhere() {
    judge(
        rooms::clocks,
        &[
            ("src/service/decide.rs", "let now = Utc::now();", &[1]),
            (
                "src/issuer/ssh_ca.rs",
                "let now = std::time::SystemTime::now();",
                &[1],
            ),
            (
                "src/effects/issue.rs",
                "let t = Instant::now();\ntokio::time::sleep(d).await;",
                &[1, 2],
            ),
            (
                "src/app.rs",
                "let mut tick = tokio::time::interval(d);",
                &[1],
            ),
            ("src/cli/demonstrate.rs", "thread::sleep(d);", &[1]),
            ("src/clock.rs", "Utc::now()", &[]),
            ("src/worker/run.rs", "tokio::time::sleep(d).await", &[]),
            ("src/sandbox/slack/clock.rs", "Instant::now()", &[]),
            ("src/cli/demo/script.rs", "tokio::time::sleep(d).await", &[]),
            ("src/chat/wording.rs", "asleep(1); // Utc::now()", &[]),
        ],
    );
}

#[test]
fn switches_for_tests() {
    judge(
        rooms::test_switches,
        &[
            ("src/service/mod.rs", "#[cfg(test)]\nuse std::fmt;", &[1]),
            (
                "src/service/mod.rs",
                "fn f() {\n    if cfg!(test) { return; }\n}",
                &[2],
            ),
            ("src/service/mod.rs", "#[cfg(not(test))]\nfn f() {}", &[1]),
            (
                "src/service/mod.rs",
                "#[cfg(any(test, unix))]\nmod tests {}",
                &[1],
            ),
            (
                "src/service/mod.rs",
                "#[cfg_attr(test, derive(Clone))]\nstruct S;",
                &[1],
            ),
            (
                "src/service/mod.rs",
                "#[cfg(test)]\nmod tests_of_mine {\n}\n#[cfg(test)]\npub mod fakes;",
                &[1, 4],
            ),
            ("src/service/mod.rs", "#[cfg(test)]\nmod tests {\n}", &[]),
            (
                "src/service/mod.rs",
                "#[cfg(test)]\n#[expect(clippy::x, reason = \"a [b]\")]\nmod tests;",
                &[],
            ),
            (
                "src/service/mod.rs",
                "#[cfg(unix)]\nfn f() {}\n// #[cfg(test)]\nfn latest() {}",
                &[],
            ),
        ],
    );
}

#[test]
fn sandbox_borrowing() {
    judge(
        rooms::sandbox,
        &[
            ("src/sandbox/slack/mod.rs", "use crate::chat::parse;", &[1]),
            (
                "src/sandbox/people.rs",
                "use crate::{sandbox::slack, domain::ids};",
                &[1],
            ),
            ("src/sandbox/people.rs", "use super::super::clock;", &[1]),
            ("src/sandbox/people.rs", "use jitbot::domain;", &[1]),
            (
                "src/sandbox/people.rs",
                "use crate::sandbox::slack;\nuse super::ssh;",
                &[],
            ),
            ("src/cli/demo/mod.rs", "use crate::{domain, sandbox};", &[]),
        ],
    );
}

#[test]
fn unwraps_in_shipped_code() {
    judge(
        rooms::unwraps,
        &[
            ("src/service/mod.rs", "fn f() {\n    x.unwrap();\n}", &[2]),
            (
                "src/service/mod.rs",
                "x.expect(\"checked above\");\nx.unwrap_or(1); // .unwrap()",
                &[],
            ),
            (
                "src/service/mod.rs",
                "#[cfg(test)]\nmod tests {\n    fn t() { x.unwrap(); }\n}",
                &[],
            ),
            ("src/service/tests.rs", "fn t() { x.unwrap(); }", &[]),
        ],
    );
}

#[test]
fn numbers_elsewhere() {
    judge(
        rooms::numbers,
        &[
            (
                "src/http/probes.rs",
                "use prometheus_client::registry::Registry;",
                &[1],
            ),
            ("src/metrics/mod.rs", "use crate::store::Store;", &[1]),
            (
                "src/metrics/mod.rs",
                "use crate::domain::ids;\nuse prometheus_client::registry::Registry;",
                &[],
            ),
            ("src/service/mod.rs", "use crate::metrics::Metrics;", &[]),
        ],
    );
}

#[test]
fn calls_to_the_outside_that_know_a_caller() {
    judge(
        rooms::web_calls,
        &[
            ("src/web_call/mod.rs", "use crate::config::Config;", &[1]),
            ("src/web_call/mod.rs", "use crate::web_call::trust;", &[]),
            ("src/issuer/mod.rs", "use crate::config::Config;", &[]),
        ],
    );
}

#[test]
fn traces_elsewhere() {
    judge(
        rooms::traces,
        &[
            (
                "src/worker/run.rs",
                "use opentelemetry::trace::Tracer;\nuse tracing_opentelemetry::OpenTelemetrySpanExt;",
                &[1, 2],
            ),
            ("src/traces/mod.rs", "use crate::store::Store;", &[1]),
            (
                "src/traces/otlp.rs",
                "use crate::domain::ids;\nuse opentelemetry_sdk::Resource;",
                &[],
            ),
            (
                "src/worker/run.rs",
                "// opentelemetry\nuse crate::traces;\nuse tracing::Instrument as _;",
                &[],
            ),
        ],
    );
}
