use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Size at which a file is put aside. Bytes.
const LARGEST: u64 = 16 << 20;

/// Writes a line at the end of a file, whole, and waits until the disk has it. Several processes may write to one file.
pub(super) fn append(path: &Path, line: &str) -> io::Result<()> {
    loop {
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        file.lock()?;
        if !is_at(&file, path)? {
            // Somebody put it aside meanwhile.
            continue;
        }
        if file.metadata()?.len() >= LARGEST {
            let mut aside = path.as_os_str().to_owned();
            aside.push(".1");
            std::fs::rename(path, aside)?;
            continue;
        }
        file.write_all(format!("{line}\n").as_bytes())?;
        return file.sync_data();
    }
}

/// Is this open file the one at that path? An error where that is no file.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    if !open.is_file() {
        return Err(ErrorKind::InvalidInput.into());
    }
    match std::fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (open.dev(), open.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_and_a_full_file_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts.jsonl");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..25).for_each(|_| append(&path, &"x".repeat(100)).unwrap()));
            }
        });
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 100);
        assert!(text.lines().all(|line| line.len() == 100));
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        OpenOptions::new().write(true).open(&path).unwrap().set_len(LARGEST).unwrap();
        append(&path, "first").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first\n");
        assert_eq!(std::fs::metadata(folder.path().join("alerts.jsonl.1")).unwrap().len(), LARGEST);
        assert!(append(folder.path(), "x").is_err());
        assert!(append(&folder.path().join("none/alerts"), "x").is_err());
    }

    #[test]
    fn a_device_is_not_written_to() {
        assert_eq!(
            append(Path::new("/dev/null"), "x").map_err(|error| error.kind()),
            Err(ErrorKind::InvalidInput)
        );
    }
}
