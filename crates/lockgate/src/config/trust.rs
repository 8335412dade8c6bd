//! How far a server is trusted: how confidential what it returns is, and what may be sent to it.

use std::collections::BTreeSet;

use lockgate_detect::class::DataClass;
use lockgate_flow::Trust;
use lockgate_model::Confidentiality;

use super::error::{At, Place, Report, perhaps, quoted};
use super::raw::{RawConfig, RawServer};
use super::section::{self, Section};
use super::words::levels;
use super::yaml::Kind;

/// Most compartments in one list.
const COMPARTMENTS: usize = 32;
/// Longest name of a compartment, in characters.
const NAME: usize = 64;

/// What may be sent to a server.
pub(super) struct RawClearance {
    level: Option<At<Confidentiality>>,
    compartments: Option<At<Vec<At<String>>>>,
}

impl RawClearance {
    /// Reads a level, or a section with one.
    pub(super) fn read(server: &Section<'_>, report: &Report) -> Option<Self> {
        let node = server.take("clearance")?;
        let path = server.name("clearance");
        if !matches!(node.value, Kind::Map(_)) {
            let text = section::text(&path, node, report)?;
            let level = At::map(&text, |text| section::word(&quoted(&path), text, &levels(), report));
            return Some(Self { level, compartments: None });
        }
        let section = Section::open(&path, node, report)?;
        if section.is_empty() {
            let hint = "write `clearance: internal`, or `{ level: internal, compartments: [customer] }`";
            report.error(node.place, format!("{} says nothing", quoted(&path)), hint);
        }
        let raw =
            Self { level: section.word("level", &levels()), compartments: section.texts("compartments") };
        section.close();
        Some(raw)
    }
}

/// What is meant. Where nothing is written, what the tier says.
pub(super) fn check(raw: &RawServer, report: &Report) -> Trust {
    let mut trust = Trust::of(super::server::tier(raw));
    let path = |key: &str| format!("servers.{}.{key}", raw.name.value);
    if let Some(level) = &raw.confidentiality {
        trust.secrecy.level = level.value;
    }
    trust.secrecy.compartments = names(&path("compartments"), raw.compartments.as_ref(), report);
    // What came from a server may go back to it.
    trust.clearance.compartments.clone_from(&trust.secrecy.compartments);
    if let Some(clearance) = &raw.clearance {
        if let Some(level) = &clearance.level {
            trust.clearance.level = level.value;
        }
        let others = names(&path("clearance.compartments"), clearance.compartments.as_ref(), report);
        trust.clearance.compartments.extend(others);
    }
    trust
}

fn names(path: &str, list: Option<&At<Vec<At<String>>>>, report: &Report) -> BTreeSet<String> {
    let Some(list) = list else { return BTreeSet::new() };
    if list.value.is_empty() || list.value.len() > COMPARTMENTS {
        let message = format!("{} holds {} names", quoted(path), list.value.len());
        report.error(list.place, message, format!("write 1 to {COMPARTMENTS}, or remove the key"));
    }
    let mut found = BTreeSet::new();
    for name in &list.value {
        let letter = |b: u8| b.is_ascii_alphanumeric() || b"._@-".contains(&b);
        if !(1..=NAME).contains(&name.value.len()) || !name.value.bytes().all(letter) {
            let message = format!("{} is not the name of a compartment", quoted(&name.value));
            let hint = format!("write 1 to {NAME} of `A-Z`, `a-z`, `0-9`, `.`, `_`, `@` and `-`");
            report.error(name.place, message, hint);
        } else if !found.insert(name.value.clone()) {
            report.error(
                name.place,
                format!("{} stands twice in the list", quoted(&name.value)),
                "remove one",
            );
        }
    }
    found
}

/// Says which compartments of clearances change nothing. Those of classes of data come with the data.
pub(super) fn idle(raw: &RawConfig, report: &Report) {
    let list = |list: &Option<At<Vec<At<String>>>>| -> Vec<(Place, String)> {
        let all = list.iter().flat_map(|list| &list.value);
        all.map(|name| (name.place, name.value.clone())).collect()
    };
    let all: BTreeSet<String> =
        raw.servers.iter().flat_map(|server| list(&server.compartments)).map(|(_, name)| name).collect();
    let known: Vec<&str> = all.iter().map(String::as_str).collect();
    for server in &raw.servers {
        let own = list(&server.compartments);
        let Some(clearance) = &server.clearance else { continue };
        for (place, name) in list(&clearance.compartments) {
            if own.iter().any(|(_, own)| *own == name) {
                let message = format!("{} has no effect: the server has it among its own", quoted(&name));
                report.error(place, message, "remove it: what came from a server may go back to it");
            } else if !all.contains(&name) && DataClass::named(&name).is_none() {
                let message = format!("{} has no effect: no server has this compartment", quoted(&name));
                let hint = format!(
                    "{}write it under `compartments` of a server, or remove it",
                    perhaps(&name, &known)
                );
                report.error(place, message, hint);
            }
        }
    }
}
