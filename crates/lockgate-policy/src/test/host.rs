use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::operator::ENTRIES;
use super::{BadTest, Doubt, Truth};

const NOT_A_HOST: Doubt = Doubt("the text is not one plain host name or IP address");
const ODD_ADDRESS: Doubt = Doubt("the text is an IP address in a form that readers take differently");

/// Host names (`api.example.com`), all names below one (`*.example.com`, not itself) and IP addresses. Names are compared
/// without regard to case and in ASCII: an international name is written as `xn--…`.
#[derive(Clone, Debug)]
pub struct Hosts(Vec<HostPattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostPattern {
    Exact(Host),
    Below(String),
}

/// One host, in the form that is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Name(String),
    Address(IpAddr),
}

impl Hosts {
    /// Takes 1 to 1,000 entries.
    pub fn new(entries: &[String]) -> Result<Self, BadTest> {
        Self::for_operator("hostname", entries)
    }

    pub(super) fn for_operator(operator: &'static str, entries: &[String]) -> Result<Self, BadTest> {
        let read = |entry: &String| {
            let host = |text| Host::read(text).map_err(|_| BadTest::BadHost(entry.clone()));
            match entry.strip_prefix("*.") {
                Some(parent) => match host(parent)? {
                    Host::Name(name) => Ok(HostPattern::Below(format!(".{name}"))),
                    Host::Address(_) => Err(BadTest::BadHost(entry.clone())),
                },
                None => host(entry).map(HostPattern::Exact),
            }
        };
        checked_list(operator, entries)?.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn ask(&self, text: &str) -> Truth {
        match Host::read(text) {
            Ok(host) => self.has(&host).into(),
            Err(doubt) => Truth::Unclear(doubt),
        }
    }

    pub(super) fn has(&self, host: &Host) -> bool {
        self.0.iter().any(|pattern| match (pattern, host) {
            (HostPattern::Exact(wanted), _) => wanted == host,
            (HostPattern::Below(suffix), Host::Name(name)) => {
                name.len() > suffix.len() && name.ends_with(suffix.as_str())
            }
            (HostPattern::Below(_), Host::Address(_)) => false,
        })
    }
}

impl Host {
    /// Reads a name or an address. An IPv4 address inside an IPv6 one that maps it is that IPv4 address.
    pub(super) fn read(text: &str) -> Result<Self, Doubt> {
        if text.contains(':') {
            let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
            return address(inner).map(Self::Address);
        }
        if text.is_empty() || text.len() > 253 || !text.split('.').all(is_label) {
            return Err(NOT_A_HOST);
        }
        // Readers of addresses take `0x7f.1`, `017700000001` and `2130706433` for 127.0.0.1.
        let last = text.rsplit('.').next().unwrap_or_default();
        let numeric = last.bytes().all(|b| b.is_ascii_digit())
            || last.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("0x"));
        if numeric {
            return address(text).map(Self::Address);
        }
        Ok(Self::Name(text.to_ascii_lowercase()))
    }
}

/// Letters, digits, `-` and `_`, neither beginning nor ending in `-`.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn address(text: &str) -> Result<IpAddr, Doubt> {
    // The standard reader knows four decimal numbers without leading zeros only, and no zone.
    text.parse::<IpAddr>().map(|address| address.to_canonical()).map_err(|_| ODD_ADDRESS)
}

/// Networks such as `10.0.0.0/8` and `2001:db8::/32`. An address alone is a network of one.
#[derive(Clone, Debug)]
pub struct Networks(Vec<Network>);

#[derive(Clone, Copy, Debug)]
enum Network {
    V4 { base: u32, mask: u32 },
    V6 { base: u128, mask: u128 },
}

impl Networks {
    /// Takes 1 to 1,000 entries without bits after their prefix.
    pub fn new(entries: &[String]) -> Result<Self, BadTest> {
        checked_list("cidr", entries)?.iter().map(|entry| network(entry)).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn ask(&self, text: &str) -> Truth {
        match address(text) {
            Err(doubt) => Truth::Unclear(doubt),
            Ok(IpAddr::V4(address)) => self.has_v4(address).into(),
            Ok(IpAddr::V6(address)) if self.has_v6(address) => Truth::Yes,
            Ok(IpAddr::V6(address)) => {
                let plain = address.is_loopback() || address.is_unspecified();
                if !plain && lockgate_model::carried(address).is_some() {
                    Truth::Unclear(Doubt("the address carries an IPv4 address inside"))
                } else {
                    Truth::No
                }
            }
        }
    }

    fn has_v4(&self, address: Ipv4Addr) -> bool {
        self.0.iter().any(|network| match network {
            Network::V4 { base, mask } => address.to_bits() & mask == *base,
            Network::V6 { .. } => false,
        })
    }

    fn has_v6(&self, address: Ipv6Addr) -> bool {
        self.0.iter().any(|network| match network {
            Network::V4 { .. } => false,
            Network::V6 { base, mask } => in_v6(address, *base, *mask),
        })
    }
}

fn network(entry: &str) -> Result<Network, BadTest> {
    let bad = || BadTest::BadNetwork(entry.to_owned());
    let (address, length) = match entry.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (entry, None),
    };
    let length = |most: u32| match length {
        None => Ok(most),
        Some(digits) if digits.starts_with('0') && digits != "0" => Err(bad()),
        Some(digits) if !digits.bytes().all(|b| b.is_ascii_digit()) => Err(bad()),
        Some(digits) => digits.parse().ok().filter(|&bits| bits <= most).ok_or_else(bad),
    };
    match address.parse::<IpAddr>().map_err(|_| bad())? {
        IpAddr::V4(address) => {
            let (base, bits) = (address.to_bits(), length(32)?);
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            if base & !mask == 0 {
                Ok(Network::V4 { base, mask })
            } else {
                Err(BadTest::HostBits(entry.to_owned()))
            }
        }
        // Mapped addresses are compared as IPv4: a network of them would never match.
        IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => Err(bad()),
        IpAddr::V6(address) => {
            let (base, mask) = (address.to_bits(), mask_v6(length(128)?));
            if base & !mask == 0 {
                Ok(Network::V6 { base, mask })
            } else {
                Err(BadTest::HostBits(entry.to_owned()))
            }
        }
    }
}

fn mask_v6(length: u32) -> u128 {
    u128::MAX.checked_shl(128 - length).unwrap_or(0)
}

fn in_v6(address: Ipv6Addr, base: u128, mask: u128) -> bool {
    address.to_bits() & mask == base
}

/// A list of 1 to 1,000 entries.
pub(super) fn checked_list<'a>(
    operator: &'static str,
    entries: &'a [String],
) -> Result<&'a [String], BadTest> {
    match entries.len() {
        0 => Err(BadTest::EmptyList(operator)),
        1..=ENTRIES => Ok(entries),
        _ => Err(BadTest::ListTooLong(operator)),
    }
}
