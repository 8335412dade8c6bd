//! Cross-server policies as they stand, and what becomes of sessions under them.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use lockgate::config::{self, Config, Surroundings};
use lockgate_core::Wire;
use lockgate_model::ServerName;
use serde_json::{Value, json};
use testkit::stage::{Outcome, Stage};

const POLICY: &str = include_str!("cross_server/cross_server_policy.json");
const INVARIANT: &str = include_str!("cross_server/invariant.yaml");

const SERVERS: &str = "\
servers:
  alpha: {url: https://mcp.alpha.net/mcp}
  beta: {url: https://MCP.beta.org/mcp, tier: internal}
  files: {command: [files]}
";

/// Files in the folder of the configuration.
struct Files(BTreeMap<&'static str, String>);

impl Surroundings for Files {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        self.0.get(name).map(|text| text.clone().into_bytes()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn folder(&self) -> PathBuf {
        PathBuf::from("/home/op")
    }
}

/// A configuration with these policies, in this order.
fn load(rest: &str, policies: &[&str]) -> Result<Config, String> {
    let names = ["a.json", "b.yaml"];
    let files = names.into_iter().zip(policies.iter().map(|text| (*text).to_owned()));
    let files = Files(files.collect());
    let list: Vec<&str> = files.0.keys().copied().collect();
    let text = format!("{SERVERS}{rest}policies: [{}]\n", list.join(", "));
    Config::parse(&text, "lockgate.yaml", Path::new("/home/op"), &files).map_err(|errors| errors.to_string())
}

const RECORDS: &str = "records: {file: r.jsonl}\n";

/// The policy with some of its fields turned round.
fn changed(document: &str, fields: &[&str]) -> String {
    fields.iter().fold(document.to_owned(), |text, field| {
        let (yes, no) = (format!("{field}: true"), format!("{field}: false"));
        let (yes_quoted, no_quoted) = (format!("\"{field}\": true"), format!("\"{field}\": false"));
        let marked =
            text.replace(&yes_quoted, "\0").replace(&no_quoted, &yes_quoted).replace('\0', &no_quoted);
        marked.replace(&yes, "\0").replace(&no, &yes).replace('\0', &no)
    })
}

/// A session with every server on a pipe.
fn open(config: &Config) -> Stage {
    let mut boundary = (*config.boundary).clone();
    boundary.servers.values_mut().for_each(|server| server.wire = Wire::Lines);
    // All offer the same, which would be looked at first.
    boundary.pins = false;
    Stage::open(boundary, true)
}

/// A session in which every server offers the same tools.
fn session(config: &Config) -> Stage {
    let mut stage = open(config);
    let tool = |name: &str, argument: &str| {
        let schema = json!({ "type": "object", "properties": { argument: {} } });
        json!({ "name": name, "inputSchema": schema })
    };
    let tools: Vec<Value> =
        vec![tool("get_page", "address"), tool("search_notes", "query"), tool("add_note", "text")];
    let all = ["alpha", "beta", "files"].map(|name| (ServerName::parse(name).unwrap(), tools.clone()));
    stage.list_definitions(&BTreeMap::from(all));
    stage
}

fn denied(reason: &str) -> Outcome {
    Outcome::Deny(reason.to_owned())
}

/// Reads a page on one server and looks for a word of it on another; what becomes of both.
fn carry(stage: &mut Stage, from: &str, to: &str, word: &str) -> (Outcome, Outcome) {
    let read = stage.call(&format!("{from}__get_page"), &json!({}));
    if read == Outcome::Forward {
        stage.return_text("the word of today is halibut");
    }
    let sent = stage.call(&format!("{to}__search_notes"), &json!({ "query": word }));
    if sent == Outcome::Forward {
        stage.return_text("nothing");
    }
    (read, sent)
}

#[test]
fn the_policy_as_it_stands() {
    let config = load("", &[POLICY]).unwrap();
    let mut stage = session(&config);
    // Nobody can check a signature yet, so that none is there.
    let unproven = denied("server_unproven");
    assert_eq!(carry(&mut stage, "alpha", "beta", "salmon"), (unproven.clone(), unproven));
    // Not trusted: nothing of it is even offered.
    assert_eq!(stage.call("files__get_page", &json!({})), denied("unknown_tool"));
    let text = config::describe(&config);
    for said in ["cross_server_policy.signature_required", "`files` is not trusted"] {
        assert!(text.contains(said), "{said} in {text}");
    }
}

#[test]
fn each_field_means_what_it_says() {
    let unsigned = |fields: &[&str]| changed(POLICY, &[&["signature_required"], fields].concat());
    for (what, policy, from, to, word, expected) in [
        ("trusted servers, a word of nobody", unsigned(&[]), "alpha", "beta", "salmon", Outcome::Forward),
        ("prompt context", unsigned(&[]), "alpha", "beta", "halibut", denied("data_may_not_flow")),
        (
            "prompt context, the other way",
            unsigned(&[]),
            "beta",
            "alpha",
            "halibut",
            denied("data_may_not_flow"),
        ),
        (
            "prompt context, allowed",
            unsigned(&["allow_prompt_context"]),
            "alpha",
            "beta",
            "halibut",
            Outcome::Forward,
        ),
        ("within one server", unsigned(&[]), "alpha", "alpha", "halibut", Outcome::Forward),
        ("metadata, allowed", unsigned(&[]), "alpha", "beta", "get_page", Outcome::Forward),
        ("an untrusted server", unsigned(&[]), "alpha", "files", "salmon", denied("unknown_tool")),
        (
            "a program proves nothing",
            unsigned(&[]).replace("mcp.beta.org", "files"),
            "alpha",
            "files",
            "salmon",
            denied("server_unproven"),
        ),
        (
            "a program, where no proof is wanted",
            unsigned(&["origin_verification"]).replace("mcp.beta.org", "files"),
            "alpha",
            "files",
            "salmon",
            Outcome::Forward,
        ),
        (
            "nobody is trusted",
            unsigned(&[]).replace("\"mcp.beta.org\"", "\"x\""),
            "alpha",
            "beta",
            "salmon",
            denied("unknown_tool"),
        ),
    ] {
        let config = load("", &[&policy]).unwrap();
        assert_eq!(carry(&mut session(&config), from, to, word).1, expected, "{what}");
    }
}

#[test]
fn metadata_of_one_server_is_kept_from_another() {
    for (fields, expected) in [
        (&["signature_required"][..], Outcome::Forward),
        (&["signature_required", "allow_tool_metadata"], denied("data_may_not_flow")),
    ] {
        let config = load("", &[&changed(POLICY, fields)]).unwrap();
        let mut stage = open(&config);
        let tool = |name: &str| json!({ "name": name, "inputSchema": { "type": "object" } });
        let tools = [("alpha", "bake_halibut"), ("beta", "search_notes"), ("files", "read")];
        let tools = tools.map(|(server, name)| (ServerName::parse(server).unwrap(), vec![tool(name)]));
        stage.list_definitions(&BTreeMap::from(tools));
        let call = stage.call("beta__search_notes", &json!({ "query": "bake_halibut" }));
        assert_eq!(call, expected, "{fields:?}");
    }
}

#[test]
fn what_the_model_writes_for_one_server_holds_what_others_said() {
    let sampling = |policy: &str| {
        let config = load("", &[policy]).unwrap();
        config.boundary.servers.values().map(|server| server.may_ask.sampling).collect::<Vec<_>>()
    };
    assert_eq!(sampling(POLICY), [false; 3]);
    assert_eq!(sampling(&changed(POLICY, &["allow_prompt_context"])), [true, true, false]);
}

#[test]
fn monitoring_as_it_stands() {
    let config = load(RECORDS, &[INVARIANT]).unwrap();
    let mut stage = session(&config);
    assert_eq!(stage.call("alpha__add_note", &json!({ "text": "x" })), Outcome::Hold, "unverified");
    let mut stage = session(&config);
    // What is logged passes.
    assert_eq!(carry(&mut stage, "alpha", "beta", "halibut"), (Outcome::Forward, Outcome::Forward));
    assert!(config.boundary.servers.values().all(|server| server.trust.tier.word() == "quarantined"));
}

#[test]
fn both_documents() {
    let policy = changed(POLICY, &["signature_required"]);
    let config = load(RECORDS, &[&policy, INVARIANT]).unwrap();
    let tiers: Vec<_> = config.boundary.servers.values().map(|server| server.trust.tier.word()).collect();
    // Each file is enforced for itself: monitoring knows of no proof.
    assert_eq!(tiers, ["quarantined"; 3]);
    let together = policy.trim_end().trim_end_matches('}').to_owned()
        + r#", "invariant": {"agent_monitoring": {"enabled": true, "enforce_cross_server_policies": true,
            "quarantine_unverified_tools": true, "log_context_flow": true}}}"#;
    let config = load(RECORDS, &[&together]).unwrap();
    let tiers: Vec<_> = config.boundary.servers.values().map(|server| server.trust.tier.word()).collect();
    assert_eq!(tiers, ["mixed", "internal", "quarantined"]);
    assert_eq!(carry(&mut session(&config), "alpha", "beta", "halibut").1, denied("data_may_not_flow"));
    let watched = together
        .replace(r#""enforce_cross_server_policies": true"#, r#""enforce_cross_server_policies": false"#);
    let config = load(RECORDS, &[&watched]).unwrap();
    assert_eq!(carry(&mut session(&config), "alpha", "beta", "halibut").1, Outcome::Forward);
    let disabled = together.replace(r#""enabled": true"#, r#""enabled": false"#);
    let config = load("", &[&disabled]).unwrap();
    assert_eq!(carry(&mut session(&config), "alpha", "beta", "halibut").1, denied("data_may_not_flow"));
}

#[test]
fn what_cannot_be_enforced_or_read_is_an_error() {
    for (rest, policy, said) in [
        (
            "",
            POLICY.replace("origin_verification", "origin_verfication"),
            "`/home/op/a.json:5:5`: unknown key `origin_verfication`",
        ),
        (
            "",
            POLICY.replace("\"signature_required\": true,", ""),
            "`cross_server_policy` has no `signature_required`",
        ),
        ("", POLICY.replace("\"allow_tool_metadata\": true", "\"allow_tool_metadata\": 1"), "cannot be `1`"),
        ("", INVARIANT.replace("log_context_flow", "log_context"), "unknown key `log_context`"),
        ("", INVARIANT.to_owned(), "wants a log, and no records are kept"),
        ("flow: {mode: \"off\"}\n", INVARIANT.to_owned(), "is to be enforced, and `flow.mode` is `off`"),
        (
            "flow: {on_violation: log}\n",
            INVARIANT.to_owned(),
            "is to be enforced, and `flow.on_violation` is `log`",
        ),
        ("mode: observe\n", INVARIANT.to_owned(), "is to be enforced, and `mode` is `observe`"),
        ("", "{}".to_owned(), "the file holds no policy"),
    ] {
        let errors = load(rest, &[&policy]).map(|_| ()).unwrap_err();
        assert!(errors.contains(said), "{said} in:\n{errors}");
    }
    let none = Files(BTreeMap::new());
    let read = |text: &str| {
        Config::parse(text, "f", Path::new("/home/op"), &none).map(|_| ()).unwrap_err().to_string()
    };
    assert!(read(&format!("{SERVERS}policies: [c.json]\n")).contains("`/home/op/c.json` cannot be read"));
    assert!(read(POLICY).contains("this is a cross-server policy, not a configuration"));
}

/// What `lockgate import cross-server` writes is a configuration, and denies alike.
#[test]
fn a_policy_written_as_rules() {
    let policy = changed(POLICY, &["signature_required"]);
    for (document, holds) in [
        (POLICY.to_owned(), &["signature-required", "may_ask: [elicitation, roots]"][..]),
        (policy, &["allow-prompt-context", "args.any.origins: others"]),
    ] {
        let text = config::import_cross_server(&document, "policy.json").unwrap();
        let none = Files(BTreeMap::new());
        let config = Config::parse(&text, "f", Path::new("/"), &none).unwrap();
        let names: Vec<_> = config.boundary.servers.keys().map(ServerName::as_str).collect();
        assert_eq!(names, ["mcp-alpha-net", "mcp-beta-org"]);
        assert!(holds.iter().all(|said| text.contains(said)), "{text}");
    }
    let text = config::import_cross_server(INVARIANT, "invariant.yaml").unwrap();
    let config =
        Config::parse(&format!("{text}{SERVERS}"), "f", Path::new("/"), &Files(BTreeMap::new())).unwrap();
    assert!(config.boundary.flow.rules.iter().any(|rule| rule.name == "quarantine-unverified-tools"));
}
