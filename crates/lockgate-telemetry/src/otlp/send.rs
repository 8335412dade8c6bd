//! Sending to a collector.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{sleep, timeout};

/// Longest time for one attempt, from the connection to the answer. The default of OTLP exporters.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How long to wait before each further attempt.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(30);
/// Most that is read of an answer, so that its connection can be used again. Bytes.
const ANSWER: usize = 1 << 10;

/// Why a collector cannot be used. Names the matter, never the address or a header: they may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTarget {
    /// Not an absolute URL without user, password, query and fragment.
    #[error("the endpoint is not a URL without user, password, query and fragment")]
    Endpoint,
    /// What is sent would be readable on the way.
    #[error("the endpoint must be https, or http to `localhost`, `127.0.0.1` or `[::1]`")]
    NotEncrypted,
    /// Not a header that HTTP knows.
    #[error("a header has a name or a value that HTTP does not allow")]
    Header,
    /// No certificates to check the collector by.
    #[error("the system's root certificates cannot be read")]
    Roots,
}

/// What sends to one collector.
pub(crate) struct Sender {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    metrics: Uri,
    traces: Uri,
    headers: HeaderMap,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    Delivered,
    Refused,
    /// Worth another.
    Failed,
}

impl Sender {
    /// Prepares to send to `/v1/metrics` and `/v1/traces` below an address. Opens no connection.
    pub(crate) fn new(endpoint: &str, headers: &[(String, String)]) -> Result<Self, BadTarget> {
        let (metrics, traces) = (target(endpoint, "v1/metrics")?, target(endpoint, "v1/traces")?);
        let header = |(name, value): &(String, String)| {
            let mut value = HeaderValue::from_str(value).ok()?;
            value.set_sensitive(true);
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
        };
        let headers: Option<_> = headers.iter().map(header).collect();
        Ok(Self { client: client(&metrics)?, metrics, traces, headers: headers.ok_or(BadTarget::Header)? })
    }

    /// Sends counts, once: what comes next says the same and more.
    pub(crate) async fn metrics(&self, message: Vec<u8>) -> bool {
        self.attempt(&self.metrics, &message.into()).await == Attempt::Delivered
    }

    /// Sends spans, again where that may help.
    pub(crate) async fn traces(&self, message: Vec<u8>) -> bool {
        let message = Bytes::from(message);
        let mut pauses = PAUSES.into_iter();
        loop {
            match self.attempt(&self.traces, &message).await {
                Attempt::Delivered => return true,
                Attempt::Refused => return false,
                Attempt::Failed => {}
            }
            let Some(pause) = pauses.next() else { return false };
            sleep(pause).await;
        }
    }

    async fn attempt(&self, to: &Uri, message: &Bytes) -> Attempt {
        let mut request = Request::new(Full::new(message.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = to.clone();
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static("lockgate"));
        let exchange = async {
            let response = self.client.request(request).await.ok()?;
            let (parts, mut body) = response.into_parts();
            let mut read = 0;
            while read <= ANSWER
                && let Some(Ok(frame)) = body.frame().await
            {
                read += frame.data_ref().map_or(0, Bytes::len);
            }
            Some(parts.status)
        };
        timeout(ATTEMPT, exchange).await.ok().flatten().map_or(Attempt::Failed, judge)
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address and the headers are nobody's business.
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

/// What a status means, by the protocol. A redirect is not followed: the operator named one address.
fn judge(status: StatusCode) -> Attempt {
    match status.as_u16() {
        200..=299 => Attempt::Delivered,
        429 | 502 | 503 | 504 => Attempt::Failed,
        _ => Attempt::Refused,
    }
}

fn target(endpoint: &str, place: &str) -> Result<Uri, BadTarget> {
    let parsed = url::Url::parse(endpoint).map_err(|_| BadTarget::Endpoint)?;
    let private = match parsed.host().ok_or(BadTarget::Endpoint)? {
        url::Host::Domain(name) => name == "localhost",
        url::Host::Ipv4(address) => address.is_loopback(),
        url::Host::Ipv6(address) => address.is_loopback(),
    };
    let named = !parsed.username().is_empty() || parsed.password().is_some();
    if named || parsed.fragment().is_some() || parsed.query().is_some() {
        return Err(BadTarget::Endpoint);
    }
    match parsed.scheme() {
        "https" => {}
        "http" if private => {}
        _ => return Err(BadTarget::NotEncrypted),
    }
    format!("{}/{place}", parsed.as_str().trim_end_matches('/')).parse().map_err(|_| BadTarget::Endpoint)
}

fn client(target: &Uri) -> Result<Client<HttpsConnector<HttpConnector>, Full<Bytes>>, BadTarget> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.enforce_http(false);
    let tls = hyper_rustls::HttpsConnectorBuilder::new();
    let connector = if target.scheme_str() == Some("https") {
        let tls = tls.with_native_roots().map_err(|_| BadTarget::Roots)?;
        tls.https_only().enable_http1().wrap_connector(connector)
    } else {
        let none = rustls::RootCertStore::empty();
        let config = rustls::ClientConfig::builder().with_root_certificates(none).with_no_client_auth();
        tls.with_tls_config(config).https_or_http().enable_http1().wrap_connector(connector)
    };
    let client = Client::builder(TokioExecutor::new());
    Ok({ client }
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(1)
        .pool_timer(TokioTimer::new())
        .build(connector))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_nobody_can_listen_to_is_sent_anything() {
        for (endpoint, expected) in [
            ("http://localhost:4318", Ok("http://localhost:4318/v1/traces")),
            ("http://127.0.0.1:4318/", Ok("http://127.0.0.1:4318/v1/traces")),
            ("https://otel.example/a/b/", Ok("https://otel.example/a/b/v1/traces")),
            ("http://otel.example:4318", Err(BadTarget::NotEncrypted)),
            ("grpc://127.0.0.1:4317", Err(BadTarget::NotEncrypted)),
            ("https://a:b@otel.example", Err(BadTarget::Endpoint)),
            ("https://otel.example?key=1", Err(BadTarget::Endpoint)),
            ("otel.example", Err(BadTarget::Endpoint)),
        ] {
            let target = target(endpoint, "v1/traces").map(|target| target.to_string());
            assert_eq!(target, expected.map(str::to_owned), "{endpoint}");
        }
        let bad = Sender::new("http://127.0.0.1:1", &[("a b".to_owned(), "secret".to_owned())]);
        assert_eq!(bad.err(), Some(BadTarget::Header));
    }
}
