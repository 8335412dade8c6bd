use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::telemetry::lock;
use crate::telemetry::tests::telemetry;
use crate::{Gauges, Running, Settings, start};

#[derive(Default)]
struct Moody {
    stuck: AtomicBool,
    unready: Mutex<Vec<&'static str>>,
}

impl House for Moody {
    fn gauges(&self) -> Gauges {
        Gauges { sessions: 7, ..Gauges::default() }
    }

    fn is_alive(&self) -> bool {
        !self.stuck.load(Ordering::Relaxed)
    }

    fn unready(&self) -> Vec<&'static str> {
        lock(&self.unready).clone()
    }
}

fn run(house: Arc<Moody>) -> (Running, SocketAddr) {
    let settings = Settings { listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))), otlp: None };
    let running = start(Arc::new(telemetry(None)), house, &settings).unwrap();
    let address = running.address().unwrap();
    (running, address)
}

fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn get(address: SocketAddr, path: &str) -> String {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n"))
}

#[test]
fn health_is_what_the_house_says() {
    let house = Arc::new(Moody::default());
    let (_running, address) = run(Arc::clone(&house));
    assert!(get(address, "/healthz").starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(get(address, "/readyz").ends_with("\r\n\r\nready\n"));
    assert!(get(address, "/metrics").contains("\nlockgate_sessions 7\n"));
    lock(&house.unready).extend(["everything is stopped", "records cannot be written"]);
    house.stuck.store(true, Ordering::Relaxed);
    let answer = get(address, "/readyz");
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(
        answer.ends_with("\r\n\r\nnot ready: everything is stopped; records cannot be written\n"),
        "{answer}"
    );
    assert!(get(address, "/healthz").starts_with("HTTP/1.1 503 "));
}

#[test]
fn only_who_asks_for_this_machine_is_answered() {
    let (_running, address) = run(Arc::default());
    for (host, status) in [
        ("localhost", "200"),
        ("LOCALHOST:1", "200"),
        ("127.0.0.1:9464", "200"),
        ("[::1]:9464", "200"),
        ("evil.example", "403"),
        ("127.0.0.1.evil.example:9464", "403"),
        ("localhost\r\nHost: evil.example", "403"),
        ("", "403"),
    ] {
        let answer = ask(address, &format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{host}: {answer}");
    }
    let without = ask(address, "GET /metrics HTTP/1.0\r\n\r\n");
    assert!(without.starts_with("HTTP/1.0 403 "), "{without}");
}

#[test]
fn nothing_can_be_done_there() {
    let (running, address) = run(Arc::default());
    assert!(get(address, "/mcp").starts_with("HTTP/1.1 404 "));
    let post =
        ask(address, &format!("POST /metrics HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\n\r\n"));
    assert!(post.starts_with("HTTP/1.1 405 ") && post.contains("allow: GET, HEAD\r\n"), "{post}");
    let head = ask(address, &format!("HEAD /metrics HTTP/1.1\r\nHost: {address}\r\n\r\n"));
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"), "{head}");
    drop(running);
    assert!(TcpStream::connect(address).is_err(), "it has ended");
}
