//! From rows to values. A row that contradicts itself is refused by name, never guessed at.

use chrono::DateTime;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::fault::{database, inconsistent};
use crate::domain::audit::{AuditEntry, Head, SaltedText};
use crate::domain::command::MessageRef;
use crate::domain::decision::{Decider, Decision};
use crate::domain::delivery::Delivery;
use crate::domain::grant::{Ending, EndingReason, Evidence, Grant, GrantState};
use crate::domain::job::{Job, JobKind, Lane};
use crate::domain::person::Identity;
use crate::domain::request::{Extension, ExtensionState, Request, RequestState};
use crate::domain::spec::{ContentHash, Spec};
use crate::domain::timing::Timestamp;
use crate::store::{DigestMark, StoreError};

/// The instant of so many milliseconds since 1970.
pub(super) fn instant(ms: i64, what: &str) -> Result<Timestamp, StoreError> {
    DateTime::from_timestamp_millis(ms)
        .ok_or_else(|| inconsistent(what, format!("{ms} is no instant")))
}

/// Reads one row by its columns' names.
struct Columns<'r> {
    row: &'r SqliteRow,
    what: String,
}

impl<'r> Columns<'r> {
    fn new(row: &'r SqliteRow, kind: &str, id: &str) -> Result<Self, StoreError> {
        let id: String = row.try_get(id).map_err(database)?;
        Ok(Self {
            row,
            what: format!("{kind} {id}"),
        })
    }

    fn text(&self, column: &str) -> Result<String, StoreError> {
        self.row.try_get(column).map_err(database)
    }

    fn text_or_none(&self, column: &str) -> Result<Option<String>, StoreError> {
        self.row.try_get(column).map_err(database)
    }

    fn number(&self, column: &str) -> Result<i64, StoreError> {
        self.row.try_get(column).map_err(database)
    }

    fn time(&self, column: &str) -> Result<Timestamp, StoreError> {
        instant(self.number(column)?, &self.what)
    }

    fn time_or_none(&self, column: &str) -> Result<Option<Timestamp>, StoreError> {
        let ms: Option<i64> = self.row.try_get(column).map_err(database)?;
        ms.map(|ms| instant(ms, &self.what)).transpose()
    }

    fn wrong(&self, why: impl ToString) -> StoreError {
        inconsistent(self.what.clone(), why)
    }

    /// A checked name.
    fn name<T>(&self, column: &str) -> Result<T, StoreError>
    where
        T: TryFrom<String>,
        T::Error: ToString,
    {
        T::try_from(self.text(column)?)
            .map_err(|why| self.wrong(format!("{column}: {}", why.to_string())))
    }

    fn name_or_none<T>(&self, column: &str) -> Result<Option<T>, StoreError>
    where
        T: TryFrom<String>,
        T::Error: ToString,
    {
        self.text_or_none(column)?
            .map(T::try_from)
            .transpose()
            .map_err(|why| self.wrong(format!("{column}: {}", why.to_string())))
    }

    fn word<T>(&self, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
        let word = self.text(column)?;
        parse(&word).ok_or_else(|| self.wrong(format!("{column} is `{word}`")))
    }

    fn word_or_none<T>(
        &self,
        column: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        self.text_or_none(column)?
            .map(|word| parse(&word).ok_or_else(|| self.wrong(format!("{column} is `{word}`"))))
            .transpose()
    }

    fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, StoreError> {
        serde_json::from_str(&self.text(column)?)
            .map_err(|why| self.wrong(format!("{column}: {why}")))
    }

    fn identity(&self, account: &str, person: &str) -> Result<Identity, StoreError> {
        Ok(Identity {
            account: self.name(account)?,
            person: self.name_or_none(person)?,
        })
    }

    /// The spec, which must be what the votes were bound to.
    fn spec(&self) -> Result<(Spec, ContentHash), StoreError> {
        let hash = ContentHash(self.text("spec_hash")?);
        if ContentHash::of(self.text("spec")?.as_bytes()) != hash {
            return Err(self.wrong("its spec is not the one that its hash names"));
        }
        Ok((self.json("spec")?, hash))
    }
}

pub(super) fn request(row: &SqliteRow) -> Result<Request, StoreError> {
    let columns = Columns::new(row, "request", "id")?;
    let (spec, spec_hash) = columns.spec()?;
    let request = Request {
        id: columns.name("id")?,
        state: columns.word("state", RequestState::parse)?,
        requester: columns.identity("requester_account", "requester_person")?,
        beneficiary: columns.identity("beneficiary_account", "beneficiary_person")?,
        spec,
        spec_hash,
        reason: columns.text_or_none("reason")?,
        origin: columns.name("origin")?,
        card_place: columns.name_or_none("card_place")?,
        approvals_needed: columns.number("approvals_needed")?,
        version: columns.number("version")?,
        submitted_at: columns.time("submitted_at")?,
        pending_until: columns.time("pending_until")?,
        decided_at: columns.time_or_none("decided_at")?,
        extends: extension(&columns)?,
    };
    if request.spec.resource.as_str() != columns.text("resource")? {
        return Err(columns.wrong("its spec is for another resource"));
    }
    if request.state.is_open() != request.decided_at.is_none() {
        return Err(columns.wrong("it is decided without a time, or open with one"));
    }
    Ok(request)
}

fn extension(columns: &Columns<'_>) -> Result<Option<Extension>, StoreError> {
    let Some(grant) = columns.name_or_none("extends")? else {
        return Ok(None);
    };
    let from = columns
        .time_or_none("extends_from")?
        .ok_or_else(|| columns.wrong("it extends a grant from no moment"))?;
    Ok(Some(Extension {
        grant,
        from,
        state: columns.word("extension_state", ExtensionState::parse)?,
    }))
}

pub(super) fn decision(row: &SqliteRow) -> Result<Decision, StoreError> {
    let columns = Columns::new(row, "a decision on request", "request")?;
    let decider = match columns.name_or_none("account")? {
        None => Decider::Rule,
        Some(account) => Decider::Person {
            identity: Identity {
                account,
                person: columns.name_or_none("person")?,
            },
            group: columns.name_or_none("via_group")?,
            group_as_of: columns.time_or_none("group_as_of")?,
        },
    };
    Ok(Decision {
        request: columns.name("request")?,
        approve: columns.number("approve")? == 1,
        decider,
        spec_hash: ContentHash(columns.text("spec_hash")?),
        policy_hash: ContentHash(columns.text("policy_hash")?),
        rules: columns.json("rules")?,
        why: columns.text_or_none("why")?,
        at: columns.time("at")?,
    })
}

pub(super) fn grant(row: &SqliteRow) -> Result<Grant, StoreError> {
    let columns = Columns::new(row, "grant", "id")?;
    let (spec, spec_hash) = columns.spec()?;
    let grant = Grant {
        id: columns.name("id")?,
        serial: columns.number("serial")?,
        state: columns.word("state", GrantState::parse)?,
        beneficiary: columns.identity("beneficiary_account", "beneficiary_person")?,
        spec,
        spec_hash,
        approved_at: columns.time("approved_at")?,
        activate_by: columns.time("activate_by")?,
        end_by: columns.time("end_by")?,
        deadline: columns.time_or_none("deadline")?,
        native_deadline: columns.time_or_none("native_deadline")?,
        unsettled_since: columns.time_or_none("unsettled_since")?,
        active_at: columns.time_or_none("active_at")?,
        handle: match columns.text_or_none("handle")? {
            Some(_) => Some(columns.json("handle")?),
            None => None,
        },
        delivery: columns.word_or_none("delivery", Delivery::parse)?,
        ending: ending(&columns)?,
        revoke_failures: columns.number("revoke_failures")?,
        stuck_since: columns.time_or_none("stuck_since")?,
        ended_at: columns.time_or_none("ended_at")?,
        evidence: columns.word_or_none("evidence", Evidence::parse)?,
    };
    if grant.spec.issuer.as_str() != columns.text("issuer")?
        || grant.spec.resource.as_str() != columns.text("resource")?
    {
        return Err(columns.wrong("its spec is for another issuer or resource"));
    }
    if grant.state.is_over() != grant.ended_at.is_some() {
        return Err(columns.wrong("it is over without a time, or has one and is not"));
    }
    if (grant.state == GrantState::Ended) != grant.evidence.is_some() {
        return Err(columns.wrong("it is ended without evidence, or has some and is not"));
    }
    Ok(grant)
}

fn ending(columns: &Columns<'_>) -> Result<Option<Ending>, StoreError> {
    let Some(reason) = columns.word_or_none("ending_reason", EndingReason::parse)? else {
        return Ok(None);
    };
    let by = match columns.name_or_none("ending_account")? {
        Some(account) => Some(Identity {
            account,
            person: columns.name_or_none("ending_person")?,
        }),
        None => None,
    };
    let at = columns
        .time_or_none("ending_at")?
        .ok_or_else(|| columns.wrong("its end was ordered at no time"))?;
    let why = columns.text_or_none("ending_why")?;
    Ok(Some(Ending {
        reason,
        by,
        at,
        why,
    }))
}

pub(super) fn card(row: &SqliteRow) -> Result<MessageRef, StoreError> {
    let columns = Columns::new(row, "the card of request", "request")?;
    Ok(MessageRef {
        place: columns.name("place")?,
        message: columns.text("message")?,
    })
}

/// A claimed job. The error says why its kind can't be read; the row's id and key are known then.
pub(super) fn job(row: &SqliteRow) -> Result<Job, StoreError> {
    let columns = Columns::new(row, "job", "key")?;
    let lease_until = columns
        .time_or_none("lease_until")?
        .ok_or_else(|| columns.wrong("it is claimed without a lease"))?;
    Ok(Job {
        id: columns.number("id")?,
        kind: columns.json::<JobKind>("kind")?,
        lane: Lane(columns.text("lane")?),
        attempt: columns.number("attempt")?,
        failures: columns.number("failures")?,
        run_at: columns.time("run_at")?,
        lease_until,
    })
}

pub(super) fn head(row: &SqliteRow) -> Result<Head, StoreError> {
    Ok(Head {
        count: row.try_get("seq").map_err(database)?,
        hash: ContentHash(row.try_get("hash").map_err(database)?),
    })
}

pub(super) fn audit_entry(row: &SqliteRow) -> Result<AuditEntry, StoreError> {
    let salt: Option<String> = row.try_get("salt").map_err(database)?;
    let text: Option<String> = row.try_get("text").map_err(database)?;
    Ok(AuditEntry {
        seq: row.try_get("seq").map_err(database)?,
        body: row.try_get("body").map_err(database)?,
        prev: ContentHash(row.try_get("prev").map_err(database)?),
        hash: ContentHash(row.try_get("hash").map_err(database)?),
        text: salt.zip(text).map(|(salt, text)| SaltedText { salt, text }),
    })
}

pub(super) fn digest(row: &SqliteRow) -> Result<DigestMark, StoreError> {
    let number: i64 = row.try_get("number").map_err(database)?;
    let columns = Columns {
        row,
        what: format!("digest {number}"),
    };
    Ok(DigestMark {
        number,
        slot: columns.time("slot")?,
        at: columns.time("at")?,
        from_seq: columns.number("from_seq")?,
        to: Head {
            count: columns.number("to_count")?,
            hash: ContentHash(columns.text("to_hash")?),
        },
    })
}
