//! A stdio MCP server that behaves as its first argument says: `plain`, or in some bad way once a tool is called. What
//! it receives is added to the file named by its second argument.

use std::fs::OpenOptions;
use std::io::{BufRead, Write};

use serde_json::{Value, json};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let manner = arguments.next().unwrap_or_default();
    let heard = arguments.next().unwrap_or_default();
    let mut heard = OpenOptions::new().create(true).append(true).open(heard)?;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().split(b'\n') {
        let line = line?;
        heard.write_all(&line)?;
        heard.write_all(b"\n")?;
        let message: Value = serde_json::from_slice(&line)?;
        let Some(id) = message.get("id").filter(|_| message.get("method").is_some()) else { continue };
        match message.get("method").and_then(Value::as_str) {
            Some("initialize") => {
                let version = message.pointer("/params/protocolVersion");
                let result = json!({ "protocolVersion": version, "capabilities": { "tools": {} },
                    "serverInfo": { "name": "hostile", "version": "1" }, "instructions": "SERVER-TEXT" });
                answer(&mut out, id, &result)?;
            }
            Some("tools/list") => answer(&mut out, id, &json!({ "tools": tools(&manner) }))?,
            Some("tools/call") => call(&mut out, &manner, id, &message)?,
            _ => {
                let error = json!({ "code": -32601, "message": "SERVER-TEXT" });
                writeln!(out, "{}", json!({ "jsonrpc": "2.0", "id": id, "error": error }))?;
            }
        }
        out.flush()?;
    }
    Ok(())
}

fn tools(manner: &str) -> Value {
    let tool = |name: &str| json!({ "name": name, "inputSchema": { "type": "object" } });
    if manner == "names" {
        let long = "x".repeat(300);
        let bidi = "safe\u{202e}evil";
        let names = ["echo", "echo", "a\nb", "", bidi, &long, "a__b", "ordinary"];
        return names.iter().map(|name| tool(name)).collect();
    }
    if manner == "mirror" {
        let region = json!({ "type": "string", "x-mcp-header": "Region" });
        let schema = json!({ "type": "object", "properties": { "region": region } });
        return json!([{ "name": "echo", "inputSchema": schema }, tool("denied_tool")]);
    }
    json!([tool("echo"), tool("hidden_tool"), tool("denied_tool")])
}

fn answer(out: &mut impl Write, id: &Value, result: &Value) -> std::io::Result<()> {
    writeln!(out, "{}", json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

fn call(out: &mut impl Write, manner: &str, id: &Value, message: &Value) -> std::io::Result<()> {
    let text = |text: &str| json!({ "content": [{ "type": "text", "text": text }] });
    let number = id.as_u64().unwrap_or_default();
    match manner {
        "die" => std::process::exit(3),
        "half" => {
            write!(out, "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{")?;
            out.flush()?;
            std::process::exit(0);
        }
        "silent" => return Ok(()),
        "twice" => {
            answer(out, id, &text("first"))?;
            return answer(out, id, &text("second"));
        }
        "storm" => {
            for unknown in 0..10_000 {
                answer(out, &json!(1_000_000 + unknown), &text("unasked"))?;
            }
        }
        "wrong-id" => return answer(out, &json!(number + 1), &text("for somebody else")),
        "duplicate-key" => {
            return writeln!(out, "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"a\":1,\"A\":2}}}}");
        }
        "forge" => {
            for (forged, method) in
                ["tools/call", "resources/read", "sampling/createMessage", "initialize"].iter().enumerate()
            {
                let params = json!({ "name": "echo", "messages": [], "maxTokens": 1 });
                writeln!(
                    out,
                    "{}",
                    json!({ "jsonrpc": "2.0", "id": forged, "method": method, "params": params })
                )?;
            }
            let progress = json!({ "progressToken": number + 7, "progress": 1 });
            writeln!(
                out,
                "{}",
                json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": progress })
            )?;
            writeln!(out, "{}", json!({ "jsonrpc": "2.0", "method": "notifications/made_up" }))?;
        }
        "noise" => {
            writeln!(out, "not json\n\n[1,2]\n{{\"jsonrpc\":\"2.0\"}}\n\u{feff}{{}}")?;
            out.write_all(b"\xff\xfe\n")?;
        }
        "big" => {
            write!(
                out,
                "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"content\":[{{\"type\":\"text\",\"text\":\""
            )?;
            let block = vec![b'x'; 1 << 20];
            for _ in 0..100 {
                out.write_all(&block)?;
            }
            return writeln!(out, "\"}}]}}}}");
        }
        _ => {}
    }
    answer(out, id, &text(&format!("called {}", message.pointer("/params/name").unwrap_or(&Value::Null))))
}
