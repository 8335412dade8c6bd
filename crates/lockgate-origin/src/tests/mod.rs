//! What commands would start, in folders as npm, pip, uv and pipx lay them out.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::{Cache, Found, Setting, Unresolved, resolve};

mod index;
mod npm;
mod pypi;
mod script;

/// A home folder with programs in `bin`.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        for program in ["bin/node", "bin/npx", "bin/bash", "system/bin/python3.11"] {
            home.program(program, "\u{7f}ELF");
        }
        home
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs::write(self.at(path), text).unwrap();
    }

    fn program(&self, path: &str, text: &str) {
        self.write(path, text);
        fs::set_permissions(self.at(path), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn link(&self, path: &str, to: &str) {
        fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        symlink(to, self.at(path)).unwrap();
    }

    fn resolve(&self, command: &str) -> Result<Found, Unresolved> {
        let home = self.0.path().to_string_lossy();
        let command: Vec<String> = command.split(' ').map(|word| word.replace('~', &home)).collect();
        let environment = [("HOME", home.to_string()), ("PATH", format!("{home}/bin"))];
        let environment = environment.map(|(name, value)| (name.to_owned(), value));
        let directory = self.at("work");
        fs::create_dir_all(&directory).unwrap();
        let setting = Setting { command: &command, environment: &environment, directory: &directory };
        resolve(&setting, &Cache::default())
    }

    /// What npm keeps for `npx SPEC`: a package with a program and a dependency.
    fn executed(&self, key: &str, version: &str) -> String {
        let modules = format!(".npm/_npx/{key}/node_modules");
        self.package(&modules, version);
        modules
    }

    fn package(&self, modules: &str, version: &str) {
        let manifest = format!(
            r#"{{"name":"@maker/server","version":"{version}","bin":{{"mcp-server":"dist/index.js"}},
                "dependencies":{{"helper":"^1"}},"author":{{"name":"A Maker","email":"maker@code.example"}},
                "license":"MIT","repository":{{"type":"git","url":"https://code.example/server"}},
                "bugs":"https://code.example/server/issues","mcpName":"example.code/server"}}"#
        );
        self.write(&format!("{modules}/@maker/server/package.json"), &manifest);
        self.program(&format!("{modules}/@maker/server/dist/index.js"), "#!/usr/bin/env node\nserve()\n");
        self.write(&format!("{modules}/helper/package.json"), r#"{"name":"helper","version":"1.0.0"}"#);
        self.write(&format!("{modules}/helper/index.js"), "help()");
        self.link(&format!("{modules}/.bin/mcp-server"), "../@maker/server/dist/index.js");
        let list = format!(
            r#"{{"packages":{{"node_modules/@maker/server":{{"version":"{version}","integrity":"sha512-AAAA"}}}}}}"#
        );
        self.write(&format!("{modules}/.package-lock.json"), &list);
    }

    /// A virtual environment with a package and what it needs.
    fn environment(&self, root: &str, version: &str) -> String {
        self.write(&format!("{root}/pyvenv.cfg"), "home = /usr/bin\ninclude-system-site-packages = false\n");
        self.link(&format!("{root}/bin/python"), &self.at("system/bin/python3.11").to_string_lossy());
        let site = format!("{root}/lib/python3.11/site-packages");
        let script = format!("#!{}/bin/python\nmain()\n", self.at(root).display());
        self.program(&format!("{root}/bin/mcp-tool"), &script);
        self.distribution(
            &site,
            "mcp_tool",
            version,
            &[
                ("mcp_tool/__init__.py", "main = 1\n"),
                ("mcp_tool/__main__.py", "main()\n"),
                ("../../../bin/mcp-tool", &script),
            ],
        );
        self.distribution(&site, "needed", "2.0", &[("needed.py", "need = 1\n")]);
        site
    }

    fn distribution(&self, site: &str, name: &str, version: &str, files: &[(&str, &str)]) {
        let info = format!("{name}-{version}.dist-info");
        let metadata = format!(
            "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nMaintainer-email: A Maker <maker@code.example>\n\
             License-Expression: MIT\nProject-URL: Source, https://code.example/tool\n\
             Project-URL: Security Contact, mailto:security@code.example\nRequires-Dist: Needed>=1 ; extra == 'x'\n\nLicense: no\n"
        );
        self.write(&format!("{site}/{info}/METADATA"), &metadata);
        let entries = format!("[console_scripts]\nmcp-tool = {name}:main\n");
        if name == "mcp_tool" {
            self.write(&format!("{site}/{info}/entry_points.txt"), &entries);
        }
        let mut record = format!("{info}/RECORD,,\n{name}/__pycache__/x.cpython-311.pyc,,\n");
        for (path, text) in files {
            self.write(&format!("{site}/{path}"), text);
            let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(text));
            record += &format!("{path},sha256={digest},{}\n", text.len());
        }
        self.write(&format!("{site}/{info}/RECORD"), &record);
        // It was a program before it was written as one of the files.
        if self.at(&format!("{site}/../../../bin/mcp-tool")).is_file() {
            let script = self.at(&format!("{site}/../../../bin/mcp-tool"));
            fs::set_permissions(script, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
}
