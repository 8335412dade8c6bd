//! Servers reached over HTTP.

mod headers;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use hyper::{Method, Request, Response, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use lockgate_core::Permit;
use lockgate_model::{Reason, Revision};
use rustls::RootCertStore;

pub(crate) use headers::decoded;
use headers::{describe, version};

use crate::sse::{Parser, SseEvent};
use crate::tls::{self, Keys, TlsKey};

/// `Mcp-Session-Id`
pub(crate) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
/// `MCP-Protocol-Version`
pub(crate) const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// `Mcp-Method`
pub(crate) const METHOD: HeaderName = HeaderName::from_static("mcp-method");
/// `Mcp-Name`
pub(crate) const NAME: HeaderName = HeaderName::from_static("mcp-name");
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");

/// Longest time to open a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_mins(1);
/// How many idle connections are kept for one server.
const KEPT: usize = 64;
/// How much is read of the body of a mere acknowledgement. Bytes.
const ACKNOWLEDGEMENT: usize = 4 << 10;
/// How long a connection may be silent before the other side is asked whether it is still there, and again until it is
/// given up after the third time: a stream of events may be silent for hours.
const SILENT: Duration = Duration::from_secs(30);

/// Why a server's address cannot be used. Names the matter, never a header's value.
#[derive(Debug, thiserror::Error)]
pub enum BadTarget {
    /// The address is not an absolute http or https URL.
    #[error("the address is not an http or https URL")]
    Address,
    /// A header's name or value has characters that HTTP does not allow.
    #[error("header `{0}` cannot be sent")]
    Header(String),
    /// No certificates to check a server by.
    #[error("the system's root certificates cannot be read")]
    Roots,
}

/// A server reached over HTTP, and the connections to it.
#[derive(Debug)]
pub struct HttpServer {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    address: Uri,
    headers: HeaderMap,
    largest: usize,
    keys: Arc<Keys>,
}

/// What a server answered.
#[derive(Debug)]
pub struct HttpAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The session id it gave. Server text; never shown.
    pub session: Option<String>,
    /// The body.
    pub body: HttpBody,
}

/// The body of an answer, by its type.
#[derive(Debug)]
pub enum HttpBody {
    /// Nothing.
    Empty,
    /// One JSON text, not judged yet.
    Json(Bytes),
    /// A stream of events.
    Stream(SseStream),
    /// Something else; not read.
    Other,
}

impl HttpServer {
    /// Prepares to speak to a server. Answers may be `largest` bytes long. Opens no connection.
    pub fn new(address: &str, headers: &[(String, String)], largest: usize) -> Result<Self, BadTarget> {
        Self::pinned(address, headers, largest, None)
    }

    /// The same with a server that must have this key, beside a certificate that is in order, else
    /// [`Reason::ServerKeyChanged`].
    pub fn pinned(
        address: &str,
        headers: &[(String, String)],
        largest: usize,
        key: Option<TlsKey>,
    ) -> Result<Self, BadTarget> {
        Self::with_roots(address, headers, largest, key, tls::system_roots)
    }

    pub(crate) fn with_roots(
        address: &str,
        headers: &[(String, String)],
        largest: usize,
        key: Option<TlsKey>,
        roots: impl FnOnce() -> Option<RootCertStore>,
    ) -> Result<Self, BadTarget> {
        let parsed = url::Url::parse(address).map_err(|_| BadTarget::Address)?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(BadTarget::Address);
        }
        let address: Uri = parsed.as_str().parse().map_err(|_| BadTarget::Address)?;
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let bad = || BadTarget::Header(name.clone());
            let mut secret = HeaderValue::from_str(value).map_err(|_| bad())?;
            secret.set_sensitive(true);
            map.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?, secret);
        }
        let keys = Keys::new(key);
        let config = if address.scheme_str() == Some("https") {
            let roots = roots().ok_or(BadTarget::Roots)?;
            tls::client(roots, Arc::clone(&keys)).ok_or(BadTarget::Roots)?
        } else {
            let none = RootCertStore::empty();
            rustls::ClientConfig::builder().with_root_certificates(none).with_no_client_auth()
        };
        let tls = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config);
        let connector = tls.https_or_http().enable_http1().wrap_connector(connector());
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(KEPT)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { client, address, headers: map, largest, keys })
    }

    /// Sends one message. [`Reason::ServerUnreachable`] where no connection can be made or it breaks,
    /// [`Reason::ResultTooLarge`] where the answer is too long. Redirects are not followed. Dropping the future closes
    /// the request.
    pub async fn send(&self, permit: Permit, session: Option<&str>) -> Result<HttpAnswer, Reason> {
        let mut request = self.request(Method::POST, session);
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        describe(permit.head(), headers)?;
        *request.body_mut() = Full::new(permit.message().clone());
        self.exchange(request).await
    }

    /// Opens the standing stream of a session, or resumes a stream after an event. Some servers give no session.
    pub async fn listen(
        &self,
        session: Option<&str>,
        revision: Revision,
        after: Option<&str>,
    ) -> Result<HttpAnswer, Reason> {
        let mut request = self.request(Method::GET, session);
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        version(revision, headers);
        if let Some(after) = after {
            headers.insert(LAST_EVENT, HeaderValue::from_str(after).map_err(|_| Reason::BadParams)?);
        }
        self.exchange(request).await
    }

    /// Ends a session.
    pub async fn end(&self, session: &str, revision: Revision) -> Result<HttpAnswer, Reason> {
        let mut request = self.request(Method::DELETE, Some(session));
        version(revision, request.headers_mut());
        self.exchange(request).await
    }

    /// Gets what stands at the address in one of these types, with the status.
    pub(crate) async fn document(&self, types: &'static str) -> Result<(u16, Bytes), Reason> {
        let mut request = self.request(Method::GET, None);
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(types));
        let response = self.client.request(request).await.map_err(|_| self.unreachable())?;
        let status = response.status().as_u16();
        Ok((status, collect(response.into_body(), None, self.largest).await?))
    }

    /// Hands over a text that is no message of the protocol.
    pub(crate) async fn submit(&self, text: String) -> Result<(u16, Bytes), Reason> {
        let mut request = self.request(Method::POST, None);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        *request.body_mut() = Full::new(text.into());
        let response = self.client.request(request).await.map_err(|_| self.unreachable())?;
        let status = response.status().as_u16();
        Ok((status, collect(response.into_body(), None, self.largest).await?))
    }

    /// Opens the one stream of a server of HTTP+SSE.
    pub(crate) async fn events(&self) -> Result<HttpAnswer, Reason> {
        let mut request = self.request(Method::GET, None);
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        self.exchange(request).await
    }

    /// Sends one message to the endpoint of such a server, and gives the status that it was answered with.
    pub(crate) async fn post(&self, endpoint: Uri, permit: Permit) -> Result<u16, Reason> {
        let mut request = self.request(Method::POST, None);
        *request.uri_mut() = endpoint;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.body_mut() = Full::new(permit.message().clone());
        let response = self.client.request(request).await.map_err(|_| self.unreachable())?;
        let status = response.status().as_u16();
        // Read so that the connection can be used again; what stands there has no meaning.
        let _read = collect(response.into_body(), None, ACKNOWLEDGEMENT).await;
        Ok(status)
    }

    /// The key that the server has shown last, in a certificate that was in order.
    pub fn key(&self) -> Option<TlsKey> {
        self.keys.seen()
    }

    fn unreachable(&self) -> Reason {
        if self.keys.is_other() { Reason::ServerKeyChanged } else { Reason::ServerUnreachable }
    }

    pub(crate) fn address(&self) -> &Uri {
        &self.address
    }

    fn request(&self, method: Method, session: Option<&str>) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::default());
        *request.method_mut() = method;
        *request.uri_mut() = self.address.clone();
        let headers = request.headers_mut();
        headers.clone_from(&self.headers);
        // What is to be inspected must not come compressed.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(session) = session.and_then(|session| HeaderValue::from_str(session).ok()) {
            headers.insert(SESSION, session);
        }
        request
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<HttpAnswer, Reason> {
        let response = self.client.request(request).await.map_err(|_| self.unreachable())?;
        let status = response.status().as_u16();
        let session = response.headers().get(SESSION).and_then(|value| value.to_str().ok());
        let usable =
            |text: &&str| (1..=512).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        let session = session.filter(usable).map(str::to_owned);
        let body = self.body(response).await?;
        Ok(HttpAnswer { status, session, body })
    }

    async fn body(&self, response: Response<Incoming>) -> Result<HttpBody, Reason> {
        let kind =
            response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("text/event-stream") && response.status().is_success() {
            return Ok(HttpBody::Stream(SseStream {
                body: response.into_body(),
                parser: Parser::new(self.largest),
                over: false,
            }));
        }
        if kind.eq_ignore_ascii_case("application/json") {
            let length =
                response.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
            let text = collect(response.into_body(), length, self.largest).await?;
            // Some servers name a type for the body that an acknowledgement does not have.
            return Ok(if text.is_empty() { HttpBody::Empty } else { HttpBody::Json(text) });
        }
        if kind.is_empty() { Ok(HttpBody::Empty) } else { Ok(HttpBody::Other) }
    }
}

fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    // Without it a small request waits for the other side's delayed acknowledgement: 44 ms instead of 34 µs.
    connector.set_nodelay(true);
    connector.enforce_http(false);
    connector.set_connect_timeout(Some(CONNECT));
    connector.set_keepalive(Some(SILENT));
    connector.set_keepalive_interval(Some(SILENT));
    connector.set_keepalive_retries(Some(3));
    connector
}

async fn collect(mut body: Incoming, length: Option<usize>, largest: usize) -> Result<Bytes, Reason> {
    if length.is_some_and(|length| length > largest) {
        return Err(Reason::ResultTooLarge);
    }
    let mut first: Option<Bytes> = None;
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Reason::ServerExited)?.into_data() else { continue };
        match &first {
            // One piece is the common case and is not copied.
            None if whole.is_empty() => first = Some(data),
            _ => {
                if let Some(first) = first.take() {
                    whole.reserve(length.unwrap_or(first.len() * 2).min(largest));
                    whole.extend_from_slice(&first);
                }
                whole.extend_from_slice(&data);
            }
        }
        if whole.len() + first.as_ref().map_or(0, Bytes::len) > largest {
            return Err(Reason::ResultTooLarge);
        }
    }
    Ok(first.unwrap_or_else(|| whole.freeze()))
}

/// A server's stream of events. Closed when dropped.
#[derive(Debug)]
pub struct SseStream {
    body: Incoming,
    parser: Parser,
    over: bool,
}

impl SseStream {
    /// After an event that was too large: what it began with, at most 4 KiB. Its rest is passed over, and what comes
    /// behind it can be read.
    pub(crate) fn pass_over(&mut self) -> Bytes {
        self.over = false;
        self.parser.pass_over()
    }

    /// The next event; none at the end. After an error there is nothing more.
    pub async fn next(&mut self) -> Option<Result<SseEvent, Reason>> {
        while !self.over {
            match self.parser.next_event() {
                Some(Ok(event)) => return Some(Ok(event)),
                Some(Err(reason)) => {
                    self.over = true;
                    return Some(Err(reason));
                }
                None => {}
            }
            match self.body.frame().await {
                None => self.over = true,
                Some(Err(_)) => {
                    self.over = true;
                    return None;
                }
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.parser.feed(&data);
                    }
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
