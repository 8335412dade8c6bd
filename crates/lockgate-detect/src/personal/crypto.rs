//! Addresses of Bitcoin and Ethereum.

use std::ops::Range;

use sha2::{Digest, Sha256};

mod keccak;

/// Shortest and longest address. Bytes.
pub(super) const SHORTEST: usize = 26;
const LONGEST: usize = 74;

/// The address that is all of a run of letters and digits.
pub(super) fn address(text: &str, run: &Range<usize>) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let before = run.start.checked_sub(1).and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
    let after = bytes.get(run.end).copied().unwrap_or(b' ');
    if !(SHORTEST..=LONGEST).contains(&run.len()) || b"_+/=-".contains(&before) || b"_+/=-".contains(&after) {
        return None;
    }
    let address = text.get(run.clone())?;
    let is = match address.as_bytes() {
        [b'0', b'x' | b'X', ..] => is_ethereum(address),
        [b'b' | b'B', b'c' | b'C', b'1', ..] => is_bech32(address),
        [b'1' | b'3', ..] => is_base58(address),
        _ => false,
    };
    is.then(|| run.clone())
}

/// Twenty-five bytes in base 58, of which the last four are the sum of the others.
fn is_base58(address: &str) -> bool {
    const ALPHABET: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    if address.len() > 35 {
        return false;
    }
    let mut bytes = [0_u8; 25];
    for letter in address.bytes() {
        let Some(place) = ALPHABET.iter().position(|known| *known == letter) else { return false };
        let mut carry = place;
        for byte in bytes.iter_mut().rev() {
            carry += usize::from(*byte) * 58;
            *byte = u8::try_from(carry & 0xff).unwrap_or_default();
            carry >>= 8;
        }
        if carry != 0 {
            return false;
        }
    }
    let Some((body, sum)) = bytes.split_last_chunk::<4>() else { return false };
    body.first().is_some_and(|version| matches!(version, 0 | 5))
        && Sha256::digest(Sha256::digest(body)).starts_with(sum)
}

/// BIP 173 and BIP 350, for the main network.
fn is_bech32(address: &str) -> bool {
    const ALPHABET: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let mixed = address.bytes().any(|byte| byte.is_ascii_uppercase())
        && address.bytes().any(|byte| byte.is_ascii_lowercase());
    let Some(data) = address.get(3..) else { return false };
    let mut sum = 1_u32;
    // The name of the network, spread out, comes before what is written.
    let head = [3, 3, 0, 2, 3];
    let places =
        data.bytes().map(|byte| ALPHABET.iter().position(|known| *known == byte.to_ascii_lowercase()));
    let mut version = None;
    for place in head.into_iter().map(Some).chain(places.inspect(|place| version = version.or(*place))) {
        let Some(value) = place.and_then(|place| u32::try_from(place).ok()) else { return false };
        let top = sum >> 25;
        sum = (sum & 0x01ff_ffff) << 5 ^ value;
        let taps = GENERATOR.iter().enumerate().filter(|(bit, _)| top >> bit & 1 == 1);
        sum = taps.fold(sum, |sum, (_, tap)| sum ^ tap);
    }
    let right = if version == Some(0) { 1 } else { 0x2bc8_30a3 };
    !mixed && sum == right
}

/// EIP-55: which letters are capitals is a sum. All small, or all capitals, has none.
fn is_ethereum(address: &str) -> bool {
    let Some(digits) = address.get(2..).filter(|digits| digits.len() == 40) else { return false };
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) || digits.bytes().all(|byte| byte == b'0') {
        return false;
    }
    let has = |is: fn(&u8) -> bool| digits.as_bytes().iter().any(is);
    if !has(u8::is_ascii_lowercase) || !has(u8::is_ascii_uppercase) {
        return true;
    }
    let hash = keccak::hash(digits.to_ascii_lowercase().as_bytes());
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .bytes()
        .zip(nibbles)
        .all(|(byte, nibble)| byte.is_ascii_digit() || byte.is_ascii_uppercase() == (nibble > 7))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_addresses_are_right() {
        let cases = [
            ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", true),
            ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", false),
            ("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", true),
            ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", true),
            ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", false),
            ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", true),
            ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", true),
            ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", true),
            ("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", true),
            ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed", false),
            ("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", true),
            ("0x0000000000000000000000000000000000000000", false),
        ];
        for (text, expected) in cases {
            assert_eq!(address(text, &(0..text.len())).is_some(), expected, "{text}");
        }
    }
}
