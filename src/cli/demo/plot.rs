//! What there is to play in a config: the resource whose host is the demo's SSH server, who asks for
//! it, and who says yes.

use toml::{Table, Value};

use super::cast::{Cast, Player};

/// The kind of issuer whose certificates the demo's SSH server judges.
const PLAYED: &str = "ssh-ca";

/// What to try first.
#[derive(Debug, Clone)]
pub struct Plot {
    /// The resource.
    pub resource: String,
    /// Its issuer; what it signs opens the demo's SSH server.
    pub issuer: String,
    /// Who is let in there: what resources of that issuer grant.
    pub principals: Vec<String>,
    /// Who asks; none where the config lets nobody who has a key.
    pub asks: Option<Player>,
    /// Who approves what they ask.
    pub approves: Option<Player>,
    /// How many people must.
    pub approvals: i64,
    /// The channel that gets the card, by name.
    pub room: Option<String>,
    /// How long is asked for, as it is typed.
    pub duration: String,
}

fn text<'t>(table: &'t Table, key: &str) -> Option<&'t str> {
    table.get(key).and_then(Value::as_str)
}

fn risk(resource: &Table) -> usize {
    let order = ["low", "medium", "high", "critical"];
    let risk = text(resource, "risk");
    order
        .iter()
        .position(|one| Some(*one) == risk)
        .unwrap_or(order.len())
}

impl Plot {
    /// Finds it: of the resources that can be played, one that somebody can ask for and somebody else
    /// can approve, and of those the one with the lowest risk.
    pub fn of(table: &Table, cast: &Cast) -> Option<Self> {
        let resources = table.get("resource")?.as_table()?;
        let issuers = table.get("issuer")?.as_table()?;
        let played = |issuer: &str| {
            let issuer = issuers.get(issuer).and_then(Value::as_table);
            issuer.is_some_and(|one| {
                text(one, "kind") == Some(PLAYED)
                    && one.get("retired").and_then(Value::as_bool) != Some(true)
            })
        };
        let mut plots: Vec<(usize, Self)> = resources
            .iter()
            .filter_map(|(name, resource)| {
                let resource = resource.as_table()?;
                let issuer = text(resource, "issuer").filter(|issuer| played(issuer))?;
                Some((
                    risk(resource),
                    Self::with(name, issuer, resource, resources, table, cast),
                ))
            })
            .collect();
        plots.sort_by_key(|(risk, plot)| (plot.asks.is_none(), plot.approves.is_none(), *risk));
        plots.into_iter().next().map(|(_, plot)| plot)
    }

    fn with(
        name: &str,
        issuer: &str,
        resource: &Table,
        resources: &Table,
        table: &Table,
        cast: &Cast,
    ) -> Self {
        let never = cast.meant(table, resource, "never");
        let by_rule: Vec<&Player> = resource
            .get("auto_approve")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_table)
            .flat_map(|rule| cast.meant(table, rule, "from"))
            .collect();
        let mut asking: Vec<&Player> = cast
            .meant(table, resource, "request")
            .into_iter()
            .filter(|one| one.has_key && !never.contains(one))
            .collect();
        let stage = resource.get("approve").and_then(Value::as_array);
        let stage = stage
            .and_then(|stages| stages.first())
            .and_then(Value::as_table);
        let approving = stage
            .map(|stage| cast.meant(table, stage, "from"))
            .unwrap_or_default();
        // Somebody whom no rule approves at once, and who leaves an approver.
        asking.sort_by_key(|one| (by_rule.contains(one), approving.contains(one)));
        let asks = asking.into_iter().next();
        let approves = approving.into_iter().find(|one| Some(*one) != asks);
        let principals = resources
            .values()
            .filter_map(Value::as_table)
            .filter(|other| text(other, "issuer") == Some(issuer))
            .filter_map(|other| other.get("grant")?.get("principals")?.as_array())
            .flatten()
            .filter_map(Value::as_str);
        let mut principals: Vec<String> = principals.map(str::to_owned).collect();
        principals.sort();
        principals.dedup();
        let rooms = resource.get("channels").and_then(Value::as_array);
        let room = rooms.into_iter().flatten().filter_map(Value::as_str).next();
        let room = room.map(|place| place.trim_start_matches("slack:").trim_start_matches('#'));
        Self {
            resource: name.to_owned(),
            issuer: issuer.to_owned(),
            principals,
            asks: asks.cloned(),
            approves: approves.cloned(),
            approvals: stage
                .and_then(|stage| stage.get("count"))
                .and_then(Value::as_integer)
                .unwrap_or(1),
            room: room.and_then(|room| {
                let found = cast
                    .rooms
                    .iter()
                    .find(|one| one.name == room || one.id == room);
                found.map(|one| one.name.clone())
            }),
            duration: resource
                .get("duration")
                .and_then(|duration| duration.get("default"))
                .and_then(Value::as_str)
                .unwrap_or("1h")
                .to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_sample_alice_asks_and_bob_approves() {
        let table: Table = crate::config::SAMPLE.parse().unwrap();
        let plot = Plot::of(&table, &Cast::of(&table).unwrap()).unwrap();
        assert_eq!(
            (plot.resource.as_str(), plot.issuer.as_str()),
            ("staging-ssh", "staging-ca")
        );
        assert_eq!(plot.asks.unwrap().name, "alice");
        assert_eq!(plot.approves.unwrap().name, "bob");
        assert_eq!(
            (plot.room.as_deref(), plot.duration.as_str()),
            (Some("approvals"), "1h")
        );
        assert_eq!(plot.principals, ["deploy"]);
    }

    #[test]
    fn whoever_a_rule_approves_at_once_asks_last() {
        let table: Table = r#"
            [person.a]
            accounts = ["slack:T1/U1"]
            ssh_keys = ["x"]
            [person.b]
            accounts = ["slack:T1/U2"]
            ssh_keys = ["y"]
            [issuer.old]
            kind = "ssh-ca"
            retired = true
            [issuer.new]
            kind = "ssh-ca"
            [resource.first]
            issuer = "old"
            request = ["person:a"]
            [resource.second]
            issuer = "new"
            request = ["person:a", "person:b"]
            approve = [{ from = ["person:a"], count = 2 }]
            auto_approve = [{ from = ["person:a"], max = "1h" }]
        "#
        .parse()
        .unwrap();
        let plot = Plot::of(&table, &Cast::of(&table).unwrap()).unwrap();
        assert_eq!(plot.resource, "second", "a retired issuer gives nothing");
        assert_eq!(plot.asks.unwrap().name, "b");
        assert_eq!(plot.approves.unwrap().name, "a");
        assert_eq!(plot.approvals, 2);
    }
}
