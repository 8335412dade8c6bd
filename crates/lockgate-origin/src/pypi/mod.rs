//! Packages of Python: console scripts, modules, and what `uvx` and `pipx` have installed.
//!
//! Python loads whatever lies in the environment's `site-packages`, whoever put it there: a file named like a module that is
//! looked for, or a `.pth` file that runs at every start. So the whole folder is digested, and not only what belongs to the
//! package. What stands in the lists of the packages (`RECORD`) must be there as well, with the digests of the lists.

mod distribution;
mod environment;
mod index;
mod launcher;
mod wheel;

use std::path::Path;

use crate::found::{Found, Start};
use crate::origin::{Kind, Origin};
use crate::setting::{Setting, name_of};
use crate::tree::{Cache, Tree};
use crate::unresolved::Unresolved;
use distribution::Distribution;
use environment::Environment;

pub use index::{Installed, Untraced, Wheel, index};

/// The variable that says where Python keeps compiled code.
///
/// Such code is left out of digests, for Python writes it by itself; and whoever changes it changes the program. So what is
/// pinned is started with a folder that cannot be. Another one may be put there that only the trusted can write.
pub const COMPILED: &str = "PYTHONPYCACHEPREFIX";

/// What an installed program is started with: modules are not taken from the folder where it, or the session, happens to be.
fn environment() -> Vec<(String, String)> {
    let mut environment = environment_of_script();
    environment.push(("PYTHONSAFEPATH".to_owned(), "1".to_owned()));
    environment
}

/// What a script is started with. It may load what is beside it.
pub(crate) fn environment_of_script() -> Vec<(String, String)> {
    vec![(COMPILED.to_owned(), "/dev/null".to_owned())]
}

/// Resolves `uvx`, `uv tool run` and `pipx run`. `Ok(None)` where it is none.
pub(crate) fn launched(
    setting: &Setting<'_>,
    name: &str,
    cache: &Cache,
) -> Result<Option<Found>, Unresolved> {
    let Some(launch) = launcher::read(name, setting.command.get(1..).unwrap_or_default())? else {
        return Ok(None);
    };
    let script = launch.installed(setting)?;
    let head = crate::read::head(&script);
    let mut found = console_script(setting, &script, &head, cache)?.ok_or(Unresolved::BadPackage)?;
    found.open = !launch.is_exact();
    let mut command = vec![script.to_string_lossy().into_owned()];
    command.extend(launch.arguments);
    found.start = Some(Start { command, environment: environment() });
    Ok(Some(found))
}

/// Resolves a script that a package has put into an environment. `Ok(None)` where it is none.
pub(crate) fn console_script(
    setting: &Setting<'_>,
    script: &Path,
    head: &[String],
    cache: &Cache,
) -> Result<Option<Found>, Unresolved> {
    let Ok(real) = script.canonicalize() else { return Ok(None) };
    let Some(python) = environment::interpreter_of(setting, &real, head) else { return Ok(None) };
    let Some(environment) = Environment::of_interpreter(setting, &python) else { return Ok(None) };
    let name = name_of(&real);
    let all = environment.distributions()?;
    let mut owners = all.iter().filter(|one| one.has_script(&name));
    let Some(distribution) = owners.next() else { return Ok(None) };
    if owners.next().is_some() {
        return Err(Unresolved::Ambiguous);
    }
    let mut found = found(&environment, distribution, &all, Some(&real), cache)?;
    let mut command = setting.command.to_vec();
    if let Some(first) = command.first_mut() {
        *first = script.to_string_lossy().into_owned();
    }
    found.start = Some(Start { command, environment: self::environment() });
    Ok(Some(found))
}

/// Resolves `python -m MODULE`.
pub(crate) fn module(
    setting: &Setting<'_>,
    python: &Path,
    module: &str,
    cache: &Cache,
) -> Result<Found, Unresolved> {
    let environment = Environment::of_interpreter(setting, python).ok_or(Unresolved::BadPackage)?;
    let top = module.split('.').next().unwrap_or_default();
    if setting.directory.join(top).is_dir() || setting.directory.join(format!("{top}.py")).is_file() {
        return Err(Unresolved::Shadowed);
    }
    let all = environment.distributions()?;
    let distribution = all.iter().find(|one| one.has_module(module)).ok_or(Unresolved::BadPackage)?;
    let mut found = found(&environment, distribution, &all, None, cache)?;
    found.start = Some(Start { command: setting.command.to_vec(), environment: self::environment() });
    Ok(found)
}

/// Adds what a script of this interpreter may load from its environment, where it has one of its own.
pub(crate) fn installed_beside(setting: &Setting<'_>, python: &Path, tree: &mut Tree) {
    if let Some(environment) = Environment::of_interpreter(setting, python).filter(|one| one.own) {
        environment.add_to(tree);
    }
}

fn found(
    environment: &Environment,
    distribution: &Distribution,
    all: &[Distribution],
    script: Option<&Path>,
    cache: &Cache,
) -> Result<Found, Unresolved> {
    let mut tree = Tree::new().without(&["__pycache__"]);
    environment.add_to(&mut tree);
    if let Some(script) = script {
        tree.add_script("script", script);
    }
    for one in distribution.closure(all) {
        if one.is_editable() {
            return Err(Unresolved::Editable);
        }
        for (path, digest) in one.record()? {
            if environment.holds(&path) || script == Some(&path) {
                tree.expect(path, digest);
            }
        }
    }
    let origin = Origin {
        version: Some(distribution.version.clone()),
        files: Some(tree.digest(cache)?),
        by: Some("python".to_owned()),
        ..Origin::new(Kind::Pypi, &distribution.name)
    };
    Ok(Found { owner: distribution.owner(), folder: Some(distribution.folder.clone()), ..Found::new(origin) })
}
