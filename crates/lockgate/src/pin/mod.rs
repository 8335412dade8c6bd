//! `lockgate pin`: writes `lockgate.lock`, or says what in it is not what servers are now.

mod look;
mod show;

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use lockgate_clients::replace;
use lockgate_model::ServerName;
use lockgate_provenance::lock::Lock;

use crate::command::Told;
use crate::config::{Config, Process, perhaps};
use look::Found;

#[derive(Args)]
#[command(
    after_help = "Servers are started, asked what they offer, and ended; no tool is called. Keep the file in your repository: what changes in it is what changed in your servers.\n\nExit codes: 0 the lock file is written, or says what the servers say; 1 with --check, there is a difference; a server could not be asked; 2 the arguments or the configuration are wrong."
)]
pub(crate) struct Options {
    /// The configuration: a lockgate.yaml, or a client's mcp.json
    #[arg(short, long, default_value = "lockgate.yaml", value_name = "FILE")]
    config: PathBuf,
    /// Look at this server alone, and leave the others as they are; may be given several times
    #[arg(long, value_name = "NAME")]
    server: Vec<String>,
    /// Write nothing; say what is different, and exit with 1 where anything is
    #[arg(long)]
    check: bool,
    /// Ask no registry who vouches for packages
    #[arg(long)]
    offline: bool,
    /// One JSON object for machines
    #[arg(long)]
    json: bool,
}

/// Looks at the servers and writes the lock file, or compares with it.
pub(crate) fn run(options: &Options) -> Result<Told, String> {
    let config = Config::load(&options.config, &Process).map_err(|errors| errors.to_string())?;
    let chosen = chosen(&config, &options.server)?;
    let found = look::at(&config, &chosen, options.offline)?;
    let text = if options.json {
        show::json(&config, &found, options.check)
    } else {
        show::text(&config, &found, options.check)
    };
    let unknown = found.iter().any(|found| found.offered.is_err());
    let different = found.iter().any(|found| found.differs(&config.lock));
    if options.check {
        return Ok(Told { text, code: u8::from(unknown || different) });
    }
    let lock = lock(&config, found, options.server.is_empty());
    let before = std::fs::read(&config.lock_file).ok();
    replace(&config.lock_file, before.as_deref(), lock.text().as_bytes())
        .map_err(|error| format!("{}: {error}", config.lock_file.display()))?;
    Ok(Told { text, code: u8::from(unknown) })
}

/// The servers to look at: those that are named, or all.
fn chosen(config: &Config, named: &[String]) -> Result<Vec<ServerName>, String> {
    let known: Vec<&str> = config.boundary.servers.keys().map(ServerName::as_str).collect();
    if named.is_empty() {
        return Ok(config.boundary.servers.keys().cloned().collect());
    }
    let named: BTreeSet<&String> = named.iter().collect();
    let find = |wanted: &String| {
        let found = config.boundary.servers.keys().find(|name| name.as_str() == wanted.as_str());
        let shown = wanted.escape_default();
        let hint = format!("{}there is {}", perhaps(wanted, &known), known.join(", "));
        found.cloned().ok_or_else(|| format!("no server `{shown}` is configured\n  hint: {hint}"))
    };
    named.into_iter().map(find).collect()
}

/// The lock file with what was found. A server that could not be asked stays as it was; one that is not configured any more
/// goes, where all were looked at.
fn lock(config: &Config, found: Vec<Found>, all: bool) -> Lock {
    let mut lock = Lock::clone(&config.lock);
    if all {
        lock.servers.retain(|server, _| config.boundary.servers.contains_key(server));
    }
    for Found { server, offered, .. } in found {
        if let Ok(locked) = offered {
            lock.servers.insert(server, locked);
        }
    }
    lock
}
