//! `detect.code`: which arguments are programs, and what these may import.

use std::collections::BTreeMap;

use lockgate_core::{CodeArgument, Server};
use lockgate_detect::code::Program;
use lockgate_detect::code::language::Language;
use lockgate_detect::code::python::Allowed;
use lockgate_model::ServerName;
use lockgate_policy::Pattern;
use schemars::JsonSchema;

use super::error::{At, Report, quoted};
use super::rules;
use super::schema;
use super::section::{List, Section};
use super::words::LANGUAGES;

/// Most arguments.
pub(super) const ARGUMENTS: usize = 1_000;

const LIST: List = List {
    key: "code",
    form: "write `- { tool: run_script, argument: script, language: python }`",
    needs: &[("argument", "write `argument: NAME`, as the tool's schema has it")],
    most: ARGUMENTS,
    entries: ("arguments", "name several tools at once, with `*`"),
};

/// An argument that is a program. What becomes of a program that reaches for what it should not is said by `arguments.code`.
#[derive(JsonSchema)]
#[schemars(rename = "CodeArgument", deny_unknown_fields)]
pub(super) struct RawCode {
    /// The servers, with `*` for any run of characters. Without it, every one.
    #[schemars(with = "Option<String>")]
    server: Option<At<String>>,
    /// The tools, with `*` for any run of characters. Without it, every one.
    #[schemars(with = "Option<String>")]
    tool: Option<At<String>>,
    /// The name of the argument.
    #[schemars(with = "String")]
    argument: Option<At<String>>,
    /// The language. Without it, it is told by the text, and a text that is in none passes.
    #[schemars(with = "Option<schema::Languages>")]
    language: Option<At<Language>>,
    /// The modules that a Python program may import, as `numpy` or `os.path`, and what is below them. Without it, those of the
    /// standard library that compute and do nothing else.
    #[schemars(with = "Option<Vec<String>>", extend("uniqueItems" = true))]
    imports: Option<At<Vec<At<String>>>>,
}

/// Reads the list.
pub(super) fn read(detect: &Section<'_>) -> Vec<RawCode> {
    detect.entries(&LIST, |entry| RawCode {
        server: entry.text("server"),
        tool: entry.text("tool"),
        argument: entry.text("argument"),
        language: entry.word("language", LANGUAGES),
        imports: entry.texts("imports"),
    })
}

/// What of it is about each server.
pub(super) fn check(
    raw: &[RawCode],
    servers: &BTreeMap<ServerName, Server>,
    report: &Report,
) -> Vec<(Option<Pattern>, CodeArgument)> {
    raw.iter().filter_map(|raw| argument(raw, servers, report)).collect()
}

fn argument(
    raw: &RawCode,
    servers: &BTreeMap<ServerName, Server>,
    report: &Report,
) -> Option<(Option<Pattern>, CodeArgument)> {
    let argument = raw.argument.as_ref()?;
    if argument.value.is_empty() || argument.value.starts_with('/') {
        let message = format!("{} is no argument at the top", quoted(&argument.value));
        let hint = "write the name of the argument it stands in; what is inside is a program too";
        report.error(argument.place, message, hint);
    }
    let imports = raw.imports.as_ref().map(|imports| modules(imports, raw.language.as_ref(), report));
    let server = match &raw.server {
        Some(text) => Some(rules::servers(text, servers, report)?),
        None => None,
    };
    let tool = match &raw.tool {
        Some(text) => rules::pattern(text, report)?.value,
        None => Pattern::parse("*").ok()?,
    };
    let program = Program {
        language: raw.language.as_ref().map(|language| language.value),
        imports: imports.unwrap_or_default(),
    };
    Some((server, CodeArgument { tool, argument: argument.value.clone(), program }))
}

fn modules(imports: &At<Vec<At<String>>>, language: Option<&At<Language>>, report: &Report) -> Allowed {
    if let Some(language) = language.filter(|language| language.value != Language::Python) {
        let message = "`imports` is for Python only".to_owned();
        let hint = "take it out: programs in other languages are searched, not read";
        report.error(language.place, message, hint);
    }
    let is_name = |part: &str| {
        part.starts_with(|first: char| first.is_alphabetic() || first == '_')
            && part.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
    };
    for module in imports.value.iter().filter(|module| !module.value.split('.').all(is_name)) {
        let message = format!("{} is not the name of a module", quoted(&module.value));
        report.error(module.place, message, "write it as a program imports it, as `numpy` or `os.path`");
    }
    Allowed::new(imports.value.iter().map(|module| module.value.as_str()))
}

/// What is said of an argument, for people.
pub(super) fn told(code: &CodeArgument) -> String {
    let CodeArgument { tool, argument, program } = code;
    let word = |language| LANGUAGES.iter().find(|(_, known)| *known == language).map(|(word, _)| *word);
    let what = program.language.and_then(word).map_or_else(String::new, |word| format!(" in {word}"));
    let imports: Vec<&str> = program.imports.modules().collect();
    let is_searched = matches!(program.language, Some(Language::JavaScript | Language::Shell));
    let may = if is_searched || program.imports == Allowed::default() {
        String::new()
    } else if imports.is_empty() {
        "; imports nothing".to_owned()
    } else {
        format!("; imports {} only", imports.join(", "))
    };
    format!("argument `{argument}` of `{tool}` is a program{what}{may}")
}
