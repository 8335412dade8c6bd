//! Where a gateway keeps what must outlive it: counts for limits, approvals, stops.

use std::io;
use std::path::{Path, PathBuf};

/// The folder, where the configuration names none: `$LOCKGATE_STATE`, else `$XDG_STATE_HOME/lockgate`, else
/// `~/.local/state/lockgate`.
pub fn folder() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let own = variable("LOCKGATE_STATE");
    let shared = || variable("XDG_STATE_HOME").map(|folder| folder.join("lockgate"));
    let home = || variable("HOME").map(|folder| folder.join(".local/state/lockgate"));
    own.or_else(shared).or_else(home).unwrap_or_else(|| PathBuf::from("lockgate-state"))
}

/// Makes the folder, for its owner alone.
pub(crate) fn make(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Who runs this, for what is done without a token: `local:` and the name of the operating system's user.
pub(crate) fn user() -> String {
    let name =
        std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "unknown".to_owned());
    format!("local:{name}")
}
