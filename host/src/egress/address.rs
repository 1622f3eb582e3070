//! Which addresses and names the host connects to when nobody but an adapter asks for it.
//!
//! What is not known to be the open internet is refused: an adapter's endpoint must reach neither this machine nor
//! its network. The ranges are those of IANA's special-purpose registries (RFC 6890 and its updates).

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use url::{Host, Url};

use crate::manifest::is_private_name;

/// IPv4 ranges that are not the open internet.
const SPECIAL_V4: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),       // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // shared by a carrier's customers
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local; the metadata of cloud machines
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // relays of 6to4
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved
    (Ipv4Addr::BROADCAST, 32),
];

/// The only IPv6 range that holds the open internet. Outside it lie, among others, loopback, mapped and compatible
/// IPv4 addresses, NAT64, unique local, link-local, site-local, discard, segment routing and multicast.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Ranges of [`GLOBAL_V6`] that are not the open internet.
const SPECIAL_V6: [(Ipv6Addr, u32); 5] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments: Teredo, benchmarks, ORCHID
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4: holds an IPv4 address
    (Ipv6Addr::new(0x3ffe, 0, 0, 0, 0, 0, 0, 0), 16), // the former 6bone
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// Whether an address belongs to the open internet.
///
/// Forms that carry an IPv4 address in an IPv6 one are never public, whatever they carry.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !SPECIAL_V4.iter().any(|(range, length)| {
            let shift = 32 - length;
            ip.to_bits() >> shift == range.to_bits() >> shift
        }),
        IpAddr::V6(ip) => {
            let within = |(range, length): &(Ipv6Addr, u32)| {
                let shift = 128 - length;
                ip.to_bits() >> shift == range.to_bits() >> shift
            };
            within(&GLOBAL_V6) && !SPECIAL_V6.iter().any(within)
        }
    }
}

/// Whether a name may be looked up: it has a dot and is not one of those that stand for local things.
///
/// The name is taken in any case and with or without the dot of the root at its end.
pub(super) fn is_public_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix('.').unwrap_or(&name);
    name.split('.').all(|label| !label.is_empty()) && !is_private_name(name)
}

/// Hosts and ports that the user's own configuration names, and that therefore may have private addresses and be
/// asked without TLS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named(BTreeSet<(String, u16)>);

impl Named {
    /// Nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self(BTreeSet::new())
    }

    /// Adds the authority of a URL that the user configured. One that has no host or port adds nothing.
    pub fn add(&mut self, url: &Url) {
        if let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) {
            self.0.insert((spelled(&host), port));
        }
    }

    /// Whether the user names the authority of this URL.
    #[must_use]
    pub fn has(&self, url: &Url) -> bool {
        match (url.host(), url.port_or_known_default()) {
            (Some(host), Some(port)) => self.0.contains(&(spelled(&host), port)),
            _ => false,
        }
    }

    /// Whether the user names this host, as a connector gets it (IPv6 in brackets or without), and port.
    pub(super) fn has_authority(&self, host: &str, port: u16) -> bool {
        self.0.contains(&(bare(host).to_ascii_lowercase(), port))
    }
}

/// Hosts, in lower case, and ports.
impl From<BTreeSet<(String, u16)>> for Named {
    fn from(authorities: BTreeSet<(String, u16)>) -> Self {
        Self(authorities.into_iter().map(|(host, port)| (bare(&host).to_ascii_lowercase(), port)).collect())
    }
}

/// The authorities of the URLs that the user configured.
impl<'a> FromIterator<&'a Url> for Named {
    fn from_iter<I: IntoIterator<Item = &'a Url>>(urls: I) -> Self {
        let mut named = Self::none();
        urls.into_iter().for_each(|url| named.add(url));
        named
    }
}

fn spelled(host: &Host<&str>) -> String {
    match host {
        Host::Domain(name) => name.to_ascii_lowercase(),
        Host::Ipv4(ip) => ip.to_string(),
        Host::Ipv6(ip) => ip.to_string(),
    }
}

/// A host without the brackets that IPv6 addresses have in URLs.
pub(super) fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_of_the_open_internet_are_public() {
        for ip in [
            "1.1.1.1",
            "8.8.8.8",
            "149.154.167.220",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:67c:4e8:f004::9",
            "2001:200::1",
            "2606:4700:4700::1111",
            "2a00:1450:4001:80b::200e",
            "2003::1",
            "3ffd::1",
        ] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn every_other_range_is_refused_from_its_first_to_its_last_address() {
        for ip in [
            // IPv4
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.0.0",
            "169.254.169.254",
            "169.254.255.255",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.0",
            "192.0.0.255",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.0",
            "192.168.255.255",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.255",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            // IPv6
            "::",
            "::1",
            "::7f00:1",
            "::1.1.1.1",
            "::ffff:127.0.0.1",
            "::ffff:1.1.1.1",
            "::ffff:0:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "100:0:0:1::1",
            "1fff:ffff::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:1ff:ffff::1",
            "2001:db8::1",
            "2001:db8:ffff::1",
            "2002:7f00:1::",
            "2002:101:101::1",
            "3ffe::1",
            "3fff::1",
            "3fff:fff:ffff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fdff:ffff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "feff::1",
            "ff02::1",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn names_of_local_things_are_not_looked_up() {
        for name in [
            "",
            ".",
            "..",
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "printer.local",
            "Printer.LOCAL.",
            "metadata.google.internal",
            "router.home.arpa",
            "localhost.localdomain",
            "intranet",
            "intranet.",
            ".example.org",
            "a..example.org",
            "example.org..",
        ] {
            assert!(!is_public_name(name), "{name}");
        }
        for name in ["api.telegram.org", "API.Telegram.org.", "notlocal.example", "local.example", "internal.io"] {
            assert!(is_public_name(name), "{name}");
        }
    }

    #[test]
    fn the_user_names_an_authority_in_any_spelling_and_only_with_its_port() {
        let urls = ["http://LocalHost:8081/x", "https://[::1]/", "http://0x7f.1:80/", "https://Bücher.example"]
            .map(|url| Url::parse(url).unwrap());
        let named: Named = urls.iter().collect();
        for (host, port, is) in [
            ("localhost", 8081, true),
            ("LOCALHOST", 8081, true),
            ("localhost", 8082, false),
            ("localhost", 80, false),
            ("localhost.", 8081, false),
            ("[::1]", 443, true),
            ("::1", 443, true),
            ("::1", 80, false),
            ("127.0.0.1", 80, true),
            ("xn--bcher-kva.example", 443, true),
            ("x.xn--bcher-kva.example", 443, false),
        ] {
            assert_eq!(named.has_authority(host, port), is, "{host} {port}");
        }
        assert!(urls.iter().all(|url| named.has(url)));
        assert!(!named.has(&Url::parse("https://localhost:8080").unwrap()));
        assert!(!Named::none().has(&urls[0]));
    }

    proptest! {
        #[test]
        fn whatever_the_standard_library_calls_special_is_not_public(bits in any::<u32>(), six in any::<u128>()) {
            let four = Ipv4Addr::from_bits(bits);
            let special = four.is_private() || four.is_loopback() || four.is_link_local() || four.is_multicast()
                || four.is_broadcast() || four.is_documentation() || four.is_unspecified();
            prop_assert!(!special || !is_public(four.into()));
            prop_assert!(!is_public(four.to_ipv6_mapped().into()));
            prop_assert!(!is_public(four.to_ipv6_compatible().into()));
            let six = Ipv6Addr::from_bits(six);
            let special = six.is_loopback() || six.is_multicast() || six.is_unspecified() || six.is_unique_local()
                || six.is_unicast_link_local() || six.to_ipv4().is_some();
            prop_assert!(!special || !is_public(six.into()));
        }
    }
}
