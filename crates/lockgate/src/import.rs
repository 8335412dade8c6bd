//! `lockgate import`: policies of other gateways, written as rules of Lockgate.

use std::path::PathBuf;

use clap::Subcommand;
use lockgate_model::ServerName;
use lockgate_policy::intercept::Policy;

use crate::command::Told;

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
}

/// Writes the rules. Exit code 0; errors of the file are returned.
pub(crate) fn run(from: &From) -> Result<Told, String> {
    let From::Intercept { file, server } = from;
    let shown = file.display();
    let name = ServerName::parse(server).ok_or_else(|| {
        format!(
            "`{}` is not a server name\n  hint: 1 to 32 of `a-z`, `0-9` and `-`, a letter first",
            server.escape_default()
        )
    })?;
    let text = std::fs::read_to_string(file).map_err(|error| {
        format!("{shown}: the file cannot be read: {}\n  hint: name an Intercept policy", error.kind())
    })?;
    let (policy, lints) = Policy::read(&text).map_err(|errors| {
        let lines: Vec<_> = errors.iter().map(|error| format!("{shown}:{error}")).collect();
        format!("{}\n  hint: docs/intercept.md says how such files are read", lines.join("\n"))
    })?;
    for lint in lints {
        crate::command::complain(&format!("{shown}:{lint}"));
    }
    Ok(Told { text: policy.to_native(name.as_str()), code: 0 })
}
