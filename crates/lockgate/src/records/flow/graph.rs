//! Who gave what to whom, and what became of it.

use std::collections::BTreeMap;

use lockgate_model::ServerName;

use crate::records::{Entry, Evidence, History, Source};

/// Who gave a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Giver {
    /// The user said it, or a person approved it.
    User,
    /// It was first seen from this server.
    Server(ServerName),
    /// It was seen nowhere, or nothing is known of it.
    Model,
}

impl Giver {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::User => "the user",
            Self::Server(server) => server.as_str(),
            Self::Model => "the model",
        }
    }
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// Sent.
    Sent,
    /// Sent, because rules were only observed.
    Observed,
    /// Sent after a person said yes.
    Approved,
    /// Not sent.
    Stopped,
}

impl Outcome {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Observed => "observed",
            Self::Approved => "approved",
            Self::Stopped => "stopped",
        }
    }
}

/// One request about a tool, prompt or resource, from all its records.
#[derive(Debug)]
pub(super) struct Call<'h> {
    pub(super) entry: &'h Entry,
    pub(super) server: &'h ServerName,
    pub(super) outcome: Outcome,
    pub(super) rule: Option<&'h str>,
    pub(super) reason: Option<&'h str>,
    pub(super) evidence: Option<&'h Evidence>,
    pub(super) sources: &'h [Source],
}

/// Calls that took values the same way with the same end.
#[derive(Debug)]
pub(super) struct Arrow<'h> {
    pub(super) from: Giver,
    pub(super) to: &'h ServerName,
    pub(super) outcome: Outcome,
    /// The rule that stood against them, with the reason.
    pub(super) rule: Option<(&'h str, &'h str)>,
    /// The calls, by their references.
    pub(super) calls: Vec<&'h str>,
}

/// One session.
#[derive(Debug)]
pub(super) struct Graph<'h> {
    pub(super) first: &'h Entry,
    pub(super) last: &'h Entry,
    /// What it had read in the end: the servers, and how far that is trusted.
    pub(super) read: &'h [ServerName],
    pub(super) grade: Option<&'h str>,
    pub(super) calls: Vec<Call<'h>>,
    pub(super) arrows: Vec<Arrow<'h>>,
}

impl<'h> Graph<'h> {
    /// None where there is no record of the session.
    pub(super) fn of(history: &'h History, session: &str) -> Option<Self> {
        let entries = || history.entries.iter().filter(|entry| entry.session == session);
        let calls = calls(history, entries());
        let arrows = arrows(&calls);
        let labelled = entries().rfind(|entry| entry.grade.is_some());
        Some(Self {
            first: entries().next()?,
            last: entries().next_back()?,
            read: labelled.map_or(&[], |entry| &entry.after),
            grade: labelled.and_then(|entry| entry.grade.as_deref()),
            calls,
            arrows,
        })
    }

    /// How many calls came to this end.
    pub(super) fn count(&self, outcome: Outcome) -> usize {
        self.calls.iter().filter(|call| call.outcome == outcome).count()
    }
}

fn calls<'h>(history: &'h History, entries: impl Iterator<Item = &'h Entry>) -> Vec<Call<'h>> {
    let mut at: BTreeMap<&str, usize> = BTreeMap::new();
    let mut calls: Vec<Call<'h>> = Vec::new();
    for entry in entries.filter(|entry| entry.event == "request") {
        let stands = entry.verdict == "deny" || entry.verdict == "hold" || entry.would.is_some();
        if let Some(call) = at.get(entry.correlation.as_str()).and_then(|at| calls.get_mut(*at)) {
            // A later record of the same request says more, as where a limit had no room.
            call.rule = call.rule.or(entry.rule.as_deref().filter(|_| stands));
            call.reason = call.reason.or(entry.reason.as_deref().filter(|_| stands));
            call.evidence = call.evidence.or(entry.evidence.as_ref());
            if call.sources.is_empty() {
                call.sources = &entry.sources;
            }
            continue;
        }
        let (Some(server), Some(_)) = (&entry.server, entry.subject()) else { continue };
        at.insert(&entry.correlation, calls.len());
        calls.push(Call {
            entry,
            server,
            outcome: outcome(history, entry),
            rule: entry.rule.as_deref().filter(|_| stands),
            reason: entry.reason.as_deref().filter(|_| stands),
            evidence: entry.evidence.as_ref(),
            sources: &entry.sources,
        });
    }
    calls
}

fn outcome(history: &History, entry: &Entry) -> Outcome {
    let approved = history.was_approved(entry);
    match entry.verdict.as_str() {
        _ if history.was_refused(entry) => Outcome::Stopped,
        "forward" | "rewrite" if entry.would.is_some() => Outcome::Observed,
        "forward" | "rewrite" if !approved => Outcome::Sent,
        "forward" | "rewrite" | "hold" if approved => Outcome::Approved,
        _ => Outcome::Stopped,
    }
}

fn arrows<'h>(calls: &[Call<'h>]) -> Vec<Arrow<'h>> {
    let mut arrows: BTreeMap<_, Vec<&'h str>> = BTreeMap::new();
    for call in calls {
        let rule = call.rule.map(|rule| (rule, call.reason.unwrap_or_default()));
        for (from, outcome) in givers(call) {
            let rule = rule.filter(|_| outcome != Outcome::Sent);
            let calls = arrows.entry((from, call.server, outcome, rule)).or_default();
            if calls.last() != Some(&call.entry.correlation.as_str()) {
                calls.push(&call.entry.correlation);
            }
        }
    }
    let arrow = |((from, to, outcome, rule), calls)| Arrow { from, to, outcome, rule, calls };
    arrows.into_iter().map(arrow).collect()
}

/// Whose values a call takes. Of one that was stopped, whose stood against it; of one that was approved, those come with
/// that mark and the rest as they are.
fn givers(call: &Call<'_>) -> Vec<(Giver, Outcome)> {
    let giver = |server: &Option<ServerName>| server.clone().map_or(Giver::User, Giver::Server);
    let against = call.evidence.map(|evidence| evidence.server.clone().map_or(Giver::Model, Giver::Server));
    let mut givers: Vec<(Giver, Outcome)> = Vec::new();
    match (call.outcome, against) {
        (Outcome::Stopped, Some(against)) => givers.push((against, Outcome::Stopped)),
        (Outcome::Stopped, None) => {
            givers.extend(call.sources.iter().map(|source| (giver(&source.server), Outcome::Stopped)));
            if givers.is_empty() {
                givers.push((Giver::Model, Outcome::Stopped));
            }
        }
        (Outcome::Sent, _) | (_, None) => {
            givers.extend(call.sources.iter().map(|source| (giver(&source.server), call.outcome)));
        }
        (Outcome::Observed | Outcome::Approved, Some(against)) => {
            let others = call.sources.iter().map(|source| giver(&source.server));
            givers.extend(others.filter(|other| *other != against).map(|other| (other, Outcome::Sent)));
            givers.push((against, call.outcome));
        }
    }
    givers.sort();
    givers.dedup();
    givers
}
