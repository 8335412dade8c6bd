//! The HTTP front: what agents connect to.

mod check;
mod serve;

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use lockgate_core::Headers;
use lockgate_model::{Principal, Reason, ServerName, quote};

pub use serve::{Admission, serve};
use tokio::sync::mpsc;

use crate::sse;

/// What the front lets in.
#[derive(Clone, Debug)]
pub struct FrontSettings {
    /// The address it listens on: its own Host names are allowed.
    pub listens_on: IpAddr,
    /// Further names that a Host header may hold.
    pub allowed_hosts: Vec<String>,
    /// Origins of web pages that may connect, as `scheme://host[:port]`.
    pub allowed_origins: Vec<String>,
    /// Who may connect, by the SHA-256 of a bearer token. With none, everybody is the principal `local`.
    pub tokens: Vec<(Principal, [u8; 32])>,
    /// Largest body. Bytes.
    pub request_bytes: usize,
    /// Longest time for the headers, and again for the body, to arrive.
    pub patience: Duration,
    /// Most connections at once; further ones wait.
    pub connections: usize,
}

/// Whoever decides what is answered.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request. Where the agent's connection is lost meanwhile, the future is dropped.
    fn handle(self: Arc<Self>, request: FrontRequest) -> impl Future<Output = FrontResponse> + Send;

    /// A request was refused before it was looked at. Called often where somebody tries.
    fn refused(&self, reason: Reason) {
        let _ = reason;
    }

    /// Takes what a host says that its user wrote. There is nothing of the kind unless somebody wants it.
    fn turn(self: Arc<Self>, turn: FrontTurn) -> impl Future<Output = FrontResponse> + Send {
        drop(turn);
        std::future::ready(FrontResponse::Refuse(Reason::NotFound, None))
    }
}

/// What a host says that its user wrote, at `/lockgate/user-turn`: not looked into yet, and no message of MCP.
#[derive(Debug)]
pub struct FrontTurn {
    /// Who sends it.
    pub principal: Principal,
    /// `Lockgate-Timestamp`
    pub timestamp: Option<String>,
    /// `Lockgate-Signature`
    pub signature: Option<String>,
    /// The body, at most [`FrontSettings::request_bytes`].
    pub body: Bytes,
}

/// A request that may be looked at: from an allowed host and origin, by a known principal.
#[derive(Debug)]
pub struct FrontRequest {
    /// What is wanted.
    pub method: FrontMethod,
    /// Of whom.
    pub route: Route,
    /// Who wants it.
    pub principal: Principal,
    /// `Mcp-Session-Id`
    pub session: Option<String>,
    /// The agent's run, where its configuration names one: `Lockgate-Context`, or `/c/<context>` before the path.
    pub context: Option<String>,
    /// `Last-Event-ID`
    pub last_event_id: Option<String>,
    /// What the headers say of the message.
    pub headers: Headers,
}

/// The HTTP methods that MCP uses.
#[derive(Debug)]
pub enum FrontMethod {
    /// A message.
    Post(Bytes),
    /// The standing stream, or a stream to resume.
    Get,
    /// The end of a session.
    Delete,
}

/// Which servers a path stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/mcp`
    All,
    /// `/s/<server>/mcp`
    One(ServerName),
}

/// What is answered.
#[derive(Debug)]
pub enum FrontResponse {
    /// One message.
    Json {
        /// The HTTP status.
        status: u16,
        /// The message.
        body: Bytes,
        /// A new session's id.
        session: Option<String>,
    },
    /// Nothing but a status.
    Empty {
        /// The HTTP status.
        status: u16,
    },
    /// A stream of messages.
    Stream {
        /// The stream.
        body: FrontStream,
        /// A new session's id.
        session: Option<String>,
    },
    /// A refusal, and the raw id of the request it is for.
    Refuse(Reason, Option<Bytes>),
}

/// A stream to the agent.
#[derive(Debug)]
pub struct FrontStream(mpsc::Receiver<Bytes>);

/// The writing end of a stream to the agent. The stream ends when it is dropped.
#[derive(Debug)]
pub struct StreamSender(mpsc::Sender<Bytes>);

/// Most pieces that wait for a slow reader.
const WAITING: usize = 16;

impl FrontStream {
    /// A stream and its writing end. The writer waits for a slow reader.
    pub fn open() -> (StreamSender, Self) {
        let (sender, stream) = mpsc::channel(WAITING);
        (StreamSender(sender), Self(stream))
    }
}

impl Body for FrontStream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}

impl StreamSender {
    /// Writes one event, with a place to resume after and a time to wait before. False where the agent has gone.
    pub async fn send(&self, id: Option<&str>, retry: Option<u64>, message: &[u8]) -> bool {
        let mut out = Vec::with_capacity(message.len() + 64);
        sse::encode(&mut out, id, retry, message);
        self.0.send(out.into()).await.is_ok()
    }

    /// Writes a comment, to keep the stream alive where something on the way closes silent ones.
    pub async fn keep_alive(&self) -> bool {
        self.0.send(Bytes::from_static(b":\n\n")).await.is_ok()
    }

    /// Waits until the agent has gone.
    pub async fn closed(&self) {
        self.0.closed().await;
    }
}

/// The JSON-RPC error for a refusal. `id` is raw.
pub fn refusal(reason: Reason, id: Option<&[u8]>) -> Bytes {
    let id = id.map_or_else(|| "null".into(), String::from_utf8_lossy);
    Bytes::from(format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{{\"code\":{},\"message\":{},\"data\":{{\"reason\":\"{}\",\"remedy\":{}}}}}}}",
        reason.rpc_code(),
        quote(&format!("[lockgate] {}", reason.meaning())),
        reason.code(),
        quote(reason.remedy())
    ))
}
