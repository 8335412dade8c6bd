//! What is said of a row, as a line of JSON.

use std::fmt::Write;
use std::ops::Range;

use lockgate_detect::personal::Datum;
use lockgate_detect::secrets::Secret;
use lockgate_detect::{Level, ObjectReport, Placed, Report, Spot};
use lockgate_model::quote;

/// What was found, and in what.
pub(super) struct Answer<'d> {
    /// The id of the row, as JSON.
    id: String,
    found: ObjectReport<'d>,
    /// Does it matter where in the object it is?
    placed: bool,
}

impl<'d> Answer<'d> {
    pub(super) fn of_text(id: &str, found: Report<'d>) -> Self {
        fn whole<Found>(found: Vec<Found>) -> Vec<Placed<Found>> {
            let placed = found.into_iter().map(|found| Placed { at: String::new(), in_name: false, found });
            placed.collect()
        }
        let found = ObjectReport {
            level: found.level,
            score: found.score,
            findings: whole(found.findings),
            secrets: whole(found.secrets),
            personal: whole(found.personal),
        };
        Self { id: id.to_owned(), found, placed: false }
    }

    pub(super) fn of_object(id: &str, found: ObjectReport<'d>) -> Self {
        Self { id: id.to_owned(), found, placed: true }
    }

    pub(super) fn level(&self) -> Level {
        self.found.level
    }

    /// The line, without its end. It is ASCII, so that no name in it can move a cursor or reorder text.
    pub(super) fn line(&self) -> String {
        let found = &self.found;
        let mut line = format!("{{\"id\":{},\"tier\":{}", self.id, quote(found.level.word()));
        let written = write!(line, ",\"score\":{:.4}", found.score);
        debug_assert!(written.is_ok(), "writing to a String does not fail");
        self.list(&mut line, "findings", &found.findings, |spot: &Spot<'_>| {
            let said = format!("\"rule\":{},\"tier\":{}", quote(spot.rule), quote(spot.level.word()));
            (said, &spot.span)
        });
        self.list(&mut line, "secrets", &found.secrets, |secret: &Secret| {
            (format!("\"kind\":{}", quote(secret.kind)), &secret.span)
        });
        self.list(&mut line, "personal", &found.personal, |datum: &Datum| {
            (format!("\"entity\":{}", quote(datum.entity.word())), &datum.span)
        });
        line.push('}');
        ascii(line)
    }

    fn list<'f, Found>(
        &self,
        line: &mut String,
        name: &str,
        all: &'f [Placed<Found>],
        say: impl Fn(&'f Found) -> (String, &'f Range<usize>),
    ) {
        let said = all.iter().map(|placed| {
            let (said, span) = say(&placed.found);
            let span = format!("\"span\":[{},{}]", span.start, span.end);
            let at = if self.placed { format!(",\"at\":{}", quote(&placed.at)) } else { String::new() };
            let name = if placed.in_name { ",\"in_name\":true" } else { "" };
            format!("{{{said},{span}{at}{name}}}")
        });
        let said: Vec<String> = said.collect();
        line.push_str(&format!(",\"{name}\":[{}]", said.join(",")));
    }
}

/// JSON with escapes for everything else.
fn ascii(json: String) -> String {
    if json.is_ascii() {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 16);
    for letter in json.chars() {
        if letter.is_ascii() {
            out.push(letter);
        } else {
            letter.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out
}
