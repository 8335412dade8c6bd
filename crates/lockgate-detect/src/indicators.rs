//! Indicators of compromise: hosts, addresses, digests and texts that somebody has seen in attacks, from a list of the operator's.
//!
//! One a line. What it is, is told by its form; `#` begins a comment. `[.]`, `hxxp` and the like, as such lists are written so that
//! nobody follows them, are read as what they stand for.
//!
//! ```text
//! evil.example                  a host, and all below it
//! 203.0.113.0/24                addresses
//! 2001:db8::/32
//! https://site.example/drop/    what begins so, in any case
//! 9f86d081884c7d65…             a digest: MD5, SHA-1, SHA-256 or SHA-512 in hexadecimal
//! text: mutex_of_the_thing      a text, in any case
//! ```

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

/// Most indicators of one list.
pub const MOST: usize = 1_000_000;
/// Most of them that are texts or addresses of pages: they are looked for in one automaton.
pub const MOST_TEXTS: usize = 10_000;
/// Shortest text that counts, in bytes: shorter ones are everywhere.
const SHORTEST: usize = 6;
/// Most spots in one text. What comes behind is left out; the first are enough to decide.
const MOST_SPOTS: usize = 100;

/// The names of the rules, for records and suppressions.
pub const NAMES: [&str; 4] = ["indicator_host", "indicator_address", "indicator_digest", "indicator_text"];

/// What is looked for. Made once and used for every text.
#[derive(Debug, Default)]
pub struct Indicators {
    hosts: BTreeSet<String>,
    /// Networks, as the first and the last address, apart and in order.
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
    digests: BTreeSet<String>,
    texts: Option<AhoCorasick>,
    count: usize,
}

/// A line that is no indicator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadIndicator {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Indicators {
    /// Reads lists. Fails at the first line that is none of the forms.
    pub fn read(lists: &[&str]) -> Result<Self, (usize, BadIndicator)> {
        let (mut all, mut texts) = (Self::default(), Vec::new());
        for (number, list) in lists.iter().enumerate() {
            for (at, line) in list.lines().enumerate() {
                let line = line.split_once('#').map_or(line, |(before, _)| before).trim();
                if line.is_empty() {
                    continue;
                }
                all.count += 1;
                let read =
                    if all.count > MOST { Err("there are too many") } else { all.add(line, &mut texts) };
                read.map_err(|why| (number, BadIndicator { line: at + 1, why }))?;
            }
        }
        merge(&mut all.v4);
        merge(&mut all.v6);
        if !texts.is_empty() {
            let made = AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .match_kind(MatchKind::LeftmostLongest)
                .build(&texts);
            let too_many = |_| (0, BadIndicator { line: 1, why: "the texts are too long together" });
            all.texts = Some(made.map_err(too_many)?);
        }
        Ok(all)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Where they stand in a text, in order, and by which rule. Linear.
    pub fn find(&self, text: &str) -> Vec<(&'static str, Range<usize>)> {
        let mut spots = Vec::new();
        let mut add = |rule: &'static str, span: Range<usize>| {
            if spots.len() < MOST_SPOTS {
                spots.push((rule, span));
            }
        };
        if let Some(texts) = &self.texts {
            texts.find_iter(text).for_each(|found| add("indicator_text", found.range()));
        }
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'_');
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(start) = bytes.get(at..).and_then(|rest| rest.iter().position(is_part)) {
            let start = at + start;
            let rest = bytes.get(start..).unwrap_or_default();
            let end = start + rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
            if let Some(token) = text.get(start..end) {
                self.token(token, start, &mut add);
            }
            at = end;
        }
        spots.sort_by_key(|(_, span): &(_, Range<usize>)| (span.start, span.end));
        spots
    }

    /// A run of letters, digits, dots, dashes and colons.
    fn token(&self, token: &str, start: usize, add: &mut impl FnMut(&'static str, Range<usize>)) {
        let marks = ['.', '-', '_'];
        let trimmed = token.trim_matches(marks);
        let start = start + (token.len() - token.trim_start_matches(marks).len());
        // An address of the newer kind has colons; else a colon parts a host from its port.
        for whole in [trimmed, trimmed.strip_suffix(':').unwrap_or(trimmed)] {
            if let Ok(address) = whole.parse::<Ipv6Addr>() {
                if self.has(IpAddr::V6(address)) {
                    add("indicator_address", start..start + whole.len());
                }
                return;
            }
        }
        let mut from = start;
        for part in trimmed.split(':') {
            let span = from..from + part.len();
            from = span.end + 1;
            if part.len() < 4 {
                continue;
            }
            if let Ok(address) = part.parse::<Ipv4Addr>() {
                if self.has(IpAddr::V4(address)) {
                    add("indicator_address", span);
                }
            } else if part.contains('.') {
                if self.names(part) {
                    add("indicator_host", span);
                }
            } else if is_digest(part) && self.digests.contains(&part.to_ascii_lowercase()) {
                add("indicator_digest", span);
            }
        }
    }

    /// Is a host, or one above it, listed?
    fn names(&self, host: &str) -> bool {
        if self.hosts.is_empty() || host.len() > 253 {
            return false;
        }
        let host = host.to_ascii_lowercase();
        let above = host.match_indices('.').filter_map(|(dot, _)| host.get(dot + 1..));
        std::iter::once(host.as_str()).chain(above).any(|name| self.hosts.contains(name))
    }

    fn has(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => within(&self.v4, address.to_bits()),
            IpAddr::V6(address) => {
                within(&self.v6, address.to_bits())
                    || address.to_ipv4_mapped().is_some_and(|mapped| within(&self.v4, mapped.to_bits()))
            }
        }
    }

    fn add(&mut self, line: &str, texts: &mut Vec<String>) -> Result<(), &'static str> {
        let text = line.strip_prefix("text:").map(str::trim);
        let refanged = line.replace("[.]", ".").replace("(.)", ".").replace("[:]", ":");
        let page = ["http", "https", "hxxp", "hxxps", "ftp"].iter().find_map(|scheme| {
            let rest = refanged.strip_prefix(scheme)?.strip_prefix("://")?;
            Some(format!("{}://{rest}", scheme.replace("xx", "tt")))
        });
        if let Some(text) = text.map(str::to_owned).or(page) {
            if text.len() < SHORTEST {
                return Err("the text is too short: it would be everywhere");
            }
            texts.push(text);
            return if texts.len() > MOST_TEXTS { Err("there are too many texts") } else { Ok(()) };
        }
        if let Some(network) = network(&refanged)? {
            match network {
                Network::V4(range) => self.v4.push(range),
                Network::V6(range) => self.v6.push(range),
            }
        } else if is_digest(&refanged) {
            self.digests.insert(refanged.to_ascii_lowercase());
        } else {
            let host = refanged.trim_start_matches("*.").trim_end_matches('.').to_ascii_lowercase();
            if !is_host(&host) {
                return Err("it is no host, address, digest or page; a text begins with `text:`");
            }
            self.hosts.insert(host);
        }
        Ok(())
    }
}

enum Network {
    V4((u32, u32)),
    V6((u128, u128)),
}

/// An address, or a network in the notation of RFC 4632. None where it is neither.
fn network(text: &str) -> Result<Option<Network>, &'static str> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let Ok(address) = address.parse::<IpAddr>() else { return Ok(None) };
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        None => most,
        Some(bits) => bits
            .parse::<u32>()
            .ok()
            .filter(|bits| (1..=most).contains(bits))
            .ok_or("the network is too large, or its length is no number")?,
    };
    Ok(Some(match address {
        IpAddr::V4(address) => {
            let rest = u32::MAX.checked_shr(bits).unwrap_or(0);
            Network::V4((address.to_bits() & !rest, address.to_bits() | rest))
        }
        IpAddr::V6(address) => {
            let rest = u128::MAX.checked_shr(bits).unwrap_or(0);
            Network::V6((address.to_bits() & !rest, address.to_bits() | rest))
        }
    }))
}

fn is_digest(text: &str) -> bool {
    matches!(text.len(), 32 | 40 | 64 | 128) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// At least two labels, and the last is no number.
fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 253
        && text.contains('.')
        && text.split('.').all(label)
        && last.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// Puts ranges in order, and makes one of those that touch.
fn merge<T: Ord + Copy>(ranges: &mut Vec<(T, T)>) {
    ranges.sort_unstable();
    let mut merged: Vec<(T, T)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges.drain(..) {
        match merged.last_mut() {
            Some(before) if first <= before.1 => before.1 = before.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    *ranges = merged;
}

fn within<T: Ord>(ranges: &[(T, T)], value: T) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= value);
    after.checked_sub(1).and_then(|at| ranges.get(at)).is_some_and(|(_, last)| value <= *last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIST: &str = "\
        # seen in May\n\
        evil.example\n\
        *.wide[.]example   # with all below\n\
        203.0.113.0/24\n\
        198.51.100.7\n\
        2001:db8:bad::/48\n\
        hxxps://site[.]example/drop/\n\
        d41d8cd98f00b204e9800998ecf8427e\n\
        E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855\n\
        text: Mutex_of_the_thing\n";

    fn found(text: &str) -> Vec<(&'static str, String)> {
        let indicators = Indicators::read(&[LIST]).unwrap();
        let spots = indicators.find(text);
        spots.into_iter().map(|(rule, span)| (rule, text.get(span).unwrap_or_default().to_owned())).collect()
    }

    #[test]
    fn each_form_is_found_where_it_stands() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("write to evil.example today", &[("indicator_host", "evil.example")]),
            ("https://EVIL.example:8443/x", &[("indicator_host", "EVIL.example")]),
            ("me@cdn.evil.example.", &[("indicator_host", "cdn.evil.example")]),
            ("notevil.example evil.example.org evil", &[]),
            ("a.wide.example", &[("indicator_host", "a.wide.example")]),
            ("ping 203.0.113.99, 203.0.114.1", &[("indicator_address", "203.0.113.99")]),
            ("198.51.100.7:22", &[("indicator_address", "198.51.100.7")]),
            ("198.51.100.77", &[]),
            ("[2001:db8:bad:1::5]:443 2001:db8:bae::1", &[("indicator_address", "2001:db8:bad:1::5")]),
            ("::ffff:203.0.113.5", &[("indicator_address", "::ffff:203.0.113.5")]),
            ("GET HTTPS://site.example/DROP/a", &[("indicator_text", "HTTPS://site.example/DROP/")]),
            ("https://site.example/other", &[]),
            (
                "md5 D41D8CD98F00B204E9800998ECF8427E",
                &[("indicator_digest", "D41D8CD98F00B204E9800998ECF8427E")],
            ),
            (
                "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                &[("indicator_digest", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")],
            ),
            ("d41d8cd98f00b204e9800998ecf8427f", &[]),
            ("has mutex_OF_the_thing in it", &[("indicator_text", "mutex_OF_the_thing")]),
        ];
        for (text, expected) in cases {
            let expected: Vec<_> = expected.iter().map(|(rule, part)| (*rule, (*part).to_owned())).collect();
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_none_of_the_forms_is_named() {
        for (list, line) in [
            ("evil", 1),
            ("good.example\n\nnot a host\n", 3),
            ("10.0.0.0/0", 1),
            ("10.0.0.0/33", 1),
            ("text: abc", 1),
            ("a..b", 1),
            ("1.2.3", 1),
        ] {
            assert_eq!(Indicators::read(&["", list]).unwrap_err().1.line, line, "{list}");
            assert_eq!(Indicators::read(&["", list]).unwrap_err().0, 1, "{list}");
        }
        assert!(Indicators::read(&["# nothing\n", ""]).unwrap().is_empty());
    }

    #[test]
    fn many_are_enough() {
        let text = "evil.example ".repeat(MOST_SPOTS * 3);
        assert_eq!(found(&text).len(), MOST_SPOTS);
    }

    proptest! {
        #[test]
        fn any_list_is_read_or_refused_and_any_text_is_searched(list in ".{0,200}", text in ".{0,300}") {
            if let Ok(indicators) = Indicators::read(&[&list]) {
                for (_, span) in indicators.find(&text) {
                    prop_assert!(text.get(span).is_some());
                }
            }
        }

        #[test]
        fn ranges_are_merged_without_a_change(ranges in proptest::collection::vec((0_u32..200, 0_u32..20), 0..20), value in 0_u32..250) {
            let mut merged: Vec<_> = ranges.iter().map(|(first, length)| (*first, first + length)).collect();
            let expected = merged.iter().any(|(first, last)| (*first..=*last).contains(&value));
            merge(&mut merged);
            prop_assert_eq!(within(&merged, value), expected);
        }
    }
}
