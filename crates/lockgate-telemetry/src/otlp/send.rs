//! Sending to a collector.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use lockgate_post::{BadAddress, Post};
use tokio::time::sleep;

/// How long to wait before each further attempt.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// Why a collector cannot be used. Names the matter, never the address or a header: they may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTarget {
    /// Nothing can be sent there.
    #[error(transparent)]
    Address(#[from] BadAddress),
    /// Not a header that HTTP knows.
    #[error("a header has a name or a value that HTTP does not allow")]
    Header,
}

/// What sends to one collector.
pub(crate) struct Sender {
    metrics: Post,
    traces: Post,
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
        let post = Post::new(endpoint)?;
        let header = |(name, value): &(String, String)| {
            let mut value = HeaderValue::from_str(value).ok()?;
            value.set_sensitive(true);
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
        };
        let mut headers: HeaderMap =
            headers.iter().map(header).collect::<Option<_>>().ok_or(BadTarget::Header)?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        Ok(Self { metrics: post.below("v1/metrics")?, traces: post.below("v1/traces")?, headers })
    }

    /// Sends counts, once: what comes next says the same and more.
    pub(crate) async fn metrics(&self, message: Vec<u8>) -> bool {
        self.attempt(&self.metrics, message.into()).await == Attempt::Delivered
    }

    /// Sends spans, again where that may help.
    pub(crate) async fn traces(&self, message: Vec<u8>) -> bool {
        let message = Bytes::from(message);
        let mut pauses = PAUSES.into_iter();
        loop {
            match self.attempt(&self.traces, message.clone()).await {
                Attempt::Delivered => return true,
                Attempt::Refused => return false,
                Attempt::Failed => {}
            }
            let Some(pause) = pauses.next() else { return false };
            sleep(pause).await;
        }
    }

    async fn attempt(&self, to: &Post, message: Bytes) -> Attempt {
        to.send(self.headers.clone(), message).await.map_or(Attempt::Failed, judge)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_nobody_can_listen_to_is_sent_anything() {
        for (endpoint, bad) in [
            ("http://localhost:4318", None),
            ("http://otel.example:4318", Some(BadAddress::NotEncrypted)),
            ("https://otel.example?key=1", Some(BadAddress::Query)),
        ] {
            assert_eq!(Sender::new(endpoint, &[]).err(), bad.map(BadTarget::Address), "{endpoint}");
        }
        let bad = Sender::new("http://127.0.0.1:1", &[("a b".to_owned(), "secret".to_owned())]);
        assert_eq!(bad.err(), Some(BadTarget::Header));
    }
}
