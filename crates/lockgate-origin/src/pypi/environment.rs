//! Where an interpreter finds what is installed for it.

use std::path::{Path, PathBuf};

use super::distribution::Distribution;
use crate::read;
use crate::setting::{Setting, name_of};
use crate::tree::Tree;
use crate::unresolved::Unresolved;

/// How a script says that its interpreter is beside it, wherever that is.
const BESIDE: &str = r#""$(dirname -- "$(realpath -- "$0")")"/'"#;

/// The folders that one interpreter loads packages from.
pub(super) struct Environment {
    /// Is it a virtual environment, with nothing in it but what was installed for it?
    pub(super) own: bool,
    /// `site-packages` and its like; at least one.
    sites: Vec<PathBuf>,
}

impl Environment {
    /// The environment of an interpreter, by the path it is started with: a virtual environment's is a link.
    pub(super) fn of_interpreter(setting: &Setting<'_>, python: &Path) -> Option<Self> {
        let root = python.parent().filter(|bin| name_of(bin) == "bin")?.parent()?;
        if let Some(settings) = read::text(&root.join("pyvenv.cfg")) {
            let mut sites = versions(&root.join("lib")).map(|lib| lib.join("site-packages")).collect();
            let value = |key: &str| {
                let line = settings.lines().find_map(|line| {
                    let (name, value) = line.split_once('=')?;
                    (name.trim() == key).then(|| value.trim().to_owned())
                });
                line.unwrap_or_default()
            };
            let shared = value("include-system-site-packages").eq_ignore_ascii_case("true");
            if shared {
                let base = Path::new(&value("home")).join("python3");
                sites = [sites, Self::of_interpreter(setting, &base)?.sites].concat();
            }
            return Self { own: !shared, sites }.sound();
        }
        let real = python.canonicalize().ok()?;
        let root = real.parent()?.parent()?;
        let number = name_of(&real);
        let number = number.strip_prefix("python").unwrap_or_default();
        let user = setting.variable("HOME").map(|home| Path::new(home).join(".local"));
        let mut sites = vec![root.join("lib/python3/dist-packages")];
        for root in [Some(root.to_path_buf()), Some(root.join("local")), user].into_iter().flatten() {
            for lib in versions(&root.join("lib")).filter(|lib| name_of(lib).ends_with(number)) {
                sites.extend([lib.join("site-packages"), lib.join("dist-packages")]);
            }
        }
        Self { own: false, sites }.sound()
    }

    fn sound(mut self) -> Option<Self> {
        self.sites.retain(|site| site.is_dir());
        (!self.sites.is_empty()).then_some(self)
    }

    /// All that is in it counts.
    pub(super) fn add_to(&self, tree: &mut Tree) {
        for (count, site) in self.sites.iter().enumerate() {
            tree.add(format!("site-packages-{count}"), site);
        }
    }

    /// Is the file in one of its folders?
    pub(super) fn holds(&self, file: &Path) -> bool {
        self.sites.iter().any(|site| file.starts_with(site))
    }

    /// What is installed in it.
    pub(super) fn distributions(&self) -> Result<Vec<Distribution>, Unresolved> {
        let mut all = Vec::new();
        for site in &self.sites {
            for entry in std::fs::read_dir(site).map_err(|_| Unresolved::Unreadable)?.flatten() {
                if entry.path().extension().is_some_and(|end| end == "dist-info") {
                    all.extend(Distribution::read(&entry.path()));
                }
            }
        }
        Ok(all)
    }
}

/// The folders `python3.*` in a folder.
fn versions(lib: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let found = std::fs::read_dir(lib).into_iter().flatten().flatten().map(|entry| entry.path());
    found.filter(|path| name_of(path).starts_with("python3."))
}

/// The interpreter of Python that a script's first lines name: at once, or, where its path is too long, has a space, or is
/// wherever the script is, through a shell. The script's own path leads through no link.
pub(super) fn interpreter_of(setting: &Setting<'_>, script: &Path, head: &[String]) -> Option<PathBuf> {
    let line = head.first()?.strip_prefix("#!")?.trim();
    let mut words = line.split_ascii_whitespace();
    let mut program = words.next()?.to_owned();
    if name_of(Path::new(&program)) == "env" {
        program = setting.program(words.next()?).ok()?.to_string_lossy().into_owned();
    } else if program == "/bin/sh" {
        let named = head.get(1)?.strip_prefix("'''exec' ")?;
        let beside = named.strip_prefix(BESIDE).and_then(|rest| rest.split('\'').next());
        program = match (beside, named.strip_prefix('"')) {
            (Some(name), _) => script.with_file_name(name).to_string_lossy().into_owned(),
            (None, Some(quoted)) => quoted.split('"').next()?.to_owned(),
            (None, None) => named.split_ascii_whitespace().next()?.to_owned(),
        };
    }
    let program = PathBuf::from(program);
    name_of(&program).starts_with("python").then_some(program)
}
