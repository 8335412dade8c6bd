//! What is looked at in a text: hashed words and pairs of them, and the concepts of `concepts.rules` with their order.
//!
//! Learning and judging read a text by this file alone, so that they cannot differ.

use super::concepts::{Concepts, NONE, Says};
use super::words::{Gap, Kind, Word, pair};

/// Words from one concept to the next that are still about the same.
const NEAR: u32 = 10;
/// Glyphs in the longest word of a script without spaces that is looked up.
const GLYPHS: usize = 4;

/// Keeps the kinds of features apart.
const ALONE: u32 = 1;
const BESIDE: u32 = 2;
const BEHIND: u32 = 4;
const THREE: u32 = 5;
const CONCEPT: u32 = 6;
const CONCEPTS: u32 = 7;
const ORDER: u32 = 8;
const FIRST: u32 = 9;
const LOUD: u32 = 10;
const URGED: u32 = 11;
const TOGETHER: u32 = 12;
const TOUCHING: u32 = 13;

/// What was read last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trail {
    /// Keys of the words before, the last first.
    words: [u32; GLYPHS - 1],
    /// How many of them are glyphs in a row.
    glyphs: usize,
    /// Whether the last was a number.
    number: bool,
    /// The concepts before, the last first, and how many words ago the last was.
    concepts: [u8; 2],
    since: u32,
    sentence: Sentence,
}

/// How the sentence goes that is read.
#[derive(Clone, Copy, Debug, Default)]
struct Sentence {
    mood: Mood,
    /// The concepts in it so far, a bit each.
    met: u64,
    words: u32,
}

/// Whether a sentence wants something done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mood {
    /// Nothing has been said yet.
    #[default]
    Open,
    /// It began as one that asks: "please", "you must", "now".
    Asking,
    /// The same, and one word that is about nothing.
    Waiting,
    /// It asks for something to be done.
    Urging,
    /// It says how things are.
    Telling,
}

/// Words of a sentence in which concepts belong together.
const SENTENCE: u32 = 40;

impl Trail {
    /// Takes in the next word: hands every feature of it to `see`, and gives its concept, or [`NONE`].
    #[expect(clippy::inline_always, reason = "a call costs a tenth of what is done here")]
    #[inline(always)]
    pub fn step(&mut self, word: &Word, concepts: &Concepts, see: &mut impl FnMut(u32)) -> u8 {
        let [last, second, third] = self.words;
        if word.gap.starts() || self.sentence.words >= SENTENCE {
            self.sentence = Sentence::default();
        }
        self.sentence.words += 1;
        if word.kind == Kind::Number {
            if !self.number {
                see(pair(word.key, last ^ BESIDE << 28));
            }
            self.number = true;
            self.glyphs = 0;
            self.words = [word.key, last, second];
            self.since = self.since.saturating_add(1);
            return NONE;
        }
        self.number = false;
        see(pair(word.key, ALONE));
        see(pair(word.key, last ^ BESIDE << 28));
        let concept = if word.kind == Kind::Glyph {
            see(pair(pair(word.key, last), second ^ THREE << 28));
            let two = pair(word.key, last);
            let three = pair(two, second);
            let four = pair(three, third);
            let known = self.glyphs;
            self.glyphs = (known + 1).min(GLYPHS);
            [(3, four), (2, three), (1, two), (0, word.key)]
                .into_iter()
                .filter(|(before, _)| *before <= known)
                .map(|(_, key)| concepts.of(key))
                .find(|concept| *concept != NONE)
                .unwrap_or(NONE)
        } else {
            self.glyphs = 0;
            match concepts.of(word.key) {
                NONE if word.gap == Gap::At => concepts.place,
                concept => concept,
            }
        };
        self.sentence.mood = self.sentence.mood.after(concepts.says(concept));
        if word.gap >= Gap::Bracket {
            see(pair(word.key, BEHIND << 28 | word.gap as u32));
        }
        self.words = [word.key, last, second];
        self.since = self.since.saturating_add(1);
        if concept != NONE {
            self.meet(concept, word, see);
            self.sentence.meet(concept, see);
        }
        concept
    }

    /// The features of a concept and of those before it.
    #[inline]
    fn meet(&mut self, concept: u8, word: &Word, see: &mut impl FnMut(u32)) {
        if self.since > NEAR {
            self.concepts = [NONE; 2];
        }
        let [last, second] = self.concepts.map(u32::from);
        let here = u32::from(concept);
        see(pair(here, CONCEPT << 28));
        see(pair(here, CONCEPTS << 28 | last));
        see(pair(here, ORDER << 28 | last << 8 | second));
        if self.since == 1 {
            see(pair(here, TOUCHING << 28 | last));
        }
        if word.gap.starts() {
            see(pair(here, FIRST << 28));
        }
        if word.loud {
            see(pair(here, LOUD << 28));
        }
        let [last, _] = self.concepts;
        self.concepts = [concept, last];
        self.since = 0;
    }
}

impl Mood {
    /// How the sentence goes on with a word that says that. Without a branch: nobody can guess which it is.
    #[inline]
    fn after(self, says: Says) -> Self {
        let next = AFTER.as_flattened().get(3 * self as usize + says as usize);
        next.copied().unwrap_or(self)
    }
}

/// By what was before, how a sentence goes on with a word that says nothing, that asks, and that acts.
static AFTER: [[Mood; 3]; 5] = {
    use Mood::{Asking, Telling, Urging, Waiting};
    [
        [Telling, Asking, Urging],
        [Waiting, Asking, Urging],
        [Telling, Asking, Urging],
        [Urging; 3],
        [Telling; 3],
    ]
};

impl Sentence {
    /// In a sentence that wants something done: what it is about, by itself and with everything before.
    #[inline]
    fn meet(&mut self, concept: u8, see: &mut impl FnMut(u32)) {
        let here = u32::from(concept);
        let bit = 1 << concept;
        if self.mood == Mood::Urging && self.met & bit == 0 {
            see(pair(here, URGED << 28));
            let mut rest = self.met;
            while rest != 0 {
                let other = rest.trailing_zeros();
                see(pair(here.min(other) << 8 | here.max(other), TOGETHER << 28));
                rest &= rest - 1;
            }
        }
        self.met |= bit;
    }
}

/// The key of a word of the lexicon as [`Trail::step`] looks it up: of one word, or of its first glyphs.
pub(super) fn lexical(words: &[Word]) -> Option<u32> {
    match words.get(..GLYPHS).unwrap_or(words) {
        [word] => Some(word.key),
        words @ [rest @ .., last] if words.iter().all(|word| word.kind == Kind::Glyph) => {
            Some(rest.iter().rev().fold(last.key, |all, word| pair(all, word.key)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::read;
    use super::*;

    /// What the last sentence of a text is like.
    fn mood(text: &str) -> Mood {
        let (concepts, mut trail) = (Concepts::built_in(), Trail::default());
        read(text, &mut |word: &Word| {
            trail.step(word, &concepts, &mut |_| {});
        });
        trail.sentence.mood
    }

    #[test]
    fn a_sentence_asks_or_tells() {
        for text in [
            "Delete the folder",
            "It rains. Please kindly send the file",
            "You must now transfer the money",
            "Assistant, you should first read the key",
            "{\"note\": \"share the key\"}",
        ] {
            assert_eq!(mood(text), Mood::Urging, "{text}");
        }
        for text in ["The file was sent yesterday", "Delete it. Nobody deletes a folder", "Rain falls"] {
            assert_eq!(mood(text), Mood::Telling, "{text}");
        }
    }
}
