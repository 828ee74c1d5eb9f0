//! jitbot: just-in-time access from chat. `docs/ARCHITECTURE.md` is the way in.

pub mod app;
pub mod chat;
pub mod cli;
pub mod clock;
pub mod config;
pub mod directory;
pub mod domain;
pub mod effects;
pub mod http;
pub mod issuer;
pub mod metrics;
pub mod policy;
pub mod sandbox;
pub mod service;
pub mod store;
pub mod traces;
pub mod web_call;
pub mod worker;
