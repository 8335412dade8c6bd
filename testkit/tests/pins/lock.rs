//! The lock file: what it approves, what it refuses, and what is not started because of it.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use testkit::hostile::Gate;
use testkit::peers::{lockgate, peers};
use testkit::scripted::scripted;

use crate::shelf::{REVISION, became, list, tool};

/// `lockgate pin` for the configuration of a folder: the exit code and everything it said.
fn pin(folder: &Path, more: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(lockgate());
    command.args(["pin", "--offline", "-c"]).arg(folder.join("lockgate.yaml")).args(more);
    let output = command.env("LOCKGATE_STATE", folder.join("state")).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

fn write(folder: &Path, config: &Value) {
    std::fs::write(folder.join("lockgate.yaml"), config.to_string()).unwrap();
}

#[test]
fn the_lock_file_is_checked_kept_to_and_not_edited_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let config = |tools: &[Value]| {
        let calc = scripted(folder.path(), "calc", &json!({ "tools": tools }));
        json!({ "servers": { "calc": calc }, "state": folder.path().join("state") })
    };
    let (add, sub) = (tool("add", "Adds."), tool("sub", "Subtracts."));
    write(folder.path(), &config(&[add.clone(), sub.clone()]));
    assert_eq!(pin(folder.path(), &["--check"]).0, Some(1), "nothing is pinned yet");
    assert_eq!(pin(folder.path(), &[]).0, Some(0));
    let (code, text) = pin(folder.path(), &["--check"]);
    assert_eq!(code, Some(0), "{text}");
    let gate = Gate::start_in(folder.path(), config(&[add.clone(), sub.clone()]));
    let agent = gate.open("/s/calc/mcp", REVISION);
    for name in ["add", "sub"] {
        assert!(agent.call(1, name).reason().is_none(), "{name}");
    }
    drop(gate);
    let changed = [tool("add", "Adds. And more."), sub, tool("mul", "Multiplies.")];
    write(folder.path(), &config(&changed));
    let (code, text) = pin(folder.path(), &["--check"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("~ tool add") && text.contains("+ tool mul"), "{text}");
    assert!(!text.contains("tool sub"), "{text}");
    let gate = Gate::start_in(folder.path(), config(&changed));
    let agent = gate.open("/s/calc/mcp", REVISION);
    assert!(!list(&agent).contains("Multiplies"));
    became("changed", &agent.call(1, "add"), "definition_drift");
    became("not in it", &agent.call(2, "mul"), "tool_quarantined");
    assert!(agent.call(3, "sub").reason().is_none());
    drop(gate);
    // By hand, the digest is not that of the definition any more.
    let file = folder.path().join("lockgate.lock");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"Adds.\"", "\"Adds. And more.\"")).unwrap();
    let mut command = Command::new(lockgate());
    command.args(["run", "--listen", "127.0.0.1:0", "-c"]).arg(folder.path().join("lockgate.yaml"));
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    let line = 1 + text.lines().position(|line| line.contains("\"digest\"")).unwrap();
    let near = (line - 1..line + 12).any(|line| said.contains(&format!("lockgate.lock:{line}:")));
    assert!(near, "line {line}: {said}");
}

/// Copies a folder.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    assert!(Command::new("cp").arg("-r").args([from, to]).status().unwrap().success());
}

/// A package of npm and all that it depends on.
fn install(peers: &Path, package: &str, folder: &Path) {
    let (source, modules) = (peers.join("node_modules"), folder.join("node_modules"));
    let mut wanted = vec![package.to_owned()];
    while let Some(name) = wanted.pop() {
        if modules.join(&name).exists() || !source.join(&name).exists() {
            continue;
        }
        copy(&source.join(&name), &modules.join(&name));
        let about = std::fs::read(source.join(&name).join("package.json")).unwrap();
        let about: Value = serde_json::from_slice(&about).unwrap();
        for kind in ["dependencies", "peerDependencies", "optionalDependencies"] {
            wanted.extend(about[kind].as_object().into_iter().flat_map(|all| all.keys().cloned()));
        }
        // Those that a package has of its own are copied with it; what they need may stand above.
        let nested = source.join(&name).join("node_modules");
        let folders = std::fs::read_dir(nested).into_iter().flatten().flatten();
        for about in folders.filter_map(|one| std::fs::read(one.path().join("package.json")).ok()) {
            let about: Value = serde_json::from_slice(&about).unwrap();
            wanted.extend(about["dependencies"].as_object().into_iter().flat_map(|all| all.keys().cloned()));
        }
    }
    copy(&source.join(".package-lock.json"), &modules.join(".package-lock.json"));
}

/// T1002, T1207: a real server of npm whose files or version are others.
#[test]
fn a_package_that_was_changed_is_not_started() {
    let Some(peers) = peers() else { return };
    let folder = tempfile::tempdir().unwrap();
    let package = "@modelcontextprotocol/server-everything";
    install(&peers, package, folder.path());
    let home = folder.path().join("node_modules").join(package);
    let start = json!(["node", home.join("dist/index.js"), "stdio"]);
    let config = json!({ "servers": { "every": { "command": start, "timeout": "60s" } }, "state": folder.path().join("state") });
    write(folder.path(), &config);
    let (code, text) = pin(folder.path(), &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("npm") && text.contains(package), "{text}");
    let becomes = |what: &str, expected: &str| {
        let gate = Gate::start_in(folder.path(), config.clone());
        let hello = gate.post("/s/every/mcp", testkit::hostile::hello(REVISION).as_bytes(), &[]);
        let reason = hello.reason().unwrap_or(if hello.status == 200 { "starts" } else { "nothing" });
        assert_eq!(reason, expected, "{what}: {} {}", hello.text, gate.complaints.text());
    };
    becomes("as it was pinned", "starts");
    let program = home.join("dist/index.js");
    let good = std::fs::read(&program).unwrap();
    std::fs::write(&program, [&good[..], b" "].concat()).unwrap();
    becomes("one byte of the program", "artefact_changed");
    std::fs::write(&program, &good).unwrap();
    becomes("back again", "starts");
    let part = folder.path().join("node_modules/zod/package.json");
    let kept = std::fs::read(&part).unwrap();
    std::fs::write(&part, [&kept[..], b"\n"].concat()).unwrap();
    becomes("one byte of what it depends on", "artefact_changed");
    std::fs::write(&part, kept).unwrap();
    let files = [home.join("package.json"), folder.path().join("node_modules/.package-lock.json")];
    let texts = files.each_ref().map(|file| std::fs::read_to_string(file).unwrap());
    for (file, text) in files.iter().zip(&texts) {
        std::fs::write(file, text.replace("2026.8.31", "2026.9.1")).unwrap();
    }
    becomes("another version", "version_not_pinned");
    for (file, text) in files.iter().zip(&texts) {
        std::fs::write(file, text).unwrap();
    }
    becomes("as it was pinned, again", "starts");
}
