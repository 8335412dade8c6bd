use std::fmt;

/// A value that came from a server or an agent. It has no `Display`; it leaves through a named escape.
#[derive(Clone, PartialEq, Eq)]
pub struct Untrusted<T>(T);

impl<T> Untrusted<T> {
    /// Marks a value as coming from outside.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for forwarding it to where it was addressed or for inspecting it. Never for an error text.
    pub fn forward(&self) -> &T {
        &self.0
    }
}

impl<T: AsRef<str>> Untrusted<T> {
    /// The text where it is a plain name: at most `max` of letters, digits and `_`, `-`, `.`, `/`, which can neither
    /// hide anything nor read like a sentence.
    pub fn plain(&self, max: usize) -> Option<&str> {
        let text = self.0.as_ref();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./".contains(&b);
        ((1..=max).contains(&text.len()) && text.bytes().all(plain)).then_some(text)
    }

    /// The text for a person: at most `max` characters, every control, format and non-ASCII character written as an
    /// escape, so that nothing in it can move a cursor, hide or reorder text.
    pub fn escaped(&self, max: usize) -> String {
        let mut out = String::new();
        for (count, c) in self.0.as_ref().chars().enumerate() {
            if count == max {
                out.push('…');
                break;
            }
            if c == ' ' || c.is_ascii_graphic() { out.push(c) } else { out.extend(c.escape_default()) }
        }
        out
    }
}

impl<T> fmt::Debug for Untrusted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Untrusted(..)")
    }
}
