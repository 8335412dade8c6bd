//! Where in a text any of many words may begin: a look at three bytes, so that most of a text needs no automaton.

/// For each pair of bytes the words that begin with it, and those whose second and third byte it is: four bits each, one
/// for each group of words.
#[derive(Debug)]
pub(crate) struct Heads {
    pairs: Box<[u8; 1 << 16]>,
    /// The words of one letter.
    single: Vec<u8>,
}

const GROUPS: u32 = 4;
/// Places that are looked at together, and the bytes that takes.
const STEP: usize = 8;
const AHEAD: usize = STEP + 2;

impl Heads {
    /// Of words that are not empty. Always something.
    pub(crate) fn new(words: &[&str]) -> Option<Self> {
        let mut pairs: Box<[u8; 1 << 16]> = vec![0; 1 << 16].into_boxed_slice().try_into().ok()?;
        let mut single = Vec::new();
        let mut mark = |first, second, groups: u8| {
            pairs.get_mut(place([first, second])).into_iter().for_each(|marked| *marked |= groups);
        };
        for word in words {
            match *word.as_bytes() {
                [first, second, third, ..] => {
                    let group = 1 << (u32::from(third) % GROUPS);
                    mark(first, second, group);
                    mark(second, third, group << GROUPS);
                }
                [first, second] => {
                    let group = 1 << (u32::from(second) % GROUPS);
                    mark(first, second, group);
                    (0..=u8::MAX).for_each(|third| mark(second, third, group << GROUPS));
                }
                [first] => single.push(first),
                [] => {}
            }
        }
        Some(Self { pairs, single })
    }

    /// The next place from there on where a word may begin. Never behind one where a word begins.
    pub(crate) fn next(&self, bytes: &[u8], from: usize) -> usize {
        let mut at = from;
        while let Some(ahead) = bytes.get(at..).and_then(<[u8]>::first_chunk::<AHEAD>) {
            let mut before = 0;
            // What the first pair of each place and the pair behind it have in common.
            let mut known = [0; AHEAD - 1];
            for (known, pair) in known.iter_mut().zip(ahead.array_windows()) {
                let groups = self.groups(*pair);
                *known = before & groups >> GROUPS;
                before = groups;
            }
            let first = |byte: &u8| ahead.iter().take(STEP).any(|here| here == byte);
            if known.iter().fold(0, |any, known| any | known) != 0 || self.single.iter().any(first) {
                let (_, known) = known.split_first().unwrap_or((&0, &[]));
                let mut heads = known.iter().zip(ahead);
                let first = heads.position(|(known, byte)| *known != 0 || self.single.contains(byte));
                return at + first.unwrap_or_default();
            }
            at += STEP;
        }
        at
    }

    fn groups(&self, pair: [u8; 2]) -> u8 {
        self.pairs.get(place(pair)).copied().unwrap_or(u8::MAX)
    }
}

fn place(pair: [u8; 2]) -> usize {
    usize::from(u16::from_le_bytes(pair))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Heads;

    proptest! {
        #[test]
        fn no_word_is_passed_over(
            words in prop::collection::vec("[a-cXY|]{1,5}", 1..6),
            parts in prop::collection::vec("[a-cXYé ]{0,12}|[|]", 0..12),
            from in 0..20_usize,
        ) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let heads = Heads::new(&words).unwrap();
            let text = parts.concat();
            let begins = |at: &usize| words.iter().any(|word| text.as_bytes()[*at..].starts_with(word.as_bytes()));
            let first = (from..text.len()).find(begins).unwrap_or(text.len());
            prop_assert!((from..=first.max(from)).contains(&heads.next(text.as_bytes(), from)));
        }
    }

    #[test]
    fn most_of_a_text_is_passed_over() {
        let heads = Heads::new(&["key", "Q~", "|"]).unwrap();
        let text = "It was the best of times, it was the worst of times, | and all that.";
        assert_eq!(heads.next(text.as_bytes(), 0), text.find('|').unwrap());
    }
}
