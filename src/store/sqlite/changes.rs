//! Changes that wait within a transaction and go to the database together: before the next read, or at the
//! end of the body (docs/decisions/0011).

use futures_util::TryStreamExt as _;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Either, Executor as _, Sqlite, SqliteConnection};

use super::fault::{database, inconsistent, or_taken};
use super::several::renumbered;
use crate::store::StoreError;

/// A value that is bound.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    Number(i64),
    Nothing,
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

/// What makes a change a conflict.
#[derive(Debug, Clone)]
enum Conflict {
    None,
    /// A key that is taken.
    Taken(String),
    /// That it finds no row as it was.
    Gone(String),
}

/// One statement that changes rows, with its values `$1, $2, …`.
#[derive(Debug, Clone)]
pub(super) struct Change {
    sql: &'static str,
    values: Vec<Value>,
    conflict: Conflict,
}

impl Change {
    pub(super) const fn new(sql: &'static str) -> Self {
        Self {
            sql,
            values: Vec::new(),
            conflict: Conflict::None,
        }
    }

    pub(super) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// A key that is taken is a conflict about this.
    pub(super) fn or_taken(self, what: String) -> Self {
        Self {
            conflict: Conflict::Taken(what),
            ..self
        }
    }

    /// It is a conflict about this unless one row changes.
    pub(super) fn of_one(self, what: String) -> Self {
        Self {
            conflict: Conflict::Gone(what),
            ..self
        }
    }
}

/// Changes that go to the database in one question: a longer text costs more than it saves, since SQLite
/// copies what is left of it for each statement.
const TOGETHER_MAX: usize = 32;

/// Makes these changes, in their order; says how many rows each changed. The first that fails ends the
/// rest, and what was changed before it stands until the body is undone.
pub(super) async fn make(
    conn: &mut SqliteConnection,
    changes: Vec<Change>,
) -> Result<Vec<u64>, StoreError> {
    let mut changed = Vec::with_capacity(changes.len());
    for some in changes.chunks(TOGETHER_MAX) {
        changed.extend(make_some(conn, some).await?);
    }
    Ok(changed)
}

async fn make_some(
    conn: &mut SqliteConnection,
    changes: &[Change],
) -> Result<Vec<u64>, StoreError> {
    let mut sql = String::new();
    let mut bound = 0;
    for change in changes {
        if bound > 0 || !sql.is_empty() {
            sql.push_str("; ");
        }
        sql.push_str(&renumbered(change.sql, |n| n + bound));
        bound += change.values.len();
    }
    let mut conflicts = Vec::with_capacity(changes.len());
    let mut query = sqlx::query::<Sqlite>(AssertSqlSafe(sql));
    for change in changes {
        conflicts.push(&change.conflict);
        for value in &change.values {
            query = bind(query, value.clone());
        }
    }
    let mut changed: Vec<u64> = Vec::with_capacity(conflicts.len());
    let mut told = conn.fetch_many(query);
    loop {
        let at = changed.len();
        match told.try_next().await {
            Ok(None) => break,
            Ok(Some(Either::Right(_row))) => {}
            Ok(Some(Either::Left(end))) => {
                let rows = end.rows_affected();
                if let Some(Conflict::Gone(what)) = conflicts.get(at)
                    && rows != 1
                {
                    return Err(StoreError::Conflict { what: what.clone() });
                }
                changed.push(rows);
            }
            Err(error) => {
                return Err(match conflicts.get(at) {
                    Some(Conflict::Taken(what)) => or_taken(|| what.clone())(error),
                    _ => database(error),
                });
            }
        }
    }
    if changed.len() == conflicts.len() {
        Ok(changed)
    } else {
        Err(inconsistent("a change", "it was not made in full"))
    }
}

type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

fn bind(query: Query<'_>, value: Value) -> Query<'_> {
    match value {
        Value::Text(text) => query.bind(text),
        Value::Number(number) => query.bind(number),
        Value::Nothing => query.bind(None::<String>),
    }
}
