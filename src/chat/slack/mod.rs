//! Slack: Socket Mode in, Web API out. The only place that knows slack-morphism.

pub mod client;
pub mod directory;
pub mod failure;
pub mod listen;
pub mod render;
pub mod send;
pub mod typed;
