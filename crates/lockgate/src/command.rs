//! The command line.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use lockgate_model::ServerName;

use crate::config::{self, Config, Launch, Process, Surroundings, Trusting};
use crate::demo;
use crate::gateway::{Pipe, Watched, serve_http, serve_stdio};
use crate::{
    alerts, clients, import, inspect, log, operator, pin, records, rehearse, signing, tools, turn, witness,
};

/// A boundary gateway for the Model Context Protocol: data may pass between servers, control may not.
///
/// Exit codes: 0 all went well, 1 something failed, 2 the arguments or the configuration are wrong.
#[derive(Parser)]
#[command(name = "lockgate", version, max_term_width = 100)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show a cross-server attack, and how it is stopped; needs nothing but this program
    Demo(DemoOptions),
    /// Show which MCP clients are on this machine, what they start, and what that can do together
    Scan(clients::Scan),
    /// Write a first lockgate.yaml from the servers of the clients on this machine
    Init(clients::Init),
    /// Put Lockgate between a client and its servers, by rewriting the client's file
    Connect(clients::Connect),
    /// Take Lockgate out of a client's file again
    Disconnect(clients::Disconnect),
    /// Put Lockgate in front of one stdio server, for a client's configuration; no file needed
    #[command(after_help = "Example: lockgate wrap -- npx -y @modelcontextprotocol/server-filesystem /data")]
    Wrap {
        /// Rules for the server: a lockgate.yaml with exactly one server, whose command is replaced; or an Intercept policy
        #[arg(short, long, value_name = "FILE")]
        config: Option<PathBuf>,
        #[command(flatten)]
        trusted: signing::Trusted,
        /// The server's program and its arguments
        #[arg(last = true, required = true, value_name = "CMD")]
        command: Vec<String>,
    },
    /// Serve all configured servers over HTTP, at /mcp together and at /s/<server>/mcp alone
    Run {
        #[command(flatten)]
        file: File,
        /// Listen here instead of where the configuration says
        #[arg(long, value_name = "ADDRESS:PORT")]
        listen: Option<SocketAddr>,
    },
    /// Serve all configured servers to one client on standard input and output
    Stdio {
        #[command(flatten)]
        file: File,
        /// Serve this server alone, with its own names
        #[arg(long, value_name = "NAME")]
        server: Option<String>,
    },
    /// Say in plain words what a configuration means: servers, tiers, tools, who may do what
    Check {
        /// The configuration: a lockgate.yaml, or a client's mcp.json
        #[arg(default_value = "lockgate.yaml")]
        file: PathBuf,
        #[command(flatten)]
        trusted: signing::Trusted,
        /// One JSON object for machines
        #[arg(long)]
        json: bool,
        /// Print the configuration in its normal form instead, to compare two: sorted, short forms where they say the
        /// same, the chosen environment laid over it; secrets written in clear become names of variables
        #[arg(long, conflicts_with = "json")]
        normal: bool,
    },
    /// Try a policy on the cases beside it; no server is started and no secret needed
    Test(rehearse::TestOptions),
    /// Decide recorded requests again under a policy, and say what would be different; or whole recorded sessions
    Replay(records::ReplayOptions),
    /// Say what happened to one request, and why
    Explain(records::ExplainOptions),
    /// Draw whose data went to whom in a session, and what was stopped
    Flow(records::FlowOptions),
    /// Propose a policy that allows what was done and nothing else
    Learn(records::LearnOptions),
    /// Look for what is hidden, gives orders to a model, is secret or personal, in rows of texts or in a file
    Inspect(inspect::Options),
    /// Read, verify and prove the log of records that nobody can quietly change
    #[command(subcommand)]
    Log(log::Command),
    /// Sign checkpoints of other gateways' logs, once each is seen to continue the one before
    #[command(after_help = "Example: lockgate witness --state witness --log ~/kept/log.vkey")]
    Witness(witness::Options),
    /// Send a test alert through the channels of a configuration
    #[command(subcommand)]
    Alerts(alerts::Command),
    /// Ask the configured servers for their tools: class, effect, what the rules say, and which rules match nothing
    Tools(tools::Options),
    /// Make keys that lists of tools and configurations are signed with
    #[command(subcommand)]
    Keys(signing::KeysCommand),
    /// Sign what a server offers, and say whether it still offers that
    #[command(subcommand)]
    Manifest(signing::ManifestCommand),
    /// Sign a configuration, and say whether it is the one that was signed
    #[command(subcommand)]
    Config(signing::ConfigCommand),
    /// Write what servers are and say now into the lock file, or compare: versions, digests, definitions, owners
    Pin(pin::Options),
    /// Write rules of another gateway as rules of Lockgate
    #[command(subcommand)]
    Import(import::From),
    /// Print the JSON Schema of lockgate.yaml, for editors
    Schema,
    /// Tell the gateway what the user has written: for a host's hook, which gives the turn on standard input
    Turn(turn::Options),
    #[command(flatten)]
    Operator(operator::Command),
    /// The servers of the demo
    #[command(hide = true)]
    DemoServer {
        #[command(subcommand)]
        server: demo::Scripted,
    },
}

#[derive(Args)]
struct File {
    /// The configuration: a lockgate.yaml, or a client's mcp.json
    #[arg(short, long, default_value = "lockgate.yaml", value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    trusted: signing::Trusted,
}

#[derive(Args)]
struct DemoOptions {
    /// One JSON object for machines
    #[arg(long)]
    json: bool,
    /// Keep the folder with the databases and the records, and say where it is
    #[arg(long)]
    keep: bool,
}

/// The arguments or the configuration are wrong.
const WRONG: u8 = 2;

/// Runs the command the process was started with.
pub fn main() -> ExitCode {
    match Options::parse().command {
        Command::Demo(options) => demo::run(options.json, options.keep),
        Command::Scan(options) => tell(clients::scan(&options)),
        Command::Init(options) => tell(clients::init(&options)),
        Command::Connect(options) => tell(clients::connect(&options)),
        Command::Disconnect(options) => tell(clients::disconnect(&options)),
        Command::Wrap { config, trusted, command } => wrap(config, &trusted.surroundings(), command),
        Command::Run { file, listen } => watch(&file).map_or_else(wrong, |(config, watched)| {
            let listen = listen.unwrap_or(config.listen);
            if !listen.ip().is_loopback() && config.principals.is_empty() {
                return wrong(format!(
                    "`--listen {listen}` can be reached from other machines, and no principals are configured\n  hint: add `principals:` with a token for each, or listen on 127.0.0.1"
                ));
            }
            finish(serve_http(&config, listen, Some(watched)))
        }),
        Command::Stdio { file, server } => watch(&file).map_or_else(wrong, |(config, watched)| {
            let pipe = match server {
                None => Pipe::All,
                Some(name) => match ServerName::parse(&name) {
                    Some(server) => Pipe::One(server),
                    None => return wrong(format!("`{}` is not a server name", name.escape_default())),
                },
            };
            finish(serve_stdio(&config, &pipe, Some(watched)))
        }),
        Command::Check { file, normal: true, trusted, .. } => match config::normal(&file, &trusted.surroundings()) {
            Ok(text) => finish(print(&text)),
            Err(errors) => wrong(errors.to_string()),
        },
        Command::Check { file, json: false, .. } if config::is_intercept(&file, &Process) => {
            tell(import::run(&import::From::Intercept { file, server: "server".to_owned() }))
        }
        Command::Check { file, json: false, .. } if config::is_cross_server(&file, &Process) => {
            tell(import::run(&import::From::CrossServer { file }))
        }
        Command::Check { file, json, trusted, .. } => load(&file, &trusted.surroundings()).map_or_else(wrong, |config| {
            let text = if json { config::describe_json(&config).to_string() } else { config::describe(&config) };
            finish(print(&text))
        }),
        Command::Test(options) => tell(rehearse::test(&options)),
        Command::Replay(options) => tell(records::replay(&options)),
        Command::Explain(options) => tell(records::explain(&options)),
        Command::Flow(options) => tell(records::flow(&options)),
        Command::Learn(options) => tell(records::learn(&options)),
        Command::Inspect(options) => tell(inspect::run(&options)),
        Command::Log(command) => tell(log::run(&command)),
        Command::Witness(options) => finish(witness::run(&options)),
        Command::Alerts(command) => tell(alerts::run(&command)),
        Command::Tools(options) => match tools::run(options) {
            Ok((text, true)) => finish(print(&text)),
            Ok((text, false)) => print(&text).map_or_else(|error| finish(Err(error)), |()| ExitCode::FAILURE),
            Err(tools::Trouble::Wrong(error)) => wrong(error),
            Err(tools::Trouble::Failed(error)) => finish(Err(error)),
        },
        Command::Keys(command) => tell(signing::keys(&command)),
        Command::Manifest(command) => tell(signing::manifest(command)),
        Command::Config(command) => tell(signing::config(&command)),
        Command::Pin(options) => tell(pin::run(&options)),
        Command::Import(from) => tell(import::run(&from)),
        Command::Schema => match serde_json::to_string_pretty(&config::schema()) {
            Ok(text) => finish(print(&text)),
            Err(error) => finish(Err(error.to_string())),
        },
        Command::Turn(options) => finish(turn::run(&options)),
        Command::Operator(command) => operator::run(command),
        Command::DemoServer { server } => demo::serve(&server),
    }
}

fn wrap(file: Option<PathBuf>, surroundings: &dyn Surroundings, command: Vec<String>) -> ExitCode {
    let alone = file.as_ref().and_then(|file| Config::for_intercept(file, command.clone(), surroundings));
    let config = match &file {
        _ if alone.is_some() => alone.unwrap_or_else(|| Err(String::new())),
        None => Ok(Config::for_command(command)),
        Some(file) => load(file, surroundings).and_then(|mut config| {
            let mut launches = config.launches.values_mut();
            match (launches.next(), launches.next()) {
                (Some(launch), None) => {
                    let (env, cwd) = match launch {
                        Launch::Command { env, cwd, .. } => (std::mem::take(env), cwd.take()),
                        Launch::Http { .. } => (Vec::new(), None),
                    };
                    *launch = Launch::Command { command, env, cwd };
                    Ok(config)
                }
                _ => Err(format!(
                    "{} has several servers, and `wrap` is for one\n  hint: use `lockgate stdio -c {}`",
                    file.display(),
                    file.display()
                )),
            }
        }),
    };
    config.map_or_else(wrong, |config| match config.boundary.servers.keys().next().cloned() {
        Some(server) => finish(serve_stdio(&config, &Pipe::One(server), None)),
        None => wrong("there is no server".to_owned()),
    })
}

/// Loads a file that is watched from now on.
fn watch(file: &File) -> Result<(Config, Watched), String> {
    let surroundings: Trusting = file.trusted.surroundings();
    let watched = Watched::new(file.config.clone(), surroundings.clone());
    Ok((load(&file.config, &surroundings)?, watched))
}

fn load(file: &std::path::Path, surroundings: &dyn Surroundings) -> Result<Config, String> {
    Config::load(file, surroundings).map_err(|errors| errors.to_string())
}

fn print(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    writeln!(std::io::stdout().lock(), "{}", text.trim_end()).map_err(|error| error.to_string())
}

/// What a command has to say.
#[derive(Debug)]
pub struct Told {
    /// For standard output.
    pub text: String,
    /// The exit code.
    pub code: u8,
}

fn tell(told: Result<Told, String>) -> ExitCode {
    match told {
        Ok(told) => print(&told.text).map_or_else(|error| finish(Err(error)), |()| ExitCode::from(told.code)),
        Err(error) => wrong(error),
    }
}

fn wrong(error: String) -> ExitCode {
    complain(&error);
    ExitCode::from(WRONG)
}

fn finish(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// Says something on standard error.
pub(crate) fn complain(error: &str) {
    // Where standard error is gone there is nobody to tell.
    let _told = writeln!(std::io::stderr().lock(), "{error}");
}
