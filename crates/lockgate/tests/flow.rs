//! What `docs/flow.md` shows is what happens: with the servers of the demo, through a real gateway.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::path::{Path, PathBuf};
use std::process::Command;

use lockgate::config::{Config, Process};
use serde_json::{Value, json};
use testkit::agent::Agent;

const LOCKGATE: &str = env!("CARGO_BIN_EXE_lockgate");

fn page() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/flow.md");
    std::fs::read_to_string(page).unwrap()
}

/// The blocks of one kind on the page, without what they are set in by.
fn blocks(kind: &str) -> Vec<String> {
    let page = page();
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let inset = line.len() - line.trim_start().len();
        if line.trim() == format!("```{kind}") {
            let block = lines.by_ref().take_while(|line| line.trim() != "```");
            let block: Vec<&str> = block.map(|line| line.get(inset..).unwrap_or_default()).collect();
            blocks.push(block.join("\n"));
        }
    }
    blocks
}

/// Two servers of the demo, in a folder of their own.
fn written(folder: &Path) -> PathBuf {
    let file = folder.join("lockgate.yaml");
    let config = json!({
        "servers": {
            "web": { "command": [LOCKGATE, "demo-server", "web"], "tier": "open" },
            "db": { "command": [LOCKGATE, "demo-server", "db", "/nonexistent"], "tier": "internal" }
        },
        "records": { "file": "records.jsonl" }
    });
    std::fs::write(&file, config.to_string()).unwrap();
    file
}

/// The same words wherever lines break; what is another in every run, left out.
fn words(text: &str, session: &str) -> String {
    let time = |word: &str| word.starts_with("20") && word.contains('T');
    let text = text.replace(session, "SESSION");
    text.split_whitespace().filter(|word| !time(word)).collect::<Vec<_>>().join(" ")
}

const SHOWN: &str = "ac6a984ee435";

#[test]
fn the_refusal_on_the_page_is_what_the_agent_gets() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path());
    let mut agent = Agent::start(Command::new(LOCKGATE).args(["stdio", "-c"]).arg(file));
    agent.call("web__fetch_page", json!({ "url": "https://help.example/start" }));
    let refused = agent.call("db__execute", json!({ "sql": "DROP TABLE users" }))["result"].take();
    agent.end();

    let decision = &refused["_meta"]["io.lockgate/decision"];
    let reference = decision["ref"].as_str().unwrap();
    let (session, number) = reference.split_once('-').unwrap();
    let message = decision["origin"]["message"].to_string();
    // Which number an exchange has depends on what else the gateway asked before.
    let same = |text: &str| {
        let text = text.replace(&format!("{session}-{number}"), &format!("{SHOWN}-9"));
        let text = text.replace(&format!("{session}-{message}"), &format!("{SHOWN}-8"));
        words(&text.replace(&format!("(message {message})"), "(message 8)").replace(session, SHOWN), SHOWN)
    };
    let text = refused["content"][0]["text"].as_str().unwrap();
    assert_eq!(same(text), words(&blocks("text")[0], SHOWN));
    let mut shown: Value = serde_json::from_str(&blocks("json")[0]).unwrap();
    shown["ref"] = json!(reference);
    shown["origin"]["message"] = decision["origin"]["message"].clone();
    assert_eq!(*decision, shown);

    let records = folder.path().join("records.jsonl");
    let told = Command::new(LOCKGATE).args(["explain", reference]).arg(records).output().unwrap();
    let console = blocks("console");
    let shown = console.iter().find_map(|block| block.strip_prefix("$ lockgate explain ")).unwrap();
    let (_, shown) = shown.split_once('\n').unwrap();
    assert_eq!(same(&String::from_utf8(told.stdout).unwrap()), words(shown, SHOWN));
}

#[test]
fn the_tools_on_the_page_are_those_of_the_demo() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(LOCKGATE).args(["tools", "-c"]).arg(written(folder.path())).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(page().contains(shown.trim_end()), "{shown}");
}

#[test]
fn what_the_page_writes_can_be_read() {
    let blocks = blocks("yaml");
    assert!(blocks.len() >= 3);
    for block in blocks {
        let rest = if block.contains("servers:") {
            "\nrecords: { file: r }"
        } else {
            "\nrecords: { file: r }\nservers: { web: { command: [s], tier: open }, crm: { command: [s] }, mail: { command: [s] }, vault: { command: [s] }, db: { command: [s] } }"
        };
        let read = Config::parse(&format!("{block}{rest}"), "f", Path::new(""), &Process);
        assert!(read.is_ok(), "{}\n{block}", read.err().unwrap());
    }
}
