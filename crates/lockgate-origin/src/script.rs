//! Scripts and projects, and the interpreters that run them.

use std::path::{Path, PathBuf};

use crate::found::{Found, Start};
use crate::npm;
use crate::origin::{Kind, Origin};
use crate::owner;
use crate::pypi;
use crate::read;
use crate::setting::{Setting, name_of};
use crate::tree::{Cache, Tree};
use crate::unresolved::Unresolved;

/// What a project folder holds that is not run.
const NOT_RUN: [&str; 3] = [".git", "__pycache__", ".venv"];
/// How a file beside a script ends that the script may load.
const LOADED: [&str; 13] =
    ["js", "mjs", "cjs", "ts", "mts", "cts", "json", "node", "wasm", "py", "so", "sh", "pyd"];

/// A program that runs scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interpreter {
    Node,
    Python,
    Shell,
    Java,
    Other,
}

impl Interpreter {
    /// By the name of the program: `python3.11` and `node22` are what they begin with.
    fn of(program: &str) -> Option<Self> {
        let plain = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        Some(match plain {
            "node" | "nodejs" | "tsx" | "bun" => Self::Node,
            "python" | "pypy" => Self::Python,
            "sh" | "bash" | "dash" | "zsh" | "ksh" | "fish" => Self::Shell,
            "java" => Self::Java,
            "ruby" | "perl" | "php" | "lua" | "Rscript" | "deno" | "dotnet" | "julia" => Self::Other,
            _ => return None,
        })
    }
}

/// What an interpreter is told to run.
enum Told<'w> {
    Script(&'w str),
    Module(&'w str),
}

/// Resolves an interpreter with its arguments. `Ok(None)` where the program is none.
pub(crate) fn resolve(
    setting: &Setting<'_>,
    program: &Path,
    cache: &Cache,
) -> Result<Option<Found>, Unresolved> {
    let Some(interpreter) = Interpreter::of(&name_of(program)) else { return Ok(None) };
    let arguments = setting.command.get(1..).unwrap_or_default();
    let mut found = match told(interpreter, arguments)? {
        Told::Module(module) => pypi::module(setting, program, module, cache)?,
        Told::Script(script) => {
            let file = setting.directory.join(script).canonicalize().map_err(|_| Unresolved::NoProgram)?;
            if !file.is_file() {
                // A folder with a package, as node runs it: what it names may change without the command.
                return Err(Unresolved::Option);
            }
            of_script(setting, interpreter, program, &file, cache)?
        }
    };
    let mut command = setting.command.to_vec();
    if let Some(first) = command.first_mut() {
        *first = program.to_string_lossy().into_owned();
    }
    let of_script =
        || if interpreter == Interpreter::Python { pypi::environment_of_script() } else { Vec::new() };
    let environment = found.start.take().map_or_else(of_script, |start| start.environment);
    found.start = Some(Start { command, environment });
    Ok(Some(found))
}

/// Resolves a script by the interpreter that its first line names.
pub(crate) fn with_first_line(
    setting: &Setting<'_>,
    script: &Path,
    head: &[String],
    cache: &Cache,
) -> Result<Found, Unresolved> {
    let line = head.first().and_then(|line| line.strip_prefix("#!")).unwrap_or_default();
    let mut words = line.split_ascii_whitespace();
    let mut program = words.next().ok_or(Unresolved::NoProgram)?;
    if name_of(Path::new(program)) == "env" {
        program = words.find(|word| *word != "-S").ok_or(Unresolved::NoProgram)?;
    }
    let program = setting.program(program)?;
    let interpreter = Interpreter::of(&name_of(&program)).unwrap_or(Interpreter::Other);
    let mut found = of_script(setting, interpreter, &program, script, cache)?;
    if interpreter == Interpreter::Python {
        let mut command = setting.command.to_vec();
        if let Some(first) = command.first_mut() {
            *first = script.to_string_lossy().into_owned();
        }
        found.start = Some(Start { command, environment: pypi::environment_of_script() });
    }
    Ok(found)
}

fn told(interpreter: Interpreter, arguments: &[String]) -> Result<Told<'_>, Unresolved> {
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match (interpreter, word) {
            (Interpreter::Python, "-m") => {
                return words.next().map(Told::Module).ok_or(Unresolved::Option);
            }
            (Interpreter::Java, "-jar") => {
                return words.next().map(Told::Script).ok_or(Unresolved::Option);
            }
            (Interpreter::Shell, "-c") => return Err(Unresolved::Shell),
            (Interpreter::Python, "-u" | "-B" | "-E" | "-I" | "-s" | "-S" | "-O" | "-OO" | "-q" | "-P")
            | (Interpreter::Shell, "-e" | "-u" | "-x" | "-eu" | "-eux")
            | (Interpreter::Node, "--no-warnings" | "--enable-source-maps" | "--trace-warnings") => {}
            (Interpreter::Node, word) if word.starts_with("--max-old-space-size=") => {}
            (Interpreter::Java, word) if word.starts_with("-Xm") || word.starts_with("-D") => {}
            // An option that loads further code, or might.
            (_, word) if word.starts_with('-') => return Err(Unresolved::Option),
            // `bun run x`, `deno run x`: what they add depends on the project.
            (Interpreter::Node | Interpreter::Other, "run" | "x" | "exec") => {
                return Err(Unresolved::Launcher);
            }
            (_, word) => return Ok(Told::Script(word)),
        }
    }
    Err(Unresolved::Option)
}

fn of_script(
    setting: &Setting<'_>,
    interpreter: Interpreter,
    program: &Path,
    script: &Path,
    cache: &Cache,
) -> Result<Found, Unresolved> {
    if interpreter == Interpreter::Node
        && let Some(package) = npm::of_file(script)
    {
        return npm::found(&package, cache);
    }
    let project = match interpreter {
        Interpreter::Node => project(script, &["package.json"]),
        Interpreter::Python => project(script, &["pyproject.toml", "setup.py"]),
        Interpreter::Shell | Interpreter::Java | Interpreter::Other => None,
    };
    let manifest = project.as_ref().and_then(|folder| read::json(&folder.join("package.json")));
    let mut tree = Tree::new().without(&NOT_RUN);
    match (&project, &manifest) {
        // What a project needs may be installed above it.
        (Some(folder), Some(manifest)) => {
            for (label, folder) in npm::closure(folder, "project", manifest)? {
                tree.add(label, folder);
            }
        }
        (Some(folder), None) => tree.add("project", folder),
        (None, _) => beside(script, &mut tree)?,
    }
    if interpreter == Interpreter::Python {
        pypi::installed_beside(setting, program, &mut tree);
    }
    let real = program.canonicalize().map_err(|_| Unresolved::NoProgram)?;
    let name = match &project {
        Some(folder) => {
            let below = script.strip_prefix(folder).unwrap_or(script);
            format!("{}/{}", name_of(folder), below.to_string_lossy())
        }
        None => name_of(script),
    };
    let origin = Origin {
        version: manifest.as_ref().and_then(|manifest| read::at(manifest, "version")).and_then(owner::shown),
        files: Some(tree.digest(cache)?),
        by: Some(plain_name(&real)),
        ..Origin::new(Kind::Script, owner::shown(&name).ok_or(Unresolved::NoProgram)?)
    };
    let owner = manifest.as_ref().map(npm::owner_of).unwrap_or_default();
    Ok(Found { owner, folder: project, ..Found::new(origin) })
}

/// An interpreter's name without its version: a newer one may run the same script.
fn plain_name(program: &Path) -> String {
    let name = name_of(program);
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    if plain.is_empty() { name } else { plain.to_owned() }
}

/// The nearest folder above a script that has one of these files. A home folder or the root is no project.
fn project(script: &Path, marks: &[&str]) -> Option<PathBuf> {
    let folders = script.ancestors().skip(1).take_while(|folder| folder.parent().is_some());
    folders
        .into_iter()
        .find(|folder| marks.iter().any(|mark| folder.join(mark).is_file()))
        .map(Path::to_path_buf)
}

/// A script that stands alone, with the files beside it that it may load.
fn beside(script: &Path, tree: &mut Tree) -> Result<(), Unresolved> {
    tree.add(name_of(script), script);
    let folder = script.parent().ok_or(Unresolved::NoProgram)?;
    for found in std::fs::read_dir(folder).map_err(|_| Unresolved::Unreadable)?.flatten() {
        let path = found.path();
        let loaded = path.extension().is_some_and(|end| LOADED.iter().any(|loaded| end == *loaded));
        let module = path.join("__init__.py").is_file();
        if (loaded && path.is_file()) || module {
            tree.add(name_of(&path), &path);
        }
    }
    Ok(())
}
