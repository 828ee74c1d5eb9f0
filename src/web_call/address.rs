//! Which addresses a config may name.

use std::net::IpAddr;

use url::{Host, Url};

/// Why an address is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadAddress {
    /// It is none.
    NotAnAddress,
    /// It holds a user, a password or a fragment.
    HoldsMore,
    /// It names no host.
    NoHost,
    /// It is of a private network or of this machine, which was not allowed.
    Private,
    /// It is plain HTTP to this machine, which was not allowed.
    PlainHere,
    /// It is not HTTPS, and not of this machine.
    NotHttps,
}

/// The rule: HTTPS, or plain HTTP to this machine; what is private only where that is allowed. A name is
/// judged again by what it means, when it is called.
///
/// # Errors
/// [`BadAddress`].
pub fn read(text: &str, allow_private: bool) -> Result<Url, BadAddress> {
    let url = Url::parse(text).map_err(|_| BadAddress::NotAnAddress)?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(BadAddress::HoldsMore);
    }
    let address: Option<IpAddr> = match url.host() {
        Some(Host::Ipv4(v4)) => Some(v4.into()),
        Some(Host::Ipv6(v6)) => Some(v6.into()),
        Some(Host::Domain(_)) => None,
        None => return Err(BadAddress::NoHost),
    };
    if !allow_private && address.is_some_and(is_private) {
        return Err(BadAddress::Private);
    }
    let is_here = match address {
        Some(address) => address.to_canonical().is_loopback(),
        None => url.host_str() == Some("localhost"),
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_here && allow_private => Ok(url),
        "http" if is_here => Err(BadAddress::PlainHere),
        _ => Err(BadAddress::NotHttps),
    }
}

/// Whether only a private network, or this machine, has such an address.
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast()
                || v4.is_documentation()
                || a == 0
                // Shared by carriers (RFC 6598), for protocols (RFC 6890), for tests of devices
                // (RFC 2544), reserved (RFC 1112).
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (b == 18 || b == 19))
                || a >= 240
        }
        IpAddr::V6(v6) => {
            if let Some(v4) = v6.to_ipv4_mapped() {
                return is_private(IpAddr::V4(v4));
            }
            let [a, b, c, d, e, f, g, h] = v6.segments();
            // An IPv4 address within: 6to4, NAT64 and the old compatible form.
            let within = match (a, b) {
                (0x2002, _) => Some((b, c)),
                (0x64, 0xff9b) if [c, d, e, f] == [0; 4] => Some((g, h)),
                (0, 0) if [c, d, e, f] == [0; 4] && v6.segments()[6] != 0 => Some((g, h)),
                _ => None,
            };
            if let Some((high, low)) = within {
                let [p, q] = high.to_be_bytes();
                let [r, s] = low.to_be_bytes();
                return is_private(IpAddr::from([p, q, r, s]));
            }
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                // What translates or tunnels within a network of one's own: NAT64 of RFC 8215 (with
                // the rest of that block), SIIT, Teredo, ISATAP.
                || (a, b) == (0x64, 0xff9b)
                || [a, b, c, d, e, f] == [0, 0, 0, 0, 0xffff, 0]
                || (a, b) == (0x2001, 0)
                || (matches!(e, 0 | 0x200) && f == 0x5efe)
                // Site-local (deprecated) and documentation.
                || (a & 0xffc0) == 0xfec0
                || (a == 0x2001 && b == 0xdb8)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_known_in_every_dress() {
        for private in [
            "10.0.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "192.168.1.1",
            "172.16.0.1",
            "100.64.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::a00:1",
            "64:ff9b:1:ffff::1",
            "::ffff:0:10.0.0.1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2606:4700::5efe:a00:1",
            "2606:4700::200:5efe:a00:1",
            "2002:7f00:1::",
            "fd00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(
                is_private(private.parse().expect("an address")),
                "{private}"
            );
        }
        for public in [
            "1.1.1.1",
            "93.184.216.34",
            "2606:4700::1111",
            "64:ff9b::101:101",
        ] {
            assert!(!is_private(public.parse().expect("an address")), "{public}");
        }
    }

    #[test]
    fn https_or_this_machine_and_nothing_private_without_a_word() {
        for (text, allow_private, wrong) in [
            ("https://a.example/x?y", false, None),
            ("https://10.0.0.1/", true, None),
            ("http://127.0.0.1:1/", true, None),
            ("http://[::1]/", true, None),
            ("http://localhost/", true, None),
            ("a.example", true, Some(BadAddress::NotAnAddress)),
            ("https://u@a.example/", true, Some(BadAddress::HoldsMore)),
            ("https://a.example/#x", true, Some(BadAddress::HoldsMore)),
            ("data:,x", true, Some(BadAddress::NoHost)),
            ("https://10.0.0.1/", false, Some(BadAddress::Private)),
            ("http://127.0.0.1/", false, Some(BadAddress::Private)),
            ("http://localhost/", false, Some(BadAddress::PlainHere)),
            ("http://10.0.0.1/", true, Some(BadAddress::NotHttps)),
            ("http://a.example/", true, Some(BadAddress::NotHttps)),
            ("ftp://127.0.0.1/", true, Some(BadAddress::NotHttps)),
        ] {
            assert_eq!(read(text, allow_private).err(), wrong, "{text}");
        }
    }
}
