//! What the people's side of the sandbox speaks over `/sandbox/…`: the same types on both ends.

mod acts;
mod record;
mod sights;
mod trouble;

pub use acts::*;
pub use record::*;
pub use sights::*;
pub use trouble::*;
