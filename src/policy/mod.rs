//! Who may ask for what, and who approves it: rules as data, and what they say of a request.
//!
//! Pure like `domain`. The config builds a [`Policy`]; `service` asks it.

pub mod cap;
pub mod changes;
pub mod evaluate;
pub mod keys;
pub mod membership;
pub mod model;
pub mod more_time;
pub mod staying;

mod wanted;

pub use model::Policy;
