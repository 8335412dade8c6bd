//! `alerts`: who is told of what, and what is stopped because of it.

mod raw;
mod told;

use std::collections::BTreeSet;
use std::path::PathBuf;

use lockgate_console::{Mail, Syslog};
use lockgate_model::{Principal, ServerName};
use lockgate_watch::alert::{MOST_RULES, Per, Rule, default_rules, events};
use lockgate_watch::{EventName, EventNames, Severity};

use super::address;
use super::admin::{self, Webhook};
use super::error::{At, perhaps, quoted};
use super::raw::RawConfig;
use super::secret::{Resolver, Secret};
use super::server::secret;

pub(super) use raw::{RawAlertRule, RawAlerts, RawChannel, RawEmail};
pub(super) use told::{json, told};

/// Who is told of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alerts {
    /// Whom to tell, by name.
    pub channels: Vec<Channel>,
    /// What is told; `then` of a rule are places in `channels`.
    pub rules: Vec<Rule>,
    /// Are the rules the operator's own?
    pub own_rules: bool,
}

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its name: 1 to 32 of `a-z`, `0-9` and `-`.
    pub name: String,
    /// How.
    pub way: Way,
    /// Most alerts of one severity in an hour.
    pub at_most: u32,
}

/// How somebody is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// A signed POST.
    Webhook(Webhook),
    /// A chat. The address is a secret.
    Slack(Secret),
    /// A log daemon: its address, and whether alerts may be readable on the way.
    Syslog(String, bool),
    /// Mailboxes.
    Email(Email),
    /// A file.
    File(PathBuf),
}

/// A mail server, and mailboxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// Its address.
    pub server: String,
    /// Who sends.
    pub from: String,
    /// Who receives.
    pub to: Vec<String>,
    /// A user and a password.
    pub login: Option<(String, Secret)>,
}

/// Checks `alerts`.
pub(super) fn check(raw: &RawConfig, resolver: &Resolver<'_>) -> Option<Alerts> {
    let (report, alerts) = (resolver.report, raw.alerts.as_ref()?);
    if alerts.channels.is_empty() && report.is_clean() {
        let place = raw.alerts_place.unwrap_or_default();
        report.error(
            place,
            "`alerts.channels` is empty",
            "write `channels: { local: { file: alerts.jsonl } }`",
        );
    }
    for name in alerts.channels.iter().map(|raw| &raw.name) {
        is_name(name, resolver);
    }
    let channel = |raw: &RawChannel| {
        let at_most = u32::try_from(raw.at_most.value).unwrap_or(u32::MAX);
        Some(Channel { name: raw.name.value.clone(), way: way(raw, resolver)?, at_most })
    };
    let channels: Vec<_> = alerts.channels.iter().filter_map(channel).collect();
    let Some(rules) = &alerts.rules else {
        let rules = default_rules(channels.len());
        return Some(Alerts { channels, rules, own_rules: false });
    };
    let names: Vec<&str> = alerts.channels.iter().map(|raw| raw.name.value.as_str()).collect();
    let rules: Vec<_> = rules.iter().filter_map(|rule| self::rule(rule, &names, raw, resolver)).collect();
    if rules.len() > MOST_RULES {
        let place =
            alerts.rules.iter().flatten().nth(MOST_RULES).map_or_else(Default::default, |raw| raw.name.place);
        report.error(
            place,
            "`alerts.rules` has more than 64 rules",
            "name several events in one rule: `on: [a, b]`",
        );
    }
    let used: BTreeSet<usize> = rules.iter().flat_map(|rule| rule.then.iter().copied()).collect();
    for (_, raw) in
        alerts.channels.iter().enumerate().filter(|(at, _)| report.is_clean() && !used.contains(at))
    {
        let message =
            format!("the channel {} has no effect: no rule tells it anything", quoted(&raw.name.value));
        report.error(raw.name.place, message, "name it in `then` of a rule, or remove it");
    }
    Some(Alerts { channels, rules, own_rules: true })
}

fn is_name(name: &At<String>, resolver: &Resolver<'_>) {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !(1..=32).contains(&name.value.len()) || !name.value.bytes().all(plain) {
        let message = format!("bad name {} in `alerts`", quoted(&name.value));
        resolver.report.error(name.place, message, "write 1 to 32 of `a-z`, `0-9` and `-`");
    }
}

fn way(raw: &RawChannel, resolver: &Resolver<'_>) -> Option<Way> {
    let report = resolver.report;
    if let Some(webhook) = &raw.webhook {
        return admin::webhook(webhook, resolver).map(Way::Webhook);
    }
    if let Some(slack) = &raw.slack {
        let url = secret(slack, resolver)?;
        // It is a secret, so that no message shows it.
        let wrong = match address::Target::parse(url.reveal()) {
            Err((what, hint)) => Some((what, hint)),
            Ok(target) if !target.encrypted && !target.is_this_machine() => {
                Some(("is not encrypted", "write `https://…`; `http` is for this machine alone"))
            }
            Ok(_) => None,
        };
        if let Some((what, hint)) = wrong {
            report.error(slack.place(), format!("the address of the chat {what}"), hint);
        }
        return Some(Way::Slack(url));
    }
    if let Some(syslog) = &raw.syslog {
        let written = syslog.address.as_ref()?;
        let address = resolver.expand(written)?;
        let unencrypted = syslog.send_unencrypted.as_ref().is_some_and(|at| at.value);
        if let Err(error) = Syslog::check(&address, unencrypted) {
            let hint = "write `unix:///dev/log` or `tls://HOST:6514`; `udp://` and `tcp://` are for this machine, or with `send_unencrypted: true`";
            report.error(written.place, format!("the log daemon cannot be used: {error}"), hint);
        }
        return Some(Way::Syslog(address, unencrypted));
    }
    if let Some(email) = &raw.email {
        return email_of(email, resolver).map(Way::Email);
    }
    let file = raw.file.as_ref()?;
    let path = resolver.expand(file)?;
    if path.is_empty() || path.ends_with(['/', '.']) {
        let message = format!("{} is not the name of a file", quoted(&file.value));
        report.error(file.place, message, "write a path such as `alerts.jsonl`");
    }
    Some(Way::File(resolver.base.join(path)))
}

fn email_of(raw: &RawEmail, resolver: &Resolver<'_>) -> Option<Email> {
    let (server, from, to) = (raw.server.as_ref()?, raw.from.as_ref()?, raw.to.as_ref()?);
    let login = match (&raw.user, &raw.password) {
        (Some(user), Some(password)) => Some((resolver.expand(user)?, secret(password, resolver)?)),
        _ => None,
    };
    let texts = |all: &[At<String>]| all.iter().map(|text| resolver.expand(text)).collect::<Option<Vec<_>>>();
    let email = Email {
        server: resolver.expand(server)?,
        from: resolver.expand(from)?,
        to: texts(&to.value)?,
        login,
    };
    let login = email.login.as_ref().map(|(user, password)| (user.as_str(), password.reveal()));
    if let Err(error) = Mail::check(&email.server, &email.from, &email.to, login) {
        let hint = "write `server: smtps://HOST`, and mailboxes such as `ops@example.com`";
        resolver.report.error(server.place, format!("no mail can be sent: {error}"), hint);
    }
    Some(email)
}

fn rule(raw: &RawAlertRule, channels: &[&str], config: &RawConfig, resolver: &Resolver<'_>) -> Option<Rule> {
    let report = resolver.report;
    is_name(&raw.name, resolver);
    let name = &raw.name.value;
    let on = on(raw, resolver);
    let says_nothing = raw.on.as_ref().is_some_and(|on| on.value.is_empty());
    if on.is_some_and(EventNames::is_empty) && !says_nothing {
        let message = format!("the rule {} never tells anything: no event is all that it says", quoted(name));
        report.error(raw.name.place, message, "remove `severity` or `class`, or name other events");
    }
    let all = || (0..channels.len()).collect();
    let then = raw.then.as_ref().map_or_else(all, |then| {
        then.value.iter().filter_map(|text| one_of(text, "channel", channels, resolver)).collect()
    });
    let servers: Vec<&str> = config.servers.iter().map(|raw| raw.name.value.as_str()).collect();
    let principals: Vec<&str> = match config.principals.as_slice() {
        [] => vec!["local"],
        principals => principals.iter().map(|raw| raw.name.value.as_str()).collect(),
    };
    let known = |texts: &Option<At<Vec<At<String>>>>, what, known: &[&str]| -> Vec<String> {
        let texts = texts.iter().flat_map(|texts| &texts.value);
        texts
            .filter(|text| one_of(text, what, known, resolver).is_some())
            .map(|text| text.value.clone())
            .collect()
    };
    for (key, list) in
        [("on", &raw.on), ("then", &raw.then), ("servers", &raw.servers), ("principals", &raw.principals)]
    {
        if let Some(list) = list.as_ref().filter(|list| list.value.is_empty()) {
            let message = format!("{} of the rule {} is empty", quoted(key), quoted(name));
            report.error(list.place, message, "remove it, or write what it is about");
        }
    }
    let contain = raw.contain.as_ref().map(|what| (what.value, raw.r#for.as_ref().map(|lasts| lasts.value)));
    if let (None, Some(lasts)) = (&raw.contain, &raw.r#for) {
        let message = format!("`for` of the rule {} has no effect: nothing is stopped", quoted(name));
        report.error(lasts.place, message, "write `contain: server`, or remove `for`");
    }
    if let (Some((what, _)), Some(per)) =
        (contain, raw.per.as_ref().filter(|per| contain.is_some_and(|(what, _)| what != per.value)))
    {
        let message =
            format!("the rule {} counts per {} and stops a {}", quoted(name), per.value.word(), what.word());
        report.error(per.place, message, format!("write `per: {}`, or remove `per`", what.word()));
    }
    let count = u32::try_from(raw.count.value).unwrap_or(u32::MAX);
    if count == 1 && raw.within.place != super::Place::default() {
        let message = format!("`within` of the rule {} has no effect: one event is enough", quoted(name));
        report.error(raw.within.place, message, "write a `count` above 1, or remove `within`");
    }
    Some(Rule {
        servers: known(&raw.servers, "server", &servers)
            .iter()
            .filter_map(|name| ServerName::parse(name))
            .collect(),
        principals: known(&raw.principals, "principal", &principals)
            .iter()
            .map(|name| Principal::new(name))
            .collect(),
        count,
        within: raw.within.value,
        per: raw.per.as_ref().map_or_else(|| contain.map_or(Per::Session, |(what, _)| what), |per| per.value),
        quiet: raw.quiet.value,
        most: u32::try_from(raw.at_most.value).unwrap_or(u32::MAX),
        contain,
        ..Rule::new(name, on?, then)
    })
}

/// The events that a rule is about.
fn on(raw: &RawAlertRule, resolver: &Resolver<'_>) -> Option<EventNames> {
    let least = raw.severity.as_ref().map_or(Severity::Info, |at| at.value);
    let wanted = events(least, raw.class.as_ref().map(|at| at.value));
    let Some(on) = &raw.on else { return Some(wanted) };
    let words: Vec<&str> = EventName::ALL.iter().map(|name| name.word()).collect();
    let named: Option<Vec<_>> = on.value.iter().map(|text| one_of(text, "event", &words, resolver)).collect();
    let named = named?.into_iter().filter_map(|at| EventName::ALL.get(at).copied());
    Some(named.filter(|name| wanted.has(*name)).collect())
}

/// The place of a word among those that are known.
fn one_of(text: &At<String>, what: &str, known: &[&str], resolver: &Resolver<'_>) -> Option<usize> {
    let place = known.iter().position(|known| *known == text.value);
    if place.is_none() {
        let hint = format!("{}known: {}", perhaps(&text.value, known), known.join(", "));
        resolver.report.error(
            text.place,
            format!("unknown {what} {} in `alerts`", quoted(&text.value)),
            hint,
        );
    }
    place
}
