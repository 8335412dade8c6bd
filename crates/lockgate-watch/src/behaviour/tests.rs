use lockgate_audit::{Detected, Happening, Measure, Record};
use lockgate_model::{Effect, Finding, Phase, Principal, Reason, ServerName, SessionId, UnixMillis, Verdict};
use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000;
const DAY: u64 = 24 * 3_600 * SECOND;
/// Noon of some day.
const NOON: u64 = 20_458 * DAY + DAY / 2;

fn record(session: &str, number: usize, tool: &str) -> Record {
    Record {
        session: SessionId::new(session),
        principal: Principal::new("ann"),
        correlation: format!("{session}-{number}"),
        method: Some("tools/call"),
        server: ServerName::parse("files"),
        target: Some(tool.to_owned()),
        arguments: Some(format!("{number}")),
        measure: Measure {
            effect: Some(Effect::Egress),
            arguments_bytes: Some(100),
            arguments_shape: Some("00".to_owned()),
            result_bytes: None,
            destinations: Vec::new(),
        },
        verdict: Verdict::Forward,
        ..Record::of_gateway(Happening::Request)
    }
}

fn refused(session: &str, number: usize, tool: &str, reason: Reason) -> Record {
    let finding = Some(Finding::deny(Phase::Policy, reason, "r"));
    Record { finding, verdict: Verdict::Deny, ..record(session, number, tool) }
}

fn answer(number: usize, bytes: u64, notes: Vec<&'static str>) -> Record {
    let mut answer = Record { happening: Happening::Answer, notes, ..record("s", number, "read") };
    answer.measure.result_bytes = Some(bytes);
    answer
}

fn signs(found: &[Unusual]) -> Vec<Sign> {
    found.iter().map(|unusual| unusual.sign).collect()
}

/// Three hundred sessions of two calls each, one an hour in working hours, learned.
fn taught() -> (Behaviour, u64) {
    let mut behaviour = Behaviour::new(Settings::default());
    let mut at = NOON;
    for number in 0..300 {
        at = NOON + number / 6 * DAY + number % 6 * 3_600 * SECOND;
        let session = format!("t{number}");
        for (turn, tool) in ["list", "read"].into_iter().enumerate() {
            let mut record = record(&session, turn, tool);
            record.measure.destinations = vec!["a.example".to_owned()];
            assert_eq!(behaviour.observe(&record, UnixMillis(at)), []);
            at += 10 * SECOND;
        }
    }
    (behaviour, at)
}

#[test]
fn before_anything_is_learned_only_absolute_limits_hold() {
    let mut behaviour = Behaviour::new(Settings::default());
    let mut found = Vec::new();
    for number in 0..60 {
        // Something new at every call, at midnight, three a second.
        let mut one = record("s", number, &format!("tool{}", number % 40));
        one.measure.destinations = vec![format!("h{number}.example")];
        found.extend(behaviour.observe(&one, UnixMillis(20_458 * DAY + number as u64 * 300)));
    }
    assert_eq!(signs(&found), []);
    let mut large = record("s", 100, "tool1");
    large.measure.arguments_bytes = Some(1 << 23);
    let found = behaviour.observe(&large, UnixMillis(NOON));
    assert_eq!(signs(&found), [Sign::LargeArguments, Sign::LargeExport]);
    assert_eq!(found[0].figures, Figures { seen: 1 << 23, usual: 127, of: 2, sure: 100 });
    assert_eq!(behaviour.session_risk(&SessionId::new("s"), UnixMillis(NOON)), 55);
    assert_eq!(behaviour.principal_risk(&Principal::new("ann"), UnixMillis(NOON)), 55);
    assert_eq!(behaviour.risk(&SessionId::new("other"), &Principal::new("bob"), UnixMillis(NOON)), 0);
    let later = UnixMillis(NOON + 2 * DAY);
    assert_eq!(behaviour.session_risk(&SessionId::new("s"), later), 0);
    assert!((13..15).contains(&behaviour.principal_risk(&Principal::new("ann"), later)));
}

#[test]
fn what_is_new_is_told_once_and_then_known() {
    let (behaviour, at) = taught();
    let is_told = |change: fn(&mut Record), hour: u64| {
        let mut known = behaviour.clone();
        let mut first = record("s", 0, "list");
        change(&mut first);
        let found = known.observe(&first, UnixMillis(at + hour * 3_600 * SECOND));
        let again = Record { session: SessionId::new("s2"), correlation: "s2-0".to_owned(), ..first };
        assert_eq!(known.observe(&again, UnixMillis(at + hour * 3_600 * SECOND + 1)), []);
        signs(&found)
    };
    assert_eq!(is_told(|_| {}, 0), []);
    assert_eq!(is_told(|one| one.target = Some("drop".to_owned()), 0), [Sign::NewTool]);
    assert_eq!(
        is_told(|one| one.measure.destinations = vec!["b.example".to_owned()], 0),
        [Sign::NewDestination]
    );
    assert_eq!(is_told(|one| one.measure.arguments_shape = Some("01".to_owned()), 0), [Sign::UnknownShape]);
    assert_eq!(is_told(|_| {}, 8), [Sign::UnusualHour]);
    let mut known = behaviour.clone();
    assert_eq!(known.observe(&record("s", 0, "list"), UnixMillis(at)), []);
    let found = known.observe(&record("s", 1, "list"), UnixMillis(at + 1));
    assert_eq!(signs(&found), [Sign::UnusualSequence]);
    let said = found[0].sentence();
    assert_eq!(
        said,
        "\"list\" has not followed the call before it on 0 occasions"
            .replace('0', &found[0].figures.of.to_string())
    );
}

#[test]
fn counts_far_above_the_usual_are_unusual() {
    let (behaviour, at) = taught();
    let find = |one: &dyn Fn(usize) -> Record, gap: u64, most: usize| {
        let mut known = behaviour.clone();
        let mut found = Vec::new();
        for number in 0..most {
            found.extend(known.observe(&one(number), UnixMillis(at + 60 * SECOND + number as u64 * gap)));
        }
        signs(&found)
    };
    assert_eq!(find(&|number| record("s", number, "read"), SECOND, 20), []);
    assert_eq!(
        find(&|number| record("s", number, "read"), SECOND, 60),
        [Sign::Burst; 2],
        "of the principal and of the tool"
    );
    let denied = |number| refused("s", number, "read", Reason::ArgumentDenied);
    assert_eq!(find(&denied, 5 * SECOND, 7), []);
    assert_eq!(find(&denied, 5 * SECOND, 20), [Sign::Probing]);
    assert_eq!(find(&|number| refused("s", number, "read", Reason::Stopped), 5 * SECOND, 20), []);
    let same = |number| Record { arguments: None, ..record("s", number, "read") };
    assert_eq!(find(&same, 5 * SECOND, 7), []);
    assert_eq!(find(&same, 5 * SECOND, 12), [Sign::Loop]);
    let made_up = |number| refused("s", number, &format!("admin{number}"), Reason::UnknownTool);
    assert_eq!(find(&made_up, 2 * SECOND, 20), [Sign::Probing, Sign::Scan]);
}

#[test]
fn further_records_of_a_request_are_no_further_calls() {
    let (mut behaviour, at) = taught();
    for _ in 0..100 {
        assert_eq!(behaviour.observe(&record("s", 0, "read"), UnixMillis(at)), []);
    }
}

#[test]
fn a_session_that_is_risky_teaches_nothing() {
    let (mut behaviour, at) = taught();
    let mut large = record("s", 0, "list");
    large.measure.arguments_bytes = Some(1 << 23);
    assert_eq!(behaviour.observe(&large, UnixMillis(at)).len(), 2);
    assert_eq!(signs(&behaviour.observe(&record("s", 1, "drop"), UnixMillis(at))), [Sign::NewTool]);
    let other = behaviour.observe(&record("s2", 0, "drop"), UnixMillis(at + 1));
    assert_eq!(signs(&other), [Sign::NewTool], "it was not learned");
}

#[test]
fn a_server_loses_reputation_and_gets_it_back() {
    let mut behaviour = Behaviour::new(Settings::default());
    let files = ServerName::parse("files").unwrap();
    let mut at = NOON;
    let mut after = |record: &Record| {
        at += SECOND;
        behaviour.observe(record, UnixMillis(at));
        behaviour.reputation(&files, UnixMillis(at))
    };
    assert_eq!(after(&answer(1, 10, Vec::new())), 100);
    assert_eq!(after(&answer(2, 10, vec!["failed"])), 100, "once is nothing");
    assert_eq!(after(&answer(3, 10, vec!["failed"])), 100);
    assert_eq!(after(&answer(4, 10, vec!["failed"])), 99);
    let mut injected = answer(5, 10, Vec::new());
    injected.detected =
        vec![Detected { rule: "r", class: "injection", level: Some("block"), count: 1, done: "flag" }];
    assert_eq!(after(&injected), 84);
    let mut drifted = refused("s", 6, "read", Reason::DefinitionDrift);
    drifted.happening = Happening::Definition;
    drifted.method = None;
    assert_eq!(after(&drifted), 67);
    assert_eq!(behaviour.reputation(&files, UnixMillis(at + 7 * DAY)), 83);
    assert_eq!(behaviour.reputation(&files, UnixMillis(at + 100 * DAY)), 99);
    assert_eq!(behaviour.reputation(&ServerName::parse("web").unwrap(), UnixMillis(at)), 100);
}

#[test]
fn memory_is_bounded() {
    let mut behaviour = Behaviour::new(Settings::default());
    for number in 0..5_000_usize {
        let mut one = record(&format!("s{number}"), number, &format!("tool{number}"));
        one.principal = Principal::new(&format!("p{number}"));
        one.server = ServerName::parse(&format!("server{number}"));
        one.measure.destinations = vec![format!("h{number}.example")];
        behaviour.observe(&one, UnixMillis(NOON + number as u64));
        behaviour.observe(
            &refused("s", number, &format!("made-up{number}"), Reason::UnknownTool),
            UnixMillis(NOON),
        );
    }
    let view = behaviour.view(UnixMillis(NOON));
    assert_eq!(
        (view.principals.len(), view.servers.len(), view.tools.len()),
        (MOST_PRINCIPALS, MOST_SERVERS, MOST_TOOLS)
    );
    assert_eq!(view.tools[0].name, "tool4999");
    assert!(view.tools.iter().all(|tool| !tool.name.starts_with("made-up")));
    assert!(behaviour.save().len() < MOST_STATE);
}

#[test]
fn a_restart_does_not_forget() {
    let (behaviour, at) = taught();
    let saved = behaviour.save();
    let mut again = Behaviour::load(&saved, Settings::default()).unwrap();
    assert_eq!(again.save(), saved);
    assert_eq!(again.view(UnixMillis(at)), behaviour.view(UnixMillis(at)));
    assert_eq!(signs(&again.observe(&record("s", 1, "drop"), UnixMillis(at))), [Sign::NewTool]);
}

#[test]
fn what_is_not_ours_is_refused() {
    let load = |bytes: &[u8]| Behaviour::load(bytes, Settings::default()).map(|_| ());
    let saved = taught().0.save();
    assert_eq!(load(&[]), Err(Damaged::NotOurs));
    assert_eq!(load(&vec![0; MOST_STATE + 1]), Err(Damaged::TooLong));
    assert_eq!(load(&saved[..saved.len() - 1]), Err(Damaged::Changed));
    let mut newer = saved.clone();
    newer[4] += 1;
    assert_eq!(load(&newer), Err(Damaged::NotOurs));
    // With the right digest, but more than there may be.
    let mut many = saved[..6].to_vec();
    many.extend_from_slice(&[0xff; 64]);
    let digest = save::number(&many);
    many.extend_from_slice(&digest.to_le_bytes());
    assert_eq!(load(&many), Err(Damaged::Changed));
}

proptest! {
    #[test]
    fn a_changed_byte_is_found(place in any::<prop::sample::Index>(), change in 1_u8..) {
        let mut saved = taught().0.save();
        let place = place.index(saved.len());
        saved[place] ^= change;
        prop_assert!(Behaviour::load(&saved, Settings::default()).is_err());
    }

    /// Bytes with the right beginning and digest, and anything between, are read or refused.
    #[test]
    fn nothing_that_is_read_panics(between in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut bytes = b"LGBH\x01\x00".to_vec();
        bytes.extend(between);
        let digest = save::number(&bytes);
        bytes.extend_from_slice(&digest.to_le_bytes());
        if let Ok(mut read) = Behaviour::load(&bytes, Settings::default()) {
            read.observe(&record("s", 0, "read"), UnixMillis(NOON));
        }
    }

    /// Whatever comes, at whatever time: figures are what they say, points add up to a risk, and what was learned is read
    /// back as it was.
    #[test]
    fn any_records_at_any_time(all in prop::collection::vec((0_u8..3, 0_u8..4, 0_u8..4, any::<u32>(), any::<u64>()), 0..200)) {
        let mut behaviour = Behaviour::new(Settings { warm_up: 3, unlikely: 500_000, ..Settings::default() });
        for (number, (kind, session, tool, bytes, at)) in all.into_iter().enumerate() {
            let (session, tool) = (format!("s{session}"), format!("t{tool}"));
            let mut one = match kind {
                0 => refused(&session, number, &tool, Reason::ToolDenied),
                1 => Record { happening: Happening::Answer, ..record(&session, number, &tool) },
                _ => record(&session, number, &tool),
            };
            one.measure.arguments_bytes = Some(u64::from(bytes));
            one.measure.result_bytes = Some(u64::from(bytes));
            let found = behaviour.observe(&one, UnixMillis(at));
            for unusual in &found {
                prop_assert!(unusual.figures.sure <= 100 && unusual.figures.seen > unusual.figures.usual || unusual.figures.sure == 100);
            }
            if !found.is_empty() {
                prop_assert!(behaviour.session_risk(&one.session, UnixMillis(at)) > 0);
            }
        }
        let saved = behaviour.save();
        prop_assert_eq!(Behaviour::load(&saved, Settings::default()).unwrap().save(), saved);
    }
}
