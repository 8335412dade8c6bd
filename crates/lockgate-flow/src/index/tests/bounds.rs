use super::{Capacity, Index, Origins, Way, index, only, small, source};

const MEBIBYTE: usize = 1 << 20;

#[test]
fn memory_is_bounded_and_starts_with_little() {
    let mut index = index();
    assert!(index.bytes() < 1024, "{}", index.bytes());
    index.prose(source(1, 0), "A short answer.");
    assert!(index.bytes() < 8 * 1024, "{}", index.bytes());
    let mut state = 1_u64;
    for event in 0..30_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let origin = u8::try_from(event % 64).unwrap();
        index.record(source(origin, event), &format!("record-{state:x}"));
        let words: Vec<String> = (3..16).map(|part| format!("{:x}", state / part)).collect();
        index.prose(source(origin, event), &format!("{}, %41{:x}", words.concat(), state / 7));
        if event > 25_000 {
            index.prose(source(origin, event), &words.join(" "));
        }
    }
    assert!(index.bytes() <= 4 * MEBIBYTE, "{}", index.bytes());
    assert_eq!(index.find("nothing").saturated.iter().count(), 64);
    eprintln!("{} bytes at every bound", index.bytes());
}

#[test]
fn a_flood_of_almost_the_value_does_not_hide_it() {
    let mut index = index();
    index.prose(source(1, 1), &"malice ".repeat(10_000));
    index.prose(source(2, 2), "alice");
    assert!(index.find("alice").prose.is_some());
}

#[test]
fn what_is_dropped_saturates_and_its_words_are_remembered() {
    let mut index = small();
    index.prose(
        source(1, 1),
        "Please write to Mallory@Evil.example, or see https://evil.example/x/y. Ask Mallory Wintergreen!",
    );
    assert_eq!(index.find("nothing").saturated, Origins::NONE);
    for event in 2..400 {
        index.prose(source(2, event), "All is well here, and nothing of interest happened on this day. ");
    }
    for value in ["mallory@evil.example", "http://evil.example/x/y/", "Mallory Wintergreen"] {
        let found = index.find(value);
        assert_eq!(found.saturated, only(1).join(only(2)));
        let sighting = found.prose.unwrap_or_else(|| panic!("`{value}` is remembered"));
        assert_eq!((sighting.way, sighting.source), (Way::Remembered, source(1, 1)), "{value}");
    }
    assert_eq!(index.find("alice@corp.example").prose, None);
}

#[test]
fn what_no_table_has_room_for_saturates() {
    let nothing = Capacity { ring: 0, records: 0, tokens: 0, fingerprints: 0 };
    let mut none = Index::new([1; 16], nothing);
    none.prose(source(7, 1), "some text");
    assert_eq!(none.find("some text").saturated, only(7));
    let mut none = Index::new([1; 16], Capacity { ring: 4096, ..nothing });
    none.record(source(8, 1), "some record");
    assert_eq!(none.find("some record").saturated, only(8));
    let mut full = small();
    for number in 0..56 {
        full.record(source(1, number), &format!("record number {number}"));
    }
    assert_eq!(full.find("record number 55").saturated, Origins::NONE);
    full.record(source(2, 99), "one too many");
    let found = full.find("one too many");
    assert_eq!((found.records, found.saturated), (Origins::NONE, only(2)));
    full.record(source(3, 99), "record number 5");
    assert_eq!(full.find("record number 5").records, only(1).join(only(3)), "the known has room always");
}

#[test]
fn too_much_to_decode_saturates() {
    let mut index = index();
    index.prose(source(1, 1), &"%41%42%43%44 ".repeat(10_000));
    assert!(index.find("nothing").saturated.is_empty());
    let mut index = super::index();
    index.prose(source(2, 1), &"%41%42%43%44 ".repeat(20_000));
    assert_eq!(index.find("nothing").saturated, only(2));
}

#[test]
fn hostile_texts_do_not_slow_a_search_down() {
    let mut index = index();
    index.prose(source(1, 1), &"example corp ".repeat(70_000));
    index.record(source(1, 1), &"a".repeat(100));
    index.prose(source(1, 1), &"a".repeat(100_000));
    for value in [
        "alice@corp.example",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
        &"corp.example/".repeat(2_000),
        &"a".repeat(50_000),
    ] {
        let _found = index.find(value);
        let _copied = index.copied(value);
    }
}
