//! What the service manager is told, by systemd's sd_notify(3); nobody where none listens.

use sd_notify::NotifyState;

use crate::app::App;

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
pub(super) async fn keep_watchdog_quiet(app: &App) {
    let Some(period) = sd_notify::watchdog_enabled() else {
        return std::future::pending().await;
    };
    loop {
        if app.works().await {
            tell(NotifyState::Watchdog);
        }
        let _ = tokio::time::timeout(period / 4, std::future::pending::<()>()).await;
    }
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!("the service manager can't be told: {error}");
    }
}
