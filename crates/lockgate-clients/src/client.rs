//! The table of clients: where each keeps its servers, and in what shape.

use crate::machine::System;
use crate::server::Wire;

/// An MCP client, as far as its files are concerned.
#[derive(Debug)]
pub struct Client {
    /// The word for it in commands: `a-z` and `-`.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Where its servers stand. The first of scope [`Scope::User`] is what `connect` rewrites.
    pub files: &'static [Place],
    /// How an entry is written.
    pub(crate) style: Style,
    /// How an entry for a server over HTTP is written; `None` where the client starts programs only.
    pub reached: Option<Reached>,
}

/// A file of a client, or several by a pattern.
#[derive(Debug)]
pub struct Place {
    /// See [`crate::Machine`].
    pub(crate) path: &'static str,
    /// Whose it is.
    pub scope: Scope,
    /// The one system that has it; `None` for all.
    pub(crate) system: Option<System>,
    /// Where in it the servers are: paths of keys, `*` for any.
    pub(crate) shape: Shape,
}

/// Paths of keys to sections of servers. `*` is any key; the empty path is the file itself.
pub(crate) type Shape = &'static [&'static [&'static str]];

/// Whom a file concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The user, everywhere.
    User,
    /// One project.
    Project,
    /// Put there by an extension of the client.
    Plugin,
    /// Put there by whoever rules the machine.
    Managed,
}

impl Scope {
    /// In one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Project => "project",
            Self::Plugin => "plugin",
            Self::Managed => "managed",
        }
    }
}

/// How an entry for a program is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// `command`, `args`, `env`.
    Plain,
    /// The same with `type: stdio`.
    Typed,
    /// `type: local`, `command` as a list, `environment`.
    OpenCode,
    /// `cmd`, `args`, `envs`, and a name inside.
    Goose,
    /// As [`Style::Plain`], in a list and with a name inside.
    Named,
}

/// How an entry for a server over HTTP is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The key of the address.
    pub(crate) key: &'static str,
    /// What `type` says; nothing where there is none.
    pub(crate) kind: Option<&'static str>,
}

const SERVERS: Shape = &[&["mcpServers"]];
const CLAUDE: Shape = &[&["mcpServers"], &["projects", "*", "mcpServers"]];
const FLAT: Shape = &[&["mcpServers"], &[]];
const CODE: Shape = &[&["servers"], &["mcpServers"]];
const SETTINGS: Shape = &[&["mcp", "servers"], &["mcp.servers"]];
const CODEX: Shape = &[&["mcp_servers"]];
const OPENCODE: Shape = &[&["mcp"]];
const ZED: Shape = &[&["context_servers"]];
const GOOSE: Shape = &[&["extensions"]];
const KIRO: Shape = &[&["mcpServers"], &["powers", "mcpServers"]];

/// Where servers may be in a file of an unknown client.
pub(crate) const ANY: Shape = &[
    &["mcpServers"],
    &["projects", "*", "mcpServers"],
    &["powers", "mcpServers"],
    &["servers"],
    &["mcp", "servers"],
    &["mcp.servers"],
    &["mcp_servers"],
    &["context_servers"],
    &["extensions"],
    &["mcp"],
    &[],
];

const fn user(path: &'static str, shape: Shape) -> Place {
    Place { path, scope: Scope::User, system: None, shape }
}

const fn project(path: &'static str, shape: Shape) -> Place {
    Place { path, scope: Scope::Project, system: None, shape }
}

const fn plugin(path: &'static str, shape: Shape) -> Place {
    Place { path, scope: Scope::Plugin, system: None, shape }
}

const fn managed(system: System, path: &'static str, shape: Shape) -> Place {
    Place { path, scope: Scope::Managed, system: Some(system), shape }
}

const fn http(key: &'static str, kind: &'static str) -> Reached {
    Reached { key, kind: Some(kind) }
}

const fn untyped(key: &'static str) -> Reached {
    Reached { key, kind: None }
}

/// Every client that is known.
pub static CLIENTS: &[Client] = &[
    Client {
        id: "claude-desktop",
        name: "Claude Desktop",
        files: &[user("~cfg/Claude/claude_desktop_config.json", SERVERS)],
        style: Style::Plain,
        reached: None,
    },
    Client {
        id: "claude-code",
        name: "Claude Code",
        files: &[
            user("${CLAUDE_CONFIG_DIR:-~}/.claude.json", CLAUDE),
            project(".mcp.json", SERVERS),
            managed(System::Linux, "/etc/claude-code/managed-mcp.json", SERVERS),
            managed(System::Mac, "/Library/Application Support/ClaudeCode/managed-mcp.json", SERVERS),
            managed(System::Windows, "$ProgramFiles/ClaudeCode/managed-mcp.json", SERVERS),
            plugin("${CLAUDE_CONFIG_DIR:-~/.claude}/plugins/cache/**/.mcp.json", FLAT),
            plugin("${CLAUDE_CONFIG_DIR:-~/.claude}/plugins/repos/**/.mcp.json", FLAT),
        ],
        style: Style::Typed,
        reached: Some(http("url", "http")),
    },
    Client {
        id: "cursor",
        name: "Cursor",
        files: &[user("~/.cursor/mcp.json", SERVERS), project(".cursor/mcp.json", SERVERS)],
        style: Style::Plain,
        reached: Some(untyped("url")),
    },
    Client {
        id: "vscode",
        name: "VS Code",
        files: &[
            user("~cfg/Code/User/mcp.json", CODE),
            user("~cfg/Code/User/profiles/*/mcp.json", CODE),
            user("~cfg/Code/User/settings.json", SETTINGS),
            user("~/.vscode/mcp.json", CODE),
            project(".vscode/mcp.json", CODE),
        ],
        style: Style::Typed,
        reached: Some(http("url", "http")),
    },
    Client {
        id: "vscode-insiders",
        name: "VS Code Insiders",
        files: &[
            user("~cfg/Code - Insiders/User/mcp.json", CODE),
            user("~cfg/Code - Insiders/User/profiles/*/mcp.json", CODE),
            user("~cfg/Code - Insiders/User/settings.json", SETTINGS),
        ],
        style: Style::Typed,
        reached: Some(http("url", "http")),
    },
    Client {
        id: "copilot-cli",
        name: "Copilot CLI",
        files: &[user("~/.copilot/mcp-config.json", SERVERS)],
        style: Style::Plain,
        reached: Some(http("url", "http")),
    },
    Client {
        id: "codex",
        name: "Codex",
        files: &[
            user("${CODEX_HOME:-~/.codex}/config.toml", CODEX),
            user("${CODEX_HOME:-~/.codex}/*.config.toml", CODEX),
            project(".codex/config.toml", CODEX),
            managed(System::Linux, "/etc/codex/config.toml", CODEX),
            managed(System::Mac, "/etc/codex/config.toml", CODEX),
            managed(System::Windows, "$ProgramData/OpenAI/Codex/config.toml", CODEX),
        ],
        style: Style::Plain,
        reached: Some(untyped("url")),
    },
    Client {
        id: "gemini-cli",
        name: "Gemini CLI",
        files: &[
            user("~/.gemini/settings.json", SERVERS),
            project(".gemini/settings.json", SERVERS),
            managed(System::Linux, "/etc/gemini-cli/settings.json", SERVERS),
            managed(System::Mac, "/Library/Application Support/GeminiCli/settings.json", SERVERS),
            managed(System::Windows, "$ProgramData/gemini-cli/settings.json", SERVERS),
        ],
        style: Style::Plain,
        reached: Some(untyped("httpUrl")),
    },
    Client {
        id: "antigravity",
        name: "Antigravity",
        files: &[user("~/.gemini/antigravity/mcp_config.json", SERVERS)],
        style: Style::Plain,
        reached: Some(untyped("serverUrl")),
    },
    Client {
        id: "windsurf",
        name: "Windsurf",
        files: &[user("~/.codeium/windsurf/mcp_config.json", SERVERS)],
        style: Style::Plain,
        reached: Some(untyped("serverUrl")),
    },
    Client {
        id: "kiro",
        name: "Kiro",
        files: &[
            user("~/.kiro/settings/mcp.json", KIRO),
            user("~/.kiro/agents/*.json", SERVERS),
            project(".kiro/settings/mcp.json", KIRO),
        ],
        style: Style::Plain,
        reached: Some(untyped("url")),
    },
    Client {
        id: "amazon-q",
        name: "Amazon Q",
        files: &[
            user("~/.aws/amazonq/mcp.json", SERVERS),
            user("~/.aws/amazonq/agents/default.json", SERVERS),
            user("~/.aws/amazonq/agents/mcp.json", SERVERS),
        ],
        style: Style::Plain,
        reached: Some(http("url", "http")),
    },
    Client {
        id: "opencode",
        name: "opencode",
        files: &[
            user("${XDG_CONFIG_HOME:-~/.config}/opencode/opencode.json", OPENCODE),
            user("${XDG_CONFIG_HOME:-~/.config}/opencode/opencode.jsonc", OPENCODE),
            user("~/.opencode/opencode.json", OPENCODE),
            user("~/.opencode/opencode.jsonc", OPENCODE),
            user("$OPENCODE_CONFIG", OPENCODE),
            user("$OPENCODE_CONFIG_DIR/opencode.json", OPENCODE),
            user("$OPENCODE_CONFIG_DIR/opencode.jsonc", OPENCODE),
            project("opencode.json", OPENCODE),
            project("opencode.jsonc", OPENCODE),
            managed(System::Linux, "/etc/opencode/opencode.json", OPENCODE),
            managed(System::Linux, "/etc/opencode/opencode.jsonc", OPENCODE),
        ],
        style: Style::OpenCode,
        reached: Some(http("url", "remote")),
    },
    Client {
        id: "cline",
        name: "Cline",
        files: &[
            user(
                "~cfg/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
                SERVERS,
            ),
            user("~/Documents/Cline/MCP/cline_mcp_settings.json", SERVERS),
        ],
        style: Style::Plain,
        reached: Some(http("url", "streamableHttp")),
    },
    Client {
        id: "zed",
        name: "Zed",
        files: &[
            user("${XDG_CONFIG_HOME:-~/.config}/zed/settings.json", ZED),
            project(".zed/settings.json", ZED),
        ],
        style: Style::Plain,
        reached: Some(untyped("url")),
    },
    Client {
        id: "roo",
        name: "Roo Code",
        files: &[
            user(
                "~cfg/Code/User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json",
                SERVERS,
            ),
            project(".roo/mcp.json", SERVERS),
        ],
        style: Style::Plain,
        reached: Some(http("url", "streamable-http")),
    },
    Client {
        id: "goose",
        name: "Goose",
        files: &[user("${XDG_CONFIG_HOME:-~/.config}/goose/config.yaml", GOOSE)],
        style: Style::Goose,
        reached: Some(http("uri", "streamable_http")),
    },
    Client {
        id: "continue",
        name: "Continue",
        files: &[user("~/.continue/config.yaml", SERVERS)],
        style: Style::Named,
        reached: Some(http("url", "streamable-http")),
    },
    Client {
        id: "lm-studio",
        name: "LM Studio",
        files: &[user("~/.lmstudio/mcp.json", SERVERS)],
        style: Style::Plain,
        reached: Some(untyped("url")),
    },
    Client {
        id: "junie",
        name: "Junie",
        files: &[user("~/.junie/mcp/mcp.json", SERVERS)],
        style: Style::Plain,
        reached: None,
    },
];

impl Client {
    /// How it speaks to an address of which nothing says how: where it has a word of its own for streamable HTTP, in the old
    /// way.
    pub(crate) fn plain(&self) -> Wire {
        if self.reached.is_some_and(|reached| reached.key == "httpUrl") { Wire::Sse } else { Wire::Http }
    }

    /// The client of that word.
    pub fn by_id(id: &str) -> Option<&'static Self> {
        CLIENTS.iter().find(|client| client.id == id)
    }
}
