//! `lockgate scan`, `init`, `connect` and `disconnect` on a home folder with many clients, some of them broken.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails here has found something"
)]

#[path = "clients/connect.rs"]
mod connect;
#[path = "clients/scan.rs"]
mod scan;

use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::home::PLANTED;

const LOCKGATE: &str = env!("CARGO_BIN_EXE_lockgate");

/// A home, a project in it, and nothing else of this machine.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// Empty.
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir_all(place.home()).unwrap();
        std::fs::create_dir_all(place.project()).unwrap();
        place
    }

    /// With everything that clients have.
    fn full() -> Self {
        let place = Self::new();
        testkit::home::home(&place.home(), &place.project());
        place
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn project(&self) -> PathBuf {
        self.folder.path().join("home/project")
    }

    fn put(&self, path: &str, text: &str) -> PathBuf {
        let path = self.home().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs it in the project: what it prints, what it complains of, and how it ends. No secret may be in either.
    fn run(&self, arguments: &[&str]) -> (String, String, i32) {
        let mut command = Command::new(LOCKGATE);
        command.args(arguments).current_dir(self.project()).env_clear();
        command.env("HOME", self.home()).env("PATH", std::env::var_os("PATH").unwrap());
        command.env("LOCKGATE_STATE", self.folder.path().join("state"));
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (out, errors) = (text(output.stdout), text(output.stderr));
        for told in [&out, &errors] {
            assert!(!told.contains(PLANTED), "{arguments:?} tells a secret: {told}");
            assert!(!told.contains("panicked"), "{told}");
        }
        (out, errors, output.status.code().unwrap())
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.home().join(path)).unwrap()
    }
}

/// The text of a file beside this one; `BLESS=1` writes it.
fn committed(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(&file).unwrap(), "{name}");
}
