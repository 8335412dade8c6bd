//! One POST with a JSON body to one address of the operator's.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::signature::{SIGNATURE, TIMESTAMP};
use crate::{BadWebhook, Signer};

/// An address, and what signs what goes there.
pub(crate) struct Post {
    post: lockgate_post::Post,
    signer: Option<Signer>,
}

impl Post {
    /// Prepares to send. Opens no connection.
    pub(crate) fn new(url: &str, signer: Option<Signer>) -> Result<Self, BadWebhook> {
        Ok(Self { post: lockgate_post::Post::new(url)?, signer })
    }

    /// Sends a body once, signed at `seconds` since 1970. What the receiver answers counts by its status only; none where
    /// there was no answer in time.
    pub(crate) async fn send(&self, body: &Bytes, seconds: u64) -> Option<StatusCode> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(signer) = &self.signer {
            let signature = HeaderValue::from_str(&signer.sign(seconds, body)).ok()?;
            headers.insert(TIMESTAMP, seconds.into());
            headers.insert(SIGNATURE, signature);
        }
        self.post.send(headers, body.clone()).await
    }
}
