use super::*;

const NOW: u64 = 1_800_000_000_000;

fn one(principal: &str, handle: &str, kept: u64) -> Kept {
    Kept {
        handle: handle.to_owned(),
        principal: principal.to_owned(),
        server: "crm".to_owned(),
        sealed: "AAAA".to_owned(),
        kept,
        until: kept + 1_000,
    }
}

fn handles(listed: Vec<Kept>) -> Vec<String> {
    listed.into_iter().map(|one| one.handle).collect()
}

#[test]
fn a_token_is_kept_for_its_principal_and_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = Vault::open(folder.path()).unwrap();
    store.keep(&[one("ann", "a", NOW), one("bob", "a", NOW + 1), one("ann", "c", NOW + 2)]).unwrap();
    let store = Vault::open(folder.path()).unwrap();
    for (principal, now, expected) in [
        ("ann", NOW, &["a", "c"][..]),
        ("ann", NOW + 999, &["a", "c"]),
        ("ann", NOW + 1_000, &["c"]),
        ("ann", NOW + 1_002, &[]),
        ("bob", NOW, &["a"]),
        ("Ann", NOW, &[]),
    ] {
        assert_eq!(handles(store.of(principal, now).unwrap()), expected, "{principal} {now}");
    }
    // What is over is gone from the file too.
    store.keep(&[one("ann", "d", NOW + 5_000)]).unwrap();
    assert_eq!(handles(store.list(0).unwrap()), ["d"]);
}

#[test]
fn tokens_are_forgotten_one_by_one_by_principal_or_all() {
    for (handle, principal, gone, left) in [
        (Some("a"), None, 2, &["c"][..]),
        (Some("a"), Some("bob"), 1, &["a", "c"]),
        (None, Some("ann"), 2, &["a"]),
        (None, None, 3, &[]),
        (Some("x"), None, 0, &["a", "a", "c"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store = Vault::open(folder.path()).unwrap();
        store.keep(&[one("ann", "a", NOW), one("bob", "a", NOW + 1), one("ann", "c", NOW + 2)]).unwrap();
        assert_eq!(store.forget(handle, principal).unwrap(), gone);
        assert_eq!(handles(store.list(NOW).unwrap()), left);
    }
}

#[test]
fn the_oldest_of_a_principal_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let store = Vault::open(folder.path()).unwrap();
    let many: Vec<_> = (0..1_010_u64).map(|number| one("ann", &format!("h{number}"), NOW + number)).collect();
    store.keep(&[one("bob", "old", NOW + 100)]).unwrap();
    store.keep(&many).unwrap();
    let kept = handles(store.of("ann", NOW).unwrap());
    assert_eq!((kept.len(), kept.first().map(String::as_str)), (1_000, Some("h10")));
    assert_eq!(handles(store.of("bob", NOW).unwrap()), ["old"]);
}

#[test]
fn what_is_too_long_or_has_no_name_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = Vault::open(folder.path()).unwrap();
    let long = Kept { sealed: "A".repeat(LONGEST + 1), ..one("ann", "a", NOW) };
    for bad in [long, one("", "a", NOW), one("ann", "", NOW), one("ann", "a\nb", NOW)] {
        assert!(store.keep(&[bad]).is_err());
    }
    assert!(store.list(NOW).unwrap().is_empty());
}
