//! Which answers will do, and what is said of others. Pure but for the look at a file that was named.

use super::draft::{Person, Whence};
use crate::domain::duration;
use crate::domain::ids::ResourceName;

/// Where a secret is found. What is typed is never repeated: it may be the secret.
pub fn whence(typed: &str) -> Result<Whence, String> {
    if ["xoxb-", "xapp-", "xoxp-"]
        .iter()
        .any(|token| typed.starts_with(token))
    {
        return Err(
            "That is the token itself: it has been seen on this screen, so make a new one. Type where it is found: a variable like SLACK_BOT_TOKEN, or a file's path."
                .to_owned(),
        );
    }
    if typed.starts_with('/') {
        return Ok(Whence::File(typed.to_owned()));
    }
    let is_name = typed.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && typed
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if is_name {
        Ok(Whence::Env(typed.to_owned()))
    } else {
        Err(
            "That is neither the name of a variable (upper-case letters, digits and _) nor an absolute path."
                .to_owned(),
        )
    }
}

/// A time of day.
pub fn time_of_day(typed: &str) -> Result<(u32, u32), String> {
    let (hour, minute) = typed.split_once(':').unwrap_or((typed, "0"));
    match (hour.parse(), minute.parse()) {
        (Ok(hour @ 0..=23), Ok(minute @ 0..=59)) => Ok((hour, minute)),
        _ => Err("A time like 09:00, please.".to_owned()),
    }
}

/// A time zone.
pub fn time_zone(typed: &str) -> Result<String, String> {
    typed
        .parse::<chrono_tz::Tz>()
        .map(|zone| zone.name().to_owned())
        .map_err(|_| "That is no time zone: write it like Europe/Berlin.".to_owned())
}

/// A group of hosts: with what is made of it still a name.
pub fn host_group(typed: &str) -> Result<String, String> {
    ResourceName::new(format!("{typed}-approvers"))
        .map(|_| typed.to_owned())
        .map_err(|_| {
            "Lower-case letters, digits, - and _, please, beginning with a letter or digit, 50 at most."
                .to_owned()
        })
}

/// Names that sshd knows.
pub fn principals_of(typed: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = typed
        .split(',')
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    let good = |name: &String| {
        name.len() <= 64
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-@".contains(&b))
    };
    if names.is_empty() || names.len() > 16 || !names.iter().all(good) {
        return Err("One to 16 names like deploy, parted by commas.".to_owned());
    }
    Ok(names)
}

/// A duration as it was typed, and its seconds.
pub fn seconds(typed: &str) -> Result<(String, i64), String> {
    duration::parse(typed)
        .filter(|s| *s > 0)
        .map(|s| (typed.to_owned(), s))
        .ok_or_else(|| "That is no duration: write it like 45m, 1h or 1h30m.".to_owned())
}

/// A public key, or none. What is typed is never repeated: it may be a private one.
pub fn public_key(typed: &str) -> Result<Option<String>, String> {
    if typed == "none" {
        return Ok(None);
    }
    if typed.contains("PRIVATE KEY") {
        return Err("That is a private key, and it has been seen now: make a new one. The public one is the line of the .pub file.".to_owned());
    }
    let line = if typed.starts_with(['/', '~', '.']) {
        std::fs::read_to_string(typed)
            .map_err(|error| format!("That file can't be read: {error}."))?
    } else {
        typed.to_owned()
    };
    let line = line.trim();
    match ssh_key::PublicKey::from_openssh(line) {
        Ok(_) => Ok(Some(line.to_owned())),
        Err(_) => Err(
            "That is no public key: the line of a .pub file, like ssh-ed25519 AAAA… name."
                .to_owned(),
        ),
    }
}

/// An absolute path.
pub fn absolute(typed: &str) -> Result<String, String> {
    if typed.starts_with('/') && !typed.ends_with('/') && !typed.contains('\0') {
        Ok(typed.to_owned())
    } else {
        Err(
            "An absolute path, please, so that it does not depend on where jitbot is started."
                .to_owned(),
        )
    }
}

/// Gives people whose names in the config would be the same names of their own.
pub fn unique(people: &mut [Person]) {
    for i in 1..people.len() {
        let taken = people[..i].iter().any(|one| one.name == people[i].name);
        if taken {
            people[i].name = people[i].id.to_lowercase();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_answers_get_a_sentence_that_does_not_repeat_them() {
        for wrong in [
            "xoxb-1-very-secret",
            "xapp-1-very-secret",
            "very-secret",
            "very_secret",
        ] {
            let said = whence(wrong).unwrap_err();
            assert!(!said.contains("secret"), "{said}");
        }
        assert_eq!(whence("A_1"), Ok(Whence::Env("A_1".into())));
        assert_eq!(whence("/run/t"), Ok(Whence::File("/run/t".into())));
        for wrong in ["25:00", "9:60", "nine", ""] {
            assert!(time_of_day(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            (time_of_day("9"), time_of_day("07:30")),
            (Ok((9, 0)), Ok((7, 30)))
        );
        assert!(host_group("Staging").is_err() && host_group(&"a".repeat(60)).is_err());
        assert!(principals_of("a b").is_err() && principals_of(",").is_err());
        assert_eq!(principals_of("a, b").unwrap(), ["a", "b"]);
        assert!(seconds("1").is_err() && seconds("0s").is_err());
        assert!(absolute("ca").is_err() && absolute("/etc/").is_err());
        let said = public_key("-----BEGIN OPENSSH PRIVATE KEY----- very-secret").unwrap_err();
        assert!(
            !said.contains("secret") && said.contains("make a new one"),
            "{said}"
        );
        assert!(time_zone("Berlin").is_err());
    }

    #[test]
    fn nobody_shares_a_name() {
        let one = |name: &str, id: &str| Person {
            name: name.into(),
            id: id.into(),
            zone: None,
            key: None,
        };
        let mut people = [one("a", "U1"), one("a", "U2"), one("b", "U3")];
        unique(&mut people);
        let names: Vec<&str> = people.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["a", "u2", "b"]);
    }
}
