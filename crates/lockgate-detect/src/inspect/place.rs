//! Where in an object one is while it is walked through.

use std::borrow::Cow;

use lockgate_model::{Inside, Json, Kind};

/// Longest pointer, in bytes. A longer one ends with `…`, so that an object of long names and many findings costs no more
/// than its length.
pub(super) const LONGEST_POINTER: usize = 512;

/// Longest name that says anything of a value, in bytes. For the same reason.
const LONGEST_NAME: usize = 128;

/// The way from the root to what is looked at.
#[derive(Default)]
pub(super) struct Place<'j>(Vec<Step<'j>>);

/// An object or an array that has begun and not ended.
struct Step<'j> {
    at: At<'j>,
    /// The text of the member `name` or `key`, and that of `value`: one may say what the other is.
    label: Option<Json<'j>>,
    value: Option<Json<'j>>,
}

enum At<'j> {
    /// The member whose name was read last.
    Member(Cow<'j, str>),
    /// The element that comes next.
    Element(usize),
}

impl<'j> Place<'j> {
    /// An object or an array begins here.
    pub(super) fn enter(&mut self, inside: Inside<'j>) {
        let at = if inside.kind() == Kind::Object { At::Member("".into()) } else { At::Element(0) };
        self.0.push(Step { at, label: None, value: None });
    }

    /// It ends.
    pub(super) fn leave(&mut self) {
        self.0.pop();
        self.passed();
    }

    /// The name of a member: its value comes next.
    pub(super) fn name(&mut self, name: Cow<'j, str>) {
        if let Some(Step { at, .. }) = self.0.last_mut() {
            *at = At::Member(name);
        }
    }

    /// A value has been looked at.
    pub(super) fn passed(&mut self) {
        if let Some(Step { at: At::Element(next), .. }) = self.0.last_mut() {
            *next += 1;
        }
    }

    /// What the value here is called: by its own name, or where it stands in lists, by that of the outermost of them.
    pub(super) fn called(&self) -> &str {
        let named = self.0.iter().rev().find_map(|step| match &step.at {
            At::Member(name) => Some(name.as_ref()),
            At::Element(_) => None,
        });
        named.filter(|name| name.len() <= LONGEST_NAME).unwrap_or_default()
    }

    /// `{"name": "DB_PASSWORD", "value": "…"}`, in this order or the other: once both are known, what the second is called,
    /// and the second.
    pub(super) fn labelled(&mut self, value: Json<'j>) -> Option<(Cow<'j, str>, Json<'j>)> {
        let step = self.0.last_mut()?;
        let At::Member(name) = &step.at else { return None };
        match name.as_ref() {
            "value" => step.value = Some(value),
            "name" | "key" if value.raw().len() <= LONGEST_NAME => step.label = Some(value),
            _ => return None,
        }
        let (label, value) = step.label.zip(step.value)?;
        Some((label.text()?, value))
    }

    /// Where that is, as a JSON pointer (RFC 6901) of at most [`LONGEST_POINTER`] bytes.
    pub(super) fn pointer(&self) -> String {
        self.pointer_of(None)
    }

    /// Where the member `value` of the innermost object is.
    pub(super) fn pointer_to_value(&self) -> String {
        self.pointer_of(Some("value"))
    }

    /// The pointer, with another name for the innermost member.
    fn pointer_of(&self, last: Option<&str>) -> String {
        let mut pointer = String::new();
        let names = self.0.iter().enumerate().map(|(depth, step)| match (&step.at, last) {
            (At::Member(_), Some(last)) if depth + 1 == self.0.len() => Cow::Borrowed(last),
            (At::Member(name), _) => Cow::Borrowed(name.as_ref()),
            (At::Element(next), _) => Cow::Owned(next.to_string()),
        });
        for name in names {
            pointer.push('/');
            let room = LONGEST_POINTER.saturating_sub(pointer.len());
            for letter in name.get(..name.floor_char_boundary(room)).unwrap_or_default().chars() {
                match letter {
                    '~' => pointer.push_str("~0"),
                    '/' => pointer.push_str("~1"),
                    letter => pointer.push(letter),
                }
            }
            if name.len() > room || pointer.len() > LONGEST_POINTER {
                pointer.truncate(pointer.floor_char_boundary(LONGEST_POINTER - '…'.len_utf8()));
                pointer.push('…');
                break;
            }
        }
        pointer
    }
}
