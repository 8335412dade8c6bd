//! Schemas as real servers send them.

use super::*;

/// A TypeScript server: Zod through zod-to-json-schema, draft-07.
const EDIT_FILE: &str = r#"{
  "type": "object",
  "properties": {
    "path": {"type": "string"},
    "edits": {
      "type": "array",
      "items": {
        "type": "object",
        "properties": {
          "oldText": {"type": "string", "description": "Text to search for - must match exactly"},
          "newText": {"type": "string", "description": "Text to replace with"}
        },
        "required": ["oldText", "newText"],
        "additionalProperties": false
      }
    },
    "dryRun": {"type": "boolean", "default": false, "description": "Preview changes using git-style diff format"}
  },
  "required": ["path", "edits"],
  "additionalProperties": false,
  "$schema": "http://json-schema.org/draft-07/schema#"
}"#;

/// A Python server: pydantic through `FastMCP`, without `$schema` and without `additionalProperties`.
const SEARCH: &str = r##"{
  "$defs": {
    "Range": {
      "properties": {
        "start": {"format": "date-time", "title": "Start", "type": "string"},
        "end": {"anyOf": [{"format": "date-time", "type": "string"}, {"type": "null"}], "default": null, "title": "End"}
      },
      "required": ["start"],
      "title": "Range",
      "type": "object"
    },
    "Order": {"enum": ["newest", "oldest"], "title": "Order", "type": "string"}
  },
  "properties": {
    "query": {"maxLength": 100, "minLength": 1, "title": "Query", "type": "string"},
    "limit": {"anyOf": [{"exclusiveMinimum": 0, "maximum": 50, "type": "integer"}, {"type": "null"}], "default": null, "title": "Limit"},
    "range": {"anyOf": [{"$ref": "#/$defs/Range"}, {"type": "null"}], "default": null},
    "order": {"$ref": "#/$defs/Order", "default": "newest"},
    "tags": {"additionalProperties": {"type": "string"}, "default": {}, "title": "Tags", "type": "object"}
  },
  "required": ["query"],
  "title": "searchArguments",
  "type": "object"
}"##;

#[test]
fn a_typescript_server() {
    let schema = closed(EDIT_FILE);
    for (arguments, expected) in [
        (r#"{"path":"/a","edits":[]}"#, "ok"),
        (r#"{"path":"/a","edits":[{"oldText":"a","newText":"b"}],"dryRun":true}"#, "ok"),
        (r#"{"path":"/a","edits":[{"oldText":"a"}]}"#, r#"required at "/edits/0""#),
        (
            r#"{"path":"/a","edits":[{"oldText":"a","newText":"b","x":1}]}"#,
            r#"additionalProperties at "/edits/0""#,
        ),
        (r#"{"path":"/a","edits":"[]"}"#, r#"type at "/edits""#),
        (r#"{"path":["/a"],"edits":[]}"#, r#"type at "/path""#),
        (r#"{"path":"/a","edits":[],"dryRun":"true"}"#, r#"type at "/dryRun""#),
        (r#"{"path":"/a","edits":[],"sidenote":"x"}"#, r#"additionalProperties at """#),
        ("{}", r#"required at """#),
    ] {
        assert_eq!(verdict(&schema, arguments), expected, "{arguments}");
    }
}

#[test]
fn a_python_server() {
    let schema = closed(SEARCH);
    for (arguments, expected) in [
        (r#"{"query":"a"}"#, "ok"),
        (r#"{"query":"a","limit":null,"range":null,"tags":{"a":"b"}}"#, "ok"),
        (r#"{"query":"a","limit":50,"range":{"start":"2026-01-01T00:00:00"},"order":"oldest"}"#, "ok"),
        (r#"{"query":"a","limit":51}"#, r#"maximum at "/limit""#),
        (r#"{"query":"a","limit":"5"}"#, r#"type at "/limit""#),
        (r#"{"query":"a","range":{"end":null}}"#, r#"required at "/range""#),
        (r#"{"query":"a","order":"random"}"#, r#"enum at "/order""#),
        (r#"{"query":"a","tags":{"k":1}}"#, r#"type at "/tags/*""#),
        (r#"{"query":""}"#, r#"minLength at "/query""#),
        (r#"{"query":"a","note":"x"}"#, r#"additionalProperties at """#),
    ] {
        assert_eq!(verdict(&schema, arguments), expected, "{arguments}");
    }
    assert_eq!(verdict(&open(SEARCH), r#"{"query":"a","note":"x"}"#), "ok");
}

#[test]
fn a_tool_without_arguments() {
    for schema in [
        r#"{"type":"object"}"#,
        r#"{"type":"object","properties":{}}"#,
        r#"{"properties":{},"title":"nowArguments","type":"object"}"#,
    ] {
        assert_eq!(closed(schema).check(None), Ok(()));
        assert_eq!(verdict(&closed(schema), "{}"), "ok");
        assert_eq!(verdict(&closed(schema), r#"{"a":1}"#), r#"additionalProperties at """#);
    }
}

/// `TypeBox` names its recursive types with `$id`.
#[test]
fn a_recursive_type() {
    let schema = closed(
        r#"{"type":"object","properties":{"tree":{"$id":"T0","type":"object","properties":{
            "id":{"type":"string"},"children":{"type":"array","items":{"$ref":"T0"}}},"required":["id","children"]}}}"#,
    );
    let tree = r#"{"tree":{"id":"a","children":[{"id":"b","children":[]},{"id":"c"}]}}"#;
    assert_eq!(verdict(&schema, tree), r#"required at "/tree/children/1""#);
}

/// `FastMCP` wraps a plain result; the result of a tool is open.
#[test]
fn a_promised_result() {
    let schema = open(
        r#"{"properties":{"result":{"title":"Result","type":"string"}},"required":["result"],"type":"object"}"#,
    );
    assert_eq!(verdict(&schema, r#"{"result":"x","more":1}"#), "ok");
    assert_eq!(verdict(&schema, r#"{"result":5}"#), r#"type at "/result""#);
    assert!(schema.check(None).is_err());
}
