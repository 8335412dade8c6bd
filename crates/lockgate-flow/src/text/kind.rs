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
    Kinds(run.iter().fold(0, |kinds, byte| kinds | of(*byte).kinds))
}

/// The value of a digit of base64 in any of its alphabets.
pub(crate) fn digit(byte: u8) -> Option<u8> {
    Some(of(byte).digit).filter(|digit| *digit < 64)
}

/// What a byte can be in UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Role(u8);

impl Role {
    /// A character that can be read, or white space.
    const ALONE: Self = Self(0);
    /// The first of several bytes.
    const FIRST: Self = Self(1);
    /// One of those behind it.
    const BEHIND: Self = Self(2);
    /// Never valid, or a control character.
    pub(crate) const NOTHING: Self = Self(3);

    /// Whether there is readable text in which a byte of this role stands right behind one of that role.
    pub(crate) const fn follows(self, before: Self) -> bool {
        const NEVER: u16 = pair(Role::ALONE, Role::BEHIND)
            | pair(Role::FIRST, Role::ALONE)
            | pair(Role::FIRST, Role::FIRST)
            | pair(Role::ALONE, Role::NOTHING)
            | pair(Role::FIRST, Role::NOTHING)
            | pair(Role::BEHIND, Role::NOTHING);
        NEVER & pair(before, self) == 0
    }
}

const fn pair(before: Role, behind: Role) -> u16 {
    1 << (before.0 << 2 | behind.0)
}

/// What the byte can be.
pub(crate) fn role(byte: u8) -> Role {
    of(byte).role
}

/// All that is known of a byte.
#[derive(Clone, Copy)]
struct Byte {
    kinds: u8,
    role: Role,
    /// 64 for what is none.
    digit: u8,
}

fn of(byte: u8) -> Byte {
    BYTES.get(usize::from(byte)).copied().unwrap_or(NONE)
}

const NONE: Byte = Byte { kinds: MARK, role: Role::NOTHING, digit: 64 };

#[expect(clippy::indexing_slicing, reason = "a place that is not there would not compile")]
#[expect(clippy::cast_possible_truncation, reason = "places below 256")]
static BYTES: [Byte; 256] = {
    let mut all = [NONE; 256];
    let mut place = 0;
    while place < all.len() {
        let byte = place as u8;
        all[place] = Byte {
            kinds: match byte {
                b'a'..=b'f' => LOWER_HEX,
                b'g'..=b'z' => LOWER_REST,
                b'A'..=b'F' => UPPER_HEX,
                b'G'..=b'Z' => UPPER_REST,
                b'2'..=b'7' => DIGIT_BASE32,
                b'0'..=b'9' => DIGIT_REST,
                _ => MARK,
            },
            role: match byte {
                b'\t'..=b'\r' | b' '..=b'~' => Role::ALONE,
                0x80..=0xbf => Role::BEHIND,
                0xc2..=0xf4 => Role::FIRST,
                _ => Role::NOTHING,
            },
            digit: match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                _ => 64,
            },
        };
        place += 1;
    }
    all
};
