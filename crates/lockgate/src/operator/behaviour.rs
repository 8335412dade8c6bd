//! `lockgate behaviour`.

use std::io::Write;

use clap::Args;
use lockgate_model::UnixMillis;
use lockgate_watch::behaviour::{Settings, View};
use serde_json::json;

use super::{Common, Problem, now, show};
use crate::gateway::{BEHAVIOUR_FILE, read_behaviour};

/// What is shown.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(options: &Options, out: &mut impl Write) -> Result<(), Problem> {
    let folder = options.common.folder()?;
    let file = folder.join(BEHAVIOUR_FILE);
    let known = read_behaviour(&file, Settings::default())
        .map_err(|error| Problem::Wrong(format!("{}: {error}", file.display())))?;
    let view = known.view(UnixMillis(now()));
    if options.common.json {
        writeln!(out, "{}", as_json(&view))?;
        return Ok(());
    }
    if view.principals.is_empty() && view.servers.is_empty() {
        // The wrong folder looks just like this.
        writeln!(out, "Nothing was learned yet (in {}).", folder.display())?;
        return Ok(());
    }
    for one in &view.principals {
        writeln!(out, "principal {}: risk {}", show::words(one.name.as_str()), one.risk)?;
        let said = format!(
            "{} occasions on {} days; {} tools, {} hosts, {} hours of the day; at most {} calls a minute, {} bytes sent out in ten minutes",
            one.occasions, one.days, one.tools, one.hosts, one.hours, one.calls_a_minute, one.sends
        );
        write!(out, "{}", show::sentence(&said, 2))?;
    }
    for one in &view.servers {
        writeln!(out, "server {}: reputation {}", one.name, one.reputation)?;
        write!(out, "{}", show::sentence(&format!("at most {} calls a minute", one.calls_a_minute), 2))?;
    }
    for one in &view.tools {
        writeln!(out, "tool {} of {}", show::plain(&one.name, 100), one.server)?;
        let said = format!(
            "{} occasions; {} forms of arguments, {} hosts; at most {} bytes of arguments, {} of answers, {} calls a minute, the same call {} times in ten minutes",
            one.occasions, one.shapes, one.hosts, one.arguments, one.results, one.calls_a_minute, one.repeats
        );
        write!(out, "{}", show::sentence(&said, 2))?;
    }
    writeln!(out, "At most: but for one time in a hundred.")?;
    Ok(())
}

fn as_json(view: &View) -> serde_json::Value {
    let principals = view.principals.iter().map(|one| {
        json!({
            "principal": one.name.as_str(), "risk": one.risk, "occasions": one.occasions, "days": one.days,
            "tools": one.tools, "hosts": one.hosts, "hours": one.hours,
            "calls_a_minute": one.calls_a_minute, "sent_bytes": one.sends,
        })
    });
    let servers = view.servers.iter().map(|one| {
        json!({
            "server": one.name.as_str(), "reputation": one.reputation, "calls_a_minute": one.calls_a_minute,
        })
    });
    let tools = view.tools.iter().map(|one| {
        json!({
            "server": one.server.as_str(), "tool": one.name, "occasions": one.occasions, "shapes": one.shapes,
            "hosts": one.hosts, "arguments_bytes": one.arguments, "result_bytes": one.results,
            "repeats": one.repeats, "calls_a_minute": one.calls_a_minute,
        })
    });
    json!({
        "principals": principals.collect::<Vec<_>>(),
        "servers": servers.collect::<Vec<_>>(),
        "tools": tools.collect::<Vec<_>>(),
    })
}
