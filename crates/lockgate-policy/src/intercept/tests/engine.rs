//! What comes of a call: operators, order, hiding, defaults, counters.

use super::{decide, file, json, once, policy, shown};
use crate::intercept::{Amount, Counters, Decision, Key, MemoryCounters, Policy, release};

fn condition(op: &str, value: &str) -> Policy {
    policy(&format!(
        "t: {{ rules: [{{ name: r, conditions: [{{ path: args.a.b, op: {op}, value: {value} }}] }}] }}"
    ))
}

#[test]
fn operators_on_nested_missing_and_other_values() {
    let (present, absent) = (true, false);
    for (op, value, arguments, allowed) in [
        ("eq", "x", r#"{"a":{"b":"x"}}"#, true),
        ("eq", "x", r#"{"a":{"b":"y"}}"#, false),
        ("eq", "x", r#"{"a":"x"}"#, absent),
        ("eq", "x", r#"{"a":[{"b":"x"}]}"#, absent),
        ("eq", "x", r#"{"a.b":"x"}"#, absent),
        ("neq", "x", r#"{"a":{}}"#, absent),
        ("not_in", "[x]", "{}", absent),
        ("neq", "x", r#"{"a":{"b":null}}"#, present),
        ("in", "[1, two]", r#"{"a":{"b":"1"}}"#, true),
        ("in", "[1, two]", r#"{"a":{"b":3}}"#, false),
        ("lt", "5", r#"{"a":{"b":4.99}}"#, true),
        ("lt", "5", r#"{"a":{"b":5}}"#, false),
        ("lte", "5", r#"{"a":{"b":5}}"#, true),
        ("gt", "5", r#"{"a":{"b":5}}"#, false),
        ("gte", "5", r#"{"a":{"b":"5"}}"#, false),
        ("regex", "^f", r#"{"a":{"b":"foo"}}"#, true),
        ("regex", "^f", r#"{"a":{"b":["foo"]}}"#, false),
        ("contains", "oo", r#"{"a":{"b":"foo"}}"#, true),
        ("contains", "1", r#"{"a":{"b":["1"]}}"#, true),
        ("contains", "1", r#"{"a":{"b":"1"}}"#, false),
        ("contains", "x", r#"{"a":{"b":{"x":1}}}"#, false),
        ("exists", "true", r#"{"a":{"b":1}}"#, true),
        ("exists", "true", r#"{"a":{"b":null}}"#, false),
        ("exists", "true", "{}", false),
        ("exists", "false", r#"{"a":{"b":1}}"#, false),
        ("exists", "false", r#"{"a":{"b":null}}"#, true),
        ("exists", "false", "{}", true),
    ] {
        let wanted = if allowed { "allow" } else { "deny: r: Denied by rule \"r\"" };
        assert_eq!(once(&condition(op, value), "t", arguments), wanted, "{op} {value} on {arguments}");
    }
}

#[test]
fn rules_of_the_tool_go_first_then_those_of_all() {
    let only = |name: &str, path: &str| {
        format!(
            "{{ name: {name}, on_deny: {name}!, conditions: [{{ path: args.{path}, op: exists, value: true }}] }}"
        )
    };
    let both = policy(&format!(
        "t: {{ rules: [{}, {}] }}, '*': {{ rules: [{}] }}",
        only("one", "x"),
        only("two", "y"),
        only("all", "z")
    ));
    for (tool, arguments, wanted) in [
        ("t", "{}", "deny: one: one!"),
        ("t", r#"{"x":1}"#, "deny: two: two!"),
        ("t", r#"{"x":1,"y":1}"#, "deny: all: all!"),
        ("t", r#"{"x":1,"y":1,"z":1}"#, "allow"),
        ("u", "{}", "deny: all: all!"),
        ("u", r#"{"z":1}"#, "allow"),
        ("*", "{}", "deny: all: all!"),
    ] {
        assert_eq!(once(&both, tool, arguments), wanted, "{tool} {arguments}");
    }
    let two = policy(
        "t: { rules: [{ name: r, conditions: [{ path: args.x, op: eq, value: 1 }, { path: args.y, op: eq, value: 2 }] }] }",
    );
    for (arguments, allowed) in
        [(r#"{"x":1,"y":2}"#, true), (r#"{"x":0,"y":2}"#, false), (r#"{"x":1,"y":0}"#, false)]
    {
        assert_eq!(once(&two, "t", arguments) == "allow", allowed, "{arguments}");
    }
    let first = policy(
        "t: { rules: [{ name: never, action: deny, on_deny: Not here. }, { name: r, conditions: [{ path: args.x, op: \
         eq, value: 1 }] }] }",
    );
    assert_eq!(once(&first, "t", "{}"), "deny: never: Not here.");
}

#[test]
fn default_deny_and_hide() {
    let closed = file(
        "version: '1'\ndefault: deny\ntools: { listed: { rules: [] }, ruled: { rules: [{ name: r, action: deny }] }, \
         '*': { rules: [{ name: w, conditions: [{ path: args.x, op: exists, value: true }] }] } }\n",
    );
    for (tool, arguments, wanted) in [
        ("listed", r#"{"x":1}"#, "allow"),
        ("listed", "{}", "deny: w: Denied by rule \"w\""),
        ("ruled", r#"{"x":1}"#, "deny: r: Denied by rule \"r\""),
        ("other", r#"{"x":1}"#, "deny: (default deny): Tool \"other\" is not permitted by policy"),
        ("Listed", r#"{"x":1}"#, "deny: (default deny): Tool \"Listed\" is not permitted by policy"),
        ("", "{}", "deny: (default deny): Tool \"\" is not permitted by policy"),
    ] {
        assert_eq!(once(&closed, tool, arguments), wanted, "{tool}");
    }
    for (hide, tool, hidden) in
        [("[a]", "a", true), ("[a]", "b", false), ("['*']", "b", true), ("['a*']", "ab", false)]
    {
        let policy = file(&format!("version: '1'\nhide: {hide}\ntools: {{ a: {{ rules: [] }} }}\n"));
        assert_eq!(policy.hides(tool), hidden);
        let wanted = if hidden {
            format!("deny: (hidden): Tool \"{tool}\" is hidden by policy")
        } else {
            "allow".to_owned()
        };
        assert_eq!(once(&policy, tool, "{}"), wanted);
    }
}

#[test]
fn arguments_may_be_absent_or_null_but_nothing_else() {
    let open = policy("t: { rules: [] }");
    let ruled = condition("exists", "false");
    let counters = &mut MemoryCounters::default();
    for policy in [&open, &ruled] {
        assert_eq!(shown(&policy.decide("t", None, 0, counters)), "allow");
        assert_eq!(shown(&policy.decide("t", Some(json("null")), 0, counters)), "allow");
        for arguments in ["[]", r#""{}""#, "1", "true"] {
            let wanted = "deny: (arguments): Tool arguments must be an object";
            assert_eq!(once(policy, "t", arguments), wanted, "{arguments}");
        }
    }
}

const HOUR: u64 = 3_600_000;

#[test]
fn a_rate_limit_from_end_to_end() {
    let policy = policy("t: { rules: [{ rate_limit: 5/hour }] }");
    let counters = &mut MemoryCounters::default();
    // Half an hour past some full hour.
    let now = 472_222 * HOUR + HOUR / 2;
    let refused = "deny: : Rate limit of 5 per hour reached. Try again later.";
    for i in 0..5 {
        assert_eq!(shown(&decide(&policy, "t", "{}", now + i, counters)), "allow");
    }
    assert_eq!(shown(&decide(&policy, "t", "{}", now + 5, counters)), refused);
    assert_eq!(shown(&decide(&policy, "t", "{}", now + HOUR / 2 - 1, counters)), refused);
    let Decision::Allow(reserved) = decide(&policy, "t", "{}", now + HOUR / 2, counters) else { panic!() };
    // Time that goes back gives no second budget.
    for _ in 0..4 {
        assert_eq!(shown(&decide(&policy, "t", "{}", now, counters)), "allow");
    }
    assert_eq!(shown(&decide(&policy, "t", "{}", now, counters)), refused);
    release(&reserved, counters);
    assert_eq!(shown(&decide(&policy, "t", "{}", now + HOUR / 2, counters)), "allow");
    // A reservation of a window that is over is not taken from the next.
    assert_eq!(shown(&decide(&policy, "t", "{}", now + HOUR * 2, counters)), "allow");
    release(&reserved, counters);
    let key = Key { scope: "t".to_owned(), counter: "_rate_hour".to_owned() };
    let start = now + HOUR * 2 - (now % HOUR);
    assert_eq!(counters.value(&key, start), Some(Amount::whole(1)));
}

#[test]
fn windows_follow_the_calendar() {
    for (window, length) in [("minute", 60_000), ("hour", HOUR), ("day", 24 * HOUR)] {
        let policy = policy(&format!("t: {{ rules: [{{ rate_limit: 1/{window} }}] }}"));
        let counters = &mut MemoryCounters::default();
        let start = 19_000 * 24 * HOUR;
        for (now, allowed) in [
            (start + length - 1, true),
            (start + length - 1, false),
            (start + length, true),
            (start + 2 * length - 1, false),
            (start + 7 * length, true),
        ] {
            let decision = decide(&policy, "t", "{}", now, counters);
            assert_eq!(matches!(decision, Decision::Allow(_)), allowed, "{window} at {now}");
        }
    }
}

#[test]
fn limits_amounts_and_scopes() {
    let capped = |op: &str, limit: &str, more: &str| {
        policy(&format!(
            "t: {{ rules: [{{ name: cap, conditions: [{{ path: state.t.c, op: {op}, value: {limit} }}], state: {{ \
             counter: c, window: day {more} }} }}] }}"
        ))
    };
    for (op, limit, more, arguments, passes) in [
        ("lt", "10", "", "{}", 9),
        ("lte", "10", "", "{}", 10),
        ("lte", "10.9", "", "{}", 10),
        ("lt", "10.9", "", "{}", 9),
        ("lte", "10", ", increment: 0", "{}", 10),
        ("lte", "10", ", increment: 3", "{}", 3),
        ("lte", "1000", ", increment_from: args.cost.eur", r#"{"cost":{"eur":250}}"#, 4),
        ("lt", "1000", ", increment_from: args.cost.eur", r#"{"cost":{"eur":250}}"#, 3),
        ("lte", "0.3", ", increment_from: args.x", r#"{"x":0.1}"#, 3),
        ("lt", "0.3", ", increment_from: args.x", r#"{"x":0.1}"#, 2),
        ("lte", "-1", "", "{}", 0),
        ("lte", ".inf", "", "{}", 0),
        ("lte", "1e30", "", "{}", 0),
    ] {
        let (policy, counters) = (capped(op, limit, more), &mut MemoryCounters::default());
        let allowed = |_: &i32| matches!(decide(&policy, "t", arguments, 0, counters), Decision::Allow(_));
        assert_eq!((0..20).take_while(allowed).count(), passes, "{op} {limit}{more}");
    }
    let sum = capped("lte", "10", ", increment_from: args.x");
    for (arguments, wanted) in [
        ("{}", "deny: cap: Internal policy error"),
        (r#"{"x":"5"}"#, "deny: cap: Internal policy error"),
        (r#"{"x":null}"#, "deny: cap: Internal policy error"),
        (r#"{"x":11}"#, "deny: cap: Rate limit exceeded for cap"),
        (r#"{"x":10}"#, "allow"),
        (r#"{"x":0}"#, "allow"),
    ] {
        assert_eq!(once(&sum, "t", arguments), wanted, "{arguments}");
    }
}

#[test]
fn all_is_reserved_or_nothing() {
    let policy = policy(
        "send_email: { rules: [{ name: own, conditions: [{ path: state.send_email.tool_count, op: lte, value: 5 }], \
         state: { counter: tool_count, window: day } }] }, '*': { rules: [{ rate_limit: 2/day }] }",
    );
    let counters = &mut MemoryCounters::default();
    let own = Key { scope: "send_email".to_owned(), counter: "tool_count".to_owned() };
    let all = Key { scope: "*".to_owned(), counter: "_rate_day".to_owned() };
    assert_eq!(
        (own.to_string(), all.to_string()),
        ("send_email.tool_count".into(), "_global._rate_day".into())
    );
    let Decision::Allow(reserved) = decide(&policy, "send_email", "{}", 0, counters) else { panic!() };
    assert_eq!(
        reserved.iter().map(|r| r.key.to_string()).collect::<Vec<_>>(),
        ["send_email.tool_count", "_global._rate_day"]
    );
    assert_eq!(shown(&decide(&policy, "other", "{}", 0, counters)), "allow");
    let refused = "deny: : Rate limit of 2 per day reached. Try again later.";
    assert_eq!(shown(&decide(&policy, "send_email", "{}", 0, counters)), refused);
    assert_eq!(counters.value(&own, 0), Some(Amount::whole(1)));
    // The call failed: both are taken back, and never below zero.
    release(&reserved, counters);
    release(&reserved, counters);
    assert_eq!(counters.value(&own, 0), Some(Amount::ZERO));
    assert_eq!(shown(&decide(&policy, "send_email", "{}", 0, counters)), "allow");
}

#[test]
fn conditions_on_counters() {
    let warm = policy(
        "a: { rules: [{ rate_limit: 100/day }] }, b: { rules: [{ name: after a, conditions: [{ path: \
         state.a._rate_day, op: gte, value: 2 }, { path: args.x, op: eq, value: 1 }] }] }",
    );
    let counters = &mut MemoryCounters::default();
    for allowed in [false, false, true] {
        let decision = decide(&warm, "b", r#"{"x":1}"#, 0, counters);
        assert_eq!(matches!(decision, Decision::Allow(_)), allowed);
        assert_eq!(shown(&decide(&warm, "a", "{}", 0, counters)), "allow");
    }
    assert_eq!(
        shown(&decide(&warm, "b", r#"{"x":2}"#, 0, counters)),
        "deny: after a: Denied by rule \"after a\""
    );
    // The next day nothing is counted yet: 0, which exists.
    assert!(matches!(decide(&warm, "b", r#"{"x":1}"#, 24 * HOUR, counters), Decision::Deny { .. }));
}

/// A store that has failed.
struct Broken;

impl Counters for Broken {
    fn value(&self, _: &Key, _: u64) -> Option<Amount> {
        None
    }

    fn reserve(&mut self, _: &Key, _: Amount, _: Amount, _: u64) -> bool {
        false
    }

    fn release(&mut self, _: &Key, _: Amount, _: u64) {}
}

#[test]
fn a_store_that_fails_denies() {
    for op in ["lte", "exists"] {
        let value = if op == "lte" { "5" } else { "true" };
        let policy = policy(&format!(
            "t: {{ rules: [{{ name: r, conditions: [{{ path: state.t.c, op: {op}, value: {value} }}], state: {{ counter: \
             c, window: day }} }}] }}"
        ));
        assert!(matches!(decide(&policy, "t", "{}", 0, &mut Broken), Decision::Deny { .. }));
    }
}

#[test]
fn a_refusal_goes_before_a_question_and_an_answer_passes_no_other_rule() {
    let policy = policy(
        "t: { rules: [{ name: ask, action: require_approval, on_deny: Ask Ann. }, { name: no, conditions: [{ path: \
         args.x, op: eq, value: 1 }] }, { rate_limit: 1/day }] }",
    );
    let counters = &mut MemoryCounters::default();
    assert_eq!(shown(&decide(&policy, "t", r#"{"x":2}"#, 0, counters)), "deny: no: Denied by rule \"no\"");
    for _ in 0..3 {
        assert_eq!(shown(&decide(&policy, "t", r#"{"x":1}"#, 0, counters)), "ask: ask: Ask Ann.");
    }
    let mut approved = |x: &str| shown(&policy.decide_approved("t", Some(json(x)), 0, counters));
    assert_eq!(approved(r#"{"x":2}"#), "deny: no: Denied by rule \"no\"");
    assert_eq!(approved(r#"{"x":1}"#), "allow");
    assert_eq!(approved(r#"{"x":1}"#), "deny: : Rate limit of 1 per day reached. Try again later.");
}

#[test]
fn prices() {
    let policy = policy("t: { rules: [{ name: paid, spend: { per_call: 0.50, daily: 1 } }] }");
    assert_eq!(once(&policy, "t", "{}"), "allow");
    let counters = &mut MemoryCounters::default();
    let refused = "deny: paid: Spend limit exceeded for paid";
    for (price, wanted) in [
        (Some("0.51"), refused),
        (Some("0.5"), "allow"),
        (Some("0.5"), "allow"),
        (Some("0.01"), refused),
        (Some("-1"), refused),
        (None, refused),
    ] {
        let price = price.and_then(Amount::parse);
        assert_eq!(shown(&policy.decide_price("t", price, 0, counters)), wanted);
    }
    assert_eq!(shown(&policy.decide_price("u", None, 0, counters)), "allow");
}
