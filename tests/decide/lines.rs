//! Plans in lines that a person can read, and tables of them.
//!
//! Moments are seconds after the start of the case; `r` and `g` are the request and its grant. A job
//! that `moves` replaces the moment of one that waits under the same key.

use jitbot::domain::decide::{Change, Plan};
use jitbot::domain::decision::Decider;
use jitbot::domain::grant::{Grant, GrantState};
use jitbot::domain::job::Settle;
use jitbot::domain::job_order::{JobOrder, OnDuplicate};
use jitbot::domain::public_key::PublicKey;
use jitbot::domain::request::{IllegalTransition, Request, RequestState};
use jitbot::domain::timing::Timestamp;

use crate::case::{at, request};
use crate::states::grant;

fn second(moment: Timestamp) -> String {
    format!("+{}", (moment - at(0)).num_seconds())
}

fn key(key: &str) -> String {
    let request = request(RequestState::Pending).id;
    let key = key
        .replace(request.as_str(), "r")
        .replace(request.grant().as_str(), "g");
    // Each end is told once: its key carries the moment.
    match key.strip_prefix("ended:g:") {
        Some(_) => "ended:g".into(),
        None => key,
    }
}

fn job(order: &JobOrder) -> String {
    let moves = match order.on_duplicate {
        OnDuplicate::Move => " moves",
        OnDuplicate::MoveEarlier | OnDuplicate::Keep => "",
    };
    format!("job {} {}{moves}", key(&order.key), second(order.run_at))
}

/// What is different in a grant; everything that must never differ is compared here.
fn differences(before: &Grant, after: &Grant) -> String {
    let mut same = after.clone();
    let mut said = Vec::new();
    let moment = |t: Option<Timestamp>| t.map_or("none".into(), second);
    let mut moments = |name: &str, was: Option<Timestamp>, is: &mut Option<Timestamp>| {
        if was != *is {
            said.push(format!("{name} {}", moment(*is)));
            *is = was;
        }
    };
    moments("deadline", before.deadline, &mut same.deadline);
    moments("native", before.native_deadline, &mut same.native_deadline);
    moments(
        "unsettled_since",
        before.unsettled_since,
        &mut same.unsettled_since,
    );
    moments("active_at", before.active_at, &mut same.active_at);
    moments("stuck_since", before.stuck_since, &mut same.stuck_since);
    moments("ended_at", before.ended_at, &mut same.ended_at);
    if before.handle != after.handle {
        said.push(format!(
            "handle {}",
            after.handle.clone().unwrap_or_default()
        ));
        same.handle = before.handle.clone();
    }
    if before.ending != after.ending {
        let ending = after.ending.as_ref().unwrap();
        let by = ending.by.as_ref().map_or("us", |by| by.account.member());
        said.push(format!(
            "ending {} by {by} {}",
            ending.reason.as_str(),
            second(ending.at)
        ));
        same.ending = before.ending.clone();
    }
    if before.revoke_failures != after.revoke_failures {
        said.push(format!("failures {}", after.revoke_failures));
        same.revoke_failures = before.revoke_failures;
    }
    if before.evidence != after.evidence {
        said.push(format!(
            "evidence {}",
            after.evidence.map_or("none", |e| e.as_str())
        ));
        same.evidence = before.evidence;
    }
    same.state = before.state;
    assert_eq!(&same, before, "something frozen changed");
    said.join(", ")
}

/// A fact of the record; moments like those of jobs, and hashes by what they are of.
fn fact(key: &str, value: &serde_json::Value) -> String {
    let moment = value
        .as_i64()
        .filter(|_| ["deadline", "end_by", "from", "group_as_of", "pending_until"].contains(&key))
        .and_then(chrono::DateTime::from_timestamp_millis);
    let hash = request(RequestState::Pending).spec_hash.0;
    match (moment, value.as_str()) {
        (Some(moment), _) => format!("{key} {}", second(moment)),
        (None, Some(text)) if text == hash => format!("{key} h"),
        (None, Some(text)) => format!("{key} {}", text.rsplit('/').next().unwrap_or(text)),
        (None, None) => format!("{key} {value}"),
    }
}

fn line(change: &Change, before: &Grant) -> String {
    match change {
        Change::NewRequest(request) => format!("new request {}", request.state.as_str()),
        Change::Request(request, was) => format!(
            "request {} > {} {}",
            was.as_str(),
            request.state.as_str(),
            request.decided_at.map_or("open".into(), second)
        ),
        Change::Decision(decision) => {
            let word = if decision.approve { "approve" } else { "deny" };
            let by = match &decision.decider {
                Decider::Rule => "a rule",
                Decider::Person { identity, .. } => identity.account.member(),
            };
            format!("decision {word} by {by} under {}", decision.rules.join(" "))
        }
        Change::NewGrant(grant) => format!(
            "new grant {} activate_by {} end_by {}",
            grant.state.as_str(),
            second(grant.activate_by),
            second(grant.end_by)
        ),
        Change::Grant(grant, was) => {
            assert_eq!(*was, before.state, "saved over another state");
            let states = format!("grant {} > {}", was.as_str(), grant.state.as_str());
            match differences(before, grant).as_str() {
                "" => states,
                said => format!("{states}: {said}"),
            }
        }
        Change::Card(_, on) => format!("card {}", on.message),
        Change::Key(account, row) => format!(
            "key of {account} {}",
            row.key.as_ref().map_or("forgotten", PublicKey::fingerprint)
        ),
        Change::Want(accounts) => {
            let names: Vec<&str> = accounts.iter().map(|one| one.member()).collect();
            format!("want {}", names.join(" "))
        }
        Change::Record(draft) => {
            let by = draft.actor.as_ref().map_or("us", |actor| actor.member());
            let of: Vec<String> = draft.facts.iter().map(|(k, v)| fact(k, v)).collect();
            match of.join(", ").as_str() {
                "" => format!("record {} by {by}", draft.kind.as_str()),
                of => format!("record {} by {by}: {of}", draft.kind.as_str()),
            }
        }
        Change::Job(order) => job(order),
        Change::NoJob(gone) => format!("no job {}", key(gone)),
    }
}

/// A plan about this grant.
pub fn of_grant(plan: &Plan, before: &Grant) -> Vec<String> {
    plan.changes.iter().map(|c| line(c, before)).collect()
}

/// A plan about the request of the case.
pub fn of_request(plan: &Plan) -> Vec<String> {
    of_grant(plan, &grant(GrantState::Scheduled))
}

/// What becomes of the job; how long it waits is judged elsewhere.
pub fn of_settle(settle: &Settle) -> String {
    match settle {
        Settle::Done => "done".into(),
        Settle::Again { error, .. } => format!("again: {error}"),
        Settle::Snooze(moment) => format!("not before {}", second(*moment)),
        Settle::GiveUp { error } => format!("given up: {error}"),
    }
}

pub fn not_before(moment: Timestamp) -> String {
    format!("not before {}", second(moment))
}

/// The lines, or the error as people read it.
pub fn told(answer: Result<Vec<String>, IllegalTransition>) -> String {
    answer.map_or_else(|error| error.to_string(), |lines| lines.join("\n"))
}

fn trimmed(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<&str>>().join("\n")
}

/// One text for one plan.
#[track_caller]
pub fn reads(got: &[String], expected: &str) {
    assert_eq!(got.join("\n"), trimmed(expected));
}

#[track_caller]
fn table(rows: &[(&str, &str)], states: &[&str], got: impl Fn(&str) -> String) {
    let listed: Vec<&str> = rows
        .iter()
        .flat_map(|(states, _)| states.split_whitespace())
        .collect();
    let mut sorted = (listed, states.to_vec());
    sorted.0.sort_unstable();
    sorted.1.sort_unstable();
    assert_eq!(sorted.0, sorted.1, "each state stands in the table once");
    let mut wrong = String::new();
    for (states, expected) in rows {
        for state in states.split_whitespace() {
            let (got, expected) = (got(state), trimmed(expected).replace("STATE", state));
            if got != expected {
                wrong += &format!("\n-- {state}, expected:\n{expected}\n-- got:\n{got}\n");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Every state of a grant, several in a row of the table; `STATE` stands for its word.
#[track_caller]
pub fn grants(rows: &[(&str, &str)], event: impl Fn(&Request, &Grant) -> String) {
    let states = GrantState::ALL.map(GrantState::as_str);
    table(rows, &states, |state| {
        let grant = grant(GrantState::parse(state).unwrap());
        event(&request(RequestState::Approved), &grant)
    });
}

/// Every state of a request.
#[track_caller]
pub fn requests(rows: &[(&str, &str)], event: impl Fn(&Request) -> String) {
    let states = RequestState::ALL.map(RequestState::as_str);
    table(rows, &states, |state| {
        event(&request(RequestState::parse(state).unwrap()))
    });
}
