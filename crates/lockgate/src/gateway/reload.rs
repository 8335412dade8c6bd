//! A configuration file that is read again when it changes, or on SIGHUP.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::Gateway;
use crate::config::{Config, INVALID, Trusting, signature_of};

/// How often the file is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// A configuration file in use, and its signature.
pub struct Watched {
    file: PathBuf,
    surroundings: Trusting,
    seen: [Option<(SystemTime, u64)>; 2],
}

impl Watched {
    /// Watches a file that is about to be loaded: what changes it meanwhile is seen.
    pub fn new(file: PathBuf, surroundings: Trusting) -> Self {
        let seen = stamps(&file);
        Self { file, surroundings, seen }
    }

    /// Keeps watching for a gateway. Never returns.
    pub async fn keep(mut self, gateway: Arc<Gateway>) {
        use tokio::signal::unix::{SignalKind, signal};
        let mut asked = signal(SignalKind::hangup()).ok();
        loop {
            let hung_up = async {
                match &mut asked {
                    Some(asked) => asked.recv().await,
                    None => std::future::pending().await,
                }
            };
            let asked = tokio::select! {
                _ = hung_up => true,
                () = tokio::time::sleep(LOOK) => false,
            };
            if self.has_changed() || asked {
                self.reload(&gateway);
            }
        }
    }

    /// Is one of the files another one than it was when this was last asked? One that is gone is not.
    fn has_changed(&mut self) -> bool {
        let mut changed = false;
        for (seen, now) in self.seen.iter_mut().zip(stamps(&self.file)) {
            changed |= now.is_some() && now != *seen;
            *seen = now.or(*seen);
        }
        changed
    }

    /// Loads the file whole and puts it in force, or keeps the old one and says why.
    fn reload(&self, gateway: &Arc<Gateway>) {
        gateway.pulse.keeps_up(false);
        match Config::load(&self.file, &self.surroundings) {
            Ok(config) => match gateway.change(&config) {
                Ok(later) => {
                    gateway.pulse.keeps_up(true);
                    let later: Vec<_> = later.iter().map(|name| format!("`{name}`")).collect();
                    let but = match later.len() {
                        0 => String::new(),
                        _ => format!(", but {} only from the next start on", later.join(", ")),
                    };
                    gateway.say(&format!("{} is in force{but}", self.file.display()));
                }
                Err(error) => {
                    gateway.record_refused(&config.files, false);
                    gateway.say(&format!("the old configuration stays in force: {error}"));
                }
            },
            Err(errors) => {
                let unsigned = errors.iter().any(|error| error.message().contains(INVALID));
                gateway.record_refused(&gateway.files_now(&self.file), unsigned);
                gateway.say(&format!(
                    "the old configuration stays in force; {} has errors:\n{errors}",
                    self.file.display()
                ));
            }
        }
    }
}

fn stamps(file: &Path) -> [Option<(SystemTime, u64)>; 2] {
    [stamp(file), stamp(&signature_of(file))]
}

fn stamp(file: &Path) -> Option<(SystemTime, u64)> {
    let found = std::fs::metadata(file).ok()?;
    Some((found.modified().ok()?, found.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_the_file_while_it_is_loaded_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lockgate.yaml");
        std::fs::write(&file, "a").unwrap();
        let mut watched = Watched::new(file.clone(), Trusting(None));
        assert!(!watched.has_changed());
        std::fs::write(&file, "ab").unwrap();
        assert!(watched.has_changed() && !watched.has_changed());
        std::fs::remove_file(&file).unwrap();
        assert!(!watched.has_changed());
        std::fs::write(&file, "abc").unwrap();
        assert!(watched.has_changed() && !watched.has_changed());
        std::fs::write(signature_of(&file), "abc").unwrap();
        assert!(watched.has_changed() && !watched.has_changed());
    }
}
