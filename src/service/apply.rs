//! Carries a plan out.

use crate::domain::decide::{Change, Plan};
use crate::domain::request::IllegalTransition;
use crate::store::{StoreError, Tx};

/// Saves, records and enqueues what a plan says, in its order.
pub async fn apply(tx: &mut dyn Tx, plan: Plan) -> Result<(), StoreError> {
    for change in plan.changes {
        match change {
            Change::NewRequest(request) => tx.insert_request(&request).await?,
            Change::Request(request, was) => tx.save_request(&request, was).await?,
            Change::Decision(decision) => tx.insert_decision(&decision).await?,
            Change::NewGrant(grant) => {
                tx.insert_grant(&grant).await?;
            }
            Change::Grant(grant, was) => tx.save_grant(&grant, was).await?,
            Change::Card(request, on) => tx.record_card(&request, &on).await?,
            Change::Key(account, row) => tx.keep_key(&account, &row).await?,
            Change::Want(accounts) => tx.want_accounts(&accounts).await?,
            Change::Record(draft) => tx.audit(draft).await?,
            Change::Job(order) => tx.enqueue(&order).await?,
            Change::NoJob(key) => tx.cancel_job(&key).await?,
        }
    }
    Ok(())
}

/// A state that a decision did not expect: nothing is kept.
pub fn conflict(error: IllegalTransition) -> StoreError {
    StoreError::Conflict {
        what: error.to_string(),
    }
}
