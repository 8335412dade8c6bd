//! What servers offer, asked by Lockgate itself: a session of its own with each of them, through the same door.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use lockgate_core::{Boundary, Core, Front, Identity, Received, Scope};
use lockgate_model::{
    Body, Json, Kind, Message, Principal, Reason, ServerName, SessionId, Side, Untrusted, quote,
};
use lockgate_policy::Rules;
use tokio::sync::mpsc;

use super::Gateway;
use super::serve::{runtime, stopped};
use super::session::{Delivery, Session, Via};
use super::sessions::Key;
use crate::config::Config;

/// Everything that one server says of itself, as it came: no definition is changed, and no credential is taken out.
#[derive(Clone, Debug, Default)]
pub struct Offered {
    /// Who it says it is: its `serverInfo`, an object. None where it says nothing.
    pub identity: Option<Bytes>,
    /// The TLS key of a server elsewhere, as it was seen: `sha256/` and base64.
    pub key: Option<String>,
    /// What it tells the model about itself.
    pub instructions: Option<String>,
    /// The entries of its `tools/list`, in its order. So are the others of their lists.
    pub tools: Vec<Bytes>,
    /// Its prompts.
    pub prompts: Vec<Bytes>,
    /// Its resources.
    pub resources: Vec<Bytes>,
    /// Its templates of resources.
    pub templates: Vec<Bytes>,
}

/// How much is asked.
#[derive(Clone, Copy)]
enum Wanted {
    Tools,
    All,
}

/// Why it is not known what a server offers.
#[derive(Debug, thiserror::Error)]
pub enum Unlisted {
    /// What Lockgate found.
    #[error("{}", .0.meaning())]
    Found(Reason),
    /// What the server says, escaped.
    #[error("it says: {0}")]
    Said(String),
    /// It does not know what it was asked.
    #[error("it does not know the request")]
    UnknownMethod,
}

impl From<Reason> for Unlisted {
    fn from(reason: Reason) -> Self {
        Self::Found(reason)
    }
}

/// Most pages of one list that are asked for.
const PAGES: usize = 1_000;

/// Most characters of what a server says when it refuses.
const COMPLAINT: usize = 300;

/// The code of JSON-RPC for a method that a server does not know.
const UNKNOWN_METHOD: i64 = -32601;

/// Asks each of these servers for its tools, side by side, and ends them. Rules hide nothing here, as what they hide is
/// to be looked at as well; nothing is recorded, and no tool is called. Gives the entries of each list as they came, or what went
/// wrong with that server; the error is about Lockgate itself.
pub(crate) fn list_tools(
    config: &Config,
    servers: &[ServerName],
) -> Result<BTreeMap<ServerName, Result<Vec<Bytes>, Unlisted>>, String> {
    let answers = ask_each(config, servers, Wanted::Tools)?;
    Ok(answers.into_iter().map(|(server, answer)| (server, answer.map(|offered| offered.tools))).collect())
}

/// As `list_tools`, and asks for everything that a server says of itself: who it is, its instructions, tools, prompts,
/// resources and templates. What it does not declare that it has is not asked for.
pub fn list_all(
    config: &Config,
    servers: &[ServerName],
) -> Result<BTreeMap<ServerName, Result<Offered, Unlisted>>, String> {
    ask_each(config, servers, Wanted::All)
}

fn ask_each(
    config: &Config,
    servers: &[ServerName],
    wanted: Wanted,
) -> Result<BTreeMap<ServerName, Result<Offered, Unlisted>>, String> {
    let mut boundary = Boundary::clone(&config.boundary);
    boundary.records = false;
    boundary.pins = false;
    for server in boundary.servers.values_mut() {
        server.rules = Rules::allow_all();
        server.intercept = None;
    }
    let mut open = config.clone();
    open.boundary = Arc::new(boundary);
    open.records = None;
    open.webhook = None;
    open.alerts = None;
    let gateway = Gateway::new(&open)?;
    runtime()?.block_on(async {
        tokio::spawn(Arc::clone(&gateway).keep_time());
        let asking: Vec<_> = servers
            .iter()
            .map(|server| {
                (server.clone(), tokio::spawn(inquire(Arc::clone(&gateway), server.clone(), wanted)))
            })
            .collect();
        let answers = async {
            let mut lists = BTreeMap::new();
            for (server, answer) in asking {
                let fault = || Err(Unlisted::Found(Reason::InternalFault));
                lists.insert(server, answer.await.unwrap_or_else(|_| fault()));
            }
            lists
        };
        let lists = tokio::select! {
            lists = answers => Ok(lists),
            () = stopped() => Err("stopped before every server had answered".to_owned()),
        };
        gateway.end().await;
        lists
    })
}

/// Asks one server. One that knows no handshake is translated for, as for any agent that begins with one.
async fn inquire(gateway: Arc<Gateway>, server: ServerName, wanted: Wanted) -> Result<Offered, Unlisted> {
    let hello = format!(
        r#""protocolVersion":"2025-11-25","capabilities":{{}},"clientInfo":{{"name":"lockgate-tools","version":"{}"}}"#,
        env!("CARGO_PKG_VERSION")
    );
    let mut agent = Agent::begin(&gateway, &server)?;
    let greeting = agent.ask("initialize", &hello).await?;
    agent.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await;
    match wanted {
        Wanted::Tools => {
            Ok(Offered { tools: agent.list("tools/list", "tools").await?, ..Offered::default() })
        }
        Wanted::All => {
            let key = gateway.http_server(&server).and_then(|http| http.key());
            let offered = agent.all(&greeting).await?;
            Ok(Offered { key: key.map(|key| key.to_string()), ..offered })
        }
    }
}

/// Lockgate in the part of the agent.
struct Agent {
    session: Arc<Session>,
    heard: mpsc::Receiver<Delivery>,
    next: u64,
}

impl Agent {
    /// A session with one server.
    fn begin(gateway: &Arc<Gateway>, server: &ServerName) -> Result<Self, Reason> {
        let principal = Principal::new("local");
        let identity = Identity {
            session: SessionId::new("tools"),
            principal: principal.clone(),
            client: None,
            bound: String::new(),
        };
        let core = Core::new(gateway.boundary(), identity, Scope::One(server.clone()), Front::Stdio);
        let session = Session::new(Arc::clone(gateway), principal, None, core);
        let key = Key::Legacy(server.to_string());
        let place = || Ok(Arc::clone(&session));
        gateway.sessions.find_or_place(key, usize::MAX, place)?;
        let (heard, sink) = session.stand();
        // The session holds one; what is heard ends with the session.
        drop(sink);
        Ok(Self { session, heard, next: 0 })
    }

    /// What stands in the answer to the handshake, and all lists that it declares.
    async fn all(&mut self, greeting: &Bytes) -> Result<Offered, Unlisted> {
        let message = self.read(greeting)?;
        let Body::Result { result, .. } = message.body else {
            return Err(Reason::ServerBrokeProtocol.into());
        };
        let identity = result.get("serverInfo").map(|said| Bytes::copy_from_slice(said.raw()));
        let instructions = result.get("instructions").and_then(Json::text).map(Cow::into_owned);
        let declared = |name: &str| {
            result
                .get("capabilities")
                .and_then(|all| all.get(name))
                .is_some_and(|one| one.kind() == Kind::Object)
        };
        let [tools, prompts, resources] = ["tools", "prompts", "resources"].map(declared);
        let mut offered = Offered { identity, instructions, ..Offered::default() };
        if tools {
            offered.tools = self.list("tools/list", "tools").await?;
        }
        if prompts {
            offered.prompts = self.list("prompts/list", "prompts").await?;
        }
        if resources {
            offered.resources = self.list("resources/list", "resources").await?;
            // Who has resources need not know templates.
            offered.templates = match self.list("resources/templates/list", "resourceTemplates").await {
                Err(Unlisted::UnknownMethod) => Vec::new(),
                listed => listed?,
            };
        }
        Ok(offered)
    }

    /// The whole of a list: the entries that stand under this field of the answers.
    async fn list(&mut self, method: &str, field: &str) -> Result<Vec<Bytes>, Unlisted> {
        let mut entries = Vec::new();
        let mut cursor = String::new();
        for _ in 0..PAGES {
            let answer = self.ask(method, &cursor).await?;
            let message = self.read(&answer)?;
            let Body::Result { result, .. } = message.body else { break };
            let listed = result.get(field).into_iter().flat_map(Json::elements);
            entries.extend(listed.map(|entry| Bytes::copy_from_slice(entry.raw())));
            match result.get("nextCursor").and_then(Json::text) {
                Some(next) => cursor = format!("\"cursor\":{}", quote(&next)),
                None => return Ok(entries),
            }
        }
        Err(Reason::TooManyPages.into())
    }

    /// The answer to a request; else what the server, or Lockgate about it, says against it.
    async fn ask(&mut self, method: &str, params: &str) -> Result<Bytes, Unlisted> {
        self.next += 1;
        let id = self.next;
        self.say(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{{params}}}}}"#))
            .await;
        loop {
            let delivery = tokio::select! {
                biased;
                delivery = self.heard.recv() => delivery,
                () = self.session.over() => None,
            };
            let Some(delivery) = delivery else { return Err(Reason::ServerExited.into()) };
            let Ok(message) = self.read(&delivery.message) else { continue };
            match message.body {
                Body::Result { id: own, .. } if own.unsigned() == Some(id) => return Ok(delivery.message),
                Body::Error { id: own, error } if own.and_then(Json::unsigned) == Some(id) => {
                    return Err(complaint(error));
                }
                Body::Request { .. }
                | Body::Notification { .. }
                | Body::Result { .. }
                | Body::Error { .. } => {}
            }
        }
    }

    async fn say(&self, text: &str) {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        let limits = self.session.gateway.boundary().limits;
        let (_, steps) = self.session.from_agent(&bytes, Received::read(&bytes, Side::Agent, &limits), None);
        self.session.perform(steps, Via::default()).await;
    }

    fn read<'m>(&self, bytes: &'m Bytes) -> Result<Message<'m>, Reason> {
        let limits = self.session.gateway.boundary().limits;
        Message::parse(bytes, Side::Server, &limits)
    }
}

/// What stands in an error: the meaning of our own reason, or what the server says.
fn complaint(error: Json<'_>) -> Unlisted {
    let code = error.get("data").and_then(|data| data.get("reason")).and_then(Json::text);
    let own = code.and_then(|code| Reason::ALL.iter().find(|reason| reason.code() == code));
    if let Some(reason) = own {
        return Unlisted::Found(*reason);
    }
    if error.get("code").and_then(Json::integer) == Some(UNKNOWN_METHOD) {
        return Unlisted::UnknownMethod;
    }
    let said = error.get("message").and_then(Json::text).unwrap_or_default().into_owned();
    Unlisted::Said(Untrusted::new(said).escaped(COMPLAINT))
}
