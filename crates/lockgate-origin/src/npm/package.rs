//! Packages of npm as they are installed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::owner::{self, Owner};
use crate::read::{self, at};
use crate::setting::name_of;
use crate::unresolved::Unresolved;

/// Most packages that one is made of.
const MOST: usize = 10_000;

/// An installed package.
#[derive(Debug)]
pub(crate) struct Package {
    /// The folder, through no link.
    pub(crate) folder: PathBuf,
    pub(crate) name: String,
    pub(crate) version: String,
    /// What its registry said of the archive it came in.
    pub(crate) integrity: Option<String>,
    /// The folder `node_modules` that npm keeps for one command, where it is in one.
    pub(crate) cached: Option<PathBuf>,
    pub(super) manifest: Value,
}

/// The installed package that a file belongs to; none where it is in no folder `node_modules`.
pub(crate) fn of_file(file: &Path) -> Option<Package> {
    let folder = file.ancestors().skip(1).find(|folder| {
        let above = folder.parent();
        let scope = above.filter(|above| name_of(above).starts_with('@')).and_then(Path::parent);
        scope.or(above).is_some_and(|above| name_of(above) == "node_modules")
    })?;
    read(folder)
}

fn read(folder: &Path) -> Option<Package> {
    let manifest = read::json(&folder.join("package.json"))?;
    let name = at(&manifest, "name").filter(|name| is_name(name))?.to_owned();
    let version = at(&manifest, "version")?.to_owned();
    // The outermost folder of packages has the list of all of them.
    let modules = folder.ancestors().filter(|above| name_of(above) == "node_modules").last()?;
    let list = read::json(&modules.join(".package-lock.json"));
    let integrity = list.as_ref().and_then(|list| {
        let key = format!("node_modules/{}", folder.strip_prefix(modules).ok()?.to_str()?);
        let entry = list.get("packages")?.get(&key)?;
        let same = at(entry, "version") == Some(&version);
        same.then(|| at(entry, "integrity"))?.map(str::to_owned)
    });
    let cached = modules.parent()?.parent().is_some_and(|above| name_of(above) == "_npx");
    let cached = cached.then(|| modules.to_path_buf());
    Some(Package { folder: folder.to_path_buf(), name, version, integrity, cached, manifest })
}

impl Package {
    /// Who it says answers for it.
    pub(crate) fn owner(&self) -> Owner {
        owner_of(&self.manifest)
    }
}

/// The folder of a package, and those of all packages that it and they would load: what node finds on its way up for each
/// that they depend on. Those inside its own folder are part of it.
pub(crate) fn closure(
    folder: &Path,
    name: &str,
    manifest: &Value,
) -> Result<BTreeMap<String, PathBuf>, Unresolved> {
    let mut all = BTreeMap::from([(folder.to_path_buf(), name.to_owned())]);
    let mut next = vec![(folder.to_path_buf(), dependencies(manifest))];
    while let Some((folder, names)) = next.pop() {
        for name in names {
            let above = folder.ancestors().map(|above| above.join("node_modules").join(&name));
            let Some(there) = above.into_iter().find(|there| there.is_dir()) else { continue };
            let real = there.canonicalize().map_err(|_| Unresolved::Unreadable)?;
            if all.contains_key(&real) {
                continue;
            }
            let manifest = read::json(&real.join("package.json")).unwrap_or(Value::Null);
            next.push((real.clone(), dependencies(&manifest)));
            all.insert(real, name);
            if all.len() > MOST {
                return Err(Unresolved::TooLarge);
            }
        }
    }
    let mut labels: BTreeMap<String, PathBuf> = BTreeMap::new();
    let folders: Vec<PathBuf> = all.keys().cloned().collect();
    for (folder, name) in all {
        // What lies within another one is read with it.
        if folders.iter().any(|other| folder != *other && folder.starts_with(other)) {
            continue;
        }
        // Several of one name differ in where they are.
        let mut label = name.clone();
        while labels.contains_key(&label) {
            label.push('+');
        }
        labels.insert(label, folder);
    }
    Ok(labels)
}

/// Who a `package.json` says answers for the package.
pub(crate) fn owner_of(manifest: &Value) -> Owner {
    let person = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(_) => {
            let parts = [at(value, "name"), at(value, "email"), at(value, "url")];
            Some(parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
        }
        Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) => None,
    };
    let first = |key: &str| manifest.get(key).and_then(Value::as_array).and_then(|all| person(all.first()?));
    let maintainer = manifest.get("author").and_then(person).or_else(|| first("maintainers"));
    let repository = manifest.get("repository").and_then(|repository| {
        repository.as_str().map(str::to_owned).or_else(|| Some(at(repository, "url")?.to_owned()))
    });
    let bugs = manifest.get("bugs");
    let security = bugs.and_then(|bugs| {
        bugs.as_str().or_else(|| at(bugs, "email")).or_else(|| at(bugs, "url")).map(str::to_owned)
    });
    let shown = |text: Option<String>| text.and_then(|text| owner::shown(&text));
    Owner {
        maintainer: shown(maintainer),
        repository: shown(repository),
        release: None,
        security: shown(security),
        licence: shown(at(manifest, "license").map(str::to_owned)),
    }
}

fn dependencies(manifest: &Value) -> Vec<String> {
    let keys = ["dependencies", "optionalDependencies", "peerDependencies"];
    let all = keys.iter().filter_map(|key| manifest.get(key)?.as_object());
    all.flat_map(|all| all.keys()).filter(|name| is_name(name)).cloned().collect()
}

/// Could a package be named so? A name is never a path that leads out of a folder.
pub(super) fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b))
    };
    let plain = match name.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/').is_some_and(|(scope, name)| part(scope) && part(name)),
        None => part(name),
    };
    plain && name.len() <= 214 && name != "node_modules"
}

/// The version of the package in a folder.
pub(super) fn version(folder: &Path) -> Option<String> {
    Some(at(&read::json(&folder.join("package.json"))?, "version")?.to_owned())
}

/// The programs of the package in a folder, with their files.
pub(super) fn bins(folder: &Path) -> Vec<(String, String)> {
    let Some(manifest) = read::json(&folder.join("package.json")) else { return Vec::new() };
    match manifest.get("bin") {
        Some(Value::String(file)) => {
            let name = at(&manifest, "name").unwrap_or_default();
            vec![(name.rsplit('/').next().unwrap_or_default().to_owned(), file.clone())]
        }
        Some(Value::Object(all)) => {
            all.iter().filter_map(|(name, file)| Some((name.clone(), file.as_str()?.to_owned()))).collect()
        }
        _ => Vec::new(),
    }
}

/// The program that npx takes where only the package is named: the only one, or the one that is called like the package.
pub(super) fn main_bin(folder: &Path) -> Result<String, Unresolved> {
    let bins = bins(folder);
    let (name, file) = bins.first().ok_or(Unresolved::BadPackage)?;
    let alike = bins.iter().all(|(_, other)| other == file);
    let like_package = || {
        let own = name_of(folder);
        bins.iter().map(|(name, _)| name).find(|name| **name == own).cloned()
    };
    let bin = if alike { Some(name.clone()) } else { like_package() };
    bin.filter(|bin| !bin.contains('/') && bin != "..").ok_or(Unresolved::BadPackage)
}
