use std::sync::Arc;

use aws_lc_rs::hmac;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::{Approval, ApprovalId, State, Stop, Target};

#[test]
fn a_signature_is_what_others_compute() {
    // printf '%s' '1790000000.{"v":1}' | openssl dgst -sha256 -hmac whsec-0123456789abcdef
    let signer = Signer::new(SECRET_OF_TESTS).unwrap();
    let signature = "v1=366f1857a573568e0d25c6254a5a4d15710a83c4dfdbb561921dd3a45a7814b5";
    assert_eq!(signer.sign(1_790_000_000, br#"{"v":1}"#), signature);
}

const SECRET_OF_TESTS: &[u8] = b"whsec-0123456789abcdef";
/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_mins(1);

/// A receiver that gives these answers, one to each request, and tells what it was sent.
struct Receiver {
    port: u16,
    heard: mpsc::UnboundedReceiver<String>,
}

impl Receiver {
    async fn open(answers: &[&str]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, heard) = mpsc::unbounded_channel();
        let mut answers: Vec<_> = answers.iter().rev().map(|answer| (*answer).to_owned()).collect();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                while let Some(request) = read(&mut stream).await {
                    // The test may be over.
                    let _told = tell.send(request);
                    let Some(answer) = answers.pop() else { return };
                    // A sender that has heard enough hangs up.
                    let _written = stream.write_all(answer.as_bytes()).await;
                    if answer.is_empty() || answer.contains("Connection: close") {
                        break;
                    }
                }
            }
        });
        Self { port, heard }
    }

    /// The next event, once its signature is found to be right.
    async fn event(&mut self) -> Value {
        let request = timeout(LONG, self.heard.recv()).await.unwrap().unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /hook?key=1 HTTP/1.1\r\n"), "{head}");
        let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let seconds: u64 = header("lockgate-timestamp: ").parse().unwrap();
        assert!(unix_millis().0 / 1000 - seconds < LONG.as_secs());
        let signature = hex(header("lockgate-signature: v1="));
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET_OF_TESTS);
        hmac::verify(&key, format!("{seconds}.{body}").as_bytes(), &signature).unwrap();
        // The signature is of this body at this time and of nothing else.
        assert!(hmac::verify(&key, format!("{seconds}.{body} ").as_bytes(), &signature).is_err());
        assert!(hmac::verify(&key, body.as_bytes(), &signature).is_err());
        serde_json::from_str(body).unwrap()
    }

    /// Runs a webhook to it.
    fn webhook(&self) -> Running {
        let url = format!("http://127.0.0.1:{}/hook?key=1", self.port);
        let mut webhook = Webhook::new(&url, SECRET_OF_TESTS).unwrap();
        webhook.pace.first = Duration::from_millis(10);
        Running::start(webhook)
    }
}

async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.unwrap().parse().unwrap() {
                return Some(text);
            }
        }
        let mut piece = [0; 4096];
        let count = stream.read(&mut piece).await.ok().filter(|count| *count > 0)?;
        text.push_str(std::str::from_utf8(&piece[..count]).unwrap());
    }
}

struct Running {
    webhook: Arc<Webhook>,
    closing: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    fn start(webhook: Webhook) -> Self {
        let webhook = Arc::new(webhook);
        let (closing, closed) = watch::channel(false);
        let task = tokio::spawn({
            let webhook = Arc::clone(&webhook);
            async move { webhook.run(closed).await }
        });
        Self { webhook, closing, task }
    }

    /// Closes it and says what has become of its events.
    async fn close(self) -> Counts {
        self.closing.send(true).unwrap();
        timeout(LONG, self.task).await.unwrap().unwrap();
        self.webhook.counts()
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|c| u8::try_from(c.to_digit(16).unwrap()).unwrap()).collect();
    assert_eq!(digits.len(), 64);
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn stop(reason: &str) -> Event {
    Event::Stopped(Stop {
        target: Target::All,
        by: "alice".to_owned(),
        reason: reason.to_owned(),
        since_unix_ms: UnixMillis(1_790_000_000_000),
    })
}

fn approval() -> Approval {
    Approval {
        id: ApprovalId::parse("apr_1").unwrap(),
        state: State::Waiting,
        session: "s".to_owned(),
        principal: "carol".to_owned(),
        server: "files".to_owned(),
        tool: "write_file".to_owned(),
        arguments: Some("the password is swordfish".to_owned()),
        fingerprint: "f".to_owned(),
        rule: "r".to_owned(),
        reason: "a rule asks".to_owned(),
        origin: None,
        effect: "write".to_owned(),
        needed: 1,
        votes: Vec::new(),
        created_unix_ms: UnixMillis(1),
        expires_unix_ms: UnixMillis(2),
    }
}

const TAKEN: &str = "HTTP/1.1 204 No Content\r\n\r\n";

#[tokio::test]
async fn events_are_signed_and_in_order() {
    let mut receiver = Receiver::open(&[TAKEN; 4]).await;
    let running = receiver.webhook();
    running.webhook.tell(&Event::ApprovalWaiting(approval()));
    for reason in ["a", "b", "c"] {
        running.webhook.tell(&stop(reason));
    }
    let first = receiver.event().await;
    assert_eq!((&first["v"], &first["event"]), (&1.into(), &"approval_waiting".into()));
    assert_eq!(first["approval"]["tool"], "write_file");
    assert!(!first.to_string().contains("swordfish") && first["approval"].get("arguments").is_none());
    let mut ids = vec![first["id"].clone()];
    for reason in ["a", "b", "c"] {
        let event = receiver.event().await;
        assert_eq!((&event["event"], &event["stop"]["reason"]), (&"stop".into(), &reason.into()));
        assert!(!ids.contains(&event["id"]));
        ids.push(event["id"].clone());
    }
    assert_eq!(running.close().await, Counts { delivered: 4, ..Counts::default() });
}

#[tokio::test]
async fn what_fails_is_sent_again_and_what_is_refused_is_not() {
    let mut receiver = Receiver::open(&[
        "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 429 Slow\r\nConnection: close\r\n\r\n",
        "", // Hangs up.
        TAKEN,
        "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 307 There\r\nLocation: /hook?key=1\r\nContent-Length: 0\r\n\r\n",
        TAKEN,
    ])
    .await;
    let running = receiver.webhook();
    for reason in ["again", "gone", "elsewhere", "last"] {
        running.webhook.tell(&stop(reason));
    }
    for reason in ["again", "again", "again", "again", "gone", "elsewhere", "last"] {
        assert_eq!(receiver.event().await["stop"]["reason"], reason);
    }
    assert_eq!(running.close().await, Counts { delivered: 2, given_up: 2, ..Counts::default() });
}

#[tokio::test]
async fn a_long_answer_is_not_read() {
    // It never ends; whoever reads it whole waits for ever.
    let endless = format!("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{}", "x".repeat(5000));
    let mut receiver = Receiver::open(&[&endless, TAKEN]).await;
    let running = receiver.webhook();
    running.webhook.tell(&stop("a"));
    running.webhook.tell(&stop("b"));
    // Whoever waits for its end gives the attempt up, and makes it again.
    for reason in ["a", "b"] {
        assert_eq!(receiver.event().await["stop"]["reason"], reason);
    }
    assert_eq!(running.close().await.delivered, 2);
}

#[tokio::test]
async fn what_is_old_is_given_up() {
    let mut webhook = Webhook::new("http://127.0.0.1:9/", SECRET_OF_TESTS).unwrap();
    webhook.pace = Pace {
        first: Duration::from_millis(1),
        longest: Duration::from_millis(20),
        give_up: Duration::from_millis(200),
    };
    let running = Running::start(webhook);
    let begun = Instant::now();
    running.webhook.tell(&stop("nobody listens"));
    while running.webhook.counts().waiting > 0 {
        assert!(begun.elapsed() < LONG);
        sleep(Duration::from_millis(5)).await;
    }
    assert!(begun.elapsed() >= Duration::from_millis(200));
    assert_eq!(running.close().await, Counts { given_up: 1, ..Counts::default() });
}

#[tokio::test]
async fn an_event_that_never_arrives_does_not_take_others_with_it() {
    const BROKEN: &str = "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n";
    let mut receiver = Receiver::open(&[BROKEN, BROKEN, TAKEN]).await;
    let url = format!("http://127.0.0.1:{}/hook?key=1", receiver.port);
    let mut webhook = Webhook::new(&url, SECRET_OF_TESTS).unwrap();
    // Tried at once and at the end of its time, which is long enough for a busy machine to have tried once.
    let (first, give_up) = (Duration::from_secs(15), Duration::from_secs(10));
    webhook.pace = Pace { first, longest: first, give_up };
    let running = Running::start(webhook);
    running.webhook.tell(&stop("poison"));
    running.webhook.tell(&stop("next"));
    for reason in ["poison", "poison", "next"] {
        assert_eq!(receiver.event().await["stop"]["reason"], reason);
    }
    assert_eq!(running.close().await, Counts { delivered: 1, given_up: 1, ..Counts::default() });
}

#[tokio::test]
async fn the_queue_has_an_end() {
    let receiver = Receiver::open(&[]).await;
    let webhook = Webhook::new(&format!("http://127.0.0.1:{}/hook?key=1", receiver.port), SECRET_OF_TESTS);
    let webhook = webhook.unwrap();
    for number in 0..WAITING + 7 {
        webhook.tell(&stop(&number.to_string()));
    }
    assert_eq!(webhook.counts(), Counts { waiting: WAITING, dropped: 7, ..Counts::default() });
    let oldest = webhook.queue().waiting.front().unwrap().body.clone();
    assert!(String::from_utf8_lossy(&oldest).contains(r#""reason":"7""#));
    assert_eq!(format!("{webhook:?}").matches("hook?key").count(), 0);
}

#[tokio::test]
async fn what_waits_is_sent_before_the_end() {
    let mut receiver = Receiver::open(&[TAKEN; 3]).await;
    let running = receiver.webhook();
    for reason in ["a", "b", "c"] {
        running.webhook.tell(&stop(reason));
    }
    // Nothing has run yet: all is sent after the close.
    assert_eq!(running.close().await, Counts { delivered: 3, ..Counts::default() });
    assert_eq!(receiver.event().await["stop"]["reason"], "a");
}

#[tokio::test]
async fn nothing_is_sent_in_the_clear() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    let running = Running::start(Webhook::new(&url, SECRET_OF_TESTS).unwrap());
    running.webhook.tell(&stop("a"));
    let (mut stream, _) = timeout(LONG, listener.accept()).await.unwrap().unwrap();
    // The first byte of a TLS handshake.
    assert_eq!(stream.read_u8().await.unwrap(), 0x16);
    drop((stream, listener));
    assert_eq!(running.close().await.delivered, 0);
}

#[test]
fn addresses_and_secrets() {
    for (url, outcome) in [
        ("https://hooks.example/a?b=c", None),
        ("http://hooks.example/", Some(BadWebhook::Address(BadAddress::NotEncrypted))),
    ] {
        assert_eq!(Webhook::new(url, SECRET_OF_TESTS).err(), outcome, "{url}");
    }
    assert_eq!(Webhook::new("https://hooks.example/", b"fifteen-bytes!!").err(), Some(BadWebhook::Secret));
}

#[test]
fn what_a_status_means() {
    for (status, meaning) in [
        (200, Attempt::Delivered),
        (204, Attempt::Delivered),
        (301, Attempt::Refused),
        (400, Attempt::Refused),
        (401, Attempt::Refused),
        (408, Attempt::Failed),
        (429, Attempt::Failed),
        (500, Attempt::Failed),
        (599, Attempt::Failed),
        (999, Attempt::Refused),
    ] {
        assert_eq!(judge(StatusCode::from_u16(status).unwrap()), meaning, "{status}");
    }
}
