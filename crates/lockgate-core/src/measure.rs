//! What a record says of the arguments of a request.

use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::ops::Deref;

use bytes::Bytes;
use lockgate_audit::{Happening, MOST_DESTINATIONS, Measure, one_line};
use lockgate_flow::Role;
use lockgate_model::{Json, Kind, Visit, quote};

use crate::detect::concealed;
use crate::exchange::Target;
use crate::phase::meaning;
use crate::{Core, digest};

/// How deep names and types are looked at; what lies deeper does not tell one form from another.
const DEEPEST: usize = 4;
/// Most names and types, and most elements of a list, that are looked at.
const MOST_NAMES: usize = 256;
/// Longest text of an argument that is read as an address by itself. Bytes; the longest of a host and of a mailbox before it.
const LONGEST_ADDRESS: usize = 2_048;
/// What ends the host of a link, where more text follows.
const AFTER_HOST: [char; 15] = ['/', '?', '#', '\\', '"', '\'', '<', '>', ')', '(', ',', ';', '`', '{', '}'];

/// What a record says of arguments, kept from the request to its answer.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// SHA-256 of the arguments as they came, in hexadecimal.
    digest: String,
    /// The arguments themselves, where the operator wants them kept.
    text: Option<String>,
    measure: Measure,
}

impl Said {
    /// The digest, the arguments and their measure, for a record of this sort. Once is enough: the records of the answer
    /// and of the approval name the same request.
    pub(crate) fn of(&self, happening: Happening) -> (Option<String>, Option<String>, Measure) {
        let mut measure = self.measure.clone();
        let mut text = None;
        if happening == Happening::Request {
            text.clone_from(&self.text);
        } else {
            measure.destinations = Vec::new();
        }
        (Some(self.digest.clone()), text, measure)
    }
}

impl Core {
    /// What a record says of arguments; nothing where no records are kept.
    pub(crate) fn measured(&self, arguments: Option<Json<'_>>, target: &Target) -> Option<Box<Said>> {
        let arguments = arguments.filter(|_| self.boundary.records)?;
        let without = LazyCell::new(|| concealed(arguments));
        let text = self.boundary.record_arguments.then(|| {
            // Without the credentials in them, whatever becomes of the call.
            let shown = target.concealed.as_ref().or_else(|| without.as_ref());
            one_line(shown.map_or(arguments.raw(), |shown| &**shown))
        });
        let measure = Measure {
            effect: target.tool.as_ref().map(|(_, effect)| *effect),
            arguments_bytes: u64::try_from(arguments.raw().len()).ok(),
            arguments_shape: Some(shape(arguments)),
            result_bytes: None,
            destinations: self.destinations(arguments, &without, target),
        };
        Some(Box::new(Said { digest: digest::hex(arguments.raw()), text: text.flatten(), measure }))
    }

    /// The hosts that arguments name. Linear, and a second time where there are some, for what they are `without` credentials.
    fn destinations(
        &self,
        arguments: Json<'_>,
        without: &impl Deref<Target = Option<Bytes>>,
        target: &Target,
    ) -> Vec<String> {
        let tool = target.server.as_ref().zip(target.tool.as_ref());
        let known = tool.and_then(|(server, (tool, _))| meaning(self, server, tool));
        let speaks_to = |name: &str| {
            let role = known.map(|meaning| meaning.roles.of(name, meaning.effect));
            matches!(role, Some(Role::Destination | Role::Source))
        };
        let found = hosts(arguments, &speaks_to);
        if found.is_empty() {
            return found;
        }
        match without.as_ref() {
            None => found,
            Some(shown) => {
                Json::check(shown, usize::MAX).map_or_else(|_| Vec::new(), |shown| hosts(shown, &speaks_to))
            }
        }
    }
}

/// What the arguments are called and of which types they are, as 16 hexadecimal digits.
fn shape(arguments: Json<'_>) -> String {
    let mut parts = BTreeSet::new();
    collect(arguments, "", 0, &mut parts);
    let parts: Vec<_> = parts.into_iter().collect();
    let mut hex = digest::hex(parts.join("\n").as_bytes());
    hex.truncate(16);
    hex
}

fn collect(value: Json<'_>, path: &str, depth: usize, parts: &mut BTreeSet<String>) {
    if parts.len() >= MOST_NAMES {
        return;
    }
    let kind = match value.kind() {
        Kind::Object => "object",
        Kind::Array => "array",
        Kind::String => "string",
        Kind::Number => "number",
        Kind::Bool => "boolean",
        Kind::Null => "null",
    };
    parts.insert(format!("{path}:{kind}"));
    if depth == DEEPEST {
        return;
    }
    for (key, member) in value.members().take(MOST_NAMES) {
        collect(member, &format!("{path}/{}", quote(&key.text())), depth + 1, parts);
    }
    for element in value.elements().take(MOST_NAMES) {
        collect(element, &format!("{path}/[]"), depth + 1, parts);
    }
}

/// The hosts of all links, and of what stands alone in arguments that say whom or what a call speaks to.
fn hosts(arguments: Json<'_>, speaks_to: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut note = |host: Option<String>| {
        if let Some(host) = host.filter(|host| found.len() < MOST_DESTINATIONS && !found.contains(host)) {
            found.push(host);
        }
    };
    for (key, value) in arguments.members() {
        let speaks = speaks_to(&key.text());
        value.walk(&mut |visit| {
            let Visit::Value(value) = visit else { return true };
            let Some(text) = value.text() else { return true };
            for (at, mark) in text.match_indices("://") {
                let rest = text.get(at + mark.len()..).unwrap_or_default();
                note(host(rest));
            }
            if speaks && text.len() <= LONGEST_ADDRESS && !text.contains("://") {
                // A word that is no host and no mailbox, as a name of a user or of a channel, has no dot.
                note(host(text.trim()).filter(|host| host.contains(['.', ':'])));
            }
            true
        });
    }
    found
}

/// The host at the beginning of a text, after a user's name and before a port and a path.
fn host(text: &str) -> Option<String> {
    let end = |c: char| c.is_whitespace() || c.is_control() || AFTER_HOST.contains(&c);
    let authority = text.split(end).next()?;
    let after_user = authority.rsplit('@').next()?;
    let name = match after_user.strip_prefix('[') {
        Some(rest) => format!("[{}]", rest.split(']').next()?),
        None => after_user.split(':').next()?.trim_end_matches('.').to_owned(),
    };
    if name.len() > 253 {
        return None;
    }
    let checked = url::Host::parse(&name).ok()?.to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    (!checked.is_empty() && checked.chars().all(plain)).then_some(checked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Json<'_> {
        Json::check(text.as_bytes(), 64).unwrap()
    }

    #[test]
    fn a_shape_is_of_names_and_types() {
        let of = |text: &str| shape(read(text));
        let one = of(r#"{"to":["a"],"n":1,"o":{"x":true}}"#);
        assert_eq!(one.len(), 16);
        assert_eq!(one, of(r#"{ "o": {"x": false}, "n": 2.5, "to": ["b", "c"] }"#));
        for other in [
            r#"{"to":"a","n":1,"o":{"x":true}}"#,
            r#"{"to":["a"],"n":1,"o":{"y":true}}"#,
            r#"{"to":["a", 1],"n":1,"o":{"x":true}}"#,
            r#"{"to":["a"],"n":1}"#,
        ] {
            assert_ne!(one, of(other), "{other}");
        }
        let long = format!("[{}]", vec!["0"; 100_000].join(","));
        assert_eq!(of(&long), of("[1]"));
    }

    #[test]
    fn hosts_are_of_links_and_of_addresses() {
        let speaks = |name: &str| matches!(name, "to" | "url");
        let of = |text: &str| hosts(read(text), &speaks);
        assert_eq!(
            of(r#"{"body":"see https://A.Example:8443/x, and http://u:p@b.example?q"}"#),
            ["a.example", "b.example"]
        );
        assert_eq!(of(r#"{"to":["Bob@C.Example","someone"],"name":"d@e.example"}"#), ["c.example"]);
        assert_eq!(of(r#"{"url":"www.shop.example/cart"}"#), ["www.shop.example"]);
        assert_eq!(
            of(r#"{"q":{"deep":["ftp://[2001:DB8::1]/","x://0x7f.1"]}}"#),
            ["[2001:db8::1]", "127.0.0.1"]
        );
        assert_eq!(of(r#"{"q":"https://b\u00fccher.example"}"#), ["xn--bcher-kva.example"]);
        assert_eq!(
            of(r#"{"q":"https:// https://%00 ://","to":"","url":"no host here.at all"}"#),
            Vec::<String>::new()
        );
        let many: Vec<_> = (0..20).map(|n| format!("https://h{n}.example")).collect();
        assert_eq!(of(&format!(r#"{{"q":"{}"}}"#, many.join(" "))).len(), MOST_DESTINATIONS);
    }
}
