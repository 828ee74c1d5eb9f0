//! The rules as tables that a person can read, and as properties that hold for any policy.

#[path = "policy/activating.rs"]
mod activating;
#[path = "policy/any_policy.rs"]
mod any_policy;
#[path = "policy/asking.rs"]
mod asking;
#[path = "policy/cap.rs"]
mod cap;
#[path = "policy/hours.rs"]
mod hours;
#[path = "policy/house.rs"]
mod house;
#[path = "policy/judging.rs"]
mod judging;
#[path = "policy/keys.rs"]
mod keys;
#[path = "policy/knowing.rs"]
mod knowing;
#[path = "policy/properties.rs"]
mod properties;
#[path = "policy/submitting.rs"]
mod submitting;
