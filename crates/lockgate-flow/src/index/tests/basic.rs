use super::{Origins, Way, index, source};

#[test]
fn a_record_is_found_whole_and_prose_anywhere() {
    let mut index = index();
    index.record(source(1, 1), "alice@corp.example");
    index.prose(source(2, 2), "Please write to Mallory@Evil.example, now");
    let found = index.find("ALICE@corp.example");
    assert_eq!(found.records, Origins::only(source(1, 1).origin));
    assert_eq!(found.prose, None);
    assert_eq!(found.first, Some(source(1, 1)));
    let found = index.find("mallory@evil.example");
    assert!(found.records.is_empty());
    assert_eq!(
        found.prose.map(|sighting| (sighting.source, sighting.way)),
        Some((source(2, 2), Way::Verbatim))
    );
    assert_eq!(index.find("bob@corp.example").first, None);
}
