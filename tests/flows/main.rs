//! Stories: each reads as a conversation, through the sandbox and the real adapter, on a clock that
//! the story moves.

#[path = "../support/mod.rs"]
mod support;

#[path = "../slack_types/checker.rs"]
mod checker;

mod bad_input;
mod bench;
mod clock;
mod contract;
mod digest;
mod early_end;
mod first_end;
mod forms;
mod groups;
mod home;
mod keys;
mod leaving;
mod more_time;
mod odd_places;
mod once;
mod reload;
mod renamed_groups;
mod restart;
mod retention;
mod rotation;
mod scopes;
mod secrets;
mod stuck;
mod undecided;
mod unreachable;
mod untold_security;
mod variables;
mod webhook_secret;
mod who_may;

/// Everything that went over the wire in this world has the published types.
async fn judged(world: &support::World) {
    let log = serde_json::to_string(&world.here.people.log().await.unwrap()).unwrap();
    checker::judge(&log).unwrap_or_else(|problems| panic!("{problems}"));
}
