use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use lockgate_core::{Head, Sent, Wire};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::testing::{greeting, read_request, stateless};

const LIMIT: usize = 1000;
const PATIENCE: Duration = Duration::from_mins(1);

/// A server that answers one request after the other with these texts, and tells what it was asked: `+` for each
/// connection and `-` for its end, and the requests.
async fn server(replies: &[&str]) -> (HttpServer, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/mcp?a=b", listener.local_addr().unwrap());
    let (tell, asked) = mpsc::unbounded_channel();
    let mut replies: Vec<_> = replies.iter().rev().map(|reply| (*reply).to_owned()).collect();
    tokio::spawn(async move {
        while !replies.is_empty() {
            let (mut stream, _) = listener.accept().await.unwrap();
            tell.send("+".to_owned()).unwrap();
            while let Some(request) = read_request(&mut stream).await {
                tell.send(request).unwrap();
                let Some(reply) = replies.pop() else { break };
                // A client that has heard enough hangs up.
                let _written = stream.write_all(reply.as_bytes()).await;
                if reply.contains("Connection: close") {
                    break;
                }
            }
            // The test may be over.
            let _told = tell.send("-".to_owned());
        }
    });
    let headers = [("Authorization".to_owned(), "Bearer secret-of-the-server".to_owned())];
    (HttpServer::new(&address, &headers, LIMIT).unwrap(), asked)
}

async fn asked(told: &mut mpsc::UnboundedReceiver<String>) -> String {
    timeout(PATIENCE, told.recv()).await.unwrap().unwrap()
}

fn hello() -> Permit {
    greeting(Wire::Http, "1")
}

#[tokio::test]
async fn a_request_of_a_session() {
    let ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    let (http, mut told) = server(&[ok, ok, ok]).await;
    let permit = hello();
    let message = String::from_utf8(permit.message().to_vec()).unwrap();
    http.send(permit, Some("s-1")).await.unwrap();
    http.listen(Some("s-1"), Revision::R2025_06_18, Some("7")).await.unwrap();
    http.end("s-1", Revision::R2024_11_05).await.unwrap();

    assert_eq!(asked(&mut told).await, "+");
    let post = asked(&mut told).await;
    let (head, body) = post.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, message);
    assert!(head.starts_with("POST /mcp?a=b HTTP/1.1\r\n"), "{head}");
    for line in [
        "content-type: application/json",
        "accept: application/json, text/event-stream",
        "accept-encoding: identity",
        "authorization: Bearer secret-of-the-server",
        "mcp-session-id: s-1",
    ] {
        assert!(head.lines().any(|other| other == line), "{line} is not in {head}");
    }
    // It is settled by this very message.
    assert!(!head.contains("mcp-protocol-version"), "{head}");

    let get = asked(&mut told).await;
    assert!(get.starts_with("GET /mcp?a=b HTTP/1.1\r\n"), "{get}");
    for line in ["accept: text/event-stream", "mcp-protocol-version: 2025-06-18", "last-event-id: 7"] {
        assert!(get.lines().any(|other| other == line), "{line} is not in {get}");
    }
    let delete = asked(&mut told).await;
    assert!(delete.starts_with("DELETE /mcp?a=b HTTP/1.1\r\n"), "{delete}");
    assert!(!delete.contains("mcp-protocol-version"), "{delete}");
}

#[tokio::test]
async fn a_stateless_request() {
    let (http, mut told) = server(&["HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"]).await;
    http.send(stateless("tools/list"), None).await.unwrap();
    assert_eq!(asked(&mut told).await, "+");
    let head = asked(&mut told).await;
    for line in ["mcp-protocol-version: 2026-07-28", "mcp-method: tools/list"] {
        assert!(head.lines().any(|other| other == line), "{line} is not in {head}");
    }
    for absent in ["mcp-session-id", "mcp-name", "mcp-param"] {
        assert!(!head.contains(absent), "{absent} is in {head}");
    }
}

#[test]
fn headers_repeat_what_a_message_says() {
    let head = |revision, name: Option<&str>, parameters: &[(&str, &str)]| Head {
        sent: Sent::Request,
        revision,
        method: Some("tools/call"),
        name: name.map(str::to_owned),
        parameters: parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    };
    let describe = |head: &Head| {
        let mut headers = HeaderMap::new();
        super::describe(head, &mut headers).map(|()| headers)
    };
    for (plain, coded) in [
        ("echo", "echo"),
        ("a b", "a b"),
        ("", "=?base64??="),
        (" a", "=?base64?IGE=?="),
        ("a\n", "=?base64?YQo=?="),
        ("\u{e9}", "=?base64?w6k=?="),
        ("=?base64?YQ==?=", "=?base64?PT9iYXNlNjQ/WVE9PT89?="),
        ("=?base64?", "=?base64?"),
    ] {
        let headers = describe(&head(Revision::R2026_07_28, Some(plain), &[("Region", plain)])).unwrap();
        assert_eq!(headers["mcp-name"], coded);
        assert_eq!(headers["mcp-param-region"], coded);
        assert_eq!(decoded(&headers["mcp-name"]).as_deref(), Some(plain));
    }
    let bad = describe(&head(Revision::R2026_07_28, None, &[("a b", "x")]));
    assert_eq!(bad.unwrap_err(), Reason::BadParams);
    let legacy = describe(&head(Revision::R2025_11_25, Some("echo"), &[("x", "y")])).unwrap();
    assert_eq!((legacy.len(), &legacy["mcp-protocol-version"]), (1, &HeaderValue::from_static("2025-11-25")));
    assert!(describe(&head(Revision::R2024_11_05, None, &[])).unwrap().is_empty());
}

#[tokio::test]
async fn answers_by_their_type() {
    let long = "x".repeat(600);
    for (what, reply, status, session, body) in [
        ("JSON", "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nMcp-Session-Id: abc\r\nContent-Length: 2\r\n\r\n{}".to_owned(), 200, Some("abc"), "json {}"),
        ("JSON in chunks", "HTTP/1.1 200 OK\r\nContent-Type: Application/JSON\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n".to_owned(), 200, None, "json {}"),
        ("an error that is a message", "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}".to_owned(), 404, None, "json {}"),
        ("an acknowledgement", "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".to_owned(), 202, None, "empty"),
        ("an acknowledgement with a type", "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n".to_owned(), 202, None, "empty"),
        ("a page", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi".to_owned(), 200, None, "other"),
        ("a redirect", "HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:1/\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n".to_owned(), 307, None, "other"),
        ("a stream that is an error", "HTTP/1.1 500 Oops\r\nContent-Type: text/event-stream\r\nContent-Length: 0\r\n\r\n".to_owned(), 500, None, "other"),
        ("a stream", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream;charset=utf-8\r\nConnection: close\r\n\r\ndata: {}\n\ndata: lost".to_owned(), 200, None, "stream [{}]"),
        ("an over-long session", format!("HTTP/1.1 202 Accepted\r\nMcp-Session-Id: {long}\r\nContent-Length: 0\r\n\r\n"), 202, None, "empty"),
        ("a session with a space", "HTTP/1.1 202 Accepted\r\nMcp-Session-Id: a b\r\nContent-Length: 0\r\n\r\n".to_owned(), 202, None, "empty"),
    ] {
        let (http, _told) = server(&[&reply]).await;
        let answer = timeout(PATIENCE, http.send(hello(), None)).await.unwrap().unwrap();
        assert_eq!((answer.status, answer.session.as_deref()), (status, session), "{what}");
        let seen = match answer.body {
            HttpBody::Empty => "empty".to_owned(),
            HttpBody::Other => "other".to_owned(),
            HttpBody::Json(text) => format!("json {}", std::str::from_utf8(&text).unwrap()),
            HttpBody::Stream(mut events) => {
                let mut all = Vec::new();
                while let Some(event) = timeout(PATIENCE, events.next()).await.unwrap() {
                    all.push(String::from_utf8(event.unwrap().data.to_vec()).unwrap());
                }
                format!("stream [{}]", all.join(","))
            }
        };
        assert_eq!(seen, body, "{what}");
    }
}

#[tokio::test]
async fn answers_that_are_too_large_or_break_off() {
    let chunk = format!("64\r\n{}\r\n", "x".repeat(100));
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    for (what, reply, reason) in [
        ("by its length", format!("{head}Content-Length: 1001\r\n\r\n"), Reason::ResultTooLarge),
        (
            "by its chunks",
            format!("{head}Transfer-Encoding: chunked\r\n\r\n{}", chunk.repeat(11)),
            Reason::ResultTooLarge,
        ),
        (
            "without a length",
            format!("{head}Connection: close\r\n\r\n{}", "x".repeat(1001)),
            Reason::ResultTooLarge,
        ),
        (
            "broken off",
            format!("{head}Content-Length: 50\r\nConnection: close\r\n\r\n{{"),
            Reason::ServerExited,
        ),
        ("no HTTP", "SSH-2.0-OpenSSH\r\n\r\n".to_owned(), Reason::ServerUnreachable),
        ("no answer", "Connection: close".to_owned(), Reason::ServerUnreachable),
    ] {
        let (http, _told) = server(&[&reply]).await;
        let answer = timeout(PATIENCE, http.send(hello(), None)).await.unwrap();
        assert_eq!(answer.map(|answer| answer.status), Err(reason), "{what}");
    }
    let most = format!("{head}Content-Length: 1000\r\n\r\n{}", "x".repeat(1000));
    let (http, _told) = server(&[&most]).await;
    let HttpBody::Json(text) = http.send(hello(), None).await.unwrap().body else { panic!("no JSON") };
    assert_eq!(text.len(), LIMIT);
}

#[tokio::test]
async fn a_stream_is_read_as_it_comes_and_closed_when_dropped() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\nid: a\ndata: 2\n\n";
    let (http, mut told) = server(&[head, head]).await;
    let HttpBody::Stream(mut events) = http.send(hello(), None).await.unwrap().body else { panic!("none") };
    assert_eq!(asked(&mut told).await, "+");
    assert!(asked(&mut told).await.starts_with("POST"));
    for (id, data) in [(None, "1"), (Some("a"), "2")] {
        let event = timeout(PATIENCE, events.next()).await.unwrap().unwrap().unwrap();
        assert_eq!((event.id.as_deref(), &event.data[..]), (id, data.as_bytes()));
    }
    drop(events);
    assert_eq!(asked(&mut told).await, "-");
}

#[tokio::test]
async fn an_event_that_is_too_large_ends_the_stream() {
    let reply = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\ndata: {}\n\ndata: 2\n\n",
        "x".repeat(LIMIT + 1)
    );
    let (http, _told) = server(&[&reply]).await;
    let HttpBody::Stream(mut events) = http.send(hello(), None).await.unwrap().body else { panic!("none") };
    assert_eq!(events.next().await.unwrap().unwrap().data, "1");
    assert_eq!(events.next().await, Some(Err(Reason::ResultTooLarge)));
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn connections_are_used_again() {
    let ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    let empty = "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let (http, mut told) = server(&[ok, empty, ok]).await;
    for _ in 0..3 {
        http.send(hello(), None).await.unwrap();
    }
    assert_eq!(asked(&mut told).await, "+");
    for _ in 0..3 {
        assert!(asked(&mut told).await.starts_with("POST"));
    }
}

/// Not seen in the times of whole requests, which leave in one piece; so the socket is asked.
#[tokio::test]
async fn connections_send_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let connect = TowerToHyperService::new(connector());
    let stream = connect.call(address.parse::<Uri>().unwrap()).await.unwrap();
    assert!(stream.inner().nodelay().unwrap());
}

#[tokio::test]
async fn nobody_there() {
    // A port that is taken, so that nobody else comes to listen there, and where nobody listens.
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = format!("http://{}/", taken.local_addr().unwrap());
    let http = HttpServer::new(&address, &[], LIMIT).unwrap();
    assert_eq!(http.send(hello(), None).await.unwrap_err(), Reason::ServerUnreachable);
    // It listens, but speaks no TLS. Where the system has no root certificates there is nothing to try.
    let (plain, _told) = server(&["HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"]).await;
    let address = plain.address.to_string().replace("http://", "https://");
    if let Ok(http) = HttpServer::new(&address, &[], LIMIT) {
        assert_eq!(http.send(hello(), None).await.unwrap_err(), Reason::ServerUnreachable);
    }
}

#[test]
fn targets_that_cannot_be_used() {
    let secret = "secret-of-the-server";
    for (address, header, wrong) in [
        ("", None, "the address is not an http or https URL"),
        ("/mcp", None, "the address is not an http or https URL"),
        ("ftp://example.com/", None, "the address is not an http or https URL"),
        ("file:///mcp", None, "the address is not an http or https URL"),
        ("http://example.com/", Some("a b"), "header `a b` cannot be sent"),
    ] {
        let headers: Vec<_> =
            header.map(|name: &str| (name.to_owned(), secret.to_owned())).into_iter().collect();
        let error = HttpServer::new(address, &headers, LIMIT).unwrap_err().to_string();
        assert_eq!(error, wrong, "{address}");
    }
    let bad = [("X-Key".to_owned(), format!("{secret}\n"))];
    let error = HttpServer::new("http://example.com/", &bad, LIMIT).unwrap_err();
    assert_eq!(error.to_string(), "header `X-Key` cannot be sent");
    let good = [("X-Key".to_owned(), secret.to_owned())];
    let shown = format!("{:?}", HttpServer::new("http://example.com/", &good, LIMIT).unwrap());
    assert!(!shown.contains(secret), "{shown}");
}
