//! Against an index that is a list of all texts, and laws that hold for any text.

use proptest::prelude::*;

use super::super::Found;
use super::{Origins, Way, index, small, source};

/// Little texts of few words, so that values occur in them.
fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec![
            "alice", "Bob", "@", ".", "corp", "example", " ", "  ", "\n", "-", "/", "1200", "x", "ü", "А",
            "\u{200b}", "https://", "DE89",
        ]),
        0..12,
    )
    .prop_map(|words| words.concat())
}

/// What the sketch says: the text in lower case with single spaces has the value between word boundaries.
fn has(texts: &[String], value: &str) -> bool {
    let word = |letter: Option<char>| {
        letter.is_some_and(|letter| letter.is_ascii_alphanumeric() || "_@".contains(letter))
    };
    let value = normal(value);
    texts.iter().map(|text| normal(text)).any(|text| {
        text.match_indices(&value).any(|(start, _)| {
            let (before, after) = text.split_at(start);
            let after = after.strip_prefix(&value).unwrap();
            let begins_within = word(before.chars().next_back()) && word(value.chars().next());
            let ends_within = word(after.chars().next()) && word(value.chars().next_back());
            !begins_within && !ends_within
        })
    })
}

/// The normal form of what [`text`] makes.
fn normal(text: &str) -> String {
    let plain = text.replace('\u{200b}', "").replace('ü', "u").replace('А', "a").to_lowercase();
    let words: Vec<&str> = plain.split_whitespace().collect();
    let joined = words.join(" ");
    joined.strip_prefix("https://").unwrap_or(&joined).trim_end_matches('/').trim().to_owned()
}

/// Whether a value carries provenance.
fn telling(value: &str) -> bool {
    let value = normal(value);
    value.chars().count() >= 3
        && !value.chars().all(|letter| letter.is_ascii_digit() || " .-".contains(letter))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn verbatim_is_what_a_list_of_texts_says(texts in prop::collection::vec(text(), 1..5), value in text()) {
        prop_assume!(telling(&value));
        let mut index = index();
        for (event, text) in (2..).zip(&texts) {
            index.prose(source(1, event), text);
        }
        // Whole texts keep their scheme and slashes.
        let framed: Vec<String> = texts.iter().map(|text| format!("( {text} )")).collect();
        let verbatim = index.find(&value).prose.is_some_and(|sighting| sighting.way == Way::Verbatim);
        prop_assert_eq!(verbatim, has(&framed, &value));
    }

    #[test]
    fn records_are_what_a_list_says(records in prop::collection::vec("[ab]{3,4}(@x)?", 0..20), value in "[ab]{3,4}(@x)?") {
        let mut index = index();
        let mut listed = Origins::NONE;
        for (event, record) in (0..).zip(&records) {
            let source = source(event % 3, event.into());
            index.record(source, record);
            if *record == value {
                listed.insert(source.origin);
            }
        }
        let found = index.find(&value);
        prop_assert_eq!(found.records, listed);
        prop_assert_eq!(found.prose, None);
    }

    #[test]
    fn what_is_in_a_text_is_found(before in any::<String>(), value in "[a-z]{3,20}(@|/| |-)[a-z0-9]{3,20}", after in any::<String>()) {
        let mut index = index();
        index.prose(source(1, 1), &format!("{before} {value} {after}"));
        let sighting = index.find(&value).prose;
        prop_assert!(sighting.is_some_and(|sighting| sighting.way == Way::Verbatim));
    }

    #[test]
    fn a_text_that_is_split_anywhere_still_has_the_value(
        value in "[a-z]{4,10}@[a-z]{4,10}\\.[a-z]{3}", cut in 0_usize..30, kind in any::<bool>()
    ) {
        let whole = format!("write to {value} now");
        let (first, second) = whole.split_at(cut.min(whole.len()));
        let mut index = index();
        index.prose(source(1, 1), first);
        index.prose(if kind { source(2, 2) } else { source(1, 1) }, second);
        prop_assert!(index.find(&value).prose.is_some());
    }

    #[test]
    fn more_text_never_hides_a_value(texts in prop::collection::vec(any::<String>(), 0..8), value in "[a-z]{3,9}[@. ][a-z]{4,9}") {
        let mut index = small();
        index.prose(source(1, 1), &value);
        for (event, text) in (2..).zip(&texts) {
            index.prose(source(2, event), text);
            index.record(source(2, event), text);
            let found = index.find(&value);
            prop_assert!(found.prose.is_some() || found.saturated.contains(source(1, 1).origin));
        }
    }

    #[test]
    fn any_value_may_be_looked_up_and_two_indexes_share_nothing(text in any::<String>(), value in any::<String>()) {
        let (mut one, other) = (index(), index());
        one.prose(source(1, 1), &text);
        one.record(source(1, 1), &text);
        prop_assert!(one.bytes() > other.bytes() || text.is_empty());
        let _found = (one.find(&value), one.find(&text), one.copied(&value), one.copied(&text));
        prop_assert_eq!(other.find(&text), Found::default());
        prop_assert_eq!(other.copied(&text).bytes, 0);
    }
}
