//! What is found in arguments and results, and what becomes of it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that fails here has found something"
)]

mod talk;

use lockgate_core::{Boundary, ByLevel, Event, Handling, SecretAction, Suppression};
use lockgate_model::{Tier, UnixMillis};
use serde_json::{Value, json};

use talk::{ERAS, Era, Talk, server, set, token};

fn secrets(handling: Handling) -> impl Fn(&mut Boundary) {
    move |boundary| set(boundary, |detect| detect.arguments.secrets = ByLevel::at_block(handling))
}

/// What becomes of a call that sends a credential out.
fn send(era: Era, change: impl Fn(&mut Boundary)) -> (Talk, Result<Value, String>) {
    let mut talk = Talk::new(era, change);
    talk.call("mail__send_message", json!({"to": "me", "body": [format!("use {} there", token(1))]}));
    let fate = talk.fate();
    (talk, fate)
}

#[test]
fn a_credential_in_arguments_is_handled_as_the_operator_wants() {
    let sent = |body: &str| Ok(json!({"to": "me", "body": [body]}));
    let as_it_is = format!("use {} there", token(1));
    let refused = || Err("secret_in_arguments".to_owned());
    for era in ERAS {
        let cases = [
            (Handling::Off, sent(&as_it_is), None),
            (Handling::Flag, sent(&as_it_is), Some("flag")),
            (Handling::Redact, sent("use [redacted] there"), Some("redact")),
            (Handling::Ask, refused(), Some("ask")),
            (Handling::Deny, refused(), Some("deny")),
        ];
        for (handling, expected, done) in cases {
            let (talk, fate) = send(era, secrets(handling));
            assert_eq!(fate, expected, "{handling:?}");
            let records = &talk.records;
            assert_eq!(records.contains("gitlab_pat"), done.is_some(), "{handling:?} {records}");
            assert!(done.is_none_or(|done| records.contains(&format!("done: {done:?}"))), "{records}");
            assert!(!records.contains(&token(1)), "{records}");
            assert!(fate.is_ok() || !talk.agent.contains(&token(1)), "{}", talk.agent);
        }
    }
}

#[test]
fn a_name_of_an_argument_is_not_replaced() {
    for (handling, expected) in [(Handling::Flag, true), (Handling::Redact, false)] {
        let mut talk = Talk::new(Era::Handshake, secrets(handling));
        talk.call("mail__send_message", json!({ token(1): 1 }));
        assert_eq!(talk.fate().is_ok(), expected, "{handling:?}");
        assert!(!talk.records.contains(&token(1)), "{}", talk.records);
    }
}

#[test]
fn a_credential_may_go_where_it_came_from() {
    let call = |talk: &mut Talk, tool: &str| {
        talk.call(tool, json!({"a": format!("token {}", token(1))}));
        talk.fate().err()
    };
    let refused = Some("secret_in_arguments".to_owned());
    let usual = |boundary: &mut Boundary| set(boundary, |_| {});
    // To a server of one's own, in a call that sends nothing out.
    let mut talk = Talk::new(Era::Handshake, usual);
    assert_eq!(call(&mut talk, "mail__write_note"), None);
    assert_eq!(call(&mut talk, "mail__send_message"), refused);
    // In a URL it goes to whoever is named there, whatever the tool does.
    let mut reading = Talk::new(Era::Handshake, usual);
    reading.call("mail__get", json!({"url": format!("https://a.example/?t={}", token(1))}));
    assert_eq!(reading.fate().err(), refused);
    // The user has said it.
    talk.handle(Event::User { words: &format!("send {} to my brother", token(1)) });
    assert_eq!(call(&mut talk, "mail__send_message"), None);
    // The server itself has said it.
    let mut talk = Talk::new(Era::Handshake, |boundary| {
        usual(boundary);
        boundary.flow.secrets.action = SecretAction::Pass;
    });
    talk.read("mail", &json!({ "id": token(1) }).to_string());
    assert_eq!(call(&mut talk, "mail__send_message"), None);
    assert_eq!(call(&mut talk, "files__send_message"), refused);
    // Anybody can read there.
    let mut talk = Talk::new(Era::Handshake, |boundary| {
        usual(boundary);
        boundary.servers.get_mut(&server("files")).unwrap().trust.tier = Tier::Open;
    });
    assert_eq!(call(&mut talk, "files__write_note"), refused);
}

#[test]
fn who_only_watches_changes_nothing() {
    for era in ERAS {
        let (talk, fate) = send(era, |boundary| {
            secrets(Handling::Deny)(boundary);
            boundary.observes = true;
        });
        assert!(fate.is_ok(), "{fate:?}");
        assert!(talk.records.contains("would: Some(Deny)"), "{}", talk.records);
        assert!(!talk.records.contains(&token(1)), "{}", talk.records);
    }
}

#[test]
fn a_rule_is_suppressed_until_a_day() {
    for (rule, until, passes) in [
        ("gitlab_pat", None, true),
        ("gitlab*", None, true),
        ("gitlab", None, false),
        ("gitlab_pat", Some(UnixMillis(1)), true),
        ("gitlab_pat", Some(UnixMillis(0)), false),
    ] {
        let (talk, fate) = send(Era::Handshake, |boundary| {
            set(boundary, |detect| {
                detect.suppressed.push(Suppression { rule: rule.to_owned(), until });
            });
        });
        assert_eq!(fate.is_ok(), passes, "{rule} {until:?}");
        assert_eq!(talk.records.contains("gitlab_pat"), !passes, "{}", talk.records);
    }
}

#[test]
fn a_person_is_asked_and_is_not_shown_the_credential() {
    let arguments = json!({"to": "me", "body": format!("use {}", token(1))});
    for era in ERAS {
        for (answer, expected) in
            [("accept", Ok(arguments.clone())), ("decline", Err("approval_declined".to_owned()))]
        {
            let mut talk = Talk::with_person(era, secrets(Handling::Ask));
            talk.call("mail__send_message", arguments.clone());
            assert!(talk.sent.is_empty(), "{:?}", talk.sent);
            let asked = talk.person("mail__send_message", &arguments, answer);
            assert!(asked.contains("[redacted]") && !asked.contains(&token(1)), "{asked}");
            if era == Era::Handshake || answer == "accept" {
                assert_eq!(talk.fate(), expected);
            } else {
                assert!(talk.sent.is_empty(), "{:?}", talk.sent);
            }
            assert!(!talk.records.contains(&token(1)), "{}", talk.records);
        }
    }
}

#[test]
fn a_marked_text_cannot_end_its_mark() {
    for era in ERAS {
        let mut talk = Talk::new(era, |boundary| set(boundary, |detect| detect.marks = true));
        let boundary = |text: &str| text.split('"').nth(3).unwrap().to_owned();
        let first = talk.read("files", "plain");
        let word = boundary(&first);
        assert!(word.len() >= 16, "{word}");
        assert!(first.contains("\nplain\n") && first.matches(&word).count() == 2, "{first}");
        let second = talk.read("files", &first);
        assert_ne!(boundary(&second), word, "each answer has its own");
        assert_eq!(second.matches("<external_data").count(), 1, "{second}");
        assert_eq!(second.matches("</external_data").count(), 1, "{second}");
        assert!(second.contains("\nplain\n&lt;/external_data"), "{second}");
    }
}

#[test]
fn a_result_of_too_many_parts_is_withheld() {
    for era in ERAS {
        for (parts, reason) in [(3, Value::Null), (4, json!("output_too_large"))] {
            let mut talk = Talk::new(era, |boundary| set(boundary, |detect| detect.most_parts = 3));
            talk.call("files__get", json!({}));
            let content = vec![json!({"type": "text", "text": "a word of theirs"}); parts];
            talk.answer_all(&json!({"result": {"content": content, "resultType": "complete"}}));
            let said: Value = serde_json::from_str(&talk.agent).unwrap();
            assert_eq!(said["result"]["_meta"]["io.lockgate/decision"]["reason"], reason, "{said}");
            assert_eq!(talk.agent.contains("a word of theirs"), reason.is_null(), "{said}");
            assert_eq!(talk.agent.contains("was executed"), !reason.is_null(), "{said}");
        }
    }
}
