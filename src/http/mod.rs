//! The small HTTP server: what hosts fetch and report, and whether the process lives.

pub mod krl;
pub mod rate;
pub mod server;

pub use server::{Routes, Running, Server};
