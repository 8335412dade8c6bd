use lockgate_core::Wire;
use lockgate_model::Reason;
use rustls::ServerConfig;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::certificate::{Issuer, Key};
use super::*;
use crate::http::HttpServer;
use crate::testing::{greeting, read_request};

/// A server with a certificate of this issuer for this name and key, and its address. It answers every request.
async fn server(issuer: &Issuer, name: &str, key: &Key) -> String {
    let certificate = issuer.certificate(name, key);
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![certificate], key.private()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not like the certificate hangs up.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            if read_request(&mut stream).await.is_some() {
                let reply =
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
                stream.write_all(reply.as_bytes()).await.unwrap();
            }
        }
    });
    format!("https://localhost:{port}/mcp")
}

fn key_of(key: &Key) -> TlsKey {
    TlsKey(Sha256::digest(key.spki()).into())
}

/// Sends a request: what came of it, and the key that was seen.
async fn send(
    address: &str,
    issuer: &Issuer,
    pinned: Option<TlsKey>,
) -> (Result<u16, Reason>, Option<TlsKey>) {
    let mut roots = RootCertStore::empty();
    roots.add(issuer.certificate.clone()).unwrap();
    let http = HttpServer::with_roots(address, &[], 1000, pinned, || Some(roots)).unwrap();
    let answer = http.send(greeting(Wire::Http, "1"), None).await;
    (answer.map(|answer| answer.status), http.key())
}

/// SAFE-T1407, SAFE-T1004: a certificate that is in order is not enough where the key is pinned, and the key is not enough
/// where the certificate is not in order.
#[tokio::test]
async fn a_server_must_have_its_name_and_its_key() {
    let (ours, theirs) = (Issuer::new(), Issuer::new());
    let (key, other) = (Key::new(), Key::new());
    let (pin, other_pin) = (key_of(&key), key_of(&other));
    let changed = Err(Reason::ServerKeyChanged);
    let unreachable = Err(Reason::ServerUnreachable);

    let address = server(&ours, "localhost", &key).await;
    assert_eq!(send(&address, &ours, None).await, (Ok(200), Some(pin)));
    assert_eq!(send(&address, &ours, Some(pin)).await, (Ok(200), Some(pin)));
    assert_eq!(send(&address, &ours, Some(other_pin)).await, (changed, Some(pin)));
    // Renewed with the same key, and with another one.
    let address = server(&ours, "localhost", &key).await;
    assert_eq!(send(&address, &ours, Some(pin)).await, (Ok(200), Some(pin)));
    let address = server(&ours, "localhost", &other).await;
    assert_eq!(send(&address, &ours, Some(pin)).await, (changed, Some(other_pin)));
    // Of an issuer that is not trusted, and for another name.
    let address = server(&theirs, "localhost", &key).await;
    assert_eq!(send(&address, &ours, Some(pin)).await, (unreachable, None));
    let address = server(&ours, "elsewhere.example", &key).await;
    assert_eq!(send(&address, &ours, Some(pin)).await, (unreachable, None));
}

#[test]
fn keys_are_written_and_read() {
    let text = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    assert_eq!(TlsKey::parse(text).unwrap().to_string(), text);
    for bad in [
        "",
        "sha256/",
        "sha1/AAAA",
        "sha256/AAAA",
        text.trim_start_matches("sha256/"),
        text.trim_end_matches('='),
    ] {
        assert_eq!(TlsKey::parse(bad), None, "{bad}");
    }
}
