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

A file holds at most 8 MiB, which is room for 10,000 rules in their long form. `lockgate check --normal FILE` prints it
sorted and in its shortest form, so that two files can be compared; two files with the same normal form decide alike.

A time is a whole number with `ms`, `s`, `m` or `h`. A size is a whole number with `B`, `KiB`, `MiB` or `GiB`, or alone for
bytes.

The file of an MCP client, `{ \"mcpServers\": { … } }`, can be used as it is. Names of servers are made valid, `${NAME:-text}`
has a default, servers that are `disabled` are left out, and everything else has the defaults below.
";

/// The sections in the order of the page: heading, and where it stands in the schema.
const SECTIONS: &[(&str, &str)] = &[
    ("At the top", ""),
    ("`servers.NAME`", "/$defs/Server"),
    ("A rule in its long form", "/$defs/Rule"),
    ("`during`", "/$defs/Hours"),
    ("A test of an argument", "/$defs/Test"),
    ("A limit", "/$defs/Limit"),
    ("`classes.NAME`", "/$defs/Treatment"),
    ("`servers.NAME.clearance`", "/$defs/Clearance"),
    ("`pins`", "/$defs/Pins"),
    ("`pins.TIER` and `servers.NAME.pins`", "/$defs/Pinning"),
    ("`servers.NAME.signature`", "/$defs/Signature"),
    ("`flow`", "/$defs/Flow"),
    ("`flow.freeze`", "/$defs/Freeze"),
    ("`flow.user_turns`", "/$defs/UserTurns"),
    ("`rules`", "/$defs/FlowRule"),
    ("`when` and `unless`", "/$defs/Facts"),
    ("`flow.hook`", "/$defs/Hook"),
    ("`flow.session`", "/$defs/FlowSession"),
    ("`flow.secrets`", "/$defs/Credentials"),
    ("`detect`", "/$defs/Detect"),
    ("`detect.results`", "/$defs/Results"),
    ("`detect.arguments`", "/$defs/Arguments"),
    ("`detect.personal`", "/$defs/PersonalData"),
    ("`detect.data_classes`", "/$defs/DataClasses"),
    ("`detect.data_classes.results` and `arguments`", "/$defs/ByDataClass"),
    ("`detect.data_classes.fields`", "/$defs/ClassifiedField"),
    ("`detect.output`", "/$defs/Output"),
    ("`detect.suppress`", "/$defs/Suppression"),
    ("`detect.code`", "/$defs/CodeArgument"),
    ("`servers.NAME.detect`", "/$defs/ServerDetect"),
    ("`servers.NAME.detect.data_classes`", "/$defs/ServerDataClasses"),
    ("`loops`", "/$defs/Loops"),
    ("`principals.NAME`", "/$defs/Principal"),
    ("`http`", "/$defs/Http"),
    ("`limits`", "/$defs/Limits"),
    ("`approvals`", "/$defs/Approvals"),
    ("`approvals.webhook`", "/$defs/Webhook"),
    ("`alerts`", "/$defs/Alerts"),
    ("`alerts.channels.NAME`", "/$defs/AlertChannel"),
    ("`alerts.channels.NAME.syslog`", "/$defs/Syslog"),
    ("`alerts.channels.NAME.email`", "/$defs/Email"),
    ("`alerts.rules.NAME`", "/$defs/AlertRule"),
    ("`admin`", "/$defs/Admin"),
    ("`records`", "/$defs/Records"),
    ("`records.witnesses`", "/$defs/Witness"),
    ("`records.publish`", "/$defs/Publish"),
    ("`behaviour`", "/$defs/Behaviour"),
    ("`telemetry`", "/$defs/Telemetry"),
    ("`telemetry.otlp`", "/$defs/Otlp"),
];

/// Rules at work, below the description of their long form.
const RULES: &str = "
```yaml
tools:
  \"read_*\": allow # an action
  query: # a rule
    for: [role:analyst]
    require:
      sql: { sql: { statements: [select], tables: [orders] } }
      limit: { at_most: 1000 }
    ask_if:
      - { limit: { above: 100 } }
    limits: [100/hour, { concurrent: 2, by: principal }]
    on_deny: \"Only SELECT on orders, a thousand rows at most.\"
  deploy: # several, all of which count
    - { action: ask, approvers: 2, require: { target: [staging, production] } }
    - { action: deny, during: { days: [sat, sun] }, on_deny: \"Not at the weekend.\" }
```
";

/// The page in Markdown.
pub fn reference() -> String {
    let schema = schema();
    let mut page = vec![HEAD.to_owned()];
    for &(heading, place) in SECTIONS {
        let Some(section) = schema.pointer(place) else { continue };
        page.push(format!("\n## {heading}\n\n{}\n", text(section, "description")));
        if place == "/$defs/Rule" {
            page.push(RULES.to_owned());
        }
        let forms: Vec<&Value> =
            section.get("anyOf").and_then(Value::as_array).into_iter().flatten().collect();
        let sections: Vec<&&Value> = forms.iter().filter(|form| form.get("properties").is_some()).collect();
        if !forms.is_empty() {
            page.push("\n".to_owned());
        }
        for form in &forms {
            page.extend(form.get("description").map(|_| format!("- {}\n", text(form, "description"))));
            if let Some(words) = form.get("oneOf") {
                page.push(listed(words));
            }
            // The keys of the only section have headings of their own.
            if sections.len() > 1 {
                page.push(members(form, "  "));
            }
        }
        let keys = if let [only] = sections.as_slice() { only } else { section };
        page.push(headed(keys));
    }
    page.concat()
}

/// Every key of a section under a heading of its own.
fn headed(section: &Value) -> String {
    let mut page = Vec::new();
    for (key, property) in section.get("properties").and_then(Value::as_object).into_iter().flatten() {
        page.push(format!("\n### `{key}`\n\n{}\n", text(property, "description")));
        page.push(facts(property, required(section, key)));
        for example in property.get("examples").and_then(Value::as_array).into_iter().flatten() {
            page.push(format!("\n    {}\n", example.as_str().unwrap_or_default()));
        }
        let members = members(property, "");
        if !members.is_empty() {
            page.push(format!("\n{members}"));
        }
    }
    page.concat()
}

/// Every key of a section as an entry of a list.
fn members(section: &Value, inset: &str) -> String {
    let one = |(key, property): (&String, &Value)| {
        let facts = said(property, required(section, key)).join(" ");
        let line = format!("{inset}- `{key}`: {} {facts}", text(property, "description"));
        format!("{}\n", line.trim_end())
    };
    section.get("properties").and_then(Value::as_object).into_iter().flatten().map(one).collect()
}

fn required(section: &Value, key: &str) -> bool {
    let all = section.get("required").and_then(Value::as_array);
    all.is_some_and(|all| all.iter().any(|required| required == key))
}

/// The lines under a key: words it may be, default, range.
fn facts(property: &Value, required: bool) -> String {
    let words = property
        .get("oneOf")
        .or_else(|| property.pointer("/additionalProperties/oneOf"))
        .or_else(|| property.pointer("/additionalProperties/additionalProperties/oneOf"))
        .or_else(|| property.pointer("/items/oneOf"));
    let words = words.map(listed).unwrap_or_default();
    let paragraph = |text: String| if text.is_empty() { text } else { format!("\n{}\n", text.trim_end()) };
    format!("{}{}", paragraph(words), paragraph(said(property, required).join(" ")))
}

/// Words, each with what it means.
fn listed(words: &Value) -> String {
    let line = |word: &Value| format!("- `{}`: {}\n", text(word, "const"), text(word, "description"));
    words.as_array().into_iter().flatten().map(line).collect::<Vec<_>>().concat()
}

/// Is it required, what holds without it, how far does it go?
fn said(property: &Value, required: bool) -> Vec<String> {
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
    facts
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}
