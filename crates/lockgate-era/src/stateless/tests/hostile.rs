//! Whatever a server says, and whenever: each request ends at most once, under its own id, and nothing is asked twice.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// What happens next; numbers are exchanges and ids, some of which exist.
#[derive(Clone, Debug)]
enum Event {
    Request(&'static str),
    Notification(&'static str),
    Answer(u64, bool),
    Abandon(u64),
    /// The stream, the number in the message, and the message.
    Heard(Option<u64>, u64, &'static str),
    Failed(Option<u64>),
    Pass(u64),
}

const REQUESTS: [&str; 8] = [
    r#"{"id":"ID","method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#,
    r#"{"id":"ID","method":"tools/call","params":{"name":"t","_meta":{"progressToken":"ID"}}}"#,
    r#"{"id":"ID","method":"resources/read","params":{"uri":"u"}}"#,
    r#"{"id":"ID","method":"tools/list"}"#,
    r#"{"id":"ID","method":"resources/subscribe","params":{"uri":"a"}}"#,
    r#"{"id":"ID","method":"resources/unsubscribe","params":{"uri":"a"}}"#,
    r#"{"id":"ID","method":"ping"}"#,
    r#"{"id":"ID","method":"logging/setLevel","params":{"level":"info"}}"#,
];

const NOTIFICATIONS: [&str; 2] = [
    r#"{"method":"notifications/initialized"}"#,
    r#"{"method":"notifications/cancelled","params":{"requestId":"s2"}}"#,
];

const MESSAGES: [&str; 22] = [
    r#"{"id":N,"result":{"resultType":"complete","content":[]}}"#,
    r#"{"id":N,"result":{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{"listChanged":true}}}}"#,
    r#"{"id":N,"result":{"resultType":"input_required","inputRequests":{"a":{"method":"roots/list"},"b":{"method":"elicitation/create","params":{"mode":"url"}}},"requestState":"s"}}"#,
    r#"{"id":N,"result":{"resultType":"input_required","requestState":"s"}}"#,
    r#"{"id":N,"result":{"resultType":"input_required"}}"#,
    r#"{"id":N,"result":{"resultType":7}}"#,
    r#"{"id":N,"result":{"_meta":[],"structuredContent":null,"tools":[{"outputSchema":7},8]}}"#,
    r#"{"id":N,"result":[]}"#,
    r#"{"id":"N","result":{}}"#,
    r#"{"id":"sN","result":{}}"#,
    r#"{"id":N,"error":{"code":-32602,"message":"m"}}"#,
    r#"{"id":N,"error":{"code":-32021,"message":"m"}}"#,
    r#"{"error":{"code":-32601,"message":"m"}}"#,
    r#"{"id":N,"method":"elicitation/create","params":{}}"#,
    r#"{"method":"notifications/progress","params":{"progressToken":N,"progress":1}}"#,
    r#"{"method":"notifications/progress","params":{"_meta":{"io.modelcontextprotocol/serverInfo":1}}}"#,
    r#"{"method":"notifications/message","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":N}}}"#,
    r#"{"method":"notifications/cancelled","params":{"requestId":N}}"#,
    r#"{"method":"notifications/cancelled","params":{"requestId":"ask-N"}}"#,
    r#"{"method":"notifications/tools/list_changed","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":N}}}"#,
    r#"{"method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":N},"notifications":{"resourceSubscriptions":["a"]}}}"#,
    r#"{"id":N,"result":"#,
];

fn event() -> impl Strategy<Value = Event> {
    let number = || prop_oneof![0_u64..12, 100_u64..130];
    let heard = (prop::option::of(number()), number(), prop::sample::select(&MESSAGES[..]), any::<bool>());
    prop_oneof![
        4 => prop::sample::select(&REQUESTS[..]).prop_map(Event::Request),
        1 => prop::sample::select(&NOTIFICATIONS[..]).prop_map(Event::Notification),
        2 => (0_u64..12, any::<bool>()).prop_map(|(number, good)| Event::Answer(number, good)),
        1 => number().prop_map(Event::Abandon),
        // Mostly on the stream that the message is about.
        8 => heard.prop_map(|(stream, number, message, right)| {
            Event::Heard(if right { Some(number) } else { stream }, number, message)
        }),
        1 => prop::option::of(number()).prop_map(Event::Failed),
        1 => prop_oneof![Just(1_000), Just(40_000), Just(130_000)].prop_map(Event::Pass),
    ]
}

impl Event {
    fn line(&self, exchange: u64) -> String {
        let number = |stream: &Option<u64>| stream.map_or(String::new(), |stream| stream.to_string());
        match self {
            Self::Request(text) => format!("> {exchange} {}", text.replace("ID", &format!("s{exchange}"))),
            Self::Notification(text) => format!("> {text}"),
            Self::Answer(number, true) => format!(r#"> {{"id":"ask-{number}","result":{{}}}}"#),
            Self::Answer(number, false) => {
                format!(r#"> {{"id":"ask-{number}","error":{{"code":-1,"message":"no"}}}}"#)
            }
            Self::Abandon(exchange) => format!("x {exchange}"),
            Self::Heard(stream, named, text) => {
                format!("< {} {}", number(stream), text.replace('N', &named.to_string()))
            }
            Self::Failed(stream) => format!("! {} server_exited", number(stream)),
            Self::Pass(millis) => format!("+ {millis}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_request_ends_at_most_once(events in prop::collection::vec(event(), 0..40)) {
        let mut stage = Stage::new(Bounds::default());
        let (mut open, mut asked, mut sent) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (exchange, event) in (1..).zip(&events) {
            if matches!(event, Event::Request(_)) {
                open.insert(exchange);
            }
            let lines = stage.step(&event.line(exchange));
            prop_assert!(lines.len() <= 100);
            for line in lines {
                let mut words = line.splitn(3, ' ');
                let (what, number) = (words.next().unwrap(), words.next().unwrap_or_default());
                let number = number.parse::<u64>().ok();
                let message: Value = words.next().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
                match (what, number) {
                    ("failed", Some(number)) => prop_assert!(open.remove(&number), "{line}"),
                    ("wire", Some(_)) => prop_assert!(sent.insert(message["id"].to_string()), "{line}"),
                    ("agent", Some(_)) if message.get("method").is_some() && message.get("id").is_some() => {
                        prop_assert!(asked.insert(message["id"].to_string()), "{line}");
                    }
                    // What belongs to nothing comes in an exchange that nobody has.
                    ("agent", Some(number)) if message.get("method").is_none() && number < 100 => {
                        prop_assert!(open.remove(&number), "{line}");
                        let id = message.get("id").map(|id| id.as_str().unwrap_or_default());
                        prop_assert!(id.is_none_or(|id| id == format!("s{number}")), "{line}");
                    }
                    _ => {}
                }
            }
            if let Event::Abandon(number) = event {
                open.remove(number);
            }
            if matches!(event, Event::Notification(text) if text.contains("cancelled")) {
                open.remove(&2);
            }
        }
    }
}
