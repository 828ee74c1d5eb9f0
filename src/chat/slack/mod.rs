//! Slack: Socket Mode in, Web API out. The only place that knows slack-morphism.

pub mod render;
