//! Keys of our own, and what is signed with them: lists of what servers offer, and configurations.

mod configuration;
mod keys;
mod manifest;
mod offer;

pub(crate) use configuration::{Command as ConfigCommand, Trusted};
pub(crate) use keys::{Command as KeysCommand, SigningKey};
pub(crate) use manifest::Command as ManifestCommand;

use std::io;
use std::path::Path;

use crate::command::Told;
use crate::config::plain;

/// Makes keys. Exit code 0; what is wrong is returned.
pub(crate) fn keys(command: &KeysCommand) -> Result<Told, String> {
    keys::run(command)
}

/// Signs what servers offer, and compares. Exit code 0, or 1 where something differs or is not proven.
pub(crate) fn manifest(command: ManifestCommand) -> Result<Told, String> {
    manifest::run(command)
}

/// Signs configurations. Exit code 0, or 1 where something differs; what is wrong is returned.
pub(crate) fn config(command: &ConfigCommand) -> Result<Told, String> {
    configuration::run(command)
}

/// Largest file that is read. Bytes.
const LARGEST: u64 = 16 << 20;

/// A whole file; else what is wrong, and what it must be.
fn read(path: &Path, what: &str) -> Result<Vec<u8>, String> {
    let wrong =
        |error: &str| format!("{}: the file cannot be read: {error}\n  hint: name {what}", path.display());
    let file = std::fs::File::open(path).map_err(|error| wrong(&plain(&error)))?;
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(file, LARGEST + 1), &mut bytes)
        .map_err(|error| wrong(&plain(&error)))?;
    if bytes.len() as u64 > LARGEST { Err(wrong("it is larger than 16MiB")) } else { Ok(bytes) }
}

/// Writes a file whole or not at all: beside it first, then in its place.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        io::Write::write_all(&mut file, text.as_bytes())?;
        std::fs::set_permissions(file.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        file.as_file().sync_all()?;
        file.persist(path).map(drop).map_err(|error| error.error)
    });
    written.map_err(|error| format!("{}: the file cannot be written: {}", path.display(), plain(&error)))
}
