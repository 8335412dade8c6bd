//! Schemas that a server wrote to slow us, to make us fetch, or to be read in two ways. None of these tests measures
//! time: work is counted, and a check that is not bounded would not end.

use super::*;

#[test]
fn nothing_is_fetched() {
    for target in [
        "https://evil.example/schema.json",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "//evil.example/x",
        "other.json",
        "../secrets.json#/a",
        "https://json-schema.org/draft/2020-12/schema",
        "data:application/json,true",
    ] {
        for schema in [
            format!(r#"{{"$ref":"{target}"}}"#),
            format!(r#"{{"$id":"https://here.example/a/b.json","items":{{"$ref":"{target}"}}}}"#),
            format!(r#"{{"$dynamicRef":"{target}"}}"#),
        ] {
            assert_eq!(
                bad(&schema).to_string(),
                "a reference leaves the schema; nothing is ever fetched",
                "{schema}"
            );
        }
    }
}

#[test]
fn a_loop_of_references_ends() {
    for schema in [
        r##"{"$ref":"#"}"##,
        r##"{"allOf":[{"$ref":"#"}]}"##,
        r##"{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}"##,
        r##"{"not":{"$ref":"#"}}"##,
        r##"{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}"##,
        r##"{"if":{"$ref":"#"},"then":true}"##,
    ] {
        let misfit = open(schema).check(Some(json("1"))).unwrap_err();
        assert!(misfit.is_undecided(), "{schema}");
        assert_eq!(misfit.to_string(), "cannot be checked: the schema takes too many steps");
    }
}

#[test]
fn alternatives_of_alternatives_end() {
    // Forty levels, each trying the next one twice: a million million tries.
    let mut defs = String::new();
    for level in 0..40 {
        let next = level + 1;
        defs += &format!(
            r##""d{level}":{{"anyOf":[{{"$ref":"#/$defs/d{next}"}},{{"$ref":"#/$defs/d{next}"}}]}},"##
        );
    }
    let schema = open(&format!(r##"{{"$ref":"#/$defs/d0","$defs":{{{defs}"d40":{{"type":"null"}}}}}}"##));
    assert!(schema.check(Some(json("1"))).unwrap_err().is_undecided());
    // The same, one level of the value at a time.
    let schema = open(r##"{"type":"array","items":{"oneOf":[{"$ref":"#"},{"$ref":"#"},{"const":1}]}}"##);
    let value = format!("{}{}", "[".repeat(60), "]".repeat(60));
    assert!(schema.check(Some(json(&value))).is_err());
}

#[test]
fn a_large_schema_is_refused() {
    let wide = format!(r#"{{"enum":[{}1]}}"#, "1,".repeat(200_000));
    let many = format!(r#"{{"anyOf":[{}{{}}]}}"#, "{},".repeat(11_000));
    let deep = format!("{}{{}}{}", r#"{"items":"#.repeat(127), "}".repeat(127));
    for schema in [wide, many] {
        assert_eq!(bad(&schema).to_string(), "the schema is larger or deeper than a schema may be");
    }
    let deep = Schema::compile(json(&deep), Undeclared::Allow).map(drop);
    assert_eq!(deep.unwrap_err().to_string(), "the schema is larger or deeper than a schema may be");
}

#[test]
fn references_that_make_us_read_again_and_again_are_refused() {
    // Places that only a reference makes a schema.
    let filler = format!(r#""filler":"{}""#, "x".repeat(100_000));
    let places: Vec<String> = (0..4000).map(|index| format!(r#","p{index}":{{}}"#)).collect();
    let places = places.concat();
    let references: Vec<String> = (0..4000).map(|index| format!(r##"{{"$ref":"#/x/p{index}"}}"##)).collect();
    let schema = format!(r#"{{"x":{{{filler}{places}}},"allOf":[{}]}}"#, references.join(","));
    assert_eq!(bad(&schema).to_string(), "the schema is larger or deeper than a schema may be");
}

#[test]
fn names_that_multiply_are_refused() {
    // Each of these is a short name beside a long one, and would be kept with it.
    let parts: Vec<String> = (0..1000).map(|index| format!(r#""a{index}":{{"$id":"x{index}"}}"#)).collect();
    for id in ["https://here.example/".to_owned(), format!("https://here.example/{}/", "x".repeat(100_000))] {
        let schema = format!(r#"{{"$id":"{id}","$defs":{{{}}}}}"#, parts.join(","));
        assert_eq!(bad(&schema).to_string(), "the schema is larger or deeper than a schema may be");
    }
}

#[test]
fn many_definitions_are_no_burden() {
    let one = |index| format!(r#""D{index}":{{"type":"null","title":"{}"}}"#, "x".repeat(100));
    let defs: Vec<String> = (0..1500).map(one).collect();
    let all: Vec<String> = (0..1500).map(|index| format!(r##"{{"$ref":"#/$defs/D{index}"}}"##)).collect();
    let schema = open(&format!(r#"{{"allOf":[{}],"$defs":{{{}}}}}"#, all.join(","), defs.join(",")));
    assert_eq!(verdict(&schema, "null"), "ok");
}

#[test]
fn long_values_are_paid_for() {
    // Thousands of alternatives, each of which would go over a million digits or members.
    let number = format!("0.{}1", "0".repeat(1_000_000));
    let bounds: Vec<String> = (0..9000).map(|index| format!(r#"{{"minimum":{}}}"#, index + 1)).collect();
    let schema = open(&format!(r#"{{"anyOf":[{}]}}"#, bounds.join(",")));
    assert!(schema.check(Some(json(&number))).unwrap_err().is_undecided());
    let members: Vec<String> = (0..20_000).map(|index| format!(r#""m{index}":0"#)).collect();
    let lacking: Vec<String> =
        (0..5000).map(|index| format!(r#"{{"required":["m1","n{index}"]}}"#)).collect();
    let schema = open(&format!(r#"{{"anyOf":[{}]}}"#, lacking.join(",")));
    let value = format!("{{{}}}", members.join(","));
    assert!(schema.check(Some(json(&value))).unwrap_err().is_undecided());
}

#[test]
fn a_pattern_that_cannot_be_matched_refuses_only_what_it_judges() {
    for pattern in ["^a(?!admin).*$", r"(a)\\1", "([ab]*a[ab]{60})", "(", "(?i)a"] {
        let schema =
            closed(&format!(r#"{{"properties":{{"a":{{"pattern":"{pattern}"}},"b":{{"type":"string"}}}}}}"#));
        assert_eq!(verdict(&schema, r#"{"b":"x"}"#), "ok", "{pattern}");
        assert_eq!(verdict(&schema, r#"{"a":1}"#), "ok", "{pattern}");
        let misfit = schema.check(Some(json(r#"{"a":"x"}"#))).unwrap_err();
        assert!(misfit.is_undecided(), "{pattern}");
        assert_eq!(misfit.to_string(), "cannot be checked against the declared pattern");
        // Nothing turns what cannot be decided into a fit.
        for around in [
            r#"{"not":P}"#,
            r#"{"anyOf":[P,{"type":"string"}]}"#,
            r#"{"oneOf":[P,true]}"#,
            r#"{"if":P,"else":true}"#,
        ] {
            let schema = open(&around.replace('P', &format!(r#"{{"pattern":"{pattern}"}}"#)));
            assert!(schema.check(Some(json(r#""x""#))).unwrap_err().is_undecided(), "{around}");
        }
    }
}

#[test]
fn a_pattern_takes_one_look_per_byte() {
    let schema = open(r#"{"pattern":"^(a+)+$"}"#);
    let text = format!(r#""{}!""#, "a".repeat(100_000));
    assert_eq!(verdict(&schema, &text), r#"pattern at """#);
}

#[test]
fn many_large_patterns_share_one_limit() {
    let patterns: Vec<String> =
        (0..50).map(|index| format!(r#""p{index}":{{"pattern":"{index}[ab]*a[ab]{{60}}"}}"#)).collect();
    let schema = closed(&format!(r#"{{"properties":{{{},"q":{{"pattern":"^a$"}}}}}}"#, patterns.join(",")));
    assert!(schema.check(Some(json(r#"{"q":"a"}"#))).unwrap_err().is_undecided());
}

#[test]
fn names_that_the_agent_chose_are_not_shown() {
    let schema = open(
        r#"{"properties":{"m":{"patternProperties":{"^s":{"type":"null"}},"unevaluatedProperties":{"type":"null"}}},"propertyNames":{"maxLength":5}}"#,
    );
    for value in [r#"{"m":{"s3cret":1}}"#, r#"{"m":{"t0ken":1}}"#, r#"{"passw0rd":1}"#] {
        let misfit = schema.check(Some(json(value))).unwrap_err();
        let shown = format!("{misfit} {} {misfit:?}", misfit.place().forward());
        assert!(
            !shown.contains("s3cret") && !shown.contains("t0ken") && !shown.contains("passw0rd"),
            "{shown}"
        );
    }
}

#[test]
fn places_are_short() {
    let name = "n".repeat(1000);
    let schema = closed(&format!(r#"{{"properties":{{"{name}":{{"type":"null"}}}}}}"#));
    let misfit = schema.check(Some(json(&format!(r#"{{"{name}":1}}"#)))).unwrap_err();
    assert_eq!(misfit.place().forward().chars().count(), 256);
    assert!(misfit.place().forward().ends_with('…'));
    let bad = bad(&format!(r#"{{"properties":{{"{name}":{{"type":1}}}}}}"#));
    assert_eq!(bad.place().forward().chars().count(), 256);
}

#[test]
fn two_schemas_of_one_name_are_refused() {
    for schema in [
        r#"{"$ref":"x","$defs":{"a":{"$id":"x","type":"null"},"b":{"$id":"x"}}}"#,
        r#"{"$defs":{"a":{"$anchor":"x"},"b":{"$anchor":"x"}}}"#,
    ] {
        assert_eq!(bad(schema).to_string(), "two schemas have one name");
    }
    // Written out twice, or never referred to, it does no harm.
    let schema =
        open(r#"{"$ref":"x","$defs":{"a":{"$id":"x","type":"null"},"b":{"$id":"x","type":"null"}}}"#);
    assert_eq!(verdict(&schema, "1"), r#"type at """#);
    open(r#"{"$defs":{"a":{"$id":"x","type":"null"},"b":{"$id":"x"}}}"#);
}

#[test]
fn an_anchor_cannot_pass_for_a_pointer() {
    for name in ["/$defs/a", "", "a/b", "%2Fa", "1", "a b"] {
        bad(&format!(r#"{{"$defs":{{"a":{{"type":"null"}},"b":{{"$anchor":"{name}"}}}}}}"#));
    }
}

#[test]
fn deep_values_under_deep_schemas_do_not_use_up_the_stack() {
    let schema =
        open(r##"{"anyOf":[{"allOf":[{"oneOf":[{"items":{"$ref":"#"},"unevaluatedItems":false}]}]}]}"##);
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(verdict(&schema, &nested(50)), "ok");
    assert!(schema.check(Some(json(&nested(60)))).unwrap_err().is_undecided());
}

#[test]
fn numbers_beyond_reason_are_refused() {
    let schema = open(r#"{"minimum":0}"#);
    let misfit = schema.check(Some(json("1e-99999999999999999999"))).unwrap_err();
    assert!(misfit.is_undecided());
    bad(r#"{"minimum":1e-99999999999999999999}"#);
    // A million digits are a number like any other.
    let long = format!("1{}", "0".repeat(300));
    assert_eq!(verdict(&open(r#"{"type":"integer","multipleOf":7}"#), &long), r#"multipleOf at """#);
}
