use std::time::Duration;

use lockgate_watch::EventName;
use lockgate_watch::alert::Rule;
use serde_json::{Value, json};

use super::{Alerts, Channel, Way};

/// Names, each with what there is to say of it.
type Rows = Vec<(String, String)>;

/// Who is told of what: the channels, and the rules.
pub(in crate::config) fn told(alerts: &Alerts) -> (Rows, Rows) {
    let channel = |channel: &Channel| {
        let how = format!("{}, at most {} of a severity in an hour", how(&channel.way), channel.at_most);
        (channel.name.clone(), how)
    };
    let rule = |rule: &Rule| (rule.name.clone(), line(rule, alerts));
    (alerts.channels.iter().map(channel).collect(), alerts.rules.iter().map(rule).collect())
}

/// The same for machines.
pub(in crate::config) fn json(alerts: &Alerts) -> Value {
    let channel = |channel: &Channel| json!({ "name": channel.name, "kind": kind(&channel.way), "at_most_per_hour": channel.at_most });
    let rule = |rule: &Rule| {
        json!({
            "name": rule.name,
            "on": words(rule),
            "servers": rule.servers.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "principals": rule.principals.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "count": rule.count,
            "within_ms": rule.within,
            "per": rule.per.word(),
            "quiet_ms": rule.quiet,
            "at_most_per_hour": rule.most,
            "then": channels(rule, alerts),
            "contain": rule.contain.map(|(what, _)| what.word()),
            "contain_for_ms": rule.contain.and_then(|(_, lasts)| lasts),
        })
    };
    json!({
        "channels": alerts.channels.iter().map(channel).collect::<Vec<_>>(),
        "rules": alerts.rules.iter().map(rule).collect::<Vec<_>>(),
        "own_rules": alerts.own_rules,
    })
}

fn kind(way: &Way) -> &'static str {
    match way {
        Way::Webhook(_) => "webhook",
        Way::Slack(_) => "slack",
        Way::Syslog(..) => "syslog",
        Way::Email(_) => "email",
        Way::File(_) => "file",
    }
}

/// How somebody is told. Addresses of webhooks and chats may be secret.
fn how(way: &Way) -> String {
    match way {
        Way::Webhook(_) => "a webhook".to_owned(),
        Way::Slack(_) => "a chat".to_owned(),
        Way::Syslog(address, _) => format!("the log daemon at {address}"),
        Way::Email(email) => format!("mail to {}", email.to.join(", ")),
        Way::File(path) => format!("the file {}", path.display()),
    }
}

fn line(rule: &Rule, alerts: &Alerts) -> String {
    let per = rule.per.word();
    let mut parts = vec![words(rule).join(", ")];
    if !rule.servers.is_empty() {
        let servers: Vec<_> = rule.servers.iter().map(ToString::to_string).collect();
        parts.push(format!("about {}", servers.join(", ")));
    }
    if !rule.principals.is_empty() {
        let principals: Vec<_> = rule.principals.iter().map(ToString::to_string).collect();
        parts.push(format!("of {}", principals.join(", ")));
    }
    parts.push(match rule.count {
        1 => format!("each, once in {} per {per}", time(rule.quiet)),
        count => format!("{count} within {} per {per}, once in {}", time(rule.within), time(rule.quiet)),
    });
    parts.push(format!("at most {} in an hour", rule.most));
    parts.push(format!("to {}", channels(rule, alerts).join(", ")));
    if let Some((what, lasts)) = rule.contain {
        let lasts = lasts
            .map_or_else(|| "until a person lifts it".to_owned(), |lasts| format!("for {}", time(lasts)));
        parts.push(format!("stops the {}, {lasts}", what.word()));
    }
    parts.join("; ")
}

fn words(rule: &Rule) -> Vec<&'static str> {
    EventName::ALL.iter().filter(|name| rule.on.has(**name)).map(|name| name.word()).collect()
}

fn channels<'a>(rule: &Rule, alerts: &'a Alerts) -> Vec<&'a str> {
    rule.then.iter().filter_map(|at| alerts.channels.get(*at)).map(|channel| channel.name.as_str()).collect()
}

fn time(millis: u64) -> String {
    let seconds = Duration::from_millis(millis).as_secs();
    match seconds {
        seconds if seconds >= 3_600 && seconds.is_multiple_of(3_600) => format!("{}h", seconds / 3_600),
        seconds if seconds >= 60 && seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}
