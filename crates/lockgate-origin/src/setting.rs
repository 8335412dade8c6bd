//! What a program is started with, and how it is looked for.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::unresolved::Unresolved;

/// A command as it would be started: without a shell, with exactly this environment, in this folder.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The program and its arguments.
    pub command: &'a [String],
    /// The whole environment. Of two values of one name the later counts.
    pub environment: &'a [(String, String)],
    /// The folder it starts in; absolute.
    pub directory: &'a Path,
}

impl<'a> Setting<'a> {
    pub(crate) fn variable(&self, name: &str) -> Option<&'a str> {
        let of = self.environment.iter().rev().find(|(own, _)| own == name);
        of.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The folder that a variable names, or the home folder with this path.
    pub(crate) fn folder(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        let named = self.variable(variable).map(|folder| self.directory.join(folder));
        named.or_else(|| Some(Path::new(self.variable("HOME")?).join(below_home)))
    }

    /// The file that a program's name or path leads to, as the system looks for it.
    pub(crate) fn program(&self, name: &str) -> Result<PathBuf, Unresolved> {
        let found = if name.contains('/') {
            Some(self.directory.join(name)).filter(|path| is_program(path))
        } else {
            let path = self.variable("PATH").unwrap_or("/bin:/usr/bin");
            let mut found = path.split(':').map(|folder| self.directory.join(folder).join(name));
            found.find(|path| is_program(path)).filter(|_| !name.is_empty())
        };
        let found = found.ok_or(Unresolved::NoProgram)?;
        // pyenv, asdf, mise: a program that looks in many places for the one it starts.
        if found.parent().is_some_and(|folder| name_of(folder) == "shims") {
            return Err(Unresolved::Launcher);
        }
        Ok(found)
    }
}

/// Can it be executed by somebody?
pub(crate) fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|of| of.is_file() && of.permissions().mode() & 0o111 != 0)
}

/// The name of the last part of a path.
pub(crate) fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
