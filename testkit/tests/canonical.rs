//! Digests against another implementation: the npm package of an author of RFC 8785, on documents of all sorts.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use lockgate_model::Json;
use lockgate_provenance::{Digest, canonical};
use testkit::peers::{peers, run_client};

const DOCUMENTS: usize = 1_000;

/// Numbers that are easily written wrong: at the edges of forms, of precision and of the range.
const NUMBERS: &[&str] = &[
    "-0",
    "0e9",
    "5e-324",
    "2.2250738585072014e-308",
    "2.225073858507201e-308",
    "1.7976931348623157e308",
    "1e21",
    "1e20",
    "999999999999999999999",
    "1e-6",
    "1e-7",
    "0.0000010",
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "-9007199254740993",
    "1424953923781206.25",
    "333333333.33333329",
    "0.1",
    "1.0",
    "100",
    "1e2",
    "123456789012345678901234567890",
    "4.35",
    "2e-3",
    "1e23",
    "9.5367431640625e-7",
    "4503599627370496.5",
    "1e-400",
];

/// Parts of Unicode with letters that are composed, that are not, and that stand above all others.
const LETTERS: &[(u32, u32)] = &[
    (0x00, 0x7f),
    (0x20, 0x7e),
    (0x80, 0x52f),
    (0x5d0, 0x6ff),
    (0x900, 0xdff),
    (0x1100, 0x11ff),
    (0x1e00, 0x20ff),
    (0x212a, 0x212b),
    (0x2adc, 0x2adc),
    (0x300, 0x345),
    (0xac00, 0xac40),
    (0xe000, 0xe010),
    (0xf900, 0xfaff),
    (0xfb1d, 0xfb4f),
    (0xfffc, 0xffff),
    (0x1d15e, 0x1d164),
    (0x1f600, 0x1f610),
    (0x11099, 0x110ba),
    (0x10_fff0, 0x10_ffff),
];

struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.bits() % most as u64).unwrap()
    }

    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn document(&mut self, depth: usize, out: &mut String) {
        out.push_str(["", " ", "\t "][self.below(3)]);
        match self.below(if depth > 4 { 4 } else { 8 }) {
            0 => out.push_str(["null", "true", "false"][self.below(3)]),
            1 | 2 => self.number(out),
            3 => self.text(out),
            4 | 5 => {
                out.push('[');
                for index in 0..self.below(6) {
                    out.push_str(if index > 0 { " ," } else { "" });
                    self.document(depth + 1, out);
                }
                out.push(']');
            }
            _ => self.object(depth, out),
        }
        out.push_str(["", " "][self.below(2)]);
    }

    fn object(&mut self, depth: usize, out: &mut String) {
        let mut known = Vec::new();
        out.push('{');
        for _ in 0..self.below(8) {
            let mut name = String::new();
            self.text(&mut name);
            let read = serde_json::from_str::<String>(&name).unwrap();
            if known.contains(&read) {
                continue;
            }
            out.push_str(if known.is_empty() { "" } else { ",\t" });
            out.push_str(&name);
            out.push(':');
            self.document(depth + 1, out);
            known.push(read);
        }
        out.push('}');
    }

    fn number(&mut self, out: &mut String) {
        let number = f64::from_bits(self.bits());
        let written = match self.below(5) {
            0 => out.write_str(NUMBERS[self.below(NUMBERS.len())]),
            1 if number.is_finite() => write!(out, "{number:e}"),
            2 if number.is_finite() => write!(out, "{number:.25E}"),
            3 => write!(out, "{}", i64::from_ne_bytes(self.bits().to_ne_bytes()) >> self.below(64)),
            _ => write!(out, "{}.{}", self.below(1_000), self.below(1_000_000)),
        };
        written.unwrap();
    }

    fn text(&mut self, out: &mut String) {
        out.push('"');
        for _ in 0..self.below(6) {
            let (first, last) = LETTERS[self.below(LETTERS.len())];
            let code = first + u32::try_from(self.below((last - first + 1) as usize)).unwrap();
            let letter = char::from_u32(code).unwrap();
            if self.below(3) == 0 || letter < ' ' || letter == '"' || letter == '\\' {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}").unwrap();
                }
            } else {
                out.push(letter);
            }
        }
        out.push('"');
    }
}

#[test]
fn digests_are_those_of_another_implementation() {
    let Some(peers) = peers() else { return };
    if !peers.join("node_modules/canonicalize").is_dir() {
        eprintln!("skipped: the package canonicalize is not installed; `cargo xtask test` installs it");
        return;
    }
    let mut random = Random(0x5eed_5eed_5eed_5eed);
    let documents: Vec<String> = (0..DOCUMENTS)
        .map(|_| {
            let mut out = "[".to_owned();
            random.document(0, &mut out);
            out + "]"
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("documents");
    std::fs::write(&file, documents.join("\n")).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/clients/canonical.mjs");
    let mut node = Command::new("node");
    node.arg(script).arg(&file).env("LOCKGATE_PEERS", peers);
    let theirs = run_client(node);
    assert_eq!(theirs.len(), DOCUMENTS);
    for (document, theirs) in documents.iter().zip(theirs) {
        let json = Json::check(document.as_bytes(), 64).unwrap();
        assert_eq!(canonical(json), theirs["text"], "{document}");
        assert_eq!(Digest::of(json).to_string(), theirs["digest"], "{document}");
    }
}
