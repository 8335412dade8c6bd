//! `lockgate replay`: what another policy would have decided.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use clap::Args;
use lockgate_core::Boundary;
use lockgate_model::{Reason, ServerName, UnixMillis, Untrusted, quote};
use lockgate_policy::{Action, Fallback, Rule, RuleSet, Subject};
use serde_json::{Value, json};

use super::{Arguments, Entry, History};
use crate::command::Told;
use crate::rehearse::{Call, Outcome, Policy, Stage, count};
use crate::sessions;

/// Most examples of one kind.
const EXAMPLES: usize = 3;

/// What to replay.
#[derive(Args)]
pub struct ReplayOptions {
    /// The policy: a lockgate.yaml
    #[arg(required_unless_present = "sessions")]
    policy: Option<PathBuf>,
    /// Files of records, oldest first
    #[arg(required_unless_present = "sessions", value_name = "RECORDS")]
    records: Vec<PathBuf>,
    /// One JSON object for machines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    sessions: sessions::Options,
}

/// What is said of one recorded request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The same would be done.
    Same,
    /// Something else would.
    Other(Outcome),
    /// The record does not hold what would decide it.
    CannotTell(&'static str),
}

/// Requests that go the same way, and the first of them.
#[derive(Debug, Default)]
struct Group {
    count: usize,
    first: Vec<String>,
}

impl Group {
    fn add(&mut self, entry: &Entry) {
        self.count += 1;
        if self.first.len() < EXAMPLES {
            self.first.push(entry.correlation.clone());
        }
    }
}

/// Decides every recorded request again. Codes: 0 nothing would be different, 1 something would. Of whole sessions it
/// says what is decided, and nothing to compare that with: 0.
pub fn replay(options: &ReplayOptions) -> Result<Told, String> {
    let Some(policy) = &options.policy else {
        sessions::play(&options.sessions, &mut std::io::stdout().lock(), &mut std::io::stderr().lock())?;
        return Ok(Told { text: String::new(), code: 0 });
    };
    let policy = Policy::load(policy)?;
    let history = History::read(&options.records)?;
    let mut replayer = Replayer::new(&policy);
    let mut same = 0;
    let mut passed_over = 0;
    let mut other: BTreeMap<(String, Action, Action, String, Option<&str>), Group> = BTreeMap::new();
    let mut untold: BTreeMap<(String, Action, &str), Group> = BTreeMap::new();
    for entry in &history.entries {
        if entry.subject().is_none() {
            passed_over += usize::from(entry.event == "request");
            continue;
        }
        let was = history.was(entry);
        match replayer.decide(&history, entry)? {
            Verdict::Same => same += 1,
            Verdict::Other(now) => {
                let key = (about(entry), was, now.action, now.rule, now.reason.map(Reason::code));
                other.entry(key).or_default().add(entry);
            }
            Verdict::CannotTell(why) => untold.entry((about(entry), was, why)).or_default().add(entry),
        }
    }
    let (others, unsure) = (total(other.values()), total(untold.values()));
    let code = u8::from(others > 0);
    if options.json {
        let differs = other.iter().map(|((about, was, now, rule, reason), group)| {
            json!({ "target": about, "was": was.word(), "now": now.word(), "rule": rule, "reason": reason,
                "place": policy.place_of(rule), "count": group.count, "first": group.first })
        });
        let untold = untold.iter().map(|((about, was, why), group)| {
            json!({ "target": about, "was": was.word(), "why": why, "count": group.count, "first": group.first })
        });
        let value = json!({ "same": same, "different": others, "cannot_tell": unsure, "passed_over": passed_over,
            "unread_lines": history.unread.0, "differences": differs.collect::<Vec<Value>>(),
            "untold": untold.collect::<Vec<Value>>() });
        return Ok(Told { text: value.to_string(), code });
    }
    let mut out = format!(
        "{} decided again: {same} the same, {others} different, {unsure} cannot be told.\n",
        count(same + others + unsure, "request")
    );
    if let Some(complaint) = history.complaint() {
        out.push_str(&format!("{complaint}.\n"));
    }
    if !other.is_empty() {
        out.push_str("\nDifferent\n");
    }
    let widest =
        other.keys().map(|(about, ..)| about.len()).chain(untold.keys().map(|(about, ..)| about.len()));
    let width = widest.max().unwrap_or_default().min(40);
    for ((about, was, now, rule, reason), group) in &other {
        let place = policy.place_of(rule).map_or_else(String::new, |place| format!(" ({place})"));
        let reason = reason.map_or_else(String::new, |reason| format!("{reason} by "));
        out.push_str(&format!(
            "  {about:width$}  {:>5} -> {:5}  {:>5}  {}\n      {reason}{rule}{place}\n",
            was.word(),
            now.word(),
            group.count,
            group.first.join(" ")
        ));
    }
    if !untold.is_empty() {
        out.push_str("\nCannot tell\n");
    }
    for ((about, was, why), group) in &untold {
        out.push_str(&format!(
            "  {about:width$}  {:>5} -> ?      {:>5}  {}\n      {why}\n",
            was.word(),
            group.count,
            group.first.join(" ")
        ));
    }
    if replayer.limited {
        out.push_str("\nLimits are not counted: how often and how much has no part in this.\n");
    }
    Ok(Told { text: out, code })
}

fn total<'g>(groups: impl Iterator<Item = &'g Group>) -> usize {
    groups.map(|group| group.count).sum()
}

/// What a request was about: `server/tool`.
pub(super) fn about(entry: &Entry) -> String {
    let server = entry.server.as_ref().map_or("?", ServerName::as_str);
    format!("{server}/{}", Untrusted::new(entry.target.as_deref().unwrap_or("?")).escaped(200))
}

/// Decides recorded requests under one policy.
pub(super) struct Replayer {
    stage: Stage,
    /// What is the least that could be decided of arguments nobody knows: every condition is met.
    mildest: Stage,
    /// And the most: none is.
    strictest: Stage,
    boundary: Boundary,
    /// Does the time of a call make a difference?
    timed: bool,
    /// Are there limits?
    pub(super) limited: bool,
    known: HashMap<String, Option<Outcome>>,
}

impl Replayer {
    pub(super) fn new(policy: &Policy) -> Self {
        let boundary = Boundary::clone(&policy.config.boundary);
        let any = |wanted: &dyn Fn(&Rule) -> bool| {
            let sets = boundary.servers.values().flat_map(|server| sets(&server.rules));
            sets.flat_map(RuleSet::iter).flat_map(|(_, rules)| rules).any(wanted)
        };
        Self {
            stage: Stage::new(&changed(&boundary, &uncounted)),
            mildest: Stage::new(&changed(&boundary, &mild)),
            strictest: Stage::new(&changed(&boundary, &strict)),
            timed: any(&|rule| rule.during.is_some()),
            limited: any(&|rule| !rule.limits.is_empty()),
            boundary,
            known: HashMap::new(),
        }
    }

    pub(super) fn decide(&mut self, history: &History, entry: &Entry) -> Result<Verdict, String> {
        let was = history.was(entry);
        let (Some(subject), Some(server)) = (entry.subject(), &entry.server) else {
            return Ok(Verdict::CannotTell(
                "the record names no server: the request never reached the rules",
            ));
        };
        let Some(name) = entry.name() else {
            return Ok(Verdict::CannotTell("the record does not hold the name as it was"));
        };
        if !self.boundary.servers.contains_key(server) {
            if was == Action::Deny {
                return Ok(Verdict::Same);
            }
            let rule = format!("servers.{server} is not in the policy");
            let reason = Some(Reason::UnknownServer);
            return Ok(Verdict::Other(Outcome { action: Action::Deny, reason, rule, detail: None }));
        }
        let (arguments, unknown) = match &entry.arguments {
            Arguments::None => (None, false),
            Arguments::Known(text) => (Some(text.as_str()), false),
            Arguments::Digest => (None, true),
        };
        // What a tool says of itself is not in the record; only that it was refused for what it does.
        let crossing = Some(Reason::UntrustedContentReachesSink.code());
        let dangerous = (history.reason(entry) == crossing).then(|| {
            let schema = "{\"type\":\"object\",\"additionalProperties\":true}";
            let name = quote(name);
            format!(
                "{{\"name\":{name},\"inputSchema\":{schema},\"annotations\":{{\"destructiveHint\":true}}}}"
            )
            .into_bytes()
        });
        let call = Call {
            subject,
            name,
            server,
            principal: &entry.principal,
            at: if self.timed { entry.at } else { UnixMillis(0) },
            arguments,
            after: &entry.before,
            times: 1,
            listed: dangerous.as_deref(),
        };
        let key = format!("{call:?}{unknown}");
        if !self.known.contains_key(&key) {
            let decided = self.predict(&call, unknown)?;
            self.known.insert(key.clone(), decided);
        }
        let Some(now) = self.known.get(&key).cloned().flatten() else {
            return Ok(Verdict::CannotTell(
                "rules ask about arguments, and the record holds only their digest",
            ));
        };
        let by_default = now.rule.starts_with(&format!("servers.{server}.default"));
        if subject == Subject::Tool && by_default && self.goes_by_class(server) {
            return Ok(Verdict::CannotTell(
                "the default goes by the class of the tool, which no record holds",
            ));
        }
        Ok(compare(was, history.reason(entry), now))
    }

    fn goes_by_class(&self, server: &ServerName) -> bool {
        let default = self.boundary.servers.get(server).map(|server| &server.rules.default);
        default.is_some_and(|default| matches!(default, Fallback::Class(_)))
    }

    /// What would be decided; none where that depends on arguments that nobody knows.
    fn predict(&self, call: &Call<'_>, unknown: bool) -> Result<Option<Outcome>, String> {
        if !unknown {
            return self.stage.call(call).map(Some);
        }
        let (mildest, strictest) = (self.mildest.call(call)?, self.strictest.call(call)?);
        let told = mildest.action == strictest.action || (refuses(&mildest) && refuses(&strictest));
        Ok(told.then_some(mildest))
    }
}

fn refuses(outcome: &Outcome) -> bool {
    outcome.action >= Action::Deny
}

fn compare(was: Action, reason: Option<&str>, now: Outcome) -> Verdict {
    if was == now.action || (was == Action::Deny && refuses(&now)) {
        return Verdict::Same;
    }
    // Where the client could ask nobody, what was to be held for this is recorded as denied.
    let crossing = Reason::UntrustedContentReachesSink;
    if now.action == Action::Ask && now.reason == Some(crossing) && reason == Some(crossing.code()) {
        return Verdict::Same;
    }
    let ruled = [
        Reason::ToolDenied,
        Reason::PromptDenied,
        Reason::ResourceDenied,
        Reason::ArgumentDenied,
        Reason::UntrustedContentReachesSink,
    ];
    if was == Action::Deny && !ruled.iter().any(|ruled| reason == Some(ruled.code())) {
        return Verdict::CannotTell("it was refused for another reason than the rules");
    }
    Verdict::Other(now)
}

fn sets(rules: &lockgate_policy::Rules) -> [&RuleSet; 3] {
    [&rules.tools, &rules.resources, &rules.prompts]
}

fn changed(boundary: &Boundary, change: &dyn Fn(&Rule) -> Rule) -> Boundary {
    let mut boundary = boundary.clone();
    for server in boundary.servers.values_mut() {
        server.rules.tools = server.rules.tools.map(change);
        server.rules.resources = server.rules.resources.map(change);
        server.rules.prompts = server.rules.prompts.map(change);
    }
    boundary
}

/// A rule without the limits that only count calls; a sum also asks about arguments.
fn uncounted(rule: &Rule) -> Rule {
    let mut rule = rule.clone();
    rule.limits.retain(|limit| limit.argument().is_some());
    rule
}

/// A rule whose conditions are all met by whatever the arguments are.
fn mild(rule: &Rule) -> Rule {
    Rule { require: None, deny_if: Vec::new(), ask_if: Vec::new(), limits: Vec::new(), ..rule.clone() }
}

/// A rule none of whose conditions is met.
fn strict(rule: &Rule) -> Rule {
    let sums = rule.limits.iter().any(|limit| limit.argument().is_some());
    let action = if rule.require.is_some() || !rule.deny_if.is_empty() || sums {
        rule.action.max(Action::Deny)
    } else if rule.ask_if.is_empty() {
        rule.action
    } else {
        rule.action.max(Action::Ask)
    };
    Rule { action, ..mild(rule) }
}
