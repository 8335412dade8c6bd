//! Sets of bytes.

/// Which of the 256 bytes are in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bytes([u128; 2]);

impl Bytes {
    /// Those of a text.
    pub(super) fn of(text: &[u8]) -> Self {
        // A table is written faster than bits.
        let mut table = [false; 256];
        for &b in text {
            if let Some(slot) = table.get_mut(usize::from(b)) {
                *slot = true;
            }
        }
        Self::that(|b| table.get(usize::from(b)) == Some(&true))
    }

    /// Those for which this holds.
    pub(super) fn that(holds: impl Fn(u8) -> bool) -> Self {
        let mut set = Self::default();
        (0..=u8::MAX).filter(|&b| holds(b)).for_each(|b| set.insert(b));
        set
    }

    pub(super) fn insert(&mut self, byte: u8) {
        let [low, high] = &mut self.0;
        let half = if byte < 128 { low } else { high };
        *half |= 1 << (byte & 127);
    }

    pub(super) fn meets(self, other: Self) -> bool {
        let ([a, b], [c, d]) = (self.0, other.0);
        a & c != 0 || b & d != 0
    }

    pub(super) fn union(self, other: Self) -> Self {
        let ([a, b], [c, d]) = (self.0, other.0);
        Self([a | c, b | d])
    }
}
