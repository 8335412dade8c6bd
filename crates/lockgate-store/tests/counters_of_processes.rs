//! Counters that several processes use, some of which are killed at any moment.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails here has found something")]

mod processes;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout};

use lockgate_store::{Counters, Refused, Reservation, Slot};
use processes::{AT, JOB, say, start};

const NOW: u64 = 1_800_000_000_000;

fn day(now: u64) -> Slot {
    let at = now - now % 86_400_000;
    Slot { at, since: at, until: at + 86_400_000 }
}

fn calls(at_most: u128) -> Reservation<'static> {
    Reservation::Count { key: "calls", amount: 1, at_most, window: &day }
}

fn place(at_most: u32) -> Reservation<'static> {
    Reservation::Concurrent { key: "open", at_most }
}

/// Not a test of its own: what the children of the others do.
#[test]
fn child() {
    let Some(file) = std::env::var_os(AT) else { return };
    let counters = Counters::open(Path::new(&file)).unwrap();
    match std::env::var(JOB).unwrap().as_str() {
        "without_end" => call_without_end(&counters),
        _ => call_as_often_as_allowed(&counters),
    }
}

/// Takes and, every other time, gives back; says each after it was done.
fn call_without_end(counters: &Counters) {
    for turn in 0.. {
        let reserved = counters.reserve(NOW, &[calls(u128::MAX), place(1)]).unwrap();
        say("took\n");
        if turn % 2 == 0 {
            reserved.settle().unwrap();
        } else {
            reserved.release().unwrap();
            say("gave\n");
        }
    }
}

fn call_as_often_as_allowed(counters: &Counters) {
    for _ in 0..400 {
        match counters.reserve(NOW, &[calls(500), place(2)]) {
            Ok(reserved) => {
                assert!(counters.under_way("open").unwrap() <= 2);
                say("took\n");
                reserved.settle().unwrap();
            }
            Err(Refused::AtLimit { .. }) => {}
            Err(Refused::Failed(error)) => panic!("{error}"),
        }
    }
    say("done\n");
}

fn reader(file: &Path, job: &str) -> (Child, BufReader<ChildStdout>) {
    let mut child = start(file, job);
    let out = BufReader::new(child.stdout.take().unwrap());
    (child, out)
}

#[test]
fn a_process_that_is_killed_leaves_at_most_the_call_under_way_in_doubt() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("counters.db");
    // Opened before the child, and used after it: the survivor need not be started anew.
    let survivor = Counters::open(&file).unwrap();
    let mut before = 0;
    let mut random = 1_u64;
    for round in 0..30 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (mut child, out) = reader(&file, "without_end");
        let mut lines = out.lines().map(Result::unwrap);
        // Sometimes before it has opened the file, else after so many lines; more follow.
        let until = usize::try_from(random >> 57).unwrap();
        let mut seen: Vec<String> =
            if round % 5 == 0 { vec![] } else { lines.by_ref().take(until).collect() };
        child.kill().unwrap();
        seen.extend(lines);
        child.wait().unwrap();

        let count = |word: &str| seen.iter().filter(|line| line.ends_with(word)).count() as u128;
        let expected = before + count("took") - count("gave");
        let used = survivor.used(NOW, "calls", &day).unwrap();
        // What was under way is a taking or a giving back.
        assert!(used.abs_diff(expected) <= 1, "round {round}: {used} counted, {expected} said");
        before = used;

        survivor.reserve(NOW, &[place(1)]).unwrap().settle().unwrap();
        assert_eq!(survivor.under_way("open").unwrap(), 0);
    }
    assert!(before > 30, "hardly anything was called: {before}");
    drop(survivor);
    let reopened = Counters::open(&file).unwrap();
    assert_eq!(reopened.used(NOW, "calls", &day).unwrap(), before);
    drop(reopened);
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["counters.db"], "nothing of the dead is left");
}

#[test]
fn processes_together_never_pass_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("counters.db");
    let mut children: Vec<_> = (0..4).map(|_| reader(&file, "as_often_as_allowed")).collect();
    let mut passed = 0;
    for (child, out) in &mut children {
        let lines: Vec<String> = out.lines().map(Result::unwrap).collect();
        assert!(child.wait().unwrap().success());
        assert!(lines.iter().any(|line| line == "done"));
        passed += lines.iter().filter(|line| line.ends_with("took")).count() as u128;
    }
    let counters = Counters::open(&file).unwrap();
    assert_eq!(counters.used(NOW, "calls", &day).unwrap(), passed);
    assert!((100..=500).contains(&passed), "{passed} passed");
}
