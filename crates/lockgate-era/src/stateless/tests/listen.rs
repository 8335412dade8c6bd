use super::*;

const TAG: &str = "io.modelcontextprotocol/subscriptionId";

#[test]
fn changes_of_lists_and_resources_come_on_one_listen_at_a_time() {
    let mut stage = greeted();
    stage.play(&r#"
> {"method":"notifications/initialized"}
  wire 100 {"id":100,"method":"subscriptions/listen","params":{"_meta":{$},"notifications":{"toolsListChanged":true}}}
< {"method":"notifications/tools/list_changed","params":{"_meta":{"TAG":100}}}
< {"method":"notifications/subscriptions/acknowledged","params":{"_meta":{"TAG":100},"notifications":{"toolsListChanged":true}}}
< {"method":"notifications/tools/list_changed","params":{"_meta":{"TAG":"100","k":1}}}
  agent {"method":"notifications/tools/list_changed","params":{"_meta":{"k":1}}}
< 100 {"method":"notifications/prompts/list_changed","params":{}}
< 100 {"method":"notifications/resources/updated","params":{"uri":"a"}}
> 2 {"id":2,"method":"resources/subscribe","params":{"uri":"a"}}
  wire 101 {"id":101,"method":"subscriptions/listen","params":{"_meta":{$},"notifications":{"toolsListChanged":true,"resourceSubscriptions":["a"]}}}
> 3 {"id":3,"method":"resources/subscribe","params":{"uri":"b"}}
< 100 {"method":"notifications/tools/list_changed","params":{"_meta":{"TAG":100}}}
  agent {"method":"notifications/tools/list_changed","params":{}}
< 101 {"method":"notifications/subscriptions/acknowledged","params":{"_meta":{"TAG":101},"notifications":{"resourceSubscriptions":["a"]}}}
  wire {"method":"notifications/cancelled","params":{"requestId":100}}
  abandon 100
  agent 2 {"id":2,"result":{}}
  wire 102 {"id":102,"method":"subscriptions/listen","params":{"_meta":{$},"notifications":{"toolsListChanged":true,"resourceSubscriptions":["a","b"]}}}
< {"id":100,"result":{"resultType":"complete"}}
< {"method":"notifications/resources/updated","params":{"uri":"a","_meta":{"TAG":101}}}
  agent {"method":"notifications/resources/updated","params":{"uri":"a"}}
< {"method":"notifications/subscriptions/acknowledged","params":{"_meta":{"TAG":102},"notifications":{"resourceSubscriptions":["a"]}}}
  wire {"method":"notifications/cancelled","params":{"requestId":101}}
  abandon 101
  agent 3 {"id":3,"error":{"code":-32602,"message":"the server does not watch this resource"}}
> 4 {"id":4,"method":"resources/subscribe","params":{"uri":"a"}}
  agent 4 {"id":4,"result":{}}
> 5 {"id":5,"method":"resources/unsubscribe","params":{"uri":"b"}}
  agent 5 {"id":5,"result":{}}
> 6 {"id":6,"method":"resources/unsubscribe","params":{"uri":"a"}}
  wire 103 {"id":103,"method":"subscriptions/listen","params":{"_meta":{$},"notifications":{"toolsListChanged":true}}}
< 103 {"id":103,"error":{"code":-32022,"message":"m"}}
  agent 6 {"id":6,"error":{"code":-32603,"message":"the server cannot answer this request of an older revision of the protocol"}}
< 103 {"method":"notifications/subscriptions/acknowledged","params":{"notifications":{}}}
  agent 104 {"method":"notifications/subscriptions/acknowledged","params":{"notifications":{}}}
> 7 {"id":7,"method":"resources/subscribe","params":{}}
  agent 7 {"id":7,"error":{"code":-32602,"message":"`uri` is missing"}}
"#.replace("TAG", TAG));
    assert!(stage.bridge.awaits(ExchangeId(102)) && !stage.bridge.awaits(ExchangeId(103)));
}

#[test]
fn a_listen_that_ends_is_opened_again_ever_more_rarely() {
    let listen = |wire: u64| {
        format!(
            r#"wire {wire} {{"id":{wire},"method":"subscriptions/listen","params":{{"_meta":{{$}},"notifications":{{"toolsListChanged":true}}}}}}"#
        )
    };
    let mut stage = greeted();
    assert_eq!(stage.step(r#"> {"method":"notifications/initialized"}"#), [listen(100)]);
    stage
        .step(r#"< 100 {"method":"notifications/subscriptions/acknowledged","params":{"notifications":{}}}"#);
    assert!(!stage.bridge.waits());
    assert!(stage.step(r#"< {"method":"notifications/cancelled","params":{"requestId":100}}"#).is_empty());
    assert!(stage.bridge.waits() && !stage.bridge.awaits(ExchangeId(100)));
    assert!(stage.step("+ 999").is_empty());
    assert_eq!(stage.step("+ 1"), [listen(101)]);
    for (wire, pause) in
        [(101, 2_000), (102, 4_000), (103, 8_000), (104, 16_000), (105, 32_000), (106, 60_000), (107, 60_000)]
    {
        assert!(stage.step(&format!("! {wire} server_unreachable")).is_empty());
        assert!(stage.step(&format!("+ {}", pause - 1)).is_empty());
        assert_eq!(stage.step("+ 1"), [listen(wire + 1)]);
    }
    assert!(stage.step("! 108 server_unreachable").is_empty());
    assert!(!stage.bridge.waits(), "given up");

    let mut stage = greeted();
    stage.step(r#"> {"method":"notifications/initialized"}"#);
    stage.step(r#"< 100 {"id":100,"error":{"code":-32601,"message":"m"}}"#);
    assert!(!stage.bridge.waits(), "a server that cannot listen is not asked again");

    let mut stage = greeted();
    stage.step(r#"> {"method":"notifications/initialized"}"#);
    stage.play(
        r#"
> 2 {"id":2,"method":"resources/subscribe","params":{"uri":"a"}}
> 3 {"id":3,"method":"resources/subscribe","params":{"uri":"b"}}
x 3
+ 30000
  wire {"method":"notifications/cancelled","params":{"requestId":100}}
  abandon 100
  wire 101 {"id":101,"method":"subscriptions/listen","params":{"_meta":{$},"notifications":{"toolsListChanged":true,"resourceSubscriptions":["a"]}}}
! server_exited
  failed 2 server_exited
+ 1000
  wire 102 {"id":102,"method":"subscriptions/listen","params":{"_meta":{$},"notifications":{"toolsListChanged":true}}}
< 102 {"method":"notifications/subscriptions/acknowledged","params":{"notifications":{}}}
"#,
    );
}
