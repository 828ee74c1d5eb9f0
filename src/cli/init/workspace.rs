//! Finding people and channels by what is typed: by name where Slack could be asked, by id otherwise.
//! Pure.

use std::collections::BTreeMap;

use super::draft::{Channel, Person};
use crate::chat::slack::survey::{Listing, Member};

/// What is known of the workspace.
#[derive(Debug)]
pub enum Workspace {
    /// Slack said.
    Listed(Box<Listing>),
    /// It could not be asked.
    Unknown {
        /// The workspace's id, as typed.
        team: String,
    },
}

impl Workspace {
    /// Its id.
    pub fn team(&self) -> &str {
        match self {
            Self::Listed(listing) => &listing.identity.team_id,
            Self::Unknown { team } => team,
        }
    }

    /// How people are named, for a question.
    pub fn how_to_name(&self) -> &'static str {
        match self {
            Self::Listed(_) => {
                "Handles as in Slack, like alice, bob; or ids like U0123456. Full members only."
            }
            Self::Unknown { .. } => {
                "As name=ID, like alice=U0123456, bob=U0456789; the ID stands in each profile in Slack."
            }
        }
    }

    /// The channel that is meant.
    ///
    /// # Errors
    /// Why there is none, for who typed it.
    pub fn channel(&self, typed: &str) -> Result<Channel, String> {
        let name = typed.trim_start_matches('#');
        let is_id = |text: &str| is_id(text, &['C', 'G']);
        let Self::Listed(listing) = self else {
            let at = if is_id(name) {
                name.to_owned()
            } else {
                format!("#{}", name.to_lowercase())
            };
            return Ok(Channel { at, name: None });
        };
        let found: Vec<_> = listing
            .channels
            .iter()
            .filter(|one| one.id == name || one.name.as_deref() == Some(name))
            .collect();
        match found.as_slice() {
            [one] => Ok(Channel {
                at: one.id.clone(),
                name: one.name.clone(),
            }),
            [] => {
                let names = listing
                    .channels
                    .iter()
                    .filter_map(|one| one.name.as_deref());
                Err(format!(
                    "There is no such channel that the bot can see. {} Into a private one it must be invited first.",
                    nearest(name, names)
                ))
            }
            several => {
                let ids: Vec<&str> = several.iter().map(|one| one.id.as_str()).collect();
                Err(format!(
                    "Several have that name: type one of {}.",
                    ids.join(", ")
                ))
            }
        }
    }

    /// Whether the bot is known to be missing there.
    pub fn lacks_bot(&self, channel: &Channel) -> bool {
        match self {
            Self::Listed(listing) => listing
                .channels
                .iter()
                .any(|one| one.id == channel.at && !one.is_member),
            Self::Unknown { .. } => false,
        }
    }

    /// Who somebody is in Slack, for whoever named them: handle, id and full name.
    pub fn shown(&self, person: &Person) -> Option<String> {
        match self {
            Self::Listed(listing) => listing.people.get(&person.id).map(shown),
            Self::Unknown { .. } => None,
        }
    }

    /// The people that are meant, parted by commas or blanks.
    ///
    /// # Errors
    /// Who is not known, for who typed it.
    pub fn people(&self, typed: &str) -> Result<Vec<Person>, String> {
        let words = typed
            .split([',', ' ', ';'])
            .map(|word| word.trim().trim_start_matches('@'))
            .filter(|word| !word.is_empty());
        let mut people: Vec<Person> = Vec::new();
        for word in words {
            let person = match self {
                Self::Listed(listing) => listed(&listing.people, word)?,
                Self::Unknown { .. } => by_id(word)?,
            };
            if !people.contains(&person) {
                people.push(person);
            }
        }
        if people.is_empty() {
            return Err("Name somebody.".to_owned());
        }
        Ok(people)
    }
}

fn listed(people: &BTreeMap<String, Member>, word: &str) -> Result<Person, String> {
    let lower = word.to_lowercase();
    let found: Vec<&Member> = people
        .values()
        // Never by a full name: everybody sets their own to what they like.
        .filter(|one| one.id == word || one.name.to_lowercase() == lower)
        .collect();
    match found.as_slice() {
        [one] => Ok(Person {
            name: config_name(&one.name, &one.id),
            id: one.id.clone(),
            zone: one.zone.map(|zone| zone.name().to_owned()),
            key: None,
        }),
        [] => {
            let meant: Vec<String> = people
                .values()
                .filter(|one| full_name_has(one, &lower))
                .map(shown)
                .take(12)
                .collect();
            let hint = if meant.is_empty() {
                nearest(&lower, people.values().map(|one| one.name.as_str()))
            } else {
                format!("Did you mean {}?", meant.join(", or "))
            };
            Err(format!("Nobody there has the handle {word:?}. {hint}"))
        }
        several => {
            let ids: Vec<String> = several
                .iter()
                .map(|one| format!("{} ({})", one.id, one.real_name))
                .collect();
            Err(format!(
                "Several are called {word:?}: type one of {}.",
                ids.join(", ")
            ))
        }
    }
}

/// Whether a word of somebody's full name is this one.
fn full_name_has(member: &Member, lower: &str) -> bool {
    let name = member.real_name.to_lowercase();
    name == lower || name.split_whitespace().any(|word| word == lower)
}

fn shown(member: &Member) -> String {
    let Member {
        id,
        name,
        real_name,
        ..
    } = member;
    if real_name.is_empty() {
        return format!("{name} = {id}");
    }
    format!("{name} = {id} ({real_name})")
}

fn by_id(word: &str) -> Result<Person, String> {
    let wrong = || format!("{word:?} is not NAME=ID, like alice=U0123456.");
    let (name, id) = word.split_once('=').ok_or_else(wrong)?;
    if name.is_empty() || !is_id(id, &['U', 'W']) {
        return Err(wrong());
    }
    Ok(Person {
        name: config_name(name, id),
        id: id.to_owned(),
        zone: None,
        key: None,
    })
}

/// Whether this looks like an id that begins with one of these.
pub fn is_id(text: &str, begins: &[char]) -> bool {
    text.starts_with(begins)
        && (2..=32).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// A name that the config takes: that of Slack as far as it goes, else the id.
fn config_name(name: &str, id: &str) -> String {
    let kept: String = name
        .to_lowercase()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '-'
            }
        })
        .take(60)
        .collect();
    let kept = kept.trim_matches(['-', '_']);
    if kept.is_empty() {
        id.to_lowercase()
    } else {
        kept.to_owned()
    }
}

/// The nearest of the names, or some of them.
fn nearest<'n>(typed: &str, names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    let best = names
        .iter()
        .map(|name| (strsim::normalized_damerau_levenshtein(typed, name), *name))
        .filter(|(likeness, _)| *likeness >= 0.5)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((_, name)) => format!("Did you mean {name}?"),
        None => {
            let some: Vec<&str> = names.into_iter().take(12).collect();
            format!("There is: {}.", some.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_slack_people_come_with_their_ids_and_get_names_that_the_config_takes() {
        let nowhere = Workspace::Unknown { team: "T1".into() };
        let people = nowhere.people("Jörg.Müller=U1, bob=U2 bob=U2").unwrap();
        let names: Vec<(&str, &str)> = people
            .iter()
            .map(|one| (one.name.as_str(), one.id.as_str()))
            .collect();
        assert_eq!(names, [("j-rg-m-ller", "U1"), ("bob", "U2")]);
        for wrong in ["alice", "alice=", "=U1", "alice=u1", "", " , "] {
            assert!(nowhere.people(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(nowhere.channel("Approvals").unwrap().at, "#approvals");
        assert_eq!(nowhere.channel("#C0123").unwrap().at, "C0123");
        assert_eq!(config_name("名前", "U0X"), "u0x");
    }
}
