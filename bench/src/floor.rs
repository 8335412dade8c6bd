//! The least a gateway can do: a proxy on bare hyper, one connection to the server for each of the client's. With
//! `inspect` it also reads every message into a tree and writes it out again, as a gateway that checks would.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

type Body = BoxBody<Bytes, hyper::Error>;

/// What the proxy does with what passes.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
pub enum Mode {
    /// Hands it on.
    Forward,
    /// Reads every message and writes it out again.
    Inspect,
}

/// Serves until killed.
pub async fn serve(listen: SocketAddr, to: SocketAddr, mode: Mode) -> anyhow::Result<()> {
    let listener = TcpListener::bind(listen).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let upstream = Arc::new(Mutex::new(None));
            let service = service_fn(move |request| {
                let upstream = Arc::clone(&upstream);
                async move {
                    let mut upstream = upstream.lock().await;
                    let passed = pass(request, &mut upstream, to, mode).await;
                    Ok::<_, Infallible>(passed.unwrap_or_else(|error| {
                        *upstream = None;
                        let mut response = Response::new(full(format!("{error:#}").into()));
                        *response.status_mut() = StatusCode::BAD_GATEWAY;
                        response
                    }))
                }
            });
            let _served = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn pass(
    request: Request<Incoming>,
    upstream: &mut Option<SendRequest<Body>>,
    to: SocketAddr,
    mode: Mode,
) -> anyhow::Result<Response<Body>> {
    let (mut parts, body) = request.into_parts();
    let body = if mode == Mode::Inspect {
        parts.headers.remove(CONTENT_LENGTH);
        inspected(body).await?
    } else {
        body.boxed()
    };
    let ready = match upstream.as_mut() {
        Some(upstream) => upstream.ready().await.is_ok(),
        None => false,
    };
    if !ready {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        *upstream = Some(sender);
    }
    let upstream = upstream.as_mut().context("no connection")?;
    let (mut parts, body) = upstream.send_request(Request::from_parts(parts, body)).await?.into_parts();
    let json = parts.headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if mode == Mode::Inspect && json {
        parts.headers.remove(CONTENT_LENGTH);
        return Ok(Response::from_parts(parts, inspected(body).await?));
    }
    Ok(Response::from_parts(parts, body.boxed()))
}

async fn inspected(body: Incoming) -> anyhow::Result<Body> {
    let bytes = body.collect().await?.to_bytes();
    if bytes.is_empty() {
        return Ok(full(bytes));
    }
    let message: serde_json::Value = serde_json::from_slice(&bytes)?;
    Ok(full(serde_json::to_vec(&message)?.into()))
}

fn full(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}
