mod bypasses;
mod config;
mod engine;
mod native;
mod oracle;
mod properties;

use lockgate_model::Json;

use super::{Counters, Decision, MemoryCounters, Policy};

/// A policy with these tools, as YAML flow: `t: { rules: [...] }`.
fn policy(tools: &str) -> Policy {
    file(&format!("version: \"1\"\ntools: {{ {tools} }}\n"))
}

fn file(text: &str) -> Policy {
    Policy::read(text).unwrap_or_else(|errors| panic!("{errors:?}\n{text}")).0
}

fn json(text: &str) -> Json<'_> {
    Json::check(text.as_bytes(), 32).unwrap()
}

fn decide(policy: &Policy, tool: &str, arguments: &str, now: u64, counters: &mut impl Counters) -> Decision {
    policy.decide(tool, Some(json(arguments)), now, counters)
}

/// One call on fresh counters: `allow`, `deny: rule: message` or `ask: rule: message`.
fn once(policy: &Policy, tool: &str, arguments: &str) -> String {
    shown(&decide(policy, tool, arguments, 0, &mut MemoryCounters::default()))
}

fn shown(decision: &Decision) -> String {
    match decision {
        Decision::Allow(_) => "allow".to_owned(),
        Decision::Deny { rule, message } => format!("deny: {rule}: {message}"),
        Decision::Ask { rule, message, .. } => format!("ask: {rule}: {message}"),
    }
}
