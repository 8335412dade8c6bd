//! Peers that do what no peer should, with a bridge between them.

use lockgate_core::{Speaks, Wire};
use lockgate_model::Reason;
use serde_json::json;

use crate::talk::{Talk, name, question, text, tools, welcome};

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

/// A server that cannot be asked (it does not start, say) is asked anew by the next request.
#[test]
fn a_question_that_cannot_be_asked() {
    for own in [false, true] {
        let mut talk = Talk::new(Wire::Lines, |_| {});
        talk.modern(1, if own { "server/discover" } else { "tools/list" }, json!({}));
        talk.modern(2, "prompts/list", json!({}));
        let asked = talk.wire_of("server/discover");
        talk.heard();
        talk.fail(Some(asked), Reason::ServerUnreachable);
        let mut heard = talk.heard();
        heard.sort();
        assert!(
            heard.len() == 2 && heard.iter().all(|line| line.contains("server_unreachable")),
            "{heard:?}"
        );
        assert!(!talk.core.waits());
        talk.modern(3, "tools/list", json!({}));
        talk.expect("anew", &["> server/discover"]);
    }
}

/// An agent that does not come back with the answer: its call is taken back, and the question answered.
#[test]
fn an_agent_that_never_comes_back() {
    let mut talk = Talk::bridged(Wire::Http, Speaks::Legacy, |_| {});
    let wire = talk.modern(1, "tools/call", json!({ "name": "ask_me" }));
    talk.server_on(Some(wire), &question(7));
    talk.expect("held", &["> tools/call", "< … input_required"]);
    let state = talk.told["result"]["requestState"].clone();
    talk.wait(119_999);
    talk.expect("not yet", &[]);
    assert!(talk.core.awaits(&name(), wire));
    talk.wait(1);
    let cancelled = format!("> cancelled {wire}");
    talk.expect("now", &[&cancelled, "> answer … \"id\":7 … \"error\""]);
    assert!(!talk.core.awaits(&name(), wire) && !talk.core.waits());
    talk.answer_with(wire, json!({ "result": text("late") }));
    talk.modern(2, "tools/call", json!({ "name": "ask_me", "requestState": state }));
    talk.expect("too late", &["< … unknown_request_state"]);
}

/// A server that answers while the agent is away: its answer is kept, once, and told when the agent comes back.
#[test]
fn what_comes_while_the_agent_is_away() {
    for (what, says, expected) in [
        ("an answer", json!({ "result": text("early") }), "early"),
        ("an error", json!({ "error": { "code": -32_603, "message": "early" } }), "-32603"),
    ] {
        let mut talk = Talk::bridged(Wire::Http, Speaks::Legacy, |_| {});
        let wire = talk.modern(1, "tools/call", json!({ "name": "ask_me" }));
        talk.server_on(Some(wire), &question(7));
        talk.server_on(Some(wire), &question(7));
        talk.heard();
        let state = talk.told["result"]["requestState"].clone();
        talk.answer_with(wire, says.clone());
        talk.answer_with(wire, json!({ "result": text("again") }));
        talk.expect(what, &[]);
        assert!(!talk.core.awaits(&name(), wire));
        talk.modern(2, "tools/call", json!({ "name": "ask_me", "requestState": state }));
        talk.expect(what, &["> answer … \"id\":7 … \"error\"", &format!("< … {expected}")]);
    }
}

/// A server that asks again and again is not asked for ever, whether the agent must answer or not.
#[test]
fn a_server_that_wants_to_know_for_ever() {
    for asks in [true, false] {
        let mut talk = Talk::bridged(Wire::Lines, Speaks::Modern, |_| {});
        talk.legacy(1, "tools/call", json!({ "name": "ask_me" }));
        let mut result = json!({ "resultType": "input_required", "requestState": "s" });
        if asks {
            result["inputRequests"] = json!({ "q": question(0) });
            result["inputRequests"]["q"]
                .as_object_mut()
                .unwrap()
                .retain(|key, _| key == "method" || key == "params");
        }
        let mut rounds = 0;
        while talk.told["id"] != json!(1) {
            assert!(rounds < 100, "for ever");
            rounds += 1;
            result["requestState"] = json!(format!("s{rounds}"));
            talk.answer("tools/call", result.clone());
            if asks && talk.told["method"] == "elicitation/create" {
                let id = talk.told["id"].clone();
                talk.told = json!({});
                talk.agent(
                    &json!({ "jsonrpc": "2.0", "id": id, "result": { "action": "accept", "content": {} } }),
                );
            }
            let sent = &talk.sent[&talk.wire_of("tools/call")];
            assert!(rounds == 17 || sent["params"]["requestState"] == result["requestState"], "{sent}");
        }
        assert_eq!(rounds, 17);
        assert!(talk.told.to_string().contains("server_broke_protocol"), "{}", talk.told);
        assert!(talk.core.at_rest());
    }
}

/// A server that ends its subscription again and again is asked ever less often.
#[test]
fn a_server_that_ends_its_subscriptions() {
    for acknowledges in [true, false] {
        let mut talk = Talk::bridged(Wire::Lines, Speaks::Modern, |_| {});
        let mut ended = 0;
        for _ in 0..600 {
            let wire = talk.wire_of("subscriptions/listen");
            if ended < talk.sent.values().filter(|sent| sent["method"] == "subscriptions/listen").count() {
                ended += 1;
                if acknowledges {
                    talk.server_on(None, &json!({ "jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged",
                        "params": { "_meta": { "io.modelcontextprotocol/subscriptionId": wire.0 }, "notifications": { "toolsListChanged": true } } }));
                }
                talk.answer_with(wire, json!({ "result": { "resultType": "complete" } }));
            }
            talk.wait(1_000);
        }
        assert!((2..20).contains(&ended), "{ended} times in ten minutes");
        assert!(!talk.heard().iter().any(|line| line.starts_with('<')));
    }
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
