//! What people read: errors, descriptions and the reference, each beside the file it comes from. A file that is missing
//! or differs fails; `BLESS=1` writes it.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use lockgate::config::{self, Config, Launch, Process, Surroundings};
use lockgate_model::{Json, Principal, UnixMillis};
use lockgate_policy::{Asked, Subject};
use proptest::strategy::Strategy;

/// An environment and files that are the same everywhere.
struct Fake {
    variables: BTreeMap<&'static str, &'static str>,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Fake {
    fn new() -> Self {
        let variables = BTreeMap::from([
            ("WEB_TOKEN", "wwwwwwwwwwwwwwwwwwww"),
            ("ALICE_TOKEN", "alice-alice-alice"),
            ("HOOK", "https://hooks.example/alerts"),
            ("SHORT", "short"),
            ("TWO_LINES", "first\nnext-line-secret"),
            ("ADDRESS", "ftp://secret"),
        ]);
        let file = |name: &str, text: &[u8]| (PathBuf::from("etc").join(name), text.to_vec());
        let files = BTreeMap::from([
            file("secrets/k", b"from-a-file-0123456789\n"),
            file("secrets/hook", b"https://hooks.example/T/B/x\n"),
            file("secrets/binary", b"\xff\xfe"),
        ]);
        Self { variables, files }
    }
}

impl Surroundings for Fake {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).map(|value| (*value).to_owned())
    }

    fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
        let path = path.strip_prefix("/home/op").unwrap_or(path);
        self.files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn folder(&self) -> PathBuf {
        PathBuf::from("/home/op")
    }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(name)
}

/// The inputs in a folder, in order of their names.
fn inputs(name: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "yaml" || end == "json")).collect();
    files.sort();
    files
}

/// Reads a file as `etc/<its name>`.
fn load(path: &Path) -> Result<Config, String> {
    let mut fake = Fake::new();
    let shown = Path::new("etc").join(path.file_name().unwrap());
    fake.files.insert(shown.clone(), std::fs::read(path).unwrap());
    Config::load(&shown, &fake).map_err(|errors| errors.to_string())
}

/// Compares with what is committed. Gives the complaint, if any.
fn compare(path: &Path, text: &str) -> Option<String> {
    let text = format!("{}\n", text.trim_end());
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &text).unwrap();
        return None;
    }
    match std::fs::read_to_string(path) {
        Ok(committed) if committed == text => None,
        Ok(committed) => {
            Some(format!("{} differs:\n--- committed\n{committed}+++ now\n{text}", path.display()))
        }
        Err(error) => Some(format!("{}: {error}; BLESS=1 writes it", path.display())),
    }
}

fn fail(complaints: &[String]) {
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn every_mistake_is_named_with_its_place_and_a_hint() {
    let mut complaints = Vec::new();
    let files = inputs("bad");
    assert!(files.len() >= 100, "{} files", files.len());
    for path in files {
        match load(&path) {
            Ok(_) => complaints.push(format!("{} is accepted", path.display())),
            Err(errors) => complaints.extend(compare(&path.with_extension("stderr"), &errors)),
        }
    }
    fail(&complaints);
}

#[test]
fn a_good_file_is_described() {
    let mut complaints = Vec::new();
    for path in inputs("good") {
        match load(&path) {
            Ok(config) => {
                let text = config::describe(&config);
                let json = serde_json::to_string_pretty(&config::describe_json(&config)).unwrap();
                for secret in
                    Fake::new().variables.values().chain(&["from-a-file-0123456789", "literal-secret"])
                {
                    assert!(
                        !text.contains(secret) && !json.contains(secret),
                        "{} shows a secret",
                        path.display()
                    );
                    assert!(!format!("{config:?}").contains(secret), "{} debugs a secret", path.display());
                }
                complaints.extend(compare(&path.with_extension("txt"), &text));
                if path.ends_with("full.yaml") {
                    complaints.extend(compare(&path.with_extension("machine.txt"), &json));
                }
            }
            Err(errors) => complaints.push(errors),
        }
    }
    fail(&complaints);
}

#[test]
fn a_variable_chooses_the_environment() {
    let mut fake = Fake::new();
    let load = |fake: &Fake| {
        let text = "servers: { s: { command: [s] } }\nenvironments: { prod: { listen: \"127.0.0.1:9\" } }";
        Config::parse(text, "f", Path::new(""), fake).map_err(|errors| errors.to_string())
    };
    assert_eq!(load(&fake).unwrap().listen.port(), 8080);
    fake.variables.insert("LOCKGATE_ENVIRONMENT", "prod");
    assert_eq!(load(&fake).unwrap().listen.port(), 9);
    fake.variables.insert("LOCKGATE_ENVIRONMENT", "prd");
    let error = "f:1:1: there is no environment `prd`, which LOCKGATE_ENVIRONMENT names\n  hint: did you mean `prod`? write `prod`";
    assert_eq!(load(&fake).unwrap_err(), error);
}

/// A file in its normal form, where it has one.
fn normal(name: &str, text: &str) -> Option<String> {
    let mut fake = Fake::new();
    for (variable, value) in [
        ("SERVERS_WEB_URL", "https://example.com/mcp?key=literal-secret"),
        ("SERVERS_WEB_HEADERS_X_TEAM", "literal-secret"),
        ("SERVERS_DB_ENV_PORT", "08080"),
        ("SERVERS_DB_ENV_ON", "yes"),
        ("SERVERS_VAULT_COMMAND_3", "literal"),
        ("SERVERS_VAULT_COMMAND_5", "literal"),
        ("TELEMETRY_OTLP_HEADERS_X_KEY", "literal-secret"),
    ] {
        fake.variables.insert(variable, value);
    }
    let shown = Path::new("etc").join(name);
    fake.files.insert(shown.clone(), text.as_bytes().to_vec());
    let normal = config::normal(&shown, &fake);
    if name.ends_with("json") {
        assert!(normal.unwrap_err().to_string().contains("no normal form"));
        return None;
    }
    Some(normal.unwrap())
}

#[test]
fn the_normal_form_means_the_same() {
    let mut complaints = Vec::new();
    for path in inputs("good") {
        let name = path.file_name().unwrap().to_string_lossy();
        let Some(text) = normal(&name, &std::fs::read_to_string(&path).unwrap()) else { continue };
        assert!(!text.contains("literal-secret"), "{text}");
        assert_eq!(normal(&name, &text).as_ref(), Some(&text), "the normal form is its own normal form");
        complaints.extend(compare(&path.with_extension("normal.txt"), &text));
    }
    fail(&complaints);
}

#[test]
fn errors_have_one_form() {
    for path in inputs("bad") {
        let errors = load(&path).unwrap_err();
        assert!(!errors.is_empty(), "{}", path.display());
        for (count, line) in errors.lines().enumerate() {
            let name = path.display();
            if count % 2 == 0 {
                assert!(line.starts_with("etc/") && !line.ends_with('.'), "{name}: {line}");
            } else {
                assert!(
                    line.starts_with("  hint: ") && !line.ends_with('.') && line.len() > 12,
                    "{name}: {line}"
                );
            }
        }
        for secret in ["short-secret", "wwwwwwwwwwwwwwwwwwww", "ftp://secret", "next-line-secret"] {
            assert!(!errors.contains(secret), "{} shows a secret", path.display());
        }
    }
}

#[test]
fn values_arrive_as_written() {
    let config = load(&folder("good").join("full.yaml")).unwrap();
    let launch = |name: &str| config.launches.iter().find(|(server, _)| server.as_str() == name).unwrap().1;
    let Launch::Command { command, env, cwd } = launch("db") else { panic!("db is a command") };
    assert_eq!(command, &["mcp-server-sqlite", "--db-path", "no", "$5"]);
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.reveal())).collect();
    assert_eq!(
        env,
        [
            ("A", "pre-wwwwwwwwwwwwwwwwwwww"),
            ("K", "from-a-file-0123456789"),
            ("PORT", "08080"),
            ("ON", "yes")
        ]
    );
    assert_eq!(cwd.as_deref(), Some(Path::new("/home/op/etc")));
    let Launch::Http { url, headers, .. } = launch("web") else { panic!("web is reached") };
    assert_eq!(url, "https://example.com/mcp?key=literal-secret");
    assert_eq!(headers.first().map(|(_, value)| value.reveal()), Some("Bearer wwwwwwwwwwwwwwwwwwww"));
    assert!(config.principals.iter().all(|(_, token)| token.reveal().len() >= 16));
}

#[test]
fn a_command_alone_is_a_configuration() {
    for (program, name) in [
        ("./My_Server.py", "my-server-py"),
        ("/usr/bin/npx", "npx"),
        ("7z", "z"),
        ("___", "server"),
        ("é", "server"),
    ] {
        let config = Config::for_command(vec![program.to_owned(), "x".to_owned()]);
        assert_eq!(config.boundary.servers.keys().next().map(ToString::to_string).as_deref(), Some(name));
        assert!(config::describe(&config).contains(program));
    }
}

#[test]
fn defaults_are_the_same_with_and_without_a_file() {
    let parsed =
        Config::parse("servers: { npx: { command: [npx] } }", "f", Path::new(""), &Fake::new()).unwrap();
    // Without a file, what was started stands for it.
    let mut made = Config::for_command(vec!["npx".to_owned()]);
    made.scope.clear();
    assert_eq!(format!("{parsed:?}"), format!("{made:?}"));
    assert_eq!(parsed.boundary.limits, lockgate_model::Limits::default());
    let default = lockgate_core::Boundary::new(parsed.boundary.servers.clone());
    assert_eq!(format!("{:?}", parsed.boundary), format!("{default:?}"));
}

#[test]
fn no_text_breaks_the_reader() {
    for path in inputs("bad").into_iter().chain(inputs("good")) {
        let bytes = std::fs::read(path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for (cut, _) in text.char_indices().step_by(7) {
            let _parsed = Config::parse(text.split_at(cut).0, "f", Path::new("etc"), &Fake::new());
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_a_configuration_or_has_errors(text in "[a-c:\\-\\[\\]{},&*!|>'\"%@`?~#$= \n\t]{0,60}") {
        for text in [text.clone(), format!("servers: {{ a: {text}"), format!("{{\"mcpServers\": {text}")] {
            if let Err(errors) = Config::parse(&text, "f", Path::new(""), &Fake::new()) {
                proptest::prop_assert!(errors.iter().count() > 0);
                proptest::prop_assert!(errors.iter().all(|error| !error.message().is_empty() && !error.hint().is_empty()));
            }
        }
    }
}

/// The text of a test on an argument, in several ways of writing.
fn a_test() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "main",
        "'main'",
        "5",
        "'5'",
        "5.0",
        "true",
        "'true'",
        "null",
        "'null'",
        "\"\"",
        "[main, dev]",
        "[dev, main, dev]",
        "{ equals: main }",
        "{ equals: '5' }",
        "{ equals: [b, a] }",
        "{ equals: { y: 1, x: [2] } }",
        "{ one_of: [dev, main] }",
        "{ one_of: ['5'] }",
        "{ not_equals: main }",
        "{ none_of: [main, dev] }",
        "{ at_most: '5', at_least: 1 }",
        "{ above: 1e0, below: 10 }",
        "{ matches: 'm.*[n]' }",
        "{ contains_match: \"a\\ti\" }",
        "{ contains: ai }",
        "{ present: true }",
        "{ present: false }",
        "{ length: { at_most: 5, at_least: 0 } }",
        "{ type: string }",
        "{ cidr: [10.0.0.0/8, '::1'] }",
        "{ hostname: [b.example, \"*.a.example\"] }",
        "{ url: { ports: ['443'], hosts: [b, a] } }",
        "{ path: { inside: [/b, /a], aliases: { /c: /b } } }",
        "{ email: { domains: [b.example, a.example] } }",
        "{ repo: { allow: [b/c, 'a/*'] } }",
        "{ sql: { dialect: generic, statements: [select], tables: [b, a] } }",
        "{ shell: { programs: [ls, git] } }",
    ])
}

fn some_conditions() -> impl Strategy<Value = String> {
    proptest::collection::btree_map("[xyz]|/o/\\*", a_test(), 1..3).prop_map(|tests| {
        let tests: Vec<String> = tests.iter().map(|(name, test)| format!("\"{name}\": {test}")).collect();
        format!("{{ {} }}", tests.join(", "))
    })
}

fn a_rule() -> impl Strategy<Value = String> {
    let one = |key: &'static str, values: Vec<&'static str>| {
        let value = proptest::sample::select(values);
        proptest::option::weighted(0.3, value.prop_map(move |value| format!("{key}: {value}")))
    };
    let many = |key: &'static str| {
        let list = proptest::collection::vec(some_conditions(), 1..3);
        proptest::option::weighted(0.3, list.prop_map(move |list| format!("{key}: [{}]", list.join(", "))))
    };
    let limits = vec![
        "[5/hour]",
        "[{ calls: 5, per: hour }]",
        "[{ calls: 5, per: hour, by: everyone }, { concurrent: 2, by: tool }]",
        "[{ sum: x, at_most: '5.50', per: day }, 7/15m]",
    ];
    let during = vec![
        "{ days: [sun, mon] }",
        "{ from: '08:00', utc_offset: Z }",
        "{ days: [mon, tue, wed, thu, fri, sat, sun], to: '06:00' }",
        "{ from: '22:00', to: '06:00', utc_offset: '+01:00' }",
    ];
    (
        one("action", vec!["allow", "allow", "ask", "deny", "hide"]),
        one("for", vec!["[local]", "[role:r, alice]", "[bob, alice]", "[alice, alice]"]),
        one("during", during),
        proptest::option::weighted(0.4, some_conditions().prop_map(|tests| format!("require: {tests}"))),
        many("deny_if"),
        many("ask_if"),
        one("limits", limits),
        one("approvers", vec!["1", "'2'"]),
        one("on_deny", vec!["no", "\"No: \\\"never\\\" # here\"", "'5'"]),
    )
        .prop_map(|(a, b, c, d, e, f, g, h, i)| {
            let mut keys: Vec<String> = [a, b, c, d, e, f, g, h, i].into_iter().flatten().collect();
            // In another order than the normal one.
            keys.sort_by_key(|key| std::cmp::Reverse(key.len()));
            format!("{{ {} }}", keys.join(", "))
        })
}

/// What happens to a few calls.
fn decisions(config: &Config) -> Vec<String> {
    let rules = &config.boundary.servers.values().next().unwrap().rules;
    let mut all = Vec::new();
    for arguments in [
        "{}",
        r#"{"x":"main","y":"main"}"#,
        r#"{"x":5,"y":"5","z":true}"#,
        r#"{"x":null,"y":"/a/b","z":"git log"}"#,
        r#"{"x":"a@a.example","y":"select 1 from a","o":["main","dev"]}"#,
        r#"{"z":"10.1.1.1","y":["b","a"]}"#,
    ] {
        for (name, principal, day) in
            [("a", "alice", 0), ("ab", "bob", 2), ("b", "local", 3), ("bb", "alice", 4)]
        {
            let principal = Principal::new(principal);
            let arguments = Json::check(arguments.as_bytes(), 8).ok();
            let at = UnixMillis(day * 86_400_000 + 7 * 3_600_000);
            let asked = Asked { principal: &principal, at, arguments, class: None };
            let answer = rules.decide(Subject::Tool, name, &asked);
            let limits = rules.limits(Subject::Tool, name, &asked);
            let mut limits: Vec<String> = limits.iter().map(|(_, _, limit)| limit.to_string()).collect();
            limits.sort();
            all.push(format!("{name} {principal:?} {:?} {} {limits:?}", answer.action, answer.approvers));
        }
    }
    all
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 64, ..Default::default() })]
    #[test]
    fn a_normal_form_decides_alike_and_is_its_own(
        rules in proptest::collection::btree_map("[ab]{1,2}|\\*|a\\*|\\*b", proptest::collection::vec(a_rule(), 1..3), 1..4),
    ) {
        let rules: Vec<String> =
            rules.iter().map(|(pattern, rules)| format!("      \"{pattern}\": [{}]\n", rules.join(", "))).collect();
        let text = format!(
            "servers:\n  s:\n    command: [s]\n    default: deny\n    tools:\n{}roles: {{ r: [bob, alice] }}\n\
             principals: {{ alice: {{ token: '${{ALICE_TOKEN}}' }}, bob: {{ token: '${{WEB_TOKEN}}' }} }}\n",
            rules.concat()
        );
        let mut fake = Fake::new();
        let parse = |text: &str, fake: &Fake| Config::parse(text, "f", Path::new(""), fake);
        let config = parse(&text, &fake);
        proptest::prop_assume!(config.is_ok());
        let mut normal = |text: &str| {
            fake.files.insert(PathBuf::from("f"), text.as_bytes().to_vec());
            config::normal(Path::new("f"), &fake).unwrap()
        };
        let (once, again) = { let once = normal(&text); (once.clone(), normal(&once)) };
        proptest::prop_assert_eq!(&once, &again);
        let loaded = parse(&once, &Fake::new());
        proptest::prop_assert!(loaded.is_ok(), "{:?}\n{}", loaded.err(), once);
        proptest::prop_assert_eq!(decisions(&config.unwrap()), decisions(&loaded.unwrap()), "{}\n{}", text, once);
    }
}

#[test]
fn the_normal_form_holds_no_secret() {
    let text = r#"
flow: { hook: { key: "key-in-clear-key-in-clear" } }
admin: { tokens: { ann: "ann-in-clear-ann-in-clear", bob: { file: secrets/k } } }
approvals: { webhook: { url: "https://hooks.example/in-clear", secret: "secret-in-clear" } }
alerts:
  channels:
    a: { slack: "https://hooks.example/slack-in-clear" }
    b: { webhook: { url: "https://hooks.example/b-in-clear", secret: "b-in-clear-b-in-clear" } }
    c: { email: { server: "smtps://a", from: a@b, to: [c@d], user: u, password: "password-in-clear" } }
servers: { web: { url: https://example.com/mcp, headers: { x: "header-in-clear" } } }
principals: { eve: { token: "eve-in-clear-eve-in-clear" } }
"#;
    let mut fake = Fake::new();
    fake.files
        .insert(PathBuf::from("etc/f"), text.replace("secret-in-clear", "secret-in-clear-16").into_bytes());
    let normal = config::normal(Path::new("etc/f"), &fake).unwrap();
    assert!(!normal.contains("in-clear"), "{normal}");
    assert!(normal.contains("key: \"${") && normal.contains("file: secrets/k"), "{normal}");
}

#[test]
fn a_file_too_large_is_not_read() {
    let text = "#".repeat((8 << 20) + 1);
    let errors = Config::parse(&text, "f", Path::new(""), &Fake::new()).unwrap_err();
    assert_eq!(errors.to_string(), "f: the file is larger than 8MiB\n  hint: is it the right file?");
}

#[test]
fn the_schema_knows_the_keys_that_are_read() {
    let schema = config::schema();
    let unknown = "?: x\nflow: {?: x, freeze: {?: x}, user_turns: {?: x}}\nservers: {s: {command: [s], ?: x}}\nprincipals: {p: {token: 0123456789abcdef, ?: x}}
http: {?: x}\nlimits: {?: x}\napprovals: {webhook: {url: 'https://a', secret: 0123456789abcdef, ?: x}}\nadmin: {?: x}
alerts: {channels: {c: {file: f, ?: x}, d: {syslog: {address: 'unix:///dev/log', ?: x}}, e: {email: {server: 'smtp://a', from: a@b, to: [a@b], ?: x}}}, rules: {r: {severity: high, ?: x}}, ?: x}
records: {file: f, ?: x}"
        .replace('?', "zzzzzzzzzz");
    let errors = Config::parse(&unknown, "f", Path::new(""), &Fake::new()).unwrap_err();
    let places = [
        "",
        "/$defs/Flow",
        "/$defs/Freeze",
        "/$defs/UserTurns",
        "/$defs/Server",
        "/$defs/Principal",
        "/$defs/Http",
        "/$defs/Limits",
        "/$defs/Webhook",
        "/$defs/Admin",
        "/$defs/AlertChannel",
        "/$defs/Syslog",
        "/$defs/Email",
        "/$defs/AlertRule",
        "/$defs/Alerts",
        "/$defs/Records",
    ];
    assert_eq!(errors.iter().count(), places.len());
    for (error, place) in errors.iter().zip(places) {
        let properties = schema.pointer(place).unwrap()["properties"].as_object().unwrap();
        let mut written: Vec<&str> = properties.keys().map(String::as_str).collect();
        let mut read: Vec<&str> = error.hint().strip_prefix("known keys: ").unwrap().split(", ").collect();
        written.sort_unstable();
        read.sort_unstable();
        assert_eq!(written, read, "{place}");
    }
}

#[test]
fn the_committed_schema_and_reference_are_fresh() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let schema = serde_json::to_string_pretty(&config::schema()).unwrap();
    let complaints: Vec<String> = compare(&docs.join("lockgate.schema.json"), &schema)
        .into_iter()
        .chain(compare(&docs.join("configuration.md"), &config::reference()))
        .collect();
    fail(&complaints);
}

#[test]
fn rules_of_others_come_from_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("rules/deep")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let rule = |id: &str| {
        format!(
            "id: {id}\ndetection:\n  conditions:\n    - {{ field: content, operator: regex, value: open the hatch }}\n"
        )
    };
    write("rules/one.yaml", &rule("ATR-1"));
    write("rules/deep/two.yml", &rule("ATR-2"));
    write("rules/three.yaml", "id: ATR-3\n");
    let servers = "servers: { web: { command: web } }\n";
    let suppress = "suppress: [{ rule: ATR-2, reason: noise }]";
    write("lockgate.yaml", &format!("detect: {{ rules: [rules], {suppress} }}\n{servers}"));
    let load = || Config::load(&folder.path().join("lockgate.yaml"), &Process);
    let config = load().unwrap();
    let detect = &config.boundary.servers.values().next().unwrap().detect;
    let mut ids: Vec<_> = detect.rules.0.as_ref().unwrap().ids().collect();
    ids.sort_unstable();
    assert_eq!(ids, ["ATR-1", "ATR-2"]);
    assert!(config.notes.iter().any(|note| note.contains("three.yaml")), "{:?}", config.notes);
    write("rules/deep/twice.yaml", &rule("ATR-1"));
    let wrong = load().unwrap_err().to_string();
    assert!(wrong.contains("lockgate.yaml:1:") && wrong.contains("there are two rules `ATR-1`"), "{wrong}");
}
