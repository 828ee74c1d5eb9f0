//! Several statements in one question to the database: each question wakes its thread and then ours, which
//! costs more than most statements (docs/decisions/0011).
//!
//! Parameters are numbered through: `$1` is the same value in each statement.

use futures_util::TryStreamExt as _;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Either, Executor as _, Sqlite, SqliteConnection};

use super::fault::{database, inconsistent};
use crate::store::StoreError;

/// What came of one statement.
#[derive(Default)]
pub(super) struct Told {
    pub(super) rows: Vec<SqliteRow>,
    /// Rows that it changed; of one that only reads this says nothing.
    pub(super) changed: u64,
}

/// What came of each statement, in their order.
pub(super) async fn told_of_each(
    conn: &mut SqliteConnection,
    query: Query<'_, Sqlite, SqliteArguments>,
) -> Result<Vec<Told>, StoreError> {
    let mut each = Vec::new();
    let mut rows = Vec::new();
    let mut told = conn.fetch_many(query);
    while let Some(told) = told.try_next().await.map_err(database)? {
        match told {
            Either::Right(row) => rows.push(row),
            Either::Left(end) => each.push(Told {
                rows: std::mem::take(&mut rows),
                changed: end.rows_affected(),
            }),
        }
    }
    Ok(each)
}

/// The rows of each of so many statements, in their order.
pub(super) async fn rows_of_each<const N: usize>(
    conn: &mut SqliteConnection,
    query: Query<'_, Sqlite, SqliteArguments>,
) -> Result<[Vec<SqliteRow>; N], StoreError> {
    let told = told_of_each(conn, query).await?;
    let rows: Vec<Vec<SqliteRow>> = told.into_iter().map(|one| one.rows).collect();
    let came = rows.len();
    rows.try_into()
        .map_err(|_| inconsistent("an answer", format!("it is {came} answers, not {N}")))
}

/// `$1, $2, …` from one number on.
pub(super) fn numbered(from: usize, count: usize) -> String {
    let numbers: Vec<String> = (from..from + count).map(|n| format!("${n}")).collect();
    numbers.join(", ")
}

/// A statement whose values have other numbers, all exchanged at once.
pub(super) fn renumbered(sql: &str, number: impl Fn(usize) -> usize) -> String {
    let mut parts = sql.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (old, rest) = part.split_at(digits);
        text.push('$');
        match old.parse() {
            Ok(old) => {
                text.push_str(&number(old).to_string());
                text.push_str(rest);
            }
            // A path in JSON.
            Err(_) => text.push_str(part),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbered_anew_all_at_once_and_a_dollar_in_a_text_stays() {
        let sql = "a = $1 AND b = $12 AND json_type(c, '$.x') AND d = $3";
        assert_eq!(
            renumbered(sql, |n| n + 20),
            "a = $21 AND b = $32 AND json_type(c, '$.x') AND d = $23"
        );
        let swap = |n| match n {
            3 => 10,
            1 => 4,
            n => n,
        };
        assert_eq!(
            renumbered(sql, swap),
            "a = $4 AND b = $12 AND json_type(c, '$.x') AND d = $10"
        );
    }
}
