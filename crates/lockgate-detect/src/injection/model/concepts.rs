//! Which words are about what, in many languages: the lexicon of `concepts.rules`, in one table of fixed size.

use super::feature::lexical;
use super::words::read;

/// The most concepts there may be; [`NONE`] is one of them.
pub const CONCEPTS: usize = 48;
/// Of a word that is about nothing in particular.
pub const NONE: u8 = 0;

/// Places in the table. A power of two, and several times as many as there are words.
const PLACES: usize = 1 << 14;
/// Words of the small table that most words are turned away by; each is 64 bits.
const DOORS: usize = 1 << 9;
const RULES: &str = include_str!("concepts.rules");

/// The lexicon.
#[derive(Debug)]
pub struct Concepts {
    /// The upper 24 bits of a key with the concept below; 0 where nothing is.
    places: Box<[u32]>,
    /// A bit for each key that is there, by its upper bits: most words are turned away here.
    doors: Box<[u64]>,
    names: Vec<&'static str>,
    stamp: u32,
    /// Concepts of what a model can be told to do, a bit each.
    pub(super) acts: u64,
    /// Concepts with which a sentence begins that asks for something, a bit each.
    pub(super) asks: u64,
    /// The concept of where something is sent.
    pub(super) place: u8,
}

/// See [`Concepts::acts`].
const ACTS: &[&str] = &[
    "override", "tell", "send", "money", "destroy", "grant", "run", "persona", "reply", "take", "follow",
    "change", "make", "plan", "prefer", "covert",
];
/// See [`Concepts::asks`].
const ASKS: &[&str] = &[
    "machine", "user", "negate", "must", "urgent", "sequence", "you", "please", "now", "done", "also",
    "system",
];

impl Concepts {
    /// Reads what is built in.
    pub fn built_in() -> Self {
        let mut made = Self {
            places: vec![0; PLACES].into(),
            doors: vec![0; DOORS].into(),
            names: vec!["none"],
            stamp: 0,
            acts: 0,
            asks: 0,
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
            made.acts |= u64::from(ACTS.contains(name)) << number;
            made.asks |= u64::from(ASKS.contains(name)) << number;
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
        let (door, bit) = door(key);
        if self.doors.get(door).is_none_or(|bits| bits & bit == 0) {
            return NONE;
        }
        let mut at = place(key);
        loop {
            let here = self.places.get(at).copied().unwrap_or_default();
            if here == 0 || (here ^ key) >> 8 == 0 {
                return here.to_le_bytes()[0];
            }
            at = (at + 1) % PLACES;
        }
    }

    /// A word that stands under several concepts is about the first.
    fn add(&mut self, word: &str, concept: u8) {
        let mut words = Vec::new();
        read(word, |word| words.push(word));
        let Some(key) = lexical(&words) else { return };
        let (door, bit) = door(key);
        self.doors.get_mut(door).into_iter().for_each(|bits| *bits |= bit);
        let mut at = place(key);
        for _ in 0..PLACES / 2 {
            match self.places.get_mut(at) {
                Some(free @ 0) => {
                    *free = key & !0xff | u32::from(concept);
                    return;
                }
                Some(taken) if (*taken ^ key) >> 8 == 0 => return,
                _ => at = (at + 1) % PLACES,
            }
        }
    }
}

/// Where the bit of a key is among the doors, and which it is.
#[inline]
fn door(key: u32) -> (usize, u64) {
    (usize::try_from(key >> 23).unwrap_or_default() % DOORS, 1 << (key >> 17 & 63))
}

#[inline]
fn place(key: u32) -> usize {
    usize::try_from(key >> 8).unwrap_or_default() % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lexicon_is_small_enough_for_its_table() {
        let concepts = Concepts::built_in();
        assert!(concepts.names.len() <= CONCEPTS, "{}", concepts.names.len());
        let taken = concepts.places.iter().filter(|place| **place != 0).count();
        assert!((1_000..PLACES / 3).contains(&taken), "{taken}");
    }

    #[test]
    fn every_word_of_the_lexicon_can_be_looked_up() {
        for line in RULES.lines().filter_map(|line| line.strip_prefix("  ")) {
            for word in line.split_whitespace().skip(1) {
                let mut words = Vec::new();
                read(word, |word| words.push(word));
                assert!(lexical(&words).is_some(), "{word}");
            }
        }
    }
}
