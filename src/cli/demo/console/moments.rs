//! Moments that a person may want to wait for.

use chrono::TimeDelta;
use serde::Serialize;

use super::super::stage::Stage;
use super::super::time::next_event;
use crate::domain::duration;
use crate::domain::grant::{Grant, GrantState};
use crate::domain::job::JobKind;
use crate::domain::timing::{Timestamp, seconds};
use crate::store::Store as _;
use crate::store::sqlite::SqliteStore;

/// A moment is over only once what was due then has happened.
const A_LITTLE_LATER: TimeDelta = TimeDelta::milliseconds(1_500);
/// Live grants that are looked at.
const GRANTS_MAX: i64 = 200;
/// Two moments this near are one for a person.
const SAME: TimeDelta = TimeDelta::milliseconds(1_000);

/// One button of the console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wait {
    /// Its name, for [`Moments::until`].
    pub to: &'static str,
    /// Its label.
    pub says: &'static str,
    /// Seconds until then; none: there is no such moment now.
    pub in_s: Option<i64>,
    /// What happens then and how far off it is, for people.
    pub about: String,
}

/// What lies ahead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moments {
    now: Timestamp,
    next: Option<(Timestamp, &'static str)>,
    reminder: Option<(Timestamp, String)>,
    end: Option<(Timestamp, String)>,
    digest: Option<Timestamp>,
}

impl Moments {
    /// Asks the database, as it lies there.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn of(stage: &Stage) -> anyhow::Result<Self> {
        let now = stage.engine_now();
        let database = stage.paths.database().display().to_string();
        let store = SqliteStore::open_read_only(&database).await?;
        let (next, live) = {
            let mut reader = store.reader().await?;
            let next = next_event(&mut *reader)
                .await?
                .map(|(kind, at)| (at, in_a_word(&kind)));
            (
                next,
                reader.grants_in(&[GrantState::Active], GRANTS_MAX).await?,
            )
        };
        store.close().await;
        let mut ends: Vec<(Timestamp, String)> = Vec::new();
        let mut reminders: Vec<(Timestamp, String)> = Vec::new();
        for grant in &live {
            let Some(deadline) = grant.deadline else {
                continue;
            };
            ends.push((deadline, format!("the end of {}", named(grant))));
            let resource = stage.config.resources.get(&grant.spec.resource);
            for before_s in resource.into_iter().flat_map(|one| &one.remind_s) {
                let at = deadline - seconds(*before_s);
                reminders.push((at, format!("the reminder about {}", named(grant))));
            }
        }
        let first = |mut all: Vec<(Timestamp, String)>| {
            all.retain(|(at, _)| *at > now);
            all.into_iter().min()
        };
        Ok(Self {
            now,
            next,
            reminder: first(reminders),
            end: first(ends),
            digest: stage.config.security.digest.next_after(now),
        })
    }

    /// How long until the moment with this name; none if there is no such moment.
    pub fn until(&self, to: &str) -> Option<TimeDelta> {
        let until = |at: Timestamp| at - self.now + A_LITTLE_LATER;
        match to {
            "1m" => Some(TimeDelta::minutes(1)),
            "10m" => Some(TimeDelta::minutes(10)),
            "next" => self.next.map(|(at, _)| until(at)),
            "reminder" => self.reminder.as_ref().map(|(at, _)| until(*at)),
            "end" => self.end.as_ref().map(|(at, _)| until(*at)),
            "digest" => self.digest.map(until),
            _ => None,
        }
    }

    /// The buttons.
    pub fn waits(&self) -> Vec<Wait> {
        let in_s = |at: Timestamp| (at - self.now).num_seconds().max(0);
        let later = |to, says, at: Option<Timestamp>, what: String| Wait {
            to,
            says,
            in_s: at.map(in_s),
            about: match at {
                Some(at) if what.is_empty() => format!("in {}", far(in_s(at))),
                Some(at) => format!("{what}, in {}", far(in_s(at))),
                None => String::new(),
            },
        };
        let plain = |to, says, in_s| Wait {
            to,
            says,
            in_s: Some(in_s),
            about: String::new(),
        };
        let of = |found: &Option<(Timestamp, String)>| match found {
            Some((at, what)) => (Some(*at), what.clone()),
            None => (None, String::new()),
        };
        let (reminder, end) = (of(&self.reminder), of(&self.end));
        vec![
            plain("1m", "+1 min", 60),
            plain("10m", "+10 min", 600),
            later(
                "next",
                "To the next due moment",
                self.next.map(|(at, _)| at),
                self.what_is_next(),
            ),
            later("reminder", "To the reminder", reminder.0, reminder.1),
            later("end", "To the end", end.0, end.1),
            later("digest", "To the digest", self.digest, String::new()),
        ]
    }

    /// What is due next, as far as it can be told.
    fn what_is_next(&self) -> String {
        let Some((next, word)) = self.next else {
            return String::new();
        };
        let is_next = |at: Timestamp| (at - next).abs() <= SAME;
        let known = [&self.reminder, &self.end].into_iter().flatten();
        let known = known
            .filter(|(at, _)| is_next(*at))
            .map(|(_, what)| what.clone())
            .next();
        known
            .or_else(|| {
                self.digest
                    .filter(|at| is_next(*at))
                    .map(|_| "the digest".to_owned())
            })
            .unwrap_or_else(|| word.to_owned())
    }
}

/// What a job does, for somebody who waits for it.
const fn in_a_word(kind: &JobKind) -> &'static str {
    match kind {
        JobKind::ExpireRequest { .. } | JobKind::DecideChecked { .. } => "a request runs out",
        JobKind::Issue { .. } | JobKind::Extend { .. } => "access is given",
        JobKind::Revoke { .. } => "access is taken away",
        JobKind::Remind { .. } => "a reminder",
        JobKind::DigestDue => "the digest",
        _ => "a message",
    }
}

fn named(grant: &Grant) -> String {
    grant.spec.resource.to_string()
}

/// Minutes are enough for a person, and stay the same for a while.
fn far(in_s: i64) -> String {
    if in_s < 60 {
        format!("{in_s}s")
    } else {
        duration::format(in_s / 60 * 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        chrono::DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn the_next_moment_is_named_where_it_is_known() {
        let moments = Moments {
            now: at(0),
            next: Some((at(3_000), "a reminder")),
            reminder: Some((at(3_000), "the reminder about x".into())),
            end: None,
            digest: Some(at(50_000)),
        };
        let about: Vec<(bool, String)> = moments
            .waits()
            .into_iter()
            .map(|wait| (wait.in_s.is_some(), wait.about))
            .collect();
        assert_eq!(about[2], (true, "the reminder about x, in 50m".into()));
        assert_eq!(about[3], (true, "the reminder about x, in 50m".into()));
        assert_eq!(about[4], (false, String::new()), "nothing ends");
        assert_eq!(moments.until("end"), None);
        assert_eq!(moments.until("next"), Some(seconds(3_000) + A_LITTLE_LATER));
        assert_eq!(moments.until("10m"), Some(seconds(600)));
        assert_eq!(moments.until("never"), None);
    }
}
