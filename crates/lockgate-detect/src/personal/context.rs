//! The words that stand shortly before a number, and say what it is.

use std::collections::VecDeque;
use std::ops::Range;

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, MatchKind};

use super::entity::{Entities, Entity};

/// How far before a number a word may begin. Bytes: half a dozen words.
const REACH: usize = 56;
/// Longest mark. Bytes.
const MARK: usize = 32;
/// Longest name of a field that is read. Bytes.
const NAME: usize = 64;

/// All words, and what each speaks of.
#[derive(Debug)]
pub(super) struct Vocabulary {
    words: NFA,
    idle: StateID,
    meanings: Vec<Meaning>,
}

#[derive(Clone, Copy, Debug)]
enum Meaning {
    /// Of these entities. It may go on where that is said.
    Speaks(Entities, bool),
    /// It says that a number is no personal one: that of an order, a version. It may go on where that is said.
    Other(bool),
    /// It stands where something was taken out. What is before it speaks of that.
    Mark,
}

/// Words for numbers of things.
const OTHER: [&str; 41] = [
    "order",
    "order id",
    "order_id*",
    "orderid*",
    "invoice*",
    "tracking*",
    "version",
    "ver",
    "build",
    "release",
    "serial*",
    "sku",
    "ean",
    "gtin",
    "isbn",
    "upc",
    "barcode*",
    "timestamp*",
    "commit",
    "hash",
    "sha",
    "checksum",
    "uuid",
    "guid",
    "trace*",
    "span",
    "request id",
    "request_id*",
    "transaction*",
    "ticket*",
    "flight*",
    "reservation*",
    "item*",
    "product*",
    "port",
    "size",
    "bytes",
    "offset",
    "pid",
    "nonce",
    "seed",
];

impl Vocabulary {
    /// Nothing where the words make no automaton.
    pub(super) fn new(words: impl Iterator<Item = (&'static str, Entities)>) -> Option<Self> {
        let marks = Entity::ALL.map(Entity::mark);
        let told = words.map(|(word, entities)| (word, Meaning::Speaks(entities, false)));
        let others = OTHER.into_iter().map(|word| (word, Meaning::Other(false)));
        let marks = marks.iter().map(|mark| (mark.as_str(), Meaning::Mark));
        let marks = marks.chain([(crate::MARK, Meaning::Mark), (super::MASKED, Meaning::Mark)]);
        let (texts, meanings): (Vec<&str>, Vec<Meaning>) =
            told.chain(others).chain(marks).map(open_end).unzip();
        let words =
            NFA::builder().match_kind(MatchKind::Standard).ascii_case_insensitive(true).build(texts).ok()?;
        let idle = words.start_state(Anchored::No).ok()?;
        Some(Self { words, idle, meanings })
    }

    /// What the name of a field says.
    fn field(&self, name: &str) -> Entities {
        if name.len() > NAME {
            return Entities::default();
        }
        let mut said = Entities::default();
        let mut state = self.idle;
        for (at, byte) in name.bytes().enumerate() {
            state = self.words.next_state(Anchored::No, state, byte);
            self.each(state, at + 1, |meaning, span| {
                if let Meaning::Speaks(entities, goes_on) = meaning
                    && is_word(name, &span, goes_on)
                {
                    said = said.and(entities);
                }
            });
        }
        said
    }

    /// Bytes that the automaton takes.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.words.memory_usage()
    }

    fn each(&self, state: StateID, end: usize, mut seen: impl FnMut(Meaning, Range<usize>)) {
        if self.words.is_match(state) {
            for which in 0..self.words.match_len(state) {
                let word = self.words.match_pattern(state, which);
                if let Some(meaning) = self.meanings.get(word.as_usize()) {
                    seen(*meaning, end.saturating_sub(self.words.pattern_len(word))..end);
                }
            }
        }
    }
}

/// Where a mark ends. A mask goes on to the end of its word: `a***@host`.
fn mark_end(text: &str, end: usize) -> usize {
    let rest = text.as_bytes().get(end..).unwrap_or_default().iter().take(REACH);
    match end.checked_sub(1).and_then(|at| text.as_bytes().get(at)) {
        Some(b'*') => end + rest.take_while(|byte| !byte.is_ascii_whitespace()).count(),
        _ => end,
    }
}

/// `*` at the end: the word may go on.
fn open_end((word, meaning): (&str, Meaning)) -> (&str, Meaning) {
    match (word.strip_suffix('*'), meaning) {
        (Some(word), Meaning::Speaks(entities, _)) => (word, Meaning::Speaks(entities, true)),
        (Some(word), Meaning::Other(_)) => (word, Meaning::Other(true)),
        (_, meaning) => (word, meaning),
    }
}

/// Whether nothing else is glued to it: `sin` is no word in `using`, but is one in `userSin` and `sin_number`.
fn is_word(text: &str, span: &Range<usize>, goes_on: bool) -> bool {
    let bytes = text.as_bytes();
    let first = bytes.get(span.start).copied().unwrap_or_default();
    let before = span.start.checked_sub(1).and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
    let after = bytes.get(span.end).copied().unwrap_or(b' ');
    let begins = !before.is_ascii_alphabetic() || first.is_ascii_uppercase() && before.is_ascii_lowercase();
    let capital = after.is_ascii_uppercase() && bytes.get(span.end - 1).is_some_and(u8::is_ascii_lowercase);
    begins && (goes_on || !after.is_ascii_alphabetic() || capital)
}

/// The words around one place of a text after the other, from the left to the right.
pub(super) struct Context<'v, 't> {
    vocabulary: &'v Vocabulary,
    text: &'t str,
    /// What the name of the field says of what its text begins with.
    field: Entities,
    /// How far the text is read.
    at: usize,
    state: StateID,
    /// Words that may still be near enough.
    near: VecDeque<(Range<usize>, Meaning)>,
    /// What is before here speaks of something else: of what was found, or of what was taken out.
    cut: usize,
    /// The end of what was found last. Where something was taken out, no less is said of what comes behind it than before:
    /// that is why to look twice finds nothing new.
    found: usize,
}

/// What the words say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// That it is this.
    This,
    /// That it is a number of some thing.
    Other,
    /// Nothing.
    Nothing,
}

impl<'v, 't> Context<'v, 't> {
    pub(super) fn new(vocabulary: &'v Vocabulary, name: &str, text: &'t str) -> Self {
        let field = vocabulary.field(name);
        Self {
            vocabulary,
            text,
            field,
            at: 0,
            state: vocabulary.idle,
            near: VecDeque::new(),
            cut: 0,
            found: 0,
        }
    }

    /// Something stands here that the words before it speak of: they speak of nothing behind it.
    pub(super) fn cut(&mut self, at: usize) {
        self.cut = self.cut.max(at);
        self.found = self.found.max(at);
    }

    /// All that the words before here may speak of.
    pub(super) fn spoken(&mut self, at: usize) -> Entities {
        self.read_to(at);
        let first = if self.cut == 0 && at <= REACH { self.field } else { Entities::default() };
        let near = self.near.iter().map(|(_, meaning)| match meaning {
            Meaning::Speaks(entities, _) => *entities,
            Meaning::Other(_) | Meaning::Mark => Entities::default(),
        });
        near.fold(first, Entities::and)
    }

    /// Whether words may follow what goes on or ends here: `123-45-6789 (SSN)`.
    pub(super) fn may_follow(&self, end: usize) -> bool {
        let rest = self.text.as_bytes().get(end..).unwrap_or_default();
        let near = rest.get(..REACH / 2).unwrap_or(rest);
        near.first().is_some_and(|next| b" (-./+".contains(next))
            && near.iter().any(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80)
    }

    /// What is said of an entity that stands here. Places come in order, each no further left than the last.
    pub(super) fn says(&mut self, entity: Entity, span: &Range<usize>) -> Said {
        self.read_to(span.start);
        let from = span.start.saturating_sub(REACH);
        let near = self.near.iter().rev().take_while(|(word, _)| word.end + REACH >= span.start);
        let mut other = None;
        for (word, meaning) in near.filter(|(word, _)| word.start >= from) {
            match meaning {
                Meaning::Speaks(entities, _) if entities.has(entity) && word.start >= self.cut => {
                    return if other.is_some_and(|at| at > word.end) { Said::Other } else { Said::This };
                }
                Meaning::Other(_) if word.start >= self.found => other = other.max(Some(word.start)),
                Meaning::Speaks(..) | Meaning::Other(_) | Meaning::Mark => {}
            }
        }
        let first = self.cut == 0 && span.start <= REACH;
        if first && self.field.has(entity) || self.follows(entity, span.end) {
            return Said::This;
        }
        if other.is_some() { Said::Other } else { Said::Nothing }
    }

    fn read_to(&mut self, end: usize) {
        // A mark that begins before the words that count ends among them.
        if self.at + REACH + MARK < end {
            self.at = end - REACH - MARK;
            self.state = self.vocabulary.idle;
            self.near.clear();
        }
        let bytes = self.text.as_bytes().get(self.at..end).unwrap_or_default();
        for byte in bytes {
            self.state = self.vocabulary.words.next_state(Anchored::No, self.state, *byte);
            self.at += 1;
            let (text, near, cut) = (self.text, &mut self.near, &mut self.cut);
            self.vocabulary.each(self.state, self.at, |meaning, span| match meaning {
                Meaning::Mark => *cut = (*cut).max(mark_end(text, span.end)),
                Meaning::Speaks(_, goes_on) if is_word(text, &span, goes_on) => {
                    near.push_back((span, meaning));
                }
                Meaning::Other(goes_on) if is_word(text, &span, goes_on) => near.push_back((span, meaning)),
                Meaning::Speaks(..) | Meaning::Other(_) => {}
            });
        }
        while self.near.front().is_some_and(|(word, _)| word.end + REACH < end) {
            self.near.pop_front();
        }
    }

    /// Whether it is said right behind: `123-45-6789 (SSN)`, `… is my SSN`.
    fn follows(&self, entity: Entity, end: usize) -> bool {
        let Some(rest) = self.text.get(end..).filter(|rest| rest.starts_with([' ', '('])) else {
            return false;
        };
        let said = [" is my ", " is the ", " is your ", " is her ", " is his ", " as my ", " as the "];
        let behind = said.iter().find_map(|words| rest.strip_prefix(words)).unwrap_or(rest);
        let behind = behind.trim_start_matches([' ', '(']);
        if !behind.starts_with(char::is_alphabetic) {
            return false;
        }
        let at = self.text.len() - behind.len();
        let (mut state, mut said) = (self.vocabulary.idle, false);
        for (length, byte) in behind.bytes().take(REACH / 2).enumerate() {
            state = self.vocabulary.words.next_state(Anchored::No, state, byte);
            self.vocabulary.each(state, at + length + 1, |meaning, span| {
                if let Meaning::Speaks(entities, goes_on) = meaning {
                    said |= span.start == at && entities.has(entity) && is_word(self.text, &span, goes_on);
                }
            });
        }
        said
    }
}
