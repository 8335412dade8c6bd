//! What a server offers in this session, learned from every list that passes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use lockgate_detect::attack::Input;
use lockgate_flow::{Definition, Properties, Roles, Signs};
use lockgate_model::{Annotations, Classified, Effect, Json, Key, Kind, ServerName, ToolName, letter};

use crate::form::Form;
use crate::names;

/// Most tools whose earlier definitions are kept; any further one counts as the worst.
const KEPT: usize = 10_000;

/// The tools one server has offered.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    tools: BTreeMap<ToolName, Offered>,
    exposed: BTreeMap<String, ToolName>,
    /// The whole list has been seen, and the server has not said since that it changed.
    complete: bool,
    /// It is known to be another one now.
    outdated: bool,
    /// The worst that was ever said of each tool in this session: a later list may raise a class, never lower it. Tools of
    /// which nothing was said that raises anything are not kept.
    worst: BTreeMap<ToolName, Definition>,
}

/// One tool as its server describes it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offered {
    /// What is said of it, now or earlier in the session.
    pub(crate) definition: Definition,
    pub(crate) mirrors: Vec<Mirror>,
    /// What its schema says of its arguments beside their names.
    pub(crate) properties: Properties,
    /// What kind of value each argument takes, by its schema.
    pub(crate) inputs: BTreeMap<String, Input>,
    /// What its arguments must look like.
    pub(crate) input: Form,
    /// What its results promise to look like.
    pub(crate) output: Form,
    /// What it does, by all that and by the operator's word. Found when it is asked for, and anew when that word changes.
    pub(crate) meaning: OnceLock<Meaning>,
}

/// What a tool does, and what that says of its arguments and results.
#[derive(Clone, Debug)]
pub(crate) struct Meaning {
    pub(crate) effect: Effect,
    pub(crate) class: Classified,
    pub(crate) roles: Roles,
    /// Does it return documents?
    pub(crate) document: bool,
}

/// An argument that a modern HTTP request repeats in a header (`x-mcp-header`, SEP-2243).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mirror {
    /// The header's name without `Mcp-Param-`, as the schema spells it.
    pub(crate) header: String,
    path: Vec<String>,
}

impl Mirror {
    /// What the header must say for these arguments; none where the argument is absent or null.
    pub(crate) fn value(&self, arguments: Option<Json<'_>>) -> Option<String> {
        let mut value = arguments?;
        for name in &self.path {
            value = value.get(name)?;
        }
        match value.kind() {
            Kind::String => value.text().map(std::borrow::Cow::into_owned),
            Kind::Number | Kind::Bool => Some(value.written().to_owned()),
            Kind::Null | Kind::Object | Kind::Array => None,
        }
    }
}

impl Catalogue {
    /// Forgets what is offered: a new list begins.
    pub(crate) fn begin(&mut self) {
        *self = Self { worst: std::mem::take(&mut self.worst), ..Self::default() };
    }

    pub(crate) fn end(&mut self) {
        self.complete = true;
    }

    /// The server says that its list is another one now.
    pub(crate) fn outdate(&mut self) {
        self.complete = false;
        self.outdated = true;
    }

    /// What was read counts, whatever the server said meanwhile.
    pub(crate) fn accept(&mut self) {
        self.outdated = false;
    }

    /// Must the list be read before anything of it is called?
    pub(crate) fn is_outdated(&self) -> bool {
        self.outdated
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    pub(crate) fn len(&self) -> usize {
        self.tools.len()
    }

    /// Adds a tool. False where the name is taken: of two tools with one name nobody knows which is meant.
    pub(crate) fn add(&mut self, server: &ServerName, tool: ToolName, offered: Offered) -> bool {
        let exposed = names::exposed_tool(server, &tool);
        // A name may also be made to be the shortened form of another.
        if self.tools.contains_key(&tool) || self.exposed.contains_key(&exposed) {
            return false;
        }
        let definition = self.remember(&tool, offered.definition);
        self.exposed.insert(exposed, tool.clone());
        self.tools.insert(tool, Offered { definition, ..offered });
        true
    }

    /// The worst that was ever said of a tool, this definition included.
    fn remember(&mut self, tool: &ToolName, mut definition: Definition) -> Definition {
        if let Some(earlier) = self.worst.get_mut(tool) {
            *earlier = earlier.join(definition);
            return *earlier;
        }
        if self.worst.len() >= KEPT {
            definition.signs = Signs::TOO_MANY;
        } else if definition.raises() {
            self.worst.insert(tool.clone(), definition);
        }
        definition
    }

    pub(crate) fn find(&self, tool: &str) -> Option<&Offered> {
        self.tools.get(tool)
    }

    /// What its tools do must be found anew.
    pub(crate) fn forget_meanings(&mut self) {
        self.tools.values_mut().for_each(|offered| offered.meaning = OnceLock::new());
    }

    /// The names of all tools.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.tools.keys().map(ToolName::as_str)
    }

    /// The tool that is offered under this name beside those of other servers.
    pub(crate) fn behind(&self, exposed: &str) -> Option<&ToolName> {
        self.exposed.get(exposed)
    }
}

/// Reads an entry of `tools/list`. None where it has no usable name, or where its `x-mcp-header` annotations are not
/// valid: such a tool must not be offered (specification 2026-07-28, Streamable HTTP).
pub(crate) fn read_tool(entry: Json<'_>) -> Option<(ToolName, Offered)> {
    let name = entry.get("name")?.text().filter(|name| usable(name))?;
    let mut reader = MirrorReader { found: Vec::new(), seen: BTreeSet::new(), valid: true };
    if let Some(schema) = entry.get("inputSchema") {
        reader.walk(schema, &mut Vec::new(), true);
    }
    reader.valid.then(|| (ToolName::new(&name), Offered { mirrors: reader.found, ..read_offered(entry) }))
}

/// The same without regard to mirrors, for eras that have none.
pub(crate) fn read_offered(entry: Json<'_>) -> Offered {
    Offered {
        definition: read_definition(entry),
        mirrors: Vec::new(),
        properties: read_properties(entry),
        inputs: read_inputs(entry),
        input: Form::new(entry.get("inputSchema")),
        output: Form::new(entry.get("outputSchema")),
        meaning: OnceLock::new(),
    }
}

/// What an entry of `tools/list` says of the arguments of its tool.
pub(crate) fn read_properties(entry: Json<'_>) -> Properties {
    entry.get("inputSchema").map_or_else(Properties::default, Properties::read)
}

/// Most arguments of a tool whose kind is kept; that of others is told by their names.
const INPUTS: usize = 256;

fn read_inputs(entry: Json<'_>) -> BTreeMap<String, Input> {
    let properties = entry.get("inputSchema").and_then(|schema| schema.get("properties"));
    let one = |(key, schema): (Key<'_>, Json<'_>)| {
        let name = key.text();
        let input = Input::infer(&name, Some(schema));
        (name.into_owned(), input)
    };
    properties.into_iter().flat_map(Json::members).take(INPUTS).map(one).collect()
}

/// What an entry of `tools/list` says of its tool, beside the name.
pub(crate) fn read_definition(entry: Json<'_>) -> Definition {
    let hint = |key: &str| entry.get("annotations").and_then(|all| all.get(key)).and_then(Json::bool);
    let annotations = Annotations {
        read_only: hint("readOnlyHint"),
        destructive: hint("destructiveHint"),
        open_world: hint("openWorldHint"),
    };
    Definition { annotations, signs: entry.get("inputSchema").map_or_else(Signs::default, Signs::read) }
}

/// Can a person and a model tell the name from another? Not where it is empty, longer than 128 characters, or holds
/// characters that cannot be seen or that turn the text around.
pub(crate) fn usable(name: &str) -> bool {
    let hidden = |letter: char| letter.is_control() || letter::is_hidden(letter);
    (1..=128).contains(&name.chars().count()) && !name.contains(hidden)
}

struct MirrorReader {
    found: Vec<Mirror>,
    seen: BTreeSet<String>,
    valid: bool,
}

impl MirrorReader {
    /// `plain` is false below anything but `properties`: there an annotation has no one argument that it means.
    fn walk(&mut self, schema: Json<'_>, path: &mut Vec<String>, plain: bool) {
        for (key, value) in schema.members() {
            let key = key.text();
            match (&*key, value.kind()) {
                ("x-mcp-header", _) if !path.is_empty() => self.annotation(schema, value, path, plain),
                ("properties", Kind::Object) => {
                    for (name, property) in value.members() {
                        path.push(name.text().into_owned());
                        self.walk(property, path, plain);
                        path.pop();
                    }
                }
                ("default" | "const" | "enum" | "examples", _) => {}
                (_, Kind::Object) => self.below(value, &key, path),
                (_, Kind::Array) => value.elements().for_each(|element| self.below(element, &key, path)),
                _ => {}
            }
        }
    }

    fn below(&mut self, schema: Json<'_>, key: &str, path: &mut Vec<String>) {
        path.push(key.to_owned());
        self.walk(schema, path, false);
        path.pop();
    }

    fn annotation(&mut self, schema: Json<'_>, value: Json<'_>, path: &[String], plain: bool) {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+.^_`|~-".contains(&b);
        let header = value.text().filter(|text| !text.is_empty() && text.bytes().all(token));
        let kind = schema.get("type").and_then(Json::text);
        let simple = kind.is_some_and(|kind| matches!(&*kind, "string" | "integer" | "boolean"));
        match header {
            Some(header) if plain && simple && self.seen.insert(header.to_ascii_lowercase()) => {
                self.found.push(Mirror { header: header.into_owned(), path: path.to_vec() });
            }
            _ => self.valid = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(ToolName, Offered)> {
        read_tool(Json::check(text.as_bytes(), 32).unwrap())
    }

    #[test]
    fn reads_hints_and_mirrors() {
        let (name, offered) = read(
            r#"{"name":"t","annotations":{"destructiveHint":true},"inputSchema":{"properties":{
                "a":{"type":"object","properties":{"b":{"type":"integer","x-mcp-header":"Region"}}}}}}"#,
        )
        .unwrap();
        assert_eq!((name.as_str(), offered.definition.annotations.destructive), ("t", Some(true)));
        let arguments = Json::check(br#"{"a":{"b":7}}"#, 8).unwrap();
        assert_eq!(offered.mirrors[0].value(Some(arguments)).as_deref(), Some("7"));
        assert_eq!(offered.mirrors[0].value(None), None);
    }

    #[test]
    fn a_later_list_raises_and_never_lowers() {
        let server = ServerName::parse("s").unwrap();
        let mut catalogue = Catalogue::default();
        let offer = |catalogue: &mut Catalogue, text: &str| {
            catalogue.begin();
            let (tool, offered) = read(text).unwrap();
            assert!(catalogue.add(&server, tool, offered));
            catalogue.find("t").unwrap().definition
        };
        let bad =
            r#"{"name":"t","annotations":{"destructiveHint":true},"inputSchema":{"properties":{"sql":{}}}}"#;
        let good =
            r#"{"name":"t","annotations":{"readOnlyHint":true},"inputSchema":{"properties":{"a":{}}}}"#;
        assert!(!offer(&mut catalogue, good).raises());
        let worst = offer(&mut catalogue, bad);
        assert!(worst.raises());
        assert_eq!(offer(&mut catalogue, good), Definition { signs: worst.signs, ..worst });
    }

    #[test]
    fn what_cannot_be_kept_counts_as_the_worst() {
        let server = ServerName::parse("s").unwrap();
        let mut catalogue = Catalogue::default();
        for count in 0..=KEPT {
            let text = format!(r#"{{"name":"t{count}","annotations":{{"destructiveHint":true}}}}"#);
            let (tool, offered) = read(&text).unwrap();
            catalogue.add(&server, tool, offered);
        }
        let last = catalogue.find(&format!("t{KEPT}")).unwrap();
        assert_eq!(last.definition.signs, Signs::TOO_MANY);
        assert_ne!(catalogue.find("t0").unwrap().definition.signs, Signs::TOO_MANY);
    }

    #[test]
    fn refuses_mirrors_that_mean_nothing_certain() {
        for schema in [
            r#"{"properties":{"a":{"type":"string","x-mcp-header":""}}}"#,
            r#"{"properties":{"a":{"type":"string","x-mcp-header":"a b"}}}"#,
            r#"{"properties":{"a":{"type":"object","x-mcp-header":"a"}}}"#,
            r#"{"properties":{"a":{"type":"string","x-mcp-header":7}}}"#,
            r#"{"properties":{"a":{"type":"array","items":{"type":"string","x-mcp-header":"a"}}}}"#,
            r#"{"properties":{"a":{"type":"string","x-mcp-header":"X"},"b":{"type":"string","x-mcp-header":"x"}}}"#,
            r#"{"anyOf":[{"properties":{"a":{"type":"string","x-mcp-header":"X"}}}]}"#,
        ] {
            assert!(read(&format!(r#"{{"name":"t","inputSchema":{schema}}}"#)).is_none(), "{schema}");
        }
    }
}
