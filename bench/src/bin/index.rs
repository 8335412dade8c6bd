//! What the provenance index costs: taking in real text, looking values up, recognising copies, and memory. Times are
//! processor time of this thread, so that other work on the machine counts little.

use std::hint::black_box;
use std::io::Read;

use anyhow::{Context, ensure};
use lockgate_flow::{Capacity, Index, Origin, Source};
use rustix::time::{ClockId, clock_gettime};

const ROUNDS: usize = 15;
/// Values as calls have them, none of which the text holds.
const VALUES: [&str; 10] = [
    "mallory@evil-example.com",
    "DE89370400440532013000",
    "https://evil.example.net/collect/data?id=7",
    "/etc/ssh/sshd_config.d/open",
    "Mallory Wintergreen-Example",
    "4929123456781234",
    "b7d3c1f0-8a52-4e0b-9f3d-1c2b3a4d5e6f",
    "+49 1512 3456789",
    "acct_1NirD82eZvKYlo2CHqr1",
    "#team-announcements-external",
];

/// Reads text from standard input; without any, makes some.
fn main() -> anyhow::Result<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("the text is not UTF-8")?;
    if text.is_empty() {
        text = (0..60_000)
            .map(|number| {
                format!("The order {} of customer {} is on its way. ", number * 7_919, number % 911)
            })
            .collect();
    }
    let mebibyte = cut(&text, 1 << 20);
    println!("thread processor time, text of {} KiB; median and fastest of {ROUNDS}", mebibyte.len() / 1024);
    for (name, size) in
        [("as one text", usize::MAX), ("as texts of 4 KiB", 4096), ("as texts of 200 bytes", 200)]
    {
        let pieces = pieces(mebibyte, size);
        let ingest = rounds(|| {
            let mut index = wide();
            let begun = processor_time();
            for (event, piece) in pieces.iter().enumerate() {
                index.prose(source(event / 8), piece);
            }
            let took = processor_time() - begun;
            black_box(&index);
            took / mebibyte.len() as f64
        });
        println!("{:<44} {}", format!("prose, {name}"), ingest.speed());
    }
    let mut index = Index::new([7; 16], Capacity::default());
    let sustained = rounds(|| {
        let begun = processor_time();
        for piece in pieces(mebibyte, 4096) {
            index.prose(source(0), piece);
        }
        (processor_time() - begun) / mebibyte.len() as f64
    });
    println!("{:<44} {}", "prose, on and on, older text dropped", sustained.speed());
    println!("{:<44} {:>7} KiB", "memory then", index.bytes() / 1024);
    println!("{:<44} {:>7} bytes", "memory of an empty index", wide().bytes());

    for size in [100 * 1024, 1 << 20] {
        let mut index = wide();
        let part = cut(&text, size);
        index.prose(source(0), part);
        for value in VALUES {
            ensure!(index.find(value).first.is_none(), "the text holds `{value}`");
        }
        let name = format!("in {} KiB", part.len() / 1024);
        let took = rounds(|| timed(|| VALUES.iter().for_each(|value| spend(index.find(value)))));
        println!("{:<44} {}", format!("find 10 values that are not there, {name}"), took.micros());
        let there = pieces(part, part.len() / 10);
        let there: Vec<&str> =
            there.iter().filter_map(|piece| piece.split_whitespace().find(|word| word.len() > 6)).collect();
        let took = rounds(|| timed(|| there.iter().for_each(|value| spend(index.find(value)))));
        println!("{:<44} {}", format!("find {} words that are, {name}", there.len()), took.micros());
        let copy = cut(part.get(part.len() / 2..).unwrap_or(part), 4096);
        let took = rounds(|| timed(|| spend(index.copied(copy))));
        let copied = index.copied(copy);
        println!(
            "{:<44} {}  {} of {} bytes",
            format!("copied, all of 4 KiB, {name}"),
            took.micros(),
            copied.bytes,
            copy.len()
        );
        let other: String = copy.chars().rev().collect();
        let took = rounds(|| timed(|| spend(index.copied(&other))));
        println!(
            "{:<44} {}  {} bytes",
            format!("copied, none of 4 KiB, {name}"),
            took.micros(),
            index.copied(&other).bytes
        );
        println!("{:<44} {:>7} KiB", format!("memory, {name}"), index.bytes() / 1024);
    }
    Ok(())
}

/// An index that holds a whole mebibyte.
fn wide() -> Index {
    Index::new([7; 16], Capacity { ring: 1200 * 1024, ..Capacity::default() })
}

fn source(event: usize) -> Source {
    Source { origin: Origin::new((event % 5) as u8).unwrap_or_default(), event: event as u32 }
}

fn spend<Value>(value: Value) {
    let _spent = black_box(value);
}

/// What each round took, from the shortest.
struct Rounds(Vec<f64>);

impl Rounds {
    fn speed(&self) -> String {
        let [median, fastest] = self.both().map(|seconds| 1.0 / 1e6 / seconds);
        format!("{median:>7.0} {fastest:>7.0} MB/s")
    }

    fn micros(&self) -> String {
        let [median, fastest] = self.both().map(|seconds| seconds * 1e6);
        format!("{median:>7.1} {fastest:>7.1} µs")
    }

    fn both(&self) -> [f64; 2] {
        [self.0[self.0.len() / 2], self.0[0]]
    }
}

fn rounds(mut run: impl FnMut() -> f64) -> Rounds {
    let mut figures: Vec<f64> = (0..ROUNDS).map(|_| run()).collect();
    figures.sort_by(f64::total_cmp);
    Rounds(figures)
}

fn timed(run: impl FnOnce()) -> f64 {
    let begun = processor_time();
    run();
    processor_time() - begun
}

/// Seconds that this thread ran.
fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn cut(text: &str, size: usize) -> &str {
    &text[..text.floor_char_boundary(size)]
}

fn pieces(mut text: &str, size: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    while !text.is_empty() {
        let (piece, rest) = text.split_at(text.floor_char_boundary(size).max(1));
        pieces.push(piece);
        text = rest;
    }
    pieces
}
