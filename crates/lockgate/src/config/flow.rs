//! `flow`: what becomes of calls that may be steered by what was read, and whose words count.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_core::{Flow, SecretAction, Secrets, Server, Violation};
use lockgate_flow::Mode;
use lockgate_flow::rule::{Test, Then};
use lockgate_model::ServerName;
use schemars::JsonSchema;

use super::bounds;
use super::error::{At, Report, quoted};
use super::flow_rules::RawFlowRule;
use super::raw::{RawCredentials, RawFlowSession, RawHook};
use super::rules;
use super::schema;
use super::section::{self, Section};
use super::words::{CHANNELS, Channel, FLOWS, VIOLATIONS};

/// Most values in a list of values that count as said by the user.
const VALUES: usize = 256;
/// Shortest and longest of them, in characters. What is shorter stands in every text.
const LENGTH: std::ops::RangeInclusive<usize> = 3..=256;

/// What text of one server may make the agent do on another, or on the same: who gets something, and what is changed.
/// `docs/flow.md` says how it works.
#[derive(JsonSchema)]
#[schemars(rename = "Flow", deny_unknown_fields)]
pub(super) struct RawFlow {
    /// How much is asked of a call once the session has read text that outsiders can write to.
    #[schemars(with = "Option<schema::FlowMode>", extend("default" = "balanced"))]
    mode: Option<At<Option<Mode>>>,
    /// What happens to a call that may be steered by such text.
    #[schemars(with = "Option<schema::Violation>", extend("default" = "ask"))]
    on_violation: Option<At<Violation>>,
    /// How long the places and objects in a call that a person approved count as the user's own word, in its session.
    #[schemars(with = "Option<schema::Time>")]
    approved_for: At<u64>,
    /// What a person may approve for later sessions of the same principal as well.
    #[schemars(with = "Option<RawLearn>")]
    learn: RawLearn,
    /// When a tool is frozen because one value after the other was tried: then `tool_frozen`.
    #[schemars(with = "Option<RawFreeze>")]
    freeze: RawFreeze,
    /// What counts as the user's own words.
    #[schemars(with = "Option<RawUserTurns>")]
    user_turns: RawUserTurns,
    /// The user's own names, addresses and accounts: what is for them may go there, as if they had said so in every
    /// session. At most 256 texts of 3 to 256 characters. A part between word boundaries counts too: whoever writes an
    /// address writes its host.
    #[schemars(with = "Option<Vec<String>>", extend("default" = [], "maxItems" = VALUES))]
    identities: Option<At<Vec<At<String>>>>,
    /// Places, people and accounts that everything may go to, as if the user had said so in every session. Read like
    /// `identities`.
    #[schemars(with = "Option<Vec<String>>", extend("default" = [], "maxItems" = VALUES))]
    known_destinations: Option<At<Vec<At<String>>>>,
    /// The agent's host says what its user wrote, at `/lockgate/user-turn`. What the user has named may then be used without
    /// a question, and what nobody has named is held against a call. Read when the gateway starts.
    #[schemars(with = "Option<RawHook>")]
    pub(super) hook: Option<RawHook>,
    /// What becomes of what a session has read.
    #[schemars(with = "Option<RawFlowSession>")]
    pub(super) session: RawFlowSession,
    /// What becomes of credentials in what servers return.
    #[schemars(with = "Option<RawCredentials>")]
    secrets: RawCredentials,
}

/// Values that a person approved for later sessions as well: `always` in the question. `lockgate destinations` lists them
/// and takes them back.
#[derive(JsonSchema)]
#[schemars(rename = "Learn", deny_unknown_fields)]
struct RawLearn {
    /// Does the question offer `always`, and does what was learned count? Never for calls that spend, give rights or delete.
    #[schemars(with = "Option<bool>", extend("default" = false))]
    from_approvals: Option<At<bool>>,
    /// How long such a value counts, from when it was approved.
    #[schemars(with = "Option<schema::Time>", rename = "for")]
    time: At<u64>,
}

/// When a tool is frozen: calls of it were refused again and again for the same argument.
#[derive(JsonSchema)]
#[schemars(rename = "Freeze", deny_unknown_fields)]
struct RawFreeze {
    /// So many refused calls of one session for the same argument of the same tool.
    #[schemars(with = "Option<schema::Count>")]
    after: At<u64>,
    /// How long the tool stays frozen in that session.
    #[schemars(with = "Option<schema::Time>", rename = "for")]
    time: At<u64>,
}

/// What counts as the user's own words. What a server has said before in the session never does.
#[derive(JsonSchema)]
#[schemars(rename = "UserTurns", deny_unknown_fields)]
struct RawUserTurns {
    /// The ways by which the user's words come. An empty list: none.
    #[schemars(
        with = "Option<Vec<schema::Channel>>",
        extend("default" = ["hook", "prompts", "elicitation", "approvals"], "uniqueItems" = true)
    )]
    from: Option<Vec<At<Channel>>>,
}

impl RawFlow {
    pub(super) fn read(section: Section<'_>, report: &Report) -> Self {
        let raw = Self {
            mode: section.word("mode", FLOWS),
            on_violation: section.word("on_violation", VIOLATIONS),
            approved_for: section.measure(&bounds::APPROVED_FOR),
            learn: RawLearn::read(section.section_or_empty("learn")),
            freeze: RawFreeze::read(section.section_or_empty("freeze")),
            user_turns: RawUserTurns::read(section.section_or_empty("user_turns"), report),
            identities: section.texts("identities"),
            known_destinations: section.texts("known_destinations"),
            hook: section.section("hook").map(|section| RawHook::read(section, report)),
            session: RawFlowSession::read(section.section_or_empty("session")),
            secrets: RawCredentials::read(section.section_or_empty("secrets")),
        };
        section.close();
        raw
    }

    /// What is meant. Where a key is not written, what [`Flow::default`] says.
    pub(super) fn check(&self, servers: &BTreeMap<ServerName, Server>, report: &Report) -> Flow {
        let usual = Flow::default();
        let mode = self.mode.as_ref().map(|mode| mode.value);
        let idle = match mode {
            Some(Some(Mode::Off)) => Some("off"),
            Some(None) => Some("observe"),
            _ => None,
        };
        if let Some((violation, idle)) = self.on_violation.as_ref().zip(idle) {
            let message = format!("`flow.on_violation` has no effect: `flow.mode` is `{idle}`");
            report.error(violation.place, message, "remove one of them");
        }
        let from = self.user_turns.from.as_deref();
        let hears = |channel| from.is_none_or(|from| from.iter().any(|at| at.value == channel));
        if self.approved_for.is_written() && !hears(Channel::Approvals) {
            let message = "`flow.approved_for` has no effect: what is approved endorses nothing";
            report.error(self.approved_for.place, message, "add `approvals` to `user_turns`, or remove it");
        }
        let learns = self.learn.from_approvals.as_ref().filter(|learns| learns.value);
        if let Some(learns) = learns.filter(|_| !hears(Channel::Approvals)) {
            let message = "`flow.learn.from_approvals` has no effect: what is approved endorses nothing";
            report.error(learns.place, message, "add `approvals` to `user_turns`, or remove it");
        }
        if learns.is_none() && self.learn.time.is_written() {
            let message = "`flow.learn.for` has no effect: nothing is learned";
            report.error(self.learn.time.place, message, "write `from_approvals: true`, or remove it");
        }
        let mut known: Vec<String> = Vec::new();
        for (key, list) in
            [("identities", &self.identities), ("known_destinations", &self.known_destinations)]
        {
            values(&format!("flow.{key}"), list.as_ref(), &mut known, report);
        }
        Flow {
            mode: mode.flatten().unwrap_or(usual.mode),
            violation: match mode {
                Some(None) => Violation::Log,
                _ => self.on_violation.as_ref().map_or(usual.violation, |violation| violation.value),
            },
            approved_for: self.approved_for.value,
            learns: learns.is_some(),
            learned_for: self.learn.time.value,
            freeze_after: u32::try_from(self.freeze.after.value).unwrap_or(u32::MAX),
            frozen_for: self.freeze.time.value,
            prompts_endorse: hears(Channel::Prompts),
            answers_endorse: hears(Channel::Elicitation),
            hook: hears(Channel::Hook),
            approvals: hears(Channel::Approvals),
            known,
            secrets: credentials(&self.secrets, servers, report),
            ..usual
        }
    }
}

/// What rules do with results is done where results are read: one rule says what becomes of all credentials.
pub(super) fn results(mut flow: Flow, raw: &[RawFlowRule], report: &Report) -> Flow {
    let credential = Test::ResultClass(BTreeSet::from(["credential".to_owned()]));
    let mut found = false;
    for rule in flow.rules.iter().filter(|rule| rule.then.is_for_results()) {
        let error = |message: &str, hint: &str| {
            if let Some(raw) = raw.iter().find(|raw| raw.name.value == rule.name) {
                report.error(raw.name.place, format!("the rule {}: {message}", quoted(&rule.name)), hint);
            }
        };
        if rule.when.0.as_slice() != std::slice::from_ref(&credential) || rule.unless.is_some() {
            let hint = "write `when: {result.class: credential}`, without `unless`";
            error("what is done with results is done with every credential, of every server", hint);
        } else if found || flow.secrets != Secrets::default() {
            error("it is said already what becomes of credentials", "keep one such rule, or `flow.secrets`");
        }
        found = true;
        flow.secrets = match &rule.then {
            Then::Handle { expand_for } => {
                Secrets { action: SecretAction::Handle, expand_for: Some(expand_for.clone()) }
            }
            Then::Redact => Secrets { action: SecretAction::Redact, expand_for: None },
            Then::Log | Then::Ask | Then::Deny => continue,
        };
    }
    flow
}

/// What becomes of credentials in what servers return.
fn credentials(raw: &RawCredentials, servers: &BTreeMap<ServerName, Server>, report: &Report) -> Secrets {
    let action = raw.action.as_ref().map_or_else(SecretAction::default, |action| action.value);
    if let Some(named) = raw.expand_for.as_ref().filter(|_| action != SecretAction::Handle) {
        let message = "`expand_for` has no effect: the agent is shown no handles";
        report.error(named.place, message, "remove it, or write `action: handle`");
    }
    let known = |name| rules::server("expand_for", name, servers, report);
    let expand_for = raw.expand_for.as_ref().map(|named| named.value.iter().filter_map(known).collect());
    Secrets { action, expand_for }
}

impl RawLearn {
    fn read(section: Section<'_>) -> Self {
        let raw = Self {
            from_approvals: section.switch("from_approvals"),
            time: section.measure(&bounds::LEARNED_FOR),
        };
        section.close();
        raw
    }
}

impl RawFreeze {
    fn read(section: Section<'_>) -> Self {
        let raw = Self {
            after: section.measure(&bounds::FREEZE_AFTER),
            time: section.measure(&bounds::FROZEN_FOR),
        };
        section.close();
        raw
    }
}

impl RawUserTurns {
    fn read(section: Section<'_>, report: &Report) -> Self {
        let from = section.texts("from").map(|from| {
            let read =
                |text| At::map(text, |text| section::word("`flow.user_turns.from`", text, CHANNELS, report));
            let channels: Vec<At<Channel>> = from.value.iter().filter_map(read).collect();
            for (count, channel) in channels.iter().enumerate() {
                if channels.iter().take(count).any(|earlier| earlier.value == channel.value) {
                    let message = "`flow.user_turns.from` holds the same word twice";
                    report.error(channel.place, message, "remove one of them");
                }
            }
            channels
        });
        section.close();
        Self { from }
    }
}

/// Adds each value of a list to those that are known.
fn values(path: &str, list: Option<&At<Vec<At<String>>>>, known: &mut Vec<String>, report: &Report) {
    let Some(list) = list else { return };
    if list.value.len() > VALUES {
        let message = format!("{} holds more than {VALUES} values", quoted(path));
        report.error(list.place, message, "keep those that calls are stopped for without them");
    }
    for item in &list.value {
        let value = item.value.trim();
        if !LENGTH.contains(&value.chars().count()) || value.chars().any(char::is_control) {
            let message = format!("{} of {} is no such value", quoted(&item.value), quoted(path));
            report.error(item.place, message, "write an address, a name or a number of 3 to 256 characters");
        } else if known.iter().any(|known| known == value) {
            let message = format!("{} stands twice among what the user is taken to have said", quoted(value));
            report.error(item.place, message, "remove one");
        } else {
            known.push(value.to_owned());
        }
    }
}
