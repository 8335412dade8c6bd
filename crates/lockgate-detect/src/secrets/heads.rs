//! Where in a text any of many words may begin: a look at three bytes, so that most of a text needs no automaton.

/// Marks for each group of three bytes that a word begins with: two bits of the third beside those of the first two.
#[derive(Debug)]
pub(super) struct Heads {
    marks: Box<[bool; 1 << BITS]>,
    /// The words of one letter.
    single: Vec<u8>,
}

const BITS: u32 = 14;
/// Bits of the place that come of the third byte.
const THIRD: u32 = 3;
/// Places that are looked at together, and the bytes that takes.
const STEP: usize = 8;
const AHEAD: usize = STEP + 3;

impl Heads {
    /// Of words that are not empty.
    pub(super) fn new(words: &[&str]) -> Self {
        let mut marks = Box::new([false; 1 << BITS]);
        let mut single = Vec::new();
        for word in words {
            let mut mark = |head| marks.get_mut(place(head)).into_iter().for_each(|mark| *mark = true);
            match *word.as_bytes() {
                [first, second, third, ..] => mark([first, second, third, 0]),
                [first, second] => (0..1 << THIRD).for_each(|third| mark([first, second, third, 0])),
                [first] => single.push(first),
                [] => {}
            }
        }
        Self { marks, single }
    }

    /// The next place from there on where a word may begin. Never behind one where a word begins.
    pub(super) fn next(&self, bytes: &[u8], from: usize) -> usize {
        let mut at = from;
        while let Some(ahead) = bytes.get(at..).and_then(<[u8]>::first_chunk::<AHEAD>) {
            let heads = ahead.array_windows();
            let known = heads.clone().fold(false, |known, head| known | self.knows(*head));
            let first = |byte: &u8| ahead.iter().take(STEP).any(|here| here == byte);
            if known || self.single.iter().any(first) {
                let mut heads = heads.zip(ahead);
                return at
                    + heads
                        .position(|(head, byte)| self.knows(*head) || self.single.contains(byte))
                        .unwrap_or_default();
            }
            at += STEP;
        }
        at
    }

    fn knows(&self, head: [u8; 4]) -> bool {
        self.marks.get(place(head)).is_none_or(|mark| *mark)
    }
}

/// The place of three bytes among the marks.
fn place(four: [u8; 4]) -> usize {
    let word = u32::from_le_bytes(four);
    let pair = (word & 0xffff).wrapping_mul(0x9e37_79b1) >> (u32::BITS - BITS + THIRD);
    (pair << THIRD | word >> 16 & 7) as usize
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
            let heads = Heads::new(&words);
            let text = parts.concat();
            let begins = |at: &usize| words.iter().any(|word| text.as_bytes()[*at..].starts_with(word.as_bytes()));
            let first = (from..text.len()).find(begins).unwrap_or(text.len());
            prop_assert!((from..=first.max(from)).contains(&heads.next(text.as_bytes(), from)));
        }
    }

    #[test]
    fn most_of_a_text_is_passed_over() {
        let heads = Heads::new(&["key", "Q~", "|"]);
        let text = "It was the best of times, it was the worst of times, | and all that.";
        assert_eq!(heads.next(text.as_bytes(), 0), text.find('|').unwrap());
    }
}
