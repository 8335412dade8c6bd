//! The listener for who watches: `/metrics`, `/healthz` and `/readyz`. It takes nothing, so nothing can be done through it.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::telemetry::all;
use crate::{House, Telemetry, prometheus};

/// Most connections at once; further ones wait.
const CONNECTIONS: usize = 32;
/// Longest time for the headers of a request to arrive.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest time a connection may last: one request, and an answer that is read slowly.
const CONNECTION: Duration = Duration::from_secs(30);

/// Serves until `closing` says true or is gone.
pub(crate) async fn serve(
    listener: TcpListener,
    telemetry: Arc<Telemetry>,
    house: Arc<dyn House>,
    mut closing: watch::Receiver<bool>,
) {
    let loopback = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let place = Arc::clone(&places).acquire_owned();
        let accepted = tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => return,
            accepted = async { (place.await, listener.accept().await) } => accepted,
        };
        let (Ok(place), Ok((stream, _))) = accepted else {
            // Out of file descriptors, most likely: wait for connections to end.
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (telemetry, house) = (Arc::clone(&telemetry), Arc::clone(&house));
        tokio::spawn(async move {
            let _place = place;
            let service = service_fn(|request: Request<Incoming>| {
                let response = answer(&request, loopback, &telemetry, &house);
                async move { Ok::<_, Infallible>(response) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(PATIENCE)
                .max_buf_size(16 << 10)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            // Who goes away or takes too long is their own business.
            let _served = timeout(CONNECTION, connection).await;
        });
    }
}

fn answer<B>(
    request: &Request<B>,
    loopback: bool,
    telemetry: &Telemetry,
    house: &Arc<dyn House>,
) -> Response<Full<Bytes>> {
    // A page in a browser may reach the loopback under a name of its own; it may not read what is here.
    if loopback && !names_loopback(request) {
        return plain(
            StatusCode::FORBIDDEN,
            "forbidden: ask for `localhost`, `127.0.0.1` or `[::1]`\n".to_owned(),
        );
    }
    let known = ["/metrics", "/healthz", "/readyz"].contains(&request.uri().path());
    if known && ![Method::GET, Method::HEAD].contains(request.method()) {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n".to_owned());
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match request.uri().path() {
        "/metrics" => {
            let mut response = plain(StatusCode::OK, prometheus::text(&all(telemetry, house)));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(prometheus::TYPE));
            response
        }
        "/healthz" if house.is_alive() => plain(StatusCode::OK, "alive\n".to_owned()),
        "/healthz" => plain(StatusCode::SERVICE_UNAVAILABLE, "stuck\n".to_owned()),
        "/readyz" => match house.unready().as_slice() {
            [] => plain(StatusCode::OK, "ready\n".to_owned()),
            why => plain(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {}\n", why.join("; "))),
        },
        _ => plain(
            StatusCode::NOT_FOUND,
            "not found: there is `/metrics`, `/healthz` and `/readyz`\n".to_owned(),
        ),
    }
}

fn names_loopback<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    let (Some(host), None) = (host, hosts.next()) else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

fn plain(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests;
