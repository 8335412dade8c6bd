//! Secrets in what servers return, and the handles that stand for them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that fails here has found something"
)]

mod talk;

use std::collections::BTreeSet;

use lockgate_core::{Boundary, SecretAction};
use proptest::prelude::*;
use serde_json::{Value, json};

use talk::{ERAS, Era, Talk, handle, server, token};

#[test]
fn the_server_that_gave_a_secret_gets_it_back_and_nobody_else() {
    for era in ERAS {
        let mut talk = Talk::new(era, |_| {});
        let secret = token(1);
        let shown = talk.read("files", &format!("use {secret} to log in"));
        assert!(!talk.agent.contains(&secret), "{}", talk.agent);
        assert_eq!(talk.core.classes().collect::<Vec<_>>(), ["credential"]);
        let given = handle(&shown);
        assert_eq!(shown, format!("use {given} to log in"));
        assert!(given.starts_with("lockgate-secret-gitlab_pat-"), "{given}");

        talk.call(
            "files__write_note",
            json!({"a": given, "b": {"c": [format!("x {given} {given}")]}, "d": 1.50}),
        );
        let expanded = json!({"a": secret, "b": {"c": [format!("x {secret} {secret}")]}, "d": 1.50});
        assert_eq!(talk.fate(), Ok(expanded));
        // What comes back is the same handle, however it is written.
        let coded = ["{\"token\": \"", &secret, "\"}"].concat();
        talk.answer_all(&json!({"result": {"content": [{"type": "text", "text": coded}]}}));
        assert_eq!(talk.shown(), format!("{{\"token\": \"{given}\"}}"));

        talk.call("vault__write_note", json!({"a": given}));
        assert_eq!(talk.fate(), Err("handle_not_for_this_server".to_owned()));
        talk.call("files__send_message", json!({"body": format!("see {given}")}));
        assert_eq!(talk.fate(), Err("handle_not_for_this_server".to_owned()), "nothing is sent out with it");
        let mut forged = given.clone();
        forged.replace_range(given.len() - 1.., if given.ends_with('A') { "B" } else { "A" });
        talk.call("files__write_note", json!({"a": forged}));
        assert_eq!(talk.fate(), Err("unknown_handle".to_owned()));
        assert!(talk.records.contains(&given), "records show the handle");
        assert!(!talk.records.contains(&secret), "{}", talk.records);
    }
}

#[test]
fn the_operator_names_who_gets_secrets() {
    for era in ERAS {
        let mut talk = Talk::new(era, |boundary| {
            boundary.flow.secrets.expand_for = Some(BTreeSet::from([server("mail")]));
        });
        let given = handle(&talk.read("vault", &token(1)));
        talk.call("mail__send_message", json!({"password": given}));
        assert_eq!(talk.fate(), Ok(json!({"password": token(1)})));
        // It knows the secret now, and may not tell the agent.
        talk.answer_all(
            &json!({"error": {"code": -32000, "message": format!("no such login: {}", token(1))}}),
        );
        assert!(!talk.agent.contains(&token(1)) && talk.agent.contains(&given), "{}", talk.agent);
        talk.call("vault__write_note", json!({"a": given}));
        assert_eq!(talk.fate(), Err("handle_not_for_this_server".to_owned()));
    }
}

#[test]
fn nobody_who_is_named_in_an_address_gets_a_secret_unasked() {
    for era in ERAS {
        let mut talk = Talk::new(era, |_| {});
        let given = handle(&talk.read("files", &token(1)));
        let address = format!("https://other.example/?key={given}");
        talk.call("files__get", json!({"url": address}));
        assert_eq!(talk.fate(), Err("handle_not_for_this_server".to_owned()));
        talk.call("files__get", json!({"key": given}));
        assert_eq!(talk.fate(), Ok(json!({"key": token(1)})));
        let mut named = Talk::new(era, |boundary| {
            boundary.flow.secrets.expand_for = Some(BTreeSet::from([server("files")]));
        });
        let given = handle(&named.read("files", &token(1)));
        named.call("files__get", json!({"url": format!("https://other.example/?key={given}")}));
        assert_eq!(named.fate(), Ok(json!({"url": format!("https://other.example/?key={}", token(1))})));
    }
}

#[test]
fn a_short_secret_is_known_again_once_it_was_sent() {
    let mut talk = Talk::new(Era::Handshake, |_| {});
    let secret = "q7!Zk2";
    let shown = talk.read("files", &format!("password: {secret}"));
    let given = handle(&shown);
    assert_eq!(
        talk.read("files", &format!("it is {secret}")),
        format!("it is {secret}"),
        "as good as any word"
    );
    talk.call("files__write_note", json!({"a": given}));
    talk.answer_all(&json!({"result": {"content": [{"type": "text", "text": format!("wrote {secret}.")}]}}));
    assert_eq!(talk.shown(), format!("wrote {given}."));
}

#[test]
fn a_handle_means_nothing_in_another_session() {
    let mut first = Talk::of("one", Era::Handshake, |_| {});
    let given = handle(&first.read("files", &token(1)));
    let mut second = Talk::of("two", Era::Handshake, |_| {});
    assert_ne!(given, handle(&second.read("files", &token(1))));
    second.call("files__write_note", json!({"a": given}));
    assert_eq!(second.fate(), Err("unknown_handle".to_owned()));
}

#[test]
fn what_is_shown_is_for_the_operator_to_say() {
    let text = format!("a {} b", token(1));
    let shown = |change: &dyn Fn(&mut Boundary)| {
        let mut talk = Talk::new(Era::Handshake, change);
        let shown = talk.read("files", &text);
        assert_eq!(talk.core.classes().count(), 1);
        shown
    };
    let action = |action| move |boundary: &mut Boundary| boundary.flow.secrets.action = action;
    assert_eq!(shown(&action(SecretAction::Pass)), text);
    assert_eq!(shown(&action(SecretAction::Redact)), "a [redacted] b");
    assert_eq!(shown(&|boundary| boundary.observes = true), text, "who only watches changes nothing");
    let mut talk = Talk::new(Era::Handshake, |_| {});
    talk.read("files", "nothing secret");
    assert_eq!(talk.core.classes().count(), 0);
}

/// The result of `tools/call` with a secret in it, and whether the agent may be shown it: what the protocol hands back is
/// left alone.
#[test]
fn secrets_are_found_wherever_they_stand() {
    let secret = token(7);
    let text = |text: String| json!([{"type": "text", "text": text}]);
    let escaped = secret.replace('g', "\\u0067").replace('T', "\\u0054");
    let cases = [
        (json!({"content": text(secret.clone())}), false),
        (json!({"content": [], "structuredContent": {"a": [{"b": secret}]}}), false),
        (json!({"content": [], "structuredContent": {secret.as_str(): 1}}), false),
        (json!({"content": [{"type": "resource", "resource": {"uri": "a:b", "text": secret}}]}), false),
        (
            json!({"content": [{"type": "resource_link", "name": "x", "uri": format!("a:b?t={secret}")}]}),
            false,
        ),
        (json!({"content": [], "_meta": {"x/y": secret}}), false),
        (json!({"content": [], "other": secret}), false),
        (json!({"content": [{"type": "image", "mimeType": "image/png", "data": secret}]}), false),
        (json!({"content": [], "structuredContent": {"nextCursor": secret}}), false),
        (json!({"content": [], "structuredContent": {"url": secret, "mode": "url"}}), false),
        (json!({"content": [], "nextCursor": secret}), true),
        (json!({"content": [], "_meta": {"progressToken": secret}}), true),
    ];
    for (result, left) in cases {
        for plain in [true, false] {
            let mut talk = Talk::new(Era::Handshake, |_| {});
            talk.call("files__get", json!({}));
            let id = talk.sent[0].1["id"].clone();
            let mut message = json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string();
            if !plain {
                message = message.replace(&secret, &escaped);
            }
            talk.say("files", &message);
            let told: Value = serde_json::from_str(&talk.agent).unwrap();
            assert_eq!(told.to_string().contains(&secret), left, "{message}\n{}", talk.agent);
            if left {
                assert_eq!(
                    talk.agent.replace(&format!("\"id\":{}", told["id"]), ""),
                    message.replace(&format!("\"id\":{id}"), "")
                );
            }
        }
    }
}

#[test]
fn a_value_is_secret_by_its_name() {
    let cases = [
        (json!({"password": "Tr7!kq0zPw"}), true),
        (json!({"vars": [{"name": "DB_PASSWORD", "value": "Tr7!kq0zPw"}]}), true),
        (json!({"title": "Tr7!kq0zPw"}), false),
        (json!({"name": "x", "value": "Tr7!kq0zPw"}), false),
    ];
    for (data, secret) in cases {
        let mut talk = Talk::new(Era::Stateless, |_| {});
        talk.call("files__get", json!({}));
        talk.answer_all(
            &json!({"result": {"content": [], "structuredContent": data, "resultType": "complete"}}),
        );
        assert_ne!(talk.agent.contains("Tr7!kq0zPw"), secret, "{}", talk.agent);
    }
}

#[test]
fn every_other_way_to_the_agent_is_looked_at() {
    let secret = token(3);
    for era in ERAS {
        let asked = [
            (
                "prompts/get",
                json!({"name": "files__p"}),
                json!({"messages": [{"role": "user", "content": {"type": "text", "text": secret}}]}),
            ),
            (
                "resources/read",
                json!({"uri": "files+a:b"}),
                json!({"contents": [{"uri": "a:b", "text": secret}]}),
            ),
            (
                "completion/complete",
                json!({"ref": {"type": "ref/prompt", "name": "files__p"}, "argument": {"name": "a", "value": "g"}}),
                json!({"completion": {"values": [secret]}}),
            ),
        ];
        for (method, params, result) in asked {
            let mut talk = Talk::new(era, |_| {});
            talk.ask(method, params);
            assert_eq!(talk.sent.len(), 1, "{method}: {}", talk.agent);
            talk.answer_all(&json!({ "result": result }));
            assert!(
                !talk.agent.contains(&secret) && talk.agent.contains("lockgate-secret-"),
                "{}",
                talk.agent
            );
        }
        let mut talk = Talk::new(era, |_| {});
        talk.call("files__get", json!({}));
        let said = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": {"x": secret}}});
        talk.say("files", &said.to_string());
        assert!(!talk.agent.contains(&secret) && talk.agent.contains("lockgate-secret-"), "{}", talk.agent);
    }
}

#[test]
fn a_handle_in_an_address_leads_back() {
    let mut talk = Talk::new(Era::Handshake, |_| {});
    let given = handle(&talk.read("files", &token(4)));
    talk.ask("resources/read", json!({"uri": format!("files+a:b/{given}")}));
    assert_eq!(talk.sent[0].1["params"]["uri"], format!("a:b/{}", token(4)));
    talk.agent.clear();
    talk.ask("resources/read", json!({"uri": format!("vault+a:b/{given}")}));
    assert!(talk.sent.is_empty() && talk.agent.contains("handle_not_for_this_server"), "{}", talk.agent);
}

#[test]
fn a_file_whose_digest_is_known_is_refused_and_not_changed() {
    let read = |change: &dyn Fn(&mut Boundary)| {
        let mut talk = Talk::new(Era::Stateless, change);
        talk.ask("resources/read", json!({"uri": "files+skill://x/SKILL.md"}));
        talk.answer_all(&json!({"result": {"contents": [{"uri": "skill://x/SKILL.md", "text": token(5)}]}}));
        talk.agent
    };
    let refused = read(&|_| {});
    assert!(refused.contains("secret_in_sealed_file") && !refused.contains(&token(5)), "{refused}");
    let shown = read(&|boundary| boundary.flow.secrets.action = SecretAction::Pass);
    assert!(shown.contains(&token(5)), "{shown}");
}

#[test]
fn expansion_has_a_limit() {
    let mut talk = Talk::new(Era::Handshake, |boundary| boundary.limits.request_bytes = 20_000);
    let key = format!(
        "-----BEGIN PRIVATE KEY-----\n{}-----END PRIVATE KEY-----",
        "Zk3qT9wLmX2bR7vNc5yH\n".repeat(300)
    );
    let given = handle(&talk.read("files", &key));
    talk.call("files__write_note", json!({"a": given}));
    assert_eq!(talk.fate(), Ok(json!({"a": key})));
    talk.call("files__write_note", json!({"a": [given, given, given, given]}));
    assert!(talk.sent.is_empty() && talk.agent.contains("message_too_large"), "{}", talk.agent);
}

fn place(secret: String, before: String, after: String, deep: Vec<bool>) -> Value {
    let text = Value::String(format!("{before} {secret} {after}"));
    deep.into_iter()
        .fold(text, |inside, list| if list { json!([1, inside]) } else { json!({"a": inside, "b": null}) })
}

proptest! {
    #[test]
    fn no_secret_reaches_the_agent_or_another_server(
        number in 0_u64..10_000_000,
        around in ("[ a-z\"\\\\\u{e4}\u{1f600}\n]{0,12}", "[ a-z\"\\\\\u{e4}\u{1f600}\n]{0,12}"),
        deep in proptest::collection::vec(any::<bool>(), 0..4),
        spelled in proptest::collection::vec(any::<bool>(), 26),
        coded in any::<bool>(),
        era in prop_oneof![Just(Era::Handshake), Just(Era::Stateless)],
    ) {
        let secret = token(number);
        let mut data = place(secret.clone(), around.0, around.1, deep);
        if coded {
            data = json!(data.to_string());
        }
        let mut talk = Talk::new(era, |_| {});
        talk.call("files__get", json!({}));
        let id = talk.sent[0].1["id"].clone();
        let result = json!({"content": [], "structuredContent": {"x": data}, "resultType": "complete"});
        let message = json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string();
        let written: String = secret
            .chars()
            .zip(spelled)
            .map(|(letter, hidden)| if hidden { format!("\\u{:04x}", u32::from(letter)) } else { letter.into() })
            .collect();
        talk.say("files", &message.replace(&secret, &written));
        let told: Value = serde_json::from_str(&talk.agent).unwrap();
        prop_assert!(!told.to_string().contains(&secret), "{}", talk.agent);
        let given = handle(&told.to_string());
        for to in ["mail", "vault"] {
            talk.call(&format!("{to}__write_note"), json!({"a": given}));
            prop_assert!(talk.sent.is_empty());
        }
        talk.call("files__write_note", json!({"a": given}));
        prop_assert_eq!(talk.fate(), Ok(json!({"a": secret.clone()})));
        let remembered = format!("{:?}", talk.core);
        prop_assert!(!talk.records.contains(&secret) && !remembered.contains(&secret));
    }
}
