//! What to try in the first three minutes, ticked off by what really happened.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde::Serialize;

use super::super::stage::Stage;
use crate::domain::audit::AuditKind;
use crate::store::Store as _;
use crate::store::sqlite::SqliteStore;

/// Entries of the record that are read at once.
const ENTRIES: i64 = 500;

/// One thing to try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its name.
    pub key: &'static str,
    /// What to do.
    pub says: String,
    /// What to type, if anything.
    pub text: Option<String>,
    /// As whom: the account's id.
    pub user: Option<String>,
    /// In which channel, by name; none: in the messages with the app.
    pub place: Option<String>,
    /// Whether it happened.
    pub done: bool,
}

/// What has happened since the demo began.
#[derive(Debug, Default)]
pub struct Seen {
    /// The record's last entry that was read.
    entry: i64,
    asked: bool,
    approved: bool,
    let_in: BTreeSet<String>,
    refused_after: bool,
}

impl Seen {
    /// Reads on in the record.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn look(&mut self, stage: &Stage) -> anyhow::Result<()> {
        let database = stage.paths.database().display().to_string();
        let store = SqliteStore::open_read_only(&database).await?;
        let entries = store
            .reader()
            .await?
            .audit_after(self.entry, ENTRIES)
            .await?;
        store.close().await;
        for entry in entries {
            self.entry = entry.seq;
            let body: serde_json::Value = serde_json::from_str(&entry.body)?;
            let kind = body["kind"].as_str().unwrap_or_default();
            self.note(kind, !body["actor"].is_null());
        }
        Ok(())
    }

    /// An entry of the record, and whether a person did it.
    fn note(&mut self, kind: &str, by_a_person: bool) {
        if kind == AuditKind::Requested.as_str() {
            self.asked = true;
        } else if kind == AuditKind::Approved.as_str() {
            self.approved |= by_a_person;
        }
    }

    /// The SSH server let somebody in.
    pub fn let_in(&mut self, person: &str) {
        self.let_in.insert(person.to_owned());
    }

    /// The SSH server refused somebody.
    pub fn refused(&mut self, person: &str) {
        self.refused_after |= self.let_in.contains(person);
    }
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next();
    first.map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// What to try, in order.
pub fn steps(stage: &Stage, seen: &Seen) -> Vec<Step> {
    let plot = &stage.plot;
    let Some(asks) = &plot.asks else {
        return vec![Step {
            key: "nobody",
            says: format!(
                "Nobody of this config who has a key may ask for {}, so the SSH server will let nobody in. The chat can be tried all the same.",
                plot.resource
            ),
            text: None,
            user: None,
            place: None,
            done: false,
        }];
    };
    let name = capital(&asks.name);
    let step = |key, says: String, user: Option<&str>, place: Option<&String>, done| Step {
        key,
        says,
        text: None,
        user: user.map(str::to_owned),
        place: place.cloned(),
        done,
    };
    let asks_id = Some(asks.id.as_str());
    let mut steps = vec![Step {
        text: Some(format!(
            "/jit request {} {} deploy is stuck",
            plot.resource, plot.duration
        )),
        ..step(
            "ask",
            format!("As {name}, ask for access:"),
            asks_id,
            plot.room.as_ref(),
            seen.asked,
        )
    }];
    match &plot.approves {
        Some(approves) => {
            let approver = capital(&approves.name);
            let more = match plot.approvals {
                1 => String::new(),
                needed => format!(" {needed} people are needed, so somebody else has to as well."),
            };
            steps.push(step(
                "approve",
                format!("Become {approver}, read the card and press Approve.{more} ({name} can't: try it.)"),
                Some(&approves.id),
                plot.room.as_ref(),
                seen.approved,
            ));
        }
        None => steps.push(step(
            "approve",
            "Nobody of this config can approve it, so it runs out undecided.".into(),
            None,
            None,
            seen.approved,
        )),
    }
    steps.push(step(
        "login",
        format!("Become {name} again: the certificate came privately, and the light under \u{201c}The way in\u{201d} says that ssh works now."),
        asks_id,
        None,
        !seen.let_in.is_empty(),
    ));
    let sped = stage.ahead() > TimeDelta::zero();
    steps.push(step(
        "time",
        "Under \u{201c}Engine time\u{201d}, go to the reminder, then to the end.".into(),
        None,
        None,
        sped,
    ));
    steps.push(step(
        "refused",
        format!("See that the SSH server refuses {name} now."),
        None,
        None,
        seen.refused_after,
    ));
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_counts_only_after_it_worked() {
        let mut seen = Seen::default();
        seen.refused("alice");
        assert!(!seen.refused_after);
        seen.let_in("alice");
        seen.refused("bob");
        assert!(!seen.refused_after, "somebody else");
        seen.refused("alice");
        assert!(seen.refused_after);
    }

    #[test]
    fn what_a_rule_approves_is_no_press() {
        let mut seen = Seen::default();
        seen.note(AuditKind::Approved.as_str(), false);
        assert!(!seen.approved);
        seen.note(AuditKind::Approved.as_str(), true);
        seen.note(AuditKind::Denied.as_str(), true);
        assert!(seen.approved && !seen.asked);
    }
}
