//! The machine as far as clients look at it: where home is, what the working folder is, a few variables.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The environment variables that say where clients keep their files.
pub const VARIABLES: [&str; 8] = [
    "APPDATA",
    "CLAUDE_CONFIG_DIR",
    "CODEX_HOME",
    "OPENCODE_CONFIG",
    "OPENCODE_CONFIG_DIR",
    "ProgramData",
    "ProgramFiles",
    "XDG_CONFIG_HOME",
];

/// Most folders and files that one `*` or `**` looks at.
const LOOKED_AT: usize = 5_000;

/// How deep `**` goes.
const DEEP: usize = 6;

/// Systems that clients have places for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Linux, and what resembles it.
    Linux,
    /// macOS
    Mac,
    /// Windows
    Windows,
}

impl System {
    /// The one this program was built for.
    pub fn own() -> Self {
        if cfg!(target_os = "macos") {
            Self::Mac
        } else if cfg!(windows) {
            Self::Windows
        } else {
            Self::Linux
        }
    }
}

/// Where to look. Nothing else of the environment is read.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Whose places.
    pub system: System,
    /// The user's folder.
    pub home: PathBuf,
    /// What stands before absolute paths: `/`, but for tests.
    pub root: PathBuf,
    /// Folders of projects, innermost first.
    pub projects: Vec<PathBuf>,
    /// Those of [`VARIABLES`] that are set.
    pub variables: BTreeMap<String, String>,
}

impl Machine {
    /// The files that a place of the table stands for, sorted; those with `*` only where they exist.
    ///
    /// `~` is home, `~cfg` the folder for settings of this system, `$NAME` a variable (nowhere where it is not set),
    /// `${NAME:-PLACE}` one with another place for where it is not set. A path that starts with none of these and not
    /// with `/` is one of each project's.
    pub(crate) fn expand(&self, place: &str) -> Vec<PathBuf> {
        let Some((bases, rest)) = self.base(place) else { return Vec::new() };
        let mut found: Vec<PathBuf> = bases;
        for step in rest.split('/').filter(|step| !step.is_empty()) {
            found = match step {
                "**" => found.iter().flat_map(|folder| below(folder)).take(LOOKED_AT).collect(),
                step if step.contains('*') => {
                    found.iter().flat_map(|folder| matching(folder, step)).take(LOOKED_AT).collect()
                }
                step => found.into_iter().map(|folder| folder.join(step)).collect(),
            };
        }
        if place.contains('*') {
            found.retain(|file| file.symlink_metadata().is_ok());
            found.sort();
        }
        found
    }

    fn base<'p>(&self, place: &'p str) -> Option<(Vec<PathBuf>, &'p str)> {
        if let Some(reference) = place.strip_prefix("${") {
            let (inside, rest) = reference.split_once('}')?;
            let (name, default) = inside.split_once(":-")?;
            return match self.variable(name) {
                Some(value) => Some((vec![value], rest)),
                None => Some((self.expand(default), rest)),
            };
        }
        if let Some(reference) = place.strip_prefix('$') {
            let (name, rest) = reference.split_at(reference.find('/').unwrap_or(reference.len()));
            return Some((vec![self.variable(name)?], rest));
        }
        if let Some(rest) = place.strip_prefix("~cfg") {
            return Some((vec![self.settings()], rest));
        }
        if let Some(rest) = place.strip_prefix('~') {
            return Some((vec![self.home.clone()], rest));
        }
        if let Some(rest) = place.strip_prefix('/') {
            return Some((vec![self.root.clone()], rest));
        }
        Some((self.projects.clone(), place))
    }

    fn variable(&self, name: &str) -> Option<PathBuf> {
        self.variables.get(name).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    fn settings(&self) -> PathBuf {
        match self.system {
            System::Linux => self.variable("XDG_CONFIG_HOME").unwrap_or_else(|| self.home.join(".config")),
            System::Mac => self.home.join("Library/Application Support"),
            System::Windows => self.variable("APPDATA").unwrap_or_else(|| self.home.join("AppData/Roaming")),
        }
    }
}

/// What is directly in a folder, sorted.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = std::fs::read_dir(folder).into_iter().flatten().take(LOOKED_AT);
    let mut found: Vec<PathBuf> = read.filter_map(Result::ok).map(|entry| entry.path()).collect();
    found.sort();
    found
}

fn matching(folder: &Path, step: &str) -> Vec<PathBuf> {
    let (before, after) = step.split_once('*').unwrap_or((step, ""));
    let fits = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
    };
    entries(folder).into_iter().filter(fits).collect()
}

/// The folder and all below it, without following links.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    let mut level = found.clone();
    for _ in 0..DEEP {
        let real = |path: &PathBuf| path.symlink_metadata().is_ok_and(|about| about.is_dir());
        level = level.iter().flat_map(|folder| entries(folder)).filter(real).take(LOOKED_AT).collect();
        found.extend(level.iter().cloned());
        if level.is_empty() || found.len() > LOOKED_AT {
            break;
        }
    }
    found
}
