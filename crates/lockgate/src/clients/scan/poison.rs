//! What is suspicious in what servers say of themselves and of their tools, held against all that the same agent has.

use std::collections::BTreeMap;

use lockgate_clients::{Found, Launch, Program};
use lockgate_detect::injection::Injection;
use lockgate_model::{Json, Tier, Untrusted, quote};
use lockgate_provenance::shadow::{Code as Word, Index, Offer, Suspicion, Weight, orders};

use super::can::DEPTH;
use super::finding::{self, Code, Finding, Severity};
use super::{Answer, Asked};

/// Looks at every server that was asked.
pub(super) fn look(files: &[Found], asked: &Asked) -> Vec<Finding> {
    let mut by_client: BTreeMap<&str, Vec<Held<'_>>> = BTreeMap::new();
    for ((file, at), answer) in asked {
        let (Some(file), Ok(answer)) = (files.get(*file), answer) else { continue };
        let Some(server) = file.servers.get(*at) else { continue };
        let held = Held::new(file, server, answer);
        by_client.entry(file.client.map_or("", |client| client.id)).or_default().push(held);
    }
    let finder = Injection::new();
    let mut found: Vec<Finding> = by_client.values().flat_map(|held| of_client(held, &finder)).collect();
    // The same may stand at several places of one text.
    let same = |one: &Finding, other: &Finding| (&one.message, &one.at) == (&other.message, &other.at);
    let mut seen: Vec<Finding> = Vec::new();
    found.retain(|finding| {
        let new = !seen.iter().rev().take(64).any(|known| same(known, finding));
        if new {
            seen.push(finding.clone());
        }
        new
    });
    found
}

/// A server of one client, with its definitions read.
struct Held<'a> {
    file: &'a Found,
    server: &'a lockgate_clients::Server,
    answer: &'a Answer,
    tools: Vec<Json<'a>>,
    identity: Option<Json<'a>>,
    maker: Option<String>,
}

impl<'a> Held<'a> {
    fn new(file: &'a Found, server: &'a lockgate_clients::Server, answer: &'a Answer) -> Self {
        let tools = answer.tools.iter().filter_map(|tool| Json::check(&tool.definition, DEPTH).ok());
        let identity = answer.identity.as_ref().and_then(|identity| Json::check(identity, DEPTH).ok());
        let program = Program::of(&server.launch);
        let maker = matches!(server.launch, Launch::Command { .. } | Launch::Remote { .. });
        let maker = (maker && !program.name.is_empty()).then_some(program.name);
        Self { file, server, answer, tools: tools.collect(), identity, maker }
    }

    fn finding(&self, tool: Option<&str>, suspicion: &Suspicion) -> Finding {
        let name = Untrusted::new(&self.server.name).escaped(64);
        let tool = tool.map(|tool| Untrusted::new(tool).escaped(64));
        let whose = tool.as_ref().map_or_else(|| name.clone(), |tool| format!("{tool} of {name}"));
        let (code, severity) = kind(suspicion);
        Finding {
            severity,
            client: self.file.client.map(|client| client.id),
            server: Some(name),
            tool,
            at: Some((self.file.path.clone(), self.server.place)),
            ..Finding::new(code, format!("{whose}: {suspicion}"))
        }
    }
}

fn of_client(held: &[Held<'_>], finder: &Injection) -> Vec<Finding> {
    let offers = held.iter().map(|held| Offer {
        server: &held.answer.name,
        tier: Tier::Mixed,
        maker: held.maker.as_deref(),
        identity: held.identity,
        tools: &held.tools,
    });
    let index = Index::new(offers);
    let heard = |definition: Json<'_>, mut found: Vec<Suspicion>| {
        orders(finder, None, definition, &mut found);
        found
    };
    let mut found = Vec::new();
    for held in held {
        let name = &held.answer.name;
        for definition in &held.tools {
            let tool = definition.get("name").and_then(Json::text).unwrap_or_default();
            let all = heard(*definition, index.tool(name, *definition));
            found.extend(all.iter().map(|one| held.finding(Some(&tool), one)));
        }
        if let Some(identity) = held.identity {
            let all = heard(identity, index.identity(name, identity));
            found.extend(all.iter().map(|one| held.finding(None, one)));
        }
        let said = held.answer.instructions.as_deref().map(quote);
        if let Some(said) = said.as_ref().and_then(|said| Json::check(said.as_bytes(), DEPTH).ok()) {
            let all = heard(said, index.instructions(name, said));
            found.extend(all.iter().map(|one| held.finding(None, one)));
        }
    }
    found
}

/// What agent-scan would call it, and how bad it is.
fn kind(suspicion: &Suspicion) -> (&'static Code, Severity) {
    let about_another = suspicion.other.is_some();
    let hidden = matches!(suspicion.code, Word::HiddenText | Word::OddCharacters);
    let code = match (hidden, suspicion.severe, about_another) {
        (true, ..) => &finding::HIDDEN,
        (false, true, true) => &finding::SHADOWS,
        (false, true, false) => &finding::POISONED,
        (false, false, _) => &finding::SUSPICIOUS,
    };
    let note = matches!(suspicion.code.weight(), Weight::Note | Weight::Rank);
    let severity = if suspicion.severe || !(hidden || note) {
        code.severity
    } else if hidden {
        Severity::Medium
    } else {
        Severity::Info
    };
    (code, severity)
}
