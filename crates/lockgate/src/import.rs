//! `lockgate import`: policies of other gateways, written as rules of Lockgate.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use lockgate_model::ServerName;
use lockgate_policy::intercept::Policy;

use crate::command::Told;
use crate::config;

/// Whose policy it is.
#[derive(Subcommand)]
pub(crate) enum From {
    /// An Intercept policy (version 1). What the original would ignore is said on standard error
    #[command(after_help = "Example: lockgate import intercept policy.yaml --server github > lockgate.yaml")]
    Intercept {
        /// The policy
        file: PathBuf,
        /// The name of the server that the rules are for
        #[arg(long, default_value = "server", value_name = "NAME")]
        server: String,
    },
    /// A cross-server policy (SAFE-M-42): a `cross_server_policy` or an `invariant` document
    #[command(after_help = "Example: lockgate import cross-server policy.json > lockgate.yaml")]
    CrossServer {
        /// The policy
        file: PathBuf,
    },
}

/// Writes the rules. Exit code 0; errors of the file are returned.
pub(crate) fn run(from: &From) -> Result<Told, String> {
    match from {
        From::Intercept { file, server } => intercept(file, server),
        From::CrossServer { file } => cross_server(file),
    }
}

fn cross_server(file: &Path) -> Result<Told, String> {
    let text = text(file, "a cross-server policy")?;
    let shown = file.to_string_lossy();
    let text = config::import_cross_server(&text, &shown).map_err(|errors| errors.to_string())?;
    Ok(Told { text, code: 0 })
}

fn text(file: &Path, what: &str) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|error| {
        let shown = file.display();
        format!("{shown}: the file cannot be read: {}\n  hint: name {what}", error.kind())
    })
}

fn intercept(file: &Path, server: &str) -> Result<Told, String> {
    let shown = file.display();
    let name = ServerName::parse(server).ok_or_else(|| {
        format!(
            "`{}` is not a server name\n  hint: 1 to 32 of `a-z`, `0-9` and `-`, a letter first",
            server.escape_default()
        )
    })?;
    let text = text(file, "an Intercept policy")?;
    let (policy, lints) = Policy::read(&text).map_err(|errors| {
        let lines: Vec<_> = errors.iter().map(|error| format!("{shown}:{error}")).collect();
        format!("{}\n  hint: docs/intercept.md says how such files are read", lines.join("\n"))
    })?;
    for lint in lints {
        crate::command::complain(&format!("{shown}:{lint}"));
    }
    Ok(Told { text: policy.to_native(name.as_str()), code: 0 })
}
