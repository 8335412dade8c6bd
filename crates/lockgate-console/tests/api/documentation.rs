//! The examples of `docs/admin-api.md` are run, and its tables compared. `BLESS=1` writes what is answered into it.

use std::path::PathBuf;

use lockgate_console::{PLACES, Refusal};
use serde_json::Value;

use crate::stage::{ALICE, Stage, bearer, request};

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/admin-api.md")
}

/// The blocks of that kind, in order.
fn blocks<'a>(page: &'a str, kind: &str) -> Vec<&'a str> {
    let start = format!("```{kind}\n");
    page.split(&start).skip(1).map(|rest| rest.split_once("```").unwrap().0).collect()
}

#[tokio::test]
async fn the_examples_are_true() {
    let mut page = std::fs::read_to_string(self::page()).unwrap();
    let stage = Stage::open().await;
    let (asked, answered) = (blocks(&page, "http request"), blocks(&page, "http answer"));
    assert_eq!(asked.len(), answered.len());
    let mut differ = Vec::new();
    for (asked, answered) in asked.into_iter().zip(answered) {
        let (line, body) = asked.split_once('\n').unwrap();
        let heard = stage.tcp(&request(line, &bearer(ALICE), body)).await;
        let (status, json) = answered.split_once('\n').unwrap();
        let json: Value = serde_json::from_str(json).unwrap();
        if (status.parse() != Ok(heard.status)) || json != heard.json() {
            let written = format!("{asked}```\n\n```http answer\n{}\n{:#}\n", heard.status, heard.json());
            differ.push((format!("{asked}```\n\n```http answer\n{answered}"), written));
        }
    }
    if std::env::var_os("BLESS").is_some() {
        for (old, new) in differ.drain(..) {
            page = page.replacen(&old, &new, 1);
        }
        std::fs::write(self::page(), page).unwrap();
    }
    assert!(differ.is_empty(), "`BLESS=1` would write: {differ:#?}");
}

#[test]
fn every_place_has_an_example() {
    let page = std::fs::read_to_string(page()).unwrap();
    let asked = blocks(&page, "http request");
    for place in PLACES {
        assert!(page.contains(&format!("### `{place}`\n")), "{place}");
        let (start, end) = place.split_once("{id}").unwrap_or((place, ""));
        let example = |asked: &&str| {
            let line = asked.lines().next().unwrap();
            line.strip_prefix(start).is_some_and(|rest| {
                if place.contains("{id}") {
                    rest.strip_suffix(end).is_some_and(|id| !id.contains('/'))
                } else {
                    rest.is_empty()
                }
            })
        };
        assert!(asked.iter().any(example), "{place}");
    }
}

#[test]
fn every_refusal_is_listed() {
    let page = std::fs::read_to_string(page()).unwrap();
    let mut table = "| code | status | meaning | what to do |\n| --- | --- | --- | --- |\n".to_owned();
    for refusal in Refusal::ALL {
        let (code, status) = (refusal.code(), refusal.status());
        table += &format!("| `{code}` | {status} | {} | {} |\n", refusal.meaning(), refusal.hint());
    }
    if std::env::var_os("BLESS").is_some() && page.contains("ERRORS\n") {
        std::fs::write(self::page(), page.replace("ERRORS\n", &table)).unwrap();
        return;
    }
    assert!(page.contains(&table), "the table should be:\n{table}");
}
