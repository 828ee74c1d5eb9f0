//! Slack: Socket Mode in, Web API out. The only place that knows slack-morphism.

mod canvas;
pub mod client;
pub mod directory;
pub mod failure;
mod history;
pub mod listen;
pub mod me;
mod names;
mod press;
pub mod render;
pub mod send;
pub mod typed;
pub mod usergroups;
