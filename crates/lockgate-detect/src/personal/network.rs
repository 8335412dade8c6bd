//! Addresses of the internet and of network cards.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::context::{Context, Said};
use super::entity::{Entities, Entity};
use crate::Sure;

/// Words that say that an address is that of somebody's machine.
const WORDS: [&str; 14] = [
    "client ip",
    "client_ip*",
    "clientip*",
    "user ip",
    "user_ip*",
    "remote_addr*",
    "remote_ip*",
    "x-forwarded-for",
    "x-real-ip",
    "visitor ip",
    "customer ip",
    "login_ip*",
    "login ip",
    "ip_of_user",
];

pub(super) fn words() -> impl Iterator<Item = (&'static str, Entities)> {
    WORDS.into_iter().map(|word| (word, Entities::default().with(Entity::IpAddress)))
}

/// Whom an address leads to.
enum Leads {
    /// Somewhere in the world.
    Abroad,
    /// Into a house.
    Home,
    /// Nowhere.
    Nowhere,
}

/// The address that begins with this run, or that it is inside of.
pub(super) fn internet(
    text: &str,
    run: &Range<usize>,
    floor: usize,
    colons: &mut usize,
    context: &mut Context<'_, '_>,
) -> Option<(Entity, Range<usize>, Sure)> {
    let (span, leads) = four(text, run).or_else(|| six(text, run, floor, colons))?;
    let said = context.says(Entity::IpAddress, &span);
    if !super::number::ends_alone(text, span.end) && !text.get(span.end..)?.starts_with(':') {
        return None;
    }
    match (leads, said) {
        (Leads::Abroad, Said::This | Said::Nothing) => Some((Entity::IpAddress, span, Sure::Checked)),
        (Leads::Home, Said::This) => Some((Entity::IpAddress, span, Sure::Likely)),
        (Leads::Home | Leads::Abroad | Leads::Nowhere, _) => None,
    }
}

fn byte(bytes: &[u8], at: Option<usize>) -> u8 {
    at.and_then(|at| bytes.get(at)).copied().unwrap_or(b' ')
}

fn four(text: &str, run: &Range<usize>) -> Option<(Range<usize>, Leads)> {
    let bytes = text.as_bytes();
    let before = |count: usize| byte(bytes, run.start.checked_sub(count));
    if run.len() > 3 || byte(bytes, Some(run.end)) != b'.' || b"._-".contains(&before(1)) {
        return None;
    }
    // `Chrome/120.0.6099.1` is a version.
    if before(1) == b'/' && before(2).is_ascii_alphanumeric() {
        return None;
    }
    let rest = bytes.get(run.start..)?;
    let length = rest.iter().take(16).take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let address = text.get(run.start..run.start + length)?.trim_end_matches('.');
    if address.bytes().filter(|byte| *byte == b'.').count() != 3 {
        return None;
    }
    let end = run.start + address.len();
    let next = |count: usize| byte(bytes, Some(end + count));
    let goes_on =
        next(0).is_ascii_alphanumeric() || b"_-/".contains(&next(0)) && next(1).is_ascii_alphanumeric();
    let four: Ipv4Addr = address.parse().ok().filter(|_| !goes_on)?;
    let leads = match four.octets() {
        [0 | 127 | 224.., ..]
        | [_, _, _, 0]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        // Servers of everybody.
        | [1, 1, 1, 1]
        | [1, 0, 0, 1]
        | [8, 8, 8, 8]
        | [8, 8, 4, 4]
        | [9, 9, 9, 9] => Leads::Nowhere,
        [10, ..] | [192, 168, ..] | [172, 16..=31, ..] | [100, 64..=127, ..] => Leads::Home,
        // Versions are small: 1.2.3.4.
        [a, b, c, d] if a < 12 && b < 32 && c < 32 && d < 32 => Leads::Home,
        _ => Leads::Abroad,
    };
    Some((run.start..end, leads))
}

/// No row of colons is looked at twice.
fn six(text: &str, run: &Range<usize>, floor: usize, colons: &mut usize) -> Option<(Range<usize>, Leads)> {
    let bytes = text.as_bytes();
    let beside = byte(bytes, Some(run.end)) == b':' || byte(bytes, run.start.checked_sub(1)) == b':';
    if !beside || run.start < *colons {
        return None;
    }
    let is = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b':';
    let before = bytes.get(floor.max(run.start.saturating_sub(40))..run.start)?;
    let start = run.start - before.iter().rev().take_while(|byte| is(byte)).count();
    let length = bytes.get(start..)?.iter().take_while(|byte| is(byte)).count();
    *colons = start + length;
    // A colon behind it is that of a sentence.
    let address = text.get(start..start + length)?;
    let address = if address.ends_with("::") { address } else { address.trim_end_matches(':') };
    let end = start + address.len();
    let outside = [byte(bytes, start.checked_sub(1)), byte(bytes, Some(end))];
    if !(8..40).contains(&address.len())
        || outside.iter().any(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        || !address.contains("::") && address.bytes().filter(|byte| *byte == b':').count() != 7
    {
        return None;
    }
    let six: Ipv6Addr = address.parse().ok()?;
    let leads = match six.segments() {
        [0x2001, 0xdb8, ..]
        | [0x3fff, 0..=0xfff, ..]
        // Servers of everybody.
        | [0x2001, 0x4860, 0x4860, ..] | [0x2606, 0x4700, 0x4700, ..] | [0x2620, 0xfe, ..] => Leads::Nowhere,
        [0x2000..=0x3fff, ..] => Leads::Abroad,
        [0xfc00..=0xfdff, ..] => Leads::Home,
        _ => Leads::Nowhere,
    };
    Some((start..end, leads))
}

/// Six pairs with `:` or `-` between them, no more and no less: a fingerprint has more.
pub(super) fn mac(text: &str, run: &Range<usize>, floor: usize) -> Option<Range<usize>> {
    if run.len() != 2 {
        return None;
    }
    let bytes = text.as_bytes();
    let mark = [run.start.checked_sub(1), Some(run.end)]
        .map(|at| byte(bytes, at))
        .into_iter()
        .find(|mark| matches!(mark, b':' | b'-'))?;
    let is = |byte: &u8| byte.is_ascii_hexdigit() || *byte == mark;
    let before = bytes.get(floor.max(run.start.saturating_sub(17))..run.start)?;
    let start = run.start - before.iter().rev().take_while(|byte| is(byte)).count();
    let address = bytes.get(start..start + 17)?;
    let pairs = address.chunks(3).all(|pair| match pair {
        [a, b, between] => a.is_ascii_hexdigit() && b.is_ascii_hexdigit() && *between == mark,
        [a, b] => a.is_ascii_hexdigit() && b.is_ascii_hexdigit(),
        _ => false,
    });
    let outside = [byte(bytes, start.checked_sub(1)), byte(bytes, Some(start + 17))];
    let alone = !outside.iter().any(|byte| byte.is_ascii_alphanumeric() || *byte == mark || *byte == b'_');
    let letters = address.iter().any(u8::is_ascii_alphabetic);
    let varied = address.chunks(3).any(|pair| pair.get(..2) != address.get(..2));
    // Six pairs of digits alone are as often a date and a time.
    (pairs && alone && varied && (letters || mark == b':')).then(|| start..start + 17)
}
