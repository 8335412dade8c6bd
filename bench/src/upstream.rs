//! A fixed, cheap MCP server, over Streamable HTTP or stdio, for both eras. Its tools: `echo {text}`, `blob {bytes}`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::convert::Infallible;
use std::io::{BufRead, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::net::TcpListener;

use crate::text::{LEGACY, MODERN, around, blob, tools};

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
/// `blob` makes no more than this.
const LARGEST: usize = 16 << 20;

/// The server.
pub struct Upstream {
    tools: String,
    blobs: Mutex<HashMap<usize, Bytes>>,
    next_session: AtomicU64,
}

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    params: Params<'a>,
}

#[derive(Default, Deserialize)]
struct Params<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "protocolVersion")]
    version: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "_meta")]
    meta: Option<&'a RawValue>,
    #[serde(default)]
    arguments: Arguments,
}

#[derive(Default, Deserialize)]
struct Arguments {
    #[serde(default)]
    text: String,
    #[serde(default)]
    bytes: usize,
}

impl Default for Upstream {
    fn default() -> Self {
        Self { tools: tools(8_000), blobs: Mutex::default(), next_session: AtomicU64::new(1) }
    }
}

impl Upstream {
    /// The answer to a message, and whether it opens a session; none to what wants no answer.
    fn answer(&self, message: &[u8]) -> Option<(Bytes, bool)> {
        let Ok(asked) = serde_json::from_slice::<Asked>(message) else {
            let error = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"not a request"}}"#;
            return Some((Bytes::from_static(error.as_bytes()), false));
        };
        let (id, method) = (asked.id?.get(), asked.method?);
        let params = asked.params;
        let modern = params.meta.is_some_and(|meta| meta.get().contains("/protocolVersion\""));
        let fresh =
            if modern { r#","resultType":"complete","ttlMs":60000,"cacheScope":"public""# } else { "" };
        let info = r#"{"name":"bench","version":"1"}"#;
        let result = match &*method {
            "initialize" => {
                let version = params.version.as_deref().filter(|asked| *asked != MODERN).unwrap_or(LEGACY);
                format!(
                    r#"{{"protocolVersion":"{version}","capabilities":{{"tools":{{}}}},"serverInfo":{info}}}"#
                )
            }
            "server/discover" => format!(
                r#"{{"supportedVersions":["{MODERN}","{LEGACY}"],"capabilities":{{"tools":{{}}}},"_meta":{{"io.modelcontextprotocol/serverInfo":{info}}}{fresh}}}"#
            ),
            "ping" => "{}".to_owned(),
            "tools/list" => format!(r#"{{"tools":{}{fresh}}}"#, self.tools),
            "tools/call" => return Some((self.call(id, &params, modern), false)),
            _ => {
                let error =
                    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"unknown"}}}}"#);
                return Some((error.into(), false));
            }
        };
        Some((format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#).into(), method == "initialize"))
    }

    fn call(&self, id: &str, params: &Params<'_>, modern: bool) -> Bytes {
        let text = match params.name.as_deref() {
            Some("echo") => serde_json::to_vec(&params.arguments.text).unwrap_or_default().into(),
            _ => {
                let length = params.arguments.bytes.min(LARGEST);
                let mut blobs = self.blobs.lock().unwrap_or_else(PoisonError::into_inner);
                blobs.entry(length).or_insert_with(|| blob(length)).clone()
            }
        };
        let (before, after) = around(id, modern);
        [before.as_bytes(), &text, after.as_bytes()].concat().into()
    }

    /// Serves one client on standard input and output.
    pub fn serve_stdio(&self) -> anyhow::Result<()> {
        let mut output = std::io::stdout().lock();
        for line in std::io::stdin().lock().split(b'\n') {
            if let Some((answer, _)) = self.answer(&line?) {
                output.write_all(&answer)?;
                output.write_all(b"\n")?;
                output.flush()?;
            }
        }
        Ok(())
    }

    /// Serves HTTP, on any path.
    pub async fn serve_http(self, listen: SocketAddr) -> anyhow::Result<()> {
        let upstream = Arc::new(self);
        let listener = TcpListener::bind(listen).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let upstream = Arc::clone(&upstream);
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let upstream = Arc::clone(&upstream);
                    async move { Ok::<_, Infallible>(upstream.respond(request).await) }
                });
                // A client that goes away is its own business.
                let _served = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    }

    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        match *request.method() {
            Method::POST => {}
            Method::DELETE => return empty(StatusCode::OK),
            _ => return empty(StatusCode::METHOD_NOT_ALLOWED),
        }
        let Ok(body) = request.into_body().collect().await else { return empty(StatusCode::BAD_REQUEST) };
        let Some((answer, opens)) = self.answer(&body.to_bytes()) else { return empty(StatusCode::ACCEPTED) };
        let mut response = Response::new(Full::new(answer));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if opens {
            let session = format!("bench-{}", self.next_session.fetch_add(1, Ordering::Relaxed));
            response.headers_mut().extend(HeaderValue::from_str(&session).ok().map(|value| (SESSION, value)));
        }
        response
    }
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
