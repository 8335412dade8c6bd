//! What a server says of its own results: labels beside them. It may ask for more care and never for more trust.
//!
//! Two ways are read, each where it may stand. `ifc` is what servers of GitHub write: `{"integrity": "untrusted",
//! "confidentiality": "private"}`. The others are the hints of SEP-1913 (a draft whose words still change) and of the extension
//! that it is to become.

use lockgate_flow::Trust;
use lockgate_model::{Confidentiality, Json, Key, Kind, Texts, Tier, Visit};

/// What is to be taken from what a server says of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marking {
    /// It may hold text of outsiders, whatever it looks like.
    pub(crate) untrusted: bool,
    /// It is as confidential as this at least.
    pub(crate) level: Option<Confidentiality>,
    /// Something else was said that is not known, or that asked for more trust. It changes nothing.
    pub(crate) ignored: bool,
}

/// Most parts of a result whose labels are read.
const MOST: usize = 1_000;

/// Where labels are, and what is between.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Result,
    Parts,
    Part,
    Resource,
}

impl Marking {
    /// Reads the labels beside a result, and beside each of its parts. One of them counts for all.
    pub(crate) fn read<'m>(result: Json<'m>, texts: &Texts<'m>) -> Self {
        let mut marking = Self::default();
        let (mut places, mut name) = (Vec::new(), None);
        let mut parts = 0;
        texts.walk(result, &mut |seen| {
            let named =
                |names: &[&str]| name.is_some_and(|key: Key<'_>| names.iter().any(|name| key.is(name)));
            let here = places.last().copied();
            parts +=
                usize::from(here == Some(Place::Parts) && matches!(seen, Visit::Enter(_) | Visit::Value(_)));
            match seen {
                Visit::Name(key) => name = Some(key),
                Visit::Leave => drop(places.pop()),
                Visit::Value(_) => {}
                Visit::Enter(inside) => {
                    let place = match (here, inside.kind()) {
                        (None, Kind::Object) => Place::Result,
                        (Some(Place::Result), Kind::Array) if named(&["content", "contents"]) => {
                            parts = 0;
                            Place::Parts
                        }
                        (Some(Place::Parts), Kind::Object) if parts <= MOST => Place::Part,
                        (Some(Place::Part), Kind::Object) if named(&["resource"]) => Place::Resource,
                        (Some(Place::Result | Place::Part | Place::Resource), _)
                            if named(&["annotations", "_meta"]) =>
                        {
                            marking.beside(named(&["_meta"]), inside.whole());
                            return false;
                        }
                        _ => return false,
                    };
                    places.push(place);
                }
            }
            true
        });
        marking
    }

    /// The trust in a server for what it says of itself in this way.
    pub(crate) fn restrict(self, trust: &mut Trust) {
        if self.untrusted {
            trust.tier = trust.tier.min(Tier::Mixed);
        }
        if let Some(level) = self.level {
            trust.secrecy.level = trust.secrecy.level.max(level);
        }
    }

    /// The member `annotations`, or `_meta`.
    fn beside(&mut self, meta: bool, value: Json<'_>) {
        self.hints(value);
        for (key, value) in value.members().filter(|_| meta) {
            let name = key.text();
            let name = name.rsplit('/').next().unwrap_or_default();
            match name {
                "ifc" => self.label(value),
                "annotations" | "trust" | "trust-annotations" => self.hints(value),
                _ => {}
            }
        }
    }

    /// `integrity` and `confidentiality`, as words.
    fn label(&mut self, label: Json<'_>) {
        self.ignored |= label.kind() != Kind::Object;
        for (key, value) in label.members() {
            match &*key.text() {
                "integrity" => self.integrity(value),
                "confidentiality" | "secrecy" => self.level(value),
                _ => self.ignored = true,
            }
        }
    }

    /// Hints among members that mean something else.
    fn hints(&mut self, hints: Json<'_>) {
        for (key, value) in hints.members() {
            match &*key.text() {
                "untrusted" | "openWorldHint" | "untrustedHint" | "maliciousActivityHint" => {
                    match value.bool() {
                        Some(true) => self.untrusted = true,
                        Some(false) | None => self.ignored = true,
                    }
                }
                "private" | "privateHint" | "sensitive" | "sensitiveHint" | "sensitivity"
                | "sensitivityHint" => self.level(value),
                "integrity" | "trust" | "trustLevel" => self.integrity(value),
                "trusted" | "trustedHint" => match value.bool() {
                    Some(false) => self.untrusted = true,
                    Some(true) | None => self.ignored = true,
                },
                _ => {}
            }
        }
    }

    fn integrity(&mut self, said: Json<'_>) {
        match word(said).as_str() {
            "untrusted" | "low" | "none" | "tainted" => self.untrusted = true,
            _ => self.ignored = true,
        }
    }

    fn level(&mut self, said: Json<'_>) {
        let level = match (said.kind(), said.bool()) {
            (Kind::Bool, Some(true)) => Some(Confidentiality::Private),
            // A list of who may read it.
            (Kind::Array, _) => {
                said.elements().any(|reader| word(reader) != "public").then_some(Confidentiality::Private)
            }
            _ => match word(said).as_str() {
                "low" | "internal" => Some(Confidentiality::Internal),
                "medium" | "private" | "confidential" | "pii" => Some(Confidentiality::Private),
                "high" | "secret" | "restricted" | "credentials" => Some(Confidentiality::Secret),
                _ => None,
            },
        };
        self.ignored |= level.is_none();
        self.level = self.level.max(level);
    }
}

/// The word, in lower case; empty where there is none.
fn word(said: Json<'_>) -> String {
    said.text().map_or_else(String::new, |text| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_are_read() {
        use Confidentiality::{Internal, Private, Secret};
        let cases = [
            (
                r#"{"_meta":{"ifc":{"integrity":"untrusted","confidentiality":"private"}}}"#,
                true,
                Some(Private),
                false,
            ),
            (r#"{"_meta":{"x.y/ifc":{"integrity":"Untrusted"}}}"#, true, None, false),
            (r#"{"_meta":{"ifc":{"integrity":"trusted","confidentiality":"public"}}}"#, false, None, true),
            (r#"{"_meta":{"ifc":{"confidentiality":["public"]}}}"#, false, None, true),
            (r#"{"_meta":{"ifc":{"confidentiality":["a","b"]}}}"#, false, Some(Private), false),
            (r#"{"_meta":{"ifc":{"confidentiality":"secret","x":1}}}"#, false, Some(Secret), true),
            (r#"{"_meta":{"ifc":"untrusted"}}"#, false, None, true),
            (r#"{"_meta":{"annotations":{"sensitiveHint":"high"}}}"#, false, Some(Secret), false),
            (r#"{"annotations":{"sensitiveHint":"low","openWorldHint":true}}"#, true, Some(Internal), false),
            (r#"{"annotations":{"openWorldHint":false}}"#, false, None, true),
            (
                r#"{"_meta":{"io.x/trust-annotations":{"sensitive":true,"untrusted":true}}}"#,
                true,
                Some(Private),
                false,
            ),
            (
                r#"{"content":[{"annotations":{"privateHint":true,"audience":["user"],"priority":1}}]}"#,
                false,
                Some(Private),
                false,
            ),
            (r#"{"content":[{"resource":{"_meta":{"maliciousActivityHint":true}}}]}"#, true, None, false),
            (
                r#"{"contents":[{"_meta":{"ifc":{"integrity":"untrusted"}}},{"_meta":{"ifc":{"integrity":"trusted"}}}]}"#,
                true,
                None,
                true,
            ),
            (
                r#"{"structuredContent":{"_meta":{"ifc":{"integrity":"untrusted"}}},"_meta":{"progressToken":1}}"#,
                false,
                None,
                false,
            ),
        ];
        for (text, untrusted, level, ignored) in cases {
            let marking = Marking::read(Json::check(text.as_bytes(), 16).unwrap(), Texts::none());
            assert_eq!(marking, Marking { untrusted, level, ignored }, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_said_asks_for_more_trust(
            tier in prop_oneof![Just(Tier::Quarantined), Just(Tier::Open), Just(Tier::Mixed), Just(Tier::Internal), Just(Tier::Core)],
            key in prop_oneof![Just("ifc"), Just("annotations"), Just("x/trust-annotations")],
            name in prop_oneof![Just("integrity"), Just("confidentiality"), Just("sensitiveHint"), Just("openWorldHint"), Just("trusted")],
            value in prop_oneof![Just("true"), Just("false"), Just("\"trusted\""), Just("\"core\""), Just("\"public\""), Just("\"high\""), Just("[]"), Just("{}")],
        ) {
            let text = format!(r#"{{"_meta":{{"{key}":{{"{name}":{value}}}}}}}"#);
            let usual = Trust::of(tier);
            let mut trust = usual.clone();
            Marking::read(Json::check(text.as_bytes(), 16).unwrap(), Texts::none()).restrict(&mut trust);
            prop_assert!(trust.tier <= usual.tier && trust.secrecy.level >= usual.secrecy.level);
            prop_assert!(trust.clearance == usual.clearance);
        }
    }
}
