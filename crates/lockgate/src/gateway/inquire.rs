//! What servers offer, asked by Lockgate itself: a session of its own with each of them, through the same door.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use lockgate_core::{Boundary, Core, Front, Identity, Received, Scope};
use lockgate_model::{Body, Json, Message, Principal, Reason, ServerName, SessionId, Side, Untrusted, quote};
use lockgate_policy::Rules;
use tokio::sync::mpsc;

use super::Gateway;
use super::serve::{runtime, stopped};
use super::session::{Delivery, Session, Via};
use super::sessions::Key;
use crate::config::Config;

/// The entries of one server's list as they came, or what went wrong.
type Listed = Result<Vec<Bytes>, Unlisted>;

/// Why a server's tools are not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unlisted {
    /// What Lockgate found.
    #[error("{}", .0.meaning())]
    Found(Reason),
    /// What the server says, escaped.
    #[error("it says: {0}")]
    Said(String),
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

/// Asks each of these servers for its tools, side by side, and ends them. Rules hide nothing here, as what they hide is
/// to be looked at as well; nothing is recorded, and no tool is called. Gives the entries of each list as they came, or what went
/// wrong with that server; the error is about Lockgate itself.
pub(crate) fn list_tools(
    config: &Config,
    servers: &[ServerName],
) -> Result<BTreeMap<ServerName, Listed>, String> {
    let mut boundary = Boundary::clone(&config.boundary);
    boundary.records = false;
    boundary.servers.values_mut().for_each(|server| server.rules = Rules::allow_all());
    let mut open = config.clone();
    open.boundary = Arc::new(boundary);
    open.records = None;
    open.webhook = None;
    let gateway = Gateway::new(&open)?;
    runtime()?.block_on(async {
        tokio::spawn(Arc::clone(&gateway).keep_time());
        let asking: Vec<_> = servers
            .iter()
            .map(|server| (server.clone(), tokio::spawn(inquire(Arc::clone(&gateway), server.clone()))))
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
async fn inquire(gateway: Arc<Gateway>, server: ServerName) -> Listed {
    let hello = format!(
        r#""protocolVersion":"2025-11-25","capabilities":{{}},"clientInfo":{{"name":"lockgate-tools","version":"{}"}}"#,
        env!("CARGO_PKG_VERSION")
    );
    let mut agent = Agent::begin(&gateway, &server)?;
    agent.ask("initialize", &hello).await?;
    agent.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await;
    agent.list().await
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

    /// The whole list of tools.
    async fn list(&mut self) -> Listed {
        let mut entries = Vec::new();
        let mut cursor = String::new();
        for _ in 0..PAGES {
            let answer = self.ask("tools/list", &cursor).await?;
            let message = self.read(&answer)?;
            let Body::Result { result, .. } = message.body else { break };
            let tools = result.get("tools").into_iter().flat_map(Json::elements);
            entries.extend(tools.map(|tool| Bytes::copy_from_slice(tool.raw())));
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
    let said = error.get("message").and_then(Json::text).unwrap_or_default().into_owned();
    Unlisted::Said(Untrusted::new(said).escaped(COMPLAINT))
}
