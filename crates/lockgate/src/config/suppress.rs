//! `detect.suppress`: rules whose findings do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use lockgate_core::{Server, Suppression};
use lockgate_model::{ServerName, UnixMillis};
use schemars::JsonSchema;

use super::error::{At, Report, perhaps, quoted};
use super::rules;
use super::section::{List, Section};
use crate::moment;

/// Most suppressions.
pub(super) const SUPPRESSIONS: usize = 1_000;

const LIST: List = List {
    key: "suppress",
    form: "write `- { rule: NAME, reason: \"why\" }`",
    needs: &[
        ("rule", "write `rule: NAME`, as the records name it"),
        ("reason", "write `reason: \"why its findings are wrong here\"`"),
    ],
    most: SUPPRESSIONS,
    entries: ("rules", "turn the sort off instead: `results: { injection: off }`"),
};

/// A rule whose findings do not count, because they are wrong for you.
#[derive(JsonSchema)]
#[schemars(rename = "Suppression", deny_unknown_fields)]
pub(super) struct RawSuppression {
    /// The rule, as records name it; one that ends in `*` stands for all that begin so.
    #[schemars(with = "String")]
    rule: Option<At<String>>,
    /// The server. Without it, every one.
    #[schemars(with = "Option<String>")]
    server: Option<At<String>>,
    /// The day on which the rule counts again, in UTC, as `2027-01-31`. Without it, never.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    until: Option<At<String>>,
    /// Why, for those who read it later.
    #[schemars(with = "String")]
    reason: Option<At<String>>,
}

/// Reads the list.
pub(super) fn read(detect: &Section<'_>) -> Vec<RawSuppression> {
    detect.entries(&LIST, |entry| RawSuppression {
        rule: entry.text("rule"),
        server: entry.text("server"),
        until: entry.text("until"),
        reason: entry.text("reason"),
    })
}

/// What of it holds now, and where; what does so no more is noted.
pub(super) fn check(
    raw: &[RawSuppression],
    servers: &BTreeMap<ServerName, Server>,
    imported: impl Iterator<Item = &'static str>,
    now: SystemTime,
    (notes, report): (&mut Vec<String>, &Report),
) -> Vec<(Option<ServerName>, Suppression)> {
    let mut all = Vec::new();
    let mut rules = if raw.is_empty() { BTreeSet::new() } else { lockgate_detect::names() };
    rules.extend(imported);
    for one in raw {
        let Some(rule) = &one.rule else { continue };
        let name = rule.value.strip_suffix('*').unwrap_or(&rule.value);
        if rule.value.is_empty() || name.contains('*') || name.contains(char::is_whitespace) {
            let message = format!("{} is not the name of a rule", quoted(&rule.value));
            report.error(rule.place, message, "write a name, or its beginning and `*`");
            continue;
        }
        let begins = |known: &&str| known.starts_with(name);
        let is_rule = if rule.value.ends_with('*') { rules.iter().any(begins) } else { rules.contains(name) };
        if !is_rule {
            let message = format!("{} is no rule", quoted(&rule.value));
            let all: Vec<&str> = rules.iter().copied().collect();
            let hint = format!("{}write the name as the records have it", perhaps(name, &all));
            report.error(rule.place, message, hint);
        }
        if let Some(reason) = one.reason.as_ref().filter(|reason| reason.value.trim().is_empty()) {
            let message = format!("no reason is given for suppressing {}", quoted(&rule.value));
            report.error(reason.place, message, "write why its findings are wrong here");
        }
        let only = match &one.server {
            Some(name) => match rules::server("server", name, servers, report) {
                Some(name) => Some(name),
                None => continue,
            },
            None => None,
        };
        let until = match &one.until {
            Some(text) => {
                let Some(until) = date(&text.value) else {
                    let message = format!("{} is not a date", quoted(&text.value));
                    report.error(text.place, message, "write year, month and day, as `2027-01-31`");
                    continue;
                };
                Some(until)
            }
            None => None,
        };
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        match until.zip(one.until.as_ref()) {
            Some((until, text)) if u128::from(until.0) <= since => notes.push(format!(
                "the rule {} counts again since {}: take it out of `detect.suppress`, or say why it should not",
                quoted(&rule.value),
                text.value
            )),
            _ => all.push((only, Suppression { rule: rule.value.clone(), until })),
        }
    }
    all
}

/// The beginning of a day, in UTC.
fn date(text: &str) -> Option<UnixMillis> {
    moment::parse(&format!("{text}T00:00:00Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (text, days) in [
            ("1970-01-01", Some(0)),
            ("2000-02-29", Some(11_016)),
            ("2026-07-28", Some(20_662)),
            ("2100-03-01", Some(47_541)),
            ("2100-02-29", None),
            ("2026-13-01", None),
            ("2026-04-31", None),
            ("2026-04-00", None),
            ("1969-12-31", None),
            ("2026-4-3", None),
            ("2026-04-03T00:00:00Z", None),
            ("2026-04-03-1", None),
            ("", None),
        ] {
            assert_eq!(date(text), days.map(|days: u64| UnixMillis(days * 86_400_000)), "{text}");
        }
    }
}
