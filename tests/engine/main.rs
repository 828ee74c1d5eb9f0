//! The engine against a target that misbehaves on demand: the real service, effects, worker and store,
//! a clock that a test moves, and an issuer that does what its script says.

mod board;
mod house;
mod in_hand;
mod longer;
mod target;
mod world;

mod again;
mod beside;
mod evidence;
mod refused;
mod reloads;
mod stale;
mod taking;
mod told;
mod unknown;
