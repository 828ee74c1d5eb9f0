//! How many of our sockets are open, as far as is heard of them.

use std::time::Duration;

use tokio::sync::watch;

/// Counts sockets. A socket that Slack closes in good order goes unheard until the next one greets;
/// whoever must know it asks besides whether Slack would open one.
#[derive(Debug)]
pub struct Sockets {
    open: watch::Sender<u32>,
    most: u32,
}

impl Sockets {
    /// None is open yet; there are so many at most.
    #[must_use]
    pub fn at_most(most: u32) -> Self {
        Self {
            open: watch::Sender::new(0),
            most,
        }
    }

    /// One greeted.
    pub(super) fn opened(&self) {
        self.change(|open| (open + 1).min(self.most));
    }

    /// One broke.
    pub(super) fn broke(&self) {
        self.change(|open| open.saturating_sub(1));
    }

    /// Something came, so one at least is open.
    pub(super) fn heard(&self) {
        self.change(|open| open.max(1));
    }

    /// Whether any is open.
    #[must_use]
    pub fn any(&self) -> bool {
        *self.open.borrow() > 0
    }

    /// Waits until all are open, so long at most; whether any is.
    pub(super) async fn wait(&self, limit: Duration) -> bool {
        let mut seen = self.open.subscribe();
        let all = seen.wait_for(|open| *open >= self.most);
        let _ = tokio::time::timeout(limit, all).await;
        self.any()
    }

    fn change(&self, to: impl Fn(u32) -> u32) {
        self.open.send_modify(|open| *open = to(*open));
    }
}
