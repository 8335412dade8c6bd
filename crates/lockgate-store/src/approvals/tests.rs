use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_800_000_000_000;
const MINUTE: u64 = 60_000;

fn call(number: u32) -> Request {
    Request {
        session: "s-1".to_owned(),
        principal: "ann".to_owned(),
        server: "db".to_owned(),
        tool: "write_row".to_owned(),
        arguments: format!("{{\"row\":{number}}}"),
        fingerprint: format!("f-{number}"),
        rule: "servers.db.tools.write_row".to_owned(),
        reason: "approval_required".to_owned(),
        origin: None,
        effect: "write".to_owned(),
        approvers: 1,
        created: NOW,
        expires: NOW + 5 * MINUTE,
    }
}

fn two_people(number: u32) -> Request {
    Request { approvers: 2, ..call(number) }
}

fn says(approver: &str, yes: bool, scope: Scope) -> Vote {
    Vote { approver: approver.to_owned(), yes, why: Some(format!("because of {approver}")), scope }
}

fn yes(approver: &str) -> Vote {
    says(approver, true, Scope::Once)
}

fn no(approver: &str) -> Vote {
    says(approver, false, Scope::Once)
}

fn approved(by: &[&str], scope: Scope) -> Ballot {
    Ballot::Approved { by: by.iter().map(|name| (*name).to_owned()).collect(), scope }
}

fn denied(by: &str) -> Ballot {
    Ballot::Denied { by: by.to_owned(), why: Some(format!("because of {by}")) }
}

const ONE: Ballot = Ballot::Waiting { have: 0, need: 1 };

/// Files it and lets the one person say yes.
fn with_yes(approvals: &Approvals, request: &Request, scope: Scope) -> String {
    let id = approvals.file(request, NOW).unwrap().id;
    let ballot = approvals.vote(&id, &says("bob", true, scope), NOW).unwrap();
    assert_eq!(ballot, approved(&["bob"], scope));
    id
}

#[test]
fn the_one_who_sends_uses_the_yes_it_gives() {
    let approvals = Approvals::in_memory().unwrap();
    let id = approvals.file(&call(1), NOW).unwrap().id;
    let ballot = approvals.vote_and_send(&id, &yes("ann"), NOW).unwrap();
    assert_eq!(ballot, approved(&["ann"], Scope::Once));
    assert_eq!(approvals.standing(&id, NOW).unwrap(), Ballot::Used);
    assert_eq!(approvals.file(&call(1), NOW).unwrap().ballot, ONE, "the next is asked about anew");
    let id = approvals.file(&two_people(2), NOW).unwrap().id;
    let ballot = approvals.vote_and_send(&id, &yes("ann"), NOW).unwrap();
    assert_eq!(ballot, Ballot::Waiting { have: 1, need: 2 });
    approvals.vote(&id, &no("bob"), NOW).unwrap();
    assert_eq!(approvals.vote_and_send(&id, &yes("ann"), NOW).unwrap(), denied("bob"));
}

#[test]
fn a_yes_is_used_once_by_the_one_that_waits() {
    let approvals = Approvals::in_memory().unwrap();
    let filed = approvals.file(&call(1), NOW).unwrap();
    assert_eq!(filed.ballot, ONE);
    assert_eq!(approvals.standing(&filed.id, NOW).unwrap(), ONE);
    assert_eq!(approvals.vote(&filed.id, &yes("bob"), NOW + 1).unwrap(), approved(&["bob"], Scope::Once));
    // To look uses nothing.
    let shown = approvals.show(&filed.id, NOW + 2).unwrap().unwrap();
    assert_eq!((shown.ballot, shown.uses, shown.used), (approved(&["bob"], Scope::Once), 0, None));
    assert_eq!(approvals.standing(&filed.id, NOW + 2).unwrap(), approved(&["bob"], Scope::Once));
    assert_eq!(approvals.standing(&filed.id, NOW + 2).unwrap(), Ballot::Used);
    let shown = approvals.show(&filed.id, NOW + 2).unwrap().unwrap();
    assert_eq!((shown.ballot, shown.uses, shown.used), (Ballot::Used, 1, Some(NOW + 2)));
    let again = approvals.file(&call(1), NOW + 3).unwrap();
    assert_eq!(again.ballot, ONE);
    assert_ne!(again.id, filed.id);
}

#[test]
fn ids_can_be_told_and_not_guessed() {
    let approvals = Approvals::in_memory().unwrap();
    let ids: std::collections::BTreeSet<String> =
        (0..15).map(|number| approvals.file(&call(number), NOW).unwrap().id).collect();
    assert_eq!(ids.len(), 15);
    for id in ids {
        let digits = id.strip_prefix("apr_").unwrap();
        assert!(digits.len() == 16 && digits.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7')), "{id}");
    }
}

#[test]
fn a_call_that_came_again_uses_the_yes_that_it_did_not_wait_for() {
    let approvals = Approvals::in_memory().unwrap();
    let id = approvals.file(&call(1), NOW).unwrap().id;
    approvals.withdraw(&id, NOW).unwrap();
    assert_eq!(approvals.list(Filter::Waiting, NOW).unwrap()[0].waiting, 0);
    approvals.vote(&id, &yes("bob"), NOW).unwrap();
    let again = approvals.file(&Request { session: "s-2".to_owned(), ..call(1) }, NOW + MINUTE).unwrap();
    assert_eq!(again, Filed { id, ballot: approved(&["bob"], Scope::Once) });
    assert_eq!(approvals.file(&call(1), NOW + MINUTE).unwrap().ballot, ONE);
}

#[test]
fn equals_are_put_to_people_once() {
    let approvals = Approvals::in_memory().unwrap();
    let first = approvals.file(&call(1), NOW).unwrap();
    for _ in 0..3 {
        assert_eq!(approvals.file(&call(1), NOW).unwrap(), first);
    }
    let waiting = |id: &str| approvals.show(id, NOW).unwrap().unwrap().waiting;
    assert_eq!(waiting(&first.id), 4);
    let other_session = Request { session: "s-2".to_owned(), ..call(1) };
    assert_ne!(approvals.file(&other_session, NOW).unwrap().id, first.id);
    for _ in 0..9 {
        approvals.withdraw(&first.id, NOW).unwrap();
    }
    assert_eq!(waiting(&first.id), 0);
    assert_eq!(approvals.list(Filter::Waiting, NOW).unwrap().len(), 2);
}

/// What people saw must be what they said yes to.
#[test]
fn a_yes_is_bound_to_the_call_and_its_cause() {
    let base = call(1);
    let others = [
        Request { fingerprint: "f-2".to_owned(), ..base.clone() },
        Request { principal: "eve".to_owned(), ..base.clone() },
        Request { server: "web".to_owned(), ..base.clone() },
        Request { tool: "drop_table".to_owned(), ..base.clone() },
        Request { rule: "flow.cross_server".to_owned(), ..base.clone() },
        Request { origin: Some("web".to_owned()), ..base.clone() },
        Request { effect: "destructive".to_owned(), ..base.clone() },
        Request { approvers: 2, ..base.clone() },
    ];
    for other in others {
        let approvals = Approvals::in_memory().unwrap();
        let id = with_yes(&approvals, &base, Scope::Once);
        let filed = approvals.file(&other, NOW).unwrap();
        assert_ne!(filed.id, id, "{other:?}");
        assert_eq!(filed.ballot, Ballot::Waiting { have: 0, need: other.approvers });
        assert_eq!(approvals.file(&base, NOW).unwrap().ballot, approved(&["bob"], Scope::Once));
    }
}

#[test]
fn two_people_are_two_people() {
    for (first, second, both) in [
        ("bob", "carol", true),
        ("ann", "bob", true),
        ("local:bob", "local:carol", true),
        ("bob", "bob", false),
        ("ann", "ann", false),
        ("bob", "local:bob", false),
        ("Bob", "bob", false),
    ] {
        let approvals = Approvals::in_memory().unwrap();
        let id = approvals.file(&two_people(1), NOW).unwrap().id;
        assert_eq!(
            approvals.vote(&id, &yes(first), NOW).unwrap(),
            Ballot::Waiting { have: 1, need: 2 },
            "{first}"
        );
        assert_eq!(approvals.standing(&id, NOW).unwrap(), Ballot::Waiting { have: 1, need: 2 });
        let ballot = approvals.vote(&id, &yes(second), NOW).unwrap();
        let expected =
            if both { approved(&[first, second], Scope::Once) } else { Ballot::Waiting { have: 1, need: 2 } };
        assert_eq!(ballot, expected, "{first} and {second}");
    }
}

#[test]
fn the_same_call_under_a_stricter_rule_needs_more_people() {
    let approvals = Approvals::in_memory().unwrap();
    let filed = approvals.file(&call(1), NOW).unwrap();
    let stricter = approvals.file(&two_people(1), NOW).unwrap();
    assert_eq!(stricter, Filed { id: filed.id.clone(), ballot: Ballot::Waiting { have: 0, need: 2 } });
    assert_eq!(approvals.vote(&filed.id, &yes("bob"), NOW).unwrap(), Ballot::Waiting { have: 1, need: 2 });
}

#[test]
fn one_no_denies_whenever_it_comes() {
    let approvals = Approvals::in_memory().unwrap();
    let before = approvals.file(&two_people(1), NOW).unwrap().id;
    approvals.vote(&before, &yes("bob"), NOW).unwrap();
    assert_eq!(approvals.vote(&before, &no("carol"), NOW).unwrap(), denied("carol"));
    assert_eq!(approvals.vote(&before, &yes("dave"), NOW).unwrap(), denied("carol"));

    let after = with_yes(&approvals, &call(2), Scope::Once);
    assert_eq!(approvals.vote(&after, &no("bob"), NOW).unwrap(), denied("bob"), "somebody changes his mind");
    assert_eq!(approvals.standing(&after, NOW).unwrap(), denied("bob"));
    let said: Vec<bool> =
        approvals.show(&after, NOW).unwrap().unwrap().votes.iter().map(|voice| voice.vote.yes).collect();
    assert_eq!(said, [true, false]);

    let session = with_yes(&approvals, &call(3), Scope::Session);
    approvals.standing(&session, NOW).unwrap();
    approvals.vote(&session, &no("carol"), NOW).unwrap();
    assert_eq!(approvals.standing(&session, NOW).unwrap(), denied("carol"));

    let used = with_yes(&approvals, &call(4), Scope::Once);
    approvals.standing(&used, NOW).unwrap();
    assert_eq!(approvals.vote(&used, &no("carol"), NOW).unwrap(), Ballot::Used, "too late");
}

#[test]
fn who_was_denied_does_not_ask_again_at_once() {
    let approvals = Approvals::in_memory().unwrap();
    let id = approvals.file(&call(1), NOW).unwrap().id;
    approvals.vote(&id, &no("bob"), NOW).unwrap();
    let other_session = Request { session: "s-2".to_owned(), ..call(1) };
    for request in [&call(1), &other_session] {
        assert_eq!(
            approvals.file(request, NOW + 1).unwrap(),
            Filed { id: id.clone(), ballot: denied("bob") }
        );
    }
    assert_eq!(approvals.show(&id, NOW).unwrap().unwrap().waiting, 1);
    let later = NOW + 5 * MINUTE;
    assert_eq!(approvals.file(&Request { expires: later + MINUTE, ..call(1) }, later).unwrap().ballot, ONE);
}

#[test]
fn what_expired_stays_expired() {
    let approvals = Approvals::in_memory().unwrap();
    let waiting = approvals.file(&call(1), NOW).unwrap().id;
    let unused = with_yes(&approvals, &call(2), Scope::Once);
    let end = NOW + 5 * MINUTE;
    for id in [&waiting, &unused] {
        assert_ne!(approvals.show(id, end - 1).unwrap().unwrap().ballot, Ballot::Expired);
    }
    for id in [&waiting, &unused] {
        assert_eq!(approvals.show(id, end).unwrap().unwrap().ballot, Ballot::Expired);
        assert_eq!(approvals.standing(id, end).unwrap(), Ballot::Expired);
        assert_eq!(approvals.vote(id, &yes("carol"), end).unwrap(), Ballot::Expired);
    }
    assert_eq!(approvals.list(Filter::Waiting, end).unwrap(), []);
    // The clock is set back after the expiry was seen.
    assert_eq!(approvals.standing(&unused, NOW).unwrap(), Ballot::Expired);
    assert_ne!(approvals.file(&call(2), NOW).unwrap().id, unused);
}

#[test]
fn a_session_and_a_value_count_more_than_once_and_end() {
    let approvals = Approvals::in_memory().unwrap();
    let session = with_yes(&approvals, &call(1), Scope::Session);
    let other = Request { session: "s-2".to_owned(), ..call(1) };
    for turn in 0..5 {
        assert_eq!(approvals.file(&call(1), NOW + turn).unwrap().id, session);
    }
    assert_eq!(approvals.show(&session, NOW).unwrap().unwrap().uses, 5);
    assert_eq!(approvals.file(&other, NOW).unwrap().ballot, ONE);
    assert_eq!(approvals.standing(&session, NOW + SESSION).unwrap(), Ballot::Expired);

    let until = NOW + 10 * MINUTE;
    let value = with_yes(&approvals, &call(2), Scope::Value { until });
    for request in [&call(2), &Request { session: "s-2".to_owned(), ..call(2) }] {
        assert_eq!(approvals.file(request, until - 1).unwrap().id, value);
    }
    assert_ne!(approvals.file(&Request { expires: until + 1, ..call(2) }, until).unwrap().id, value);
}

#[test]
fn no_blanket_for_what_does_much_harm() {
    let until = NOW + MINUTE;
    for (effect, may) in [
        ("read", true),
        ("write", true),
        ("egress", true),
        ("commit", false),
        ("grant", false),
        ("destructive", false),
        ("execute", false),
        ("Read", false),
        ("unknown", false),
    ] {
        for scope in [Scope::Session, Scope::Value { until }] {
            let approvals = Approvals::in_memory().unwrap();
            let request = Request { effect: effect.to_owned(), ..call(1) };
            let id = approvals.file(&request, NOW).unwrap().id;
            match approvals.vote(&id, &says("bob", true, scope), NOW) {
                Ok(ballot) => assert!(may && ballot == approved(&["bob"], scope), "{effect}"),
                Err(StateError::NoBlanket { effect: named }) => {
                    assert!(!may && named == effect, "{effect}");
                    assert_eq!(approvals.standing(&id, NOW).unwrap(), ONE, "the vote does not count");
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    let approvals = Approvals::in_memory().unwrap();
    let id = approvals.file(&call(1), NOW).unwrap().id;
    for until in [NOW, NOW + LONGEST_VALUE + 1, u64::MAX] {
        let refused = approvals.vote(&id, &says("bob", true, Scope::Value { until }), NOW).unwrap_err();
        assert!(matches!(refused, StateError::Until), "{refused}");
    }
}

#[test]
fn where_people_differ_the_least_counts() {
    let (soon, late) = (NOW + MINUTE, NOW + 9 * MINUTE);
    let value = |until| Scope::Value { until };
    for (one, other, both) in [
        (Scope::Session, Scope::Session, Scope::Session),
        (Scope::Session, Scope::Once, Scope::Once),
        (Scope::Once, value(late), Scope::Once),
        (Scope::Session, value(late), Scope::Once),
        (value(late), value(soon), value(soon)),
    ] {
        for (one, other) in [(one, other), (other, one)] {
            let approvals = Approvals::in_memory().unwrap();
            let id = approvals.file(&two_people(1), NOW).unwrap().id;
            approvals.vote(&id, &says("bob", true, one), NOW).unwrap();
            let ballot = approvals.vote(&id, &says("carol", true, other), NOW).unwrap();
            assert_eq!(ballot, approved(&["bob", "carol"], both));
        }
    }
    // The first yes was for a time that is over when the second comes.
    let approvals = Approvals::in_memory().unwrap();
    let id = approvals.file(&two_people(1), NOW).unwrap().id;
    approvals.vote(&id, &says("bob", true, value(soon)), NOW).unwrap();
    let ballot = approvals.vote(&id, &says("carol", true, value(late)), soon).unwrap();
    assert_eq!(ballot, approved(&["bob", "carol"], Scope::Once));
}

#[test]
fn a_yes_to_one_session_does_not_move_to_another() {
    let approvals = Approvals::in_memory().unwrap();
    let id = approvals.file(&two_people(1), NOW).unwrap().id;
    approvals.vote(&id, &says("bob", true, Scope::Session), NOW).unwrap();
    approvals.withdraw(&id, NOW).unwrap();
    let moved = approvals.file(&Request { session: "s-2".to_owned(), ..two_people(1) }, NOW).unwrap();
    assert_eq!(moved, Filed { id: id.clone(), ballot: Ballot::Waiting { have: 1, need: 2 } });
    let ballot = approvals.vote(&id, &says("carol", true, Scope::Session), NOW).unwrap();
    assert_eq!(ballot, approved(&["bob", "carol"], Scope::Once));
}

#[test]
fn nobody_is_asked_too_often() {
    let approvals = Approvals::in_memory().unwrap();
    let long = |number| Request { expires: NOW + DAY, ..call(number) };
    let too_many = |request: &Request, now| matches!(approvals.file(request, now), Err(StateError::TooMany));
    let mut ids: Vec<String> =
        (0..MOST_WAITING).map(|number| approvals.file(&long(number), NOW).unwrap().id).collect();
    assert!(too_many(&long(99), NOW));
    assert!(approvals.file(&long(0), NOW).is_ok(), "what waits already asks nobody");
    assert!(approvals.file(&Request { principal: "eve".to_owned(), ..long(99) }, NOW).is_ok());
    for number in MOST_WAITING..MOST_IN_AN_HOUR {
        approvals.vote(&ids.pop().unwrap(), &no("bob"), NOW).unwrap();
        ids.push(approvals.file(&long(number), NOW + 1).unwrap().id);
    }
    approvals.vote(&ids.pop().unwrap(), &yes("bob"), NOW).unwrap();
    assert!(too_many(&long(99), NOW + HOUR - 1));
    assert!(too_many(&long(99), NOW - DAY), "nor after the clock was set back");
    assert!(!too_many(&long(99), NOW + HOUR));
}

#[test]
fn history_is_kept_for_thirty_days() {
    let approvals = Approvals::in_memory().unwrap();
    let id = with_yes(&approvals, &call(1), Scope::Once);
    let all = |now| {
        approvals.withdraw("apr_none", now).unwrap();
        approvals.list(Filter::All, now).unwrap()
    };
    let entry = &all(NOW + HISTORY)[0];
    assert_eq!((&entry.id, &entry.ballot), (&id, &Ballot::Expired));
    assert_eq!(entry.votes, [Voice { vote: yes("bob"), at: NOW }]);
    assert_eq!(all(NOW + HISTORY + 1), []);
    let orphans: u32 =
        approvals.0.read(|at| Ok(at.query_row("SELECT count(*) FROM votes", [], |row| row.get(0))?)).unwrap();
    assert_eq!(orphans, 0);
}

#[test]
fn texts_are_cut_and_names_are_refused() {
    let approvals = Approvals::in_memory().unwrap();
    let long = "é".repeat(20_000);
    let request = Request {
        arguments: long.clone(),
        reason: long.clone(),
        origin: Some(long.clone()),
        expires: u64::MAX,
        ..call(1)
    };
    let id = approvals.file(&request, NOW).unwrap().id;
    assert_eq!(approvals.file(&request, NOW).unwrap().id, id);
    let kept = approvals.show(&id, NOW).unwrap().unwrap().request;
    assert_eq!(kept.arguments, format!("{}…", "é".repeat(ARGUMENTS / 2)));
    assert_eq!(kept.reason, format!("{}…", "é".repeat(TEXT / 2)));
    assert_eq!(kept.expires, NOW + LONGEST_WAIT);
    let vote = Vote { why: Some(long.clone()), ..yes("bob") };
    approvals.vote(&id, &vote, NOW).unwrap();
    let why = approvals.show(&id, NOW).unwrap().unwrap().votes[0].vote.why.clone().unwrap();
    assert_eq!(why, format!("{}…", "é".repeat(TEXT / 2)));
    for bad in ["", "a\nb", "\u{1b}[2J", long.as_str()] {
        let request = Request { tool: bad.to_owned(), ..call(2) };
        assert!(matches!(approvals.file(&request, NOW), Err(StateError::Name { what: "the tool" })));
        assert!(matches!(approvals.vote(&id, &yes(bad), NOW), Err(StateError::Name { .. })));
    }
}

#[test]
fn an_id_that_nobody_gave_is_unknown() {
    let approvals = Approvals::in_memory().unwrap();
    assert!(matches!(approvals.vote("apr_x", &yes("bob"), NOW), Err(StateError::Unknown)));
    assert!(matches!(approvals.standing("apr_x", NOW), Err(StateError::Unknown)));
    assert_eq!(approvals.show("apr_x", NOW).unwrap(), None);
}

#[test]
fn the_version_follows_changes_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (Approvals::open(folder.path()).unwrap(), Approvals::open(folder.path()).unwrap());
    let versions = || (one.version().unwrap(), two.version().unwrap());
    let mut last = versions();
    let mut changed = |expected: bool, what: &str| {
        let now = versions();
        assert_eq!((now.0 != last.0, now.1 != last.1), (expected, expected), "{what}");
        last = now;
    };
    let id = one.file(&call(1), NOW).unwrap().id;
    changed(true, "filed");
    assert_eq!(two.standing(&id, NOW).unwrap(), ONE);
    two.list(Filter::All, NOW).unwrap();
    changed(false, "looked at");
    two.vote(&id, &yes("bob"), NOW).unwrap();
    changed(true, "voted");
    two.vote(&id, &yes("carol"), NOW).unwrap();
    changed(false, "voted too late");
    one.standing(&id, NOW).unwrap();
    changed(true, "used");
    two.standing(&id, NOW).unwrap();
    changed(false, "used already");
    drop(two);
}

#[test]
fn everything_outlives_the_process_and_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("a/b");
    let approvals = Approvals::open(&inner).unwrap();
    let id = with_yes(&approvals, &call(1), Scope::Once);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&inner), 0o700);
        for entry in std::fs::read_dir(&inner).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
        }
    }
    drop(approvals);
    let approvals = Approvals::open(&inner).unwrap();
    assert_eq!(approvals.standing(&id, NOW).unwrap(), approved(&["bob"], Scope::Once));
    drop(approvals);
    let approvals = Approvals::open(&inner).unwrap();
    assert_eq!(approvals.standing(&id, NOW).unwrap(), Ballot::Used);
}

#[test]
fn refuses_files_it_cannot_trust_and_leaves_them_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(Approvals::FILE);
    let opened = || Approvals::open(folder.path()).unwrap_err();

    std::fs::write(&path, "not a database, but long enough to look at it. ".repeat(50)).unwrap();
    assert!(matches!(opened(), StateError::Damaged));
    std::fs::remove_file(&path).unwrap();

    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
    assert!(matches!(opened(), StateError::Foreign));
    std::fs::remove_file(&path).unwrap();

    drop(Approvals::open(folder.path()).unwrap());
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(opened(), StateError::Newer { found: 99, known: 1 }));
    std::fs::remove_file(&path).unwrap();

    drop(Approvals::open(folder.path()).unwrap());
    let mut bytes = std::fs::read(&path).unwrap();
    for byte in bytes.iter_mut().skip(4_096) {
        *byte ^= 0x5a;
    }
    std::fs::write(&path, &bytes).unwrap();
    assert!(matches!(opened(), StateError::Damaged));
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_full_file_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let approvals = Approvals::open(folder.path()).unwrap();
    approvals.0.read(|at| Ok(at.query_row("PRAGMA max_page_count = 24", [], |_| Ok(()))?)).unwrap();
    let full = (0..100).find_map(|number| {
        let principal = format!("p-{number}");
        let request = Request { arguments: "x".repeat(10_000), principal, ..call(1) };
        approvals.file(&request, NOW).err()
    });
    assert!(matches!(full, Some(StateError::Full)), "{full:?}");
}

#[test]
fn many_may_open_a_new_folder_at_once() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("new");
        let start = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            for number in 0..8 {
                let (inner, start) = (&inner, &start);
                scope.spawn(move || {
                    start.wait();
                    Approvals::open(inner).unwrap().file(&call(number), NOW).unwrap();
                });
            }
        });
        assert_eq!(Approvals::open(&inner).unwrap().list(Filter::Waiting, NOW).unwrap().len(), 8);
    }
}

#[test]
fn threads_of_two_connections_use_every_yes_exactly_once() {
    let folder = tempfile::tempdir().unwrap();
    let both = [Approvals::open(folder.path()).unwrap(), Approvals::open(folder.path()).unwrap()];
    let ids: Vec<String> = (0..10).map(|number| with_yes(&both[0], &call(number), Scope::Once)).collect();
    let uses = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        for caller in 0..16_usize {
            let (approvals, ids, uses) = (&both[caller % 2], &ids, &uses);
            scope.spawn(move || {
                for (number, id) in (0..).zip(ids) {
                    // Half of them waited, the others come with the same call.
                    let ballot = if caller % 4 < 2 {
                        approvals.standing(id, NOW).unwrap()
                    } else {
                        approvals.file(&call(number), NOW).unwrap().ballot
                    };
                    if matches!(ballot, Ballot::Approved { .. }) {
                        uses.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    }
                }
            });
        }
    });
    assert_eq!(uses.into_inner(), 10);
}

#[derive(Clone, Debug)]
enum Step {
    File { call: u32, session: u8, need: u8 },
    Vote { entry: usize, who: u8, yes: bool, scope: u8 },
    Standing { entry: usize },
    Withdraw { entry: usize },
    Wait { minutes: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3_u32, 0..2_u8, 1..3_u8).prop_map(|(call, session, need)| Step::File { call, session, need }),
        8 => (0..8_usize, 0..3_u8, prop::bool::weighted(0.9), 0..4_u8)
            .prop_map(|(entry, who, yes, scope)| Step::Vote { entry, who, yes, scope }),
        4 => (0..8_usize).prop_map(|entry| Step::Standing { entry }),
        2 => (0..8_usize).prop_map(|entry| Step::Withdraw { entry }),
        1 => (-1..4_i64).prop_map(|minutes| Step::Wait { minutes }),
    ]
}

/// What was ever said about one entry, as a plain list.
#[derive(Debug, Default)]
struct Known {
    call: u32,
    need: u8,
    session: u8,
    yes: std::collections::BTreeMap<u8, u8>,
    no: bool,
    uses: u32,
    expires: u64,
}

proptest! {
    /// Against a list of all that was said: nothing passes that not enough people said yes to, that somebody said
    /// no to, or that ended; and a yes given once passes once.
    #[test]
    fn never_more_uses_than_yes(steps in proptest::collection::vec(step(), 1..120)) {
        let approvals = Approvals::in_memory().unwrap();
        let mut known: Vec<(String, Known)> = Vec::new();
        let mut now = NOW;
        for step in steps {
            let mut used = None;
            match step {
                Step::File { call: number, session, need } => {
                    let request = Request {
                        session: format!("s-{session}"),
                        approvers: need,
                        expires: now + 5 * MINUTE,
                        ..call(number)
                    };
                    let Ok(filed) = approvals.file(&request, now) else { continue };
                    let at = known.iter().position(|(id, _)| *id == filed.id).unwrap_or_else(|| {
                        let expires = now + 5 * MINUTE;
                        known.push((filed.id.clone(), Known { call: number, expires, ..Known::default() }));
                        known.len() - 1
                    });
                    let entry = &mut known[at].1;
                    prop_assert_eq!(entry.call, number);
                    if matches!(filed.ballot, Ballot::Waiting { .. }) {
                        entry.need = entry.need.max(need);
                        if std::mem::replace(&mut entry.session, session) != session {
                            entry.yes.values_mut().filter(|scope| **scope == 0).for_each(|scope| *scope = 2);
                        }
                    }
                    if let Ballot::Approved { scope, .. } = &filed.ballot {
                        prop_assert!(entry.need >= need);
                        prop_assert!(*scope != Scope::Session || entry.session == session);
                    }
                    used = Some((at, filed.ballot));
                }
                Step::Vote { entry, who, yes, scope } => {
                    let Some((id, entry)) = known.get_mut(entry) else { continue };
                    let voice = Vote {
                        approver: format!("p-{who}"),
                        yes,
                        why: None,
                        scope: match scope {
                            0 => Scope::Session,
                            1 => Scope::Value { until: now + 2 * MINUTE },
                            _ => Scope::Once,
                        },
                    };
                    let before = approvals.show(id, now).unwrap().unwrap().ballot;
                    let ballot = approvals.vote(id, &voice, now).unwrap();
                    match before {
                        Ballot::Waiting { .. } if yes => { entry.yes.insert(who, scope); }
                        Ballot::Waiting { .. } | Ballot::Approved { .. } if !yes => {
                            entry.no = true;
                            let is_denied = matches!(ballot, Ballot::Denied { .. });
                            prop_assert!(is_denied);
                        }
                        Ballot::Waiting { .. } | Ballot::Approved { .. } | Ballot::Denied { .. }
                        | Ballot::Expired | Ballot::Used => prop_assert_eq!(&ballot, &before),
                    }
                    if matches!(before, Ballot::Waiting { .. })
                        && let Ballot::Approved { scope, .. } = ballot
                    {
                        entry.expires = match scope {
                            Scope::Once => entry.expires,
                            Scope::Session => now + SESSION,
                            Scope::Value { until } => until,
                        };
                        prop_assert_eq!(scope == Scope::Session, entry.yes.values().all(|s| *s == 0));
                        prop_assert!(scope == Scope::Once || entry.yes.values().all(|s| *s < 2));
                    }
                }
                Step::Standing { entry } => {
                    let Some((id, _)) = known.get(entry) else { continue };
                    used = Some((entry, approvals.standing(id, now).unwrap()));
                }
                Step::Withdraw { entry } => {
                    if let Some((id, _)) = known.get(entry) { approvals.withdraw(id, now).unwrap(); }
                }
                Step::Wait { minutes } => now = now.saturating_add_signed(minutes * 60_000),
            }
            if let Some((at, Ballot::Approved { by, scope })) = used {
                let entry = &mut known[at].1;
                entry.uses += 1;
                prop_assert!(!entry.no);
                prop_assert!(now < entry.expires);
                prop_assert!(entry.yes.len() >= usize::from(entry.need));
                prop_assert_eq!(by.len(), entry.yes.len());
                prop_assert!(scope != Scope::Once || entry.uses == 1);
            }
        }
    }
}
