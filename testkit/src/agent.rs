//! An agent at `lockgate stdio`, and what a server of notes answers it.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// What a server of notes answers, as cases of a shell script: it has one tool, `search`, that always finds something.
pub const NOTES: [&str; 3] = [
    r#"*'"initialize"'*) result='{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"notes","version":"1.2.0"}}'"#,
    r#"*'"tools/list"'*) result='{"tools":[{"name":"search","description":"Searches the notes.","inputSchema":{"type":"object","properties":{"text":{"type":"string"}}}}]}'"#,
    r#"*) result='{"content":[{"type":"text","text":"found"}]}'"#,
];

/// An agent with a gateway of its own, which is killed with it.
pub struct Agent {
    gateway: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    heard: String,
    last: u64,
}

impl Agent {
    /// Starts the gateway, and says nothing yet.
    pub fn open(gateway: &mut Command) -> Self {
        let gateway = gateway.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut gateway = gateway.spawn().expect("the gateway starts");
        let (input, output) = (gateway.stdin.take(), gateway.stdout.take().expect("a pipe"));
        Self { gateway, input, output: BufReader::new(output), heard: String::new(), last: 0 }
    }

    /// Starts the gateway, shakes hands and lists the tools.
    pub fn start(gateway: &mut Command) -> Self {
        let mut agent = Self::open(gateway);
        agent.shake_hands();
        agent.ask("tools/list", json!({}));
        agent
    }

    /// Begins a session of the handshake era.
    pub fn shake_hands(&mut self) {
        let client = json!({ "name": "t", "version": "1" });
        self.ask(
            "initialize",
            json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client }),
        );
        self.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    }

    /// Asks, and waits for the answer.
    #[track_caller]
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        self.say(&json!({ "jsonrpc": "2.0", "id": self.last, "method": method, "params": params }));
        loop {
            let start = self.heard.len();
            let read = self.output.read_line(&mut self.heard).expect("text");
            assert!(read > 0, "the gateway has ended");
            let answer: Value = serde_json::from_str(&self.heard[start..]).expect("JSON");
            if answer["id"] == self.last {
                return answer;
            }
        }
    }

    /// Calls a tool, and waits for the answer.
    #[track_caller]
    pub fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    /// All that it was told.
    pub fn heard(&self) -> &str {
        &self.heard
    }

    /// Leaves: the gateway ends in good order. What that said to the operator.
    #[track_caller]
    pub fn end(mut self) -> String {
        drop(self.input.take());
        let mut said = String::new();
        self.gateway.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
        assert!(self.gateway.wait().expect("it ends").success(), "{said}");
        said
    }

    fn say(&mut self, message: &Value) {
        writeln!(self.input.as_mut().expect("a pipe"), "{message}").expect("the gateway reads");
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _killed = self.gateway.kill();
        let _reaped = self.gateway.wait();
    }
}
