//! Keeping some bytes of a block, eight at a time, without a branch.

/// Which of eight bytes are kept, which of these move to the front by one, two and four places, and how many they are.
#[derive(Clone, Copy)]
struct Moves {
    kept: u64,
    by: [u64; 3],
    count: usize,
}

/// For each set of kept bytes, the first in the lowest bit.
#[expect(clippy::indexing_slicing, reason = "a place that is not there would not compile")]
static MOVES: [Moves; 256] = {
    let mut all = [Moves { kept: 0, by: [0; 3], count: 0 }; 256];
    let mut set = 0;
    while set < all.len() {
        let moves = &mut all[set];
        let mut place = 0;
        while place < 8 {
            if set >> place & 1 == 1 {
                moves.kept |= 0xff << (8 * place);
                // As far as there are dropped bytes before it.
                let distance = place - moves.count;
                let mut now = place;
                let mut step = 0;
                while step < moves.by.len() {
                    if distance >> step & 1 == 1 {
                        moves.by[step] |= 0xff << (8 * now);
                        now -= 1 << step;
                    }
                    step += 1;
                }
                moves.count += 1;
            }
            place += 1;
        }
        set += 1;
    }
    all
};

/// The kept bytes at the front, in their order, and how many they are; zeros behind them. The first byte is kept where the
/// lowest bit is set.
pub(crate) fn compact(bytes: [u8; 8], set: u8) -> ([u8; 8], usize) {
    let Some(Moves { kept, by: [one, two, four], count }) = MOVES.get(usize::from(set)) else {
        return (bytes, 8);
    };
    let mut word = u64::from_le_bytes(bytes) & kept;
    for (moved, places) in [(one, 1), (two, 2), (four, 4)] {
        let moved = word & moved;
        word = word ^ moved | moved >> (8 * places);
    }
    (word.to_le_bytes(), *count)
}

#[cfg(test)]
mod tests {
    use super::compact;

    #[test]
    fn every_set_is_kept_in_order() {
        for set in 0..=255_u8 {
            let expected: Vec<u8> =
                (0..8).filter(|place| set >> place & 1 == 1).map(|place| b'a' + place).collect();
            let (bytes, length) = compact(*b"abcdefgh", set);
            assert_eq!(&bytes[..length], expected, "{set:08b}");
        }
    }
}
