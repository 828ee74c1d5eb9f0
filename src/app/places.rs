//! The channels that the config names, looked up at the start.

use std::collections::BTreeMap;

use anyhow::{anyhow, bail};

use crate::chat::slack::channels::BadPlace;
use crate::chat::slack::send::SlackOutbox;
use crate::config::Config;
use crate::domain::ids::Place;
use crate::domain::outcome::PlaceTrouble;
use crate::domain::request::RequestState;
use crate::domain::timing::Timestamp;
use crate::store::Store;

/// The channels that the config names, and those of them that can't be posted to.
pub(super) async fn resolve(
    outbox: &SlackOutbox,
    config: &Config,
) -> anyhow::Result<(BTreeMap<String, Place>, Vec<PlaceTrouble>)> {
    let resolved = outbox
        .places(&config.place_names())
        .await
        .map_err(|failure| anyhow!("Slack did not list its channels: {failure}"))?;
    let mut places = BTreeMap::new();
    let mut lost = Vec::new();
    for (name, place) in resolved {
        let place = match place {
            Ok(place) => place,
            Err(BadPlace { said, at }) => {
                let place = at.ok_or_else(|| anyhow!("{said}"))?;
                lost.push(PlaceTrouble {
                    place: place.clone(),
                    said,
                    shows: true,
                });
                place
            }
        };
        places.insert(name, place);
    }
    Ok((places, lost))
}

/// A channel that can't be posted to is no reason to stay down while ends are due; before anything was
/// given or asked for it is most likely a slip in the config.
pub(super) async fn refuse_lost(
    store: &dyn Store,
    lost: &[PlaceTrouble],
    machine_now: Timestamp,
) -> anyhow::Result<()> {
    let mut reader = store.reader().await?;
    let pending = reader.count_requests_in(RequestState::Pending).await?;
    if lost.is_empty() || pending > 0 || !reader.issuers_in_use(machine_now).await?.is_empty() {
        return Ok(());
    }
    let said: Vec<&str> = lost.iter().map(|trouble| trouble.said.as_str()).collect();
    bail!(
        "the config names channels that can't be used:\n{}",
        said.join("\n")
    )
}
