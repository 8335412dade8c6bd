//! Pins that several processes use at once, and one that is killed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails here has found something")]

mod processes;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Child;

use lockgate_store::Pins;
use lockgate_store::pins::{Cause, Filter, Kind, Seen, Sighted, State, Trust};
use processes::{AT, JOB, say, start};

const NOW: u64 = 1_800_000_000_000;
const TOOLS: usize = 100;

fn seen(name: &str, number: u64, trust: Trust) -> Seen {
    Seen {
        kind: Kind::Tool,
        name: name.to_owned(),
        digest: format!("sha256:{number:064x}"),
        nameless: None,
        definition: format!("{{\"description\":\"{number}\"}}"),
        trust,
        cause: Cause::First,
        why: Vec::new(),
        approvers: 1,
    }
}

/// Not a test of its own: what the children of the others do.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(AT) else { return };
    let pins = Pins::open(Path::new(&folder)).unwrap();
    let job = std::env::var(JOB).unwrap();
    if job == "change" {
        for number in 1.. {
            let both = ["a", "b"].map(|name| seen(name, number, Trust::Change));
            assert_eq!(pins.sight("", "db", &both, NOW).unwrap(), [Sighted::Trusted, Sighted::Trusted]);
            say(&format!("\nchanged {number}\n"));
        }
    }
    for tool in 0..TOOLS {
        let seen = seen(&format!("t{tool}"), job.parse().unwrap(), Trust::First);
        match pins.sight("", "db", &[seen], NOW).unwrap().pop().unwrap() {
            Sighted::Trusted => say(&format!("\ntrusted {tool}\n")),
            Sighted::Waiting { new: true, .. } => {}
            other @ (Sighted::Approved
            | Sighted::Waiting { .. }
            | Sighted::Refused
            | Sighted::Unfit
            | Sighted::NoRoom) => panic!("{other:?}"),
        }
    }
}

#[test]
fn of_several_at_first_sight_one_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let children: Vec<Child> = (1..=4).map(|number| start(folder.path(), &number.to_string())).collect();
    let mut trusted: Vec<usize> = Vec::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let said = String::from_utf8(output.stdout).unwrap();
        trusted.extend(said.lines().filter_map(|line| line.strip_prefix("trusted ")?.parse::<usize>().ok()));
    }
    trusted.sort_unstable();
    assert_eq!(trusted, (0..TOOLS).collect::<Vec<usize>>(), "each once");
    let pins = Pins::open(folder.path()).unwrap();
    assert_eq!(pins.known("").unwrap().approved.len(), TOOLS);
    let waiting = pins.list(Filter::Waiting, None).unwrap();
    assert_eq!(waiting.len(), 3 * TOOLS, "the others wait");
    assert!(waiting.iter().all(|entry| entry.cause == Cause::Changed));
}

/// Nothing that was said to be written is lost, and nothing is there by half.
#[test]
fn a_process_that_is_killed_leaves_whole_changes() {
    for changes in [1, 2, 30] {
        let folder = tempfile::tempdir().unwrap();
        let mut child = start(folder.path(), "change");
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut numbers = said.filter_map(|line| line.unwrap().strip_prefix("changed ")?.parse::<u64>().ok());
        let heard = numbers.nth(changes - 1).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let last = numbers.last().unwrap_or(heard);
        let pins = Pins::open(folder.path()).unwrap();
        let entries = pins.list(Filter::All, None).unwrap();
        let [a, b] = entries.as_slice() else { panic!("{entries:?}") };
        assert_eq!((a.state, b.state, &a.digest), (State::Approved, State::Approved, &b.digest));
        let written = u64::from_str_radix(a.digest.trim_start_matches("sha256:"), 16).unwrap();
        assert!(written == last || written == last + 1, "{written} after {last}");
        let definition = pins.show(&a.id).unwrap().unwrap().definition.unwrap();
        assert_eq!(definition, format!("{{\"description\":\"{written}\"}}"));
    }
}
