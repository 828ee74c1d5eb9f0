//! What a resource may ask of this issuer: its `grant = { … }` table.

use std::net::IpAddr;

use serde::Deserialize;
use serde_json::{Map, Value};

/// The most principals that a certificate may name.
pub const PRINCIPALS_MAX: usize = 16;

/// The longest name of a principal, in bytes.
const PRINCIPAL_MAX_BYTES: usize = 64;

/// The most that principals, command and addresses may take together, in bytes. With an RSA key of
/// 4,096 bits the certificate then still fits into a chat message.
const TOTAL_MAX_BYTES: usize = 600;

/// Extensions that sshd knows (`PROTOCOL.certkeys`).
const EXTENSIONS: [&str; 6] = [
    "no-touch-required",
    "permit-X11-forwarding",
    "permit-agent-forwarding",
    "permit-port-forwarding",
    "permit-pty",
    "permit-user-rc",
];

/// What a certificate allows, read from a resource and checked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Names that sshd lets in with this certificate: accounts, or lines of `AuthorizedPrincipalsFile`.
    pub principals: Vec<String>,
    /// The only command that may run.
    #[serde(default)]
    pub force_command: Option<String>,
    /// Addresses and networks that may connect; empty means any.
    #[serde(default)]
    pub source_address: Vec<String>,
    /// What a session may do beyond running a command.
    #[serde(default = "default_extensions")]
    pub extensions: Vec<String>,
}

fn default_extensions() -> Vec<String> {
    vec!["permit-pty".to_owned()]
}

impl Parameters {
    /// Reads and checks a resource's parameters.
    ///
    /// # Errors
    /// What is wrong with them, in words for the operator.
    pub fn read(table: &Map<String, Value>) -> Result<Self, String> {
        let read: Self = serde_json::from_value(Value::Object(table.clone())).map_err(|e| {
            format!(
                "{e}. An ssh-ca grant takes principals = [\"…\"] and, if wanted, force_command = \
                 \"…\", source_address = [\"10.0.0.0/8\"], extensions = [\"permit-pty\"]."
            )
        })?;
        read.check()?;
        Ok(read)
    }

    fn check(&self) -> Result<(), String> {
        if self.principals.is_empty() || self.principals.len() > PRINCIPALS_MAX {
            return Err(format!(
                "principals must name 1 to {PRINCIPALS_MAX} principals: a certificate without any \
                 would fit every account."
            ));
        }
        for (i, name) in self.principals.iter().enumerate() {
            let printable = name.chars().all(|c| c.is_ascii_graphic() && c != ',');
            if name.is_empty() || name.len() > PRINCIPAL_MAX_BYTES || !printable {
                return Err(format!(
                    "principal {name:?} can't be used: 1 to {PRINCIPAL_MAX_BYTES} visible ASCII \
                     characters, no comma and no space."
                ));
            }
            if self.principals[..i].contains(name) {
                return Err(format!("principal {name:?} is named twice."));
            }
        }
        if let Some(command) = &self.force_command
            && (command.trim().is_empty() || command.chars().any(char::is_control))
        {
            return Err("force_command must be one line that is not empty.".to_owned());
        }
        for network in &self.source_address {
            check_network(network)?;
        }
        for extension in &self.extensions {
            if !EXTENSIONS.contains(&extension.as_str()) {
                return Err(format!(
                    "extension {extension:?} is not known; known are {}.",
                    EXTENSIONS.join(", ")
                ));
            }
        }
        let total: usize = self.principals.iter().map(|p| p.len() + 4).sum::<usize>()
            + self.force_command.as_ref().map_or(0, String::len)
            + self
                .source_address
                .iter()
                .map(|a| a.len() + 1)
                .sum::<usize>();
        if total > TOTAL_MAX_BYTES {
            return Err(format!(
                "principals, force_command and source_address take {total} bytes together, more \
                 than the {TOTAL_MAX_BYTES} with which a certificate still fits into a message."
            ));
        }
        Ok(())
    }

    /// One entitlement for each principal.
    #[must_use]
    pub fn entitlements(&self) -> Vec<String> {
        self.principals
            .iter()
            .map(|p| format!("principal:{p}"))
            .collect()
    }
}

/// sshd refuses every login with a certificate whose list it can't parse, and takes a network with
/// host bits set for a mistake: such a resource would never work, so it is refused at load.
fn check_network(text: &str) -> Result<(), String> {
    let wrong = |why: &str| {
        Err(format!(
            "source_address {text:?} {why}; write it like 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32."
        ))
    };
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        return wrong("is not an address or network");
    };
    let (bits, width) = match address {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)), 32_u32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    };
    let Some(prefix) = prefix else {
        return Ok(());
    };
    if prefix.is_empty() || !prefix.bytes().all(|b| b.is_ascii_digit()) {
        return wrong("has no length after its slash");
    }
    let Some(prefix) = prefix.parse::<u32>().ok().filter(|p| *p <= width) else {
        return wrong("has a length that is too large");
    };
    let host_bits = match width - prefix {
        128 => u128::MAX,
        n => (1_u128 << n) - 1,
    };
    if bits & host_bits != 0 {
        return wrong("has bits set behind its length");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Result<Parameters, String> {
        let Value::Object(table) = value else {
            panic!("a table")
        };
        Parameters::read(&table)
    }

    #[test]
    fn the_shortest_table_allows_a_terminal_and_nothing_else() {
        let read = read(json!({"principals": ["deploy", "backup"]})).unwrap();
        assert_eq!(read.extensions, ["permit-pty"]);
        assert_eq!(
            read.entitlements(),
            ["principal:deploy", "principal:backup"]
        );
    }

    #[test]
    fn networks_as_sshd_takes_them() {
        for good in [
            "10.0.0.0/8",
            "192.0.2.7",
            "192.0.2.7/32",
            "0.0.0.0/0",
            "::/0",
            "2001:db8::/32",
        ] {
            assert_eq!(check_network(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0.0/8 ",
            "host.example",
            "!10.0.0.0/8",
            "2001:db8::1/32",
        ] {
            assert!(check_network(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_would_be_dangerous_or_never_work_is_refused_with_its_reason() {
        let many: Vec<String> = (0..17).map(|i| format!("p{i}")).collect();
        for (table, reason) in [
            (json!({}), "principals"),
            (json!({"principals": []}), "every account"),
            (json!({"principals": many}), "1 to 16"),
            (json!({"principals": ["a,b"]}), "comma"),
            (json!({"principals": ["a b"]}), "space"),
            (json!({"principals": ["a\nb"]}), "visible"),
            (json!({"principals": ["a", "a"]}), "twice"),
            (
                json!({"principals": ["a"], "principal": "b"}),
                "unknown field",
            ),
            (
                json!({"principals": ["a"], "force_command": " "}),
                "one line",
            ),
            (
                json!({"principals": ["a"], "force_command": "x\ny"}),
                "one line",
            ),
            (
                json!({"principals": ["a"], "source_address": ["10.0.0.1/8"]}),
                "behind its length",
            ),
            (
                json!({"principals": ["a"], "extensions": ["permit-all"]}),
                "not known",
            ),
            (
                json!({"principals": ["a"], "force_command": "x".repeat(700)}),
                "fits",
            ),
        ] {
            let said = read(table.clone()).unwrap_err();
            assert!(said.contains(reason), "{table}: {said}");
        }
    }
}
