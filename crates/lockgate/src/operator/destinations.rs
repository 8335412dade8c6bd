//! `lockgate destinations`.

use std::io::Write;

use clap::{Args, Subcommand};
use lockgate_audit::digest;
use lockgate_store::Destinations;
use serde_json::{Value, json};

use super::{Common, Problem, now, show};

/// What to do with what was learned.
#[derive(Subcommand)]
pub enum Command {
    /// List the values that count, the newest last
    List {
        #[command(flatten)]
        common: Common,
    },
    /// Take a value back, of every principal: whoever sends something there in a new session is asked again
    Forget(Forget),
}

/// What to forget.
#[derive(Args)]
#[group(id = "what", required = true, args = ["value", "all"])]
pub struct Forget {
    /// The value, as `lockgate destinations list --json` has it
    value: Option<String>,
    /// All of them
    #[arg(long, conflicts_with = "value")]
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
                    "value": one.value, "principal": one.principal, "server": one.server, "tool": one.tool,
                    "argument": one.argument, "learned": show::moment(one.learned), "until": show::moment(one.until),
                })
            })
            .collect();
        writeln!(out, "{}", json!({ "destinations": listed }))?;
        return Ok(());
    }
    if listed.is_empty() {
        // The wrong folder looks just like this.
        writeln!(out, "Nothing was approved for later sessions (in {}).", common.folder()?.display())?;
    }
    for one in &listed {
        let (principal, server) = (show::plain(&one.principal, 60), show::plain(&one.server, 60));
        let (tool, argument) = (show::plain(&one.tool, 100), show::plain(&one.argument, 100));
        let left = show::left(one.until, now);
        let said = format!(
            "for {principal}, since {} in `{argument}` of tool `{tool}` of server `{server}`, {left} left",
            show::moment(one.learned)
        );
        write!(out, "{}\n{}", show::plain(&one.value, 1_024), show::sentence(&said, 2))?;
    }
    Ok(())
}

fn forget(options: &Forget, out: &mut impl Write) -> Result<(), Problem> {
    let gone = open(&options.common)?.forget(options.value.as_deref())?;
    if gone > 0 {
        let about = options.value.as_ref().map(|value| format!("sha256:{}", digest(value.as_bytes())));
        let why = (gone > 1).then(|| format!("{gone} values"));
        super::note(&options.common, "destination", "forgotten", about, why)?;
    }
    if gone == 0 && !options.all {
        let hint = "`lockgate destinations list --json` shows those there are";
        return Err(Problem::Refused(format!("this value was not learned\n  hint: {hint}")));
    }
    if options.common.json {
        writeln!(out, "{}", json!({ "forgotten": gone }))?;
    } else {
        let what = if gone == 1 { "1 value is" } else { &format!("{gone} values are") };
        writeln!(out, "{what} forgotten, for sessions that begin from now on.")?;
    }
    Ok(())
}

fn open(common: &Common) -> Result<Destinations, Problem> {
    let folder = common.folder()?;
    Destinations::open(&folder).map_err(|error| Problem::file(&folder, Destinations::FILE, &error))
}
