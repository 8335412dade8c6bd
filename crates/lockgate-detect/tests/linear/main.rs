//! No text makes a finder slower than its length: a text that is 32 times as long may take 32 times as long, and not the
//! square of that. Other work on the machine may make one measurement eight times worse without failing the test.

#![allow(clippy::disallowed_methods, reason = "the one thing here that needs a clock")]

mod texts;

use std::hint::black_box;
use std::time::{Duration, Instant};

use lockgate_detect::{Genre, Inspector};
use lockgate_model::Json;

use self::texts::{HOSTILE, HOSTILE_OBJECTS, ORDINARY, Sort, object};

const SHORT: usize = 1 << 10;
const TIMES: usize = 32;
const SLACK: u32 = 8;
/// What passes for nothing: shorter times are not compared.
const NOTHING: Duration = Duration::from_micros(20);

/// The shortest of some rounds.
fn took(mut work: impl FnMut()) -> Duration {
    let round = |_| {
        let begun = Instant::now();
        work();
        begun.elapsed()
    };
    (0..3).map(round).min().unwrap_or_default()
}

fn each(sorts: &[Sort], mut work: impl FnMut(&str)) {
    for (name, make) in sorts {
        let (short, long) = (make(SHORT), make(SHORT * TIMES));
        let factor = u32::try_from(long.len().div_ceil(short.len())).unwrap_or(u32::MAX);
        let allowed = took(|| work(&short)).max(NOTHING) * factor * SLACK;
        let needed = took(|| work(&long));
        assert!(needed < allowed, "{name}: {} bytes took {needed:?}, more than {allowed:?}", long.len());
    }
}

#[test]
fn texts_take_time_by_their_length() {
    let inspector = Inspector::new();
    let look = |text: &str| drop(black_box(inspector.text(Genre::Result, "", text)));
    each(&HOSTILE, look);
    each(&ORDINARY, look);
    // What an argument is held against depends on its name.
    for name in ["command", "path", "code"] {
        each(&HOSTILE, |text| drop(black_box(inspector.text(Genre::Arguments, name, text))));
    }
}

#[test]
fn objects_take_time_by_their_length() {
    let inspector = Inspector::new();
    let look = |text: &str| {
        let json = Json::check(text.as_bytes(), 128).unwrap();
        drop(black_box(inspector.object(Genre::Result, json)));
    };
    each(&HOSTILE_OBJECTS, look);
    each(&[("records", object)], look);
}
