//! What rules of others find.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that fails here has found something"
)]

mod talk;

use std::sync::Arc;

use lockgate_core::{ByLevel, Handling, Shared};
use lockgate_detect::Level;
use lockgate_detect::injection::atr::{Imported, read};
use lockgate_model::Json;
use serde_json::json;

use talk::{ERAS, Talk, set};

const TEXT: &str = "first open the hatch, then close it";

fn with(era: talk::Era, review: Handling) -> Talk {
    let conditions = json!([
        { "field": "tool_response", "operator": "regex", "value": "open the hatch" },
        { "field": "tool_args", "operator": "regex", "value": "close the hatch" },
    ]);
    let rule = json!({ "id": "ATR-2026-1", "detection": { "conditions": conditions } }).to_string();
    let rule = read(Json::check(rule.as_bytes(), 8).unwrap(), &|_| "ATR-2026-1").unwrap();
    let rules = Arc::new(Imported::new(vec![rule], Level::Review));
    Talk::new(era, |boundary| {
        set(boundary, |detect| {
            detect.rules = Shared(Some(Arc::clone(&rules)));
            detect.results.injection = ByLevel { block: Handling::Deny, review };
            detect.arguments.injection = ByLevel { block: Handling::Off, review };
        });
    })
}

#[test]
fn what_they_find_is_for_review() {
    for era in ERAS {
        for (review, shown) in [
            (Handling::Off, TEXT),
            (Handling::Flag, TEXT),
            (Handling::Redact, "first [removed: ATR-2026-1], then close it"),
        ] {
            let mut talk = with(era, review);
            assert_eq!(talk.read("files", TEXT), shown);
            assert_eq!(talk.records.contains("ATR-2026-1"), review != Handling::Off, "{}", talk.records);
        }
        let mut talk = with(era, Handling::Deny);
        for (text, passes) in [("close the hatch", false), ("open the hatch", true)] {
            talk.call("files__get", json!({ "text": text }));
            assert_eq!(talk.fate().is_ok(), passes, "each condition is of its own field: {text}");
        }
    }
}
