//! `lockgate scan`, `init`, `connect` and `disconnect`: the MCP clients of this machine, and Lockgate between them and their
//! servers.

mod connect;
mod draft;
mod init;
mod note;
mod scan;

use std::path::{Path, PathBuf};

use lockgate_clients::{Launch, Machine, Server, System, VARIABLES};

use crate::config::{Process, Surroundings};

pub(crate) use connect::{Connect, Disconnect, connect, disconnect};
pub(crate) use init::{Options as Init, init};
pub(crate) use scan::{Options as Scan, scan};

/// Most folders above the working folder that are looked at for a project.
const ABOVE: usize = 16;

/// This machine, as `surroundings` show it.
fn machine(surroundings: &dyn Surroundings) -> Result<Machine, String> {
    let home = ["HOME", "USERPROFILE"].iter().find_map(|name| surroundings.variable(name));
    let home = home.filter(|home| !home.is_empty()).map(PathBuf::from);
    let home = home.ok_or("nobody says where home is\n  hint: set `HOME`")?;
    let variables =
        VARIABLES.iter().filter_map(|name| Some(((*name).to_owned(), surroundings.variable(name)?)));
    let projects = projects(&surroundings.folder(), &home);
    let variables = variables.collect();
    Ok(Machine { system: System::own(), home, root: PathBuf::from("/"), projects, variables })
}

/// The folder, and those above it up to the one that git knows; home is no project.
fn projects(folder: &Path, home: &Path) -> Vec<PathBuf> {
    let above: Vec<&Path> = folder.ancestors().take(ABOVE).take_while(|folder| *folder != home).collect();
    let root = above.iter().position(|folder| folder.join(".git").exists());
    above.iter().take(root.map_or(1, |at| at + 1)).map(|folder| (*folder).to_owned()).collect()
}

/// A path for people: home as `~`.
fn shown(path: &Path, home: &Path) -> String {
    let text = match path.strip_prefix(home) {
        Ok(rest) if !rest.as_os_str().is_empty() => format!("~/{}", rest.display()),
        _ => path.display().to_string(),
    };
    lockgate_model::Untrusted::new(text).escaped(200)
}

/// The home folder of this process; nothing where nobody says.
fn home() -> PathBuf {
    ["HOME", "USERPROFILE"]
        .iter()
        .find_map(|name| Process.variable(name))
        .map(PathBuf::from)
        .unwrap_or_default()
}

/// Is this server Lockgate itself?
fn is_lockgate(server: &Server) -> bool {
    match &server.launch {
        Launch::Command { words, .. } => words.iter().take(2).any(|word| {
            let name = word.reveal().rsplit(['/', '\\']).next().unwrap_or_default();
            name == "lockgate" || name == "lockgate.exe"
        }),
        Launch::Remote { url, .. } => server.name == connect::NAME && url.reveal().contains("/c/"),
        Launch::Builtin => false,
    }
}
