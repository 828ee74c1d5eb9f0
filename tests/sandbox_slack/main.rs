//! The Slack sandbox from outside: through slack-morphism where it matters, through plain HTTP and WebSocket where a
//! well-behaved client could not go.

mod client;
mod commands;
mod faults;
mod forms;
mod listening;
mod refusals;
mod refused_blocks;
mod refused_lookups;
mod refused_messages;
mod responses;
mod rows;
mod running;
mod sockets;
mod submissions;
mod support;
mod workspace;
