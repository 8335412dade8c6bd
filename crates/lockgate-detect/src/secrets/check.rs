//! What can be checked of a token without asking anybody.

use base64::Engine;
use lockgate_model::Json;

use super::Sure;
use crate::letters::{BASE64, BASE64_URL};

/// What a rule asks beyond the shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    Nothing,
    /// The last six of 36 characters are the CRC-32 of the thirty before them, in base 62: GitHub and npm.
    /// <https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/>
    Crc32Base62,
    /// The last eight are the CRC-32 of what is before the last `_`, low byte first, in hex. From `satokengen` of Grafana.
    Crc32Grafana,
    /// The first part is the number of an account in base 64.
    Discord,
}

impl Check {
    pub(super) fn read(name: &str) -> Option<Self> {
        Some(match name {
            "crc32_base62" => Self::Crc32Base62,
            "crc32_grafana" => Self::Crc32Grafana,
            "discord" => Self::Discord,
            _ => return None,
        })
    }

    /// How sure it is that this is such a token; nothing where it cannot be one. A wrong sum only makes it less sure: issuers
    /// change how they calculate.
    pub(super) fn ask(self, token: &str, sure: Sure) -> Option<Sure> {
        let sum = |right: Option<bool>| if right == Some(true) { Sure::Checked } else { Sure::Likely };
        match self {
            Self::Nothing => Some(sure),
            Self::Crc32Base62 => Some(sum(ends_with_base62(token))),
            Self::Crc32Grafana => Some(sum(ends_with_hex(token))),
            Self::Discord => {
                let account = base64_url(token.split_once('.')?.0)?;
                (account.len() >= 17 && account.iter().all(u8::is_ascii_digit)).then_some(sure)
            }
        }
    }
}

/// The bytes that the text is in base 64, with or without padding.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

/// The same, in the alphabet that is safe in addresses.
pub(super) fn base64_url(text: &str) -> Option<Vec<u8>> {
    BASE64_URL.decode(text).ok()
}

/// Whether this part of a JSON Web Token is an object with a text under that name.
pub(super) fn has_text(part: &str, name: &str) -> bool {
    let Some(bytes) = base64_url(part) else { return false };
    Json::check(&bytes, 8).is_ok_and(|json| json.get(name).and_then(Json::text).is_some())
}

fn ends_with_base62(token: &str) -> Option<bool> {
    let (body, sum) = token.split_once('_')?.1.split_at_checked(30)?;
    let mut rest = crc32(body.as_bytes());
    let mut right = true;
    for digit in sum.bytes().rev() {
        let expected = match u8::try_from(rest % 62).ok()? {
            low @ 0..10 => b'0' + low,
            middle @ 10..36 => b'A' + middle - 10,
            high => b'a' + high - 36,
        };
        right &= digit == expected;
        rest /= 62;
    }
    Some(right && rest == 0)
}

fn ends_with_hex(token: &str) -> Option<bool> {
    let (body, sum) = token.rsplit_once('_')?;
    let sum = u32::from_str_radix(sum, 16).ok()?;
    Some(sum.swap_bytes() == crc32(body.as_bytes()))
}

/// CRC-32 as in zip files.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(
            sum ^ u32::from(*byte),
            |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_zip_files() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn sums_are_checked() {
        // Of a published example of the format, put together here so that no scanner takes it for a token.
        let example = ["ghp_", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17"].concat();
        assert_eq!(Check::Crc32Base62.ask(&example, Sure::Checked), Some(Sure::Checked));
        assert_eq!(Check::Crc32Base62.ask(&example.replace('z', "y"), Sure::Checked), Some(Sure::Likely));
        let body = "glsa_abc";
        let sum = crc32(body.as_bytes()).swap_bytes();
        assert_eq!(Check::Crc32Grafana.ask(&format!("{body}_{sum:08x}"), Sure::Checked), Some(Sure::Checked));
        assert_eq!(
            Check::Crc32Grafana.ask(&format!("{body}_{:08x}", sum ^ 1), Sure::Checked),
            Some(Sure::Likely)
        );
    }

    #[test]
    fn an_account_is_a_number() {
        let number = |digits: &str| format!("{}.a.b", BASE64_URL.encode(digits));
        assert_eq!(Check::Discord.ask(&number("123456789012345678"), Sure::Checked), Some(Sure::Checked));
        assert_eq!(Check::Discord.ask(&number("12345678901234567x"), Sure::Checked), None);
        assert_eq!(Check::Discord.ask("MTIz", Sure::Checked), None);
    }
}
