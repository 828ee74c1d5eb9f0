//! Stands in where the program was built without the feature `otlp`.

use anyhow::bail;
use tracing_subscriber::{Layer, Registry};

use crate::config::TracesConfig;

/// Never made.
pub enum Export {}

impl Export {
    /// Not here.
    ///
    /// # Errors
    /// Always.
    pub fn of(_wanted: &TracesConfig) -> anyhow::Result<Self> {
        bail!("this jitbot was built without the feature `otlp`, so it can't serve [traces]")
    }

    /// Not here.
    ///
    /// # Errors
    /// Always.
    pub fn look(wanted: &TracesConfig) -> anyhow::Result<()> {
        Self::of(wanted).map(drop)
    }

    /// What listens to spans.
    #[must_use]
    pub fn layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        match *self {}
    }

    /// Sends what is left.
    pub async fn stop(self) {
        match self {}
    }
}
