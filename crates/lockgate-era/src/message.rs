//! Messages read, and those that are new or no longer as they came.

use bytes::Bytes;
use lockgate_model::{ExchangeId, Limits, Message, Reason, Side, quote};

use crate::object::Object;

/// Reads a message that the core has admitted, under limits of its own, or will.
pub(crate) fn read(message: &Bytes, side: Side) -> Result<Message<'_>, Reason> {
    Message::parse(message, side, &Limits::NONE)
}

/// A whole message with these members.
pub(crate) fn message(members: Object) -> Bytes {
    let start = br#"{"jsonrpc":"2.0","#;
    [&start[..], members.written(), b"}"].concat().into()
}

pub(crate) fn result(id: &[u8], result: impl AsRef<[u8]>) -> Bytes {
    message(Object::default().with("id", id).with("result", result))
}

/// An error in these words.
pub(crate) fn error(id: &[u8], code: i32, text: &str) -> Bytes {
    refusal(id, Object::default().with("code", code.to_string()).with("message", quote(text)).json())
}

/// An error that is written already.
pub(crate) fn refusal(id: &[u8], error: impl AsRef<[u8]>) -> Bytes {
    message(Object::default().with("id", id).with("error", error))
}

/// A request of the wire.
pub(crate) fn request(exchange: ExchangeId, method: &str, params: impl AsRef<[u8]>) -> Bytes {
    let id = exchange.to_string();
    message(Object::default().with("id", id).with("method", quote(method)).with("params", params))
}

pub(crate) fn notification(method: &str, params: Object) -> Bytes {
    message(Object::default().with("method", quote(method)).with("params", params.json()))
}
