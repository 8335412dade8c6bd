//! What English puts behind a word, told for many words at once: without a branch, since which of them a word has, nobody can guess.

use wide::u8x16;

use crate::blocks::{BLOCK, STEP, is};

/// Letters of a stem.
const LATIN: usize = 7;
/// Letters that are looked at from the last one backwards: `-e`, `-ing`, `-s`.
const ENDING: usize = 5;
/// Bytes that tell the endings of the words before sixteen bytes.
const WINDOW: usize = ENDING - 1 + STEP;
/// From this length on nothing is cut that would be kept.
const LONG: usize = 15;

/// What a word has at its end, a bit each, whether or not it is long enough to lose it.
const PLURAL: u8 = 1;
const GOING: u8 = 2;
const GONE: u8 = 4;
/// An `e`, before all that.
const MUTE: u8 = 8;

/// For each byte of the block that begins there what a word has at its end that ends before it.
pub(super) fn endings(bytes: &[u8], from: usize) -> [u8; BLOCK] {
    let whole = from.checked_sub(ENDING).and_then(|start| bytes.get(start..)?.first_chunk());
    whole.map_or_else(|| of_block(&known(bytes, from)), of_block)
}

/// The bytes of a block with those before it, as far as there are any.
fn known<const N: usize>(bytes: &[u8], from: usize) -> [u8; N] {
    let mut part = [0; N];
    let (before, here) = part.split_at_mut(ENDING);
    let known = bytes.get(from.saturating_sub(ENDING)..from).unwrap_or_default();
    before.iter_mut().rev().zip(known.iter().rev()).for_each(|(place, byte)| *place = *byte);
    here.iter_mut().zip(bytes.get(from..).unwrap_or_default()).for_each(|(place, byte)| *place = *byte);
    part
}

fn of_block(block: &[u8; ENDING - 1 + BLOCK]) -> [u8; BLOCK] {
    let mut endings = [0; BLOCK];
    let (steps, _) = endings.as_chunks_mut::<STEP>();
    for (endings, window) in steps.iter_mut().zip(block.array_windows::<WINDOW>().step_by(STEP)) {
        *endings = of_sixteen(window);
    }
    endings
}

/// Of the words before sixteen bytes.
#[inline]
fn of_sixteen(window: &[u8; WINDOW]) -> [u8; STEP] {
    let mut last = window.array_windows::<STEP>().map(|bytes| u8x16::new(*bytes) | u8x16::splat(0x20));
    let mut next = || last.next().unwrap_or_default();
    // The last letter, the one before it, and so on.
    let (fifth, fourth, third, second, first) = (next(), next(), next(), next(), next());
    let plural = is(first, b's') & !is(second, b's');
    let going = |third, second, first| is(third, b'i') & is(second, b'n') & is(first, b'g');
    let gone = |second, first| is(second, b'e') & is(first, b'd');
    let (going_first, going_second) = (going(third, second, first), plural & going(fourth, third, second));
    let (gone_first, gone_second) = (gone(second, first), plural & gone(third, second));
    let mute = is(first, b'e')
        | plural & is(second, b'e')
        | gone_first & is(third, b'e')
        | (gone_second | going_first) & is(fourth, b'e')
        | going_second & is(fifth, b'e');
    let bit = |of, bit| of & u8x16::splat(bit);
    let all = bit(plural, PLURAL)
        | bit(going_first | going_second, GOING)
        | bit(gone_first | gone_second, GONE)
        | bit(mute, MUTE);
    all.to_array()
}

/// Of the word that ends there.
pub(super) fn ending(bytes: &[u8], end: usize) -> u8 {
    let [ending, ..] = of_sixteen(&known(bytes, end));
    ending
}

/// Which bytes of a word of so many letters are its stem, the first lowest, with that at its end.
#[inline]
pub(super) fn kept(ending: u8, length: usize) -> u64 {
    let left = LEFT.get(usize::from(ending % 16)).and_then(|left| left.get(length.min(LONG)));
    left.copied().unwrap_or_default()
}

static LEFT: [[u64; LONG + 1]; 16] = {
    let mut all = [[0; LONG + 1]; 16];
    let (mut end, mut length) = (0, 0);
    #[expect(clippy::indexing_slicing, reason = "in a constant, and below 16")]
    while end < 16 {
        all[end as usize][length] = (1 << (8 * of(end, length))) - 1;
        length += 1;
        if length > LONG {
            (end, length) = (end + 1, 0);
        }
    }
    all
};

const fn of(ending: u8, length: usize) -> usize {
    let mut left = length;
    if ending & PLURAL != 0 && left > 3 {
        left -= 1;
    }
    // One that is too short for it ends with its `g` or its `d`.
    let mut mute = ending & MUTE != 0;
    if ending & GOING != 0 && left > 5 {
        left -= 3;
    } else if ending & GONE != 0 && left > 4 {
        left -= 2;
    } else if ending & (GOING | GONE) != 0 {
        mute = false;
    }
    if mute && left > 3 {
        left -= 1;
    }
    if left > LATIN { LATIN } else { left }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One after the other.
    fn slow(word: &str) -> u32 {
        let mut word = word.to_ascii_lowercase();
        if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") {
            word.pop();
        }
        if word.len() > 5 && word.ends_with("ing") {
            word.truncate(word.len() - 3);
        } else if word.len() > 4 && word.ends_with("ed") {
            word.truncate(word.len() - 2);
        }
        if word.len() > 3 && word.ends_with('e') {
            word.pop();
        }
        u32::try_from(word.len().min(LATIN)).unwrap()
    }

    proptest! {
        #[test]
        fn words_lose_their_ends(before in "[a ]{0,70}", word in "[aesS]{0,4}(ing|ED|s|e|ngs|ing|eings){0,3}", behind in "[ e]{0,70}") {
            let text = format!("{before} {word} {behind}");
            prop_assume!(!word.is_empty());
            let last = before.len() + 1 + word.len();
            let endings = endings(text.as_bytes(), last / BLOCK * BLOCK);
            prop_assert_eq!(kept(endings[last % BLOCK], word.len()).count_ones(), slow(&word) * 8);
        }
    }
}
