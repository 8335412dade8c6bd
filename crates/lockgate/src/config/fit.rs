//! Can every rule meet a tool? Compares a policy with the tools its servers list.

use std::collections::BTreeMap;

use lockgate_model::{Json, Kind as Is, ServerName};
use lockgate_policy::Pattern;

use super::error::{At, Report, perhaps, quoted};
use super::yaml::{self, Form, Kind, Node};
use super::{ConfigErrors, Surroundings, environment};

/// A tool as its server lists it.
#[derive(Clone, Debug)]
pub struct ListedTool {
    /// Its name.
    pub name: String,
    /// Its entry in `tools/list`: a JSON object.
    pub entry: Vec<u8>,
}

/// The tools of each server that are known.
pub type Listed = BTreeMap<ServerName, Vec<ListedTool>>;

/// Most names in a hint.
const NAMES: usize = 12;

/// Finds every rule that meets no listed tool and every argument that no tool it meets has. `text` is a policy that was
/// loaded without errors; servers without listed tools are passed over.
pub fn fit(
    text: &str,
    file: &str,
    listed: &Listed,
    surroundings: &dyn Surroundings,
) -> Result<(), ConfigErrors> {
    let report = Report::default();
    if let Some(node) = yaml::read(text, Form::Yaml, &report) {
        let root = environment::lay(node, surroundings.variable("LOCKGATE_ENVIRONMENT"), &report);
        for (name, server) in member(&root, "servers").into_iter().flat_map(members) {
            let tools = listed.iter().find(|(listed, _)| listed.as_str() == name.value);
            if let Some((_, tools)) = tools {
                Fitting { server: &name.value, tools, report: &report }.server(server);
            }
        }
    }
    report.finish(file, Some(()))
}

struct Fitting<'a> {
    server: &'a str,
    tools: &'a [ListedTool],
    report: &'a Report,
}

impl Fitting<'_> {
    fn server(&self, server: &Node) {
        for (pattern, rules) in member(server, "tools").into_iter().flat_map(members) {
            let met = self.met("tools", pattern);
            match &rules.value {
                Kind::Map(_) => self.rule(pattern, &met, rules),
                Kind::List(items) => items.iter().for_each(|rule| self.rule(pattern, &met, rule)),
                Kind::Broken | Kind::Nothing | Kind::Null | Kind::Text(..) => {}
            }
        }
        for (pattern, _) in member(server, "effects").into_iter().flat_map(members) {
            self.met("effects", pattern);
        }
    }

    fn met(&self, section: &str, pattern: &At<String>) -> Vec<&ListedTool> {
        let Ok(parsed) = Pattern::parse(&pattern.value) else { return Vec::new() };
        let met: Vec<_> = self.tools.iter().filter(|tool| parsed.matches(&tool.name)).collect();
        if met.is_empty() {
            let name = quoted(&format!("servers.{}.{section}.{}", self.server, pattern.value));
            let known: Vec<&str> = self.tools.iter().map(|tool| tool.name.as_str()).collect();
            let hint = format!("{}listed tools: {}", perhaps(&pattern.value, &known), some(&known));
            self.report.error(pattern.place, format!("the rule {name} matches no listed tool"), hint);
        }
        met
    }

    fn rule(&self, pattern: &At<String>, met: &[&ListedTool], rule: &Node) {
        let alternatives = ["deny_if", "ask_if"].iter().filter_map(|key| member(rule, key)).flat_map(items);
        for (name, _) in member(rule, "require").into_iter().chain(alternatives).flat_map(members) {
            self.argument(pattern, met, name);
        }
        for limit in member(rule, "limits").into_iter().flat_map(items) {
            if let Some(At { value: Kind::Text(text, _), place }) = member(limit, "sum") {
                self.argument(pattern, met, &At { value: text.clone(), place: *place });
            }
        }
    }

    fn argument(&self, pattern: &At<String>, met: &[&ListedTool], selector: &At<String>) {
        let steps = steps(&selector.value);
        let schema =
            |tool: &&ListedTool| Some(Json::check(&tool.entry, 128).ok()?.get("inputSchema")?.raw().to_vec());
        let schemas: Vec<Vec<u8>> = met.iter().filter_map(schema).collect();
        let schemas: Vec<Json<'_>> = schemas.iter().filter_map(|raw| Json::check(raw, 128).ok()).collect();
        let known = |schema: &Json<'_>| declares(*schema, *schema, &steps, 0) != Declared::No;
        if schemas.len() < met.len() || schemas.is_empty() || schemas.iter().any(known) {
            return;
        }
        let names: std::collections::BTreeSet<String> = schemas
            .iter()
            .filter_map(|schema| schema.get("properties"))
            .flat_map(|properties| properties.members().map(|(name, _)| name.text().into_owned()))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let near = perhaps(&selector.value, &names);
        let message = format!(
            "no listed tool that {} matches has an argument {}",
            quoted(&pattern.value),
            quoted(&selector.value)
        );
        let known = if names.is_empty() {
            "it has none".to_owned()
        } else {
            format!("known arguments: {}", some(&names))
        };
        self.report.error(selector.place, message, format!("{near}{known}"));
    }
}

fn some(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(NAMES).map(|name| quoted(name)).collect();
    let more = names.len().checked_sub(NAMES).filter(|more| *more > 0);
    more.map_or_else(|| shown.join(", "), |more| format!("{} and {more} more", shown.join(", ")))
}

fn member<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    members(node).find(|(name, _)| name.value == key).map(|(_, node)| node)
}

fn members(node: &Node) -> impl Iterator<Item = &(At<String>, Node)> {
    let members = match &node.value {
        Kind::Map(members) => members.as_slice(),
        Kind::Broken | Kind::Nothing | Kind::Null | Kind::Text(..) | Kind::List(_) => &[],
    };
    members.iter()
}

fn items(node: &Node) -> impl Iterator<Item = &Node> {
    let items = match &node.value {
        Kind::List(items) => items.as_slice(),
        Kind::Broken | Kind::Nothing | Kind::Null | Kind::Text(..) | Kind::Map(_) => &[],
    };
    items.iter()
}

/// The steps of an argument's name: one, or those of a JSON Pointer. `*` is every element or member.
fn steps(selector: &str) -> Vec<String> {
    match selector.strip_prefix('/') {
        Some(pointer) => pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect(),
        None => vec![selector.to_owned()],
    }
}

/// What a schema says of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Declared {
    Yes,
    No,
    /// It says nothing that would tell.
    Silent,
}

/// Does the schema have a place for it? What is not plainly closed is open: this finds slips of the pen, it refuses
/// nothing.
fn declares(root: Json<'_>, schema: Json<'_>, steps: &[String], depth: usize) -> Declared {
    let Some((first, rest)) = steps.split_first() else { return Declared::Yes };
    if schema.kind() != Is::Object || depth > 16 {
        return Declared::Silent;
    }
    let below = |schema: Json<'_>| match declares(root, schema, rest, depth + 1) {
        Declared::Silent => Declared::Yes,
        told @ (Declared::Yes | Declared::No) => told,
    };
    let mut told = vec![own(schema, first, &below)];
    for key in ["allOf", "anyOf", "oneOf"] {
        for part in schema.get(key).into_iter().flat_map(Json::elements) {
            told.push(declares(root, part, steps, depth + 1));
        }
    }
    for part in ["then", "else"].iter().filter_map(|key| schema.get(key)) {
        told.push(declares(root, part, steps, depth + 1));
    }
    if let Some(reference) = schema.get("$ref").and_then(Json::text) {
        let target = reference.strip_prefix('#').and_then(|pointer| find(root, pointer));
        told.push(target.map_or(Declared::Yes, |target| declares(root, target, steps, depth + 1)));
    }
    [Declared::Yes, Declared::No].into_iter().find(|answer| told.contains(answer)).unwrap_or(Declared::Silent)
}

fn own(schema: Json<'_>, step: &str, below: &dyn Fn(Json<'_>) -> Declared) -> Declared {
    let properties = schema.get("properties").filter(|properties| properties.kind() == Is::Object);
    let items = schema.get("items");
    let further = schema.get("additionalProperties").is_some_and(|further| further.bool() != Some(false))
        || schema.get("patternProperties").is_some()
        || schema.get("prefixItems").is_some();
    if let Some(found) = properties.and_then(|properties| properties.get(step)) {
        return below(found);
    }
    if further {
        return Declared::Yes;
    }
    if let Some(items) = items
        && (step == "*" || step.bytes().all(|b| b.is_ascii_digit()))
    {
        return below(items);
    }
    if let Some(properties) = properties {
        let any = step == "*" && properties.members().any(|(_, property)| below(property) == Declared::Yes);
        return if any { Declared::Yes } else { Declared::No };
    }
    let plain = ["string", "number", "integer", "boolean", "null"];
    let kind = schema.get("type").and_then(Json::text);
    if items.is_some() || kind.is_some_and(|kind| plain.contains(&&*kind)) {
        Declared::No
    } else {
        Declared::Silent
    }
}

fn find<'j>(root: Json<'j>, pointer: &str) -> Option<Json<'j>> {
    let mut at = root;
    for step in pointer.split('/').skip(1) {
        at = at.get(&step.replace("~1", "/").replace("~0", "~"))?;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_schema_has_a_place_for() {
        let schema = br##"{"type":"object","properties":{
            "path":{"type":"string"},
            "files":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"}}}},
            "free":{"type":"object"},
            "open":{"type":"object","properties":{"a":{}},"additionalProperties":true},
            "either":{"anyOf":[{"type":"string"},{"type":"object","properties":{"x":{}}}]},
            "there":{"$ref":"#/$defs/there"}},
            "anyOf":[{"required":["path"]}],
            "$defs":{"there":{"type":"object","properties":{"y":{}}}}}"##;
        let schema = Json::check(schema, 64).unwrap();
        for (selector, told) in [
            ("path", true),
            ("paht", false),
            ("/path", true),
            ("/path/x", false),
            ("/files/*", true),
            ("/files/0/name", true),
            ("/files/*/name", true),
            ("/files/*/nam", false),
            ("/files/name", false),
            ("/free/anything", true),
            ("/open/b", true),
            ("/either/x", true),
            ("/either/z", false),
            ("/there/y", true),
            ("/there/z", false),
            ("/*", true),
        ] {
            assert_eq!(declares(schema, schema, &steps(selector), 0) != Declared::No, told, "{selector}");
        }
    }
}
