//! Conversations by hand. What goes in and what must come out of it, line by line.
//!
//! In: `agent 7` a request of exchange 7, `agent` a notification, `server 7` on the stream of exchange 7, `server` on a
//! pipe or a standing stream, `gone 7` nobody waits for 7, `lost 7` and `lost` the wire failed with this reason, `404 7`
//! the server has forgotten its session, `later` so many milliseconds pass.
//!
//! Out: `wire 7` sent with an exchange, `wire` sent without, `said 7` and `said`, `failed 7` with this reason, `close 7`,
//! and `listen`.
//!
//! `"jsonrpc"` is left out everywhere. `$all` and `$none` are the `_meta` of a client that can be asked everything and
//! nothing, `$server` is the server's name, and `P/` the prefix of the protocol.

mod asked;
mod hostile;
mod listens;
mod plain;
mod property;

use bytes::Bytes;
use lockgate_model::{Body, ExchangeId, METHODS, Message, Reason, Side, Tick};
use serde_json::Value;

use super::Handshake;
use crate::message::read;
use crate::{Bounds, Moment, Out};

/// The first exchange that a bridge opens.
const FIRST: u64 = 100;

pub(super) struct Talk {
    name: String,
    pub(super) bridge: Handshake,
    next: u64,
    now: Tick,
    out: std::collections::VecDeque<Out>,
}

fn json(text: &str) -> String {
    let client = |can: &str| {
        format!(
            r#""P/protocolVersion":"2026-07-28","P/clientInfo":{{"name":"c","version":"1"}},"P/clientCapabilities":{can}"#
        )
    };
    text.replacen('{', r#"{"jsonrpc":"2.0","#, 1)
        .replace(
            "$all",
            &client(
                r#"{"elicitation":{"form":{},"url":{}},"sampling":{},"roots":{},"extensions":{"x/y":{}}}"#,
            ),
        )
        .replace("$none", &client("{}"))
        .replace("$server", r#""P/serverInfo":{"name":"s","version":"2"}"#)
        .replace("P/", "io.modelcontextprotocol/")
}

fn value(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(text)))
}

impl Talk {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            name: String::new(),
            bridge: Handshake::new(bounds),
            next: FIRST,
            now: Tick(0),
            out: std::collections::VecDeque::new(),
        }
    }

    /// A talk with a server that can everything and has been greeted. Exchange 1 is used for it.
    pub(super) fn greeted(bounds: Bounds) -> Self {
        let mut talk = Self::new(bounds);
        talk.run(&[
            ("agent 1", r#"{"id":1,"method":"completion/complete","params":{"_meta":{$all}}}"#),
            ("wire 100", HELLO),
            ("server 100", HELLO_BACK),
            ("wire", r#"{"method":"notifications/initialized"}"#),
            ("listen", ""),
            ("wire 1", r#"{"id":1,"method":"completion/complete","params":{}}"#),
            ("server 1", r#"{"id":1,"result":{}}"#),
            ("said 1", r#"{"id":1,"result":{"resultType":"complete","_meta":{$server}}}"#),
        ]);
        talk
    }

    pub(super) fn run(&mut self, lines: &[(&str, &str)]) {
        for (number, (verb, text)) in lines.iter().enumerate() {
            let (verb, exchange) = verb.split_once(' ').unwrap_or((verb, ""));
            let exchange = exchange.parse().ok().map(ExchangeId);
            if ["wire", "said", "failed", "close", "listen"].contains(&verb) {
                let found = self.out.pop_front();
                self.expect(number, verb, exchange, text, found);
                continue;
            }
            assert!(
                self.out.is_empty(),
                "{}, before line {number} ({verb} {text}): {:?}",
                self.name,
                self.out
            );
            self.put(verb, exchange, text);
        }
        assert!(self.out.is_empty(), "{}, after the last line: {:?}", self.name, self.out);
    }

    fn expect(&self, line: usize, verb: &str, exchange: Option<ExchangeId>, text: &str, found: Option<Out>) {
        match (verb, found) {
            ("wire", Some(Out::Send { exchange: to, method, message })) => {
                assert_eq!(
                    (to, value(&message)),
                    (exchange, value(json(text).as_bytes())),
                    "{}, line {line}",
                    self.name
                );
                let said = value(&message).get("method").map(|said| said.as_str().unwrap().to_owned());
                assert_eq!(method.map(str::to_owned), said, "{}, line {line}", self.name);
            }
            ("said", Some(Out::Said { exchange: to, message })) => {
                if text.starts_with('{') {
                    assert_eq!(
                        (to, value(&message)),
                        (exchange, value(json(text).as_bytes())),
                        "{}, line {line}",
                        self.name
                    );
                } else {
                    assert_eq!((to, &message[..]), (exchange, text.as_bytes()), "{}, line {line}", self.name);
                }
            }
            ("failed", Some(Out::Failed { exchange: to, reason })) => {
                assert_eq!((Some(to), reason.code()), (exchange, text), "{}, line {line}", self.name);
            }
            ("close", Some(Out::Abandon { exchange: to })) => {
                assert_eq!(Some(to), exchange, "{}, line {line}", self.name);
                assert!(!self.bridge.awaits(to), "{}, line {line}", self.name);
            }
            ("listen", Some(Out::Listen)) => {}
            (_, found) => panic!("{}, line {line}: {verb} {text}: {found:?}", self.name),
        }
    }

    fn put(&mut self, verb: &str, exchange: Option<ExchangeId>, text: &str) {
        let message = Bytes::from(if text.starts_with('{') { json(text) } else { text.to_owned() });
        let mut out = Vec::new();
        let moment = &mut Moment { now: self.now, next: &mut self.next, out: &mut out };
        let reason = || *Reason::ALL.iter().find(|reason| reason.code() == text).unwrap();
        match (verb, exchange) {
            ("agent", Some(exchange)) => {
                self.bridge.request(exchange, method(&message), &message, moment);
            }
            ("agent", None) => self.bridge.notification(method(&message), &message, moment),
            ("server", _) => self.bridge.heard(exchange, &message, moment),
            ("gone", Some(exchange)) => self.bridge.abandon(exchange, moment),
            ("lost", _) => self.bridge.failed(exchange, reason(), moment),
            ("404", Some(exchange)) => self.bridge.forgotten(exchange, moment),
            ("later", None) => {
                assert!(self.bridge.waits());
                moment.now = moment.now.after_millis(text.parse().unwrap());
                self.now = moment.now;
                self.bridge.wake(moment);
            }
            _ => panic!("{verb}"),
        }
        for sent in &out {
            if let Out::Send { exchange: Some(exchange), .. } = sent {
                assert!(self.bridge.awaits(*exchange), "an answer is awaited where one is asked for");
            }
            if let Out::Said { message, .. } | Out::Send { message, .. } = sent
                && message != text.as_bytes()
            {
                assert!(
                    read(message, Side::Server).is_ok()
                        || message.starts_with(b"{\"jsonrpc\":\"2.0\",\"id\":null")
                );
            }
        }
        self.out.extend(out);
    }
}

fn method(message: &Bytes) -> &'static str {
    let Message { body: Body::Request { method, .. } | Body::Notification { method, .. }, .. } =
        read(message, Side::Agent).unwrap()
    else {
        panic!("{message:?}")
    };
    METHODS.iter().find(|known| known.name == method).unwrap().name
}

pub(super) const HELLO: &str = r#"{"id":100,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{"form":{},"url":{}},"sampling":{},"roots":{}},"clientInfo":{"name":"c","version":"1"}}}"#;

pub(super) const HELLO_BACK: &str = r#"{"id":100,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"resources":{"subscribe":true,"listChanged":true},"prompts":{},"logging":{},"completions":{},"tasks":{"list":{}}},"serverInfo":{"name":"s","version":"2"},"instructions":"be \u0041"}}"#;

/// What nothing was asked for, as the core is told of it.
pub(super) const STRAY: &str = r#"{"id":null,"error":{"code":-32600,"message":"answers no open request"}}"#;

/// Runs each conversation with a server that has been greeted.
pub(super) fn all(talks: &[(&str, &[(&str, &str)])]) {
    for (name, lines) in talks {
        let mut talk = Talk::greeted(Bounds::default());
        talk.name.push_str(name);
        talk.run(lines);
    }
}
