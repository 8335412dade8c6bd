//! Which crate may know which. The table of ARCHITECTURE.md, checked against what cargo says.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::run::{cargo, root, say};

/// Our crates, and those of ours that each may depend on.
const TABLE: &[(&str, &[&str])] = &[
    ("lockgate-model", &[]),
    ("lockgate-policy", &["lockgate-model"]),
    ("lockgate-flow", &["lockgate-model"]),
    ("lockgate-provenance", &["lockgate-model", "lockgate-detect"]),
    ("lockgate-detect", &["lockgate-model"]),
    ("lockgate-audit", &["lockgate-model"]),
    ("lockgate-era", &["lockgate-model"]),
    (
        "lockgate-core",
        &[
            "lockgate-model",
            "lockgate-policy",
            "lockgate-flow",
            "lockgate-provenance",
            "lockgate-detect",
            "lockgate-audit",
            "lockgate-era",
        ],
    ),
    ("lockgate-store", &["lockgate-model", "lockgate-audit"]),
    ("lockgate-transport", &["lockgate-model", "lockgate-core"]),
    ("lockgate-watch", &["lockgate-model", "lockgate-audit"]),
    ("lockgate-post", &[]),
    ("lockgate-telemetry", &["lockgate-model", "lockgate-audit", "lockgate-post"]),
    ("lockgate-sandbox", &["lockgate-model"]),
    ("lockgate-attest", &["lockgate-model"]),
    ("lockgate-origin", &["lockgate-model", "lockgate-attest"]),
    ("lockgate-console", &["lockgate-model", "lockgate-audit", "lockgate-post"]),
    ("lockgate-clients", &["lockgate-model", "lockgate-detect"]),
    (
        "lockgate",
        &[
            "lockgate-model",
            "lockgate-policy",
            "lockgate-flow",
            "lockgate-provenance",
            "lockgate-detect",
            "lockgate-audit",
            "lockgate-era",
            "lockgate-core",
            "lockgate-store",
            "lockgate-watch",
            "lockgate-telemetry",
            "lockgate-transport",
            "lockgate-sandbox",
            "lockgate-attest",
            "lockgate-origin",
            "lockgate-console",
            "lockgate-clients",
        ],
    ),
];

/// Crates that decide: no socket, file, clock, environment, randomness, thread or `async` in all that they reach.
const PURE: [&str; 9] = [
    "lockgate-model",
    "lockgate-policy",
    "lockgate-flow",
    "lockgate-provenance",
    "lockgate-detect",
    "lockgate-audit",
    "lockgate-era",
    "lockgate-core",
    "lockgate-watch",
];

/// Crates that no pure crate may reach.
const IMPURE: [&str; 12] = [
    "tokio",
    "hyper",
    "hyper-util",
    "rustls",
    "rusqlite",
    "socket2",
    "mio",
    "getrandom",
    "rand",
    "async-std",
    "rustix",
    "reqwest",
];

pub(crate) fn check() -> Result<()> {
    let output = cargo(&["metadata", "--format-version", "1", "--locked"]).current_dir(root()).output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata gave no JSON")?;
    let graph = Graph::read(&metadata).context("cargo metadata has another shape than expected")?;
    let faults = graph.faults()?;
    if !faults.is_empty() {
        bail!("the layers do not hold:\n  {}", faults.join("\n  "));
    }
    say(&format!("{} crates of ours keep to the table", graph.ours().count()));
    Ok(())
}

/// Packages with those that each depends on normally: by name, and by name and version (`name@1.0.0`) where there are several.
struct Graph(BTreeMap<String, BTreeSet<String>>);

impl Graph {
    fn read(metadata: &Value) -> Option<Self> {
        let packages = metadata.get("packages")?.as_array()?;
        let text = |package: &Value, key: &str| Some(package.get(key)?.as_str()?.to_owned());
        let mut versions: BTreeMap<String, usize> = BTreeMap::new();
        for package in packages {
            *versions.entry(text(package, "name")?).or_default() += 1;
        }
        let identified = |package: &Value| {
            let name = text(package, "name")?;
            let several = versions.get(&name).is_some_and(|many| *many > 1);
            let name = if several { format!("{name}@{}", text(package, "version")?) } else { name };
            Some((text(package, "id")?, name))
        };
        let names: BTreeMap<String, String> = packages.iter().filter_map(identified).collect();
        let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for node in metadata.pointer("/resolve/nodes")?.as_array()? {
            let name = names.get(node.get("id")?.as_str()?)?;
            let normal = node.get("deps")?.as_array()?.iter().filter(|dependency| {
                let kinds = dependency.get("dep_kinds").and_then(Value::as_array);
                kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind.get("kind") == Some(&Value::Null)))
            });
            let reached = normal.filter_map(|dependency| names.get(dependency.get("pkg")?.as_str()?));
            graph.entry(name.clone()).or_default().extend(reached.cloned());
        }
        Some(Self(graph))
    }

    fn ours(&self) -> impl Iterator<Item = &String> {
        self.0.keys().filter(|name| *name == "lockgate" || name.starts_with("lockgate-"))
    }

    fn faults(&self) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        for name in self.ours() {
            let Some((_, allowed)) = TABLE.iter().find(|(known, _)| known == name) else {
                faults.push(format!("{name} is not in the table"));
                continue;
            };
            let direct = self.0.get(name).into_iter().flatten();
            for other in direct.filter(|other| *other == "lockgate" || other.starts_with("lockgate-")) {
                if !allowed.contains(&other.as_str()) {
                    faults.push(format!("{name} may not depend on {other}"));
                }
            }
        }
        let mut first: Option<(&str, String)> = None;
        for name in PURE {
            if !self.0.contains_key(name) {
                continue;
            }
            for reached in self.reached(name) {
                let bare = reached.split('@').next().unwrap_or_default();
                if IMPURE.contains(&bare) {
                    faults.push(format!("{name} is pure and reaches {reached}"));
                }
            }
            let file = root().join("crates").join(name).join("clippy.toml");
            let bans = std::fs::read_to_string(&file)
                .with_context(|| format!("{name} is pure and has no clippy.toml"))?;
            match &first {
                Some((other, text)) if *text != bans => {
                    faults.push(format!("the clippy.toml of {name} and {other} differ"));
                }
                Some(_) => {}
                None => first = Some((name, bans)),
            }
        }
        Ok(faults)
    }

    fn reached(&self, from: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut next = vec![from.to_owned()];
        while let Some(name) = next.pop() {
            for other in self.0.get(&name).into_iter().flatten() {
                if seen.insert(other.clone()) {
                    next.push(other.clone());
                }
            }
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_layers_hold() {
        check().unwrap();
    }

    #[test]
    fn versions_of_a_package_are_told_apart() {
        let package = |id: &str, name: &str| json!({ "id": id, "name": name, "version": id });
        let normal = |id: &str| json!({ "pkg": id, "dep_kinds": [{ "kind": null }] });
        let development = |id: &str| json!({ "pkg": id, "dep_kinds": [{ "kind": "dev" }] });
        let faults = |used: &str| {
            let metadata = json!({
                "packages": [package("m", "lockgate-model"), package("a1", "a"), package("a2", "a"), package("t1", "tokio"), package("t2", "tokio"), package("r", "rand")],
                "resolve": { "nodes": [
                    { "id": "m", "deps": [normal(used), development("r")] },
                    { "id": "a1", "deps": [normal("t1")] },
                    { "id": "a2", "deps": [] },
                    { "id": "t1", "deps": [] },
                    { "id": "t2", "deps": [] },
                    { "id": "r", "deps": [] },
                ] }
            });
            Graph::read(&metadata).unwrap().faults().unwrap()
        };
        assert_eq!(faults("a1"), ["lockgate-model is pure and reaches tokio@t1"]);
        assert_eq!(faults("a2"), Vec::<String>::new());
    }

    #[test]
    fn a_breach_is_seen() {
        let graph = Graph(BTreeMap::from([
            ("lockgate-model".to_owned(), BTreeSet::from(["bytes".to_owned()])),
            ("bytes".to_owned(), BTreeSet::from(["tokio".to_owned()])),
            ("lockgate-store".to_owned(), BTreeSet::from(["lockgate-transport".to_owned()])),
            ("lockgate-extra".to_owned(), BTreeSet::new()),
        ]));
        let faults = graph.faults().unwrap();
        assert_eq!(faults.len(), 3, "{faults:?}");
    }
}
