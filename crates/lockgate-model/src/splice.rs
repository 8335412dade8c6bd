use std::ops::Range;

use bytes::Bytes;

use crate::{Json, Key, quote};

/// Replaces parts of a message and leaves every other byte as it came.
pub struct Splice<'a> {
    source: &'a [u8],
    cuts: Vec<(usize, usize, Vec<u8>)>,
}

impl<'a> Splice<'a> {
    /// Starts from the whole message.
    pub fn new(source: &'a [u8]) -> Self {
        Self { source, cuts: Vec::new() }
    }

    /// Replaces one value of the message. A value that is not part of it is left alone. Parts must not overlap.
    pub fn replace(&mut self, part: Json<'_>, with: impl Into<Vec<u8>>) {
        if let Some(start) = offset(self.source, part.raw()) {
            self.cuts.push((start, start + part.raw().len(), with.into()));
        }
    }

    /// Replaces the name of a member. One that is not part of the message is left alone.
    pub fn rename(&mut self, key: Key<'_>, name: &str) {
        if let Some(start) = offset(self.source, key.raw()) {
            let quoted = quote(name).into_bytes();
            let inner = quoted.get(1..quoted.len() - 1).unwrap_or_default();
            self.cuts.push((start, start + key.raw().len(), inner.to_vec()));
        }
    }

    /// Adds a member in front of the others of an object of the message.
    pub fn insert(&mut self, object: Json<'_>, members: impl AsRef<[u8]>) {
        if let Some(start) = offset(self.source, object.raw()) {
            let comma = if object.members().next().is_some() { "," } else { "" };
            self.cuts.push((start + 1, start + 1, [members.as_ref(), comma.as_bytes()].concat()));
        }
    }

    /// Takes members out of an object of the message: all that are not to be kept. To those that are kept more may be done.
    pub fn retain(&mut self, object: Json<'_>, keep: impl Fn(&str) -> bool) {
        let Some(start) = offset(self.source, object.raw()) else { return };
        // Where the last member that is kept ends, and whether one was left out behind it.
        let (mut end, mut kept, mut left_out) = (start + 1, false, false);
        for (key, value) in object.members() {
            if !keep(&key.text()) {
                left_out = true;
                continue;
            }
            let (Some(name), Some(at)) = (offset(self.source, key.raw()), offset(self.source, value.raw()))
            else {
                return;
            };
            if left_out {
                self.cuts.push((end, name - 1, if kept { b",".to_vec() } else { Vec::new() }));
            }
            (end, kept, left_out) = (at + value.raw().len(), true, false);
        }
        if left_out {
            self.cuts.push((end, start + object.raw().len() - 1, Vec::new()));
        }
    }

    /// Is there nothing to replace?
    pub fn is_empty(&self) -> bool {
        self.cuts.is_empty()
    }

    /// The new message.
    pub fn finish(mut self) -> Bytes {
        self.cuts.sort_by_key(|&(start, end, _)| (start, end));
        let added: usize = self.cuts.iter().map(|(_, _, with)| with.len()).sum();
        let mut out = Vec::with_capacity(self.source.len() + added);
        let mut from = 0;
        for (start, end, with) in &self.cuts {
            out.extend_from_slice(self.source.get(from..*start).unwrap_or_default());
            out.extend_from_slice(with);
            from = *end;
        }
        out.extend_from_slice(self.source.get(from..).unwrap_or_default());
        out.into()
    }
}

/// Where `part` lies in `whole`, by address: it is a slice of it or it is not part of it.
fn offset(whole: &[u8], part: &[u8]) -> Option<usize> {
    place(whole, part).map(|place| place.start)
}

/// The same with its end.
pub(crate) fn place(whole: &[u8], part: &[u8]) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    let end = start.checked_add(part.len())?;
    (end <= whole.len()).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_members_are_replaced() {
        let text = br#"{"a\u0041": {"b":1 }}"#;
        let json = Json::check(text, 8).unwrap();
        let mut splice = Splice::new(text);
        let (key, value) = json.members().next().unwrap();
        splice.rename(key, "x\"y");
        splice.rename(value.members().next().unwrap().0, "");
        assert_eq!(&splice.finish()[..], br#"{"x\"y": {"":1 }}"#);
    }

    #[test]
    fn members_are_taken_out_with_their_commas() {
        for (keep, expected) in [
            ("abc", r#"{ "a" : 9 , "b":[2], "c":{} }"#),
            ("ab", r#"{ "a" : 9 , "b":[2]}"#),
            ("ac", r#"{ "a" : 9,"c":{} }"#),
            ("bc", r#"{"b":[2], "c":{} }"#),
            ("a", r#"{ "a" : 9}"#),
            ("b", r#"{"b":[2]}"#),
            ("c", r#"{"c":{} }"#),
            ("", "{}"),
        ] {
            let text = br#"{ "a" : 1 , "b":[2], "c":{} }"#;
            let json = Json::check(text, 8).unwrap();
            let mut splice = Splice::new(text);
            splice.retain(json, |name| keep.contains(name));
            if keep.contains('a') {
                splice.replace(json.get("a").unwrap(), *b"9");
            }
            assert_eq!(std::str::from_utf8(&splice.finish()).unwrap(), expected, "{keep}");
        }
    }

    #[test]
    fn leaves_the_rest_as_it_came() {
        let text = br#"{ "id" : 7 , "params":{"name":"a__b", "x":1.50}, "m":{}}"#;
        let json = Json::check(text, 8).unwrap();
        let mut splice = Splice::new(text);
        splice.replace(json.get("params").unwrap().get("name").unwrap(), *b"\"b\"");
        splice.replace(json.get("id").unwrap(), *b"12");
        splice.insert(json.get("m").unwrap(), "\"k\":1");
        assert_eq!(&splice.finish()[..], br#"{ "id" : 12 , "params":{"name":"b", "x":1.50}, "m":{"k":1}}"#);
    }
}
