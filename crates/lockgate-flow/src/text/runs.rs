//! Runs of characters that may spell bytes.

use super::mask::{BLOCK, block, mask};

/// Shortest run that is tried: 9 bytes in base64.
const RUN: usize = 12;

/// Hands over the runs of at least twelve letters, digits, and marks of base64, in their order.
pub(crate) fn runs(bytes: &[u8], mut found: impl FnMut(&[u8])) {
    let mut done = 0_usize;
    let mut here = bytes.chunks(BLOCK).next().map_or(0, spelling);
    for begin in (0..bytes.len()).step_by(BLOCK) {
        let next = bytes.get(begin + BLOCK..).and_then(|rest| rest.chunks(BLOCK).next()).map_or(0, spelling);
        let both = u128::from(here) | u128::from(next) << BLOCK;
        let mut starts = long(both) & behind(done.saturating_sub(begin));
        while starts != 0 {
            let place = starts.trailing_zeros();
            let start = begin + place as usize;
            let seen = start + (!(both >> place)).trailing_zeros() as usize;
            let rest = bytes.get(seen..).unwrap_or_default();
            done = seen + rest.iter().position(|byte| !spells(*byte)).unwrap_or(rest.len());
            found(bytes.get(start..done).unwrap_or_default());
            starts &= behind(done - begin);
        }
        here = next;
    }
}

/// At which places of the first of two blocks a run begins or goes on that has twelve bytes more.
fn long(one: u128) -> u64 {
    let two = one & one >> 1;
    let four = two & two >> 2;
    let eight = four & four >> 4;
    let twelve = eight & eight >> (RUN - 8);
    #[expect(clippy::cast_possible_truncation, reason = "the places of the first block")]
    let first = twelve as u64;
    first
}

/// All places of a block from this one on.
fn behind(place: usize) -> u64 {
    u32::try_from(place).ok().and_then(|place| u64::MAX.checked_shl(place)).unwrap_or_default()
}

/// Which of up to 64 bytes may spell, from the lowest bit.
fn spelling(bytes: &[u8]) -> u64 {
    mask(block(bytes).map(spells))
}

const fn spells(byte: u8) -> bool {
    // The slash stands before the digits.
    (byte | 0x20).is_ascii_lowercase() || matches!(byte, b'/'..=b'9' | b'+' | b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{RUN, runs, spells};

    fn slow(bytes: &[u8]) -> Vec<&[u8]> {
        bytes.split(|byte| !spells(*byte)).filter(|run| run.len() >= RUN).collect()
    }

    #[test]
    fn what_spells() {
        let all: Vec<char> = (0..=255).filter(|byte| spells(*byte)).map(char::from).collect();
        let known = "+-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
        assert_eq!(all, known.chars().collect::<Vec<char>>());
    }

    proptest! {
        #[test]
        fn runs_are_what_splitting_gives(
            parts in prop::collection::vec((0..150_usize, prop::sample::select(&b" .=+\x80Z"[..])), 0..12)
        ) {
            let mut bytes = Vec::new();
            for (length, mark) in parts {
                bytes.extend(std::iter::repeat_n(b'a', if length > 80 { length - 80 } else { length % 16 }));
                bytes.push(mark);
            }
            let mut found = Vec::new();
            runs(&bytes, |run| found.push(run.to_vec()));
            prop_assert_eq!(found, slow(&bytes));
        }
    }
}
