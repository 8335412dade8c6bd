//! A small MCP client on a child's standard input and output.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use lockgate_model::Untrusted;
use serde_json::{Value, json};

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Most characters of what a server said on standard error that are repeated when it fails.
const LAST_WORDS: usize = 600;

/// A server as its client sees it.
pub(super) struct Client {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    /// What it says on standard error: read when it fails, else thrown away.
    complaints: File,
    next: u64,
}

impl Client {
    /// Starts the server and shakes hands.
    pub(super) fn connect(mut command: Command) -> Result<Self, String> {
        let complaints = tempfile::tempfile().map_err(|error| error.to_string())?;
        let heard = complaints.try_clone().map_err(|error| error.to_string())?;
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(heard);
        let mut child = piped.spawn().map_err(|error| format!("cannot start a server: {error}"))?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (sender, lines) = channel();
        // From here on the child is waited for, whatever happens.
        let mut client = Self { child, input, lines, complaints, next: 0 };
        let output = output.ok_or("the server has no output")?;
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        client.request(
            "initialize",
            &json!({
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": { "name": "demo-agent", "version": env!("CARGO_PKG_VERSION") }
            }),
        )?;
        client.write(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))?;
        client.request("tools/list", &json!({}))?;
        Ok(client)
    }

    /// Calls a tool and gives its result.
    pub(super) fn call(&mut self, tool: &str, arguments: &Value) -> Result<Value, String> {
        self.request("tools/call", &json!({ "name": tool, "arguments": arguments }))
    }

    fn request(&mut self, method: &str, params: &Value) -> Result<Value, String> {
        self.next += 1;
        let id = self.next;
        self.write(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
            .map_err(|error| self.explain(&format!("{method} could not be sent: {error}")))?;
        let end = std::time::Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(std::time::Instant::now());
            let line = match self.lines.recv_timeout(left) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => {
                    return Err(self.explain(&format!("no answer to {method} in {} s", PATIENCE.as_secs())));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(self.explain(&format!("the server ended before it answered {method}")));
                }
            };
            let mut message: Value = serde_json::from_str(&line)
                .map_err(|error| self.explain(&format!("the answer to {method} is not JSON: {error}")))?;
            if message.get("id") != Some(&json!(id)) {
                continue;
            }
            return match message.get_mut("result") {
                Some(result) => Ok(result.take()),
                None => Err(self.explain(&format!("{method} was answered with {}", escaped(&line)))),
            };
        }
    }

    /// What went wrong, and what the server said about it on standard error.
    fn explain(&mut self, what: &str) -> String {
        let mut said = Vec::new();
        let heard =
            self.complaints.rewind().and_then(|()| (&self.complaints).take(4096).read_to_end(&mut said));
        let said = String::from_utf8_lossy(&said);
        match heard {
            Ok(_) if !said.trim().is_empty() => format!("{what}\n  it said: {}", escaped(said.trim())),
            Ok(_) | Err(_) => what.to_owned(),
        }
    }

    fn write(&mut self, message: &Value) -> Result<(), String> {
        let input = self.input.as_mut().ok_or("the server is closed")?;
        writeln!(input, "{message}").and_then(|()| input.flush()).map_err(|error| error.to_string())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.input = None;
        // A server ends when its input does; one that does not is of no use to anybody.
        let polite = std::time::Instant::now() + Duration::from_secs(5);
        while std::time::Instant::now() < polite {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn escaped(text: &str) -> String {
    Untrusted::new(text).escaped(LAST_WORDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server in a few words of shell.
    fn failure(script: &str) -> String {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script);
        Client::connect(command).err().unwrap()
    }

    #[test]
    fn a_server_that_fails_is_quoted() {
        // It reads first, so that what is written to it arrives.
        let said = failure("read line; printf 'no such \\033[31mfile' >&2");
        assert!(said.starts_with("the server ended before it answered initialize"), "{said}");
        assert!(said.contains("it said: no such \\u{1b}[31mfile"), "{said}");
        let said = failure("read line; echo nonsense");
        assert!(said.starts_with("the answer to initialize is not JSON"), "{said}");
        let said =
            failure(r#"read line; echo '{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no"}}'"#);
        assert!(said.starts_with("initialize was answered with {"), "{said}");
    }
}
