//! The folder for what must outlive a gateway: counts for limits, approvals, stops.

use std::io;
use std::path::{Path, PathBuf};

use crate::config::Process;

/// The folder, where the configuration names none. See [`crate::operator::state_folder`].
pub(crate) fn folder() -> PathBuf {
    crate::operator::state_folder(None, &Process).unwrap_or_else(|_| PathBuf::from("lockgate-state"))
}

/// Makes the folder, for its owner alone.
pub(crate) fn make(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
