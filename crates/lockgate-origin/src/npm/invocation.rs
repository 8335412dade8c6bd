//! The arguments of `npx` and its like.

use std::path::Path;

use super::package;
use crate::unresolved::Unresolved;

/// Options without a value that change nothing about what is started.
const HARMLESS: [&str; 12] = [
    "-y",
    "--yes",
    "--no",
    "--no-install",
    "-q",
    "--quiet",
    "-s",
    "--silent",
    "--offline",
    "--prefer-offline",
    "--prefer-online",
    "--bun",
];

/// What is to be executed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Invocation {
    /// The packages, at least one.
    pub(super) packages: Vec<Spec>,
    /// The program, where the packages were named beside it.
    pub(super) command: Option<String>,
    /// What the program is given.
    pub(super) arguments: Vec<String>,
}

/// A package as it is asked for: `name`, `name@version`, `name@range`, `name@tag`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spec {
    /// As it is written.
    pub(super) written: String,
    /// The package's name.
    pub(super) name: String,
    /// What stands behind the `@`.
    wanted: Option<String>,
}

impl Spec {
    fn read(written: &str) -> Result<Self, Unresolved> {
        let after_scope = usize::from(written.starts_with('@'));
        let at = written.get(after_scope..).and_then(|rest| rest.find('@')).map(|at| at + after_scope);
        let (name, wanted) = match at.and_then(|at| written.split_at_checked(at)) {
            Some((name, wanted)) => (name, Some(wanted.trim_start_matches('@').to_owned())),
            None => (written, None),
        };
        // A folder, an archive, a repository: nothing that a registry has in versions.
        if !package::is_name(name) || wanted.as_ref().is_some_and(|wanted| wanted.contains([':', '/'])) {
            return Err(Unresolved::Launcher);
        }
        Ok(Self { written: written.to_owned(), name: name.to_owned(), wanted })
    }

    /// Does it name one version?
    pub(super) fn is_exact(&self) -> bool {
        self.wanted.as_deref().is_some_and(is_version)
    }

    /// Is it installed here, in the version that is asked for? A range or tag may mean another one tomorrow: then only what
    /// was installed for this very text counts.
    pub(super) fn is_in(&self, modules: &Path) -> bool {
        let Some(version) = package::version(&modules.join(&self.name)) else { return false };
        match &self.wanted {
            None => true,
            Some(wanted) => *wanted == version || (wanted == "*" || wanted.is_empty()),
        }
    }
}

/// `1.2.3`, perhaps with `-pre.1` or `+build`: three numbers, and none of them open.
fn is_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<&str> = core.split('.').collect();
    let number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let rest = |b: u8| b.is_ascii_alphanumeric() || b".-+".contains(&b);
    numbers.len() == 3 && numbers.iter().all(number) && text.bytes().all(rest)
}

/// Reads the arguments of a launcher. `Ok(None)` where it does something else than launch.
pub(super) fn read(launcher: &str, arguments: &[String]) -> Result<Option<Invocation>, Unresolved> {
    let mut rest = arguments.iter().map(String::as_str);
    match launcher {
        "npx" => {}
        // What they fetch they keep where only they find it; what is installed in a project npx starts as well.
        "bunx" | "pnpm" | "pnpx" | "yarn" => return Err(Unresolved::Launcher),
        "npm" => {
            if !matches!(rest.next(), Some("exec" | "x")) {
                return Err(Unresolved::Launcher);
            }
        }
        "bun" => {
            let by_project = matches!(rest.next(), Some("x" | "run" | "exec" | "start"));
            return if by_project { Err(Unresolved::Launcher) } else { Ok(None) };
        }
        _ => return Ok(None),
    }
    let (mut packages, mut command) = (Vec::new(), None);
    while let Some(word) = rest.next() {
        if word == "--" {
            command = rest.next();
            break;
        }
        if let Some(package) = word.strip_prefix("--package=") {
            packages.push(Spec::read(package)?);
        } else if word == "-p" || word == "--package" {
            packages.push(Spec::read(rest.next().ok_or(Unresolved::Option)?)?);
        } else if word == "-c" || word == "--call" || word.starts_with("--call=") {
            return Err(Unresolved::Shell);
        } else if word.starts_with('-') && !HARMLESS.contains(&word) {
            return Err(Unresolved::Option);
        } else if !word.starts_with('-') {
            command = Some(word);
            break;
        }
    }
    let command = command.ok_or(Unresolved::Launcher)?;
    let arguments = rest.map(str::to_owned).collect();
    if packages.is_empty() {
        let packages = vec![Spec::read(command)?];
        return Ok(Some(Invocation { packages, command: None, arguments }));
    }
    if command.contains('/') || command == ".." {
        return Err(Unresolved::Option);
    }
    Ok(Some(Invocation { packages, command: Some(command.to_owned()), arguments }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_words(words: &str) -> Result<Option<Invocation>, Unresolved> {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        read(&words[0], &words[1..])
    }

    #[test]
    fn arguments_are_read_as_npm_does() {
        for (words, packages, command, arguments) in [
            ("npx server", "server", None, ""),
            ("npx -y server@1.2.3 --stdio -p 1", "server@1.2.3", None, "--stdio -p 1"),
            ("npx --yes --package @a/b@1.0.0 run x", "@a/b@1.0.0", Some("run"), "x"),
            ("npx -p a --package=b@2.0.0 c", "a b@2.0.0", Some("c"), ""),
            ("npm exec -- @a/b --flag", "@a/b", None, "--flag"),
            ("npm x --package=a b", "a", Some("b"), ""),
        ] {
            let read = read_words(words).unwrap().unwrap();
            let written: Vec<_> = read.packages.iter().map(|spec| spec.written.as_str()).collect();
            assert_eq!(written.join(" "), packages, "{words}");
            assert_eq!(read.command.as_deref(), command, "{words}");
            assert_eq!(read.arguments.join(" "), arguments, "{words}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_named() {
        for (words, why) in [
            ("npx -c server", Unresolved::Shell),
            ("npx --prefix /x server", Unresolved::Option),
            ("npx -y", Unresolved::Launcher),
            ("npx ./folder", Unresolved::Launcher),
            ("npx github:a/b", Unresolved::Launcher),
            ("npx https://a.example/b.tgz", Unresolved::Launcher),
            ("npx a@npm:b@1", Unresolved::Launcher),
            ("npx ../a", Unresolved::Launcher),
            ("npx -p a ../b", Unresolved::Option),
            ("npm run server", Unresolved::Launcher),
            ("pnpm dlx server", Unresolved::Launcher),
            ("bunx server", Unresolved::Launcher),
        ] {
            assert_eq!(read_words(words), Err(why), "{words}");
        }
        assert_eq!(read_words("node x.js"), Ok(None));
    }

    #[test]
    fn only_a_whole_version_is_exact() {
        for (written, exact) in [
            ("a@1.2.3", true),
            ("@a/b@1.2.3-rc.1", true),
            ("a@1.2.3+build", true),
            ("a", false),
            ("@a/b", false),
            ("a@latest", false),
            ("a@^1.2.3", false),
            ("a@1.2", false),
            ("a@1.x.3", false),
            ("a@1.2.3 || 2", false),
            ("a@*", false),
            ("a@", false),
        ] {
            assert_eq!(Spec::read(written).unwrap().is_exact(), exact, "{written}");
        }
    }
}
