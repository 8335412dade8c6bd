//! What `npx` and its like would start: the program of a package that is installed in the project, globally, or in npm's own
//! cache. Order and folders are those of npm 11 (`libnpmexec`), which asks the registry where this crate looks only at the
//! disk.

mod invocation;
mod package;

use std::path::{Path, PathBuf};

use lockgate_model::hex;
use sha2::{Digest, Sha512};

use crate::found::{Found, Start};
use crate::origin::{Kind, Origin};
use crate::read;
use crate::setting::Setting;
use crate::tree::{Cache, Tree};
use crate::unresolved::Unresolved;
use invocation::{Invocation, Spec};
pub(crate) use package::{Package, closure, of_file, owner_of};

/// Resolves `npx`, `npm exec` and `bunx` with their arguments. `Ok(None)` where it is none of them.
pub(crate) fn resolve(setting: &Setting<'_>, name: &str, cache: &Cache) -> Result<Option<Found>, Unresolved> {
    let Some(invocation) = invocation::read(name, setting.command.get(1..).unwrap_or_default())? else {
        return Ok(None);
    };
    let place = Place::of(setting);
    let bin = place.bin(&invocation)?;
    let package = package::of_file(&bin.canonicalize().map_err(|_| Unresolved::NotInstalled)?)
        .ok_or(Unresolved::BadPackage)?;
    let mut command = vec![bin.to_string_lossy().into_owned()];
    command.extend(invocation.arguments);
    let mut found = found(&package, cache)?;
    found.open = invocation.packages.iter().any(|spec| !spec.is_exact());
    found.start = Some(Start { command, environment: environment(setting, &bin, &package) });
    Ok(Some(found))
}

/// What is known of an installed package.
pub(crate) fn found(package: &Package, cache: &Cache) -> Result<Found, Unresolved> {
    let mut tree = Tree::new();
    // All that npm keeps for one command belongs to it; elsewhere a package's folder, and what it would load.
    if let Some(folder) = &package.cached {
        tree.add("node_modules", folder);
    } else {
        for (label, folder) in package::closure(&package.folder, &package.name, &package.manifest)? {
            tree.add(label, folder);
        }
    }
    let origin = Origin {
        version: Some(package.version.clone()),
        integrity: package.integrity.clone(),
        files: Some(tree.digest(cache)?),
        ..Origin::new(Kind::Npm, &package.name)
    };
    Ok(Found { owner: package.owner(), folder: Some(package.folder.clone()), ..Found::new(origin) })
}

/// No npm that the server may start by itself fetches anything. The other programs beside it can be found, as with npx, where
/// they are pinned with it; but behind all others, so that none of them is taken for `node`.
fn environment(setting: &Setting<'_>, bin: &Path, package: &Package) -> Vec<(String, String)> {
    let mut environment = vec![
        ("npm_config_offline".to_owned(), "true".to_owned()),
        ("npm_config_update_notifier".to_owned(), "false".to_owned()),
    ];
    if let (Some(path), Some(folder), Some(_)) = (setting.variable("PATH"), bin.parent(), &package.cached) {
        environment.push(("PATH".to_owned(), format!("{path}:{}", folder.display())));
    }
    environment
}

/// The registry that npm asks for packages of this scope, or of none: the environment's, the user's, or npm's own.
pub fn registry(setting: &Setting<'_>, package: &str) -> String {
    let scope = package.split_once('/').map(|(scope, _)| scope).filter(|scope| scope.starts_with('@'));
    let home = setting.variable("HOME").map(|home| Path::new(home).join(".npmrc"));
    let files = [Some(setting.directory.join(".npmrc")), home];
    let written: Vec<String> = files.into_iter().flatten().filter_map(|file| read::text(&file)).collect();
    let line = |wanted: &str| {
        written.iter().flat_map(|text| text.lines()).find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == wanted).then(|| value.trim().trim_matches('"').to_owned())
        })
    };
    let of_scope = scope.and_then(|scope| line(&format!("{scope}:registry")));
    let named = ["npm_config_registry", "NPM_CONFIG_REGISTRY"].iter().find_map(|name| setting.variable(name));
    let named = named.map(str::to_owned).or_else(|| line("registry"));
    of_scope.or(named).unwrap_or_else(|| "https://registry.npmjs.org/".to_owned())
}

/// The folders in which npm looks.
struct Place {
    /// The project, and all folders above it.
    local: Vec<PathBuf>,
    /// Where packages for everybody are.
    global: Option<PathBuf>,
    /// Where npm keeps what it was asked to execute.
    executed: Option<PathBuf>,
}

impl Place {
    fn of(setting: &Setting<'_>) -> Self {
        let home = setting.variable("HOME").map(Path::new);
        let rc = home.and_then(|home| read::text(&home.join(".npmrc"))).unwrap_or_default();
        let configured = |key: &str| {
            let named = [format!("npm_config_{key}"), format!("NPM_CONFIG_{}", key.to_uppercase())];
            let named = named.iter().find_map(|name| setting.variable(name)).map(str::to_owned);
            let line = |line: &str| {
                let (name, value) = line.split_once('=')?;
                (name.trim() == key).then(|| value.trim().trim_matches('"').to_owned())
            };
            let folder = named.or_else(|| rc.lines().find_map(line))?;
            let home = home.unwrap_or(Path::new("/"));
            let folder = folder.replace("${HOME}", &home.to_string_lossy());
            Some(match folder.strip_prefix("~/") {
                Some(below) => home.join(below),
                None => setting.directory.join(folder),
            })
        };
        let node = || setting.program("node").ok()?.canonicalize().ok();
        let beside_node = || Some(node()?.parent()?.parent()?.to_path_buf());
        Self {
            local: setting.directory.ancestors().map(Path::to_path_buf).collect(),
            global: configured("prefix").or_else(beside_node),
            executed: configured("cache")
                .or_else(|| Some(home?.join(".npm")))
                .map(|cache| cache.join("_npx")),
        }
    }

    /// The program's file or link in a folder `.bin`.
    fn bin(&self, invocation: &Invocation) -> Result<PathBuf, Unresolved> {
        let in_global = |name: &str| Some(self.global.as_ref()?.join("bin").join(name));
        if let Some(command) = &invocation.command {
            // Packages were named, and a program of theirs.
            for modules in self.local_modules() {
                if invocation.packages.iter().all(|spec| spec.is_in(&modules)) {
                    return exists(modules.join(".bin").join(command));
                }
            }
            return exists(self.executed(invocation)?.join(".bin").join(command));
        }
        let spec = invocation.packages.first().ok_or(Unresolved::Launcher)?;
        // The folder's own package goes before all that is installed.
        if self
            .local
            .first()
            .is_some_and(|own| package::bins(own).iter().any(|(bin, _)| *bin == spec.written))
        {
            return Err(Unresolved::Editable);
        }
        let by_word = self.local_modules().map(|modules| modules.join(".bin").join(&spec.written));
        if let Some(bin) = by_word.chain(in_global(&spec.written)).find(|bin| bin.is_file()) {
            return Ok(bin);
        }
        let bin_in = |modules: &Path| {
            let bin = package::main_bin(&modules.join(&spec.name))?;
            exists(modules.join(".bin").join(bin))
        };
        if let Some(modules) = self.local_modules().find(|modules| spec.is_in(modules)) {
            return bin_in(&modules);
        }
        if let Some(global) = &self.global
            && spec.is_in(&global.join("lib/node_modules"))
        {
            let bin = package::main_bin(&global.join("lib/node_modules").join(&spec.name))?;
            return exists(global.join("bin").join(bin));
        }
        bin_in(&self.executed(invocation)?)
    }

    /// What npm has kept for exactly these packages, as they were written.
    fn executed(&self, invocation: &Invocation) -> Result<PathBuf, Unresolved> {
        let mut written: Vec<&str> = invocation.packages.iter().map(|spec| spec.written.as_str()).collect();
        written.sort_unstable();
        let key: String = hex(&Sha512::digest(written.join("\n"))).chars().take(16).collect();
        let modules = self.executed.as_ref().ok_or(Unresolved::NotInstalled)?.join(key).join("node_modules");
        // Where a version is written, it is that one. A range or tag stands for what was installed for it.
        let fits = |spec: &Spec| {
            if spec.is_exact() { spec.is_in(&modules) } else { modules.join(&spec.name).is_dir() }
        };
        if invocation.packages.iter().all(fits) { Ok(modules) } else { Err(Unresolved::NotInstalled) }
    }

    fn local_modules(&self) -> impl Iterator<Item = PathBuf> {
        self.local.iter().map(|folder| folder.join("node_modules"))
    }
}

fn exists(bin: PathBuf) -> Result<PathBuf, Unresolved> {
    if bin.is_file() { Ok(bin) } else { Err(Unresolved::NotInstalled) }
}
