//! A configuration file that is read again when it changes, or on SIGHUP.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::Gateway;
use crate::config::{Config, Process};

/// How often the file is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// A configuration file in use.
pub struct Watched {
    file: PathBuf,
    gateway: Arc<Gateway>,
    seen: Option<(SystemTime, u64)>,
}

impl Watched {
    /// Watches a file that has just been loaded.
    pub fn new(file: PathBuf, gateway: Arc<Gateway>) -> Self {
        let seen = stamp(&file);
        Self { file, gateway, seen }
    }

    /// Keeps watching. Never returns.
    pub async fn keep(mut self) {
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
            let now = stamp(&self.file);
            if asked || (now.is_some() && now != self.seen) {
                self.seen = now;
                self.reload();
            }
        }
    }

    /// Loads the file whole and puts it in force, or keeps the old one and says why.
    fn reload(&self) {
        match Config::load(&self.file, &Process) {
            Ok(config) => match self.gateway.change(&config) {
                Ok(()) => self.gateway.say(&format!("{} is in force", self.file.display())),
                Err(error) => self.gateway.say(&format!("the old configuration stays in force: {error}")),
            },
            Err(errors) => {
                self.gateway.say(&format!(
                    "the old configuration stays in force; {} has errors:\n{errors}",
                    self.file.display()
                ));
            }
        }
    }
}

fn stamp(file: &Path) -> Option<(SystemTime, u64)> {
    let found = std::fs::metadata(file).ok()?;
    Some((found.modified().ok()?, found.len()))
}
