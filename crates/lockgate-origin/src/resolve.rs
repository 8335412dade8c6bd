use std::path::Path;

use url::Url;

use crate::found::{Found, Start};
use crate::origin::{Kind, Origin};
use crate::setting::{Setting, name_of};
use crate::tree::{Cache, Tree};
use crate::unresolved::Unresolved;
use crate::{cargo, npm, oci, owner, pypi, read, registry, script};

/// Finds what a command would start, by reading the disk alone. Reads every file of it unless the cache knows them all.
pub fn resolve(setting: &Setting<'_>, cache: &Cache) -> Result<Found, Unresolved> {
    let mut found = by_name(setting, cache)?;
    if let Some(folder) = &found.folder {
        found.owner = std::mem::take(&mut found.owner).or(registry::owner(folder, &found.origin.name));
    }
    Ok(found)
}

/// Where a server elsewhere is: its scheme, host and port. The key is not known before it was spoken to.
pub fn remote(address: &str) -> Option<Origin> {
    let address = Url::parse(address).ok()?;
    let host = address.host_str()?.to_ascii_lowercase();
    let port = address.port().map_or_else(String::new, |port| format!(":{port}"));
    Some(Origin { by: Some(address.scheme().to_owned()), ..Origin::new(Kind::Remote, host + &port) })
}

fn by_name(setting: &Setting<'_>, cache: &Cache) -> Result<Found, Unresolved> {
    let written = setting.command.first().ok_or(Unresolved::NoProgram)?;
    let name = name_of(Path::new(written));
    if name == "env" {
        return behind_env(setting, cache);
    }
    if let Some(found) = npm::resolve(setting, &name, cache)? {
        return Ok(found);
    }
    if let Some(found) = pypi::launched(setting, &name, cache)? {
        return Ok(found);
    }
    if let Some(found) = oci::resolve(setting, &name)? {
        return Ok(found);
    }
    let program = setting.program(written)?;
    if let Some(found) = script::resolve(setting, &program, cache)? {
        return Ok(found);
    }
    let real = program.canonicalize().map_err(|_| Unresolved::NoProgram)?;
    let mut found = of_file(setting, &program, &real, cache)?;
    if found.start.is_none() {
        let mut command = setting.command.to_vec();
        // The file that was looked at, not what the search finds the next time.
        if let Some(first) = command.first_mut() {
            *first = program.to_string_lossy().into_owned();
        }
        found.start = Some(Start { command, environment: Vec::new() });
    }
    Ok(found)
}

/// What a program's own file belongs to.
fn of_file(setting: &Setting<'_>, program: &Path, real: &Path, cache: &Cache) -> Result<Found, Unresolved> {
    if let Some(package) = npm::of_file(real) {
        return npm::found(&package, cache);
    }
    let head = read::head(real);
    if let Some(found) = pypi::console_script(setting, program, &head, cache)? {
        return Ok(found);
    }
    if !head.is_empty() {
        return script::with_first_line(setting, real, &head, cache);
    }
    let mut tree = Tree::new();
    tree.add("", real);
    let files = Some(tree.digest(cache)?);
    if let Some(installed) = cargo::of_file(setting, real) {
        let origin =
            Origin { version: Some(installed.version), files, ..Origin::new(Kind::Crate, installed.name) };
        return Ok(Found { owner: installed.owner, ..Found::new(origin) });
    }
    let name = owner::shown(&name_of(real)).ok_or(Unresolved::NoProgram)?;
    Ok(Found::new(Origin { files, ..Origin::new(Kind::Binary, name) }))
}

/// `env NAME=value… program`: what it starts, with what it sets.
fn behind_env(setting: &Setting<'_>, cache: &Cache) -> Result<Found, Unresolved> {
    let arguments = setting.command.get(1..).unwrap_or_default();
    let set = arguments.iter().take_while(|word| word.contains('=') && !word.starts_with('-')).count();
    let (set, command) = arguments.split_at_checked(set).unwrap_or_default();
    if command.first().is_some_and(|word| word.starts_with('-')) {
        return Err(Unresolved::Option);
    }
    let set: Vec<(String, String)> = set
        .iter()
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let environment = [setting.environment, &set].concat();
    let mut found = by_name(&Setting { command, environment: &environment, ..*setting }, cache)?;
    if let Some(start) = &mut found.start {
        start.environment.splice(0..0, set);
    }
    Ok(found)
}
