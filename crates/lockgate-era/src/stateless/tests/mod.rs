//! Conversations, as text. A line that begins with a sign is what happens; the indented lines after it are what the
//! bridge wants done, all of it and in order.
//!
//! `> 1 …` the session asks in exchange 1, `> …` it notifies or answers, `x 1` it abandons; `< 1 …` the server says on
//! the stream of exchange 1, `< …` on a pipe; `! 1 reason` the exchange fails, `! reason` everything; `+ 1000`
//! milliseconds pass. `"jsonrpc"` is left out of messages, and `$` stands for what the bridge adds to `_meta`.

mod call;
mod greet;
mod hostile;
mod input;
mod listen;

use bytes::Bytes;
use lockgate_model::{Direction, ExchangeId, Method, MethodKind, Reason, Revision, Tick};

use super::Stateless;
use crate::{Bounds, Moment, Out};

const VERSION: &str = r#""jsonrpc":"2.0","#;
const ADDED: &str = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"a","version":"1"},"io.modelcontextprotocol/clientCapabilities":{"roots":{},"elicitation":{}}"#;

struct Stage {
    bridge: Stateless,
    next: u64,
    now: Tick,
}

fn message(text: &str) -> Bytes {
    text.replace('$', ADDED).replacen('{', &format!("{{{VERSION}"), 1).into()
}

fn shown(message: &Bytes) -> String {
    let text = std::str::from_utf8(message).unwrap();
    text.replacen(VERSION, "", 1).replace(ADDED, "$")
}

/// The method as the table has it.
fn method(message: &Bytes, kind: MethodKind) -> &'static str {
    let value: serde_json::Value = serde_json::from_slice(message).unwrap();
    let name = value["method"].as_str().unwrap();
    Method::find(name, kind, Direction::ToServer, Revision::R2025_11_25).unwrap().name
}

impl Stage {
    fn new(bounds: Bounds) -> Self {
        Self { bridge: Stateless::new(bounds), next: 100, now: Tick(0) }
    }

    fn step(&mut self, line: &str) -> Vec<String> {
        let (sign, rest) = line.split_at(1);
        let rest = rest.trim();
        let (number, text) = match rest.split_once(' ') {
            Some((number, text)) if number.parse::<u64>().is_ok() => (number.parse().ok(), text),
            _ => (rest.parse().ok(), rest),
        };
        let exchange = number.map(ExchangeId);
        let mut out = Vec::new();
        let mut moment = Moment { now: self.now, next: &mut self.next, out: &mut out };
        let bridge = &mut self.bridge;
        match (sign, exchange) {
            (">", Some(exchange)) => {
                let message = message(text);
                bridge.request(exchange, method(&message, MethodKind::Request), &message, &mut moment);
            }
            (">", None) if text.contains(r#""method""#) => {
                let message = message(text);
                bridge.notification(method(&message, MethodKind::Notification), &message, &mut moment);
            }
            (">", None) => bridge.answer(&message(text), &mut moment),
            ("<", exchange) if text.starts_with('{') => bridge.heard(exchange, &message(text), &mut moment),
            ("<", exchange) => bridge.heard(exchange, &Bytes::copy_from_slice(text.as_bytes()), &mut moment),
            ("x", Some(exchange)) => bridge.abandon(exchange, &mut moment),
            ("!", exchange) => {
                let reason = Reason::ALL.iter().find(|reason| reason.code() == text).unwrap();
                bridge.failed(exchange, *reason, &mut moment);
            }
            ("+", Some(ExchangeId(millis))) => {
                self.now = self.now.after_millis(millis);
                moment.now = self.now;
                bridge.wake(&mut moment);
            }
            _ => panic!("{line}"),
        }
        out.iter().map(Self::line).collect()
    }

    fn line(out: &Out) -> String {
        let number = |exchange: &Option<ExchangeId>| exchange.map_or(String::new(), |e| format!(" {e}"));
        match out {
            Out::Send { exchange, message, method } => {
                let value: serde_json::Value = serde_json::from_slice(message).unwrap();
                assert_eq!(value["method"].as_str(), *method);
                format!("wire{} {}", number(exchange), shown(message))
            }
            Out::Said { exchange, message } => match message.first() {
                Some(b'{') => format!("agent{} {}", number(exchange), shown(message)),
                _ => format!("agent{} {}", number(exchange), String::from_utf8_lossy(message)),
            },
            Out::Failed { exchange, reason } => format!("failed {exchange} {}", reason.code()),
            Out::Abandon { exchange } => format!("abandon {exchange}"),
            Out::Listen => "listen".to_owned(),
        }
    }

    /// Plays a conversation.
    fn play(&mut self, text: &str) {
        let mut lines = text.lines().filter(|line| !line.trim().is_empty()).peekable();
        while let Some(line) = lines.next() {
            let mut wanted = Vec::new();
            while let Some(next) = lines.next_if(|line| line.starts_with("  ")) {
                wanted.push(next.trim().to_owned());
            }
            assert_eq!(self.step(line), wanted, "after {line}");
        }
    }
}

const GREETING: &str = r#"
> 1 {"id":"i","method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{"roots":{"listChanged":true},"elicitation":{},"tasks":{},"extensions":{"x/y":{}}},"clientInfo":{"name":"a","version":"1"}}}
  wire 1 {"id":1,"method":"server/discover","params":{"_meta":{$}}}
< 1 {"id":1,"result":{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"extensions":{"x/y":{}},"tools":{"listChanged":true},"resources":{"subscribe":true},"logging":{}},"instructions":"be nice","ttlMs":9,"cacheScope":"public","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"2","new":true},"v/k":1}}}
  agent 1 {"id":"i","result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{"listChanged":true},"resources":{"subscribe":true},"logging":{}},"serverInfo":{"name":"s","version":"2","new":true},"instructions":"be nice","_meta":{"v/k":1}}}
"#;

fn greeted() -> Stage {
    let mut stage = Stage::new(Bounds::default());
    stage.play(GREETING);
    stage
}
