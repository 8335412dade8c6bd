//! Requests that nobody well-meaning sends.

use crate::stage::{ALICE, BOB, Stage, bearer, request};

const APPROVE: &str = "POST /v1/approvals/apr-1/approve";

/// Every request is refused on the port with this status and code, and the desk hears of none.
async fn refused(cases: &[(&str, String, u16, &str)]) {
    let stage = Stage::open().await;
    for (what, text, status, code) in cases {
        let heard = stage.tcp(text).await;
        assert_eq!((heard.status, heard.code().as_str()), (*status, *code), "{what}: {heard:?}");
        assert!(heard.head.contains("content-type: application/json"), "{what}: {heard:?}");
        assert_eq!(heard.status == 405, heard.head.contains("allow: "), "{what}: {heard:?}");
        assert!(!heard.body.contains(ALICE), "{what}: {heard:?}");
    }
    assert_eq!(stage.told(), "");
}

/// A request with just these headers.
fn raw(line: &str, headers: &str) -> String {
    format!("{line} HTTP/1.1\r\n{headers}\r\n")
}

#[tokio::test]
async fn callers_without_a_token() {
    let ask = |line: &str, headers: &str| request(line, headers, "{}");
    let two = bearer(ALICE) + &bearer(BOB);
    let cases = [
        ("no token", ask(APPROVE, "")),
        ("a wrong token", ask(APPROVE, &bearer("x"))),
        ("two tokens", ask(APPROVE, &two)),
        ("no token, no path", ask("GET /nothing", "")),
        ("health", ask("GET /healthz", "")),
        ("the token in the query", ask(&format!("GET /healthz?token={ALICE}"), "")),
        ("a name for a token", ask(APPROVE, &bearer("alice"))),
        ("a name in a header", ask(APPROVE, "X-Forwarded-User: alice\r\n")),
    ];
    refused(&cases.map(|(what, text)| (what, text, 401, "unauthenticated"))).await;
}

#[tokio::test]
async fn pages_in_a_browser() {
    let get = |headers: &str| raw("GET /v1/stops", &format!("{headers}\r\n{}", bearer(ALICE)));
    let absolute = raw("GET http://evil.example/v1/stops", &format!("Host: localhost\r\n{}", bearer(ALICE)));
    let hosts = [
        ("a name that leads here", get("Host: evil.example")),
        ("a name that looks like it", get("Host: localhost.evil.example")),
        ("no host", raw("GET /v1/stops", &bearer(ALICE))),
        ("two hosts", get("Host: localhost\r\nHost: evil.example")),
        ("another host as target", absolute),
    ];
    refused(&hosts.map(|(what, text)| (what, text, 403, "host_not_allowed"))).await;
    let origins = [
        ("a page of another port", get("Host: localhost:80\r\nOrigin: http://localhost:81")),
        ("a page of no origin", get("Host: localhost\r\nOrigin: null")),
        ("two origins", get("Host: localhost\r\nOrigin: http://localhost\r\nOrigin: http://localhost")),
    ];
    refused(&origins.map(|(what, text)| (what, text, 403, "origin_not_allowed"))).await;
}

#[tokio::test]
async fn paths_and_methods() {
    let ask = |line: &str| request(line, &bearer(ALICE), "{}");
    let long = format!("GET /v1/approvals/{}", "a".repeat(65));
    let over = format!("X-HTTP-Method-Override: POST\r\n{}", bearer(ALICE));
    refused(&[
        ("an unknown path", ask("GET /v2/approvals"), 404, "no_such_path"),
        ("dots", ask("GET /v1/approvals/../stops"), 404, "no_such_path"),
        ("coded dots", ask("GET /v1/approvals/%2e%2e/stops"), 404, "no_such_path"),
        ("a coded slash", ask("POST /v1/approvals/apr-1%2fapprove"), 404, "no_such_path"),
        ("two slashes", ask("POST /v1//approvals/apr-1/approve"), 404, "no_such_path"),
        ("a slash at the end", ask("POST /v1/approvals/apr-1/approve/"), 404, "no_such_path"),
        ("an id too long", ask(&long), 404, "no_such_path"),
        ("an unknown id", ask("GET /v1/approvals/apr-9"), 404, "not_found"),
        ("approve by GET", ask("GET /v1/approvals/apr-1/approve"), 405, "method_not_allowed"),
        ("an odd method", ask("PATCH /v1/stops"), 405, "method_not_allowed"),
        ("a method in small letters", ask("post /v1/stops"), 405, "method_not_allowed"),
        ("another method by header", request("GET /v1/safe-mode", &over, ""), 405, "method_not_allowed"),
        ("a query that is not known", ask("GET /v1/approvals?all=1"), 400, "bad_query"),
        ("a query where none belongs", ask("POST /v1/approvals/apr-1/deny?all=true"), 400, "bad_query"),
        ("a store that is down", ask("GET /v1/approvals/broken"), 503, "unavailable"),
    ])
    .await;
}

#[tokio::test]
async fn bodies() {
    let token = bearer(ALICE);
    let say = |body: &str| request(APPROVE, &token, body);
    let stop =
        |target: &str| request("POST /v1/stops", &token, &format!(r#"{{"target":{target},"reason":"r"}}"#));
    let typed =
        |kind: &str| raw(APPROVE, &format!("Host: localhost\r\n{token}{kind}Content-Length: 2\r\n")) + "{}";
    let (json, text) = ("Content-Type: application/json\r\n", "Content-Type: text/plain\r\n");
    let long = format!(r#"{{"reason":"{}"}}"#, "x".repeat(70_000));
    let chunked = say("").replace("Content-Length: 0", &format!("{json}Transfer-Encoding: chunked"));
    let chunks = format!("{chunked}11170\r\n{}\r\n0\r\n\r\n", "x".repeat(0x11170));
    let deep = format!(r#"{{"reason":{}}}"#, "[".repeat(5000));
    let empty = typed(json).replace("Content-Length: 2", "Content-Length: 0").replace("{}", "");
    let on = |body| request("POST /v1/safe-mode", &token, body);
    refused(&[
        ("no type", typed(""), 415, "unsupported_media_type"),
        ("a form", typed(text), 415, "unsupported_media_type"),
        ("two types", typed(&format!("{json}{text}")), 415, "unsupported_media_type"),
        ("too long", say(&long), 413, "body_too_large"),
        ("too long in chunks", chunks, 413, "body_too_large"),
        ("not JSON", say("reason=x"), 400, "not_json"),
        ("nothing", empty, 400, "not_json"),
        ("two texts", say("{}{}"), 400, "not_json"),
        ("nested deep", say(&deep), 400, "bad_body"),
        ("an unknown field", say(r#"{"approvr":"alice"}"#), 400, "bad_body"),
        ("a field twice", say(r#"{"scope":"once","scope":"session"}"#), 400, "bad_body"),
        ("an unknown scope", say(r#"{"scope":"always"}"#), 400, "bad_body"),
        ("somebody else's name", say(r#"{"approver":"bob"}"#), 403, "approver_mismatch"),
        ("the kernel's name", say(r#"{"approver":"local:0"}"#), 403, "approver_mismatch"),
        ("no reason", request("POST /v1/stops", &token, r#"{"target":{"server":"x"}}"#), 400, "bad_body"),
        ("an empty target", stop("{}"), 400, "bad_body"),
        ("two targets", stop(r#"{"server":"x","session":"s"}"#), 400, "bad_body"),
        ("a pattern", stop(r#"{"server":"*"}"#), 400, "bad_body"),
        ("on as text", on(r#"{"on":"false","reason":"r"}"#), 400, "bad_body"),
    ])
    .await;
}

/// What is not HTTP gets no JSON either, but nothing is done.
#[tokio::test]
async fn what_is_not_http() {
    let stage = Stage::open().await;
    let token = bearer(ALICE);
    let header = format!("X: {}\r\n{token}", "x".repeat(20_000));
    for (what, text, status) in [
        ("noise", "\0\0\0\0 /v1/stops HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("headers too long", request("GET /v1/stops", &header, ""), 431),
        ("two lengths", request("POST /v1/stops", &format!("Content-Length: 7\r\n{token}"), "{}"), 400),
        ("another version", format!("GET /v1/stops HTTP/3.0\r\nHost: localhost\r\n{token}\r\n"), 400),
    ] {
        let heard = stage.tcp(&text).await;
        assert_eq!(heard.status, status, "{what}: {heard:?}");
    }
    // A second request behind the first, and one behind a body in chunks.
    let first = request("GET /v1/stops", &token, "");
    let second = request("POST /v1/stops", &token, r#"{"target":{"all":true},"reason":"r"}"#);
    let chunked = first.replace("Content-Length: 0", "Transfer-Encoding: chunked") + "0\r\n\r\n";
    for before in [first, chunked] {
        let heard = stage.tcp(&format!("{before}{second}")).await;
        assert_eq!((heard.status, heard.body.matches("HTTP/1.1").count()), (200, 0), "{heard:?}");
    }
    assert_eq!(stage.told(), "");
}
