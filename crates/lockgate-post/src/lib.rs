//! POSTs to an address that the operator names, and to no other.
//!
//! Nobody on the way can read what is sent: it goes by https, or stays on this machine. A redirect is not followed, and what the
//! receiver answers counts by its status alone. [`Post`] is an address, and [`BadAddress`] says why it cannot be one.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{HeaderMap, HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;

/// Longest time for one attempt, from the connection to the answer. The default of OTLP exporters.
pub const ATTEMPT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(30);
/// Most that is read of an answer, so that its connection can be used again. Bytes.
const ANSWER: usize = 1 << 10;

/// Why nothing can be sent to an address. Names the matter, never the address: it may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// Not an absolute URL without user, password and fragment.
    #[error("the address is not a URL without user, password and fragment")]
    Form,
    /// There is nothing below an address with a query.
    #[error("the address must have no query")]
    Query,
    /// What is sent would be readable on the way.
    #[error("the address must be https, or http to `localhost`, `127.0.0.1` or `[::1]`")]
    NotEncrypted,
    /// No certificates to check the receiver by.
    #[error("the system's root certificates cannot be read")]
    Roots,
}

/// An address, and what connects to it.
#[derive(Clone)]
pub struct Post {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    address: Uri,
}

impl Post {
    /// Prepares to send. Opens no connection.
    pub fn new(url: &str) -> Result<Self, BadAddress> {
        let address = parse(url)?;
        Ok(Self { client: client(&address)?, address })
    }

    /// A place below the address, over the same connections.
    pub fn below(&self, place: &str) -> Result<Self, BadAddress> {
        if self.address.query().is_some() {
            return Err(BadAddress::Query);
        }
        let address = format!("{}/{place}", self.address.to_string().trim_end_matches('/'));
        Ok(Self { client: self.client.clone(), address: address.parse().map_err(|_| BadAddress::Form)? })
    }

    /// Sends a body once, with these headers. What is answered: the status; none where there was no answer in time.
    pub async fn send(&self, headers: HeaderMap, body: Bytes) -> Option<StatusCode> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.address.clone();
        *request.headers_mut() = headers;
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
        timeout(ATTEMPT, exchange).await.ok().flatten()
    }
}

impl std::fmt::Debug for Post {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address is nobody's business.
        f.debug_struct("Post").finish_non_exhaustive()
    }
}

/// The address: https, or http where nobody on the way can read it.
fn parse(url: &str) -> Result<Uri, BadAddress> {
    let parsed = url::Url::parse(url).map_err(|_| BadAddress::Form)?;
    let private = match parsed.host().ok_or(BadAddress::Form)? {
        url::Host::Domain(name) => name == "localhost",
        url::Host::Ipv4(address) => address.is_loopback(),
        url::Host::Ipv6(address) => address.is_loopback(),
    };
    if !parsed.username().is_empty() || parsed.password().is_some() || parsed.fragment().is_some() {
        return Err(BadAddress::Form);
    }
    match parsed.scheme() {
        "https" => {}
        "http" if private => {}
        _ => return Err(BadAddress::NotEncrypted),
    }
    parsed.as_str().parse().map_err(|_| BadAddress::Form)
}

fn client(address: &Uri) -> Result<Client<HttpsConnector<HttpConnector>, Full<Bytes>>, BadAddress> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.enforce_http(false);
    let tls = HttpsConnectorBuilder::new();
    let connector = if address.scheme_str() == Some("https") {
        let tls = tls.with_native_roots().map_err(|_| BadAddress::Roots)?;
        tls.https_only().enable_http1().wrap_connector(connector)
    } else {
        let none = rustls::RootCertStore::empty();
        let config = rustls::ClientConfig::builder().with_root_certificates(none).with_no_client_auth();
        tls.with_tls_config(config).https_or_http().enable_http1().wrap_connector(connector)
    };
    Ok(Client::builder(TokioExecutor::new())
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
        for (url, outcome) in [
            ("https://hooks.example/a?b=c", None),
            ("http://localhost:8080/", None),
            ("http://127.0.0.1", None),
            ("http://[::1]:1/x", None),
            ("http://hooks.example/", Some(BadAddress::NotEncrypted)),
            ("http://localhost.evil.example/", Some(BadAddress::NotEncrypted)),
            ("http://192.168.0.1/", Some(BadAddress::NotEncrypted)),
            ("ftp://localhost/", Some(BadAddress::NotEncrypted)),
            ("file:///etc/passwd", Some(BadAddress::Form)),
            ("https://user:password@hooks.example/", Some(BadAddress::Form)),
            ("https://hooks.example/#a", Some(BadAddress::Form)),
            ("hooks.example", Some(BadAddress::Form)),
            ("", Some(BadAddress::Form)),
        ] {
            assert_eq!(Post::new(url).err(), outcome, "{url}");
        }
    }

    #[test]
    fn places_are_below_the_path() {
        for (url, outcome) in [
            ("http://localhost:4318", Ok("http://localhost:4318/v1/traces")),
            ("http://127.0.0.1:4318/", Ok("http://127.0.0.1:4318/v1/traces")),
            ("https://otel.example/a/b/", Ok("https://otel.example/a/b/v1/traces")),
            ("https://otel.example?key=1", Err(BadAddress::Query)),
        ] {
            let below = Post::new(url).and_then(|post| post.below("v1/traces"));
            assert_eq!(below.map(|post| post.address.to_string()), outcome.map(str::to_owned), "{url}");
        }
    }
}
