//! Servers and agents that do what they may not.

use super::asked::{CALL, CALLED, ELICIT, SENT_AWAY, back};
use super::{STRAY, Talk, all};
use crate::Bounds;

const DONE: &str = r#"{"id":7,"result":{}}"#;
const SAID: &str = r#"{"id":"x","result":{"resultType":"complete","_meta":{$server}}}"#;
const CANCELLED: &str = r#"{"method":"notifications/cancelled","params":{"requestId":7}}"#;

fn refused(code: i32, text: &str) -> String {
    format!(r#"{{"id":"srv-1","error":{{"code":{code},"message":"{text}"}}}}"#)
}

#[test]
fn servers_that_ask() {
    let no_call = refused(-32600, "no call is open during which this may be asked");
    let undeclared = refused(-32601, "the client does not declare that it can be asked this");
    let list = r#"{"id":"x","method":"tools/list","params":{"_meta":{$all}}}"#;
    let listed = r#"{"id":7,"method":"tools/list","params":{}}"#;
    let bare = r#"{"id":"x","method":"tools/call","params":{"_meta":{$none}}}"#;
    all(&[
        (
            "asks while no call is open",
            &[("server", ELICIT), ("wire", &no_call), ("server 7", ELICIT), ("wire", &no_call)],
        ),
        (
            "asks during a list",
            &[("agent 7", list), ("wire 7", listed), ("server 7", ELICIT), ("wire", &no_call)],
        ),
        (
            "asks on the stream of another request",
            &[("agent 7", CALL), ("wire 7", CALLED), ("server 8", ELICIT), ("wire", &no_call)],
        ),
        (
            "asks what the client of this call cannot be asked",
            &[
                ("agent 7", bare),
                ("wire 7", r#"{"id":7,"method":"tools/call","params":{}}"#),
                ("server 7", ELICIT),
                ("wire", &undeclared),
                ("server 7", &ELICIT.replace("elicitation/create", "roots/list")),
                ("wire", &undeclared),
                (
                    "agent 8",
                    &CALL.replace(
                        "$all",
                        r#""P/clientCapabilities":{"elicitation":{"url":{}},"sampling":{}}"#,
                    ),
                ),
                ("wire 8", &CALLED.replace('7', "8")),
                ("server 8", ELICIT),
                ("wire", &undeclared),
                ("server 8", r#"{"id":"srv-1","method":"sampling/createMessage","params":{"tools":[]}}"#),
                ("wire", &undeclared),
            ],
        ),
        (
            "asks on a pipe: the newest call whose client can be asked",
            &[
                ("agent 7", CALL),
                ("wire 7", CALLED),
                ("agent 8", &CALL.replace("$all", "$none")),
                ("wire 8", &CALLED.replace('7', "8")),
                ("agent 9", list),
                ("wire 9", &listed.replace('7', "9")),
                ("server", ELICIT),
                ("said 7", SENT_AWAY),
            ],
        ),
        (
            "asks what only an agent may, and pings",
            &[
                ("server", &ELICIT.replace("elicitation/create", "tools/call")),
                ("wire", &refused(-32601, "the client has no such method")),
                ("server", &ELICIT.replace("elicitation/create", "tasks/get")),
                ("wire", &refused(-32601, "the client has no such method")),
                ("server", r#"{"id":"p","method":"ping"}"#),
                ("wire", r#"{"id":"p","result":{}}"#),
            ],
        ),
        (
            "uses an id again",
            &[
                ("agent 7", CALL),
                ("wire 7", CALLED),
                ("agent 8", CALL),
                ("wire 8", &CALLED.replace('7', "8")),
                ("server 7", ELICIT),
                ("said 7", SENT_AWAY),
                ("server 7", ELICIT),
                ("wire", &refused(-32600, "a question with the same id is open")),
                ("server 8", ELICIT),
                ("wire", &refused(-32600, "a question with the same id is open")),
            ],
        ),
    ]);
}

#[test]
fn servers_that_answer() {
    all(&[
        (
            "answers twice, answers nothing, answers on a wrong stream or with a wrong id",
            &[
                ("agent 7", CALL),
                ("wire 7", CALLED),
                ("agent 8", &CALL.replace("\"x\"", "7")),
                ("wire 8", &CALLED.replace('7', "8")),
                ("server 8", DONE),
                ("said", STRAY),
                ("server 7", r#"{"id":"x","result":{}}"#),
                ("said", STRAY),
                ("server 7", r#"{"id":"7","result":{}}"#),
                ("said", STRAY),
                ("server", r#"{"id":9,"error":{"code":1,"message":"m"}}"#),
                ("said", STRAY),
                ("server", r#"{"id":null,"error":{"code":1,"message":"m"}}"#),
                ("said", STRAY),
                ("server 7", DONE),
                ("said 7", SAID),
                ("server 7", DONE),
                ("said", STRAY),
                ("server", DONE),
                ("said", STRAY),
            ],
        ),
        (
            "says what cannot be read",
            &[
                ("agent 7", CALL),
                ("wire 7", CALLED),
                ("server", "nonsense"),
                ("said", "nonsense"),
                ("server 7", "[]"),
                ("said 7", "[]"),
                ("close 7", ""),
                ("agent 8", CALL),
                ("wire 8", &CALLED.replace('7', "8")),
                ("server 8", &ELICIT.replace("srv-1", "s")),
                ("said 8", &SENT_AWAY.replace("7.1", "8.1")),
                ("server 8", "[]"),
                ("said", "[]"),
                ("close 8", ""),
                ("agent 9", &back("8.1", "{}")),
                ("wire", r#"{"id":"s","error":{"code":-32603,"message":"the question was not answered"}}"#),
                ("failed 9", "server_broke_protocol"),
            ],
        ),
        (
            "speaks as a stateless server would",
            &[
                ("agent 7", CALL),
                ("wire 7", CALLED),
                (
                    "server 7",
                    r#"{"method":"notifications/subscriptions/acknowledged","params":{"notifications":{},"_meta":{"P/subscriptionId":"x"}}}"#,
                ),
                ("server 7", r#"{"method":"notifications/tasks","params":{}}"#),
                ("server", r#"{"method":"no/such","params":{}}"#),
                ("server 7", r#"{"id":7,"result":{"resultType":"input_required","requestState":"7.1"}}"#),
                (
                    "said 7",
                    r#"{"id":"x","result":{"resultType":"complete","_meta":{$server},"requestState":"7.1"}}"#,
                ),
                ("agent 9", &back("7.1", "{}")),
                ("failed 9", "unknown_request_state"),
            ],
        ),
    ]);
}

#[test]
fn floods_come_to_nothing() {
    let mut talk = Talk::greeted(Bounds { questions: 2, ..Bounds::default() });
    talk.run(&[("agent 7", CALL), ("wire 7", CALLED), ("server 7", ELICIT), ("said 7", SENT_AWAY)]);
    talk.run(&[("server 7", &ELICIT.replace("srv-1", "srv-2"))]);
    let full = refused(-32603, "too many questions wait for an answer");
    for number in 3..1000 {
        let id = format!("srv-{number}");
        talk.run(&[("server 7", &ELICIT.replace("srv-1", &id)), ("wire", &full.replace("srv-1", &id))]);
        for told in ["tools/list_changed", "resources/updated", "progress", "message", "cancelled", "x"] {
            let told = format!(
                r#"{{"method":"notifications/{told}","params":{{"progressToken":7,"level":"error"}}}}"#
            );
            talk.run(&[("server 7", &told), ("server", &told)]);
        }
    }
}

#[test]
fn what_is_kept_for_an_agent_is_bounded() {
    let large =
        |id: &str| ELICIT.replace("srv-1", id).replace("\"m\"", &format!("\"{}\"", "m".repeat(15 << 20)));
    let mut talk = Talk::greeted(Bounds::default());
    talk.run(&[("agent 7", CALL), ("wire 7", CALLED), ("server 7", ELICIT), ("said 7", SENT_AWAY)]);
    talk.run(&[("server 7", &large("b")), ("server 7", &large("c"))]);
    let full = refused(-32603, "too many questions wait for an answer").replace("srv-1", "d");
    let answer = DONE.replace("{}", &format!(r#"{{"a":"{}"}}"#, "m".repeat(3 << 20)));
    talk.run(&[("server 7", &large("d")), ("wire", &full), ("server 7", &answer)]);
    talk.run(&[
        ("agent 9", &back("7.1", "{}").replace("{}", r#"{"question-1":7,"question-2":7,"question-3":7}"#)),
        ("wire", &wrong("srv-1")),
        ("wire", &wrong("b")),
        ("wire", &wrong("c")),
        ("failed 9", "result_too_large"),
    ]);
}

fn wrong(id: &str) -> String {
    format!(
        r#"{{"id":"{id}","error":{{"code":-32603,"message":"the answer does not have the form that the question asks for"}}}}"#
    )
}

#[test]
fn agents() {
    let unknown = |state: &str, change: &dyn Fn(String) -> String| {
        let again = change(back(state, r#"{"question-1":{"action":"accept"}}"#));
        Talk::greeted(Bounds::default()).run(&[
            ("agent 7", CALL),
            ("wire 7", CALLED),
            ("server 7", ELICIT),
            ("said 7", SENT_AWAY),
            ("agent 9", &again),
            ("failed 9", "unknown_request_state"),
        ]);
    };
    for state in ["", "7", "7.0", "7.2", "07.1", "8.1", "7.1 "] {
        unknown(state, &|text| text);
    }
    unknown("7.1", &|text| text.replace("\"t\"", "\"u\""));
    unknown("7.1", &|text| text.replace("tools/call", "prompts/get"));
    unknown("7.1", &|text| text.replace("tools/call", "tools/list"));
    unknown("7.1", &|text| text.replace("\"7.1\"", "7.1"));
    let answer = r#"{"question-1":{"action":"accept"},"question-9":{"action":"accept"},"other":7}"#;
    all(&[
        (
            "comes back twice with the same token",
            &[
                ("agent 7", CALL),
                ("wire 7", CALLED),
                ("server 7", ELICIT),
                ("said 7", SENT_AWAY),
                ("agent 9", &back("7.1", answer)),
                ("wire", r#"{"id":"srv-1","result":{"action":"accept"}}"#),
                ("agent 10", &back("7.1", answer)),
                ("failed 10", "unknown_request_state"),
                ("server 7", DONE),
                ("said 9", &SAID.replace("\"x\"", "\"y\"")),
                ("agent 11", &back("7.1", answer)),
                ("failed 11", "unknown_request_state"),
            ],
        ),
        (
            "answers without being asked",
            &[
                (
                    "agent 7",
                    &CALL.replace(
                        "\"_meta\"",
                        r#""inputResponses":{"question-1":{"action":"decline"}},"_meta""#,
                    ),
                ),
                ("wire 7", CALLED),
            ],
        ),
    ]);
    // Never comes back: there is room for so many calls that wait for it, and no more.
    let mut talk = Talk::greeted(Bounds { waiting: 1, ..Bounds::default() });
    talk.run(&[
        ("agent 7", CALL),
        ("wire 7", CALLED),
        ("agent 8", CALL),
        ("wire 8", &CALLED.replace('7', "8")),
        ("server 7", ELICIT),
        ("said 7", SENT_AWAY),
        ("server 8", &ELICIT.replace("srv-1", "srv-2")),
        ("wire", &CANCELLED.replace('7', "8")),
        ("close 8", ""),
        ("wire", r#"{"id":"srv-2","error":{"code":-32603,"message":"the question was not answered"}}"#),
        ("failed 8", "too_many_open"),
    ]);
}
