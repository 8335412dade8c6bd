use std::collections::BTreeMap;
use std::sync::Arc;

use lockgate_flow::{Said, class_of, effect_of};
use lockgate_model::{Class, Classified, Effect, Json, Limits, ServerName, Tier, ToolName};
use lockgate_policy::budget::LoopRules;
use lockgate_policy::intercept::Policy;
use lockgate_policy::{Pattern, Rules, Undeclared};

use crate::catalogue;

/// Everything the operator decided, checked and immutable. Shared by all sessions and replaced whole on reload.
#[derive(Clone, Debug)]
pub struct Boundary {
    /// The servers, by name.
    pub servers: BTreeMap<ServerName, Server>,
    /// What happens when text of one server would drive a dangerous tool of another.
    pub cross_server: CrossServer,
    /// How large a message may be.
    pub limits: Limits,
    /// Most requests of one session that may be open at once. Default 256; then `too_many_open`.
    pub open_requests: usize,
    /// Most entries of one list (tools, resources, prompts) of one server. Default 10 000; then `too_many_pages`.
    pub list_entries: usize,
    /// Longest time a held call waits for a person. Milliseconds; default 120 000; then `approval_timed_out`.
    pub hold_timeout: u64,
    /// Can people approve from outside the client? None: only whom the client asks.
    pub desk: Option<Desk>,
    /// Are rules only observed: decided and recorded, and every call let through? Default false.
    pub observes: bool,
    /// When a session goes in circles. None: nobody looks.
    pub loops: Option<LoopRules>,
    /// Are records kept? Where nobody reads them none are made. Default false.
    pub records: bool,
    /// Do records hold arguments, beside their digest? Default false.
    pub record_arguments: bool,
}

/// How calls wait for people outside the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Desk {
    /// Does the call wait, up to the longest hold? Else it is refused with a reference, to be sent again once approved.
    pub waits: bool,
    /// How long after it was asked for an approval can be given and used. Milliseconds; default 900 000.
    pub valid: u64,
}

/// What happens to a call that the cross-server rule stands against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrossServer {
    /// A person is asked.
    Ask,
    /// It is denied.
    Deny,
}

/// One server as the operator sees it.
#[derive(Clone, Debug)]
pub struct Server {
    /// How far it is trusted.
    pub tier: Tier,
    /// How it is spoken to.
    pub wire: Wire,
    /// Who may call what.
    pub rules: Rules,
    /// An Intercept policy that every call of a tool must pass as well.
    pub intercept: Option<Arc<Policy>>,
    /// What becomes of arguments that a tool does not declare. Default: they are refused.
    pub undeclared: Undeclared,
    /// What the operator says its tools do; the first pattern that matches counts.
    pub effects: Vec<(Pattern, Effect)>,
    /// How much harm the operator says they can do at worst; the first pattern that matches counts.
    pub classes: Vec<(Pattern, Class)>,
    /// What it may ask the agent for.
    pub may_ask: MayAsk,
    /// Longest wait for an answer without a sign of progress. Milliseconds; default 60 000; then `server_timed_out`.
    pub timeout: u64,
    /// Longest wait for an answer at all. Milliseconds; default 600 000; then `server_timed_out`.
    pub deadline: u64,
}

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Lines on a pipe, all requests on one stream: ids and progress tokens are replaced on the way and restored.
    Lines,
    /// Streamable HTTP, each request with a stream of its own: ids are left as they are.
    Http,
}

/// What a server may ask the agent for. The agent must have declared it as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MayAsk {
    /// `sampling/createMessage`
    pub sampling: bool,
    /// `elicitation/create`
    pub elicitation: bool,
    /// `roots/list`
    pub roots: bool,
}

/// What one tool is taken for.
#[derive(Clone, Debug)]
pub struct Described {
    /// Its name.
    pub tool: ToolName,
    /// What it does.
    pub effect: Effect,
    /// How much harm it can do at worst, and what that was seen by.
    pub class: Classified,
}

impl Server {
    /// A server with the defaults: tier `mixed`, everything allowed, everything may be asked.
    pub fn new(wire: Wire) -> Self {
        Self {
            tier: Tier::Mixed,
            wire,
            rules: Rules::allow_all(),
            intercept: None,
            undeclared: Undeclared::Refuse,
            effects: Vec::new(),
            classes: Vec::new(),
            may_ask: MayAsk { sampling: true, elicitation: true, roots: true },
            timeout: 60_000,
            deadline: 600_000,
        }
    }

    /// What a tool is taken for, by its entry of `tools/list`. None where it has no usable name.
    pub fn describe(&self, entry: Json<'_>) -> Option<Described> {
        let name = entry.get("name")?.text().filter(|name| catalogue::usable(name))?;
        let (tool, definition) = (ToolName::new(&name), catalogue::read_definition(entry));
        let said = self.said(&tool);
        let effect = effect_of(&name, definition.annotations, said.effect);
        Some(Described { effect, class: class_of(&name, definition, said), tool })
    }

    /// What the operator says of a tool.
    pub(crate) fn said(&self, tool: &ToolName) -> Said {
        Said { class: first(&self.classes, tool), effect: first(&self.effects, tool) }
    }
}

impl Boundary {
    /// A boundary with the default limits.
    pub fn new(servers: BTreeMap<ServerName, Server>) -> Self {
        Self {
            servers,
            cross_server: CrossServer::Ask,
            limits: Limits::default(),
            open_requests: 256,
            list_entries: 10_000,
            hold_timeout: 120_000,
            desk: None,
            observes: false,
            loops: None,
            records: false,
            record_arguments: false,
        }
    }

    /// How far a server is trusted; one that is not configured is not trusted at all.
    pub fn tier(&self, server: &ServerName) -> Tier {
        self.servers.get(server).map_or(Tier::Quarantined, |server| server.tier)
    }
}

/// What the first pattern that matches says.
fn first<T: Copy>(said: &[(Pattern, T)], tool: &ToolName) -> Option<T> {
    said.iter().find(|(pattern, _)| pattern.matches(tool.as_str())).map(|(_, said)| *said)
}
