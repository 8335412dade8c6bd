//! Rules of others.

use lockgate_detect::injection::atr::{Bad, Imported, Rule, Unfit, read};
use lockgate_detect::{Genre, Level};
use lockgate_model::Json;
use serde_json::{Value, json};

fn rule(value: &Value) -> Result<Rule, Bad> {
    let text = value.to_string();
    read(Json::check(text.as_bytes(), 64).unwrap(), &|id| id.to_owned().leak())
}

fn of(id: &str, condition: &str, patterns: &[(&str, &str)]) -> Value {
    let conditions: Vec<Value> = patterns
        .iter()
        .map(|(field, value)| json!({ "field": field, "operator": "regex", "value": value }))
        .collect();
    json!({ "id": id, "detection": { "condition": condition, "conditions": conditions } })
}

#[test]
fn a_rule_is_taken_and_finds() {
    let any = rule(&of(
        "ATR-1",
        "any",
        &[("content", r"(?i)open\s+the\s+(hatch|door)"), ("tool_response", r"\bsesame\b")],
    ))
    .unwrap();
    let all = rule(&of("ATR-2", "all", &[("content", "harbour"), ("content", "lighthouse")])).unwrap();
    assert_eq!((any.taken(), all.taken()), (2, 2));
    let imported = Imported::new(vec![any, all], Level::Review);
    for (genre, text, expected) in [
        (Genre::Result, "Please OPEN  the Door now", vec!["ATR-1"]),
        (Genre::Arguments, "sesame", vec![]),
        (Genre::Result, "say sesame!", vec!["ATR-1"]),
        (Genre::Result, "sesameseed", vec![]),
        (Genre::Result, "the harbour", vec![]),
        (Genre::Result, "the harbour and its lighthouse", vec!["ATR-2"]),
    ] {
        let spots = imported.judge(genre, text);
        assert_eq!(spots.iter().map(|spot| spot.rule).collect::<Vec<_>>(), expected, "{text}");
        assert!(
            spots.iter().all(|spot| spot.level == Level::Review && text.get(spot.span.clone()).is_some())
        );
    }
    let far = format!("{}open the door{}", "sea ".repeat(5_000), " sea".repeat(5_000));
    assert_eq!(
        imported.judge(Genre::Result, &far).first().map(|spot| spot.span.clone()),
        Some(20_000..20_013)
    );
}

#[test]
fn a_text_in_an_object_has_its_number() {
    let one = rule(&of("ATR-1", "any", &[("tool_description", "hatch")])).unwrap();
    let imported = Imported::new(vec![one], Level::Review);
    let object = br#"{"hatch":1,"a":["the door",{"b":"the hatch"}]}"#;
    let spots = imported.judge_object(Genre::Definition, Json::check(object, 8).unwrap());
    assert_eq!(spots.iter().map(|(text, spot)| (*text, spot.span.clone())).collect::<Vec<_>>(), [(4, 4..9)]);
    assert!(imported.judge_object(Genre::Result, Json::check(object, 8).unwrap()).is_empty());
    assert_eq!(imported.ids().collect::<Vec<_>>(), ["ATR-1"]);
}

#[test]
fn what_cannot_be_taken_is_said() {
    for (pattern, field, unfit) in [
        ("(?=door)x", "content", Unfit::Pattern),
        (r"(door)\1", "content", Unfit::Pattern),
        ("[a-z]+", "content", Unfit::Words),
        ("door|", "content", Unfit::Words),
        ("door", "tool_name", Unfit::Field),
        ("(door{1,200}){1,200}", "content", Unfit::Large),
    ] {
        let taken = rule(&of("ATR-1", "any", &[(field, pattern), ("content", "hatch")])).unwrap();
        assert_eq!((taken.taken(), taken.refused), (1, vec![(0, unfit)]), "{pattern}");
    }
    for (value, bad) in [
        (json!({}), Bad::Id),
        (of("a b", "any", &[("content", "hatch")]), Bad::Id),
        (json!({ "id": "A" }), Bad::Conditions),
        (of("A", "any", &[]), Bad::Conditions),
        (of("A", "2 of them", &[("content", "hatch")]), Bad::Logic),
        (of("A", "any", &[("content", "[a-z]")]), Bad::Nothing),
        (of("A", "all", &[("content", "[a-z]"), ("content", "hatch")]), Bad::Nothing),
    ] {
        assert_eq!(rule(&value).err(), Some(bad), "{value}");
    }
}

/// The rules themselves, where they are beside the checkout.
#[test]
fn the_agent_threat_rules_are_taken() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let archive = here
        .ancestors()
        .map(|folder| folder.join("shared/data/rules/agent-threat-rules.tar.gz"))
        .find(|file| file.is_file());
    let Some(archive) = archive else {
        eprintln!("skipped: there are no rules beside the checkout");
        return;
    };
    let output = std::process::Command::new("tar")
        .arg("-xzf")
        .arg(&archive)
        .arg("--to-command=cat; printf '\\000'")
        .args(["--wildcards", "*.yaml"])
        .output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        eprintln!("skipped: there is no tar");
        return;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let (mut rules, mut taken, mut refused, mut bad) =
        (Vec::new(), 0, std::collections::BTreeMap::<String, usize>::new(), 0);
    for file in text.split('\0').filter(|file| !file.is_empty()) {
        let value: Value = serde_saphyr::from_str(file).unwrap();
        match rule(&value) {
            Ok(rule) => {
                taken += rule.taken();
                for (_, unfit) in &rule.refused {
                    *refused.entry(unfit.to_string()).or_default() += 1;
                }
                rules.push(rule);
            }
            Err(error) => {
                bad += 1;
                eprintln!("{}: {error}", value["id"]);
            }
        }
    }
    eprintln!("{} rules and {taken} conditions taken, {bad} rules not, {refused:?}", rules.len());
    assert!(rules.len() >= 250 && taken >= 1300, "{} {taken}", rules.len());
    let imported = Imported::new(rules, Level::Review);
    let calm = "The harbour was quiet that morning, and the boats lay low in the grey water. ".repeat(4_000);
    assert!(imported.judge(Genre::Result, &calm).is_empty());
}
