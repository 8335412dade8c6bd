use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Uri;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::BadWebhook;

/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(30);

/// The address: https, or http where nobody on the way can read it.
pub(super) fn parse(url: &str) -> Result<Uri, BadWebhook> {
    let parsed = url::Url::parse(url).map_err(|_| BadWebhook::Address)?;
    let host = parsed.host().ok_or(BadWebhook::Address)?;
    let private = match host {
        url::Host::Domain(name) => name == "localhost",
        url::Host::Ipv4(address) => address.is_loopback(),
        url::Host::Ipv6(address) => address.is_loopback(),
    };
    if !parsed.username().is_empty() || parsed.password().is_some() || parsed.fragment().is_some() {
        return Err(BadWebhook::Address);
    }
    match parsed.scheme() {
        "https" => {}
        "http" if private => {}
        _ => return Err(BadWebhook::NotEncrypted),
    }
    parsed.as_str().parse().map_err(|_| BadWebhook::Address)
}

/// What connects to it.
pub(super) fn client(
    address: &Uri,
) -> Result<Client<HttpsConnector<HttpConnector>, Full<Bytes>>, BadWebhook> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.enforce_http(false);
    let connector = if address.scheme_str() == Some("https") {
        let tls =
            hyper_rustls::HttpsConnectorBuilder::new().with_native_roots().map_err(|_| BadWebhook::Roots)?;
        tls.https_only().enable_http1().wrap_connector(connector)
    } else {
        let none = rustls::RootCertStore::empty();
        let config = rustls::ClientConfig::builder().with_root_certificates(none).with_no_client_auth();
        let tls = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config);
        tls.https_or_http().enable_http1().wrap_connector(connector)
    };
    let client = Client::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(1)
        .pool_timer(TokioTimer::new())
        .build(connector);
    Ok(client)
}
