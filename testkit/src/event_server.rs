//! A scripted server of HTTP+SSE, the transport of revision 2024-11-05.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::hostile::{Heard, Upstream, answer};

/// The head of a stream of events.
pub const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

/// Starts it. Each message is given to the script with the stream of its session, and answered with the status that the
/// script gives.
pub fn event_server(script: impl Fn(&Heard, &mut TcpStream) -> u16 + Send + Sync + 'static) -> Upstream {
    let streams: Arc<Mutex<BTreeMap<String, TcpStream>>> = Arc::default();
    Upstream::start(move |heard, stream| {
        let mut streams = streams.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.verb == "GET" {
            let endpoint = format!("/messages?session={}", streams.len());
            let text = format!("{STREAM}event: endpoint\ndata: {endpoint}\n\n");
            streams.insert(endpoint, stream.try_clone().expect("a second handle"));
            return stream.write_all(text.as_bytes()).is_ok();
        }
        let Some(mut events) = streams.get(&heard.path).and_then(|events| events.try_clone().ok()) else {
            return stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").is_ok();
        };
        drop(streams);
        let status = script(heard, &mut events);
        stream.write_all(format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n").as_bytes()).is_ok()
    })
}

/// What a good one does.
pub fn behave(heard: &Heard, events: &mut TcpStream) -> u16 {
    if let Some(answer) = answer(heard) {
        let _said = events.write_all(format!("event: message\ndata: {answer}\n\n").as_bytes());
    }
    202
}

/// The configuration of such a server.
pub fn config(upstream: &Upstream) -> Value {
    let mut config = upstream.config();
    config["transport"] = json!("sse");
    config
}
