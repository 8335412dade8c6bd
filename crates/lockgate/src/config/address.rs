//! Addresses: of servers, of hosts and origins, and of the listener.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What a URL says about its server.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    /// Is it `https`?
    pub(super) encrypted: bool,
    /// The host without its port.
    pub(super) host: &'a str,
}

impl<'a> Target<'a> {
    /// Reads a URL as strictly as the transport needs it; else what is wrong, and a hint.
    pub(super) fn parse(url: &'a str) -> Result<Self, (&'static str, &'static str)> {
        let form = "write `https://host/path`";
        let Some((scheme, rest)) = url.split_once("://") else { return Err(("is not a full address", form)) };
        let encrypted = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(("is neither `https` nor `http`", form)),
        };
        if !url
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`'))
        {
            return Err((
                "holds a character that no address may hold",
                "write it as `%` and two hexadecimal digits",
            ));
        }
        if url.contains('#') {
            return Err(("has a fragment", "remove the `#` and what follows it; it is never sent"));
        }
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(("holds a user name or password", "send them in `headers`"));
        }
        let (host, port) = host_and_port(authority);
        if !is_host(host) || !port.is_none_or(is_port) {
            return Err(("has no valid host and port", form));
        }
        Ok(Self { encrypted, host })
    }

    /// Is it this machine, whatever a name server says?
    pub(super) fn is_this_machine(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

/// The address to listen on; else a hint, with the port that is usual.
pub(super) fn listen(text: &str, usual: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        let port = text.rsplit(':').next().filter(|port| is_port(port)).unwrap_or(usual);
        let guess = if text.starts_with("localhost") || text.starts_with(':') || is_port(text) {
            format!("did you mean `127.0.0.1:{port}`? ")
        } else {
            String::new()
        };
        format!("{guess}write an address and a port: `127.0.0.1:{usual}` or `[::1]:{usual}`")
    })
}

/// The name in a `Host` header, without a port and without brackets; `None` where it cannot be one.
pub(super) fn host_name(text: &str) -> Option<&str> {
    if text.parse::<Ipv6Addr>().is_ok() {
        return Some(text);
    }
    is_host(text).then(|| text.trim_start_matches('[').trim_end_matches(']'))
}

/// Is it an `Origin` header of a web page, as browsers write it? They leave out the port a scheme has anyway.
pub(super) fn is_origin(text: &str) -> bool {
    let (rest, usual) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (rest, "443"),
        (None, Some(rest)) => (rest, "80"),
        (None, None) => return false,
    };
    let (host, port) = host_and_port(rest);
    is_host(host) && port.is_none_or(|port| is_port(port) && port != usual)
}

fn host_and_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[') {
        return inner.strip_suffix(']').is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok());
    }
    // A last label of digits makes it an IPv4 address, in one of several spellings; only the plain one is taken.
    let digits = host.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.to_ascii_lowercase().starts_with("0x")
    };
    host.len() <= 253
        && if digits {
            host.parse::<Ipv4Addr>().is_ok()
        } else {
            host.trim_end_matches('.').split('.').all(label)
        }
}

fn is_port(port: &str) -> bool {
    port.parse::<u16>().is_ok_and(|port| port > 0) && port.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_this_machine() {
        for (url, this) in [
            ("http://localhost:1/", true),
            ("http://LOCALHOST", true),
            ("http://127.0.0.1:80/mcp", true),
            ("http://127.1.2.3", true),
            ("http://[::1]:80?q", true),
            ("http://localhost.example", false),
            ("http://127.0.0.1.example/", false),
            ("http://10.0.0.1", false),
            ("https://example", false),
        ] {
            assert_eq!(Target::parse(url).map(|target| target.is_this_machine()), Ok(this), "{url}");
        }
    }

    #[test]
    fn what_readers_could_read_differently_is_refused() {
        for url in [
            "example.com",
            "ftp://example",
            "http://",
            "https:///mcp",
            "https://a@b/",
            "https://localhost\\@b/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0x7f000001/",
            "https://a b/",
            "https://a:0/",
            "https://a:+1/",
            "https://a:99999/",
            "https://a#b",
            "https://exämple/",
            "https://[::1/",
            "https://a..b/",
        ] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn origins_and_hosts() {
        for (text, name) in [
            ("a.example", Some("a.example")),
            ("[::1]", Some("::1")),
            ("::1", Some("::1")),
            ("a:80", None),
            ("*", None),
            ("http://a", None),
            ("a/b", None),
        ] {
            assert_eq!(host_name(text), name, "{text}");
        }
        for (text, good) in [
            ("https://a.example", true),
            ("http://a:8080", true),
            ("http://a:80", false),
            ("https://a:443", false),
            ("a", false),
            ("https://a/", false),
        ] {
            assert_eq!(is_origin(text), good, "{text}");
        }
    }
}
