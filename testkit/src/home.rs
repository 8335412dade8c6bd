//! A home folder with the files of many MCP clients, whole and broken, with secrets planted in them.

use std::path::Path;

/// What stands in every secret of it. Whatever shows it has told a secret.
pub const PLANTED: &str = "Pl4nt3dS3cr3tQz7";

/// Names of clients that have files in it.
pub const CLIENTS: [&str; 19] = [
    "claude-desktop",
    "claude-code",
    "cursor",
    "vscode",
    "copilot-cli",
    "codex",
    "gemini-cli",
    "antigravity",
    "windsurf",
    "kiro",
    "amazon-q",
    "opencode",
    "cline",
    "zed",
    "roo",
    "goose",
    "continue",
    "lm-studio",
    "junie",
];

/// Names of servers that are whole. Each is found, whatever is broken beside it.
pub const SERVERS: [&str; 27] = [
    "files",
    "tickets",
    "planner",
    "scratch",
    "pages",
    "local-notes",
    "search",
    "build",
    "vault",
    "shop",
    "mail",
    "charts",
    "wiki",
    "queue",
    "deploy",
    "lint",
    "weather",
    "tables",
    "outline",
    "sketch",
    "ledger",
    "radio",
    "survey",
    "atlas",
    "cut-first",
    "wide",
    "kept",
];

/// Writes it: everything below `home` that clients of Linux have there, and a project.
pub fn home(home: &Path, project: &Path) {
    for (path, text) in FILES {
        put(home, path, text.replace("PLANTED", PLANTED).as_bytes());
    }
    let wide = r#"{"mcpServers":{"wide":{"command":"wide-server","env":{"KEY":"PLANTED"}}}}"#
        .replace("PLANTED", PLANTED);
    let units = std::iter::once(0xfeff).chain(wide.encode_utf16()).flat_map(u16::to_le_bytes);
    put(home, ".junie/mcp/mcp.json", &units.collect::<Vec<u8>>());
    put(
        home,
        ".kiro/agents/torn.json",
        &[b"{\"mcpServers\":{\"kept\":{\"command\":\"k\"}},\"x\":\"".as_slice(), &[0xff, 0xfe], b"\"}"]
            .concat(),
    );
    huge(&home.join(".aws/amazonq/agents/default.json"));
    let project_file = r#"{ "mcpServers": { "radio": { "command": "npx", "args": ["radio@1.0.0"], "env": { "RADIO_TOKEN": "PLANTED" } } } }"#;
    put(project, ".mcp.json", project_file.replace("PLANTED", PLANTED).as_bytes());
    put(project, ".git/HEAD", b"ref: refs/heads/main\n");
    #[cfg(unix)]
    odd(home);
}

/// A folder, a pipe, links that lead in a circle and nowhere, and a file that nobody may read.
#[cfg(unix)]
fn odd(home: &Path) {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let link = |path: &str, to: &str| {
        let path = home.join(path);
        assert!(path.parent().is_some_and(|folder| std::fs::create_dir_all(folder).is_ok()));
        assert!(symlink(to, path).is_ok());
    };
    link(".vscode/mcp.json", "mcp.json");
    link(".opencode/opencode.json", "nowhere.json");
    assert!(std::fs::create_dir_all(home.join(".kiro/agents/folder.json")).is_ok());
    let closed = home.join(".kiro/agents/closed.json");
    put(home, ".kiro/agents/closed.json", b"{}");
    assert!(std::fs::set_permissions(closed, std::fs::Permissions::from_mode(0o000)).is_ok());
    let made = std::process::Command::new("mkfifo").arg(home.join(".kiro/agents/pipe.json")).status();
    assert!(made.is_ok_and(|status| status.success()));
}

fn put(folder: &Path, path: &str, bytes: &[u8]) {
    let path = folder.join(path);
    let written = path.parent().map(std::fs::create_dir_all).and_then(|_| std::fs::write(&path, bytes).ok());
    assert!(written.is_some(), "{}", path.display());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert!(std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).is_ok());
    }
}

/// Larger than anything that is read, without room on the disk.
fn huge(path: &Path) {
    put(path.parent().unwrap_or(path), "default.json", b"");
    let file = std::fs::OpenOptions::new().write(true).open(path);
    assert!(file.is_ok_and(|file| file.set_len(1 << 30).is_ok()));
}

/// Each file and what stands in it.
const FILES: &[(&str, &str)] = &[
    (
        ".config/Claude/claude_desktop_config.json",
        r#"{
  "mcpServers": {
    "files": {
      "command": "npx",
      "args": ["-y", "@example/files", "/srv/data"]
    },
    "tickets": {
      "command": "uvx",
      "args": ["example-tickets==2.1.0", "--api-token", "PLANTED"],
      "env": { "TICKETS_API_KEY": "PLANTED", "MODE": "read" }
    }
  }
}
"#,
    ),
    (
        ".claude.json",
        r#"{
  "numStartups": 41,
  "oauthAccount": { "accessToken": "PLANTED" },
  "mcpServers": {
    "planner": { "type": "stdio", "command": "npx", "args": ["-y", "planner-server@latest"], "env": { "PLANNER_TOKEN": "${PLANNER_TOKEN}" } },
    "pages": { "type": "http", "url": "https://pages.example/mcp", "headers": { "Authorization": "Bearer PLANTED" } }
  },
  "projects": {
    "/srv/app": { "mcpServers": { "scratch": { "command": "/opt/scratch/bin/scratch", "args": ["--db", "postgres://joe:PLANTED@db.example/app"] } } }
  }
}
"#,
    ),
    (
        ".cursor/mcp.json",
        r#"{
  // my servers
  "mcpServers": {
    "local-notes": { "command": "node", "args": ["/srv/notes/index.js"] },
    "search": { "url": "http://search.example/mcp?key=PLANTED" }, // no TLS yet
  },
}
"#,
    ),
    (
        ".config/Code/User/mcp.json",
        "\u{feff}{\n\t\"inputs\": [{ \"id\": \"build-token\", \"type\": \"promptString\", \"password\": true }],\n\t\"servers\": {\n\t\t\"build\": { \"type\": \"stdio\", \"command\": \"docker\", \"args\": [\"run\", \"-i\", \"--rm\", \"-e\", \"TOKEN=PLANTED\", \"ghcr.io/example/build:latest\"], \"env\": { \"T\": \"${input:build-token}\" } },\n\t\t\"vault\": { \"type\": \"sse\", \"url\": \"https://vault.example/sse\" }\n\t}\n}\n",
    ),
    (
        ".copilot/mcp-config.json",
        r#"{"mcpServers":{"shop":{"type":"local","command":"shop-server","args":[],"tools":["*"]}}}"#,
    ),
    (
        ".codex/config.toml",
        "model = \"x\"\n\n[mcp_servers.mail]\ncommand = \"uvx\"\nargs = [\"example-mail\"] # newest\nenv_vars = [\"MAIL_USER\"]\n\n[mcp_servers.mail.env]\nMAIL_PASSWORD = \"PLANTED\"\n\n[mcp_servers.charts]\nurl = \"https://charts.example/mcp\"\nbearer_token_env_var = \"CHARTS_TOKEN\"\n",
    ),
    (
        ".gemini/settings.json",
        r#"{ "theme": "dark", "mcpServers": { "wiki": { "httpUrl": "https://wiki.example/mcp", "headers": { "X-Api-Key": "PLANTED" }, "trust": true } } }"#,
    ),
    (
        ".gemini/antigravity/mcp_config.json",
        r#"{ "mcpServers": { "queue": { "serverUrl": "https://queue.example/mcp" } } }"#,
    ),
    (
        ".codeium/windsurf/mcp_config.json",
        r#"{ "mcpServers": { "deploy": { "command": "bash", "args": ["-c", "curl -s https://deploy.example/x | sh"] }, "deploy": { "command": "bash", "args": ["-c", "deploy"] } } }"#,
    ),
    (
        ".kiro/settings/mcp.json",
        r#"{ "mcpServers": { "lint": { "command": "npx", "args": ["lint-server@1.2.3"], "disabled": true, "autoApprove": ["lint", "fix"] } }, "powers": { "mcpServers": { "weather": { "url": "http://localhost:9000/mcp" } } } }"#,
    ),
    (
        ".aws/amazonq/mcp.json",
        r#"{ "mcpServers": { "tables": { "command": "uvx", "args": ["example.tables@latest"], "timeout": 60000 }, "number": 5, "none": {} } }"#,
    ),
    (
        ".config/opencode/opencode.jsonc",
        "{\n  // opencode\n  \"mcp\": {\n    \"outline\": { \"type\": \"local\", \"command\": [\"bunx\", \"outline-server\"], \"environment\": { \"OUTLINE_SECRET\": \"PLANTED\" }, \"enabled\": true },\n    \"atlas\": { \"type\": \"remote\", \"url\": \"https://atlas.example/mcp\", \"headers\": { \"Authorization\": \"Bearer {env:ATLAS}\" } }\n  }\n}\n",
    ),
    (
        ".config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
        r#"{ "mcpServers": { "sketch": { "command": "npx", "args": ["-y", "sketch"], "autoApprove": ["draw"], "disabled": false } } }"#,
    ),
    (
        ".config/zed/settings.json",
        "// Zed settings\n{\n  \"theme\": \"One\",\n  \"context_servers\": {\n    \"ledger\": { \"source\": \"custom\", \"command\": \"ledger-server\", \"args\": [\"--readonly\"], \"env\": {} }\n  }\n}\n",
    ),
    (
        ".config/Code/User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json",
        r#"{ "mcpServers": { "cut-first": { "command": "first", "env": { "A": "PLANTED" } }, "cut-second": { "command": "sec"#,
    ),
    (
        ".config/goose/config.yaml",
        "GOOSE_PROVIDER: x\nextensions:\n  developer:\n    type: builtin\n    enabled: true\n  survey:\n    type: stdio\n    cmd: uvx\n    args:\n      - example-survey\n    envs:\n      SURVEY_KEY: PLANTED\n    enabled: true\n",
    ),
    (
        ".continue/config.yaml",
        "name: mine\nmcpServers:\n  - name: files\n    command: npx\n    args: [\"-y\", \"@example/files\", \"/srv/data\"]\n  - name: broken\n    url: [\n",
    ),
    (".lmstudio/mcp.json", r#"{ "mcpServers": ["not", "a", "section"] }"#),
];
