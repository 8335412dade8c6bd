//! Programs that cargo installed.

use std::path::Path;

use serde_json::Value;

use crate::owner::{self, Owner};
use crate::read;
use crate::setting::{Setting, name_of};

/// The crate of a program.
pub(crate) struct Installed {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) owner: Owner,
}

/// The crate that cargo installed this program from.
pub(crate) fn of_file(setting: &Setting<'_>, program: &Path) -> Option<Installed> {
    let bin = program.parent().filter(|folder| name_of(folder) == "bin")?;
    let list = read::json(&bin.parent()?.join(".crates2.json"))?;
    let program = name_of(program);
    let has = |entry: &Value| {
        let bins = entry.get("bins").and_then(Value::as_array);
        bins.is_some_and(|bins| bins.iter().any(|bin| bin.as_str() == Some(&program)))
    };
    // `name 1.2.3 (registry+https://…)`
    let key = list.get("installs")?.as_object()?.iter().find(|(_, entry)| has(entry))?.0;
    let mut words = key.split(' ');
    let (name, version) = (words.next()?.to_owned(), words.next()?.to_owned());
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.+".contains(&b));
    if !plain(&name) || !plain(&version) {
        return None;
    }
    let owner = source(setting, &name, &version).unwrap_or_default();
    Some(Installed { name, version, owner })
}

/// Who its manifest says answers for it, where cargo still has its source.
fn source(setting: &Setting<'_>, name: &str, version: &str) -> Option<Owner> {
    let sources = setting.folder("CARGO_HOME", ".cargo")?.join("registry/src");
    let mut registries = std::fs::read_dir(sources).ok()?.flatten();
    let manifest = registries
        .find_map(|registry| read::text(&registry.path().join(format!("{name}-{version}/Cargo.toml"))))?;
    let package = manifest.lines().skip_while(|line| line.trim() != "[package]").skip(1);
    let mut owner = Owner::default();
    let mut in_authors = false;
    for line in package.take_while(|line| !line.starts_with('[')) {
        let text = || line.split('"').nth(1).and_then(owner::shown);
        let key = line.split('=').next().unwrap_or_default().trim();
        if key == "authors" || in_authors {
            in_authors = !line.contains(']');
            owner.maintainer = owner.maintainer.or_else(text);
        } else if key == "repository" {
            owner.repository = text();
        } else if key == "license" {
            owner.licence = text();
        }
    }
    Some(owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_that_of_its_crate() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let source = at("registry/src/index/mcp-tool-1.4.0");
        std::fs::create_dir_all(&source).unwrap();
        std::fs::create_dir(at("bin")).unwrap();
        std::fs::write(at("bin/mcp-tool"), "").unwrap();
        std::fs::write(
            at(".crates2.json"),
            r#"{"installs":{"mcp-tool 1.4.0 (registry+https://index.example)":{"bins":["mcp-tool"]}}}"#,
        )
        .unwrap();
        std::fs::write(
            source.join("Cargo.toml"),
            "# x\n[package]\nname = \"mcp-tool\"\nauthors = [\n    \"Somebody\",\n    \"Else\",\n]\nlicense = \"MIT\"\n\
             repository = \"https://code.example/tool\"\n\n[dependencies.a]\nrepository = \"no\"\n",
        )
        .unwrap();
        let environment = [("CARGO_HOME".to_owned(), folder.path().to_string_lossy().into_owned())];
        let setting = Setting { command: &[], environment: &environment, directory: Path::new("/") };
        let installed = of_file(&setting, &at("bin/mcp-tool")).unwrap();
        assert_eq!((installed.name.as_str(), installed.version.as_str()), ("mcp-tool", "1.4.0"));
        assert_eq!(installed.owner.maintainer.as_deref(), Some("Somebody"));
        assert_eq!(installed.owner.repository.as_deref(), Some("https://code.example/tool"));
        assert_eq!(installed.owner.licence.as_deref(), Some("MIT"));
        assert!(of_file(&setting, &at("bin/other")).is_none());
    }
}
