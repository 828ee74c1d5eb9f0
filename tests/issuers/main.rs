//! The contract for programs and webhooks, and the kit that judges every issuer: against real child
//! processes, a real receiver on loopback, and issuers that are wrong on purpose.

mod bad_programs;
mod bad_receivers;
mod command_line;
mod examples;
#[path = "../support/issuer_box.rs"]
mod issuer_box;
mod model;
mod receiver;
mod script;
mod secrets;
mod signed;
mod subject;
mod wrong;
