//! What may cross between servers and what is held back, in plain words and for machines.

use lockgate_core::{Boundary, Flow, Server, Violation};
use lockgate_flow::{Mode, Trust};
use lockgate_model::{Secrecy, ServerName, Tier};
use serde_json::{Value, json};

use super::bounds::{self, Bounds};
use super::describe::and;
use super::words;

/// A line, and rows below it.
pub(super) type Told = (String, Vec<(String, String)>);

/// What is held back between all servers, for people.
pub(super) fn told(boundary: &Boundary) -> Told {
    let flow = &boundary.flow;
    let outside = of(boundary, |server| server.trust.tier <= Tier::Mixed);
    let inside = of(boundary, |server| server.trust.tier == Tier::Internal);
    if flow.mode == Mode::Off {
        return ("Nothing is held back for what was read: `flow.mode` is `off`.".to_owned(), Vec::new());
    }
    if outside.is_empty() && inside.is_empty() {
        let what = "Nothing is held back for what was read: every server is as good as your word.";
        return (what.to_owned(), Vec::new());
    }
    let what = match flow.violation {
        Violation::Ask => "a person is asked before text that others can write",
        Violation::Deny => "never does text that others can write",
        Violation::Log => "it is recorded where text that others can write",
    };
    let decides = if flow.violation == Violation::Deny { "decide" } else { "decides" };
    let head =
        format!("Flow ({}): {what} {decides} who gets something or what is changed.", flow.mode.word());
    let mut rows = Vec::new();
    let mut row = |title: &str, parts: &[(&[&str], &str, &str)]| {
        let parts: Vec<String> = parts
            .iter()
            .filter(|(names, _, _)| !names.is_empty())
            .map(|(names, before, after)| format!("{before}{}{after}", and(names)))
            .collect();
        if !parts.is_empty() {
            rows.push((title.to_owned(), parts.join("; ")));
        }
    };
    row("such text", &[(&outside, "all from ", ""), (&inside, "prose from ", "")]);
    row(
        "held back",
        &[(&outside, "what changes something on ", ""), (&inside, "what spends, grants or deletes on ", "")],
    );
    let core = of(boundary, |server| server.trust.tier == Tier::Core);
    row("not looked at", &[(&core, "what goes to ", "")]);
    for (count, (source, targets)) in confidential(boundary).filter(|_| flow.mode > Mode::Open).enumerate() {
        let targets: Vec<String> = targets
            .iter()
            .map(|(name, server)| format!("{name} ({})", secrecy(&server.trust.clearance)))
            .collect();
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        let (name, server) = source;
        rows.push((
            if count == 0 { "confidential" } else { "" }.to_owned(),
            format!("text of {name} ({}) does not go to {}", secrecy(&server.trust.secrecy), and(&targets)),
        ));
    }
    rows.extend(changed(flow));
    (head, rows)
}

/// What is not the default.
fn changed(flow: &Flow) -> Vec<(String, String)> {
    let usual = Flow::default();
    let mut rows = Vec::new();
    let time = |bounds: Bounds, value| bounds.measure.show(value);
    if channels(flow) != channels(&usual) {
        let heard = channels(flow);
        let heard =
            if heard.is_empty() { "from nowhere".to_owned() } else { format!("from {}", and(&heard)) };
        rows.push(("user's words".to_owned(), heard));
    }
    if !flow.known.is_empty() {
        let count = flow.known.len();
        let what = if count == 1 { "1 value counts" } else { &format!("{count} values count") };
        rows.push(("known".to_owned(), format!("{what} as said by the user in every session")));
    }
    if flow.approvals && flow.approved_for != usual.approved_for {
        let time = time(bounds::APPROVED_FOR, flow.approved_for);
        rows.push((
            "approved".to_owned(),
            format!("what a person approved counts as said by the user for {time}"),
        ));
    }
    if flow.learns {
        let time = time(bounds::LEARNED_FOR, flow.learned_for);
        rows.push((
            "learned".to_owned(),
            format!("what a person approved for good counts in later sessions for {time}"),
        ));
    }
    if (flow.freeze_after, flow.frozen_for) != (usual.freeze_after, usual.frozen_for) {
        let time = time(bounds::FROZEN_FOR, flow.frozen_for);
        rows.push((
            "frozen".to_owned(),
            format!("a tool after {} refused values, for {time}", flow.freeze_after),
        ));
    }
    rows
}

/// The same for machines.
pub(super) fn json(boundary: &Boundary) -> Value {
    let flow = &boundary.flow;
    let confidential: Vec<Value> = confidential(boundary)
        .map(|((source, _), targets)| {
            let targets: Vec<&str> = targets.iter().map(|(name, _)| name.as_str()).collect();
            json!({ "text_of": source.as_str(), "may_not_go_to": targets })
        })
        .collect();
    let violation = words::VIOLATIONS.iter().find(|(_, violation)| *violation == flow.violation);
    json!({
        "mode": flow.mode.word(),
        "on_violation": violation.map(|(word, _)| word),
        "approved_for_ms": flow.approved_for,
        "learn": { "from_approvals": flow.learns, "for_ms": flow.learned_for },
        "freeze": { "after": flow.freeze_after, "for_ms": flow.frozen_for },
        "user_turns": channels(flow),
        "known": flow.known,
        "confidential": confidential,
    })
}

/// How one server is trusted, where its tier does not say it.
pub(super) fn trust_rows(trust: &Trust) -> Vec<(String, String)> {
    let usual = Trust::of(trust.tier);
    let mut rows = Vec::new();
    if trust.secrecy != usual.secrecy {
        rows.push(("returns".to_owned(), format!("what is {}", secrecy(&trust.secrecy))));
    }
    if trust.clearance != usual.clearance {
        rows.push(("may be sent".to_owned(), format!("what is {}", secrecy(&trust.clearance))));
    }
    rows
}

/// How one server is trusted, for machines.
pub(super) fn secrecy_json(secrecy: &Secrecy) -> Value {
    json!({ "level": secrecy.level.word(), "compartments": secrecy.compartments })
}

/// By which ways words of the user come.
fn channels(flow: &Flow) -> Vec<&'static str> {
    let heard = [flow.hook, flow.prompts_endorse, flow.answers_endorse, flow.approvals];
    words::CHANNELS.iter().zip(heard).filter_map(|((word, _), heard)| heard.then_some(*word)).collect()
}

fn of(boundary: &Boundary, which: impl Fn(&Server) -> bool) -> Vec<&str> {
    boundary.servers.iter().filter(|(_, server)| which(server)).map(|(name, _)| name.as_str()).collect()
}

type Named<'b> = (&'b ServerName, &'b Server);

/// Each server with those that its text may not go to.
fn confidential(boundary: &Boundary) -> impl Iterator<Item = (Named<'_>, Vec<Named<'_>>)> {
    boundary.servers.iter().filter_map(|source| {
        let fits = |(_, target): &Named<'_>| source.1.trust.secrecy.fits(&target.trust.clearance);
        let targets: Vec<Named<'_>> = boundary.servers.iter().filter(|target| !fits(target)).collect();
        (!targets.is_empty()).then_some((source, targets))
    })
}

/// `private of customer and eu`
fn secrecy(secrecy: &Secrecy) -> String {
    let compartments: Vec<&str> = secrecy.compartments.iter().map(String::as_str).collect();
    let level = secrecy.level.word();
    if compartments.is_empty() { level.to_owned() } else { format!("{level} of {}", and(&compartments)) }
}
