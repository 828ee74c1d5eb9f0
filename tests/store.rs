//! The store's conformance suite: what every backend must do, free of any backend's ways.

#[path = "store/removal.rs"]
mod removal;
#[path = "store/world.rs"]
mod world;

#[path = "store/any_sequence.rs"]
mod any_sequence;
#[path = "store/cards.rs"]
mod cards;
#[path = "store/claiming.rs"]
mod claiming;
#[path = "store/directory.rs"]
mod directory;
#[path = "store/erasing.rs"]
mod erasing;
#[path = "store/grants.rs"]
mod grants;
#[path = "store/jobs.rs"]
mod jobs;
#[path = "store/keys.rs"]
mod keys;
#[path = "store/record.rs"]
mod record;
#[path = "store/round_trips.rs"]
mod round_trips;
#[path = "store/transactions.rs"]
mod transactions;
