use std::fs;
use std::path::Path;

use lockgate_model::Reason;

use super::Home;
use crate::{Kind, Unresolved, check, remote};

#[test]
fn scripts_and_projects() {
    let home = Home::new();
    home.environment("venv", "1.4");
    home.write(
        "work/project/package.json",
        r#"{"name":"mine","version":"0.1.0","dependencies":{"hoisted":"1"}}"#,
    );
    home.write("work/project/dist/index.js", "serve()");
    home.write("work/project/node_modules/a/index.js", "a()");
    home.write("work/project/.git/HEAD", "x");
    home.write("work/node_modules/hoisted/index.js", "b()");
    home.write("work/node_modules/unneeded/index.js", "c()");
    home.write("work/alone/server.py", "import beside");
    home.write("work/alone/beside.py", "x = 1");
    home.write("work/alone/notes.txt", "");
    let python = home.at("venv/bin/python");
    home.program("work/alone/main.py", &format!("#!{}\nimport beside\n", python.display()));
    home.program("work/alone/start.sh", "#!/usr/bin/env bash\nexec server\n");
    for (command, name, version, by, changes) in [
        (
            "node project/dist/index.js x",
            "project/dist/index.js",
            Some("0.1.0"),
            "node",
            [("project/node_modules/a/index.js", true), ("project/.git/HEAD", false)],
        ),
        (
            "node project/dist/index.js",
            "project/dist/index.js",
            Some("0.1.0"),
            "node",
            [("node_modules/hoisted/index.js", true), ("node_modules/unneeded/index.js", false)],
        ),
        (
            "~/venv/bin/python -u alone/server.py",
            "server.py",
            None,
            "python",
            [("alone/beside.py", true), ("alone/notes.txt", false)],
        ),
        (
            "./alone/main.py",
            "main.py",
            None,
            "python",
            [("alone/beside.py", true), ("alone/notes.txt", false)],
        ),
        (
            "bash alone/start.sh",
            "start.sh",
            None,
            "bash",
            [("alone/start.sh", true), ("alone/notes.txt", false)],
        ),
        (
            "./alone/start.sh",
            "start.sh",
            None,
            "bash",
            [("alone/start.sh", true), ("alone/notes.txt", false)],
        ),
    ] {
        let found = home.resolve(command).unwrap();
        assert_eq!(found.origin.kind, Kind::Script, "{command}");
        assert_eq!(found.origin.name, name, "{command}");
        assert_eq!((found.origin.version.as_deref(), found.origin.by.as_deref()), (version, Some(by)));
        let start = found.start.unwrap();
        assert!(Path::new(&start.command[0]).is_absolute());
        // A script of Python is not run from compiled code, and may load what is beside it.
        let names: Vec<&str> = start.environment.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, if by == "python" { &["PYTHONPYCACHEPREFIX"][..] } else { &[] }, "{command}");
        for (file, counts) in changes {
            let before = home.resolve(command).unwrap().origin;
            let path = home.at("work").join(file);
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, text + "\n").unwrap();
            assert_eq!(check(&before, &home.resolve(command).unwrap().origin).is_err(), counts, "{file}");
        }
    }
}

#[test]
fn programs() {
    let home = Home::new();
    home.program("bin/server", "\u{7f}ELF one");
    let found = home.resolve("server --flag").unwrap();
    assert_eq!((found.origin.kind, found.origin.name.as_str()), (Kind::Binary, "server"));
    assert_eq!(
        found.start.unwrap().command,
        [home.at("bin/server").to_string_lossy().into_owned(), "--flag".into()]
    );
    let pinned = found.origin;
    home.link("bin/linked", "server");
    assert_eq!(home.resolve("linked").unwrap().origin, pinned);
    home.program("bin/server", "\u{7f}ELF two");
    let found = home.resolve("server").unwrap().origin;
    assert_eq!(check(&pinned, &found).unwrap_err().reason(), Reason::ArtefactChanged);
    home.program(".cargo/bin/tool", "\u{7f}ELF");
    home.write(".cargo/.crates2.json", r#"{"installs":{"mcp-tool 1.0.0 (x)":{"bins":["tool"]}}}"#);
    let found = home.resolve("~/.cargo/bin/tool").unwrap().origin;
    assert_eq!((found.kind, found.version.as_deref()), (Kind::Crate, Some("1.0.0")));
}

#[test]
fn what_cannot_be_told_is_named() {
    let home = Home::new();
    for (command, why) in [
        ("nothing", Unresolved::NoProgram),
        ("./nothing", Unresolved::NoProgram),
        ("bash -c server", Unresolved::Shell),
        ("node --import x.js y.js", Unresolved::Option),
        ("node -e 1", Unresolved::Option),
        ("env -i server", Unresolved::Option),
        ("uv run server.py", Unresolved::Launcher),
        ("bunx server", Unresolved::Launcher),
        ("docker compose up", Unresolved::Launcher),
    ] {
        assert_eq!(home.resolve(command).err(), Some(why), "{command}");
    }
    home.program("shims/server", "#!/usr/bin/env bash\n");
    assert_eq!(home.resolve("~/shims/server").err(), Some(Unresolved::Launcher));
    assert_eq!(Unresolved::Launcher.reason(), Reason::VersionNotPinned);
}

#[test]
fn servers_elsewhere() {
    for (address, name, by) in [
        ("https://MCP.example/sse?key=secret", "mcp.example", "https"),
        ("http://127.0.0.1:8080/mcp", "127.0.0.1:8080", "http"),
        ("https://user:secret@mcp.example:8443", "mcp.example:8443", "https"),
    ] {
        let origin = remote(address).unwrap();
        assert_eq!((origin.kind, origin.name.as_str(), origin.by.as_deref()), (Kind::Remote, name, Some(by)));
        assert_eq!(origin.is_exact(), by == "http");
    }
    assert_eq!(remote("nothing"), None);
}
