//! Rules about one grant.

use std::time::Duration;

use futures_util::TryStreamExt as _;

use super::{Bench, Halt};
use crate::issuer::{GrantOrder, IssueError, Observed, Presence};

/// After how long a call is given up: most targets are in the middle of it then.
const GIVEN_UP_AFTER: Duration = Duration::from_millis(15);

/// What must stand on the target whatever grants there are comes first, as at the bot's start.
pub(super) async fn check(bench: &Bench) -> Result<(), Halt> {
    bench
        .within_limit(bench.issuer().publish())
        .await
        .map_err(|error| Halt::Broken(format!("publish: {error}")))?;
    bench
        .within_limit(bench.issuer().check())
        .await
        .map_err(|error| Halt::Broken(error.to_string()))
}

pub(super) async fn gives_and_takes(bench: &Bench) -> Result<(), Halt> {
    let order = bench.order()?;
    let given = bench.give(&order).await?;
    bench.is_there(&order, "given").await?;
    if let Ok(hand) = bench.hand()
        && !hand.has_access().await
    {
        return Err(Halt::Broken("given, it does not work".to_owned()));
    }
    bench.ends_early()?;
    bench.take(&order, Some(&given)).await?;
    bench.is_gone(&order, "taken away").await?;
    if let Ok(hand) = bench.hand()
        && hand.has_access().await
    {
        return Err(Halt::Broken("taken away, it works on".to_owned()));
    }
    Ok(())
}

pub(super) async fn double_issue(bench: &Bench) -> Result<(), Halt> {
    let order = bench.order()?;
    bench.give(&order).await?;
    let given = bench.give(&order).await?;
    bench.ends_early()?;
    bench.take(&order, Some(&given)).await?;
    bench
        .is_gone(&order, "given twice and taken away once")
        .await
}

/// That the one before does not work any more only a login can show, which the kit can't try.
pub(super) async fn another_secret(bench: &Bench) -> Result<(), Halt> {
    if !bench.issuer().capabilities().makes_secret {
        return Err(Halt::NotJudged("it makes no secrets".to_owned()));
    }
    let order = bench.order()?;
    let first = bench.give(&order).await?;
    let renewal = GrantOrder {
        renewal: Some(1),
        ..order
    };
    let second = bench.give(&renewal).await?;
    match (first.secret, second.secret) {
        (Some(first), Some(second)) if first != second => Ok(()),
        (Some(_), Some(_)) => Err(Halt::Broken(
            "given once more under another key, the secret is the same".to_owned(),
        )),
        _ => Err(Halt::Broken("given, there is no secret".to_owned())),
    }
}

pub(super) async fn double_revoke(bench: &Bench) -> Result<(), Halt> {
    bench.ends_early()?;
    let order = bench.order()?;
    let given = bench.give(&order).await?;
    bench.take(&order, Some(&given)).await?;
    bench.take(&order, Some(&given)).await?;
    bench.is_gone(&order, "taken away twice").await
}

pub(super) async fn revoke_before_issue(bench: &Bench) -> Result<(), Halt> {
    bench.ends_early()?;
    let order = bench.order()?;
    bench.take(&order, None).await?;
    bench.is_gone(&order, "never given").await
}

pub(super) async fn without_handle(bench: &Bench) -> Result<(), Halt> {
    bench.ends_early()?;
    let order = bench.order()?;
    bench.give(&order).await?;
    bench.take(&order, None).await?;
    bench.is_gone(&order, "taken away without its handle").await
}

pub(super) async fn late_issue(bench: &Bench) -> Result<(), Halt> {
    bench.ends_early()?;
    let order = bench.order()?;
    let given = bench.give(&order).await?;
    bench.take(&order, Some(&given)).await?;
    // Refusing to give what has ended is right too.
    if let Ok(given) = bench.within_limit(bench.issuer().issue(&order)).await {
        bench.take(&order, Some(&given)).await?;
    }
    bench
        .is_gone(&order, "given again after its end and taken away again")
        .await
}

pub(super) async fn extend_twice(bench: &Bench) -> Result<(), Halt> {
    let order = bench.order()?;
    let given = bench.give(&order).await?;
    let longer = bench.longer(&order);
    let extend = || bench.issuer().extend(&longer, Some(&given.handle));
    let extended = match bench.within_limit(extend()).await {
        Ok(extended) => extended,
        Err(IssueError::Permanent { said }) => {
            return Err(Halt::NotJudged(format!("it extends nothing: {said}")));
        }
        Err(error) => return Err(Halt::Broken(format!("extend: {error}"))),
    };
    if let Err(error) = bench.within_limit(extend()).await {
        return Err(Halt::Broken(format!(
            "extended once, it can't be extended to the same end again: {error}"
        )));
    }
    bench.is_there(&longer, "extended twice").await?;
    bench.ends_early()?;
    bench.take(&longer, Some(&extended)).await?;
    bench.is_gone(&longer, "extended and taken away").await
}

pub(super) async fn extend_after_revoke(bench: &Bench) -> Result<(), Halt> {
    bench.ends_early()?;
    let order = bench.order()?;
    let given = bench.give(&order).await?;
    bench.take(&order, Some(&given)).await?;
    let longer = bench.longer(&order);
    // It may refuse, or do it: what it says matters less than whether it can be ended.
    let extend = bench.issuer().extend(&longer, Some(&given.handle));
    let extended = bench.within_limit(extend).await;
    if bench.look(&longer).await? == Presence::Present {
        bench.take(&longer, extended.as_ref().ok()).await?;
    }
    bench.is_gone(&longer, "extended after its end").await
}

pub(super) async fn given_up(bench: &Bench) -> Result<(), Halt> {
    bench.ends_early()?;
    let order = bench.order()?;
    // How it ended, if it did in so short a time, makes no difference.
    let _ = tokio::time::timeout(GIVEN_UP_AFTER, bench.issuer().issue(&order)).await;
    bench.settle().await;
    bench.take(&order, None).await?;
    bench
        .is_gone(&order, "given up half-way and taken away")
        .await
}

pub(super) async fn list(bench: &Bench) -> Result<(), Halt> {
    let order = bench.order()?;
    let given = bench.give(&order).await?;
    let before = listed(bench).await?;
    let Some(mark) = before.iter().find(|mark| mark.grant == order.grant) else {
        return Err(Halt::NotJudged(if before.is_empty() {
            "it lists nothing: what is lost there is never found".to_owned()
        } else {
            return Err(Halt::Broken("it lists others, but not this one".to_owned()));
        }));
    };
    check_deadline(mark, &order)?;
    bench.ends_early()?;
    bench.take(&order, Some(&given)).await?;
    let after = listed(bench).await?;
    if after.iter().any(|mark| mark.grant == order.grant) {
        return Err(Halt::Broken("taken away, it is still listed".to_owned()));
    }
    Ok(())
}

fn check_deadline(mark: &Observed, order: &GrantOrder) -> Result<(), Halt> {
    let (Some(there), Some(ours)) = (mark.deadline, order.native_deadline) else {
        return Ok(());
    };
    // Targets round as they like; a minute is what a native end may be late.
    if (there - ours).num_seconds().abs() > 60 {
        return Err(Halt::Broken(format!(
            "it is listed with the deadline {there}, and was given until {ours}"
        )));
    }
    Ok(())
}

async fn listed(bench: &Bench) -> Result<Vec<Observed>, Halt> {
    bench
        .within_limit(bench.issuer().list().try_collect())
        .await
        .map_err(|error| Halt::Broken(format!("list: {error}")))
}
