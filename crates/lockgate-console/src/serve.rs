use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use crate::check::{self, Caller};
use crate::listen::Accepted;
use crate::read::{self, BadBody};
use crate::route::Place;
use crate::{Desk, DeskError, Listener, Person, Refusal, Tokens};

/// Most connections at once; further ones wait.
const CONNECTIONS: usize = 64;
/// Largest body. Bytes.
const BODY: usize = 64 << 10;
/// Longest time for the headers, and again for the body, to arrive.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest time the desk may take.
const DESK: Duration = Duration::from_secs(10);
/// Longest time a connection may last: one request, and an answer that is read slowly.
const CONNECTION: Duration = Duration::from_secs(30);
/// Longest list that is answered. One more is asked for, to see whether there is more.
const LISTED: usize = 500;
/// How long connections may finish once the listener is closing.
const FAREWELL: Duration = Duration::from_secs(3);

/// Serves the admin API on the current runtime until `closing` says true or is gone, then lets connections finish what
/// they do for 3 s. A connection carries one request.
pub async fn serve<D: Desk>(listener: Listener, desk: Arc<D>, mut closing: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let tokens = Arc::new(listener.tokens.clone());
    let mut connections = tokio::task::JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let place = Arc::clone(&places).acquire_owned();
        let accepted = tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => break,
            accepted = async { (place.await, listener.accept().await) } => accepted,
        };
        let (Ok(place), Ok(accepted)) = accepted else {
            // Out of file descriptors, most likely: wait for connections to end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Some(accepted) = accepted else { continue };
        let (desk, tokens) = (Arc::clone(&desk), Arc::clone(&tokens));
        connections.spawn(async move {
            let _place = place;
            // A caller that goes away or takes too long is its own business.
            let _served = match accepted {
                Accepted::Unix(stream, caller) => {
                    timeout(CONNECTION, converse(stream, caller, desk, tokens)).await
                }
                Accepted::Tcp(stream, caller) => {
                    timeout(CONNECTION, converse(stream, caller, desk, tokens)).await
                }
            };
        });
    }
    drop(listener);
    let _finished = timeout(FAREWELL, async { while connections.join_next().await.is_some() {} }).await;
}

async fn converse<S, D>(stream: S, caller: Caller, desk: Arc<D>, tokens: Arc<Tokens>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    D: Desk,
{
    let service = service_fn(|request| {
        let (desk, tokens) = (Arc::clone(&desk), Arc::clone(&tokens));
        async move { Ok::<_, Infallible>(answer(request, caller, &*desk, &tokens).await) }
    });
    let _served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(16 << 10)
        // One request: nothing that comes after it can be taken for a second one.
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer<D: Desk>(
    request: Request<Incoming>,
    caller: Caller,
    desk: &D,
    tokens: &Tokens,
) -> Response<Full<Bytes>> {
    let mut response = match admit(&request, caller, tokens) {
        Err(refusal) => refuse(BadBody(refusal, None)),
        Ok((place, by)) => {
            let allow = place.methods();
            let outcome = perform(request, place, by, desk).await;
            let mut response = outcome.unwrap_or_else(refuse);
            if response.status() == StatusCode::METHOD_NOT_ALLOWED {
                response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
            }
            response
        }
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn admit(request: &Request<Incoming>, caller: Caller, tokens: &Tokens) -> Result<(Place, Person), Refusal> {
    check::same_site(request)?;
    // Before the path: what there is, is nobody's business who may not ask.
    let by = check::person(request.headers(), caller, tokens)?;
    Ok((Place::find(request.uri().path(), request.uri().query())?, by))
}

async fn perform<D: Desk>(
    request: Request<Incoming>,
    place: Place,
    by: Person,
    desk: &D,
) -> Result<Response<Full<Bytes>>, BadBody> {
    let method = request.method().clone();
    match (place, method.as_str()) {
        (Place::Health, "GET") => Ok(write(&json!({ "status": "ok" }))),
        (Place::Approvals(which), "GET") => {
            Ok(list("approvals", within(desk.approvals(which, LISTED + 1)).await?))
        }
        (Place::Approval(id), "GET") => Ok(write(&within(desk.approval(id)).await?)),
        (Place::Answer(id, answer), "POST") => {
            let decision = read::decision(&body(request).await?, by, answer)?;
            Ok(write(&within(desk.decide(id, decision)).await?))
        }
        (Place::Quarantine(which), "GET") => {
            Ok(list("quarantine", within(desk.quarantine(which, LISTED + 1)).await?))
        }
        (Place::Definition(id), "GET") => Ok(write(&within(desk.definition(id)).await?)),
        (Place::Definition(id), "POST") => {
            let verdict = read::verdict(&body(request).await?, by)?;
            Ok(write(&within(desk.settle(id, verdict)).await?))
        }
        (Place::Stops, "GET") => Ok(write(&within(desk.stops()).await?)),
        (Place::Stops, "POST") => {
            let (target, order) = read::stop(&body(request).await?, by)?;
            Ok(write(&within(desk.stop(target, order)).await?))
        }
        (Place::Stops, "DELETE") => {
            let (target, order) = read::stop(&body(request).await?, by)?;
            Ok(write(&within(desk.resume(target, order)).await?))
        }
        (Place::SafeMode, "POST") => {
            let (switch, order) = read::safe_mode(&body(request).await?, by)?;
            Ok(write(&within(desk.safe_mode(switch, order)).await?))
        }
        (Place::Sessions, "GET") => Ok(list("sessions", within(desk.sessions(LISTED + 1)).await?)),
        (_, _) => Err(BadBody(Refusal::MethodNotAllowed, None)),
    }
}

async fn within<T>(asked: impl Future<Output = Result<T, DeskError>>) -> Result<T, BadBody> {
    let outcome = timeout(DESK, asked).await.map_err(|_| Refusal::DeskTimedOut);
    outcome.and_then(|outcome| outcome.map_err(Refusal::from)).map_err(|refusal| BadBody(refusal, None))
}

async fn body(request: Request<Incoming>) -> Result<Bytes, BadBody> {
    if !check::sends_json(request.headers()) {
        return Err(BadBody(Refusal::UnsupportedMediaType, None));
    }
    let read = timeout(PATIENCE, Limited::new(request.into_body(), BODY).collect()).await;
    let refusal = match read {
        Ok(Ok(whole)) => return Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Refusal::BodyTooLarge,
        Ok(Err(_)) => Refusal::NotJson,
        Err(_) => Refusal::BodyTimedOut,
    };
    Err(BadBody(refusal, None))
}

/// A list, cut where it is longer than anybody reads.
fn list<T: Serialize>(name: &'static str, mut items: Vec<T>) -> Response<Full<Bytes>> {
    let more = items.len() > LISTED;
    items.truncate(LISTED);
    match serde_json::to_value(items) {
        Ok(items) => write(&json!({ name: items, "more": more })),
        Err(_) => refuse(BadBody(Refusal::Unavailable, None)),
    }
}

fn write<T: Serialize>(value: &T) -> Response<Full<Bytes>> {
    match serde_json::to_vec(value) {
        Ok(text) => Response::new(Full::from(text)),
        // Nothing that a desk gives is without a JSON form.
        Err(_) => refuse(BadBody(Refusal::Unavailable, None)),
    }
}

fn refuse(BadBody(refusal, detail): BadBody) -> Response<Full<Bytes>> {
    let mut error = json!({ "code": refusal.code(), "message": refusal.meaning(), "hint": refusal.hint() });
    if let (Some(detail), Some(error)) = (detail, error.as_object_mut()) {
        error.insert("detail".to_owned(), detail.into());
    }
    let mut response = Response::new(Full::from(json!({ "error": error }).to_string()));
    *response.status_mut() =
        StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if refusal == Refusal::Unauthenticated {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_list_says_where_it_is_cut() {
        for (there, listed, more) in [(0, 0, false), (LISTED, LISTED, false), (LISTED + 1, LISTED, true)] {
            let body = list("numbers", vec![7; there]).into_body().collect().await.unwrap().to_bytes();
            let answer: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(answer["numbers"].as_array().unwrap().len(), listed);
            assert_eq!(answer["more"], more);
        }
    }
}
