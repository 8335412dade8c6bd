//! What records say of the values of a call: words of ours only, else it is not from us.

use lockgate_model::{Json, ServerName};

/// Where a value of a call came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The server; none where the user said it or a person approved it.
    pub server: Option<ServerName>,
    /// The number of the request that brought it, 0 for what the server says of its tools.
    pub message: Option<u64>,
    /// The argument, as a JSON pointer.
    pub argument: String,
    /// How much it may decide.
    pub integrity: String,
}

/// What stood against a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The argument, as a JSON pointer; empty where it is about the call as a whole.
    pub argument: String,
    /// What the tool does.
    pub effect: String,
    /// What the argument means.
    pub role: Option<String>,
    /// How much its value would have to be trusted.
    pub need: String,
    /// How much it is; none where it was never seen.
    pub have: Option<String>,
    /// The server it was first seen from.
    pub server: Option<ServerName>,
    /// The number of the request that brought it.
    pub message: Option<u64>,
}

impl Source {
    pub(super) fn parse(json: Json<'_>) -> Option<Self> {
        Some(Self {
            server: server(json),
            message: json.get("message").and_then(Json::unsigned),
            argument: pointer(json)?,
            integrity: word(json, "integrity")?,
        })
    }
}

impl Evidence {
    pub(super) fn parse(json: Json<'_>) -> Option<Self> {
        Some(Self {
            argument: pointer(json)?,
            effect: word(json, "effect")?,
            role: word(json, "role"),
            need: word(json, "need")?,
            have: word(json, "have"),
            server: server(json),
            message: json.get("message").and_then(Json::unsigned),
        })
    }
}

/// What a session had read at the end of a request, as `free_text, private`; with its compartments.
pub(super) fn grade(label: Json<'_>) -> Option<String> {
    let mut words = vec![word(label, "integrity")?, word(label, "secrecy")?];
    let compartments = label.get("compartments").into_iter().flat_map(Json::elements);
    words.extend(compartments.filter_map(|name| Some(super::plain(&name.text()?))));
    Some(words.join(", "))
}

fn server(json: Json<'_>) -> Option<ServerName> {
    ServerName::parse(&json.get("server")?.text()?)
}

fn word(json: Json<'_>, key: &str) -> Option<String> {
    let text = json.get(key)?.text()?;
    text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_').then(|| text.into_owned())
}

fn pointer(json: Json<'_>) -> Option<String> {
    let text = json.get("argument")?.text()?;
    text.bytes().all(|b| b.is_ascii_graphic()).then(|| text.into_owned())
}
