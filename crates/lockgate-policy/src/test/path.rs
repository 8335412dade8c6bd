use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

use super::host::checked_list;
use super::operator::ENTRIES;
use super::{BadTest, Doubt, Truth};

/// Longest path, in bytes; most rounds of percent-decoding.
const LONGEST: usize = 4096;
const ROUNDS: usize = 4;

const ODD_CHARACTERS: Doubt = Doubt("the path has characters that some servers drop or take for others");
const ENCODED: Doubt = Doubt("the path hides separators, dots or other special characters in percent-codes");
const NOT_POSIX: Doubt = Doubt("the path has backslashes, a drive, a share or another scheme");
const EXPANDS: Doubt = Doubt("the path has a part that some servers expand");
const CLIMBS: Doubt = Doubt("the path climbs above its beginning");
const SPELLING: Doubt = Doubt("the path meets a root or an alias but for its spelling");
const BASE: Doubt = Doubt("one of path and root is relative, and what to is not known");
const READINGS: Doubt = Doubt("servers that read the path differently end in different places");

/// Paths within one of these roots. A path is followed as text, part by part: `.` and `..`, repeated slashes, percent-codes
/// (decoded until nothing changes) and `file:///` in front. Whatever could be read in more than one way cannot be told:
/// codes that hide a separator or a dot, backslashes, drives and shares, `~`, `$NAME`, wildcards that may leave the root,
/// characters that look like or normalise to special ones, and a path that meets a root but for upper and lower case.
///
/// A symbolic link is not seen unless it is declared as an alias: what lies behind it then counts as where it leads.
/// A relative path is within relative roots only (`.` is the place the server starts in).
#[derive(Clone, Debug)]
pub struct PathTest {
    roots: Vec<Place>,
    aliases: Vec<(Place, Place)>,
}

/// A path without `.`, `..` and empty parts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    absolute: bool,
    parts: Vec<String>,
    /// The parts as a file system would compare them that has no regard to case and form.
    folded: Vec<String>,
}

impl PathTest {
    /// Takes 1 to 1,000 roots, and at most 1,000 pairs of a symbolic link and its real place.
    pub fn new(inside: &[String], aliases: &[(String, String)]) -> Result<Self, BadTest> {
        if aliases.len() > ENTRIES {
            return Err(BadTest::ListTooLong("path"));
        }
        let mut links = Vec::new();
        for (link, real) in aliases {
            let (link, real) = (Place::parse(link)?, Place::parse(real)?);
            if link.parts.is_empty() || link.absolute != real.absolute {
                return Err(BadTest::BadPath(aliases_text(&link)));
            }
            links.push((link, real));
        }
        let bare = Self { roots: Vec::new(), aliases: links };
        let settle =
            |place: &Place| bare.settle(place).ok_or_else(|| BadTest::AliasLoop(aliases_text(place)));
        let aliases = bare.aliases.iter().map(|(link, real)| Ok((link.clone(), settle(real)?)));
        let roots = checked_list("path", inside)?.iter().map(|root| settle(&Place::parse(root)?));
        Ok(Self { roots: roots.collect::<Result<_, _>>()?, aliases: aliases.collect::<Result<_, _>>()? })
    }

    pub(super) fn ask(&self, text: &str) -> Truth {
        self.decide(text).unwrap_or_else(Truth::Unclear)
    }

    fn decide(&self, text: &str) -> Result<Truth, Doubt> {
        if text.is_empty() || text.len() > LONGEST {
            return Err(Doubt("the path is empty or longer than 4,096 bytes"));
        }
        let path = match text.get(..5) {
            Some(start) if start.eq_ignore_ascii_case("file:") => from_address(text)?,
            _ => text,
        };
        check_characters(path)?;
        let answer = self.read(path)?;
        let mut current = Cow::Borrowed(path);
        for round in 0..=ROUNDS {
            let Some(decoded) = decode(&current)? else { break };
            if round == ROUNDS {
                return Err(ENCODED);
            }
            check_characters(&decoded)?;
            if self.read(&decoded)? != answer {
                return Err(READINGS);
            }
            current = Cow::Owned(decoded);
        }
        Ok(answer)
    }

    /// One reading. With aliases there are two: a server may remove `..` from the text, or leave it to the system,
    /// which goes up from where a link leads.
    fn read(&self, path: &str) -> Result<Truth, Doubt> {
        let absolute = path.starts_with('/');
        let mut parts = Vec::with_capacity(16);
        let mut climbs = false;
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    climbs = true;
                    parts.pop().ok_or(CLIMBS)?;
                }
                _ => {
                    check_part(part)?;
                    parts.push(part);
                }
            }
        }
        if self.aliases.is_empty() {
            return self.compare(absolute, &parts, path);
        }
        let answer = self.compare(absolute, &self.walk(absolute, parts.into_iter())?, path)?;
        if climbs {
            let steps = path.split('/').filter(|part| !matches!(*part, "" | "."));
            if self.compare(absolute, &self.walk(absolute, steps)?, path)? != answer {
                return Err(READINGS);
            }
        }
        Ok(answer)
    }

    /// Follows aliases as the system follows links.
    fn walk<'a>(
        &'a self,
        absolute: bool,
        steps: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<&'a str>, Doubt> {
        let mut at = Vec::with_capacity(16);
        for step in steps {
            if step == ".." {
                at.pop().ok_or(CLIMBS)?;
                continue;
            }
            at.push(step);
            for (link, real) in self.aliases.iter().filter(|(link, _)| link.absolute == absolute) {
                if at == link.parts {
                    at = real.parts.iter().map(String::as_str).collect();
                    break;
                } else if at.len() == link.parts.len() && link.begins(&at) == Begins::ButForSpelling {
                    return Err(SPELLING);
                }
            }
        }
        Ok(at)
    }

    fn compare(&self, absolute: bool, parts: &[&str], path: &str) -> Result<Truth, Doubt> {
        let (mut spelling, mut other_base) = (false, false);
        for root in &self.roots {
            if root.absolute != absolute {
                other_base = true;
                continue;
            }
            match root.begins(parts) {
                Begins::Exactly => return Ok(Truth::Yes),
                Begins::ButForSpelling => spelling = true,
                Begins::Not => {}
            }
        }
        if spelling {
            Err(SPELLING)
        } else if other_base {
            Err(BASE)
        } else if path.contains(['*', '?', '[']) {
            Err(EXPANDS)
        } else {
            Ok(Truth::No)
        }
    }

    /// Where a place of the configuration really is; nothing where aliases go in a circle.
    fn settle(&self, place: &Place) -> Option<Place> {
        let mut place = place.clone();
        for _ in 0..=self.aliases.len() {
            let found = self.aliases.iter().find_map(|(link, real)| {
                let rest = place.parts.strip_prefix(link.parts.as_slice())?;
                (link.absolute == place.absolute)
                    .then(|| Place::new(real.absolute, [&real.parts, rest].concat()))
            });
            match found {
                Some(next) => place = next,
                None => return Some(place),
            }
        }
        None
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    Exactly,
    ButForSpelling,
    Not,
}

impl Place {
    fn new(absolute: bool, parts: Vec<String>) -> Self {
        let folded = parts.iter().map(|part| fold(part)).collect();
        Self { absolute, parts, folded }
    }

    /// Reads a path of the configuration.
    fn parse(text: &str) -> Result<Self, BadTest> {
        let bad = || BadTest::BadPath(text.to_owned());
        let (absolute, rest) = match text.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if text.is_empty() || text.len() > LONGEST || text.contains(['%', '*', '?', '[']) {
            return Err(bad());
        }
        check_characters(text).map_err(|_| bad())?;
        if rest.is_empty() || text == "." {
            return Ok(Self::new(absolute, Vec::new()));
        }
        let part = |part: &str| match part {
            "" | "." | ".." => Err(bad()),
            _ => check_part(part).map(|()| part.to_owned()).map_err(|_| bad()),
        };
        Ok(Self::new(absolute, rest.split('/').map(part).collect::<Result<_, _>>()?))
    }

    /// Does a path with these parts begin here?
    fn begins(&self, parts: &[&str]) -> Begins {
        let Some(start) = parts.get(..self.parts.len()) else { return Begins::Not };
        if start.iter().zip(&self.parts).all(|(part, own)| part == own) {
            return Begins::Exactly;
        }
        let same = |(part, own): (&&str, &String)| {
            if part.is_ascii() { part.eq_ignore_ascii_case(own) } else { fold(part) == *own }
        };
        if start.iter().zip(&self.folded).all(same) { Begins::ButForSpelling } else { Begins::Not }
    }
}

fn aliases_text(place: &Place) -> String {
    format!("{}{}", if place.absolute { "/" } else { "" }, place.parts.join("/"))
}

fn fold(part: &str) -> String {
    if part.is_ascii() {
        return part.to_ascii_lowercase();
    }
    let compatible = ComposingNormalizerBorrowed::new_nfkc().normalize(part);
    compatible.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// The path of `file:///…`. Servers that do not know such addresses take it for a relative path, so it may not climb, and
/// what follows the path in an address may not be there.
fn from_address(text: &str) -> Result<&str, Doubt> {
    let path = text
        .get(7..)
        .filter(|path| path.starts_with('/') && text.get(5..7) == Some("//"))
        .ok_or(NOT_POSIX)?;
    if path.contains(['?', '#']) || path.split('/').any(|part| part == "..") {
        return Err(READINGS);
    }
    Ok(path)
}

fn check_characters(path: &str) -> Result<(), Doubt> {
    let bytes = path.as_bytes();
    if bytes.contains(&b'\\')
        || path.starts_with("//")
        || matches!(bytes, [letter, b':', ..] if letter.is_ascii_alphabetic())
        || path.contains("://")
    {
        return Err(NOT_POSIX);
    }
    let edge = |c: char| c.is_whitespace();
    if bytes.iter().any(u8::is_ascii_control) || path.starts_with(edge) || path.ends_with(edge) {
        return Err(ODD_CHARACTERS);
    }
    if bytes.first() == Some(&b'~') || bytes.contains(&b'`') || bytes.contains(&b'{') {
        return Err(EXPANDS);
    }
    let names_variable = |pair: &[u8]| matches!(pair, [b'$', b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'(']);
    if bytes.windows(2).any(names_variable) {
        return Err(EXPANDS);
    }
    if path.is_ascii() {
        return Ok(());
    }
    let compatible = ComposingNormalizerBorrowed::new_nfkc().normalize(path);
    let special = |text: &str| text.chars().filter(|&c| is_special(c)).count();
    if path.chars().any(|c| c.is_control() || is_ignored(c) || is_like_special(c))
        || special(path) != special(&compatible)
    {
        return Err(ODD_CHARACTERS);
    }
    Ok(())
}

fn check_part(part: &str) -> Result<(), Doubt> {
    // Windows drops dots and spaces at the end of a name, which leaves `..` of `.. .`; servers of pages cut off what comes
    // after `;`, `?` and `#`.
    let name = part.split([';', ':', '?', '#']).next().unwrap_or_default();
    if name.bytes().all(|b| matches!(b, b'.' | b' ')) {
        return Err(ODD_CHARACTERS);
    }
    // `.*` is `..` to some.
    if part.starts_with('.') && part.contains(['*', '?', '[']) {
        return Err(EXPANDS);
    }
    Ok(())
}

/// Characters that mean something in a path to somebody.
fn is_special(c: char) -> bool {
    matches!(c, '/' | '\\' | '.' | '~' | '%' | '*' | '?' | '[' | '{' | '$' | ':' | '`' | ' ' | '\u{2044}')
}

/// Characters that become separators in older character sets.
fn is_like_special(c: char) -> bool {
    matches!(
        c,
        '\u{2044}' | '\u{2215}' | '\u{2216}' | '\u{29f5}' | '\u{29f8}' | '\u{29f9}' | '\u{a5}' | '\u{20a9}'
    )
}

/// Characters that some file systems drop from names (default ignorable code points of Unicode).
fn is_ignored(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// One round of percent-decoding; nothing where there is no code. Codes may stand for ordinary characters and for `%`.
fn decode(path: &str) -> Result<Option<String>, Doubt> {
    if !path.contains('%') {
        return Ok(None);
    }
    let mut out = Vec::with_capacity(path.len());
    let mut decoded = false;
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'%', [b'u' | b'U', more @ ..])
                if more.get(..4).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) =>
            {
                return Err(ENCODED);
            }
            (b'%', [high, low, more @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let byte = hex(*high) << 4 | hex(*low);
                if byte != b'%' && is_special(char::from(byte)) && byte != b' ' || byte.is_ascii_control() {
                    return Err(ENCODED);
                }
                out.push(byte);
                decoded = true;
                rest = more;
            }
            _ => out.push(*first),
        }
    }
    // Longer forms than needed (`%c0%ae` for a dot) are no UTF-8.
    let text = String::from_utf8(out).map_err(|_| ENCODED)?;
    Ok(decoded.then_some(text))
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}
