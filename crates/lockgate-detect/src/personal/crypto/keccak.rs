//! Keccak-256 of a short text, as Ethereum uses it: with the padding from before it became SHA-3.

/// Bytes that are taken in at once. Nothing longer is hashed here.
const RATE: usize = 136;

/// The hash of less than 136 bytes. What is longer is cut off.
pub(super) fn hash(text: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; RATE];
    for (place, byte) in block.iter_mut().take(RATE - 1).zip(text.iter().chain([&1])) {
        *place = *byte;
    }
    block.last_mut().into_iter().for_each(|last| *last |= 0x80);
    let mut state = [0_u64; 25];
    for (lane, bytes) in state.iter_mut().zip(block.as_chunks::<8>().0) {
        *lane = u64::from_le_bytes(*bytes);
    }
    for round in constants() {
        state = turn(&state, round);
    }
    let mut hash = [0; 32];
    for (bytes, lane) in hash.as_chunks_mut::<8>().0.iter_mut().zip(state) {
        *bytes = lane.to_le_bytes();
    }
    hash
}

/// One round: FIPS 202, 3.2.
fn turn(state: &[u64; 25], round: u64) -> [u64; 25] {
    let lane = |x: usize, y: usize| state.get(x % 5 + y % 5 * 5).copied().unwrap_or_default();
    let column = |x: usize| (0..5).fold(0, |sum, y| sum ^ lane(x, y));
    let mixed = |x: usize, y: usize| lane(x, y) ^ column(x + 4) ^ column(x + 1).rotate_left(1);
    let mut moved = [0_u64; 25];
    let mut put = |x: usize, y: usize, value: u64| {
        moved.get_mut(x % 5 + y % 5 * 5).into_iter().for_each(|place| *place = value);
    };
    put(0, 0, mixed(0, 0));
    let (mut x, mut y) = (1, 0);
    for step in 0..24_u32 {
        let turned = mixed(x, y).rotate_left((step + 1) * (step + 2) / 2 % 64);
        (x, y) = (y, (2 * x + 3 * y) % 5);
        put(x, y, turned);
    }
    let lane = |x: usize, y: usize| moved.get(x % 5 + y * 5).copied().unwrap_or_default();
    let mut next = [0; 25];
    for (at, place) in next.iter_mut().enumerate() {
        let (x, y) = (at % 5, at / 5);
        *place = lane(x, y) ^ !lane(x + 1, y) & lane(x + 2, y);
    }
    next.first_mut().into_iter().for_each(|first| *first ^= round);
    next
}

/// The constants of the rounds, from a shift register of eight bits.
fn constants() -> impl Iterator<Item = u64> {
    let mut register = 1_u8;
    (0..24).map(move |_| {
        (0..7).fold(0, |constant, bit| {
            let out = u64::from(register & 1);
            register = register << 1 ^ (if register & 0x80 == 0 { 0 } else { 0x71 });
            constant | out << ((1_u32 << bit) - 1)
        })
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_hash_of_nothing_is_known() {
        let hash = super::hash(b"");
        assert_eq!(hash.first_chunk(), Some(&[0xc5, 0xd2, 0x46, 0x01, 0x86, 0xf7, 0x23, 0x3c]));
        assert_eq!(hash.last_chunk(), Some(&[0x7b, 0xfa, 0xd8, 0x04, 0x5d, 0x85, 0xa4, 0x70]));
    }
}
