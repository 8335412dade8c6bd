//! Numbers of cards, banks and accounts.

use super::super::plain::Plain;
use super::luhn;

/// A card of a known issuer (ISO/IEC 7812; the ranges that the networks publish) with a right sum.
pub(super) fn card(number: &Plain) -> bool {
    let (two, three, four) = (number.number(0, 2), number.number(0, 3), number.number(0, 4));
    let known = match number.bytes().len() {
        13 => two / 10 == 4,
        14 => (300..=305).contains(&three) || matches!(two, 36 | 38 | 39),
        15 => matches!(two, 34 | 37),
        16 => {
            matches!(two, 40..=49 | 51..=55 | 62 | 65)
                || matches!(three, 644..=649)
                || matches!(four, 2221..=2720 | 3528..=3589 | 6011)
        }
        19 => matches!(two, 40..=49 | 62 | 65) || four == 6011,
        _ => false,
    };
    known && luhn(number)
}

/// The routing number of a bank of the United States (ABA).
pub(super) fn aba(number: &Plain) -> bool {
    let bank = number.number(0, 2);
    matches!(bank, 1..=12 | 21..=32 | 61..=72 | 80)
        && number.weighed(&[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
}

/// How long an account number is in each country (the registry of SWIFT, release 99).
const LENGTHS: [(&[u8; 2], usize); 89] = [
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// How long an account number of the country is that the text begins with.
pub(in super::super) fn iban_length(country: &[u8]) -> Option<usize> {
    let place = LENGTHS.binary_search_by(|(code, _)| code.as_slice().cmp(country)).ok()?;
    LENGTHS.get(place).map(|(_, length)| *length)
}

/// The account number that begins here, in one piece or in groups: where it ends. Its sum is right (ISO 13616, ISO 7064 MOD 97-10).
pub(in super::super) fn iban(text: &str, at: usize) -> Option<usize> {
    let rest = text.as_bytes().get(at..)?;
    let length = match rest {
        [a @ b'A'..=b'Z', b @ b'A'..=b'Z', b'0'..=b'9', b'0'..=b'9', ..] => iban_length(&[*a, *b])?,
        _ => return None,
    };
    let (mut taken, mut end, mut last) = (0, 0, b' ');
    let (mut head, mut sum) = (0_u64, 0_u64);
    for byte in rest {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' if taken < length => {
                let worth = u64::from(if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' + 10 });
                let place = if worth > 9 { 100 } else { 10 };
                if taken < 4 {
                    head = head * place + worth;
                } else {
                    sum = sum * place + worth;
                    // To divide is dear, and done as seldom as possible.
                    if sum > u64::MAX >> 8 {
                        sum %= 97;
                    }
                }
                taken += 1;
            }
            b' ' | b'-' if taken < length && last != *byte => {}
            _ => break,
        }
        last = *byte;
        end += 1;
    }
    // The country and the two digits of the sum, six digits in all, are moved to the end.
    let whole = taken == length && (sum % 97 * 1_000_000 + head) % 97 == 1;
    let alone = !rest.get(end).is_some_and(|next| next.is_ascii_alphanumeric() || *next == b'_');
    (whole && alone).then_some(at + end)
}
