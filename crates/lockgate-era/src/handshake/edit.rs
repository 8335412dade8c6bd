//! Reading messages, and writing those that are new or no longer as they came.

use bytes::Bytes;
use lockgate_model::{ExchangeId, Json, Limits, Message, Params, Reason, Side, Tick, quote};

use crate::{Moment, Out};

const PREFIX: &str = "io.modelcontextprotocol/";

/// An answer to nothing. It stands for one that the session may not take for an answer to anything, so that the core
/// still counts it.
const STRAY: &[u8] =
    br#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"answers no open request"}}"#;

/// Reads a message that the core has admitted, under limits of its own, or will.
pub(super) fn read(message: &Bytes, side: Side) -> Result<Message<'_>, Reason> {
    Message::parse(message, side, &Limits::NONE)
}

/// Is it a key of `_meta` that belongs to the stateless era?
pub(super) fn is_reserved(key: &str) -> bool {
    key.strip_prefix(PREFIX).is_some_and(|name| {
        matches!(
            name,
            "protocolVersion"
                | "clientInfo"
                | "clientCapabilities"
                | "logLevel"
                | "serverInfo"
                | "subscriptionId"
        )
    })
}

/// A key of `_meta` that belongs to the stateless era, by its short name.
pub(super) fn reserved(name: &str) -> String {
    format!("{PREFIX}{name}")
}

/// An object that is being written.
#[derive(Clone, Debug, Default)]
pub(super) struct Object(Vec<u8>);

impl Object {
    /// The members of another object that are to stay.
    pub(super) fn of(object: Option<Json<'_>>, stays: impl Fn(&str) -> bool) -> Self {
        let mut new = Self::default();
        for (key, value) in object.into_iter().flat_map(Json::members) {
            let name = key.text();
            if stays(&name) {
                new = new.with(&name, value.raw());
            }
        }
        new
    }

    /// Adds a member. The value is JSON.
    pub(super) fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if !self.0.is_empty() {
            self.0.push(b',');
        }
        self.0.extend_from_slice(quote(name).as_bytes());
        self.0.push(b':');
        self.0.extend_from_slice(value.as_ref());
        self
    }

    /// Adds the members of another.
    pub(super) fn and(mut self, other: &Self) -> Self {
        if !self.0.is_empty() && !other.0.is_empty() {
            self.0.push(b',');
        }
        self.0.extend_from_slice(&other.0);
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn json(&self) -> Vec<u8> {
        [b"{", &self.0[..], b"}"].concat()
    }

    /// The members without the braces.
    pub(super) fn members(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

/// `_meta` without what is of the stateless era, and without these keys.
pub(super) fn meta(params: &Params<'_>, without: &[&str]) -> Object {
    Object::of(params.meta(), |key| !is_reserved(key) && !without.contains(&key))
}

/// A whole message with these members.
pub(super) fn message(object: Object) -> Bytes {
    let start = br#"{"jsonrpc":"2.0","#;
    [&start[..], &object.0, b"}"].concat().into()
}

pub(super) fn result(id: &[u8], result: impl AsRef<[u8]>) -> Bytes {
    message(Object::default().with("id", id).with("result", result))
}

pub(super) fn error(id: &[u8], code: i32, text: &str) -> Bytes {
    let error = Object::default().with("code", code.to_string()).with("message", quote(text));
    message(Object::default().with("id", id).with("error", error.json()))
}

pub(super) fn notification(method: &str, params: Object) -> Bytes {
    message(Object::default().with("method", quote(method)).with("params", params.json()))
}

impl Moment<'_> {
    /// A request of the bridge's own.
    pub(super) fn ask(&mut self, method: &'static str, params: Object) -> ExchangeId {
        let exchange = self.open();
        let message = Object::default()
            .with("id", exchange.to_string())
            .with("method", quote(method))
            .with("params", params.json());
        self.send(exchange, method, self::message(message));
        exchange
    }

    pub(super) fn send(&mut self, exchange: ExchangeId, method: &'static str, message: Bytes) {
        self.out.push(Out::Send { exchange: Some(exchange), method: Some(method), message });
    }

    pub(super) fn tell(&mut self, method: &'static str, message: Bytes) {
        self.out.push(Out::Send { exchange: None, method: Some(method), message });
    }

    /// Answers a question of the server.
    pub(super) fn reply(&mut self, message: Bytes) {
        self.out.push(Out::Send { exchange: None, method: None, message });
    }

    pub(super) fn said(&mut self, exchange: ExchangeId, message: Bytes) {
        self.out.push(Out::Said { exchange: Some(exchange), message });
    }

    pub(super) fn stray(&mut self) {
        self.out.push(Out::Said { exchange: None, message: Bytes::from_static(STRAY) });
    }

    pub(super) fn fail(&mut self, exchange: ExchangeId, reason: Reason) {
        self.out.push(Out::Failed { exchange, reason });
    }

    pub(super) fn in_millis(&self, millis: u64) -> Tick {
        self.now.after_millis(millis)
    }
}
