//! Names inside a schema, and the references that lead to them.

use std::borrow::Cow;

use lockgate_model::{Json, Kind};

use super::bad_schema::{BadSchema, Fault};
use super::compile::{Compiler, Dialect, Words};
use super::location;
use super::node::NodeId;

/// How much text may be read again to follow references out of `$defs` and `definitions`. Bytes.
const LOOKED_UP: usize = 32 << 20;
/// Most documents inside one.
const MOST_RESOURCES: usize = 256;
/// Longest `$id` of a document, resolved. Bytes.
const LONGEST_ID: usize = 2048;

/// A document of its own: the whole, or a part with an `$id`.
pub(super) struct Resource<'a> {
    pub(super) id: String,
    pub(super) root: Json<'a>,
}

/// A reference that waits for all names to be known.
pub(super) struct Pending<'a> {
    pub(super) from: NodeId,
    resource: usize,
    target: Cow<'a, str>,
    pub(super) path: Vec<Cow<'a, str>>,
    pub(super) is_dynamic: bool,
}

impl<'a> Compiler<'a> {
    /// Reads `$id` and the anchors; answers the resource that the schema is or stands in.
    pub(super) fn names(
        &mut self,
        words: &Words<'a>,
        json: Json<'a>,
        id: NodeId,
        outer: usize,
    ) -> Result<usize, BadSchema> {
        let is_old = self.dialect == Dialect::Draft07;
        let mut resource = outer;
        // In draft-07 a `$ref` hides everything beside it, an `$id` too.
        if let Some(name) = words.get("$id").filter(|_| !(is_old && words.contains_key("$ref"))) {
            let name = name.text().ok_or_else(|| self.bad(Fault::Keyword("$id")))?;
            let (address, fragment) = location::split(&name);
            if !fragment.is_empty() {
                if !is_old || fragment.starts_with('/') {
                    return Err(self.bad(Fault::Keyword("$id")));
                }
                self.anchor(outer, fragment, id)?;
            }
            if !address.is_empty() {
                resource = self.resource(address, json, outer)?;
                self.met.insert(self.offset(json), (id, resource));
            }
        }
        if self.offset(json) != 0
            && let Some(schema) = words.get("$schema")
            && schema.text().and_then(|name| Dialect::named(&name)) != Some(self.dialect)
        {
            return Err(self.bad(Fault::Dialect));
        }
        if !is_old {
            for word in ["$anchor", "$dynamicAnchor"] {
                if let Some(name) = words.get(word) {
                    let name = name.text().ok_or_else(|| self.bad(Fault::Keyword(word)))?;
                    self.anchor(resource, &name, id)?;
                }
            }
        }
        Ok(resource)
    }

    fn resource(&mut self, address: &str, root: Json<'a>, outer: usize) -> Result<usize, BadSchema> {
        let base = self.resources.get(outer).map_or("", |resource| resource.id.as_str());
        let id = location::resolve(base, address);
        if id.len() > LONGEST_ID {
            return Err(self.bad(Fault::TooLarge));
        }
        if self.offset(root) == 0
            && let Some(whole) = self.resources.first_mut()
        {
            whole.id = id;
            return Ok(0);
        }
        if self.resources.len() >= MOST_RESOURCES {
            return Err(self.bad(Fault::TooLarge));
        }
        self.resources.push(Resource { id, root });
        Ok(self.resources.len() - 1)
    }

    /// Reads `$defs` and `definitions`. Nearly all references lead to these: they are noted as if they were anchors.
    pub(super) fn definitions(
        &mut self,
        words: &Words<'a>,
        json: Json<'a>,
        resource: usize,
    ) -> Result<(), BadSchema> {
        let root = self.resources.get(resource).map(|resource| self.offset(resource.root));
        for word in ["$defs", "definitions"] {
            for (name, node) in self.schemas_by_name(words, word, resource)? {
                if root == Some(self.offset(json)) && !name.contains(['~', '/', '%']) {
                    self.anchors.insert((resource, format!("/{word}/{name}")), node);
                }
            }
        }
        Ok(())
    }

    fn anchor(&mut self, resource: usize, name: &str, id: NodeId) -> Result<(), BadSchema> {
        // A name that looks like a pointer would be one for some readers, and for others not.
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '_'));
        if !is_name {
            return Err(self.bad(Fault::Keyword("$anchor")));
        }
        match self.anchors.insert((resource, name.to_owned()), id) {
            Some(other) if other != id => Err(self.bad(Fault::Ambiguous)),
            _ => Ok(()),
        }
    }

    /// Notes the references of a schema. True if nothing beside them counts.
    pub(super) fn references(
        &mut self,
        words: &Words<'a>,
        from: NodeId,
        resource: usize,
    ) -> Result<bool, BadSchema> {
        let dynamic = match self.dialect {
            Dialect::Draft07 => None,
            Dialect::Draft2019 => Some(("$recursiveRef", true)),
            Dialect::Draft2020 => Some(("$dynamicRef", true)),
        };
        for (word, is_dynamic) in std::iter::once(("$ref", false)).chain(dynamic) {
            let Some(target) = words.get(word) else { continue };
            let target = target.text().ok_or_else(|| self.bad(Fault::Keyword(word)))?;
            self.pending.push(Pending { from, resource, target, path: self.path.clone(), is_dynamic });
        }
        Ok(self.dialect == Dialect::Draft07 && words.contains_key("$ref"))
    }

    pub(super) fn target(&mut self, pending: &Pending<'a>) -> Result<NodeId, BadSchema> {
        let (address, fragment) = location::split(&pending.target);
        let base = self.resources.get(pending.resource).map_or("", |resource| resource.id.as_str());
        let address = location::resolve(base, address);
        let mut found = self.resources.iter().enumerate().filter(|(_, known)| known.id == address);
        let (resource, first) = found.next().ok_or_else(|| self.bad(Fault::OutsideReference))?;
        // Generators write a named schema out wherever it is used. Where two of one name differ, which of them is
        // meant would depend on the reader.
        if found.any(|(_, other)| other.root != first.root) {
            return Err(self.bad(Fault::Ambiguous));
        }
        if pending.is_dynamic && self.resources.len() > 1 {
            // Which schema is meant would depend on the way to it.
            return Err(self.bad(Fault::DynamicReference));
        }
        if let Some(named) = self.anchors.get(&(resource, fragment.to_owned())) {
            return Ok(*named);
        }
        let steps = location::pointer(fragment).ok_or_else(|| self.bad(Fault::LostReference))?;
        self.follow(resource, &steps)
    }

    fn follow(&mut self, mut resource: usize, steps: &[String]) -> Result<NodeId, BadSchema> {
        let start = self.resources.get(resource).map_or(self.document, |resource| resource.root);
        let mut json = start;
        for step in steps {
            self.looked_up = self.looked_up.saturating_add(json.raw().len());
            if self.looked_up > LOOKED_UP {
                return Err(self.bad(Fault::TooLarge));
            }
            let next = match json.kind() {
                Kind::Object => json.get(step),
                Kind::Array => step.parse().ok().and_then(|index| json.elements().nth(index)),
                Kind::String | Kind::Number | Kind::Bool | Kind::Null => None,
            };
            json = next.ok_or_else(|| self.bad(Fault::LostReference))?;
            if let Some((_, nearer)) = self.met.get(&self.offset(json)) {
                resource = *nearer;
            }
        }
        // A place that nothing else makes a schema: it is as deep as the way to it, not as the reference is.
        self.path = steps.iter().cloned().map(Cow::Owned).collect();
        self.schema(json, resource)
    }
}
