//! Every client of the table is found at every place, on every system; every shape is read.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test that fails here has found something"
)]

use std::collections::BTreeMap;
use std::path::Path;

use lockgate_clients::{Approves, CLIENTS, Launch, Machine, System, Wire, of_file, survey};

fn machine(folder: &Path, system: System) -> Machine {
    Machine {
        system,
        home: folder.join("home"),
        root: folder.to_owned(),
        projects: vec![folder.join("project")],
        variables: BTreeMap::new(),
    }
}

fn put(folder: &Path, path: &str, text: impl AsRef<[u8]>) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn places_of_every_system() {
    for (system, path, client) in [
        (System::Mac, "home/Library/Application Support/Claude/claude_desktop_config.json", "claude-desktop"),
        (System::Windows, "home/AppData/Roaming/Claude/claude_desktop_config.json", "claude-desktop"),
        (System::Linux, "home/.config/Claude/claude_desktop_config.json", "claude-desktop"),
        (System::Linux, "home/.claude.json", "claude-code"),
        (System::Linux, "project/.mcp.json", "claude-code"),
        (System::Linux, "etc/claude-code/managed-mcp.json", "claude-code"),
        (System::Mac, "Library/Application Support/ClaudeCode/managed-mcp.json", "claude-code"),
        (System::Linux, "home/.claude/plugins/cache/shop/tool/1.0/.mcp.json", "claude-code"),
        (System::Linux, "home/.cursor/mcp.json", "cursor"),
        (System::Linux, "project/.cursor/mcp.json", "cursor"),
        (System::Linux, "home/.config/Code/User/mcp.json", "vscode"),
        (System::Linux, "home/.config/Code/User/profiles/abc/mcp.json", "vscode"),
        (System::Mac, "home/Library/Application Support/Code - Insiders/User/mcp.json", "vscode-insiders"),
        (System::Linux, "home/.copilot/mcp-config.json", "copilot-cli"),
        (System::Linux, "home/.gemini/settings.json", "gemini-cli"),
        (System::Linux, "home/.gemini/antigravity/mcp_config.json", "antigravity"),
        (System::Linux, "home/.codeium/windsurf/mcp_config.json", "windsurf"),
        (System::Linux, "home/.kiro/agents/one.json", "kiro"),
        (System::Linux, "home/.aws/amazonq/mcp.json", "amazon-q"),
        (System::Linux, "home/.lmstudio/mcp.json", "lm-studio"),
        (System::Linux, "home/.junie/mcp/mcp.json", "junie"),
        (System::Linux, "project/.roo/mcp.json", "roo"),
        (System::Linux, "home/Documents/Cline/MCP/cline_mcp_settings.json", "cline"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), path, r#"{"mcpServers": {"one": {"command": "x"}}}"#);
        let found = survey(&machine(folder.path(), system));
        let seen: Vec<&str> = found.files.iter().filter_map(|file| Some(file.client?.id)).collect();
        assert_eq!(seen, [client], "{path}");
        assert_eq!(found.files[0].servers.len(), 1, "{path}");
        let others =
            [System::Linux, System::Mac, System::Windows].into_iter().filter(|other| *other != system);
        if path.contains("Library") || path.contains("AppData") || path.contains("etc/") {
            for other in others {
                assert!(survey(&machine(folder.path(), other)).files.is_empty(), "{path}");
            }
        }
    }
}

#[test]
fn variables_say_where() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "c/config.toml", "[mcp_servers.one]\ncommand = \"x\"\n");
    put(folder.path(), "o.json", r#"{"mcp": {"two": {"type": "local", "command": ["y", "z"]}}}"#);
    put(folder.path(), "home/.codex/config.toml", "[mcp_servers.not]\ncommand = \"x\"\n");
    let mut machine = machine(folder.path(), System::Linux);
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    machine.variables = [("CODEX_HOME", path("c")), ("OPENCODE_CONFIG", path("o.json"))]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
    let names: Vec<String> = survey(&machine)
        .files
        .iter()
        .flat_map(|file| file.servers.iter().map(|server| server.name.clone()))
        .collect();
    assert_eq!(names, ["one", "two"]);
}

/// One line for a server, with what is secret laid open: this is a test.
fn line(launch: &Launch) -> String {
    match launch {
        Launch::Command { words, env, inherits, cwd } => {
            let words: Vec<&str> = words.iter().map(lockgate_clients::Secret::reveal).collect();
            let env: Vec<String> =
                env.iter().map(|one| format!("{}={}", one.name, one.value.reveal())).collect();
            let cwd = cwd.as_ref().map_or("", |cwd| cwd.reveal());
            format!("{} [{}] {} {cwd}", words.join(" "), env.join(" "), inherits.join(" ")).trim().to_owned()
        }
        Launch::Remote { url, wire, headers, inherits } => {
            let wire = match wire {
                Wire::Http => "http",
                Wire::Sse => "sse",
                Wire::WebSocket => "ws",
            };
            let headers: Vec<String> =
                headers.iter().map(|one| format!("{}: {}", one.name, one.value.reveal())).collect();
            let inherits: Vec<String> =
                inherits.iter().map(|(h, before, name)| format!("{h}: {before}${name}")).collect();
            format!("{wire} {} [{}]", url.reveal(), [headers, inherits].concat().join(", "))
        }
        Launch::Builtin => "builtin".to_owned(),
    }
}

#[test]
fn every_shape_is_read() {
    for (file, text, expected) in [
        (
            "a.json",
            r#"{"mcpServers":{"s":{"command":"x","args":["a",1,true],"env":{"A":"b","N":1},"cwd":"/d"}}}"#,
            "x a 1 true [A=b N=1]  /d",
        ),
        (
            "a.json",
            r#"{"mcpServers":{"s":{"type":"HTTP","url":"https://h/m","headers":{"X":"y"}}}}"#,
            "http https://h/m [X: y]",
        ),
        (
            "a.json",
            r#"{"mcpServers":{"s":{"type":"streamable-https","url":"https://h/sse"}}}"#,
            "http https://h/sse []",
        ),
        ("a.json", r#"{"mcpServers":{"s":{"url":"https://h/sse"}}}"#, "sse https://h/sse []"),
        ("a.json", r#"{"mcpServers":{"s":{"httpUrl":"https://h/m"}}}"#, "http https://h/m []"),
        ("a.json", r#"{"mcpServers":{"s":{"serverUrl":"https://h/m"}}}"#, "http https://h/m []"),
        ("a.json", r#"{"mcpServers":{"s":{"type":"ws","url":"wss://h/m"}}}"#, "ws wss://h/m []"),
        ("a.json", r#"{"servers":{"s":{"type":"stdio","command":"x"}},"inputs":[]}"#, "x []"),
        ("a.json", r#"{"mcp":{"servers":{"s":{"command":"x"}}}}"#, "x []"),
        ("a.json", r#"{"mcp.servers":{"s":{"command":"x"}}}"#, "x []"),
        (
            "a.json",
            r#"{"mcp":{"s":{"type":"local","command":["x","y"],"environment":{"A":"b"}}}}"#,
            "x y [A=b]",
        ),
        ("a.json", r#"{"mcp":{"s":{"type":"remote","url":"https://h"}}}"#, "http https://h []"),
        (
            "a.json",
            r#"{"context_servers":{"s":{"command":{"path":"x","args":["y"],"env":{"A":"b"}}}}}"#,
            "x y [A=b]",
        ),
        ("a.json", r#"{"context_servers":{"s":{"source":"custom","command":"x","args":["y"]}}}"#, "x y []"),
        ("a.json", r#"{"powers":{"mcpServers":{"s":{"command":"x"}}}}"#, "x []"),
        ("a.json", r#"{"projects":{"/p":{"mcpServers":{"s":{"command":"x"}}}}}"#, "x []"),
        ("a.json", r#"{"s":{"command":"x"}}"#, "x []"),
        (
            "a.toml",
            "[mcp_servers.s]\ncommand='x'\nargs=['y']\nenv_vars=['T']\n[mcp_servers.s.env]\nA='b'\n",
            "x y [A=b] T",
        ),
        (
            "a.toml",
            "[mcp_servers]\ns = { url = 'https://h', bearer_token_env_var = 'T', http_headers = { X = 'y' }, env_http_headers = { Y = 'Z' } }\n",
            "http https://h [X: y, Authorization: Bearer $T, Y: $Z]",
        ),
        (
            "a.yaml",
            "extensions:\n  s:\n    type: stdio\n    cmd: x\n    args: [y]\n    envs: {A: b}\n",
            "x y [A=b]",
        ),
        ("a.yaml", "extensions:\n  s:\n    type: streamable_http\n    uri: https://h\n", "http https://h []"),
        ("a.yaml", "extensions:\n  s:\n    type: builtin\n", "builtin"),
        ("a.yaml", "mcpServers:\n  - name: s\n    command: x\n    args:\n      - y\n", "x y []"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), file, text);
        let found = of_file(&folder.path().join(file));
        assert!(found.faults.is_empty(), "{text}: {:?}", found.faults);
        let servers: Vec<(&str, String)> =
            found.servers.iter().map(|server| (server.name.as_str(), line(&server.launch))).collect();
        assert_eq!(servers, [("s", expected.to_owned())], "{text}");
    }
}

#[test]
fn an_address_alone_means_what_its_client_makes_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"{"mcpServers":{"s":{"url":"https://h/m"}}}"#;
    put(folder.path(), "home/.gemini/settings.json", text);
    put(folder.path(), "home/.cursor/mcp.json", text);
    let found = survey(&machine(folder.path(), System::Linux));
    let lines: Vec<String> = found.files.iter().map(|file| line(&file.servers[0].launch)).collect();
    assert_eq!(lines, ["http https://h/m []", "sse https://h/m []"]);
}

#[test]
fn one_bad_entry_costs_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"{ "mcpServers": {
        "good": { "command": "x", "disabled": true, "autoApprove": ["a", "b"] },
        "number": 5,
        "none": {},
        "args": { "command": "x", "args": "one" },
        "list": { "command": "x", "args": { "a": 1 } },
        "trusted": { "url": "https://h", "trust": true },
        "cut": { "command": "x""#;
    put(folder.path(), "a.json", text);
    let found = of_file(&folder.path().join("a.json"));
    let names: Vec<&str> = found.servers.iter().map(|server| server.name.as_str()).collect();
    assert_eq!(names, ["good", "args", "trusted", "cut"]);
    assert!(!found.servers[0].enabled && found.servers[2].enabled);
    assert_eq!(found.servers[0].approves, Approves::Some(2));
    assert_eq!(found.servers[2].approves, Approves::Everything);
    let faults: Vec<String> = found
        .faults
        .iter()
        .map(|fault| format!("{}:{} {}", fault.place.line, fault.place.column, fault.trouble))
        .collect();
    assert_eq!(
        faults,
        [
            "8:32 not valid JSON: it ends in the middle",
            "3:9 the entry `number` is no server: it must be a section with `command` or `url`",
            "4:9 the entry `none` is no server: it has neither `command` nor `url`",
            "6:9 the entry `list` is no server: its `args` must be a list of texts",
        ]
    );
}

#[test]
fn ids_differ_and_the_first_file_is_the_users() {
    for (at, client) in CLIENTS.iter().enumerate() {
        assert!(CLIENTS.iter().skip(at + 1).all(|other| other.id != client.id));
        assert_eq!(client.files[0].scope, lockgate_clients::Scope::User, "{}", client.id);
    }
    assert!(CLIENTS.len() >= 20);
}

#[test]
fn no_secret_is_in_what_debug_shows() {
    let folder = tempfile::tempdir().unwrap();
    put(
        folder.path(),
        "a.json",
        r#"{"mcpServers":{"s":{"command":"x","args":["planted1"],"env":{"A":"planted2"}},"r":{"url":"https://u:planted3@h","headers":{"A":"planted4"}}}}"#,
    );
    let shown = format!("{:?}", of_file(&folder.path().join("a.json")));
    assert!(!shown.contains("planted"), "{shown}");
}
