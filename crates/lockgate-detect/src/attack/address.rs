//! Where a URL or a host leads, as any reader may take it.
//!
//! Programs read addresses differently, and attacks live on that: what a filter takes for the host is a user name to the client
//! behind it. So every host that some reader finds in a text is looked at, in every form in which some reader writes an IPv4
//! address, and the worst counts. Where a name leads is not asked of anybody: that is a matter of the network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lockgate_model::Reach;

use crate::Level;

/// Longest address, in bytes. Longer ones cannot be read.
const LONGEST: usize = 8192;

/// Schemes that read files, speak other protocols over a socket, or run something (OWASP SSRF prevention cheat sheet, CRS 934120).
const BAD_SCHEMES: &str = "file gopher dict jar netdoc ldap ldaps tftp sftp php phar expect glob zip data javascript vbscript \
                           view-source resource res ogg rar zlib local_file local smb rmi jndi dns mhtml";
/// Schemes that can be without `//`.
const WEB_SCHEMES: &str = "http https ws wss ftp ftps";

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// Where it leads.
    pub(super) reach: Reach,
    /// Something beside the host stands against it, or the host is written to pass for another.
    pub(super) fault: Option<(&'static str, Level)>,
}

/// Where a URL, or a host with or without a port, leads: the worst of all readings. O(length of the text).
pub fn reach(text: &str) -> Reach {
    read(text).reach
}

/// The rule for a place.
pub(super) fn rule(reach: Reach) -> Option<(&'static str, Level)> {
    Some(match reach {
        Reach::Public => return None,
        Reach::Reserved => ("address_reserved", Level::Review),
        Reach::Private => ("address_private", Level::Review),
        Reach::Loopback => ("address_loopback", Level::Review),
        Reach::LinkLocal => ("address_link_local", Level::Block),
        Reach::Rebinding => ("address_rebinding", Level::Block),
        Reach::Metadata => ("address_metadata", Level::Block),
        Reach::Unreadable => ("address_unreadable", Level::Block),
    })
}

/// Reads a URL or a host.
pub(super) fn read(text: &str) -> Reading {
    let unreadable = |rule| Reading { reach: Reach::Unreadable, fault: Some((rule, Level::Block)) };
    if text.len() > LONGEST {
        return unreadable("address_too_long");
    }
    // Browsers cut off white space and drop tabs and new lines wherever they are.
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
    let smooth: String = trimmed.chars().filter(|c| !matches!(c, '\t' | '\r' | '\n')).collect();
    let mut fault = (smooth.len() != trimmed.len()).then_some(("address_control_character", Level::Block));
    if smooth.contains(|c: char| c.is_control()) {
        return unreadable("address_control_character");
    }
    let (scheme, rest) = split_scheme(&smooth);
    let scheme = scheme.to_ascii_lowercase();
    if lists(BAD_SCHEMES, &scheme) {
        return Reading { reach: Reach::Public, fault: Some(("address_scheme", Level::Block)) };
    }
    if !scheme.is_empty() && !lists(WEB_SCHEMES, &scheme) && !rest.starts_with("//") {
        // `mailto:`, `urn:` and others: no host.
        return Reading { reach: Reach::Public, fault };
    }
    let rest = rest.trim_start_matches(['/', '\\']);
    let mut worst = Reach::Public;
    let hosts = hosts(rest, &mut fault);
    if hosts.iter().all(|host| host.is_empty()) {
        return unreadable("address_without_host");
    }
    for host in hosts {
        let (reach, plain) = of_host(host);
        worst = worst.max(reach);
        if !plain && reach != Reach::Public {
            fault = Some(("address_disguised", Level::Block));
        }
    }
    Reading { reach: worst, fault }
}

/// The scheme, where there is one, and what follows its `:`.
fn split_scheme(text: &str) -> (&str, &str) {
    let Some((scheme, rest)) = text.split_once(':') else { return ("", text) };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.' | b'_'));
    let known = || {
        let scheme = scheme.to_ascii_lowercase();
        let port = rest.starts_with(|c: char| c.is_ascii_digit());
        lists(WEB_SCHEMES, &scheme)
            || !port && (lists(BAD_SCHEMES, &scheme) || lists("mailto urn tel git", &scheme))
    };
    if is_scheme && (rest.starts_with("//") || known()) { (scheme, rest) } else { ("", text) }
}

/// Every host that some reader takes out of what follows the scheme.
fn hosts<'t>(rest: &'t str, fault: &mut Option<(&'static str, Level)>) -> Vec<&'t str> {
    let end = |marks: &[char]| rest.split(marks).next().unwrap_or_default();
    // For the standard of browsers a backslash ends the host, for RFC 3986 it does not; some old readers end it at `/` only.
    // Where there is no `@`, that makes no difference to the host.
    let plain = end(&['/', '?', '#', '\\']);
    let mut hosts = vec![without_port(plain)];
    for (authority, old) in [(plain, false), (end(&['/', '?', '#']), false), (end(&['/']), true)] {
        let Some((before, after)) = authority.rsplit_once('@') else { continue };
        // An `@` behind a `?` or `#` ends a user name for old readers only, and most are in mail addresses and handles there.
        if old && authority.contains(['?', '#']) && !before.ends_with(['?', '#', '\\']) {
            continue;
        }
        // Everything before it that looks like a host is one to somebody.
        let names =
            before.split('@').map(|name| name.split([':', '\\', '#', '?']).next().unwrap_or_default());
        let like_hosts: Vec<&str> =
            names.filter(|name| name.contains('.') || of_host(name).0 == Reach::Loopback).collect();
        let odd = !like_hosts.is_empty() || before.contains(['\\', '#', '?', '@']);
        *fault = Some(if odd {
            ("address_user_like_host", Level::Block)
        } else {
            ("address_user", Level::Review)
        });
        if authority == plain {
            hosts.clear();
        }
        hosts.extend(like_hosts);
        hosts.push(without_port(after));
    }
    hosts.dedup();
    hosts
}

fn without_port(authority: &str) -> &str {
    if let Some((inside, _)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return inside;
    }
    match authority.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Where one host leads, and is it written plainly?
fn of_host(host: &str) -> (Reach, bool) {
    let Some(folded) = fold(host) else { return (Reach::Unreadable, false) };
    let plain = folded == host.to_ascii_lowercase() || format!("{folded}.") == host.to_ascii_lowercase();
    // `%25eth0` and `%eth0` name a card of the machine.
    let bare = folded.split('%').next().unwrap_or_default();
    if let Ok(address) = bare.parse::<Ipv6Addr>() {
        let carries =
            !address.is_loopback() && !address.is_unspecified() && lockgate_model::carried(address).is_some();
        return (Reach::of(address.into()), plain && !carries && address.to_ipv4_mapped().is_none());
    }
    if folded.is_empty() || folded.contains([':', '[', ']', '%', '\\', '@', ' ']) {
        return (Reach::Unreadable, false);
    }
    match numbers(&folded) {
        Some(addresses) if addresses.is_empty() => (Reach::Unreadable, false),
        Some(addresses) => {
            let reach = addresses.iter().map(|&address| Reach::of(IpAddr::V4(address))).max();
            (reach.unwrap_or(Reach::Unreadable), plain && folded.parse::<Ipv4Addr>().is_ok())
        }
        None => (of_name(&folded), plain),
    }
}

/// A host as it is looked up: decoded, in lower case, full-width and circled characters as what they stand for, without what is
/// not seen and without the dot at the end. None where it cannot be decoded.
fn fold(host: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(host.len());
    let mut rest = host.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code =
            after.get(..2).and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        let (byte, used) = code.filter(|_| first == b'%').map_or((first, 0), |byte| (byte, 2));
        bytes.push(byte);
        rest = after.get(used..).unwrap_or_default();
    }
    let decoded = String::from_utf8(bytes).ok()?;
    let folded: String = decoded.chars().filter_map(plain_char).flat_map(char::to_lowercase).collect();
    Some(folded.strip_suffix('.').map(str::to_owned).unwrap_or(folded))
}

/// What a character is in a name of a host (the mapping of UTS 46, as far as digits, letters and dots go); none where it is dropped.
fn plain_char(c: char) -> Option<char> {
    let from = |base: u32, first: char| char::from_u32(u32::from(c) - base + u32::from(first));
    match u32::from(c) {
        0xff01..=0xff5e => from(0xff01, '!'),
        0x3002 | 0xff61 => Some('.'),
        0x2460..=0x2468 => from(0x2460, '1'),
        0x2488..=0x2490 => from(0x2488, '1'),
        0x24b6..=0x24cf => from(0x24b6, 'a'),
        0x24d0..=0x24e9 => from(0x24d0, 'a'),
        0x1d7ce..=0x1d7ff => char::from_digit((u32::from(c) - 0x1d7ce) % 10, 10),
        0x24ea | 0x2070 | 0x2080 => Some('0'),
        0xb9 | 0x2081 => Some('1'),
        0xb2 | 0x2082 => Some('2'),
        0xb3 | 0x2083 => Some('3'),
        0x2074..=0x2079 => from(0x2074, '4'),
        0x2084..=0x2089 => from(0x2084, '4'),
        0xad | 0x200b..=0x200f | 0x2060 | 0xfeff | 0xfe00..=0xfe0f => None,
        _ => Some(c),
    }
}

/// The IPv4 addresses that readers take numbers for: decimal, octal, hexadecimal, one to four of them. Empty where no reader
/// agrees; none where it is a name.
fn numbers(host: &str) -> Option<Vec<Ipv4Addr>> {
    let last = host.rsplit('.').next().unwrap_or_default();
    let numeric = !last.is_empty()
        && (last.bytes().all(|b| b.is_ascii_digit())
            || last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit())));
    if !numeric {
        return None;
    }
    let readers: [fn(&str) -> Option<u64>; 2] = [octal, decimal];
    let mut found: Vec<Ipv4Addr> = readers.into_iter().filter_map(|number| join(host, number)).collect();
    found.dedup();
    Some(found)
}

fn octal(part: &str) -> Option<u64> {
    match part.strip_prefix('0').filter(|rest| !rest.is_empty() && !rest.starts_with('x')) {
        Some(digits) => u64::from_str_radix(digits, 8).ok(),
        None => decimal(part),
    }
}

fn decimal(part: &str) -> Option<u64> {
    match part.strip_prefix("0x") {
        Some("") => Some(0),
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten(),
    }
}

/// One to four numbers, of which the last fills what is left (`inet_aton`). Some readers take numbers too great by their last
/// byte or the last four.
fn join(host: &str, number: fn(&str) -> Option<u64>) -> Option<Ipv4Addr> {
    let parts: Vec<u64> = host.split('.').map(number).collect::<Option<_>>()?;
    let (&last, before) = parts.split_last()?;
    if before.len() > 3 {
        return None;
    }
    let bits = 8 * (4 - before.len());
    let high = before.iter().fold(0_u64, |value, part| value << 8 | part & 0xff);
    let value = high << bits | last & ((1_u64 << bits) - 1);
    u32::try_from(value & 0xffff_ffff).ok().map(Ipv4Addr::from_bits)
}

fn of_name(name: &str) -> Reach {
    let listed = include_str!("hosts.rules").lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let (word, known) = line.split_once(' ')?;
        let known = known.trim_start();
        let below = known.strip_prefix('.').is_some_and(|bare| name == bare || name.ends_with(known));
        (name == known || below).then_some(match word {
            "loopback" => Reach::Loopback,
            "metadata" => Reach::Metadata,
            "rebinding" => Reach::Rebinding,
            _ => Reach::Private,
        })
    });
    if let Some(reach) = listed {
        return reach;
    }
    // A name of one part is looked up in the network the machine is in.
    if !name.contains('.') {
        return Reach::Private;
    }
    if has_inner_address(name) { Reach::Rebinding } else { Reach::Public }
}

/// Does an address that is not public stand in the name: `10-0-0-1.example.com`, `127.0.0.1.example.com`?
fn has_inner_address(name: &str) -> bool {
    let parts: Vec<&str> = name.split(['.', '-']).collect();
    parts.windows(4).any(|four| {
        let bytes: Option<Vec<u8>> = four.iter().map(|part| part.parse().ok()).collect();
        let bytes: Option<[u8; 4]> = bytes.and_then(|bytes| bytes.try_into().ok());
        // 0.x and 2xx.x are versions and dates more often than addresses.
        bytes.is_some_and(|[a, b, c, d]| {
            let reach = Reach::of(IpAddr::V4(Ipv4Addr::new(a, b, c, d)));
            a != 0 && !matches!(reach, Reach::Public | Reach::Reserved)
        })
    })
}

fn lists(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
