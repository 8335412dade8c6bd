//! Random conversations end alike in the product and in the slow decider.

#![allow(clippy::unwrap_used, reason = "a test that fails here has found something")]

use std::collections::BTreeMap;

use lockgate_core::{Boundary, Server as CoreServer, Speaks, Violation, Wire};
use lockgate_model::{Effect, ServerName, Tier};
use lockgate_policy::{Action, Pattern, RuleSet, Rules};
use proptest::prelude::*;
use serde_json::json;
use testkit::reference::{Reference, Server, Wish};
use testkit::stage::{Outcome, Stage};

/// Tools whose names say what they do.
const TOOLS: [(&str, Effect); 6] = [
    ("get_row", Effect::Read),
    ("save_row", Effect::Write),
    ("send_row", Effect::Egress),
    ("pay_row", Effect::Commit),
    ("grant_row", Effect::Grant),
    ("delete_row", Effect::Destructive),
];

fn wish() -> impl Strategy<Value = Wish> {
    prop_oneof![Just(Wish::Allow), Just(Wish::Ask), Just(Wish::Deny), Just(Wish::Hide)]
}

fn action(wish: Wish) -> Action {
    match wish {
        Wish::Allow => Action::Allow,
        Wish::Ask => Action::Ask,
        Wish::Deny => Action::Deny,
        Wish::Hide => Action::Hide,
    }
}

fn servers() -> impl Strategy<Value = Vec<Server>> {
    let pattern = prop_oneof![
        Just("get_row"),
        Just("delete_row"),
        Just("pay_row"),
        Just("*_row"),
        Just("d*"),
        Just("*e*"),
        Just("grant_*"),
        Just("*"),
    ];
    let tier = prop::sample::select(Tier::ALL.to_vec());
    let default = prop_oneof![3 => Just(Wish::Allow), 1 => Just(Wish::Deny)];
    let one = (tier, default, prop::collection::btree_map(pattern, wish(), 0..4));
    prop::collection::vec(one, 2..4).prop_map(|all| {
        all.into_iter()
            .enumerate()
            .map(|(number, (tier, default, rules))| Server {
                name: format!("s{number}"),
                tier,
                default,
                rules: rules.into_iter().map(|(pattern, wish)| (pattern.to_owned(), wish)).collect(),
                tools: TOOLS.iter().map(|(name, effect)| ((*name).to_owned(), *effect)).collect(),
            })
            .collect()
    })
}

fn boundary(servers: &[Server], cross_asks: bool) -> Boundary {
    let servers = servers.iter().map(|server| {
        let rules =
            server.rules.iter().map(|(p, w)| (Pattern::parse(p).unwrap(), vec![action(*w).into()])).collect();
        let rules = Rules {
            default: action(server.default).into(),
            tools: RuleSet::new(rules),
            ..Rules::allow_all()
        };
        let made = CoreServer {
            trust: lockgate_flow::Trust::of(server.tier),
            rules,
            speaks: Some(Speaks::Both),
            ..CoreServer::new(Wire::Lines)
        };
        (ServerName::parse(&server.name).unwrap(), made)
    });
    // The slow decider knows no pins, and does not freeze who tries one value after the other.
    let mut boundary = Boundary { pins: false, ..Boundary::new(servers.collect()) };
    boundary.flow.freeze_after = u32::MAX;
    boundary.flow.violation = if cross_asks { Violation::Ask } else { Violation::Deny };
    boundary
}

#[derive(Clone, Debug)]
enum Act {
    Call(usize, usize),
    Approve,
    Decline,
    Ignore,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => (0..4_usize, 0..7_usize).prop_map(|(server, tool)| Act::Call(server, tool)),
        2 => Just(Act::Approve),
        1 => Just(Act::Decline),
        1 => Just(Act::Ignore),
    ];
    prop::collection::vec(act, 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_product_and_the_slow_decider_agree(
        servers in servers(), acts in acts(), cross_asks: bool, can_ask: bool, list_first: bool,
    ) {
        let mut stage = Stage::open(boundary(&servers, cross_asks), can_ask);
        let mut reference = Reference::new(servers.clone(), cross_asks, can_ask);
        let names = TOOLS.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        let tools: BTreeMap<_, _> =
            servers.iter().map(|server| (ServerName::parse(&server.name).unwrap(), names.clone())).collect();
        if list_first {
            stage.list(&tools);
            reference.list();
        }
        let mut held: Option<String> = None;
        for act in acts {
            match act {
                Act::Call(server, tool) => {
                    if held.is_some() {
                        continue;
                    }
                    let server = format!("s{server}");
                    let tool = TOOLS.get(tool).map_or("no_row", |(name, _)| name);
                    let expected = reference.call(&server, tool);
                    if !list_first {
                        // Only what was listed can be compared; a call before it leads to the list.
                        stage.list(&tools);
                        reference.list();
                    }
                    let expected = if list_first { expected } else { reference.call(&server, tool) };
                    let outcome = stage.call(&format!("{server}__{tool}"), &json!({ "a": 1 }));
                    prop_assert_eq!(&outcome, &expected, "{} {}", server, tool);
                    match outcome {
                        Outcome::Forward => {
                            stage.return_text("text");
                            reference.reads(&server);
                        }
                        Outcome::Hold => held = Some(server),
                        Outcome::Deny(_) | Outcome::Nothing => {}
                    }
                }
                Act::Approve => {
                    let expected = if held.is_some() { Outcome::Forward } else { Outcome::Nothing };
                    prop_assert_eq!(stage.decide(true), expected);
                    if let Some(server) = held.take() {
                        stage.return_text("text");
                        reference.reads(&server);
                    }
                }
                Act::Decline => {
                    let declined = Outcome::Deny("approval_declined".to_owned());
                    let expected = if held.take().is_some() { declined } else { Outcome::Nothing };
                    prop_assert_eq!(stage.decide(false), expected);
                }
                Act::Ignore => {
                    let late = Outcome::Deny("approval_timed_out".to_owned());
                    let expected = if held.take().is_some() { late } else { Outcome::Nothing };
                    prop_assert_eq!(stage.ignore(120_000), expected);
                }
            }
            let origins: Vec<_> = stage.label().origins().map(ToString::to_string).collect();
            prop_assert_eq!(origins, reference.origins());
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// More read never turns a refusal into a pass.
    #[test]
    fn more_taint_never_allows_more(servers in servers(), more in 0..3_usize, cross_asks: bool, can_ask: bool) {
        let names = TOOLS.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        let tools: BTreeMap<_, _> =
            servers.iter().map(|server| (ServerName::parse(&server.name).unwrap(), names.clone())).collect();
        for server in &servers {
            for (tool, _) in TOOLS {
                let name = format!("{}__{tool}", server.name);
                let mut before = Stage::open(boundary(&servers, cross_asks), can_ask);
                before.list(&tools);
                let mut after = Stage::open(boundary(&servers, cross_asks), can_ask);
                after.list(&tools);
                if after.call(&format!("s{more}__get_row"), &json!({})) == Outcome::Forward {
                    after.return_text("text");
                } else {
                    after.decide(false);
                }
                let strict = |outcome: Outcome| match outcome {
                    Outcome::Forward => 0,
                    Outcome::Hold => 1,
                    Outcome::Deny(_) | Outcome::Nothing => 2,
                };
                let (before, after) = (before.call(&name, &json!({})), after.call(&name, &json!({})));
                prop_assert!(strict(before.clone()) <= strict(after.clone()), "{name}: {before:?}, then {after:?}");
            }
        }
    }
}
