//! One pass over a document that refuses whatever two readers could read differently.

use super::eight::plain_run;
use super::{Json, Key, Texts};
use crate::Reason;

/// One pass over a document. Whoever drives it decides which objects compare their keys without regard to case.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    deepest: usize,
    /// Hashes of the keys of every open object, the innermost last.
    keys: Vec<u64>,
    texts: Texts<'a>,
}

/// How the keys of one object are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// Two keys are the same when they are equal.
    Exact,
    /// Two keys are the same when they differ only in case: some readers take `Method` for `method`.
    Folded,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(bytes: &'a [u8], deepest: usize) -> Result<Self, Reason> {
        match bytes {
            [0xEF, 0xBB, 0xBF, ..] | [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] => {
                return Err(Reason::ByteOrderMark);
            }
            // Text in UTF-16 or UTF-32 without a mark: a JSON text starts with two ASCII characters.
            [0, ..] | [_, 0, ..] => return Err(Reason::NotUtf8),
            _ => {}
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Reason::NotUtf8)?;
        Ok(Self { text, at: 0, deepest: deepest.min(128), keys: Vec::new(), texts: Texts::default() })
    }

    pub(crate) fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(crate) fn end(&mut self) -> Result<(), Reason> {
        self.space();
        if self.at == self.text.len() { Ok(()) } else { Err(Reason::TrailingBytes) }
    }

    /// Checks one value; `depth` is the nesting that an object or array here would have.
    pub(crate) fn value(&mut self, depth: usize) -> Result<Json<'a>, Reason> {
        let start = self.at;
        match self.peek() {
            Some(b'{') => self.object(depth, Keys::Exact, |scanner, _| scanner.value(depth + 1).map(drop))?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => drop(self.string()?),
            Some(b't') => self.word(b"true")?,
            Some(b'f') => self.word(b"false")?,
            Some(b'n') => self.word(b"null")?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => return Err(Reason::NotJson),
        }
        self.since(start)
    }

    /// Checks an object; `member` is called for each key with the scanner at the start of the value, and must scan it.
    pub(crate) fn object<F>(&mut self, depth: usize, keys: Keys, mut member: F) -> Result<(), Reason>
    where
        F: FnMut(&mut Self, Key<'a>) -> Result<(), Reason>,
    {
        if self.enter(depth, b'}')? {
            return Ok(());
        }
        let first_key = self.keys.len();
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(Reason::NotJson);
            }
            let key = self.string()?;
            self.keys.push(hash(key, keys));
            self.space();
            self.expect(b':')?;
            self.space();
            member(self, key)?;
            self.space();
            match self.next() {
                Some(b',') => {}
                Some(b'}') => break,
                _ => return Err(Reason::NotJson),
            }
        }
        let own = self.keys.get_mut(first_key..).unwrap_or_default();
        own.sort_unstable();
        let twice = own.windows(2).any(|pair| matches!(pair, [a, b] if a == b));
        self.keys.truncate(first_key);
        if twice { Err(Reason::DuplicateKey) } else { Ok(()) }
    }

    fn array(&mut self, depth: usize) -> Result<(), Reason> {
        if self.enter(depth, b']')? {
            return Ok(());
        }
        loop {
            self.space();
            self.value(depth + 1)?;
            self.space();
            match self.next() {
                Some(b',') => {}
                Some(b']') => return Ok(()),
                _ => return Err(Reason::NotJson),
            }
        }
    }

    /// Goes into an object or an array; says whether it has nothing in it, and then goes behind it.
    fn enter(&mut self, depth: usize, end: u8) -> Result<bool, Reason> {
        self.at += 1;
        if depth > self.deepest {
            return Err(Reason::TooDeep);
        }
        self.space();
        let empty = self.peek() == Some(end);
        self.at += usize::from(empty);
        Ok(empty)
    }

    fn string(&mut self) -> Result<Key<'a>, Reason> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += plain_run(self.text.as_bytes().get(self.at..).unwrap_or_default());
            match self.next() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.escape()?;
                    escaped = true;
                }
                _ => return Err(Reason::NotJson),
            }
        }
        if escaped {
            self.texts.push(self.text.get(start - 1..self.at).unwrap_or_default());
        }
        self.text.get(start..self.at - 1).map(Key).ok_or(Reason::NotJson)
    }

    fn escape(&mut self) -> Result<(), Reason> {
        match self.next() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(()),
            Some(b'u') => match self.unit()? {
                0xD800..=0xDBFF => {
                    let low = self.next() == Some(b'\\') && self.next() == Some(b'u');
                    if low && (0xDC00..0xE000).contains(&self.unit()?) {
                        Ok(())
                    } else {
                        Err(Reason::LoneSurrogate)
                    }
                }
                0xDC00..=0xDFFF => Err(Reason::LoneSurrogate),
                _ => Ok(()),
            },
            _ => Err(Reason::NotJson),
        }
    }

    fn unit(&mut self) -> Result<u32, Reason> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = self.next().and_then(|b| char::from(b).to_digit(16)).ok_or(Reason::NotJson)?;
            value = value * 16 + digit;
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<(), Reason> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.next() {
            Some(b'0') => {}
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(Reason::NotJson),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.some_digits()?;
        } else if self.at - start < 300 {
            return Ok(());
        }
        // Some readers take a number that is too large for infinity, some refuse it.
        let text = self.text.get(start..self.at).unwrap_or_default();
        let value = text.parse::<f64>().map_err(|_| Reason::NotJson)?;
        if value.is_finite() { Ok(()) } else { Err(Reason::NumberOutOfRange) }
    }

    fn some_digits(&mut self) -> Result<(), Reason> {
        if !self.peek().is_some_and(|b| b.is_ascii_digit()) {
            return Err(Reason::NotJson);
        }
        self.digits();
        Ok(())
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Reason> {
        if self.text.as_bytes().get(self.at..self.at + word.len()) != Some(word) {
            return Err(Reason::NotJson);
        }
        self.at += word.len();
        Ok(())
    }

    fn expect(&mut self, byte: u8) -> Result<(), Reason> {
        if self.next() == Some(byte) { Ok(()) } else { Err(Reason::NotJson) }
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Scans a part under a stricter depth limit.
    pub(crate) fn within<T>(&mut self, deepest: usize, part: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.deepest;
        self.deepest = deepest.min(outer);
        let result = part(self);
        self.deepest = outer;
        result
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The long texts that were scanned.
    pub(crate) fn texts(self) -> Texts<'a> {
        self.texts
    }

    /// The value from `start` to here. Only for what has just been scanned.
    pub(crate) fn since(&self, start: usize) -> Result<Json<'a>, Reason> {
        self.text.get(start..self.at).map(Json).ok_or(Reason::NotJson)
    }
}

/// FNV-1a. Equal keys always hash equally; two different keys that collide only get their own message refused.
fn hash(key: Key<'_>, keys: Keys) -> u64 {
    let step = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let start = 0xcbf2_9ce4_8422_2325;
    match (key.plain(), keys) {
        (Some(plain), Keys::Exact) => plain.iter().copied().fold(start, step),
        (Some(plain), Keys::Folded) => plain.iter().map(u8::to_ascii_lowercase).fold(start, step),
        (None, Keys::Exact) => key.text().bytes().fold(start, step),
        (None, Keys::Folded) => folded(key).bytes().fold(start, step),
    }
}

/// Do two names differ only in case?
pub(crate) fn same_folded(key: Key<'_>, name: &str) -> bool {
    match key.plain() {
        Some(plain) => plain.eq_ignore_ascii_case(name.as_bytes()),
        None => folded(key).eq_ignore_ascii_case(name),
    }
}

/// A key without regard to case. Upper, then lower: so that `ſ` meets `s` and `K` (Kelvin) meets `k`.
fn folded(key: Key<'_>) -> String {
    key.text().chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}
