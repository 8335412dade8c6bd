//! The lock file: what is written, that it reads back, and what is said where it does not.
#![expect(clippy::unwrap_used, reason = "a test that fails here has found something")]

use std::collections::BTreeMap;

use lockgate_model::{Json, ServerName};
use lockgate_provenance::lock::{Lock, Locked, Unfit};
use lockgate_provenance::{Kind, Name, Pins, Standing, digest};
use proptest::prelude::*;

const TOOL: &str = r#"{"name":"send_email","inputSchema":{"type":"object","required":["to"],"properties":{"to":{"type":"string"}}},"description":"Sends a mail.\nTo one person."}"#;

fn json(text: &str) -> Json<'_> {
    Json::check(text.as_bytes(), 64).unwrap()
}

fn server(name: &str) -> ServerName {
    ServerName::parse(name).unwrap()
}

fn lock() -> Lock {
    let texts = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>()
    };
    let mut mail = Locked::new(
        texts(&[("kind", "npm"), ("name", "mail-server"), ("version", "1.2.3")]),
        texts(&[("maintainer", "Example")]),
    );
    mail.add(Kind::Tool, json(TOOL)).unwrap();
    mail.add(Kind::Tool, json("{\"name\":\"hide\u{200b}\",\"tags\":[],\"n\":[1.0,{\"\u{202e}\":null}]}"))
        .unwrap();
    mail.add(Kind::Resource, json(r#"{"uri":"file:///a","name":"a","size":7}"#)).unwrap();
    mail.add(Kind::Instructions, json(r#""Be kind.""#)).unwrap();
    mail.add(Kind::Identity, json(r#"{"name":"mail","version":"1"}"#)).unwrap();
    Lock { servers: BTreeMap::from([(server("mail"), mail), (server("empty"), Locked::default())]) }
}

#[test]
fn is_written_so_that_it_can_be_reviewed() {
    assert_eq!(lock().text(), include_str!("lockgate.lock"));
}

#[test]
fn reads_back() {
    assert_eq!(Lock::read(lock().text().as_bytes()), Ok(lock()));
    assert_eq!(Lock::read(Lock::default().text().as_bytes()), Ok(Lock::default()));
}

#[test]
fn what_it_holds_is_approved() {
    let mut pins = Pins::default();
    Lock::read(lock().text().as_bytes()).unwrap().approve(&mut pins);
    let standing = |name: &str, kind, text: &str| {
        let name = Name::new(kind, name);
        pins.standing(&server("mail"), &name, digest(kind, json(text)), Some(json(text)))
    };
    assert_eq!(standing("send_email", Kind::Tool, TOOL), Standing::Approved);
    assert_eq!(standing("send_email", Kind::Tool, &TOOL.replace("one", "any")), Standing::Changed);
    assert_eq!(
        standing("sendEmail", Kind::Tool, &TOOL.replace("send_email", "sendEmail")),
        Standing::Renamed { from: "send_email".to_owned() }
    );
    assert_eq!(standing("other", Kind::Tool, r#"{"name":"other"}"#), Standing::Added);
    assert_eq!(standing("p", Kind::Prompt, r#"{"name":"p"}"#), Standing::Added, "the file names the server");
    assert_eq!(
        standing("file:///a", Kind::Resource, r#"{"uri":"file:///a","name":"a"}"#),
        Standing::Approved
    );
    assert!(pins.is_locked(&server("empty")));
    assert_eq!(pins.tools_of(&server("mail")).collect::<Vec<_>>(), ["hide\u{200b}", "send_email"]);
}

#[test]
fn not_every_definition_fits() {
    let mut locked = Locked::default();
    assert_eq!(locked.add(Kind::Tool, json("{}")), Err(Unfit::Nameless));
    assert_eq!(locked.add(Kind::Tool, json(r#"{"name":1}"#)), Err(Unfit::Nameless));
    let deep = format!(r#"{{"name":"deep","x":{}{}}}"#, "[".repeat(120), "]".repeat(120));
    let deep = Json::check(deep.as_bytes(), 128).unwrap();
    assert_eq!(locked.add(Kind::Tool, deep), Err(Unfit::TooDeep));
    let fits = format!(r#"{{"name":"deep","x":{}{}}}"#, "[".repeat(119), "]".repeat(119));
    assert_eq!(locked.add(Kind::Tool, Json::check(fits.as_bytes(), 128).unwrap()), Ok(()));
    assert_eq!(locked.add(Kind::Tool, json(r#"{"name":"deep"}"#)), Err(Unfit::Twice));
    let lock = Lock { servers: BTreeMap::from([(server("a"), locked)]) };
    assert_eq!(Lock::read(lock.text().as_bytes()), Ok(lock));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    type Change<'a> = &'a dyn Fn(&str) -> String;
    let text = lock().text();
    let cases: &[(Change<'_>, &str)] = &[
        (&|_| String::new(), "1:1: this is not JSON"),
        (&|_| "{}".to_owned(), "1:1: this version of the file is not known\n"),
        (&|_| "[]".to_owned(), "1:1: here must be an object with `version` and `servers`"),
        (&|_| "{\"version\": 1}".to_owned(), "1:1: `servers` is missing"),
        (&|text| format!("\u{feff}{text}"), "1:1: the file must be UTF-8"),
        (&|text| format!("{text}{{}}"), "71:1: the file must end here"),
        (
            &|text| text.replace("\"version\": 1,", "\"version\": 2,"),
            "2:14: this version of the file is not known\n",
        ),
        (
            &|text| text.replace("\"version\": 1,", "\"version\": 1.0,"),
            "2:14: this version of the file is not known\n",
        ),
        (&|text| text.replace("\"empty\": {},", "\"empty\": {\"x\": 1},"), "4:20: unknown key `x`"),
        (&|text| text.replace("\"empty\"", "\"Em\\u001b\""), "4:17: `Em\\u{1b}` is not a server's name"),
        (
            &|text| text.replace("\"empty\"", "\"mail\""),
            "69:4: the object that ends here has the same key twice",
        ),
        (&|text| text.replace("\"npm\"", "7"), "7:17: here must be a text"),
        (&|text| text.replace("\"servers\"", "\"Servers\""), "3:14: unknown key `Servers`"),
        (&|text| text.replace("\"tool\"", "\"tools\""), "15:18: unknown key `tools`"),
        (&|text| text.replace("one person", "anybody"), "30:23: the digest is not that of the definition\n"),
        (
            &|text| text.replace("\"send_email\": {", "\"send_mail\": {"),
            "31:27: the definition says another name",
        ),
        (&|text| text.replacen("\"digest\"", "\"hash\"", 1), "17:21: unknown key `hash`"),
        (&|text| text.replacen("sha256:", "sha512:", 1), "17:23: here must be `sha256:` and 64 digits"),
        (&|text| text.replace("        \"kind\"", "<<<<<<< HEAD\n        \"kind\""), "7:1: this is not JSON"),
    ];
    for (change, expected) in cases {
        let changed = change(&text);
        assert_ne!(changed, text, "{expected}");
        let said = Lock::read(changed.as_bytes()).unwrap_err().to_string();
        assert!(said.starts_with(expected), "expected {expected}\n  found {said}\n{changed}");
    }
}

proptest! {
    #[test]
    fn any_definition_reads_back(name in any::<String>(), text in any::<String>(), number in any::<f64>()) {
        prop_assume!(number.is_finite());
        let definition = serde_json::json!({ "name": name, "description": text, name.clone() + "x": [number, {}, []] });
        let definition = definition.to_string();
        let mut locked = Locked::default();
        locked.add(Kind::Tool, json(&definition)).unwrap();
        let lock = Lock { servers: BTreeMap::from([(server("a"), locked)]) };
        let seen = lock.text().lines().all(|line| !line.contains(|c: char| c.is_control() || c == '\u{202e}'));
        prop_assert!(seen);
        prop_assert_eq!(Lock::read(lock.text().as_bytes()).unwrap(), lock);
    }
}
