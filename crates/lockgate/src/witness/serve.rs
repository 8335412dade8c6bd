use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{Unsigned, Witness};
use crate::command::complain;
use crate::gateway::{runtime, stopped};

/// Most connections at once; further ones wait.
const CONNECTIONS: usize = 64;
/// Largest body: a checkpoint of 64 KiB and the longest proof. Bytes.
const BODY: usize = (64 << 10) + (4 << 10);
/// Longest time for the head of a request, and again for its body, to arrive.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest time a connection may last.
const CONNECTION: Duration = Duration::from_mins(10);
/// How sizes of logs are answered, by the specification.
const SIZE: &str = "text/x.tlog.size";

/// Answers until the process is told to stop.
pub(super) fn run(listen: SocketAddr, witness: Witness) -> Result<(), String> {
    runtime()?.block_on(async {
        let listener = TcpListener::bind(listen).await;
        let listener = listener.map_err(|error| format!("cannot listen on {listen}: {error}"))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        complain(&format!("listening on http://{address}/add-checkpoint"));
        complain(&format!("key {}", witness.named));
        let witness = Arc::new(witness);
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let accept = async {
            loop {
                let place = Arc::clone(&places).acquire_owned().await;
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let witness = Arc::clone(&witness);
                        tokio::spawn(async move {
                            let _place = place;
                            // A caller that goes away or takes too long is its own business.
                            let _served = timeout(CONNECTION, converse(stream, witness)).await;
                        });
                    }
                    // Out of file descriptors, most likely: wait for connections to end.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        };
        tokio::select! { () = accept => {}, () = stopped() => {} }
        Ok(())
    })
}

async fn converse(stream: TcpStream, witness: Arc<Witness>) {
    let service = service_fn(|request| {
        let witness = Arc::clone(&witness);
        async move { Ok::<_, Infallible>(answer(request, witness).await) }
    });
    let _served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(16 << 10)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(request: Request<Incoming>, witness: Arc<Witness>) -> Response<Full<Bytes>> {
    match (request.uri().path(), request.method().as_str()) {
        ("/add-checkpoint", "POST") => {}
        ("/add-checkpoint", _) => return say(405, "send a checkpoint in a POST\n".to_owned()),
        _ => return say(404, "there is only /add-checkpoint\n".to_owned()),
    }
    let body = Limited::new(request.into_body(), BODY).collect();
    let Ok(body) = timeout(PATIENCE, body).await else { return say(408, "too slow\n".to_owned()) };
    let Ok(body) = body.map(http_body_util::Collected::to_bytes) else {
        return say(413, format!("longer than {BODY} bytes, or broken off\n"));
    };
    // What is signed is remembered on the disk first.
    let signed = tokio::task::spawn_blocking(move || witness.sign(&String::from_utf8_lossy(&body))).await;
    match signed {
        Ok(Ok(lines)) => say(200, lines),
        Ok(Err(Unsigned::Refused(refusal))) => match refusal.last() {
            Some(size) => {
                let mut response = say(refusal.status(), format!("{size}\n"));
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(SIZE));
                response
            }
            None => say(refusal.status(), format!("{refusal}\n")),
        },
        Ok(Err(Unsigned::Forgetful(error))) => {
            complain(&format!("nothing is signed: {error}"));
            say(500, "the witness cannot remember what it signs\n".to_owned())
        }
        Err(_) => say(500, "the witness failed\n".to_owned()),
    }
}

fn say(status: u16, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
