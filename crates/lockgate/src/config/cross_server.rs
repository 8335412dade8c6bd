//! Policies of the Cross-Server Protection control (SAFE-M-42): its `cross_server_policy` and `invariant` documents, as they
//! stand. Each field becomes rules, tiers or settings of Lockgate.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use lockgate_core::{Server, Violation};
use lockgate_flow::rule::{Condition, Names, Rule, Said, Sources, Test, Then};
use lockgate_flow::{Mode, Trust};
use lockgate_model::{Effect, ServerName, Tier};
use lockgate_policy::{Action, Rules};

use super::error::{At, ConfigErrors, Place, Report, quoted};
use super::secret::{Resolver, Surroundings, plain};
use super::section::Section;
use super::server::{made_name, reaches};
use super::yaml::{Form, Kind};
use super::{Launch, yaml};

/// One file: one of the documents, or both.
#[derive(Debug)]
pub(super) struct Policy {
    /// Where the configuration names it.
    place: Place,
    /// How messages name it.
    shown: String,
    exchange: Option<Exchange>,
    monitoring: Option<Monitoring>,
}

/// `cross_server_policy`: who takes part, with what proof, and what may cross.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the document")]
struct Exchange {
    /// Names of servers of the configuration, or of the hosts they are on. In lower case.
    trusted: BTreeSet<String>,
    signature_required: bool,
    origin_verification: bool,
    allow_prompt_context: bool,
    allow_tool_metadata: bool,
}

/// `invariant.agent_monitoring`: how it is enforced.
#[derive(Debug)]
struct Monitoring {
    enforce: bool,
    quarantine: bool,
    log: bool,
}

/// What the rest of the configuration says that policies depend on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) mode: Mode,
    pub(super) violation: Violation,
    pub(super) observes: bool,
    pub(super) keeps_records: bool,
}

/// Is the text such a policy rather than a configuration?
pub(super) fn is_it(text: &str) -> bool {
    let text = text.replace('\t', " ");
    let Some(At { value: Kind::Map(members), .. }) = yaml::read(&text, Form::Json, &Report::default()) else {
        return false;
    };
    let known = |key: &str| matches!(key, "cross_server_policy" | "invariant");
    !members.is_empty() && members.iter().all(|(name, _)| known(&name.value))
}

/// Is the file such a policy rather than a configuration?
pub fn is_cross_server(file: &Path, surroundings: &dyn Surroundings) -> bool {
    surroundings.file(file).is_ok_and(|bytes| std::str::from_utf8(&bytes).is_ok_and(is_it))
}

/// What is said where a policy stands in the place of a configuration.
pub(super) fn misplaced(file: &str) -> ConfigErrors {
    ConfigErrors::one(
        file,
        Place::default(),
        "this is a cross-server policy, not a configuration",
        "name it in a lockgate.yaml: `policies: [FILE]`",
    )
}

/// The policy as rules of Lockgate, for people to go on from.
pub fn import_cross_server(text: &str, file: &str) -> Result<String, ConfigErrors> {
    Policy::read(text, file, Place::default()).map(|policy| policy.to_native())
}

/// Reads the policies that the configuration names.
pub(super) fn named(files: Option<&At<Vec<At<String>>>>, resolver: &Resolver<'_>) -> Vec<Policy> {
    let report = resolver.report;
    let mut policies: Vec<Policy> = Vec::new();
    for file in files.into_iter().flat_map(|files| &files.value) {
        let Some(path) = resolver.expand(file).map(|path| resolver.base.join(path)) else { continue };
        let shown = path.display().to_string();
        let text = resolver.surroundings.file(&path).map_err(|error| plain(&error));
        let text = text.and_then(|bytes| String::from_utf8(bytes).map_err(|_| "not UTF-8 text".to_owned()));
        match text {
            Err(why) => {
                let message = format!("{} cannot be read: {why}", quoted(&shown));
                report.error(file.place, message, "name a cross-server policy, relative to this file");
            }
            Ok(text) => match Policy::read(&text, &shown, file.place) {
                Ok(policy) => policies.push(policy),
                Err(errors) => {
                    for error in errors.iter() {
                        let at = format!("{shown}:{}:{}", error.line(), error.column());
                        report.error(
                            file.place,
                            format!("{}: {}", quoted(&at), error.message()),
                            error.hint(),
                        );
                    }
                }
            },
        }
    }
    policies
}

impl Policy {
    fn read(text: &str, shown: &str, place: Place) -> Result<Self, ConfigErrors> {
        let report = Report::default();
        // A tab is white space in JSON, and no key or value of these documents holds one.
        let text = text.trim_start_matches('\u{feff}').replace('\t', " ");
        let policy = yaml::read(&text, Form::Json, &report).and_then(|node| {
            let root = Section::open("", &node, &report)?;
            let exchange = root.section("cross_server_policy").and_then(|section| exchange(section, &report));
            let monitoring = root.section("invariant").and_then(|section| monitoring(section, &report));
            if exchange.is_none() && monitoring.is_none() && report.is_clean() {
                let hint = "write `cross_server_policy` or `invariant`";
                report.error(root.place(), "the file holds no policy", hint);
            }
            root.close();
            Some(Self { place, shown: shown.to_owned(), exchange, monitoring })
        });
        report.finish(shown, policy)
    }

    /// Lowers servers to what the policy grants them, and gives the rules it stands for.
    fn apply(
        &self,
        servers: &mut BTreeMap<ServerName, Server>,
        launches: &BTreeMap<ServerName, Launch>,
        setting: Setting,
        (notes, report): (&mut Vec<String>, &Report),
    ) -> Vec<Rule> {
        let mut rules = Vec::new();
        let mut verified: BTreeSet<ServerName> = BTreeSet::new();
        if let Some(exchange) = &self.exchange {
            let trusted = exchange.members(launches);
            for name in exchange.trusted.iter().filter(|name| !trusted.values().any(|known| known == *name)) {
                notes.push(format!("{}: trusts `{}`, and no server has that name or host", self.shown, name));
            }
            let trusted: BTreeSet<ServerName> = trusted.into_keys().collect();
            for (name, server) in servers.iter_mut().filter(|(name, _)| !trusted.contains(*name)) {
                notes.push(format!("{}: `{name}` is not trusted: nothing of it is offered", self.shown));
                refuse(server);
            }
            for server in servers.values_mut().filter(|_| !exchange.allow_prompt_context) {
                // What the model writes for one server holds what it read from the others.
                server.may_ask.sampling = false;
            }
            rules.extend(exchange.demands());
            if servers.len() > 1 {
                rules.extend(exchange.walls());
            }
            let proven = |server: &ServerName| {
                let Some(server) = servers.get(server) else { return false };
                // What is not in the signed list is refused call by call.
                let signed = server.signed.is_some() || !exchange.signature_required;
                signed && (server.origin_verified || !exchange.origin_verification)
            };
            verified = trusted.into_iter().filter(proven).collect();
        }
        let Some(monitoring) = &self.monitoring else { return rules };
        if monitoring.enforce {
            self.enforceable(setting, report);
        } else {
            for rule in &mut rules {
                rule.then = Then::Log;
            }
        }
        if monitoring.quarantine {
            let unverified: BTreeSet<ServerName> =
                servers.keys().filter(|name| !verified.contains(*name)).cloned().collect();
            for server in servers.iter_mut().filter(|(name, _)| unverified.contains(*name)).map(|(_, of)| of)
            {
                quarantine(server);
            }
            if !unverified.is_empty() {
                rules.push(quarantined(Names::Among(unverified)));
            }
        }
        if monitoring.log && servers.len() > 1 {
            rules.push(logged());
        }
        let logs = rules.iter().any(|rule| rule.then == Then::Log);
        if logs && !setting.keeps_records {
            let message = format!("{} wants a log, and no records are kept", quoted(&self.shown));
            report.error(self.place, message, "write `records: {file: lockgate-records.jsonl}`");
        }
        rules
    }

    /// A policy that is enforced leaves no room for what only looks on.
    fn enforceable(&self, setting: Setting, report: &Report) {
        let against = [
            (setting.mode == Mode::Off, "`flow.mode` is `off`"),
            (setting.violation == Violation::Log, "`flow.on_violation` is `log`"),
            (setting.observes, "`mode` is `observe`"),
        ];
        for (_, against) in against.into_iter().filter(|(stands, _)| *stands) {
            let message = format!("{} is to be enforced, and {against}", quoted(&self.shown));
            let hint = "change one of them, or write `enforce_cross_server_policies: false`";
            report.error(self.place, message, hint);
        }
    }

    fn to_native(&self) -> String {
        let mut out = format!("# What {} says, as rules of Lockgate.\n", self.shown.escape_default());
        let mut rules = Vec::new();
        let quarantines = self.monitoring.as_ref().is_some_and(|monitoring| monitoring.quarantine);
        if let Some(exchange) = &self.exchange {
            out.push_str("# Only these servers are trusted. Their addresses are guesses: write the real ones.\nservers:\n");
            for host in &exchange.trusted {
                let name = made_name(host).map_or_else(|| "server".to_owned(), |name| name.to_string());
                let _infallible =
                    writeln!(out, "  {name}:\n    url: \"https://{}/mcp\"", host.escape_default());
                if quarantines && (exchange.signature_required || exchange.origin_verification) {
                    out.push_str("    tier: quarantined\n");
                }
                if !exchange.allow_prompt_context {
                    out.push_str("    may_ask: [elicitation, roots]\n");
                }
            }
            rules.extend(exchange.demands());
            if exchange.trusted.len() > 1 {
                rules.extend(exchange.walls());
            }
        } else {
            out.push_str("# Add these to a configuration with `servers`.\n");
        }
        if let Some(monitoring) = &self.monitoring {
            if !monitoring.enforce {
                for rule in &mut rules {
                    rule.then = Then::Log;
                }
            }
            rules.extend(monitoring.quarantine.then(|| quarantined(Names::Not(BTreeSet::new()))));
            rules.extend(monitoring.log.then(logged));
        }
        if rules.iter().any(|rule| rule.then == Then::Log) {
            out.push_str("records: {file: lockgate-records.jsonl}\n");
        }
        if !rules.is_empty() {
            out.push_str("rules:\n");
        }
        for rule in rules {
            let tests = rule.when.tests().map(Test::write).filter(|(_, value)| value != "{not: []}");
            let tests: Vec<String> = tests.map(|(key, value)| format!("{key}: {value}")).collect();
            let name = rule.name.rsplit('.').next().unwrap_or_default().replace('_', "-");
            let (when, then) = (tests.join(", "), rule.then.word());
            let _infallible = writeln!(out, "  - name: {name}\n    when: {{{when}}}\n    then: {then}");
        }
        out
    }
}

/// Applies every policy. What one of them refuses, no other allows.
pub(super) fn apply(
    policies: &[Policy],
    servers: &mut BTreeMap<ServerName, Server>,
    launches: &BTreeMap<ServerName, Launch>,
    setting: Setting,
    (notes, report): (&mut Vec<String>, &Report),
) -> Vec<Rule> {
    policies
        .iter()
        .flat_map(|policy| policy.apply(servers, launches, setting, (&mut *notes, report)))
        .collect()
}

impl Exchange {
    /// The servers that are trusted, each with what it is named by.
    fn members(&self, launches: &BTreeMap<ServerName, Launch>) -> BTreeMap<ServerName, String> {
        let mut members = BTreeMap::new();
        for (name, launch) in launches {
            let host = reaches(launch).map(|target| target.host.to_ascii_lowercase());
            let named = [Some(name.to_string()), host].into_iter().flatten();
            if let Some(named) = named.into_iter().find(|named| self.trusted.contains(named)) {
                members.insert(name.clone(), named);
            }
        }
        members
    }

    /// What must be proven.
    fn demands(&self) -> Vec<Rule> {
        let signed = rule("cross_server_policy.signature_required", vec![Test::Signed(false)], Then::Deny);
        let origin =
            rule("cross_server_policy.origin_verification", vec![Test::OriginVerified(false)], Then::Deny);
        let demands = [(self.signature_required, signed), (self.origin_verification, origin)];
        demands.into_iter().filter(|(wanted, _)| *wanted).map(|(_, rule)| rule).collect()
    }

    /// What may not cross.
    fn walls(&self) -> Vec<Rule> {
        let wall = |field: &str, said| {
            let name = format!("cross_server_policy.context_flow_restrictions.{field}");
            rule(&name, vec![Test::Arguments(None, said)], Then::Deny)
        };
        let context = wall("allow_prompt_context", Said::Origins(Sources::Others));
        let metadata = wall("allow_tool_metadata", Said::Metadata(Sources::Others));
        let walls = [(self.allow_prompt_context, context), (self.allow_tool_metadata, metadata)];
        walls.into_iter().filter(|(allowed, _)| !allowed).map(|(_, rule)| rule).collect()
    }
}

fn exchange(section: Section<'_>, report: &Report) -> Option<Exchange> {
    let trusted = section.texts("trusted_servers");
    needed(&section, "trusted_servers", "[mcp.example.com]", report);
    let signature_required = switch(&section, "signature_required", report);
    let origin_verification = switch(&section, "origin_verification", report);
    needed(&section, "context_flow_restrictions", "{…}", report);
    let flow = section.section("context_flow_restrictions").map(|flow| {
        let context = switch(&flow, "allow_prompt_context", report);
        let metadata = switch(&flow, "allow_tool_metadata", report);
        flow.close();
        (context, metadata)
    });
    section.close();
    let (allow_prompt_context, allow_tool_metadata) = flow?;
    Some(Exchange {
        trusted: trusted?.value.into_iter().map(|name| name.value.to_ascii_lowercase()).collect(),
        signature_required: signature_required?,
        origin_verification: origin_verification?,
        allow_prompt_context: allow_prompt_context?,
        allow_tool_metadata: allow_tool_metadata?,
    })
}

fn monitoring(section: Section<'_>, report: &Report) -> Option<Monitoring> {
    needed(&section, "agent_monitoring", "{…}", report);
    let inside = section.section("agent_monitoring");
    section.close();
    let inside = inside?;
    let enabled = switch(&inside, "enabled", report);
    let enforce = switch(&inside, "enforce_cross_server_policies", report);
    let quarantine = switch(&inside, "quarantine_unverified_tools", report);
    let log = switch(&inside, "log_context_flow", report);
    inside.close();
    let all = Monitoring { enforce: enforce?, quarantine: quarantine?, log: log? };
    // What is not enabled neither enforces nor loosens anything.
    Some(if enabled? { all } else { Monitoring { enforce: true, quarantine: false, log: false } })
}

/// What these documents leave out is not guessed.
fn switch(section: &Section<'_>, key: &'static str, report: &Report) -> Option<bool> {
    needed(section, key, "true", report);
    section.switch(key).map(|switch| switch.value)
}

fn needed(section: &Section<'_>, key: &'static str, example: &str, report: &Report) {
    if !section.has(key) {
        let message = format!("{} has no `{key}`", quoted(section.path()));
        report.error(section.place(), message, format!("write `{key}: {example}`"));
    }
}

fn rule(name: &str, when: Vec<Test>, then: Then) -> Rule {
    Rule { name: name.to_owned(), when: Condition(when), unless: None, then, approvers: 1 }
}

/// Whoever changes something on a server that nobody has verified is asked.
fn quarantined(servers: Names) -> Rule {
    let changes = Effect::ALL.into_iter().filter(|effect| *effect > Effect::Read).collect();
    let when = vec![Test::Server(servers), Test::Signed(false), Test::Effect(changes)];
    rule("invariant.agent_monitoring.quarantine_unverified_tools", when, Then::Ask)
}

fn logged() -> Rule {
    let when = vec![Test::Arguments(None, Said::Origins(Sources::Others))];
    rule("invariant.agent_monitoring.log_context_flow", when, Then::Log)
}

/// Nothing of the server is listed, called, read or answered.
fn refuse(server: &mut Server) {
    quarantine(server);
    server.rules = Rules { default: Action::Deny.into(), ..Rules::allow_all() };
    server.may_ask.sampling = false;
    server.may_ask.elicitation = false;
    server.may_ask.roots = false;
}

/// As a server that is new and was never looked at.
fn quarantine(server: &mut Server) {
    let compartments = std::mem::take(&mut server.trust.secrecy.compartments);
    let level = server.trust.secrecy.level;
    server.trust = Trust::of(Tier::Quarantined);
    server.trust.secrecy.compartments = compartments;
    server.trust.secrecy.level = server.trust.secrecy.level.max(level);
}
