//! The list in a certificate's `source-address` option: addresses and networks, separated by commas, as OpenSSH reads it.

use std::net::IpAddr;

/// Whether `peer` is in `list`.
///
/// # Errors
/// A sentence that names the entry which is no address and no network. sshd refuses the certificate then, whatever the
/// other entries say, and a network with bits set behind its prefix (`10.0.0.1/8`) is such an entry.
pub(super) fn contains(list: &str, peer: IpAddr) -> Result<bool, String> {
    let peer = peer.to_canonical();
    let mut found = false;
    for entry in list.split(',') {
        let (network, prefix) = parse(entry).ok_or_else(|| {
            format!("the certificate's source-address list holds {entry:?}, which is no network")
        })?;
        found |= bits(network).1 == bits(peer).1 && masked(network, prefix) == masked(peer, prefix);
    }
    Ok(found)
}

fn parse(entry: &str) -> Option<(IpAddr, u32)> {
    let (address, prefix) = match entry.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (entry, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let width = bits(address).1;
    let prefix = match prefix {
        // `parse` on its own would take "+8".
        Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
        Some(_) => return None,
        None => width,
    };
    (prefix <= width && masked(address, prefix) == bits(address).0).then_some((address, prefix))
}

/// The address as a number and how many bits it has.
fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(v4) => (v4.to_bits().into(), 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    }
}

/// The address with everything behind its first `prefix` bits cleared.
fn masked(address: IpAddr, prefix: u32) -> u128 {
    let (number, width) = bits(address);
    let behind = width.saturating_sub(prefix);
    // Shifting all 128 bits out is no shift in Rust but an overflow.
    number
        .checked_shr(behind)
        .and_then(|kept| kept.checked_shl(behind))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_openssh_reads_them() {
        let table = [
            ("127.0.0.1", "127.0.0.1", Some(true)),
            ("127.0.0.1", "127.0.0.2", Some(false)),
            ("10.0.0.0/8,127.0.0.0/8", "127.0.0.2", Some(true)),
            ("127.0.0.0/30", "127.0.0.4", Some(false)),
            ("0.0.0.0/0", "8.8.8.8", Some(true)),
            ("::/0", "8.8.8.8", Some(false)),
            ("::/0", "::1", Some(true)),
            ("0.0.0.0/0", "::1", Some(false)),
            ("fe80::/10", "fe80::1", Some(true)),
            ("127.0.0.1", "::ffff:127.0.0.1", Some(true)),
            ("127.0.0.1/8", "127.0.0.1", None),
            ("127.0.0.1,", "127.0.0.1", None),
            ("127.0.0.1, 10.0.0.1", "127.0.0.1", None),
            ("127.0.0.1/33", "127.0.0.1", None),
            ("127.0.0.1/+32", "127.0.0.1", None),
            ("localhost", "127.0.0.1", None),
            ("!127.0.0.2", "127.0.0.1", None),
            ("", "127.0.0.1", None),
        ];
        for (list, peer, want) in table {
            let got = contains(list, peer.parse().unwrap()).ok();
            assert_eq!(got, want, "{list:?} against {peer}");
        }
    }
}
