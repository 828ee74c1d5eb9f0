//! Who plays in a rehearsal: the people, groups and channels that a config names, with people made up
//! for groups whose members only the real chat knows.
//!
//! It reads the config's table, not the typed config: what is made up has to be there before the whole
//! can be checked.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use crate::sandbox::slack::World;

/// People made up for one group.
const MADE_UP_EACH: usize = 2;
/// Names for them, in order.
const MADE_UP: [&str; 12] = [
    "ada", "ben", "cleo", "dev", "eli", "fay", "gus", "hana", "ivo", "june", "kai", "lena",
];

/// Somebody who can be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Player {
    /// The account's id in the workspace.
    pub id: String,
    /// The person's name in the config, or a name made up.
    pub name: String,
    /// IANA name of their zone.
    pub zone: Option<String>,
    /// Whether the config holds a key for them, so that a key of the demo stands in for it.
    pub has_key: bool,
    /// Whether nobody of this name stands in the config.
    pub made_up: bool,
}

/// A channel that the config names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// The channel's id in the workspace.
    pub id: String,
    /// Its name, without `#`.
    pub name: String,
    /// Ids of those who are in it; everybody where a resource names it.
    pub members: BTreeSet<String>,
    /// Whether only members see it: security's own.
    pub private: bool,
}

/// Everybody and everything that a config names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cast {
    /// The workspace's id.
    pub team: String,
    /// Those who can be played.
    pub players: Vec<Player>,
    /// Ids of the members of each group.
    pub groups: BTreeMap<String, BTreeSet<String>>,
    /// Groups of the chat that the config names: handle and the group's name in the config.
    pub chat_groups: Vec<(String, String)>,
    /// Channels.
    pub rooms: Vec<Room>,
}

/// Why a config can't be rehearsed: the text that is to blame, the key, what and a hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unplayable {
    /// A text that stands in the config, for its line; none where the whole is meant.
    pub at: Option<String>,
    /// The key.
    pub key: String,
    /// What is in the way, without a full stop.
    pub what: String,
    /// What to do.
    pub hint: String,
}

fn tables<'t>(table: &'t Table, section: &str) -> impl Iterator<Item = (&'t String, &'t Table)> {
    let section = table.get(section).and_then(Value::as_table);
    section
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name, value.as_table()?)))
}

fn texts<'t>(table: &'t Table, key: &str) -> impl Iterator<Item = &'t str> {
    let list = table.get(key).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

/// `slack:TEAM/USER` as its two parts.
fn account(text: &str) -> Option<(&str, &str)> {
    let (team, user) = text.strip_prefix("slack:")?.split_once('/')?;
    (!team.is_empty() && !user.is_empty()).then_some((team, user))
}

/// Every text in a value, with the path of its key.
fn walk(path: &str, value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => found.push((path.to_owned(), text.clone())),
        Value::Array(list) => list.iter().for_each(|one| walk(path, one, found)),
        Value::Table(table) => {
            for (key, one) in table {
                let below = match path {
                    "" => key.clone(),
                    path => format!("{path}.{key}"),
                };
                walk(&below, one, found);
            }
        }
        _ => {}
    }
}

impl Cast {
    /// Reads who and what a config names.
    ///
    /// # Errors
    /// [`Unplayable`] when one workspace can't hold it.
    pub fn of(table: &Table) -> Result<Self, Unplayable> {
        let mut all = Vec::new();
        walk("", &Value::Table(table.clone()), &mut all);
        let team = one_team(&all)?;
        let mut players: Vec<Player> = tables(table, "person")
            .filter_map(|(name, person)| {
                let (_, id) = texts(person, "accounts").find_map(account)?;
                Some(Player {
                    id: id.to_owned(),
                    name: name.clone(),
                    zone: person
                        .get("time_zone")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                    has_key: texts(person, "ssh_keys").next().is_some(),
                    made_up: false,
                })
            })
            .collect();
        // Accounts that are nobody's second account and no person's.
        let of_people: BTreeSet<String> = tables(table, "person")
            .flat_map(|(_, person)| texts(person, "accounts").filter_map(account))
            .map(|(_, id)| id.to_owned())
            .collect();
        let mut others: Vec<&str> = all
            .iter()
            .filter_map(|(_, text)| account(text))
            .map(|(_, id)| id)
            .filter(|id| !of_people.contains(*id))
            .collect();
        others.sort_unstable();
        others.dedup();
        players.extend(others.into_iter().map(|id| Player {
            id: id.to_owned(),
            name: id.to_lowercase(),
            zone: None,
            has_key: false,
            made_up: false,
        }));
        let mut cast = Self {
            team,
            players,
            groups: BTreeMap::new(),
            chat_groups: Vec::new(),
            rooms: Vec::new(),
        };
        cast.read_groups(table);
        if cast.players.is_empty() {
            return Err(Unplayable {
                at: None,
                key: String::new(),
                what: "it names nobody in Slack, so there is nobody to play".into(),
                hint: "Name people as [person.NAME] with accounts = [\"slack:TEAM/USER\"].".into(),
            });
        }
        cast.read_rooms(table);
        Ok(cast)
    }

    fn read_groups(&mut self, table: &Table) {
        let mut names = MADE_UP
            .iter()
            .copied()
            .map(str::to_owned)
            .chain((1..).map(|number| format!("guest{number}")));
        for (group, described) in tables(table, "group") {
            let mut members: BTreeSet<String> = texts(described, "members")
                .flat_map(|member| self.ids(table, member))
                .collect();
            if let Some(handle) = described.get("slack_usergroup").and_then(Value::as_str) {
                self.chat_groups.push((handle.to_owned(), group.clone()));
                for _ in 0..MADE_UP_EACH {
                    let taken = |name: &String| self.players.iter().any(|one| one.name == *name);
                    let Some(name) = names.find(|name| !taken(name)) else {
                        break;
                    };
                    let id = format!("U0MADE{}", name.to_uppercase());
                    members.insert(id.clone());
                    self.players.push(Player {
                        id,
                        name,
                        zone: None,
                        has_key: true,
                        made_up: true,
                    });
                }
            }
            self.groups.insert(group.clone(), members);
        }
    }

    fn read_rooms(&mut self, table: &Table) {
        let mut taken = BTreeSet::new();
        let everybody: BTreeSet<String> = self.players.iter().map(|one| one.id.clone()).collect();
        let security = table.get("security").and_then(Value::as_table);
        let of_resources: BTreeSet<&str> = tables(table, "resource")
            .flat_map(|(_, resource)| texts(resource, "channels"))
            .collect();
        let of_security = security.into_iter().flat_map(|one| texts(one, "channels"));
        let places: BTreeSet<&str> = of_security.chain(of_resources.iter().copied()).collect();
        let guards: BTreeSet<String> = security
            .into_iter()
            .flat_map(|one| texts(one, "people"))
            .flat_map(|subject| self.ids(table, subject))
            .collect();
        for place in places {
            let Some(place_name) = place.strip_prefix("slack:") else {
                continue;
            };
            let private = !of_resources.contains(place);
            let (id, name) = match place_name.strip_prefix('#') {
                None => (place_name.to_owned(), place_name.to_lowercase()),
                Some(name) => {
                    let plain = name.chars().filter(char::is_ascii_alphanumeric);
                    let id: String = plain.map(|c| c.to_ascii_uppercase()).collect();
                    let mut id = format!("C0{id}");
                    while taken.contains(&id) {
                        id.push('X');
                    }
                    (id, name.to_owned())
                }
            };
            taken.insert(id.clone());
            self.rooms.push(Room {
                id,
                name,
                members: if private {
                    guards.clone()
                } else {
                    everybody.clone()
                },
                private,
            });
        }
    }

    /// Ids of everybody that a subject stands for.
    fn ids(&self, table: &Table, subject: &str) -> Vec<String> {
        if let Some((_, id)) = account(subject) {
            return vec![id.to_owned()];
        }
        if let Some(name) = subject.strip_prefix("person:") {
            let person = tables(table, "person").find(|(person, _)| *person == name);
            return person
                .and_then(|(_, person)| texts(person, "accounts").find_map(account))
                .map(|(_, id)| id.to_owned())
                .into_iter()
                .collect();
        }
        let group = subject.strip_prefix("group:");
        let group = group.and_then(|name| self.groups.get(name));
        group.into_iter().flatten().cloned().collect()
    }

    /// Those who are meant by a list of subjects, in the order of the players.
    pub fn meant<'c>(&'c self, table: &Table, subjects: &Table, key: &str) -> Vec<&'c Player> {
        let ids: BTreeSet<String> = texts(subjects, key)
            .flat_map(|subject| self.ids(table, subject))
            .collect();
        self.players
            .iter()
            .filter(|one| ids.contains(&one.id))
            .collect()
    }

    /// The player with this name.
    pub fn player(&self, name: &str) -> Option<&Player> {
        self.players.iter().find(|one| one.name == name)
    }

    /// The workspace in which they play.
    pub fn world(&self) -> World {
        let mut world = World::new(&self.team);
        for player in &self.players {
            let in_chat: BTreeSet<&String> =
                self.chat_groups.iter().map(|(_, group)| group).collect();
            let groups: Vec<&str> = self
                .groups
                .iter()
                .filter(|(name, members)| members.contains(&player.id) && !in_chat.contains(name))
                .map(|(name, _)| name.as_str())
                .collect();
            let mut title = groups.join(", ");
            if player.made_up {
                title = "made up".to_owned();
            }
            world = world.user_with(&player.id, &player.name, |user| {
                user.title = title;
                if let Some(zone) = &player.zone {
                    user.tz.clone_from(zone);
                }
            });
        }
        for (number, (handle, group)) in self.chat_groups.iter().enumerate() {
            let members: Vec<&str> = self
                .groups
                .get(group)
                .into_iter()
                .flatten()
                .map(String::as_str)
                .collect();
            let is_id = handle.starts_with('S')
                && handle
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
            let (id, handle) = if is_id {
                (handle.clone(), group.clone())
            } else {
                (
                    format!("S0MADE{number}"),
                    handle.trim_start_matches('@').to_owned(),
                )
            };
            world = world.user_group(&id, &handle, &members);
        }
        for room in &self.rooms {
            let members: Vec<&str> = room.members.iter().map(String::as_str).collect();
            world = world.channel_with(&room.id, &room.name, &members, |channel| {
                channel.private = room.private;
            });
        }
        world
    }
}

/// The one workspace whose accounts are named. Where there are two, the one that is named less is to
/// blame.
fn one_team(all: &[(String, String)]) -> Result<String, Unplayable> {
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    for (team, _) in all.iter().filter_map(|(_, text)| account(text)) {
        *named.entry(team).or_default() += 1;
    }
    let Some((team, _)) = named.iter().max_by_key(|(_, times)| **times) else {
        // A config may leave everything to the chat's own groups.
        return Ok("T0REHEARSAL".to_owned());
    };
    let other = |(_, text): &&(String, String)| account(text).is_some_and(|(of, _)| of != *team);
    match all.iter().find(other) {
        None => Ok((*team).to_owned()),
        Some((key, text)) => Err(Unplayable {
            at: Some(text.clone()),
            key: key.clone(),
            what: format!(
                "{text} is of another workspace than {team}, and a rehearsal has one: there are accounts of two workspaces"
            ),
            hint: "Rehearse a copy with the accounts of one of them.".into(),
        }),
    }
}

#[cfg(test)]
mod tests;
