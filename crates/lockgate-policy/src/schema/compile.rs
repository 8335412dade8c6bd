//! From the text of a schema to its nodes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use lockgate_model::{Json, Kind};

use super::bad_schema::{BadSchema, Fault};
use super::node::{Node, NodeId, PatternId, Rules};
use super::pattern::{Pattern, Unmatchable};
use super::reference::{Pending, Resource};

/// Largest text of a schema. Bytes.
const LARGEST: usize = 256 << 10;
/// Most schemas inside one.
const MOST_NODES: usize = 10_000;
/// Deepest place of a schema inside another. Keywords and names on the way.
const DEEPEST: usize = 64;
/// Largest table of one pattern. Bytes.
const PATTERN_BYTES: usize = 512 << 10;
/// What the tables of a schema's patterns may take together; past it, patterns are not matched. Bytes.
const PATTERNS_BYTES: usize = 2 << 20;

/// Nodes and patterns of a schema.
pub(super) struct Compiled {
    pub(super) nodes: Vec<Node>,
    /// None for one that cannot be matched.
    pub(super) patterns: Vec<Option<Pattern>>,
    pub(super) root: NodeId,
}

/// Which reading of the words holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Draft07,
    Draft2019,
    Draft2020,
}

impl Dialect {
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = name.strip_suffix('#').unwrap_or(name);
        let name = name.strip_prefix("http://").or_else(|| name.strip_prefix("https://"))?;
        match name {
            "json-schema.org/draft-07/schema" => Some(Self::Draft07),
            "json-schema.org/draft/2019-09/schema" => Some(Self::Draft2019),
            "json-schema.org/draft/2020-12/schema" => Some(Self::Draft2020),
            _ => None,
        }
    }
}

/// Compiles a whole document.
pub(super) fn compile(document: Json<'_>) -> Result<Compiled, BadSchema> {
    let mut compiler = Compiler::new(document)?;
    let root = compiler.document()?;
    Ok(Compiled { nodes: compiler.nodes, patterns: compiler.patterns, root })
}

/// A schema while it is read.
pub(super) struct Compiler<'a> {
    pub(super) document: Json<'a>,
    pub(super) dialect: Dialect,
    pub(super) nodes: Vec<Node>,
    pub(super) patterns: Vec<Option<Pattern>>,
    pub(super) pattern_ids: BTreeMap<String, PatternId>,
    pub(super) pattern_bytes: usize,
    /// The node of each schema met, and the resource it stands in, by its place in the text.
    pub(super) met: BTreeMap<usize, (NodeId, usize)>,
    pub(super) resources: Vec<Resource<'a>>,
    /// Named places: the resource and the name.
    pub(super) anchors: BTreeMap<(usize, String), NodeId>,
    /// References that wait for all names to be known.
    pub(super) pending: Vec<Pending<'a>>,
    /// Where the walk stands.
    pub(super) path: Vec<Cow<'a, str>>,
    pub(super) looked_up: usize,
}

/// The keywords of one schema.
pub(super) type Words<'a> = BTreeMap<Cow<'a, str>, Json<'a>>;

impl<'a> Compiler<'a> {
    fn new(document: Json<'a>) -> Result<Self, BadSchema> {
        let mut compiler = Self {
            document,
            dialect: Dialect::Draft2020,
            nodes: Vec::new(),
            patterns: Vec::new(),
            pattern_ids: BTreeMap::new(),
            pattern_bytes: PATTERNS_BYTES,
            met: BTreeMap::new(),
            resources: vec![Resource { id: String::new(), root: document }],
            anchors: BTreeMap::new(),
            pending: Vec::new(),
            path: Vec::new(),
            looked_up: 0,
        };
        if document.raw().len() > LARGEST {
            return Err(compiler.bad(Fault::TooLarge));
        }
        if let Some(name) = document.get("$schema") {
            compiler.dialect = name
                .text()
                .and_then(|name| Dialect::named(&name))
                .ok_or_else(|| compiler.bad(Fault::Dialect))?;
        }
        Ok(compiler)
    }

    fn document(&mut self) -> Result<NodeId, BadSchema> {
        let root = self.schema(self.document, 0)?;
        // Following a reference may meet schemas, and with them further references.
        while let Some(pending) = self.pending.pop() {
            self.path.clone_from(&pending.path);
            let target = self.target(&pending)?;
            if let Some(Node::Rules(rules)) = self.nodes.get_mut(pending.from.0) {
                let applied = rules.applied.get_or_insert_default();
                if pending.is_dynamic {
                    applied.dynamic_reference = Some(target);
                } else {
                    applied.reference = Some(target);
                }
            }
        }
        Ok(root)
    }

    // ---- one schema ----

    /// The node of a schema that stands in the resource numbered so.
    pub(super) fn schema(&mut self, json: Json<'a>, resource: usize) -> Result<NodeId, BadSchema> {
        let place = self.offset(json);
        if let Some((known, _)) = self.met.get(&place) {
            return Ok(*known);
        }
        let id = NodeId(self.nodes.len());
        if id.0 >= MOST_NODES || self.path.len() > DEEPEST {
            return Err(self.bad(Fault::TooLarge));
        }
        self.met.insert(place, (id, resource));
        self.nodes.push(Node::Anything);
        let node = match json.kind() {
            Kind::Bool if json.bool() == Some(false) => Node::Nothing,
            Kind::Bool => Node::Anything,
            Kind::Object => Node::Rules(Box::new(self.rules(json, id, resource)?)),
            Kind::Array | Kind::String | Kind::Number | Kind::Null => return Err(self.bad(Fault::NotASchema)),
        };
        if let Some(slot) = self.nodes.get_mut(id.0) {
            *slot = node;
        }
        Ok(id)
    }

    fn rules(&mut self, json: Json<'a>, id: NodeId, resource: usize) -> Result<Rules, BadSchema> {
        let words: Words<'a> = json.members().map(|(key, value)| (key.text(), value)).collect();
        let resource = self.names(&words, json, id, resource)?;
        self.definitions(&words, json, resource)?;
        let is_alone = self.references(&words, id, resource)?;
        if is_alone {
            return Ok(Rules::default());
        }
        Ok(Rules {
            types: self.types(&words)?,
            constant: words.get("const").map(|json| self.value(*json)).transpose()?,
            choices: self.choices(&words)?,
            number: self.number(&words)?,
            text: self.text(&words)?,
            array: self.array(&words, resource)?,
            object: self.object(&words, resource)?,
            applied: self.applied(&words, resource)?,
            unevaluated_items: self.one(&words, "unevaluatedItems", resource)?,
            unevaluated_properties: self.one(&words, "unevaluatedProperties", resource)?,
        })
    }

    // ---- schemas inside a schema ----

    pub(super) fn inside<const N: usize>(
        &mut self,
        steps: [Cow<'a, str>; N],
        json: Json<'a>,
        resource: usize,
    ) -> Result<NodeId, BadSchema> {
        self.path.extend(steps);
        let node = self.schema(json, resource)?;
        self.path.truncate(self.path.len().saturating_sub(N));
        Ok(node)
    }

    pub(super) fn one(
        &mut self,
        words: &Words<'a>,
        word: &'static str,
        resource: usize,
    ) -> Result<Option<NodeId>, BadSchema> {
        let Some(json) = words.get(word) else { return Ok(None) };
        self.inside([Cow::Borrowed(word)], *json, resource).map(Some)
    }

    pub(super) fn list(
        &mut self,
        words: &Words<'a>,
        word: &'static str,
        resource: usize,
    ) -> Result<Option<Vec<NodeId>>, BadSchema> {
        let Some(json) = words.get(word) else { return Ok(None) };
        if json.kind() != Kind::Array {
            return Err(self.bad(Fault::Keyword(word)));
        }
        let steps = json.elements().enumerate();
        let nodes = steps.map(|(index, json)| {
            self.inside([Cow::Borrowed(word), Cow::Owned(index.to_string())], json, resource)
        });
        nodes.collect::<Result<_, _>>().map(Some)
    }

    pub(super) fn schemas_by_name(
        &mut self,
        words: &Words<'a>,
        word: &'static str,
        resource: usize,
    ) -> Result<Vec<(Box<str>, NodeId)>, BadSchema> {
        let Some(json) = self.object_of(words, word)? else { return Ok(Vec::new()) };
        let nodes = json.members().map(|(key, value)| {
            let node = self.inside([Cow::Borrowed(word), key.text()], value, resource)?;
            Ok((Box::from(key.text()), node))
        });
        nodes.collect()
    }

    pub(super) fn object_of(
        &self,
        words: &Words<'a>,
        word: &'static str,
    ) -> Result<Option<Json<'a>>, BadSchema> {
        match words.get(word) {
            Some(json) if json.kind() != Kind::Object => Err(self.bad(Fault::Keyword(word))),
            found => Ok(found.copied()),
        }
    }

    /// A pattern's number. One that cannot be matched gets one too: only a text that needs it is refused.
    pub(super) fn pattern(&mut self, text: &str) -> PatternId {
        if let Some(known) = self.pattern_ids.get(text) {
            return *known;
        }
        let id = PatternId(self.patterns.len());
        let limit = PATTERN_BYTES.min(self.pattern_bytes);
        let pattern = Pattern::compile(text, limit);
        self.pattern_bytes -= match &pattern {
            Ok(pattern) => pattern.bytes().min(self.pattern_bytes),
            Err(Unmatchable::Size) => limit,
            Err(Unmatchable::Language) => 0,
        };
        self.patterns.push(pattern.ok());
        self.pattern_ids.insert(text.to_owned(), id);
        id
    }

    /// Where in the document a part of it stands.
    pub(super) fn offset(&self, part: Json<'a>) -> usize {
        part.raw().as_ptr().addr().wrapping_sub(self.document.raw().as_ptr().addr())
    }

    pub(super) fn bad(&self, fault: Fault) -> BadSchema {
        BadSchema::new(fault, &self.path)
    }
}
