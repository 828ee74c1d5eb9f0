//! Rules that need a hand at the target.

use super::{Bench, Halt};
use crate::issuer::IssueError;

pub(super) async fn taken_by_hand(bench: &Bench) -> Result<(), Halt> {
    let hand = bench.hand()?;
    bench.ends_early()?;
    let order = bench.order()?;
    let given = bench.give(&order).await?;
    hand.take_by_hand(&order).await;
    bench.is_gone(&order, "taken away by hand").await?;
    bench.take(&order, Some(&given)).await?;
    bench
        .is_gone(&order, "taken away by hand and then by us")
        .await
}

pub(super) async fn there_before(bench: &Bench) -> Result<(), Halt> {
    let hand = bench.hand()?;
    bench.ends_early()?;
    hand.give_before().await;
    let order = bench.order()?;
    let given = bench.give(&order).await?;
    bench.take(&order, Some(&given)).await?;
    bench.is_gone(&order, "taken away").await?;
    if hand.has_access().await {
        Ok(())
    } else {
        Err(Halt::Broken(
            "what was there before us went with what we gave".to_owned(),
        ))
    }
}

pub(super) async fn lost_answer(bench: &Bench) -> Result<(), Halt> {
    let hand = bench.hand()?;
    bench.ends_early()?;
    let order = bench.order()?;
    hand.lose_next_answer().await;
    match bench.within_limit(bench.issuer().issue(&order)).await {
        Err(IssueError::Unknown { .. }) => {}
        other => {
            return Err(Halt::Broken(format!(
                "its answer lost, issue says {}",
                said(other)
            )));
        }
    }
    bench.settle().await;
    bench.take(&order, None).await?;
    bench
        .is_gone(&order, "its answer lost, and taken away")
        .await
}

pub(super) async fn slow_target(bench: &Bench) -> Result<(), Halt> {
    let hand = bench.hand()?;
    let order = bench.order()?;
    hand.hang_next_call().await;
    match bench.within_limit(bench.issuer().issue(&order)).await {
        Err(IssueError::Unknown { .. }) => Ok(()),
        other => Err(Halt::Broken(format!(
            "never answered, issue says {}",
            said(other)
        ))),
    }
}

pub(super) async fn throttling_target(bench: &Bench) -> Result<(), Halt> {
    let hand = bench.hand()?;
    let order = bench.order()?;
    hand.throttle_next_call().await;
    match bench.within_limit(bench.issuer().issue(&order)).await {
        Err(IssueError::Retry { .. }) => {}
        other => {
            return Err(Halt::Broken(format!(
                "asked to wait, issue says {}",
                said(other)
            )));
        }
    }
    bench.give(&order).await.map(|_| ())
}

fn said<T>(answer: Result<T, IssueError>) -> String {
    match answer {
        Ok(_) => "that it was done".to_owned(),
        Err(IssueError::Retry { said, .. }) => format!("that it was not done ({said})"),
        Err(IssueError::Permanent { said }) => format!("that it failed for good ({said})"),
        Err(IssueError::Unknown { said }) => format!("that nobody knows ({said})"),
    }
}
