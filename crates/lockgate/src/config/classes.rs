//! What is done with tools by their class: `classes` at the top, for servers whose `default` is `class`.

use lockgate_model::Class;
use lockgate_policy::{Action, ClassTable, Fallback, Treatment};

use super::error::{At, Report, either, perhaps, quoted};
use super::raw::{RawConfig, RawServer, RawTreatments};
use super::section::{self, Section};
use super::words::{self, DEFAULT_ACTIONS, Default};
use super::yaml::{Kind, Node};

/// Reads the section at the top.
pub(super) fn read(root: &Section<'_>, report: &Report) -> RawTreatments {
    let members = root.named("classes").unwrap_or_default().iter();
    members.filter_map(|(name, node)| Some((class(name, report)?, treatment(name, node, report)?))).collect()
}

fn class(name: &At<String>, report: &Report) -> Option<At<Class>> {
    let classes = words::classes();
    let found = classes.iter().find(|(word, _)| *word == name.value).map(|(_, class)| *class);
    if found.is_none() {
        let known = classes.map(|(word, _)| word);
        let hint = format!("{}write {}", perhaps(&name.value, &known), either(&known));
        report.error(name.place, format!("no class is called {}", quoted(&name.value)), hint);
    }
    At::map(name, |_| found)
}

/// One action, or a section with it.
fn treatment(name: &At<String>, node: &Node, report: &Report) -> Option<Treatment> {
    let path = format!("classes.{}", name.value);
    if !matches!(node.value, Kind::Map(_)) {
        let text = section::text(&path, node, report)?;
        return section::word(&quoted(&path), &text, DEFAULT_ACTIONS, report).map(Treatment::from);
    }
    let section = Section::open(&path, node, report)?;
    let action = section.word("action", DEFAULT_ACTIONS);
    if !section.has("action") {
        let hint = format!("write `{}: {{ action: ask, approvers: 2 }}`", name.value);
        report.error(name.place, format!("{} has no `action`", quoted(&path)), hint);
    }
    let asks = action.as_ref().is_none_or(|action| action.value == Action::Ask);
    let approvers = super::rule::approvers(&section, asks, "write `action: ask`", report);
    section.close();
    Some(Treatment { action: action?.value, approvers })
}

/// What holds where no rule of the server matches. `top` is the default at the top; `None` where it could not be read.
pub(super) fn fallback(raw: &RawServer, top: Option<Default>, said: &RawTreatments) -> Option<Fallback> {
    let own = raw.default.as_ref().map(|default| default.value);
    let default = if raw.default_unclear { None } else { own.or(top) };
    default.map(|default| match default {
        Default::Action(action) => Fallback::Action(action),
        Default::Class => Fallback::Class(ClassTable::new(super::server::tier(raw), &plain(said))),
    })
}

/// Says what of the section at the top, and of those of servers, changes nothing. `defaults` are those of all servers.
pub(super) fn idle(raw: &RawConfig, defaults: &[Option<Fallback>], report: &Report) {
    if defaults.contains(&None) {
        return;
    }
    let classed = |default: &Option<Fallback>| matches!(default, Some(Fallback::Class(_)));
    for (server, _) in raw.servers.iter().zip(defaults).filter(|(_, default)| !classed(default)) {
        if let Some((pattern, _)) = server.classes.first() {
            let path = format!("servers.{}.classes", server.name.value);
            let message = format!("{} has no effect without `default: class`", quoted(&path));
            report.error(pattern.place, message, "write `default: class` on the server, or remove it");
        }
    }
    if !defaults.iter().any(classed) {
        if let Some((class, _)) = raw.classes.first() {
            let message = "`classes` has no effect: no server has `default: class`";
            report.error(class.place, message, "write `default: class` at the top or on a server");
        }
        return;
    }
    for (class, _) in &raw.classes {
        let mut others = plain(&raw.classes);
        others.retain(|(other, _)| *other != class.value);
        let changes = |(server, default): (&RawServer, &Option<Fallback>)| {
            let without = ClassTable::new(super::server::tier(server), &others);
            matches!(default, Some(Fallback::Class(table)) if *table != without)
        };
        if !raw.servers.iter().zip(defaults).any(changes) {
            let path = format!("classes.{}", class.value.word());
            let hint = "remove it: every server with `default: class` does that anyway, or is in quarantine, \
                        which no class leaves";
            report.error(class.place, format!("{} has no effect", quoted(&path)), hint);
        }
    }
}

fn plain(said: &RawTreatments) -> Vec<(Class, Treatment)> {
    said.iter().map(|(class, treatment)| (class.value, *treatment)).collect()
}
