use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::*;

#[path = "../../../lockgate-transport/src/tls/certificate.rs"]
mod certificate;
use certificate::{Issuer, Key};

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_mins(1);
/// A password of these tests.
const PASSWORD: &str = "correct horse";

fn message() -> Message {
    let text = |text: &str| text.to_owned();
    Message {
        id: text("a-1"),
        name: text("cross_server_flow"),
        severity: 3,
        time: text("2026-07-28T09:30:00.000000Z"),
        subject: text("[high] cross_server_flow server web"),
        text: text("cross_server_flow (high)\n.hidden ``` end"),
        json: text("{\"v\":1,\"id\":\"a-1\"}"),
    }
}

const JSON: &str = "{\"v\":1,\"id\":\"a-1\"}";

/// A certificate for `localhost`, and whoever believes it.
fn tls() -> (TlsAcceptor, Roots) {
    let (issuer, key) = (Issuer::new(), Key::new());
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![issuer.certificate("localhost", &key)], key.private()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(issuer.certificate).unwrap();
    (TlsAcceptor::from(Arc::new(config)), Roots::of(roots))
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

// ---- over HTTP ----

/// Answers one request with this status, and gives the request.
async fn http(status: u16) -> (u16, tokio::task::JoinHandle<String>) {
    let (listener, port) = listen().await;
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut text = String::new();
        let length = |text: &str| {
            let (head, body) = text.split_once("\r\n\r\n")?;
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
            Some(body.len() >= length.parse::<usize>().unwrap())
        };
        while length(&text) != Some(true) {
            let mut bytes = [0; 4096];
            let read = stream.read(&mut bytes).await.unwrap();
            text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        }
        let answer = format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
        text
    });
    (port, serving)
}

#[tokio::test]
async fn a_webhook_gets_signed_json() {
    let (port, request) = http(200).await;
    let secret = b"0123456789abcdef";
    let channel = Channel::webhook(&format!("http://127.0.0.1:{port}/hook"), secret).unwrap();
    channel.send(&message(), 1_790_000_000).await.unwrap();
    let request = request.await.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, JSON);
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    assert_eq!(header("lockgate-timestamp: "), "1790000000");
    let signer = Signer::new(secret).unwrap();
    assert!(signer.verifies(1_790_000_000, body.as_bytes(), header("lockgate-signature: ")));
    let (port, _request) = http(503).await;
    let channel = Channel::webhook(&format!("http://127.0.0.1:{port}/"), secret).unwrap();
    assert_eq!(channel.send(&message(), 1).await, Err(Unsent::Answered(503)));
    assert!(Channel::webhook("http://example.com/", secret).is_err());
    assert!(Channel::webhook("https://example.com/", b"short").is_err());
}

#[tokio::test]
async fn a_chat_gets_a_text_that_mentions_nobody() {
    let (port, request) = http(200).await;
    let channel = Channel::chat(&format!("http://127.0.0.1:{port}/services/T/B/x")).unwrap();
    channel.send(&message(), 1).await.unwrap();
    let request = request.await.unwrap();
    assert!(!request.contains("lockgate-signature"));
    let body: serde_json::Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    let text = "[high] cross_server_flow server web\n```\ncross_server_flow (high)\n.hidden ''' end\n```";
    assert_eq!(body, json!({ "text": text }));
}

#[tokio::test]
async fn where_nobody_listens_nothing_is_taken() {
    let (listener, port) = listen().await;
    drop(listener);
    let mail =
        Mail::with_roots(&format!("smtp://127.0.0.1:{port}"), "a@b", &["c@d".to_owned()], None, tls().1);
    let folder = tempfile::tempdir().unwrap();
    for (channel, expected) in [
        (Channel::chat(&format!("http://127.0.0.1:{port}/")).unwrap(), Unsent::Unreachable),
        (
            Channel::syslog(Syslog::new(&format!("tcp://127.0.0.1:{port}"), false).unwrap()),
            Unsent::Unreachable,
        ),
        (Channel::mail(mail.unwrap()), Unsent::Unreachable),
        (
            Channel::syslog(Syslog::new(&format!("unix://{}/no", folder.path().display()), false).unwrap()),
            Unsent::Io(io::ErrorKind::NotFound),
        ),
        (Channel::lines(folder.path().join("no/file")), Unsent::Io(io::ErrorKind::NotFound)),
    ] {
        assert_eq!(channel.send(&message(), 1).await, Err(expected));
    }
}

// ---- syslog ----

fn is_a_line(line: &str) {
    // RFC 5424, appendix: facility 10 and severity 3; no host, our name, the process, what it is, no structured data.
    let expected = format!(
        "<83>1 2026-07-28T09:30:00.000000Z - lockgate {} cross_server_flow - {JSON}",
        std::process::id()
    );
    assert_eq!(line, expected);
}

async fn read_all(mut stream: impl AsyncRead + Unpin) -> String {
    let mut text = String::new();
    timeout(LONG, stream.read_to_string(&mut text)).await.unwrap().unwrap();
    text
}

/// Octet counting, RFC 6587.
fn is_a_frame(frame: &str) {
    let (length, line) = frame.split_once(' ').unwrap();
    assert_eq!(length.parse::<usize>().unwrap(), line.len());
    is_a_line(line);
}

#[tokio::test]
async fn syslog_goes_over_everything() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = [0; 4096];

    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    Syslog::new(&format!("udp://127.0.0.1:{port}"), false).unwrap().send(&message()).await.unwrap();
    let read = timeout(LONG, socket.recv(&mut bytes)).await.unwrap().unwrap();
    is_a_line(std::str::from_utf8(&bytes[..read]).unwrap());

    let (listener, port) = listen().await;
    let reading = tokio::spawn(async move { read_all(listener.accept().await.unwrap().0).await });
    Syslog::new(&format!("tcp://localhost:{port}"), false).unwrap().send(&message()).await.unwrap();
    is_a_frame(&reading.await.unwrap());

    let path = folder.path().join("datagrams");
    let socket = UnixDatagram::bind(&path).unwrap();
    Syslog::new(&format!("unix://{}", path.display()), false).unwrap().send(&message()).await.unwrap();
    let read = timeout(LONG, socket.recv(&mut bytes)).await.unwrap().unwrap();
    is_a_line(std::str::from_utf8(&bytes[..read]).unwrap());

    let path = folder.path().join("stream");
    let listener = UnixListener::bind(&path).unwrap();
    let reading = tokio::spawn(async move { read_all(listener.accept().await.unwrap().0).await });
    Syslog::new(&format!("unix://{}", path.display()), false).unwrap().send(&message()).await.unwrap();
    is_a_line(reading.await.unwrap().strip_suffix('\n').unwrap());
}

#[tokio::test]
async fn syslog_over_tls_believes_only_whom_it_knows() {
    for known in [true, false] {
        let (acceptor, roots) = tls();
        let roots = if known { roots } else { tls().1 };
        let (listener, port) = listen().await;
        let reading = tokio::spawn(async move {
            let stream = acceptor.accept(listener.accept().await.unwrap().0).await.ok()?;
            Some(read_all(stream).await)
        });
        let syslog = Syslog::with_roots(&format!("tls://localhost:{port}"), false, || Ok(roots.clone()));
        let sent = syslog.unwrap().send(&message()).await;
        let read = reading.await.unwrap();
        if known {
            sent.unwrap();
            is_a_frame(&read.unwrap());
        } else {
            assert_eq!((sent, read), (Err(Unsent::Certificate), None));
        }
    }
}

#[test]
fn addresses_of_log_daemons() {
    let new = |address: &str, unencrypted| Syslog::new(address, unencrypted).err();
    for (address, fault) in [
        ("udp://127.0.0.1", None),
        ("tcp://[::1]:6514", None),
        ("udp://192.0.2.1:514", Some(BadSyslog::NotEncrypted)),
        ("tcp://logs.example", Some(BadSyslog::NotEncrypted)),
        ("tcp://user@localhost", Some(BadSyslog::Address)),
        ("tcp://localhost/path", Some(BadSyslog::Address)),
        ("unix://dev/log", Some(BadSyslog::Address)),
        ("unix:///dev/log", None),
        ("http://localhost", Some(BadSyslog::Address)),
        ("localhost:514", Some(BadSyslog::Address)),
    ] {
        assert_eq!(new(address, false), fault, "{address}");
    }
    assert_eq!(new("udp://192.0.2.1:514", true), None);
}

// ---- mail ----

/// A small mail server: what it offers, how it encrypts, and what it heard.
#[derive(Clone)]
struct Server {
    offers: &'static str,
    acceptor: Option<TlsAcceptor>,
    implicit: bool,
    /// Sent in the same piece as the answer to STARTTLS.
    smuggled: &'static str,
    heard: mpsc::UnboundedSender<String>,
}

impl Server {
    async fn serve(self, listener: TcpListener) {
        let (stream, _) = listener.accept().await.unwrap();
        if self.implicit {
            // A client that does not like the certificate hangs up.
            let Ok(stream) = self.acceptor.clone().unwrap().accept(stream).await else { return };
            self.talk(stream, true).await;
        } else if let Some(stream) = self.talk(stream, true).await {
            let Ok(stream) = self.acceptor.clone().unwrap().accept(stream).await else { return };
            self.talk(stream, false).await;
        }
    }

    /// Talks until the client hangs up or wants encryption.
    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S, greet: bool) -> Option<S> {
        let mut stream = BufReader::new(stream);
        if greet {
            stream.write_all(b"220-mail.example\r\n220 ready\r\n").await.unwrap();
        }
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return None;
            }
            // The test may be over.
            let _told = self.heard.send(line.trim_end().to_owned());
            let verb = line.split([' ', '\r']).next().unwrap();
            let answer = match verb {
                "EHLO" => format!("250-mail.example\r\n{}250 8BITMIME\r\n", self.offers),
                "STARTTLS" => format!("220 go\r\n{}", self.smuggled),
                "AUTH" if line.contains("AGNhcm9sAGNvcnJlY3QgaG9yc2U=") => "235 ok\r\n".to_owned(),
                "AUTH" => "535 no\r\n".to_owned(),
                "RCPT" if line.contains("<bad@") => "550 no such user\r\n".to_owned(),
                "DATA" => "354 go on\r\n".to_owned(),
                _ => "250 ok\r\n".to_owned(),
            };
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
            if verb == "STARTTLS" {
                return Some(stream.into_inner());
            }
            if verb == "DATA" {
                let mut line = String::new();
                while line != ".\r\n" {
                    line.clear();
                    stream.read_line(&mut line).await.unwrap();
                    let _told = self.heard.send(line.trim_end().to_owned());
                }
                stream.write_all(b"250 taken\r\n").await.unwrap();
                stream.flush().await.unwrap();
            }
        }
    }
}

struct Try {
    scheme: &'static str,
    offers: &'static str,
    smuggled: &'static str,
    to: &'static [&'static str],
    password: Option<&'static str>,
    known: bool,
}

const PLAIN: Try =
    Try { scheme: "smtp", offers: "", smuggled: "", to: &["ops@example.com"], password: None, known: true };
const ENCRYPTED: Try =
    Try { offers: "250-STARTTLS\r\n250-AUTH LOGIN PLAIN\r\n", password: Some(PASSWORD), ..PLAIN };

/// Sends a mail as it is said: what came of it, and what the server heard.
async fn mail(how: Try) -> (Result<(), Unsent>, Vec<String>) {
    let (acceptor, roots) = tls();
    let roots = if how.known { roots } else { tls().1 };
    let (listener, port) = listen().await;
    let (heard, mut sayings) = mpsc::unbounded_channel();
    let implicit = how.scheme == "smtps";
    let server =
        Server { offers: how.offers, acceptor: Some(acceptor), implicit, smuggled: how.smuggled, heard };
    let serving = tokio::spawn(server.serve(listener));
    let to: Vec<_> = how.to.iter().map(|to| (*to).to_owned()).collect();
    let login = how.password.map(|password| ("carol".to_owned(), password.to_owned()));
    let server = format!("{}://localhost:{port}", how.scheme);
    let mail = Mail::with_roots(&server, "lockgate@example.com", &to, login, roots).unwrap();
    let sent = mail.send(&message()).await;
    timeout(LONG, serving).await.unwrap().unwrap();
    let mut all = Vec::new();
    while let Ok(line) = sayings.try_recv() {
        all.push(line);
    }
    (sent, all)
}

#[tokio::test]
async fn a_mail_is_whole_and_its_dots_are_doubled() {
    let (sent, heard) =
        mail(Try { to: &["ops@example.com", "bad@example.com", "b@example.com"], ..PLAIN }).await;
    sent.unwrap();
    assert_eq!(
        heard.join("\n"),
        "EHLO [127.0.0.1]
MAIL FROM:<lockgate@example.com>
RCPT TO:<ops@example.com>
RCPT TO:<bad@example.com>
RCPT TO:<b@example.com>
DATA
From: Lockgate <lockgate@example.com>
To: ops@example.com,
 bad@example.com,
 b@example.com
Subject: [high] cross_server_flow server web
Date: 28 Jul 2026 09:30:00 +0000
Message-ID: <a-1@example.com>
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii

cross_server_flow (high)
..hidden ``` end
.
QUIT"
    );
    let (sent, _) = mail(Try { to: &["bad@example.com"], ..PLAIN }).await;
    assert_eq!(sent, Err(Unsent::Answered(550)));
}

#[tokio::test]
async fn a_password_is_only_sent_encrypted_and_to_whom_it_is_for() {
    for scheme in ["smtp", "smtps"] {
        let (sent, heard) = mail(Try { scheme, ..ENCRYPTED }).await;
        sent.unwrap();
        let at = |verb: &str| heard.iter().position(|line| line.starts_with(verb));
        assert!(at("AUTH PLAIN ").unwrap() < at("MAIL").unwrap());
        assert_eq!(at("STARTTLS"), (scheme == "smtp").then_some(1));
    }
    let no_login = Try { offers: "250-STARTTLS\r\n250-AUTH LOGIN\r\n", ..ENCRYPTED };
    for (how, fault) in [
        (Try { offers: "250-AUTH PLAIN\r\n", ..ENCRYPTED }, Unsent::NotEncrypted),
        (Try { known: false, ..ENCRYPTED }, Unsent::Certificate),
        (Try { known: false, scheme: "smtps", ..ENCRYPTED }, Unsent::Certificate),
        (no_login, Unsent::NoLogin),
        (Try { password: Some("wrong"), ..ENCRYPTED }, Unsent::Answered(535)),
        // What was said before the encryption would count behind it.
        (Try { smuggled: "250-AUTH PLAIN\r\n", ..ENCRYPTED }, Unsent::Garbled),
    ] {
        let wrong = how.password == Some("wrong");
        let (sent, heard) = mail(how).await;
        assert_eq!(sent, Err(fault));
        assert!(wrong || !heard.iter().any(|line| line.starts_with("AUTH")), "{heard:?}");
    }
}

#[tokio::test]
async fn a_server_that_never_ends_its_reply_is_given_up() {
    let (listener, port) = listen().await;
    tokio::spawn(async move {
        let (mut stream, _): (TcpStream, _) = listener.accept().await.unwrap();
        while stream.write_all(b"220-more\r\n").await.is_ok() {}
    });
    let server = format!("smtp://127.0.0.1:{port}");
    let mail = Mail::with_roots(&server, "a@b", &["c@d".to_owned()], None, tls().1).unwrap();
    assert_eq!(mail.send(&message()).await, Err(Unsent::Garbled));
}

#[test]
fn mail_servers_and_what_is_wrong_with_them() {
    let receivers = |count: usize| vec!["a@b".to_owned(); count];
    let fault = |server: &str, from: &str, to: &[String], user: &str| {
        let login = Some((user.to_owned(), PASSWORD.to_owned()));
        Mail::with_roots(server, from, to, login, tls().1).err()
    };
    assert_eq!(fault("smtps://mail.example", "a@b", &receivers(32), "u"), None);
    assert_eq!(fault("https://mail.example", "a@b", &receivers(1), "u"), Some(BadMail::Server));
    assert_eq!(fault("smtp://u:p@mail.example", "a@b", &receivers(1), "u"), Some(BadMail::Server));
    assert_eq!(fault("smtp://mail.example", "a", &receivers(1), "u"), Some(BadMail::Mailbox));
    assert_eq!(fault("smtp://mail.example", "a@b", &receivers(0), "u"), Some(BadMail::Receivers));
    assert_eq!(fault("smtp://mail.example", "a@b", &receivers(33), "u"), Some(BadMail::Receivers));
    assert_eq!(fault("smtp://mail.example", "a@b", &receivers(1), "u\0"), Some(BadMail::Login));
}

#[tokio::test]
async fn a_file_gets_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.jsonl");
    let channel = Channel::lines(path.clone());
    for _ in 0..2 {
        channel.send(&message(), 1).await.unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), format!("{JSON}\n{JSON}\n"));
    // Neither an address nor a secret is shown.
    assert_eq!(format!("{:?}", Mutex::new(channel).into_inner().unwrap()), "Channel { .. }");
}
