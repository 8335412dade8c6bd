use memchr::memmem;
use proptest::prelude::*;

use super::source;
use crate::index::ring::{Kind, Ring, Stream};
use crate::index::table::Key;
use crate::index::tail::Tail;

/// Texts of which some are long, some are all marks, and many share words.
fn texts() -> impl Strategy<Value = Vec<String>> {
    let piece = prop_oneof![
        "[a-d]{1,12} ",
        "[0-9]{3,12}, ",
        "[ .@/-]{1,90}",
        "(é|ж|中){1,9}",
        Just("wireless order ".repeat(40)),
        Just("-".repeat(1500)),
    ];
    prop::collection::vec(prop::collection::vec(piece, 1..60).prop_map(|pieces| pieces.concat()), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn places_are_those_that_a_plain_search_finds(
        texts in texts(),
        limit in prop::sample::select(vec![4096_usize, 20_000, 90_000, 400_000]),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 1..80_usize, any::<bool>()), 24),
    ) {
        let mut ring = Ring::new(limit);
        let mut tail = Tail::new(Key::new([7; 16]), 64, 64);
        for (event, text) in (0..).zip(&texts) {
            ring.push(source(1, event), Kind::Prose, text, &mut tail);
            if event % 8 != 7 && usize::try_from(event).unwrap() + 1 != texts.len() {
                continue;
            }
            for stream in [Stream::Spaced, Stream::Letters] {
                let all = ring.stream(stream);
                for (place, length, spoil) in cuts.iter().filter(|_| !all.is_empty()) {
                    let start = place.index(all.len());
                    let mut sought = all[start..all.len().min(start + length)].to_vec();
                    let middle = sought.len() / 2;
                    if *spoil {
                        sought[middle] = if sought[middle] == b'a' { b'b' } else { b'a' };
                    }
                    let found: Vec<usize> = ring.places(stream, &sought).collect();
                    let known: Vec<usize> = memmem::find_iter(all, &sought).collect();
                    prop_assert!(known.is_empty() || ring.may_hold(&sought));
                    prop_assert_eq!(found, known);
                }
            }
        }
    }
}

#[test]
fn what_stands_across_two_parts_is_found() {
    let mut state = 1_u64;
    let letters = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + u8::try_from((state >> 33) % 26).unwrap())
    });
    let text: String = letters.take(150_000).collect();
    let mut ring = Ring::new(400_000);
    ring.push(source(1, 1), Kind::Prose, &text, &mut Tail::new(Key::new([7; 16]), 64, 64));
    for stream in [Stream::Spaced, Stream::Letters] {
        for part in (1024..149_000).step_by(1024) {
            for start in part - 40..part + 2 {
                let sought = &text.as_bytes()[start..start + 40];
                assert_eq!(ring.places(stream, sought).next(), Some(start));
            }
        }
    }
}
