//! Decisions: every state against every event as tables, the promises one by one, and walks through
//! random lives of a request.

#[path = "decide/approving.rs"]
mod approving;
#[path = "decide/believing.rs"]
mod believing;
#[path = "decide/case.rs"]
mod case;
#[path = "decide/checking.rs"]
mod checking;
#[path = "decide/checks.rs"]
mod checks;
#[path = "decide/delivering.rs"]
mod delivering;
#[path = "decide/giving.rs"]
mod giving;
#[path = "decide/late_issue.rs"]
mod late_issue;
#[path = "decide/lines.rs"]
mod lines;
#[path = "decide/promises.rs"]
mod promises;
#[path = "decide/requests.rs"]
mod requests;
#[path = "decide/states.rs"]
mod states;
#[path = "decide/steps.rs"]
mod steps;
#[path = "decide/taking.rs"]
mod taking;
#[path = "decide/walk.rs"]
mod walk;
#[path = "decide/walking.rs"]
mod walking;
