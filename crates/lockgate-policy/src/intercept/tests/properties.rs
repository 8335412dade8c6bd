use proptest::prelude::*;

use super::{decide, file};
use crate::intercept::{Decision, MemoryCounters, Policy, yaml};

fn rule() -> impl Strategy<Value = String> {
    let condition = (
        prop_oneof![Just("args.x"), Just("args.y"), Just("args.x.y")],
        prop_oneof![
            Just(("eq", "1")),
            Just(("neq", "a")),
            Just(("in", "[1, a]")),
            Just(("not_in", "[b]")),
            Just(("lte", "2")),
            Just(("gt", "0")),
            Just(("regex", "^a")),
            Just(("contains", "a")),
            Just(("exists", "true")),
            Just(("exists", "false")),
        ],
    )
        .prop_map(|(path, (op, value))| format!("{{ path: {path}, op: {op}, value: {value} }}"));
    let conditions = prop::collection::vec(condition, 1..3).prop_map(|conditions| conditions.join(", "));
    prop_oneof![
        6 => conditions.clone().prop_map(|conditions| format!("{{ name: r, conditions: [{conditions}] }}")),
        2 => conditions
            .prop_map(|conditions| format!("{{ name: q, action: require_approval, conditions: [{conditions}] }}")),
        1 => Just("{ rate_limit: 2/day }".to_owned()),
    ]
}

fn arguments() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("{}"),
        Just(r#"{"x":1}"#),
        Just(r#"{"x":"a","y":1}"#),
        Just(r#"{"x":null,"y":["a"]}"#),
        Just(r#"{"x":{"y":"ab"},"y":2.5}"#),
        Just("[]"),
    ]
}

/// Allow, ask, deny: the stricter is greater.
fn strictness(decision: &Decision) -> u8 {
    match decision {
        Decision::Allow(_) => 0,
        Decision::Ask { .. } => 1,
        Decision::Deny { .. } => 2,
    }
}

fn written(default: &str, own: &[String], all: &[String]) -> String {
    format!(
        "version: '1'\ndefault: {default}\ntools: {{ t: {{ rules: [{}] }}, '*': {{ rules: [{}] }} }}\n",
        own.join(", "),
        all.join(", ")
    )
}

fn is_yaml(text: &str) -> bool {
    let document = yaml::read(text);
    document.root.is_some() && document.errors.is_empty()
}

/// Two rate limits of one window are an error: the first is kept.
fn one_limit(rules: Vec<String>) -> Vec<String> {
    let mut seen = false;
    rules
        .into_iter()
        .filter(|rule| !rule.contains("rate_limit") || !std::mem::replace(&mut seen, true))
        .collect()
}

proptest! {
    #[test]
    fn a_deny_rule_added_never_allows_more(
        own in prop::collection::vec(rule(), 0..4).prop_map(one_limit),
        all in prop::collection::vec(rule(), 0..3).prop_map(one_limit),
        at in any::<prop::sample::Index>(),
        for_all in any::<bool>(),
        closed in any::<bool>(),
        calls in prop::collection::vec((prop_oneof![Just("t"), Just("u")], arguments()), 1..8),
    ) {
        let default = if closed { "deny" } else { "allow" };
        prop_assert!(is_yaml(&file(&written(default, &own, &all)).to_native("s")));
        let before = file(&written(default, &own, &all));
        let (mut more_own, mut more_all) = (own.clone(), all.clone());
        let list = if for_all { &mut more_all } else { &mut more_own };
        list.insert(at.index(list.len() + 1), "{ name: no, action: deny }".to_owned());
        let after = file(&written(default, &more_own, &more_all));
        // Counters apart: with fewer calls allowed, fewer are counted.
        let mut counters = MemoryCounters::default();
        for (tool, arguments) in calls {
            let with = strictness(&decide(&after, tool, arguments, 0, &mut counters.clone()));
            let without = strictness(&decide(&before, tool, arguments, 0, &mut counters));
            prop_assert!(with >= without, "{tool} {arguments}");
            if for_all || tool == "t" { prop_assert_eq!(with, 2); }
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[a-z0-9:{}\\[\\],'\" \n&*<|>#!~.-]{0,120}") {
        drop(Policy::read(&text));
        drop(Policy::read(&format!("version: '1'\ntools:\n  t:\n    rules:\n      - {text}\n")));
    }

    #[test]
    fn no_pattern_makes_the_translation_panic(pattern in r"[a-c\[\](){}*+?|^$.\\dDwQEpPx:,&~<>=!0-9-]{0,24}") {
        drop(crate::intercept::re2::compile(&pattern));
    }
}
