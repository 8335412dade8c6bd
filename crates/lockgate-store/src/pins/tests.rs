use std::collections::BTreeSet;

use proptest::prelude::*;
use rusqlite::params;

use super::*;

const NOW: u64 = 1_800_000_000_000;

fn digest(number: u8) -> String {
    format!("sha256:{}", format!("{number:02x}").repeat(32))
}

/// A definition of the tool `t`.
fn tool(number: u8, trust: Trust) -> Seen {
    Seen {
        kind: Kind::Tool,
        name: "t".to_owned(),
        digest: digest(number),
        nameless: Some(digest(number + 100)),
        definition: format!("{{\"name\":\"t\",\"description\":\"{number}\"}}"),
        trust,
        cause: Cause::First,
        why: vec!["tool_quarantined".to_owned()],
        approvers: 1,
    }
}

fn named(name: &str, number: u8, trust: Trust) -> Seen {
    Seen { name: name.to_owned(), ..tool(number, trust) }
}

fn key(tenant: &str) -> Key {
    Key { tenant: tenant.to_owned(), server: "db".to_owned(), kind: Kind::Tool, name: "t".to_owned() }
}

fn one(pins: &Pins, tenant: &str, seen: &Seen) -> Sighted {
    pins.sight(tenant, "db", std::slice::from_ref(seen), NOW).unwrap().pop().unwrap()
}

/// Lets it wait, and says its id.
fn waits(pins: &Pins, seen: &Seen) -> String {
    let sighted = one(pins, "", seen);
    let Sighted::Waiting { id, .. } = sighted else { panic!("{sighted:?}") };
    id
}

fn in_force(pins: &Pins, tenant: &str) -> Option<String> {
    pins.in_force(&key(tenant)).unwrap().map(|entry| entry.digest)
}

/// What comes before, what is seen then, and how it stands: `T` trusted, `A` approved, `W` waits, `R` refused. Before:
/// `trust 1` was trusted at first sight, `hold 1` waits, `yes 1` was approved, `no 1` refused, `lock 1` locked; a word
/// in capitals is for everybody, the others for the tenant that sees.
#[test]
fn how_a_sight_ends() {
    use Trust::{Change, First, Never};
    for (before, number, trust, ends) in [
        ("", 1, Never, 'W'),
        ("", 1, First, 'T'),
        ("", 1, Change, 'T'),
        ("trust 1", 1, Never, 'A'),
        ("trust 1", 2, Never, 'W'),
        ("trust 1", 2, First, 'W'),
        ("trust 1", 2, Change, 'T'),
        ("hold 1", 1, First, 'W'),
        ("hold 1", 1, Change, 'W'),
        ("hold 1", 2, First, 'W'),
        ("hold 1", 2, Change, 'W'),
        ("yes 1", 1, Never, 'A'),
        ("yes 1", 2, First, 'W'),
        ("yes 1", 2, Change, 'T'),
        ("yes 1,yes 2", 1, First, 'W'),
        ("yes 1,yes 2", 2, Never, 'A'),
        ("yes 1,hold 2", 2, Change, 'W'),
        ("yes 1,hold 2", 3, Change, 'T'),
        ("no 1", 1, Change, 'R'),
        ("no 1", 2, First, 'W'),
        ("no 1", 2, Change, 'W'),
        ("yes 1,no 2", 2, Change, 'R'),
        ("yes 1,no 1", 1, Change, 'R'),
        ("yes 1,no 1", 2, First, 'W'),
        ("no 1,yes 1", 1, Never, 'A'),
        ("lock 1", 1, Never, 'A'),
        ("lock 1", 2, First, 'W'),
        ("no 1,lock 1", 1, First, 'R'),
        ("hold 1,lock 1", 1, Never, 'A'),
        ("YES 1", 1, Never, 'A'),
        ("YES 1", 2, First, 'W'),
        ("NO 1", 1, Change, 'R'),
        ("NO 1", 2, First, 'W'),
        ("HOLD 1", 1, First, 'W'),
        ("YES 1,yes 2", 2, Never, 'A'),
        ("YES 1,yes 2", 1, Never, 'W'),
        ("yes 2,YES 1", 1, First, 'W'),
        ("YES 1,YES 2,no 2", 2, Never, 'A'),
    ] {
        let pins = Pins::in_memory().unwrap();
        for step in before.split(',').filter(|step| !step.is_empty()) {
            prepare(&pins, step);
        }
        let ended = match one(&pins, "acme", &tool(number, trust)) {
            Sighted::Trusted => 'T',
            Sighted::Approved => 'A',
            Sighted::Waiting { id, .. } => {
                let whose = pins.show(&id).unwrap().unwrap().key.tenant;
                assert_eq!(whose, "acme", "{before}, then {number} with {trust:?}");
                'W'
            }
            Sighted::Refused => 'R',
            Sighted::Unfit | Sighted::NoRoom => 'N',
        };
        assert_eq!(ended, ends, "{before}, then {number} with {trust:?}");
        let now = in_force(&pins, "acme") == Some(digest(number));
        assert_eq!(now, matches!(ends, 'T' | 'A'), "{before}, then {number} with {trust:?}");
    }
}

fn prepare(pins: &Pins, step: &str) {
    let (word, number) = step.split_once(' ').unwrap();
    let number: u8 = number.parse().unwrap();
    let tenant = if word == word.to_uppercase() { "" } else { "acme" };
    let find = |number| {
        let listed = pins.list(Filter::All, Some(tenant)).unwrap();
        listed.into_iter().find(|entry| entry.digest == digest(number)).unwrap().id
    };
    match word.to_lowercase().as_str() {
        "trust" => assert_eq!(one(pins, tenant, &tool(number, Trust::First)), Sighted::Trusted),
        "hold" => drop(one(pins, tenant, &tool(number, Trust::Never))),
        "yes" => {
            one(pins, tenant, &tool(number, Trust::Never));
            assert_eq!(pins.approve(&find(number), "ann", None, NOW).unwrap(), Answer::Approved);
        }
        "no" => {
            one(pins, tenant, &tool(number, Trust::Never));
            // What everybody has in force already is not one of the tenant's own to refuse.
            let listed = pins.list(Filter::All, Some(tenant)).unwrap();
            if let Some(entry) = listed.into_iter().find(|entry| entry.digest == digest(number)) {
                assert_eq!(pins.reject(&entry.id, "ann", None, NOW).unwrap(), Answer::Refused);
            }
        }
        "lock" => drop(pins.import(&[locked(tenant, number)], "ann", NOW).unwrap()),
        _ => panic!("{step}"),
    }
}

fn locked(tenant: &str, number: u8) -> Locked {
    let nameless = Some(digest(number + 100));
    Locked { key: key(tenant), digest: digest(number), nameless, definition: "{}".to_owned() }
}

#[test]
fn an_entry_says_all_that_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let pins = Pins::open(folder.path()).unwrap();
    let renamed = Cause::Renamed { from: "old".to_owned() };
    let seen = Seen {
        cause: renamed.clone(),
        why: vec!["tool_quarantined".to_owned(), "hidden characters".to_owned()],
        approvers: 2,
        ..tool(1, Trust::Never)
    };
    let id = waits(&pins, &seen);
    let digits = id.strip_prefix("def_").unwrap();
    assert!(digits.len() == 8 && digits.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7')), "{id}");
    assert_eq!(pins.approve(&id, "local:ann", Some("seen"), NOW + 1).unwrap(), voted(1));
    let shown = Pins::open(folder.path()).unwrap().show(&id).unwrap().unwrap();
    let expected = Entry {
        id: id.clone(),
        key: key(""),
        digest: digest(1),
        definition: Some(seen.definition.clone()),
        bytes: 30,
        state: State::Waiting,
        basis: None,
        by: None,
        since: NOW,
        cause: renamed,
        why: vec!["tool_quarantined".to_owned(), "hidden_characters".to_owned()],
        need: 2,
        first: NOW,
        last: NOW,
        count: 1,
        votes: vec![Vote { by: "local:ann".to_owned(), why: Some("seen".to_owned()), at: NOW + 1 }],
    };
    assert_eq!(shown, expected);
    let brief = Entry { definition: None, ..expected };
    assert_eq!(pins.list(Filter::Waiting, None).unwrap(), std::slice::from_ref(&brief));
    assert_eq!(pins.list(Filter::Waiting, Some("acme")).unwrap(), []);
    assert_eq!(pins.list(Filter::Refused, None).unwrap(), []);
    assert_eq!(pins.list(Filter::All, Some("")).unwrap(), [brief]);
    assert_eq!(pins.show("def_unknown").unwrap(), None);
}

fn voted(have: u8) -> Answer {
    Answer::Voted { have, need: 2 }
}

#[test]
fn two_people_are_two_people() {
    for (first, second, both) in [
        ("bob", "carol", true),
        ("local:bob", "local:carol", true),
        ("bob", "bob", false),
        ("bob", "local:bob", false),
        ("Bob", "bob", false),
    ] {
        let pins = Pins::in_memory().unwrap();
        let id = waits(&pins, &Seen { approvers: 2, ..tool(1, Trust::Never) });
        assert_eq!(pins.approve(&id, first, None, NOW).unwrap(), voted(1));
        assert_eq!(in_force(&pins, ""), None);
        let then = if both { Answer::Approved } else { voted(1) };
        assert_eq!(pins.approve(&id, second, None, NOW).unwrap(), then, "{first} and {second}");
        assert_eq!(in_force(&pins, "").is_some(), both);
    }
}

#[test]
fn one_no_takes_every_yes_back() {
    let pins = Pins::in_memory().unwrap();
    let id = waits(&pins, &Seen { approvers: 2, ..tool(1, Trust::Never) });
    assert_eq!(pins.approve(&id, "ann", None, NOW).unwrap(), voted(1));
    assert_eq!(pins.reject(&id, "bob", Some("no"), NOW).unwrap(), Answer::Refused);
    assert_eq!(pins.reject(&id, "carol", None, NOW).unwrap(), Answer::AsBefore);
    assert_eq!(pins.approve(&id, "carol", None, NOW).unwrap(), voted(1), "it starts anew");
    assert_eq!(one(&pins, "", &tool(1, Trust::Never)), Sighted::Refused, "until they are enough");
    assert_eq!(pins.approve(&id, "ann", None, NOW).unwrap(), Answer::Approved);
    assert_eq!(pins.approve(&id, "bob", None, NOW).unwrap(), Answer::AsBefore);
    for answer in [Pins::approve, Pins::reject] {
        assert_eq!(answer(&pins, "def_unknown", "ann", None, NOW).unwrap(), Answer::Unknown);
        let nobody = answer(&pins, &id, "", None, NOW).unwrap_err();
        assert!(matches!(nobody, StateError::Name { .. }));
    }
    let numbered = pins.history_after(0).unwrap();
    let (first, last) = (numbered.first().unwrap().0, numbered.last().unwrap().0);
    assert_eq!(pins.history_after(first).unwrap(), numbered[1..]);
    assert_eq!(pins.history_after(last).unwrap(), []);
    let whats: Vec<What> = pins.history().unwrap().into_iter().map(|event| event.what).collect();
    assert_eq!(whats, [What::Voted, What::Refused, What::Voted, What::Approved]);
}

/// A stricter gateway must not be outvoted by what a laxer one filed.
#[test]
fn what_needs_more_people_is_noted_at_once() {
    let pins = Pins::in_memory().unwrap();
    let id = waits(&pins, &tool(1, Trust::Never));
    waits(&pins, &Seen { approvers: 2, ..tool(1, Trust::Never) });
    waits(&pins, &tool(1, Trust::Never));
    assert_eq!(pins.approve(&id, "ann", None, NOW).unwrap(), voted(1));
}

#[test]
fn another_digest_takes_the_place_of_that_in_force() {
    let pins = Pins::in_memory().unwrap();
    one(&pins, "", &tool(1, Trust::First));
    let id = waits(&pins, &tool(2, Trust::First));
    assert_eq!(pins.show(&id).unwrap().unwrap().cause, Cause::Changed, "whatever the caller thought");
    assert_eq!(in_force(&pins, ""), Some(digest(1)));
    pins.approve(&id, "ann", Some("release 2"), NOW + 1).unwrap();
    let now = pins.in_force(&key("")).unwrap().unwrap();
    assert_eq!((now.digest, now.basis, now.by), (digest(2), Some(Basis::Person), Some("ann".to_owned())));
    one(&pins, "", &tool(3, Trust::Change));
    assert_eq!(pins.import(&[locked("", 4)], "bob", NOW + 2).unwrap(), Imported { changed: 1, refused: 0 });
    assert_eq!(pins.import(&[locked("", 4)], "bob", NOW + 2).unwrap(), Imported::default());
    let history: Vec<_> = pins
        .history()
        .unwrap()
        .into_iter()
        .map(|event| (event.what, event.replaced.unwrap(), event.digest, event.by))
        .collect();
    let name = |name: &str| Some(name.to_owned());
    assert_eq!(
        history,
        [
            (What::Approved, digest(1), digest(2), name("ann")),
            (What::Trusted, digest(2), digest(3), None),
            (What::Locked, digest(3), digest(4), name("bob")),
        ]
    );
    assert_eq!(pins.list(Filter::All, None).unwrap().len(), 1);
}

#[test]
fn known_has_a_tenant_s_own_before_everybody_s() {
    let pins = Pins::in_memory().unwrap();
    for step in ["YES 1", "yes 2"] {
        prepare(&pins, step);
    }
    pins.sight("", "db", &[named("a", 5, Trust::First), named("z", 6, Trust::First)], NOW).unwrap();
    let refused = waits(&pins, &named("r", 7, Trust::Never));
    pins.reject(&refused, "ann", None, NOW).unwrap();
    let of = |tenant: &str| {
        let known = pins.known(tenant).unwrap();
        assert_eq!(known.version, pins.version().unwrap());
        let all = known.approved.iter().chain(&known.refused);
        all.map(|one| (one.name.clone(), one.digest.clone(), one.nameless.clone())).collect::<Vec<_>>()
    };
    let pin = |name: &str, number| (name.to_owned(), digest(number), Some(digest(number + 100)));
    assert_eq!(of("acme"), [pin("a", 5), pin("t", 2), pin("z", 6), pin("r", 7)]);
    for tenant in ["", "other"] {
        assert_eq!(of(tenant), [pin("a", 5), pin("t", 1), pin("z", 6), pin("r", 7)]);
    }
}

#[test]
fn what_is_seen_again_is_counted_by_the_minute_and_changes_no_version() {
    let pins = Pins::in_memory().unwrap();
    let id = waits(&pins, &tool(1, Trust::Never));
    let other = named("u", 2, Trust::First);
    one(&pins, "", &other);
    let version = pins.version().unwrap();
    for (later, count, last) in
        [(0, 1, 0), (59_999, 1, 0), (60_000, 2, 60_000), (60_001, 2, 60_000), (DAY, 3, DAY)]
    {
        pins.sight("", "db", &[tool(1, Trust::Never), other.clone()], NOW + later).unwrap();
        let entry = pins.show(&id).unwrap().unwrap();
        assert_eq!((entry.count, entry.last), (count, NOW + last), "{later}");
    }
    let trusted = pins.list(Filter::All, None).unwrap().pop().unwrap();
    assert_eq!((trusted.state, trusted.count, trusted.last), (State::Approved, 2, NOW + DAY));
    assert_eq!(pins.version().unwrap(), version);
}

#[test]
fn a_flood_of_changes_pushes_out_only_what_nobody_looked_at() {
    let pins = Pins::in_memory().unwrap();
    one(&pins, "", &tool(1, Trust::First));
    let looked_at = waits(&pins, &Seen { approvers: 2, ..tool(2, Trust::Never) });
    pins.approve(&looked_at, "ann", None, NOW).unwrap();
    for number in 3..100 {
        pins.sight("", "db", &[tool(number, Trust::Never)], NOW + u64::from(number)).unwrap();
    }
    let waiting: Vec<String> =
        pins.list(Filter::Waiting, None).unwrap().into_iter().map(|entry| entry.digest).collect();
    let expected: Vec<String> = [2].into_iter().chain(93..100).map(digest).collect();
    assert_eq!(waiting, expected);
    assert_eq!(in_force(&pins, ""), Some(digest(1)));
}

#[test]
fn what_is_not_seen_for_a_month_waits_no_more() {
    let pins = Pins::in_memory().unwrap();
    waits(&pins, &tool(1, Trust::Never));
    one(&pins, "", &named("u", 2, Trust::First));
    let after = NOW + LONGEST_WAIT + 1;
    pins.sight("", "db", &[named("v", 3, Trust::Never)], after).unwrap();
    let left: Vec<String> =
        pins.list(Filter::All, None).unwrap().into_iter().map(|entry| entry.key.name).collect();
    assert_eq!(left, ["u", "v"]);
}

#[test]
fn large_definitions_are_kept_as_digests_alone() {
    let pins = Pins::in_memory().unwrap();
    for (number, length, kept) in [(1, DEFINITION, true), (2, DEFINITION + 1, false)] {
        let id = waits(&pins, &Seen { definition: "x".repeat(length), ..tool(number, Trust::Never) });
        let entry = pins.show(&id).unwrap().unwrap();
        assert_eq!((entry.definition.is_some(), entry.bytes > 0), (kept, kept), "{length}");
    }
    // What one server fills, it fills for itself.
    let definition = "x".repeat(DEFINITION);
    let many: Vec<Seen> = (0..130)
        .map(|number| Seen {
            definition: definition.clone(),
            ..named(&format!("n{number}"), 1, Trust::Never)
        })
        .collect();
    pins.sight("", "db", &many, NOW).unwrap();
    let kept = |server: &str| {
        let listed = pins.list(Filter::All, None).unwrap();
        listed.iter().filter(|entry| entry.key.server == server && entry.bytes > 0).count()
    };
    assert_eq!(kept("db"), 128);
    pins.sight("", "web", &many[..3], NOW).unwrap();
    assert_eq!(kept("web"), 3);
}

#[test]
fn a_server_has_so_much_room_and_no_more() {
    let pins = Pins::in_memory().unwrap();
    let many: Vec<Seen> = (0..=MOST).map(|number| named(&format!("n{number}"), 1, Trust::First)).collect();
    let sighted = pins.sight("", "db", &many, NOW).unwrap();
    assert!(sighted[..MOST as usize].iter().all(|one| *one == Sighted::Trusted));
    assert_eq!(sighted.last(), Some(&Sighted::NoRoom));
    assert_eq!(pins.sight("", "web", &many[..1], NOW).unwrap(), [Sighted::Trusted]);
    assert_eq!(pins.sight("acme", "db", &many[..1], NOW).unwrap(), [Sighted::Approved]);
    let full = pins.import(&[locked("", 1)], "ann", NOW).unwrap_err();
    assert!(matches!(full, StateError::TooManyPins), "{full:?}");
    assert_eq!(pins.forget("", "db", "ann", NOW).unwrap(), MOST as usize);
    assert_eq!(pins.forget("", "db", "ann", NOW).unwrap(), 0);
    assert_eq!(pins.known("").unwrap().approved.len(), 1);
    assert_eq!(pins.history().unwrap().last().unwrap().what, What::Forgotten);
}

#[test]
fn history_has_an_end_for_each_server() {
    let pins = Pins::in_memory().unwrap();
    let id = waits(&pins, &tool(1, Trust::Never));
    let other = pins.sight("", "web", &[tool(1, Trust::Never)], NOW).unwrap().pop().unwrap();
    let Sighted::Waiting { id: other, .. } = other else { panic!("{other:?}") };
    pins.reject(&other, "ann", None, NOW).unwrap();
    for at in 0..u64::from(HISTORY) / 2 + 5 {
        pins.approve(&id, "ann", None, at).unwrap();
        pins.reject(&id, "ann", Some(&"x".repeat(5_000)), at).unwrap();
    }
    let history = pins.history().unwrap();
    assert_eq!(history.len(), HISTORY as usize + 1);
    assert_eq!((history[0].key.server.as_str(), history[1].at), ("web", 5));
    assert_eq!(history.last().unwrap().why.as_ref().map(|why| why.chars().count()), Some(4_097));
}

#[test]
fn names_without_meaning_are_refused() {
    let pins = Pins::in_memory().unwrap();
    for (kind, name, fit) in [
        (Kind::Tool, "t", true),
        (Kind::Tool, "", false),
        (Kind::Prompt, "a\nb", false),
        (Kind::Resource, &"x".repeat(Key::LONGEST), true),
        (Kind::Template, &"x".repeat(Key::LONGEST + 1), false),
        (Kind::Instructions, "", true),
        (Kind::Instructions, "x", false),
        (Kind::Identity, "", true),
    ] {
        let seen = Seen { kind, name: name.to_owned(), ..tool(1, Trust::First) };
        let expected = if fit { Sighted::Trusted } else { Sighted::Unfit };
        assert_eq!(one(&pins, "", &seen), expected, "{kind:?} {name:?}");
        let key = Key { kind, name: name.to_owned(), ..key("other") };
        let import = pins.import(&[Locked { key, ..locked("", 1) }], "ann", NOW);
        assert_eq!(import.is_ok(), fit, "{kind:?} {name:?}");
    }
    for digest in ["", "sha256:", "sha512:00", &digest(0).to_uppercase(), &format!("{}0", digest(0))] {
        let seen = [
            Seen { digest: digest.to_owned(), ..tool(1, Trust::First) },
            Seen { nameless: Some(digest.to_owned()), ..tool(1, Trust::First) },
        ];
        for seen in seen {
            assert!(matches!(pins.sight("", "db", &[seen], NOW), Err(StateError::Name { .. })), "{digest}");
        }
    }
    assert!(matches!(pins.sight("a\n", "db", &[], NOW), Err(StateError::Name { .. })));
    assert!(matches!(pins.sight("", "", &[], NOW), Err(StateError::Name { .. })));
}

#[test]
fn another_process_is_seen_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (Pins::open(folder.path()).unwrap(), Pins::open(folder.path()).unwrap());
    let before = here.version().unwrap();
    assert_eq!(here.version().unwrap(), before);
    one(&there, "", &tool(1, Trust::First));
    assert_ne!(here.version().unwrap(), before);
    assert_eq!(here.known("").unwrap().approved.len(), 1);
}

/// Taken as an empty list, it would be a first sight of everything.
#[test]
fn what_cannot_be_read_is_an_error() {
    let pins = Pins::in_memory().unwrap();
    one(&pins, "", &tool(1, Trust::First));
    pins.0.write(|at| Ok(at.execute("UPDATE pins SET kind = 'moon'", [])?)).unwrap();
    assert!(pins.known("").is_err());
    assert!(pins.list(Filter::All, None).is_err());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(Pins::FILE);
    drop(crate::Stops::open(folder.path()).unwrap());
    std::fs::rename(folder.path().join("stops.db"), &file).unwrap();
    assert!(matches!(Pins::open(folder.path()), Err(StateError::Foreign)));
    std::fs::write(&file, "no database".repeat(100)).unwrap();
    assert!(matches!(Pins::open(folder.path()), Err(StateError::Damaged)));
    std::fs::remove_file(&file).unwrap();
    let pins = Pins::open(folder.path()).unwrap();
    pins.0.write(|at| Ok(at.pragma_update(None, "user_version", 9)?)).unwrap();
    assert!(matches!(Pins::open(folder.path()), Err(StateError::Newer { found: 9, known: 1 })));
}

/// Even a mistake here could not put two digests of one definition in force.
#[test]
fn the_file_itself_has_one_digest_in_force() {
    let pins = Pins::in_memory().unwrap();
    one(&pins, "", &tool(1, Trust::First));
    waits(&pins, &tool(2, Trust::Never));
    let both = pins.0.write(|at| Ok(at.execute("UPDATE pins SET state = ?1", params!["approved"])?));
    assert!(both.is_err());
}

#[derive(Clone, Debug)]
enum Step {
    Sight { everybody: bool, name: bool, number: u8, trust: Trust, approvers: u8 },
    Approve { which: usize, voice: u8 },
    Reject { which: usize },
    Forget { everybody: bool },
    Import { everybody: bool, number: u8 },
}

fn step() -> impl Strategy<Value = Step> {
    let trust = prop_oneof![Just(Trust::Never), Just(Trust::First), Just(Trust::Change)];
    prop_oneof![
        8 => (any::<bool>(), any::<bool>(), 0..4_u8, trust, 0..3_u8).prop_map(
            |(everybody, name, number, trust, approvers)| Step::Sight { everybody, name, number, trust, approvers }
        ),
        4 => (any::<usize>(), 0..3_u8).prop_map(|(which, voice)| Step::Approve { which, voice }),
        2 => any::<usize>().prop_map(|which| Step::Reject { which }),
        1 => any::<bool>().prop_map(|everybody| Step::Forget { everybody }),
        1 => (any::<bool>(), 0..4_u8).prop_map(|(everybody, number)| Step::Import { everybody, number }),
    ]
}

type Stands = BTreeSet<(Key, String, State, usize)>;

fn stands(pins: &Pins) -> Stands {
    let listed = pins.list(Filter::All, None).unwrap();
    listed.into_iter().map(|entry| (entry.key, entry.digest, entry.state, entry.votes.len())).collect()
}

fn of(stands: &Stands, state: State) -> BTreeSet<(Key, String)> {
    let of = stands.iter().filter(|one| one.2 == state);
    of.map(|(key, digest, ..)| (key.clone(), digest.clone())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever comes in whatever order: only people and lock files let through what waits or was refused.
    #[test]
    fn only_people_let_through_what_was_held(steps in proptest::collection::vec(step(), 1..60)) {
        let pins = Pins::in_memory().unwrap();
        for step in steps {
            let (before, version) = (stands(&pins), pins.version().unwrap());
            let ids: Vec<String> =
                pins.list(Filter::All, None).unwrap().into_iter().map(|entry| entry.id).collect();
            let pick = |which: usize| ids.get(which % ids.len().max(1)).cloned().unwrap_or_default();
            let tenant = |everybody: bool| if everybody { "" } else { "acme" };
            match &step {
                Step::Sight { everybody, name, number, trust, approvers } => {
                    let name = if *name { "t" } else { "u" };
                    let seen = Seen { approvers: *approvers, ..named(name, *number, *trust) };
                    pins.sight(tenant(*everybody), "db", &[seen], NOW).unwrap();
                }
                Step::Approve { which, voice } => {
                    pins.approve(&pick(*which), &format!("p{voice}"), None, NOW).unwrap();
                }
                Step::Reject { which } => drop(pins.reject(&pick(*which), "ann", None, NOW).unwrap()),
                Step::Forget { everybody } => drop(pins.forget(tenant(*everybody), "db", "ann", NOW).unwrap()),
                Step::Import { everybody, number } => {
                    pins.import(&[locked(tenant(*everybody), *number)], "ann", NOW).unwrap();
                }
            }
            let after = stands(&pins);
            // Who says yes again says it anew: that is news, though nothing else changes.
            let news = pins.version().unwrap() != version;
            let again = matches!(step, Step::Approve { .. });
            prop_assert!(news == (after != before) || news && again, "{:?}", step);
            let (approved, was) = (of(&after, State::Approved), of(&before, State::Approved));
            let keys: BTreeSet<&Key> = approved.iter().map(|(key, _)| key).collect();
            prop_assert_eq!(keys.len(), approved.len(), "one digest in force");
            let held = |state| of(&before, state);
            for new in approved.difference(&was) {
                let mut let_through = matches!(step, Step::Approve { .. } | Step::Import { .. });
                if let Step::Sight { trust, .. } = step {
                    let was_held = held(State::Waiting).contains(new) || held(State::Refused).contains(new);
                    let_through = trust != Trust::Never && !was_held;
                }
                prop_assert!(let_through, "{:?}: {:?}", step, new);
            }
            if matches!(step, Step::Import { .. } | Step::Sight { .. }) {
                prop_assert_eq!(of(&after, State::Refused), held(State::Refused), "{:?}", step);
            }
        }
    }
}
