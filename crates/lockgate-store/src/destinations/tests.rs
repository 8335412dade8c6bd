use super::*;

const NOW: u64 = 1_800_000_000_000;

fn one(principal: &str, value: &str, learned: u64) -> Destination {
    Destination {
        principal: principal.to_owned(),
        value: value.to_owned(),
        server: "mail".to_owned(),
        tool: "send_mail".to_owned(),
        argument: "/to".to_owned(),
        learned,
        until: learned + 1_000,
    }
}

fn values(listed: Vec<Destination>) -> Vec<String> {
    listed.into_iter().map(|one| one.value).collect()
}

#[test]
fn a_value_is_kept_for_its_principal_and_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = Destinations::open(folder.path()).unwrap();
    for (principal, value, learned) in [("ann", "a@x", NOW), ("bob", "b@x", NOW + 1), ("ann", "c@x", NOW + 2)]
    {
        store.learn(&one(principal, value, learned)).unwrap();
    }
    let store = Destinations::open(folder.path()).unwrap();
    for (principal, now, expected) in [
        ("ann", NOW, &["a@x", "c@x"][..]),
        ("ann", NOW + 999, &["a@x", "c@x"]),
        ("ann", NOW + 1_000, &["c@x"]),
        ("ann", NOW + 1_002, &[]),
        ("bob", NOW, &["b@x"]),
        ("Ann", NOW, &[]),
        ("", NOW, &[]),
    ] {
        assert_eq!(values(store.of(principal, now).unwrap()), expected, "{principal} {now}");
    }
    // Who approves it again has it for longer, and once.
    store.learn(&Destination { tool: "post".to_owned(), ..one("ann", "a@x", NOW + 5) }).unwrap();
    let listed = store.list(NOW).unwrap();
    assert_eq!(values(listed.clone()), ["b@x", "c@x", "a@x"]);
    assert_eq!((listed[2].tool.as_str(), listed[2].until), ("post", NOW + 1_005));
}

#[test]
fn what_is_forgotten_is_gone_for_everybody() {
    let folder = tempfile::tempdir().unwrap();
    let store = Destinations::open(folder.path()).unwrap();
    for (principal, value) in [("ann", "a@x"), ("bob", "a@x"), ("bob", "b@x"), ("bob", "c@x")] {
        store.learn(&one(principal, value, NOW)).unwrap();
    }
    assert_eq!(store.forget(Some("A@x")).unwrap(), 0, "only the very value");
    assert_eq!(store.forget(Some("a@x")).unwrap(), 2);
    assert_eq!(values(store.list(NOW).unwrap()), ["b@x", "c@x"]);
    assert_eq!(store.forget(None).unwrap(), 2);
    assert_eq!(store.list(NOW).unwrap(), []);
}

#[test]
fn what_cannot_be_read_by_people_or_is_too_long_is_not_learned() {
    let folder = tempfile::tempdir().unwrap();
    let store = Destinations::open(folder.path()).unwrap();
    for (value, good) in [
        ("a".repeat(Destination::LONGEST), true),
        ("a".repeat(Destination::LONGEST + 1), false),
        (String::new(), false),
        ("a\nb".to_owned(), false),
    ] {
        assert_eq!(store.learn(&one("ann", &value, NOW)).is_ok(), good, "{value:?}");
    }
    assert!(store.learn(&one("", "a@x", NOW)).is_err());
}

#[test]
fn the_oldest_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let store = Destinations::open(folder.path()).unwrap();
    store
        .0
        .write(|at| {
            Ok(at.execute(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
                 INSERT INTO destinations SELECT 'ann', 'v' || i, 's', 't', '/to', ?2 + i, ?2 + 100000 FROM n",
                [MOST, signed(NOW)],
            )?)
        })
        .unwrap();
    store.learn(&one("bob", "new", NOW + 50_000)).unwrap();
    let listed = store.list(NOW).unwrap();
    assert_eq!(listed.len(), 10_000);
    assert_eq!((listed[0].value.as_str(), listed[9_999].value.as_str()), ("v2", "new"));
}

#[cfg(unix)]
#[test]
fn the_file_is_for_its_owner_and_a_broken_one_is_an_error() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    drop(Destinations::open(folder.path()).unwrap());
    let file = folder.path().join(Destinations::FILE);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::write(&file, "no database, but as long as the head of one must be".repeat(4)).unwrap();
    assert!(Destinations::open(folder.path()).is_err());
}
