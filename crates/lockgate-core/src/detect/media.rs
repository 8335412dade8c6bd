//! Files that a server sends: pictures, sounds and pages, in base64. What they are, what is written in them, and what is left of
//! them.

use std::borrow::Cow;

use base64::Engine;
use lockgate_detect::BASE64;
use lockgate_detect::media::{agrees, allows, markup, metadata, sniff, svg};
use lockgate_model::{Inside, Json, Key, quote};

use super::message::Search;
use super::{Handling, Looked, Sort, Way};

/// Types that are text, of those that are told by their bytes.
const TEXTS: [&str; 4] = ["text/html", "application/xml", "application/json", "application/x-sh"];

/// Is the value of that name a file, in an object of the protocol that has one?
pub(super) fn is_file(object: Inside<'_>, name: Key<'_>) -> bool {
    name.is("blob") || name.is("data") && declared(object).is_some()
}

/// What the object says that it holds.
fn declared(object: Inside<'_>) -> Option<Cow<'_, str>> {
    object.whole().get("mimeType").and_then(Json::text)
}

/// The letters of base64 without white space; none where it is something else.
fn letters(text: &str) -> Option<Cow<'_, str>> {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if text.bytes().all(is_letter) {
        return Some(Cow::Borrowed(text));
    }
    let all = text.bytes().all(|byte| is_letter(byte) || byte.is_ascii_whitespace());
    all.then(|| Cow::Owned(text.split_ascii_whitespace().collect()))
}

impl<'m> Search<'_, 'm> {
    /// Looks at what may be a file; false where it is a text after all.
    pub(super) fn file(&mut self, object: Inside<'m>, value: Json<'m>, text: &str) -> bool {
        let most = self.look.detect.most_media_bytes;
        let Some(letters) = letters(text) else { return self.is_no_file() };
        if letters.trim_end_matches('=').len() * 3 / 4 > most {
            self.refuse("media_too_large", "media_bytes", format!("a file of more than {most} bytes"));
            return true;
        }
        let Ok(bytes) = BASE64.decode(&*letters) else { return self.is_no_file() };
        if bytes.is_empty() || !self.passes(declared(object).as_deref(), &bytes) {
            return true;
        }
        let left = match (sniff(&bytes), std::str::from_utf8(&bytes)) {
            (Some("image/svg+xml"), Ok(text)) => self.svg(text).map(String::into_bytes),
            (kind, Ok(text)) if kind.is_none_or(|kind| TEXTS.contains(&kind)) => {
                self.handed_on(text, "", || is_page(object)).map(String::into_bytes)
            }
            _ => self.picture(&bytes),
        };
        if let Some(left) = left {
            self.splice.replace(value, quote(&BASE64.encode(left)));
        }
        true
    }

    /// A text that says of what type it is, in an object of the protocol.
    pub(super) fn typed(&mut self, object: Inside<'m>) {
        if self.look.detect.types.is_some()
            && declared(object).is_some_and(|kind| !self.is_allowed(Some(&kind), "text/plain"))
        {
            self.refuse_type();
        }
    }

    /// The text as it is handed on; none where it stays as it is. `is_page` says whether it is HTML, where it does not look so.
    pub(super) fn handed_on(
        &mut self,
        text: &str,
        name: &str,
        is_page: impl FnOnce() -> bool,
    ) -> Option<String> {
        let without = self.without(text, name);
        let left = without.as_deref().unwrap_or(text);
        if !self.look.detect.sanitises || self.way.sealed {
            return without;
        }
        let whole = markup::is_html(left) || is_page();
        let from = if whole { Some(0) } else { markup::page_below(left) };
        let Some((before, page)) = from.and_then(|from| left.split_at_checked(from)) else { return without };
        let clean = format!("{before}{}", markup::sanitise(page));
        if clean == left || !self.beside("html_sanitised", Handling::Redact) {
            return without;
        }
        Some(clean)
    }

    /// Where only some types may pass, what cannot be read is of none of them.
    fn is_no_file(&mut self) -> bool {
        if self.look.detect.types.is_some() {
            self.refuse("media_malformed", "types", "a file that cannot be read".to_owned());
        }
        false
    }

    /// Is it what it is said to be, and of a type that may pass? Else it is refused.
    fn passes(&mut self, declared: Option<&str>, bytes: &[u8]) -> bool {
        let found = sniff(bytes);
        if declared.is_some_and(|kind| !agrees(kind, bytes)) {
            let found = found.unwrap_or("of no known type");
            let why = format!("a file is {found} and said to be something else");
            return !self.refuse("media_mismatch", "types", why);
        }
        let plain =
            || if std::str::from_utf8(bytes).is_ok() { "text/plain" } else { "application/octet-stream" };
        self.is_allowed(declared, found.unwrap_or_else(plain)) || !self.refuse_type()
    }

    /// A type that says nothing is the one that the bytes are of.
    fn is_allowed(&self, declared: Option<&str>, found: &str) -> bool {
        let vague = declared.is_none_or(|kind| allows("application/octet-stream", kind));
        let kinds = || declared.into_iter().chain(vague.then_some(found));
        let types = self.look.detect.types.as_ref();
        types.is_none_or(|types| types.iter().any(|of| kinds().any(|kind| allows(of, kind))))
    }

    fn refuse_type(&mut self) -> bool {
        self.refuse("media_not_allowed", "types", "a file of a type that is not allowed".to_owned())
    }

    /// Refuses the message for a file in it; false where the rule does not count. What is sealed is judged by what it says alone.
    fn refuse(&mut self, rule: &'static str, key: &str, why: String) -> bool {
        let counts = !self.way.sealed && !self.look.detect.suppresses(rule, self.look.now);
        if counts {
            self.found.refuse_media(rule, key, why, self.way);
        }
        counts
    }

    /// Writes down what is in a file and gives no orders; is it to be taken out?
    fn beside(&mut self, rule: &'static str, handling: Handling) -> bool {
        if handling == Handling::Off || self.look.detect.suppresses(rule, self.look.now) {
            return false;
        }
        let takes = handling == Handling::Redact && !self.way.sealed && !self.way.observes;
        self.found.media(rule, if takes { Handling::Redact } else { Handling::Flag });
        takes
    }

    /// What is left of a picture or a sound; none where it stays as it is.
    fn picture(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let notes = metadata::look(bytes);
        if notes.is_empty() {
            return None;
        }
        let looked = self.look.notes(&notes);
        let mut takes = rewrites(&looked);
        for note in &notes {
            if note.kind != metadata::NoteKind::Malformed {
                takes |= self.beside(note.kind.word(), self.look.detect.metadata);
            } else if self.look.detect.types.is_some() {
                self.is_no_file();
            } else {
                self.beside(note.kind.word(), Handling::Flag);
            }
        }
        let clean = takes.then(|| metadata::clean(bytes).ok()).flatten();
        // Orders that cannot be taken out of a file do not pass in it.
        let sealed = self.way.sealed || takes && clean.is_none();
        self.found.add(&looked, Way { sealed, ..self.way }, || None);
        clean.filter(|_| !self.way.observes && !self.way.sealed).map(Cow::into_owned)
    }

    /// What is left of a drawing; none where it stays as it is. One that gives orders is another drawing, which says so.
    fn svg(&mut self, text: &str) -> Option<String> {
        let drawn = svg::look(text);
        for (active, _) in &drawn.active {
            self.beside(active.word(), Handling::Flag);
        }
        let mut looked = self.look.at("", &drawn.said);
        looked.hits.retain(|hit| matches!(hit.sort, Sort::Hidden | Sort::Injection));
        let order = looked.hits.iter().find(|hit| hit.handling.rewrites());
        let Some(order) = order else { return self.without(text, "") };
        self.found.add(&looked, self.way, || None);
        let empty = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\"><text y=\"20\">[removed: {}]</text></svg>",
            order.rule
        );
        (!self.way.observes && !self.way.sealed).then_some(empty)
    }
}

/// Is it said to be HTML?
pub(super) fn is_page(object: Inside<'_>) -> bool {
    declared(object).is_some_and(|kind| allows("text/html", &kind))
}

/// Is any of it to be taken out?
fn rewrites(looked: &Looked) -> bool {
    looked.hits.iter().any(|hit| hit.handling.rewrites())
}
