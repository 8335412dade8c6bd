//! Makes texts from their descriptions; the same seed makes the same texts.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

const LOWER: &str = "0123456789abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ALNUM: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

pub(crate) struct Maker(u64);

impl Maker {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// The description with every `{…}` of ours filled in.
    pub(crate) fn text(&mut self, form: &str) -> String {
        let (mut made, mut rest) = (String::new(), form);
        while let Some(at) = rest.find('{') {
            made.push_str(&rest[..at]);
            let inner = closed(&rest[at..]);
            if let Some(part) = inner.and_then(|inner| self.part(inner)) {
                made.push_str(&part);
                rest = &rest[at + inner.unwrap().len() + 2..];
            } else {
                made.push('{');
                rest = &rest[at + 1..];
            }
        }
        (made + rest).replace("\\n", "\n")
    }

    fn part(&mut self, inner: &str) -> Option<String> {
        let (name, value) = inner.split_once(':').unwrap_or((inner, ""));
        let count = value.parse().unwrap_or(0);
        let alphabet = match name {
            "alnum" => ALNUM,
            "lower" => LOWER,
            "upper" => UPPER,
            "letter" => LETTERS,
            "base32" => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
            "bech" => "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
            "hex" => "0123456789abcdef",
            "HEX" => "0123456789ABCDEF",
            "digit" => "0123456789",
            "url" => return Some(self.marked(count, "-_")),
            "base64" => return Some(self.marked(count, "+/")),
            "uuid" => return Some(self.text("{hex:8}-{hex:4}-{hex:4}-{hex:4}-{hex:12}")),
            "crc" => {
                let body = self.letters(ALNUM, 30);
                return Some(format!("{body}{}", base62(crc32(&body))));
            }
            "snowflake" => {
                let number = self.letters("123456789", 18);
                return Some(URL_SAFE_NO_PAD.encode(number));
            }
            "bits" => {
                let text = self.text(value);
                return Some(STANDARD.encode(text));
            }
            "jwt" => {
                let head = URL_SAFE_NO_PAD.encode("{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"1\"}");
                let claims = self
                    .text("{\"sub\":\"{digit:8}\",\"iss\":\"https://id.service.test\",\"exp\":1900000000}");
                return Some(format!("{head}.{}.{}", URL_SAFE_NO_PAD.encode(claims), self.marked(342, "-_")));
            }
            "pem" | "pem1" => return Some(self.pem(value, if name == "pem" { "\n" } else { "\\\u{1}n" })),
            "password" => return Some(self.password()),
            _ => return None,
        };
        (count > 0).then(|| self.letters(alphabet, count))
    }

    fn pem(&mut self, label: &str, end: &str) -> String {
        let lines: Vec<_> = (0..9).map(|_| self.marked(64, "+/")).collect();
        let lines = lines.join(end);
        format!("-----BEGIN {label}-----{end}{lines}{end}-----END {label}-----")
    }

    /// Something that a person chose, or a program for one.
    fn password(&mut self) -> String {
        let form = [
            "{lower:3}{letter:4}!{digit:3}",
            "{letter:6}-{digit:2}#{letter:4}",
            "{alnum:14}",
            "{letter:5}{digit:4}!",
        ];
        let form = form[self.below(form.len())];
        loop {
            let made = self.text(form);
            let has = |is: fn(u8) -> bool| made.bytes().any(is);
            if has(|byte| byte.is_ascii_digit())
                && has(|byte| byte.is_ascii_lowercase())
                && has(|byte| byte.is_ascii_uppercase())
            {
                return made;
            }
        }
    }

    /// Letters and digits, with those two marks inside.
    fn marked(&mut self, count: usize, marks: &str) -> String {
        let alphabet = format!("{ALNUM}{marks}");
        let (first, last) = (self.letters(ALNUM, 1), self.letters(ALNUM, 1));
        format!("{first}{}{last}", self.letters(&alphabet, count.saturating_sub(2)))
    }

    fn letters(&mut self, alphabet: &str, count: usize) -> String {
        (0..count).map(|_| char::from(alphabet.as_bytes()[self.below(alphabet.len())])).collect()
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// What is between the first brace and its own closing one.
fn closed(text: &str) -> Option<&str> {
    let mut depth = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return Some(&text[1..at]),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Bit by bit, the polynomial as a division: not as the crate does it.
fn crc32(text: &str) -> u32 {
    let mut sum = u32::MAX;
    for bit in text.bytes().flat_map(|byte| (0..8).map(move |at| u32::from(byte >> at & 1))) {
        let out = (sum & 1) ^ bit;
        sum = (sum >> 1) ^ (out * 0xedb8_8320);
    }
    !sum
}

fn base62(mut sum: u32) -> String {
    let mut digits = Vec::new();
    for _ in 0..6 {
        digits.push(char::from(ALNUM.as_bytes()[usize::try_from(sum % 62).unwrap()]));
        sum /= 62;
    }
    digits.iter().rev().collect()
}
