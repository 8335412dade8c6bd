use bytes::Bytes;
use lockgate_model::{ExchangeId, Revision, Tick};

use super::{HELLO, HELLO_BACK, Talk, all};
use crate::{Bounds, Moment, Out};

const LIST: &str = r#"{"id":"a","method":"tools/list","params":{"_meta":{$all}}}"#;
const CALL: &str = r#"{"id":"x","method":"tools/call","params":{"name":"t","_meta":{$all}}}"#;
const CALLED: &str = r#"{"id":7,"method":"tools/call","params":{"name":"t"}}"#;

#[test]
fn the_first_request_greets_and_the_others_wait() {
    let mut talk = Talk::new(Bounds::default());
    talk.run(&[
        ("agent 1", r#"{"id":"d","method":"server/discover","params":{"_meta":{$all}}}"#),
        ("wire 100", HELLO),
        ("agent 2", LIST),
        ("agent 3", r#"{"id":3,"method":"tools/list","params":{"_meta":{$none}}}"#),
        ("gone 3", ""),
        ("server 100", HELLO_BACK),
        ("wire", r#"{"method":"notifications/initialized"}"#),
        ("listen", ""),
        (
            "said 1",
            r#"{"id":"d","result":{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{"listChanged":true},"resources":{"subscribe":true,"listChanged":true},"prompts":{},"logging":{},"completions":{}},"instructions":"be A","ttlMs":0,"cacheScope":"private","_meta":{$server}}}"#,
        ),
        ("wire 2", r#"{"id":2,"method":"tools/list","params":{}}"#),
        ("server 2", r#"{"id":2,"result":{"tools":[]}}"#),
        (
            "said 2",
            r#"{"id":"a","result":{"resultType":"complete","ttlMs":0,"cacheScope":"private","_meta":{$server},"tools":[]}}"#,
        ),
    ]);
    assert!(!talk.bridge.waits());
}

#[test]
fn a_handshake_that_fails_fails_what_waits_and_the_next_request_tries_again() {
    let error = r#"{"id":100,"error":{"code":-32601,"message":"no"}}"#;
    let modern = r#"{"id":100,"result":{"protocolVersion":"2026-07-28","capabilities":{}}}"#;
    let unknown = r#"{"id":100,"result":{"protocolVersion":"2031-01-01","capabilities":{}}}"#;
    for (event, text, reason) in [
        ("server 100", error, "handshake_refused"),
        ("server", error, "handshake_refused"),
        ("server", modern, "handshake_refused"),
        ("server", unknown, "handshake_refused"),
        ("404 100", "", "handshake_refused"),
        ("lost 100", "server_unreachable", "server_unreachable"),
        ("lost", "server_exited", "server_exited"),
    ] {
        Talk::new(Bounds::default()).run(&[
            ("agent 1", LIST),
            ("wire 100", HELLO),
            ("agent 2", LIST),
            (event, text),
            ("failed 1", reason),
            ("failed 2", reason),
            ("agent 3", LIST),
            ("wire 101", &HELLO.replace("100", "101")),
        ]);
    }
    let mut talk = Talk::new(Bounds { waiting: 1, ..Bounds::default() });
    talk.run(&[
        ("agent 1", LIST),
        ("wire 100", HELLO),
        ("agent 2", LIST),
        ("failed 2", "too_many_open"),
        ("later", "29999"),
        ("later", "1"),
        ("close 100", ""),
        ("failed 1", "server_timed_out"),
        ("server 100", HELLO_BACK),
        ("said", super::STRAY),
    ]);
    assert!(!talk.bridge.waits());
}

#[test]
fn every_revision_of_the_era_will_do() {
    for revision in Revision::ALL.into_iter().filter(|revision| *revision != Revision::R2026_07_28) {
        let mut talk = Talk::new(Bounds::default());
        assert_eq!(talk.bridge.revision(), Revision::R2025_11_25);
        let back = format!(r#"{{"id":100,"result":{{"protocolVersion":"{}"}}}}"#, revision.as_str());
        talk.run(&[
            ("agent 1", r#"{"id":1,"method":"tools/list","params":{"_meta":{$all}}}"#),
            ("wire 100", HELLO),
            ("server 100", &back),
            ("wire", r#"{"method":"notifications/initialized"}"#),
            ("listen", ""),
            ("wire 1", r#"{"id":1,"method":"tools/list","params":{}}"#),
            ("server", r#"{"id":1,"result":{}}"#),
            ("said 1", r#"{"id":1,"result":{"resultType":"complete","ttlMs":0,"cacheScope":"private"}}"#),
        ]);
        assert_eq!(talk.bridge.revision(), revision);
    }
}

#[test]
fn results_and_errors_become_those_of_the_stateless_era() {
    let error = |code: &str| format!(r#"{{"id":7,"error":{{"code":{code},"message":"m","data":[1]}}}}"#);
    let said = |code: &str| format!(r#"{{"id":"x","error":{{"code":{code},"message":"m","data":[1]}}}}"#);
    for (code, becomes) in [
        ("-32002", "-32602"),
        ("-32042", "-32042"),
        ("-32022", "-32603"),
        ("-32020", "-32603"),
        ("-32099", "-32603"),
        ("-32601", "-32601"),
        ("-32000", "-32000"),
        ("-32019", "-32019"),
        ("-32100", "-32100"),
        ("7", "7"),
        ("99999999999999999999", "99999999999999999999"),
    ] {
        Talk::greeted(Bounds::default()).run(&[
            ("agent 7", CALL),
            ("wire 7", CALLED),
            ("server 7", &error(code)),
            ("said 7", &said(becomes)),
        ]);
    }
    for (answer, becomes) in [
        ("{}", r#"{"resultType":"complete","_meta":{$server}}"#),
        (r#"{"resultType":"input_required"}"#, r#"{"resultType":"complete","_meta":{$server}}"#),
        (r#"{"_meta":{}}"#, r#"{"resultType":"complete","_meta":{$server}}"#),
        (r#"{"_meta":7}"#, r#"{"resultType":"complete","_meta":{$server}}"#),
        (
            r#"{"_meta":{"P/serverInfo":1,"P/subscriptionId":2,"v/k":3}}"#,
            r#"{"resultType":"complete","_meta":{"v/k":3,$server}}"#,
        ),
        ("[]", "[]"),
    ] {
        Talk::greeted(Bounds::default()).run(&[
            ("agent 7", CALL),
            ("wire 7", CALLED),
            ("server", &format!(r#"{{"id":7,"result":{answer}}}"#)),
            ("said 7", &format!(r#"{{"id":"x","result":{becomes}}}"#)),
        ]);
    }
}

#[test]
fn what_is_unchanged_goes_on_byte_for_byte() {
    let mut talk = Talk::greeted(Bounds::default());
    let mut out = Vec::new();
    let moment = &mut Moment { now: Tick(0), next: &mut 500, out: &mut out };
    let call = r#"{ "jsonrpc":"2.0","params":{"arguments": { "a":1.50, "\u0062":[ ] } ,"name":"t\u0041","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","traceparent" : "00-a" ,"progressToken":"p"},"task":{"ttl":1},"new":[1 ,2]},"id":"x","method":"tools/call" }"#;
    talk.bridge.request(ExchangeId(7), "tools/call", &Bytes::from(call), moment);
    let answer = r#"{"result" : { "content":[ {"type":"new","x":1.0} ],"_meta":{ "a\/b":1 } },"id":7,"jsonrpc":"2.0"}"#;
    talk.bridge.heard(None, &Bytes::from(answer), moment);
    let [Out::Send { message: sent, .. }, Out::Said { message: said, .. }] = &out[..] else {
        panic!("{out:?}")
    };
    assert_eq!(
        std::str::from_utf8(sent).unwrap(),
        r#"{ "jsonrpc":"2.0","params":{"arguments":{ "a":1.50, "\u0062":[ ] },"name":"t\u0041","new":[1 ,2],"_meta":{"traceparent":"00-a","progressToken":7}},"id":7,"method":"tools/call" }"#
    );
    assert_eq!(
        std::str::from_utf8(said).unwrap(),
        r#"{"result" : {"resultType":"complete", "content":[ {"type":"new","x":1.0} ],"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"2"}, "a\/b":1 } },"id":"x","jsonrpc":"2.0"}"#
    );
}

#[test]
fn carried_conversations() {
    let progress = r#"{"method":"notifications/progress","params":{"progressToken":7,"progress":1,"_meta":{"P/subscriptionId":1,"v":1}}}"#;
    all(&[
        (
            "no counterpart",
            &[
                ("agent 2", r#"{"id":2,"method":"tasks/get","params":{"taskId":"t","_meta":{$all}}}"#),
                (
                    "said 2",
                    r#"{"id":2,"error":{"code":-32601,"message":"the server speaks an older revision of MCP, which has no such method"}}"#,
                ),
            ],
        ),
        (
            "the tokens of progress",
            &[
                (
                    "agent 7",
                    r#"{"id":"x","method":"tools/call","params":{"_meta":{$all,"progressToken":"p"}}}"#,
                ),
                ("wire 7", r#"{"id":7,"method":"tools/call","params":{"_meta":{"progressToken":7}}}"#),
                ("server", progress),
                (
                    "said 7",
                    r#"{"method":"notifications/progress","params":{"progressToken":"p","progress":1,"_meta":{"v":1}}}"#,
                ),
                ("server 8", progress),
                ("agent 9", r#"{"id":"y","method":"tools/call","params":{"_meta":{$all}}}"#),
                ("wire 9", r#"{"id":9,"method":"tools/call","params":{}}"#),
                (
                    "server",
                    r#"{"method":"notifications/progress","params":{"progressToken":9,"progress":1}}"#,
                ),
            ],
        ),
        (
            "cancelled by its id, over every wire",
            &[
                ("agent 7", CALL),
                ("wire 7", CALLED),
                ("agent", r#"{"method":"notifications/cancelled","params":{"requestId":"x"}}"#),
                ("wire", r#"{"method":"notifications/cancelled","params":{"requestId":7}}"#),
                ("close 7", ""),
                ("agent", r#"{"method":"notifications/cancelled","params":{"requestId":"x"}}"#),
                ("server 7", r#"{"id":7,"result":{}}"#),
                ("said", super::STRAY),
            ],
        ),
        (
            "the wire fails under a call",
            &[
                ("agent 7", CALL),
                ("wire 7", CALLED),
                ("lost 7", "server_unreachable"),
                ("failed 7", "server_unreachable"),
                ("agent 8", CALL),
                ("wire 8", &CALLED.replace('7', "8")),
                ("lost", "server_exited"),
                ("failed 8", "server_exited"),
            ],
        ),
        (
            "an error without an id, on the stream of the call",
            &[
                ("agent 7", CALL),
                ("wire 7", CALLED),
                ("server 7", r#"{"id":null,"error":{"code":-32600,"message":"m"}}"#),
                ("said 7", r#"{"id":"x","error":{"code":-32600,"message":"m"}}"#),
                ("agent 8", CALL),
                ("wire 8", &CALLED.replace('7', "8")),
                ("server 8", r#"{"error":{"code":-32600,"message":"m"}}"#),
                ("said 8", r#"{"id":"x","error":{"code":-32600,"message":"m"}}"#),
            ],
        ),
        (
            "forgotten, greeted again in the same words, and sent again once",
            &[
                ("agent 7", CALL),
                ("wire 7", CALLED),
                ("agent 8", r#"{"id":"y","method":"tools/call","params":{"name":"t","_meta":{$none}}}"#),
                ("wire 8", &CALLED.replace('7', "8")),
                ("404 7", ""),
                ("wire 101", &HELLO.replace("100", "101")),
                ("server 101", &HELLO_BACK.replace("100", "101")),
                ("wire", r#"{"method":"notifications/initialized"}"#),
                ("listen", ""),
                ("wire 7", CALLED),
                ("404 8", ""),
                ("wire 8", &CALLED.replace('7', "8")),
                ("404 7", ""),
                ("failed 7", "unknown_session"),
                ("server 8", r#"{"id":8,"result":{}}"#),
                ("said 8", r#"{"id":"y","result":{"resultType":"complete","_meta":{$server}}}"#),
            ],
        ),
    ]);
}

#[test]
fn logs_go_to_who_asked_for_them() {
    let log = r#"{"method":"notifications/message","params":{"level":"warning","data":1}}"#;
    let quiet = r#"{"method":"notifications/message","params":{"level":"info","data":1}}"#;
    let call =
        r#"{"id":"x","method":"tools/call","params":{"name":"t","_meta":{$all,"P/logLevel":"warning"}}}"#;
    all(&[
        (
            "the level is settled before the request goes",
            &[
                ("agent 7", call),
                ("wire 101", r#"{"id":101,"method":"logging/setLevel","params":{"level":"warning"}}"#),
                ("agent 8", &call.replace('x', "y").replace("warning", "error")),
                ("server", r#"{"id":101,"result":{}}"#),
                ("wire 7", CALLED),
                ("wire 102", r#"{"id":102,"method":"logging/setLevel","params":{"level":"error"}}"#),
                ("server", log),
                ("said 7", log),
                ("server 8", log),
                ("server 7", quiet),
                ("server 102", r#"{"id":102,"error":{"code":1,"message":"m"}}"#),
                ("wire 8", &CALLED.replace('7', "8")),
                ("server 8", log),
                ("server", log),
                ("said 7", log),
                ("agent 9", r#"{"id":"z","method":"tools/call","params":{"name":"t","_meta":{$all}}}"#),
                ("wire 9", &CALLED.replace('7', "9")),
                ("server 9", log),
            ],
        ),
        (
            "a server that does not answer is not waited for",
            &[
                ("agent 7", call),
                ("wire 101", r#"{"id":101,"method":"logging/setLevel","params":{"level":"warning"}}"#),
                ("later", "30000"),
                ("close 101", ""),
                ("wire 7", CALLED),
            ],
        ),
    ]);
}
