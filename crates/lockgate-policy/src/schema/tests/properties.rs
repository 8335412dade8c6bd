use proptest::prelude::*;

use super::*;

/// One declared property, with a value that fits and one that does not.
#[derive(Clone, Debug)]
struct Property {
    schema: String,
    fits: String,
    misfits: String,
}

fn property() -> impl Strategy<Value = Property> {
    let row = |schema: String, fits: String, misfits: String| Property { schema, fits, misfits };
    let leaf = prop_oneof![
        (any::<i32>(), 0..1000_i64).prop_map(move |(least, more)| row(
            format!(r#"{{"type":"integer","minimum":{least}}}"#),
            (i64::from(least) + more).to_string(),
            format!("{}", i64::from(least) - 1 - more),
        )),
        ("[a-z]{1,8}", 0..5_usize).prop_map(move |(text, spare)| row(
            format!(r#"{{"type":"string","maxLength":{},"pattern":"^[a-z]+$"}}"#, text.len() + spare),
            format!("\"{text}\""),
            format!("\"{text}{}\"", "a".repeat(spare + 1)),
        )),
        any::<bool>().prop_map(move |value| row(
            r#"{"type":"boolean"}"#.to_owned(),
            value.to_string(),
            format!("\"{value}\""),
        )),
        ("[a-c]", "[d-f]").prop_map(move |(one, other)| row(
            format!(r#"{{"enum":["{one}",null]}}"#),
            format!("\"{one}\""),
            format!("\"{other}\""),
        )),
    ];
    leaf.prop_recursive(3, 12, 3, move |inner| {
        prop_oneof![
            inner.clone().prop_map(move |item| row(
                format!(r#"{{"type":"array","items":{}}}"#, item.schema),
                format!("[{},{}]", item.fits, item.fits),
                format!("[{},{}]", item.fits, item.misfits),
            )),
            inner.clone().prop_map(move |item| row(
                format!(r#"{{"anyOf":[{},{{"type":"null"}}]}}"#, item.schema),
                item.fits,
                item.misfits,
            )),
            inner.prop_map(move |item| row(
                format!(
                    r#"{{"type":"object","properties":{{"in":{}}},"additionalProperties":false}}"#,
                    item.schema
                ),
                format!(r#"{{"in":{}}}"#, item.fits),
                format!(r#"{{"in":{}}}"#, item.misfits),
            )),
        ]
    })
}

fn schema_of(properties: &[Property]) -> String {
    let name = |(index, property): (usize, &Property)| format!(r#""p{index}":{}"#, property.schema);
    let all: Vec<String> = properties.iter().enumerate().map(name).collect();
    let required: Vec<String> = (0..properties.len()).map(|index| format!("\"p{index}\"")).collect();
    format!(r#"{{"type":"object","properties":{{{}}},"required":[{}]}}"#, all.join(","), required.join(","))
}

fn arguments(properties: &[Property], change: impl Fn(usize, &Property) -> Option<String>) -> String {
    let members = properties.iter().enumerate();
    let members =
        members.filter_map(|(index, property)| Some(format!(r#""p{index}":{}"#, change(index, property)?)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

proptest! {
    #[test]
    fn what_a_schema_describes_fits(properties in proptest::collection::vec(property(), 1..5), at in any::<prop::sample::Index>()) {
        let schema = closed(&schema_of(&properties));
        let at = at.index(properties.len());
        let whole = arguments(&properties, |_, property| Some(property.fits.clone()));
        prop_assert_eq!(verdict(&schema, &whole), "ok");

        let lacking = arguments(&properties, |index, property| (index != at).then(|| property.fits.clone()));
        prop_assert_eq!(verdict(&schema, &lacking), r#"required at """#);
        let misfit = schema.check(Some(json(&lacking))).unwrap_err();
        prop_assert_eq!(misfit.missing().unwrap().forward(), &format!("p{at}"));

        let wrong = arguments(&properties, |index, property| {
            Some(if index == at { property.misfits.clone() } else { property.fits.clone() })
        });
        let misfit = schema.check(Some(json(&wrong))).unwrap_err();
        let place = format!("/p{at}");
        prop_assert!(misfit.place().forward().starts_with(&place));

        let more = whole.replacen('{', r#"{"undeclared":1,"#, 1);
        prop_assert_eq!(verdict(&schema, &more), r#"additionalProperties at """#);
        prop_assert_eq!(verdict(&open(&schema_of(&properties)), &more), "ok");
    }

    /// Whatever a server sends as a schema and an agent as arguments: an answer, and no panic.
    #[test]
    fn any_document_is_a_schema_or_bad(
        words in proptest::collection::vec(prop::sample::select(&[
            "\"type\":\"object\"", "\"$ref\":\"#\"", "\"$ref\":\"#/items\"", "\"items\":{", "\"anyOf\":[{", "\"not\":{",
            "\"properties\":{\"a\":{", "\"unevaluatedProperties\":false", "\"required\":[\"a\"]", "\"minimum\":1",
            "\"pattern\":\"a|b\"", "\"$id\":\"x\"", "\"const\":{\"a\":1}", "\"if\":{", "\"uniqueItems\":true",
        ][..]), 0..12),
        value in prop::sample::select(&["1", "{}", "[]", r#"{"a":{"a":1}}"#, "[1,[1,[]]]", "\"ab\"", "null"][..]),
    ) {
        let mut text = String::from("{");
        let mut ends = vec!["}"];
        for word in words {
            if !text.ends_with('{') { text.push(','); }
            text += word;
            if word.ends_with("[{") { ends.push("}]"); }
            else if word.ends_with(":{\"a\":{") { ends.push("}}"); }
            else if word.ends_with('{') { ends.push("}"); }
        }
        ends.iter().rev().for_each(|end| text += end);
        if let Ok(document) = Json::check(text.as_bytes(), 128)
            && let Ok(schema) = Schema::compile(document, Undeclared::Refuse)
        {
            let _answer: Result<(), Misfit> = schema.check(Some(json(value)));
        }
    }
}
