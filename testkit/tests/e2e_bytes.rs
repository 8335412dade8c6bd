//! What a real server writes reaches the agent byte for byte: spaces, escapes and the order of members too.
#![allow(clippy::unwrap_used, reason = "a test that fails here has found something")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};
use testkit::hostile::{Gate, PATIENCE};
use testkit::peers::{peers, repository, server, wrapped};

/// A process that is spoken to on its pipes, line by line.
struct Pipes {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Pipes {
    fn start(command: &[String]) -> Self {
        let (program, arguments) = command.split_first().unwrap();
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _heard = sender.send(line);
            }
        });
        Self { input: child.stdin.take().unwrap(), child, lines }
    }

    /// Sends a message, and gives the line that answers it.
    fn ask(&mut self, message: &str) -> String {
        writeln!(self.input, "{message}").unwrap();
        let id = id(message);
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("an answer");
            if id.is_null() || self::id(&line) == id {
                return line;
            }
        }
    }
}

impl Drop for Pipes {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn id(message: &str) -> Value {
    let message: Value = serde_json::from_str(message).unwrap();
    if message.get("method").is_some() && message.get("id").is_none() {
        Value::Null
    } else {
        message["id"].clone()
    }
}

const HELLO: &str = r#"{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
const READY: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// Asks directly, through `wrap` and over HTTP.
fn bytes_are_kept(command: &[String], questions: &[String]) {
    let mut direct = Pipes::start(command);
    let state = tempfile::tempdir().unwrap();
    // What nobody sees is kept as well where nobody looks for it.
    let config = json!({ "detect": { "results": { "hidden": "off", "injection": "off" } }, "servers": { "x": { "command": command } } });
    let file = state.path().join("lockgate.yaml");
    std::fs::write(&file, config.to_string()).unwrap();
    let mut wrap = wrapped(state.path(), command);
    let dashes = wrap.iter().position(|word| word == "--").unwrap();
    wrap.splice(dashes..dashes, ["-c".to_owned(), file.display().to_string()]);
    let mut through = Pipes::start(&wrap);
    let gate = Gate::start(config);
    for pipes in [&mut direct, &mut through] {
        pipes.ask(HELLO);
        writeln!(pipes.input, "{READY}").unwrap();
    }
    let agent = gate.open("/s/x/mcp", "2025-06-18");
    for question in questions {
        let line = direct.ask(question);
        assert_eq!(line, through.ask(question), "{question}");
        let answer = agent.post(question);
        assert!(answer.text.contains(&line), "{question}\n{line}\n{}", answer.text);
    }
}

fn call(id: &str, name: &str, arguments: &str) -> String {
    format!(
        r#"{{ "params" : {{"arguments":{arguments},"name":"{name}"}}, "id":{id},"method":"tools/call" ,"jsonrpc":"2.0"}}"#
    )
}

#[test]
fn of_node() {
    let Some(peers) = peers() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("note.txt");
    std::fs::write(&file, "line\u{2028}\n\t\"quoted\" \\ \u{1f512} \u{7f}").unwrap();
    let command = server(&peers, "mcp-server-everything", &["stdio"]);
    let list = |id: &str, method: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}"}}"#);
    bytes_are_kept(
        &command,
        &[
            list("1", "tools/list"),
            list("\"two\"", "prompts/list"),
            list("9007199254740991", "resources/templates/list"),
            call("\"☂ \\\"x\\\"\"", "echo", r#"{"message":"a\u0000b 😀 \u202e </script>"}"#),
            call("-7", "get-sum", r#"{"a":1e2,"b":0.5}"#),
            call("6", "get-tiny-image", "{}"),
        ],
    );
    let command = server(&peers, "mcp-server-filesystem", &[&folder.path().to_string_lossy()]);
    let path = json!({ "path": file }).to_string();
    bytes_are_kept(&command, &[list("1", "tools/list"), call("2", "read_text_file", &path)]);
}

#[test]
fn of_python() {
    let Some(peers) = peers() else { return };
    let folder = tempfile::tempdir().unwrap();
    let repository = repository(folder.path());
    std::fs::write(repository.join("neu ☂.txt"), "x").unwrap();
    let command = server(&peers, "mcp-server-git", &["--repository", &repository.to_string_lossy()]);
    let path = json!({ "repo_path": repository }).to_string();
    bytes_are_kept(
        &command,
        &[
            r#"{"jsonrpc":"2.0","id":0,"method":"tools/list","params":{}}"#.to_owned(),
            call("\"\"", "git_status", &path),
            call("3", "git_log", &path),
            call("4", "git_status", r#"{"repo_path":"/nowhere"}"#),
        ],
    );
}
