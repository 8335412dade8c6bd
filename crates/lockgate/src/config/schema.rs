//! The JSON Schema of `lockgate.yaml`, for editors and for the reference page. It comes from the raw types; what they
//! cannot say, the bounds of numbers, comes from [`bounds`].

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::argument;
use super::bounds::{self, Bounds, Measure};
use super::raw::{RawConfig, RawRule};
use super::words::{self, ASKS, SPEAKS};
use lockgate_core::Handling;

/// The JSON Schema (2020-12) of `lockgate.yaml`.
pub fn schema() -> Value {
    let mut root = schemars::schema_for!(RawConfig).to_value();
    if let Some(root) = root.as_object_mut() {
        root.insert("title".to_owned(), json!("lockgate.yaml"));
    }
    tidy(&mut root);
    for bounds in bounds::ALL {
        let place = if bounds.section == "Configuration" {
            format!("/properties/{}", bounds.key)
        } else {
            format!("/$defs/{}/properties/{}", bounds.section, bounds.key)
        };
        if let Some(Value::Object(property)) = root.pointer_mut(&place) {
            limit(property, bounds);
        }
    }
    root
}

/// Writes default, least and most into the schema of a key.
fn limit(property: &mut Map<String, Value>, bounds: &Bounds) {
    let show = |value| bounds.measure.show(value);
    let default =
        if bounds.measure == Measure::Count { json!(bounds.default) } else { json!(show(bounds.default)) };
    property.insert("default".to_owned(), default);
    if bounds.measure == Measure::Count {
        property.insert("minimum".to_owned(), json!(bounds.least));
        property.insert("maximum".to_owned(), json!(bounds.most));
    } else if let Some(Value::String(text)) = property.get_mut("description") {
        *text = format!("{text} From `{}` to `{}`.", show(bounds.least), show(bounds.most));
    }
}

/// Takes `null` out, since a key without a value is an error, and line ends within sentences.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(object) => {
            let null = json!({ "type": "null" });
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(either)) = object.get_mut("anyOf") {
                either.retain(|schema| *schema != null);
                if let [Value::Object(only)] = either.as_slice() {
                    let only = only.clone();
                    object.remove("anyOf");
                    for (key, value) in only {
                        object.entry(key).or_insert(value);
                    }
                }
            }
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            object.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Words, each with what it means.
fn one_of<'a>(words: impl IntoIterator<Item = (&'a str, &'a str)>) -> Schema {
    let words: Vec<Value> =
        words.into_iter().map(|(word, meaning)| json!({ "const": word, "description": meaning })).collect();
    json_schema!({ "type": "string", "oneOf": words })
}

/// A word, or one for each level.
fn by_level(words: &[(&str, Handling)]) -> Schema {
    let word = || one_of(words.iter().map(|(word, what)| (*word, words::handling(*what))));
    let level = |description: &str| {
        let mut level = word();
        level.insert("description".to_owned(), json!(description));
        level
    };
    let levels = json!({
        "type": "object", "additionalProperties": false,
        "properties": {
            "block": level("With what must not pass."), "review": level("With what a person should look at.")
        }
    });
    json_schema!({ "anyOf": [word(), levels] })
}

/// The shape of one sort of value. These types only carry a schema; the values are read by hand.
macro_rules! shape {
    ($($(#[$doc:meta])* $name:ident => $schema:expr;)*) => {$(
        $(#[$doc])*
        pub(super) enum $name {}

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let make: fn(&mut SchemaGenerator) -> Schema = $schema;
                make(generator)
            }
        }
    )*};
}

shape! {
    /// A time.
    Time => |_| json_schema!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h)$" });
    /// A number of days.
    Days => |_| json_schema!({ "type": "string", "pattern": "^[0-9]+d$" });
    /// A size.
    Size => |_| json_schema!({ "type": ["string", "integer"], "pattern": "^[0-9]+(B|KiB|MiB|GiB)?$" });
    /// A whole number.
    Count => |_| json_schema!({ "type": "integer" });
    /// What holds where no rule matches.
    Default => |_| one_of(words::DEFAULTS.iter().map(|(word, action)| (*word, words::default(*action))));
    /// What a rule says.
    Action => |_| one_of(words::ACTIONS.iter().map(|(word, action)| (*word, words::action(*action))));
    /// An action, a rule, or several.
    Rules => |generator| {
        let action = one_of(words::ACTIONS.iter().map(|(word, action)| (*word, words::action(*action))));
        let rule = generator.subschema_for::<RawRule>();
        json_schema!({ "anyOf": [action, rule, { "type": "array", "items": rule, "minItems": 1 }] })
    };
    /// An environment.
    Overlay => |_| json_schema!({ "type": "object" });
    /// How much harm a tool can do.
    Class => |_| one_of(words::classes().map(|(word, class)| (word, words::class(class))));
    /// What is done with what rules decide.
    Mode => |_| one_of([
        ("enforce", "What rules decide is done."),
        ("observe", "It is recorded (`would`), and every call is let through."),
    ]);
    /// What is done with a call that something stands against.
    Violation => |_| one_of(words::VIOLATIONS.iter().map(|(word, what)| (*word, words::violation(*what))));
    /// Labels that a server puts beside its results.
    MetaLabels => |_| one_of(words::META_LABELS.iter().map(|(word, heard)| (*word, words::meta_labels(*heard))));
    /// What the agent is shown of a credential.
    SecretAction => |_| one_of(words::SECRETS.iter().map(|(word, action)| (*word, words::secret_action(*action))));
    /// What is done with personal data.
    Personal => |_| one_of(words::HANDLINGS.iter().map(|(word, what)| (*word, words::handling(*what))));
    /// What is done with a credential.
    Found => |_| one_of(words::TEXTS.iter().map(|(word, what)| (*word, words::handling(*what))));
    /// What is done with what stands in a file beside what is seen and heard.
    Beside => |_| one_of(words::BESIDE.iter().map(|(word, what)| (*word, words::handling(*what))));
    /// What is done with a message that has data of a class.
    Classified => |_| one_of(words::GUARDED.iter().map(|(word, what)| (*word, words::handling(*what))));
    /// A class of data.
    DataClassName => |_| {
        let words = words::data_classes().map(|(word, _)| word);
        json_schema!({ "enum": words })
    };
    /// What is done with HTML.
    Pages => |_| one_of([
        ("keep", "It stays as it is."),
        ("sanitise", "Text, its structure, pictures and links stay: no scripts, handlers, styles, forms, frames and comments."),
    ]);
    /// What a program is written in.
    Languages => |_| one_of(words::LANGUAGES.iter().map(|(word, what)| (*word, words::language(*what))));
    /// What is done with a part of a text, by how bad it is.
    Text => |_| by_level(words::TEXTS);
    /// What is done with a call, by how bad it is.
    Guarded => |_| by_level(words::GUARDED);
    /// How much is asked of a call.
    FlowMode => |_| one_of(words::FLOWS.iter().map(|(word, mode)| (*word, words::flow(*mode))));
    /// What a rule does.
    Then => |_| json_schema!({
        "anyOf": [
            { "enum": ["ask", "deny", "log", "redact", "off"] },
            {
                "type": "object", "required": ["handle"], "additionalProperties": false,
                "properties": { "handle": {
                    "type": "object", "required": ["expand_for"], "additionalProperties": false,
                    "properties": { "expand_for": { "type": "array", "items": { "type": "string" }, "minItems": 1 } }
                } }
            }
        ]
    });
    /// A definition that is not approved.
    Sight => |_| one_of(words::SIGHTS.iter().map(|(word, sight)| (*word, words::sight(*sight))));
    /// Where a server comes from.
    Origin => |_| one_of([
        ("required", "The lock file must say it."),
        ("optional", "What the lock file does not say is not asked."),
    ]);
    /// How far a server is trusted.
    Tier => |_| one_of(words::tiers().map(|(word, tier)| (word, words::tier(tier))));
    /// Who may see it.
    Confidentiality => |_| one_of(words::levels().map(|(word, level)| (word, words::level(level))));
    /// What an argument decides.
    Role => |_| one_of(words::roles().map(|(word, role)| (word, words::role(role))));
    /// By which way words of the user come.
    Channel => |_| one_of(words::CHANNELS.iter().map(|(word, channel)| (*word, words::channel(*channel))));
    /// How a server speaks over HTTP.
    Transport => |_| one_of(words::TRANSPORTS.iter().map(|(word, transport)| (*word, words::transport(*transport))));
    /// Arguments that a tool does not declare.
    Undeclared => |_| one_of([
        ("refuse", "The call is refused (`undeclared_argument`): what they do there nobody can tell. A schema that names no argument at all lets all pass."),
        ("allow", "They pass, as in JSON Schema."),
    ]);
    /// What a tool does.
    Effect => |_| one_of(words::effects().map(|(word, effect)| (word, words::effect(effect))));
    /// The eras that a server speaks.
    Speaks => |_| one_of(SPEAKS.iter().map(|(word, speaks)| (*word, words::speaks(*speaks))));
    /// What can be known of an owner.
    OwnerPart => |_| json_schema!({ "enum": lockgate_origin::Part::ALL.map(lockgate_origin::Part::word) });
    /// Something worth telling.
    EventName => |_| json_schema!({ "enum": lockgate_watch::EventName::ALL.iter().map(|name| name.word()).collect::<Vec<_>>() });
    /// How bad it is.
    Severity => |_| json_schema!({ "enum": lockgate_watch::Severity::ALL.map(lockgate_watch::Severity::word) });
    /// Is one worth telling?
    EventClass => |_| one_of([
        ("immediate", "Each is worth telling."),
        ("delayed", "Many are."),
    ]);
    /// What is counted together.
    Per => |_| one_of([
        ("rule", "Everything that the rule is about."),
        ("server", "What is about one server."),
        ("principal", "What one principal does."),
        ("session", "What happens in one session."),
    ]);
    /// What is stopped.
    Contain => |_| one_of([
        ("server", "Every call to the server."),
        ("principal", "Every call of the principal."),
        ("session", "Every call of the session."),
    ]);
    /// What a server may ask for.
    Ask => |_| one_of(ASKS.iter().map(|(word, ask)| (*word, words::ask(*ask))));
    /// A program with its arguments.
    Command => |_| json_schema!({
        "type": ["array", "string"],
        "items": { "type": ["string", "number", "boolean"] },
        "minItems": 1
    });
    /// A text that may hold references, or a file.
    Secret => |_| json_schema!({
        "type": ["string", "number", "boolean", "object"],
        "properties": { "file": { "type": "string", "description": "A file that holds the value; a line end at its end is cut." } },
        "required": ["file"],
        "additionalProperties": false
    });
}

/// As `shape`, for what has a name and a section in the reference.
macro_rules! definition {
    ($($(#[$doc:meta])* $name:ident => $schema:expr;)*) => {$(
        $(#[$doc])*
        pub(super) enum $name {}

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )*};
}

definition! {
    /// What one argument must pass.
    Test => {
        let operator = |known: &argument::Known| {
            let mut value = operator(known.key);
            value.insert("description".to_owned(), json!(known.meaning));
            value.insert("examples".to_owned(), json!([format!("{}: {}", known.key, known.example)]));
            (known.key.to_owned(), Value::Object(value))
        };
        let operators: Map<String, Value> = argument::OPERATORS.iter().map(operator).collect();
        json_schema!({
            "description": "What an argument must pass. The argument stands before it: its name, taken literally, or a JSON Pointer, such as \
                `/options/mode`, in which `*` stands for every element of a list and every member of a section; `require` wants all of \
                them to pass, `deny_if` and `ask_if` are content with one. Nothing is converted: `5` is a number, `\"5\"` is a text. An \
                argument that is not there passes nothing but `present: false`.",
            "anyOf": [
                { "type": ["string", "number", "boolean"], "description": "One value: the argument is this value." },
                { "const": null },
                { "type": "array", "minItems": 1, "description": "A list: the argument is one of these values, all of one type." },
                {
                    "type": "object", "properties": operators, "additionalProperties": false, "minProperties": 1,
                    "description": "A section with the operators below, all of which must hold."
                }
            ]
        })
    };
    /// Facts of a call, and what they must be.
    Facts => {
        let fact = |(key, example, meaning): (&str, &str, &str)| {
            let value = json!({
                "type": ["string", "boolean", "array", "object"], "description": meaning,
                "examples": [format!("{key}: {example}")]
            });
            (key.to_owned(), value)
        };
        let facts: Map<String, Value> = lockgate_flow::rule::KEYS.into_iter().map(fact).collect();
        json_schema!({
            "description": "Facts of a call, all of which must be as they are written. A step of a chain stands alone, or after `<=`, `<`, `>=` \
                or `>`. Servers stand in a list, or in `{not: [SERVER]}` for all but these; `others` is any server but the one that gets the \
                call. In place of `any` stands a role: `destination`, `selector`, `payload`, `source`, `amount` or `query`. Of several \
                arguments the lowest integrity and the highest confidentiality count, and any origin; without such an argument nothing \
                holds. Values under three characters have no origin, and what the user gave comes from nobody else. Of a call with more \
                than 64 values nothing about its arguments can be told.",
            "type": "object", "minProperties": 1, "additionalProperties": false, "properties": facts,
            "patternProperties": {
                "^args\\.(destination|selector|payload|source|amount|query)\\.(integrity|confidentiality|origins|metadata)$": true
            }
        })
    };
    /// One limit.
    Limit => {
        let window = "`second`, `minute`, `hour`, `day`, `week` or `90s`, `15m`, `12h`, `30d` slide: the time just passed; \
            `calendar_minute`, `calendar_hour`, `calendar_day`, `calendar_week` and `calendar_month` begin anew, in UTC.";
        let per = json!({ "type": "string", "description": window });
        let by = json!({
            "enum": ["principal", "session", "server", "tool", "everyone"], "default": "everyone",
            "description": "Whose calls are counted together: `principal`, `session`, `server`, `tool` or `everyone`."
        });
        json_schema!({
            "description": "How often, how much or how many at once, over all calls that the rule is about; then `budget_exceeded`. Where \
                the counts cannot be read, the call is refused (`counters_unavailable`).",
            "anyOf": [
                {
                    "type": "string", "pattern": "^[1-9][0-9]*/[a-z0-9_]+$",
                    "description": "`5/hour`: so many calls in a window, counted for everyone together."
                },
                {
                    "description": "`{ calls: 100, per: calendar_day, by: principal }`: so many calls in a window.",
                    "type": "object", "additionalProperties": false, "required": ["calls", "per"],
                    "properties": {
                        "calls": { "type": "integer", "minimum": 1, "description": "Most calls in the window." }, "per": per, "by": by
                    }
                },
                {
                    "description": "`{ sum: amount, at_most: \"500.00\", per: day, by: session }`: so large a sum of an argument in a window.",
                    "type": "object", "additionalProperties": false, "required": ["sum", "at_most", "per"],
                    "properties": {
                        "sum": { "type": "string", "description": "The argument that is added up, named as in a test. A call without it, or with one that is no plain decimal number from 0 on, is refused." },
                        "at_most": { "type": ["string", "number"], "description": "The largest sum: a decimal number, without an exponent." },
                        "per": per, "by": by
                    }
                },
                {
                    "description": "`{ concurrent: 2, by: server }`: so many calls at once.",
                    "type": "object", "additionalProperties": false, "required": ["concurrent"],
                    "properties": {
                        "concurrent": { "type": "integer", "minimum": 1, "description": "Most calls that wait for their answer." }, "by": by
                    }
                }
            ]
        })
    };
    /// How confidential what is sent may be.
    Clearance => {
        let level = one_of(words::levels().map(|(word, level)| (word, words::level(level))));
        let mut described = level.clone();
        described.insert(
            "description".to_owned(),
            json!("The highest level: `public`, `internal`, `private` or `secret`. Without it, by the tier."),
        );
        let compartments = json!({
            "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": 32, "uniqueItems": true,
            "description": "Compartments of other servers whose text may be sent there too."
        });
        json_schema!({
            "description": "How confidential what is sent to a server may be.",
            "anyOf": [
                level,
                {
                    "description": "`{ level: internal, compartments: [customer] }`: the level, and compartments of other servers.",
                    "type": "object", "additionalProperties": false, "minProperties": 1,
                    "properties": { "level": described, "compartments": compartments }
                }
            ]
        })
    };
    /// What is done with a class of tools.
    Treatment => {
        let action = one_of(words::DEFAULT_ACTIONS.iter().map(|(word, action)| (*word, words::action(*action))));
        let mut described = action.clone();
        described.insert(
            "description".to_owned(),
            json!("What is done with the tools of the class: `allow`, `ask` or `deny`."),
        );
        let approvers = json!({
            "type": "integer", "default": 1, "minimum": 1, "maximum": 5,
            "description": "How many different people must approve, where the action is `ask`."
        });
        json_schema!({
            "description": "What is done with the tools of one class.",
            "anyOf": [
                action,
                {
                    "description": "`{ action: ask, approvers: 2 }`: the action and its terms.",
                    "type": "object", "additionalProperties": false, "required": ["action"],
                    "properties": { "action": described, "approvers": approvers }
                }
            ]
        })
    };
}

/// The value of an operator.
fn operator(word: &str) -> Map<String, Value> {
    let texts = |meaning: &str| json!({ "type": "array", "items": { "type": ["string", "number"] }, "minItems": 1, "description": meaning });
    let section = |properties: Value, required: &[&str]| json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false, "minProperties": 1 });
    let number = json!({ "type": ["number", "string"] });
    let value = match word {
        "one_of" | "none_of" => json!({ "type": "array", "minItems": 1, "maxItems": 1000 }),
        "at_least" | "at_most" | "above" | "below" => number,
        "matches" | "contains_match" => json!({ "type": "string", "maxLength": 4096 }),
        "present" => json!({ "type": "boolean" }),
        "type" => json!({ "enum": ["string", "number", "integer", "boolean", "array", "object", "null"] }),
        "cidr" | "hostname" => {
            json!({ "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": 1000 })
        }
        "length" => {
            let bound = |meaning: &str| json!({ "type": "integer", "minimum": 0, "description": meaning });
            section(json!({ "at_least": bound("The fewest."), "at_most": bound("The most.") }), &[])
        }
        "url" => section(
            json!({
                "schemes": texts("Schemes, such as `https`. Without it, `http` and `https`."),
                "hosts": texts("Host names and addresses, as for `hostname`. Without it, any."),
                "ports": texts("Ports; that of the scheme where the address names none. Without it, any."),
            }),
            &[],
        ),
        "path" => section(
            json!({
                "inside": texts("The folders, from `/` on, or relative."),
                "aliases": {
                    "type": "object", "additionalProperties": { "type": "string" },
                    "description": "Where links lead, as `{ /data: /srv/data }`: Lockgate does not look at the disk."
                },
            }),
            &["inside"],
        ),
        "email" => section(
            json!({ "domains": texts("The domains; `*.example.com` stands for every name below.") }),
            &["domains"],
        ),
        "repo" => section(
            json!({
                "allow": texts("Repositories as `owner/name`; `*` stands for any run of characters."),
                "host": { "type": "string", "description": "The host whose addresses are read too, such as `github.com`. Without it, only `owner/name`." },
            }),
            &["allow"],
        ),
        "sql" => section(
            json!({
                "dialect": {
                    "enum": ["postgres", "sqlite", "mysql", "mssql", "generic"], "default": "generic",
                    "description": "How the database reads the text: `postgres`, `sqlite`, `mysql`, `mssql` or `generic`."
                },
                "statements": texts("Kinds of statements, wherever in the text they stand: `select`, `insert`, `update`, `delete`, `merge`, `create`, `alter`, `drop`, `truncate`, `explain`, `describe`, `show`, `set`, `transaction`, `copy`, `call`, `grant`, `revoke`, `vacuum`, `analyze`, `pragma`. Without it, any."),
                "tables": texts("Tables, as `orders`, `public.orders` or with `*` within a part; a name matches one with as many parts. Without it, any."),
                "functions": texts("Functions beside the ordinary ones (`count`, `lower`). Without it, only those."),
            }),
            &[],
        ),
        "shell" => section(
            json!({ "programs": texts("The programs, named as they will be written. Their arguments are not looked at: list none that runs others.") }),
            &["programs"],
        ),
        // A value of any type.
        _ => json!({}),
    };
    match value {
        Value::Object(value) => value,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}
