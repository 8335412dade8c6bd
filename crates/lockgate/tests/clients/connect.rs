//! Lockgate put between a client and its servers, and taken out again.

use serde_json::{Value, json};
use testkit::home::PLANTED;

use super::{LOCKGATE, Place};

/// A client, its file, and what stands there.
const CASES: [(&str, &str, &str); 9] = [
    (
        "claude-desktop",
        ".config/Claude/claude_desktop_config.json",
        "{\n  \"mcpServers\": {\n    \"one\": { \"command\": \"npx\", \"args\": [\"-y\", \"one\"], \"env\": { \"ONE_KEY\": \"PLANTED\" } },\n    \"two\": { \"command\": \"two\", \"args\": [\"--token\", \"PLANTED\", \"$HOME\"] }\n  },\n  \"other\": true\n}\n",
    ),
    (
        "claude-code",
        ".claude.json",
        "{\n  \"n\": 1,\n  \"mcpServers\": {\n    \"one\": { \"type\": \"http\", \"url\": \"https://one.example/mcp\", \"headers\": { \"Authorization\": \"Bearer PLANTED\" } },\n    \"two\": { \"command\": \"two\" }\n  },\n  \"projects\": { \"/p\": { \"mcpServers\": { \"three\": { \"command\": \"three\" } } } }\n}\n",
    ),
    (
        "cursor",
        ".cursor/mcp.json",
        "{\n  // mine\n  \"mcpServers\": {\n    \"one\": { \"command\": \"one\" }, // first\n    /* second */ \"two\": { \"url\": \"https://two.example/mcp?key=PLANTED\" },\n  },\n}\n",
    ),
    (
        "vscode",
        ".config/Code/User/mcp.json",
        "\u{feff}{\r\n\t\"inputs\": [],\r\n\t\"servers\": {\r\n\t\t\"one\": { \"type\": \"stdio\", \"command\": \"one\", \"env\": { \"T\": \"${input:t}\" } },\r\n\t\t\"two\": { \"type\": \"sse\", \"url\": \"https://two.example/sse\" }\r\n\t}\r\n}\r\n",
    ),
    (
        "codex",
        ".codex/config.toml",
        "# mine\nmodel = \"x\"\n\n[mcp_servers.one] # first\ncommand = \"one\"\nenv_vars = [\"ONE_USER\"]\n\n[mcp_servers.one.env]\nONE_KEY = \"PLANTED\"\n\n[mcp_servers.two]\nurl = \"https://two.example/mcp\"\nbearer_token_env_var = \"TWO_TOKEN\"\n\n[tools]\nweb = true\n",
    ),
    (
        "opencode",
        ".config/opencode/opencode.json",
        "{\n  \"mcp\": {\n    \"one\": { \"type\": \"local\", \"command\": [\"one\", \"--x\"], \"environment\": { \"ONE\": \"PLANTED\" } },\n    \"two\": { \"type\": \"remote\", \"url\": \"https://two.example/mcp\" }\n  }\n}\n",
    ),
    (
        "zed",
        ".config/zed/settings.json",
        "// settings\n{\n  \"context_servers\": {\n    \"one\": { \"command\": \"one\", \"args\": [], \"env\": {} },\n    \"two\": { \"command\": \"two\" }\n  },\n  \"theme\": \"x\"\n}\n",
    ),
    (
        "goose",
        ".config/goose/config.yaml",
        "# mine\nextensions:\n  developer:\n    type: builtin\n  # first\n  one:\n    type: stdio\n    cmd: one\n    args: [a]\n    envs:\n      ONE: PLANTED\n    enabled: true\n  two:\n    type: sse\n    uri: https://two.example/sse\nGOOSE_MODE: auto\n",
    ),
    (
        "continue",
        ".continue/config.yaml",
        "name: mine\nmcpServers:\n  - name: one\n    command: one\n    env:\n      ONE: PLANTED\n  - name: two\n    command: two\nrules: []\n",
    ),
];

#[test]
fn every_client_goes_through_lockgate_and_back() {
    for (client, path, text) in CASES {
        let place = Place::new();
        let text = text.replace("PLANTED", PLANTED);
        let file = place.put(path, &text);
        let (dry, errors, code) = place.run(&["connect", client, "--dry-run"]);
        assert_eq!((errors.as_str(), code), ("", 0), "{client}");
        assert!(dry.contains("@@") && dry.contains("lockgate.yaml would be written"), "{dry}");
        assert_eq!(place.read(path), text, "a dry run changes nothing");
        let (told, errors, code) = place.run(&["connect", client]);
        assert_eq!((errors.as_str(), code), ("", 0), "{client}");
        assert!(told.contains("2 servers of"), "{told}");
        assert_eq!(told.contains("1 server of other sections"), client == "claude-code", "{told}");
        let made = place.read(path);
        assert!(made.contains("lockgate") && made.contains("stdio"), "{made}");
        let config = place.read("project/lockgate.yaml");
        assert!(
            !config.contains(PLANTED) && config.contains("  one:") && config.contains("  two:"),
            "{config}"
        );
        for comment in ["// mine", "// settings", "# mine", "// first"] {
            assert_eq!(text.contains(comment), made.contains(comment), "{client} {comment}: {made}");
        }
        assert_eq!(text.contains('\u{feff}'), made.contains('\u{feff}'));
        let (again, _, code) = place.run(&["connect", client]);
        assert!(again.contains("connected already") && code == 0, "{again}");
        assert_eq!(place.read(path), made, "a second time changes nothing");
        let (out, _, _) = place.run(&["scan", "--client", client]);
        assert!(out.contains("lockgate"), "{out}");
        let (told, errors, code) = place.run(&["disconnect", client]);
        assert_eq!((errors.as_str(), code), ("", 0), "{client}");
        assert!(told.contains("is as it was."), "{told}");
        assert_eq!(place.read(path), text, "{client}: byte for byte");
        let left: Vec<String> = std::fs::read_dir(file.parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| name.contains("lockgate"))
            .collect();
        assert!(left.is_empty(), "{client}: {left:?}");
        let (told, _, code) = place.run(&["disconnect", client]);
        assert!(told.contains("is not connected") && code == 0, "{told}");
        // With the configuration that is there now.
        let (_, errors, code) = place.run(&["connect", client]);
        assert_eq!((errors.as_str(), code), ("", 0), "{client}");
        assert_eq!(place.read(path), made, "{client}: the same variables are handed over");
    }
}

#[test]
fn what_is_changed_meanwhile_stays() {
    for (client, path, text) in CASES {
        let place = Place::new();
        let text = text.replace("PLANTED", PLANTED);
        place.put(path, &text);
        let (_, errors, code) = place.run(&["connect", client]);
        assert_eq!((errors.as_str(), code), ("", 0), "{client}");
        let changed = place
            .read(path)
            .replace("mine", "yours")
            .replace("\"n\": 1", "\"n\": 2")
            .replace("settings\n", "my settings\n");
        let changed = format!("{changed}\n");
        place.put(path, &changed);
        let (told, errors, code) = place.run(&["disconnect", client]);
        assert_eq!((errors.as_str(), code), ("", 0), "{client}");
        assert!(told.contains("with what was changed since"), "{told}");
        let now = place.read(path);
        assert!(now.contains(PLANTED) == text.contains(PLANTED) && !now.contains("stdio -c"), "{now}");
        assert!(now.contains("two") && !now.contains("lockgate"), "{client}: {now}");
        assert_eq!(now.contains("yours"), text.contains("mine"), "{now}");
    }
}

#[test]
fn an_entry_that_is_gone_and_a_backup_that_is_not_right_change_nothing() {
    let (client, path, text) = CASES[0];
    let place = Place::new();
    place.put(path, text);
    place.run(&["connect", client]);
    place.put(path, "{ \"mcpServers\": { \"mine\": { \"command\": \"x\" } } }");
    let (_, errors, code) = place.run(&["disconnect", client]);
    assert!(errors.contains("the entry is not there") && code == 2, "{errors}");
    let (_, errors, code) = place.run(&["connect", client]);
    assert!(errors.contains("the entry of Lockgate is gone") && code == 2, "{errors}");
    place.put(&format!("{path}.lockgate-backup"), "{}");
    let (_, errors, code) = place.run(&["disconnect", client]);
    assert!(errors.contains("not the file as it was") && code == 2, "{errors}");
}

#[test]
fn what_cannot_be_done_is_said() {
    let place = Place::full();
    for (arguments, expected) in [
        (&["connect", "nobody"][..], "no client `nobody` is known"),
        (&["connect", "roo"], "the file is broken, or a key stands twice"),
        (&["connect", "junie"], "UTF-16"),
        (&["connect", "lm-studio"], "has no servers"),
        (&["connect", "claude-desktop", "--http"], "does not speak HTTP"),
        (&["connect", "claude-desktop", "--server", "nothing"], "has no server `nothing`"),
        (&["connect", "kiro", "--server", "lint"], "lint cannot go through Lockgate: it is switched off"),
        (&["connect", "cursor", "--file", "nowhere.json"], "has no servers"),
        (&["init", "--server", "fils"], "no client has a server `fils`"),
    ] {
        let (_, errors, code) = place.run(arguments);
        assert!(errors.contains(expected) && code == 2, "{arguments:?}: {errors}");
    }
    assert!(!place.project().join("lockgate.yaml").exists());
    place.put("project/lockgate.yaml", "servers: { other: { command: [other] } }\n");
    let (_, errors, code) = place.run(&["connect", "claude-desktop"]);
    assert!(
        errors.contains("does not have these servers") && errors.contains("  files:") && code == 2,
        "{errors}"
    );
}

#[test]
fn over_http_the_client_has_a_context() {
    let place = Place::new();
    place.put(".cursor/mcp.json", r#"{ "mcpServers": { "one": { "command": "one" } } }"#);
    let (told, errors, code) = place.run(&["connect", "cursor", "--http"]);
    assert_eq!((errors.as_str(), code), ("", 0));
    assert!(told.contains("lockgate run -c"), "{told}");
    let made: Value = serde_json::from_str(&place.read(".cursor/mcp.json")).unwrap();
    assert_eq!(
        made,
        json!({ "mcpServers": { "lockgate": { "url": "http://127.0.0.1:8080/c/cursor/mcp" } } })
    );
}

#[test]
fn init_writes_what_was_found_and_never_over_something() {
    let place = Place::full();
    let (told, errors, code) = place.run(&["init"]);
    assert_eq!((errors.as_str(), code), ("", 0));
    assert!(told.contains("Left out: lint: it is switched off"), "{told}");
    let config = place.read("project/lockgate.yaml");
    assert!(!config.contains(PLANTED), "{config}");
    super::committed("init.yaml", &config);
    let (_, errors, code) = place.run(&["init"]);
    assert!(errors.contains("is there already") && code == 2, "{errors}");
    let (_, _, code) = place.run(&["init", "--force", "--client", "zed", "--server", "ledger"]);
    let config = place.read("project/lockgate.yaml");
    assert!(code == 0 && config.contains("ledger:") && !config.contains("files:"), "{config}");
    let (_, errors, code) = place.run(&["check"]);
    assert_eq!((errors.as_str(), code), ("", 0));
}

#[test]
fn the_entry_that_is_written_works() {
    let place = Place::new();
    let program = place.home().join("demo");
    std::os::unix::fs::symlink(LOCKGATE, &program).unwrap();
    let entry = json!({ "command": program, "args": ["demo-server", "web"], "env": { "KEY": PLANTED } });
    place.put(".claude.json", &json!({ "mcpServers": { "web": entry } }).to_string());
    let (_, errors, code) = place.run(&["connect", "claude-code"]);
    assert_eq!((errors.as_str(), code), ("", 0));
    let made: Value = serde_json::from_str(&place.read(".claude.json")).unwrap();
    let entry = &made["mcpServers"]["lockgate"];
    let words = entry["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
    let mut child = std::process::Command::new(entry["command"].as_str().unwrap())
        .args(words)
        .env("KEY", entry["env"]["KEY"].as_str().unwrap())
        .env("LOCKGATE_STATE", place.folder.path().join("state"))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut say = |line: &str| std::io::Write::write_all(&mut input, format!("{line}\n").as_bytes()).unwrap();
    let mut answers =
        std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap())).map(Result::unwrap);
    say(
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#,
    );
    assert!(answers.any(|line| line.contains("\"id\":1")));
    say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    say(r#"{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{}}"#);
    let listed = answers.find(|line| line.contains("\"id\":2"));
    drop(input);
    child.wait().unwrap();
    let listed = listed.unwrap();
    assert!(listed.contains("web__fetch_page"), "{listed}");
}
