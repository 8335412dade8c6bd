//! The handshake, and what a server says of itself in it.

use bytes::Bytes;
use lockgate_model::{Body, Era, ExchangeId, Json, Kind, Params, Reason, Revision, Tick, quote};

use super::call::Waiting;
use super::result::CACHING;
use super::{Asked, Handshake};
use crate::Moment;
use crate::message;
use crate::meta;
use crate::object::Object;

/// The levels of logs, the least first.
const LEVELS: [&str; 8] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// The place of a log level among all of them.
pub(super) fn severity(level: Option<Json<'_>>) -> Option<usize> {
    let level = level?.text()?;
    LEVELS.iter().position(|known| *known == level)
}

/// How far the handshake is.
#[derive(Debug)]
pub(super) enum Greeting {
    Never,
    Asked { exchange: ExchangeId, until: Tick },
    Done(Server),
}

/// What a server has said of itself, as JSON.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) revision: Revision,
    /// As the stateless era has them.
    capabilities: Bytes,
    /// The member of `_meta` that names the server.
    pub(super) signature: Object,
    instructions: Option<Bytes>,
    logs: bool,
}

/// The log level that the server has been told.
#[derive(Debug, Default)]
pub(super) struct Level {
    settled: Option<usize>,
    asked: Option<(ExchangeId, usize, Tick)>,
    /// The session in which it was last told was forgotten, and no other has heard it.
    again: bool,
}

impl Greeting {
    pub(super) fn is_asked(&self, wire: ExchangeId) -> bool {
        matches!(self, Self::Asked { exchange, .. } if *exchange == wire)
    }

    pub(super) fn until(&self) -> Option<Tick> {
        match self {
            Self::Asked { until, .. } => Some(*until),
            Self::Never | Self::Done(_) => None,
        }
    }

    pub(super) fn server(&self) -> Option<&Server> {
        match self {
            Self::Done(server) => Some(server),
            Self::Never | Self::Asked { .. } => None,
        }
    }
}

impl Level {
    pub(super) fn is_asked(&self, wire: ExchangeId) -> bool {
        self.asked.is_some_and(|(exchange, ..)| exchange == wire)
    }

    pub(super) fn until(&self) -> Option<Tick> {
        self.asked.map(|(_, _, until)| until)
    }

    pub(super) fn forget(&mut self) {
        *self = Self { again: self.again, ..Self::default() };
    }
}

impl Server {
    fn read(body: &Body<'_>) -> Option<Self> {
        let Body::Result { fields, .. } = body else { return None };
        let revision = fields.get("protocolVersion").and_then(Json::text);
        let revision = revision.and_then(|text| Revision::parse(&text));
        let revision = revision.filter(|revision| revision.era() == Era::Legacy)?;
        let capabilities = fields.get("capabilities").filter(|value| value.kind() == Kind::Object);
        let offered = |name: &str| capabilities.is_some_and(|capabilities| capabilities.get(name).is_some());
        let same = ["tools", "prompts", "resources", "completions", "logging", "experimental"];
        let object = |value: &Json<'_>| value.kind() == Kind::Object;
        let kept = Object::of(capabilities, |name| {
            same.contains(&name)
                && capabilities.and_then(|all| all.get(name)).is_some_and(|kept| object(&kept))
        });
        let info = fields.get("serverInfo").filter(object);
        let signature = Object::default();
        let instructions = fields.get("instructions").filter(|text| text.kind() == Kind::String);
        Some(Self {
            revision,
            logs: offered("logging"),
            capabilities: kept.json().into(),
            signature: match info {
                Some(info) => signature.with(&meta::reserved_key("serverInfo"), info.raw()),
                None => signature,
            },
            instructions: instructions.map(|text| Bytes::copy_from_slice(text.raw())),
        })
    }

    /// Does it announce this (`listChanged`, `subscribe`) of that (`tools`)?
    pub(super) fn can(&self, of: &str, what: &str) -> bool {
        let capabilities = Json::check(&self.capabilities, 128).ok();
        capabilities.and_then(|all| all.get(of)?.get(what)?.bool()) == Some(true)
    }

    /// The answer to `server/discover`.
    fn discovered(&self, id: &[u8]) -> Bytes {
        let mut result = Object::default()
            .with("resultType", "\"complete\"")
            .with("supportedVersions", format!("[{}]", quote(Revision::R2026_07_28.as_str())))
            .with("capabilities", &self.capabilities);
        if let Some(instructions) = &self.instructions {
            result = result.with("instructions", instructions);
        }
        for (name, value) in CACHING {
            result = result.with(name, value);
        }
        if !self.signature.is_empty() {
            result = result.with("_meta", self.signature.json());
        }
        message::result(id, result.json())
    }
}

/// What the client can, as the handshake era has it: what it may be asked, and what is experimental. Extensions are of
/// the stateless era, and a client whose requests stand alone announces no change of its roots.
fn capabilities(params: &Params<'_>) -> Object {
    let declared = params.reserved("clientCapabilities");
    let same = Object::of(declared, |name| matches!(name, "elicitation" | "sampling" | "experimental"));
    if declared.is_some_and(|declared| declared.get("roots").is_some()) {
        same.with("roots", "{}")
    } else {
        same
    }
}

impl Handshake {
    /// Sends a request as soon as it may: after the handshake, and after the server was told the log level it asks for.
    pub(super) fn admit(&mut self, asked: &Asked<'_>, again: bool, moment: &mut Moment<'_>) {
        let ready = match (&self.greeting, asked.method) {
            (Greeting::Never, _) => {
                if !self.is_full() {
                    self.greet(&asked.params, moment);
                }
                false
            }
            (Greeting::Asked { .. }, _) => false,
            (Greeting::Done(server), "server/discover") => {
                return moment.said(asked.exchange, server.discovered(asked.id.raw()));
            }
            (Greeting::Done(server), "subscriptions/listen") => {
                return self.listens.begin(asked, server, &self.bounds, moment);
            }
            (Greeting::Done(_), _) => self.is_levelled(&asked.params, moment),
        };
        if ready {
            self.call(asked, again, moment);
        } else if self.is_full() {
            moment.fail(asked.exchange, Reason::TooManyOpen);
        } else {
            self.waiting.push(Waiting {
                exchange: asked.exchange,
                method: asked.method,
                message: asked.message.clone(),
                id: asked.message.slice_ref(asked.id.raw()),
                again,
            });
        }
    }

    fn admit_waiting(&mut self, moment: &mut Moment<'_>) {
        for waiting in std::mem::take(&mut self.waiting) {
            match Asked::read(waiting.exchange, waiting.method, &waiting.message) {
                Ok(asked) => self.admit(&asked, waiting.again, moment),
                Err(reason) => moment.fail(waiting.exchange, reason),
            }
        }
    }

    fn greet(&mut self, params: &Params<'_>, moment: &mut Moment<'_>) {
        let info = params.reserved("clientInfo").filter(|info| info.kind() == Kind::Object);
        let own = format!("{{\"name\":\"lockgate\",\"version\":\"{}\"}}", env!("CARGO_PKG_VERSION"));
        let hello = Object::default()
            .with("protocolVersion", quote(Revision::R2025_11_25.as_str()))
            .with("capabilities", capabilities(params).json())
            .with("clientInfo", info.map_or(own.as_bytes(), Json::raw));
        self.hello = hello;
        self.say_hello(moment);
    }

    fn say_hello(&mut self, moment: &mut Moment<'_>) {
        let exchange = moment.ask("initialize", self.hello.clone());
        self.greeting = Greeting::Asked { exchange, until: moment.in_millis(self.bounds.handshake) };
    }

    /// The server has forgotten us: it is greeted in the same words.
    pub(super) fn greet_again(&mut self, moment: &mut Moment<'_>) {
        if self.greeting.server().is_none() {
            return;
        }
        self.level.forget();
        self.listens.forget_asked();
        self.say_hello(moment);
    }

    /// The server has answered the handshake.
    pub(super) fn greeted(&mut self, body: &Body<'_>, moment: &mut Moment<'_>) {
        let Some(server) = Server::read(body) else {
            return self.greeting_failed(Reason::HandshakeRefused, moment);
        };
        self.greeting = Greeting::Done(server);
        self.greeted += 1;
        let said = message::message(Object::default().with("method", "\"notifications/initialized\""));
        moment.tell("notifications/initialized", said);
        moment.out.push(crate::Out::Listen);
        self.listens.renew(moment);
        self.admit_waiting(moment);
    }

    /// There was no handshake: what waits for it fails, and the next request tries again.
    pub(super) fn greeting_failed(&mut self, reason: Reason, moment: &mut Moment<'_>) {
        if let Greeting::Asked { exchange, .. } = self.greeting
            && reason == Reason::ServerTimedOut
        {
            moment.out.push(crate::Out::Abandon { exchange });
        }
        self.greeting = Greeting::Never;
        for waiting in std::mem::take(&mut self.waiting) {
            moment.fail(waiting.exchange, reason);
        }
    }

    /// Does the server log as the request wants it to? If not, it is told first.
    fn is_levelled(&mut self, params: &Params<'_>, moment: &mut Moment<'_>) -> bool {
        let logs = self.greeting.server().is_some_and(|server| server.logs);
        let wanted = severity(params.reserved("logLevel")).filter(|_| logs);
        let Some(level) = wanted.filter(|wanted| self.level.settled != Some(*wanted)) else {
            return true;
        };
        if self.level.asked.is_none() && !self.is_full() {
            let name = LEVELS.get(level).copied().unwrap_or_default();
            let exchange = moment.ask("logging/setLevel", Object::default().with("level", quote(name)));
            self.level.asked = Some((exchange, level, moment.in_millis(self.bounds.handshake)));
        }
        false
    }

    /// The server does not say whether it logs now as it was told to.
    pub(super) fn level_is_late(&mut self, moment: &mut Moment<'_>) {
        if let Some((exchange, ..)) = self.level.asked {
            moment.out.push(crate::Out::Abandon { exchange });
        }
        self.levelled(moment);
    }

    /// The session was forgotten in which the server was told the log level: it is told again in a new one, once.
    pub(super) fn level_forgotten(&mut self, moment: &mut Moment<'_>) {
        if self.level.again {
            return self.levelled(moment);
        }
        self.level.forget();
        self.level.again = true;
        self.greet_again(moment);
    }

    /// The server has been told the log level. Where it could not be, requests go on without logs.
    pub(super) fn levelled(&mut self, moment: &mut Moment<'_>) {
        if let Some((_, level, _)) = self.level.asked.take() {
            self.level.settled = Some(level);
            self.level.again = false;
            self.admit_waiting(moment);
        }
    }
}
