//! `lockgate connect` and `disconnect`: a client's file rewritten so that its servers go through Lockgate, and back.

mod fit;

use std::path::{Path, PathBuf};

use clap::Args;
use lockgate_clients::edit::{Section, mask};
use lockgate_clients::{
    Client, Format, Found, Hider, Route, Scope, Secret, Text, diff, entry, of_file, read, replace, survey,
};
use lockgate_model::Untrusted;

use super::draft::{Draft, Source};
use super::note::{Note, digest};
use super::{init, is_lockgate, shown};
use crate::command::Told;
use crate::config::Process;

/// The name of the entry that stands in place of the others.
pub(super) const NAME: &str = "lockgate";

/// Puts Lockgate between a client and its servers: they go into the configuration, and one entry stands in their place, so
/// that one Lockgate knows what each of them says. `lockgate disconnect` takes it back.
#[derive(Args)]
#[command(after_help = "Example: lockgate connect claude-code --dry-run")]
pub(crate) struct Connect {
    /// The client, as `claude-code`; `lockgate scan` shows which there are
    #[arg(value_name = "CLIENT")]
    client: String,
    /// The configuration. Written where it is not there; one that is there must have the servers already
    #[arg(short, long, default_value = "lockgate.yaml", value_name = "FILE")]
    config: PathBuf,
    /// Take this server alone; can be given again. Without it, all that are switched on
    #[arg(long, value_name = "NAME")]
    server: Vec<String>,
    /// Rewrite this file of the client, instead of the user's
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Let the client connect to a gateway that runs (`lockgate run`), instead of starting one of its own
    #[arg(long)]
    http: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// Takes Lockgate out again: the client's file is what it was before, with what was changed in it since.
#[derive(Args)]
pub(crate) struct Disconnect {
    /// The client
    #[arg(value_name = "CLIENT")]
    client: String,
    /// The file that was named when it was connected
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// What would be, and has not been written yet.
struct Plan {
    text: Text,
    made: String,
    note: Note,
    /// The configuration, where it has to be written.
    config: Option<String>,
    variables: Vec<String>,
}

/// Puts Lockgate in between.
pub(crate) fn connect(options: &Connect) -> Result<Told, String> {
    let client = init::client(&options.client)?;
    let file = choose(client, options.file.as_deref())?;
    let shown_file = shown(&file.path, &super::home());
    if Note::places(&file.path).0.exists() {
        return already(&file, &shown_file);
    }
    let hider = Hider::new();
    let config = std::path::absolute(&options.config)
        .map_err(|error| format!("{}: {}", options.config.display(), error.kind()))?;
    let section = section_of(&file, &shown_file)?;
    let draft = drafted(options, &file, &section, &hider, &shown_file)?;
    let plan = plan(options, client, &file, section, &draft, &config, &shown_file)?;
    let count = init::servers(plan.note.entries.len());
    if options.dry_run {
        let mut out = difference(&plan.text.text, &plan.made, &file.path, &hider);
        if let Some(text) = &plan.config {
            out.push_str(&format!("\n{} would be written:\n\n{text}", config.display()));
        }
        return Ok(Told { text: out, code: 0 });
    }
    carry_out(&plan, &file.path, &config)?;
    let mut out = format!("{}: {count} of {shown_file} now behind Lockgate", client.name);
    if plan.config.is_some() {
        out.push_str(&format!(", in {}", config.display()));
    }
    out.push_str(".\n");
    for (name, why) in &draft.left_out {
        out.push_str(&format!("Left as it is: {name}: {why}\n"));
    }
    let other =
        |server: &&lockgate_clients::Server| server.section != plan.note.section && !is_lockgate(server);
    let others = file.servers.iter().filter(other).count();
    if others > 0 {
        let others = init::servers(others);
        out.push_str(&format!("Left as it is: {others} of other sections, such as single projects\n"));
    }
    if options.http {
        out.push_str(&format!("Start the gateway: lockgate run -c {}\n", config.display()));
        for variable in &plan.variables {
            out.push_str(&format!("  with {variable} set\n"));
        }
    }
    out.push_str(&format!(
        "Start {} anew. The file as it was is beside it; `lockgate disconnect {}` puts it back.",
        client.name, client.id
    ));
    Ok(Told { text: out, code: 0 })
}

/// The file to rewrite: the one that was named, else the user's first that has servers.
fn choose(client: &'static Client, named: Option<&Path>) -> Result<Found, String> {
    let all = survey(&super::machine(&Process)?).files;
    let mut own = all.into_iter().filter(|file| file.client.is_some_and(|known| known.id == client.id));
    if let Some(path) = named {
        let same = |file: &Found| {
            let (one, other) = (file.path.canonicalize(), path.canonicalize());
            one.is_ok_and(|one| other.is_ok_and(|other| one == other))
        };
        return Ok(own.find(same).unwrap_or_else(|| of_file(path)));
    }
    let own: Vec<Found> = own.filter(|file| file.scope == Scope::User).collect();
    let noted = own.iter().position(|file| Note::places(&file.path).0.exists());
    let chosen = noted
        .or_else(|| own.iter().position(|file| !file.servers.is_empty()))
        .or((!own.is_empty()).then_some(0));
    chosen.and_then(|at| own.into_iter().nth(at)).ok_or_else(|| {
        format!("{} has no file of the user here\n  hint: name one with `--file`", client.name)
    })
}

/// The section whose servers go: the first that is not of one project alone.
fn section_of(file: &Found, shown: &str) -> Result<Vec<String>, String> {
    let of_all = |keys: &&Vec<String>| keys.first().is_none_or(|key| key != "projects");
    let found = file.servers.iter().map(|server| &server.section).find(of_all);
    found.cloned().ok_or_else(|| {
        let hint = file.faults.first().map_or_else(
            || "`lockgate scan` shows where there are some".to_owned(),
            |fault| format!("{}:{}: {}", fault.place.line, fault.place.column, fault.trouble),
        );
        format!("{shown} has no servers\n  hint: {hint}")
    })
}

fn drafted(
    options: &Connect,
    file: &Found,
    section: &[String],
    hider: &Hider,
    shown: &str,
) -> Result<Draft, String> {
    let all: Vec<Source<'_>> =
        init::sources(file).filter(|source| source.server.section == section).collect();
    if let Some(missing) = options.server.iter().find(|name| !all.iter().any(|one| one.server.name == **name))
    {
        return Err(format!("{shown} has no server `{}`", missing.escape_default()));
    }
    let wanted =
        |source: &Source<'_>| options.server.is_empty() || options.server.contains(&source.server.name);
    let sources: Vec<Source<'_>> = all.into_iter().filter(wanted).collect();
    let draft = Draft::of(&sources, hider);
    match draft.left_out.first() {
        Some((name, why)) if !options.server.is_empty() || draft.entries.is_empty() => {
            Err(format!("{name} cannot go through Lockgate: {why}"))
        }
        _ => Ok(draft),
    }
}

fn plan(
    options: &Connect,
    client: &'static Client,
    file: &Found,
    section: Vec<String>,
    draft: &Draft,
    config: &Path,
    shown: &str,
) -> Result<Plan, String> {
    let text = read(&file.path).map_err(|trouble| format!("{shown}: {trouble}"))?;
    if let Some(fault) = &text.fault {
        return Err(format!("{shown}: {}\n  hint: save it as UTF-8", fault.trouble));
    }
    let (written, loaded) = fit::configuration(draft, config)?;
    let handed = fit::variables(&loaded, draft, config)?;
    let moved = |launch| draft.entries.iter().any(|entry| entry.launch == launch);
    let entries: Vec<String> = file
        .servers
        .iter()
        .filter(|server| server.section == section && server.enabled && moved(server.launch.clone()))
        .filter(|server| options.server.is_empty() || options.server.contains(&server.name))
        .map(|server| server.name.clone())
        .collect();
    let route = if options.http {
        if !loaded.principals.is_empty() {
            return Err(format!(
                "{} wants a token of who connects\n  hint: leave `--http` out, or write the entry by hand",
                config.display()
            ));
        }
        Route::Http { url: format!("http://{}/c/{}/mcp", loaded.listen, client.id) }
    } else {
        let program =
            std::env::current_exe().map_err(|error| format!("this program is nowhere: {}", error.kind()))?;
        let word = |text: &str| text.to_owned();
        let file = config.to_string_lossy().into_owned();
        Route::Stdio {
            words: vec![program.to_string_lossy().into_owned(), word("stdio"), word("-c"), file],
            env: handed.values.clone(),
            inherits: handed.inherits.clone(),
        }
    };
    let entry = entry(client, NAME, &route).ok_or_else(|| {
        format!("{} does not speak HTTP to servers\n  hint: leave `--http` out", client.name)
    })?;
    let format = Format::of(&file.path);
    let made =
        Section { format, keys: &section }.put(&text.text, &entries, NAME, &entry).map_err(|refusal| {
            let by_hand = by_hand(&entry, &handed.values);
            format!("{shown}: {refusal}\n  hint: put this in place of the servers, as `{NAME}`: {by_hand}")
        })?;
    let note = Note {
        client: client.id.to_owned(),
        section,
        entries,
        original: digest(&bytes(&text, &text.text)),
        written: digest(&bytes(&text, &made)),
    };
    let variables = handed.values.iter().map(|(name, _)| name.clone()).chain(handed.inherits).collect();
    Ok(Plan { text, made, note, config: written, variables })
}

/// An entry for people, without the values of variables.
fn by_hand(entry: &serde_json::Value, values: &[(String, Secret)]) -> String {
    let mut shown = entry.to_string();
    for (_, value) in values {
        shown = shown.replace(&serde_json::Value::from(value.reveal()).to_string(), "\"…\"");
    }
    shown
}

fn bytes(text: &Text, own: &str) -> Vec<u8> {
    if text.marked { ["\u{feff}", own].concat().into_bytes() } else { own.as_bytes().to_vec() }
}

/// Everything is written, or as far as it can be nothing.
fn carry_out(plan: &Plan, file: &Path, config: &Path) -> Result<(), String> {
    let (note, backup) = Note::places(file);
    let original = bytes(&plan.text, &plan.text.text);
    if let Some(text) = &plan.config {
        init::write(config, None, text)?;
    }
    let undo = |error: String| {
        for made in [&note, &backup] {
            // What is left behind is said by the next `connect`.
            let _removed = std::fs::remove_file(made);
        }
        error
    };
    init_backup(&backup, &original)?;
    replace(&note, None, plan.note.write().as_bytes())
        .map_err(|error| undo(format!("{}: {error}", note.display())))?;
    replace(file, Some(&original), &bytes(&plan.text, &plan.made))
        .map_err(|error| undo(format!("{}: {error}", file.display())))
}

fn init_backup(backup: &Path, original: &[u8]) -> Result<(), String> {
    if std::fs::read(backup).is_ok_and(|there| there == original) {
        return Ok(());
    }
    replace(backup, None, original).map_err(|error| {
        format!(
            "{}: {error}\n  hint: is it of an earlier `connect`? Put it back or remove it",
            backup.display()
        )
    })
}

/// The file was connected before.
fn already(file: &Found, shown: &str) -> Result<Told, String> {
    if !file.servers.iter().any(is_lockgate) {
        let (note, backup) = Note::places(&file.path);
        return Err(format!(
            "{shown} was connected, and the entry of Lockgate is gone\n  hint: the file as it was is {}; remove it and {} to connect again",
            backup.display(),
            note.display()
        ));
    }
    let since: Vec<String> = file
        .servers
        .iter()
        .filter(|server| server.enabled && server.bound.is_none() && !is_lockgate(server))
        .filter(|server| server.section.first().is_none_or(|key| key != "projects"))
        .map(|server| Untrusted::new(&server.name).escaped(64))
        .collect();
    let more = if since.is_empty() {
        String::new()
    } else {
        format!("\nNot through it: {}. Disconnect and connect again to take them in.", since.join(", "))
    };
    Ok(Told { text: format!("{shown} is connected already.{more}"), code: 0 })
}

/// What would change, without secrets.
fn difference(before: &str, after: &str, path: &Path, hider: &Hider) -> String {
    let format = Format::of(path);
    let name = shown(path, &super::home());
    diff::unified(&mask(before, format, hider), &mask(after, format, hider), &name)
}

/// Takes Lockgate out.
pub(crate) fn disconnect(options: &Disconnect) -> Result<Told, String> {
    let client = init::client(&options.client)?;
    let file = choose(client, options.file.as_deref())?;
    let shown_file = shown(&file.path, &super::home());
    let (note_place, backup_place) = Note::places(&file.path);
    if !note_place.exists() {
        return Ok(Told { text: format!("{shown_file} is not connected."), code: 0 });
    }
    let broken = || format!("{}: this is no note of `connect`", note_place.display());
    let note = read(&note_place).ok().and_then(|note| Note::read(&note.text)).ok_or_else(broken)?;
    if note.client != client.id {
        return Err(format!("{shown_file} was connected for {}", Untrusted::new(&note.client).escaped(64)));
    }
    let backup = read(&backup_place).map_err(|trouble| format!("{}: {trouble}", backup_place.display()))?;
    if digest(&bytes(&backup, &backup.text)) != note.original {
        return Err(format!(
            "{}: this is not the file as it was\n  hint: nothing was changed",
            backup_place.display()
        ));
    }
    let now = read(&file.path).map_err(|trouble| format!("{shown_file}: {trouble}"))?;
    let held = bytes(&now, &now.text);
    let (made, whole) = if digest(&held) == note.written {
        (bytes(&backup, &backup.text), true)
    } else {
        let section = Section { format: Format::of(&file.path), keys: &note.section };
        let made = section.restore(&now.text, &backup.text, NAME, &note.entries).map_err(|refusal| {
            format!(
                "{shown_file}: {refusal}\n  hint: the file as it was is {}; put back by hand what you need",
                backup_place.display()
            )
        })?;
        (bytes(&now, &made), false)
    };
    if options.dry_run {
        let after = String::from_utf8_lossy(&made).trim_start_matches('\u{feff}').to_owned();
        return Ok(Told { text: difference(&now.text, &after, &file.path, &Hider::new()), code: 0 });
    }
    replace(&file.path, Some(&held), &made).map_err(|error| format!("{shown_file}: {error}"))?;
    for place in [&note_place, &backup_place] {
        std::fs::remove_file(place).map_err(|error| format!("{}: {}", place.display(), error.kind()))?;
    }
    let how = if whole { "as it was" } else { "as it was, with what was changed since" };
    let text = format!(
        "{}: {shown_file} is {how}. The configuration of Lockgate stays; start {} anew.",
        client.name, client.name
    );
    Ok(Told { text, code: 0 })
}
