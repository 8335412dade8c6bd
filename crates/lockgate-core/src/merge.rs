//! Answers of several servers, written as one.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use lockgate_model::{Json, Revision, ServerName, quote};

use crate::fan::{Answer, object};
use crate::names;

type Good<'a> = [(&'a ServerName, &'a Answer)];

const NAME: &str = "lockgate";
const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(crate) fn initialize(good: &Good<'_>, revision: Revision) -> String {
    let instructions = instructions(good);
    format!(
        "{{\"protocolVersion\":\"{}\",\"capabilities\":{},\"serverInfo\":{{\"name\":\"{NAME}\",\"version\":\"{VERSION}\"}}{instructions}}}",
        revision.as_str(),
        capabilities(good)
    )
}

pub(crate) fn discover(good: &Good<'_>) -> String {
    let instructions = instructions(good);
    format!(
        "{{\"resultType\":\"complete\",\"supportedVersions\":[\"{}\"],\"capabilities\":{}{instructions},\"ttlMs\":0,\"cacheScope\":\"private\",\"_meta\":{{{}:{{\"name\":\"{NAME}\",\"version\":\"{VERSION}\"}}}}}}",
        Revision::R2026_07_28.as_str(),
        capabilities(good),
        quote("io.modelcontextprotocol/serverInfo")
    )
}

pub(crate) fn list(field: &str, good: &Good<'_>, modern: bool) -> String {
    let mut out = String::from("{");
    if modern {
        out.push_str("\"resultType\":\"complete\",\"ttlMs\":0,\"cacheScope\":\"private\",");
    }
    out.push_str(&format!("\"{field}\":["));
    for (count, entry) in good.iter().flat_map(|(_, answer)| &answer.entries).enumerate() {
        if count > 0 {
            out.push(',');
        }
        out.push_str(&String::from_utf8_lossy(entry));
    }
    out.push_str("]}");
    out
}

pub(crate) fn nothing(modern: bool) -> String {
    if modern { "{\"resultType\":\"complete\"}".to_owned() } else { "{}".to_owned() }
}

/// What all servers together will notify of.
pub(crate) fn agreed(answers: &[(ServerName, Bytes)]) -> String {
    let mut flags = BTreeSet::new();
    let (mut addresses, mut tasks) = (Vec::new(), Vec::new());
    for (server, answer) in answers {
        let Ok(json) = Json::check(answer, 8) else { continue };
        for (key, value) in json.members() {
            if key.is("resourceSubscriptions") {
                let texts = value.elements().filter_map(Json::text);
                addresses.extend(texts.map(|text| quote(&names::exposed_address(server, &text))));
            } else if key.is("taskIds") {
                tasks.extend(value.elements().filter_map(Json::text).map(|text| quote(&text)));
            } else if value.bool() == Some(true) {
                flags.insert(key.text().into_owned());
            }
        }
    }
    let mut fields: Vec<_> = flags.iter().map(|flag| format!("{}:true", quote(flag))).collect();
    if !addresses.is_empty() {
        fields.push(format!("\"resourceSubscriptions\":[{}]", addresses.join(",")));
    }
    if !tasks.is_empty() {
        fields.push(format!("\"taskIds\":[{}]", tasks.join(",")));
    }
    format!("{{{}}}", fields.join(","))
}

/// The sum of what the servers can do. Flags are or-ed; what has no form for several servers is left out.
fn capabilities(good: &Good<'_>) -> String {
    const KNOWN: [&str; 5] = ["tools", "resources", "prompts", "completions", "logging"];
    let mut flags: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut extensions: BTreeMap<String, String> = BTreeMap::new();
    for (_, answer) in good {
        let Some(result) = answer.result.as_deref().and_then(|bytes| Json::check(bytes, 128).ok()) else {
            continue;
        };
        let Some(all) = object(result.get("capabilities")) else { continue };
        for name in KNOWN {
            if let Some(one) = object(all.get(name)) {
                let set = flags.entry(name).or_default();
                let on = one.members().filter(|(_, value)| value.bool() == Some(true));
                set.extend(on.map(|(key, _)| key.text().into_owned()));
            }
        }
        for (key, value) in object(all.get("extensions")).into_iter().flat_map(Json::members) {
            let key = key.text().into_owned();
            if key == "io.modelcontextprotocol/tasks" {
                extensions.entry(key).or_insert_with(|| value.written().to_owned());
            }
        }
    }
    let mut fields: Vec<_> = flags
        .iter()
        .map(|(name, set)| {
            let on: Vec<_> = set.iter().map(|flag| format!("{}:true", quote(flag))).collect();
            format!("\"{name}\":{{{}}}", on.join(","))
        })
        .collect();
    if !extensions.is_empty() {
        let all: Vec<_> = extensions.iter().map(|(key, value)| format!("{}:{value}", quote(key))).collect();
        fields.push(format!("\"extensions\":{{{}}}", all.join(",")));
    }
    format!("{{{}}}", fields.join(","))
}

/// What the servers tell the model about themselves, each under its configured name.
fn instructions(good: &Good<'_>) -> String {
    let mut texts = Vec::new();
    for (server, answer) in good {
        let Some(result) = answer.result.as_deref().and_then(|bytes| Json::check(bytes, 128).ok()) else {
            continue;
        };
        if let Some(text) = result.get("instructions").and_then(Json::text).filter(|text| !text.is_empty()) {
            texts.push(format!("Server `{server}` says:\n{text}"));
        }
    }
    if texts.is_empty() { String::new() } else { format!(",\"instructions\":{}", quote(&texts.join("\n\n"))) }
}
