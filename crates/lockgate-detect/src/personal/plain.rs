//! A number without the marks that people write into it.

/// Longest number. Letters and digits.
const LONGEST: usize = 40;

/// Capitals and digits of a number, in order.
#[derive(Clone, Copy)]
pub(super) struct Plain {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Plain {
    /// Of all letters and digits of the text, small letters as capitals. What is longer than any number is cut off.
    pub(super) fn new(text: &str) -> Self {
        let mut plain = Self { bytes: [0; LONGEST], length: 0 };
        let kept = text.bytes().filter(u8::is_ascii_alphanumeric);
        for (place, byte) in plain.bytes.iter_mut().zip(kept) {
            *place = byte.to_ascii_uppercase();
            plain.length += 1;
        }
        plain
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// The worth of each digit; a letter is worth as many as it has places after `A`, and ten.
    pub(super) fn worths(&self) -> impl DoubleEndedIterator<Item = u32> + ExactSizeIterator + Clone {
        self.bytes().iter().map(|byte| worth(*byte))
    }

    pub(super) fn digit(&self, at: usize) -> u32 {
        self.bytes().get(at).copied().map_or(0, worth)
    }

    /// The number that so many digits from there are.
    pub(super) fn number(&self, at: usize, count: usize) -> u64 {
        self.worths().skip(at).take(count).fold(0, |sum, digit| sum * 10 + u64::from(digit))
    }

    /// The letter or digit there; a zero byte past the end.
    pub(super) fn letter(&self, at: usize) -> u8 {
        self.bytes().get(at).copied().unwrap_or_default()
    }

    /// Each digit times its weight, together. Digits without a weight count nothing.
    pub(super) fn weighed(&self, weights: &[u32]) -> u32 {
        self.worths().zip(weights).map(|(digit, weight)| digit * weight).sum()
    }

    /// Whether one digit makes it all up, as in `0000000000`.
    pub(super) fn is_one_digit(&self) -> bool {
        let first = self.letter(0);
        self.bytes().iter().all(|byte| *byte == first)
    }
}

fn worth(byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'Z' => u32::from(byte - b'A') + 10,
        _ => 0,
    }
}
