use super::*;

#[test]
fn initialize_is_answered_from_discover() {
    greeted();
    for (asked, found, answer) in [
        (
            r#"{"protocolVersion":"2026-07-28","capabilities":{},"clientInfo":{}}"#,
            r#"{"supportedVersions":["2026-07-28"],"capabilities":{}}"#,
            r#"  agent 1 {"id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"unnamed","version":"0"}}}"#,
        ),
        (
            r#"{"protocolVersion":"1999-01-01"}"#,
            r#"{"supportedVersions":["2026-07-28","x"],"capabilities":{},"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s"}}}"#,
            r#"  agent 1 {"id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"unnamed","version":"0"}}}"#,
        ),
        (
            r#"{"protocolVersion":"2024-11-05"}"#,
            r#"{"supportedVersions":["2027-01-01"],"capabilities":{}}"#,
            "  failed 1 server_broke_protocol",
        ),
        ("{}", r#"{"supportedVersions":["2026-07-28"]}"#, "  failed 1 server_broke_protocol"),
        ("{}", r#"{"resultType":"input_required"}"#, "  failed 1 server_broke_protocol"),
    ] {
        let mut stage = Stage::new(Bounds::default());
        stage.step(&format!(r#"> 1 {{"id":1,"method":"initialize","params":{asked}}}"#));
        stage.play(&format!("< 1 {{\"id\":1,\"result\":{found}}}\n{answer}"));
        assert!(!stage.bridge.waits() && !stage.bridge.awaits(ExchangeId(1)));
    }
}

#[test]
fn an_error_of_discover_answers_initialize() {
    let mut stage = Stage::new(Bounds::default());
    stage.step(r#"> 1 {"id":7,"method":"initialize"}"#);
    stage.play(
        r#"
< 1 {"id":1,"error":{"code":-32601,"message":"no"}}
  agent 1 {"id":7,"error":{"code":-32601,"message":"no"}}
"#,
    );
    stage.step(r#"> 1 {"id":7,"method":"initialize"}"#);
    assert!(stage.bridge.waits());
    stage.play(
        r#"
+ 29999
+ 1
  wire {"method":"notifications/cancelled","params":{"requestId":1}}
  abandon 1
  failed 1 server_timed_out
"#,
    );
}

#[test]
fn answered_by_the_bridge() {
    greeted().play(
        r#"
> 2 {"id":"p","method":"ping"}
  agent 2 {"id":"p","result":{}}
> 2 {"id":2,"method":"logging/setLevel","params":{"level":"loud"}}
  agent 2 {"id":2,"error":{"code":-32602,"message":"`level` is none of the levels of the protocol"}}
> 2 {"id":2,"method":"logging/setLevel","params":{"level":"error"}}
  agent 2 {"id":2,"result":{}}
> 3 {"id":3,"method":"prompts/list"}
  wire 3 {"id":3,"method":"prompts/list","params":{"_meta":{$,"io.modelcontextprotocol/logLevel":"error"}}}
> 4 {"id":4,"method":"tasks/list"}
  agent 4 {"id":4,"error":{"code":-32601,"message":"the server offers no tasks"}}
> 4 {"id":4,"method":"tools/call","params":{"name":"t","task":{}}}
  agent 4 {"id":4,"error":{"code":-32601,"message":"the server offers no tasks"}}
> {"method":"notifications/roots/list_changed"}
> {"method":"notifications/progress","params":{"progressToken":1,"progress":1}}
> {"id":"ask-9","result":{}}
"#,
    );
}
