//! Puts onto a target what must stand there whatever grants there are, e.g. a revocation list that
//! was lost while nobody looked.

use super::Effects;
use crate::domain::ids::IssuerName;
use crate::domain::outcome::Outcome;

impl Effects {
    pub(super) async fn publish(&self, name: &IssuerName) -> Result<Outcome, Outcome> {
        let Some(issuer) = self.issuers.get(name) else {
            // Of an earlier config; a start enqueues it for every issuer that there is.
            return Ok(Outcome::Done);
        };
        Ok(match issuer.publish().await {
            Ok(()) => Outcome::Done,
            Err(error) => {
                tracing::error!(issuer = %name, "could not publish, trying again: {error}");
                Outcome::Retry {
                    said: error.to_string(),
                    after_s: None,
                    pause_lane: false,
                }
            }
        })
    }
}
