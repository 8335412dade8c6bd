use super::{Origins, index, only, small, source};

/// Text without repeats.
fn text(seed: u64, words: usize) -> String {
    let mut state = seed;
    let mut out = String::new();
    for _ in 0..words {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        out += &format!("{:x} ", state >> 44);
    }
    out
}

#[test]
fn copies_are_recognised_with_their_origins() {
    let mut index = index();
    let (one, two, three) = (text(1, 2000), text(2, 2000), text(3, 2000));
    index.prose(source(1, 1), &one);
    index.prose(source(2, 2), &two);
    let part = one.get(3000..4000).unwrap();
    let copied = index.copied(part);
    assert_eq!(copied.origins, only(1));
    assert!((900..=1000).contains(&copied.bytes), "{}", copied.bytes);
    let mixed =
        format!("Dear all, {} And further: {}", one.get(500..1100).unwrap(), two.get(700..1300).unwrap());
    let copied = index.copied(&mixed);
    assert_eq!(copied.origins, only(1).join(only(2)));
    assert!((1000..=1220).contains(&copied.bytes), "{}", copied.bytes);
    assert_eq!(index.copied(&three).origins, Origins::NONE);
    assert_eq!(index.copied(&three).bytes, 0);
}

#[test]
fn a_copy_is_recognised_in_hex() {
    let mut index = index();
    let one = text(1, 2000);
    index.prose(source(1, 1), &one);
    let hex: String =
        one.get(1000..1600).unwrap().bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let copied = index.copied(&hex);
    assert_eq!(copied.origins, only(1));
    assert!(copied.bytes >= 500, "{}", copied.bytes);
}

#[test]
fn what_two_sent_is_of_both_and_is_known_after_it_was_dropped() {
    let mut index = small();
    let one = text(1, 150);
    index.prose(source(1, 1), &one);
    index.prose(source(2, 2), &one);
    assert_eq!(index.copied(&one).origins, only(1).join(only(2)));
    index.prose(source(3, 3), &text(3, 3000));
    assert!(index.find("nothing").saturated.contains(source(1, 1).origin));
    assert_eq!(index.copied(&one).origins, only(1).join(only(2)));
}
