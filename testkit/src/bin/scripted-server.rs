//! A stdio MCP server, of both eras, that does what a script says.
//!
//! ```text
//! scripted-server SCRIPT HEARD
//! ```
//!
//! SCRIPT is JSON: `identity` (`serverInfo`), `instructions`, `tools` (definitions; a name alone stands for one without a schema), `resources`
//! (address to text), `prompts` (name to text), and `answers`: what each tool gives. That is a text, an object with a
//! `result`, an `error` or a `question` for the user, with `says` before it (messages that nobody asked for), or an
//! array of an argument's name and the answers by its value. A tool without an answer says `done`. Each call is added
//! to the file HEARD as one line: the tool and its arguments. Methods that are `silent` are never answered; they are added
//! as well.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, Write};

use serde_json::{Value, json};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let script: Value = serde_json::from_str(&arguments.next().unwrap_or_default())?;
    let heard = OpenOptions::new().create(true).append(true).open(arguments.next().unwrap_or_default())?;
    let mut server = Server { script, heard, out: std::io::stdout(), waits: None };
    for line in std::io::stdin().lock().lines() {
        let message: Value = serde_json::from_str(&line?)?;
        match (&message["id"], message["method"].as_str()) {
            (Value::Null, _) => {}
            (id, Some(method)) => server.request(id, method, &message["params"])?,
            (_, None) => server.answered(&message)?,
        }
    }
    Ok(())
}

struct Server {
    script: Value,
    heard: File,
    out: std::io::Stdout,
    /// The call that waits for what the user answers to a question.
    waits: Option<Value>,
}

impl Server {
    fn request(&mut self, id: &Value, method: &str, params: &Value) -> std::io::Result<()> {
        if self.script["silent"].as_array().into_iter().flatten().any(|silent| silent == method) {
            return writeln!(self.heard, "{method} {params}");
        }
        let result = match method {
            "initialize" => json!({ "protocolVersion": params["protocolVersion"], "serverInfo": self.about(),
                "capabilities": capabilities(), "instructions": self.script["instructions"].as_str().unwrap_or_default() }),
            "server/discover" => json!({ "supportedVersions": ["2026-07-28"], "serverInfo": self.about(),
                "capabilities": capabilities(), "instructions": self.script["instructions"].as_str().unwrap_or_default() }),
            "tools/list" => json!({ "tools": self.list("tools", tool) }),
            "resources/list" => json!({ "resources": self.names("resources", "uri") }),
            "prompts/list" => json!({ "prompts": self.names("prompts", "name") }),
            "resources/read" => {
                let uri = &params["uri"];
                let text = &self.script["resources"][uri.as_str().unwrap_or_default()];
                json!({ "contents": [{ "uri": uri, "text": text }] })
            }
            "prompts/get" => {
                let text = &self.script["prompts"][params["name"].as_str().unwrap_or_default()];
                json!({ "messages": [{ "role": "user", "content": { "type": "text", "text": text } }] })
            }
            "tools/call" => return self.call(id, params),
            _ => {
                return self
                    .say(&json!({ "id": id, "error": { "code": -32601, "message": "no such method" } }));
            }
        };
        self.give(id, result)
    }

    fn about(&self) -> Value {
        let usual = || json!({ "name": "scripted", "version": "1" });
        self.script.get("identity").cloned().unwrap_or_else(usual)
    }

    fn list(&self, what: &str, entry: impl Fn(&Value) -> Value) -> Value {
        self.script[what].as_array().into_iter().flatten().map(entry).collect()
    }

    fn names(&self, what: &str, key: &str) -> Value {
        let entry = |name: &String| json!({ key: name, "name": name });
        self.script[what].as_object().into_iter().flat_map(|all| all.keys()).map(entry).collect()
    }

    fn call(&mut self, id: &Value, params: &Value) -> std::io::Result<()> {
        let (name, arguments) = (params["name"].as_str().unwrap_or_default(), &params["arguments"]);
        writeln!(self.heard, "{name} {arguments}")?;
        let mut answer = &self.script["answers"][name];
        if let Some([argument, answers]) = answer.as_array().map(Vec::as_slice) {
            let value = &arguments[argument.as_str().unwrap_or_default()];
            answer = &answers[value.as_str().unwrap_or_default()];
        }
        let answer = answer.clone();
        for said in answer["says"].as_array().into_iter().flatten() {
            let mut said = said.clone();
            if said["method"] == "notifications/progress" {
                said["params"]["progressToken"] = params["_meta"]["progressToken"].clone();
            }
            self.say(&said)?;
        }
        if let Some(error) = answer.get("error") {
            return self.say(&json!({ "id": id, "error": error }));
        }
        if let Some(question) = answer.get("question") {
            self.waits = Some(id.clone());
            return self
                .say(&json!({ "id": "question", "method": "elicitation/create", "params": question }));
        }
        let text = answer.as_str().unwrap_or("done");
        let usual = json!({ "content": [{ "type": "text", "text": text }] });
        self.give(id, answer.get("result").cloned().unwrap_or(usual))
    }

    /// The user has answered a question: the answer is heard and not handed on.
    fn answered(&mut self, message: &Value) -> std::io::Result<()> {
        let Some(id) = self.waits.take() else { return Ok(()) };
        writeln!(self.heard, "answer {}", message["result"])?;
        self.give(&id, json!({ "content": [{ "type": "text", "text": "thanks" }] }))
    }

    /// Gives a result. The members that only the stateless era has hurt nobody.
    fn give(&mut self, id: &Value, mut result: Value) -> std::io::Result<()> {
        for (name, value) in
            [("resultType", json!("complete")), ("ttlMs", json!(0)), ("cacheScope", json!("private"))]
        {
            result[name] = value;
        }
        self.say(&json!({ "id": id, "result": result }))
    }

    fn say(&mut self, message: &Value) -> std::io::Result<()> {
        let mut message = message.clone();
        message["jsonrpc"] = json!("2.0");
        writeln!(self.out, "{message}")?;
        self.out.flush()
    }
}

fn capabilities() -> Value {
    json!({ "tools": {}, "resources": {}, "prompts": {} })
}

fn tool(entry: &Value) -> Value {
    let schema = json!({ "type": "object" });
    match entry.as_str() {
        Some(name) => json!({ "name": name, "inputSchema": schema }),
        None => entry.clone(),
    }
}
