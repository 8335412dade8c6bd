//! One text, sentence by sentence.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::chunk::{AROUND, Chunk, MARK, OUTER, WIDE, chunks, word};
use super::marker::{Mark, mark};
use super::phrase::Reader;
use super::read::{is_double, read, words};
use super::rule::{Rule, named, rules};
use crate::marks::is_letter;

/// Longest run of characters between spaces that may be a name. Bytes.
const LONGEST_NAME: usize = 160;
/// Most words of a name that is written as words.
const SPOKEN: usize = 5;

static PATHS: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    include_str!("paths.rules")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .collect()
});

/// The parts of all of them at once. None only if they could not be made.
static PARTS: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(PATHS.iter().map(|(_, part)| part)).ok());

static DISGUISED: LazyLock<Option<&Rule>> = LazyLock::new(|| named("disguised_word"));

/// Who offers what, as far as a text may speak of it.
pub trait Others {
    /// Are there any?
    fn any(&self) -> bool {
        true
    }

    /// The server, a number, of the tool that is called that, if it is another one's.
    fn tool(&self, words: &[String]) -> Option<usize>;
    /// The server that is called that, if it is another one.
    fn server(&self, words: &[String]) -> Option<usize>;
}

/// There are no others.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Others for Nobody {
    fn any(&self) -> bool {
        false
    }

    fn tool(&self, _words: &[String]) -> Option<usize> {
        None
    }

    fn server(&self, _words: &[String]) -> Option<usize> {
        None
    }
}

/// One finding in a text.
#[derive(Clone, Debug)]
pub struct Found {
    /// What was found.
    pub rule: &'static Rule,
    /// Where it stands.
    pub span: Range<usize>,
    /// The other server that is spoken of, a number.
    pub other: Option<usize>,
}

/// What is kept from one text to the next, so that little is made anew for each.
pub struct Listener {
    reader: Reader<'static>,
    /// The last words, for a name that is written as words, the newest last; and how many of them are of this sentence.
    spoken: Vec<String>,
    heard: usize,
    /// A word in lower case.
    lower: String,
}

impl Default for Listener {
    fn default() -> Self {
        Self {
            reader: rules().texts.reader(),
            spoken: vec![String::new(); SPOKEN],
            heard: 0,
            lower: String::new(),
        }
    }
}

impl Listener {
    /// What the text says, and what is marked in it. Linear.
    pub fn judge(&mut self, text: &str, others: &dyn Others, found: &mut dyn FnMut(Found)) {
        self.hear(text, others, found);
        markers(text, found);
    }

    /// What the text says. Linear.
    pub(crate) fn hear(&mut self, text: &str, others: &dyn Others, found: &mut dyn FnMut(Found)) {
        let mut talk = Talk { listener: self, others, other: None, found };
        talk.hear(text);
        talk.stop();
    }
}

fn ends_sentence(seen: &str) -> bool {
    let bare = seen.trim_end_matches(['"', '\'', ')', ']', '*', '`', '”', '’']);
    bare.ends_with(['.', '!', '?', '。', '！', '？']) && !matches!(bare, "e.g." | "i.e." | "etc." | "vs.")
}

/// A word with letters of another script among those of ASCII, that looks as if it had none.
fn is_disguised(chunk: &str) -> bool {
    !chunk.is_ascii()
        && chunk.bytes().filter(u8::is_ascii_alphabetic).count()
            + 2 * chunk.chars().filter(|c| is_double(*c)).count()
            >= 4
        && chunk.bytes().any(|b| b.is_ascii_alphabetic())
        && chunk.chars().any(is_double)
        && chunk.chars().all(|c| c.is_ascii() || is_double(c) || !c.is_alphabetic())
}

/// What is marked as special in the text. Linear.
fn markers(text: &str, found: &mut dyn FnMut(Found)) {
    mark(text).into_iter().filter_map(marked).for_each(found);
}

/// The finding that a mark is.
pub(crate) fn marked((mark, span): (Mark, Range<usize>)) -> Option<Found> {
    let name = match mark {
        Mark::Hidden => "hidden_marker",
        Mark::Loud => "marker",
        Mark::Comment => "hidden_comment",
    };
    Some(Found { rule: named(name)?, span, other: None })
}

/// One text under way.
struct Talk<'t> {
    listener: &'t mut Listener,
    others: &'t dyn Others,
    /// The server that the sentence spoke of last.
    other: Option<usize>,
    found: &'t mut dyn FnMut(Found),
}

impl Talk<'_> {
    fn hear(&mut self, text: &str) {
        let mut seen = String::new();
        let mut ended_line = false;
        for Chunk { at, text: chunk, sorts } in chunks(text) {
            if chunk.starts_with('\n') {
                // A line that is empty, or one that begins like an item of a list, begins a sentence.
                if chunk.matches('\n').count() > 1 {
                    self.stop();
                }
                ended_line = true;
                continue;
            }
            if std::mem::take(&mut ended_line) && matches!(chunk, "-" | "*" | "•" | "–") {
                self.stop();
            }
            let span = at..at + chunk.len();
            let seen = if sorts & WIDE == 0 {
                chunk
            } else {
                seen.clear();
                chunk.chars().for_each(|letter| read(letter, &mut seen));
                &seen
            };
            if sorts & (OUTER | WIDE) != 0 {
                for part in seen.split(AROUND).filter(|part| !part.is_empty()) {
                    self.part(part, span.clone());
                }
            } else {
                self.part(seen, span.clone());
            }
            if sorts & WIDE != 0
                && is_disguised(chunk)
                && let Some(rule) = *DISGUISED
            {
                (self.found)(Found { rule, span, other: None });
            }
            if sorts & (MARK | WIDE) != 0 && ends_sentence(seen) {
                self.stop();
            }
        }
    }

    fn stop(&mut self) {
        self.listener.reader.stop();
        self.listener.heard = 0;
        self.other = None;
    }

    /// A part of a run of characters between spaces, as it is read.
    fn part(&mut self, seen: &str, span: Range<usize>) {
        let others = self.others.any();
        if !others && let Some(word) = word(seen) {
            return self.plain(word, span);
        }
        let lower = if seen.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(seen.to_ascii_lowercase())
        } else {
            Cow::Borrowed(seen)
        };
        let outer = |c: char| !c.is_ascii_alphanumeric() && !matches!(c, '~' | '/' | '.' | '+' | '@');
        let bare = lower.trim_matches(outer).trim_end_matches('.');
        let set = bare.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
        if let Some(sort) = path(bare).or_else(|| mailbox(bare)) {
            if let Some((name, _)) = set {
                self.word(name, span.clone());
                self.also("%assignment", span.clone());
            }
            return self.word(sort, span);
        }
        if others {
            self.tool(seen, span.clone());
        }
        let mut set = set.is_some();
        for word in lower.split(|c: char| !is_letter(c) && !matches!(c, '\'' | '’')) {
            let bare = word.contains(['\'', '’']).then(|| word.replace(['\'', '’'], ""));
            let word = bare.as_deref().unwrap_or(word);
            if word.is_empty() {
                continue;
            }
            self.word(word, span.clone());
            if std::mem::take(&mut set) {
                self.also("%assignment", span.clone());
            }
            if others {
                self.say(word, span.clone());
            }
        }
    }

    /// A word of ASCII.
    fn plain(&mut self, word: &str, span: Range<usize>) {
        if !word.bytes().any(|b| b.is_ascii_uppercase()) {
            return self.word(word, span);
        }
        let mut lower = std::mem::take(&mut self.listener.lower);
        lower.clear();
        lower.push_str(word);
        lower.make_ascii_lowercase();
        self.word(&lower, span);
        self.listener.lower = lower;
    }

    /// Is it the name of a tool, written as one?
    fn tool(&mut self, seen: &str, span: Range<usize>) {
        let name = seen.trim_matches(|c: char| !is_letter(c));
        let inside = name.get(1..).unwrap_or_default();
        let joined = |b: u8| matches!(b, b'_' | b'-' | b'.' | b'/' | b':') || b.is_ascii_uppercase();
        if !inside.bytes().any(joined) || name.len() > LONGEST_NAME {
            return;
        }
        // `bcc=send_email`: the name is what stands before or behind.
        if let Some(server) = name.split(['=', '\'']).find_map(|part| self.others.tool(&words(part))) {
            self.speaks_of(server, "%othertool", span);
        } else if let [mcp, server @ ..] = words(name).as_slice()
            && mcp == "mcp"
            && let Some(server) = self.others.server(server)
        {
            self.speaks_of(server, "%otherserver", span);
        }
    }

    /// Is it the last of the words that a tool or a server is called by? `the send email tool`, `the github server`.
    fn say(&mut self, word: &str, span: Range<usize>) {
        if matches!(word, "tool" | "tools" | "function" | "server" | "mcp" | "connector" | "integration") {
            let Listener { spoken, heard, .. } = &*self.listener;
            let spoken = spoken.get(SPOKEN - heard..).unwrap_or_default();
            let last = |from: usize| spoken.get(from..).unwrap_or_default();
            let server = (0..*heard).find_map(|from| self.others.server(last(from)));
            let tool = (0..heard.saturating_sub(1)).find_map(|from| self.others.tool(last(from)));
            if let Some(server) = server {
                self.speaks_of(server, "%otherserver", span.clone());
            }
            if let Some(server) = tool {
                self.speaks_of(server, "%othertool", span);
            }
        }
        self.listener.spoken.rotate_left(1);
        if let Some(oldest) = self.listener.spoken.last_mut() {
            word.clone_into(oldest);
        }
        self.listener.heard = SPOKEN.min(self.listener.heard + 1);
    }

    fn speaks_of(&mut self, server: usize, sort: &str, span: Range<usize>) {
        self.other = Some(server);
        self.word(sort, span);
    }

    fn word(&mut self, word: &str, span: Range<usize>) {
        let Self { listener, other, found, .. } = self;
        listener.reader.word(word, span, &mut |rule, span| raise(rule, span, *other, found));
    }

    fn also(&mut self, word: &str, span: Range<usize>) {
        let Self { listener, other, found, .. } = self;
        listener.reader.also(word, span, &mut |rule, span| raise(rule, span, *other, found));
    }
}

fn raise(rule: usize, span: Range<usize>, other: Option<usize>, found: &mut dyn FnMut(Found)) {
    let Some(rule) = rules().list.get(rule) else { return };
    let of_others =
        matches!(rule.name, "commands_other_tool" | "mentions_other_tool" | "commands_other_server");
    found(Found { rule, span, other: other.filter(|_| of_others) });
}

/// A path where secrets or settings are kept, by `paths.rules`.
fn path(bare: &str) -> Option<&'static str> {
    if !bare.contains(['.', '/']) && !bare.contains("id_") {
        return None;
    }
    let mut sort = None;
    let parts = PARTS.iter().flat_map(|parts| parts.find_overlapping_iter(bare));
    for (kind, part) in parts.filter_map(|part| PATHS.get(part.pattern().as_usize())) {
        match *kind {
            "open" => return None,
            "secret" => sort = Some("%secretfile"),
            "settings" if sort.is_none() && ends_in(bare, part) => sort = Some("%envfile"),
            _ => {}
        }
    }
    sort
}

/// Of each path that is one of secrets or settings, the word that tells it from others most.
pub(crate) fn path_words() -> impl Iterator<Item = &'static str> {
    PATHS.iter().filter(|(kind, _)| *kind != "open").filter_map(|(_, part)| {
        let words = part.split(|c: char| !c.is_ascii_alphanumeric());
        words.filter(|word| !matches!(*word, "config" | "json")).max_by_key(|word| word.len())
    })
}

/// Is the part all of the last name of the path? `.env` is in `process.env.HOME` too.
fn ends_in(bare: &str, part: &str) -> bool {
    bare.strip_suffix(part).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

/// An address of a person or a number to call.
fn mailbox(bare: &str) -> Option<&'static str> {
    let mail = bare.split_once('@').is_some_and(|(name, host)| {
        let name = name.rsplit(['=', ':', '(', '<', '"', '\'']).next().unwrap_or_default();
        !name.is_empty()
            && host.split(['.']).filter(|label| !label.is_empty()).count() >= 1
            && !host.contains('/')
    });
    let call = bare
        .strip_prefix('+')
        .is_some_and(|digits| (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()));
    (mail || call).then_some("%mailbox")
}
