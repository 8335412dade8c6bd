use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use lockgate_core::Wire;
use lockgate_model::Principal;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::front::{FrontStream, Route, StreamSender};
use crate::http::{HttpBody, HttpServer};
use crate::testing::greeting;

const PATIENCE: Duration = Duration::from_mins(1);

/// Answers as the message says, and tells what happened.
struct Scripted(mpsc::UnboundedSender<Told>);

#[derive(Debug)]
enum Told {
    Request(Box<FrontRequest>),
    Stream(StreamSender),
    Dropped,
}

struct Waiting(mpsc::UnboundedSender<Told>);

impl Drop for Waiting {
    fn drop(&mut self) {
        let _told = self.0.send(Told::Dropped);
    }
}

impl Handler for Scripted {
    async fn handle(self: Arc<Self>, request: FrontRequest) -> FrontResponse {
        let FrontMethod::Post(body) = &request.method else {
            self.0.send(Told::Request(Box::new(request))).unwrap();
            return FrontResponse::Empty { status: 204 };
        };
        match &body[..] {
            b"wait" => {
                let _waiting = Waiting(self.0.clone());
                self.0.send(Told::Request(Box::new(request))).unwrap();
                std::future::pending().await
            }
            b"stream" => {
                let (sender, body) = FrontStream::open();
                self.0.send(Told::Stream(sender)).unwrap();
                FrontResponse::Stream { body, session: Some("s-1".to_owned()) }
            }
            b"refuse" => FrontResponse::Refuse(Reason::ToolDenied, Some(Bytes::from_static(b"\"7\""))),
            _ => {
                let body = body.clone();
                self.0.send(Told::Request(Box::new(request))).unwrap();
                FrontResponse::Json { status: 200, body, session: Some("s-1".to_owned()) }
            }
        }
    }
}

struct Stage {
    address: SocketAddr,
    told: mpsc::UnboundedReceiver<Told>,
    close: watch::Sender<bool>,
    front: tokio::task::JoinHandle<()>,
}

async fn stage(change: impl FnOnce(&mut FrontSettings)) -> Stage {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut settings = FrontSettings {
        listens_on: IpAddr::from([127, 0, 0, 1]),
        allowed_hosts: Vec::new(),
        allowed_origins: Vec::new(),
        tokens: Vec::new(),
        request_bytes: 200_000,
        patience: PATIENCE,
        connections: 10,
    };
    change(&mut settings);
    let (tell, told) = mpsc::unbounded_channel();
    let (close, closing) = watch::channel(false);
    let admission = Admission::new(settings.connections);
    let front =
        tokio::spawn(serve(listener, Arc::new(Scripted(tell)), Arc::new(settings), admission, closing));
    Stage { address, told, close, front }
}

impl Stage {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn told(&mut self) -> Told {
        timeout(PATIENCE, self.told.recv()).await.unwrap().unwrap()
    }

    /// Everything that is answered to a request, until the connection ends.
    async fn raw(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        // A front that has heard enough may close before all is written.
        let _written = stream.write_all(request.as_bytes()).await;
        rest(&mut stream).await
    }
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // It may close with something unread, which resets the connection.
    let _read = timeout(PATIENCE, stream.read_to_end(&mut text)).await.unwrap();
    String::from_utf8(text).unwrap()
}

/// A POST with the right headers, and some more or other ones; an empty value takes a header away.
fn post(body: &str, headers: &[(&str, &str)]) -> String {
    request("POST /mcp", body, headers)
}

fn request(line: &str, body: &str, headers: &[(&str, &str)]) -> String {
    let length = body.len().to_string();
    let mut all = vec![
        ("Host", "localhost"),
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
        ("Content-Length", length.as_str()),
        ("Connection", "close"),
    ];
    for (name, value) in headers {
        all.retain(|(known, _)| known != name);
        all.push((name, value));
    }
    all.retain(|(_, value)| !value.is_empty());
    let headers: Vec<_> = all.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{line} HTTP/1.1\r\n{}\r\n{body}", headers.concat())
}

#[tokio::test]
async fn what_is_refused_before_anybody_looks_at_it() {
    let mut stage = stage(|settings| settings.request_bytes = 20).await;
    for (what, request, status, reason) in [
        ("host", post("{}", &[("Host", "evil.example")]), 403, "host_not_allowed"),
        ("origin", post("{}", &[("Origin", "http://evil.example")]), 403, "origin_not_allowed"),
        ("path", request("POST /", "{}", &[]), 404, "not_found"),
        ("server", request("POST /s/Db/mcp", "{}", &[]), 404, "not_found"),
        ("method", request("PUT /mcp", "{}", &[]), 405, "http_method_not_allowed"),
        ("options", request("OPTIONS /mcp", "", &[]), 405, "http_method_not_allowed"),
        ("no type", post("{}", &[("Content-Type", "")]), 415, "unsupported_media_type"),
        ("text", post("{}", &[("Content-Type", "text/plain")]), 415, "unsupported_media_type"),
        ("nearly", post("{}", &[("Content-Type", "application/jsonp")]), 415, "unsupported_media_type"),
        ("accepts nothing", post("{}", &[("Accept", "")]), 406, "not_acceptable"),
        ("accepts JSON", post("{}", &[("Accept", "application/json")]), 406, "not_acceptable"),
        ("accepts streams", post("{}", &[("Accept", "text/*")]), 406, "not_acceptable"),
        ("GET of JSON", request("GET /mcp", "", &[("Accept", "application/json")]), 406, "not_acceptable"),
        ("two sessions", post("{}", &[("Mcp-Session-Id", "a\r\nMcp-Session-Id: b")]), 400, "header_mismatch"),
        ("context", post("{}", &[("Lockgate-Context", "a b")]), 400, "header_mismatch"),
        ("long context", post("{}", &[("Lockgate-Context", &"x".repeat(65))]), 400, "header_mismatch"),
        (
            "two contexts",
            request("POST /c/a/mcp", "{}", &[("Lockgate-Context", "b")]),
            400,
            "header_mismatch",
        ),
        ("context in the path", request("POST /c/a.b/mcp", "{}", &[]), 404, "not_found"),
        ("large", post(&"x".repeat(21), &[]), 413, "message_too_large"),
        (
            "large by chunks",
            post(
                "15\r\nxxxxxxxxxxxxxxxxxxxxx\r\n",
                &[("Content-Length", ""), ("Transfer-Encoding", "chunked")],
            ),
            413,
            "message_too_large",
        ),
    ] {
        let answer = stage.raw(&request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{what}: {answer}");
        assert!(answer.contains(&format!("\"data\":{{\"reason\":\"{reason}\"")), "{what}: {answer}");
        assert_eq!(answer.contains("allow: POST, GET, DELETE"), status == 405, "{what}: {answer}");
    }
    stage.close.send(true).unwrap();
    stage.front.await.unwrap();
    assert!(stage.told.recv().await.is_none(), "something was looked at");
}

#[tokio::test]
async fn what_is_let_in() {
    let mut stage = stage(|_| {}).await;
    let headers = [
        ("Host", "127.0.0.1:1"),
        ("Origin", "http://localhost:1"),
        ("Content-Type", "application/json; charset=utf-8"),
        ("Accept", "*/*;q=0.1"),
        ("Mcp-Session-Id", "s-0"),
        ("Lockgate-Context", "a_B-1"),
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Name", "=?base64?w6k=?="),
        ("Mcp-Param-Region", "  eu "),
    ];
    let answer = stage.raw(&request("POST /s/db/mcp", "{}", &headers)).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n{}"), "{answer}");
    assert!(answer.contains("content-type: application/json\r\n"), "{answer}");
    assert!(answer.contains("mcp-session-id: s-1\r\n"), "{answer}");
    let Told::Request(seen) = stage.told().await else { panic!("no request") };
    assert!(matches!(&seen.route, Route::One(server) if server.as_str() == "db"));
    assert_eq!(seen.principal.as_str(), "local");
    assert_eq!((seen.session.as_deref(), seen.context.as_deref()), (Some("s-0"), Some("a_B-1")));
    assert_eq!(seen.headers.version.as_deref(), Some("2026-07-28"));
    assert_eq!((seen.headers.name.as_deref(), seen.headers.broken), (Some("é"), false));
    assert_eq!(seen.headers.parameters, [("region".to_owned(), "eu".to_owned())]);

    stage.raw(&request("GET /mcp", "", &[("Accept", "text/event-stream"), ("Last-Event-ID", "7.1")])).await;
    let Told::Request(seen) = stage.told().await else { panic!("no request") };
    assert!(matches!(seen.method, FrontMethod::Get) && seen.route == Route::All);
    assert_eq!(seen.last_event_id.as_deref(), Some("7.1"));
    stage.raw(&request("POST /c/run-7/s/db/mcp", "{}", &[])).await;
    let Told::Request(seen) = stage.told().await else { panic!("no request") };
    assert!(matches!(&seen.route, Route::One(server) if server.as_str() == "db"));
    assert_eq!(seen.context.as_deref(), Some("run-7"));
    stage.raw(&request("DELETE /mcp", "", &[("Accept", "")])).await;
    let Told::Request(seen) = stage.told().await else { panic!("no request") };
    assert!(matches!(seen.method, FrontMethod::Delete));

    let answer = stage.raw(&post("refuse", &[])).await;
    assert!(answer.contains("\"id\":\"7\",\"error\":{\"code\":-31000,"), "{answer}");
}

#[tokio::test]
async fn tokens() {
    let digest = Sha256::digest(b"token-of-alice").into();
    let mut stage = stage(|settings| settings.tokens = vec![(Principal::new("alice"), digest)]).await;
    for header in ["", "Bearer token-of-bob", "Basic token-of-alice", "Bearer", "Bearer token-of-alice-2"] {
        let answer = stage.raw(&post("{}", &[("Authorization", header)])).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{header}: {answer}");
        assert!(answer.contains("www-authenticate: Bearer\r\n"), "{header}: {answer}");
    }
    stage.raw(&post("{}", &[("Authorization", "Bearer token-of-alice")])).await;
    let Told::Request(seen) = stage.told().await else { panic!("no request") };
    assert_eq!(seen.principal.as_str(), "alice");
}

#[tokio::test]
async fn slow_requests_are_given_up() {
    let stage = stage(|settings| settings.patience = Duration::from_millis(50)).await;
    let answer = stage.raw(&post("{", &[("Content-Length", "2")])).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("body_timed_out"), "{answer}");
    assert_eq!(stage.raw("POST /mcp HTTP/1.1\r\nHost: local").await, "");
    assert_eq!(stage.raw("").await, "");
}

#[tokio::test]
async fn many_and_large_headers_are_refused() {
    let stage = stage(|_| {}).await;
    let many: Vec<_> = (0..101).map(|number| format!("X-{number}: 1\r\n")).collect();
    for headers in [many.concat(), format!("X: {}\r\n", "x".repeat(300_000))] {
        let answer = stage.raw(&format!("POST /mcp HTTP/1.1\r\n{headers}\r\n")).await;
        // Where not all was read the connection may be reset before the answer is.
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
}

#[tokio::test]
async fn an_agent_that_hangs_up_drops_the_wait() {
    let mut stage = stage(|_| {}).await;
    let mut stream = stage.connect().await;
    stream.write_all(post("wait", &[]).as_bytes()).await.unwrap();
    assert!(matches!(stage.told().await, Told::Request(_)));
    drop(stream);
    assert!(matches!(stage.told().await, Told::Dropped));
}

#[tokio::test]
async fn a_stream_is_written_as_it_comes_and_knows_when_the_agent_has_gone() {
    let mut stage = stage(|_| {}).await;
    let mut stream = stage.connect().await;
    stream.write_all(post("stream", &[]).as_bytes()).await.unwrap();
    let Told::Stream(sender) = stage.told().await else { panic!("no stream") };
    let mut text = String::new();
    for (step, part) in ["retry: 5\n", ":\n\n", "data: {\ndata: }\n\n"].iter().enumerate() {
        let sent = match step {
            0 => sender.send(Some("1.0"), Some(5), b"").await,
            1 => sender.keep_alive().await,
            _ => sender.send(None, None, b"{\n}").await,
        };
        assert!(sent);
        while !text.contains(part) {
            let mut piece = [0; 1000];
            let count = timeout(PATIENCE, stream.read(&mut piece)).await.unwrap().unwrap();
            assert!(count > 0, "{text}");
            text.push_str(std::str::from_utf8(&piece[..count]).unwrap());
        }
    }
    for header in
        ["text/event-stream", "cache-control: no-cache", "x-accel-buffering: no", "mcp-session-id: s-1"]
    {
        assert!(text.contains(header), "{header} is not in {text}");
    }
    drop(stream);
    timeout(PATIENCE, sender.closed()).await.unwrap();
    assert!(!sender.send(None, None, b"{}").await);
}

#[tokio::test]
async fn more_connections_wait() {
    let mut stage = stage(|settings| settings.connections = 1).await;
    let mut first = stage.connect().await;
    first.write_all(post("wait", &[]).as_bytes()).await.unwrap();
    assert!(matches!(stage.told().await, Told::Request(_)));
    let mut second = stage.connect().await;
    second.write_all(post("{}", &[]).as_bytes()).await.unwrap();
    let mut byte = [0];
    tokio::select! {
        biased;
        _ = second.read(&mut byte) => panic!("it did not wait"),
        () = tokio::task::yield_now() => {}
    }
    drop(first);
    assert!(rest(&mut second).await.starts_with("HTTP/1.1 200 "));
}

/// Idle connections do not hold up the end; answers under way are finished.
#[tokio::test]
async fn the_front_closes_at_once_where_nothing_is_under_way() {
    let mut stage = stage(|_| {}).await;
    let mut idle = stage.connect().await;
    idle.write_all(post("{}", &[("Connection", "keep-alive")]).as_bytes()).await.unwrap();
    assert!(matches!(stage.told().await, Told::Request(_)));
    let mut busy = stage.connect().await;
    busy.write_all(post("stream", &[]).as_bytes()).await.unwrap();
    let Told::Stream(sender) = stage.told().await else { panic!("no stream") };
    stage.close.send(true).unwrap();
    // Were it held until the farewell is over, the busy one would be cut off with it.
    assert!(rest(&mut idle).await.ends_with("{}"));
    assert!(sender.send(None, None, b"{}").await);
    drop(sender);
    assert!(rest(&mut busy).await.contains("data: {}"));
    let start = Instant::now();
    stage.front.await.unwrap();
    assert!(start.elapsed() < FAREWELL, "{:?}", start.elapsed());
}

/// Seldom seen in times on the loopback, so the socket is asked.
#[tokio::test]
async fn accepted_connections_send_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _agent = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    assert!(accept(&listener).await.unwrap().nodelay().unwrap());
}

#[tokio::test]
async fn a_call_through_both_ends_waits_for_nothing() {
    let stage = stage(|_| {}).await;
    let http = HttpServer::new(&format!("http://{}/mcp", stage.address), &[], 1 << 20).unwrap();
    for text in ["1".to_owned(), "x".repeat(100_000)] {
        let mut times = Vec::new();
        for _ in 0..21 {
            let start = Instant::now();
            let answer = http.send(greeting(Wire::Http, &text), None).await.unwrap();
            assert!(matches!(answer.body, HttpBody::Json(body) if body.len() > text.len()));
            times.push(start.elapsed());
        }
        times.sort();
        // An acknowledgement that is held back takes 40 ms. On a busy machine many may take long, but not most.
        assert!(times[5] < Duration::from_millis(20), "{times:?}");
    }
}
