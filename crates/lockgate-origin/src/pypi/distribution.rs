//! Packages of Python as they are installed: a folder `NAME-VERSION.dist-info`.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::owner::{self, Owner};
use crate::read;
use crate::unresolved::Unresolved;

/// An installed package.
pub(super) struct Distribution {
    /// Its folder `dist-info`.
    pub(super) folder: PathBuf,
    /// Its name in the one form that all ways of writing it have.
    pub(super) name: String,
    pub(super) version: String,
    headers: Vec<(String, String)>,
}

impl Distribution {
    pub(super) fn read(folder: &Path) -> Option<Self> {
        let metadata = read::text(&folder.join("METADATA"))?;
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in metadata.lines().take_while(|line| !line.is_empty()) {
            if line.starts_with([' ', '\t']) {
                continue;
            }
            let (key, value) = line.split_once(':')?;
            headers.push((key.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let one = |key: &str| headers.iter().find(|(own, _)| own == key).map(|(_, value)| value.clone());
        let (name, version) = (normal(&one("name")?)?, one("version")?);
        Some(Self { folder: folder.to_path_buf(), name, version, headers })
    }

    /// Has it put a script of this name beside the interpreter?
    pub(super) fn has_script(&self, name: &str) -> bool {
        let Some(entries) = read::text(&self.folder.join("entry_points.txt")) else { return false };
        let mut scripts = false;
        entries.lines().any(|line| {
            if line.starts_with('[') {
                scripts = matches!(line.trim(), "[console_scripts]" | "[gui_scripts]");
            }
            scripts && line.split_once('=').is_some_and(|(own, _)| own.trim() == name)
        })
    }

    /// Has it a module of this name that can be run?
    pub(super) fn has_module(&self, module: &str) -> bool {
        let path = module.replace('.', "/");
        let files = [format!("{path}/__main__.py"), format!("{path}.py")];
        let record = read::text(&self.folder.join("RECORD")).unwrap_or_default();
        record.lines().any(|line| files.iter().any(|file| line.split(',').next() == Some(file)))
    }

    /// Is it used from the folder where it is written?
    pub(super) fn is_editable(&self) -> bool {
        let from = read::json(&self.folder.join("direct_url.json"));
        let editable = from.as_ref().and_then(|from| from.get("dir_info")?.get("editable"));
        editable.and_then(Value::as_bool).unwrap_or(false)
    }

    /// It, and all of these that it depends on, with what they depend on.
    pub(super) fn closure<'d>(&'d self, all: &'d [Self]) -> Vec<&'d Self> {
        let mut names = BTreeSet::from([self.name.clone()]);
        let mut closure = vec![self];
        let mut next = 0;
        while let Some(one) = closure.get(next) {
            let required = one.headers.iter().filter(|(key, _)| key == "requires-dist");
            let required: Vec<String> = required
                .filter_map(|(_, value)| {
                    let letter = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
                    normal(value.split(|c| !letter(c)).next()?)
                })
                .collect();
            for name in required {
                if names.insert(name.clone()) {
                    closure.extend(all.iter().find(|one| one.name == name));
                }
            }
            next += 1;
        }
        closure
    }

    /// The files that it says are its, with their SHA-256. Compiled code has none.
    pub(super) fn record(&self) -> Result<Vec<(PathBuf, [u8; 32])>, Unresolved> {
        let record = read::text(&self.folder.join("RECORD")).ok_or(Unresolved::BadPackage)?;
        let site = self.folder.parent().ok_or(Unresolved::BadPackage)?;
        let mut files = Vec::new();
        for line in record.lines() {
            // `path,sha256=…,size`; a path with a comma is in quotes.
            let mut parts = line.rsplitn(3, ',');
            let (Some(_size), Some(digest), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
                continue;
            };
            let Some(digest) = digest.strip_prefix("sha256=") else { continue };
            let digest = URL_SAFE_NO_PAD.decode(digest).ok().and_then(|digest| digest.try_into().ok());
            let path = path.trim_matches('"').replace("\"\"", "\"");
            if !path.contains("__pycache__") {
                files.push((straight(&site.join(path)), digest.ok_or(Unresolved::BadPackage)?));
            }
        }
        Ok(files)
    }

    /// Who it says answers for it.
    pub(super) fn owner(&self) -> Owner {
        let header = |key: &str| {
            let mut found = self.headers.iter().filter(|(own, _)| own == key);
            found.find_map(|(_, value)| owner::shown(value))
        };
        let link = |words: &[&str]| {
            let links = self.headers.iter().filter(|(key, _)| key == "project-url");
            let mut links = links.filter_map(|(_, value)| value.split_once(','));
            links.find_map(|(label, address)| {
                let label = label.to_ascii_lowercase();
                words.iter().any(|word| label.contains(word)).then(|| owner::shown(address))?
            })
        };
        let people = ["maintainer", "maintainer-email", "author", "author-email"];
        Owner {
            maintainer: people.into_iter().find_map(header),
            repository: link(&["repository", "source", "code", "github"]).or_else(|| header("home-page")),
            release: None,
            security: link(&["security"]).or_else(|| link(&["issue", "bug", "tracker"])),
            licence: header("license-expression").or_else(|| header("license")),
        }
    }
}

/// A package's name as all ways of writing it are compared: lower case, with single hyphens (PEP 503).
pub(super) fn normal(name: &str) -> Option<String> {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if name.is_empty() || name.len() > 200 || !name.bytes().all(letter) {
        return None;
    }
    let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
    Some(parts.collect::<Vec<_>>().join("-").to_ascii_lowercase())
}

/// A path without `.` and `..`, as far as they can be told from its text.
fn straight(path: &Path) -> PathBuf {
    let mut straight = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(straight.pop()),
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => straight.push(part),
        }
    }
    straight
}
