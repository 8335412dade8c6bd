//! What `docs/pins.md` says is so.

use lockgate_provenance::diff::Code;
use lockgate_provenance::lock::Lock;

const DOCUMENT: &str = include_str!("../../../docs/pins.md");

#[test]
fn every_code_is_in_the_table() {
    let rows: Vec<&str> = DOCUMENT.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<String> = Code::ALL
        .iter()
        .map(|code| format!("| `{}` | {} | {} |", code.word(), code.meaning(), code.risk().word()))
        .collect();
    assert_eq!(rows, expected);
}

#[test]
fn the_lock_file_that_is_shown_can_be_read() {
    let (_, rest) = DOCUMENT.split_once("```json\n").unwrap();
    let (shown, _) = rest.split_once("```").unwrap();
    match Lock::read(shown.as_bytes()) {
        Ok(lock) => assert_eq!(lock.text(), shown),
        Err(error) => assert_eq!(error.to_string(), "", "the example cannot be read"),
    }
}
