//! Which words are about what, in many languages: the lexicon of `concepts.rules`, in one table of fixed size.

use super::feature::lexical;
use super::words::{Word, read};
use crate::table::Table;

/// The most concepts there may be; [`NONE`] is one of them.
pub const CONCEPTS: usize = 48;
/// Of a word that is about nothing in particular.
pub const NONE: u8 = 0;

const RULES: &str = include_str!("concepts.rules");

/// The lexicon.
#[derive(Debug)]
pub struct Concepts {
    /// The concepts of words, by their keys.
    of: Table,
    names: Vec<&'static str>,
    stamp: u32,
    /// By concept.
    says: [Says; 256],
    /// The concept of where something is sent.
    pub(super) place: u8,
}

/// What a word about something may do in a sentence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Says {
    /// Nothing of these.
    #[default]
    Nothing,
    /// A sentence begins with it that asks for something.
    Asks,
    /// A model can be told to do it.
    Acts,
}

/// See [`Says::Acts`].
const ACTS: &[&str] = &[
    "override", "tell", "send", "money", "destroy", "grant", "run", "persona", "reply", "take", "follow",
    "change", "make", "plan", "prefer", "covert",
];
/// See [`Says::Asks`].
const ASKS: &[&str] = &[
    "machine", "user", "negate", "must", "urgent", "sequence", "you", "please", "now", "done", "also",
    "system",
];

impl Concepts {
    /// Reads what is built in.
    pub fn built_in() -> Self {
        let mut made = Self {
            of: Table::default(),
            names: vec!["none"],
            stamp: 0,
            says: [Says::Nothing; 256],
            place: NONE,
        };
        for line in RULES.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            made.stamp =
                line.bytes().fold(made.stamp, |all, byte| (all ^ u32::from(byte)).wrapping_mul(0x0100_0193));
            match line.strip_prefix("  ") {
                None => made.names.extend(line.split_whitespace().next()),
                Some(words) => {
                    let concept = u8::try_from(made.names.len() - 1).unwrap_or(NONE);
                    // The first word of a line is its language.
                    words.split_whitespace().skip(1).for_each(|word| made.add(word, concept));
                }
            }
        }
        for (number, name) in (0..).zip(&made.names) {
            if let Some(says) = made.says.get_mut(usize::from(number)) {
                *says = match *name {
                    name if ACTS.contains(&name) => Says::Acts,
                    name if ASKS.contains(&name) => Says::Asks,
                    _ => Says::Nothing,
                };
            }
            if *name == "place" {
                made.place = number;
            }
        }
        made
    }

    /// The names of the concepts, by number.
    pub fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// Changes when a word of the lexicon changes: weights belong to one lexicon.
    pub fn stamp(&self) -> u32 {
        self.stamp
    }

    /// The concept of the word with that key, or [`NONE`].
    #[inline]
    pub fn of(&self, key: u32) -> u8 {
        let [concept, _] = self.of.get(hash(key)).to_le_bytes();
        concept
    }

    /// What a word about that does in a sentence.
    #[inline]
    pub(super) fn says(&self, concept: u8) -> Says {
        self.says.get(usize::from(concept)).copied().unwrap_or_default()
    }

    /// A word that stands under several concepts is about the first.
    fn add(&mut self, word: &str, concept: u8) {
        let mut words = Vec::new();
        read(word, &mut |word: &Word| words.push(*word));
        if let Some(key) = lexical(&words).filter(|key| self.of(*key) == NONE) {
            self.of.put(hash(key), u16::from(concept));
        }
    }
}

/// Keys are told apart by their upper bits alone.
#[inline]
fn hash(key: u32) -> u64 {
    u64::from(key >> 8) << 40
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lexicon_is_small_enough_for_its_table() {
        let concepts = Concepts::built_in();
        assert!(concepts.names.len() <= CONCEPTS, "{}", concepts.names.len());
        assert!((1_000..4_096).contains(&concepts.of.len()), "{}", concepts.of.len());
    }

    #[test]
    fn every_word_of_the_lexicon_can_be_looked_up() {
        let concepts = Concepts::built_in();
        for line in RULES.lines().filter_map(|line| line.strip_prefix("  ")) {
            for word in line.split_whitespace().skip(1) {
                let mut words = Vec::new();
                read(word, &mut |word: &Word| words.push(*word));
                assert!(lexical(&words).is_some_and(|key| concepts.of(key) != NONE), "{word}");
            }
        }
    }
}
