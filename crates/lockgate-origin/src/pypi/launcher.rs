//! `uvx`, `uv tool run` and `pipx run`: where they keep what they have installed for a command.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::distribution::{Distribution, normal};
use crate::setting::Setting;
use crate::unresolved::Unresolved;

/// Most environments that are looked at.
const MOST: usize = 4096;

/// What is to be launched.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Launch {
    launcher: Launcher,
    /// The package.
    package: String,
    /// The version, where one is written.
    version: Option<String>,
    /// The program.
    command: String,
    /// What it is given.
    pub(super) arguments: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Launcher {
    Uv,
    Pipx,
}

/// Reads the arguments of a launcher. `Ok(None)` where it is none.
pub(super) fn read(name: &str, arguments: &[String]) -> Result<Option<Launch>, Unresolved> {
    let mut rest = arguments.iter().map(String::as_str);
    let launcher = match name {
        "uvx" => Launcher::Uv,
        "uv" => match (rest.next(), rest.next()) {
            (Some("tool"), Some("run")) => Launcher::Uv,
            // `uv run` brings a project's environment up to date first.
            _ => return Err(Unresolved::Launcher),
        },
        "pipx" => match rest.next() {
            Some("run") => Launcher::Pipx,
            _ => return Err(Unresolved::Launcher),
        },
        _ => return Ok(None),
    };
    let mut from = None;
    let command = loop {
        let word = rest.next().ok_or(Unresolved::Launcher)?;
        match word {
            "--from" | "--spec" => from = Some(rest.next().ok_or(Unresolved::Option)?),
            "--python" | "-p" => drop(rest.next()),
            "-q" | "--quiet" | "--offline" | "--no-progress" | "--" => {}
            _ if word.starts_with("--from=") || word.starts_with("--spec=") => {
                from = word.split_once('=').map(|(_, from)| from);
            }
            _ if word.starts_with("--python=") => {}
            // More packages, other indexes: what is loaded is not the package alone.
            _ if word.starts_with('-') => return Err(Unresolved::Option),
            _ => break word,
        }
    };
    let (command, at) = match command.split_once('@') {
        Some((command, at)) => (command, Some(at)),
        None => (command, None),
    };
    let (package, version) = requirement(from.unwrap_or(command))?;
    let version = version.or_else(|| at.filter(|at| *at != "latest").map(str::to_owned));
    // The program of `uvx name==1` is called `name`.
    let (command, _) = requirement(command).map_err(|_| Unresolved::Option)?;
    let arguments = rest.map(str::to_owned).collect();
    Ok(Some(Launch { launcher, package, version, command, arguments }))
}

/// The name, and the version where only one will do: `name`, `name[extra]==1.2.3`, `name>=1`.
fn requirement(text: &str) -> Result<(String, Option<String>), Unresolved> {
    let letter = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let end = text.find(|c| !letter(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end).ok_or(Unresolved::Launcher)?;
    let rest = match rest.strip_prefix('[') {
        Some(extras) => extras.split_once(']').ok_or(Unresolved::Launcher)?.1,
        None => rest,
    };
    // An address, a folder, an archive.
    if normal(name).is_none() || rest.contains(['/', ':', '@']) {
        return Err(Unresolved::Launcher);
    }
    let exact =
        rest.strip_prefix("==").filter(|version| !version.contains([',', '*', '<', '>', '=', ';', '~']));
    Ok((name.to_owned(), exact.map(|version| version.trim().to_owned())))
}

impl Launch {
    /// Does it name one version?
    pub(super) fn is_exact(&self) -> bool {
        self.version.is_some()
    }

    /// The program's script: of the environment that was installed for good, or of one that the launcher keeps.
    pub(super) fn installed(&self, setting: &Setting<'_>) -> Result<PathBuf, Unresolved> {
        let (installed, kept) = match self.launcher {
            Launcher::Uv => {
                let data = setting.folder("XDG_DATA_HOME", ".local/share");
                let tools = setting.variable("UV_TOOL_DIR").map(|folder| setting.directory.join(folder));
                let cache = setting.folder("XDG_CACHE_HOME", ".cache").map(|cache| cache.join("uv"));
                let cache = setting.variable("UV_CACHE_DIR").map(|own| setting.directory.join(own)).or(cache);
                let tools = tools.or_else(|| Some(data?.join("uv/tools")));
                (vec![tools], vec![cache.map(|cache| cache.join("archive-v0"))])
            }
            Launcher::Pipx => {
                let data = setting.folder("XDG_DATA_HOME", ".local/share");
                let own = setting.variable("PIPX_HOME").map(|own| setting.directory.join(own));
                let own = own.or_else(|| Some(data?.join("pipx")));
                let cache = setting.folder("XDG_CACHE_HOME", ".cache").map(|cache| cache.join("pipx"));
                let of_own = |below: &str| own.as_ref().map(|own| own.join(below));
                (vec![of_own("venvs")], vec![cache, of_own(".cache")])
            }
        };
        let name = normal(&self.package).ok_or(Unresolved::Launcher)?;
        let installed = installed.into_iter().flatten().filter_map(|tools| self.of(&tools.join(&name)));
        if let Some(script) = installed.map(|found| found.script).next() {
            return Ok(script);
        }
        let folders = kept.into_iter().flatten().filter_map(|folder| std::fs::read_dir(folder).ok());
        let environments = folders.flatten().flatten().take(MOST);
        let mut found: Vec<Kept> = environments.filter_map(|entry| self.of(&entry.path())).collect();
        found.sort_by_key(|one| one.made);
        let newest = found.last().ok_or(Unresolved::NotInstalled)?;
        if found.iter().any(|one| one.version != newest.version) {
            return Err(Unresolved::Ambiguous);
        }
        Ok(newest.script.clone())
    }

    /// The program in this environment, where it is one with this package in the version that is wanted.
    fn of(&self, environment: &Path) -> Option<Kept> {
        let script = environment.join("bin").join(&self.command);
        if !script.is_file() || !environment.join("pyvenv.cfg").is_file() {
            return None;
        }
        let name = normal(&self.package)?;
        let libs = std::fs::read_dir(environment.join("lib")).ok()?.flatten();
        let sites = libs.filter_map(|lib| std::fs::read_dir(lib.path().join("site-packages")).ok());
        let entries = sites.flatten().flatten().map(|entry| entry.path());
        let infos = entries.filter(|path| path.extension().is_some_and(|end| end == "dist-info"));
        let package = infos.filter_map(|path| Distribution::read(&path)).find(|one| one.name == name)?;
        let fits = self.version.as_ref().is_none_or(|version| *version == package.version);
        let made = environment.join("pyvenv.cfg").metadata().and_then(|of| of.modified());
        fits.then(|| Kept { script, version: package.version, made: made.unwrap_or(SystemTime::UNIX_EPOCH) })
    }
}

/// An environment that a launcher keeps.
struct Kept {
    script: PathBuf,
    version: String,
    made: SystemTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_words(words: &str) -> Result<Option<Launch>, Unresolved> {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        read(&words[0], &words[1..])
    }

    #[test]
    fn arguments_are_read_as_the_launchers_do() {
        for (words, package, version, command, arguments) in [
            ("uvx mcp-server-git", "mcp-server-git", None, "mcp-server-git", ""),
            ("uvx mcp-server-git@1.2.3 -r /x", "mcp-server-git", Some("1.2.3"), "mcp-server-git", "-r /x"),
            ("uvx mcp-server-git@latest", "mcp-server-git", None, "mcp-server-git", ""),
            ("uvx mcp-server-git==1.2.3", "mcp-server-git", Some("1.2.3"), "mcp-server-git", ""),
            ("uvx --from a[b]==1.0 c --from d", "a", Some("1.0"), "c", "--from d"),
            ("uvx --from=a>=1 c", "a", None, "c", ""),
            ("uvx --python 3.12 -q a", "a", None, "a", ""),
            ("uv tool run a", "a", None, "a", ""),
            ("pipx run --spec a==2.* b x", "a", None, "b", "x"),
        ] {
            let launch = read_words(words).unwrap().unwrap();
            assert_eq!((launch.package.as_str(), launch.version.as_deref()), (package, version), "{words}");
            assert_eq!(
                (launch.command.as_str(), launch.arguments.join(" ")),
                (command, arguments.to_owned())
            );
        }
    }

    #[test]
    fn what_cannot_be_told_is_named() {
        for (words, why) in [
            ("uv run server.py", Unresolved::Launcher),
            ("uv --directory /x run server", Unresolved::Launcher),
            ("uvx", Unresolved::Launcher),
            ("uvx --with b a", Unresolved::Option),
            ("uvx --index-url https://a.example a", Unresolved::Option),
            ("uvx --from git+https://a.example/b a", Unresolved::Launcher),
            ("uvx --from ./a a", Unresolved::Launcher),
            ("pipx list", Unresolved::Launcher),
        ] {
            assert_eq!(read_words(words), Err(why), "{words}");
        }
        assert_eq!(read_words("python x.py"), Ok(None));
    }
}
