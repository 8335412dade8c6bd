//! The JSON Schema of `lockgate.yaml`, for editors and for the reference page. It comes from the raw types; what they
//! cannot say, the bounds of numbers, comes from [`bounds`].

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::argument;
use super::bounds::{self, Bounds, Measure};
use super::raw::{RawConfig, RawRule};
use super::words::{self, ASKS};

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
            limit(property, &bounds);
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
    /// What one argument must pass.
    Test => |_| {
        let operator = |argument::Known { key: word, meaning, .. }: &argument::Known| {
            let value = if *word == "present" { json!({ "type": "boolean" }) } else { json!({}) };
            let mut value = value.as_object().cloned().unwrap_or_default();
            value.insert("description".to_owned(), json!(meaning));
            ((*word).to_owned(), Value::Object(value))
        };
        let operators: Map<String, Value> = argument::OPERATORS.iter().map(operator).collect();
        json_schema!({ "anyOf": [
            { "type": ["string", "number", "boolean", "null"], "description": "Is this value." },
            { "type": "array", "minItems": 1, "description": "Is one of these values." },
            { "type": "object", "properties": operators, "additionalProperties": false, "minProperties": 1 }
        ] })
    };
    /// One limit.
    Limit => |_| {
        let by = json!({ "enum": ["principal", "session", "server", "tool", "everyone"], "default": "everyone" });
        json_schema!({ "anyOf": [
            { "type": "string", "pattern": "^[1-9][0-9]*/[a-z0-9_]+$" },
            { "type": "object", "properties": { "calls": { "type": "integer", "minimum": 1 }, "per": { "type": "string" }, "by": by }, "required": ["calls", "per"], "additionalProperties": false },
            { "type": "object", "properties": { "sum": { "type": "string" }, "at_most": { "type": ["string", "integer"] }, "per": { "type": "string" }, "by": by }, "required": ["sum", "at_most", "per"], "additionalProperties": false },
            { "type": "object", "properties": { "concurrent": { "type": "integer", "minimum": 1 }, "by": by }, "required": ["concurrent"], "additionalProperties": false }
        ] })
    };
    /// An environment.
    Overlay => |_| json_schema!({ "type": "object" });
    /// What is done with a class of tools.
    Treatment => |_| {
        let action = one_of(words::DEFAULT_ACTIONS.iter().map(|(word, action)| (*word, words::action(*action))));
        let approvers = json!({ "type": "integer", "default": 1, "minimum": 1, "maximum": 5 });
        json_schema!({ "anyOf": [
            action,
            { "type": "object", "properties": { "action": action, "approvers": approvers }, "required": ["action"], "additionalProperties": false }
        ] })
    };
    /// How much harm a tool can do.
    Class => |_| one_of(words::classes().map(|(word, class)| (word, words::class(class))));
    /// What is done with what rules decide.
    Mode => |_| one_of([
        ("enforce", "What rules decide is done."),
        ("observe", "It is recorded (`would`), and every call is let through."),
    ]);
    /// What `flow.cross_server` says.
    CrossServer => |_| one_of([("ask", "A person is asked."), ("deny", "The call is refused.")]);
    /// How far a server is trusted.
    Tier => |_| one_of(words::tiers().map(|(word, tier)| (word, words::tier(tier))));
    /// Arguments that a tool does not declare.
    Undeclared => |_| one_of([
        ("refuse", "The call is refused (`undeclared_argument`): what they do there nobody can tell. A schema that names no argument at all lets all pass."),
        ("allow", "They pass, as in JSON Schema."),
    ]);
    /// What a tool does.
    Effect => |_| one_of(words::effects().map(|(word, effect)| (word, words::effect(effect))));
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
