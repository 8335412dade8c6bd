//! A first `lockgate.yaml` for servers that clients have. No value that may be a secret is in it: each becomes the name of a
//! variable.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use lockgate_clients::{Hider, Launch, Secret, Server, Variable, Wire};
use lockgate_model::{ServerName, Untrusted};

use crate::config::{Config, Surroundings, made_name};

/// A server, and where it was found, for a comment.
pub(super) struct Source<'s> {
    pub(super) server: &'s Server,
    pub(super) from: String,
}

/// What was made of servers.
#[derive(Default)]
pub(super) struct Draft {
    /// Each server once, in the order it was first seen.
    pub(super) entries: Vec<Entry>,
    /// Servers that Lockgate cannot be put before, and why.
    pub(super) left_out: Vec<(String, String)>,
    /// Every variable, with the text that stood in the client's file. One that is `None` is of the environment.
    pub(super) variables: BTreeMap<String, Option<Secret>>,
}

/// One server of the file.
pub(super) struct Entry {
    pub(super) name: ServerName,
    pub(super) launch: Launch,
    /// Where it was found, a line each.
    pub(super) from: Vec<String>,
    /// Its lines, indented by four.
    pub(super) lines: Vec<String>,
    /// Its variables.
    pub(super) variables: Vec<String>,
}

impl Draft {
    /// Servers that are switched off are left out, as are those that only their client can start. One that several clients
    /// start alike is one.
    pub(super) fn of(sources: &[Source<'_>], hider: &Hider) -> Self {
        let mut draft = Self::default();
        for source in sources {
            let (server, from) = (source.server, source.from.clone());
            let said = Untrusted::new(&server.name).escaped(64);
            if let Some(same) = draft.entries.iter_mut().find(|entry| entry.launch == server.launch) {
                same.from.push(from);
            } else if super::is_lockgate(server) {
                draft.left_out.push((said, "it is Lockgate already".to_owned()));
            } else if !server.enabled {
                draft.left_out.push((said, "it is switched off".to_owned()));
            } else if let Some(why) = server.bound {
                draft.left_out.push((said, why.to_owned()));
            } else if let Err(why) = draft.add(server, from, hider) {
                draft.left_out.push((said, why));
            }
        }
        draft
    }

    fn add(&mut self, server: &Server, from: String, hider: &Hider) -> Result<(), String> {
        let name = self.name(&server.name)?;
        let mut writer =
            Writer { draft: self, name: name.clone(), hider, lines: Vec::new(), variables: Vec::new() };
        writer.launch(&server.launch);
        let (lines, variables) = (writer.lines, writer.variables);
        let entry = Entry { name, launch: server.launch.clone(), from: vec![from], lines, variables };
        // What the configuration would refuse is no part of it.
        let known =
            |name: &str| Some(self.variables.get(name)?.as_ref().map_or("x", Secret::reveal).to_owned());
        let fake = Fake(&known);
        match Config::parse(&format!("servers:\n{}", entry.text()), "draft", Path::new("/"), &fake) {
            Ok(_) => {
                self.entries.push(entry);
                Ok(())
            }
            Err(errors) => {
                // The message quotes the text; the variables stay, unused.
                let mut why = errors.iter().map(|error| without_quotes(error.message()));
                for variable in entry.variables {
                    self.variables.remove(&variable);
                }
                Err(why.next().unwrap_or_default())
            }
        }
    }

    fn name(&self, text: &str) -> Result<ServerName, String> {
        let made = made_name(text).ok_or("its name has no letter of a to z")?;
        let taken = |name: &ServerName| self.entries.iter().any(|entry| entry.name == *name);
        if !taken(&made) {
            return Ok(made);
        }
        let stem: String = made.as_str().chars().take(ServerName::MAX - 4).collect();
        let mut numbered = (2..1_000).filter_map(|count| ServerName::parse(&format!("{stem}-{count}")));
        numbered.find(|name| !taken(name)).ok_or_else(|| "there are too many of its name".to_owned())
    }

    /// The section `servers` of a file.
    pub(super) fn servers(&self) -> String {
        let entries: Vec<String> = self.entries.iter().map(Entry::text).collect();
        format!("servers:\n{}", entries.join("\n"))
    }

    /// The whole file. `by` is the command that writes it.
    pub(super) fn file(&self, by: &str) -> String {
        let mut out = format!(
            "# Written by `lockgate {by}` from what MCP clients of this machine have.\n\
             # `lockgate check` says what it means. Every key is in docs/configuration.md.\n\
             #\n\
             # Say of each server how far you trust what it returns: `tier: open` where outsiders write there, `internal` where\n\
             # only you do, `quarantined`, `core`. Without it a server is `mixed`.\n"
        );
        if !self.variables.is_empty() {
            out.push_str("#\n# Values that may be secrets were not copied. These variables must be set where Lockgate is started:\n");
            for entry in &self.entries {
                for variable in &entry.variables {
                    out.push_str(&format!("#   {variable}: for {}\n", entry.name));
                }
            }
        }
        for (name, why) in &self.left_out {
            out.push_str(&format!("#\n# Left out: {name}: {why}\n"));
        }
        out.push('\n');
        out.push_str(&self.servers());
        out
    }
}

impl Entry {
    fn text(&self) -> String {
        let mut text = String::new();
        self.from.iter().for_each(|from| text.push_str(&format!("  # {from}\n")));
        text.push_str(&format!("  {}:\n", self.name));
        self.lines.iter().for_each(|line| text.push_str(&format!("    {line}\n")));
        text
    }
}

struct Writer<'d> {
    draft: &'d mut Draft,
    name: ServerName,
    hider: &'d Hider,
    lines: Vec<String>,
    variables: Vec<String>,
}

impl Writer<'_> {
    fn launch(&mut self, launch: &Launch) {
        match launch {
            Launch::Builtin => {}
            Launch::Command { words, env, inherits, cwd } => {
                let mut before = "";
                let mut shown = Vec::new();
                for (at, word) in words.iter().enumerate() {
                    shown.push(self.word(before, word, &format!("ARG_{at}")));
                    before = word.reveal();
                }
                self.lines.push(format!("command: [{}]", shown.join(", ")));
                if let Some(cwd) = cwd {
                    let cwd = self.word("", cwd, "CWD");
                    self.lines.push(format!("cwd: {cwd}"));
                }
                let inherits =
                    inherits.iter().map(|name| (name.clone(), format!("\"{}\"", self.environment(name))));
                let inherits: Vec<_> = inherits.collect();
                self.section("env", env, inherits);
            }
            Launch::Remote { url, wire, headers, inherits } => {
                let hidden = self.hider.url(url.reveal()) != url.reveal();
                let url =
                    if hidden || url.refers() { self.variable("URL", url) } else { scalar(url.reveal()) };
                self.lines.push(format!("url: {url}"));
                if *wire == Wire::Sse {
                    self.lines.push("transport: sse".to_owned());
                }
                let inherits: Vec<_> = inherits
                    .iter()
                    .map(|(header, before, name)| {
                        (header.clone(), format!("\"{before}{}\"", self.environment(name)))
                    })
                    .collect();
                self.section("headers", headers, inherits);
            }
        }
    }

    fn section(&mut self, key: &str, variables: &[Variable], inherits: Vec<(String, String)>) {
        if variables.is_empty() && inherits.is_empty() {
            return;
        }
        self.lines.push(format!("{key}:"));
        for one in variables {
            let value = self.variable(&one.name, &one.value);
            self.lines.push(format!("  {}: {value}", scalar(&one.name)));
        }
        self.lines.extend(inherits.into_iter().map(|(name, value)| format!("  {}: {value}", scalar(&name))));
    }

    fn word(&mut self, before: &str, word: &Secret, what: &str) -> String {
        let shown = self.hider.words(&[Secret::new(before), word.clone()]);
        let hidden = shown.get(1).is_none_or(|shown| shown != word.reveal());
        if hidden || word.refers() { self.variable(what, word) } else { scalar(word.reveal()) }
    }

    /// A variable of the environment that Lockgate is started in.
    fn environment(&mut self, name: &str) -> String {
        self.draft.variables.entry(name.to_owned()).or_insert(None);
        self.variables.push(name.to_owned());
        format!("${{{name}}}")
    }

    /// A variable in place of a value: of its own name where that is free, else of the server's with it.
    fn variable(&mut self, what: &str, value: &Secret) -> String {
        let word = |text: &str| -> String {
            text.chars()
                .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
                .collect()
        };
        let own: String = if what.bytes().any(|b| b.is_ascii_lowercase() || b == b'-')
            || ["URL", "CWD"].contains(&what)
            || what.starts_with("ARG_")
        {
            format!("{}_{}", word(self.name.as_str()), word(what))
        } else {
            word(what)
        };
        let own = if own.starts_with(|c: char| c.is_ascii_digit()) { format!("_{own}") } else { own };
        let long = format!("{}_{}", word(self.name.as_str()), word(what));
        let free = |name: &String| match self.draft.variables.get(name) {
            None => true,
            Some(known) => known.as_ref() == Some(value),
        };
        let numbered = (2..).map(|count| format!("{long}_{count}"));
        let names = [own, long.clone()].into_iter().chain(numbered);
        let name = names.take(1_000).find(free).unwrap_or(long);
        self.draft.variables.insert(name.clone(), Some(value.clone()));
        self.variables.push(name.clone());
        // In quotes, since it may stand between brackets.
        format!("\"${{{name}}}\"")
    }
}

/// A text as YAML has it, with every `$` as itself.
fn scalar(text: &str) -> String {
    let text = text.replace('$', "$$");
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_./-".contains(&b);
    let begins = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b"_./-".contains(&b));
    let word = ["true", "false", "null", "yes", "no", "on", "off"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    let dashes = text.bytes().all(|b| b"-.".contains(&b));
    if begins && !word && !dashes && text.bytes().all(plain) {
        text
    } else {
        serde_json::Value::from(text).to_string()
    }
}

/// A message of the configuration without the text that it quotes.
pub(super) fn without_quotes(message: &str) -> String {
    message.split('`').enumerate().map(|(at, part)| if at % 2 == 0 { part } else { "…" }).collect()
}

/// Variables from a table, and no files.
pub(super) struct Fake<'v>(pub(super) &'v dyn Fn(&str) -> Option<String>);

impl Surroundings for Fake<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        // It would choose another part of a file.
        (name != "LOCKGATE_ENVIRONMENT").then(|| (self.0)(name)).flatten()
    }

    fn file(&self, _: &Path) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn folder(&self) -> PathBuf {
        PathBuf::from("/")
    }
}

/// What a client would put in place of the references of a text: `${NAME}`, `${env:NAME}`, `${NAME:-default}`, `{env:NAME}`.
/// `None` where something is not set, or only the client knows it.
pub(super) fn resolve(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let text = text.replace("${env:", "${").replace("{env:", "${").replace("$${", "${");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("${") {
        let (reference, after) = after.split_once('}')?;
        let (name, default) =
            reference.split_once(":-").map_or((reference, None), |(name, default)| (name, Some(default)));
        out.push_str(before);
        out.push_str(&environment(name).or_else(|| default.map(str::to_owned))?);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}
