//! A report for people.

use std::fmt::Write;

use lockgate_clients::{Approves, Found, Hider, Kind, Launch, Program, Server, Version};
use lockgate_model::Untrusted;

use super::Report;
use super::can::Ability;
use super::finding::{Finding, Severity};
use super::written::plural;

/// Widest cell of a table.
const CELL: usize = 48;

/// Colours, where somebody looks at a terminal.
#[derive(Clone, Copy)]
struct Ink(bool);

impl Ink {
    fn paint(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn severity(self, severity: Severity) -> String {
        let code = match severity {
            Severity::Critical | Severity::High => "31",
            Severity::Medium => "33",
            Severity::Low | Severity::Info => "2",
        };
        self.paint(code, &format!("{:8}", severity.word()))
    }
}

pub(super) fn text(report: &Report, hider: &Hider, colour: bool) -> String {
    let ink = Ink(colour);
    let mut out = String::new();
    let mut last = None;
    for (at, file) in report.files.iter().enumerate() {
        let client = file.client.map_or("File", |client| client.name);
        if last != Some(client) {
            line(&mut out, &ink.paint("1", client));
        }
        last = Some(client);
        section(&mut out, report, at, file, hider);
    }
    if report.files.is_empty() {
        line(&mut out, "No file of an MCP client was found.");
    }
    out.push('\n');
    for held in &report.together {
        line(&mut out, &ink.paint("1", &format!("What an agent in {} holds", held.client.1)));
        for (ability, words) in HOLDS {
            if let Some(tools) = held.tools.get(&ability) {
                let tools: Vec<&str> = tools.iter().map(String::as_str).collect();
                wrapped(&mut out, &format!("  {words:22} "), &tools.join(", "), 25);
            }
        }
        out.push('\n');
    }
    for finding in &report.findings {
        told(&mut out, report, finding, ink);
    }
    if !report.findings.is_empty() {
        out.push('\n');
    }
    line(&mut out, &summary(report));
    if report.asked.is_empty() && report.files.iter().any(|file| !file.servers.is_empty()) {
        line(&mut out, "Nothing was started: with `--start` their tools are looked at too.");
    }
    out
}

const HOLDS: [(Ability, &str); 7] = [
    (Ability::Untrusted, "text of outsiders"),
    (Ability::Documents, "documents"),
    (Ability::Private, "private data"),
    (Ability::Workspace, "files and code here"),
    (Ability::Outward, "ways out"),
    (Ability::Destructive, "tools that destroy"),
    (Ability::DestructiveHere, "the same on this disk"),
];

fn section(out: &mut String, report: &Report, at: usize, file: &Found, hider: &Hider) {
    let path = super::super::shown(&file.path, &report.home);
    let scope = if file.client.is_some() { format!(" ({})", file.scope.word()) } else { String::new() };
    line(out, &format!("  {path}{scope}"));
    let rows: Vec<[String; 4]> = file
        .servers
        .iter()
        .enumerate()
        .map(|(place, server)| row(report, (at, place), server, hider))
        .collect();
    let widths: Vec<usize> = (0..4)
        .map(|at| {
            rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    for row in &rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        line(out, &format!("    {}", cells.join("  ")));
    }
    if rows.is_empty() {
        line(out, "    no servers");
    }
}

fn row(report: &Report, place: (usize, usize), server: &Server, hider: &Hider) -> [String; 4] {
    let program = Program::of(&server.launch);
    let kind = if super::super::is_lockgate(server) { "lockgate" } else { program.kind.word() };
    let what = match (program.kind, &server.launch) {
        (Kind::Npm | Kind::PyPi | Kind::Oci, _) => hider.text(&named(&program)),
        (Kind::Remote, Launch::Remote { url, .. }) => hider.url(url.reveal()),
        _ => hider.launch(&server.launch),
    };
    let mut notes: Vec<String> = Vec::new();
    if let [project, path, _] = server.section.as_slice()
        && project == "projects"
    {
        notes.push(format!("in {}", Untrusted::new(path).escaped(40)));
    }
    if !server.enabled {
        notes.push("off".to_owned());
    }
    match report.asked.get(&place) {
        Some(Ok(answer)) => notes.push(plural(answer.tools.len(), "tool")),
        Some(Err(_)) => notes.push("does not answer".to_owned()),
        None => {}
    }
    if server.approves == Approves::Everything {
        notes.push("never asks".to_owned());
    }
    [
        Untrusted::new(&server.name).escaped(CELL),
        kind.to_owned(),
        Untrusted::new(what).escaped(CELL),
        notes.join(", "),
    ]
}

fn named(program: &Program) -> String {
    match &program.version {
        Version::Exact(version) => format!("{} {version}", program.name),
        Version::Moving(version) => format!("{} {version} (not pinned)", program.name),
        Version::Unsaid => format!("{} (not pinned)", program.name),
        Version::Digest => format!("{} (by digest)", program.name),
        Version::Local => program.name.clone(),
    }
}

fn told(out: &mut String, report: &Report, finding: &Finding, ink: Ink) {
    let code = match finding.code.agent_scan {
        Some(other) => format!("{} ({other})", finding.code.name),
        None => finding.code.name.to_owned(),
    };
    let place = match (&finding.at, finding.client) {
        (Some((path, place)), _) => {
            let path = super::super::shown(path, &report.home);
            if place.line == 0 { path } else { format!("{path}:{}:{}", place.line, place.column) }
        }
        (None, Some(client)) => client.to_owned(),
        (None, None) => String::new(),
    };
    line(out, &format!("{} {code}  {place}", ink.severity(finding.severity)));
    wrapped(out, "         ", &finding.message, 9);
    if finding.severity >= Severity::Medium {
        wrapped(out, "         hint: ", finding.code.hint, 15);
    }
}

/// A text in lines of at most 100, those after the first indented.
fn wrapped(out: &mut String, lead: &str, text: &str, indent: usize) {
    let mut row = lead.to_owned();
    let mut fresh = true;
    for word in text.split(' ') {
        if !fresh && row.chars().count() + word.chars().count() >= 100 {
            line(out, &row);
            row = " ".repeat(indent);
            fresh = true;
        }
        if !fresh {
            row.push(' ');
        }
        row.push_str(word);
        fresh = false;
    }
    line(out, &row);
}

fn summary(report: &Report) -> String {
    let servers: usize = report.files.iter().map(|file| file.servers.len()).sum();
    let mut clients: Vec<&str> = report.files.iter().filter_map(|file| Some(file.client?.id)).collect();
    clients.dedup();
    let counts = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info]
        .into_iter()
        .map(|severity| {
            (severity, report.findings.iter().filter(|finding| finding.severity == severity).count())
        })
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| format!("{count} {}", severity.word()));
    let counts: Vec<String> = counts.collect();
    let found = if counts.is_empty() { "nothing found".to_owned() } else { counts.join(", ") };
    format!(
        "{}, {}, {}: {found}",
        plural(clients.len(), "client"),
        plural(report.files.len(), "file"),
        plural(servers, "server")
    )
}

/// Adds a line, without spaces at its end.
fn line(out: &mut String, text: &str) {
    // Writing to a text cannot fail.
    let _written = writeln!(out, "{}", text.trim_end());
}
