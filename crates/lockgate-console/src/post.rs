//! One POST with a JSON body to one address of the operator's.

mod target;

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::time::timeout;

use crate::signature::{SIGNATURE, TIMESTAMP};
use crate::{BadWebhook, Signer};

/// Longest time for one attempt, from the connection to the answer.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(10);
/// Most that is read of an answer, so that its connection can be used again. Bytes.
const ANSWER: usize = 1 << 10;

/// An address, and what signs what goes there.
pub(crate) struct Post {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    address: Uri,
    signer: Option<Signer>,
}

impl Post {
    /// Prepares to send. Opens no connection.
    pub(crate) fn new(url: &str, signer: Option<Signer>) -> Result<Self, BadWebhook> {
        let address = target::parse(url)?;
        Ok(Self { client: target::client(&address)?, address, signer })
    }

    /// Sends a body once, signed at `seconds` since 1970. What the receiver answers counts by its status only; none where
    /// there was no answer in time.
    pub(crate) async fn send(&self, body: &Bytes, seconds: u64) -> Option<StatusCode> {
        let request = self.request(body, seconds)?;
        let exchange = async {
            let response = self.client.request(request).await.ok()?;
            let status = response.status();
            skim(response.into_body()).await;
            Some(status)
        };
        timeout(ATTEMPT, exchange).await.ok().flatten()
    }

    fn request(&self, body: &Bytes, seconds: u64) -> Option<Request<Full<Bytes>>> {
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.address.clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static("lockgate"));
        if let Some(signer) = &self.signer {
            let signature = HeaderValue::from_str(&signer.sign(seconds, body)).ok()?;
            headers.insert(TIMESTAMP, seconds.into());
            headers.insert(SIGNATURE, signature);
        }
        Some(request)
    }
}

/// Reads the beginning of an answer and forgets it.
async fn skim(mut body: Incoming) {
    let mut read = 0;
    while read <= ANSWER
        && let Some(Ok(frame)) = body.frame().await
    {
        read += frame.data_ref().map_or(0, Bytes::len);
    }
}
