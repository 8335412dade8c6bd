//! `detect.rules`: rules of others, from files and folders.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use lockgate_core::Shared;
use lockgate_detect::Level;
use lockgate_detect::injection::atr::{self, Imported, Rule};
use lockgate_model::Json;

use super::error::{At, quoted};
use super::secret::{Resolver, Surroundings, plain};

/// Most rules.
const MOST: usize = 10_000;
/// Largest file of a rule. Bytes.
const LARGEST: usize = 1 << 20;
/// Deepest nesting of one.
const DEPTH: usize = 64;

/// What was read of rules.
#[derive(Default)]
pub(crate) struct Taken {
    pub(crate) rules: Vec<Rule>,
    /// Files nothing could be taken of, with the reason.
    pub(crate) refused: Vec<(PathBuf, String)>,
}

impl Taken {
    /// Reads a file with one rule, or all files of a folder and the folders in it that end in `.yaml` or `.yml`. Fails where
    /// there is none, and where one cannot be read.
    pub(crate) fn read(path: &Path, surroundings: &dyn Surroundings) -> Result<Self, String> {
        let mut taken = Self::default();
        let files = match surroundings.files(path, MOST) {
            Ok(files) => files.into_iter().filter(|file| is_yaml(file)).collect(),
            Err(error) if matches!(error.kind(), ErrorKind::NotADirectory | ErrorKind::NotFound) => {
                vec![path.to_owned()]
            }
            Err(error) => {
                return Err(format!(
                    "{} cannot be read: {}",
                    quoted(&path.display().to_string()),
                    plain(&error)
                ));
            }
        };
        for file in files {
            let bytes = surroundings.file(&file);
            let shown = || quoted(&file.display().to_string());
            let bytes = bytes.map_err(|error| format!("{} cannot be read: {}", shown(), plain(&error)))?;
            match rule(bytes) {
                Ok(rule) => taken.rules.push(rule),
                Err(why) => taken.refused.push((file, why)),
            }
        }
        match taken.refused.first() {
            _ if !taken.rules.is_empty() => Ok(taken),
            Some((file, why)) => Err(format!("{}: {why}", quoted(&file.display().to_string()))),
            None => Err(format!("{} has no rules", quoted(&path.display().to_string()))),
        }
    }

    /// What could not be taken, in one line; none where all was.
    pub(crate) fn left_out(&self) -> Option<String> {
        let conditions: usize = self.rules.iter().map(|rule| rule.refused.len()).sum();
        let all: usize = conditions + self.rules.iter().map(Rule::taken).sum::<usize>();
        let first = self.refused.first().map(|(file, why)| {
            let files = self.refused.len();
            format!("{files} files hold no rule that can be taken (first {}: {why})", file.display())
        });
        let some = (conditions > 0).then(|| {
            format!("{conditions} of {all} conditions cannot be taken: `lockgate inspect --rules` says which")
        });
        let said: Vec<String> = first.into_iter().chain(some).collect();
        (!said.is_empty()).then(|| said.join("; "))
    }
}

/// Reads the rules that the configuration names.
pub(super) fn load(
    written: Option<&At<Vec<At<String>>>>,
    notes: &mut Vec<String>,
    resolver: &Resolver<'_>,
) -> Shared<Imported> {
    let mut all: Vec<Rule> = Vec::new();
    for named in written.iter().flat_map(|at| &at.value) {
        let Some(name) = resolver.expand(named) else { continue };
        let path: PathBuf = resolver.base.join(name).components().collect();
        match Taken::read(&path, resolver.surroundings) {
            Ok(taken) => {
                notes
                    .extend(taken.left_out().map(|said| format!("detect.rules: {}: {said}", path.display())));
                all.extend(taken.rules);
            }
            Err(why) => {
                let hint = "name a file with an Agent Threat Rule, or a folder of them";
                resolver.report.error(named.place, why, hint);
            }
        }
    }
    let mut known = BTreeSet::new();
    if let Some(twice) = all.iter().find(|rule| !known.insert(rule.id))
        && let Some(written) = written
    {
        let message = format!("there are two rules {}", quoted(twice.id));
        resolver.report.error(written.place, message, "name each rule once");
    }
    if all.len() > MOST
        && let Some(written) = written
    {
        resolver.report.error(written.place, format!("there are more than {MOST} rules"), "name fewer");
    }
    Shared((!all.is_empty()).then(|| Arc::new(Imported::new(all, Level::Review))))
}

fn is_yaml(file: &Path) -> bool {
    file.extension().is_some_and(|end| end == "yaml" || end == "yml")
}

fn rule(bytes: Vec<u8>) -> Result<Rule, String> {
    if bytes.len() > LARGEST {
        return Err("it is larger than 1MiB".to_owned());
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let value: serde_json::Value =
        serde_saphyr::from_str(&text).map_err(|_| "it is not YAML with one document".to_owned())?;
    let json = value.to_string();
    let json = Json::check(json.as_bytes(), DEPTH).map_err(|reason| reason.meaning().to_owned())?;
    atr::read(json, &keep).map_err(|bad| bad.to_string())
}

/// Keeps a name for as long as the program runs: records and findings are named by it. Each is kept once, however often a
/// configuration is read, and is at most 64 bytes long.
fn keep(name: &str) -> &'static str {
    static KEPT: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.get(name) {
        return known;
    }
    let name: &'static str = name.to_owned().leak();
    kept.insert(name);
    name
}
