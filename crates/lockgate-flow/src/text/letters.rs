//! Letters and digits alone, so that nothing put between them hides what they spell.

/// Whether a byte of a skeleton belongs to a letter or digit. All that is not ASCII counts.
pub(crate) const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// The letters and digits of a skeleton.
pub(crate) fn letters(skeleton: &str) -> String {
    skeleton.chars().filter(|letter| letter.is_ascii_alphanumeric() || !letter.is_ascii()).collect()
}
