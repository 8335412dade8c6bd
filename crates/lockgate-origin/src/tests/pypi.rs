use std::fs;
use std::path::Path;

use lockgate_model::Reason;

use super::Home;
use crate::{Kind, Unresolved, check};

#[test]
fn a_console_script_is_that_of_its_package() {
    let home = Home::new();
    let site = home.environment("venv", "1.4");
    let found = home.resolve("~/venv/bin/mcp-tool --flag").unwrap();
    assert_eq!(found.origin.kind, Kind::Pypi);
    assert_eq!(found.origin.name, "mcp-tool");
    assert_eq!(found.origin.version.as_deref(), Some("1.4"));
    assert_eq!(found.owner.maintainer.as_deref(), Some("A Maker <maker@code.example>"));
    assert_eq!(found.owner.security.as_deref(), Some("mailto:security@code.example"));
    assert_eq!(found.owner.licence.as_deref(), Some("MIT"));
    let start = found.start.unwrap();
    assert!(start.environment.contains(&("PYTHONPYCACHEPREFIX".to_owned(), "/dev/null".to_owned())));
    // Python writes compiled code by itself.
    home.write(&format!("{site}/mcp_tool/__pycache__/x.cpython-311.pyc"), "compiled");
    assert_eq!(home.resolve("~/venv/bin/mcp-tool").unwrap().origin, found.origin);
}

#[test]
fn launchers_of_python_lead_to_what_they_have_kept() {
    for (root, command) in [
        (".local/share/uv/tools/mcp-tool", "uvx mcp-tool@1.4"),
        (".cache/uv/archive-v0/abc", "uvx mcp-tool==1.4"),
        (".cache/uv/archive-v0/abc", "uv tool run --from MCP_Tool mcp-tool x"),
        (".local/share/pipx/venvs/mcp-tool", "pipx run mcp-tool"),
        (".cache/pipx/0a1b", "pipx run mcp-tool"),
    ] {
        let home = Home::new();
        assert_eq!(home.resolve(command).err(), Some(Unresolved::NotInstalled), "{command}");
        home.environment(root, "1.4");
        let found = home.resolve(command).unwrap();
        assert_eq!(found.origin.version.as_deref(), Some("1.4"), "{command}");
        let script = home.at(root).join("bin/mcp-tool");
        assert_eq!(Path::new(&found.start.unwrap().command[0]), script, "{command}");
    }
    let home = Home::new();
    home.environment(".cache/uv/archive-v0/a", "1.4");
    // As uv 0.13 writes it, so that the environment can be moved.
    let beside = "#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")\"/'python' \"$0\" \"$@\"\n' '''\nmain()\n";
    let record = ".cache/uv/archive-v0/a/lib/python3.11/site-packages/mcp_tool-1.4.dist-info/RECORD";
    home.write(record, "");
    home.program(".cache/uv/archive-v0/a/bin/mcp-tool", beside);
    home.resolve("uvx mcp-tool").unwrap();
    home.environment(".cache/uv/archive-v0/b", "1.5");
    assert_eq!(home.resolve("uvx mcp-tool").err(), Some(Unresolved::Ambiguous));
    assert_eq!(home.resolve("uvx mcp-tool@1.5").unwrap().origin.version.as_deref(), Some("1.5"));
}

/// SAFE-T1002: the lists of packages tell, even where nothing was pinned; and they are not all that counts.
#[test]
fn what_is_changed_in_an_environment_is_told() {
    type Change = fn(&Home, &str);
    let changes: [(&str, Change, bool); 6] = [
        ("a module", |home, site| home.write(&format!("{site}/mcp_tool/__init__.py"), "main = 2\n"), true),
        ("what it needs", |home, site| home.write(&format!("{site}/needed.py"), "need = 2\n"), true),
        ("a script", |home, _| home.program("venv/bin/mcp-tool", "#!/x/python\nevil()\n"), true),
        ("a file less", |home, site| fs::remove_file(home.at(&format!("{site}/needed.py"))).unwrap(), true),
        ("a start-up file", |home, site| home.write(&format!("{site}/evil.pth"), "import evil"), false),
        ("a module of nobody", |home, site| home.write(&format!("{site}/sitecustomize.py"), ""), false),
    ];
    for (what, change, listed) in changes {
        let home = Home::new();
        let site = home.environment("venv", "1.4");
        let command = "~/venv/bin/python -m mcp_tool";
        let by_module = home.resolve(command).unwrap().origin;
        let pinned = home.resolve("~/venv/bin/mcp-tool").unwrap().origin;
        change(&home, &site);
        let found = home.resolve("~/venv/bin/mcp-tool").map(|found| found.origin);
        if what == "a script" {
            // It names an interpreter that is not there, and is nobody's any more.
            assert_ne!(found.as_ref(), Ok(&pinned));
            continue;
        }
        assert_eq!(found.as_ref().err(), listed.then_some(&Unresolved::Tampered), "{what}");
        if let Ok(found) = found {
            assert_eq!(check(&pinned, &found).unwrap_err().reason(), Reason::ArtefactChanged, "{what}");
        }
        assert_ne!(home.resolve(command).map(|found| found.origin), Ok(by_module), "{what}");
    }
    assert_eq!(Unresolved::Tampered.reason(), Reason::ArtefactChanged);
}

#[test]
fn a_module_is_not_taken_from_the_folder_it_starts_in() {
    let home = Home::new();
    home.environment("venv", "1.4");
    home.resolve("~/venv/bin/python -m mcp_tool").unwrap();
    home.write("work/mcp_tool.py", "evil()");
    let shadowed = home.resolve("~/venv/bin/python -m mcp_tool");
    assert_eq!(shadowed.err(), Some(Unresolved::Shadowed));
}

#[test]
fn a_package_in_the_making_is_not_pinned() {
    let home = Home::new();
    let site = home.environment("venv", "1.4");
    let written = r#"{"url":"file:///x","dir_info":{"editable":true}}"#;
    home.write(&format!("{site}/mcp_tool-1.4.dist-info/direct_url.json"), written);
    assert_eq!(home.resolve("~/venv/bin/mcp-tool").err(), Some(Unresolved::Editable));
    home.write("work/package.json", r#"{"name":"mine","version":"1.0.0","bin":"x.js"}"#);
    assert_eq!(home.resolve("npx mine").err(), Some(Unresolved::Editable));
}
