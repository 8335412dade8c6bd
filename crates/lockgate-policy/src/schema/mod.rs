//! Arguments against the schema that a tool declares, and results against the one it promises.
//!
//! The schema comes from a server and is hostile until shown otherwise; the value comes from an agent. So:
//!
//! * JSON Schema 2020-12; 2019-09 and draft-07 where `$schema` says so; any other dialect is refused.
//! * Nothing is coerced, nothing is rounded: numbers are compared as the decimals they were written as.
//! * Nothing is fetched. A `$ref` leads to a place in the same document, or the schema is a [`BadSchema`].
//! * Work is bounded: the size of a schema, its nesting, and the steps of each check. What would take more is refused.
//!   A check may read 64 bytes for each byte of the value and a million more, 256 million in all (a seventh of a
//!   second): only results of many megabytes under a schema of many alternatives come near.
//! * What cannot be evaluated is refused, but only where it counts: a `pattern` with a look-behind, or a look-ahead
//!   elsewhere than right behind `^`, refuses the texts it would judge (see [`Misfit::is_undecided`]), not the tool.
//! * An argument that the schema does not declare is refused, although JSON Schema lets it pass. Declared is what
//!   `properties` or `patternProperties` speak about, in the schema or in one that it applies to the whole
//!   (`$ref`, `allOf`, an alternative that fits …); `additionalProperties` or `unevaluatedProperties` with anything
//!   but `false` declares all. Only the arguments themselves are closed so, not objects inside them.
//! * `format` is not asserted, as the standard has it: libraries of real servers take more than the formats allow
//!   (times without a zone, UUIDs without hyphens), and the operator's own tests on hosts, addresses and mail are exact.
//!
//! Read [`Schema`] and [`Misfit`] first.

mod bad_schema;
mod check;
mod compile;
mod keywords;
mod location;
mod misfit;
mod node;
mod pattern;
mod reference;
mod stop;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;

use lockgate_model::Json;

pub use bad_schema::BadSchema;
pub use misfit::Misfit;

/// A schema that values are held against.
///
/// At most 256 KiB of text, 10,000 schemas in it, none deeper than 64 keywords and names, and 2 MiB for the tables of
/// all patterns.
pub struct Schema {
    compiled: compile::Compiled,
    undeclared: Undeclared,
}

/// What becomes of arguments that a schema neither declares nor excludes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Undeclared {
    /// They are refused. The default for arguments.
    #[default]
    Refuse,
    /// They pass, as in JSON Schema. For results, or servers that do not declare what they take.
    Allow,
}

impl Schema {
    /// Reads an `inputSchema` or `outputSchema`.
    pub fn compile(definition: Json<'_>, undeclared: Undeclared) -> Result<Self, BadSchema> {
        Ok(Self { compiled: compile::compile(definition)?, undeclared })
    }

    /// Does the value fit? Absent arguments are an empty object, as in MCP. Under [`Undeclared::Refuse`] the value
    /// must be an object, whatever the schema says. About two microseconds for a kilobyte of common arguments.
    pub fn check(&self, value: Option<Json<'_>>) -> Result<(), Misfit> {
        let is_closed = self.undeclared == Undeclared::Refuse;
        match value {
            Some(value) => check::check(&self.compiled, value, is_closed),
            None => match Json::check(b"{}", 1) {
                Ok(empty) => check::check(&self.compiled, empty, is_closed),
                Err(_) => Err(Misfit::new(misfit::Why::NotAnObject, String::new(), None)),
            },
        }
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({} nodes, {:?})", self.compiled.nodes.len(), self.undeclared)
    }
}
