//! What a byte can be, told by one look into a table.

/// Some kinds of characters of a run that may spell bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

/// Small letters, capitals and digits, of any kind.
pub(crate) const LOWER: u8 = LOWER_HEX | LOWER_REST;
pub(crate) const UPPER: u8 = UPPER_HEX | UPPER_REST;
pub(crate) const DIGIT: u8 = DIGIT_BASE32 | DIGIT_REST;
/// All that is no digit of hex.
pub(crate) const NO_HEX: u8 = LOWER_REST | UPPER_REST | MARK;
/// All that is no digit of base32.
pub(crate) const NO_BASE32: u8 = DIGIT_REST | MARK;

const LOWER_HEX: u8 = 1;
const LOWER_REST: u8 = 2;
const UPPER_HEX: u8 = 4;
const UPPER_REST: u8 = 8;
const DIGIT_BASE32: u8 = 16;
const DIGIT_REST: u8 = 32;
const MARK: u8 = 64;

impl Kinds {
    /// Whether a character of one of these kinds is there.
    pub(crate) const fn has(self, kinds: u8) -> bool {
        self.0 & kinds != 0
    }
}

/// The kinds of all characters of a run.
pub(crate) fn kinds(run: &[u8]) -> Kinds {
    Kinds(run.iter().fold(0, |kinds, byte| kinds | KINDS.get(usize::from(*byte)).copied().unwrap_or(MARK)))
}

/// What a byte can be in UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A character that can be read, or white space.
    Alone,
    /// The first of several bytes.
    First,
    /// One of those behind it.
    Behind,
    /// Never valid, or a control character.
    Nothing,
}

/// What the byte can be.
pub(crate) fn role(byte: u8) -> Role {
    ROLES.get(usize::from(byte)).copied().unwrap_or(Role::Nothing)
}

#[expect(clippy::indexing_slicing, reason = "a place that is not there would not compile")]
#[expect(clippy::cast_possible_truncation, reason = "places below 256")]
static KINDS: [u8; 256] = {
    let mut all = [MARK; 256];
    let mut place = 0;
    while place < all.len() {
        all[place] = match place as u8 {
            b'a'..=b'f' => LOWER_HEX,
            b'g'..=b'z' => LOWER_REST,
            b'A'..=b'F' => UPPER_HEX,
            b'G'..=b'Z' => UPPER_REST,
            b'2'..=b'7' => DIGIT_BASE32,
            b'0'..=b'9' => DIGIT_REST,
            _ => MARK,
        };
        place += 1;
    }
    all
};

#[expect(clippy::indexing_slicing, reason = "a place that is not there would not compile")]
#[expect(clippy::cast_possible_truncation, reason = "places below 256")]
static ROLES: [Role; 256] = {
    let mut all = [Role::Nothing; 256];
    let mut place = 0;
    while place < all.len() {
        all[place] = match place as u8 {
            b'\t'..=b'\r' | b' '..=b'~' => Role::Alone,
            0x80..=0xbf => Role::Behind,
            0xc2..=0xf4 => Role::First,
            _ => Role::Nothing,
        };
        place += 1;
    }
    all
};
