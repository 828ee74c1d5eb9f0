//! The small HTTP server: what hosts fetch and report, and how the process is.

pub mod krl;
pub mod probes;
pub mod rate;
pub mod routes;
pub mod server;

pub use probes::Probes;
pub use routes::Routes;
pub use server::{Running, Server};
