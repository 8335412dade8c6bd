//! Peers that do what no peer should, with a bridge between them.

use lockgate_core::{Speaks, Wire};
use lockgate_model::Reason;
use serde_json::json;

use crate::talk::{Talk, name, text, tools, welcome};

/// Requests beyond the bound are refused; those that wait already go on waiting.
#[test]
fn too_many_that_wait_for_a_greeting_fail_alone() {
    let mut talk = Talk::new(Wire::Lines, |boundary| {
        boundary.servers.get_mut(&name()).unwrap().speaks = Some(Speaks::Legacy);
    });
    for id in 0..70 {
        talk.modern(id, "tools/list", json!({}));
    }
    let heard = talk.heard();
    let refused: Vec<_> = heard.iter().filter(|line| line.contains("too_many_open")).collect();
    assert_eq!((refused.len(), heard.len()), (6, 7), "{heard:#?}");
    talk.answer("initialize", welcome());
    let sent = talk.heard().iter().filter(|line| *line == "> tools/list").count();
    assert_eq!(sent, 64);
}

/// One call that fails before any was answered takes no other with it.
#[test]
fn the_first_call_that_fails_fails_alone() {
    for configured in [true, false] {
        let mut talk = Talk::new(Wire::Http, |boundary| {
            boundary.servers.get_mut(&name()).unwrap().speaks = configured.then_some(Speaks::Legacy);
        });
        let first = talk.modern(1, "tools/list", json!({}));
        let second = talk.modern(2, "prompts/list", json!({}));
        if !configured {
            talk.refuse("tools/list", -32601);
            talk.refuse("prompts/list", -32601);
        }
        talk.answer("initialize", welcome());
        talk.heard();
        talk.fail(Some(first), Reason::ServerTimedOut);
        talk.expect("the first", &["< … \"id\":1"]);
        assert!(talk.core.awaits(&name(), second));
        talk.answer_with(second, json!({ "result": { "prompts": [] } }));
        let heard = talk.heard();
        assert!(heard.last().is_some_and(|line| line.contains("\"resultType\":\"complete\"")), "{heard:?}");
    }
}

/// What is kept for a server that may understand it yet goes when nobody waits for it.
#[test]
fn a_server_that_leaves_its_era_in_doubt() {
    let mut talk = Talk::new(Wire::Http, |_| {});
    talk.modern(1, "tools/list", json!({}));
    talk.answer("tools/list", tools(&["echo"]));
    for id in 2..1_000 {
        talk.modern(id, "tools/call", json!({ "name": "echo" }));
        talk.notify("notifications/cancelled", json!({ "requestId": id }));
    }
    let kept = format!("{:?}", talk.core).matches("Unsent").count();
    assert!(kept < 2, "{kept}");
    talk.wait(30_000);
    talk.heard();
    talk.modern(1_001, "tools/call", json!({ "name": "echo" }));
    talk.expect("greeted once more", &["> initialize"]);
    talk.wait(30_000);
    talk.expect("asked as before", &["> tools/call"]);
}

/// What one agent has broken on purpose is not held against the server in other sessions.
#[test]
fn an_agent_cannot_make_others_believe_what_a_server_speaks() {
    for code in [-32_602, -32_601] {
        let mut talk = Talk::new(Wire::Http, |_| {});
        talk.initialize();
        talk.refuse("initialize", code);
        talk.refuse("server/discover", -32_601);
        let said = format!("< … \"code\":{code}");
        talk.expect("it stays unknown", &["> initialize", "> server/discover", &said]);
        talk.initialize();
        talk.expect("and is found out again", &["> initialize"]);
    }
}

/// A server that forgets its session whenever it is asked anything is not greeted for ever.
#[test]
fn a_server_that_always_forgets() {
    let mut talk = Talk::bridged(Wire::Http, Speaks::Legacy, |_| {});
    let listen = json!({ "notifications": { "resourceSubscriptions": ["a:b", "a:c"] } });
    talk.modern(5, "subscriptions/listen", listen);
    talk.expect("followed", &["< … acknowledged", "> resources/subscribe", "> resources/subscribe"]);
    let mut greeted = 0;
    for _ in 0..100 {
        let open: Vec<_> = talk.sent.iter().map(|(exchange, sent)| (*exchange, sent.clone())).collect();
        talk.sent.clear();
        for (exchange, sent) in open {
            if sent["method"] == "initialize" {
                greeted += 1;
                talk.sent.insert(exchange, sent);
                talk.answer_with(exchange, json!({ "result": welcome() }));
                talk.sent.remove(&exchange);
            } else if sent["method"] == "resources/subscribe" {
                talk.event(lockgate_core::Event::Forgotten { server: name(), exchange, greeted: false });
            }
        }
    }
    assert!(greeted < 3, "{greeted}");
    // A call is sent again once.
    let exchange = talk.modern(6, "tools/call", json!({ "name": "read_page" }));
    for _ in 0..2 {
        talk.event(lockgate_core::Event::Forgotten { server: name(), exchange, greeted: false });
        if talk.sent.values().any(|sent| sent["method"] == "initialize") {
            talk.answer("initialize", welcome());
        }
    }
    assert_eq!(talk.told["error"]["data"]["reason"], "unknown_session", "{}", talk.told);
}

/// Answers to nothing, twice, or under another's number reach nobody, and are counted.
#[test]
fn answers_that_nobody_waits_for() {
    for era in [Speaks::Legacy, Speaks::Modern] {
        let mut talk = Talk::bridged(Wire::Lines, era, |_| {});
        let ask = |talk: &mut Talk, id| match era {
            Speaks::Legacy => talk.modern(id, "tools/call", json!({ "name": "read_page" })),
            _ => talk.legacy(id, "tools/call", json!({ "name": "read_page" })),
        };
        let mut result = text("first");
        result["resultType"] = json!("complete");
        let first = ask(&mut talk, 1);
        let second = ask(&mut talk, 2);
        talk.heard();
        talk.answer_with(first, json!({ "result": result }));
        talk.expect("once", &["< … \"id\":1"]);
        talk.answer_with(first, json!({ "result": result }));
        talk.server_on(None, &json!({ "jsonrpc": "2.0", "id": second.to_string(), "result": result }));
        talk.server_on(None, &json!({ "jsonrpc": "2.0", "id": 4711, "result": result }));
        talk.expect("to nobody", &[]);
        for _ in 0..300 {
            talk.server_on(None, &json!({ "jsonrpc": "2.0", "id": 4711, "result": result }));
        }
        talk.expect("enough", &["disconnect"]);
        assert!(talk.core.is_open(second));
    }
}
