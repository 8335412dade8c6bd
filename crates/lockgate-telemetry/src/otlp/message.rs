//! Messages of protobuf, written field by field. <https://protobuf.dev/programming-guides/encoding/>

use std::borrow::Cow;

/// A message in the making.
#[derive(Debug, Default)]
pub(crate) struct Message(Vec<u8>);

/// How a field is written.
#[derive(Clone, Copy)]
enum Wire {
    Varint = 0,
    Fixed64 = 1,
    Length = 2,
    Fixed32 = 5,
}

impl Message {
    /// An `enum`, `bool` or unsigned number.
    pub(crate) fn number(mut self, field: u8, value: u64) -> Self {
        self.key(field, Wire::Varint);
        self.varint(value);
        self
    }

    pub(crate) fn fixed64(mut self, field: u8, value: u64) -> Self {
        self.key(field, Wire::Fixed64);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn fixed32(mut self, field: u8, value: u32) -> Self {
        self.key(field, Wire::Fixed32);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn double(self, field: u8, value: f64) -> Self {
        self.fixed64(field, value.to_bits())
    }

    pub(crate) fn bytes(mut self, field: u8, bytes: &[u8]) -> Self {
        self.key(field, Wire::Length);
        self.varint(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn text(self, field: u8, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    pub(crate) fn message(self, field: u8, message: Self) -> Self {
        self.bytes(field, &message.0)
    }

    pub(crate) fn messages(self, field: u8, messages: impl IntoIterator<Item = Self>) -> Self {
        messages.into_iter().fold(self, |whole, message| whole.message(field, message))
    }

    /// `repeated fixed64` or `double`, packed.
    pub(crate) fn packed64(self, field: u8, values: impl IntoIterator<Item = u64>) -> Self {
        let values: Vec<u8> = values.into_iter().flat_map(u64::to_le_bytes).collect();
        self.bytes(field, &values)
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }

    fn key(&mut self, field: u8, wire: Wire) {
        self.varint(u64::from(field) << 3 | wire as u64);
    }

    fn varint(&mut self, mut value: u64) {
        while let Some(low) = u8::try_from(value & 0x7f).ok().filter(|_| value > 0x7f) {
            self.0.push(low | 0x80);
            value >>= 7;
        }
        self.0.extend(u8::try_from(value));
    }
}

/// `opentelemetry.proto.common.v1.KeyValue` with a text.
pub(crate) fn attribute(name: &str, value: &str) -> Message {
    Message::default().text(1, name).message(2, Message::default().text(1, value))
}

/// Attributes that have a value.
pub(crate) fn attributes<'a>(
    all: impl IntoIterator<Item = (&'a str, Option<Cow<'a, str>>)>,
) -> impl Iterator<Item = Message> {
    all.into_iter().filter_map(|(name, value)| Some(attribute(name, &value?)))
}

/// `opentelemetry.proto.resource.v1.Resource`: this process.
pub(crate) fn resource() -> Message {
    let version = env!("CARGO_PKG_VERSION");
    Message::default()
        .messages(1, [attribute("service.name", "lockgate"), attribute("service.version", version)])
}

/// `opentelemetry.proto.common.v1.InstrumentationScope`
pub(crate) fn scope() -> Message {
    Message::default().text(1, "lockgate").text(2, env!("CARGO_PKG_VERSION"))
}
