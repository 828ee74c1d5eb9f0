//! Rules about two grants of one account, and two calls at once.

use super::{Bench, Halt};

pub(super) async fn first_ends_first(bench: &Bench) -> Result<(), Halt> {
    overlapping(bench, true).await
}

pub(super) async fn second_ends_first(bench: &Bench) -> Result<(), Halt> {
    overlapping(bench, false).await
}

async fn overlapping(bench: &Bench, first_ends: bool) -> Result<(), Halt> {
    bench.ends_early()?;
    let (first, second) = (bench.order()?, bench.order()?);
    let given_first = bench.give(&first).await?;
    let given_second = bench.give(&second).await?;
    let (ends, stays) = if first_ends {
        ((&first, &given_first), (&second, &given_second))
    } else {
        ((&second, &given_second), (&first, &given_first))
    };
    bench.take(ends.0, Some(ends.1)).await?;
    bench.is_gone(ends.0, "taken away beside another").await?;
    bench.is_there(stays.0, "with the other one ended").await?;
    if let Ok(hand) = bench.hand()
        && !hand.has_access().await
    {
        return Err(Halt::Broken(
            "with the other one ended, it does not work".to_owned(),
        ));
    }
    bench.take(stays.0, Some(stays.1)).await?;
    bench.is_gone(stays.0, "taken away as the last").await
}

pub(super) async fn issue_during_revoke(bench: &Bench) -> Result<(), Halt> {
    bench.ends_early()?;
    let order = bench.order()?;
    bench.end_is_ordered(&order);
    let issue = bench.within_limit(bench.issuer().issue(&order));
    let revoke = bench.within_limit(bench.issuer().revoke(&order, None));
    // Whichever came first: what counts is what can be done about it.
    let (issued, _) = tokio::join!(issue, revoke);
    bench.settle().await;
    bench.take(&order, issued.as_ref().ok()).await?;
    bench
        .is_gone(&order, "given and taken away at once, then taken away")
        .await
}
