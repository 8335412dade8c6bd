use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_800_000_000_000;
const MINUTE: u64 = 60_000;

/// A window of so many milliseconds in sixty pieces, as `lockgate-policy` makes them.
fn sliding(length: u64) -> impl Fn(u64) -> Slot {
    move |now| {
        let piece = length.div_ceil(60);
        let at = now - now % piece;
        Slot { at, since: (now + 1).saturating_sub(length + piece), until: at + length + piece }
    }
}

/// From one full minute to the next.
fn calendar(now: u64) -> Slot {
    let at = now - now % MINUTE;
    Slot { at, since: at, until: at + MINUTE }
}

fn calls<'a>(key: &'a str, at_most: u128, window: &'a dyn Fn(u64) -> Slot) -> Reservation<'a> {
    Reservation::Count { key, amount: 1, at_most, window }
}

fn at_limit<T: std::fmt::Debug>(result: Result<T, Refused>) -> (usize, u128, Option<u64>) {
    match result.unwrap_err() {
        Refused::AtLimit { which, used, free_at } => (which, used, free_at),
        Refused::Failed(error) => panic!("{error}"),
    }
}

fn file(folder: &tempfile::TempDir) -> std::path::PathBuf {
    folder.path().join("counters.db")
}

#[test]
fn all_or_nothing() {
    let counters = Counters::in_memory().unwrap();
    let minute = sliding(MINUTE);
    let wanted = |amount| {
        [
            calls("calls", 10, &minute),
            Reservation::Concurrent { key: "open", at_most: 5 },
            Reservation::Count { key: "money", amount, at_most: 100, window: &minute },
        ]
    };
    counters.reserve(NOW, &wanted(60)).unwrap().settle().unwrap();
    assert_eq!(at_limit(counters.reserve(NOW, &wanted(41))), (2, 60, Some(NOW + MINUTE + 1_000)));
    assert_eq!(at_limit(counters.reserve(NOW, &wanted(101))), (2, 60, None));
    assert_eq!(counters.used(NOW, "calls", &minute).unwrap(), 1);
    assert_eq!(counters.under_way("open").unwrap(), 0);
    counters.reserve(NOW, &wanted(40)).unwrap().settle().unwrap();
    assert_eq!(counters.used(NOW, "money", &minute).unwrap(), 100);
}

#[test]
fn one_key_twice_counts_twice() {
    let counters = Counters::in_memory().unwrap();
    let minute = sliding(MINUTE);
    let wanted = [calls("k", 3, &minute), calls("k", 3, &minute)];
    counters.reserve(NOW, &wanted).unwrap().settle().unwrap();
    assert_eq!(at_limit(counters.reserve(NOW, &wanted)).0, 1);
    assert_eq!(counters.used(NOW, "k", &minute).unwrap(), 2);
}

#[test]
fn what_was_not_sent_is_given_back_and_what_was_dropped_is_not() {
    let counters = Counters::in_memory().unwrap();
    let minute = sliding(MINUTE);
    let wanted = [calls("k", 1, &minute), Reservation::Concurrent { key: "open", at_most: 1 }];
    let reserved = counters.reserve(NOW, &wanted).unwrap();
    assert_eq!(counters.under_way("open").unwrap(), 1);
    reserved.release().unwrap();
    assert_eq!(counters.used(NOW, "k", &minute).unwrap(), 0);
    drop(counters.reserve(NOW, &wanted).unwrap());
    assert_eq!(counters.used(NOW, "k", &minute).unwrap(), 1);
    assert_eq!(counters.under_way("open").unwrap(), 0);
}

#[test]
fn counts_outlive_the_process_and_places_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let minute = sliding(MINUTE);
    let wanted = [calls("k", 2, &minute), Reservation::Concurrent { key: "open", at_most: 1 }];
    let counters = Counters::open(&file(&folder)).unwrap();
    counters.reserve(NOW, &wanted).unwrap().settle().unwrap();
    drop(counters);
    let counters = Counters::open(&file(&folder)).unwrap();
    let _reserved = counters.reserve(NOW + 1, &wanted).unwrap();
    assert_eq!(at_limit(counters.reserve(NOW + 2, &wanted)).0, 0);
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert!(files <= 4, "the database, its log, its shared memory and one owner: {files}");
}

#[test]
fn a_place_is_kept_as_long_as_its_process_lives() {
    let folder = tempfile::tempdir().unwrap();
    let wanted = [Reservation::Concurrent { key: "open", at_most: 1 }];
    let (one, two) = (Counters::open(&file(&folder)).unwrap(), Counters::open(&file(&folder)).unwrap());
    let reserved = one.reserve(NOW, &wanted).unwrap();
    assert_eq!(at_limit(two.reserve(NOW + 1_000 * MINUTE, &wanted)), (0, 1, None));
    reserved.settle().unwrap();
    two.reserve(NOW, &wanted).unwrap().settle().unwrap();
}

#[test]
fn callers_of_many_threads_and_two_connections_never_pass_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let minute = sliding(MINUTE);
    let both = [Counters::open(&file(&folder)).unwrap(), Counters::open(&file(&folder)).unwrap()];
    let (passed, open, most_open) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for caller in 0..200 {
            let (counters, minute, passed, open, most_open) =
                (&both[caller % 2], &minute, &passed, &open, &most_open);
            scope.spawn(move || {
                for turn in 0..5 {
                    let concurrent = Reservation::Concurrent { key: "open", at_most: 7 };
                    match counters.reserve(NOW + turn, &[concurrent, calls("k", 123, minute)]) {
                        Ok(reserved) => {
                            most_open.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                            passed.fetch_add(1, Ordering::SeqCst);
                            std::thread::yield_now();
                            open.fetch_sub(1, Ordering::SeqCst);
                            reserved.settle().unwrap();
                        }
                        Err(Refused::AtLimit { .. }) => {}
                        Err(Refused::Failed(error)) => panic!("{error}"),
                    }
                }
            });
        }
    });
    // Not all need to have passed: a caller turned away for want of a place does not come again.
    let passed = passed.into_inner();
    assert!((7..=123).contains(&passed), "{passed} passed");
    assert!(most_open.into_inner() <= 7);
    for counters in &both {
        assert_eq!(counters.used(NOW, "k", &minute).unwrap(), u128::from(passed));
        assert_eq!(counters.under_way("open").unwrap(), 0);
    }
}

#[test]
fn two_hundred_callers_use_a_limit_up_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let counters = Counters::open(&file(&folder)).unwrap();
    let minute = sliding(MINUTE);
    let passed = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..200 {
            scope.spawn(|| {
                if let Ok(reserved) = counters.reserve(NOW, &[calls("k", 50, &minute)]) {
                    reserved.settle().unwrap();
                    passed.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(passed.into_inner(), 50);
}

#[test]
fn a_clock_set_back_refills_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let minute = sliding(MINUTE);
    for window in [&minute as &dyn Fn(u64) -> Slot, &calendar] {
        let counters = Counters::open(&file(&folder)).unwrap();
        let wanted = [calls("k", 1, window)];
        counters.reserve(NOW, &wanted).unwrap().settle().unwrap();
        for earlier in [1, 1_001, MINUTE, 600 * MINUTE, NOW] {
            at_limit(counters.reserve(NOW - earlier, &wanted));
        }
        // Nor does a clock that was ahead for a while, and made everybody remove what counts no more.
        counters.reserve(NOW + 600 * MINUTE, &[calls("other", 1, window)]).unwrap().settle().unwrap();
        assert_eq!(counters.prune().unwrap(), 1);
        counters.reserve(NOW + 1, &wanted).unwrap().settle().unwrap();
        drop(counters);
        let counters = Counters::open(&file(&folder)).unwrap();
        at_limit(counters.reserve(NOW + 2 * MINUTE, &wanted));
        at_limit(counters.reserve(NOW + 599 * MINUTE, &wanted));
        assert_eq!(counters.behind(NOW).unwrap(), 600 * MINUTE);
        counters.forget_counts().unwrap();
        counters.reserve(NOW, &wanted).unwrap().settle().unwrap();
        counters.forget_counts().unwrap();
    }
}

#[test]
fn calendar_windows_begin_anew() {
    let counters = Counters::in_memory().unwrap();
    let start = NOW - NOW % MINUTE;
    counters.reserve(start + MINUTE - 1, &[calls("k", 1, &calendar)]).unwrap().settle().unwrap();
    let refused = at_limit(counters.reserve(start + MINUTE - 1, &[calls("k", 1, &calendar)]));
    assert_eq!(refused, (0, 1, Some(start + MINUTE)));
    counters.reserve(start + MINUTE, &[calls("k", 1, &calendar)]).unwrap().settle().unwrap();
}

#[test]
fn does_not_grow_with_time() {
    let folder = tempfile::tempdir().unwrap();
    let counters = Counters::open(&file(&folder)).unwrap();
    let minute = sliding(MINUTE);
    let size = || {
        counters.prune().unwrap();
        let count =
            |sql| counters.shared.lock().connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        (count("SELECT count(*) FROM counters"), count("PRAGMA page_count"))
    };
    let mut after_one = 0;
    for hour in 0..20 {
        for session in 0..100 {
            let now = NOW + hour * 60 * MINUTE + session * 10;
            counters
                .reserve(now, &[calls(&format!("{hour}-{session}"), 1, &minute)])
                .unwrap()
                .settle()
                .unwrap();
        }
        let (rows, pages) = size();
        assert_eq!(rows, 100, "those of the last hour");
        if hour == 1 {
            after_one = pages;
        }
        assert!(hour < 2 || pages <= after_one + 2, "{pages} pages");
    }
}

/// What the disk has after a loss of power: the file, and some of the log.
#[test]
fn a_log_that_was_cut_loses_whole_calls_and_the_last_ones_first() {
    let folder = tempfile::tempdir().unwrap();
    let counters = Counters::open(&file(&folder)).unwrap();
    let minute = sliding(MINUTE);
    let money = Reservation::Count { key: "money", amount: 10, at_most: 1_000, window: &minute };
    let wanted = [calls("k", 100, &minute), money];
    for _ in 0..40 {
        counters.reserve(NOW, &wanted).unwrap().settle().unwrap();
    }
    let (database, log) =
        (std::fs::read(file(&folder)).unwrap(), std::fs::read(folder.path().join("counters.db-wal")));
    let log = log.unwrap();
    let mut before = 0;
    for eighth in 0..=80 {
        let after = tempfile::tempdir().unwrap();
        std::fs::write(file(&after), &database).unwrap();
        std::fs::write(after.path().join("counters.db-wal"), &log[..log.len() * eighth / 80]).unwrap();
        // Cut early enough, there is not even a table yet; that is an empty file.
        let reopened = Counters::open(&file(&after)).unwrap();
        let used = reopened.used(NOW, "k", &minute).unwrap();
        assert_eq!(reopened.used(NOW, "money", &minute).unwrap(), used * 10);
        assert!(used >= before);
        before = used;
    }
    assert_eq!(before, 40);
}

#[test]
fn many_may_make_the_file_at_once() {
    for _ in 0..60 {
        let folder = tempfile::tempdir().unwrap();
        let start = std::sync::Barrier::new(8);
        let minute = sliding(MINUTE);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    start.wait();
                    let counters = Counters::open(&file(&folder)).unwrap();
                    counters.reserve(NOW, &[calls("k", 8, &minute)]).unwrap().settle().unwrap();
                });
            }
        });
        assert_eq!(Counters::open(&file(&folder)).unwrap().used(NOW, "k", &minute).unwrap(), 8);
    }
}

#[test]
fn a_full_file_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let counters = Counters::open(&file(&folder)).unwrap();
    counters.shared.lock().connection.query_row("PRAGMA max_page_count = 12", [], |_| Ok(())).unwrap();
    let minute = sliding(MINUTE);
    let long = "x".repeat(1_000);
    let full = (0..1_000).find_map(|number| {
        let key = format!("{long}{number}");
        match counters.reserve(NOW, &[calls(&key, 1, &minute)]) {
            Ok(reserved) => reserved.settle().err(),
            Err(Refused::Failed(error)) => Some(error),
            Err(Refused::AtLimit { .. }) => None,
        }
    });
    assert!(matches!(full, Some(CountersError::Full)), "{full:?}");
    let too_long = counters.reserve(NOW, &[calls(&"x".repeat(1_025), 1, &minute)]).unwrap_err();
    assert!(matches!(too_long, Refused::Failed(CountersError::KeyTooLong)));
}

#[test]
fn refuses_files_it_cannot_trust_and_leaves_them_alone() {
    let folder = tempfile::tempdir().unwrap();
    let opened = |name: &str| Counters::open(&folder.path().join(name)).unwrap_err();

    std::fs::write(folder.path().join("text"), "not a database, but long enough to look at it. ".repeat(50))
        .unwrap();
    assert!(matches!(opened("text"), CountersError::Damaged));

    let other = Connection::open(folder.path().join("other")).unwrap();
    other.execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
    assert!(matches!(opened("other"), CountersError::Foreign));

    drop(Counters::open(&folder.path().join("newer")).unwrap());
    Connection::open(folder.path().join("newer")).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let newer = opened("newer");
    assert!(
        newer.to_string().starts_with("the file of counters has format 99, known here are up to 1"),
        "{newer}"
    );

    drop(Counters::open(&folder.path().join("torn")).unwrap());
    let mut bytes = std::fs::read(folder.path().join("torn")).unwrap();
    for byte in bytes.iter_mut().skip(4_096) {
        *byte ^= 0x5a;
    }
    std::fs::write(folder.path().join("torn"), &bytes).unwrap();
    assert!(matches!(opened("torn"), CountersError::Damaged));
    assert_eq!(std::fs::read(folder.path().join("torn")).unwrap(), bytes);
}

#[test]
fn a_row_that_makes_no_sense_refuses() {
    let counters = Counters::in_memory().unwrap();
    counters.shared.lock().connection.execute("INSERT INTO counters VALUES ('k', x'00', 7)", []).unwrap();
    let minute = sliding(MINUTE);
    let refused = counters.reserve(NOW, &[calls("k", 1, &minute)]).unwrap_err();
    assert!(matches!(refused, Refused::Failed(CountersError::Damaged)));
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(file(&folder), "").unwrap();
    std::fs::set_permissions(file(&folder), std::fs::Permissions::from_mode(0o644)).unwrap();
    let counters = Counters::open(&file(&folder)).unwrap();
    let minute = sliding(MINUTE);
    counters.reserve(NOW, &[calls("k", 1, &minute)]).unwrap().settle().unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
        seen += 1;
    }
    assert_eq!(seen, 4, "the database, its log, its shared memory and the owner");
}

#[derive(Clone, Debug)]
enum Step {
    Call { key: u8, amount: u128, clock: i64 },
    Prune,
    GiveBack,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0..3_u8, 0..4_u128, prop_oneof![9 => 0..9_000_i64, 1 => -200_000..200_000_i64])
            .prop_map(|(key, amount, clock)| Step::Call { key, amount, clock }),
        1 => Just(Step::Prune),
        2 => Just(Step::GiveBack),
    ]
}

proptest! {
    /// Against a list of all calls ever made: never more than the limit in any window, whatever the clock
    /// does; and no refusal where there is room in a window a little longer.
    #[test]
    fn agrees_with_a_list_of_calls(
        length in 1_000..120_000_u64,
        at_most in 1..20_u128,
        steps in proptest::collection::vec(step(), 1..150),
    ) {
        let counters = Counters::in_memory().unwrap();
        let window = sliding(length);
        let mut made: Vec<(u8, u64, u128)> = Vec::new();
        let mut last = None;
        let (mut clock, mut latest) = (NOW, 0);
        for step in steps {
            match step {
                Step::Prune => { counters.prune().unwrap(); }
                Step::GiveBack => {
                    if let Some((index, reserved)) = last.take() {
                        Reserved::release(reserved).unwrap();
                        made.remove(index);
                    }
                }
                Step::Call { key, amount, clock: by } => {
                    clock = clock.saturating_add_signed(by);
                    let now = clock.max(latest);
                    let name = key.to_string();
                    let wanted = [Reservation::Count { key: &name, amount, at_most, window: &window }];
                    let counted = |since: u64| {
                        let counts = made.iter().filter(|call| call.0 == key && call.1 >= since);
                        counts.map(|call| call.2).sum::<u128>()
                    };
                    match counters.reserve(clock, &wanted) {
                        Ok(reserved) => {
                            prop_assert!(counted(now - length) + amount <= at_most);
                            made.push((key, now, amount));
                            latest = now;
                            last = Some((made.len() - 1, reserved));
                        }
                        Err(_) => prop_assert!(counted(now - length - length / 60 - 2) + amount > at_most),
                    }
                }
            }
        }
    }
}
