use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lockgate_flow::rule::{Rule, Then, presets};
use lockgate_flow::{Mode, Properties, Role, Roles, Said, Trust, class_of, effect_of};
use lockgate_model::{Class, Classified, Effect, Era, Json, Limits, ServerName, Tier, ToolName};
use lockgate_policy::budget::LoopRules;
use lockgate_policy::intercept::Policy;
use lockgate_policy::{Pattern, Rules, Undeclared};
use lockgate_provenance::{Digest, Name, Pinning};

use crate::{Detect, catalogue};

/// Everything the operator decided, checked and immutable. Shared by all sessions and replaced whole on reload.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a thing of its own that is done or not")]
pub struct Boundary {
    /// The servers, by name.
    pub servers: BTreeMap<ServerName, Server>,
    /// What becomes of calls that may be steered by what was read.
    pub flow: Flow,
    /// The servers that get personal data where the agent sends what stands for it. None: the one that gave it, and not in a call
    /// that sends something out.
    pub expand_personal_for: Option<BTreeSet<ServerName>>,
    /// How long what tokens of personal data stand for is kept for later sessions. Milliseconds; 0 for not at all.
    pub personal_kept_for: u64,
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
    /// The key of what is sealed for an agent to bring back. Gateways with the same key open each other's seals.
    pub seal: [u8; 32],
    /// Are definitions pinned? Default true; false where Lockgate only looks at what servers offer.
    pub pins: bool,
    /// Are records kept? Where nobody reads them none are made. Default false.
    pub records: bool,
    /// Are records made for what counts them, also where none are kept? Without digests, origins and labels. Default false.
    pub counted: bool,
    /// Do records hold arguments, beside their digest? Default false.
    pub record_arguments: bool,
    /// Is a receipt made ready for every result that goes to the agent? Default false.
    pub receipts: bool,
}

/// How calls wait for people outside the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Desk {
    /// Does the call wait, up to the longest hold? Else it is refused with a reference, to be sent again once approved.
    pub waits: bool,
    /// How long after it was asked for an approval can be given and used. Milliseconds; default 900 000.
    pub valid: u64,
}

/// What becomes of calls that may be steered by what was read.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "four ways by which the user's words come, each on or off")]
pub struct Flow {
    /// How much is asked of a call. Default balanced.
    pub mode: Mode,
    /// What happens to a call that something stands against. Default: a person is asked.
    pub violation: Violation,
    /// The operator's rules, and the built-in ones that are not replaced or turned off. Default: the built-in ones.
    pub rules: Vec<Rule>,
    /// How long a value that a person approved stays approved in its session. Milliseconds; default 1 800 000.
    pub approved_for: u64,
    /// May a person approve a value for later sessions as well? Default false.
    pub learns: bool,
    /// How long such a value counts. Milliseconds; default 7 776 000 000, which is 90 days.
    pub learned_for: u64,
    /// So many calls of a tool are refused for the same argument, then the tool is frozen. Default 3.
    pub freeze_after: u32,
    /// How long. Milliseconds; default 900 000.
    pub frozen_for: u64,
    /// What the user writes into a prompt counts as the user's words. Default true.
    pub prompts_endorse: bool,
    /// What the user answers to a server's question counts as the user's words. Default true.
    pub answers_endorse: bool,
    /// What a host sends of its user's turns counts as the user's words. Default true.
    pub hook: bool,
    /// What a person approves is endorsed for a while in its session. Default true.
    pub approvals: bool,
    /// Values that every user may be taken to have said: own addresses, known places.
    pub known: Vec<String>,
    /// What becomes of credentials in what servers return.
    pub secrets: Secrets,
    /// A secret of this process, so that nobody can choose text whose digests collide.
    pub key: [u8; 16],
}

/// What becomes of credentials in what servers return.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets {
    /// What the agent is shown. Default: a handle.
    pub action: SecretAction,
    /// The servers that get the secret where the agent sends a handle. None: the one that gave it, and not in a call that
    /// sends something out.
    pub expand_for: Option<BTreeSet<ServerName>>,
}

/// What the agent is shown of a credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretAction {
    /// The credential.
    Pass,
    /// That there was one.
    Redact,
    /// A handle that stands for it and that only named servers get expanded.
    #[default]
    Handle,
}

/// What happens to a call that may be steered by what was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Violation {
    /// A person is asked.
    #[default]
    Ask,
    /// It is denied.
    Deny,
    /// It is only written down.
    Log,
}

impl Default for Flow {
    fn default() -> Self {
        Self {
            mode: Mode::Balanced,
            violation: Violation::Ask,
            rules: Self::built_in(Mode::Balanced, Violation::Ask),
            approved_for: 1_800_000,
            learns: false,
            learned_for: 7_776_000_000,
            freeze_after: 3,
            frozen_for: 900_000,
            prompts_endorse: true,
            answers_endorse: true,
            hook: true,
            approvals: true,
            known: Vec::new(),
            secrets: Secrets::default(),
            key: [0; 16],
        }
    }
}

impl Flow {
    /// The built-in rules of a mode. They do what is done about any other call that may be steered.
    pub fn built_in(mode: Mode, violation: Violation) -> Vec<Rule> {
        let then = match violation {
            Violation::Ask => Then::Ask,
            Violation::Deny => Then::Deny,
            Violation::Log => Then::Log,
        };
        presets(mode).into_iter().map(|rule| Rule { then: then.clone(), ..rule }).collect()
    }
}

/// One server as the operator sees it.
#[derive(Clone, Debug)]
pub struct Server {
    /// How far it is trusted, and with what.
    pub trust: Trust,
    /// How its definitions are taken that are not approved. Default: by its tier.
    pub pinning: Pinning,
    /// The definitions that are proven to be its maker's. None: it has no signed manifest.
    pub signed: Option<Arc<Signed>>,
    /// Where it comes from: its package, program or host. What comes from the same place may be alike. Default: not known.
    pub maker: Option<String>,
    /// Does the way to it prove that it is the one that is named? Default false.
    pub origin_verified: bool,
    /// Is what it says of its own results heard, where it asks for more care? Default true.
    pub labels_heard: bool,
    /// How it is spoken to.
    pub wire: Wire,
    /// The eras of MCP that it speaks, where the operator says so. Default: it is found out.
    pub speaks: Option<Speaks>,
    /// What is looked for in what goes to it and comes from it.
    pub detect: Arc<Detect>,
    /// Who may call what.
    pub rules: Rules,
    /// An Intercept policy that every call of a tool must pass as well.
    pub intercept: Option<Arc<Policy>>,
    /// What becomes of arguments that a tool does not declare. Default: they are refused.
    pub undeclared: Undeclared,
    /// What the operator says its tools do; the first pattern that matches counts.
    pub effects: Vec<(Pattern, Effect)>,
    /// What the operator says the arguments of its tools mean; the first pattern that matches counts.
    pub roles: Vec<(Pattern, String, Role)>,
    /// How much harm the operator says they can do at worst; the first pattern that matches counts.
    pub classes: Vec<(Pattern, Class)>,
    /// What it may ask the agent for.
    pub may_ask: MayAsk,
    /// Longest wait for an answer without a sign of progress. Milliseconds; default 60 000; then `server_timed_out`.
    pub timeout: u64,
    /// Longest wait for an answer at all. Milliseconds; default 600 000; then `server_timed_out`.
    pub deadline: u64,
}

/// What a signed manifest says of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    /// Is nothing offered that is not in it?
    pub required: bool,
    /// What is in it.
    pub definitions: BTreeMap<Name, Digest>,
}

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// All requests on one stream, as lines on a pipe or the events of HTTP+SSE: ids and progress tokens are replaced on the way and restored.
    Lines,
    /// Streamable HTTP, each request with a stream of its own: ids are left as they are.
    Http,
}

/// The eras of MCP that a server speaks. To an agent of another era it is translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// The handshake era alone.
    Legacy,
    /// The stateless era alone.
    Modern,
    /// Both.
    Both,
}

impl Speaks {
    /// Is the era among them?
    pub fn includes(self, era: Era) -> bool {
        match self {
            Self::Legacy => era == Era::Legacy,
            Self::Modern => era == Era::Modern,
            Self::Both => true,
        }
    }
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
    /// What its arguments mean.
    pub roles: Roles,
}

impl Server {
    /// A server with the defaults: tier `mixed`, everything allowed, everything may be asked.
    pub fn new(wire: Wire) -> Self {
        Self {
            trust: Trust::of(Tier::Mixed),
            pinning: Pinning::of(Tier::Mixed),
            signed: None,
            maker: None,
            origin_verified: false,
            labels_heard: true,
            wire,
            speaks: None,
            detect: Arc::default(),
            rules: Rules::allow_all(),
            intercept: None,
            undeclared: Undeclared::Refuse,
            effects: Vec::new(),
            roles: Vec::new(),
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
        let effect = effect_of(&name, definition, said.effect);
        let roles = self.roles(&tool, &catalogue::read_properties(entry), effect);
        Some(Described { effect, class: class_of(&name, definition, said), roles, tool })
    }

    /// What the arguments of a tool mean, the operator's word included.
    pub(crate) fn roles(&self, tool: &ToolName, properties: &Properties, effect: Effect) -> Roles {
        let mut roles = properties.roles(tool.as_str(), effect);
        for (pattern, argument, role) in self.roles.iter().rev() {
            if pattern.matches(tool.as_str()) {
                roles.say(argument, *role);
            }
        }
        roles
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
            flow: Flow::default(),
            expand_personal_for: None,
            personal_kept_for: 0,
            limits: Limits::default(),
            open_requests: 256,
            list_entries: 10_000,
            hold_timeout: 120_000,
            desk: None,
            observes: false,
            loops: None,
            seal: [0; 32],
            pins: true,
            records: false,
            counted: false,
            record_arguments: false,
            receipts: false,
        }
    }

    /// Is the compartment one that some server is cleared for, so that what is in it may go to no other?
    pub(crate) fn parts_off(&self, compartment: &str) -> bool {
        self.servers.values().any(|server| server.trust.clearance.compartments.contains(compartment))
    }

    /// Does anybody want records?
    pub(crate) fn makes_records(&self) -> bool {
        self.records || self.counted
    }

    /// How far a server is trusted; one that is not configured is not trusted at all.
    pub fn trust(&self, server: &ServerName) -> Trust {
        self.servers.get(server).map_or_else(|| Trust::of(Tier::Quarantined), |server| server.trust.clone())
    }
}

/// What the first pattern that matches says.
fn first<T: Copy>(said: &[(Pattern, T)], tool: &ToolName) -> Option<T> {
    said.iter().find(|(pattern, _)| pattern.matches(tool.as_str())).map(|(_, said)| *said)
}
