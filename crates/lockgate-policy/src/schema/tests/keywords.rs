use super::*;

/// A schema, values that fit, values that do not.
type Row = (&'static str, &'static [&'static str], &'static [&'static str]);

fn table(rows: &[Row]) {
    for (schema, fits, misfits) in rows {
        let compiled = open(schema);
        for value in *fits {
            assert_eq!(verdict(&compiled, value), "ok", "{schema} {value}");
        }
        for value in *misfits {
            assert_ne!(verdict(&compiled, value), "ok", "{schema} {value}");
        }
    }
}

#[test]
fn types_and_constants() {
    table(&[
        ("true", &["1", "null"], &[]),
        ("false", &[], &["1", "null"]),
        ("{}", &["1"], &[]),
        (r#"{"type":"integer"}"#, &["1", "1.0", "1e3", "-0"], &["1.5", "\"1\"", "true", "null"]),
        (r#"{"type":"number"}"#, &["1", "1.5"], &["\"1.5\""]),
        (r#"{"type":"string"}"#, &["\"\""], &["1", "[]"]),
        (r#"{"type":"boolean"}"#, &["true"], &["\"true\"", "1", "null"]),
        (r#"{"type":["array","null"]}"#, &["[]", "null"], &["{}", "false"]),
        (r#"{"const":{"a":[1,2.0]}}"#, &[r#"{"a":[1.0,2]}"#], &[r#"{"a":[2,1]}"#, "{}"]),
        (
            r#"{"enum":["a",1,null,{"x":1,"y":2}]}"#,
            &["\"a\"", "1.0", "null", r#"{"y":2,"x":1}"#],
            &["\"b\"", "\"1\"", "false", "0"],
        ),
        (r#"{"const":9007199254740993}"#, &["9007199254740993"], &["9007199254740992"]),
        (r#"{"const":"a\u0062"}"#, &[r#""\u0061b""#], &["\"a\""]),
        (r#"{"enum":[]}"#, &[], &["1"]),
    ]);
}

#[test]
fn numbers() {
    table(&[
        (r#"{"minimum":1.1}"#, &["1.1", "1.2", "\"x\""], &["1.0999999999999999999999999"]),
        (r#"{"maximum":9007199254740992}"#, &["9007199254740992"], &["9007199254740993"]),
        (r#"{"exclusiveMinimum":0,"exclusiveMaximum":1e1}"#, &["0.1", "9.9"], &["0", "-0.0", "10", "10.0"]),
        (r#"{"multipleOf":0.01}"#, &["19.99", "0", "-1e2"], &["19.999"]),
        (r#"{"multipleOf":3}"#, &["100000000000000000000000000002"], &["100000000000000000000000000000"]),
    ]);
}

#[test]
fn texts() {
    table(&[
        (r#"{"minLength":2,"maxLength":3}"#, &["\"äö\"", "\"\\ud83d\\ude00b\"", "1"], &["\"a\"", "\"abcd\""]),
        (r#"{"maxLength":2.0}"#, &["\"ab\""], &["\"abc\""]),
        (r#"{"pattern":"^[a-z]+$"}"#, &["\"abc\"", "7"], &["\"\"", "\"aB\"", "\"a\\n\""]),
        (r#"{"pattern":"b"}"#, &["\"abc\""], &["\"ac\""]),
        (r#"{"format":"email"}"#, &["\"nobody\""], &[]),
    ]);
}

#[test]
fn arrays() {
    table(&[
        (r#"{"items":{"type":"string"}}"#, &["[]", "[\"a\"]", "{}"], &["[\"a\",1]"]),
        (r#"{"minItems":1,"maxItems":2}"#, &["[1]", "[1,2]"], &["[]", "[1,2,3]"]),
        (
            r#"{"uniqueItems":true}"#,
            &["[1,true,\"1\",[1],{\"a\":1}]", "[]"],
            &["[1,2,1.0]", "[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1}]"],
        ),
        (r#"{"prefixItems":[{"type":"string"}],"items":false}"#, &["[]", "[\"a\"]"], &["[1]", "[\"a\",1]"]),
        (
            r#"{"items":[{"type":"string"}],"additionalItems":{"type":"null"}}"#,
            &["[\"a\",null]"],
            &["[1]", "[\"a\",1]"],
        ),
        (r#"{"contains":{"const":1}}"#, &["[2,1]"], &["[]", "[2]"]),
        (r#"{"contains":{"const":1},"minContains":0,"maxContains":1}"#, &["[]", "[1]"], &["[1,1]"]),
        (
            r#"{"prefixItems":[true],"contains":{"const":1},"unevaluatedItems":false}"#,
            &["[0,1]", "[1,1]"],
            &["[0,1,2]"],
        ),
    ]);
}

#[test]
fn objects() {
    table(&[
        (
            r#"{"properties":{"a":{"type":"string"}}}"#,
            &["{}", r#"{"b":1}"#, r#"{"\u0061":"x"}"#, "[]"],
            &[r#"{"a":1}"#],
        ),
        (r#"{"required":["a","b"]}"#, &[r#"{"b":1,"a":null}"#, "7"], &["{}", r#"{"a":1}"#]),
        (r#"{"additionalProperties":{"type":"number"}}"#, &[r#"{"a":1}"#], &[r#"{"a":"1"}"#]),
        (
            r#"{"patternProperties":{"^x-":{"type":"string"}},"additionalProperties":false}"#,
            &[r#"{"x-a":"1"}"#],
            &[r#"{"x-a":1}"#, r#"{"y":"1"}"#],
        ),
        (r#"{"propertyNames":{"enum":["a","b"]}}"#, &[r#"{"a":1}"#], &[r#"{"c":1}"#]),
        (r#"{"minProperties":1,"maxProperties":1}"#, &[r#"{"a":1}"#], &["{}", r#"{"a":1,"b":2}"#]),
        (r#"{"dependentRequired":{"a":["b"]}}"#, &["{}", r#"{"a":1,"b":1}"#], &[r#"{"a":1}"#]),
        (
            r#"{"dependencies":{"a":["b"],"c":{"required":["d"]}}}"#,
            &[r#"{"b":1}"#, r#"{"c":1,"d":1}"#],
            &[r#"{"a":1}"#, r#"{"c":1}"#],
        ),
        (r#"{"dependentSchemas":{"a":{"required":["b"]}}}"#, &[r#"{"b":1}"#], &[r#"{"a":1}"#]),
        (
            r#"{"allOf":[{"properties":{"a":true}}],"anyOf":[{"properties":{"b":true}},{"properties":{"c":{"const":1}}}],"unevaluatedProperties":false}"#,
            &[r#"{"a":1,"b":1,"c":1}"#],
            &[r#"{"c":2}"#, r#"{"d":1}"#],
        ),
    ]);
}

#[test]
fn schemas_on_the_same_value() {
    table(&[
        (r#"{"allOf":[{"minimum":1},{"maximum":2}]}"#, &["1", "2"], &["0", "3"]),
        (r#"{"anyOf":[{"type":"null"},{"minimum":2}]}"#, &["null", "2", "\"x\""], &["1"]),
        (r#"{"oneOf":[{"multipleOf":2},{"multipleOf":3}]}"#, &["2", "3"], &["1", "6"]),
        (r#"{"not":{"type":"string"}}"#, &["1"], &["\"a\""]),
        (
            r#"{"if":{"type":"string"},"then":{"minLength":1},"else":{"minimum":1}}"#,
            &["\"a\"", "1"],
            &["\"\"", "0"],
        ),
        (r#"{"then":false}"#, &["1"], &[]),
    ]);
}

#[test]
fn references() {
    table(&[
        (r##"{"$ref":"#/$defs/a~1b","$defs":{"a/b":{"type":"null"}}}"##, &["null"], &["1"]),
        (r##"{"$ref":"#/$defs/a","maximum":3,"$defs":{"a":{"minimum":2}}}"##, &["2"], &["1", "4"]),
        (
            r##"{"$schema":"http://json-schema.org/draft-07/schema#","$ref":"#/definitions/a","maximum":3,"definitions":{"a":{"minimum":2}}}"##,
            &["2", "4"],
            &["1"],
        ),
        (
            r##"{"properties":{"next":{"$ref":"#"}},"additionalProperties":false}"##,
            &[r#"{"next":{"next":{}}}"#],
            &[r#"{"next":{"other":1}}"#],
        ),
        (r##"{"$ref":"#name","$defs":{"a":{"$anchor":"name","type":"null"}}}"##, &["null"], &["1"]),
        (
            r#"{"$ref":"T0","$defs":{"a":{"$id":"T0","type":"array","items":{"$ref":"T0"}}}}"#,
            &["[[],[[]]]"],
            &["[1]"],
        ),
        (
            r#"{"$id":"https://example.com/a","$ref":"https://example.com/a#/$defs/x","$defs":{"x":{"const":1}}}"#,
            &["1"],
            &["2"],
        ),
        (
            r##"{"$ref":"#/components/schemas/x","components":{"schemas":{"x":{"items":{"$ref":"#/components/schemas/y"}},"y":{"const":1}}}}"##,
            &["[1]"],
            &["[2]"],
        ),
        (r##"{"$dynamicRef":"#t","$defs":{"a":{"$dynamicAnchor":"t","const":1}}}"##, &["1"], &["2"]),
    ]);
}

#[test]
fn says_where_and_which_keyword() {
    let schema = closed(
        r#"{"type":"object","required":["b"],"properties":{
            "a":{"type":"array","items":{"properties":{"x/y":{"maximum":1}}}},
            "b":{"anyOf":[{"type":"integer","minimum":3},{"type":"null"}]},
            "c":{"anyOf":[{"type":"integer"},{"type":"null"}]},
            "m":{"additionalProperties":{"type":"string"}},
            "s":{"additionalProperties":false},
            "never":false
        }}"#,
    );
    for (value, expected) in [
        (r#"{"b":4,"a":[{},{"x/y":2}]}"#, r#"maximum at "/a/1/x~1y""#),
        (r#"{"a":[]}"#, r#"required at """#),
        (r#"{"b":1}"#, r#"minimum at "/b""#),
        (r#"{"b":null,"c":"x"}"#, r#"type at "/c""#),
        (r#"{"b":null,"m":{"s3cret":1}}"#, r#"type at "/m/*""#),
        (r#"{"b":null,"s":{"s3cret":1}}"#, r#"additionalProperties at "/s""#),
        (r#"{"b":null,"s3cret":1}"#, r#"additionalProperties at """#),
        (r#"{"b":null,"never":1}"#, r#"false at "/never""#),
        ("[]", r#"type at """#),
    ] {
        assert_eq!(verdict(&schema, value), expected, "{value}");
    }
    let misfit = schema.check(None).unwrap_err();
    assert_eq!(misfit.to_string(), "lacks a required property");
    assert_eq!(misfit.missing().unwrap().forward(), "b");
    let misfit = schema.check(Some(json(r#"{"b":null,"c":"x"}"#))).unwrap_err();
    assert_eq!(misfit.to_string(), "must be of type integer or null");
    assert!(!misfit.is_undecided());
}

#[test]
fn undeclared_arguments() {
    for (schema, declared, undeclared) in [
        (r#"{"type":"object","properties":{"a":{}}}"#, r#"{"a":1}"#, r#"{"b":1}"#),
        (r#"{"type":"object"}"#, "{}", r#"{"b":1}"#),
        ("{}", "{}", r#"{"b":1}"#),
        ("true", "{}", r#"{"b":1}"#),
        (r#"{"patternProperties":{"^x":{}}}"#, r#"{"x1":1}"#, r#"{"b":1}"#),
        (r##"{"$ref":"#/$defs/a","$defs":{"a":{"properties":{"a":{}}}}}"##, r#"{"a":1}"#, r#"{"b":1}"#),
        (
            r#"{"anyOf":[{"properties":{"a":{}},"required":["a"]},{"properties":{"b":{}},"required":["b"]}]}"#,
            r#"{"b":1}"#,
            r#"{"a":1,"c":1}"#,
        ),
        // What an alternative that does not fit speaks about is not declared.
        (r#"{"oneOf":[{"properties":{"a":{"const":1}}},{"type":"null"}]}"#, r#"{"a":1}"#, r#"{"b":1}"#),
    ] {
        assert_eq!(verdict(&closed(schema), declared), "ok", "{schema}");
        assert_eq!(verdict(&closed(schema), undeclared), r#"additionalProperties at """#, "{schema}");
        assert_eq!(verdict(&open(schema), undeclared), "ok", "{schema}");
    }
    for schema in [
        r#"{"additionalProperties":true}"#,
        r#"{"additionalProperties":{}}"#,
        r#"{"additionalProperties":{"type":"integer"}}"#,
        r#"{"unevaluatedProperties":true}"#,
        r#"{"allOf":[{"additionalProperties":true}]}"#,
        // Only the arguments themselves are closed.
        r#"{"properties":{"b":{"type":["object","integer"]}}}"#,
    ] {
        assert_eq!(verdict(&closed(schema), r#"{"b":1}"#), "ok", "{schema}");
    }
    assert_eq!(verdict(&closed(r#"{"properties":{"b":{}}}"#), r#"{"b":{"c":1}}"#), "ok");
    assert_eq!(verdict(&closed("{}"), "null"), r#"type at """#);
}

#[test]
fn a_bad_schema_says_where() {
    for (schema, place, text) in [
        (
            r#"{"properties":{"a":{"type":"strng"}}}"#,
            "/properties/a",
            "the value of `type` is not one it can have",
        ),
        (
            r#"{"properties":{"a":{"required":true}}}"#,
            "/properties/a",
            "the value of `required` is not one it can have",
        ),
        (r#"{"items":{"minimum":"1"}}"#, "/items", "the value of `minimum` is not one it can have"),
        (r#"{"anyOf":[{},3]}"#, "/anyOf/1", "a schema is neither an object nor `true` or `false`"),
        (
            r#"{"$schema":"http://json-schema.org/draft-04/schema#"}"#,
            "",
            "the schema names a dialect other than draft-07, 2019-09 and 2020-12",
        ),
        (r##"{"items":{"$ref":"#/$defs/lost"}}"##, "/items", "a reference points to nothing"),
        ("[]", "", "a schema is neither an object nor `true` or `false`"),
    ] {
        let bad = bad(schema);
        assert_eq!((bad.place().forward().as_str(), bad.to_string().as_str()), (place, text), "{schema}");
    }
    for schema in [
        r#"{"minLength":-1}"#,
        r#"{"minLength":1.5}"#,
        r#"{"multipleOf":0}"#,
        r#"{"enum":1}"#,
        r#"{"pattern":1}"#,
        r#"{"properties":[]}"#,
        r#"{"uniqueItems":"yes"}"#,
        r#"{"required":[1]}"#,
        r#"{"exclusiveMinimum":true}"#,
        r#"{"$ref":1}"#,
        r#"{"allOf":{}}"#,
        r#"{"dependentRequired":{"a":{}}}"#,
    ] {
        bad(schema);
    }
}
