//! How definitions stand to what is approved, and what is done with them.

#![expect(clippy::unwrap_used, reason = "a test that fails here has found something")]

use lockgate_model::{Json, Reason, ServerName, Tier};
use lockgate_provenance::{Held, Kind, Name, Pinning, Pins, Sight, Standing, digest, nameless, verdict};

fn json(text: &str) -> Json<'_> {
    Json::check(text.as_bytes(), 64).unwrap()
}

fn server(name: &str) -> ServerName {
    ServerName::parse(name).unwrap()
}

fn approve(pins: &mut Pins, on: &str, kind: Kind, text: &str) {
    let name = Name::of(kind, json(text)).unwrap();
    pins.approve(&server(on), name, digest(kind, json(text)), nameless(kind, json(text)));
}

fn standing(pins: &Pins, on: &str, kind: Kind, text: &str) -> Standing {
    let name = Name::of(kind, json(text)).unwrap();
    pins.standing(&server(on), &name, digest(kind, json(text)), Some(json(text)))
}

const ADD: &str = r#"{"name":"add","description":"Adds."}"#;
const PLUS: &str = r#"{"name":"plus","description":"Adds."}"#;
const WORSE: &str = r#"{"name":"add","description":"Adds. Always."}"#;

#[test]
fn what_is_approved_is_known_again() {
    let mut pins = Pins::default();
    assert_eq!(standing(&pins, "a", Kind::Tool, ADD), Standing::First);
    approve(&mut pins, "a", Kind::Tool, ADD);
    for (on, kind, text, expected) in [
        ("a", Kind::Tool, ADD, Standing::Approved),
        ("a", Kind::Tool, r#"{"description":"Add\u0073.","name":"add"}"#, Standing::Approved),
        ("a", Kind::Tool, WORSE, Standing::Changed),
        ("a", Kind::Tool, PLUS, Standing::Renamed { from: "add".to_owned() }),
        ("a", Kind::Tool, r#"{"name":"Add","description":"Adds?"}"#, Standing::Added),
        // What is approved of tools says nothing of prompts, and what is approved of one server nothing of another.
        ("a", Kind::Prompt, ADD, Standing::First),
        ("a", Kind::Instructions, "null", Standing::First),
        ("b", Kind::Tool, ADD, Standing::First),
    ] {
        assert_eq!(standing(&pins, on, kind, text), expected, "{on} {kind:?} {text}");
    }
    approve(&mut pins, "a", Kind::Tool, WORSE);
    assert_eq!(standing(&pins, "a", Kind::Tool, WORSE), Standing::Approved, "each of several may be");
    assert_eq!(standing(&pins, "a", Kind::Tool, ADD), Standing::Approved);
    // No text is needed to know what is approved.
    let name = Name::new(Kind::Tool, "plus");
    assert_eq!(pins.standing(&server("a"), &name, digest(Kind::Tool, json(PLUS)), None), Standing::Added);
}

#[test]
fn a_no_is_stronger_than_an_earlier_yes() {
    let mut pins = Pins::default();
    approve(&mut pins, "a", Kind::Tool, ADD);
    pins.refuse(&server("a"), Name::new(Kind::Tool, "add"), digest(Kind::Tool, json(ADD)));
    assert_eq!(standing(&pins, "a", Kind::Tool, ADD), Standing::Refused);
    assert_eq!(standing(&pins, "a", Kind::Tool, WORSE), Standing::Changed, "only this very one is refused");
    approve(&mut pins, "a", Kind::Tool, ADD);
    assert_eq!(standing(&pins, "a", Kind::Tool, ADD), Standing::Approved, "a later yes takes it back");
}

#[test]
fn names_are_listed_by_kind() {
    let mut pins = Pins::default();
    approve(&mut pins, "a", Kind::Tool, PLUS);
    approve(&mut pins, "a", Kind::Tool, ADD);
    approve(&mut pins, "a", Kind::Prompt, r#"{"name":"greet"}"#);
    approve(&mut pins, "a", Kind::Identity, r#"{"name":"a"}"#);
    let listed = |kind| pins.of(&server("a"), kind).collect::<Vec<_>>();
    assert_eq!(listed(Kind::Tool), ["add", "plus"]);
    assert_eq!(listed(Kind::Prompt), ["greet"]);
    assert_eq!(listed(Kind::Identity), [""]);
    assert!(listed(Kind::Resource).is_empty());
    assert_eq!(pins.servers().count(), 1);
}

#[test]
fn a_name_is_one_name_however_it_is_written() {
    let mut pins = Pins::default();
    approve(&mut pins, "a", Kind::Tool, "{\"name\":\"caf\u{e9}\"}");
    assert_eq!(standing(&pins, "a", Kind::Tool, "{\"name\":\"cafe\u{301}\"}"), Standing::Approved);
}

#[test]
fn what_is_done_by_tier() {
    use Standing::{Added, Approved, Changed, First, Refused};
    let tool = |waits| Some(Held { reason: Reason::ToolQuarantined, waits });
    let drift = Some(Held { reason: Reason::DefinitionDrift, waits: true });
    let renamed = || Standing::Renamed { from: String::new() };
    for (tier, locked, first, added) in [
        (Tier::Quarantined, false, tool(true), tool(true)),
        (Tier::Open, false, None, tool(true)),
        (Tier::Mixed, false, None, None),
        (Tier::Internal, false, None, None),
        (Tier::Core, false, None, None),
        (Tier::Core, true, tool(true), tool(true)),
    ] {
        let pinning = Pinning::of(tier);
        let answer = |standing| verdict(Kind::Tool, &standing, &pinning, locked);
        assert_eq!(answer(Approved), None, "{tier:?}");
        assert_eq!(answer(First), first, "{tier:?}");
        assert_eq!(answer(Added), added, "{tier:?}");
        assert_eq!(answer(renamed()), added, "{tier:?}");
        assert_eq!(answer(Changed), drift, "{tier:?}");
        assert_eq!(answer(Refused), tool(false), "{tier:?}");
    }
}

#[test]
fn what_is_done_by_the_operators_word() {
    let pinning = |sight| Pinning { first: sight, added: sight, drift: sight, ..Pinning::of(Tier::Mixed) };
    let other = |waits| Some(Held { reason: Reason::DefinitionQuarantined, waits });
    for (sight, expected) in [(Sight::Trust, None), (Sight::Hold, other(true)), (Sight::Refuse, other(false))]
    {
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Tool) {
            for standing in [Standing::First, Standing::Added, Standing::Changed] {
                assert_eq!(
                    verdict(kind, &standing, &pinning(sight), false),
                    expected,
                    "{sight:?} {kind:?} {standing:?}"
                );
            }
        }
    }
    // Where a lock file names the server, nothing but what is in it is trusted.
    assert_eq!(verdict(Kind::Prompt, &Standing::Changed, &pinning(Sight::Trust), true), other(true));
    assert_eq!(verdict(Kind::Prompt, &Standing::Changed, &pinning(Sight::Refuse), true), other(false));
}

#[test]
fn many_at_once_are_held() {
    let pinning = Pinning::of(Tier::Mixed);
    assert_eq!(pinning.at_once(20), pinning);
    assert_eq!(pinning.at_once(21).added, Sight::Hold);
    assert_eq!(Pinning { added: Sight::Refuse, ..pinning }.at_once(21).added, Sight::Refuse);
}

#[test]
fn words_read_back() {
    for kind in Kind::ALL {
        assert_eq!(Kind::parse(kind.word()), Some(kind));
    }
    for sight in Sight::ALL {
        assert_eq!(Sight::parse(sight.word()), Some(sight));
    }
    assert_eq!((Kind::parse("Tool"), Sight::parse("")), (None, None));
}
