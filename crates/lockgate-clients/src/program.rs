//! What a command would run, by its words alone: a package of a registry, an image, a script, a program.

use crate::server::Launch;

/// What a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Where it comes from.
    pub kind: Kind,
    /// Its name there. Text of the file, never an argument that may be a secret.
    pub name: String,
    /// Which one of that name.
    pub version: Version,
}

/// Where a server comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A package of npm.
    Npm,
    /// A package of the Python Package Index.
    PyPi,
    /// An image of a container.
    Oci,
    /// A file that an interpreter runs.
    Script,
    /// A line for a shell.
    Shell,
    /// A program of this machine.
    Binary,
    /// A server elsewhere.
    Remote,
    /// A part of the client.
    Builtin,
}

impl Kind {
    /// In one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::PyPi => "pypi",
            Self::Oci => "docker",
            Self::Script => "script",
            Self::Shell => "shell",
            Self::Binary => "binary",
            Self::Remote => "remote",
            Self::Builtin => "builtin",
        }
    }
}

/// Which version is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// This one.
    Exact(String),
    /// This image, by its digest.
    Digest,
    /// What somebody else calls so today: a tag, a range, `latest`.
    Moving(String),
    /// The newest, or the one that is installed.
    Unsaid,
    /// What is on the disk.
    Local,
}

impl Version {
    /// Can another program come in its place without a change of the file?
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Moving(_) | Self::Unsaid)
    }
}

/// Options of `docker run` that take a word of their own.
const DOCKER: &str = "-e --env -v --volume --mount --name -p --publish --network --net -w --workdir -u --user --env-file \
    --entrypoint -m --memory --cpus --platform -l --label --add-host --cap-add --cap-drop --device --pull --hostname -h \
    --tmpfs --security-opt --restart --gpus --runtime --ulimit --log-driver";

impl Program {
    /// What this launch runs or reaches. Only names that cannot be secrets are taken over.
    pub fn of(launch: &Launch) -> Self {
        match launch {
            Launch::Builtin => Self { kind: Kind::Builtin, name: String::new(), version: Version::Local },
            Launch::Remote { url, .. } => {
                Self { kind: Kind::Remote, name: host(url.reveal()).to_owned(), version: Version::Local }
            }
            Launch::Command { words, .. } => {
                let words: Vec<&str> = words.iter().map(crate::Secret::reveal).collect();
                of_words(&words)
            }
        }
    }
}

/// The host and port of an address, without who signs in.
pub(crate) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

fn of_words(words: &[&str]) -> Program {
    let Some((first, rest)) = words.split_first() else { return local(Kind::Binary, "") };
    let program = first.rsplit(['/', '\\']).next().unwrap_or(first);
    let program = ["exe", "cmd", "bat"]
        .iter()
        .find_map(|end| program.strip_suffix(&format!(".{end}")))
        .unwrap_or(program);
    match (program, rest) {
        ("env", rest) => {
            let after = rest.iter().position(|word| !word.contains('=') && !word.starts_with('-'));
            of_words(after.and_then(|at| rest.get(at..)).unwrap_or_default())
        }
        ("cmd", [slash, rest @ ..]) if slash.eq_ignore_ascii_case("/c") => of_words(rest),
        ("sh" | "bash" | "zsh" | "cmd" | "powershell" | "pwsh" | "fish", rest)
            if rest.iter().any(|word| ["-c", "-lc", "-ic", "-command", "-Command", "/c"].contains(word)) =>
        {
            local(Kind::Shell, program)
        }
        ("npx" | "bunx" | "pnpx", rest)
        | ("npm", ["exec" | "x", rest @ ..])
        | ("pnpm" | "yarn", ["dlx", rest @ ..])
        | ("bun", ["x", rest @ ..]) => npm(rest),
        ("uvx", rest) | ("uv", ["tool", "run", rest @ ..]) | ("pipx", ["run", rest @ ..]) => pypi(rest),
        ("docker" | "podman" | "nerdctl", [..]) if rest.contains(&"run") => image(rest),
        (interpreter, ["-m", module, ..]) if interpreter.starts_with("python") => {
            Program { kind: Kind::PyPi, name: (*module).to_owned(), version: Version::Local }
        }
        (interpreter, rest)
            if ["python", "node", "deno", "bun", "ruby", "sh", "bash", "perl", "php", "java", "tsx"]
                .iter()
                .any(|known| {
                    interpreter.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') == *known
                }) =>
        {
            let script =
                rest.iter().find(|word| !word.starts_with('-') && **word != "run" && **word != "-jar");
            local(Kind::Script, script.map_or(interpreter, |script| name_of(script)))
        }
        (program, _) => local(Kind::Binary, program),
    }
}

fn name_of(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn local(kind: Kind, name: &str) -> Program {
    Program { kind, name: name.to_owned(), version: Version::Local }
}

/// The package of `npx [-y] [-p PACKAGE] PACKAGE …`.
fn npm(words: &[&str]) -> Program {
    let spec =
        spec(words, &["-p", "--package"], &["-c", "--call", "--registry", "--prefix", "-w", "--workspace"]);
    let (name, version) = match spec.char_indices().skip(1).find(|(_, c)| *c == '@') {
        Some((at, _)) => (spec.get(..at).unwrap_or(spec), version(spec.get(at + 1..).unwrap_or_default())),
        None => (spec, Version::Unsaid),
    };
    if spec.starts_with('.') || spec.starts_with('/') {
        return local(Kind::Script, name_of(spec));
    }
    Program { kind: Kind::Npm, name: name.to_owned(), version }
}

/// The package of `uvx [--from PACKAGE] PACKAGE …`.
fn pypi(words: &[&str]) -> Program {
    let options = ["--with", "--python", "-p", "--index-url", "--index", "--with-editable", "--directory"];
    let spec = spec(words, &["--from", "--spec"], &options);
    let (name, version) = if let Some((name, exact)) = spec.split_once("==") {
        (name, version(exact))
    } else if let Some((name, exact)) = spec.split_once('@').filter(|(name, _)| !name.contains("://")) {
        (name, version(exact))
    } else if let Some(at) = spec.find(['<', '>', '~', '!', '=']) {
        (spec.get(..at).unwrap_or(spec), Version::Moving(spec.get(at..).unwrap_or_default().to_owned()))
    } else {
        (spec, Version::Unsaid)
    };
    let name = name.split('[').next().unwrap_or(name).trim();
    Program { kind: Kind::PyPi, name: name.to_owned(), version }
}

/// The word that names the package: behind one of `named`, else the first that is no option.
fn spec<'w>(words: &[&'w str], named: &[&str], with_word: &[&str]) -> &'w str {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if let Some((option, value)) = word.split_once('=').filter(|(option, _)| option.starts_with('-')) {
            if named.contains(&option) {
                return value;
            }
        } else if named.contains(word) {
            return words.next().copied().unwrap_or_default();
        } else if with_word.contains(word) {
            words.next();
        } else if !word.starts_with('-') {
            return word;
        }
    }
    ""
}

fn version(text: &str) -> Version {
    let exact = text.split('.').count() >= 2
        && text.bytes().next().is_some_and(|b| b.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-+".contains(&b))
        && !text.split('.').any(|part| part.eq_ignore_ascii_case("x"));
    if exact { Version::Exact(text.to_owned()) } else { Version::Moving(text.to_owned()) }
}

/// The image of `docker run [options] IMAGE …`.
fn image(words: &[&str]) -> Program {
    let with_word: Vec<&str> = DOCKER.split_whitespace().collect();
    let after = words.iter().position(|word| *word == "run").map_or(0, |at| at + 1);
    let reference = spec(words.get(after..).unwrap_or_default(), &[], &with_word);
    let (name, version) = match reference.split_once("@sha256:") {
        Some((name, _)) => (name, Version::Digest),
        None => match reference.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) {
            Some((name, tag)) => (name, Version::Moving(tag.to_owned())),
            None => (reference, Version::Unsaid),
        },
    };
    Program { kind: Kind::Oci, name: name.to_owned(), version }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_what_they_run() {
        for (command, expected) in [
            ("npx -y @scope/server", "npm @scope/server open"),
            ("npx -y @scope/server@latest /data", "npm @scope/server open"),
            ("npx @scope/server@1.2.3", "npm @scope/server 1.2.3"),
            ("npx -y server@^1.2.0", "npm server open"),
            ("npx --package=server@1.2.3 run", "npm server 1.2.3"),
            ("npx -p server@2.0.0 run x", "npm server 2.0.0"),
            ("npm exec -- server", "npm server open"),
            ("cmd /c npx -y server", "npm server open"),
            ("env A=b npx server@1.0.0-beta.1", "npm server 1.0.0-beta.1"),
            ("pnpm dlx server", "npm server open"),
            ("npx ./local", "script local closed"),
            ("uvx mcp-server-git", "pypi mcp-server-git open"),
            ("uvx mcp-server-git==2025.1.14", "pypi mcp-server-git 2025.1.14"),
            ("uvx mcp-server-git@latest", "pypi mcp-server-git open"),
            ("uvx --from mcp-server[x]>=1 run", "pypi mcp-server open"),
            ("uv tool run --python 3.12 thing", "pypi thing open"),
            ("python3.12 -m mcp_server", "pypi mcp_server closed"),
            ("docker run -i --rm -e TOKEN ghcr.io/x/y:1.2", "docker ghcr.io/x/y open"),
            ("docker run -i ghcr.io/x/y", "docker ghcr.io/x/y open"),
            ("docker run -v /a:/b x@sha256:00ff", "docker x pinned"),
            ("/usr/bin/node /srv/dist/index.js --x", "script index.js closed"),
            ("uv run server.py", "binary uv closed"),
            ("bash -c thing", "shell bash closed"),
            ("/opt/thing --flag", "binary thing closed"),
            (r"C:\tools\thing.exe", "binary thing closed"),
            ("npx", "npm  open"),
            ("docker run", "docker  open"),
        ] {
            let words: Vec<&str> = command.split(' ').collect();
            let program = of_words(&words);
            let version = match &program.version {
                Version::Exact(version) => version.as_str(),
                Version::Digest => "pinned",
                version if version.is_open() => "open",
                Version::Moving(_) | Version::Unsaid | Version::Local => "closed",
            };
            assert_eq!(format!("{} {} {version}", program.kind.word(), program.name), expected, "{command}");
        }
    }
}
