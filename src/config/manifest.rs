//! What the shipped manifest of the Slack app says.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::SLACK_MANIFEST;

#[derive(Deserialize)]
struct Manifest {
    oauth_config: OauthConfig,
}

#[derive(Deserialize)]
struct OauthConfig {
    scopes: Scopes,
}

#[derive(Deserialize)]
struct Scopes {
    bot: BTreeSet<String>,
}

/// The scopes that the bot's token needs.
///
/// # Errors
/// When the shipped manifest can't be read, which a test keeps from happening.
pub fn slack_scopes() -> Result<BTreeSet<String>, String> {
    serde_saphyr::from_str::<Manifest>(SLACK_MANIFEST)
        .map(|manifest| manifest.oauth_config.scopes.bot)
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_manifest_names_its_scopes() {
        let scopes = slack_scopes().unwrap();
        assert!(
            scopes.contains("chat:write") && scopes.len() > 5,
            "{scopes:?}"
        );
    }
}
