//! Two texts, word by word.

/// A piece of two texts: words and what is between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// In both.
    Same(String),
    /// Only in the old text.
    Old(String),
    /// Only in the new text.
    New(String),
}

/// Most steps of looking for what two texts share. Beyond that, what is between their equal ends is taken for different.
const STEPS: usize = 1 << 20;
/// Most bytes of either text that are compared.
const LONGEST: usize = 1 << 15;

/// What both have, and what only one has, in order. Nothing where a text is longer than 32 KiB: it is shown as a whole.
pub(super) fn compare(old: &str, new: &str) -> Vec<Word> {
    if old.len().max(new.len()) > LONGEST {
        return Vec::new();
    }
    let (old, new) = (pieces(old), pieces(new));
    let before = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (head, old) = old.split_at_checked(before).unwrap_or_default();
    let (_, new) = new.split_at_checked(before).unwrap_or_default();
    let after = old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old, tail) = old.split_at_checked(old.len() - after).unwrap_or_default();
    let (new, _) = new.split_at_checked(new.len() - after).unwrap_or_default();
    let mut words = Joined(Vec::new());
    words.push(Word::Same, head);
    if old.len().saturating_mul(new.len()) > STEPS {
        words.push(Word::Old, old);
        words.push(Word::New, new);
    } else {
        middle(old, new, &mut words);
    }
    words.push(Word::Same, tail);
    words.0
}

/// The longest part that both share, by the table of all pairs of ends.
fn middle(old: &[&str], new: &[&str], words: &mut Joined) {
    let width = new.len() + 1;
    let mut longest = vec![0_u32; (old.len() + 1) * width];
    let at =
        |longest: &[u32], row: usize, column: usize| longest.get(row * width + column).copied().unwrap_or(0);
    for (row, was) in old.iter().enumerate().rev() {
        for (column, is) in new.iter().enumerate().rev() {
            let best = if was == is {
                at(&longest, row + 1, column + 1) + 1
            } else {
                at(&longest, row + 1, column).max(at(&longest, row, column + 1))
            };
            if let Some(cell) = longest.get_mut(row * width + column) {
                *cell = best;
            }
        }
    }
    let (mut row, mut column) = (0, 0);
    loop {
        match (old.get(row), new.get(column)) {
            (Some(was), Some(is)) if was == is => {
                words.push(Word::Same, &[was]);
                (row, column) = (row + 1, column + 1);
            }
            (Some(was), is)
                if is.is_none() || at(&longest, row + 1, column) >= at(&longest, row, column + 1) =>
            {
                words.push(Word::Old, &[was]);
                row += 1;
            }
            (_, Some(is)) => {
                words.push(Word::New, &[is]);
                column += 1;
            }
            (_, None) => return,
        }
    }
}

/// Pieces of one sort behind each other are one.
struct Joined(Vec<Word>);

impl Joined {
    fn push(&mut self, sort: fn(String) -> Word, pieces: &[&str]) {
        let text = pieces.concat();
        if text.is_empty() {
            return;
        }
        let word = sort(text);
        match (self.0.last_mut(), &word) {
            (Some(Word::Same(last)), Word::Same(text))
            | (Some(Word::Old(last)), Word::Old(text))
            | (Some(Word::New(last)), Word::New(text)) => last.push_str(text),
            _ => self.0.push(word),
        }
    }
}

/// Words with the space behind them, and single characters of punctuation.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = if first.is_alphanumeric() {
            rest.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(rest.len())
        } else if first.is_whitespace() {
            rest.find(|letter: char| !letter.is_whitespace()).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (piece, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(words: &[Word]) -> String {
        words
            .iter()
            .map(|word| match word {
                Word::Same(text) => text.clone(),
                Word::Old(text) => format!("[-{text}-]"),
                Word::New(text) => format!("{{+{text}+}}"),
            })
            .collect()
    }

    #[test]
    fn says_what_is_different() {
        for (old, new, expected) in [
            ("Adds two numbers.", "Adds some numbers.", "Adds [-two-]{+some+} numbers."),
            ("Adds.", "Adds. Always.", "Adds.{+ Always.+}"),
            ("a b c", "", "[-a b c-]"),
            ("a b c d", "a x c y d", "a [-b-]{+x+} c{+ y+} d"),
            ("same", "same", "same"),
        ] {
            assert_eq!(shown(&compare(old, new)), expected);
        }
    }

    proptest! {
        #[test]
        fn both_texts_are_in_it(old in "[ab é.]{0,30}", new in "[ab é.]{0,30}") {
            let (mut left, mut right) = (String::new(), String::new());
            for word in compare(&old, &new) {
                match word {
                    Word::Same(text) => { left += &text; right += &text; }
                    Word::Old(text) => left += &text,
                    Word::New(text) => right += &text,
                }
            }
            prop_assert_eq!((left, right), (old, new));
        }
    }
}
