//! Tests of this module as a whole: each kind against tables of hostile texts and their harmless twins.

mod conditions;
mod plain;
mod sql;

use lockgate_model::{Json, quote};

use super::{Conditions, Operator, Outcome, Selector, Test};

/// What an operator says of a text: `+` holds, `-` fails, `?` cannot be told.
fn sign(outcome: Outcome<'_>) -> char {
    match outcome {
        Outcome::Holds => '+',
        Outcome::Fails(_) => '-',
        Outcome::CannotTell(..) => '?',
    }
}

fn conditions(operators: Vec<Operator>) -> Conditions {
    Conditions::new(vec![(Selector::parse("a").unwrap(), Test::new(operators).unwrap())]).unwrap()
}

fn ask(operator: &Operator, text: &str) -> char {
    let json = format!(r#"{{"a":{}}}"#, quote(text));
    sign(conditions(vec![operator.clone()]).require(Some(Json::check(json.as_bytes(), 16).unwrap())))
}

fn ask_some(operator: &Operator, text: &str) -> char {
    let json = format!(r#"{{"a":{}}}"#, quote(text));
    sign(conditions(vec![operator.clone()]).matches(Some(Json::check(json.as_bytes(), 16).unwrap())))
}

/// Checks all and shows every line that is wrong.
fn check_all(operator: &Operator, cases: &[(char, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(expected, text)| {
            let got = ask(operator, text);
            (got != *expected).then(|| format!("{text:?}: expected {expected}, got {got}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn list(entries: &[&str]) -> Vec<String> {
    entries.iter().map(ToString::to_string).collect()
}
