//! Fetches a document.

use std::time::Duration;

use bytes::Bytes;
use lockgate_model::Reason;
use tokio::time::timeout;

use crate::http::{BadTarget, HttpServer};

/// Why a document is not there.
#[derive(Debug, thiserror::Error)]
pub enum Unfetched {
    /// Its address cannot be used.
    #[error(transparent)]
    Target(#[from] BadTarget),
    /// The connection, or what came over it.
    #[error("{}", .0.meaning())]
    Failed(Reason),
    /// It was answered with something else. Redirects are not followed.
    #[error("it was answered with status {0}")]
    Status(u16),
}

/// Fetches a document of JSON of at most `largest` bytes.
pub async fn fetch(address: &str, largest: usize, patience: Duration) -> Result<Bytes, Unfetched> {
    fetch_as("application/json", address, largest, patience).await
}

/// Fetches what is of one of these media types, in the form of the header `Accept`, if the other side heeds it.
pub async fn fetch_as(
    types: &'static str,
    address: &str,
    largest: usize,
    patience: Duration,
) -> Result<Bytes, Unfetched> {
    let http = HttpServer::new(address, &[], largest)?;
    let answer = timeout(patience, http.document(types)).await;
    let (status, document) = answer.unwrap_or(Err(Reason::ServerTimedOut)).map_err(Unfetched::Failed)?;
    if status == 200 { Ok(document) } else { Err(Unfetched::Status(status)) }
}

/// Hands a text to somebody who is no server of an agent, as to a witness of a log. Gives the status, and what was answered where
/// it has at most `largest` bytes. Redirects are not followed.
pub async fn submit(
    address: &str,
    text: String,
    largest: usize,
    patience: Duration,
) -> Result<(u16, Bytes), Unfetched> {
    let http = HttpServer::new(address, &[], largest)?;
    let answer = timeout(patience, http.submit(text)).await;
    answer.unwrap_or(Err(Reason::ServerTimedOut)).map_err(Unfetched::Failed)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;
    use crate::testing::read_request;

    #[tokio::test]
    async fn a_document_is_what_is_answered_with_and_not_more() {
        for (reply, expected) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", Ok("{}")),
            ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789", Err("larger")),
            ("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", Err("status 404")),
            (
                "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
                Err("status 302"),
            ),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = format!("http://{}/a%2fb", listener.local_addr().unwrap());
            let serve = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read_request(&mut stream).await.unwrap();
                stream.write_all(reply.as_bytes()).await.unwrap();
                request
            });
            let fetched = fetch(&address, 8, Duration::from_mins(1)).await;
            assert!(serve.await.unwrap().starts_with("GET /a%2fb HTTP/1.1\r\n"));
            match (fetched, expected) {
                (Ok(document), Ok(expected)) => assert_eq!(document, expected),
                (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
