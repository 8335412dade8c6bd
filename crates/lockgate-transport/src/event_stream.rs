//! Servers of HTTP+SSE, the transport of revision 2024-11-05: one stream of events for all that the server says, and an
//! endpoint that it names there for all that it is told.
//! <https://modelcontextprotocol.io/specification/2024-11-05/basic/transports>

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::Uri;
use lockgate_core::Permit;
use lockgate_model::Reason;
use tokio::sync::{Mutex, Notify, mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::http::{HttpBody, HttpServer, SseStream};
use crate::said::Said;

/// Longest address of an endpoint. Bytes.
const LONGEST: usize = 4 << 10;
/// How long the next message waits for the one before to be accepted: servers accept at once, and one that answers a
/// call before it accepts it must not keep an answer of the agent from reaching it.
const TURN: Duration = Duration::from_secs(1);

/// Why a stream of events is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// No connection can be made.
    #[error("it cannot be reached")]
    Unreachable,
    /// It has another key than is pinned.
    #[error("it shows another TLS key than was pinned")]
    OtherKey,
    /// It refused the stream. Redirects are not followed.
    #[error("it answered with status {0} where its events were to come")]
    Refused(u16),
    /// It did not name its endpoint in time.
    #[error("it did not name its endpoint in time")]
    Late,
    /// What it answered is not a stream of events.
    #[error("it answered with something else than a stream of events")]
    NoStream,
    /// The first event is not its endpoint, or its endpoint is not an address.
    #[error("its first event does not name an endpoint")]
    NoEndpoint,
    /// The endpoint is not where the stream is: who follows it hands the agent's calls to somebody else.
    #[error("its endpoint has another scheme, host or port than its url")]
    ForeignEndpoint,
    /// It named an endpoint again.
    #[error("it named a second endpoint")]
    SecondEndpoint,
    /// The stream ended.
    #[error("its stream of events ended")]
    Over,
    /// It does not know the stream any more: a message was answered with 404 or 410.
    #[error("it has forgotten its stream of events")]
    Forgotten,
}

impl Ended {
    /// What calls that waited for an answer fail with.
    pub fn reason(self) -> Reason {
        match self {
            Self::Unreachable => Reason::ServerUnreachable,
            Self::OtherKey => Reason::ServerKeyChanged,
            Self::Refused(_) => Reason::ServerRefused,
            Self::Late => Reason::ServerTimedOut,
            Self::NoStream | Self::NoEndpoint | Self::ForeignEndpoint | Self::SecondEndpoint => {
                Reason::ServerBrokeProtocol
            }
            Self::Over | Self::Forgotten => Reason::ServerExited,
        }
    }
}

/// A server that speaks on a stream of events. Closed when dropped.
#[derive(Debug)]
pub struct EventStream {
    http: Arc<HttpServer>,
    state: watch::Receiver<State>,
    forgotten: Arc<Notify>,
    reader: AbortHandle,
    /// Held while a message is on its way, so that messages arrive in order.
    turn: Mutex<()>,
    patience: Duration,
}

#[derive(Clone, Debug)]
enum State {
    Opening,
    Open(Uri),
    Over(Ended),
}

impl EventStream {
    /// Opens the stream at the server's address. What comes on it goes to `said`; where nobody takes it, the server
    /// waits. `patience` is how long the server may take until it has named its endpoint, and again until it has
    /// accepted a message. Must be called within a tokio runtime.
    pub fn open(http: Arc<HttpServer>, patience: Duration, said: mpsc::Sender<Said>) -> Self {
        let (tell, state) = watch::channel(State::Opening);
        let forgotten = Arc::new(Notify::new());
        let (server, told) = (Arc::clone(&http), Arc::clone(&forgotten));
        let reader = tokio::spawn(async move {
            let ended = tokio::select! {
                ended = read(&server, patience, &tell, &said) => ended,
                () = told.notified() => Ended::Forgotten,
            };
            tell.send_replace(State::Over(ended));
            let _told = said.send(Said::Closed(ended)).await;
        });
        Self { http, state, forgotten, reader: reader.abort_handle(), turn: Mutex::new(()), patience }
    }

    /// Sends a message once the endpoint is known, in the order of the calls. [`Reason::ServerRefused`] where the server
    /// does not accept it, [`Reason::ServerTimedOut`] where it takes too long to, else what [`Ended::reason`] says.
    pub async fn send(&self, permit: Permit) -> Result<(), Reason> {
        let turn = self.turn.lock().await;
        let endpoint = self.endpoint().await?;
        let post = timeout(self.patience, self.http.post(endpoint, permit));
        tokio::pin!(post);
        let accepted = if let Ok(accepted) = timeout(TURN, &mut post).await {
            accepted
        } else {
            drop(turn);
            post.await
        };
        match accepted.unwrap_or(Err(Reason::ServerTimedOut))? {
            200..=299 => Ok(()),
            404 | 410 => {
                self.forgotten.notify_one();
                Err(Reason::ServerExited)
            }
            _ => Err(Reason::ServerRefused),
        }
    }

    /// Closes the stream, which ends the session with the server. Nothing more is heard of it.
    pub fn close(&self) {
        self.reader.abort();
    }

    async fn endpoint(&self) -> Result<Uri, Reason> {
        let mut state = self.state.clone();
        // The reader is gone without a word where the stream was closed.
        let known = state.wait_for(|state| !matches!(state, State::Opening)).await;
        match known.as_deref() {
            Ok(State::Open(endpoint)) if !self.reader.is_finished() => Ok(endpoint.clone()),
            Ok(State::Over(ended)) => Err(ended.reason()),
            Ok(State::Open(_) | State::Opening) | Err(_) => Err(Reason::ServerExited),
        }
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.close();
    }
}

/// Reads a stream to its end.
async fn read(
    http: &HttpServer,
    patience: Duration,
    tell: &watch::Sender<State>,
    said: &mpsc::Sender<Said>,
) -> Ended {
    let opened = timeout(patience, open(http)).await.unwrap_or(Err(Ended::Late));
    let mut events = match opened {
        Ok((endpoint, events)) => {
            tell.send_replace(State::Open(endpoint));
            events
        }
        Err(ended) => return ended,
    };
    while let Some(event) = events.next().await {
        let heard = match event {
            Ok(event) if event.endpoint.is_some() => return Ended::SecondEndpoint,
            Ok(event) if event.data.is_empty() => continue,
            Ok(event) => Said::Message(event.data),
            Err(_) => Said::TooLong(events.pass_over()),
        };
        if said.send(heard).await.is_err() {
            break;
        }
    }
    Ended::Over
}

/// Opens a stream and reads until the server has named its endpoint.
async fn open(http: &HttpServer) -> Result<(Uri, SseStream), Ended> {
    let answer = http.events().await.map_err(|reason| {
        if reason == Reason::ServerUnreachable {
            Ended::Unreachable
        } else if reason == Reason::ServerKeyChanged {
            Ended::OtherKey
        } else {
            Ended::NoStream
        }
    })?;
    if answer.status != 200 {
        return Err(Ended::Refused(answer.status));
    }
    let HttpBody::Stream(mut events) = answer.body else { return Err(Ended::NoStream) };
    while let Some(event) = events.next().await {
        let event = event.map_err(|_| Ended::NoEndpoint)?;
        if let Some(endpoint) = event.endpoint {
            return Ok((of_same_origin(http.address(), &endpoint)?, events));
        }
        if !event.data.is_empty() {
            return Err(Ended::NoEndpoint);
        }
    }
    Err(Ended::Over)
}

/// The endpoint that a server names, read relative to the address of its stream.
fn of_same_origin(address: &Uri, endpoint: &Bytes) -> Result<Uri, Ended> {
    let text = std::str::from_utf8(endpoint).ok().filter(|text| (1..=LONGEST).contains(&text.len()));
    let base = url::Url::parse(&address.to_string()).map_err(|_| Ended::NoEndpoint)?;
    let endpoint = base.join(text.ok_or(Ended::NoEndpoint)?).map_err(|_| Ended::NoEndpoint)?;
    if endpoint.origin() != base.origin() {
        return Err(Ended::ForeignEndpoint);
    }
    // Scheme, host and port are those of the configuration, whatever two readers of an address may make of one text.
    let path = match endpoint.query() {
        Some(query) => format!("{}?{query}", endpoint.path()),
        None => endpoint.path().to_owned(),
    };
    let mut parts = address.clone().into_parts();
    parts.path_and_query = Some(path.parse().map_err(|_| Ended::NoEndpoint)?);
    Uri::from_parts(parts).map_err(|_| Ended::NoEndpoint)
}

#[cfg(test)]
mod tests;
