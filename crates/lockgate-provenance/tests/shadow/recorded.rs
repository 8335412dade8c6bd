//! Definitions of others that are not in the repository: of real servers, of demonstrations of attacks, and of rule tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use lockgate_detect::injection::Injection;
use lockgate_model::{Json, ServerName, Tier, quote};
use lockgate_provenance::shadow::{Index, Offer, Suspicion, orders};
use serde_json::Value;

/// The rows of a file of recorded definitions. None, and why, where there is none.
fn rows(file: &str) -> Option<Vec<Value>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = here
        .ancestors()
        .map(|folder| folder.join("shared/data/train").join(file))
        .find(|file| file.is_file());
    let Some(file) = file else {
        eprintln!("skipped: there are no recorded definitions beside the checkout");
        return None;
    };
    let output = Command::new("gzip").arg("-dc").arg(&file).output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        eprintln!("skipped: there is no gzip");
        return None;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    Some(rows.filter(|row| row["kind"] == "tool_description").collect())
}

/// The definition of a row. One of the rule tests is a text alone.
fn definition(row: &Value) -> String {
    match row.get("object") {
        Some(object) => object.to_string(),
        None => format!("{{\"name\":\"tool\",\"description\":{}}}", quote(row["text"].as_str().unwrap())),
    }
}

static FINDER: LazyLock<Injection> = LazyLock::new(Injection::new);

fn judge(index: &Index, server: &ServerName, definition: &str) -> Vec<Suspicion> {
    let mut found = index.tool(server, check(definition));
    orders(&FINDER, None, check(definition), &mut found);
    found
}

fn is_severe(found: &[Suspicion]) -> bool {
    found.iter().any(|found| found.severe)
}

fn show(id: &str, found: &[Suspicion]) {
    for found in found {
        eprintln!(
            "{id}: {} {} {:?} {}",
            found.code.word(),
            found.place,
            found.span,
            if found.severe { "severe" } else { "" }
        );
    }
}

fn check(definition: &str) -> Json<'_> {
    Json::check(definition.as_bytes(), 64).unwrap()
}

/// The most rows of a thousand that may be held by mistake.
const WRONG: usize = 5;

#[test]
fn real_definitions_are_left_alone() {
    for file in [
        "benign_tools_docker_registry.jsonl.gz",
        "benign_tools_server_sources.jsonl.gz",
        "benign_server_descriptions_registry.jsonl.gz",
        "asb_tools.jsonl.gz",
        "mcp_demo_attack_servers.jsonl.gz",
    ] {
        let Some(rows) = rows(file) else { return };
        let rows: Vec<_> = rows.iter().filter(|row| row["label"] == "benign").collect();
        let server = ServerName::parse("own").unwrap();
        let (mut held, mut told) = (0, 0);
        for row in &rows {
            let found = judge(&Index::default(), &server, &definition(row));
            held += usize::from(is_severe(&found));
            told += usize::from(!found.is_empty());
            show(row["id"].as_str().unwrap(), &found);
        }
        eprintln!("{file}: {held} held, {told} told, of {}", rows.len());
        assert!(held * 1000 <= WRONG * rows.len(), "{file}");
    }
}

/// All recorded servers side by side, as if one tenant had them all: the worst that can happen to texts that speak of tools.
#[test]
fn real_servers_are_left_alone_together() {
    let mut servers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in ["benign_tools_docker_registry.jsonl.gz", "benign_tools_server_sources.jsonl.gz"] {
        let Some(rows) = rows(file) else { return };
        for row in rows.iter().filter(|row| row["meta"]["what"] != "server description") {
            let name = row["object"]["server"].as_str().unwrap_or("none").to_ascii_lowercase();
            let plain = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
            let name: String = plain.skip_while(|c| !c.is_ascii_lowercase()).take(ServerName::MAX).collect();
            servers.entry(name).or_default().insert(definition(row));
        }
    }
    let parsed: Vec<(ServerName, Vec<Json<'_>>)> = servers
        .iter()
        .map(|(name, tools)| {
            (ServerName::parse(name).unwrap(), tools.iter().map(|tool| check(tool)).collect())
        })
        .collect();
    let count = |tier: &dyn Fn(usize) -> Tier| {
        let offers = parsed.iter().enumerate().map(|(at, (server, tools))| Offer {
            server,
            tier: tier(at),
            maker: Some(server.as_str()),
            identity: None,
            tools,
        });
        let index = Index::new(offers);
        let (mut held, mut told, mut all) = (0, 0, 0);
        for (server, tools) in &parsed {
            for tool in tools {
                let found = index.tool(server, *tool);
                all += 1;
                held += usize::from(is_severe(&found));
                told += usize::from(!found.is_empty());
                show(&format!("{server} {}", tool.get("name").and_then(Json::text).unwrap()), &found);
            }
        }
        eprintln!("{} servers: {held} held, {told} told, of {all}", parsed.len());
        (held, all)
    };
    let (held, all) = count(&|_| Tier::Mixed);
    assert!(held * 1000 <= WRONG * all);
    // Where every third server is trusted more than the next, equal names are held, which nothing else tells from a theft.
    let (held, all) = count(&|at| [Tier::Open, Tier::Mixed, Tier::Internal][at % 3]);
    assert!(held * 1000 <= 3 * WRONG * all);
}

/// What each class of recorded attacks is held of, at least, in percent. The rest says as a mere description what
/// it wants, and the trained classifier alone does not hold a definition.
const HELD: &[(&str, &str, usize)] = &[
    ("mcp_demo_attack_servers.jsonl.gz", "tool_poisoning", 100),
    ("mcp_demo_attack_servers.jsonl.gz", "tool_shadowing", 100),
    ("mcp_demo_attack_servers.jsonl.gz", "rug_pull", 100),
    ("atr_rule_tests.jsonl.gz", "tool-poisoning", 85),
    ("atr_rule_tests.jsonl.gz", "evasion/tool-poisoning", 100),
    ("atr_rule_tests.jsonl.gz", "evasion/prompt-injection", 100),
    ("atr_rule_tests.jsonl.gz", "prompt-injection", 100),
    ("atr_rule_tests.jsonl.gz", "context-exfiltration", 100),
];

#[test]
fn recorded_poison_is_held() {
    let server = ServerName::parse("own").unwrap();
    for file in ["mcp_demo_attack_servers.jsonl.gz", "atr_rule_tests.jsonl.gz"] {
        let Some(rows) = rows(file) else { return };
        let mut counts: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
        // A name alone says nothing.
        for row in rows.iter().filter(|row| row["text"].as_str().is_none_or(|text| text.contains(' '))) {
            let found = judge(&Index::default(), &server, &definition(row));
            let class = (row["label"].as_str().unwrap(), row["attack_class"].as_str().unwrap());
            let (held, all) = counts.entry(class).or_default();
            *held += usize::from(is_severe(&found));
            *all += 1;
        }
        for ((label, class), (held, all)) in counts {
            eprintln!("{file} {label} {class}: {held} of {all}");
            if label == "benign" {
                assert_eq!(held, 0, "{file} {class}");
            } else if let Some((_, _, least)) =
                HELD.iter().find(|(of, known, _)| (*of, *known) == (file, class))
            {
                assert!(held * 100 >= least * all, "{file} {class}: {held} of {all}");
            }
        }
    }
}
