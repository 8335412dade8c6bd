use lockgate_model::{Principal, SessionId};
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

const KEY: [u8; 32] = [7; 32];

fn identity(principal: &str, bound: &str) -> Identity {
    Identity {
        session: SessionId::new("s"),
        principal: Principal::new(principal),
        client: None,
        bound: bound.to_owned(),
    }
}

fn server(name: &str) -> ServerName {
    ServerName::parse(name).unwrap()
}

fn sealed(value: &str) -> Sealed {
    let label = Label::new(server("web"), Integrity::FreeText, Secrecy::default());
    Sealed { value: quote(value), until: 9, session: "s".to_owned(), number: 1, label }
}

#[test]
fn a_seal_is_opened_with_its_own_key_and_bond_alone() {
    let with = |key: [u8; 32], kind, on: &str, matter, principal, bound| {
        let (on, identity) = (server(on), identity(principal, bound));
        let (home, of) = (server("web"), self::identity("alice", "run"));
        let own = Bond { kind: Kind::State, server: &home, matter: "call", identity: &of };
        let text = seal(&KEY, own, &sealed("x")).unwrap();
        open(&key, Bond { kind, server: &on, matter, identity: &identity }, &text)
    };
    let own = (KEY, Kind::State, "web", "call", "alice", "run");
    for (what, (key, kind, on, matter, principal, bound), opens) in [
        ("its own", own, true),
        ("another key", ([8; 32], own.1, own.2, own.3, own.4, own.5), false),
        ("another kind", (own.0, Kind::Task, own.2, own.3, own.4, own.5), false),
        ("another server", (own.0, own.1, "db", own.3, own.4, own.5), false),
        ("another request", (own.0, own.1, own.2, "other", own.4, own.5), false),
        ("another principal", (own.0, own.1, own.2, own.3, "bob", own.5), false),
        ("another session", (own.0, own.1, own.2, own.3, own.4, "run-2"), false),
    ] {
        let opened = with(key, kind, on, matter, principal, bound);
        assert_eq!(opened, opens.then(|| sealed("x")), "{what}");
    }
}

#[test]
fn no_letter_of_a_seal_can_be_changed_left_out_or_added() {
    let (home, of) = (server("web"), identity("alice", "run"));
    let bond = Bond { kind: Kind::Task, server: &home, matter: "", identity: &of };
    // Three lengths: the last letter of base64 holds six bits, four, or two.
    for value in ["t", "ta", "tas"] {
        let text = seal(&KEY, bond, &sealed(value)).unwrap();
        assert!(open(&KEY, bond, &text).is_some());
        for at in 0..text.len() {
            for letter in b"ABab01-_=+ ." {
                let mut other = text.clone().into_bytes();
                other[at] = *letter;
                let other = String::from_utf8(other).unwrap();
                assert!(other == text || open(&KEY, bond, &other).is_none(), "{other}");
            }
            assert!(open(&KEY, bond, text.get(..at).unwrap()).is_none());
        }
        assert!(open(&KEY, bond, &format!("{text}A")).is_none());
    }
}

#[test]
fn what_is_too_long_is_not_sealed() {
    let (home, of) = (server("web"), identity("alice", "run"));
    let bond = Bond { kind: Kind::State, server: &home, matter: "", identity: &of };
    let outcome = |length: usize| seal(&KEY, bond, &sealed(&"x".repeat(length))).map(|_| ());
    assert_eq!(outcome(LONGEST - 2), Ok(()));
    assert_eq!(outcome(LONGEST - 1), Err(Reason::StateTooLarge));
}

fn label() -> impl Strategy<Value = Label> {
    let compartments = proptest::collection::btree_set("[a-z\"\\\\]{1,4}", 0..3);
    let origins = proptest::collection::vec(select(vec!["db", "mail", "web"]), 0..3);
    let levels = (select(Integrity::ALL.to_vec()), select(Confidentiality::ALL.to_vec()));
    (levels, compartments, origins).prop_map(|((integrity, level), compartments, origins)| {
        let secrecy = Secrecy { level, compartments };
        let mut label = Label::clean();
        for origin in origins {
            label.absorb(&server(origin), integrity, &secrecy);
        }
        label
    })
}

proptest! {
    #[test]
    fn what_is_sealed_comes_back_as_it_was(
        value in ".{0,60}", until: u64, number: u64, session in ".{0,12}", label in label(), matter in ".{0,8}",
    ) {
        let (home, of) = (server("web"), identity("alice", "run"));
        let bond = Bond { kind: Kind::State, server: &home, matter: &matter, identity: &of };
        let sealed = Sealed { value: quote(&value), until, session, number, label };
        let text = seal(&KEY, bond, &sealed).unwrap();
        let opened = open(&KEY, bond, &text);
        prop_assert_eq!(opened.as_ref(), Some(&sealed));
        // Always the same, and never the same as what differs.
        prop_assert_eq!(seal(&KEY, bond, &sealed).unwrap(), text.clone());
        let other = Sealed { until: until ^ 1, ..sealed };
        let nonce = |text: &str| text.get(..PREFIX.len() + 32).map(str::to_owned);
        prop_assert_ne!(nonce(&seal(&KEY, bond, &other).unwrap()), nonce(&text));
    }

    #[test]
    fn a_flipped_bit_is_refused(value in ".{0,40}", at: prop::sample::Index, bit in 0..8) {
        let (home, of) = (server("web"), identity("alice", "run"));
        let bond = Bond { kind: Kind::State, server: &home, matter: "m", identity: &of };
        let text = seal(&KEY, bond, &sealed(&value)).unwrap();
        let mut bytes = TEXT.decode(text.strip_prefix(PREFIX).unwrap()).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        prop_assert_eq!(open(&KEY, bond, &format!("{PREFIX}{}", TEXT.encode(&bytes))), None);
    }

    #[test]
    fn no_text_makes_it_fail_otherwise(text in ".{0,80}") {
        let (home, of) = (server("web"), identity("alice", "run"));
        let bond = Bond { kind: Kind::State, server: &home, matter: "m", identity: &of };
        prop_assert_eq!(open(&KEY, bond, &format!("{PREFIX}{text}")), None);
        prop_assert_eq!(open(&KEY, bond, &text), None);
    }
}
