//! `arguments`: what the arguments of tools mean.

use std::collections::BTreeMap;

use lockgate_flow::Role;
use lockgate_policy::Pattern;

use super::error::{At, Report, quoted};
use super::raw::RawMeanings;
use super::rules;
use super::section::{self, Section};
use super::words::roles;
use super::yaml::Kind;

/// Reads the section of a server.
pub(super) fn read(server: &Section<'_>, report: &Report) -> RawMeanings {
    let mut all = RawMeanings::new();
    for (pattern, node) in server.named("arguments").unwrap_or_default() {
        let path = server.name(&format!("arguments.{}", pattern.value));
        if !matches!(&node.value, Kind::Map(members) if !members.is_empty()) {
            if !matches!(node.value, Kind::Broken) {
                let message = format!("{} names no argument", quoted(&path));
                report.error(
                    node.place,
                    message,
                    "write `{ to: destination }`, with the argument's own name",
                );
            }
            continue;
        }
        let Some(section) = Section::open(&path, node, report) else { continue };
        let members = section.members().iter().filter_map(|(argument, node)| {
            let what = section.name(&argument.value);
            let text = section::text(&what, node, report)?;
            if argument.value.starts_with('/') {
                let message = format!("{} is no argument at the top", quoted(&argument.value));
                let hint =
                    "write the name of the argument it stands in; what is inside means at least as much";
                report.error(argument.place, message, hint);
            }
            let role = At::map(&text, |text| section::word(&quoted(&what), text, &roles(), report))?;
            Some((argument.clone(), role))
        });
        all.push((pattern.clone(), members.collect()));
    }
    all
}

/// What is meant: the first pattern that matches and has the argument counts.
pub(super) fn check(path: &str, raw: &RawMeanings, report: &Report) -> Vec<(Pattern, String, Role)> {
    let mut found = Vec::new();
    let mut said: BTreeMap<&str, Vec<At<Pattern>>> = BTreeMap::new();
    for (pattern, arguments) in raw {
        let Some(pattern) = rules::pattern(pattern, report) else { continue };
        for (argument, role) in arguments {
            let place = At { value: pattern.value.clone(), place: argument.place };
            said.entry(&argument.value).or_default().push(place);
            found.push((pattern.value.clone(), argument.value.clone(), role.value));
        }
    }
    for (argument, patterns) in said {
        let whole = |pattern: &Pattern| format!("{path}.{pattern}.{argument}");
        rules::covered(&patterns, whole, report);
    }
    found
}
