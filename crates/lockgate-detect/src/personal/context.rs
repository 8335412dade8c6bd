//! The words that stand shortly before a number, and say what it is.

use std::collections::VecDeque;
use std::ops::Range;

use super::entity::{Entities, Entity};
use super::vocabulary::{Meaning, Vocabulary, is_word};

/// How far before a number a word may begin. Bytes: half a dozen words.
const REACH: usize = 56;
/// How far before a number a mark may begin that ends among its words. Bytes: a mask goes on to the end of its word.
const FAR: usize = REACH * 2 + super::MASKED.len();

/// Where a mark ends. A mask goes on to the end of its word: `a***@host`.
fn mark_end(text: &str, end: usize) -> usize {
    let rest = text.as_bytes().get(end..).unwrap_or_default().iter().take(REACH);
    match end.checked_sub(1).and_then(|at| text.as_bytes().get(at)) {
        Some(b'*') => end + rest.take_while(|byte| !byte.is_ascii_whitespace()).count(),
        _ => end,
    }
}

/// The words around one place of a text after the other, from the left to the right.
pub(super) struct Context<'v, 't> {
    vocabulary: &'v Vocabulary,
    text: &'t str,
    /// What the name of the field says of what its text begins with.
    field: Entities,
    /// How far the text is read.
    at: usize,
    /// Words that began before there, and may still be near enough.
    near: VecDeque<(Range<usize>, Meaning)>,
    /// What is said behind the place that was asked for last.
    behind: (usize, Entities),
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
    pub(super) fn new(vocabulary: &'v Vocabulary, field: Entities, text: &'t str) -> Self {
        Self {
            vocabulary,
            text,
            field,
            at: 0,
            near: VecDeque::new(),
            behind: (usize::MAX, Entities::default()),
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
        let near = self.near.iter().map(|(word, meaning)| match meaning {
            Meaning::Speaks(entities, _) if self.is_near(word) => *entities,
            Meaning::Speaks(..) | Meaning::Other(_) | Meaning::Mark => Entities::default(),
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

    /// Whether a word stands right behind what ends here.
    pub(super) fn is_followed(&self, end: usize) -> bool {
        let rest = self.text.as_bytes().get(end..).unwrap_or_default();
        let is_gap = |byte: &&u8| matches!(**byte, b' ' | b'(');
        rest.first().is_some_and(|next| is_gap(&next))
            && rest
                .iter()
                .find(|byte| !is_gap(byte))
                .is_some_and(|next| next.is_ascii_alphabetic() || *next >= 0x80)
    }

    /// What is said of an entity that stands here. Places come in order, each no further left than the last.
    pub(super) fn says(&mut self, entity: Entity, span: &Range<usize>) -> Said {
        self.read_to(span.start);
        let from = span.start.saturating_sub(REACH);
        let (mut this, mut other) = (None, None);
        for (word, meaning) in &self.near {
            if word.start < from || !self.is_near(word) {
                continue;
            }
            match meaning {
                Meaning::Speaks(entities, _) if entities.has(entity) && word.start >= self.cut => {
                    this = this.max(Some(word.end));
                }
                Meaning::Other(_) if word.start >= self.found => other = other.max(Some(word.start)),
                Meaning::Speaks(..) | Meaning::Other(_) | Meaning::Mark => {}
            }
        }
        // The last word counts.
        if let Some(this) = this {
            return if other.is_some_and(|other| other > this) { Said::Other } else { Said::This };
        }
        let first = self.cut == 0 && span.start <= REACH;
        if first && self.field.has(entity) || self.said_behind(span.end).has(entity) {
            return Said::This;
        }
        if other.is_some() { Said::Other } else { Said::Nothing }
    }

    /// Whether a word ended before the place that was read to, and not too long before.
    fn is_near(&self, word: &Range<usize>) -> bool {
        (word.end..=word.end + REACH).contains(&self.at)
    }

    fn read_to(&mut self, end: usize) {
        if end <= self.at {
            return;
        }
        let part = self.at.max(end.saturating_sub(FAR))..end;
        self.at = end;
        while self.near.front().is_some_and(|(word, _)| word.end + REACH < end) {
            self.near.pop_front();
        }
        let (text, near, cut) = (self.text, &mut self.near, &mut self.cut);
        self.vocabulary.each(text, part, |meaning, span| match meaning {
            Meaning::Mark => *cut = (*cut).max(mark_end(text, span.end)),
            Meaning::Speaks(_, goes_on) | Meaning::Other(goes_on) => {
                if is_word(text, &span, goes_on) {
                    near.push_back((span, meaning));
                }
            }
        });
    }

    /// What is said right behind: `123-45-6789 (SSN)`, `… is my SSN`.
    fn said_behind(&mut self, end: usize) -> Entities {
        if self.behind.0 != end {
            self.behind = (end, self.read_behind(end));
        }
        self.behind.1
    }

    fn read_behind(&self, end: usize) -> Entities {
        let mut all = Entities::default();
        if !self.is_followed(end) {
            return all;
        }
        let rest = self.text.get(end..).unwrap_or_default();
        let said = [" is my ", " is the ", " is your ", " is her ", " is his ", " as my ", " as the "];
        let behind = said.iter().find_map(|words| rest.strip_prefix(words)).unwrap_or(rest);
        let behind = behind.trim_start_matches([' ', '(']);
        if !behind.starts_with(char::is_alphabetic) {
            return all;
        }
        self.vocabulary.at(self.text, self.text.len() - behind.len(), |meaning, span| {
            if let Meaning::Speaks(entities, goes_on) = meaning
                && span.len() <= REACH / 2
                && is_word(self.text, &span, goes_on)
            {
                all = all.and(entities);
            }
        });
        all
    }
}
