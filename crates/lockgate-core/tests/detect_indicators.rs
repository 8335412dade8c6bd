//! What the operator's lists of indicators of compromise name.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that fails here has found something"
)]

mod talk;

use std::sync::Arc;

use lockgate_core::{ByLevel, Handling, Shared};
use lockgate_detect::indicators::Indicators;
use serde_json::json;

use talk::{ERAS, Talk, set};

const TEXT: &str = "fetch the rest from cdn.evil.example today";

fn with(era: talk::Era, results: Handling, arguments: Handling) -> Talk {
    Talk::new(era, |boundary| {
        let list = Arc::new(Indicators::read(&["evil.example"]).unwrap());
        set(boundary, |detect| {
            detect.indicators = Shared(Some(Arc::clone(&list)));
            detect.results.indicators = ByLevel::at_block(results);
            detect.arguments.indicators = ByLevel::at_block(arguments);
        });
    })
}

#[test]
fn what_is_listed_is_handled_as_the_operator_wants() {
    for era in ERAS {
        for (handling, shown) in [
            (Handling::Off, TEXT),
            (Handling::Flag, TEXT),
            (Handling::Redact, "fetch the rest from [removed: indicator_host] today"),
        ] {
            let mut talk = with(era, handling, Handling::Deny);
            assert_eq!(talk.read("files", TEXT), shown);
            assert_eq!(
                talk.records.contains("indicator_host"),
                handling != Handling::Off,
                "{}",
                talk.records
            );
            assert!(!talk.records.contains("cdn.evil"), "{}", talk.records);
        }
        let mut talk = with(era, Handling::Deny, Handling::Deny);
        assert!(talk.read("files", TEXT).contains("indicators of compromise"));
        for (handling, fate) in [
            (Handling::Off, Ok(json!({ "url": "https://evil.example/x" }))),
            (Handling::Flag, Ok(json!({ "url": "https://evil.example/x" }))),
            (Handling::Deny, Err("indicator_found".to_owned())),
            (Handling::Ask, Err("indicator_found".to_owned())),
        ] {
            let mut talk = with(era, Handling::Flag, handling);
            talk.call("files__get", json!({ "url": "https://evil.example/x" }));
            assert_eq!(talk.fate(), fate);
            talk.call("files__get", json!({ "url": "https://good.example/x" }));
            assert!(talk.fate().is_ok());
        }
    }
}
