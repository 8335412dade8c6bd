//! The rules that hold where the operator says nothing.

use std::collections::BTreeSet;

use lockgate_model::{Confidentiality, Effect, Integrity, Tier};

use super::{Bound, Condition, Rule, Said, Sources, Test, Then};
use crate::judge::Mode;
use crate::role::Role;

/// The built-in rules of a mode, `trifecta` and `cross-server`. Each has a name that the operator can use to replace it or
/// to turn it off. In `balanced` they say of what [`judge`](crate::judge) asks about anyway why it matters, and are there
/// to be made stricter; in `strict` the first asks for more.
pub fn presets(mode: Mode) -> Vec<Rule> {
    match mode {
        Mode::Off | Mode::Open => Vec::new(),
        Mode::Balanced => vec![trifecta(false), cross_server()],
        Mode::Strict => vec![trifecta(true), cross_server()],
    }
}

/// When a built-in rule matches, in words; none where the tests of this rule are the operator's.
pub fn meaning(rule: &Rule, mode: Mode) -> Option<&'static str> {
    let built_in = presets(mode).into_iter().find(|built_in| built_in.name == rule.name)?;
    if (&built_in.when, &built_in.unless) != (&rule.when, &rule.unless) {
        return None;
    }
    match rule.name.as_str() {
        "trifecta" => Some(
            "a session that has read private data, and text that may hold orders, sends or pays to a place that neither the user nor the server has named",
        ),
        "cross-server" => {
            Some("what one server said decides to whom another one sends, pays or gives rights")
        }
        _ => None,
    }
}

/// Private data, text that may hold orders, and a way out. What leaves then goes only to whom the server or the user has
/// named. Where nobody hears the user, an unknown place may be theirs: only `strict` holds that against a call.
fn trifecta(strict: bool) -> Rule {
    let mut when = vec![
        outward(&[Effect::Egress, Effect::Commit]),
        Test::Integrity(Bound::AtMost(Integrity::FreeText)),
        Test::Confidentiality(Bound::AtLeast(Confidentiality::Private)),
        outside(),
    ];
    if !strict {
        when.push(Test::HearsUser(true));
        when.push(destination(Bound::AtMost(Integrity::ForeignRecord)));
    }
    rule("trifecta", when, Some(destination(Bound::AtLeast(Integrity::OwnRecord))))
}

/// What one server said decides whom another one sends to, pays or lets in.
fn cross_server() -> Rule {
    let when = vec![
        outward(&[Effect::Egress, Effect::Commit, Effect::Grant]),
        Test::Integrity(Bound::AtMost(Integrity::FreeText)),
        outside(),
        Test::Arguments(Some(Role::Destination), Said::Origins(Sources::Others)),
    ];
    rule("cross-server", when, Some(destination(Bound::AtLeast(Integrity::OwnRecord))))
}

fn rule(name: &str, when: Vec<Test>, unless: Option<Test>) -> Rule {
    let unless = unless.map(|test| Condition(vec![test]));
    Rule { name: name.to_owned(), when: Condition(when), unless, then: Then::Ask, approvers: 1 }
}

fn outward(effects: &[Effect]) -> Test {
    Test::Effect(effects.iter().copied().collect())
}

/// What the operator runs for the operator's own data is no way out.
fn outside() -> Test {
    Test::Tier(BTreeSet::from([Tier::Quarantined, Tier::Open, Tier::Mixed]))
}

fn destination(bound: Bound<Integrity>) -> Test {
    Test::Arguments(Some(Role::Destination), Said::Integrity(bound))
}
