//! What the provenance index costs: taking in real text, looking values up, recognising copies, and memory.

use std::hint::black_box;
use std::io::Read;
use std::time::Instant;

use anyhow::{Context, ensure};
use lockgate_flow::{Capacity, Index, Origin, Source};

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
    println!("{:<44} {:>12}", format!("text of {} KiB", mebibyte.len() / 1024), "p50");
    for (name, size) in
        [("as one text", usize::MAX), ("as texts of 4 KiB", 4096), ("as texts of 200 bytes", 200)]
    {
        let pieces = pieces(mebibyte, size);
        let ingest = median(|| {
            let mut index = wide();
            let begun = Instant::now();
            for (event, piece) in pieces.iter().enumerate() {
                index.prose(source(event / 8), piece);
            }
            let took = begun.elapsed().as_secs_f64();
            black_box(&index);
            mebibyte.len() as f64 / 1e6 / took
        });
        println!("{:<44} {ingest:>7.0} MB/s", format!("prose, {name}"));
    }
    let mut index = Index::new([7; 16], Capacity::default());
    let sustained = median(|| {
        let begun = Instant::now();
        for piece in pieces(mebibyte, 4096) {
            index.prose(source(0), piece);
        }
        mebibyte.len() as f64 / 1e6 / begun.elapsed().as_secs_f64()
    });
    println!("{:<44} {sustained:>7.0} MB/s", "prose, on and on, older text dropped");
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
        let micros = median(|| timed(|| VALUES.iter().for_each(|value| spend(index.find(value)))));
        println!("{:<44} {micros:>7.1} µs", format!("find 10 values that are not there, {name}"));
        let there = pieces(part, part.len() / 10);
        let there: Vec<&str> =
            there.iter().filter_map(|piece| piece.split_whitespace().find(|word| word.len() > 6)).collect();
        let micros = median(|| timed(|| there.iter().for_each(|value| spend(index.find(value)))));
        println!("{:<44} {micros:>7.1} µs", format!("find {} words that are, {name}", there.len()));
        let copy = cut(part.get(part.len() / 2..).unwrap_or(part), 4096);
        let micros = median(|| timed(|| spend(index.copied(copy))));
        let copied = index.copied(copy);
        println!(
            "{:<44} {micros:>7.1} µs  {} of {} bytes",
            format!("copied, all of 4 KiB, {name}"),
            copied.bytes,
            copy.len()
        );
        let other: String = copy.chars().rev().collect();
        let micros = median(|| timed(|| spend(index.copied(&other))));
        println!(
            "{:<44} {micros:>7.1} µs  {} bytes",
            format!("copied, none of 4 KiB, {name}"),
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

fn timed(run: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    run();
    begun.elapsed().as_secs_f64() * 1e6
}

fn median(mut run: impl FnMut() -> f64) -> f64 {
    let mut figures: Vec<f64> = (0..ROUNDS).map(|_| run()).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
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
