//! The fuzz targets over their committed corpus, on the stable toolchain, and over a bounded number of changes to it.

#![allow(clippy::unwrap_used, reason = "a test that fails here has found something")]

use std::path::Path;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 9, "{target} has a corpus");
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// Runs the target over the corpus and over changed copies of it: bytes flipped, doubled, cut and exchanged.
fn replay(target: &str, run: fn(&[u8])) {
    let corpus = corpus(target);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % (below.max(1) as u64)).unwrap()
    };
    for seed in &corpus {
        run(seed);
    }
    for _ in 0..4_000 {
        let mut input = corpus[random(corpus.len())].clone();
        for _ in 0..=random(4) {
            let at = random(input.len());
            match random(5) {
                0 if !input.is_empty() => input[at] ^= 1 << random(8),
                1 => input.truncate(at),
                2 => input.insert(at, b"\"{}[]:,\\ \n0au"[random(13)]),
                3 => {
                    let other = &corpus[random(corpus.len())];
                    let from = random(other.len());
                    input.splice(at..at, other[from..].iter().copied());
                }
                _ if !input.is_empty() => drop(input.remove(at)),
                _ => {}
            }
        }
        run(&input);
    }
}

#[test]
fn envelope() {
    replay("envelope", testkit::fuzz::envelope);
}

#[test]
fn sse() {
    replay("sse", testkit::fuzz::sse);
}

#[test]
fn door() {
    replay("door", testkit::fuzz::door);
}

#[test]
fn secrets() {
    replay("secrets", testkit::fuzz::secrets);
}

#[test]
fn provenance() {
    replay("provenance", testkit::fuzz::provenance);
}

#[test]
fn lock() {
    replay("lock", testkit::fuzz::lock);
}

#[test]
fn canonicals() {
    replay("canonicals", testkit::fuzz::canonicals);
}

#[test]
fn shadow() {
    replay("shadow", testkit::fuzz::shadow);
}

#[test]
fn clients() {
    replay("clients", testkit::fuzz::clients);
}

#[test]
fn inspect_text() {
    replay("inspect_text", testkit::fuzz::detect::text);
}

#[test]
fn inspect_object() {
    replay("inspect_object", testkit::fuzz::detect::object);
}

#[test]
fn media() {
    replay("media", testkit::fuzz::detect::media);
}

#[test]
fn page() {
    replay("page", testkit::fuzz::detect::page);
}

#[test]
fn python() {
    replay("python", testkit::fuzz::detect::python);
}

#[test]
fn foreign_rule() {
    replay("foreign_rule", testkit::fuzz::detect::foreign_rule);
}

#[test]
fn indicators() {
    replay("indicators", testkit::fuzz::detect::indicators);
}
