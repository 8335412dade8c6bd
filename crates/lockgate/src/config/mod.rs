//! The configuration: `lockgate.yaml`, or the file of an MCP client, to values that are all valid.
//!
//! It refuses to guess. What is unknown, ambiguous or without effect is an error with its place and a hint, and all
//! errors are reported at once. A value is read once; nobody checks it again.
//!
//! Read [`Config`] and [`ConfigErrors`] first.

mod address;
mod admin;
mod alerts;
mod argument;
mod bounds;
mod cases;
mod check;
mod classes;
mod cross_server;
mod crossing;
mod data_classes;
mod describe;
mod detect;
mod environment;
mod error;
mod expected;
mod fit;
mod fixed;
mod flow;
mod flow_rules;
mod imported;
mod indicators;
mod intercept;
mod limit;
mod mcp_json;
mod meaning;
mod normal;
mod output;
mod pins;
mod place;
mod program;
mod raw;
mod read;
mod records;
mod reference;
mod rule;
mod rules;
mod schema;
mod seal;
mod secret;
mod section;
mod server;
mod signature;
mod suppress;
mod telemetry;
mod trust;
mod words;
mod yaml;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lockgate_core::{Boundary, Server, Wire};
use lockgate_model::{Principal, ServerName};
use lockgate_provenance::lock::Lock;
use lockgate_watch::behaviour::Settings;
use sha2::{Digest, Sha256};

pub use admin::{Admin, Door, Webhook};
pub use alerts::{Alerts, Channel as AlertChannel, Email, Way as AlertWay};
pub use cases::{Case, CaseFile};
pub use cross_server::{import_cross_server, is_cross_server};
pub use describe::{describe, describe_json};
pub use error::{ConfigError, ConfigErrors};
pub(crate) use error::{perhaps, quoted};
pub use expected::Expected;
pub use fit::{Listed, ListedTool, fit};
pub use fixed::Fixed;
pub(crate) use imported::Taken;
pub use intercept::is_intercept;
pub use place::place_of;
pub use records::{RecordsSettings, Witness};
pub use reference::reference;
pub use schema::schema;
pub use seal::{Files, signature_of, to_sign};
pub(crate) use secret::plain;
pub use secret::{Process, Secret, Surroundings, Trusting};
pub(crate) use server::made_name;
pub(crate) use signature::INVALID;
pub use telemetry::{Otlp, Telemetry};

use error::{Place, Report};
use raw::RawConfig;
use seal::Seal;
use secret::{Dollar, Resolver};
use yaml::Form;

/// The address agents connect to where nothing else is said.
const LISTEN: &str = "127.0.0.1:8080";

/// Largest file that is read: room for 10,000 rules in their long form. Bytes.
const LARGEST: u64 = 8 << 20;

/// Everything the operator decided, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where agents connect over HTTP. Only addresses of this machine where there are no principals.
    pub listen: SocketAddr,
    /// The servers and what may cross between them.
    pub boundary: Arc<Boundary>,
    /// How each server of the boundary is started or reached.
    pub launches: BTreeMap<ServerName, Launch>,
    /// Who may connect, with the bearer token of each. Empty: whoever can reach the port.
    pub principals: Vec<(Principal, Secret)>,
    /// The tenant of each principal that has one: what is approved for one tenant is not for another.
    pub tenants: BTreeMap<Principal, String>,
    /// The HTTP side that agents connect to.
    pub http: HttpSettings,
    /// Most sessions at once.
    pub sessions: usize,
    /// How long a session without a request is kept.
    pub session_idle: Duration,
    /// Most server programs running, and streams of events of HTTP+SSE servers open, at once.
    pub children: usize,
    /// Where people rule the running gateway; `None` for nowhere.
    pub admin: Option<Admin>,
    /// Whom to tell that people are needed; `None` for nobody.
    pub webhook: Option<Webhook>,
    /// Who is told of what; `None` for nobody.
    pub alerts: Option<Alerts>,
    /// How long what a session has read is kept after its gateway has ended. Default 24 h.
    pub label_ttl: Duration,
    /// What the turns of users are signed with; `None` where no host tells them. 16 to 1024 characters.
    pub hook: Option<Secret>,
    /// The folder for what must outlive the process; `None` for the user's own.
    pub state: Option<PathBuf>,
    /// Where records go; `None` for no file.
    pub records: Option<RecordsSettings>,
    /// What counts as unusual; `None` where no behaviour is learned.
    pub behaviour: Option<Settings>,
    /// Who is told what the gateway does, in numbers; `None` for nobody.
    pub telemetry: Option<Telemetry>,
    /// What is expected of where each server comes from. A server that is not in it may come from anywhere.
    pub expected: BTreeMap<ServerName, Expected>,
    /// What the operator should know, a line each: nothing that keeps it from working.
    pub notes: Vec<String>,
    /// What is approved of servers by the lock file; nothing where there is none.
    pub lock: Arc<Lock>,
    /// Where the lock file is, or would be.
    pub lock_file: PathBuf,
    /// What tells servers of this configuration from those of another one with the same state folder: the path of the file, or
    /// a digest of the command where there is none.
    pub scope: String,
    /// What it was read from; nothing where it is of no file.
    pub files: Arc<Files>,
    /// Is what programs say on standard error kept back? For a scan: it may repeat secrets of a client's file.
    pub quiet: bool,
    /// How each server is started or reached, for people: without the values of variables.
    shown: BTreeMap<ServerName, String>,
}

/// How a server is started or reached.
#[derive(Clone)]
pub enum Launch {
    /// A program that speaks over its standard input and output.
    Command {
        /// The program and its arguments; never empty when it was read from a file. Arguments may hold secrets.
        command: Vec<String>,
        /// Variables beside those every program gets.
        env: Vec<(String, Secret)>,
        /// The folder it starts in; `None` for the one Lockgate was started in.
        cwd: Option<PathBuf>,
    },
    /// A server elsewhere.
    Http {
        /// The address: `https`, or `http` to this machine or where the operator insists. May hold secrets.
        url: String,
        /// Headers for every request. Names differ, regardless of case; values are visible ASCII and spaces.
        headers: Vec<(String, Secret)>,
        /// How it speaks over HTTP.
        transport: Transport,
    },
}

/// How a server speaks over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Streamable HTTP.
    Http,
    /// HTTP+SSE, of revision 2024-11-05.
    Sse,
}

impl fmt::Debug for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command { command, env, cwd } => {
                let program = command.first();
                f.debug_struct("Command")
                    .field("program", &program)
                    .field("env", env)
                    .field("cwd", cwd)
                    .finish_non_exhaustive()
            }
            Self::Http { headers, transport, .. } => f
                .debug_struct("Http")
                .field("headers", headers)
                .field("transport", transport)
                .finish_non_exhaustive(),
        }
    }
}

/// The HTTP side that agents connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// Host names, in lower case and without ports or brackets, that the gateway may be addressed as beside where it
    /// listens.
    pub allowed_hosts: Vec<String>,
    /// Origins of web pages, in lower case, that may connect.
    pub allowed_origins: Vec<String>,
    /// Threads that serve connections. Default 1.
    pub threads: usize,
    /// Longest time for a whole request to arrive. Default 10 s.
    pub body_timeout: Duration,
    /// Most connections at once. Default 1024.
    pub connections: usize,
    /// How long a stream that the agent can resume stays open without an answer. Default 25 s.
    pub poll_after: Duration,
}

impl Default for HttpSettings {
    fn default() -> Self {
        let count = |bounds: bounds::Bounds| usize::try_from(bounds.default).unwrap_or(usize::MAX);
        Self {
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            threads: count(bounds::THREADS),
            body_timeout: Duration::from_millis(bounds::BODY_TIMEOUT.default),
            connections: count(bounds::CONNECTIONS),
            poll_after: Duration::from_millis(bounds::POLL_AFTER.default),
        }
    }
}

impl Config {
    /// Reads a file: `lockgate.yaml`, or the JSON file of an MCP client. Where keys are trusted, it and all that it refers to
    /// must be signed with one of them.
    pub fn load(path: &Path, surroundings: &dyn Surroundings) -> Result<Self, ConfigErrors> {
        Self::load_sealed(path, &Seal::open(path, surroundings)?)
    }

    fn load_sealed(path: &Path, seal: &Seal<'_>) -> Result<Self, ConfigErrors> {
        let shown = path.to_string_lossy();
        let text = text_of(path, seal)?;
        let base = seal.folder().join(path.parent().unwrap_or(Path::new("")));
        let scope = seal.folder().join(path).components().collect::<PathBuf>();
        let config = Self::parse(&text, &shown, &base, seal)?;
        Ok(Self { scope: scope.to_string_lossy().into_owned(), files: Arc::new(seal.read()), ..config })
    }

    /// Reads the text of a file. `file` names it in messages; relative paths in it start at `base`.
    pub fn parse(
        text: &str,
        file: &str,
        base: &Path,
        surroundings: &dyn Surroundings,
    ) -> Result<Self, ConfigErrors> {
        if text.len() as u64 > LARGEST {
            return Err(too_large(file));
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if intercept::is_it(text) {
            return Err(intercept::misplaced(file));
        }
        if cross_server::is_it(text) {
            return Err(cross_server::misplaced(file));
        }
        if mcp_json::is_it(text) {
            return Self::from_mcp_json(text, file, base, surroundings);
        }
        let report = Report::default();
        let config = yaml::read(text, Form::Yaml, &report).and_then(|node| {
            let node = environment::lay(node, surroundings.variable("LOCKGATE_ENVIRONMENT"), &report);
            let raw = RawConfig::read(&node, &report)?;
            check::check(&raw, &Resolver { surroundings, base, dollar: Dollar::Strict, report: &report })
        });
        report.finish(file, config)
    }

    /// Reads the file of an MCP client: `{"mcpServers": {…}}`. Names of servers are made valid; all else is default.
    pub fn from_mcp_json(
        text: &str,
        file: &str,
        base: &Path,
        surroundings: &dyn Surroundings,
    ) -> Result<Self, ConfigErrors> {
        let report = Report::default();
        // JSON may be indented with tabs and may not hold them in texts, so that this changes no value and no column.
        let text = text.trim_start_matches('\u{feff}').replace('\t', " ");
        let config = yaml::read(&text, Form::Json, &report).and_then(|node| {
            let node = mcp_json::rewrite(node, &report)?;
            let raw = RawConfig::read(&node, &report)?;
            check::check(&raw, &Resolver { surroundings, base, dollar: Dollar::Client, report: &report })
        });
        report.finish(file, config)
    }

    /// Who may connect, by the SHA-256 of the bearer token.
    pub fn tokens(&self) -> Vec<(Principal, [u8; 32])> {
        let digest = |token: &Secret| Sha256::digest(token.reveal().as_bytes()).into();
        self.principals.iter().map(|(principal, token)| (principal.clone(), digest(token))).collect()
    }

    /// One program without a file, named after itself, with the defaults. `command` is the program and its arguments.
    pub fn for_command(command: Vec<String>) -> Self {
        let program = command.first().map(Path::new).and_then(Path::file_name);
        let name = program.and_then(|name| server::made_name(&name.to_string_lossy()));
        let name = name.unwrap_or_else(unnamed);
        let shown = server::shown_command(command.iter().map(String::as_str));
        let scope = short_digest(command.join("\0").as_bytes());
        let launch = Launch::Command { command, env: Vec::new(), cwd: None };
        let server = Server { maker: server::maker(&launch), ..Server::new(Wire::Lines) };
        let servers = BTreeMap::from([(name.clone(), server)]);
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            boundary: Arc::new(Boundary::new(servers)),
            launches: BTreeMap::from([(name.clone(), launch)]),
            principals: Vec::new(),
            tenants: BTreeMap::new(),
            lock: Arc::default(),
            lock_file: PathBuf::from(Lock::FILE),
            scope,
            http: HttpSettings::default(),
            sessions: usize::try_from(bounds::SESSIONS.default).unwrap_or(usize::MAX),
            session_idle: Duration::from_millis(bounds::SESSION_IDLE.default),
            children: usize::try_from(bounds::CHILDREN.default).unwrap_or(usize::MAX),
            admin: None,
            webhook: None,
            alerts: None,
            label_ttl: Duration::from_millis(bounds::LABEL_TTL.default),
            hook: None,
            state: None,
            expected: BTreeMap::new(),
            notes: Vec::new(),
            quiet: false,
            files: Arc::default(),
            records: None,
            behaviour: None,
            telemetry: None,
            shown: BTreeMap::from([(name, shown)]),
        }
    }
}

/// What tells one thing from another without saying what it is.
pub(crate) fn short_digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let first = digest.first_chunk().copied().map(u64::from_be_bytes);
    format!("{:016x}", first.unwrap_or_default())
}

/// The name of a server whose program's name has no letter in it.
#[expect(clippy::expect_used, reason = "the text is a constant of the form that a server name has")]
fn unnamed() -> ServerName {
    ServerName::parse("server").expect("a server name")
}

/// The text of a file, if it is one.
fn text_of(path: &Path, surroundings: &dyn Surroundings) -> Result<String, ConfigErrors> {
    let shown = path.to_string_lossy();
    let bytes = surroundings.file(path).map_err(|error| {
        let message = format!("the file cannot be read: {}", secret::plain(&error));
        ConfigErrors::one(&shown, Place::default(), message, "name the file with `--config`")
    })?;
    if bytes.len() as u64 > LARGEST {
        return Err(too_large(&shown));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        not_text(&shown, error.as_bytes(), valid)
    })
}

/// A file in its normal form: sorted, in the short forms where they say the same, with the chosen environment laid over
/// it. It is read before, and errors are those of [`Config::load`]. Two files with the same normal form decide alike.
pub fn normal(path: &Path, surroundings: &dyn Surroundings) -> Result<String, ConfigErrors> {
    let file = path.to_string_lossy();
    let seal = Seal::open(path, surroundings)?;
    Config::load_sealed(path, &seal)?;
    let text = text_of(path, &seal)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if mcp_json::is_it(text) {
        let message = "the file of an MCP client holds no rules and has no normal form";
        return Err(ConfigErrors::one(&file, Place::default(), message, "name a lockgate.yaml"));
    }
    let report = Report::default();
    let root = yaml::read(text, Form::Yaml, &report)
        .map(|node| environment::lay(node, surroundings.variable("LOCKGATE_ENVIRONMENT"), &report));
    report.finish(&file, root.map(|root| normal::normal(&root)))
}

fn too_large(file: &str) -> ConfigErrors {
    ConfigErrors::one(file, Place::default(), "the file is larger than 8MiB", "is it the right file?")
}

fn not_text(file: &str, bytes: &[u8], valid: usize) -> ConfigErrors {
    let before = String::from_utf8_lossy(bytes.get(..valid).unwrap_or_default());
    let mut lines = before.split('\n');
    let place = Place {
        line: lines.clone().count(),
        column: lines.next_back().unwrap_or_default().chars().count() + 1,
    };
    ConfigErrors::one(file, place, "not UTF-8 text", "save the file as UTF-8")
}
