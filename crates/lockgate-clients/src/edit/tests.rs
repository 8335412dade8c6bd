use serde_json::json;

use super::*;

fn keys(text: &str) -> Vec<String> {
    text.split('.').map(str::to_owned).collect()
}

fn own() -> Value {
    json!({ "command": "/bin/lockgate", "args": ["stdio"], "env": { "T": "x" } })
}

fn names(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

const JSON: &str = r#"// mine
{
    "other": [1, 2],
    "mcpServers": {
        // first
        "a": { "command": "x" }, // about a
        "b": {
            "url": "https://b.example"
        },
        /* last */
        "c": { "command": "z", "args": [] }
    }
}
"#;

const TOML: &str = "\
# mine
model = \"x\" # keep

[mcp_servers.a] # a
command = \"x\"

[mcp_servers.a.env]
T = \"1\"

# about b
[mcp_servers.b]
url = \"https://b.example\"

[mcp_servers.c]
command = \"z\"

[tools]
web = true
";

const GOOSE: &str = "\
# mine
GOOSE_MODEL: x
extensions:
  a:
    type: stdio
    cmd: x
    args:
    - one

  # about b
  b: # b
    type: sse
    uri: https://b.example
  c:
    type: builtin
other: 1
";

const LISTED: &str = "\
name: mine
mcpServers:
- name: a
  command: x
  args:
    - one
# about b
- name: b
  command: y
- name: c
  command: z
";

const CASES: [(Format, &str, &str); 4] = [
    (Format::Json, "mcpServers", JSON),
    (Format::Toml, "mcp_servers", TOML),
    (Format::Yaml, "extensions", GOOSE),
    (Format::Yaml, "mcpServers", LISTED),
];

fn entry(format: Format, section: &str) -> Value {
    if format == Format::Yaml && section == "mcpServers" {
        json!({ "name": "lockgate", "command": "/bin/lockgate", "env": { "T": "x" } })
    } else {
        own()
    }
}

#[test]
fn entries_go_one_comes_and_all_come_back() {
    for (format, section, text) in CASES {
        for text in [text.to_owned(), text.replace('\n', "\r\n"), text.trim_end().to_owned()] {
            let keys = keys(section);
            let section = Section { format, keys: &keys };
            for gone in ["a", "b", "c", "a b", "a c", "b c", "a b c"] {
                let made = section.put(&text, &names(gone), "lockgate", &entry(format, &keys[0])).unwrap();
                let restored = section.restore(&made, &text, "lockgate", &names(gone)).unwrap();
                assert_eq!(section.names(&restored).unwrap().len(), 3, "{restored}");
                if gone.len() == 1 && format != Format::Toml {
                    assert_eq!(restored, text, "{gone}\n{made}");
                }
                for comment in ["mine", "keep"].iter().filter(|comment| text.contains(**comment)) {
                    assert!(made.contains(comment) && restored.contains(comment), "{made}");
                }
                if format == Format::Json {
                    assert!(
                        made.contains("// first") && made.contains("/* last */") && made.contains("about a")
                    );
                    let strict = ["// mine", "// first", "// about a", "/* last */"]
                        .iter()
                        .fold(made.clone(), |text, comment| text.replace(comment, ""));
                    serde_json::from_str::<Value>(&strict).unwrap();
                }
                if text.contains("\r\n") {
                    assert_eq!(made.matches("\r\n").count(), made.matches('\n').count(), "{made:?}");
                }
            }
        }
    }
}

#[test]
fn what_comes_is_indented_as_what_was_there() {
    let keys = keys("mcpServers");
    let section = Section { format: Format::Json, keys: &keys };
    let made = section.put(JSON, &names("a b"), "lockgate", &own()).unwrap();
    let wanted = r#"// mine
{
    "other": [1, 2],
    "mcpServers": {
        // first
        "lockgate": {
            "command": "/bin/lockgate",
            "args": [
                "stdio"
            ],
            "env": {
                "T": "x"
            }
        }, // about a
        /* last */
        "c": { "command": "z", "args": [] }
    }
}
"#;
    assert_eq!(made, wanted);
    let short = r#"{"mcpServers":{"a":{"command":"x"},"b":{"command":"y"}}}"#;
    let made = section.put(short, &names("b"), "lockgate", &json!({ "url": "http://x" })).unwrap();
    assert_eq!(made, r#"{"mcpServers":{"a":{"command":"x"},"lockgate": {"url":"http://x"}}}"#);
    let made = section.put(short, &names("a b"), "lockgate", &json!({ "url": "http://x" })).unwrap();
    assert_eq!(made, r#"{"mcpServers":{"lockgate": {"url":"http://x"}}}"#);
}

#[test]
fn what_was_written_meanwhile_stays() {
    for (format, section, text) in CASES {
        let keys = keys(section);
        let section = Section { format, keys: &keys };
        let made = section.put(text, &names("a b"), "lockgate", &entry(format, &keys[0])).unwrap();
        let changed =
            made.replace("mine", "yours").replace("\"z\"", "\"zz\"").replace("command: z", "command: zz");
        let restored = section.restore(&changed, text, "lockgate", &names("a b")).unwrap();
        assert!(restored.contains("yours") && !restored.contains("lockgate"), "{restored}");
        assert!(restored.contains("https://b.example") || restored.contains("command: y"), "{restored}");
        assert_eq!(restored.contains("zz"), changed.contains("zz"));
        let renamed = changed.replace("lockgate", "other");
        assert_eq!(section.restore(&renamed, text, "lockgate", &names("a b")), Err(Refusal::Missing));
    }
}

#[test]
fn what_was_added_again_is_not_doubled() {
    let keys = keys("mcpServers");
    let section = Section { format: Format::Json, keys: &keys };
    let now = r#"{ "mcpServers": { "lockgate": {}, "a": { "command": "new" } } }"#;
    let restored = section.restore(now, JSON, "lockgate", &names("a")).unwrap();
    assert_eq!(section.names(&restored).unwrap(), ["a"]);
    assert!(restored.contains("new"));
    let last = r#"{ "mcpServers": { "a": { "command": "new" }, "lockgate": {} } }"#;
    let restored = section.restore(last, JSON, "lockgate", &names("a")).unwrap();
    serde_json::from_str::<Value>(&restored).unwrap();
}

#[test]
fn what_is_broken_or_unusual_is_refused() {
    let keys = keys("mcpServers");
    for (format, text, why) in [
        (Format::Json, r#"{"mcpServers": {"a": {"command": "x"}"#, Refusal::Broken),
        (Format::Json, r#"{"mcpServers": {"a": {}, "a": {}}}"#, Refusal::Broken),
        (Format::Json, r#"{"mcpServers": {"a": {}}, "mcpServers": {}}"#, Refusal::Broken),
        (Format::Json, r#"{"mcpServers": {"b": {}}}"#, Refusal::Missing),
        (Format::Json, r#"{"mcpServers": []}"#, Refusal::Missing),
        (Format::Yaml, "mcpServers: {a: {command: x}}\n", Refusal::Unusual),
        (Format::Toml, "mcpServers = [", Refusal::Broken),
    ] {
        let section = Section { format, keys: &keys };
        assert_eq!(section.put(text, &names("a"), "lockgate", &own()), Err(why), "{text}");
    }
}

#[test]
fn masks_leave_no_secret() {
    let hider = crate::Hider::new();
    let text = r#"{ "token": "sk_live_4eC39HqLyjWDarjtT1zdp7dcQ8vX", "mcpServers": { "a": {
        "command": "x", "args": ["--api-key", "planted1", "-e", "B=planted2", "https://u:planted3@h/x"],
        "env": { "A": "planted4", "N": 5550123 }, "headers": { "H": "planted5" } } } } // sk_live_4eC39HqLyjWDarjtT1zdp7dcQ8vX"#;
    let masked = mask(text, Format::Json, &hider);
    for secret in ["planted", "sk_live_4eC39", "5550123"] {
        assert!(!masked.contains(secret), "{secret}: {masked}");
    }
    assert!(masked.contains("--api-key") && masked.contains("\"command\": \"x\""));
}

/// Any JSON of this shape: sections with space and comments wherever they may stand.
fn written(pieces: &[u8], names: usize) -> String {
    let mut at = 0;
    let mut gap = || {
        at += 1;
        match pieces.get(at % pieces.len().max(1)).copied().unwrap_or(0) % 6 {
            0 => "",
            1 => " ",
            2 => "\n  ",
            3 => " // c, } \"\n",
            4 => "/* , { */",
            _ => "\t",
        }
    };
    let mut out = format!("{}{{{}\"s\"{}:{}{{", gap(), gap(), gap(), gap());
    for name in 0..names {
        let comma = if name + 1 < names { "," } else { "" };
        out.push_str(&format!(
            "{}\"{name}\"{}:{}{{\"command\":{}\"x\"}}{}{comma}",
            gap(),
            gap(),
            gap(),
            gap(),
            gap()
        ));
    }
    out.push_str(&format!("{}}}{},{}\"t\":[1]{}}}{}", gap(), gap(), gap(), gap(), gap()));
    out
}

proptest::proptest! {
    #[test]
    fn whatever_stands_between_entries_stays(
        pieces in proptest::collection::vec(proptest::prelude::any::<u8>(), 1..40),
        names in 1_usize..6,
        chosen in 1_u8..63,
    ) {
        let text = written(&pieces, names);
        let keys = keys("s");
        let section = Section { format: Format::Json, keys: &keys };
        let gone: Vec<String> = (0..names).filter(|at| chosen & (1 << at) != 0).map(|at| at.to_string()).collect();
        proptest::prop_assume!(!gone.is_empty());
        let made = section.put(&text, &gone, "lockgate", &own()).unwrap();
        let comments = |text: &str| text.matches("// c").count() + text.matches("/*").count();
        let inside = |text: &str| comments(&text.replace(' ', ""));
        // Inside of what goes, comments go with it.
        proptest::prop_assert!(inside(&made) <= inside(&text));
        let back = section.restore(&made, &text, "lockgate", &gone).unwrap();
        let mut names = section.names(&back).unwrap();
        names.sort();
        proptest::prop_assert_eq!(names, section.names(&text).unwrap());
        if gone.len() == 1 {
            proptest::prop_assert_eq!(back, text);
        }
    }
}
