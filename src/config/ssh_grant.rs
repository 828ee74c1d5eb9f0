//! What a certificate of an `ssh-ca` issuer allows: `[resource.NAME.grant]`.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::problem::{nearest, quoted};
use super::reader::Item;

pub(super) const SSH_GRANT_KEYS: &[&str] = &[
    "principals",
    "force_command",
    "source_address",
    "extensions",
];

const PRINCIPALS_MAX: usize = 16;
const PRINCIPAL_MAX_BYTES: usize = 64;

/// The most that principals, command and addresses may take together, so that a certificate still
/// fits into a chat message.
const TOTAL_MAX_BYTES: usize = 600;

/// Extensions that sshd knows (OpenSSH, PROTOCOL.certkeys).
const EXTENSIONS: [&str; 6] = [
    "no-touch-required",
    "permit-X11-forwarding",
    "permit-agent-forwarding",
    "permit-port-forwarding",
    "permit-pty",
    "permit-user-rc",
];

/// The `grant` of a resource that an `ssh-ca` issuer gives.
pub(super) fn read_ssh_grant(item: &Item<'_>) -> Option<Map<String, Value>> {
    let table = item.table(SSH_GRANT_KEYS, &[])?;
    let mut grant = Map::new();
    let mut complete = true;
    let mut put = |key: &str, value: Option<Value>| match value {
        Some(value) => {
            grant.insert(key.to_owned(), value);
        }
        None => complete = false,
    };
    let principals = table
        .need(
            "principals",
            "Name who one becomes there, like [\"deploy\"].",
        )
        .and_then(|item| read_principals(&item));
    put("principals", principals);
    if let Some(item) = table.get("force_command") {
        put("force_command", item.label(512).map(Value::from));
    }
    if let Some(item) = table.get("source_address") {
        put("source_address", read_list(&item, check_network));
    }
    if let Some(item) = table.get("extensions") {
        let value = read_list(&item, |item, text| {
            let known = EXTENSIONS.contains(&text);
            if !known {
                item.problem(
                    format!("there is no extension {}", quoted(text)),
                    nearest(text, EXTENSIONS),
                );
            }
            known
        });
        put("extensions", value);
    }
    let total: usize = ["principals", "force_command", "source_address"]
        .iter()
        .filter_map(|key| grant.get(*key))
        .map(bytes_in_certificate)
        .sum();
    if total > TOTAL_MAX_BYTES {
        item.problem(
            format!("takes {total} bytes of a certificate"),
            format!(
                "principals, force_command and source_address may take {TOTAL_MAX_BYTES} together, so that it fits into a message. Let the principals of one resource be fewer."
            ),
        );
        return None;
    }
    complete.then_some(grant)
}

/// Each text with the length that the wire format puts before it (`PROTOCOL.certkeys`).
fn bytes_in_certificate(value: &Value) -> usize {
    match value {
        Value::Array(list) => list.iter().map(bytes_in_certificate).sum(),
        other => other.as_str().map_or(0, |text| text.len() + 4),
    }
}

fn read_principals(item: &Item<'_>) -> Option<Value> {
    let count = item.array()?.len();
    if count == 0 || count > PRINCIPALS_MAX {
        item.problem(
            format!("names {count} principals"),
            format!(
                "Name 1 to {PRINCIPALS_MAX}: a certificate without any would fit every account."
            ),
        );
        return None;
    }
    read_list(item, |item, text| {
        let valid = !text.is_empty()
            && text.len() <= PRINCIPAL_MAX_BYTES
            && text.bytes().all(|b| b.is_ascii_graphic() && b != b',');
        if !valid {
            item.problem(
                format!("{} is not a principal", quoted(text)),
                "Use 1 to 64 visible ASCII characters, no comma and no blank.",
            );
        }
        valid
    })
}

/// A list of different strings, each of which passes the check.
fn read_list(item: &Item<'_>, check: impl Fn(&Item<'_>, &str) -> bool) -> Option<Value> {
    let mut list: Vec<Value> = Vec::new();
    let mut complete = true;
    for item in item.array()? {
        match item.string() {
            Some(text) if list.iter().any(|other| other == text) => {
                item.problem("is named twice", "Leave one out.");
                complete = false;
            }
            Some(text) if check(&item, text) => list.push(Value::from(text)),
            _ => complete = false,
        }
    }
    complete.then_some(Value::Array(list))
}

/// sshd refuses every login with a certificate whose addresses it can't read, and takes a network
/// with host bits set for a mistake: such a resource would never work.
fn check_network(item: &Item<'_>, text: &str) -> bool {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let network = address.parse::<IpAddr>().ok().and_then(|address| {
        let (bits, width) = match address {
            IpAddr::V4(v4) => (u128::from(u32::from(v4)) << 96, 32),
            IpAddr::V6(v6) => (u128::from(v6), 128),
        };
        let length = match prefix {
            Some(prefix) if prefix.bytes().all(|b| b.is_ascii_digit()) => prefix.parse().ok()?,
            Some(_) => return None,
            None => width,
        };
        (length <= width).then_some((bits, length))
    });
    match network {
        None => item.problem(
            format!("{} is not an address or network", quoted(text)),
            "Write it like 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32.",
        ),
        Some((bits, length)) if bits.checked_shl(length).unwrap_or(0) != 0 => item.problem(
            format!("{} has bits set beyond its prefix", quoted(text)),
            "Write the network's first address, like 10.0.0.0/8.",
        ),
        Some(_) => return true,
    }
    false
}
