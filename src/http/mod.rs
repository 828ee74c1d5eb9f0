//! The small HTTP server: what hosts fetch and report, and whether the process lives.

pub mod krl;
pub mod rate;
pub mod routes;
pub mod server;

pub use routes::Routes;
pub use server::{Running, Server};
