use std::collections::BTreeSet;
use std::net::IpAddr;

use url::Url;

use super::host::{Host, Hosts, checked_list};
use super::{BadTest, Doubt, Truth};

/// Longest address, in bytes.
const LONGEST: usize = 8192;

const NOT_PLAIN: Doubt = Doubt("the text is not one plain absolute address");
const READERS_DIFFER: Doubt = Doubt("readers of addresses take the text differently");
const USER: Doubt = Doubt("the address has a user name or password");

/// Absolute addresses (`https://api.example.com/v1`) a text may be. A key that is not given does not narrow, but without
/// `schemes` only `http` and `https` are told; without `ports` any port will do.
///
/// Cannot be told: what different readers take differently, such as `\`, spaces, user names, names outside ASCII, IPv4
/// addresses other than four decimal numbers, and everything longer than 8,192 bytes. Where the name leads is not seen:
/// names that resolve to inner addresses are a matter of the network.
#[derive(Clone, Debug)]
pub struct UrlTest {
    schemes: Option<BTreeSet<String>>,
    hosts: Option<Hosts>,
    ports: Option<BTreeSet<u16>>,
}

impl UrlTest {
    /// Takes what is allowed: at least one key, each with 1 to 1,000 entries. Hosts as in [`Hosts`].
    pub fn new(
        schemes: Option<&[String]>,
        hosts: Option<&[String]>,
        ports: Option<&[u16]>,
    ) -> Result<Self, BadTest> {
        let schemes = match schemes {
            None => None,
            Some(list) if list.iter().all(|scheme| is_scheme(scheme)) => {
                Some(checked_list("url", list)?.iter().map(|scheme| scheme.to_ascii_lowercase()).collect())
            }
            Some(list) => {
                let bad = list.iter().find(|scheme| !is_scheme(scheme)).cloned();
                return Err(BadTest::BadScheme(bad.unwrap_or_default()));
            }
        };
        let hosts = hosts.map(|list| Hosts::for_operator("url", list)).transpose()?;
        let ports: Option<BTreeSet<u16>> = ports.map(|list| list.iter().copied().collect());
        match &ports {
            Some(list) if list.is_empty() => return Err(BadTest::EmptyList("url")),
            Some(list) if list.contains(&0) => return Err(BadTest::BadPort("0".to_owned())),
            None if schemes.is_none() && hosts.is_none() => return Err(BadTest::TestsNothing("url")),
            Some(_) | None => {}
        }
        Ok(Self { schemes, hosts, ports })
    }

    pub(super) fn ask(&self, text: &str) -> Truth {
        self.decide(text).unwrap_or_else(Truth::Unclear)
    }

    fn decide(&self, text: &str) -> Result<Truth, Doubt> {
        let address = Address::read(text)?;
        let scheme = match &self.schemes {
            Some(schemes) => schemes.contains(&address.scheme),
            None if matches!(address.scheme.as_str(), "http" | "https") => true,
            None => return Err(Doubt("the scheme is neither http nor https, and the rule names none")),
        };
        let host = match (&self.hosts, &address.host) {
            (Some(hosts), Some(host)) => hosts.has(host),
            (Some(_), None) => false,
            (None, _) => true,
        };
        let port = match (&self.ports, address.port) {
            (Some(ports), Some(port)) => ports.contains(&port),
            (Some(_), None) => {
                return Err(Doubt("the address has no port, and its scheme none that is known"));
            }
            (None, _) => true,
        };
        Ok((scheme && host && port).into())
    }
}

struct Address {
    scheme: String,
    host: Option<Host>,
    port: Option<u16>,
}

impl Address {
    /// Reads an address in the narrow grammar that all readers share, then asks the reader of the WHATWG standard, which is
    /// the most lenient, whether it sees the same.
    fn read(text: &str) -> Result<Self, Doubt> {
        if text.len() > LONGEST || text.contains(|c: char| c == '\\' || c.is_whitespace() || c.is_control()) {
            return Err(NOT_PLAIN);
        }
        let (scheme, rest) = text.split_once("://").ok_or(NOT_PLAIN)?;
        if !is_scheme(scheme) {
            return Err(NOT_PLAIN);
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, after) = rest.split_at_checked(end).ok_or(NOT_PLAIN)?;
        if authority.contains('@') {
            return Err(USER);
        }
        // Some readers look for the last `@`, and only a slash ends the host for them.
        if after.starts_with(['?', '#']) && after.contains(['@', ':']) {
            return Err(READERS_DIFFER);
        }
        let scheme = scheme.to_ascii_lowercase();
        let (host, written_port) = split_authority(authority)?;
        let host = if host.is_empty() { None } else { Some(Host::read(host)?) };
        if host.is_some() == (scheme == "file") {
            return Err(NOT_PLAIN);
        }
        let seen = Url::parse(text).map_err(|_| READERS_DIFFER)?;
        let seen_host = match seen.host() {
            None | Some(url::Host::Domain("")) => None,
            Some(url::Host::Domain(name)) => Some(Host::read(name).map_err(|_| READERS_DIFFER)?),
            Some(url::Host::Ipv4(address)) => Some(Host::Address(address.into())),
            Some(url::Host::Ipv6(address)) => Some(Host::Address(IpAddr::from(address).to_canonical())),
        };
        let port = written_port.or(known_port(&scheme));
        let same =
            seen.scheme() == scheme && seen_host == host && seen.port().or(known_port(&scheme)) == port;
        if !same || !seen.username().is_empty() || seen.password().is_some() {
            return Err(READERS_DIFFER);
        }
        Ok(Self { scheme, host, port })
    }
}

fn split_authority(authority: &str) -> Result<(&str, Option<u16>), Doubt> {
    let (host, port) = if authority.starts_with('[') {
        let end = authority.find(']').ok_or(NOT_PLAIN)?;
        let (host, rest) = authority.split_at_checked(end + 1).ok_or(NOT_PLAIN)?;
        match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => return Err(NOT_PLAIN),
        }
    } else {
        match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    };
    let port = match port {
        None => None,
        Some(digits) if digits.starts_with('0') || !digits.bytes().all(|b| b.is_ascii_digit()) => {
            return Err(NOT_PLAIN);
        }
        Some(digits) => Some(digits.parse().map_err(|_| NOT_PLAIN)?),
    };
    Ok((host, port))
}

fn known_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        "ftp" => Some(21),
        _ => None,
    }
}

fn is_scheme(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}
