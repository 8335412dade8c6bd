//! Runs of characters that may spell bytes.

/// Shortest run that is tried: 9 bytes in base64.
const RUN: usize = 12;

/// The runs of at least twelve letters, digits, and marks of base64. Looks at each twelfth byte first, since a run must
/// have one of them.
pub(crate) fn runs(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    // INVARIANT: no run begins before `start` that was not given.
    let mut start = 0;
    std::iter::from_fn(move || {
        loop {
            let first = bytes.get(start..start + RUN)?;
            if let Some(gap) = first.iter().rposition(|byte| !spells(*byte)) {
                start += gap + 1;
                continue;
            }
            let rest = bytes.get(start..)?;
            let length = rest.iter().position(|byte| !spells(*byte)).unwrap_or(rest.len());
            start += length;
            return rest.get(..length);
        }
    })
}

const fn spells(byte: u8) -> bool {
    const SPELLS: u128 = {
        let mut set = 0;
        let mut byte = 0_u8;
        while byte < 128 {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_') {
                set |= 1 << byte;
            }
            byte += 1;
        }
        set
    };
    byte < 128 && SPELLS >> byte & 1 == 1
}
