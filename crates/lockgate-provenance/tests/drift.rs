//! What is drift and what is not, and what is said of it: the cases are in `drift/*.yaml`. Each file has a definition, its
//! lines are joined, and each case is a change of its text. Without `changes`, the two mean the same.

#![expect(clippy::unwrap_used, reason = "a test that fails here has found something")]

use std::collections::BTreeSet;

use lockgate_model::{Json, ServerName};
use lockgate_provenance::diff::{Change, Code, Diff, Risk};
use lockgate_provenance::{Kind, Name, Pins, Standing, digest};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kind: String,
    base: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    replace: String,
    with: String,
    #[serde(default)]
    changes: Vec<String>,
}

const FILES: [&str; 9] = [
    include_str!("drift/identity.yaml"),
    include_str!("drift/instructions.yaml"),
    include_str!("drift/other.yaml"),
    include_str!("drift/prompt.yaml"),
    include_str!("drift/resource.yaml"),
    include_str!("drift/same.yaml"),
    include_str!("drift/schema.yaml"),
    include_str!("drift/template.yaml"),
    include_str!("drift/text.yaml"),
];

fn files() -> impl Iterator<Item = File> {
    FILES.into_iter().map(|text| {
        let file: File = serde_saphyr::from_str(text).unwrap();
        File { base: file.base.lines().collect(), ..file }
    })
}

fn json(text: &str) -> Json<'_> {
    Json::check(text.trim().as_bytes(), 64).unwrap()
}

fn said(change: &Change) -> String {
    let codes: Vec<_> = change.codes.iter().map(|code| code.word()).collect();
    format!("{} {}: {}", change.pointer, change.what.word(), codes.join(" "))
}

#[test]
fn every_case_is_what_it_should_be() {
    let server = ServerName::parse("facts").unwrap();
    let (mut cases, mut wrong, mut used) = (0, Vec::new(), BTreeSet::new());
    for file in files() {
        let kind = Kind::parse(&file.kind).unwrap();
        let mut pins = Pins::default();
        let name = Name::of(kind, json(&file.base)).unwrap();
        pins.approve(&server, name.clone(), digest(kind, json(&file.base)), None);
        for case in file.cases {
            cases += 1;
            assert_eq!(file.base.matches(&case.replace).count(), 1, "{}: {}", case.name, case.replace);
            let changed = file.base.replacen(&case.replace, &case.with, 1);
            let (old, new) = (json(&file.base), json(&changed));
            let standing = pins.standing(&server, &name, digest(kind, new), Some(new));
            let expected = if case.changes.is_empty() { Standing::Approved } else { Standing::Changed };
            let diff = Diff::of(kind, old, new);
            let found: Vec<_> = diff.changes().iter().map(said).collect();
            if found != case.changes || standing != expected {
                wrong.push(format!(
                    "{}\n  expected {:?}\n  found    {found:?}, {standing:?}",
                    case.name, case.changes
                ));
            }
            used.extend(diff.changes().iter().flat_map(|change| change.codes.clone()));
            let back = Diff::of(kind, new, old);
            assert_eq!(back.is_empty(), diff.is_empty(), "{}", case.name);
            used.extend(back.changes().iter().flat_map(|change| change.codes.clone()));
        }
    }
    assert!(wrong.is_empty(), "{} of {cases} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases >= 40);
    let unused: Vec<_> = Code::ALL.into_iter().filter(|code| !used.contains(code)).collect();
    assert_eq!(unused, [], "every code has a case");
}

#[test]
fn what_attacks_look_like_is_of_high_risk() {
    for file in files() {
        let kind = Kind::parse(&file.kind).unwrap();
        for case in file.cases {
            let attack = ["poison", "an order", "nobody sees"].iter().any(|word| case.name.contains(word));
            let changed = file.base.replacen(&case.replace, &case.with, 1);
            let risk = Diff::of(kind, json(&file.base), json(&changed)).risk();
            assert!(!attack || risk == Risk::High, "{}", case.name);
        }
    }
}
