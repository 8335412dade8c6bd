//! The file as it is written: every key with its documentation, nothing resolved and nothing compared yet.

use lockgate_core::{SecretAction, Speaks};
use lockgate_flow::Role;
use lockgate_model::{Class, Confidentiality, Effect, Tier};
use lockgate_policy::{Rule, Treatment, Undeclared};
use schemars::JsonSchema;

use super::Transport;
use super::alerts::RawAlerts;
use super::detect::{RawDetect, RawServerDetect};
use super::error::{At, Place};
use super::expected::{RawAttestation, RawOwner, RawRequire};
use super::flow::RawFlow;
use super::flow_rules::RawFlowRule;
use super::pins::{RawPinning, RawPins};
use super::records::RawRecords;
use super::schema;
use super::trust::RawClearance;
use super::words::{Ask, Default};

/// What `lockgate.yaml` may hold. Keys that are unknown, or that cannot have an effect where they stand, are errors.
#[derive(JsonSchema)]
#[schemars(rename = "Configuration", deny_unknown_fields)]
pub(super) struct RawConfig {
    /// The address and port for agents that connect over HTTP; port 0 takes a free one. An address that other machines
    /// can reach needs `principals`.
    #[schemars(with = "Option<String>", extend("default" = super::LISTEN))]
    pub(super) listen: Option<At<String>>,
    /// What holds for a tool, resource or prompt that no rule matches, on servers that do not say it themselves.
    #[schemars(with = "Option<schema::Default>", extend("default" = "allow"))]
    pub(super) default: Option<At<Default>>,
    /// Was there a default that could not be read?
    #[schemars(skip)]
    pub(super) default_unclear: bool,
    /// What is done with the tools of each class on servers whose `default` is `class`: an action, or an action with the
    /// number of people who must approve. Without it, what reads passes; a person is asked before anything else, except
    /// before a `write-low` on servers of tier `internal` and `core`, and also before a `read-high` on those of tier
    /// `quarantined`, where what is written here counts only if it is stricter. Resources and prompts count as `read-low`.
    #[schemars(with = "Option<std::collections::BTreeMap<String, schema::Treatment>>")]
    pub(super) classes: RawTreatments,
    /// Are rules enforced, or only observed: decided and recorded, while every call is let through? For finding out what
    /// a policy would do. What the protocol needs, and what is stopped by hand, holds in any case.
    #[schemars(with = "Option<schema::Mode>", extend("default" = "enforce"))]
    pub(super) mode: Option<At<bool>>,
    /// When a session goes in circles. Without this section nobody looks.
    #[schemars(with = "Option<RawLoops>")]
    pub(super) loops: Option<RawLoops>,
    /// What text of one server may make the agent do on another.
    #[schemars(with = "Option<RawFlow>")]
    pub(super) flow: RawFlow,
    /// What is looked for in what servers return and in what is sent to them, and what is done with it.
    #[schemars(with = "Option<RawDetect>")]
    pub(super) detect: RawDetect,
    /// Rules on where data comes from and where it goes, beside the built-in ones, `trifecta` and `cross-server`: a rule of
    /// one of these names stands in its place, or, without `when`, changes what it does. Of all that match, the strictest
    /// counts; their order has no meaning.
    #[schemars(with = "Option<Vec<RawFlowRuleKeys>>")]
    pub(super) rules: Vec<RawFlowRule>,
    /// What is done with what servers say of themselves and of what they offer, where it is not approved.
    #[schemars(with = "Option<RawPins>")]
    pub(super) pins: RawPins,
    /// Policies of the Cross-Server Protection control (SAFE-M-42), relative to the folder of the configuration: files with
    /// a `cross_server_policy` or an `invariant` document, or both. They come on top of everything else, and only ever make
    /// it stricter. `docs/cross-server.md` says what each field does.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) policies: Option<At<Vec<At<String>>>>,
    /// The MCP servers behind the gateway, each under a name of your own: 1 to 32 of `a-z`, `0-9` and `-`, a letter
    /// first. Agents see it as the prefix of every tool. At least one.
    #[schemars(with = "std::collections::BTreeMap<String, RawServer>")]
    pub(super) servers: Vec<RawServer>,
    /// Who may connect over HTTP, each under a name of your own: 1 to 64 of `A-Z`, `a-z`, `0-9`, `.`, `_`, `@` and `-`.
    /// Without any, whoever can reach the port may connect, and only addresses of this machine can be listened on.
    #[schemars(with = "Option<std::collections::BTreeMap<String, RawPrincipal>>")]
    pub(super) principals: Vec<RawPrincipal>,
    /// Groups of principals, for rules (`for: [role:NAME]`), each under a name of your own.
    #[schemars(with = "Option<std::collections::BTreeMap<String, Vec<String>>>")]
    #[expect(dead_code, reason = "rules are read with it; here it is for the reference")]
    pub(super) roles: RawRoles,
    /// Which of `environments` this is. The environment variable `LOCKGATE_ENVIRONMENT` goes before it.
    #[schemars(with = "Option<String>")]
    #[expect(
        dead_code,
        reason = "the environment was laid over the file before; here it is for the reference"
    )]
    pub(super) environment: Option<At<String>>,
    /// What is different in one environment, each under a name of your own, such as `dev` and `prod`: written like the
    /// file itself, and laid over it. Sections are laid over one another key by key; anything else replaces what it
    /// covers.
    #[schemars(with = "Option<std::collections::BTreeMap<String, schema::Overlay>>")]
    #[expect(dead_code, reason = "as `environment`")]
    pub(super) environments: (),
    /// The HTTP side that agents connect to.
    #[schemars(with = "Option<RawHttp>")]
    pub(super) http: RawHttp,
    /// How large and how many. Past a limit the message is refused with the reason named here, nothing is cut.
    #[schemars(with = "Option<RawLimits>")]
    pub(super) limits: RawLimits,
    /// Longest time a held call waits for a person, then `approval_timed_out`.
    #[schemars(with = "Option<schema::Time>")]
    pub(super) hold_timeout: At<u64>,
    /// Lets people approve held calls from outside the client: with `lockgate approvals`, or over the admin API. Without
    /// this section only the client can ask, and rules cannot want more than one approver.
    #[schemars(with = "Option<RawApprovals>")]
    pub(super) approvals: Option<RawApprovals>,
    /// Who is told of what is worth telling, and what is stopped because of it. Without this section nobody is.
    #[schemars(with = "Option<RawAlerts>")]
    pub(super) alerts: Option<RawAlerts>,
    #[schemars(skip)]
    pub(super) alerts_place: Option<Place>,
    /// Where people rule the running gateway, over HTTP: they answer held calls, stop servers and sessions, and look at
    /// what is going on. Without this section there is no such place; `lockgate approvals` and `lockgate stop` need none.
    /// Read when the gateway starts.
    #[schemars(with = "Option<RawAdmin>")]
    pub(super) admin: Option<RawAdmin>,
    /// The folder for what must outlive the gateway: counts for limits, approvals, stops. Several gateways may share
    /// one on this machine. Without it, `$LOCKGATE_STATE`, else `$XDG_STATE_HOME/lockgate`, else
    /// `~/.local/state/lockgate`.
    #[schemars(with = "Option<String>")]
    pub(super) state: Option<At<String>>,
    /// Where the records of every decision go. Without this section no file is written.
    #[schemars(with = "Option<RawRecords>")]
    pub(super) records: Option<RawRecords>,
    /// Learns what principals, tools and servers usually do, and gives sessions a risk that rules can ask for
    /// (`session.risk`). Without this section nothing is learned.
    #[schemars(with = "Option<RawBehaviour>")]
    pub(super) behaviour: Option<RawBehaviour>,
    /// Who is told what the gateway does, in numbers. Without this section nobody.
    #[schemars(with = "Option<super::telemetry::RawTelemetry>")]
    pub(super) telemetry: Option<super::telemetry::RawTelemetry>,
}

/// What counts as unusual, beside what is learned. From each of these on it always does, whatever is usual and before
/// anything was learned; `docs/behaviour.md` says what is compared with what.
#[derive(JsonSchema)]
#[schemars(rename = "Behaviour", deny_unknown_fields)]
pub(super) struct RawBehaviour {
    /// Is anything learned? `false` keeps the section for later.
    #[schemars(with = "Option<bool>", extend("default" = true))]
    pub(super) enabled: Option<At<bool>>,
    /// A quantity is not compared before so many values of it were seen.
    #[schemars(with = "Option<schema::Count>")]
    pub(super) warm_up: At<u64>,
    /// In this time the risk of a session falls to half.
    #[schemars(with = "Option<schema::Time>")]
    pub(super) half_life: At<u64>,
    /// Calls of a principal in a minute.
    #[schemars(with = "Option<schema::Count>")]
    pub(super) calls: At<u64>,
    /// Refusals and failures of a session in five minutes.
    #[schemars(with = "Option<schema::Count>")]
    pub(super) refusals: At<u64>,
    /// Different tools, prompts and resources that a session asks for in two minutes.
    #[schemars(with = "Option<schema::Count>")]
    pub(super) targets: At<u64>,
    /// The same call of a session in ten minutes.
    #[schemars(with = "Option<schema::Count>")]
    pub(super) repeats: At<u64>,
    /// Arguments of a session's calls that reach outside, in ten minutes.
    #[schemars(with = "Option<schema::Size>")]
    pub(super) sent: At<u64>,
    /// One answer.
    #[schemars(with = "Option<schema::Size>")]
    pub(super) read: At<u64>,
}

/// A rule on where data comes from and where it goes. It matches where every test of `when` holds and not every test of
/// `unless`. What cannot be told counts as held in `when`, and as not held in `unless`.
#[derive(JsonSchema)]
#[schemars(rename = "FlowRule", deny_unknown_fields)]
#[expect(dead_code, reason = "for the schema and the reference")]
pub(super) struct RawFlowRuleKeys {
    /// A name of your own: 1 to 64 of `a-z`, `0-9`, `-` and `_`. Findings call it `rules.NAME`.
    #[schemars(with = "String")]
    name: (),
    /// What must hold. Needed, except to change a built-in rule.
    #[schemars(with = "Option<schema::Facts>")]
    when: (),
    /// What excuses it.
    #[schemars(with = "Option<schema::Facts>")]
    unless: (),
    /// What is done: `ask` a person, `deny`, `log`; with the result that `result.class` names, `redact` or
    /// `{handle: {expand_for: [SERVER]}}`. `off` turns a built-in rule off.
    #[schemars(with = "schema::Then")]
    then: (),
    /// How many different people must approve, with `then: ask`.
    #[schemars(with = "Option<schema::Count>", extend("default" = 1, "minimum" = 1, "maximum" = 5))]
    approvers: (),
}

/// What becomes of what a session has read. An agent that comes back after a restart of the gateway may still have it in its
/// context: its next sessions begin with it.
#[derive(JsonSchema)]
#[schemars(rename = "FlowSession", deny_unknown_fields)]
pub(super) struct RawFlowSession {
    /// How long it is kept after the gateway has ended, where the session was open then. Read when the gateway starts.
    #[schemars(with = "Option<schema::Time>")]
    pub(super) ttl: At<u64>,
}

/// What the turns of the user are signed with. `lockgate turn` sends them.
#[derive(JsonSchema)]
#[schemars(rename = "Hook", deny_unknown_fields)]
pub(super) struct RawHook {
    /// 16 to 1024 characters, better 32 random ones. Whoever has it speaks for the user: keep it where the agent's own
    /// tools cannot read it.
    #[schemars(with = "schema::Secret")]
    pub(super) key: Option<RawSecret>,
}

/// What becomes of credentials in what servers return: keys, tokens, passwords. They are looked for in everything that can reach
/// the agent but descriptions of tools. `docs/flow.md` says what is found, and what is not.
#[derive(JsonSchema)]
#[schemars(rename = "Credentials", deny_unknown_fields)]
pub(super) struct RawCredentials {
    /// What the agent is shown of a credential.
    #[schemars(with = "Option<schema::SecretAction>", extend("default" = "handle"))]
    pub(super) action: Option<At<SecretAction>>,
    /// The servers that get the credential itself where the agent sends them its handle. Without it, the server that gave it,
    /// in calls that send nothing out. An empty list: nobody.
    #[schemars(with = "Option<Vec<String>>", extend("uniqueItems" = true))]
    pub(super) expand_for: Option<At<Vec<At<String>>>>,
}

/// When a session goes in circles: the same call with the same arguments again and again, or a few in turn. Then
/// `loop_detected`.
#[derive(JsonSchema)]
#[schemars(rename = "Loops", deny_unknown_fields)]
pub(super) struct RawLoops {
    /// How often the same call, or the same few in turn, may be made in a row.
    #[schemars(with = "Option<schema::Count>")]
    pub(super) at_most: At<u64>,
    /// How many different calls in turn are seen as a circle, at most.
    #[schemars(with = "Option<schema::Count>")]
    pub(super) longest: At<u64>,
    /// A pause that ends a row.
    #[schemars(with = "Option<schema::Time>")]
    pub(super) pause: At<u64>,
}

/// One MCP server. It has either `command` or `url`.
#[derive(JsonSchema)]
#[schemars(
    rename = "Server",
    deny_unknown_fields,
    extend("oneOf" = [{ "required": ["command"] }, { "required": ["url"] }])
)]
pub(super) struct RawServer {
    #[schemars(skip)]
    pub(super) name: At<String>,
    /// Was there a default that could not be read?
    #[schemars(skip)]
    pub(super) default_unclear: bool,
    /// The program to start, with its arguments. A single text is a program without arguments. A relative path with a
    /// `/` in it starts at the folder of the configuration; a bare name is searched for in `PATH`.
    #[schemars(with = "Option<schema::Command>")]
    pub(super) command: Option<At<Vec<At<String>>>>,
    /// Environment variables for the program, beside the few every program needs.
    #[schemars(with = "Option<std::collections::BTreeMap<String, schema::Secret>>")]
    pub(super) env: Option<At<RawSecrets>>,
    /// The folder the program starts in, relative to the folder of the configuration. Without it, the one Lockgate was
    /// started in.
    #[schemars(with = "Option<String>")]
    pub(super) cwd: Option<At<String>>,
    /// The address of a server that speaks HTTP. `https`, or `http` to this machine.
    #[schemars(with = "Option<String>")]
    pub(super) url: Option<At<String>>,
    /// How the server at `url` speaks HTTP. Lockgate does not try one after the other.
    #[schemars(with = "Option<schema::Transport>", extend("default" = "http"))]
    pub(super) transport: Option<At<Transport>>,
    /// Headers sent with every request, for the credentials of the server.
    #[schemars(with = "Option<std::collections::BTreeMap<String, schema::Secret>>")]
    pub(super) headers: Option<At<RawSecrets>>,
    /// Lets `url` be `http` to another machine. Whoever is on the way can then read and change everything, credentials
    /// included.
    #[schemars(with = "Option<bool>", extend("default" = false))]
    pub(super) allow_insecure_http: Option<At<bool>>,
    /// How far the server is trusted: who can write what it returns?
    #[schemars(with = "Option<schema::Tier>", extend("default" = "mixed"))]
    pub(super) tier: Option<At<Tier>>,
    /// What is done with definitions of the server that are not approved.
    #[schemars(with = "Option<RawPinning>")]
    pub(super) pins: RawPinning,
    /// Who may see what the server returns. Without it, by its tier: `public` for `open` and `core`, `internal` for
    /// `internal`, `private` for `quarantined` and `mixed`.
    #[schemars(with = "Option<schema::Confidentiality>")]
    pub(super) confidentiality: Option<At<Confidentiality>>,
    /// What the text of the server belongs to: tenants, projects, kinds of data, under names of your own (1 to 64 of
    /// `A-Z`, `a-z`, `0-9`, `.`, `_`, `@` and `-`; at most 32). It goes only to servers that have all of them, as their own or in
    /// `clearance`.
    #[schemars(with = "Option<Vec<String>>", extend("uniqueItems" = true, "minItems" = 1, "maxItems" = 32))]
    pub(super) compartments: Option<At<Vec<At<String>>>>,
    /// How confidential what is sent to the server may be: a level, or a section with a level and compartments. Text above it is
    /// held back (`confidential_data`). Without it, by its tier: `public` for `quarantined` and `open`, `private` for
    /// `mixed` and `internal`, `secret` for `core`. Its own compartments are always among those it is cleared for.
    #[schemars(with = "Option<schema::Clearance>")]
    pub(super) clearance: Option<RawClearance>,
    /// What holds where no rule matches. Without it, the `default` at the top.
    #[schemars(with = "Option<schema::Default>")]
    pub(super) default: Option<At<Default>>,
    /// Rules for tools, by name. `*` stands for any run of characters. An exact name goes before patterns; of several
    /// patterns that match, the strictest counts, so their order has no meaning. Under each pattern stands an action, a
    /// rule in its long form, or a list of such rules, all of which count.
    #[schemars(with = "Option<std::collections::BTreeMap<String, schema::Rules>>")]
    pub(super) tools: RawRules,
    /// Rules for resources, by address. Read like `tools`.
    #[schemars(with = "Option<std::collections::BTreeMap<String, schema::Rules>>")]
    pub(super) resources: RawRules,
    /// Rules for prompts, by name. Read like `tools`.
    #[schemars(with = "Option<std::collections::BTreeMap<String, schema::Rules>>")]
    pub(super) prompts: RawRules,
    /// What tools do to the world, where their names do not say it. The first pattern that matches counts. Decides what
    /// `flow` holds back.
    #[schemars(with = "Option<std::collections::BTreeMap<String, schema::Effect>>")]
    pub(super) effects: Vec<(At<String>, At<Effect>)>,
    /// What the arguments of tools mean, where their names and schemas do not say it: under each pattern for tools, names of
    /// arguments as they stand at the top. The first pattern that matches a tool and has the argument counts. Decides
    /// what `flow` asks of their values.
    #[schemars(
        with = "Option<std::collections::BTreeMap<String, std::collections::BTreeMap<String, schema::Role>>>"
    )]
    pub(super) arguments: RawMeanings,
    /// An Intercept policy, relative to the folder of the configuration, that every call of a tool must pass besides
    /// the rules here. `docs/intercept.md` says how it is read.
    #[schemars(with = "Option<String>")]
    pub(super) intercept: Option<At<String>>,
    /// What the maker of the server has signed. `docs/signing.md` says how such files are made.
    #[schemars(with = "Option<RawSignature>")]
    pub(super) signature: Option<RawSignature>,
    /// What becomes of arguments that a tool does not declare in its input schema.
    #[schemars(with = "Option<schema::Undeclared>", extend("default" = "refuse"))]
    pub(super) undeclared_arguments: Option<At<Undeclared>>,
    /// How much harm tools can do at worst, where their names, hints and arguments do not say it. The first pattern that
    /// matches counts. Decides what `default: class` does.
    #[schemars(with = "Option<std::collections::BTreeMap<String, schema::Class>>")]
    pub(super) classes: Vec<(At<String>, At<Class>)>,
    /// What becomes of labels that the server puts beside its results in `_meta.ifc`, and of hints such as `sensitiveHint`.
    #[schemars(with = "Option<schema::MetaLabels>", extend("default" = "restrict_only"))]
    pub(super) accept_meta_ifc: Option<At<bool>>,
    /// The eras of MCP that the server speaks, where it should not be found out: an agent of another era is translated for it.
    #[schemars(with = "Option<schema::Speaks>")]
    pub(super) speaks: Option<At<Speaks>>,
    /// Who answers for the server, where its package does not say it, or says it wrong. `docs/origins.md` says what is read
    /// of packages.
    #[schemars(with = "Option<RawOwner>")]
    pub(super) owner: Option<RawOwner>,
    /// Who must have vouched for the server's files.
    #[schemars(with = "Option<RawAttestation>")]
    pub(super) attestation: Option<(RawAttestation, Place)>,
    /// What must be known of the server before it is started.
    #[schemars(with = "Option<RawRequire>")]
    pub(super) require: Option<RawRequire>,
    /// What is looked for in what the server returns and in what is sent to it, where that differs from `detect` at the top.
    #[schemars(with = "Option<RawServerDetect>")]
    pub(super) detect: RawServerDetect,
    /// The public key of the server at `url`, as `sha256/` and the base64 of its SHA-256. Its certificate must have it, and
    /// be in order besides, else `server_key_changed`.
    #[schemars(with = "Option<String>")]
    pub(super) tls_key: Option<At<String>>,
    /// What the server may ask the agent for. An empty list: nothing.
    #[schemars(
        with = "Option<Vec<schema::Ask>>",
        extend("default" = ["sampling", "elicitation", "roots"], "uniqueItems" = true)
    )]
    pub(super) may_ask: Option<Vec<At<Ask>>>,
    /// Longest wait for an answer without a sign of progress, then `server_timed_out`. At most `deadline`.
    #[schemars(with = "Option<schema::Time>")]
    pub(super) timeout: At<u64>,
    /// Longest wait for an answer at all, then `server_timed_out`.
    #[schemars(with = "Option<schema::Time>")]
    pub(super) deadline: At<u64>,
}

/// A signed list of what the server offers, and who must have signed it: whoever has one of `keys`, or whom `identity` and
/// `issuer` name. A list that is not signed so is an error of the configuration (`config_signature_invalid`).
#[derive(JsonSchema)]
#[schemars(rename = "Signature", deny_unknown_fields)]
pub(super) struct RawSignature {
    /// The signed list, relative to the folder of the configuration, as `lockgate manifest sign` writes it; or a Sigstore
    /// bundle around the same statement.
    #[schemars(with = "String")]
    pub(super) manifest: Option<At<String>>,
    /// Is what is not in the list, or is another than it says, kept from the agent (`unsigned_definition`)?
    #[schemars(with = "Option<bool>", extend("default" = true))]
    pub(super) required: Option<At<bool>>,
    /// Files of public keys in PEM (Ed25519 or ECDSA P-256), relative to the folder of the configuration. Any one of them
    /// is enough.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) keys: Option<At<Vec<At<String>>>>,
    /// Who must have signed, as the certificate names them: `https://github.com/org/repo/.github/workflows/release.yml@refs/tags/*`.
    /// `*` stands for characters other than `/` and `@`, and `**` at the end for any. What would mean anybody is an error.
    #[schemars(with = "Option<String>")]
    pub(super) identity: Option<At<String>>,
    /// Who vouches for the identity, exactly: `https://token.actions.githubusercontent.com`.
    #[schemars(with = "Option<String>")]
    pub(super) issuer: Option<At<String>>,
    /// Roots of trust (`trusted_root.json`), relative to the folder of the configuration, instead of those that are in this
    /// program. For Sigstore bundles.
    #[schemars(with = "Option<String>")]
    pub(super) trusted_root: Option<At<String>>,
}

/// Secrets under names of the operator's own.
pub(super) type RawSecrets = Vec<(At<String>, RawSecret)>;

/// What is done with each class, in the order of the file.
pub(super) type RawTreatments = Vec<(At<Class>, Treatment)>;

/// What arguments mean: patterns for tools, each with arguments, in the order of the file.
pub(super) type RawMeanings = Vec<(At<String>, Vec<(At<String>, At<Role>)>)>;

/// The rules for one kind of subject, in the order of the file.
pub(super) type RawRules = Vec<(At<String>, Vec<Rule>)>;

/// Roles, each with the names of those who have it.
pub(super) type RawRoles = Vec<(At<String>, Vec<At<String>>)>;

/// One that may connect.
#[derive(JsonSchema)]
#[schemars(rename = "Principal", deny_unknown_fields)]
pub(super) struct RawPrincipal {
    #[schemars(skip)]
    pub(super) name: At<String>,
    /// The bearer token the agent sends (`Authorization: Bearer …`): 16 to 1024 visible ASCII characters, different for
    /// everyone.
    #[schemars(with = "schema::Secret")]
    pub(super) token: Option<RawSecret>,
    /// The tenant it belongs to, under a name of your own. What people approve of servers for one tenant does not hold for
    /// another; without it, what is approved for everybody holds.
    #[schemars(with = "Option<String>")]
    pub(super) tenant: Option<At<String>>,
}

/// The HTTP side that agents connect to.
#[derive(JsonSchema)]
#[schemars(rename = "Http", deny_unknown_fields)]
pub(super) struct RawHttp {
    /// Host names, without port, under which the gateway may be addressed, beside the address it listens on. Any other
    /// `Host` header is refused, which stops DNS rebinding.
    #[schemars(with = "Option<Vec<String>>", extend("default" = []))]
    pub(super) allowed_hosts: Option<At<Vec<At<String>>>>,
    /// Web pages that may connect, as `https://host` or `https://host:port`. A request with any other `Origin` header is
    /// refused; pages of this machine may connect to a gateway that listens on it alone.
    #[schemars(with = "Option<Vec<String>>", extend("default" = []))]
    pub(super) allowed_origins: Option<At<Vec<At<String>>>>,
    /// Threads that serve connections. One carries thousands of calls a second.
    #[schemars(with = "Option<schema::Count>")]
    pub(super) threads: At<u64>,
    /// Longest time for the headers of a request to arrive, and again for its body.
    #[schemars(with = "Option<schema::Time>")]
    pub(super) body_timeout: At<u64>,
    /// Most connections at once; further ones wait.
    #[schemars(with = "Option<schema::Count>")]
    pub(super) connections: At<u64>,
    /// How long a stream that the agent can resume (revision 2025-11-25) stays open without an answer. Then it is
    /// closed, and the agent comes back for the rest: so that a long call outlives proxies that cut silent connections.
    #[schemars(with = "Option<schema::Time>")]
    pub(super) poll_after: At<u64>,
}

/// How large and how many.
#[derive(JsonSchema)]
#[schemars(rename = "Limits", deny_unknown_fields)]
pub(super) struct RawLimits {
    /// Largest message from an agent, then `message_too_large`.
    #[schemars(with = "Option<schema::Size>")]
    pub(super) request_bytes: At<u64>,
    /// Largest message from a server, then `result_too_large`. Held in memory whole, once for each call under way.
    #[schemars(with = "Option<schema::Size>")]
    pub(super) result_bytes: At<u64>,
    /// Deepest nesting of the arguments of a call, the object itself being 1, then `too_deep`.
    #[schemars(with = "Option<schema::Count>")]
    pub(super) argument_depth: At<u64>,
    /// Deepest nesting of any message, then `too_deep`. At least `argument_depth` and 2 more.
    #[schemars(with = "Option<schema::Count>")]
    pub(super) message_depth: At<u64>,
    /// Most arguments of a call, then `too_many_parameters`.
    #[schemars(with = "Option<schema::Count>")]
    pub(super) parameters: At<u64>,
    /// Most requests of one session that may be open at once, then `too_many_open`.
    #[schemars(with = "Option<schema::Count>")]
    pub(super) open_requests: At<u64>,
    /// Most tools, resources or prompts of one server, then `too_many_pages`.
    #[schemars(with = "Option<schema::Count>")]
    pub(super) list_entries: At<u64>,
    /// Most sessions at once; a further one is refused.
    #[schemars(with = "Option<schema::Count>")]
    pub(super) sessions: At<u64>,
    /// How long a session without a request is kept.
    #[schemars(with = "Option<schema::Time>")]
    pub(super) session_idle: At<u64>,
    /// Most server programs running, and streams of events of servers with `transport: sse` open, at once, over all
    /// sessions. Every session has its own.
    #[schemars(with = "Option<schema::Count>")]
    pub(super) children: At<u64>,
}

/// How people approve held calls from outside the client.
#[derive(JsonSchema)]
#[schemars(rename = "Approvals", deny_unknown_fields)]
pub(super) struct RawApprovals {
    /// Does a held call wait, for up to `hold_timeout`? Else it is refused at once with a reference
    /// (`approval_pending`), and passes when it is sent again once approved: for clients that give up early.
    #[schemars(with = "Option<bool>", extend("default" = true))]
    pub(super) wait: Option<At<bool>>,
    /// How long after it was asked for an approval can be given and used.
    #[schemars(with = "Option<schema::Time>")]
    pub(super) valid: At<u64>,
    /// Where people are told that a call waits for them, what became of it, and what is stopped. Read when the gateway
    /// starts.
    #[schemars(with = "Option<RawWebhook>")]
    pub(super) webhook: Option<RawWebhook>,
}

/// Where people are told that they are needed. Each event is signed; it never holds arguments of a call.
#[derive(JsonSchema)]
#[schemars(rename = "Webhook", deny_unknown_fields)]
pub(super) struct RawWebhook {
    /// The address events are sent to: `https`, or `http` to this machine.
    #[schemars(with = "String")]
    pub(super) url: Option<At<String>>,
    /// What events are signed with, so that the receiver can tell them from others: 16 to 1024 characters, better 32
    /// random ones.
    #[schemars(with = "schema::Secret")]
    pub(super) secret: Option<RawSecret>,
}

/// Where people rule the running gateway: a Unix socket for the user that Lockgate runs as, or an address of this
/// machine for whoever has a token.
#[derive(JsonSchema)]
#[schemars(rename = "Admin", deny_unknown_fields)]
pub(super) struct RawAdmin {
    /// The path of the socket, relative to the folder of the configuration. Without it and without `listen`, `admin.sock`
    /// in the state folder.
    #[schemars(with = "Option<String>")]
    pub(super) socket: Option<At<String>>,
    /// An address and port of this machine, instead of a socket; port 0 takes a free one. Needs `tokens`.
    #[schemars(with = "Option<String>")]
    pub(super) listen: Option<At<String>>,
    /// People, each under a name of your own with a bearer token of their own: as those of `principals`, and different
    /// from all of them, since no agent may answer its own calls.
    #[schemars(with = "Option<std::collections::BTreeMap<String, schema::Secret>>")]
    pub(super) tokens: Option<At<RawSecrets>>,
}

/// A secret as it is written.
pub(super) enum RawSecret {
    /// A text, perhaps with references.
    Text(At<String>),
    /// The path of a file.
    File(At<String>),
}

impl RawSecret {
    /// Where it stands.
    pub(super) fn place(&self) -> Place {
        match self {
            Self::Text(at) | Self::File(at) => at.place,
        }
    }
}

// The values are read one by one; the type is for the schema and the reference.
/// A rule that is for somebody else, or holds at other hours, is as if it were not written. Of several that count for a
/// call, all that they require must hold, and the strictest action is taken.
#[derive(JsonSchema)]
#[schemars(rename = "Rule", deny_unknown_fields)]
#[expect(dead_code, reason = "for the schema and the reference")]
pub(super) struct RawRule {
    /// What is done with a call that nothing else in the rule stands against.
    #[schemars(with = "Option<schema::Action>", extend("default" = "allow"))]
    action: (),
    /// Whom the rule is for: names of `principals`, `role:NAME`, and `local` for whoever needs no token. Without it,
    /// everybody.
    #[schemars(with = "Option<Vec<String>>")]
    r#for: (),
    /// When the rule holds. Without it, always.
    #[schemars(with = "Option<RawHours>")]
    during: (),
    /// What the arguments must pass, else the call is denied (`argument_denied`), as where a test cannot be evaluated.
    #[schemars(with = "Option<std::collections::BTreeMap<String, schema::Test>>")]
    require: (),
    /// The call is denied where all tests of one of these sections hold, or one of them cannot be evaluated.
    #[schemars(with = "Option<Vec<std::collections::BTreeMap<String, schema::Test>>>")]
    deny_if: (),
    /// As `deny_if`, but a person is asked.
    #[schemars(with = "Option<Vec<std::collections::BTreeMap<String, schema::Test>>>")]
    ask_if: (),
    /// How often, how much and how many at once; then `budget_exceeded`. Windows: `minute`, `hour`, `day`, `week` or
    /// `90s`, `15m`, `12h`, `30d` slide; `calendar_hour`, `calendar_day`, `calendar_week` and `calendar_month` begin
    /// anew, in UTC. `by` says whose calls are counted together: `principal`, `session`, `server`, `tool`, or, without
    /// it, `everyone`.
    #[schemars(with = "Option<Vec<schema::Limit>>")]
    limits: (),
    /// How many different people must approve a call that is held.
    #[schemars(with = "Option<schema::Count>", extend("default" = 1, "minimum" = 1, "maximum" = 5))]
    approvers: (),
    /// What the agent is told where the rule denies: at most 500 characters.
    #[schemars(with = "Option<String>")]
    on_deny: (),
}

/// Hours of the week. Hours that end before they begin go on into the next day.
#[derive(JsonSchema)]
#[schemars(rename = "Hours", deny_unknown_fields)]
#[expect(dead_code, reason = "for the schema and the reference")]
struct RawHours {
    /// `mon` to `sun`. Without it, every day.
    #[schemars(with = "Option<Vec<String>>")]
    days: (),
    /// The first minute, as `"08:00"`. Without it, midnight.
    #[schemars(with = "Option<String>")]
    from: (),
    /// The minute after the last, as `"18:00"`. Without it, midnight.
    #[schemars(with = "Option<String>")]
    to: (),
    /// How far local time is ahead of UTC, as `"+01:00"`. Daylight saving is not followed.
    #[schemars(with = "Option<String>", extend("default" = "Z"))]
    utc_offset: (),
}
