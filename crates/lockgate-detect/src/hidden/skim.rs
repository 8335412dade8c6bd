//! A first look at the bytes, a few at a time: most texts have nothing that could hide anything.

/// Bytes that are looked at together. A compiler makes a few instructions of each block.
const BLOCK: usize = 16;

/// What there may be in a text.
#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that there may be, whatever else is")]
pub(super) struct Skim {
    /// Characters that are not ASCII, or control characters.
    pub(super) odd: bool,
    /// A `<`.
    pub(super) markup: bool,
    /// A `[`.
    pub(super) bracket: bool,
    /// A block of nothing but white space. Every run of 31 or more has one.
    pub(super) gap: bool,
}

pub(super) fn skim(bytes: &[u8]) -> Skim {
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    let mut skim = Skim::default();
    for block in blocks {
        let (mut odd, mut less, mut bracket, mut ink) = (false, false, false, false);
        for byte in block {
            odd |= is_odd(*byte);
            less |= *byte == b'<';
            bracket |= *byte == b'[';
            ink |= *byte > b' ';
        }
        skim.odd |= odd;
        skim.markup |= less;
        skim.bracket |= bracket;
        skim.gap |= !ink;
    }
    skim.odd |= rest.iter().any(|byte| is_odd(*byte));
    skim.markup |= rest.contains(&b'<');
    skim.bracket |= rest.contains(&b'[');
    skim
}

/// Where the next byte is at or after `at` that is not ordinary: the length of the text where there is none.
pub(super) fn next_odd(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.first().is_some_and(|byte| is_odd(*byte)) {
        return at;
    }
    let (blocks, _) = rest.as_chunks::<BLOCK>();
    let plain = blocks.iter().take_while(|block| !block.iter().fold(false, |odd, byte| odd | is_odd(*byte)));
    let skipped = plain.count() * BLOCK;
    let found = rest.iter().skip(skipped).position(|byte| is_odd(*byte));
    found.map_or(bytes.len(), |found| at + skipped + found)
}

/// Neither printed ASCII nor a tab, a line or page feed or a carriage return.
fn is_odd(byte: u8) -> bool {
    byte.wrapping_sub(b' ') > b'~' - b' ' && (byte.wrapping_sub(b'\t') > 4 || byte == 0x0b)
}
