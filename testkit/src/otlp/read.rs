//! Protobuf by its description: a `FileDescriptorSet`, as the makers of OTLP publish it. What is not described, or described
//! otherwise, stops the test.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

/// Fields by number, of each message by its full name.
type Messages = BTreeMap<String, BTreeMap<u64, Field>>;

struct Field {
    name: String,
    repeated: bool,
    kind: u64,
    /// The message's full name, where it is one.
    message: String,
}

/// A message as an object.
pub(super) fn message(name: &str, bytes: &[u8]) -> Value {
    static MESSAGES: OnceLock<Messages> = OnceLock::new();
    let messages = MESSAGES.get_or_init(|| described(opentelemetry_proto::DESCRIPTORS));
    let fields = messages.get(name).unwrap_or_else(|| panic!("no message is called {name}"));
    let mut whole = Map::new();
    for (number, wire) in wires(bytes) {
        let field = fields.get(&number).unwrap_or_else(|| panic!("{name} has no field {number}"));
        let values = values(name, field, wire);
        let old = whole.remove(&field.name);
        let value = if field.repeated {
            let mut all = old.map_or_else(Vec::new, |old| old.as_array().cloned().unwrap_or_default());
            all.extend(values);
            Value::Array(all)
        } else {
            assert!(old.is_none(), "{name}.{} comes twice", field.name);
            values.into_iter().next().unwrap_or_default()
        };
        whole.insert(field.name.clone(), value);
    }
    Value::Object(whole)
}

/// What is on the wire. <https://protobuf.dev/programming-guides/encoding/>
#[derive(Clone, Copy, Debug)]
enum Wire<'b> {
    Varint(u64),
    Fixed64([u8; 8]),
    Length(&'b [u8]),
    Fixed32([u8; 4]),
}

fn wires(mut bytes: &[u8]) -> Vec<(u64, Wire<'_>)> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let wire = match key & 7 {
            0 => Wire::Varint(varint(&mut bytes)),
            1 => Wire::Fixed64(*bytes.split_off_first_chunk()),
            2 => {
                let length = usize::try_from(varint(&mut bytes)).expect("a length");
                let (own, rest) = bytes.split_at_checked(length).expect("as many bytes as are promised");
                bytes = rest;
                Wire::Length(own)
            }
            5 => Wire::Fixed32(*bytes.split_off_first_chunk()),
            other => panic!("no wire type {other}"),
        };
        all.push((key >> 3, wire));
    }
    all
}

trait Chunk {
    fn split_off_first_chunk<const N: usize>(&mut self) -> &[u8; N];
}

impl Chunk for &[u8] {
    fn split_off_first_chunk<const N: usize>(&mut self) -> &[u8; N] {
        let (first, rest) = self.split_first_chunk().expect("a number as long as its type");
        *self = rest;
        first
    }
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for place in 0..10 {
        let (byte, rest) = bytes.split_first().expect("a number that ends");
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return value;
        }
    }
    panic!("a number of more than ten bytes")
}

/// The numbers are those of `FieldDescriptorProto.Type`.
fn values(message_name: &str, field: &Field, wire: Wire<'_>) -> Vec<Value> {
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).expect("UTF-8").to_owned();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let one = |value: Value| vec![value];
    match (field.kind, wire) {
        (1, Wire::Fixed64(bytes)) => one(json!(f64::from_le_bytes(bytes))),
        (6, Wire::Fixed64(bytes)) => one(json!(u64::from_le_bytes(bytes))),
        (16, Wire::Fixed64(bytes)) => one(json!(i64::from_le_bytes(bytes))),
        (7, Wire::Fixed32(bytes)) => one(json!(u32::from_le_bytes(bytes))),
        (3 | 4 | 13 | 14, Wire::Varint(value)) => one(json!(value)),
        (8, Wire::Varint(value @ (0 | 1))) => one(json!(value == 1)),
        (9, Wire::Length(bytes)) => one(json!(text(bytes))),
        (11, Wire::Length(bytes)) => one(message(&field.message, bytes)),
        (12, Wire::Length(bytes)) => one(json!(hex(bytes))),
        // Packed.
        (1 | 6 | 16, Wire::Length(bytes)) if field.repeated => {
            let (chunks, []) = bytes.as_chunks::<8>() else { panic!("{message_name}.{} is cut", field.name) };
            chunks.iter().flat_map(|chunk| values(message_name, field, Wire::Fixed64(*chunk))).collect()
        }
        (kind, wire) => panic!("{message_name}.{} is of type {kind}, not {wire:?}", field.name),
    }
}

/// `FileDescriptorSet`: its files have messages, which have fields and messages.
fn described(set: &[u8]) -> Messages {
    let mut all = Messages::new();
    for file in parts(set, 1) {
        let package = format!(".{}", named(file, 2));
        for message in parts(file, 4) {
            describe(&package, message, &mut all);
        }
    }
    all
}

fn describe(outer: &str, message: &[u8], all: &mut Messages) {
    let name = format!("{outer}.{}", named(message, 1));
    let field = |field: &[u8]| {
        let number = |wanted| {
            let found = wires(field).into_iter().find(|(number, _)| *number == wanted);
            if let Some((_, Wire::Varint(value))) = found { value } else { 0 }
        };
        let about = Field {
            name: named(field, 1),
            repeated: number(4) == 3,
            kind: number(5),
            message: named(field, 6),
        };
        (number(3), about)
    };
    let fields = parts(message, 2).map(field).collect();
    parts(message, 3).for_each(|inner| describe(&name, inner, all));
    all.insert(name, fields);
}

fn parts(bytes: &[u8], wanted: u64) -> impl Iterator<Item = &[u8]> {
    let own = move |(number, wire)| {
        if let (true, Wire::Length(bytes)) = (number == wanted, wire) { Some(bytes) } else { None }
    };
    wires(bytes).into_iter().filter_map(own)
}

fn named(bytes: &[u8], wanted: u64) -> String {
    parts(bytes, wanted).next().map_or_else(String::new, |name| String::from_utf8_lossy(name).into_owned())
}
