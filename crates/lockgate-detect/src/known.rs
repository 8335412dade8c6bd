//! Finding again what is known already.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

/// Texts that are looked for wherever they stand: of several that begin at one place, the longest.
pub struct Known(Option<AhoCorasick>);

impl Known {
    /// Texts to look for. Time and memory grow with their length together. Empty texts are found nowhere.
    pub fn new<T: AsRef<[u8]>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self(AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(texts).ok())
    }

    /// Where one of them stands, in order and not overlapping, and which: its number, from 0. Who cannot look says that all
    /// of the text is found, as a number that none has. Linear in the length of the text.
    pub fn find(&self, text: &str) -> Vec<(usize, Range<usize>)> {
        let Some(texts) = &self.0 else { return vec![(usize::MAX, 0..text.len())] };
        if texts.patterns_len() == 0 {
            return Vec::new();
        }
        let found = texts.find_iter(text).filter(|found| !found.is_empty());
        found.map(|found| (found.pattern().as_usize(), found.range())).collect()
    }
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Known({})", self.0.as_ref().map_or(0, AhoCorasick::patterns_len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_found() {
        let known = Known::new(["hunter", "hunter22", "", "ä"]);
        assert_eq!(known.find("a hunter22 and a hunter ä"), [(1, 2..10), (0, 17..23), (3, 24..26)]);
        assert!(known.find("nothing").is_empty());
        assert!(Known::new::<&str>([]).find("text").is_empty());
    }

    #[test]
    fn who_cannot_look_says_that_all_is_found() {
        assert_eq!(Known(None).find("text"), [(usize::MAX, 0..4)]);
        assert_eq!(format!("{:?}", Known::new(["hunter22"])), "Known(1)");
    }
}
