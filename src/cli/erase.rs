//! `jitbot erase ACCOUNT`: erase what is personal about an account, while no bot runs.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;

use crate::clock::{SystemClock, machine_now};
use crate::domain::ids::{AccountId, RequestId};
use crate::service::erasing::{self, NotErased, Personal};
use crate::store::Store as _;
use crate::store::sqlite::SqliteStore;

/// Whose, and where.
#[derive(Debug, Args)]
pub struct EraseArgs {
    /// The account, like slack:T0123456/U0123456.
    account: String,
    /// The database.
    #[arg(long, default_value = "jitbot.db")]
    db: PathBuf,
    /// Do it. Without this, it is only said what would be done.
    #[arg(long)]
    yes: bool,
}

/// What is said after the list of what goes, and before anything is done.
const STAYS: &str = "The account's id stays in the record, and the name that the config gave it, so that the past can \
    be read; so does what was approved, with the key that it was for, until the record is no longer kept. \
    What a platform knows comes back when the bot asks it again. \
    What stands in chat, in logs and in backups is not touched.";

/// Runs it.
///
/// # Errors
/// When the account is none, the database can't be opened, or a bot runs on it.
pub async fn run(args: EraseArgs) -> anyhow::Result<ExitCode> {
    let db = args.db.display().to_string();
    let account = AccountId::new(args.account.as_str())
        .map_err(|why| anyhow::anyhow!("{why}; write it like slack:T0123456/U0123456"))?;
    let mut out = std::io::stdout();
    // Also what refuses a database that is not there, or of another version.
    let books = SqliteStore::open_read_only(&db).await?;
    let would = erasing::personal(&mut *books.reader().await?, &account).await;
    books.close().await;
    let would = match would {
        Ok(would) => would,
        Err(not_erased) => return refused(not_erased, &account),
    };
    let tense = if args.yes { "Erasing" } else { "Would erase" };
    writeln!(out, "{tense} of {account}: {}.", in_words(&would))?;
    writeln!(out, "{STAYS}")?;
    if !args.yes {
        writeln!(
            out,
            "Nothing was done. Say --yes to do it, while no bot runs."
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    let store = SqliteStore::open_as("erase", &db, Arc::new(SystemClock::new()))
        .await
        .context("nothing was erased; a bot may be stopped for the moment that it takes")?;
    let erased = erasing::erase(&store, &account).await;
    let head = match &erased {
        Ok(_) => Some(store.reader().await?.head().await?),
        Err(_) => None,
    };
    store.close().await;
    let erased = match erased {
        Ok(erased) => erased,
        Err(not_erased) => return refused(not_erased, &account),
    };
    SqliteStore::rewrite(&db, "erase", machine_now())
        .await
        .context(
            "it is erased, on record, but the files may still hold rests of it; run this again to write them anew",
        )?;
    writeln!(out, "Erased: {}.", in_words(&erased))?;
    if let Some(head) = head {
        writeln!(out, "The record says so; its head is {head}.")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn in_words(personal: &Personal) -> String {
    let rows = &personal.rows;
    let each = [
        (
            i64::try_from(personal.texts).unwrap_or(i64::MAX),
            "texts beside the record",
        ),
        (rows.reasons, "reasons of requests"),
        (rows.whys, "reasons of denials and early ends"),
        (rows.keys, "public keys given in chat"),
        (rows.known, "rows of what the platform told"),
        (rows.answers, "kept answers, whoever they were for"),
        (rows.messages, "messages that wait or were given up"),
    ];
    if personal.is_nothing() {
        return "nothing, for nothing of it is here".to_owned();
    }
    let parts: Vec<String> = each
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    parts.join(", ")
}

fn refused(why: NotErased, account: &AccountId) -> anyhow::Result<ExitCode> {
    match why {
        NotErased::Store(error) => Err(error.into()),
        NotErased::NotOver(ids) => {
            let ids: Vec<&str> = ids.iter().map(RequestId::as_str).collect();
            println!(
                "Nothing was erased: not everything of {account} is over yet: {}. Withdraw the request, or revoke the access, and try again.",
                ids.join(", ")
            );
            Ok(ExitCode::from(1))
        }
    }
}
