//! `subscriptions/listen`.

use super::{HELLO, HELLO_BACK, Talk, all};
use crate::Bounds;

fn listen(id: &str, notifications: &str) -> String {
    format!(
        r#"{{"id":{id},"method":"subscriptions/listen","params":{{"notifications":{notifications},"_meta":{{$all}}}}}}"#
    )
}

fn acknowledged(id: &str, notifications: &str) -> String {
    format!(
        r#"{{"method":"notifications/subscriptions/acknowledged","params":{{"_meta":{{"P/subscriptionId":{id}}},"notifications":{notifications}}}}}"#
    )
}

fn updated(id: &str, uri: &str) -> String {
    format!(
        r#"{{"method":"notifications/resources/updated","params":{{"uri":"{uri}","_meta":{{"P/subscriptionId":{id}}}}}}}"#
    )
}

fn ask(number: u64, method: &str, uri: &str) -> String {
    format!(r#"{{"id":{number},"method":"resources/{method}","params":{{"uri":"{uri}"}}}}"#)
}

const ALL: &str = r#"{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true,"resourceSubscriptions":["a:1","a:1","a:2"]}"#;
const AGREED: &str =
    r#"{"toolsListChanged":true,"resourcesListChanged":true,"resourceSubscriptions":["a:1","a:2"]}"#;
const FEW: &str = r#"{"toolsListChanged":false,"resourceSubscriptions":["a:2"]}"#;

#[test]
fn listens_share_what_is_followed() {
    let changed = r#"{"method":"notifications/tools/list_changed"}"#;
    let told = |id: &str| {
        format!(
            r#"{{"method":"notifications/tools/list_changed","params":{{"_meta":{{"P/subscriptionId":{id}}}}}}}"#
        )
    };
    let update =
        |uri: &str| format!(r#"{{"method":"notifications/resources/updated","params":{{"uri":"{uri}"}}}}"#);
    all(&[
        (
            "two listens",
            &[
                ("agent 7", &listen("\"l\"", ALL)),
                ("said 7", &acknowledged("\"l\"", AGREED)),
                ("wire 101", &ask(101, "subscribe", "a:1")),
                ("wire 102", &ask(102, "subscribe", "a:2")),
                ("agent 8", &listen("8", FEW)),
                ("said 8", &acknowledged("8", r#"{"resourceSubscriptions":["a:2"]}"#)),
                ("server", r#"{"id":101,"result":{}}"#),
                ("server 102", r#"{"id":102,"error":{"code":1,"message":"m"}}"#),
                ("server", changed),
                ("said 7", &told("\"l\"")),
                ("server", &changed.replace("tools", "prompts")),
                (
                    "server",
                    r#"{"method":"notifications/tools/list_changed","params":{"_meta":{"P/subscriptionId":9}}}"#,
                ),
                ("said 7", &told("\"l\"")),
                ("server", &update("a:2")),
                ("said 7", &updated("\"l\"", "a:2")),
                ("said 8", &updated("8", "a:2")),
                ("server", &update("a:1/part")),
                ("said 7", &updated("\"l\"", "a:1/part")),
                ("server", &update("a:10")),
                ("gone 7", ""),
                ("wire 103", &ask(103, "unsubscribe", "a:1")),
                ("server", changed),
                ("agent", r#"{"method":"notifications/cancelled","params":{"requestId":8}}"#),
                ("wire 104", &ask(104, "unsubscribe", "a:2")),
                ("server", &update("a:2")),
                ("later", "30000"),
                ("close 103", ""),
                ("close 104", ""),
            ],
        ),
        (
            "the server ends",
            &[
                ("agent 7", &listen("\"l\"", ALL)),
                ("said 7", &acknowledged("\"l\"", AGREED)),
                ("wire 101", &ask(101, "subscribe", "a:1")),
                ("wire 102", &ask(102, "subscribe", "a:2")),
                ("lost", "server_exited"),
                (
                    "said 7",
                    r#"{"id":"l","result":{"resultType":"complete","_meta":{"P/subscriptionId":"l"}}}"#,
                ),
            ],
        ),
        (
            "the server forgets its session",
            &[
                ("agent 7", &listen("\"l\"", FEW)),
                ("said 7", &acknowledged("\"l\"", r#"{"resourceSubscriptions":["a:2"]}"#)),
                ("wire 101", &ask(101, "subscribe", "a:2")),
                ("404 101", ""),
                ("wire 102", &HELLO.replace("100", "102")),
                ("404 101", ""),
                ("server 102", &HELLO_BACK.replace("100", "102")),
                ("wire", r#"{"method":"notifications/initialized"}"#),
                ("listen", ""),
                ("wire 103", &ask(103, "subscribe", "a:2")),
            ],
        ),
    ]);
}

#[test]
fn no_more_is_agreed_than_the_server_can() {
    let mut talk = Talk::new(Bounds::default());
    talk.run(&[
        ("agent 1", &listen("1", ALL)),
        ("wire 100", HELLO),
        ("server 100", r#"{"id":100,"result":{"protocolVersion":"2024-11-05","capabilities":{"tools":{},"resources":{"subscribe":false}}}}"#),
        ("wire", r#"{"method":"notifications/initialized"}"#),
        ("listen", ""),
        ("said 1", &acknowledged("1", "{}")),
        ("server", r#"{"method":"notifications/tools/list_changed"}"#),
    ]);
}

#[test]
fn what_is_followed_is_bounded() {
    let uris: Vec<_> = (0..300).map(|number| format!("\"a:{number}/\"")).collect();
    let (kept, _) = uris.split_at(crate::handshake::listen::MOST);
    let mut sorted = kept.to_vec();
    sorted.sort();
    let list = |uris: &[String]| format!(r#"{{"resourceSubscriptions":[{}]}}"#, uris.join(","));
    let (wants, agreed) = (listen("1", &list(&uris)), acknowledged("1", &list(&sorted)));
    let sent: Vec<_> = (0_u64..256)
        .map(|number| {
            (format!("wire {}", 101 + number), ask(101 + number, "subscribe", &format!("a:{number}/")))
        })
        .collect();
    let mut lines = vec![("agent 7", wants.as_str()), ("said 7", agreed.as_str())];
    lines.extend(sent.iter().map(|(verb, text)| (verb.as_str(), text.as_str())));
    let mut talk = Talk::greeted(Bounds::default());
    talk.run(&lines);
    // A server that answers nothing is not waited for without end: the oldest request is given up.
    let ends: Vec<_> = (357_u64..)
        .zip(&sorted)
        .map(|(number, uri)| (format!("wire {number}"), ask(number, "unsubscribe", uri.trim_matches('"'))))
        .collect();
    let mut lines = vec![("gone 7", "")];
    lines.extend(ends.iter().map(|(verb, text)| (verb.as_str(), text.as_str())));
    talk.run(&lines);
    talk.run(&[
        ("agent 8", &listen("8", FEW)),
        ("said 8", &acknowledged("8", r#"{"resourceSubscriptions":["a:2"]}"#)),
        ("close 101", ""),
        ("wire 613", &ask(613, "subscribe", "a:2")),
    ]);
}
