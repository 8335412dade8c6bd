//! A client that checks every reply, over one HTTP connection or on a pipe that several share.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::text::{LEGACY, MODERN, around};

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// Longest wait for a reply.
const PATIENCE: Duration = Duration::from_secs(10);

const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Where to speak to.
#[derive(Clone)]
pub enum Endpoint {
    Http { address: SocketAddr, path: String, modern: bool },
    Pipe(Arc<Pipe>),
}

/// One client.
pub struct Client {
    link: Link,
    modern: bool,
    /// The name of `blob` here.
    tool: String,
}

enum Link {
    Http { sender: SendRequest<Full<Bytes>>, path: String, headers: HeaderMap },
    Pipe(Arc<Pipe>),
}

impl Client {
    /// Connects, opens a session (on a pipe: where there is none yet) and reads the list of tools.
    pub async fn open(endpoint: &Endpoint) -> anyhow::Result<Self> {
        let (link, modern) = match endpoint {
            Endpoint::Http { address, path, modern } => (connect(*address, path).await?, *modern),
            Endpoint::Pipe(pipe) => (Link::Pipe(Arc::clone(pipe)), false),
        };
        let mut client = Self { link, modern, tool: String::new() };
        if modern {
            client.set(VERSION, MODERN)?;
        } else if client.first() {
            client
                .ask("initialize", &format!(
                    r#""protocolVersion":"{LEGACY}","capabilities":{{}},"clientInfo":{{"name":"bench","version":"1"}}"#
                ))
                .await?;
            client.set(VERSION, LEGACY)?;
            match &mut client.link {
                Link::Http { .. } => {
                    drop(client.post(INITIALIZED.into(), "notifications/initialized").await?)
                }
                Link::Pipe(pipe) => pipe.tell(INITIALIZED.as_bytes())?,
            }
        }
        let list: serde_json::Value = serde_json::from_slice(&client.ask("tools/list", "").await?)?;
        let tools = list["result"]["tools"].as_array().context("no list of tools")?;
        let mut names = tools.iter().filter_map(|tool| tool["name"].as_str());
        names.find(|name| name.ends_with("blob")).context("no tool `blob`")?.clone_into(&mut client.tool);
        client.set(NAME, &client.tool.clone())?;
        Ok(client)
    }

    /// Asks for a text of `bytes` bytes, which must be `text` and arrive exactly as the server sends it.
    pub async fn call(&mut self, bytes: usize, text: &[u8]) -> anyhow::Result<()> {
        let params = format!(r#""name":"{}","arguments":{{"bytes":{bytes}}}"#, self.tool);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let reply =
            timeout(PATIENCE, self.request(id, "tools/call", &params)).await.context("no reply")??;
        let (before, after) = around(&id.to_string(), self.modern);
        let inner =
            reply.strip_prefix(before.as_bytes()).and_then(|rest| rest.strip_suffix(after.as_bytes()));
        if inner != Some(text) {
            bail!("wrong reply: {}", String::from_utf8_lossy(reply.get(..300).unwrap_or(&reply)));
        }
        Ok(())
    }

    async fn ask(&mut self, method: &'static str, params: &str) -> anyhow::Result<Bytes> {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        timeout(PATIENCE, self.request(id, method, params))
            .await
            .with_context(|| format!("no reply to {method}"))?
    }

    async fn request(&mut self, id: u64, method: &'static str, params: &str) -> anyhow::Result<Bytes> {
        let meta = if self.modern {
            format!(
                r#"{}"_meta":{{"io.modelcontextprotocol/protocolVersion":"{MODERN}","io.modelcontextprotocol/clientInfo":{{"name":"bench","version":"1"}},"io.modelcontextprotocol/clientCapabilities":{{}}}}"#,
                if params.is_empty() { "" } else { "," }
            )
        } else {
            String::new()
        };
        let body =
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{{params}{meta}}}}}"#);
        match &mut self.link {
            Link::Http { .. } => self.post(body.into(), method).await,
            Link::Pipe(pipe) => pipe.ask(id, body.as_bytes()).await,
        }
    }

    /// Is the session still to be opened?
    fn first(&self) -> bool {
        match &self.link {
            Link::Http { .. } => true,
            Link::Pipe(pipe) => !std::mem::replace(&mut *lock(&pipe.opened), true),
        }
    }

    fn set(&mut self, name: HeaderName, value: &str) -> anyhow::Result<()> {
        if let Link::Http { headers, .. } = &mut self.link {
            headers.insert(name, HeaderValue::from_str(value)?);
        }
        Ok(())
    }

    async fn post(&mut self, body: Bytes, method: &'static str) -> anyhow::Result<Bytes> {
        let Link::Http { sender, path, headers } = &mut self.link else { bail!("not over HTTP") };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = path.parse()?;
        request.headers_mut().clone_from(headers);
        if self.modern {
            request.headers_mut().insert(METHOD, HeaderValue::from_static(method));
            if method != "tools/call" {
                request.headers_mut().remove(NAME);
            }
        } else {
            request.headers_mut().remove(NAME);
        }
        sender.ready().await?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        if let Some(session) = response.headers().get(SESSION) {
            headers.insert(SESSION, session.clone());
        }
        let stream = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(status.is_success(), "HTTP {status}: {}", String::from_utf8_lossy(&body));
        if stream {
            // Streams here end with the answer, which is the last event that holds anything.
            let mut lines = body.split(|byte| *byte == b'\n');
            let data =
                lines.rfind(|line| line.starts_with(b"data: {")).context("a stream without an answer")?;
            return Ok(body.slice_ref(&data[6..]));
        }
        Ok(body)
    }
}

async fn connect(address: SocketAddr, path: &str) -> anyhow::Result<Link> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_str(&address.to_string())?);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    Ok(Link::Http { sender, path: path.to_owned(), headers })
}

/// A process that is spoken to on its standard input and output. It ends with this value.
pub struct Pipe {
    opened: Mutex<bool>,
    waiting: Arc<Mutex<HashMap<u64, oneshot::Sender<Bytes>>>>,
    lines: mpsc::UnboundedSender<Vec<u8>>,
    process: Child,
}

impl Pipe {
    pub fn start(command: &[String]) -> anyhow::Result<Arc<Self>> {
        let (program, arguments) = command.split_first().context("no command")?;
        let mut process = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        let mut input = process.stdin.take().context("no input")?;
        let mut output = BufReader::with_capacity(256 << 10, process.stdout.take().context("no output")?);
        let (lines, mut outgoing) = mpsc::unbounded_channel::<Vec<u8>>();
        tokio::spawn(async move {
            while let Some(mut line) = outgoing.recv().await {
                while let Ok(next) = outgoing.try_recv() {
                    line.extend_from_slice(&next);
                }
                if input.write_all(&line).await.is_err() {
                    return;
                }
            }
        });
        let waiting: Arc<Mutex<HashMap<u64, oneshot::Sender<Bytes>>>> = Arc::default();
        let waited = Arc::clone(&waiting);
        tokio::spawn(async move {
            let mut line = Vec::new();
            while output.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
                line.pop();
                let reply = Bytes::from(std::mem::take(&mut line));
                let waiter = id(&reply).and_then(|id| lock(&waited).remove(&id));
                // Who has given up waiting needs no reply.
                let _told = waiter.map(|waiter| waiter.send(reply));
            }
            lock(&waited).clear();
        });
        Ok(Arc::new(Self { opened: Mutex::new(false), waiting, lines, process }))
    }

    pub fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    async fn ask(&self, id: u64, body: &[u8]) -> anyhow::Result<Bytes> {
        let (sender, reply) = oneshot::channel();
        lock(&self.waiting).insert(id, sender);
        self.tell(body)?;
        reply.await.context("the process closed its output")
    }

    fn tell(&self, body: &[u8]) -> anyhow::Result<()> {
        self.lines.send([body, b"\n"].concat()).context("the process closed its input")
    }
}

/// The id of a reply, which stands where our own server writes it.
fn id(reply: &[u8]) -> Option<u64> {
    let rest = reply.strip_prefix(br#"{"jsonrpc":"2.0","id":"#)?;
    let digits = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
