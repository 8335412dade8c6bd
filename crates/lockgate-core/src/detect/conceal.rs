//! Arguments as they may be written down.

use bytes::Bytes;
use lockgate_detect::{MARK, redact};
use lockgate_model::{Json, Kind, Splice, quote};

use super::look::INSPECTOR;

/// The arguments with a mark in place of every credential; none where there is none. Linear.
pub(crate) fn concealed(arguments: Json<'_>) -> Option<Bytes> {
    let mut splice = Splice::new(arguments.raw());
    value(arguments, "", &mut splice);
    (!splice.is_empty()).then(|| splice.finish())
}

fn value<'m>(json: Json<'m>, name: &str, splice: &mut Splice<'m>) {
    match json.kind() {
        Kind::String => {
            let Some(text) = json.text() else { return };
            let secrets = INSPECTOR.credentials(name, &text);
            if !secrets.is_empty() {
                let spans = secrets.into_iter().map(|secret| secret.span);
                splice.replace(json, quote(&redact(&text, spans, MARK)));
            }
        }
        Kind::Array => json.elements().for_each(|element| value(element, name, splice)),
        Kind::Object => {
            for (key, member) in json.members() {
                let name = key.text();
                let secrets = INSPECTOR.credentials("", &name);
                if !secrets.is_empty() {
                    let spans = secrets.into_iter().map(|secret| secret.span);
                    splice.rename(key, &redact(&name, spans, MARK));
                }
                value(member, &name, splice);
            }
        }
        Kind::Number => {
            let digits = json.written();
            if !INSPECTOR.number(name, digits).secrets.is_empty() {
                splice.replace(json, quote(MARK));
            }
        }
        Kind::Bool | Kind::Null => {}
    }
}
