//! Reads the tree into the raw types. Says what has the wrong shape; what the values mean is checked afterwards.

use std::collections::BTreeMap;

use lockgate_policy::Subject;

use super::alerts::RawAlerts;
use super::bounds;
use super::classes;
use super::detect::{RawDetect, RawServerDetect};
use super::error::{At, Report, perhaps, quoted};
use super::expected::{RawAttestation, RawOwner, RawRequire};
use super::flow::RawFlow;
use super::flow_rules;
use super::meaning;
use super::pins::{RawPinning, RawPins};
use super::raw::{
    RawAdmin, RawApprovals, RawBehaviour, RawConfig, RawCredentials, RawFlowSession, RawHook, RawHttp,
    RawLimits, RawLoops, RawPrincipal, RawRoles, RawRules, RawSecret, RawSecrets, RawServer, RawSignature,
    RawWebhook,
};
use super::records::RawRecords;
use super::rule::{self, People};
use super::section::{self, Section};
use super::telemetry::RawTelemetry;
use super::trust::RawClearance;
use super::words::{
    self, ASKS, DEFAULTS, Default, META_LABELS, SECRETS, SPEAKS, TRANSPORTS, UNDECLARED, effects, tiers,
};
use super::yaml::{Kind, Node};

impl RawConfig {
    /// Reads the file as a whole. `None` where it is no section at all.
    pub(super) fn read(node: &Node, report: &Report) -> Option<Self> {
        let root = Section::open("", node, report)?;
        let named = |key| root.named(key).map(|members| members.iter());
        let roles = roles(&root, report);
        let people = people(&root, &roles, report);
        let mut raw = Self {
            listen: root.text("listen"),
            default: default(&root, report),
            default_unclear: false,
            classes: classes::read(&root, report),
            mode: root.word("mode", &[("enforce", false), ("observe", true)]),
            loops: root.section("loops").map(RawLoops::read),
            flow: RawFlow::read(root.section_or_empty("flow"), report),
            detect: RawDetect::read(root.section_or_empty("detect"), report),
            pins: RawPins::read(root.section_or_empty("pins"), report),
            rules: flow_rules::read(&root, report),
            policies: root.texts("policies"),
            servers: named("servers").map_or_else(Vec::new, |servers| {
                servers.filter_map(|(name, node)| RawServer::read(name, node, &people, report)).collect()
            }),
            principals: named("principals").map_or_else(Vec::new, |principals| {
                principals.filter_map(|(name, node)| RawPrincipal::read(name, node, report)).collect()
            }),
            roles,
            environment: root.text("environment"),
            environments: root.take("environments").map_or((), |_| ()),
            http: RawHttp::read(root.section_or_empty("http")),
            limits: RawLimits::read(root.section_or_empty("limits")),
            hold_timeout: root.measure(&bounds::HOLD_TIMEOUT),
            alerts: root.section("alerts").map(|section| RawAlerts::read(section, report)),
            alerts_place: root.place_of("alerts"),
            approvals: root.section("approvals").map(|section| RawApprovals::read(section, report)),
            admin: root.section("admin").map(|section| RawAdmin::read(section, report)),
            state: root.text("state"),
            records: root.section("records").map(|section| RawRecords::read(section, report)),
            behaviour: root.section("behaviour").map(RawBehaviour::read),
            telemetry: root.section("telemetry").map(|section| RawTelemetry::read(section, report)),
        };
        raw.default_unclear = root.has("default") && raw.default.is_none();
        let empty = root.named("servers").is_some_and(<[_]>::is_empty);
        if !root.has("servers") || (empty && report.is_clean()) {
            let hint = "write `servers:` and under it a name with `command` or `url`";
            report.error(root.place(), "no server is configured", hint);
        }
        root.close();
        Some(raw)
    }
}

impl RawBehaviour {
    fn read(section: Section<'_>) -> Self {
        let raw = Self {
            enabled: section.switch("enabled"),
            warm_up: section.measure(&bounds::WARM_UP),
            half_life: section.measure(&bounds::RISK_HALF_LIFE),
            calls: section.measure(&bounds::MOST_CALLS),
            refusals: section.measure(&bounds::MOST_REFUSALS),
            targets: section.measure(&bounds::MOST_TARGETS),
            repeats: section.measure(&bounds::MOST_REPEATS),
            sent: section.measure(&bounds::MOST_SENT),
            read: section.measure(&bounds::MOST_READ),
        };
        section.close();
        raw
    }
}

impl RawLoops {
    fn read(section: Section<'_>) -> Self {
        let raw = Self {
            at_most: section.measure(&bounds::AT_MOST),
            longest: section.measure(&bounds::LONGEST),
            pause: section.measure(&bounds::PAUSE),
        };
        section.close();
        raw
    }
}

impl RawFlowSession {
    pub(super) fn read(section: Section<'_>) -> Self {
        let raw = Self { ttl: section.measure(&bounds::LABEL_TTL) };
        section.close();
        raw
    }
}

impl RawHook {
    pub(super) fn read(section: Section<'_>, report: &Report) -> Self {
        if !section.has("key") {
            let hint = "write `key: ${NAME}`, with 32 random characters in that environment variable";
            report.error(section.place(), "`flow.hook` has no `key`", hint);
        }
        let key = section.take("key").and_then(|node| secret(&section.name("key"), node, report));
        section.close();
        Self { key }
    }
}

impl RawCredentials {
    pub(super) fn read(section: Section<'_>) -> Self {
        let raw = Self { action: section.word("action", SECRETS), expand_for: section.texts("expand_for") };
        section.close();
        raw
    }
}

impl RawServer {
    fn read(name: &At<String>, node: &Node, people: &People, report: &Report) -> Option<Self> {
        let section = Section::open(&format!("servers.{}", name.value), node, report)?;
        let mut raw = Self {
            name: name.clone(),
            command: command(&section, report),
            env: secrets(&section, "env", report),
            cwd: section.text("cwd"),
            url: section.text("url"),
            transport: section.word("transport", TRANSPORTS),
            headers: secrets(&section, "headers", report),
            allow_insecure_http: section.switch("allow_insecure_http"),
            tier: section.word("tier", &tiers()),
            pins: RawPinning::read(section.section_or_empty("pins"), report),
            confidentiality: section.word("confidentiality", &words::levels()),
            compartments: section.texts("compartments"),
            clearance: RawClearance::read(&section, report),
            accept_meta_ifc: section.word("accept_meta_ifc", META_LABELS),
            default: default(&section, report),
            default_unclear: false,
            tools: rules(&section, "tools", people, Subject::Tool, report),
            resources: rules(&section, "resources", people, Subject::Resource, report),
            prompts: rules(&section, "prompts", people, Subject::Prompt, report),
            effects: words(&section, "effects", &effects(), report),
            arguments: meaning::read(&section, report),
            intercept: section.text("intercept"),
            signature: section.section("signature").map(|section| RawSignature::read(section, report)),
            undeclared_arguments: section.word("undeclared_arguments", UNDECLARED),
            classes: words(&section, "classes", &words::classes(), report),
            speaks: section.word("speaks", SPEAKS),
            owner: section.section("owner").map(RawOwner::read),
            attestation: section.section("attestation").map(|section| {
                let place = section.place();
                (RawAttestation::read(section), place)
            }),
            require: section.section("require").map(|section| RawRequire::read(section, report)),
            detect: RawServerDetect::read(section.section_or_empty("detect"), report),
            tls_key: section.text("tls_key"),
            may_ask: section.texts("may_ask").map(|asks| {
                let word = |text| At::map(text, |text| section::word("`may_ask`", text, ASKS, report));
                asks.value.iter().filter_map(word).collect()
            }),
            timeout: section.measure(&bounds::TIMEOUT),
            deadline: section.measure(&bounds::DEADLINE),
        };
        raw.default_unclear = section.has("default") && raw.default.is_none();
        reach(&section, name, report);
        section.close();
        Some(raw)
    }
}

impl RawPrincipal {
    fn read(name: &At<String>, node: &Node, report: &Report) -> Option<Self> {
        let section = Section::open(&format!("principals.{}", name.value), node, report)?;
        let token = section.take("token");
        if !section.has("token") {
            let message = format!("{} has no token", quoted(&format!("principals.{}", name.value)));
            report.error(
                name.place,
                message,
                "write `token: ${NAME}`, with the token in that environment variable",
            );
        }
        let raw = Self {
            name: name.clone(),
            token: token.and_then(|node| secret(&section.name("token"), node, report)),
            tenant: section.text("tenant"),
        };
        section.close();
        Some(raw)
    }
}

impl RawHttp {
    fn read(section: Section<'_>) -> Self {
        let raw = Self {
            allowed_hosts: section.texts("allowed_hosts"),
            allowed_origins: section.texts("allowed_origins"),
            threads: section.measure(&bounds::THREADS),
            body_timeout: section.measure(&bounds::BODY_TIMEOUT),
            connections: section.measure(&bounds::CONNECTIONS),
            poll_after: section.measure(&bounds::POLL_AFTER),
        };
        section.close();
        raw
    }
}

impl RawLimits {
    fn read(section: Section<'_>) -> Self {
        let raw = Self {
            request_bytes: section.measure(&bounds::REQUEST_BYTES),
            result_bytes: section.measure(&bounds::RESULT_BYTES),
            argument_depth: section.measure(&bounds::ARGUMENT_DEPTH),
            message_depth: section.measure(&bounds::MESSAGE_DEPTH),
            parameters: section.measure(&bounds::PARAMETERS),
            open_requests: section.measure(&bounds::OPEN_REQUESTS),
            list_entries: section.measure(&bounds::LIST_ENTRIES),
            sessions: section.measure(&bounds::SESSIONS),
            session_idle: section.measure(&bounds::SESSION_IDLE),
            children: section.measure(&bounds::CHILDREN),
        };
        section.close();
        raw
    }
}

impl RawApprovals {
    fn read(section: Section<'_>, report: &Report) -> Self {
        let raw = Self {
            wait: section.switch("wait"),
            valid: section.measure(&bounds::VALID),
            webhook: section.section("webhook").map(|section| RawWebhook::read(section, report)),
        };
        section.close();
        raw
    }
}

impl RawWebhook {
    pub(super) fn read(section: Section<'_>, report: &Report) -> Self {
        for (key, hint) in [
            ("url", "write `url: https://…`, the address that events are sent to"),
            ("secret", "write `secret: ${NAME}`, with 32 random characters in that environment variable"),
        ] {
            if !section.has(key) {
                let message = format!("{} has no `{key}`", quoted(section.path()));
                report.error(section.place(), message, hint);
            }
        }
        let secret = section.take("secret").and_then(|node| secret(&section.name("secret"), node, report));
        let raw = Self { url: section.text("url"), secret };
        section.close();
        raw
    }
}

impl RawAdmin {
    fn read(section: Section<'_>, report: &Report) -> Self {
        let raw = Self {
            socket: section.text("socket"),
            listen: section.text("listen"),
            tokens: secrets(&section, "tokens", report),
        };
        section.close();
        raw
    }
}

fn roles(root: &Section<'_>, report: &Report) -> RawRoles {
    let Some(section) = root.section("roles") else { return Vec::new() };
    let names = root.named("roles").unwrap_or_default().iter();
    let roles = names.map(|(name, node)| {
        let path = section.name(&name.value);
        let what = match &node.value {
            Kind::List(items) if items.is_empty() => "has nobody".to_owned(),
            Kind::List(items) => {
                let members = items.iter().filter_map(|item| section::text(&path, item, report));
                return (name.clone(), members.collect());
            }
            Kind::Broken | Kind::Nothing | Kind::Null | Kind::Text(..) | Kind::Map(_) => {
                format!("must be a list, not {}", node.value.word())
            }
        };
        let hint = format!("write `{}: [alice]`, with names of `principals`", name.value);
        report.error(node.place, format!("{} {what}", quoted(&path)), hint);
        (name.clone(), Vec::new())
    });
    roles.collect()
}

/// Everybody a rule can name. Whoever needs no token is called `local`.
fn people(root: &Section<'_>, roles: &RawRoles, report: &Report) -> People {
    let named = root.named("principals").unwrap_or_default().iter().map(|(name, _)| name.value.clone());
    let mut people = People { principals: named.collect(), roles: BTreeMap::new() };
    people.principals.insert("local".to_owned());
    for (role, members) in roles {
        for member in members.iter().filter(|member| !people.principals.contains(&member.value)) {
            let message = format!("nobody is called {}", quoted(&member.value));
            let known: Vec<&str> = people.principals.iter().map(String::as_str).collect();
            let hint = format!(
                "{}write a name of `principals`, or `local` for whoever needs no token; roles hold no roles",
                perhaps(&member.value, &known)
            );
            report.error(member.place, message, hint);
        }
        let members = members.iter().map(|member| member.value.clone()).collect();
        people.roles.insert(role.value.clone(), members);
    }
    people
}

fn default(section: &Section<'_>, report: &Report) -> Option<At<Default>> {
    let text = section.text("default")?;
    if text.value == "ask" || text.value == "hide" {
        let message = format!("{} cannot be {}", quoted(&section.name("default")), quoted(&text.value));
        let hint = format!(
            "write `allow`, `deny` or `class` here, and the rule `\"*\": {}` under `tools` of a server",
            text.value
        );
        report.error(text.place, message, hint);
        return None;
    }
    section.word("default", DEFAULTS)
}

/// A server is started or reached, never both.
pub(super) fn reach(section: &Section<'_>, name: &At<String>, report: &Report) {
    let server = quoted(&name.value);
    let (message, hint) = match (section.has("command"), section.has("url")) {
        (true, true) => {
            ("has both `command` and `url`", "keep one: `command` starts a program, `url` reaches a server")
        }
        (false, false) => {
            ("has neither `command` nor `url`", "write `command: [program, argument]` or `url: https://…`")
        }
        (true, false) | (false, true) => return,
    };
    report.error(name.place, format!("the server {server} {message}"), hint);
}

/// A command: a list, or one text for a program without arguments.
pub(super) fn command(section: &Section<'_>, report: &Report) -> Option<At<Vec<At<String>>>> {
    let node = section.take("command")?;
    let Kind::Text(text, _) = &node.value else { return section.texts("command") };
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.len() > 1 {
        let message = format!("{} holds spaces", quoted(&section.name("command")));
        report.error(node.place, message, format!("write a list: `command: [{}]`", words.join(", ")));
        return None;
    }
    Some(At { value: vec![At { value: text.clone(), place: node.place }], place: node.place })
}

/// Names of the operator's own with a secret each.
pub(super) fn secrets(section: &Section<'_>, key: &'static str, report: &Report) -> Option<At<RawSecrets>> {
    let members = section.named(key)?;
    let place = members.first().map_or(section.place(), |(name, _)| name.place);
    let one = |(name, node): &(At<String>, Node)| {
        let path = section.name(&format!("{key}.{}", name.value));
        Some((name.clone(), secret(&path, node, report)?))
    };
    Some(At { value: members.iter().filter_map(one).collect(), place })
}

pub(super) fn secret(path: &str, node: &Node, report: &Report) -> Option<RawSecret> {
    match &node.value {
        Kind::Map(_) => {
            let section = Section::open(path, node, report)?;
            let file = section.text("file");
            if file.is_none() {
                report.error(node.place, format!("{} names no file", quoted(path)), "write `{ file: path }`");
            }
            section.close();
            file.map(RawSecret::File)
        }
        Kind::Broken | Kind::Text(..) | Kind::Nothing | Kind::Null | Kind::List(_) => {
            section::text(path, node, report).map(RawSecret::Text)
        }
    }
}

fn rules(
    section: &Section<'_>,
    key: &'static str,
    people: &People,
    subject: Subject,
    report: &Report,
) -> RawRules {
    let one = |(pattern, node): &(At<String>, Node)| {
        let path = section.name(&format!("{key}.{}", pattern.value));
        (pattern.clone(), rule::rules(&path, node, people, subject, report).unwrap_or_default())
    };
    section.named(key).unwrap_or_default().iter().map(one).collect()
}

fn words<T: Copy>(
    section: &Section<'_>,
    key: &'static str,
    known: &[(&str, T)],
    report: &Report,
) -> Vec<(At<String>, At<T>)> {
    let one = |(pattern, node): &(At<String>, Node)| {
        let what = section.name(&format!("{key}.{}", pattern.value));
        let text = section::text(&what, node, report)?;
        let value = At::map(&text, |text| section::word(&quoted(&what), text, known, report))?;
        Some((pattern.clone(), value))
    };
    section.named(key).unwrap_or_default().iter().filter_map(one).collect()
}
