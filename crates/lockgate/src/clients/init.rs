//! `lockgate init`: a first `lockgate.yaml` from what the clients of this machine have.

use std::path::{Path, PathBuf};

use clap::Args;
use lockgate_clients::{CLIENTS, Client, Found, Hider, replace, survey};

use super::draft::{Draft, Source};
use crate::command::Told;
use crate::config::{Process, perhaps};

/// Writes a configuration with every server of the clients of this machine; the clients' files stay as they are.
#[derive(Args)]
#[command(after_help = "Example: lockgate init --client claude-code --client cursor")]
pub(crate) struct Options {
    /// Take the servers of this client; can be given again. Without it, of all
    #[arg(long, value_name = "CLIENT")]
    client: Vec<String>,
    /// Take this server; can be given again. Without it, all
    #[arg(long, value_name = "NAME")]
    server: Vec<String>,
    /// The file to write
    #[arg(short, long, default_value = "lockgate.yaml", value_name = "FILE")]
    output: PathBuf,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

/// The client of that word.
pub(super) fn client(id: &str) -> Result<&'static Client, String> {
    let known: Vec<&str> = CLIENTS.iter().map(|client| client.id).collect();
    Client::by_id(id).ok_or_else(|| {
        let hint = format!("{}there is {}", perhaps(id, &known), known.join(", "));
        format!("no client `{}` is known\n  hint: {hint}", id.escape_default())
    })
}

/// Writes the file and says what is in it.
pub(crate) fn init(options: &Options) -> Result<Told, String> {
    let wanted = options.client.iter().map(|id| client(id)).collect::<Result<Vec<_>, _>>()?;
    let before = before(&options.output, options.force)?;
    let files = survey(&super::machine(&Process)?).files;
    let takes = |file: &&Found| {
        file.client.is_some_and(|client| wanted.is_empty() || wanted.iter().any(|one| one.id == client.id))
    };
    let sources: Vec<Source<'_>> = files.iter().filter(takes).flat_map(sources).collect();
    let chosen =
        |source: &Source<'_>| options.server.is_empty() || options.server.contains(&source.server.name);
    if let Some(missing) =
        options.server.iter().find(|name| !sources.iter().any(|one| one.server.name == **name))
    {
        let known: Vec<&str> = sources.iter().map(|source| source.server.name.as_str()).collect();
        let hint = format!("{}`lockgate scan` shows them all", perhaps(missing, &known));
        return Err(format!("no client has a server `{}`\n  hint: {hint}", missing.escape_default()));
    }
    let sources: Vec<Source<'_>> = sources.into_iter().filter(chosen).collect();
    let draft = Draft::of(&sources, &Hider::new());
    if draft.entries.is_empty() {
        return Err("no client of this machine has a server that Lockgate can be put before\n  hint: `lockgate scan` shows what was looked at".to_owned());
    }
    write(&options.output, before.as_deref(), &draft.file("init"))?;
    Ok(Told { text: said(&draft, &options.output), code: 0 })
}

/// Each server of a file, and where it stands.
pub(super) fn sources(file: &Found) -> impl Iterator<Item = Source<'_>> {
    let client = file.client.map_or("a file", |client| client.name);
    let path = super::shown(&file.path, &super::home());
    file.servers
        .iter()
        .map(move |server| Source { server, from: format!("From {client}, {path}:{}", server.place.line) })
}

/// What is in the file that is to be written.
fn before(path: &Path, force: bool) -> Result<Option<Vec<u8>>, String> {
    if path.symlink_metadata().is_err() {
        return Ok(None);
    }
    if !force {
        return Err(format!(
            "{} is there already\n  hint: name another with `--output`, or write over it with `--force`",
            path.display()
        ));
    }
    std::fs::read(path).map(Some).map_err(|error| format!("{}: {}", path.display(), error.kind()))
}

/// Writes a configuration that is read by its owner alone where it is new.
pub(super) fn write(path: &Path, before: Option<&[u8]>, text: &str) -> Result<(), String> {
    replace(path, before, text.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))
}

fn said(draft: &Draft, path: &Path) -> String {
    let mut out = format!("{} has {}:\n", path.display(), servers(draft.entries.len()));
    for entry in &draft.entries {
        out.push_str(&format!("  {}\n", entry.name));
    }
    for (name, why) in &draft.left_out {
        out.push_str(&format!("Left out: {name}: {why}\n"));
    }
    if !draft.variables.is_empty() {
        out.push_str("No value that may be a secret was copied. Set these where Lockgate is started:\n");
        for variable in draft.variables.keys() {
            out.push_str(&format!("  {variable}\n"));
        }
    }
    out.push_str(&format!(
        "Next: `lockgate check {0}` says what it means, and `lockgate connect CLIENT -c {0}` puts it in between; with that\nthe client hands the variables over.",
        path.display()
    ));
    out
}

pub(super) fn servers(count: usize) -> String {
    if count == 1 { "1 server".to_owned() } else { format!("{count} servers") }
}
