//! `lockgate tokens`.

use std::io::Write;

use clap::{Args, Subcommand};
use lockgate_store::Vault;
use serde_json::{Value, json};

use super::{Common, Problem, now, show};

/// What to do with tokens of personal data.
#[derive(Subcommand)]
pub enum Command {
    /// List the tokens that later sessions know, the newest last; never what they stand for
    List {
        #[command(flatten)]
        common: Common,
    },
    /// Forget what tokens stand for: later sessions do not know them until the data is seen again
    Forget(Forget),
}

/// What to forget.
#[derive(Args)]
#[group(id = "what", required = true, multiple = true, args = ["token", "principal", "all"])]
pub struct Forget {
    /// The token
    token: Option<String>,
    /// Those of one principal
    #[arg(long)]
    principal: Option<String>,
    /// All of them
    #[arg(long, conflicts_with_all = ["token", "principal"])]
    all: bool,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(command: Command, out: &mut impl Write) -> Result<(), Problem> {
    match command {
        Command::List { common } => list(&common, out),
        Command::Forget(options) => forget(&options, out),
    }
}

pub(super) fn list(common: &Common, out: &mut impl Write) -> Result<(), Problem> {
    let now = now();
    let listed = open(common)?.list(now)?;
    if common.json {
        let listed: Vec<Value> = listed
            .iter()
            .map(|one| {
                json!({
                    "token": one.handle, "principal": one.principal, "server": one.server,
                    "kept": show::moment(one.kept), "until": show::moment(one.until),
                })
            })
            .collect();
        writeln!(out, "{}", json!({ "tokens": listed }))?;
        return Ok(());
    }
    if listed.is_empty() {
        // The wrong folder looks just like this.
        writeln!(out, "No tokens are kept (in {}).", common.folder()?.display())?;
    }
    for one in &listed {
        let (principal, server) = (show::plain(&one.principal, 60), show::plain(&one.server, 60));
        let said = format!(
            "for {principal}, from server `{server}`, kept {}, {} left",
            show::moment(one.kept),
            show::left(one.until, now)
        );
        write!(out, "{}\n{}", show::plain(&one.handle, 200), show::sentence(&said, 2))?;
    }
    Ok(())
}

fn forget(options: &Forget, out: &mut impl Write) -> Result<(), Problem> {
    let gone = open(&options.common)?.forget(options.token.as_deref(), options.principal.as_deref())?;
    if gone > 0 {
        let why = (gone > 1).then(|| format!("{gone} tokens"));
        super::note(&options.common, "token", "forgotten", options.token.clone(), why)?;
    }
    if gone == 0 && !options.all {
        let hint = "`lockgate tokens list` shows those there are";
        return Err(Problem::Refused(format!("no such token is kept\n  hint: {hint}")));
    }
    if options.common.json {
        writeln!(out, "{}", json!({ "forgotten": gone }))?;
    } else {
        let what = if gone == 1 { "1 token is" } else { &format!("{gone} tokens are") };
        writeln!(out, "{what} forgotten, for sessions that begin from now on.")?;
    }
    Ok(())
}

fn open(common: &Common) -> Result<Vault, Problem> {
    let folder = common.folder()?;
    Vault::open(&folder).map_err(|error| Problem::file(&folder, Vault::FILE, &error))
}
