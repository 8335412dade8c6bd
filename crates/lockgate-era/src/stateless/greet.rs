//! The handshake that the server never sees: `initialize` is answered from `server/discover`.

use bytes::Bytes;
use lockgate_model::{ExchangeId, Fields, Json, Kind, Params, Reason, Revision, quote};

use super::call::{Call, State};

use super::Stateless;
use crate::message;
use crate::meta::{reserved, unreserved};
use crate::object::{Object, members};
use crate::{Moment, Out};

/// The server's name where it gives none.
const NAMELESS: &[u8] = br#"{"name":"unnamed","version":"0"}"#;

/// What every request says of the agent, since a stateless server remembers nothing.
#[derive(Debug, Default)]
pub(super) struct Introduction {
    /// The revision the agent wants to speak.
    revision: Option<Revision>,
    /// `clientInfo`, as it came.
    info: Option<Bytes>,
    /// `clientCapabilities`: what both eras know of them.
    capabilities: Vec<u8>,
    /// The least level of what the agent wants to read in logs, once it has said so. With quotes.
    level: Option<String>,
    /// Has the server said who it is?
    answered: bool,
}

impl Introduction {
    fn read(message: &Bytes, params: &Params<'_>) -> Self {
        let revision = params.text("protocolVersion").and_then(|text| Revision::parse(&text));
        let info = params.get("clientInfo").filter(|info| info.kind() == Kind::Object);
        let mut capabilities = Object::default();
        for member in params.get("capabilities").into_iter().flat_map(members) {
            if member.key.is("roots") {
                // The stateless era has no `listChanged` of roots.
                capabilities.add("roots", b"{}");
            } else if ["elicitation", "sampling", "experimental"].iter().any(|name| member.key.is(name)) {
                capabilities.push(member.text);
            }
        }
        Self {
            revision,
            info: info.map(|info| message.slice_ref(info.raw())),
            capabilities: capabilities.json(),
            level: None,
            answered: false,
        }
    }

    pub(super) fn is_answered(&self) -> bool {
        self.answered
    }

    /// The members of `_meta`.
    pub(super) fn members(&self) -> Vec<u8> {
        let mut meta = Object::default();
        meta.add("io.modelcontextprotocol/protocolVersion", br#""2026-07-28""#);
        if let Some(info) = &self.info {
            meta.add("io.modelcontextprotocol/clientInfo", info);
        }
        let known = if self.capabilities.is_empty() { b"{}" } else { &self.capabilities[..] };
        meta.add("io.modelcontextprotocol/clientCapabilities", known);
        if let Some(level) = &self.level {
            meta.add("io.modelcontextprotocol/logLevel", level.as_bytes());
        }
        meta.written().to_vec()
    }
}

impl Stateless {
    /// Asks the server who it is, in the exchange of the session's `initialize`.
    pub(super) fn initialize(
        &mut self,
        exchange: ExchangeId,
        message: &Bytes,
        id: Json<'_>,
        params: &Params<'_>,
        moment: &mut Moment<'_>,
    ) {
        self.introduction = Introduction::read(message, params);
        let call = Call {
            method: "initialize",
            message: message.clone(),
            id: message.slice_ref(id.raw()),
            token: None,
            state: State::Sent(exchange),
            rounds: 0,
            until: Some(moment.now.after_millis(self.bounds.handshake)),
        };
        self.wires.insert(exchange, exchange);
        self.calls.insert(exchange, call);
        let message = self.own_request(exchange, "server/discover", &[]);
        moment.out.push(Out::Send { exchange: Some(exchange), method: Some("server/discover"), message });
    }

    /// A request of the bridge's own; `params` are members that are written already.
    pub(super) fn own_request(&self, wire: ExchangeId, method: &str, params: &[u8]) -> Bytes {
        let mut meta = Object::default();
        meta.push(&self.introduction.members());
        let mut all = Object::default();
        all.add("_meta", meta.json());
        all.push(params);
        message::request(wire, method, all.json())
    }

    /// What a discovered server would have answered to `initialize`. What else it says of itself goes along.
    pub(super) fn welcome(
        &mut self,
        id: &Bytes,
        found: Json<'_>,
        fields: &Fields<'_>,
    ) -> Result<Bytes, Reason> {
        let wanted = |version: Json<'_>| version.text().is_some_and(|text| text == "2026-07-28");
        let spoken = fields.get("supportedVersions").is_some_and(|all| all.elements().any(wanted));
        let capabilities = fields.get("capabilities").filter(|all| all.kind() == Kind::Object);
        let (true, Some(capabilities)) = (spoken, capabilities) else {
            return Err(Reason::ServerBrokeProtocol);
        };
        self.introduction.answered = true;
        self.listening.offers(capabilities);
        let asked = self.introduction.revision.filter(|revision| *revision != Revision::R2026_07_28);
        let revision = asked.unwrap_or(Revision::R2025_11_25);
        let info = reserved(fields.get("_meta"), "serverInfo").filter(|info| is_named(*info));
        let mut out = Object::default();
        out.add("protocolVersion", quote(revision.as_str()).as_bytes());
        out.add("capabilities", offered(capabilities));
        out.add("serverInfo", info.map_or(NAMELESS, Json::raw));
        for member in members(found) {
            if member.key.is("_meta") {
                if let Some(meta) = unreserved(member.value) {
                    out.add("_meta", &meta);
                }
            } else if !OWN.iter().any(|name| member.key.is(name)) {
                out.push(member.text);
            }
        }
        Ok(message::result(id, out.json()))
    }

    /// From now on each request says which logs are wanted.
    pub(super) fn set_level(
        &mut self,
        exchange: ExchangeId,
        id: Json<'_>,
        params: &Params<'_>,
        moment: &mut Moment<'_>,
    ) {
        let level = params.text("level");
        let known = LEVELS.iter().find(|known| level.as_deref() == Some(**known));
        let message = match known {
            Some(level) => {
                self.introduction.level = Some(quote(level));
                message::result(id.raw(), b"{}")
            }
            None => message::refusal(id.raw(), UNKNOWN_LEVEL),
        };
        moment.said(exchange, message);
    }
}

/// Members of the result of `server/discover` that have no place in that of `initialize`, or another one there.
const OWN: [&str; 7] = [
    "resultType",
    "supportedVersions",
    "capabilities",
    "ttlMs",
    "cacheScope",
    "protocolVersion",
    "serverInfo",
];

const LEVELS: [&str; 8] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

const UNKNOWN_LEVEL: &[u8] = br#"{"code":-32602,"message":"`level` is none of the levels of the protocol"}"#;

/// Clients of the handshake era refuse a server without a name or a version.
fn is_named(info: Json<'_>) -> bool {
    let text = |name| info.get(name).is_some_and(|value| value.kind() == Kind::String);
    text("name") && text("version")
}

/// A server's capabilities without what is not carried.
fn offered(capabilities: Json<'_>) -> Vec<u8> {
    let mut kept = Object::default();
    members(capabilities)
        .filter(|member| !(member.key.is("extensions") || member.key.is("tasks")))
        .for_each(|member| kept.push(member.text));
    kept.json()
}
