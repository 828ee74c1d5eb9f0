//! Who may name what: directions 1 to 6 of the design, over the rooms of `src`.

use super::source::{Fault, Source, closing, find_words};

/// Files that may read a clock or wait, each with its reason. A path that ends in `/` is a folder.
const CLOCKS: &[(&str, &str)] = &[
    ("src/clock.rs", "it is the clock"),
    ("src/worker/", "its loop waits for the next due job"),
    (
        "src/issuer/conformance/",
        "a command of its own, without a worker: it gives a target the moment that it asks for",
    ),
    (
        "src/sandbox/",
        "it plays the outside world, which has a clock of its own",
    ),
    (
        "src/cli/demo/",
        "it plays people, who wait for what they see",
    ),
    (
        "src/cli/demo.rs",
        "it plays people, who wait for what they see",
    ),
];

/// Ways to read a clock or to wait.
const CLOCK_WORDS: &[&str] = &[
    "Utc::now",
    "Local::now",
    "SystemTime::now",
    "Instant::now",
    "now_utc(",
    "now_local(",
    "clock_gettime",
    "sleep(",
    "sleep_until(",
    "time::interval",
];

/// What `domain` and `policy` may not name: they compute, and every test of them is a table.
const IMPURE: &[(&str, &str)] = &[
    ("async", "async"),
    ("await", "async"),
    ("tokio", "a runtime"),
    ("futures_util", "async"),
    ("async_trait", "async"),
    ("sqlx", "SQL"),
    ("tracing", "tracing"),
    ("slack_morphism", "an SDK"),
    ("serenity", "an SDK"),
    ("axum", "a server"),
    ("hyper", "a client"),
    ("hyper_util", "a client"),
    ("println", "output"),
    ("eprintln", "output"),
];

/// The parts of `std` that reach outside.
const OUTSIDE: &[&str] = &["env", "fs", "net", "os", "process", "thread"];

/// Direction 1: `domain` and `policy` are pure; `domain` names nothing of ours, `policy` `domain`.
pub fn pure(source: &Source) -> Vec<Fault> {
    let allowed: &[&str] = match source.room() {
        "domain" => &["domain"],
        "policy" => &["policy", "domain"],
        _ => return Vec::new(),
    };
    let room = source.room();
    let mut faults: Vec<Fault> = IMPURE
        .iter()
        .flat_map(|(word, what)| {
            source
                .find(word)
                .into_iter()
                .map(move |at| (at, word, what))
        })
        .map(|(at, word, what)| {
            source.fault(
                at,
                format!("`{word}` brings {what} into `{room}`, which is pure"),
            )
        })
        .collect();
    let outside = source
        .heads_after("std")
        .into_iter()
        .filter(|(_, head)| OUTSIDE.contains(&head.as_str()));
    faults.extend(outside.map(|(at, head)| {
        source.fault(
            at,
            format!("`std::{head}` reaches outside, `{room}` is pure"),
        )
    }));
    faults.extend(only(source, allowed));
    faults
}

/// Direction 2: SQL stands under `store` alone, and of ours `store` names `domain`, `config` and the
/// `clock` alone: the writer takes the time of a transaction when it begins, after its turn came.
pub fn sql(source: &Source) -> Vec<Fault> {
    if source.room() == "store" {
        return only(source, &["store", "domain", "config", "clock"]);
    }
    let mut faults: Vec<Fault> = source
        .find("sqlx")
        .into_iter()
        .map(|at| {
            source.fault(
                at,
                "`sqlx` outside `store`: the second database would have to be written twice",
            )
        })
        .collect();
    faults.extend(
        sql_in_strings(source)
            .into_iter()
            .filter(|at| !source.in_tests(*at))
            .map(|at| {
                source.fault(
                    at,
                    "SQL outside `store`: the second database would have to be written twice",
                )
            }),
    );
    faults
}

/// Offsets of string literals that speak SQL.
fn sql_in_strings(source: &Source) -> Vec<usize> {
    // (statement, what must follow it in the same literal). Prose has few words in capitals.
    const STATEMENTS: &[(&str, &str)] = &[
        ("SELECT", "FROM"),
        ("INSERT", "INTO"),
        ("UPDATE", "SET"),
        ("DELETE", "FROM"),
        ("CREATE", "TABLE"),
        ("CREATE", "INDEX"),
        ("CREATE", "TRIGGER"),
        ("ALTER", "TABLE"),
        ("DROP", "TABLE"),
        ("DROP", "INDEX"),
        ("PRAGMA", ""),
        ("BEGIN", "IMMEDIATE"),
        ("SAVEPOINT", ""),
        ("select", "where"),
        ("insert into", "values"),
        ("delete from", "where"),
        ("pragma", ""),
    ];
    let speaks = |text: &str| {
        STATEMENTS.iter().any(|(statement, follow)| {
            find_words(text, statement).first().is_some_and(|at| {
                let rest = &text[at + statement.len()..];
                follow.is_empty() || !find_words(rest, follow).is_empty()
            })
        })
    };
    source
        .literals
        .iter()
        .filter(|range| speaks(&source.text[(*range).clone()]))
        .map(|range| range.start)
        .collect()
}

/// Direction 3: an SDK stands in its adapter alone, and adapters know the one port alone.
pub fn adapters(source: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (sdk, home) in [
        ("slack_morphism", "src/chat/slack"),
        ("serenity", "src/chat/discord"),
    ] {
        if is_under(&source.path, home) {
            faults.extend(never(
                source,
                &["store", "service", "worker", "issuer", "effects"],
                "an adapter translates; it gets the one port of `chat`",
            ));
        } else {
            let reason =
                format!("`{sdk}` outside {home}: the engine is the same for every platform");
            faults.extend(
                source
                    .find(sdk)
                    .into_iter()
                    .map(|at| source.fault(at, &reason)),
            );
        }
    }
    faults
}

/// What Prometheus reads is named in one room, which knows of ours `domain` alone.
pub fn numbers(source: &Source) -> Vec<Fault> {
    if source.room() == "metrics" {
        return only(source, &["metrics", "domain"]);
    }
    source
        .find("prometheus_client")
        .into_iter()
        .map(|at| {
            source.fault(
                at,
                "`prometheus_client` outside `metrics`: others say what happened, not how it is shown",
            )
        })
        .collect()
}

/// Calls to the outside know nothing of who makes them.
pub fn web_calls(source: &Source) -> Vec<Fault> {
    match source.room() {
        "web_call" => only(source, &["web_call"]),
        _ => Vec::new(),
    }
}

/// Spans of traces are made in one room, which knows of ours `domain`, the config and the one way to call
/// outside alone; nobody else names OpenTelemetry.
pub fn traces(source: &Source) -> Vec<Fault> {
    if source.room() == "traces" {
        return only(source, &["traces", "domain", "config", "web_call"]);
    }
    let libraries = [
        "opentelemetry",
        "opentelemetry_sdk",
        "opentelemetry_proto",
        "tracing_opentelemetry",
    ];
    libraries
        .iter()
        .flat_map(|word| source.find(word).into_iter().map(move |at| (at, word)))
        .map(|(at, word)| {
            source.fault(
                at,
                format!("`{word}` outside `traces`: others say what they do, not how it is sent"),
            )
        })
        .collect()
}

/// Direction 4: the engine knows no chat, issuer or directory; effects don't go past `service`.
pub fn engine(source: &Source) -> Vec<Fault> {
    match source.room() {
        "service" | "store" | "worker" => never(
            source,
            &["chat", "issuer", "directory", "effects"],
            "the engine calls nothing outside: it commits jobs, and `effects` carries them out",
        ),
        "effects" => never(
            source,
            &["store"],
            "effects read through `service` and return outcomes, which it commits",
        ),
        _ => Vec::new(),
    }
}

/// Direction 5, first half: clocks and waiting stand in the listed files alone.
pub fn clocks(source: &Source) -> Vec<Fault> {
    let listed = |(path, _): &(&str, &str)| {
        source.path == *path || (path.ends_with('/') && source.path.starts_with(path))
    };
    if !source.path.starts_with("src/") || CLOCKS.iter().any(listed) {
        return Vec::new();
    }
    CLOCK_WORDS
        .iter()
        .flat_map(|word| source.find(word).into_iter().map(move |at| (at, word)))
        .map(|(at, word)| {
            source.fault(at, format!("`{word}`: time is an argument, or no story could run on a manual clock; waiting is the worker's"))
        })
        .collect()
}

/// Direction 5, second half: `cfg(test)` stands directly before `mod tests` and nowhere else.
pub fn test_switches(source: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (at, word) in source.words() {
        if word != "cfg" && word != "cfg_attr" {
            continue;
        }
        let open = at + word.len() + usize::from(source.code[at + word.len()..].starts_with('!'));
        if !source.code[open..].starts_with('(') {
            continue;
        }
        let close = closing(&source.code, open, b'(', b')');
        if find_words(&source.code[open..close], "test").is_empty() {
            continue;
        }
        let plain = source.code[..at].ends_with("#[") && &source.code[at..=close] == "cfg(test)";
        let mut next = source.code[close + 1..]
            .trim_start_matches(']')
            .trim_start();
        while next.starts_with("#[") {
            next = next[(closing(next, 1, b'[', b']') + 1).min(next.len())..].trim_start();
        }
        if !plain || find_words(next, "mod tests").first() != Some(&0) {
            faults.push(source.fault(
                at,
                "a switch for tests in shipped code: only `#[cfg(test)] mod tests` may stand",
            ));
        }
    }
    faults
}

/// Direction 6: the sandbox shares nothing with the bot, or both would be wrong together.
pub fn sandbox(source: &Source) -> Vec<Fault> {
    if source.room() == "sandbox" {
        only(source, &["sandbox"])
    } else {
        Vec::new()
    }
}

/// Common ground: `unwrap` states no invariant, so it stands in tests alone.
pub fn unwraps(source: &Source) -> Vec<Fault> {
    if !source.path.starts_with("src/") {
        return Vec::new();
    }
    source
        .find(".unwrap()")
        .into_iter()
        .filter(|at| !source.in_tests(*at))
        .map(|at| {
            source.fault(
                at,
                "`unwrap` says nothing: return an error, or name the invariant with `expect`",
            )
        })
        .collect()
}

/// Rooms outside `allowed` that the code names.
fn only(source: &Source, allowed: &[&str]) -> Vec<Fault> {
    let named = source
        .rooms_named()
        .into_iter()
        .filter(|(_, room)| !allowed.contains(&room.as_str()));
    named
        .map(|(at, room)| {
            let reason = format!(
                "`{}` names `{room}`; of ours it may name {} alone",
                source.room(),
                allowed.join(", ")
            );
            source.fault(at, reason)
        })
        .collect()
}

/// Rooms in `banned` that the code names.
fn never(source: &Source, banned: &[&str], why: &str) -> Vec<Fault> {
    let named = source
        .rooms_named()
        .into_iter()
        .filter(|(_, room)| room == "*" || banned.contains(&room.as_str()));
    named
        .map(|(at, room)| source.fault(at, format!("it names `{room}`: {why}")))
        .collect()
}

/// Whether a file is `home.rs` or lies in the folder `home`.
fn is_under(path: &str, home: &str) -> bool {
    path.strip_prefix(home)
        .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}
