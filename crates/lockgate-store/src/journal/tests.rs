use super::*;

fn decision(what: &str) -> Decision {
    Decision {
        topic: "incident".to_owned(),
        what: what.to_owned(),
        about: Some("2027-01-31-abc".to_owned()),
        by: "ann".to_owned(),
        why: None,
        at: 7,
    }
}

#[test]
fn each_log_is_given_each_decision_once() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (Journal::open(folder.path()).unwrap(), Journal::open(folder.path()).unwrap());
    one.note(&decision("before")).unwrap();
    assert_eq!(one.news("log", false).unwrap(), [], "what was before the log is not in it");
    let version = other.version().unwrap();
    one.note(&decision("opened")).unwrap();
    assert_ne!(other.version().unwrap(), version);
    assert_eq!(other.news("log", false).unwrap(), [decision("opened")]);
    assert_eq!(one.news("log", false).unwrap(), [], "by one gateway, not by each");
    assert_eq!(one.news("second", false).unwrap(), []);
    drop((one, other));
    let later = Journal::open(folder.path()).unwrap();
    later.note(&decision("closed")).unwrap();
    assert_eq!(later.news("log", false).unwrap(), [decision("closed")], "no gateway ran");
    assert_eq!(later.news("second", false).unwrap(), [decision("closed")]);
}

#[test]
fn what_other_files_remember_is_given_once() {
    let journal = Journal::in_memory().unwrap();
    let after = |since: u64| Ok((since + 1..=3).map(|number| (number, number * 10)).collect());
    assert_eq!(journal.news_of("log", "stops", false, after).unwrap(), [0; 0]);
    let more = |since: u64| Ok((since + 1..=5).map(|number| (number, number * 10)).collect());
    assert_eq!(journal.news_of("log", "stops", false, more).unwrap(), [40, 50]);
    assert_eq!(journal.news_of("log", "stops", false, more).unwrap(), [0; 0]);
    assert_eq!(journal.news_of("log", "votes", false, more).unwrap(), [0; 0], "the first time");
    assert_eq!(journal.news_of("log", "notes", true, more).unwrap(), [10, 20, 30, 40, 50]);
    let fails = |_| Err::<Vec<(u64, u64)>, _>(StateError::Busy);
    assert!(journal.news_of("log", "stops", false, fails).is_err());
}

#[test]
fn nothing_without_a_name_is_kept() {
    let journal = Journal::in_memory().unwrap();
    let nameless = Decision { by: String::new(), ..decision("opened") };
    assert!(matches!(journal.note(&nameless), Err(StateError::Name { .. })));
}
