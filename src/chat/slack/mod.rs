//! Slack: Socket Mode in, Web API out. The only place that knows slack-morphism.

mod accounts;
mod app_id;
pub mod button;
mod canvas;
pub mod channels;
pub mod client;
pub mod failure;
pub mod form;
mod history;
pub mod listen;
pub mod me;
mod names;
mod press;
pub mod render;
mod respond;
pub mod send;
pub mod socket_mode;
pub mod sockets;
pub mod survey;
pub mod typed;
mod unacknowledged;
pub mod usergroups;
