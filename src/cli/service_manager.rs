//! What the service manager is told, by systemd's sd_notify(3); nobody where none listens.

use std::time::Duration;

use sd_notify::NotifyState;

/// It does its work from here on: what is due is done, also while chat can't be reached.
pub(super) fn tell_ready() {
    tell(NotifyState::Ready);
}

/// It stops.
pub(super) fn tell_stopping() {
    tell(NotifyState::Stopping);
}

/// Says that it is alive for as long as the worker's loop turns, several times in each period after which
/// the service manager would start it again; does nothing where nobody watches.
pub(super) async fn keep_watchdog_quiet(works: impl AsyncFn() -> bool) {
    match sd_notify::watchdog_enabled() {
        Some(period) => beat(period, works, || tell(NotifyState::Watchdog)).await,
        None => std::future::pending().await,
    }
}

async fn beat(period: Duration, works: impl AsyncFn() -> bool, tell: impl Fn()) {
    loop {
        if works().await {
            tell();
        }
        let _ = tokio::time::timeout(period / 4, std::future::pending::<()>()).await;
    }
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!("the service manager can't be told: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn the_watchdog_hears_nothing_while_the_loop_stands_still() {
        let (works, beats) = (Cell::new(true), Cell::new(0));
        let period = Duration::from_millis(80);
        let beating = beat(period, async || works.get(), || beats.set(beats.get() + 1));
        tokio::pin!(beating);
        let mut within = async |time| {
            beats.set(0);
            let _ = tokio::time::timeout(time, &mut beating).await;
            beats.get()
        };
        assert!(within(period).await > 0);
        works.set(false);
        assert_eq!(within(period * 5).await, 0, "it would be started again");
        works.set(true);
        assert!(within(period).await > 0);
    }
}
