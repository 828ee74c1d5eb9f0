//! Channels by the names that a config gives them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::client::Api;
use super::failure::Failure;
use super::send::SlackOutbox;
use crate::chat::port::PostError;
use crate::domain::ids::Place;
use crate::domain::spec::ContentHash;

/// Channels of one page; Slack recommends 200 and allows fewer than 1,000.
const PAGE: u32 = 200;
/// Pages that are read at most: 100,000 channels.
const PAGES_MAX: usize = 500;

/// Public channels, and private ones that the bot is in.
pub(super) const BOTH: &str = "public_channel,private_channel";

/// A configured channel that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{said}")]
pub struct BadPlace {
    /// Why, in a sentence that says what to do.
    pub said: String,
    /// The channel, or, where not exactly one was found, an id that no channel has: what is for it
    /// is for a channel that can't be posted to.
    pub at: Option<Place>,
}

/// A channel that the bot can see.
#[derive(Debug, Clone, Deserialize)]
pub struct Channel {
    /// `C…`
    pub id: String,
    /// Without `#`.
    pub name: Option<String>,
    /// Nobody can write there.
    #[serde(default)]
    pub is_archived: bool,
    /// The bot is in it.
    #[serde(default)]
    pub is_member: bool,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    channels: Vec<Channel>,
    response_metadata: Option<Cursor>,
}

#[derive(Deserialize)]
struct Cursor {
    #[serde(default)]
    next_cursor: String,
}

impl SlackOutbox {
    /// The places that a config means with `slack:#name` and `slack:C0ID`: exactly one channel each,
    /// not archived, with the bot in it. Every name has an entry in the result.
    ///
    /// # Errors
    /// [`Failure`] when Slack does not list its channels.
    pub async fn places(
        &self,
        names: &[String],
    ) -> Result<BTreeMap<String, Result<Place, BadPlace>>, Failure> {
        let team = self.whoami().await?.team_id.clone();
        let channels = if names.is_empty() {
            Vec::new()
        } else {
            listed(&self.api, "conversations.list", BOTH, false).await?
        };
        Ok(names
            .iter()
            .map(|name| (name.clone(), resolve(name, &team, &channels)))
            .collect())
    }

    pub(super) async fn look_at_channel(&self, place: &Place) -> Result<(), PostError> {
        #[derive(Deserialize)]
        struct Info {
            channel: Channel,
        }
        let info: Info = self
            .api
            .call("conversations.info", &json!({"channel": place.member()}))
            .await
            .map_err(Failure::repeatable)?;
        let code = match info.channel {
            Channel {
                is_archived: true, ..
            } => "is_archived",
            Channel {
                is_member: false, ..
            } => "not_in_channel",
            _ => return Ok(()),
        };
        Err(PostError::NoPlace {
            said: format!("{code}: conversations.info shows it"),
            shows: true,
        })
    }

    /// One list tells of all that are well; only those that are not in it are asked about one by one.
    pub(super) async fn lost_channels(
        &self,
        places: &[Place],
    ) -> Result<Vec<(Place, String)>, PostError> {
        let ours = listed(&self.api, "users.conversations", BOTH, true)
            .await
            .map_err(Failure::repeatable)?;
        let mut lost = Vec::new();
        for place in places {
            if ours.iter().any(|one| one.id == place.member()) {
                continue;
            }
            match self.look_at_channel(place).await {
                Ok(()) => {}
                Err(PostError::NoPlace { said, .. }) => lost.push((place.clone(), said)),
                Err(other) => return Err(other),
            }
        }
        Ok(lost)
    }
}

/// All channels of these types, page by page.
pub(super) async fn listed(
    api: &Api,
    method: &str,
    types: &str,
    exclude_archived: bool,
) -> Result<Vec<Channel>, Failure> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    for _ in 0..PAGES_MAX {
        let arguments = json!({
            "types": types,
            "exclude_archived": exclude_archived,
            "limit": PAGE,
            "cursor": cursor,
        });
        let page: Page = api.call(method, &arguments).await?;
        all.extend(page.channels);
        cursor = page
            .response_metadata
            .map(|metadata| metadata.next_cursor)
            .unwrap_or_default();
        if cursor.is_empty() {
            break;
        }
    }
    Ok(all)
}

/// The one channel that a config means with `slack:#name` or `slack:C0ID`.
///
/// # Errors
/// [`BadPlace`] where there is none, or it can't be used.
pub fn resolve(configured: &str, team: &str, channels: &[Channel]) -> Result<Place, BadPlace> {
    let bad_at = |what: String, at: Option<Place>| BadPlace {
        said: format!("`{configured}` {what}"),
        at,
    };
    let bad = |what: String| bad_at(what, nowhere(configured, team));
    let Some(wanted) = configured.strip_prefix("slack:") else {
        return Err(bad(
            "is no Slack channel. Write `slack:#name` or `slack:C0123456`.".into(),
        ));
    };
    // An id may name its workspace, as it stands in the record.
    let id = match wanted.split_once('/') {
        Some((workspace, id)) if workspace == team => id,
        Some((workspace, _)) => {
            return Err(bad(format!(
                "is in the workspace {workspace}; the bot's is {team}."
            )));
        }
        None => wanted,
    };
    let found: Vec<&Channel> = match wanted.strip_prefix('#') {
        Some(name) => channels
            .iter()
            .filter(|one| one.name.as_deref() == Some(name))
            .collect(),
        None => channels.iter().filter(|one| one.id == id).collect(),
    };
    match found.as_slice() {
        [] => Err(bad(
            "matches no channel that the bot can see. Check its spelling; into a private channel the bot must be invited first.".into(),
        )),
        [one] => {
            let at = Place::new(format!("slack:{team}/{}", one.id))
                .map_err(|e| bad(format!("has an id that can't be used: {e}.")))?;
            if one.is_archived {
                let what = "is archived. Unarchive it or name another.";
                Err(bad_at(what.into(), Some(at)))
            } else if !one.is_member {
                let what = "has no bot in it. Type `/invite @jitbot` there.";
                Err(bad_at(what.into(), Some(at)))
            } else {
                Ok(at)
            }
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|one| one.id.as_str()).collect();
            Err(bad(format!(
                "matches several channels ({}). Write one's id instead, e.g. `slack:{}`.",
                ids.join(", "),
                ids[0]
            )))
        }
    }
}

/// An id that no channel has, always the same for a name.
fn nowhere(configured: &str, team: &str) -> Option<Place> {
    let hash = ContentHash::of(configured.as_bytes()).0;
    Place::new(format!("slack:{team}/LOST{}", &hash[..16])).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(id: &str, name: &str, is_archived: bool, is_member: bool) -> Channel {
        Channel {
            id: id.into(),
            name: Some(name.into()),
            is_archived,
            is_member,
        }
    }

    #[test]
    fn a_name_means_exactly_one_channel_that_we_are_in() {
        let channels = [
            channel("C1", "approvals", false, true),
            channel("C2", "old", true, true),
            channel("C3", "away", false, false),
            channel("C4", "twice", false, true),
            channel("C5", "twice", false, true),
        ];
        let one = |name: &str| resolve(name, "T1", &channels).map_err(|e| e.said);
        let place = Place::new("slack:T1/C1").unwrap();
        for good in ["slack:#approvals", "slack:C1", "slack:T1/C1"] {
            assert_eq!(one(good), Ok(place.clone()), "{good}");
        }
        for (bad, why) in [
            ("slack:#approval", "matches no channel"),
            ("slack:approvals", "matches no channel"),
            ("slack:#old", "is archived"),
            ("slack:#away", "has no bot in it"),
            ("slack:#twice", "matches several channels (C4, C5)"),
            ("slack:T2/C1", "is in the workspace T2"),
            ("#approvals", "is no Slack channel"),
        ] {
            let said = one(bad).unwrap_err();
            assert!(said.contains(why) && said.ends_with('.'), "{bad}: {said}");
        }
    }
}
