//! Who is at the command line.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::Problem;
use crate::config::{Config, Process, Surroundings};

/// Holds the token that proves who somebody is.
const TOKEN: &str = "LOCKGATE_TOKEN";

/// Who answers.
#[derive(Args)]
pub struct Who {
    /// Answer as this principal, whose token is in `$LOCKGATE_TOKEN` [default: `local:` and the name of the system's
    /// user]
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
    /// The configuration that has the principal
    #[arg(short, long, value_name = "FILE", default_value = "lockgate.yaml")]
    config: PathBuf,
}

impl Who {
    /// The name of who answers: proven by the system, or by a token.
    pub(super) fn name(&self) -> Result<String, Problem> {
        let Some(name) = &self.name else { return Ok(local()) };
        let config =
            Config::load(&self.config, &Process).map_err(|errors| Problem::Wrong(errors.to_string()))?;
        let proof = Process.variable(TOKEN).unwrap_or_default();
        prove(&config, name, &proof)
    }
}

/// One message for all that can be wrong: which principals there are is nobody's business.
pub(super) fn prove(config: &Config, name: &str, proof: &str) -> Result<String, Problem> {
    let mut proven = None;
    for (principal, token) in &config.principals {
        if token.matches(proof.as_bytes()) {
            proven = Some(principal.to_string());
        }
    }
    proven.filter(|proven| proven == name).ok_or_else(|| {
        let name = super::show::plain(name, 60);
        Problem::Refused(format!(
            "it is not proven that you are `{name}`\n  hint: `${TOKEN}` must hold the token of a principal of that name"
        ))
    })
}

/// The system's user, as the system knows it: variables such as `$USER` can say anything.
pub(crate) fn local() -> String {
    user(rustix::process::getuid().as_raw())
}

/// A user of this system, known by their number.
pub(crate) fn user(user: u32) -> String {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    named(&users, user).map_or_else(|| format!("local:uid-{user}"), |name| format!("local:{name}"))
}

/// The name of a user in the text of `/etc/passwd`.
pub(super) fn named(users: &str, user: u32) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, id) = (fields.next()?, fields.nth(1)?);
        (id.parse() == Ok(user) && !name.is_empty()).then_some(name)
    })
}
