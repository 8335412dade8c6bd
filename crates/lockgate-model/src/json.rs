//! A strict JSON scanner and a borrowed view of what it accepted.
//!
//! The scanner goes over the text once and refuses whatever two readers could read differently: duplicate keys, lone
//! surrogates, text that is not UTF-8, over-deep nesting. The view then walks the accepted text without checking again.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;

use memchr::memchr2;

use crate::Reason;

mod texts;
mod unescape;

pub use texts::Texts;
use unescape::decode;

/// One value of an accepted document: the bytes it came as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Json<'a>(&'a [u8]);

/// What sort of value it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// A number.
    Number,
    /// `true` or `false`
    Bool,
    /// `null`
    Null,
}

impl std::fmt::Debug for Json<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Json({:?}, {} bytes)", self.kind(), self.0.len())
    }
}

impl<'a> Json<'a> {
    /// Checks a whole document strictly. `depth` is the deepest nesting allowed.
    pub fn check(bytes: &'a [u8], depth: usize) -> Result<Self, Reason> {
        Self::locate(bytes, depth).map_err(|(reason, _)| reason)
    }

    /// The same, for a file that people mend: also says at which byte the fault was noticed.
    pub fn locate(bytes: &'a [u8], depth: usize) -> Result<Self, (Reason, usize)> {
        let mut scanner = Scanner::new(bytes, depth).map_err(|reason| (reason, 0))?;
        scanner.space();
        let value = scanner.value(1).and_then(|value| scanner.end().map(|()| value));
        value.map_err(|reason| (reason, scanner.at()))
    }

    /// A view of text that was not checked: walking it is safe but may see nonsense.
    pub(crate) fn unchecked(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Where it lies in the message that it was read from; none where it is not part of it.
    pub fn place_in(self, message: &[u8]) -> Option<Range<usize>> {
        crate::splice::place(message, self.0)
    }

    /// The bytes as they came.
    pub fn raw(self) -> &'a [u8] {
        self.0
    }

    /// What sort of value it is.
    pub fn kind(self) -> Kind {
        match self.0.first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        }
    }

    /// The members of an object, in order; nothing for another value.
    pub fn members(self) -> Members<'a> {
        Members { bytes: if self.kind() == Kind::Object { self.0 } else { b"" }, at: 1 }
    }

    /// The elements of an array, in order; nothing for another value.
    pub fn elements(self) -> Elements<'a> {
        Elements { bytes: if self.kind() == Kind::Array { self.0 } else { b"" }, at: 1 }
    }

    /// Visits everything inside in order, however deep, and reads each byte once. Where `visit` gives false of an object or
    /// an array that begins, what is in it is passed over, and it is not left.
    pub fn walk(self, visit: &mut dyn FnMut(Visit<'a>) -> bool) {
        Texts::none().walk(self, visit);
    }

    /// The member of that name.
    pub fn get(self, name: &str) -> Option<Json<'a>> {
        self.members().find(|(key, _)| key.is(name)).map(|(_, value)| value)
    }

    /// The text of a string.
    pub fn text(self) -> Option<Cow<'a, str>> {
        (self.kind() == Kind::String).then(|| decode(self.0.get(1..self.0.len() - 1).unwrap_or_default()))
    }

    /// `true` or `false`.
    pub fn bool(self) -> Option<bool> {
        match self.0 {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        }
    }

    /// An integer written in plain digits, as the code of an error.
    pub fn integer(self) -> Option<i64> {
        std::str::from_utf8(self.0).ok()?.parse().ok().filter(|_| self.kind() == Kind::Number)
    }

    /// A non-negative integer written in plain digits.
    pub fn unsigned(self) -> Option<u64> {
        std::str::from_utf8(self.0).ok()?.parse().ok().filter(|_| self.kind() == Kind::Number)
    }
}

/// What [`Json::walk`] comes to.
#[derive(Clone, Copy)]
pub enum Visit<'a> {
    /// An object or an array begins.
    Enter(Inside<'a>),
    /// It ends.
    Leave,
    /// The name of a member of the innermost object; its value comes next.
    Name(Key<'a>),
    /// A string, a number, a truth value or null.
    Value(Json<'a>),
}

/// An object or an array that [`Json::walk`] comes to, not yet read.
#[derive(Clone, Copy)]
pub struct Inside<'a>(&'a [u8]);

impl<'a> Inside<'a> {
    /// [`Kind::Object`] or [`Kind::Array`].
    pub fn kind(self) -> Kind {
        Json(self.0).kind()
    }

    /// All of it, which is to read it to its end.
    pub fn whole(self) -> Json<'a> {
        Json(self.0.get(..skip_value(self.0, 0)).unwrap_or_default())
    }
}

/// A member's name.
#[derive(Clone, Copy)]
pub struct Key<'a>(&'a [u8]);

impl<'a> Key<'a> {
    /// The name, unescaped.
    pub fn text(self) -> Cow<'a, str> {
        decode(self.0)
    }

    /// The bytes between the quotes, as they came.
    pub(crate) fn raw(self) -> &'a [u8] {
        self.0
    }

    /// The bytes of a name that is ASCII without escapes, as nearly all are.
    fn plain(self) -> Option<&'a [u8]> {
        self.0.iter().all(|b| b.is_ascii() && *b != b'\\').then_some(self.0)
    }

    /// Is it that name?
    pub fn is(self, name: &str) -> bool {
        let escaped = || self.0.contains(&b'\\');
        // An escape is longer than what it stands for.
        match self.0.len().cmp(&name.len()) {
            Ordering::Less => false,
            Ordering::Equal => self.0 == name.as_bytes() && !escaped(),
            Ordering::Greater => escaped() && self.text() == name,
        }
    }
}

/// See [`Json::members`].
pub struct Members<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Members<'a> {
    type Item = (Key<'a>, Json<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.at = skip_filler(self.bytes, self.at);
        if self.bytes.get(self.at) != Some(&b'"') {
            return None;
        }
        let key_end = skip_string(self.bytes, self.at);
        let key = Key(self.bytes.get(self.at + 1..key_end - 1)?);
        let start = skip_filler(self.bytes, key_end);
        self.at = skip_value(self.bytes, start);
        Some((key, Json(self.bytes.get(start..self.at)?)))
    }
}

/// See [`Json::elements`].
pub struct Elements<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = skip_filler(self.bytes, self.at);
        if matches!(self.bytes.get(start), None | Some(b']')) {
            return None;
        }
        self.at = skip_value(self.bytes, start);
        Some(Json(self.bytes.get(start..self.at)?))
    }
}

/// The members of an object, remembered as it was checked: to look one up is not to read the object again.
#[derive(Clone, Default)]
pub struct Fields<'a> {
    members: Vec<(Key<'a>, Json<'a>)>,
    texts: Texts<'a>,
}

impl<'a> Fields<'a> {
    pub(crate) fn push(&mut self, key: Key<'a>, value: Json<'a>) {
        self.members.push((key, value));
    }

    /// The same, with what is remembered of the texts inside.
    pub(crate) fn with(self, texts: Texts<'a>) -> Self {
        Self { texts, ..self }
    }

    /// The long texts anywhere inside.
    pub fn texts(&self) -> &Texts<'a> {
        &self.texts
    }

    /// The member of that name.
    pub fn get(&self, name: &str) -> Option<Json<'a>> {
        self.members.iter().find(|(key, _)| key.is(name)).map(|(_, value)| *value)
    }
}

impl std::fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fields({})", self.members.len())
    }
}

/// Writes a string as JSON, with quotes.
pub fn quote(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' || c == '\u{7f}' || matches!(c, '\u{2028}' | '\u{2029}') => {
                let written = write!(out, "\\u{:04x}", u32::from(c));
                debug_assert!(written.is_ok(), "writing to a String does not fail");
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

// ---- walking accepted text ----

fn skip_filler(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b':')) {
        at += 1;
    }
    at
}

/// From an opening quote to just past the closing one.
fn skip_string(bytes: &[u8], at: usize) -> usize {
    let mut from = at + 1;
    loop {
        let Some(found) = bytes.get(from..).and_then(|rest| memchr2(b'"', b'\\', rest)) else {
            return bytes.len();
        };
        if bytes.get(from + found) == Some(&b'"') {
            return from + found + 1;
        }
        from += found + 2;
    }
}

fn skip_value(bytes: &[u8], mut at: usize) -> usize {
    match bytes.get(at) {
        Some(b'"') => skip_string(bytes, at),
        Some(b'{' | b'[') => {
            let mut depth = 0_usize;
            while let Some(byte) = bytes.get(at) {
                match byte {
                    b'"' => {
                        at = skip_string(bytes, at);
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth -= 1;
                        if depth == 0 {
                            return at + 1;
                        }
                    }
                    _ => {}
                }
                at += 1;
            }
            at
        }
        _ => {
            while !matches!(bytes.get(at), None | Some(b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r')) {
                at += 1;
            }
            at
        }
    }
}

// ---- checking ----

/// One pass over a document. Whoever drives it decides which objects compare their keys without regard to case.
pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
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
        std::str::from_utf8(bytes).map_err(|_| Reason::NotUtf8)?;
        Ok(Self { bytes, at: 0, deepest: deepest.min(128), keys: Vec::new(), texts: Texts::default() })
    }

    pub(crate) fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(crate) fn end(&mut self) -> Result<(), Reason> {
        self.space();
        if self.at == self.bytes.len() { Ok(()) } else { Err(Reason::TrailingBytes) }
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
        self.enter(depth)?;
        let first_key = self.keys.len();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
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
        self.enter(depth)?;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
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

    fn enter(&mut self, depth: usize) -> Result<(), Reason> {
        self.at += 1;
        if depth > self.deepest { Err(Reason::TooDeep) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<Key<'a>, Reason> {
        self.at += 1;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += plain_run(self.bytes.get(self.at..).unwrap_or_default());
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
            self.texts.push(self.bytes.get(start - 1..self.at).unwrap_or_default());
        }
        self.bytes.get(start..self.at - 1).map(Key).ok_or(Reason::NotJson)
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
        let text = self.bytes.get(start..self.at).and_then(|raw| std::str::from_utf8(raw).ok());
        let value = text.and_then(|text| text.parse::<f64>().ok()).ok_or(Reason::NotJson)?;
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
        if self.bytes.get(self.at..self.at + word.len()) != Some(word) {
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
        self.bytes.get(start..self.at).map(Json).ok_or(Reason::NotJson)
    }
}

/// How many bytes from the start are neither a quote, a backslash nor a control character. Eight bytes at a time.
fn plain_run(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let has_zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let mut count = 0;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        let quote = has_zero(word ^ (ONES * u64::from(b'"')));
        let backslash = has_zero(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let stop = quote | backslash | control;
        if stop != 0 {
            // The lowest marked byte is exact: a borrow can only mark bytes above a true one.
            return count + (stop.trailing_zeros() / 8) as usize;
        }
        count += 8;
    }
    count + rest.iter().take_while(|&&b| b != b'"' && b != b'\\' && b >= 0x20).count()
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str) -> Result<(), Reason> {
        Json::check(text.as_bytes(), 8).map(drop)
    }

    #[test]
    fn refuses_what_two_readers_could_read_differently() {
        for (text, reason) in [
            (r#"{"a":1,"a":2}"#, Reason::DuplicateKey),
            (r#"{"a":1,"\u0061":2}"#, Reason::DuplicateKey),
            (r#"{"x":{"a":1,"b":[],"a":2}}"#, Reason::DuplicateKey),
            (r#""\ud800""#, Reason::LoneSurrogate),
            (r#""\udc00""#, Reason::LoneSurrogate),
            (r#""\ud800\u0041""#, Reason::LoneSurrogate),
            ("1 2", Reason::TrailingBytes),
            ("[[[[[[[[[1]]]]]]]]]", Reason::TooDeep),
            ("01", Reason::TrailingBytes),
            ("1.", Reason::NotJson),
            ("+1", Reason::NotJson),
            ("NaN", Reason::NotJson),
            ("[1,]", Reason::NotJson),
            (r#"{"a":1,}"#, Reason::NotJson),
            ("\"a\nb\"", Reason::NotJson),
            ("'a'", Reason::NotJson),
            ("1e309", Reason::NumberOutOfRange),
            ("-1E+999999999999", Reason::NumberOutOfRange),
            ("", Reason::NotJson),
            ("\u{feff}1", Reason::ByteOrderMark),
        ] {
            assert_eq!(check(text), Err(reason), "{text}");
        }
    }

    #[test]
    fn walks_what_it_accepted() {
        let text = br#" {"a" : [1, {"b":"x\"y"} ,"\ud83d\ude00"], "c":null} "#;
        let json = Json::check(text, 8).unwrap();
        let list: Vec<_> = json.get("a").unwrap().elements().collect();
        assert_eq!(list.len(), 3);
        assert_eq!(list[1].get("b").unwrap().text().unwrap(), "x\"y");
        assert_eq!(list[2].text().unwrap(), "😀");
        assert_eq!(json.get("c").unwrap().kind(), Kind::Null);
        assert!(json.get("d").is_none());
    }

    #[test]
    fn what_is_not_entered_is_passed_over() {
        let text = br#"{"a":{"b":["]}",{}]},"c":[1,[2]],"d":"e\\"}"#;
        let json = Json::check(text, 8).unwrap();
        let seen = |enters: &dyn Fn(Kind) -> bool| {
            let mut seen = String::new();
            json.walk(&mut |visit| {
                match visit {
                    Visit::Enter(inside) if seen.is_empty() => {
                        seen.push_str(&format!("{:?} ", inside.kind()));
                    }
                    Visit::Enter(inside) => {
                        seen.push_str(&String::from_utf8_lossy(inside.whole().raw()));
                        return enters(inside.kind());
                    }
                    Visit::Leave => seen.push('<'),
                    Visit::Name(name) => seen.push_str(&format!(" {}:", name.text())),
                    Visit::Value(value) => seen.push_str(&String::from_utf8_lossy(value.raw())),
                }
                true
            });
            seen
        };
        assert_eq!(seen(&|_| false), r#"Object  a:{"b":["]}",{}]} c:[1,[2]] d:"e\\"<"#);
        assert_eq!(
            seen(&|kind| kind == Kind::Array),
            r#"Object  a:{"b":["]}",{}]} c:[1,[2]]1[2]2<< d:"e\\"<"#
        );
        assert_eq!(
            seen(&|kind| kind == Kind::Object),
            r#"Object  a:{"b":["]}",{}]} b:["]}",{}]< c:[1,[2]] d:"e\\"<"#
        );
    }

    proptest! {
        /// Whatever we accept, a second parser accepts and reads the same; whatever it refuses, we refuse.
        #[test]
        fn agrees_with_serde_json(text in r#"[\[\]{}",:\\ 0-9a-cu.eE+-]{0,24}"#) {
            let ours = check(&text).is_ok();
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            if ours { prop_assert!(theirs.is_ok()); }
            if theirs.is_err() { prop_assert!(!ours); }
        }

        #[test]
        fn quoted_text_reads_back(text in any::<String>()) {
            let quoted = quote(&text);
            let json = Json::check(quoted.as_bytes(), 4).unwrap();
            prop_assert_eq!(json.text().unwrap(), text.as_str());
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }

        #[test]
        fn plain_run_is_exact(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let slow = bytes.iter().take_while(|&&b| b != b'"' && b != b'\\' && b >= 0x20).count();
            prop_assert_eq!(plain_run(&bytes), slow);
        }
    }
}
