//! Keeping some bytes of a block, eight at a time, without a branch.

/// Where eight bytes go in three steps, by one, two and four places to the front.
#[derive(Clone, Copy)]
struct Moves {
    /// The places that keep their byte.
    stay: [u64; 3],
    /// The places that get the byte of a place behind.
    come: [u64; 3],
    /// How many bytes are kept.
    count: usize,
}

/// For each set of kept bytes, the first in the lowest bit.
#[expect(clippy::indexing_slicing, reason = "a place that is not there would not compile")]
static MOVES: [Moves; 256] = {
    let mut all = [Moves { stay: [0; 3], come: [0; 3], count: 0 }; 256];
    let mut set = 0;
    while set < all.len() {
        let moves = &mut all[set];
        let mut place = 0;
        while place < 8 {
            if set >> place & 1 == 1 {
                // As far as there are dropped bytes before it.
                let distance = place - moves.count;
                let mut now = place;
                let mut step = 0;
                while step < moves.stay.len() {
                    if distance >> step & 1 == 1 {
                        now -= 1 << step;
                        moves.come[step] |= 0xff << (8 * now);
                    } else {
                        moves.stay[step] |= 0xff << (8 * now);
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
#[inline]
pub(crate) fn compact(bytes: [u8; 8], set: u8) -> ([u8; 8], usize) {
    let Some(Moves { stay, come, count }) = MOVES.get(usize::from(set)) else {
        return (bytes, 8);
    };
    let mut word = u64::from_le_bytes(bytes);
    for ((stay, come), places) in stay.iter().zip(come).zip([1, 2, 4]) {
        word = word & stay | word >> (8 * places) & come;
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
            assert!(bytes[length..].iter().all(|byte| *byte == 0), "{set:08b}");
        }
    }
}
