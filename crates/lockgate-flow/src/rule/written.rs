//! Tests as they are written: `session.integrity: "<= free_text"`.

use std::collections::BTreeSet;

use lockgate_model::{Class, Confidentiality, Effect, Integrity, Pattern, ServerName, Tier};

use super::{Bound, Names, Said, Sources, Test};
use crate::role::Role;

/// What stands behind the key of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written<'t> {
    /// One word.
    Word(&'t str),
    /// A list.
    List(Vec<&'t str>),
    /// A list in `{not: […]}`.
    Not(Vec<&'t str>),
}

/// Why a test cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misread {
    /// There is no fact of this name.
    Key,
    /// The value is not of the form that the key wants: an example of it.
    Form(&'static str),
    /// This word is none of those that may stand there, which are these.
    Word(String, Vec<&'static str>),
    /// This is no name of a server.
    Server(String),
    /// This is no pattern: why.
    Pattern(String, String),
    /// Nothing is that low or high, or everything is: the whole chain.
    Chain(Vec<&'static str>),
}

/// Every key, a value that it may have, and what it is. In the keys of arguments any role may stand in the place of `any`.
pub const KEYS: [(&str, &str, &str); 18] = [
    ("session.integrity", "\"<= free_text\"", "The lowest integrity of what the session has read."),
    (
        "session.confidentiality",
        "\">= private\"",
        "The highest confidentiality of what the session has read.",
    ),
    ("session.compartments", "[customer]", "The session has read something of one of these compartments."),
    ("session.origins", "[web]", "The session has read text of one of these servers."),
    ("session.hears_user", "true", "Is everything known that the user says?"),
    (
        "session.risk",
        "\">= 60\"",
        "How unusual what the session and its principal did of late is, from 0 to 100. Needs `behaviour`.",
    ),
    ("effect", "[egress, commit]", "What the tool does."),
    ("server", "[mail]", "The server that gets the call."),
    ("server.tier", "[open, mixed]", "How far that server is trusted."),
    ("server.signed", "false", "Are its tools proven to be those that their maker signed?"),
    ("server.origin_verified", "false", "Does the way to it prove that it is the one that is named?"),
    ("tool", "[\"send_*\"]", "The name of the tool, as its server says it."),
    ("class", "[write-high]", "How much harm the tool can do at worst."),
    (
        "args.any.integrity",
        "\"<= free_text\"",
        "The lowest integrity of the arguments; a value never seen is below all.",
    ),
    (
        "args.any.confidentiality",
        "\">= private\"",
        "The highest confidentiality of what the arguments come from.",
    ),
    ("args.any.origins", "[web]", "An argument comes from what one of these servers returned."),
    ("args.any.metadata", "others", "An argument comes from the definitions of such a server's tools."),
    ("result.class", "[credential]", "What was found in a result."),
];

impl Test {
    /// Reads a test.
    pub fn read(key: &str, value: &Written<'_>) -> Result<Self, Misread> {
        Ok(match key {
            "session.integrity" => Self::Integrity(bound(value, &Integrity::ALL, Integrity::word)?),
            "session.confidentiality" => {
                Self::Confidentiality(bound(value, &Confidentiality::ALL, Confidentiality::word)?)
            }
            "session.compartments" => Self::Compartments(texts(value)?),
            "session.origins" => Self::Origins(names(value)?),
            "session.hears_user" => Self::HearsUser(switch(value)?),
            "session.risk" => Self::Risk(points(value)?),
            "effect" => Self::Effect(words(value, &Effect::ALL, Effect::word)?),
            "server" => Self::Server(names(value)?),
            "server.tier" => Self::Tier(words(value, &Tier::ALL, Tier::word)?),
            "server.signed" => Self::Signed(switch(value)?),
            "server.origin_verified" => Self::OriginVerified(switch(value)?),
            "tool" => Self::Tool(patterns(value)?),
            "class" => Self::Class(words(value, &Class::ALL, Class::word)?),
            "result.class" => Self::ResultClass(texts(value)?),
            _ => {
                let (role, fact) =
                    key.strip_prefix("args.").and_then(|rest| rest.split_once('.')).ok_or(Misread::Key)?;
                let known = Role::ALL.into_iter().find(|known| known.word() == role);
                if role != "any" && known.is_none() {
                    return Err(Misread::Key);
                }
                Self::Arguments(known, said(fact, value)?)
            }
        })
    }

    /// The key and the value, as they are written.
    pub fn write(&self) -> (String, String) {
        let (key, value) = match self {
            Self::Integrity(bound) => ("session.integrity", bounded(*bound, Integrity::word)),
            Self::Confidentiality(bound) => {
                ("session.confidentiality", bounded(*bound, Confidentiality::word))
            }
            Self::Compartments(names) => {
                ("session.compartments", list(names.iter().map(|name| quoted(name))))
            }
            Self::Origins(names) => ("session.origins", named(names)),
            Self::HearsUser(wanted) => ("session.hears_user", wanted.to_string()),
            Self::Risk(bound) => ("session.risk", pointed(*bound)),
            Self::Effect(effects) => ("effect", list(effects.iter().map(|effect| effect.word().to_owned()))),
            Self::Server(names) => ("server", named(names)),
            Self::Tier(tiers) => ("server.tier", list(tiers.iter().map(|tier| tier.word().to_owned()))),
            Self::Signed(wanted) => ("server.signed", wanted.to_string()),
            Self::OriginVerified(wanted) => ("server.origin_verified", wanted.to_string()),
            Self::Tool(patterns) => ("tool", list(patterns.iter().map(|pattern| quoted(pattern.as_str())))),
            Self::Class(classes) => ("class", list(classes.iter().map(|class| class.word().to_owned()))),
            Self::ResultClass(names) => ("result.class", list(names.iter().map(|name| quoted(name)))),
            Self::Arguments(role, said) => {
                let (fact, value) = match said {
                    Said::Integrity(bound) => ("integrity", bounded(*bound, Integrity::word)),
                    Said::Confidentiality(bound) => {
                        ("confidentiality", bounded(*bound, Confidentiality::word))
                    }
                    Said::Origins(sources) => ("origins", sourced(sources)),
                    Said::Metadata(sources) => ("metadata", sourced(sources)),
                };
                return (format!("args.{}.{fact}", role.map_or("any", Role::word)), value);
            }
        };
        (key.to_owned(), value)
    }
}

fn said(fact: &str, value: &Written<'_>) -> Result<Said, Misread> {
    Ok(match fact {
        "integrity" => Said::Integrity(bound(value, &Integrity::ALL, Integrity::word)?),
        "confidentiality" => {
            Said::Confidentiality(bound(value, &Confidentiality::ALL, Confidentiality::word)?)
        }
        "origins" => Said::Origins(sources(value)?),
        "metadata" => Said::Metadata(sources(value)?),
        _ => return Err(Misread::Key),
    })
}

/// A comparison: `<=`, `<`, `>=`, `>`, `=` or nothing before a word of the chain.
fn bound<T: Copy + PartialEq>(
    value: &Written<'_>,
    chain: &[T],
    word: impl Fn(T) -> &'static str,
) -> Result<Bound<T>, Misread> {
    let Written::Word(text) = value else { return Err(Misread::Form("\"<= free_text\"")) };
    let at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (sign, rest) = text.split_at(at);
    let all = || chain.iter().map(|step| word(*step)).collect::<Vec<_>>();
    let place = chain.iter().position(|step| word(*step) == rest);
    let place = place.ok_or_else(|| Misread::Word(rest.to_owned(), all()))?;
    let step = |place: Option<usize>| {
        place.and_then(|place| chain.get(place).copied()).ok_or_else(|| Misread::Chain(all()))
    };
    let bound = match sign.trim() {
        "<=" => Bound::AtMost(step(Some(place))?),
        "<" => Bound::AtMost(step(place.checked_sub(1))?),
        ">=" => Bound::AtLeast(step(Some(place))?),
        ">" => Bound::AtLeast(step(place.checked_add(1))?),
        "=" | "" => Bound::Exactly(step(Some(place))?),
        _ => return Err(Misread::Form("\"<= WORD\", \">= WORD\" or \"= WORD\"")),
    };
    Ok(bound)
}

/// A comparison with points from 0 to 100.
fn points(value: &Written<'_>) -> Result<Bound<u8>, Misread> {
    const FORM: Misread = Misread::Form("\">= 60\"");
    let never = || Misread::Chain(vec!["0", "1", "…", "100"]);
    let Written::Word(text) = value else { return Err(FORM) };
    let at = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
    let (sign, rest) = text.split_at(at);
    let points = rest.parse::<u8>().ok().filter(|points| *points <= 100).ok_or(FORM)?;
    Ok(match sign.trim() {
        "<=" => Bound::AtMost(points),
        "<" => Bound::AtMost(points.checked_sub(1).ok_or_else(never)?),
        ">=" => Bound::AtLeast(points),
        ">" if points < 100 => Bound::AtLeast(points + 1),
        ">" => return Err(never()),
        "=" | "" => Bound::Exactly(points),
        _ => return Err(FORM),
    })
}

fn pointed(bound: Bound<u8>) -> String {
    match bound {
        Bound::AtMost(points) => format!("\"<= {points}\""),
        Bound::AtLeast(points) => format!("\">= {points}\""),
        Bound::Exactly(points) => points.to_string(),
    }
}

fn items<'w, 't>(value: &'w Written<'t>) -> Result<&'w [&'t str], Misread> {
    match value {
        Written::Word(word) => Ok(std::slice::from_ref(word)),
        Written::List(items) if !items.is_empty() => Ok(items),
        Written::List(_) | Written::Not(_) => Err(Misread::Form("[first, second]")),
    }
}

fn words<T: Copy + Ord>(
    value: &Written<'_>,
    all: &[T],
    word: impl Fn(T) -> &'static str,
) -> Result<BTreeSet<T>, Misread> {
    let one = |text: &&str| {
        let found = all.iter().copied().find(|known| word(*known) == *text);
        found.ok_or_else(|| Misread::Word((*text).to_owned(), all.iter().map(|known| word(*known)).collect()))
    };
    items(value)?.iter().map(one).collect()
}

fn texts(value: &Written<'_>) -> Result<BTreeSet<String>, Misread> {
    Ok(items(value)?.iter().map(|text| (*text).to_owned()).collect())
}

fn patterns(value: &Written<'_>) -> Result<Vec<Pattern>, Misread> {
    let one = |text: &&str| {
        Pattern::parse(text).map_err(|error| Misread::Pattern((*text).to_owned(), error.to_string()))
    };
    items(value)?.iter().map(one).collect()
}

fn switch(value: &Written<'_>) -> Result<bool, Misread> {
    match value {
        Written::Word("true") => Ok(true),
        Written::Word("false") => Ok(false),
        Written::Word(_) | Written::List(_) | Written::Not(_) => Err(Misread::Form("true")),
    }
}

fn servers(items: &[&str]) -> Result<BTreeSet<ServerName>, Misread> {
    let one = |text: &&str| ServerName::parse(text).ok_or_else(|| Misread::Server((*text).to_owned()));
    items.iter().map(one).collect()
}

fn names(value: &Written<'_>) -> Result<Names, Misread> {
    match value {
        Written::Not(names) if !names.is_empty() => Ok(Names::Not(servers(names)?)),
        Written::Word(_) | Written::List(_) | Written::Not(_) => Ok(Names::Among(servers(items(value)?)?)),
    }
}

fn sources(value: &Written<'_>) -> Result<Sources, Misread> {
    match value {
        Written::Word("others") => Ok(Sources::Others),
        Written::Word(_) => Err(Misread::Form("[server], {not: [server]} or others")),
        Written::List(_) | Written::Not(_) => Ok(Sources::Named(names(value)?)),
    }
}

fn bounded<T>(bound: Bound<T>, word: impl Fn(T) -> &'static str) -> String {
    match bound {
        Bound::AtMost(most) => format!("\"<= {}\"", word(most)),
        Bound::AtLeast(least) => format!("\">= {}\"", word(least)),
        Bound::Exactly(only) => word(only).to_owned(),
    }
}

fn named(names: &Names) -> String {
    let written = list(names.written().iter().map(ToString::to_string));
    match names {
        Names::Among(_) => written,
        Names::Not(_) => format!("{{not: {written}}}"),
    }
}

fn sourced(sources: &Sources) -> String {
    match sources {
        Sources::Named(names) => named(names),
        Sources::Others => "others".to_owned(),
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// In quotes where it is more than a plain word.
fn quoted(text: &str) -> String {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    let word = plain && text.starts_with(|c: char| c.is_ascii_alphabetic());
    if word { text.to_owned() } else { format!("\"{}\"", text.escape_default()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value of [`KEYS`] or of [`Test::write`], as a reader of YAML hands it in.
    fn parts(text: &str) -> Written<'_> {
        let list = |text: &'static str| -> Vec<&'static str> {
            text.trim_matches(['[', ']']).split(", ").map(|item| item.trim_matches('"')).collect()
        };
        let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
        match text.strip_prefix("{not: ") {
            Some(names) => Written::Not(list(names.trim_end_matches('}'))),
            None if text.starts_with('[') => Written::List(list(text)),
            None => Written::Word(text.trim_matches('"')),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let more = [
            ("server", "{not: [mail, web]}"),
            ("args.any.origins", "{not: [mail]}"),
            ("args.destination.origins", "others"),
            ("args.selector.metadata", "[web]"),
            ("session.integrity", "trusted"),
            ("session.risk", "\"<= 20\""),
        ];
        for (key, value) in KEYS.map(|(key, value, _)| (key, value)).into_iter().chain(more) {
            let test = Test::read(key, &parts(value)).unwrap();
            assert_eq!(test.write(), (key.to_owned(), value.to_owned()));
        }
        for (short, long) in
            [("< own_record", "<= foreign_record"), ("> own_record", ">= trusted"), ("= trusted", "trusted")]
        {
            let read = |text| Test::read("session.integrity", &Written::Word(text)).unwrap();
            assert_eq!(read(short), read(long));
        }
        assert_eq!(
            Test::read("effect", &Written::Word("read")),
            Test::read("effect", &Written::List(vec!["read"]))
        );
    }

    #[test]
    fn what_cannot_be_read() {
        let word = |text: &str, known: &[&'static str]| Misread::Word(text.to_owned(), known.to_vec());
        let chain: Vec<_> = Integrity::ALL.map(Integrity::word).to_vec();
        for (key, value, expected) in [
            ("session", Written::Word("x"), Misread::Key),
            ("args.to.origins", Written::Word("others"), Misread::Key),
            ("args.any.colour", Written::Word("x"), Misread::Key),
            ("effect", Written::Word("wirte"), word("wirte", &Effect::ALL.map(Effect::word))),
            ("effect", Written::List(vec![]), Misread::Form("[first, second]")),
            ("effect", Written::Not(vec!["read"]), Misread::Form("[first, second]")),
            ("server", Written::List(vec!["No!"]), Misread::Server("No!".to_owned())),
            (
                "tool",
                Written::Word("a?"),
                Misread::Pattern("a?".to_owned(), Pattern::parse("a?").unwrap_err().to_string()),
            ),
            ("session.integrity", Written::Word("< free_text"), Misread::Chain(chain.clone())),
            ("session.integrity", Written::Word("> endorsed"), Misread::Chain(chain.clone())),
            ("session.integrity", Written::Word("<= none"), word("none", &chain)),
            (
                "session.integrity",
                Written::Word("!= trusted"),
                Misread::Form("\"<= WORD\", \">= WORD\" or \"= WORD\""),
            ),
            ("session.hears_user", Written::Word("yes"), Misread::Form("true")),
            ("session.risk", Written::Word(">= high"), Misread::Form("\">= 60\"")),
            ("session.risk", Written::Word("> 101"), Misread::Form("\">= 60\"")),
            ("session.risk", Written::Word("> 100"), Misread::Chain(vec!["0", "1", "…", "100"])),
            ("session.risk", Written::Word("< 0"), Misread::Chain(vec!["0", "1", "…", "100"])),
            ("args.any.origins", Written::Word("web"), Misread::Form("[server], {not: [server]} or others")),
        ] {
            assert_eq!(Test::read(key, &value), Err(expected), "{key}");
        }
    }
}
