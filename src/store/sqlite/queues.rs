//! Where bodies wait for the writer, and who waits for what comes of them.

use tokio::sync::{mpsc, oneshot};

use crate::domain::job::Claim;
use crate::store::{StoreError, WriteBody};

/// What a body yields.
pub(super) type Yield = Box<dyn std::any::Any + Send>;

/// Bodies that are committed together at most.
const GROUP_MAX: usize = 64;

/// Places in a group that answers leave to outcomes, so that a flood of commands can't keep what was
/// done from being recorded.
const OUTCOMES_MIN: usize = 16;

/// A body and who waits for its answer.
pub(super) struct Waiting {
    pub(super) body: WriteBody<Yield>,
    /// The claim that it begins by asking for.
    pub(super) claim: Option<Claim>,
    pub(super) answer: Reply,
}

/// Where bodies wait.
pub(super) struct Queues {
    pub(super) answers: mpsc::UnboundedReceiver<Waiting>,
    pub(super) outcomes: mpsc::UnboundedReceiver<Waiting>,
}

impl Queues {
    /// What waits now, answers first; none when nobody can send any more.
    pub(super) async fn next_group(&mut self) -> Option<Vec<Waiting>> {
        let first = tokio::select! {
            biased;
            Some(waiting) = self.answers.recv() => waiting,
            Some(waiting) = self.outcomes.recv() => waiting,
            else => return None,
        };
        let mut group = vec![first];
        while group.len() < GROUP_MAX - OUTCOMES_MIN {
            match self.answers.try_recv() {
                Ok(waiting) => group.push(waiting),
                Err(_) => break,
            }
        }
        while group.len() < GROUP_MAX {
            match self.outcomes.try_recv() {
                Ok(waiting) => group.push(waiting),
                Err(_) => break,
            }
        }
        Some(group)
    }
}

/// Whom to tell what came of a write.
pub(super) type Reply = oneshot::Sender<Result<Yield, StoreError>>;

/// Nobody may be waiting any more; what was committed stays all the same.
pub(super) fn answer(to: Reply, result: Result<Yield, StoreError>) {
    let _ = to.send(result);
}
