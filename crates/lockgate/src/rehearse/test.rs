//! `lockgate test`: cases beside a policy.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;
use lockgate_model::Json;
use lockgate_policy::{Action, Subject};
use serde_json::{Value, json};

use super::{Call, Outcome, Policy, Stage, Unset, policy};
use crate::command::Told;
use crate::config::{self, Case, CaseFile, Listed, ListedTool};

/// How the name of a file of cases ends.
const CASES: &str = ".test.yaml";

/// What to test.
#[derive(Args)]
pub struct TestOptions {
    /// Files of cases, named NAME.test.yaml, or folders with such files in them
    #[arg(default_value = ".", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// One JSON object for machines
    #[arg(long)]
    json: bool,
}

/// What came of one file of cases.
struct Ran {
    file: String,
    passed: usize,
    failed: Vec<Failed>,
    /// Rules that meet no listed tool or argument.
    unfit: Option<String>,
    /// Why the cases could not be run.
    broken: Option<String>,
}

struct Failed {
    number: usize,
    case: Case,
    got: Result<Outcome, String>,
    place: Option<String>,
}

/// Runs every case. Codes: 0 all passed, 1 some did not or a rule can meet nothing, 2 something could not be read.
pub fn test(options: &TestOptions) -> Result<Told, String> {
    let mut files = Vec::new();
    for path in &options.paths {
        if path.is_dir() {
            let before = files.len();
            find(path, &mut files)
                .map_err(|error| format!("{}: {}", path.display(), config::plain(&error)))?;
            if files.len() == before {
                let hint = "write a file such as `lockgate.test.yaml` beside the policy";
                return Err(format!("{}: there is no file named *{CASES}\n  hint: {hint}", path.display()));
            }
        } else {
            files.push(path.clone());
        }
    }
    let ran: Vec<Ran> = files.iter().map(|path| run(path)).collect();
    let code = match &ran {
        ran if ran.iter().any(|ran| ran.broken.is_some()) => 2,
        ran if ran.iter().any(|ran| ran.unfit.is_some() || !ran.failed.is_empty()) => 1,
        _ => 0,
    };
    let text = if options.json { for_machines(&ran).to_string() } else { for_people(&ran) };
    Ok(Told { text, code })
}

/// Every file of cases in a folder and below it, in order; hidden folders are left out.
fn find(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let kind = entry.file_type()?;
        if kind.is_dir() && !name.starts_with('.') {
            find(&entry.path(), files)?;
        } else if !kind.is_dir() && name.ends_with(CASES) {
            let path = entry.path();
            files.push(path.strip_prefix("./").map(Path::to_path_buf).unwrap_or(path));
        }
    }
    Ok(())
}

fn run(path: &Path) -> Ran {
    let file = path.to_string_lossy().into_owned();
    let mut ran = Ran { file, passed: 0, failed: Vec::new(), unfit: None, broken: None };
    if let Err(error) = run_cases(path, &mut ran) {
        ran.broken = Some(error);
    }
    ran
}

fn run_cases(path: &Path, ran: &mut Ran) -> Result<(), String> {
    let cases = CaseFile::parse(&policy::read(path)?, &ran.file).map_err(|errors| errors.to_string())?;
    let policy = Policy::load(&path.with_file_name(&cases.policy))?;
    let listed = listed(path, &policy)?;
    let fit = config::fit(&policy.text, &policy.file, &listed, &Unset::new(&policy.text));
    ran.unfit = fit.err().map(|errors| errors.to_string());
    let stage = Stage::new(&policy.config.boundary);
    for (number, case) in
        cases.resolve(&policy.config).map_err(|errors| errors.to_string())?.into_iter().enumerate()
    {
        let tool = listed.get(&case.server).filter(|_| case.subject == Subject::Tool);
        let tool = tool.and_then(|tools| tools.iter().find(|tool| tool.name == case.name));
        let got = stage.call(&Call {
            subject: case.subject,
            name: &case.name,
            server: &case.server,
            principal: &case.principal,
            at: case.at,
            arguments: case.arguments.as_deref(),
            after: &case.after,
            times: case.times,
            listed: tool.map(|tool| tool.entry.as_slice()),
        });
        if passes(&case, &got) {
            ran.passed += 1;
        } else {
            let place = got.as_ref().ok().and_then(|got| policy.place_of(&got.rule));
            ran.failed.push(Failed { number: number + 1, case, got, place });
        }
    }
    Ok(())
}

fn passes(case: &Case, got: &Result<Outcome, String>) -> bool {
    let Ok(got) = got else { return false };
    got.action == case.expect && (case.reason.is_none() || case.reason == got.reason)
}

/// The tools in `NAME.tools.json` beside `NAME.test.yaml`, where there is one: a list for the only server, or a list for
/// each by its name.
fn listed(path: &Path, policy: &Policy) -> Result<Listed, String> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let path = path.with_file_name(format!("{}.tools.json", name.strip_suffix(CASES).unwrap_or(&name)));
    if !path.exists() {
        return Ok(Listed::new());
    }
    let wrong = |what: &str| format!("{}: {what}", path.display());
    let text = policy::read(&path)?;
    let json = Json::check(text.trim().as_bytes(), 128).map_err(|reason| wrong(reason.meaning()))?;
    let mut servers = policy.config.boundary.servers.keys();
    let form = "write a list of tools, or a list for each server: {\"NAME\": [...]}";
    let tools = |list: Json<'_>| {
        let tool = |entry: Json<'_>| {
            let name = entry.get("name")?.text()?.into_owned();
            Some(ListedTool { name, entry: entry.raw().to_vec() })
        };
        let all: Option<Vec<_>> = list.elements().map(tool).collect();
        all.filter(|_| list.kind() == lockgate_model::Kind::Array)
            .ok_or_else(|| wrong(&format!("not a list of tools, each with a name\n  hint: {form}")))
    };
    if json.kind() == lockgate_model::Kind::Array {
        return match (servers.next(), servers.next()) {
            (Some(only), None) => Ok(Listed::from([(only.clone(), tools(json)?)])),
            _ => Err(wrong(&format!("the policy has several servers\n  hint: {form}"))),
        };
    }
    let mut listed = Listed::new();
    for (name, list) in json.members() {
        let name = name.text();
        let server = policy.config.boundary.servers.keys().find(|server| server.as_str() == name);
        let server =
            server.ok_or_else(|| wrong(&format!("the policy has no server `{}`", name.escape_default())))?;
        listed.insert(server.clone(), tools(list)?);
    }
    Ok(listed)
}

fn for_people(ran: &[Ran]) -> String {
    let colour = std::io::stdout().is_terminal();
    let red = |text: &str| if colour { format!("\u{1b}[31m{text}\u{1b}[0m") } else { text.to_owned() };
    let mut out = String::new();
    let mut say = |line: String| {
        out.push_str(&line);
        out.push('\n');
    };
    for ran in ran {
        for problem in ran.broken.iter().chain(&ran.unfit) {
            say(problem.clone());
        }
        for Failed { number, case, got, place } in &ran.failed {
            say(format!("{}:{}: case {number} {}: {}", ran.file, case.line, red("failed"), shown(case)));
            say(format!("  expected  {}", words(case.expect, case.reason.map(lockgate_model::Reason::code))));
            match got {
                Ok(got) => {
                    say(format!(
                        "  got       {}",
                        words(got.action, got.reason.map(lockgate_model::Reason::code))
                    ));
                    say(format!(
                        "  rule      {}{}",
                        got.rule,
                        place.as_ref().map_or_else(String::new, |place| format!(" ({place})"))
                    ));
                    if let Some(detail) = &got.detail {
                        say(format!("  detail    {detail}"));
                    }
                }
                Err(error) => say(format!("  got       no decision: {error}")),
            }
            if let Some(why) = &case.why {
                say(format!("  why       {why}"));
            }
        }
        if ran.broken.is_none() && ran.failed.is_empty() {
            say(format!("{}: {} passed", ran.file, count(ran.passed, "case")));
        }
    }
    let (passed, failed) = totals(ran);
    let broken = ran.iter().filter(|ran| ran.broken.is_some()).count();
    let unfit = ran.iter().filter(|ran| ran.unfit.is_some()).count();
    let mut summary = format!("{}: {passed} passed, {failed} failed", count(ran.len(), "file"));
    if unfit > 0 {
        summary.push_str(&format!(", {} with rules that meet nothing", count(unfit, "policy")));
    }
    if broken > 0 {
        summary.push_str(&format!(", {} could not be run", count(broken, "file")));
    }
    say(summary);
    out
}

fn for_machines(ran: &[Ran]) -> Value {
    let (passed, failed) = totals(ran);
    let files: Vec<Value> = ran.iter().map(|ran| {
        let failures: Vec<Value> = ran.failed.iter().map(|Failed { number, case, got, place }| {
            let outcome = got.as_ref().ok();
            json!({
                "case": number,
                "line": case.line,
                "server": case.server.as_str(),
                "target": case.name,
                "expected": case.expect.word(),
                "expected_reason": case.reason.map(lockgate_model::Reason::code),
                "got": outcome.map(|got| got.action.word()),
                "reason": outcome.and_then(|got| got.reason).map(lockgate_model::Reason::code),
                "rule": outcome.map(|got| &got.rule),
                "place": place,
                "detail": outcome.and_then(|got| got.detail.as_deref()),
                "error": got.as_ref().err(),
                "why": case.why,
            })
        }).collect();
        json!({ "file": ran.file, "passed": ran.passed, "failed": failures, "unfit": ran.unfit, "error": ran.broken })
    }).collect();
    json!({ "passed": passed, "failed": failed, "files": files })
}

fn totals(ran: &[Ran]) -> (usize, usize) {
    (ran.iter().map(|ran| ran.passed).sum(), ran.iter().map(|ran| ran.failed.len()).sum())
}

fn shown(case: &Case) -> String {
    let name = lockgate_model::Untrusted::new(case.name.as_str()).escaped(60);
    match case.principal.as_str() {
        "local" => format!("{name} on {}", case.server),
        principal => format!("{name} on {} as {principal}", case.server),
    }
}

fn words(action: Action, reason: Option<&str>) -> String {
    reason.map_or_else(|| action.word().to_owned(), |reason| format!("{} ({reason})", action.word()))
}

/// `1 case`, `2 cases`, `3 policies`.
pub(crate) fn count(number: usize, what: &str) -> String {
    match (number, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {what}s"),
    }
}
