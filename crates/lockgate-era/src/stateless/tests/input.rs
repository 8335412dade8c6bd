use super::*;

#[test]
fn what_the_server_wants_to_know_the_agent_is_asked() {
    greeted().play(
        r#"
> 2 {"id":"x","method":"tools/call","params":{"name":"t","_meta":{"progressToken":"p"}}}
  wire 2 {"id":2,"method":"tools/call","params":{"_meta":{$,"progressToken":2},"name":"t"}}
< 2 {"id":2,"result":{"resultType":"input_required","inputRequests":{"n\"1":{"method":"elicitation/create","params":{"message":"name?","requestedSchema":{}}},"r":{"method":"roots/list"}},"requestState":"s\u00e9"}}
  agent 2 {"id":"ask-1","method":"elicitation/create","params":{"message":"name?","requestedSchema":{}}}
  agent 2 {"id":"ask-2","method":"roots/list"}
> {"id":"ask-2","result":{"roots":[ ]}}
> {"id":"ask-2","result":{"roots":["again"]}}
> {"id":"ask-1","error":{"code":-1,"message":"no"}}
  wire 100 {"id":100,"method":"tools/call","params":{"_meta":{$,"progressToken":100},"name":"t","inputResponses":{"n\"1":{"action":"cancel"},"r":{"roots":[ ]}},"requestState":"s\u00e9"}}
< 100 {"method":"notifications/progress","params":{"progressToken":100,"progress":1}}
  agent 2 {"method":"notifications/progress","params":{"progressToken":"p","progress":1}}
< {"id":2,"result":{"late":1}}
  agent 101 {"id":2,"result":{"late":1}}
< 100 {"id":100,"result":{"resultType":"input_required","requestState":"t"}}
  wire 102 {"id":102,"method":"tools/call","params":{"_meta":{$,"progressToken":102},"name":"t","requestState":"t"}}
< 102 {"id":102,"result":{"resultType":"input_required","inputRequests":{"u":{"method":"elicitation/create","params":{"mode":"url","message":"m","url":"https://x"}}}}}
  agent 2 {"id":"ask-3","method":"elicitation/create","params":{"elicitationId":"ask-3","mode":"url","message":"m","url":"https://x"}}
> {"id":"ask-3","result":{"action":"accept"}}
  wire 103 {"id":103,"method":"tools/call","params":{"_meta":{$,"progressToken":103},"name":"t","inputResponses":{"u":{"action":"accept"}}}}
< 103 {"id":103,"result":{"resultType":"complete","content":[]}}
  agent 2 {"id":"x","result":{"content":[]}}
< 103 {"id":103,"result":{"resultType":"complete","content":[]}}
  agent 104 {"id":103,"result":{"resultType":"complete","content":[]}}
"#,
    );
}

#[test]
fn a_server_that_asks_wrongly_breaks_the_protocol() {
    let many: Vec<_> = (0..17).map(|n| format!(r#""{n}":{{"method":"roots/list"}}"#)).collect();
    for (method, wanted) in [
        ("tools/call", String::new()),
        ("tools/call", r#","inputRequests":{}"#.to_owned()),
        ("tools/call", r#","requestState":7"#.to_owned()),
        ("tools/call", r#","inputRequests":{"a":{"method":"tools/call"}}"#.to_owned()),
        ("tools/call", r#","inputRequests":{"a":7}"#.to_owned()),
        ("tools/call", r#","inputRequests":{"a":{"method":"roots/list","params":[]}}"#.to_owned()),
        ("tools/call", format!(r#","inputRequests":{{{}}}"#, many.join(","))),
        ("tools/list", r#","requestState":"s""#.to_owned()),
    ] {
        let mut stage = greeted();
        stage.step(&format!(r#"> 2 {{"id":2,"method":"{method}","params":{{}}}}"#));
        stage.play(&format!(
            "< 2 {{\"id\":2,\"result\":{{\"resultType\":\"input_required\"{wanted}}}}}\n  failed 2 server_broke_protocol"
        ));
        assert!(!stage.bridge.waits() && !stage.bridge.awaits(ExchangeId(2)));
    }
}

#[test]
fn rounds_and_waiting_calls_are_bounded() {
    let more = r#""result":{"resultType":"input_required","requestState":"s"}}"#;
    let mut stage = greeted();
    stage.step(r#"> 2 {"id":2,"method":"tools/call","params":{}}"#);
    let mut wire = 2;
    for _ in 0..16 {
        assert_eq!(stage.step(&format!(r#"< {wire} {{"id":{wire},{more}"#)).len(), 1);
        wire = stage.next - 1;
    }
    assert_eq!(stage.step(&format!(r#"< {wire} {{"id":{wire},{more}"#)), ["failed 2 server_broke_protocol"]);

    let question =
        r#""result":{"resultType":"input_required","inputRequests":{"r":{"method":"roots/list"}}}}"#;
    let mut stage = Stage::new(Bounds { waiting: 1, ..Bounds::default() });
    stage.play(GREETING);
    for exchange in [2, 3] {
        stage.step(&format!(r#"> {exchange} {{"id":{exchange},"method":"tools/call","params":{{}}}}"#));
    }
    assert_eq!(stage.step(&format!(r#"< 2 {{"id":2,{question}"#)).len(), 1);
    assert_eq!(stage.step(&format!(r#"< 3 {{"id":3,{question}"#)), ["failed 3 too_many_open"]);
    stage.play(
        r#"
+ 119999
+ 1
  agent 2 {"method":"notifications/cancelled","params":{"requestId":"ask-1"}}
  failed 2 server_timed_out
> {"id":"ask-1","result":{"roots":[]}}
"#,
    );
}

#[test]
fn an_agent_that_refuses_to_answer_ends_the_call() {
    greeted().play(
        r#"
> 2 {"id":"x","method":"prompts/get","params":{"name":"t"}}
  wire 2 {"id":2,"method":"prompts/get","params":{"_meta":{$},"name":"t"}}
< 2 {"id":2,"result":{"resultType":"input_required","inputRequests":{"s":{"method":"sampling/createMessage","params":{}},"e":{"method":"elicitation/create","params":{}}}}}
  agent 2 {"id":"ask-1","method":"sampling/createMessage","params":{}}
  agent 2 {"id":"ask-2","method":"elicitation/create","params":{}}
> {"id":"ask-1","error":{"code":-32601,"message":"no sampling"}}
  agent 2 {"method":"notifications/cancelled","params":{"requestId":"ask-2"}}
  agent 2 {"id":"x","error":{"code":-32601,"message":"no sampling"}}
> {"id":"ask-2","result":{"action":"accept"}}
"#,
    );
}
