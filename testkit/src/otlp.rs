//! A collector of OpenTelemetry that keeps what it is sent, and reads it by the published description of the messages.

mod read;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

/// Longest wait for what must come.
const PATIENCE: Duration = Duration::from_mins(1);

/// One POST.
#[derive(Clone, Debug)]
pub struct Post {
    /// The path.
    pub path: String,
    /// The headers as they came.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Post {
    /// The message, with the names of its fields. Digits in hexadecimal stand for bytes, and numbers for enums.
    ///
    /// # Panics
    /// Where it is not a message of the protocol, to the last field.
    pub fn read(&self) -> Value {
        let message = match self.path.as_str() {
            "/v1/metrics" => ".opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest",
            "/v1/traces" => ".opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest",
            other => panic!("nobody collects at {other}"),
        };
        read::message(message, &self.body)
    }
}

/// The collector. It ends with the test.
pub struct Collector {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    posts: Mutex<Vec<Post>>,
    /// With what the next ones are answered; 200 when there is nothing left.
    statuses: Mutex<Vec<u16>>,
    came: Condvar,
}

impl Collector {
    /// Starts one that answers its first posts with these statuses, and the others with 200.
    pub fn start(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared {
            statuses: Mutex::new(statuses.iter().rev().copied().collect()),
            ..Shared::default()
        });
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let own = Arc::clone(&own);
                std::thread::spawn(move || while own.take(&stream).is_some() {});
            }
        });
        Self { address, shared }
    }

    /// What goes into a configuration.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What has come.
    pub fn posts(&self) -> Vec<Post> {
        lock(&self.shared.posts).clone()
    }

    /// Waits until what has come is enough, and gives it.
    ///
    /// # Panics
    /// Where it takes a minute.
    pub fn wait(&self, enough: impl Fn(&[Post]) -> bool) -> Vec<Post> {
        let posts = lock(&self.shared.posts);
        let waited = self.shared.came.wait_timeout_while(posts, PATIENCE, |posts| !enough(posts));
        let (posts, late) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!late.timed_out(), "only {posts:?} came");
        posts.clone()
    }
}

impl Shared {
    /// Takes one post and answers it. None where the connection is over.
    fn take(&self, stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            reader.read_line(&mut head).ok().filter(|read| *read > 0)?;
        }
        let path = head.split(' ').nth(1)?.to_owned();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
        let mut body = vec![0; length.parse().ok()?];
        reader.read_exact(&mut body).ok()?;
        lock(&self.posts).push(Post { path, head, body });
        self.came.notify_all();
        let status = lock(&self.statuses).pop().unwrap_or(200);
        let mut stream = stream;
        write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n").ok()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
