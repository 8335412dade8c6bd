use lockgate_core::Wire;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::*;
use crate::testing::{greeting, read_request};

const LIMIT: usize = 1_000;
const PATIENCE: Duration = Duration::from_mins(1);
const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
const ENDPOINT: &str = "event: endpoint\ndata: /messages?session=1\n\n";
const ACCEPTED: &str = "HTTP/1.1 202 Accepted\r\nContent-Length: 8\r\n\r\nAccepted";

/// A server that answers each GET with one text and keeps the connection open where it does not end in `-`, and each
/// POST with another. It tells what it was asked.
async fn server(
    stream: &str,
    reply: &'static str,
) -> (Arc<HttpServer>, mpsc::UnboundedReceiver<String>, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, asked) = mpsc::unbounded_channel();
    let stream = stream.replace("PORT", &port.to_string());
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let (tell, stream) = (tell.clone(), stream.clone());
            tokio::spawn(async move {
                while let Some(request) = read_request(&mut connection).await {
                    let get = request.starts_with("GET");
                    // The test may be over.
                    let _told = tell.send(request);
                    let text = if get { stream.trim_end_matches('-') } else { reply };
                    let _written = connection.write_all(text.as_bytes()).await;
                    if get && stream.ends_with('-') {
                        break;
                    }
                }
            });
        }
    });
    let headers = [("Authorization".to_owned(), "Bearer secret-of-the-server".to_owned())];
    let http = HttpServer::new(&format!("http://127.0.0.1:{port}/sse"), &headers, LIMIT).unwrap();
    (Arc::new(http), asked, port)
}

async fn next<T>(from: impl Future<Output = Option<T>>) -> T {
    timeout(PATIENCE, from).await.unwrap().unwrap()
}

fn hello() -> Permit {
    greeting(Wire::Lines, "1")
}

#[tokio::test]
async fn messages_go_to_the_endpoint_and_come_on_the_stream() {
    let text = format!("{STREAM}: hello\n\n{ENDPOINT}event: ping\ndata: x\n\ndata: {{\"a\":1}}\n\nid: 7\n\n");
    let (http, mut asked, _) = server(&text, ACCEPTED).await;
    let (said, mut heard) = mpsc::channel(4);
    let stream = EventStream::open(http, PATIENCE, said);
    let permit = hello();
    let message = String::from_utf8(permit.message().to_vec()).unwrap();
    stream.send(permit).await.unwrap();
    stream.send(hello()).await.unwrap();
    let Said::Message(event) = next(heard.recv()).await else { panic!("no message") };
    assert_eq!(&event[..], b"{\"a\":1}");

    let get = next(asked.recv()).await;
    assert!(
        get.starts_with("GET /sse HTTP/1.1\r\n") && get.contains("\r\naccept: text/event-stream\r\n"),
        "{get}"
    );
    let post = next(asked.recv()).await;
    let (lines, body) = post.split_once("\r\n\r\n").unwrap();
    assert!(lines.starts_with("POST /messages?session=1 HTTP/1.1\r\n"), "{lines}");
    assert!(lines.contains("\r\ncontent-type: application/json\r\n"), "{lines}");
    assert_eq!(body, message);
    for request in [&get, &post] {
        assert!(request.contains("\r\naccept-encoding: identity\r\n"), "{request}");
        assert!(request.contains("\r\nauthorization: Bearer secret-of-the-server\r\n"), "{request}");
        assert!(!request.contains("mcp-"), "the old transport has no such headers: {request}");
    }
    stream.close();
    assert!(next(async { Some(heard.recv().await) }).await.is_none(), "nothing more is heard");
    assert_eq!(stream.send(hello()).await, Err(Reason::ServerExited));
}

#[tokio::test]
async fn streams_that_are_none() {
    let redirect =
        "HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:PORT/other\r\nContent-Length: 0\r\n\r\n";
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi";
    let json = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    let events = |text: &str| format!("{STREAM}{text}");
    let endpoint = |text: &str| events(&format!("event: endpoint\ndata: {text}\n\n"));
    for (what, text, ended) in [
        ("a redirect", redirect.to_owned(), Ended::Refused(307)),
        ("no such path", "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n".to_owned(), Ended::Refused(404)),
        ("a page", page.to_owned(), Ended::NoStream),
        ("a message", json.to_owned(), Ended::NoStream),
        ("no HTTP", "SSH-2.0\r\n\r\n-".to_owned(), Ended::Unreachable),
        ("a message before the endpoint", events("data: {}\n\n"), Ended::NoEndpoint),
        ("an event without end", events(&format!("data: {}\n", "x".repeat(2_000))), Ended::NoEndpoint),
        ("an end at once", events("-"), Ended::Over),
        ("a second endpoint", events(&ENDPOINT.repeat(2)), Ended::SecondEndpoint),
        ("an end", events(&format!("{ENDPOINT}-")), Ended::Over),
        ("an empty endpoint", endpoint(""), Ended::NoEndpoint),
        ("an endless endpoint", endpoint(&format!("/{}", "x".repeat(900))).repeat(2), Ended::SecondEndpoint),
        ("another host", endpoint("http://localhost:PORT/messages"), Ended::ForeignEndpoint),
        ("another port", endpoint("http://127.0.0.1:1/messages"), Ended::ForeignEndpoint),
        ("the usual port", endpoint("http://127.0.0.1/messages"), Ended::ForeignEndpoint),
        ("another scheme", endpoint("https://127.0.0.1:PORT/messages"), Ended::ForeignEndpoint),
        ("no web address", endpoint("file:///messages"), Ended::ForeignEndpoint),
        ("a host without a scheme", endpoint("//evil.example/messages"), Ended::ForeignEndpoint),
        ("the same with other strokes", endpoint("\\\\\\\\evil.example/messages"), Ended::ForeignEndpoint),
        ("a host behind the own", endpoint("http://127.0.0.1:PORT@evil.example/"), Ended::ForeignEndpoint),
        ("no address", endpoint("http://[/"), Ended::NoEndpoint),
    ] {
        let (http, _asked, _) = server(&text, ACCEPTED).await;
        let (said, mut heard) = mpsc::channel(4);
        let stream = EventStream::open(http, PATIENCE, said);
        let Said::Closed(seen) = next(heard.recv()).await else { panic!("{what}") };
        assert_eq!(seen, ended, "{what}");
        assert_eq!(stream.send(hello()).await, Err(ended.reason()), "{what}");
        assert!(heard.recv().await.is_none(), "{what}: said last");
    }
}

#[tokio::test]
async fn endpoints_of_the_same_origin() {
    for (endpoint, path) in [
        ("messages", "/messages"),
        ("?session=1", "/sse?session=1"),
        ("http://127.0.0.1:PORT/a?b=c#d", "/a?b=c"),
        ("HTTP://127.1:PORT/a/../b", "/b"),
        ("http://user:word@127.0.0.1:PORT/a", "/a"),
        ("//127.0.0.1:PORT", "/"),
    ] {
        let text = format!("{STREAM}event: endpoint\ndata: {endpoint}\n\n");
        let (http, mut asked, own) = server(&text, ACCEPTED).await;
        let (said, _heard) = mpsc::channel(4);
        EventStream::open(http, PATIENCE, said).send(hello()).await.unwrap();
        let _get = next(asked.recv()).await;
        let post = next(asked.recv()).await;
        assert!(post.starts_with(&format!("POST {path} HTTP/1.1\r\n")), "{endpoint}: {post}");
        assert!(post.contains(&format!("\r\nhost: 127.0.0.1:{own}\r\n")), "{endpoint}: {post}");
    }
}

#[tokio::test]
async fn messages_that_are_not_accepted() {
    let stream = format!("{STREAM}{ENDPOINT}");
    for (reply, reason, over) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", None, false),
        ("HTTP/1.1 204 No Content\r\n\r\n", None, false),
        ("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", Some(Reason::ServerRefused), false),
        (
            "HTTP/1.1 308 Elsewhere\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
            Some(Reason::ServerRefused),
            false,
        ),
        ("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", Some(Reason::ServerExited), true),
    ] {
        let (http, mut asked, _) = server(&stream, reply).await;
        let (said, mut heard) = mpsc::channel(4);
        let stream = EventStream::open(http, PATIENCE, said);
        assert_eq!(stream.send(hello()).await.err(), reason, "{reply}");
        if over {
            let Said::Closed(ended) = next(heard.recv()).await else { panic!("{reply}") };
            assert_eq!(ended, Ended::Forgotten);
        } else {
            assert_eq!(stream.send(hello()).await.err(), reason, "{reply}: the stream goes on");
        }
        let _get = next(asked.recv()).await;
        while let Ok(request) = asked.try_recv() {
            assert!(request.starts_with("POST /messages"), "a redirect was followed: {request}");
        }
    }
}

#[tokio::test]
async fn servers_that_take_too_long() {
    let short = Duration::from_millis(50);
    for (stream, ended) in [("", Ended::Late), (STREAM, Ended::Late)] {
        let (http, _asked, _) = server(stream, ACCEPTED).await;
        let (said, mut heard) = mpsc::channel(4);
        let stream = EventStream::open(http, short, said);
        assert_eq!(stream.send(hello()).await, Err(Reason::ServerTimedOut));
        let Said::Closed(seen) = next(heard.recv()).await else { panic!("{ended}") };
        assert_eq!(seen, ended);
    }
    let (http, _asked, _) = server(&format!("{STREAM}{ENDPOINT}"), "").await;
    let (said, mut heard) = mpsc::channel(4);
    let stream = EventStream::open(http, short, said);
    assert_eq!(stream.send(hello()).await, Err(Reason::ServerTimedOut));
    assert!(heard.try_recv().is_err(), "the stream goes on");
}

#[tokio::test]
async fn a_message_that_is_accepted_late_keeps_no_other_from_going_out() {
    let (http, mut asked, _) = server(&format!("{STREAM}{ENDPOINT}"), "").await;
    let (said, _heard) = mpsc::channel(4);
    let stream = EventStream::open(http, PATIENCE, said);
    tokio::select! {
        _ = async { tokio::join!(stream.send(hello()), stream.send(hello())) } => panic!("never accepted"),
        () = async {
            for verb in ["GET", "POST", "POST"] {
                assert!(next(asked.recv()).await.starts_with(verb));
            }
        } => {}
    }
}

#[tokio::test]
async fn an_event_over_the_limit() {
    let large = format!("{{\"id\":5,\"result\":\"{}\"}}", "x".repeat(2 * LIMIT));
    let text = format!("{STREAM}{ENDPOINT}data: {large}\n\ndata: {{}}\n\n");
    let (http, _asked, _) = server(&text, ACCEPTED).await;
    let (said, mut heard) = mpsc::channel(4);
    let _stream = EventStream::open(http, PATIENCE, said);
    let Said::TooLong(beginning) = next(heard.recv()).await else { panic!("it was read") };
    assert!(beginning.len() > 100 && large.as_bytes().starts_with(&beginning));
    let Said::Message(event) = next(heard.recv()).await else { panic!("nothing behind it") };
    assert_eq!(&event[..], b"{}");
}
