//! Which era a server speaks is told by how it answers.

use std::sync::Arc;

use lockgate_core::{Event, Speaks, Wire};
use lockgate_model::{Era, Reason, Revision};
use serde_json::{Value, json};

use crate::talk::{Talk, boundary, discovered, name, text, tools, welcome};

fn listed() -> Value {
    let mut listed = tools(&["echo"]);
    listed["resultType"] = json!("complete");
    listed
}

/// Over HTTP what was wanted is the question.
#[test]
fn what_the_first_answer_over_http_tells() {
    enum Answer {
        Says(Value),
        Fails(Reason),
        Garbage,
    }
    use Answer::{Fails, Garbage, Says};
    let error =
        |code: i64, data: Value| Says(json!({ "error": { "code": code, "message": "no", "data": data } }));
    let greets: &[&str] = &["> initialize"];
    let stays: &[&str] = &["< … \"error\""];
    let cases = [
        ("a result", Says(json!({ "result": listed() })), &["era Modern true", "< … echo"][..]),
        ("a result of the other era", Says(json!({ "result": tools(&["echo"]) })), &["< … echo"]),
        ("-32022 without this revision", error(-32022, json!({ "supported": ["2025-11-25"] })), greets),
        (
            "-32022 with this revision",
            error(-32022, json!({ "supported": ["2026-07-28"] })),
            &["era Modern true", "< … -32022"],
        ),
        ("-32020", error(-32020, Value::Null), &["era Modern true", "< … -32020"]),
        ("-32601", error(-32601, Value::Null), greets),
        ("-32600", error(-32600, Value::Null), greets),
        ("-32602", error(-32602, Value::Null), stays),
        ("400 without JSON", Fails(Reason::ServerRefused), greets),
        ("no answer", Fails(Reason::ServerUnreachable), stays),
        ("garbage", Garbage, &["< … server_broke_protocol"]),
    ];
    for (what, answer, expected) in cases {
        let mut talk = Talk::new(Wire::Http, |_| {});
        let exchange = talk.modern(1, "tools/list", json!({}));
        talk.expect(what, &["> tools/list"]);
        match answer {
            Says(message) => talk.answer_with(exchange, message),
            Fails(reason) => talk.fail(Some(exchange), reason),
            Garbage => talk.server_says(Some(exchange), "{"),
        }
        talk.expect(what, expected);
        assert_eq!(talk.core.is_open(exchange), expected == greets, "{what}");
    }
}

#[test]
fn an_agent_of_the_handshake_era_meets_a_stateless_server() {
    for (what, code, crosses) in [
        ("-32601", -32601, true),
        ("-32602", -32602, true),
        ("-32022", -32022, true),
        ("-32603", -32603, false),
    ] {
        for wire in [Wire::Http, Wire::Lines] {
            let mut talk = Talk::new(wire, |_| {});
            talk.initialize();
            talk.expect(what, &["> initialize"]);
            talk.refuse("initialize", code);
            talk.expect(what, if crosses { &["> server/discover"] } else { &["< … \"error\" … -32603"] });
            if crosses {
                talk.answer("server/discover", discovered());
                talk.expect(
                    what,
                    &["era Legacy false", "< … \"id\":99 … \"protocolVersion\":\"2025-06-18\""],
                );
                talk.notify("notifications/initialized", json!({}));
                talk.expect(what, &["> subscriptions/listen"]);
            }
        }
    }
}

/// Where the other era is not understood either, the agent hears what was said first, and all is open again.
#[test]
fn what_was_said_first_holds_where_nothing_is_understood() {
    for refuses in [true, false] {
        let mut talk = Talk::new(Wire::Http, |_| {});
        let exchange = talk.modern(1, "tools/list", json!({}));
        if refuses {
            talk.refuse("tools/list", -32600);
        } else {
            talk.fail(Some(exchange), Reason::ServerRefused);
        }
        talk.refuse("initialize", -32603);
        let said = if refuses { "< … \"code\":-32600" } else { "< … server_refused" };
        talk.expect("neither", &["> tools/list", "> initialize", said]);
        talk.modern(2, "tools/list", json!({}));
        talk.expect("again", &["> tools/list"]);
    }
    // A server that answered without what its era needs is asked as before, where it is not of the other one.
    let mut talk = Talk::new(Wire::Http, |_| {});
    talk.modern(1, "tools/list", json!({}));
    talk.answer("tools/list", tools(&["echo"]));
    talk.heard();
    talk.modern(2, "tools/call", json!({ "name": "echo" }));
    talk.expect("suspected", &["> initialize"]);
    talk.refuse("initialize", -32601);
    talk.expect("asked as before", &["> tools/call"]);
    talk.answer("tools/call", text("done"));
    talk.expect("asked as before", &["< … \"id\":2 … done"]);
}

#[test]
fn a_server_on_a_pipe_is_asked_first() {
    let mut talk = Talk::new(Wire::Lines, |_| {});
    talk.modern(1, "tools/list", json!({}));
    talk.modern(2, "prompts/list", json!({}));
    talk.modern(3, "resources/list", json!({}));
    talk.notify("notifications/cancelled", json!({ "requestId": 2 }));
    talk.expect("a question of ours", &["> server/discover"]);
    assert!(talk.core.waits());
    let waiting = talk.wire_of("server/discover");
    talk.answer_with(waiting, json!({ "result": discovered() }));
    talk.expect("it is stateless", &["era Modern true", "> tools/list", "> resources/list"]);
    talk.answer("tools/list", listed());
    talk.expect("", &["< … \"id\":1 … echo"]);

    let mut talk = Talk::new(Wire::Lines, |_| {});
    talk.modern(1, "tools/list", json!({}));
    talk.modern(2, "prompts/list", json!({}));
    talk.refuse("server/discover", -32601);
    talk.expect("it is not", &["> server/discover", "> initialize"]);
    talk.answer("initialize", welcome());
    talk.expect(
        "greeted",
        &["era Modern false", "> notifications/initialized", "listen", "> tools/list", "> prompts/list"],
    );
    talk.answer("tools/list", tools(&["echo"]));
    talk.expect("", &["< … \"id\":1 … \"resultType\":\"complete\" … echo"]);
}

/// The agent's own question is as good as ours.
#[test]
fn the_agents_own_question_on_a_pipe() {
    for (what, answer, expected) in [
        ("yes", json!({ "result": discovered() }), &["era Modern true", "< … supportedVersions"][..]),
        ("no", json!({ "error": { "code": -32601, "message": "no" } }), &["> initialize"]),
        ("some error", json!({ "error": { "code": -32603, "message": "no" } }), &["> initialize"]),
        ("another revision", json!({ "result": { "supportedVersions": ["2027-01-01"] } }), &["> initialize"]),
    ] {
        let mut talk = Talk::new(Wire::Lines, |_| {});
        let exchange = talk.modern(1, "server/discover", json!({}));
        talk.expect(what, &["> server/discover"]);
        talk.answer_with(exchange, answer);
        talk.expect(what, expected);
        if expected == ["> initialize"] {
            talk.answer("initialize", welcome());
            talk.expect(
                what,
                &[
                    "era",
                    "> notifications/initialized",
                    "listen",
                    "< … \"supportedVersions\":[\"2026-07-28\"]",
                ],
            );
        }
    }
}

/// Who does not say anything starts afresh, and is greeted.
#[test]
fn silence_on_a_pipe() {
    for own in [false, true] {
        let mut talk = Talk::new(Wire::Lines, |_| {});
        talk.modern(1, if own { "server/discover" } else { "tools/list" }, json!({}));
        let late = talk.wire_of("server/discover");
        talk.wait(4_999);
        talk.expect("not yet", &["> server/discover"]);
        talk.wait(1);
        talk.expect("now", &["restart", "> initialize"]);
        // What the one before had still to say is nobody's answer.
        talk.answer_with(late, json!({ "result": discovered() }));
        talk.expect("late", &[]);
        talk.answer("initialize", welcome());
        talk.heard();
        assert_eq!(talk.sent.values().any(|sent| sent["method"] == "tools/list"), !own);
    }
    // Cancelled meanwhile: nothing is left to be sent.
    let mut talk = Talk::new(Wire::Lines, |_| {});
    talk.modern(1, "server/discover", json!({}));
    talk.notify("notifications/cancelled", json!({ "requestId": 1 }));
    talk.heard();
    talk.wait(5_000);
    talk.expect("nobody waits", &["restart"]);
    talk.modern(2, "tools/list", json!({}));
    talk.expect("the next one", &["> initialize"]);
}

#[test]
fn a_server_that_ends_when_it_is_asked_is_greeted_next() {
    let mut talk = Talk::new(Wire::Lines, |_| {});
    talk.modern(1, "tools/list", json!({}));
    talk.fail(None, Reason::ServerExited);
    talk.expect("it ended", &["> server/discover", "< … \"id\":1 … server_exited"]);
    talk.modern(2, "tools/list", json!({}));
    talk.expect("greeted", &["> initialize"]);
    // It is of neither era: that is found out once more.
    talk.refuse("initialize", -32601);
    talk.expect("neither", &["< … \"id\":2 … handshake_refused"]);
    talk.modern(3, "tools/list", json!({}));
    talk.expect("once more", &["> server/discover"]);
}

#[test]
fn what_is_known_is_not_asked() {
    let cases = [
        (Some(Speaks::Both), None, "> tools/list"),
        (Some(Speaks::Modern), None, "> tools/list"),
        (Some(Speaks::Legacy), None, "> initialize"),
        (None, Some(true), "> tools/list"),
        (None, Some(false), "> initialize"),
        // The operator's word stands.
        (Some(Speaks::Legacy), Some(true), "> initialize"),
    ];
    for (configured, known, expected) in cases {
        let mut talk = Talk::new(Wire::Lines, |boundary| {
            boundary.servers.get_mut(&name()).unwrap().speaks = configured;
        });
        talk.core.know_eras(known.map(|speaks| ((name(), Era::Modern), speaks)));
        talk.modern(1, "tools/list", json!({}));
        talk.expect(&format!("{configured:?} {known:?}"), &[expected]);
    }
}

#[test]
fn answers_that_come_when_the_era_is_known() {
    let mut talk = Talk::new(Wire::Http, |_| {});
    let first = talk.modern(1, "tools/list", json!({}));
    let second = talk.modern(2, "prompts/list", json!({}));
    let third = talk.modern(3, "resources/list", json!({}));
    talk.heard();
    talk.answer_with(first, json!({ "error": { "code": -32601, "message": "no" } }));
    talk.expect("the first tells", &["> initialize"]);
    talk.fail(Some(second), Reason::ServerRefused);
    talk.answer("initialize", welcome());
    talk.expect(
        "both",
        &["era Modern false", "> notifications/initialized", "listen", "> tools/list", "> prompts/list"],
    );
    assert!([first, second, third].iter().all(|open| talk.core.awaits(&name(), *open)));
    talk.answer_with(third, json!({ "error": { "code": -32600, "message": "no" } }));
    talk.expect("the last", &["> resources/list"]);
    talk.answer_with(third, json!({ "result": { "resources": [] } }));
    talk.expect("", &["< … \"id\":3"]);
    assert!(!talk.core.awaits(&name(), third));
    talk.fail(Some(second), Reason::ServerRefused);
    talk.expect("", &["< … \"id\":2 … server_refused"]);
    talk.answer_with(first, json!({ "result": tools(&[]) }));
    talk.expect("", &["< … \"id\":1"]);
    assert!(!talk.core.waits());
}

#[test]
fn an_agent_may_change_over() {
    let mut talk = Talk::new(Wire::Lines, |_| {});
    talk.modern(1, "server/discover", json!({}));
    talk.refuse("server/discover", -32601);
    talk.refuse("initialize", -32603);
    talk.heard();
    talk.initialize();
    talk.expect("in its own era", &["> initialize"]);
    talk.answer("initialize", welcome());
    talk.expect("", &["era Legacy true", "< … \"id\":99 … protocolVersion"]);
    talk.notify("notifications/initialized", json!({}));
    talk.legacy(2, "tools/list", json!({}));
    talk.expect("as it is", &["> notifications/initialized", "> tools/list"]);
}

/// A session is stateless once it was answered so, whatever was asked: what it has read must outlive its server.
#[test]
fn whoever_is_answered_without_a_handshake_has_none() {
    for speaks in [Speaks::Modern, Speaks::Legacy] {
        let mut talk = Talk::new(Wire::Lines, |boundary| {
            boundary.servers.get_mut(&name()).unwrap().speaks = Some(speaks);
        });
        talk.modern(1, "tools/list", json!({}));
        assert_eq!(talk.core.revision(), None);
        if speaks == Speaks::Legacy {
            talk.answer("initialize", welcome());
        }
        talk.answer("tools/list", listed());
        assert_eq!(talk.core.revision(), Some(Revision::R2026_07_28));
    }
}

/// What the operator says of a server holds from the next request on.
#[test]
fn what_a_server_speaks_may_be_said_later() {
    let mut talk = Talk::bridged(Wire::Lines, Speaks::Legacy, |_| {});
    let meta = |talk: &mut Talk, id| {
        talk.modern(id, "tools/call", json!({ "name": "read_page" }));
        let wire = talk.wire_of("tools/call");
        let sent = talk.sent[&wire]["params"]["_meta"].is_object();
        talk.answer_with(wire, json!({ "result": { "resultType": "complete", "content": [] } }));
        talk.heard();
        sent
    };
    assert!(!meta(&mut talk, 1));
    let changed = boundary(Wire::Lines, |boundary| {
        boundary.servers.get_mut(&name()).unwrap().speaks = Some(Speaks::Both);
    });
    talk.event(Event::Changed(Arc::new(changed)));
    assert!(meta(&mut talk, 2));
}

#[test]
fn a_new_configuration_and_a_lost_server() {
    for era in [Speaks::Legacy, Speaks::Modern] {
        let mut talk = Talk::bridged(Wire::Lines, era, |_| {});
        let ask = |talk: &mut Talk, id| match era {
            Speaks::Legacy => talk.modern(id, "tools/call", json!({ "name": "read_page" })),
            _ => talk.legacy(id, "tools/call", json!({ "name": "read_page" })),
        };
        let exchange = ask(&mut talk, 1);
        talk.expect("sent", &["> tools/call"]);
        let changed = boundary(Wire::Lines, |boundary| {
            boundary.servers.get_mut(&name()).unwrap().speaks = Some(era);
        });
        talk.event(Event::Changed(Arc::new(changed)));
        assert!(talk.core.awaits(&name(), exchange));
        talk.answer_with(exchange, json!({ "result": text("kept") }));
        talk.heard();
        ask(&mut talk, 2);
        talk.heard();
        talk.fail(None, Reason::ServerExited);
        talk.expect("lost", &["< … \"id\":2 … server_exited"]);
        talk.core.awaits(&name(), exchange);
    }
}
