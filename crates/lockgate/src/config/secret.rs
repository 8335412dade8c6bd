//! Secrets, and where they come from: the environment and files, only through [`Surroundings`].

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::error::{At, Place, Report, quoted};

/// A value that nobody may read in a log. `Debug` prints stars and there is no `Display`.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes the text as it is.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself. For the wire and for the environment of a child, nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Is it this text? The time taken depends on the length only, so it tells nothing about where two texts differ.
    pub fn matches(&self, other: &[u8]) -> bool {
        let differs = self.0.bytes().zip(other).fold(0, |differs, (a, b)| differs | (a ^ b));
        self.0.len() == other.len() && std::hint::black_box(differs) == 0
    }
}

/// Was it changed? Only ever asked of two configurations of the operator.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.matches(other.0.as_bytes())
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a configuration may read beside its own text.
pub trait Surroundings {
    /// An environment variable; `None` where it is not set or not UTF-8.
    fn variable(&self, name: &str) -> Option<String>;
    /// A whole file, or its beginning where it is longer than anything a configuration may refer to.
    fn file(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// All files of a folder and the folders in it, in order: at most so many. Fails where it is no folder.
    fn files(&self, _folder: &Path, _most: usize) -> io::Result<Vec<PathBuf>> {
        Err(io::ErrorKind::NotADirectory.into())
    }
    /// A whole file that holds a secret.
    fn secret(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.file(path)
    }
    /// The time, to say what has ended.
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
    /// The folder that relative paths on the command line start at.
    fn folder(&self) -> PathBuf;
    /// The public keys, in PEM, one of which must have signed a configuration, and where they stand. `None` where it need
    /// not be signed.
    fn trusted_keys(&self) -> io::Result<Option<(PathBuf, Vec<u8>)>> {
        Ok(None)
    }
}

/// The environment and the files of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Process;

impl Surroundings for Process {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?
            .take(super::LARGEST.max(lockgate_provenance::lock::Lock::LARGEST as u64) + 1)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn files(&self, folder: &Path, most: usize) -> io::Result<Vec<PathBuf>> {
        let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let entry = entry?;
                // A link may lead round in a circle.
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                } else {
                    files.push(entry.path());
                }
                if files.len() + folders.len() > most {
                    return Err(io::ErrorKind::QuotaExceeded.into());
                }
            }
        }
        files.sort_unstable();
        Ok(files)
    }

    fn folder(&self) -> PathBuf {
        // Where it cannot be told, paths stay relative, and whoever opens them says what is wrong.
        std::env::current_dir().unwrap_or_default()
    }

    fn trusted_keys(&self) -> io::Result<Option<(PathBuf, Vec<u8>)>> {
        if let Some(named) = std::env::var_os(TRUSTED_KEYS) {
            let path = PathBuf::from(named);
            return self.file(&path).map(|bytes| Some((path, bytes)));
        }
        match self.file(Path::new(MACHINE_KEYS)) {
            Ok(bytes) => Ok(Some((MACHINE_KEYS.into(), bytes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The environment variable that names the trusted keys.
const TRUSTED_KEYS: &str = "LOCKGATE_TRUSTED_KEYS";

/// The trusted keys of this machine, where nothing else is said.
const MACHINE_KEYS: &str = "/etc/lockgate/trusted-keys.pem";

/// This process, with trusted keys that were named on the command line, if any were.
#[derive(Clone, Debug, Default)]
pub struct Trusting(pub Option<PathBuf>);

impl Surroundings for Trusting {
    fn variable(&self, name: &str) -> Option<String> {
        Process.variable(name)
    }

    fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
        Process.file(path)
    }

    fn files(&self, folder: &Path, most: usize) -> io::Result<Vec<PathBuf>> {
        Process.files(folder, most)
    }

    fn folder(&self) -> PathBuf {
        Process.folder()
    }

    fn trusted_keys(&self) -> io::Result<Option<(PathBuf, Vec<u8>)>> {
        match &self.0 {
            Some(path) => Process.file(path).map(|bytes| Some((path.clone(), bytes))),
            None => Process.trusted_keys(),
        }
    }
}

/// How `$` is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dollar {
    /// `$$` is a `$`, `${NAME}` a variable, anything else an error.
    Strict,
    /// `${NAME}` and `${env:NAME}` are variables, `${NAME:-text}` one with a default, any other `$` is itself: what MCP
    /// clients read.
    Client,
}

/// Resolves references.
pub(super) struct Resolver<'a> {
    pub(super) surroundings: &'a dyn Surroundings,
    pub(super) base: &'a Path,
    pub(super) dollar: Dollar,
    pub(super) report: &'a Report,
}

impl Resolver<'_> {
    /// Puts variables in. `None` where the report says why.
    pub(super) fn expand(&self, text: &At<String>) -> Option<String> {
        let mut out = String::new();
        let mut rest = text.value.as_str();
        let mut complete = true;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            rest = after;
            if let Some(reference) = after.strip_prefix('{') {
                let Some((name, after)) = reference.split_once('}') else {
                    self.report.error(text.place, "a `${` without `}`", self.how());
                    return None;
                };
                rest = after;
                match self.variable(name, text.place) {
                    Some(value) => out.push_str(&value),
                    None => complete = false,
                }
            } else if self.dollar == Dollar::Client {
                out.push('$');
            } else if let Some(after) = after.strip_prefix('$') {
                out.push('$');
                rest = after;
            } else {
                self.report.error(text.place, "a `$` that starts no `${NAME}`", self.how());
                return None;
            }
        }
        out.push_str(rest);
        if complete && out.contains('\0') {
            self.report.error(
                text.place,
                "the value holds a zero byte",
                "neither a header nor an environment can",
            );
            return None;
        }
        complete.then_some(out)
    }

    /// Reads a file that holds one secret; a line end at its end is cut.
    pub(super) fn secret_file(&self, path: &At<String>) -> Option<String> {
        let expanded = self.expand(path)?;
        let found = match self.surroundings.secret(&self.base.join(&expanded)) {
            Ok(bytes) => bytes,
            Err(error) => {
                let message = format!("cannot read the file {}: {}", quoted(&path.value), plain(&error));
                self.report.error(
                    path.place,
                    message,
                    "the path is relative to the folder of the configuration",
                );
                return None;
            }
        };
        let text = String::from_utf8(found).ok().filter(|text| text.len() <= 65_536 && !text.contains('\0'));
        let Some(mut text) = text else {
            let message = format!("the file {} does not hold a secret", quoted(&path.value));
            self.report.error(path.place, message, "it must be a text of at most 64KiB");
            return None;
        };
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        Some(text)
    }

    fn variable(&self, written: &str, place: Place) -> Option<String> {
        let (name, default) = match (self.dollar, written.split_once(":-")) {
            (Dollar::Client, Some((name, default))) => (name, Some(default)),
            _ => (written, None),
        };
        let name =
            if self.dollar == Dollar::Client { name.strip_prefix("env:").unwrap_or(name) } else { name };
        let mut bytes = name.bytes();
        let first = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
        if !first || !bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            let message = format!("{} is not the name of an environment variable", quoted(name));
            self.report.error(place, message, self.how());
            return None;
        }
        let value = self.surroundings.variable(name).or_else(|| default.map(str::to_owned));
        if value.is_none() {
            let message = format!("the environment variable {} is not set", quoted(name));
            self.report.error(place, message, format!("set `{name}` where lockgate is started"));
        }
        value
    }

    fn how(&self) -> &'static str {
        match self.dollar {
            Dollar::Strict => "write `${NAME}` for an environment variable and `$$` for a `$`",
            Dollar::Client => "write `${NAME}` for an environment variable",
        }
    }
}

/// An error of the system without its number.
pub(crate) fn plain(error: &io::Error) -> String {
    if let Some(unsigned) = super::seal::unsigned(error) {
        return unsigned;
    }
    let known = [
        (io::ErrorKind::NotFound, "there is no such file"),
        (io::ErrorKind::PermissionDenied, "this user may not read it"),
        (io::ErrorKind::IsADirectory, "it is a folder"),
    ];
    let found = known.iter().find(|(kind, _)| *kind == error.kind());
    found.map_or_else(|| error.kind().to_string(), |(_, words)| (*words).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_as_stars_and_compares_whole() {
        let secret = Secret::new("abc".to_owned());
        assert_eq!(format!("{secret:?}"), "***");
        for (other, same) in [("abc", true), ("abd", false), ("ab", false), ("abcd", false), ("", false)] {
            assert_eq!(secret.matches(other.as_bytes()), same, "{other}");
        }
    }
}
