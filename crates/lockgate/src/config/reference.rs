//! The reference page of the configuration, written from its schema.

use serde_json::Value;

use super::schema::schema;

/// What stands above the keys.
const HEAD: &str = "\
# lockgate.yaml

<!-- Written by `BLESS=1 cargo test -p lockgate --test config` from the types that read the file. Do not edit. -->

`lockgate check FILE` says what a file means in plain words, or what is wrong with it. `lockgate schema` prints the JSON
Schema for editors; it is also [in this folder](lockgate.schema.json):

```yaml
# yaml-language-server: $schema=lockgate.schema.json
servers:
  web:
    url: https://search.example/mcp
    headers: { Authorization: \"Bearer ${WEB_TOKEN}\" }
    tier: open
  notes:
    command: [npx, -y, \"@example/notes\"]
    env: { API_KEY: { file: secrets/notes } }
    tools: { \"delete_*\": ask }
```

Every error is reported at once, with its place and a hint. A key that is unknown, or that has no effect where it stands,
is an error. Anchors, merge keys and tags are not supported. Only `true` and `false` are booleans; `no` is a word.

`${NAME}` in `command`, `env`, `cwd`, `url`, `headers`, `token` and `file` is an environment variable, and `$$` is a `$`. A
variable that is not set is an error. Where a secret is expected, `{ file: PATH }` reads it from a file relative to the
folder of the configuration; a line end at its end is cut.

A time is a whole number with `ms`, `s`, `m` or `h`. A size is a whole number with `B`, `KiB`, `MiB` or `GiB`, or alone for
bytes.

The file of an MCP client, `{ \"mcpServers\": { … } }`, can be used as it is. Names of servers are made valid, `${NAME:-text}`
has a default, servers that are `disabled` are left out, and everything else has the defaults below.
";

/// The sections in the order of the page: heading, and where it stands in the schema.
const SECTIONS: [(&str, &str); 10] = [
    ("At the top", ""),
    ("`servers.NAME`", "/$defs/Server"),
    ("`flow`", "/$defs/Flow"),
    ("`principals.NAME`", "/$defs/Principal"),
    ("`http`", "/$defs/Http"),
    ("`limits`", "/$defs/Limits"),
    ("`approvals`", "/$defs/Approvals"),
    ("`approvals.webhook`", "/$defs/Webhook"),
    ("`admin`", "/$defs/Admin"),
    ("`records`", "/$defs/Records"),
];

/// The page in Markdown.
pub fn reference() -> String {
    let schema = schema();
    let mut page = vec![HEAD.to_owned()];
    for (heading, place) in SECTIONS {
        let Some(section) = schema.pointer(place) else { continue };
        page.push(format!("\n## {heading}\n\n{}\n", text(section, "description")));
        let required: Vec<&str> = section
            .get("required")
            .and_then(Value::as_array)
            .map_or_else(Vec::new, |all| all.iter().filter_map(Value::as_str).collect());
        let keys = section.get("properties").and_then(Value::as_object);
        for (key, property) in keys.into_iter().flatten() {
            let required = required.contains(&key.as_str());
            page.push(format!("\n### `{key}`\n\n{}\n", text(property, "description")));
            page.push(facts(property, required));
        }
    }
    page.concat()
}

/// The lines under a key: words it may be, default, range.
fn facts(property: &Value, required: bool) -> String {
    let words = property
        .get("oneOf")
        .or_else(|| property.pointer("/additionalProperties/oneOf"))
        .or_else(|| property.pointer("/items/oneOf"))
        .and_then(Value::as_array);
    let words: Vec<String> = words
        .into_iter()
        .flatten()
        .map(|word| format!("- `{}`: {}\n", text(word, "const"), text(word, "description")))
        .collect();
    let mut facts = Vec::new();
    if required {
        facts.push("Required.".to_owned());
    }
    if let Some(default) = property.get("default") {
        let default = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
        facts.push(format!("Default `{default}`."));
    }
    if let (Some(least), Some(most)) = (property.get("minimum"), property.get("maximum")) {
        facts.push(format!("From {least} to {most}."));
    }
    let paragraph = |text: String| if text.is_empty() { text } else { format!("\n{}\n", text.trim_end()) };
    format!("{}{}", paragraph(words.concat()), paragraph(facts.join(" ")))
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
