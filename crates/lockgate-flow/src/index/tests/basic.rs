use super::{Origins, Way, index, only, source};

#[test]
fn a_record_is_found_whole_and_prose_anywhere() {
    let mut index = index();
    index.record(source(1, 1), "alice@corp.example");
    index.prose(source(2, 2), "Please write to Mallory@Evil.example, now");
    let found = index.find("ALICE@corp.example");
    assert_eq!((found.records, found.prose), (only(1), None));
    assert_eq!(
        found.fields.map(|sighting| (sighting.source, sighting.way)),
        Some((source(1, 1), Way::Verbatim))
    );
    assert_eq!(found.first, Some(source(1, 1)));
    let found = index.find("mallory@evil.example");
    assert_eq!((found.records, found.first), (Origins::NONE, Some(source(2, 2))));
    assert_eq!(
        found.prose.map(|sighting| (sighting.source, sighting.way)),
        Some((source(2, 2), Way::Verbatim))
    );
    assert_eq!(index.find("bob@corp.example").first, None);
}

#[test]
fn records_are_the_same_in_another_manner_of_writing() {
    for (record, value) in [
        ("Alice@Corp.example", "alice@corp.example"),
        ("https://example.com/a/", "http://example.com/a"),
        ("example.com/a", "https://example.com/a"),
        ("1,200.00", "1200"),
        ("1200", "$1,200.00"),
        ("ｆｕｌｌ", "full"),
        ("  two   words ", "two words"),
        ("al\u{200b}ice@corp.example", "alice@corp.example"),
    ] {
        let mut index = index();
        index.record(source(4, 1), record);
        index.record(source(5, 2), record);
        assert_eq!(index.find(value).records, only(4).join(only(5)), "`{record}` lists `{value}`");
    }
}

#[test]
fn records_are_not_what_looks_alike_is_hidden_or_is_a_part() {
    for (record, value) in [
        ("alice@corp.example", "аlice@corp.example"),
        ("аlice@corp.example", "alice@corp.example"),
        ("alice@corp.example", "al\u{200b}ice@corp.example"),
        ("YWxpY2VAY29ycC5leGFtcGxl", "alice@corp.example"),
        ("Alice Smith", "Alice"),
        ("Müller GmbH", "Muller GmbH"),
        ("0123456", "123456"),
        ("example.com/a", "example.com/A/b"),
    ] {
        let mut index = index();
        index.record(source(4, 1), record);
        let found = index.find(value);
        assert_eq!((found.records, found.prose), (Origins::NONE, None), "`{record}` does not list `{value}`");
    }
}

#[test]
fn what_is_in_a_part_of_a_record_is_told_apart() {
    for (record, value, way) in [
        ("Alice Smith", "alice", Way::Verbatim),
        ("IBAN: DE89 3704 0044 0532 0130 00", "DE89370400440532013000", Way::Folded),
        ("ZXZpbEBleGFtcGxlLmNvbQ==", "evil@example.com", Way::Decoded),
    ] {
        let mut index = index();
        index.record(source(4, 1), record);
        let found = index.find(value);
        assert_eq!(found.fields.map(|sighting| sighting.way), Some(way), "`{value}` in `{record}`");
        assert_eq!(found.prose, None, "`{value}` in `{record}`");
    }
}

#[test]
fn numbers_are_found_in_another_manner() {
    for (text, value, way) in [
        ("the sum is 1200 today", "1200", Some(Way::Verbatim)),
        ("the sum is $1,200.00 today", "1200", Some(Way::Folded)),
        ("the sum is 1.234.567 today", "1234567", Some(Way::Folded)),
        ("the sum is 1200 today", "1,200", Some(Way::Folded)),
        ("the sum is 21200 today", "1200", None),
        ("the sum is 120 today", "120", None),
        ("the sum is 00120 today", "00120", None),
    ] {
        let mut index = index();
        index.prose(source(4, 1), text);
        assert_eq!(index.find(value).prose.map(|sighting| sighting.way), way, "`{value}` in `{text}`");
    }
}

#[test]
fn short_values_carry_no_provenance() {
    let mut index = index();
    for value in ["ab", "7", "999", "0.5", "", " ", "/", "\u{200b}\u{200b}\u{200b}", "https://"] {
        index.record(source(1, 1), value);
        index.prose(source(2, 2), &format!("it is {value} here"));
        assert_eq!(index.find(value), super::super::Found::default(), "`{value}`");
    }
}

#[test]
fn words_are_not_found_within_words() {
    let mut index = index();
    index.prose(source(1, 1), "malice and salicet");
    assert_eq!(index.find("alice").prose, None);
    index.prose(source(1, 2), "(alice)");
    assert_eq!(index.find("alice").prose.map(|sighting| sighting.source), Some(source(1, 2)));
}
