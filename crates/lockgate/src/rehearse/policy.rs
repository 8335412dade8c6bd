//! A policy that is only tried: no secret is needed for it.

use std::io;
use std::path::{Path, PathBuf};

use crate::config::{Config, Process, Surroundings};

/// The environment and files as they are where nothing is started: every variable and every file with a secret has a
/// placeholder, and nothing need be signed. Which environment of the configuration counts is still told by `LOCKGATE_ENVIRONMENT`.
#[derive(Clone, Debug)]
pub struct Unset {
    text: String,
}

impl Unset {
    /// For the text of one policy.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned() }
    }

    /// Does an address begin with this variable?
    fn is_address(&self, name: &str) -> bool {
        let reference = format!("${{{name}}}");
        self.text.match_indices(&reference).any(|(at, _)| {
            let before = self.text.get(..at).unwrap_or_default();
            before.trim_end_matches(['"', '\'', ' ']).ends_with("url:")
        })
    }
}

impl Surroundings for Unset {
    fn variable(&self, name: &str) -> Option<String> {
        match name {
            "LOCKGATE_ENVIRONMENT" => Process.variable(name),
            name if self.is_address(name) => {
                Some(format!("https://{}.invalid", name.to_lowercase().replace('_', "-")))
            }
            name => Some(format!("placeholder-for-{name}")),
        }
    }

    fn file(&self, path: &Path) -> io::Result<Vec<u8>> {
        Process.file(path)
    }

    fn secret(&self, path: &Path) -> io::Result<Vec<u8>> {
        Ok(format!("placeholder-for-{}", path.display()).into_bytes())
    }

    fn files(&self, folder: &Path, most: usize) -> io::Result<Vec<PathBuf>> {
        Process.files(folder, most)
    }

    fn folder(&self) -> PathBuf {
        Process.folder()
    }
}

/// A policy and the text it was read from.
#[derive(Debug)]
pub struct Policy {
    /// The file as it was named.
    pub file: String,
    /// Its text.
    pub text: String,
    /// What it means.
    pub config: Config,
}

impl Policy {
    /// Reads a policy; else what is wrong, for the operator.
    pub fn load(path: &Path) -> Result<Self, String> {
        let file = path.to_string_lossy().into_owned();
        let text = read(path)?;
        let surroundings = Unset::new(&text);
        let base = surroundings.folder().join(path.parent().unwrap_or(Path::new("")));
        let config =
            Config::parse(&text, &file, &base, &surroundings).map_err(|errors| errors.to_string())?;
        Ok(Self { file, text, config })
    }

    /// Where a rule stands, as `file:line:column`; nothing for rules that stand in no file.
    pub fn place_of(&self, rule: &str) -> Option<String> {
        let (line, column) = crate::config::place_of(rule, &self.text, &Unset::new(&self.text))?;
        Some(format!("{}:{line}:{column}", self.file))
    }
}

/// A whole file as text; else what is wrong.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let bytes = std::fs::read(path)
        .map_err(|error| format!("{shown}: the file cannot be read: {}", crate::config::plain(&error)))?;
    String::from_utf8(bytes).map_err(|_| format!("{shown}: not UTF-8 text\n  hint: save the file as UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_needed() {
        let text = "servers:\n  a: { url: \"${ADDRESS}/mcp\", headers: { Authorization: \"Bearer ${TOKEN}\" } }\n  \
                    b: { url: \"https://${HOST}/mcp\" }\n  c: { command: [x], env: { K: { file: k } } }\n\
                    principals: { alice: { token: \"${ALICE}\" }, bob: { token: \"${BOB}\" } }\n";
        let config = Config::parse(text, "lockgate.yaml", Path::new("/"), &Unset::new(text));
        assert!(config.is_ok(), "{config:?}");
    }
}
