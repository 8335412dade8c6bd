//! What can be found in the files alone, without starting anything.

use std::collections::BTreeMap;

use lockgate_clients::{
    Approves, Fault, Found, Hider, Kind, Launch, Place, Program, Scope, Secret, Server, Trouble, Variable,
    Version,
};
use lockgate_model::Untrusted;

use super::finding::{self, Code, Finding, Severity};

/// Everything that is wrong with these files.
pub(super) fn findings(files: &[Found], hider: &Hider) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        let mode = mode(file);
        findings.extend(file.faults.iter().map(|fault| faulty(file, fault)));
        if mode & 0o022 != 0 && !file.servers.is_empty() {
            findings.push(of_file(file, &finding::WRITABLE, "other users can write to this file".to_owned()));
        }
        for server in &file.servers {
            findings.extend(of_server(file, server, mode & 0o044 != 0, hider));
        }
    }
    findings.extend(shared(files));
    findings
}

/// The bits of who may do what; none where the system has none.
fn mode(file: &Found) -> u32 {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(&file.path).map_or(0, |about| about.permissions().mode())
    }
    #[cfg(not(unix))]
    0
}

fn faulty(file: &Found, fault: &Fault) -> Finding {
    let code: &'static Code = match &fault.trouble {
        Trouble::Unreadable(_) | Trouble::TooLarge | Trouble::NotAFile => &finding::UNREADABLE,
        Trouble::Utf16 | Trouble::NotUtf8 | Trouble::Malformed(..) => &finding::BROKEN,
        Trouble::DuplicateKey(_) => &finding::DUPLICATE_KEY,
        Trouble::NotServers(_) | Trouble::NotAServer(..) => &finding::BAD_ENTRY,
    };
    Finding { at: Some((file.path.clone(), fault.place)), ..of_file(file, code, fault.trouble.to_string()) }
}

fn of_file(file: &Found, code: &'static Code, message: String) -> Finding {
    let at = Some((file.path.clone(), Place::default()));
    Finding { client: file.client.map(|client| client.id), at, ..Finding::new(code, message) }
}

/// Where a server stands, for what is said of it.
struct About<'f> {
    file: &'f Found,
    server: &'f Server,
    name: String,
    found: Vec<Finding>,
}

impl About<'_> {
    fn say(&mut self, code: &'static Code, message: String) {
        self.say_as(code, code.severity, self.server.place, message);
    }

    fn say_as(&mut self, code: &'static Code, severity: Severity, place: Place, message: String) {
        let at = Some((self.file.path.clone(), place));
        let client = self.file.client.map(|client| client.id);
        let server = Some(self.name.clone());
        self.found.push(Finding { severity, client, server, at, ..Finding::new(code, message) });
    }
}

fn of_server(file: &Found, server: &Server, readable: bool, hider: &Hider) -> Vec<Finding> {
    let name = Untrusted::new(&server.name).escaped(64);
    let mut about = About { file, server, name, found: Vec::new() };
    match &server.launch {
        Launch::Command { words, env, .. } => {
            in_clear(&mut about, env, readable, hider);
            command(&mut about, words, hider);
        }
        Launch::Remote { url, headers, .. } => {
            in_clear(&mut about, headers, readable, hider);
            address(&mut about, url, hider);
        }
        Launch::Builtin => {}
    }
    unpinned(&mut about);
    let name = &about.name;
    match server.approves {
        Approves::Everything => {
            let message = format!("every tool of {name} is called without asking");
            about.say(&finding::APPROVED, message);
        }
        Approves::Some(count) => {
            let message = format!("{} of {name} may be called without asking", plural(count, "tool"));
            about.say(&finding::APPROVES, message);
        }
        Approves::Nothing => {}
    }
    about.found
}

fn in_clear(about: &mut About<'_>, variables: &[Variable], readable: bool, hider: &Hider) {
    let project = about.file.scope == Scope::Project;
    let severity = if readable || project { Severity::High } else { finding::SECRET.severity };
    let who = match (project, readable) {
        (true, _) => ", in a file of a project",
        (false, true) => ", and other users can read the file",
        (false, false) => "",
    };
    for one in variables.iter().filter(|one| hider.is_secret_value(&one.name, &one.value)) {
        let variable = Untrusted::new(&one.name).escaped(64);
        let message = format!("`{variable}` of {} is a secret in clear{who}", about.name);
        about.say_as(&finding::SECRET, severity, one.place, message);
    }
}

fn command(about: &mut About<'_>, words: &[Secret], hider: &Hider) {
    let before = std::iter::once("").chain(words.iter().map(Secret::reveal));
    let secrets = words.iter().zip(before).filter(|(word, before)| hider.is_secret(before, word)).count();
    if secrets > 0 {
        let message = format!("the command of {} holds {}", about.name, plural(secrets, "secret"));
        about.say(&finding::SECRET_ARGUMENT, message);
    }
    if Program::of(&about.server.launch).kind == Kind::Shell {
        let downloads =
            |word: &Secret| ["curl ", "wget ", "irm "].iter().any(|program| word.reveal().contains(program));
        let piped = words.iter().any(|word| downloads(word) && word.reveal().contains('|'));
        let severity = if piped { Severity::High } else { finding::SHELL.severity };
        let what = if piped { ", which pipes a download into a shell" } else { "" };
        let message = format!("{} is started by a line for a shell{what}", about.name);
        about.say_as(&finding::SHELL, severity, about.server.place, message);
    }
}

fn address(about: &mut About<'_>, url: &Secret, hider: &Hider) {
    if hider.is_secret("", url) || (hider.url(url.reveal()).contains("***") && !url.refers()) {
        let message = format!("the address of {} holds what may be a secret", about.name);
        about.say_as(&finding::SECRET_ARGUMENT, Severity::Medium, about.server.place, message);
    }
    if is_plain(url.reveal()) {
        let host = Untrusted::new(&Program::of(&about.server.launch).name).escaped(100);
        let message = format!("{} is reached at {host} without encryption", about.name);
        about.say(&finding::PLAIN_HTTP, message);
    }
}

fn unpinned(about: &mut About<'_>) {
    let program = Program::of(&about.server.launch);
    if !program.version.is_open() {
        return;
    }
    let which = match &program.version {
        Version::Moving(version) => format!("`{}`", Untrusted::new(version).escaped(40)),
        Version::Exact(_) | Version::Digest | Version::Unsaid | Version::Local => "no version".to_owned(),
    };
    let what = if program.kind == Kind::Oci { "image" } else { "package" };
    let shown = Untrusted::new(&program.name).escaped(100);
    let message = format!("{} runs the {} {what} {shown} of {which}", about.name, program.kind.word());
    about.say(&finding::UNPINNED, message);
}

/// Is it `http` or `ws`, and not to this machine?
fn is_plain(url: &str) -> bool {
    let Some((scheme, _)) = url.split_once("://") else { return false };
    let plain = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("ws");
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = if host.starts_with('[') {
        host.split(']').next().unwrap_or_default().trim_start_matches('[')
    } else {
        host.split(':').next().unwrap_or_default()
    };
    let here = host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    plain && !here
}

/// What several clients have.
fn shared(files: &[Found]) -> Vec<Finding> {
    let mut by_name: BTreeMap<&str, Vec<(&Found, &Server)>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.client.is_some()) {
        for server in file.servers.iter().filter(|server| !super::super::is_lockgate(server)) {
            by_name.entry(&server.name).or_default().push((file, server));
        }
    }
    let mut found = Vec::new();
    for (name, all) in by_name {
        let Some((first, server)) = all.first() else { continue };
        let mut clients: Vec<&str> = all.iter().filter_map(|(file, _)| Some(file.client?.name)).collect();
        clients.sort_unstable();
        clients.dedup();
        if clients.len() < 2 {
            continue;
        }
        let name = Untrusted::new(name).escaped(64);
        let same = all.iter().all(|(_, other)| other.launch == server.launch);
        let code = if same { &finding::DUPLICATE } else { &finding::DIFFERS };
        let what = if same { "is the same in" } else { "is not the same in" };
        let at = Some((first.path.clone(), server.place));
        let message = format!("{name} {what} {}", clients.join(", "));
        found.push(Finding { server: Some(name), at, ..Finding::new(code, message) });
    }
    found
}

/// So many of something.
pub(super) fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
