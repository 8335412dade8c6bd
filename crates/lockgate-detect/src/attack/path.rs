//! Paths that leave where they begin, and places that hold secrets.
//!
//! A path is read as it is and decoded, until nothing changes: what some server may make of it counts. Which folders a tool may
//! see is for the operator to say (`path` in the rules of a server); here is what is wrong without knowing them.

use std::borrow::Cow;

use crate::Level;
use crate::rules::Fold;

/// Most rounds of decoding; what has more is refused.
const ROUNDS: usize = 4;

/// What a path is found for.
pub(super) type Found = (&'static str, Level);

/// A line of `paths.rules`.
#[derive(Debug)]
struct Place {
    level: Level,
    rule: &'static str,
    absolute: bool,
    /// Anything below it too.
    folder: bool,
    parts: Vec<&'static str>,
}

/// The places that hold secrets.
#[derive(Debug)]
pub(super) struct Places(Vec<Place>);

impl Places {
    pub(super) fn new() -> Self {
        let lines = include_str!("paths.rules").lines().filter(|line| !line.starts_with('#'));
        Self(lines.filter_map(Place::read).collect())
    }

    /// The rules of the file.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter(|place| place.level > Level::None).map(|place| place.rule)
    }

    /// What is wrong with a path. O(length of the text).
    pub(super) fn find(&self, text: &str) -> Option<Found> {
        let mut read = Cow::Borrowed(text.as_bytes());
        let mut found = self.judge(&read, false);
        for round in 0..=ROUNDS {
            if overlong(&read) {
                found = found.max_by_level(Some(("path_overlong_code", Level::Block)));
            }
            let next = decode(&read);
            if next == *read {
                break;
            }
            if round == ROUNDS {
                return Some(("path_too_encoded", Level::Block));
            }
            found = found.max_by_level(self.judge(&next, true));
            read = Cow::Owned(next);
        }
        found
    }

    /// One reading of it.
    fn judge(&self, path: &[u8], decoded: bool) -> Option<Found> {
        if path.contains(&0) {
            return Some(("null_byte", Level::Block));
        }
        if path.iter().any(u8::is_ascii_control) {
            return Some(("path_control_character", Level::Block));
        }
        let path: Vec<u8> =
            path.iter().map(|&b| if b == b'\\' { b'/' } else { b.to_ascii_lowercase() }).collect();
        let share = path.starts_with(b"//").then_some(("path_share", Level::Review));
        let (drive, rest) = match path.as_slice() {
            [letter, b':', rest @ ..] if letter.is_ascii_lowercase() => (true, rest),
            rest => (false, rest),
        };
        let absolute = drive || rest.starts_with(b"/");
        let (mut parts, mut above): (Vec<&[u8]>, _) = (Vec::new(), None);
        for part in rest.split(|&b| b == b'/') {
            match Step::of(part) {
                Step::Stay => {}
                Step::Up if decoded => return Some(("path_encoded_climb", Level::Block)),
                Step::Up => {
                    let left = parts.pop();
                    // One step up from where a server was started is how people write of the folder beside it.
                    let once = left.is_none() && !absolute && above.is_none() && part == b"..";
                    if once {
                        above = Some(("path_climbs", Level::Review));
                    } else if left.is_none_or(|left| left == b"~") || absolute && parts.is_empty() {
                        return Some(("path_climbs", Level::Block));
                    }
                }
                Step::Odd => return Some(("path_odd_dots", Level::Block)),
                Step::Down => parts.push(part),
            }
        }
        let place = self.0.iter().find(|place| place.matches(absolute, &parts));
        let place = place.filter(|place| place.level > Level::None);
        share.max_by_level(above).max_by_level(place.map(|place| (place.rule, place.level)))
    }
}

/// What one part of a path does.
enum Step {
    Stay,
    Up,
    Down,
    /// Somebody may make `..` of it.
    Odd,
}

impl Step {
    fn of(part: &[u8]) -> Self {
        // Servers of pages cut off what comes after `;`, Windows drops spaces and dots at the end.
        let name = part.split(|&b| b == b';').next().unwrap_or_default();
        let dots = name.iter().filter(|&&b| b == b'.').take(2).count();
        if part.is_empty() || part == b"." {
            Self::Stay
        } else if dots < 2 || !name.iter().all(|&b| matches!(b, b'.' | b' ')) {
            Self::Down
        } else if name == b".." {
            Self::Up
        } else {
            Self::Odd
        }
    }
}

impl Place {
    fn read(line: &'static str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let level = match words.next()? {
            "block" => Level::Block,
            "review" => Level::Review,
            _ => Level::None,
        };
        let rule = words.next()?;
        let pattern = line.get(line.find(words.next()?)?..)?;
        let rest = pattern.strip_prefix('/').unwrap_or(pattern);
        let parts = rest.strip_suffix('/').unwrap_or(rest).split('/').collect();
        Some(Self { level, rule, absolute: pattern.starts_with('/'), folder: pattern.ends_with('/'), parts })
    }

    fn matches(&self, absolute: bool, parts: &[&[u8]]) -> bool {
        let here = |from: usize| {
            let Some(own) = parts.get(from..from + self.parts.len()) else { return false };
            own.iter().zip(&self.parts).all(|(part, pattern)| is_like(part, pattern.as_bytes()))
        };
        let last = parts.len().checked_sub(self.parts.len());
        match (self.absolute, self.folder, last) {
            (_, _, None) => false,
            (true, true, _) => absolute && here(0),
            (true, false, Some(last)) => absolute && last == 0 && here(0),
            (false, true, Some(last)) => (0..=last).any(here),
            (false, false, Some(last)) => here(last),
        }
    }
}

/// Is it what the pattern says, which has at most one `*`?
fn is_like(name: &[u8], pattern: &[u8]) -> bool {
    // A stream of NTFS, and what Windows drops at the end, are the file itself.
    let name = name.split(|&b| b == b':').next().unwrap_or_default().trim_ascii_end();
    let mut sides = pattern.splitn(2, |&b| b == b'*');
    match (sides.next(), sides.next()) {
        (Some(before), Some(after)) => {
            name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
        }
        (before, _) => before == Some(name),
    }
}

/// Codes of UTF-8 that are longer than they must be: some readers make `.` and `/` of them. RFC 3629, section 10.
fn overlong(text: &[u8]) -> bool {
    let code = |at: &[u8], codes: &[&[u8]]| {
        let rest = at.get(..6).unwrap_or(at).to_ascii_lowercase();
        codes.iter().any(|code| rest.starts_with(code))
    };
    text.iter().enumerate().filter(|(_, b)| **b == b'%').any(|(at, _)| {
        text.get(at + 1..)
            .is_some_and(|rest| code(rest, &[b"c0%", b"c1%", b"e0%80", b"f0%80", b"f8%80", b"fc%80"]))
    })
}

/// One round: percent-codes, and full-width forms of what separates.
fn decode(text: &[u8]) -> Vec<u8> {
    // A plus is itself in a path.
    let whole = |text: &[u8]| {
        let parts: Vec<Vec<u8>> = text.split(|&b| b == b'+').map(|part| Fold::Url.apply(part)).collect();
        parts.join(&b'+')
    };
    let mut out = if text.contains(&b'%') { whole(text) } else { text.to_vec() };
    if out.is_ascii() {
        return out;
    }
    if let Ok(read) = std::str::from_utf8(&out) {
        let plain = read.replace(['\u{ff0e}', '\u{2024}', '\u{fe52}'], ".").replace('\u{2025}', "..");
        let plain = plain.replace(['\u{ff0f}', '\u{2044}', '\u{2215}', '\u{29f8}'], "/");
        out = plain.replace(['\u{ff3c}', '\u{2216}', '\u{29f5}', '\u{fe68}'], "\\").into_bytes();
    }
    out
}

/// The worse of two.
trait Worse {
    fn max_by_level(self, other: Self) -> Self;
}

impl Worse for Option<Found> {
    fn max_by_level(self, other: Self) -> Self {
        let level = |found: &Self| found.map_or(Level::None, |(_, level)| level);
        if level(&other) > level(&self) { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_paths_that_leave_and_places_with_secrets() {
        let places = Places::new();
        assert!(places.0.len() > 90);
        for (path, rule) in [
            // Ordinary.
            ("README.md", None),
            ("docs/id_rsa_guide.md", None),
            ("src/../lib/main.rs", None),
            ("./a/b/../../c", None),
            ("notes..txt", None),
            ("a..b/c", None),
            ("..hidden/file", None),
            ("/home/dev/project/src/../Cargo.toml", None),
            ("~/projects/site", None),
            ("C:\\Users\\dev\\report.docx", None),
            ("folder/100% sure.txt", None),
            ("a+b/c%20d.txt", None),
            ("über/straße.md", None),
            (".env.example", None),
            ("environment.ts", None),
            ("keys.md", None),
            ("monkey", None),
            ("/etc/hosts", None),
            ("~/.ssh/config", None),
            ("~/.ssh/id_ed25519.pub", None),
            ("certs/fullchain.pem", None),
            ("proc/self/notes", None),
            (".", None),
            ("/", None),
            ("", None),
            // Leaving.
            ("../secret.txt", Some("path_climbs")),
            ("../secret.key", Some("private_key")),
            ("../../etc/passwd", Some("path_climbs")),
            ("a/../../b", Some("path_climbs")),
            ("..", Some("path_climbs")),
            ("~/../other", Some("path_climbs")),
            ("/var/www/../../etc/passwd", Some("path_climbs")),
            ("/../etc/passwd", Some("path_climbs")),
            ("..\\..\\windows\\win.ini", Some("path_climbs")),
            ("C:\\..\\Windows\\win.ini", Some("path_climbs")),
            ("a\\..\\..\\b", Some("path_climbs")),
            ("%2e%2e%2fetc/passwd", Some("path_encoded_climb")),
            ("..%2f..%2fetc", Some("path_encoded_climb")),
            ("..%252f..%252fetc", Some("path_encoded_climb")),
            ("..%5c..%5cwin.ini", Some("path_encoded_climb")),
            ("%252e%252e%252fx", Some("path_encoded_climb")),
            ("%u002e%u002e/x", Some("path_encoded_climb")),
            ("..%c0%af..%c0%afetc/passwd", Some("path_overlong_code")),
            ("%c0%ae%c0%ae/x", Some("path_overlong_code")),
            ("%e0%80%ae/x", Some("path_overlong_code")),
            ("\u{ff0e}\u{ff0e}\u{ff0f}x", Some("path_encoded_climb")),
            ("..;/admin", Some("path_climbs")),
            ("....//....//etc", Some("path_odd_dots")),
            (".../x", Some("path_odd_dots")),
            (".. /x", Some("path_odd_dots")),
            ("a.txt\0.png", Some("null_byte")),
            ("a.txt%00.png", Some("null_byte")),
            ("a\nb", Some("path_control_character")),
            ("a%0db", Some("path_control_character")),
            ("%2525252525252e", Some("path_too_encoded")),
            ("\\\\host\\share\\x", Some("path_share")),
            // Secrets.
            ("~/.ssh/id_rsa", Some("ssh_key")),
            ("/home/dev/.ssh/deploy", Some("ssh_key")),
            ("keys/id_ed25519", Some("ssh_key")),
            ("ID_RSA", Some("ssh_key")),
            ("id_rsa::$DATA", Some("ssh_key")),
            ("id_rsa ", Some("ssh_key")),
            ("~/.aws/credentials", Some("cloud_credentials")),
            ("~/.config/gcloud/access_tokens.db", Some("cloud_credentials")),
            ("/root/.kube/config", Some("cloud_credentials")),
            ("/app/config/prod.pem", Some("private_key")),
            ("~/.gem/credentials", Some("login_file")),
            ("serviceAccount.json", Some("cloud_credentials")),
            ("serviceAccountKey-prod.json", Some("cloud_credentials")),
            ("terraform.rc", Some("cloud_credentials")),
            (".env", Some("environment_file")),
            ("app/.env.local", Some("environment_file")),
            ("prod.env", Some("environment_file")),
            ("%2eenv", Some("environment_file")),
            ("/proc/self/environ", Some("process_memory")),
            ("/proc/1234/environ", Some("process_memory")),
            ("/proc/self/root/etc", Some("process_memory")),
            ("/proc/1/root/etc/hosts", Some("process_memory")),
            ("/etc/./passwd", Some("system_accounts")),
            ("//etc/passwd", Some("system_accounts")),
            ("/etc/shadow", Some("system_accounts")),
            ("C:/Windows/System32/config/SAM", Some("system_accounts")),
            ("Library/Keychains/login.keychain-db", Some("browser_secrets")),
            ("Default/Login Data", Some("browser_secrets")),
        ] {
            assert_eq!(places.find(path).map(|(rule, _)| rule), rule, "{path}");
        }
    }

    #[test]
    fn one_step_up_is_for_review_and_more_is_not() {
        let places = Places::new();
        for (path, level) in [
            ("..", Level::Review),
            ("../config/app/settings.json", Level::Review),
            ("a/../../b", Level::Review),
            ("..\\docs\\a.md", Level::Review),
            ("../config/.env", Level::Block),
            ("../../b", Level::Block),
            ("../a/../../b", Level::Block),
            ("..;/admin", Level::Block),
            ("~/../other", Level::Block),
            ("/../b", Level::Block),
            ("%2e%2e/b", Level::Block),
        ] {
            assert_eq!(places.find(path).map(|(_, level)| level), Some(level), "{path}");
        }
    }
}
