use std::borrow::Cow;

use crate::json::{Keys, Scanner, same_folded, unchecked};
use crate::{Fields, Json, Kind, Limits, Reason, Revision};

/// Who sent a message: it decides the size limit, and whose fault a bad one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// From the agent.
    Agent,
    /// From a server.
    Server,
}

/// Exactly one well-formed JSON-RPC message, borrowed from the bytes it came as.
#[derive(Debug)]
pub struct Message<'a> {
    /// The whole message.
    pub whole: Json<'a>,
    /// What it is.
    pub body: Body<'a>,
}

/// The four shapes of a message.
#[derive(Debug)]
pub enum Body<'a> {
    /// Wants an answer.
    Request {
        /// As it came: a string or an integer.
        id: Json<'a>,
        /// What is asked for.
        method: Cow<'a, str>,
        /// The rest.
        params: Params<'a>,
    },
    /// Wants no answer.
    Notification {
        /// What is said.
        method: Cow<'a, str>,
        /// The rest.
        params: Params<'a>,
    },
    /// A good answer.
    Result {
        /// The id of the request it answers.
        id: Json<'a>,
        /// The answer, any value.
        result: Json<'a>,
        /// Its members, where it is an object.
        fields: Fields<'a>,
    },
    /// A bad answer.
    Error {
        /// The id of the request it answers; none where the sender could not read one.
        id: Option<Json<'a>>,
        /// An object with `code` and `message`.
        error: Json<'a>,
    },
}

/// The `params` of a request or notification. Absent params read like empty ones.
#[derive(Clone, Copy, Debug)]
pub struct Params<'a> {
    whole: Option<Json<'a>>,
    arguments: Option<Json<'a>>,
    meta: Option<Json<'a>>,
}

const META: &str = "io.modelcontextprotocol/";

impl<'a> Params<'a> {
    /// The object, where there is one.
    pub fn whole(&self) -> Option<Json<'a>> {
        self.whole
    }

    /// The member of that name.
    pub fn get(&self, name: &str) -> Option<Json<'a>> {
        self.whole?.get(name)
    }

    /// The text of the member of that name.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name)?.text()
    }

    /// `arguments`: an object where present.
    pub fn arguments(&self) -> Option<Json<'a>> {
        self.arguments
    }

    /// `_meta`: an object where present.
    pub fn meta(&self) -> Option<Json<'a>> {
        self.meta
    }

    /// A field of `_meta` that the specification reserves, by its short name (`protocolVersion`).
    pub fn reserved(&self, name: &str) -> Option<Json<'a>> {
        let wanted = |key: crate::Key<'_>| key.text().strip_prefix(META).is_some_and(|rest| rest == name);
        self.meta?.members().find(|(key, _)| wanted(*key)).map(|(_, value)| value)
    }

    /// The revision a request of 2026-07-28 or later carries in itself.
    pub fn revision(&self) -> Option<Cow<'a, str>> {
        self.reserved("protocolVersion")?.text()
    }
}

impl<'a> Message<'a> {
    /// Reads one message strictly. Everything that two readers could read differently is a [`Reason`].
    pub fn parse(bytes: &'a [u8], side: Side, limits: &Limits) -> Result<Self, Reason> {
        match side {
            Side::Agent if bytes.len() > limits.request_bytes => return Err(Reason::MessageTooLarge),
            Side::Server if bytes.len() > limits.result_bytes => return Err(Reason::ResultTooLarge),
            Side::Agent | Side::Server => {}
        }
        let mut scanner = Scanner::new(bytes, limits.message_depth)?;
        scanner.space();
        match scanner.peek() {
            Some(b'{') => {}
            Some(b'[') => return Err(Reason::BatchNotSupported),
            Some(b'"' | b't' | b'f' | b'n' | b'-' | b'0'..=b'9') => return Err(Reason::NotAnObject),
            _ => return Err(Reason::NotJson),
        }
        let start = scanner.at();
        let mut envelope = Envelope::default();
        scanner.object(1, Keys::Folded, |scanner, key| {
            let from = scanner.at();
            if key.is("params") {
                envelope.params = Some(params(scanner, limits)?);
                return Ok(());
            }
            if key.is("result") || key.is("error") {
                if scanner.peek() == Some(b'{') {
                    scanner.object(2, Keys::Folded, |scanner, key| {
                        envelope.fields.push(key, scanner.value(3)?);
                        Ok(())
                    })?;
                } else {
                    scanner.value(2)?;
                }
            } else {
                scanner.value(2)?;
            }
            let value = scanner.since(from)?;
            let slot = match () {
                () if key.is("jsonrpc") => &mut envelope.jsonrpc,
                () if key.is("id") => &mut envelope.id,
                () if key.is("method") => &mut envelope.method,
                () if key.is("result") => &mut envelope.result,
                () if key.is("error") => &mut envelope.error,
                () => return known_exactly(key, &["jsonrpc", "id", "method", "params", "result", "error"]),
            };
            *slot = Some(value);
            Ok(())
        })?;
        let whole = scanner.since(start)?;
        scanner.end()?;
        envelope.fields = envelope.fields.with(scanner.texts());
        Ok(Self { whole, body: envelope.body()? })
    }

    /// Does the message belong to the modern era by what it carries itself?
    pub fn modern_revision(&self) -> Option<Cow<'a, str>> {
        match &self.body {
            Body::Request { params, .. } | Body::Notification { params, .. } => params.revision(),
            Body::Result { .. } | Body::Error { .. } => None,
        }
    }

    /// The `initialize` revision asked for, where the message is an `initialize`.
    pub fn initialize_revision(&self) -> Option<Option<Revision>> {
        match &self.body {
            Body::Request { method, params, .. } if method == "initialize" => {
                Some(params.text("protocolVersion").and_then(|text| Revision::parse(&text)))
            }
            Body::Request { .. } | Body::Notification { .. } | Body::Result { .. } | Body::Error { .. } => {
                None
            }
        }
    }
}

#[derive(Default)]
struct Envelope<'a> {
    jsonrpc: Option<Json<'a>>,
    id: Option<Json<'a>>,
    method: Option<Json<'a>>,
    params: Option<Params<'a>>,
    result: Option<Json<'a>>,
    error: Option<Json<'a>>,
    fields: Fields<'a>,
}

impl<'a> Envelope<'a> {
    fn body(self) -> Result<Body<'a>, Reason> {
        if self.jsonrpc.and_then(Json::text).is_none_or(|version| version != "2.0") {
            return Err(Reason::BadVersion);
        }
        if let Some(id) = self.id
            && !(is_id(id) || (id.kind() == Kind::Null && self.error.is_some()))
        {
            return Err(Reason::BadId);
        }
        let id = self.id.filter(|id| id.kind() != Kind::Null);
        match (self.method, self.result, self.error) {
            (Some(method), None, None) => {
                let method = method.text().ok_or(Reason::BadMethod)?;
                let params = self.params.unwrap_or(Params { whole: None, arguments: None, meta: None });
                Ok(match id {
                    Some(id) => Body::Request { id, method, params },
                    None => Body::Notification { method, params },
                })
            }
            (None, Some(result), None) if self.params.is_none() => {
                Ok(Body::Result { id: id.ok_or(Reason::BadId)?, result, fields: self.fields })
            }
            (None, None, Some(error)) if self.params.is_none() => {
                let code = error.get("code").is_some_and(|code| is_integer(code.raw()));
                let message = error.get("message").is_some_and(|message| message.kind() == Kind::String);
                if code && message { Ok(Body::Error { id, error }) } else { Err(Reason::BadEnvelope) }
            }
            (None, None, None) => Err(Reason::BadMethod),
            _ => Err(Reason::BadEnvelope),
        }
    }
}

/// Names of `params` members that a decision reads. Another spelling of one of them is refused.
const PARAMS: [&str; 15] = [
    "name",
    "arguments",
    "uri",
    "_meta",
    "requestId",
    "progressToken",
    "ref",
    "cursor",
    "protocolVersion",
    "capabilities",
    "clientInfo",
    "taskId",
    "requestState",
    "inputResponses",
    "task",
];

fn params<'a>(scanner: &mut Scanner<'a>, limits: &Limits) -> Result<Params<'a>, Reason> {
    if scanner.peek() != Some(b'{') {
        // Malformed text is said to be malformed, whatever it stands for.
        scanner.value(2)?;
        return Err(Reason::BadParams);
    }
    let start = scanner.at();
    let (mut arguments, mut meta) = (None, None);
    scanner.object(2, Keys::Folded, |scanner, key| {
        let from = scanner.at();
        if key.is("arguments") {
            if scanner.peek() != Some(b'{') {
                scanner.value(3)?;
                return Err(Reason::BadArguments);
            }
            let mut count = 0;
            let deepest = 2 + limits.argument_depth;
            scanner.within(deepest, |scanner| {
                scanner.object(3, Keys::Folded, |scanner, _| {
                    count += 1;
                    scanner.value(4).map(drop)
                })
            })?;
            if count > limits.parameters {
                return Err(Reason::TooManyParameters);
            }
            arguments = Some(scanner.since(from)?);
            return Ok(());
        }
        let value = scanner.value(3)?;
        if key.is("_meta") {
            if value.kind() != Kind::Object {
                return Err(Reason::BadParams);
            }
            meta = Some(value);
        }
        known_exactly(key, &PARAMS)
    })?;
    Ok(Params { whole: Some(scanner.since(start)?), arguments, meta })
}

fn known_exactly(key: crate::Key<'_>, names: &[&str]) -> Result<(), Reason> {
    if names.iter().any(|name| !key.is(name) && same_folded(key, name)) {
        Err(Reason::AmbiguousKey)
    } else {
        Ok(())
    }
}

fn is_id(id: Json<'_>) -> bool {
    id.kind() == Kind::String || (id.kind() == Kind::Number && is_integer(id.raw()))
}

fn is_integer(raw: &[u8]) -> bool {
    let digits = raw.strip_prefix(b"-").unwrap_or(raw);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// The id of a message that was refused, for the error reply: only where the text has exactly one and it is a string
/// or an integer. Works on any bytes.
pub fn peek_id(bytes: &[u8]) -> Option<&[u8]> {
    let start = bytes.iter().position(|b| !b.is_ascii_whitespace())?;
    let mut ids = unchecked(bytes.get(start..)?, "id");
    let id = ids.next()?;
    if ids.next().is_some() || id.len() > 256 {
        return None;
    }
    Json::check(id, 1).ok().filter(|id| is_id(*id)).map(Json::raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Message<'_>, Reason> {
        Message::parse(text.as_bytes(), Side::Agent, &Limits::default())
    }

    #[test]
    fn reads_the_four_shapes() {
        let text =
            r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"t","arguments":{"x":1}}}"#;
        let Body::Request { id, method, params } = parse(text).unwrap().body else { panic!() };
        assert_eq!((id.raw(), &*method), (&b"\"a\""[..], "tools/call"));
        assert_eq!(params.arguments().unwrap().raw(), b"{\"x\":1}");
        assert!(matches!(
            parse(r#"{"jsonrpc":"2.0","method":"m"}"#).unwrap().body,
            Body::Notification { .. }
        ));
        assert!(matches!(
            parse(r#"{"jsonrpc":"2.0","id":1,"result":[]}"#).unwrap().body,
            Body::Result { .. }
        ));
        let error = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":""}}"#;
        assert!(matches!(parse(error).unwrap().body, Body::Error { id: None, .. }));
    }

    #[test]
    fn refuses_with_the_reason_that_holds() {
        let call =
            |params: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
        let deep =
            |n: usize| format!(r#"{{"name":"t","arguments":{{"a":{}{}}}}}"#, "[".repeat(n), "]".repeat(n));
        let many = (0..101).map(|n| format!("\"k{n}\":0")).collect::<Vec<_>>().join(",");
        for (text, reason) in [
            ("[]".to_owned(), Reason::BatchNotSupported),
            ("7".to_owned(), Reason::NotAnObject),
            (r#"{"id":1,"method":"m"}"#.to_owned(), Reason::BadVersion),
            (r#"{"jsonrpc":2.0,"id":1,"method":"m"}"#.to_owned(), Reason::BadVersion),
            (r#"{"jsonrpc":"2.0","id":1.0,"method":"m"}"#.to_owned(), Reason::BadId),
            (r#"{"jsonrpc":"2.0","id":null,"method":"m"}"#.to_owned(), Reason::BadId),
            (r#"{"jsonrpc":"2.0","id":{},"method":"m"}"#.to_owned(), Reason::BadId),
            (r#"{"jsonrpc":"2.0","id":true,"method":"m"}"#.to_owned(), Reason::BadId),
            (r#"{"jsonrpc":"2.0","id":1}"#.to_owned(), Reason::BadMethod),
            (r#"{"jsonrpc":"2.0","id":1,"method":7}"#.to_owned(), Reason::BadMethod),
            (
                r#"{"jsonrpc":"2.0","id":1,"result":1,"error":{"code":1,"message":""}}"#.to_owned(),
                Reason::BadEnvelope,
            ),
            (r#"{"jsonrpc":"2.0","id":1,"method":"m","result":1}"#.to_owned(), Reason::BadEnvelope),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}"#.to_owned(),
                Reason::AmbiguousKey,
            ),
            (r#"{"jsonrpc":"2.0","id":1,"Method":"tools/call"}"#.to_owned(), Reason::AmbiguousKey),
            (call(r#"{"name":"danger","Name":"safe"}"#), Reason::AmbiguousKey),
            (call(r#"{"name":"t","argument\u017f":{}}"#), Reason::AmbiguousKey),
            (call(r#"{"name":"t","arguments":{"path":"/ok","PATH":"/etc"}}"#), Reason::DuplicateKey),
            (call(r#"{"name":"t","arguments":{"k":1,"\u212a":2}}"#), Reason::DuplicateKey),
            (call(r#"{"name":"t","arguments":[1]}"#), Reason::BadArguments),
            (call(r#"{"name":"t","arguments":"x"}"#), Reason::BadArguments),
            (call(r#"{"name":"t","arguments":null}"#), Reason::BadArguments),
            (call("[]"), Reason::BadParams),
            (call(r#"{"_meta":7}"#), Reason::BadParams),
            (call(&deep(10)), Reason::TooDeep),
            (call(&format!(r#"{{"name":"t","arguments":{{{many}}}}}"#)), Reason::TooManyParameters),
        ] {
            assert_eq!(parse(&text).err(), Some(reason), "{text}");
        }
        assert!(parse(&call(&deep(9))).is_ok(), "the arguments object itself is 1, so 9 arrays reach 10");
    }

    #[test]
    fn finds_the_id_of_a_refused_message() {
        assert_eq!(peek_id(br#"{"id":7,"params":{"a":1,"a":2}}"#), Some(&b"7"[..]));
        assert_eq!(peek_id(br#"  {"method":"x","id":"q\"r"#), None);
        assert_eq!(peek_id(br#"{"id":7,"id":8}"#), None);
        assert_eq!(peek_id(br#"{"id":7,"\u0069d":8}"#), None);
        assert_eq!(peek_id(b"{\"x\":\"\xff\",\"\xff\":1,\"id\":7}"), Some(&b"7"[..]));
        assert_eq!(peek_id(br#"[{"id":7}]"#), None);
        assert_eq!(peek_id(br#"{"id":{"a":1}}"#), None);
        assert_eq!(peek_id(b"\xff\xfe"), None);
        assert_eq!(peek_id(b"{\"id\":\"\xff\"}"), None);
    }
}
