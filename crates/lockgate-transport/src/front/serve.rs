use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue,
    TRANSFER_ENCODING, WWW_AUTHENTICATE,
};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use lockgate_model::Reason;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::{FrontMethod, FrontRequest, FrontResponse, FrontSettings, FrontTurn, Handler, check, refusal};
use crate::http::SESSION;

type Body = BoxBody<Bytes, Infallible>;

const CONTEXT: HeaderName = HeaderName::from_static("lockgate-context");
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("lockgate-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("lockgate-signature");
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// Where hosts tell what their user wrote.
const TURN: &str = "/lockgate/user-turn";
/// How long connections may finish once the front is closing.
const FAREWELL: Duration = Duration::from_secs(3);

/// The places for connections, shared by all threads of a front.
#[derive(Clone, Debug)]
pub struct Admission(Arc<Semaphore>);

impl Admission {
    /// That many connections at once.
    pub fn new(connections: usize) -> Self {
        Self(Arc::new(Semaphore::new(connections)))
    }
}

/// Serves a listener on the current runtime until `closing` says true or is gone, then lets connections finish what they
/// do for 3 s. Several threads may serve clones of one listener.
pub async fn serve<H: Handler>(
    listener: TcpListener,
    handler: Arc<H>,
    settings: Arc<FrontSettings>,
    admission: Admission,
    mut closing: watch::Receiver<bool>,
) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let place = Arc::clone(&admission.0).acquire_owned();
        let accepted = tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => break,
            accepted = async { (place.await, accept(&listener).await) } => accepted,
        };
        let (Ok(place), Ok(stream)) = accepted else {
            // Out of file descriptors, most likely: wait for connections to end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (handler, settings) = (Arc::clone(&handler), Arc::clone(&settings));
        let mut closing = closing.clone();
        connections.spawn(async move {
            let _place = place;
            let patience = settings.patience;
            let service = service_fn(move |request| {
                let (handler, settings) = (Arc::clone(&handler), Arc::clone(&settings));
                async move { Ok::<_, Infallible>(answer(request, handler, &settings).await) }
            });
            // At most 100 headers: hyper's default, and to say so costs an allocation for each request.
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(patience)
                .max_buf_size(64 << 10)
                .serve_connection(TokioIo::new(stream), service);
            tokio::pin!(connection);
            // An agent that goes away is its own business.
            tokio::select! {
                biased;
                _served = connection.as_mut() => return,
                _ = closing.wait_for(|closing| *closing) => connection.as_mut().graceful_shutdown(),
            }
            let _served = connection.await;
        });
    }
    drop(listener);
    let _finished =
        tokio::time::timeout(FAREWELL, async { while connections.join_next().await.is_some() {} }).await;
}

/// Accepts a connection on which small pieces do not wait for each other.
async fn accept(listener: &TcpListener) -> std::io::Result<TcpStream> {
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn answer<H: Handler>(
    request: Request<Incoming>,
    handler: Arc<H>,
    settings: &FrontSettings,
) -> Response<Body> {
    // A length beside chunks: whoever stands in front may have cut the request elsewhere. The chunks count, and nothing
    // after them is taken for a request (RFC 9112, section 6.3).
    let chunked = request.headers().contains_key(TRANSFER_ENCODING);
    let refuse = |reason| {
        handler.refused(reason);
        FrontResponse::Refuse(reason, None)
    };
    let mut response = write(if request.uri().path() == TURN {
        match admit_turn(request, settings).await {
            Ok(turn) => Arc::clone(&handler).turn(turn).await,
            Err(reason) => refuse(reason),
        }
    } else {
        match admit(request, settings).await {
            Ok(request) => Arc::clone(&handler).handle(request).await,
            Err(reason) => refuse(reason),
        }
    });
    if chunked {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn admit(request: Request<Incoming>, settings: &FrontSettings) -> Result<FrontRequest, Reason> {
    check::same_site(&request, settings)?;
    let (route, named) = check::route(request.uri().path()).ok_or(Reason::NotFound)?;
    let principal = check::principal(request.headers(), settings)?;
    let headers = request.headers();
    let one = |name: &HeaderName| check::single(headers, name).map_err(|()| Reason::HeaderMismatch);
    let session = one(&SESSION)?;
    let last_event_id = one(&LAST_EVENT)?;
    let context = check::context(named, one(&CONTEXT)?)?;
    let said = check::mcp_headers(headers);
    let method = match *request.method() {
        Method::POST => {
            if !check::sends_json(headers) {
                return Err(Reason::UnsupportedMediaType);
            }
            let takes = |kind| check::accepts(headers, kind);
            if !headers.contains_key(ACCEPT) || !takes("application/json") || !takes("text/event-stream") {
                return Err(Reason::NotAcceptable);
            }
            FrontMethod::Post(body(request, settings).await?)
        }
        Method::GET if check::accepts(headers, "text/event-stream") => FrontMethod::Get,
        Method::GET => return Err(Reason::NotAcceptable),
        Method::DELETE => FrontMethod::Delete,
        _ => return Err(Reason::HttpMethodNotAllowed),
    };
    Ok(FrontRequest { method, route, principal, session, context, last_event_id, headers: said })
}

async fn admit_turn(request: Request<Incoming>, settings: &FrontSettings) -> Result<FrontTurn, Reason> {
    check::same_site(&request, settings)?;
    let headers = request.headers();
    let principal = check::principal(headers, settings)?;
    let one = |name: &HeaderName| check::single(headers, name).map_err(|()| Reason::HeaderMismatch);
    let (timestamp, signature) = (one(&TIMESTAMP)?, one(&SIGNATURE)?);
    if request.method() != Method::POST {
        return Err(Reason::HttpMethodNotAllowed);
    }
    if !check::sends_json(headers) {
        return Err(Reason::UnsupportedMediaType);
    }
    Ok(FrontTurn { principal, timestamp, signature, body: body(request, settings).await? })
}

async fn body(request: Request<Incoming>, settings: &FrontSettings) -> Result<Bytes, Reason> {
    let most = settings.request_bytes;
    let length =
        request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > most) {
        return Err(Reason::MessageTooLarge);
    }
    let mut body = request.into_body();
    let read = async {
        let mut first: Option<Bytes> = None;
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| Reason::BodyTimedOut)?.into_data() else { continue };
            if first.is_none() && whole.is_empty() {
                first = Some(data);
            } else {
                if let Some(first) = first.take() {
                    whole.extend_from_slice(&first);
                }
                whole.extend_from_slice(&data);
            }
            if whole.len() + first.as_ref().map_or(0, Bytes::len) > most {
                return Err(Reason::MessageTooLarge);
            }
        }
        Ok(first.unwrap_or_else(|| whole.freeze()))
    };
    tokio::time::timeout(settings.patience, read).await.unwrap_or(Err(Reason::BodyTimedOut))
}

fn write(response: FrontResponse) -> Response<Body> {
    let json = HeaderValue::from_static("application/json");
    match response {
        FrontResponse::Json { status, body, session } => {
            let mut response = plain(status, body);
            response.headers_mut().insert(CONTENT_TYPE, json);
            name_session(&mut response, session);
            response
        }
        FrontResponse::Empty { status } => plain(status, Bytes::new()),
        FrontResponse::Stream { body, session } => {
            let mut response = Response::new(body.boxed());
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            headers.insert(BUFFERING, HeaderValue::from_static("no"));
            name_session(&mut response, session);
            response
        }
        FrontResponse::Refuse(reason, id) => {
            let mut response = plain(reason.http_status(), refusal(reason, id.as_deref()));
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, json);
            if reason == Reason::Unauthenticated {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            if reason == Reason::HttpMethodNotAllowed {
                headers.insert(ALLOW, HeaderValue::from_static("POST, GET, DELETE"));
            }
            response
        }
    }
}

fn plain(status: u16, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Full::new(body).boxed());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

fn name_session(response: &mut Response<Body>, session: Option<String>) {
    if let Some(value) = session.and_then(|session| HeaderValue::from_str(&session).ok()) {
        response.headers_mut().insert(SESSION, value);
    }
}

#[cfg(test)]
mod tests;
