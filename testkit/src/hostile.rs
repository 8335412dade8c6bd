//! The product under attack: a gateway whose every word is kept, raw connections to it, and a scripted HTTP server
//! behind it. Standard library only, so that nothing on the attacker's side tidies up what is sent.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

/// Longest wait for anything that must come: a busy machine takes its time, and who does not fail never waits so long.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Text that hostile servers put wherever they can: it must never be in what Lockgate says itself.
pub const SERVER_TEXT: &str = "SERVER-TEXT";

/// A handshake of the agent.
pub fn hello(revision: &str) -> String {
    hello_with(revision, &json!({}))
}

fn hello_with(revision: &str, capabilities: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": {
        "protocolVersion": revision, "capabilities": capabilities, "clientInfo": { "name": "t", "version": "1" }
    } })
    .to_string()
}

/// A call of a tool with small arguments.
pub fn call(id: u64, tool: &str) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool, "arguments": { "a": 1 } } })
        .to_string()
}

/// Waits for something that must come.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "{what}: it never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What a process says on its standard error, as it comes.
#[derive(Clone, Default)]
pub struct Complaints(Arc<Mutex<String>>);

impl Complaints {
    fn hear(source: impl Read + Send + 'static) -> Self {
        let complaints = Self::default();
        let kept = complaints.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(source).split(b'\n').map_while(Result::ok) {
                let mut kept = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push_str(&String::from_utf8_lossy(&line));
                kept.push('\n');
            }
        });
        complaints
    }

    /// All of it so far.
    pub fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A gateway with HTTP in front. Stopped when dropped; then it must not have panicked.
pub struct Gate {
    child: Child,
    /// `127.0.0.1:PORT`
    pub host: String,
    /// Its standard error.
    pub complaints: Complaints,
    folder: PathBuf,
    own: Option<tempfile::TempDir>,
}

impl Gate {
    /// Starts it with this configuration (JSON is YAML). Records go to `records.jsonl` in its folder.
    pub fn start(config: Value) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut gate = Self::start_in(folder.path(), config);
        gate.own = Some(folder);
        gate
    }

    /// The same in a folder that outlives it.
    pub fn start_in(folder: &Path, mut config: Value) -> Self {
        config["records"]["file"] = json!(folder.join("records.jsonl"));
        let file = folder.join("lockgate.yaml");
        std::fs::write(&file, config.to_string()).expect("the configuration is written");
        let mut child = Command::new(crate::peers::lockgate())
            .env("LOCKGATE_STATE", folder.join("state"))
            .args(["run", "--listen", "127.0.0.1:0", "-c"])
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", crate::peers::lockgate().display()));
        let complaints = Complaints::hear(child.stderr.take().expect("a pipe"));
        let address = || {
            let text = complaints.text();
            let (_, rest) = text.split_once("listening on http://")?;
            Some(rest.split_once("/mcp")?.0.to_owned())
        };
        until("the gateway listens", || {
            let ended = child.try_wait();
            assert!(matches!(ended, Ok(None)), "the gateway has ended: {}", complaints.text());
            address().is_some()
        });
        let host = address().expect("just seen");
        Self { child, host, complaints, folder: folder.to_owned(), own: None }
    }

    /// One server of ours behind it, called `x`, that behaves in this manner, with further settings for it.
    pub fn before(manner: &str, change: impl FnOnce(&mut Value)) -> Self {
        let heard = tempfile::NamedTempFile::new().expect("a temporary file");
        let (_, heard) = heard.keep().expect("a file that is kept");
        let mut config = json!({ "servers": { "x": server(manner, &heard) } });
        change(&mut config);
        Self::start(config)
    }

    /// The folder of its configuration and records.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// All records, once it has been told to write them.
    pub fn records(&self) -> String {
        std::fs::read_to_string(self.folder.join("records.jsonl")).unwrap_or_default()
    }

    /// Sends these bytes on a connection of their own and reads until it is closed.
    pub fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect();
        // A gateway that has heard enough may close before all is written.
        let _written = stream.write_all(bytes);
        Answer::read(&mut stream)
    }

    /// A connection.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.host).expect("the gateway accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        stream
    }

    /// A POST of a well-behaved client, except for what `headers` replaces; an empty value takes a header out.
    pub fn request(&self, path: &str, body: &[u8], headers: &[(&str, &str)]) -> Vec<u8> {
        let mut all = vec![
            ("Host", self.host.clone()),
            ("Content-Type", "application/json".to_owned()),
            ("Accept", "application/json, text/event-stream".to_owned()),
            ("Content-Length", body.len().to_string()),
            ("Connection", "close".to_owned()),
        ];
        for (name, _) in headers {
            all.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        }
        let given = headers.iter().filter(|(_, value)| !value.is_empty());
        all.extend(given.map(|(name, value)| (*name, (*value).to_owned())));
        let mut request = format!("POST {path} HTTP/1.1\r\n").into_bytes();
        for (name, value) in all {
            request.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        request.extend_from_slice(b"\r\n");
        request.extend_from_slice(body);
        request
    }

    /// Sends such a POST.
    pub fn post(&self, path: &str, body: &[u8], headers: &[(&str, &str)]) -> Answer {
        self.raw(&self.request(path, body, headers))
    }

    /// Opens a session of the handshake era at a path.
    #[track_caller]
    pub fn open(&self, path: &str, revision: &str) -> Agent<'_> {
        self.open_as(path, revision, &json!({}), "")
    }

    /// The same with these capabilities, and a bearer token unless it is empty.
    #[track_caller]
    pub fn open_as(&self, path: &str, revision: &str, capabilities: &Value, token: &str) -> Agent<'_> {
        let token = if token.is_empty() { String::new() } else { format!("Bearer {token}") };
        let hello = hello_with(revision, capabilities);
        let answer = self.post(path, hello.as_bytes(), &[("Authorization", &token)]);
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(!answer.session.is_empty(), "{}", answer.text);
        let agent = Agent { gate: self, path: path.to_owned(), session: answer.session, token };
        agent.post(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        agent
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most memory it has had, in MiB. Zero where the system does not say.
    pub fn peak(&self) -> u64 {
        memory(self.child.id())
    }

    /// Asks it to end and says how long that took.
    pub fn stop(&mut self) -> Duration {
        let start = Instant::now();
        let _asked = Command::new("kill").arg(self.child.id().to_string()).status();
        until("the gateway ends", || matches!(self.child.try_wait(), Ok(Some(_))));
        start.elapsed()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _asked = Command::new("kill").arg(self.child.id().to_string()).status();
        }
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && !matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
        let complaints = self.complaints.text();
        assert!(std::thread::panicking() || !complaints.contains("panicked"), "{complaints}");
    }
}

fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) >> 10
}

/// The configuration of a server of ours, which may take as long as a busy machine does. What it hears goes to a file.
pub fn server(manner: &str, heard: &Path) -> Value {
    json!({ "command": [hostile_server(), manner, heard], "timeout": "30s",
        "tools": { "hidden_tool": "hide", "denied_tool": "deny" } })
}

/// The program of the scripted server, built beside the product.
pub fn hostile_server() -> PathBuf {
    crate::peers::lockgate().with_file_name("hostile-server")
}

/// An agent with a session.
pub struct Agent<'g> {
    gate: &'g Gate,
    path: String,
    /// Its session id.
    pub session: String,
    /// The `Authorization` header; empty for none.
    token: String,
}

impl Agent<'_> {
    /// Sends a message of its session.
    pub fn post(&self, body: impl AsRef<[u8]>) -> Answer {
        let headers = [("Mcp-Session-Id", &*self.session), ("Authorization", &*self.token)];
        self.gate.post(&self.path, body.as_ref(), &headers)
    }

    /// Calls a tool.
    pub fn call(&self, id: u64, tool: &str) -> Answer {
        self.post(call(id, tool))
    }

    /// Sends a message and does not wait for the answer.
    pub fn begin(&self, body: impl AsRef<[u8]>) -> TcpStream {
        let mut stream = self.gate.connect();
        let headers = [("Mcp-Session-Id", &*self.session), ("Authorization", &*self.token)];
        let request = self.gate.request(&self.path, body.as_ref(), &headers);
        stream.write_all(&request).expect("the gateway reads");
        stream
    }

    /// A good call is answered.
    #[track_caller]
    pub fn is_served(&self) {
        let answer = self.call(999, "echo");
        assert!(answer.text.contains("called"), "{} {}", answer.status, answer.text);
    }
}

/// What came back on a connection.
pub struct Answer {
    /// The HTTP status; zero where no answer came.
    pub status: u16,
    /// Everything, headers too.
    pub text: String,
    /// The session id that was given.
    pub session: String,
}

impl Answer {
    /// Reads until the connection is closed or the patience ends.
    pub fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let _read = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let session = text.lines().find_map(|line| line.strip_prefix("mcp-session-id: "));
        let session = session.unwrap_or_default().trim().to_owned();
        Self { status, text, session }
    }

    /// The reason code that stands in the answer.
    pub fn reason(&self) -> Option<&str> {
        let (_, rest) = self.text.split_once("\"reason\":\"")?;
        rest.split_once('"').map(|(reason, _)| reason)
    }

    /// It must be a refusal of ours, for this reason and with this status.
    #[track_caller]
    pub fn refused(&self, what: &str, reason: &str, status: u16) {
        assert_eq!(self.reason(), Some(reason), "{what}: {}", self.text);
        assert_eq!(self.status, status, "{what}: {}", self.text);
        assert!(!self.text.contains(SERVER_TEXT), "{what}: {}", self.text);
    }
}

/// A gateway on pipes.
pub struct Pipe {
    child: Child,
    /// What the agent says goes here; closed when taken and dropped.
    pub input: Option<ChildStdin>,
    output: std::sync::mpsc::Receiver<String>,
    /// Its standard error.
    pub complaints: Complaints,
    _state: tempfile::TempDir,
}

impl Pipe {
    /// Starts it with these arguments.
    pub fn start(arguments: &[&std::ffi::OsStr]) -> Self {
        let state = tempfile::tempdir().expect("a temporary folder");
        let mut child = Command::new(crate::peers::lockgate())
            .env("LOCKGATE_STATE", state.path())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the gateway starts");
        let complaints = Complaints::hear(child.stderr.take().expect("a pipe"));
        let (sender, output) = std::sync::mpsc::channel();
        let lines = BufReader::new(child.stdout.take().expect("a pipe"));
        std::thread::spawn(move || read_lines(lines, &sender));
        Self { input: child.stdin.take(), child, output, complaints, _state: state }
    }

    /// Says something, and a line end.
    pub fn say(&mut self, message: impl AsRef<[u8]>) {
        let input = self.input.as_mut().expect("still open");
        input.write_all(message.as_ref()).and_then(|()| input.write_all(b"\n")).expect("the gateway reads");
    }

    /// The next line of the gateway.
    #[track_caller]
    pub fn hear(&self) -> String {
        self.output.recv_timeout(PATIENCE).expect("an answer")
    }

    /// Closes the input; the gateway must end by itself.
    #[track_caller]
    pub fn end(&mut self) {
        drop(self.input.take());
        until("the gateway ends", || matches!(self.child.try_wait(), Ok(Some(_))));
        let complaints = self.complaints.text();
        assert!(!complaints.contains("panicked"), "{complaints}");
    }

    /// The most memory it has had, in MiB.
    pub fn peak(&self) -> u64 {
        memory(self.child.id())
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn read_lines(output: BufReader<ChildStdout>, sender: &std::sync::mpsc::Sender<String>) {
    for line in output.lines().map_while(Result::ok) {
        if sender.send(line).is_err() {
            return;
        }
    }
}

/// A request as a scripted HTTP server sees it.
pub struct Heard {
    /// `POST`, `GET`, `DELETE`.
    pub verb: String,
    /// What stands behind host and port.
    pub path: String,
    /// Header names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Heard {
    /// The body as JSON; null where it is not.
    pub fn message(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The method of the message.
    pub fn method(&self) -> String {
        self.message().get("method").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    fn read(stream: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let mut words = line.split(' ').map(str::to_owned);
        let (verb, path) = (words.next()?, words.next()?);
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        Some(Self { verb, path, headers, body })
    }
}

/// A scripted HTTP server. Each request is given to the script, which answers it on the connection or does not; the
/// connection is closed where it says false.
pub struct Upstream {
    /// Where it listens.
    pub address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    /// Starts it.
    pub fn start(script: impl Fn(&Heard, &mut TcpStream) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let script = Arc::new(script);
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (script, kept) = (Arc::clone(&script), Arc::clone(&kept));
                std::thread::spawn(move || {
                    let Ok(mut writer) = stream.try_clone() else { return };
                    let mut reader = BufReader::new(stream);
                    while let Some(request) = Heard::read(&mut reader) {
                        let what = format!("{} {}", request.verb, String::from_utf8_lossy(&request.body));
                        kept.lock().unwrap_or_else(PoisonError::into_inner).push(what);
                        if !script(&request, &mut writer) {
                            let _closed = writer.shutdown(std::net::Shutdown::Both);
                            return;
                        }
                    }
                });
            }
        });
        Self { address, heard }
    }

    /// The configuration of a server at this address, which may take as long as a busy machine does.
    pub fn config(&self) -> Value {
        json!({ "url": format!("http://{}/mcp", self.address), "timeout": "30s", "deadline": "50s" })
    }

    /// What it was asked, in order: HTTP method and body.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Writes a JSON answer with HTTP status 200.
pub fn respond(stream: &mut TcpStream, body: &Value, headers: &str) -> bool {
    let body = body.to_string();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).is_ok()
}

/// What a good server would answer; nothing for a notification (202).
pub fn behave(heard: &Heard, stream: &mut TcpStream) -> bool {
    let Some(answer) = answer(heard) else {
        return stream.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").is_ok();
    };
    let session = if heard.method() == "initialize" { "Mcp-Session-Id: upstream-session\r\n" } else { "" };
    respond(stream, &answer, session)
}

/// The message that a good server would answer with.
pub fn answer(heard: &Heard) -> Option<Value> {
    let message = heard.message();
    let id = message.get("id").cloned().unwrap_or(Value::Null);
    let result = match heard.method().as_str() {
        "initialize" => json!({ "protocolVersion": message.pointer("/params/protocolVersion"),
            "capabilities": { "tools": {} }, "serverInfo": { "name": "u", "version": "1" } }),
        "tools/list" => json!({ "tools": [{ "name": "echo", "inputSchema": { "type": "object" } }] }),
        "tools/call" => json!({ "content": [{ "type": "text", "text": "called" }] }),
        _ if id.is_null() => return None,
        _ => json!({}),
    };
    Some(json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

/// One hostile message of a data file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it tries, as a sentence.
    pub what: String,
    /// The message, where it is text.
    pub text: Option<String>,
    /// The message, where it is not: pairs of hexadecimal digits.
    pub hex: Option<String>,
    /// The reason code of the refusal; none where it is no request and is passed over.
    pub reason: Option<String>,
    /// The HTTP status of the refusal.
    pub status: u16,
    /// The refusal on a pipe, where it is another one: a reason, or `none` for silence, `skip` for what cannot be said
    /// on a line.
    pub pipe: Option<String>,
}

impl Case {
    /// Reads a data file.
    pub fn read(text: &str) -> Vec<Self> {
        serde_saphyr::from_str(text).expect("the cases are well written")
    }

    /// The message.
    pub fn bytes(&self) -> Vec<u8> {
        match (&self.text, &self.hex) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(hex)) => {
                let digits: Vec<_> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
                let byte = |pair: &[u32]| u8::try_from(pair[0] * 16 + pair[1]).expect("two digits");
                digits.chunks_exact(2).map(byte).collect()
            }
            _ => panic!("{}: either text or hex", self.what),
        }
    }
}
