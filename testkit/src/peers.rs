//! Real servers and clients, and the product in front of them, for end-to-end tests.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longest run of a client. Seen on a busy machine: 12 s until one has started.
const PATIENCE: Duration = Duration::from_mins(3);

/// Where the peers are installed. Without them a test says `skipped:` and why, and passes.
pub fn peers() -> Option<PathBuf> {
    let found = std::env::var_os("LOCKGATE_PEERS").map(PathBuf::from).filter(|path| path.is_dir());
    if found.is_none() {
        eprintln!("skipped: LOCKGATE_PEERS is not set; `cargo xtask test` installs the servers and clients");
    }
    found
}

/// The product, built beside this test.
pub fn lockgate() -> PathBuf {
    let mut folder = std::env::current_exe().unwrap_or_default();
    // target/<profile>/deps/<test>
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    std::env::var_os("LOCKGATE_BIN").map_or_else(|| folder.join("lockgate"), PathBuf::from)
}

/// A real server's command.
pub fn server(peers: &Path, name: &str, arguments: &[&str]) -> Vec<String> {
    let node = peers.join("node_modules/.bin").join(name);
    let program = if node.exists() { node } else { peers.join("python/bin").join(name) };
    let mut command = vec![program.to_string_lossy().into_owned()];
    command.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    command
}

/// The command of a server behind `lockgate wrap`, with this state folder: clients hand no environment on.
pub fn wrapped(state: &Path, command: &[String]) -> Vec<String> {
    let state = format!("LOCKGATE_STATE={}", state.display());
    let lockgate = lockgate().to_string_lossy().into_owned();
    let wrap = ["env".into(), state, lockgate, "wrap".into(), "--".into()];
    wrap.into_iter().chain(command.iter().cloned()).collect()
}

/// A folder with a git repository of one commit.
pub fn repository(folder: &Path) -> PathBuf {
    let repository = folder.join("repository");
    let git = |arguments: &[&str]| {
        let status =
            Command::new("git").arg("-C").arg(&repository).args(arguments).stdout(Stdio::null()).status();
        assert!(status.is_ok_and(|status| status.success()), "git {arguments:?}");
    };
    assert!(
        std::fs::create_dir_all(&repository).is_ok()
            && std::fs::write(repository.join("file"), "text").is_ok()
    );
    git(&["init", "-q"]);
    git(&["add", "file"]);
    git(&["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "first"]);
    repository
}

/// A running `lockgate run`, stopped when dropped.
pub struct Running {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub address: String,
}

impl Running {
    /// Starts it on a free port with this configuration (JSON is YAML), and waits until it listens.
    pub fn start(folder: &Path, config: &Value) -> Self {
        let file = folder.join("lockgate.yaml");
        assert!(std::fs::write(&file, config.to_string()).is_ok());
        let child = Command::new(lockgate())
            .env("LOCKGATE_STATE", folder.join("state"))
            .args(["run", "--listen", "127.0.0.1:0", "-c"])
            .arg(&file)
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{}: {error}", lockgate().display()));
        let (sender, lines) = channel();
        if let Some(errors) = child.stderr.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(errors).lines().map_while(Result::ok) {
                    assert!(!line.contains("panicked"), "{line}");
                    let _heard = sender.send(line);
                }
            });
        }
        let mut said = Vec::new();
        loop {
            match lines.recv_timeout(crate::hostile::PATIENCE) {
                Ok(line) => match line.split_once("listening on ") {
                    Some((_, address)) => {
                        let address = address.trim_end_matches("/mcp").to_owned();
                        return Self { child, address };
                    }
                    None => said.push(line),
                },
                Err(
                    std::sync::mpsc::RecvTimeoutError::Timeout
                    | std::sync::mpsc::RecvTimeoutError::Disconnected,
                ) => panic!("lockgate does not listen: {said:?}"),
            }
        }
    }
}

impl Running {
    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _asked = Command::new("kill").arg(self.child.id().to_string()).status();
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// What a client printed: one value a step.
pub fn run_client(mut command: Command) -> Vec<Value> {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (Some(output), Some(errors)) = (child.stdout.take(), child.stderr.take()) else { panic!("no pipes") };
    let complaints = std::thread::spawn(move || std::io::read_to_string(errors).unwrap_or_default());
    let text = std::thread::spawn(move || std::io::read_to_string(output).unwrap_or_default());
    let end = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            _ if Instant::now() < end => std::thread::sleep(Duration::from_millis(20)),
            _ => {
                let _killed = child.kill();
                panic!("{command:?} did not end: {}", complaints.join().unwrap_or_default());
            }
        }
    };
    let complaints = complaints.join().unwrap_or_default();
    assert!(status.success(), "{command:?}: {complaints}");
    let text = text.join().unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")))
        .collect()
}

/// The Python SDK's client. The target is an address or a server's command.
pub fn python(peers: &Path, mode: &str, steps: &Value, target: &[String]) -> Vec<Value> {
    let mut command = Command::new(peers.join("python/bin/python"));
    command.arg(script("client.py")).arg(mode).arg(steps.to_string()).args(target);
    run_client(command)
}

/// The same client without any callbacks: it cannot ask a person.
pub fn python_bare(peers: &Path, mode: &str, steps: &Value, target: &[String]) -> Vec<Value> {
    run_client(python_bare_command(peers, mode, steps, target))
}

/// The command of that client.
pub fn python_bare_command(peers: &Path, mode: &str, steps: &Value, target: &[String]) -> Command {
    let mut command = Command::new(peers.join("python/bin/python"));
    command.arg(script("client.py")).arg(mode).arg(format!("{steps}--bare")).args(target);
    command
}

/// The TypeScript SDK's client.
pub fn typescript(peers: &Path, mode: &str, steps: &Value, address: &str) -> Vec<Value> {
    run_client(typescript_command(peers, mode, steps, address))
}

/// The same client with a bearer token.
pub fn typescript_as(peers: &Path, token: &str, mode: &str, steps: &Value, address: &str) -> Vec<Value> {
    let mut command = typescript_command(peers, mode, steps, address);
    command.env("LOCKGATE_E2E_TOKEN", token);
    run_client(command)
}

fn typescript_command(peers: &Path, mode: &str, steps: &Value, address: &str) -> Command {
    let mut command = Command::new("node");
    command
        .arg(script("client.mjs"))
        .arg(mode)
        .arg(steps.to_string())
        .arg(address)
        .env("LOCKGATE_PEERS", peers);
    command
}

/// Somebody at the command line of the product, with this state folder and token: the exit code, and what was printed
/// as JSON; null where nothing was.
pub fn operate(state: &Path, token: &str, arguments: &[&str]) -> (Option<i32>, Value) {
    let mut command = Command::new(lockgate());
    command.args(arguments).arg("--json").arg("--state").arg(state);
    let output = command.env("LOCKGATE_TOKEN", token).stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
}

/// The call that waits for people, once one does, as the command line shows it.
pub fn waiting(state: &Path) -> Value {
    let mut entry = Value::Null;
    crate::hostile::until("a call waits", || {
        let (_, list) = operate(state, "", &["approvals", "list"]);
        entry = list["approvals"].as_array().and_then(|list| list.last()).cloned().unwrap_or_default();
        !entry.is_null()
    });
    entry
}

/// The Inspector on the command line: one method, one JSON answer.
pub fn inspector(peers: &Path, address: &str, arguments: &[&str]) -> Value {
    let mut command = Command::new(peers.join("node_modules/.bin/mcp-inspector"));
    command.args(["--cli", address, "--transport", "http"]).args(arguments);
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("{text} {}", String::from_utf8_lossy(&output.stderr)))
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/clients").join(name)
}

/// The results of all calls, in order.
pub fn results(steps: &[Value]) -> Vec<&Value> {
    steps.iter().filter_map(|step| step.get("result")).collect()
}

/// The reason code with which a call was refused; null where it was not.
pub fn reason(result: &Value) -> Value {
    result.pointer("/_meta/io.lockgate~1decision/reason").cloned().unwrap_or(json!(null))
}
