//! The folder for what must outlive a gateway: counts for limits, approvals, stops.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::config::Process;
use crate::signing::SigningKey;

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

/// The file in the folder that holds the key of what is sealed.
const SEAL: &str = "seal.key";

/// The key of what gateways of this folder seal. It is made, for its owner alone, where there is none; where it cannot be
/// made, `say` is told, and there is none. An error where there is a file that may not be used.
pub(crate) fn seal_key(folder: &Path, say: impl Fn(&str)) -> Result<Option<[u8; 32]>, String> {
    let file = folder.join(SEAL);
    if !file.exists()
        && let Err(error) = make_seal(folder)
    {
        say(&format!(
            "what is sealed is not opened after a restart: {} cannot be made: {error}",
            file.display()
        ));
        return Ok(None);
    }
    read_seal(&file).map(Some)
}

fn make_seal(folder: &Path) -> io::Result<()> {
    let key =
        lockgate_transport::seal_key().ok_or_else(|| io::Error::other("the system has no randomness"))?;
    make(folder)?;
    keep(folder, SEAL, &key)
}

/// The file in the folder that holds the key of the log of records.
const LOG: &str = "log.pem";

/// The key that checkpoints of the log of records are signed with. It is made, for its owner alone, where there is none.
pub(crate) fn log_key(folder: &Path) -> Result<SigningKey, String> {
    signing_key(folder, LOG)
}

/// A key to sign with, in a file of the folder. It is made, for its owner alone, where there is none.
pub(crate) fn signing_key(folder: &Path, name: &str) -> Result<SigningKey, String> {
    let file = folder.join(name);
    if !file.exists() {
        let (_, pem) = SigningKey::generate().ok_or("the system has no randomness")?;
        let made = make(folder).and_then(|()| keep(folder, name, pem.as_bytes()));
        made.map_err(|error| format!("{} cannot be made: {error}", file.display()))?;
    }
    SigningKey::read(&file)
}

/// Writes a file of the folder for its owner alone, whole or not at all; the first of several gateways makes it for all.
fn keep(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    match draft(folder, bytes)?.persist_noclobber(folder.join(name)) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Writes a file of a folder for its owner alone, whole or not at all, in place of what was there.
pub(crate) fn replace(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    draft(folder, bytes)?.persist(folder.join(name)).map(drop).map_err(|error| error.error)
}

/// What is to be a file of the folder, on the disk without a name that anybody asks for.
fn draft(folder: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn read_seal(file: &Path) -> Result<[u8; 32], String> {
    let name = file.display();
    let unreadable =
        |error: io::Error| format!("the key of what is sealed cannot be read from {name}: {error}");
    let mut open = File::open(file).map_err(unreadable)?;
    let about = open.metadata().map_err(unreadable)?;
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o077 != 0 || !about.is_file() {
        return Err(format!(
            "{name} may be open to others\n  hint: if nobody else has read it, `chmod 600 {name}`; else remove it: what is sealed with it is then refused"
        ));
    }
    let mut key = [0; 32];
    let whole = about.len() == 32 && open.read_exact(&mut key).is_ok();
    whole.then_some(key).ok_or_else(|| {
        format!("{name} is not a key of 32 bytes\n  hint: remove it: what is sealed with it is then refused")
    })
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn quiet(text: &str) {
        assert_eq!(text, "", "nothing is to be said");
    }

    #[test]
    fn the_key_is_made_once_and_for_its_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("state");
        let key = seal_key(&folder, quiet).unwrap().unwrap();
        assert_ne!(key, [0; 32]);
        assert_eq!(seal_key(&folder, quiet), Ok(Some(key)));
        make_seal(&folder).unwrap();
        assert_eq!(seal_key(&folder, quiet), Ok(Some(key)), "who comes second takes what is there");
        let mode = fs::metadata(folder.join(SEAL)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_others_may_read_or_that_is_no_key_is_refused() {
        for (length, mode, refused) in [
            (32, 0o600, None),
            (32, 0o400, None),
            (32, 0o640, Some("may be open to others")),
            (31, 0o600, Some("is not a key of 32 bytes")),
            (33, 0o600, Some("is not a key of 32 bytes")),
            (0, 0o600, Some("is not a key of 32 bytes")),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join(SEAL);
            fs::write(&file, vec![1; length]).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let error = seal_key(folder.path(), quiet).err();
            assert_eq!(error.is_some(), refused.is_some(), "{length} {mode:o}");
            assert!(error.zip(refused).is_none_or(|(error, part)| error.contains(part)));
        }
    }

    #[test]
    fn where_it_cannot_be_made_it_is_said() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        let said = std::cell::RefCell::new(String::new());
        assert_eq!(seal_key(&file, |text| said.borrow_mut().push_str(text)), Ok(None));
        assert!(said.borrow().contains("is not opened after a restart"), "{}", said.borrow());
    }
}
