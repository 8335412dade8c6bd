use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

/// A folder with a few files, a folder and a link.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("lib")).unwrap();
    fs::write(at("a.js"), "one").unwrap();
    fs::write(at("lib/b.js"), "two").unwrap();
    symlink("lib/b.js", at("link")).unwrap();
    folder
}

fn digest(folder: &Path) -> Result<String, Unresolved> {
    let mut tree = Tree::new().without(&["__pycache__"]);
    tree.add("", folder);
    tree.digest(&Cache::default())
}

#[test]
fn equal_files_elsewhere_are_equal() {
    assert_eq!(digest(folder().path()), digest(folder().path()));
    assert!(digest(folder().path()).unwrap().starts_with("sha256:"));
}

#[test]
fn whatever_is_changed_shows() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 8] = [
        ("a byte", |at| fs::write(at.join("lib/b.js"), "twp").unwrap()),
        ("a file more", |at| fs::write(at.join("c.js"), "").unwrap()),
        ("a file less", |at| fs::remove_file(at.join("a.js")).unwrap()),
        ("a name", |at| fs::rename(at.join("a.js"), at.join("A.js")).unwrap()),
        ("a folder", |at| fs::rename(at.join("lib"), at.join("bil")).unwrap()),
        ("an empty folder", |at| fs::create_dir(at.join("new")).unwrap()),
        ("a link", |at| {
            fs::remove_file(at.join("link")).unwrap();
            symlink("a.js", at.join("link")).unwrap();
        }),
        ("a right", |at| fs::set_permissions(at.join("a.js"), fs::Permissions::from_mode(0o755)).unwrap()),
    ];
    for (what, change) in changes {
        let folder = folder();
        let before = digest(folder.path()).unwrap();
        change(folder.path());
        assert_ne!(digest(folder.path()).unwrap(), before, "{what}");
    }
}

#[test]
fn what_is_left_out_does_not_count() {
    let folder = folder();
    let before = digest(folder.path()).unwrap();
    fs::create_dir(folder.path().join("lib/__pycache__")).unwrap();
    fs::write(folder.path().join("lib/__pycache__/b.pyc"), "x").unwrap();
    assert_eq!(digest(folder.path()).unwrap(), before);
}

#[test]
fn a_link_to_a_folder_elsewhere_is_refused() {
    let folder = folder();
    symlink("lib", folder.path().join("inside")).unwrap();
    digest(folder.path()).unwrap();
    symlink("/", folder.path().join("outside")).unwrap();
    assert_eq!(digest(folder.path()), Err(Unresolved::LeadsOutside));
}

#[test]
fn too_deep_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let deep: PathBuf = std::iter::repeat_n("d", DEEPEST + 1).collect();
    fs::create_dir_all(folder.path().join(deep)).unwrap();
    assert_eq!(digest(folder.path()), Err(Unresolved::TooLarge));
}

#[test]
fn a_file_must_be_what_is_said_of_it() {
    let folder = folder();
    let file = folder.path().join("a.js");
    let said = |text: &str| {
        let mut tree = Tree::new();
        tree.add("", folder.path());
        tree.expect(file.clone(), Sha256::digest(text).into());
        tree.digest(&Cache::default())
    };
    said("one").unwrap();
    assert_eq!(said("onf"), Err(Unresolved::Tampered));
    fs::remove_file(&file).unwrap();
    assert_eq!(said("one"), Err(Unresolved::Tampered));
}

#[test]
fn only_the_first_line_of_a_script_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("script");
    let digest = |text: &str| {
        fs::write(&file, text).unwrap();
        let mut tree = Tree::new();
        tree.add_script("script", &file);
        tree.digest(&Cache::default()).unwrap()
    };
    let one = digest("#!/a/python\nmain()\n");
    assert_eq!(digest("#!/b/python3\nmain()\n"), one);
    assert_ne!(digest("#!/a/python\nmain( )\n"), one);
}

/// A tree whose files are old enough to be remembered.
#[test]
fn a_remembered_tree_is_not_read_again_and_a_change_of_any_kind_is_seen() {
    let folder = folder();
    let cache = Cache::default();
    let digest = || {
        let mut tree = Tree::new();
        tree.add("", folder.path());
        tree.digest(&cache).unwrap()
    };
    let before = digest();
    // Young files are read every time.
    assert!(cache.0.lock().unwrap().is_empty());
    // A file that keeps its size and its time of change is still another one.
    let file = folder.path().join("a.js");
    let times = fs::metadata(&file).unwrap().modified().unwrap();
    fs::write(&file, "onf").unwrap();
    File::options().write(true).open(&file).unwrap().set_modified(times).unwrap();
    assert_ne!(digest(), before);
}
