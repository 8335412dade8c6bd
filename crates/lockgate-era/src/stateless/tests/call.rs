use super::*;

#[test]
fn requests_are_complete_in_themselves_and_results_lose_what_the_agent_does_not_know() {
    greeted().play(
        r#"
> 2 {"id":"x","method":"tools/call","params":{"name":"t","_meta":{"progressToken":"p","traceparent":"00","io.modelcontextprotocol/logLevel":"debug"},"arguments":{"a" : 1.50},"requestState":"forged","inputResponses":{}}}
  wire 2 {"id":2,"method":"tools/call","params":{"_meta":{$,"progressToken":2,"traceparent":"00"},"name":"t","arguments":{"a" : 1.50}}}
< 2 {"method":"notifications/progress","params":{"progressToken":2,"progress":1}}
  agent 2 {"method":"notifications/progress","params":{"progressToken":"p","progress":1}}
< {"method":"notifications/progress","params":{"progressToken":2,"progress":2}}
  agent 2 {"method":"notifications/progress","params":{"progressToken":"p","progress":2}}
< 2 {"method":"notifications/message","params":{"level":"info","data":1}}
  agent 2 {"method":"notifications/message","params":{"level":"info","data":1}}
< 2 {"id":2,"result":{"content":[ ],"new":{"x":1e2},"structuredContent":{},"resultType":"complete","ttlMs":1,"_meta":{"io.modelcontextprotocol/serverInfo":{}}}}
  agent 2 {"id":"x","result":{"content":[ ],"new":{"x":1e2},"structuredContent":{},"ttlMs":1}}
> 3 {"id":3,"method":"tools/list"}
  wire 3 {"id":3,"method":"tools/list","params":{"_meta":{$}}}
< {"id":3,"result":{"resultType":"complete","ttlMs":1,"cacheScope":"private","tools":[{"name":"a","outputSchema":{"type":"array"},"x":1},{"name":"b","outputSchema":{"type":"object"}}],"nextCursor":""}}
  agent 3 {"id":3,"result":{"tools":[{"name":"a","x":1},{"name":"b","outputSchema":{"type":"object"}}],"nextCursor":""}}
> 4 {"id":4,"method":"tools/call","params":{"name":"t"}}
  wire 4 {"id":4,"method":"tools/call","params":{"_meta":{$},"name":"t"}}
< 4 {"id":4,"result":{"resultType":"complete","content":[],"structuredContent":[1]}}
  agent 4 {"id":4,"result":{"content":[]}}
> 5 {"id":5,"method":"completion/complete","params":{}}
  wire 5 {"id":5,"method":"completion/complete","params":{"_meta":{$}}}
< 5 {"id":5,"result":{"completion":{}}}
  agent 5 {"id":5,"result":{"completion":{}}}
> 6 {"id":6,"method":"tools/call","params":{"name":"t"}}
  wire 6 {"id":6,"method":"tools/call","params":{"_meta":{$},"name":"t"}}
< 6 {"id":6,"result":{"resultType":"task","taskId":"1"}}
  failed 6 server_broke_protocol
"#,
    );
}

#[test]
fn errors_have_codes_of_the_handshake_era() {
    let neutral = r#"{"code":-32603,"message":"the server cannot answer this request of an older revision of the protocol"}"#;
    for (method, error, wanted) in [
        (
            "resources/read",
            r#"{"code":-32602,"message":"m","data":{"uri":"u"}}"#,
            r#"{"code":-32002,"message":"m","data":{"uri":"u"}}"#,
        ),
        ("prompts/get", r#"{"code":-32602,"message":"m"}"#, r#"{"code":-32602,"message":"m"}"#),
        ("tools/call", r#"{"code":-32020,"message":"secret"}"#, neutral),
        ("tools/call", r#"{"code":-32021,"message":"secret","data":{}}"#, neutral),
        ("tools/call", r#"{"code":-32022,"message":"secret"}"#, neutral),
        ("tools/call", r#"{"code":7,"message":"m"}"#, r#"{"code":7,"message":"m"}"#),
    ] {
        let mut stage = greeted();
        stage.step(&format!(r#"> 2 {{"id":"x","method":"{method}","params":{{}}}}"#));
        stage.play(&format!(
            "< 2 {{\"id\":2,\"error\":{error}}}\n  agent 2 {{\"id\":\"x\",\"error\":{wanted}}}"
        ));
        stage.step(&format!(r#"> 3 {{"id":"x","method":"{method}","params":{{}}}}"#));
        stage.play(&format!("< 3 {{\"error\":{error}}}\n  agent 3 {{\"error\":{wanted}}}"));
        assert!(!stage.bridge.awaits(ExchangeId(3)));
    }
}

#[test]
fn cancelled_requests_are_forgotten() {
    greeted().play(
        r#"
> 2 {"id":"x","method":"tools/call","params":{"name":"t"}}
  wire 2 {"id":2,"method":"tools/call","params":{"_meta":{$},"name":"t"}}
> {"method":"notifications/cancelled","params":{"requestId":"y"}}
> {"method":"notifications/cancelled","params":{"requestId":"x","reason":"r"}}
  wire {"method":"notifications/cancelled","params":{"requestId":2,"reason":"r"}}
  abandon 2
x 2
< 2 {"method":"notifications/message","params":{"level":"info","data":1}}
< 2 {"id":2,"result":{}}
  agent 100 {"id":2,"result":{}}
> 3 {"id":"x","method":"tools/call","params":{"name":"t"}}
  wire 3 {"id":3,"method":"tools/call","params":{"_meta":{$},"name":"t"}}
< 3 {"id":3,"result":{"resultType":"input_required","inputRequests":{"s":{"method":"roots/list"}}}}
  agent 3 {"id":"ask-1","method":"roots/list"}
x 3
  agent {"method":"notifications/cancelled","params":{"requestId":"ask-1"}}
> {"id":"ask-1","result":{"roots":[]}}
"#,
    );
}

#[test]
fn what_belongs_to_nothing_is_mapped_onto_nothing() {
    greeted().play(
        r#"
> 2 {"id":"x","method":"tools/call","params":{"name":"t"}}
  wire 2 {"id":2,"method":"tools/call","params":{"_meta":{$},"name":"t"}}
> 3 {"id":"y","method":"tools/call","params":{"name":"t"}}
  wire 3 {"id":3,"method":"tools/call","params":{"_meta":{$},"name":"t"}}
< 2 {"id":3,"result":{}}
  agent 100 {"id":3,"result":{}}
< {"id":"x","result":{}}
  agent 101 {"id":"x","result":{}}
< {"error":{"code":1,"message":"m"}}
  agent 102 {"error":{"code":1,"message":"m"}}
< {"method":"notifications/progress","params":{"progressToken":2,"progress":1}}
  agent 103 {"method":"notifications/progress","params":{"progressToken":2,"progress":1}}
< {"method":"notifications/cancelled","params":{"requestId":"ask-1"}}
< {"method":"notifications/tasks","params":{}}
< {"method":"notifications/tools/list_changed"}
< {"method":"notifications/unheard","params":{"_meta":{"io.modelcontextprotocol/serverInfo":1,"k":2}}}
  agent {"method":"notifications/unheard","params":{"_meta":{"k":2}}}
< {"id":"s","method":"sampling/createMessage","params":{}}
  wire {"id":"s","error":{"code":-32601,"message":"a server of this revision asks in its results, with input_required"}}
< noise
  agent noise
< 2 noise
  agent 2 noise
  abandon 2
< {"id":3,"id":4}
  agent {"id":3,"id":4}
< [{"id":3}]
  agent [{"id":3}]
< {"id":3,"result":}
  agent 3 {"id":3,"result":}
  abandon 3
"#,
    );
}

#[test]
fn a_wire_that_fails_fails_what_is_on_it() {
    greeted().play(
        r#"
> 2 {"id":"x","method":"tools/call","params":{"name":"t"}}
  wire 2 {"id":2,"method":"tools/call","params":{"_meta":{$},"name":"t"}}
> 3 {"id":"y","method":"tools/call","params":{"name":"t"}}
  wire 3 {"id":3,"method":"tools/call","params":{"_meta":{$},"name":"t"}}
< 3 {"id":3,"result":{"resultType":"input_required","inputRequests":{"r":{"method":"roots/list"}}}}
  agent 3 {"id":"ask-1","method":"roots/list"}
> 4 {"id":"z","method":"tools/call","params":{"name":"t"}}
  wire 4 {"id":4,"method":"tools/call","params":{"_meta":{$},"name":"t"}}
! 4 server_unreachable
  failed 4 server_unreachable
! 9 server_unreachable
! server_exited
  failed 2 server_exited
> {"id":"ask-1","result":{"roots":[]}}
  wire 100 {"id":100,"method":"tools/call","params":{"_meta":{$},"name":"t","inputResponses":{"r":{"roots":[]}}}}
! 100 server_exited
  failed 3 server_exited
"#,
    );
}
