use schemars::JsonSchema;

use crate::config::bounds;
use crate::config::error::{At, Report, quoted};
use crate::config::raw::{RawSecret, RawWebhook};
use crate::config::read::secret;
use crate::config::schema;
use crate::config::section::Section;
use crate::config::yaml::Node;

/// Who is told of what is worth telling, and what is stopped because of it. `docs/alerts.md` has every event and the
/// default rules.
#[derive(JsonSchema)]
#[schemars(rename = "Alerts", deny_unknown_fields)]
pub(in crate::config) struct RawAlerts {
    /// Whom to tell, each under a name of your own: 1 to 32 of `a-z`, `0-9` and `-`. At least one.
    #[schemars(with = "std::collections::BTreeMap<String, RawChannel>")]
    pub(super) channels: Vec<RawChannel>,
    /// What is told, each rule under a name of your own: 1 to 32 of `a-z`, `0-9` and `-`. At most 64. Without this section
    /// the default rules hold: what is bad is told at once, what is usual when there is much of it, and nothing is stopped.
    #[schemars(with = "Option<std::collections::BTreeMap<String, RawAlertRule>>")]
    pub(super) rules: Option<Vec<RawAlertRule>>,
}

/// Somebody who is told. Exactly one of `webhook`, `slack`, `syslog`, `email` and `file`. What it does not take is kept in
/// the state folder and sent again, for up to 7 days and 1,000 alerts.
#[derive(JsonSchema)]
#[schemars(rename = "AlertChannel", deny_unknown_fields)]
pub(in crate::config) struct RawChannel {
    #[schemars(skip)]
    pub(super) name: At<String>,
    /// An address that gets the alert as JSON, signed as events of `approvals.webhook` are.
    #[schemars(with = "Option<RawWebhook>")]
    pub(super) webhook: Option<RawWebhook>,
    /// The address of an incoming webhook of Slack, or of a chat that takes the same (`{"text": …}`).
    #[schemars(with = "Option<schema::Secret>")]
    pub(super) slack: Option<RawSecret>,
    /// A log daemon.
    #[schemars(with = "Option<RawSyslog>")]
    pub(super) syslog: Option<RawSyslog>,
    /// Mailboxes.
    #[schemars(with = "Option<RawEmail>")]
    pub(super) email: Option<RawEmail>,
    /// A file that gets a line of JSON for each alert, relative to the folder of the configuration. At 16 MiB it is put
    /// aside as `FILE.1`.
    #[schemars(with = "Option<String>")]
    pub(super) file: Option<At<String>>,
    /// Most alerts of one severity in an hour. The next one after it says how many were left out.
    #[schemars(with = "Option<schema::Count>")]
    pub(super) at_most: At<u64>,
}

/// A log daemon that takes RFC 5424.
#[derive(JsonSchema)]
#[schemars(rename = "Syslog", deny_unknown_fields)]
pub(in crate::config) struct RawSyslog {
    /// `udp://HOST:514`, `tcp://HOST:601`, `tls://HOST:6514` or `unix:///dev/log`.
    #[schemars(with = "String")]
    pub(super) address: Option<At<String>>,
    /// May alerts be readable on the way to another machine?
    #[schemars(with = "Option<bool>", extend("default" = false))]
    pub(super) send_unencrypted: Option<At<bool>>,
}

/// A mail server, and mailboxes.
#[derive(JsonSchema)]
#[schemars(rename = "Email", deny_unknown_fields)]
pub(in crate::config) struct RawEmail {
    /// `smtps://HOST:465`, or `smtp://HOST:587`, which must offer STARTTLS unless it is this machine.
    #[schemars(with = "String")]
    pub(super) server: Option<At<String>>,
    /// The mailbox that mails come from.
    #[schemars(with = "String")]
    pub(super) from: Option<At<String>>,
    /// The mailboxes they go to: 1 to 32.
    #[schemars(with = "Vec<String>")]
    pub(super) to: Option<At<Vec<At<String>>>>,
    /// The user that the mail server knows (AUTH PLAIN). Only sent encrypted.
    #[schemars(with = "Option<String>")]
    pub(super) user: Option<At<String>>,
    /// The user's password.
    #[schemars(with = "Option<schema::Secret>")]
    pub(super) password: Option<RawSecret>,
}

/// What is told, when, and what is stopped. Needs `on`, `severity` or `class`; what all of them say must hold.
#[derive(JsonSchema)]
#[schemars(rename = "AlertRule", deny_unknown_fields)]
pub(in crate::config) struct RawAlertRule {
    #[schemars(skip)]
    pub(super) name: At<String>,
    /// The events it is about, by name.
    #[schemars(with = "Option<Vec<schema::EventName>>")]
    pub(super) on: Option<At<Vec<At<String>>>>,
    /// Only events of at least this severity.
    #[schemars(with = "Option<schema::Severity>")]
    pub(super) severity: Option<At<lockgate_watch::Severity>>,
    /// Only events of this class.
    #[schemars(with = "Option<schema::EventClass>")]
    pub(super) class: Option<At<lockgate_watch::Class>>,
    /// Only what is about one of these servers.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) servers: Option<At<Vec<At<String>>>>,
    /// Only what one of these principals does. Without `principals` of its own the gateway knows one, `local`.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) principals: Option<At<Vec<At<String>>>>,
    /// How many events it takes. With 1, every event is told by itself; with more, all that it is about are counted
    /// together.
    #[schemars(with = "Option<schema::Count>")]
    pub(super) count: At<u64>,
    /// Within how long, where `count` is above 1.
    #[schemars(with = "Option<schema::Time>")]
    pub(super) within: At<u64>,
    /// What is counted together, and told once. Without it what `contain` says, else `session`.
    #[schemars(with = "Option<schema::Per>")]
    pub(super) per: Option<At<lockgate_watch::alert::Per>>,
    /// How long the same is not told again. It is counted, and the count is told afterwards.
    #[schemars(with = "Option<schema::Time>")]
    pub(super) quiet: At<u64>,
    /// Most alerts of one severity in an hour. The next one after it says how many were left out.
    #[schemars(with = "Option<schema::Count>")]
    pub(super) at_most: At<u64>,
    /// The channels that are told. Without it, all.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) then: Option<At<Vec<At<String>>>>,
    /// What is stopped, as `lockgate stop` does it: nothing lifts it but a person, or `for`.
    #[schemars(with = "Option<schema::Contain>")]
    pub(super) contain: Option<At<lockgate_watch::alert::Per>>,
    /// How long it stays stopped. From `1m` to `168h`.
    #[schemars(with = "Option<schema::Time>")]
    pub(super) r#for: Option<At<u64>>,
}

impl RawAlerts {
    pub(in crate::config) fn read(section: Section<'_>, report: &Report) -> Self {
        let channels = section.named("channels").unwrap_or_default();
        let rules = section.named("rules");
        let raw = Self {
            channels: channels
                .iter()
                .filter_map(|(name, node)| RawChannel::read(name, node, report))
                .collect(),
            rules: rules.map(|rules| {
                rules.iter().filter_map(|(name, node)| RawAlertRule::read(name, node, report)).collect()
            }),
        };
        if !section.has("channels") {
            let hint = "write `channels: { local: { file: alerts.jsonl } }`, or remove `alerts`";
            report.error(section.place(), "`alerts` has no `channels`", hint);
        }
        section.close();
        raw
    }
}

impl RawChannel {
    fn read(name: &At<String>, node: &Node, report: &Report) -> Option<Self> {
        let section = Section::open(&format!("alerts.channels.{}", name.value), node, report)?;
        let slack = section.take("slack").and_then(|node| secret(&section.name("slack"), node, report));
        let raw = Self {
            name: name.clone(),
            webhook: section.section("webhook").map(|section| RawWebhook::read(section, report)),
            slack,
            syslog: section.section("syslog").map(|section| RawSyslog::read(section, report)),
            email: section.section("email").map(|section| RawEmail::read(section, report)),
            file: section.text("file"),
            at_most: section.measure(&bounds::CHANNEL_AT_MOST),
        };
        let ways = ["webhook", "slack", "syslog", "email", "file"];
        let written: Vec<&str> = ways.into_iter().filter(|way| section.has(way)).collect();
        if written.len() != 1 {
            let has = if written.is_empty() { "none".to_owned() } else { written.join(" and ") };
            let message = format!("{} needs exactly one way, and has {has}", quoted(section.path()));
            report.error(section.place(), message, "write one of webhook, slack, syslog, email and file");
        }
        section.close();
        Some(raw)
    }
}

impl RawSyslog {
    fn read(section: Section<'_>, report: &Report) -> Self {
        let raw =
            Self { address: section.text("address"), send_unencrypted: section.switch("send_unencrypted") };
        needs(&section, &[("address", "write `address: unix:///dev/log`, or `tls://HOST`")], report);
        section.close();
        raw
    }
}

impl RawEmail {
    fn read(section: Section<'_>, report: &Report) -> Self {
        let password =
            section.take("password").and_then(|node| secret(&section.name("password"), node, report));
        let raw = Self {
            server: section.text("server"),
            from: section.text("from"),
            to: section.texts("to"),
            user: section.text("user"),
            password,
        };
        let needed = [
            ("server", "write `server: smtps://HOST`, or `smtp://HOST`"),
            ("from", "write `from: lockgate@example.com`"),
            ("to", "write `to: [ops@example.com]`"),
        ];
        needs(&section, &needed, report);
        for (one, other) in [("user", "password"), ("password", "user")] {
            if section.has(one) && !section.has(other) {
                let message =
                    format!("{} has no effect without {}", quoted(&section.name(one)), quoted(other));
                report.error(section.place(), message, "write both, or neither");
            }
        }
        section.close();
        raw
    }
}

impl RawAlertRule {
    fn read(name: &At<String>, node: &Node, report: &Report) -> Option<Self> {
        use lockgate_watch::alert::Per;
        let section = Section::open(&format!("alerts.rules.{}", name.value), node, report)?;
        let severities = lockgate_watch::Severity::ALL.map(|severity| (severity.word(), severity));
        let classes = [lockgate_watch::Class::Immediate, lockgate_watch::Class::Delayed];
        let pers = Per::ALL.map(|per| (per.word(), per));
        let stops = [Per::Server, Per::Session, Per::Principal].map(|per| (per.word(), per));
        let lasts = section.text("for").and_then(|text| match bounds::CONTAINED_FOR.read(&text.value) {
            Ok(value) => Some(At { value, place: text.place }),
            Err((message, hint)) => {
                let hint = hint.replace("; the default is 30m", "; without it, until a person lifts it");
                report.error(text.place, message, hint);
                None
            }
        });
        let raw = Self {
            name: name.clone(),
            on: section.texts("on"),
            severity: section.word("severity", &severities),
            class: section.word("class", &classes.map(|class| (class.word(), class))),
            servers: section.texts("servers"),
            principals: section.texts("principals"),
            count: section.measure(&bounds::ALERT_COUNT),
            within: section.measure(&bounds::ALERT_WITHIN),
            per: section.word("per", &pers),
            quiet: section.measure(&bounds::ALERT_QUIET),
            at_most: section.measure(&bounds::ALERT_AT_MOST),
            then: section.texts("then"),
            contain: section.word("contain", &stops),
            r#for: lasts,
        };
        if !["on", "severity", "class"].iter().any(|key| section.has(key)) {
            let message = format!("{} does not say what it is about", quoted(section.path()));
            report.error(section.place(), message, "write `on: [cross_server_flow]`, or `severity: high`");
        }
        section.close();
        Some(raw)
    }
}

/// Says which keys are missing that must be there.
fn needs(section: &Section<'_>, keys: &[(&str, &str)], report: &Report) {
    for (key, hint) in keys.iter().filter(|(key, _)| !section.has(key)) {
        let message = format!("{} has no {}", quoted(section.path()), quoted(key));
        report.error(section.place(), message, *hint);
    }
}
