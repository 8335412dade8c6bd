//! Putting a new text in place of a file, all of it or nothing.

use std::fs::{File, Metadata};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::read::words;

/// Why a file was left as it is.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Somebody else has written to it since it was read.
    #[error("the file was changed by somebody else in the meantime; nothing was written")]
    Changed,
    /// The system does not let it; in its words.
    #[error("the file cannot be written: {0}")]
    Refused(String),
}

impl From<std::io::Error> for WriteError {
    fn from(error: std::io::Error) -> Self {
        Self::Refused(words(&error))
    }
}

/// Writes `new` in place of a file that holds `before`; `None`: that is not there. Whoever reads it meanwhile sees the one or the
/// other. A link is followed and stays; mode and owner stay. A new file can be read by its owner alone.
pub fn replace(path: &Path, before: Option<&[u8]>, new: &[u8]) -> Result<(), WriteError> {
    let target = if path.symlink_metadata().is_ok() { path.canonicalize()? } else { path.to_owned() };
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.map_or_else(|| PathBuf::from("."), Path::to_owned);
    let mut made = tempfile::Builder::new().prefix(".lockgate-").tempfile_in(&folder)?;
    made.write_all(new)?;
    if before.is_some() {
        keep(made.as_file(), &std::fs::metadata(&target)?)?;
    }
    made.as_file().sync_all()?;
    match (before, std::fs::read(&target)) {
        (Some(before), Ok(now)) if now == before => {}
        (None, Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
        (_, Ok(_)) => return Err(WriteError::Changed),
        (_, Err(error)) => return Err(error.into()),
    }
    let put = if before.is_some() { made.persist(&target) } else { made.persist_noclobber(&target) };
    put.map_err(|error| WriteError::from(error.error))?;
    #[cfg(unix)]
    File::open(&folder)?.sync_all()?;
    Ok(())
}

#[cfg(unix)]
fn keep(made: &File, about: &Metadata) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let own = made.metadata()?;
    if (own.uid(), own.gid()) != (about.uid(), about.gid()) {
        fchown(made, Some(about.uid()), Some(about.gid()))?;
    }
    made.set_permissions(about.permissions())
}

#[cfg(not(unix))]
fn keep(_: &File, _: &Metadata) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_where_it_is_as_it_was_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        std::fs::write(&file, "one").unwrap();
        assert!(matches!(replace(&file, Some(b"other"), b"two"), Err(WriteError::Changed)));
        assert!(replace(&file, None, b"two").is_err());
        assert_eq!(std::fs::read(&file).unwrap(), b"one");
        replace(&file, Some(b"one"), b"two").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"two");
        replace(&folder.path().join("new"), None, b"x").unwrap();
        assert!(replace(&folder.path().join("gone"), Some(b"x"), b"y").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left behind");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_modes_stay() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("real"), folder.path().join("link"));
        std::fs::write(&file, "one").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, Some(b"one"), b"two").unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(std::fs::read(&file).unwrap(), b"two");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        replace(&folder.path().join("new"), None, b"x").unwrap();
        assert_eq!(folder.path().join("new").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
