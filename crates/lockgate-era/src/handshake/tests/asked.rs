//! The server asks during a call.

use super::{Talk, all};
use crate::Bounds;

pub(super) const CALL: &str = r#"{"id":"x","method":"tools/call","params":{"name":"t","arguments":{"a":1},"_meta":{$all,"progressToken":"p"}}}"#;
pub(super) const CALLED: &str =
    r#"{"id":7,"method":"tools/call","params":{"name":"t","arguments":{"a":1},"_meta":{"progressToken":7}}}"#;
pub(super) const ELICIT: &str = r#"{"id":"srv-1","method":"elicitation/create","params":{"message":"m","requestedSchema":{},"task":{},"_meta":{"progressToken":1,"P/x":1,"P/logLevel":2}}}"#;
/// What the agent is told of it in the first round.
pub(super) const SENT_AWAY: &str = r#"{"id":"x","result":{"resultType":"input_required","inputRequests":{"question-1":{"method":"elicitation/create","params":{"message":"m","requestedSchema":{},"_meta":{"P/x":1}}}},"_meta":{$server},"requestState":"7.1"}}"#;
const DONE: &str = r#"{"id":7,"result":{"content":[]}}"#;
const PROGRESS: &str = r#"{"method":"notifications/progress","params":{"progressToken":7,"progress":1}}"#;

/// The agent comes back with this state and these answers, under another id and token.
pub(super) fn back(state: &str, answers: &str) -> String {
    format!(
        r#"{{"id":"y","method":"tools/call","params":{{"name":"t","arguments":{{"a":1}},"requestState":"{state}","inputResponses":{answers},"_meta":{{$all,"progressToken":"q"}}}}}}"#
    )
}

fn done(id: &str) -> String {
    format!(r#"{{"id":"{id}","result":{{"resultType":"complete","_meta":{{$server}},"content":[]}}}}"#)
}

const YES: &str = r#"{"question-1":{"action":"accept","content":{"n":1.0},"resultType":"complete","_meta":{"P/clientInfo":1,"v":2}}}"#;
const YES_HEARD: &str = r#"{"id":"srv-1","result":{"action":"accept","content":{"n":1.0},"_meta":{"v":2}}}"#;

#[test]
fn the_agent_goes_away_and_comes_back() {
    let progress_back = r#"{"method":"notifications/progress","params":{"progressToken":"q","progress":1}}"#;
    let roots = r#"{"id":2,"method":"roots/list"}"#;
    let sample = r#"{"id":3,"method":"sampling/createMessage","params":{"messages":[],"maxTokens":1}}"#;
    let second_round = r#"{"id":"y","result":{"resultType":"input_required","inputRequests":{"question-2":{"method":"roots/list","params":{}},"question-3":{"method":"sampling/createMessage","params":{"messages":[],"maxTokens":1}}},"_meta":{$server},"requestState":"7.2"}}"#;
    all(&[
        (
            "the call goes on where the agent is",
            &[
                ("agent 7", CALL),
                ("wire 7", CALLED),
                ("server 7", ELICIT),
                ("said 7", SENT_AWAY),
                ("server 7", PROGRESS),
                ("agent 9", &back("7.1", YES)),
                ("wire", YES_HEARD),
                ("server 7", PROGRESS),
                ("said 9", progress_back),
                ("server 7", DONE),
                ("said 9", &done("y")),
            ],
        ),
        (
            "several questions, the later ones while the agent is away",
            &[
                ("agent 7", CALL),
                ("wire 7", CALLED),
                ("server", ELICIT),
                ("said 7", SENT_AWAY),
                ("server", roots),
                ("server", sample),
                ("agent 9", &back("7.1", YES)),
                ("wire", YES_HEARD),
                ("said 9", second_round),
                (
                    "agent 10",
                    &back(
                        "7.2",
                        r#"{"question-2":{"roots":[]},"question-3":{"role":"assistant","model":"m","content":{}}}"#,
                    ),
                ),
                ("wire", r#"{"id":2,"result":{"roots":[]}}"#),
                ("wire", r#"{"id":3,"result":{"role":"assistant","model":"m","content":{}}}"#),
                ("server", DONE),
                ("said 10", &done("y")),
            ],
        ),
    ]);
}

#[test]
fn what_happens_while_the_agent_is_away() {
    let roots = r#"{"id":2,"method":"roots/list"}"#;
    all(&[
        (
            "the answer comes while the agent is away",
            &[
                ("agent 7", CALL),
                ("wire 7", CALLED),
                ("server 7", ELICIT),
                ("said 7", SENT_AWAY),
                ("server 7", DONE),
                ("server 7", DONE),
                ("said", super::STRAY),
                ("server 7", roots),
                (
                    "wire",
                    r#"{"id":2,"error":{"code":-32600,"message":"no call is open during which this may be asked"}}"#,
                ),
                ("agent 9", &back("7.1", "{}")),
                (
                    "wire",
                    r#"{"id":"srv-1","error":{"code":-32603,"message":"the question was not answered"}}"#,
                ),
                ("said 9", &done("y")),
            ],
        ),
        (
            "the wire fails while the agent is away",
            &[
                ("agent 7", CALL),
                ("wire 7", CALLED),
                ("server 7", ELICIT),
                ("said 7", SENT_AWAY),
                ("lost 7", "server_unreachable"),
                ("agent 9", &back("7.1", YES)),
                ("wire", YES_HEARD),
                ("failed 9", "server_unreachable"),
            ],
        ),
        (
            "the server ends while the agent is away",
            &[
                ("agent 7", CALL),
                ("wire 7", CALLED),
                ("server 7", ELICIT),
                ("said 7", SENT_AWAY),
                ("lost", "server_exited"),
                ("agent 9", &back("7.1", YES)),
                ("failed 9", "unknown_request_state"),
            ],
        ),
        (
            "the server takes its question back",
            &[
                ("agent 7", CALL),
                ("wire 7", CALLED),
                ("server 7", ELICIT),
                ("said 7", SENT_AWAY),
                ("server", r#"{"method":"notifications/cancelled","params":{"requestId":"srv-1"}}"#),
                ("agent 9", &back("7.1", YES)),
                ("server 7", DONE),
                ("said 9", &done("y")),
            ],
        ),
        (
            "the question does not reach the agent",
            &[
                ("agent 7", CALL),
                ("wire 7", CALLED),
                ("server 7", ELICIT),
                ("said 7", SENT_AWAY),
                ("gone 7", ""),
                ("wire", r#"{"method":"notifications/cancelled","params":{"requestId":7}}"#),
                ("close 7", ""),
                (
                    "wire",
                    r#"{"id":"srv-1","error":{"code":-32603,"message":"the question was not answered"}}"#,
                ),
            ],
        ),
        (
            "the call is cancelled after the agent has come back",
            &[
                ("agent 7", CALL),
                ("wire 7", CALLED),
                ("server 7", ELICIT),
                ("said 7", SENT_AWAY),
                ("agent 9", &back("7.1", YES)),
                ("wire", YES_HEARD),
                ("gone 7", ""),
                ("gone 9", ""),
                ("wire", r#"{"method":"notifications/cancelled","params":{"requestId":7}}"#),
                ("close 7", ""),
            ],
        ),
    ]);
}

#[test]
fn an_answer_has_the_form_of_its_question() {
    let wrong = r#"{"id":"srv-1","error":{"code":-32603,"message":"the answer does not have the form that the question asks for"}}"#;
    for (answers, heard) in [
        (r#"{"question-1":{"action":"decline"}}"#, r#"{"id":"srv-1","result":{"action":"decline"}}"#),
        (r#"{"question-1":null}"#, wrong),
        (r#"{"question-1":[]}"#, wrong),
        (r#"{"question-1":{"action":"maybe"}}"#, wrong),
        (r#"{"question-1":{"roots":[]}}"#, wrong),
    ] {
        Talk::greeted(Bounds::default()).run(&[
            ("agent 7", CALL),
            ("wire 7", CALLED),
            ("server 7", ELICIT),
            ("said 7", SENT_AWAY),
            ("agent 9", &back("7.1", answers)),
            ("wire", heard),
        ]);
    }
    // One that is missing is asked for again.
    for answers in ["{}", r#"{"question-2":{"action":"accept"}}"#, "7"] {
        Talk::greeted(Bounds::default()).run(&[
            ("agent 7", CALL),
            ("wire 7", CALLED),
            ("server 7", ELICIT),
            ("said 7", SENT_AWAY),
            ("agent 9", &back("7.1", answers)),
            ("said 9", &SENT_AWAY.replace("7.1", "7.2").replace("\"x\"", "\"y\"")),
            ("agent 10", &back("7.2", YES)),
            ("wire", YES_HEARD),
        ]);
    }
}

#[test]
fn an_agent_that_does_not_come_back_is_not_waited_for_any_longer() {
    let mut talk = Talk::greeted(Bounds::default());
    talk.run(&[
        ("agent 7", CALL),
        ("wire 7", CALLED),
        ("server 7", ELICIT),
        ("said 7", SENT_AWAY),
        ("later", "119999"),
        ("later", "1"),
        ("wire", r#"{"method":"notifications/cancelled","params":{"requestId":7}}"#),
        ("close 7", ""),
        ("wire", r#"{"id":"srv-1","error":{"code":-32603,"message":"the question was not answered"}}"#),
        ("agent 9", &back("7.1", YES)),
        ("failed 9", "unknown_request_state"),
        ("server 7", DONE),
        ("said", super::STRAY),
    ]);
    assert!(!talk.bridge.waits());
    // One that is over at the server is not cancelled there.
    let mut talk = Talk::greeted(Bounds::default());
    talk.run(&[
        ("agent 7", CALL),
        ("wire 7", CALLED),
        ("server 7", ELICIT),
        ("said 7", SENT_AWAY),
        ("server 7", DONE),
        ("later", "120000"),
        ("wire", r#"{"id":"srv-1","error":{"code":-32603,"message":"the question was not answered"}}"#),
    ]);
}

#[test]
fn addresses_to_open() {
    let error = r#"{"id":7,"error":{"code":-32042,"message":"m","data":{"elicitations":[{"mode":"url","url":"https://a","message":"open","elicitationId":"e"}]}}}"#;
    let open = r#"{"id":"x","result":{"resultType":"input_required","inputRequests":{"address-1":{"method":"elicitation/create","params":{"mode":"url","url":"https://a","message":"open","elicitationId":"e"}}},"_meta":{$server}}}"#;
    let again = |action: &str| {
        CALL.replace(
            "\"_meta\"",
            &format!(r#""inputResponses":{{"address-1":{{"action":"{action}"}}}},"_meta""#),
        )
    };
    let complete = r#"{"method":"notifications/elicitation/complete","params":{"elicitationId":"e"}}"#;
    all(&[
        (
            "opened: the request is made again",
            &[
                ("agent 7", CALL),
                ("wire 7", CALLED),
                ("server 7", error),
                ("said 7", open),
                ("agent 9", &again("accept")),
                ("wire 9", &CALLED.replace('7', "9")),
                ("server", complete),
                ("said 9", complete),
            ],
        ),
        (
            "declined: it is not",
            &[
                ("agent 9", &again("decline")),
                (
                    "said 9",
                    r#"{"id":"x","error":{"code":-32603,"message":"the address that the server needs to be opened was not opened"}}"#,
                ),
            ],
        ),
        (
            "the client cannot",
            &[
                ("agent 7", r#"{"id":"x","method":"tools/call","params":{"_meta":{$none}}}"#),
                ("wire 7", r#"{"id":7,"method":"tools/call","params":{}}"#),
                ("server 7", error),
                (
                    "said 7",
                    r#"{"id":"x","error":{"code":-32021,"message":"the server needs an address to be opened","data":{"requiredCapabilities":{"elicitation":{"url":{}}}}}}"#,
                ),
            ],
        ),
    ]);
}
