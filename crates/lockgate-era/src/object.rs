//! Objects taken apart and put together again, each member with the bytes it came as.

use lockgate_model::{Json, Key, quote};

/// A member of an object.
pub(crate) struct Member<'a> {
    pub(crate) key: Key<'a>,
    pub(crate) value: Json<'a>,
    /// Name and value, as they came.
    pub(crate) text: &'a [u8],
}

/// The members of an object, in order.
pub(crate) fn members(object: Json<'_>) -> impl Iterator<Item = Member<'_>> {
    let raw = object.raw();
    let mut from = 1;
    object.members().map(move |(key, value)| {
        let end = (value.raw().as_ptr() as usize).wrapping_sub(raw.as_ptr() as usize) + value.raw().len();
        let text = raw.get(from..end).unwrap_or_default();
        from = end;
        let name = text.iter().position(|byte| *byte == b'"').unwrap_or_default();
        Member { key, value, text: text.get(name..).unwrap_or_default() }
    })
}

/// An object that is being written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object(Vec<u8>);

impl Object {
    /// The members of another object that are to stay.
    pub(crate) fn of(object: Option<Json<'_>>, stays: impl Fn(&str) -> bool) -> Self {
        let mut new = Self::default();
        for (key, value) in object.into_iter().flat_map(Json::members) {
            let name = key.text();
            if stays(&name) {
                new = new.with(&name, value.raw());
            }
        }
        new
    }

    /// Adds members that are written already.
    pub(crate) fn push(&mut self, written: &[u8]) {
        if !self.0.is_empty() && !written.is_empty() {
            self.0.push(b',');
        }
        self.0.extend_from_slice(written);
    }

    /// Adds a member. The value is JSON.
    pub(crate) fn add(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.push(quote(name).as_bytes());
        self.0.push(b':');
        self.0.extend_from_slice(value.as_ref());
    }

    /// The same, for one that is written at a stretch.
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.add(name, value);
        self
    }

    /// With the members of another.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        self.push(&other.0);
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The whole object.
    pub(crate) fn json(&self) -> Vec<u8> {
        [b"{", &self.0[..], b"}"].concat()
    }

    /// The members without the braces.
    pub(crate) fn written(&self) -> &[u8] {
        &self.0
    }
}
