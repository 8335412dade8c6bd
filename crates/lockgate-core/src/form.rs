//! The forms a tool has declared for its arguments and its results, compiled when the first call needs them.

use std::sync::{Arc, OnceLock};

use lockgate_model::{Finding, Json, Kind, Phase, Reason, quote};
use lockgate_policy::{Misfit, Schema, Undeclared};

/// Largest schema that is kept. A larger one could not be compiled either: calls of its tool are refused.
const LARGEST: usize = 256 << 10;
/// Deepest nesting of a schema. Lists were checked when they came.
const DEPTH: usize = 128;
/// Keywords that can name arguments.
const NAMING: [&str; 11] = [
    "properties",
    "patternProperties",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "dependentSchemas",
    "allOf",
    "anyOf",
    "oneOf",
    "if",
    "$ref",
];
/// Longest place that is named in a refusal.
const LONGEST_PLACE: usize = 64;

/// One schema as its server wrote it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    /// Empty where there is none; none where it is too large.
    definition: Option<Arc<[u8]>>,
    compiled: OnceLock<Option<Arc<Schema>>>,
}

impl Form {
    pub(crate) fn new(definition: Option<Json<'_>>) -> Self {
        let raw = definition.map_or(&b""[..], Json::raw);
        Self { definition: (raw.len() <= LARGEST).then(|| raw.into()), compiled: OnceLock::new() }
    }

    /// Is there a schema?
    pub(crate) fn is_declared(&self) -> bool {
        self.definition.as_ref().is_none_or(|definition| !definition.is_empty())
    }

    /// Does the value fit? A schema that cannot be used fits nothing.
    pub(crate) fn check(
        &self,
        value: Option<Json<'_>>,
        undeclared: Undeclared,
    ) -> Result<(), Option<Misfit>> {
        let compile = || {
            let definition = self.definition.as_ref()?;
            let text: &[u8] = if definition.is_empty() { b"{}" } else { definition };
            let definition = Json::check(text, DEPTH).ok()?;
            // A schema that names no argument declares none: many servers write `{"type":"object"}` and take what comes.
            let names = definition.members().any(|(key, _)| NAMING.contains(&&*key.text()));
            let undeclared = if names { undeclared } else { Undeclared::Allow };
            Some(Arc::new(Schema::compile(definition, undeclared).ok()?))
        };
        match self.compiled.get_or_init(compile) {
            Some(schema) => schema.check(value).map_err(Some),
            None => Err(None),
        }
    }
}

/// Arguments without those that are `null`, where some are: clients write `null` for what they leave out, and the
/// protocol takes it for that (specification 2026-07-28, `Mcp-Param-*`).
pub(crate) fn without_null(arguments: Json<'_>) -> Option<Vec<u8>> {
    if !arguments.members().any(|(_, value)| value.kind() == Kind::Null) {
        return None;
    }
    let kept = arguments.members().filter(|(_, value)| value.kind() != Kind::Null);
    let kept: Vec<_> =
        kept.map(|(key, value)| [quote(&key.text()).as_bytes(), b":", value.raw()].concat()).collect();
    Some([&b"{"[..], &kept.join(&b","[..]), &b"}"[..]].concat())
}

/// What is said of a value that does not fit: our words, and the place where it is one that can do no harm.
pub(crate) fn misfit(misfit: Option<Misfit>, unfit: Reason, undeclared: Reason) -> Finding {
    let Some(misfit) = misfit else {
        return Finding::deny(Phase::Schema, Reason::SchemaUnusable, "protocol");
    };
    let reason =
        if misfit.keyword() == "additionalProperties" && !misfit.is_undecided() { undeclared } else { unfit };
    let place = misfit.place().plain(LONGEST_PLACE).map_or_else(String::new, |place| format!("`{place}` "));
    let missing = misfit.missing().and_then(|missing| missing.plain(LONGEST_PLACE));
    let missing = missing.map_or_else(String::new, |missing| format!(": `{missing}`"));
    let detail = format!("{place}{misfit}{missing}");
    Finding { detail: Some(detail), ..Finding::deny(Phase::Schema, reason, "protocol") }
}
