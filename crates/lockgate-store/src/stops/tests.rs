use super::*;

const NOW: u64 = 1_800_000_000_000;

fn targets() -> Vec<Target> {
    let name = |text: &str| text.to_owned();
    vec![
        Target::Everything,
        Target::Server(name("db")),
        Target::Tool(name("db"), name("drop_table")),
        Target::Principal(name("db")),
        Target::Session(name("db")),
        Target::SafeMode,
    ]
}

#[test]
fn stops_outlive_the_process_and_only_the_very_target_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    for (count, target) in targets().iter().enumerate() {
        let stops = Stops::open(folder.path()).unwrap();
        assert!(stops.stop(target, "local:ann", &format!("reason {count}"), NOW).unwrap());
        assert!(!stops.stop(target, "bob", "later", NOW + 1).unwrap(), "the first stays");
    }
    let stops = Stops::open(folder.path()).unwrap();
    let listed = stops.list().unwrap();
    assert_eq!(listed.iter().map(|stop| stop.target.clone()).collect::<Vec<_>>(), targets());
    assert_eq!(
        listed[2],
        Stop {
            target: targets()[2].clone(),
            by: "local:ann".to_owned(),
            why: "reason 2".to_owned(),
            since: NOW
        }
    );
    for (count, target) in targets().iter().enumerate() {
        assert!(stops.resume(target, "bob", NOW + 2).unwrap());
        assert!(!stops.resume(target, "bob", NOW + 3).unwrap());
        let left: Vec<Target> = stops.list().unwrap().into_iter().map(|stop| stop.target).collect();
        assert_eq!(left, targets()[count + 1..]);
    }
    let history = stops.history().unwrap();
    assert_eq!(history.len(), 12);
    assert_eq!(history[0].why.as_deref(), Some("reason 0"));
    assert_eq!(
        history[6],
        Change { target: Target::Everything, by: "bob".to_owned(), why: None, at: NOW + 2 }
    );
}

#[test]
fn another_process_is_seen_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (Stops::open(folder.path()).unwrap(), Stops::open(folder.path()).unwrap());
    let before = one.version().unwrap();
    assert_eq!(one.version().unwrap(), before);
    two.stop(&Target::Everything, "ann", "", NOW).unwrap();
    assert_ne!(one.version().unwrap(), before);
    assert_eq!(one.list().unwrap().len(), 1);
    let before = one.version().unwrap();
    two.stop(&Target::Everything, "ann", "", NOW).unwrap();
    assert_eq!(one.version().unwrap(), before, "nothing changed");
    one.resume(&Target::Everything, "ann", NOW).unwrap();
    assert_ne!(one.version().unwrap(), before);
}

#[test]
fn there_is_always_room_to_stop_everything() {
    let stops = Stops::in_memory().unwrap();
    for number in 0..MOST {
        stops.stop(&Target::Session(format!("s-{number}")), "ann", "", NOW).unwrap();
    }
    let refused = stops.stop(&Target::Server("db".to_owned()), "ann", "", NOW).unwrap_err();
    assert!(matches!(refused, StateError::TooManyStops));
    assert!(stops.stop(&Target::Everything, "ann", "", NOW).unwrap());
    assert!(stops.stop(&Target::SafeMode, "ann", "", NOW).unwrap());
}

#[test]
fn history_has_an_end() {
    let stops = Stops::in_memory().unwrap();
    stops
        .0
        .write(|at| {
            for number in 0..u64::from(HISTORY) + 5 {
                remember(at, &Target::SafeMode, "ann", None, number)?;
            }
            Ok(())
        })
        .unwrap();
    let history = stops.history().unwrap();
    assert_eq!((history.len(), history[0].at), (10_000, 5));
}

#[test]
fn names_without_meaning_are_refused() {
    let stops = Stops::in_memory().unwrap();
    let none = String::new();
    for target in [
        Target::Server(none.clone()),
        Target::Tool(none.clone(), "t".to_owned()),
        Target::Tool("s".to_owned(), none.clone()),
        Target::Principal("a\nb".to_owned()),
        Target::Session("x".repeat(1_025)),
    ] {
        assert!(matches!(stops.stop(&target, "ann", "", NOW), Err(StateError::Name { .. })), "{target:?}");
        assert!(matches!(stops.resume(&target, "ann", NOW), Err(StateError::Name { .. })), "{target:?}");
    }
    assert!(matches!(stops.stop(&Target::Everything, "", "", NOW), Err(StateError::Name { .. })));
}

/// Taken as an empty list, it would let everything run that was stopped.
#[test]
fn what_cannot_be_read_is_an_error() {
    let stops = Stops::in_memory().unwrap();
    stops
        .0
        .write(|at| Ok(at.execute("INSERT INTO stops VALUES ('moon', '', '', 'ann', '', 1)", [])?))
        .unwrap();
    assert!(matches!(stops.list(), Err(StateError::Damaged)));
    let folder = tempfile::tempdir().unwrap();
    drop(crate::Approvals::open(folder.path()).unwrap());
    std::fs::rename(folder.path().join("approvals.db"), folder.path().join("stops.db")).unwrap();
    assert!(matches!(Stops::open(folder.path()), Err(StateError::Foreign)));
}

/// What a rule stops for a time must not be lifted by it once a person wants it stopped.
#[test]
fn a_person_takes_over_what_an_alert_stopped_and_not_the_other_way_round() {
    let stops = Stops::in_memory().unwrap();
    let target = Target::Server("web".to_owned());
    assert!(stops.stop(&target, Stops::BY_ALERT, "alert 1", 1).unwrap());
    assert!(!stops.stop(&target, Stops::BY_ALERT, "alert 2", 2).unwrap());
    assert!(stops.stop(&target, "ann", "until we know", 3).unwrap());
    assert!(!stops.stop(&target, Stops::BY_ALERT, "alert 3", 4).unwrap());
    assert!(!stops.stop(&target, "bob", "me too", 5).unwrap());
    let listed = stops.list().unwrap();
    assert_eq!((listed.len(), listed[0].by.as_str(), listed[0].since), (1, "ann", 3));
    let history: Vec<_> = stops.history().unwrap().into_iter().map(|change| change.by).collect();
    assert_eq!(history, [Stops::BY_ALERT, "ann"]);
}
