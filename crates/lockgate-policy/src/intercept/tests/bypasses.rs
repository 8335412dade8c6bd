//! What gets past the original, and not past this. Of the six, the address checks of the HTTP listener are not here.

use lockgate_model::{Json, Limits, Message, Reason, Side};

use super::{decide, file, once, policy, shown};
use crate::intercept::{Decision, MemoryCounters, Policy};

const FILE: &str = "
version: '1'
default: deny
tools:
  safe: { rules: [] }
  danger: { rules: [{ name: no, action: deny }] }
  pay:
    rules:
      - name: budget
        conditions: [{ path: state.pay.sum, op: lte, value: 100 }]
        state: { counter: sum, window: day, increment_from: args.amount }
";

/// A message that is refused before it gets to a policy.
fn refused(bytes: &[u8]) -> Option<Reason> {
    Message::parse(bytes, Side::Agent, &Limits::default()).err()
}

#[test]
fn arguments_that_are_no_object() {
    let policy = file(FILE);
    for arguments in ["[]", r#"["a"]"#, r#""{\"amount\":1}""#] {
        for tool in ["danger", "safe", "pay"] {
            assert!(once(&policy, tool, arguments).starts_with("deny"), "{tool} {arguments}");
        }
        let call = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"danger","arguments":{arguments}}}}}"#
        );
        assert!(refused(call.as_bytes()).is_some(), "{call}");
    }
}

#[test]
fn names_that_differ_in_case_only() {
    for call in [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"danger","Name":"safe"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","Method":"ping","params":{"name":"danger"}}"#,
    ] {
        assert!(refused(call.as_bytes()).is_some(), "{call}");
    }
    assert!(Json::check(br#"{"amount":1,"amount":1000}"#, 8).is_err());
}

#[test]
fn batches_and_other_encodings() {
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"danger"}}"#;
    assert_eq!(refused(call.as_bytes()), None);
    assert!(refused(format!("[{call}]").as_bytes()).is_some());
    assert!(refused(format!("\u{feff}{call}").as_bytes()).is_some());
    for mark in [false, true] {
        let units = || call.encode_utf16();
        let little: Vec<u8> =
            mark.then_some(0xFEFF).into_iter().chain(units()).flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> =
            mark.then_some(0xFEFF).into_iter().chain(units()).flat_map(u16::to_be_bytes).collect();
        assert!(refused(&little).is_some() && refused(&big).is_some());
    }
}

#[test]
fn negative_and_fractional_amounts() {
    let policy = file(FILE);
    let counters = &mut MemoryCounters::default();
    let mut pay =
        |amount: &str| shown(&decide(&policy, "pay", &format!(r#"{{"amount":{amount}}}"#), 0, counters));
    assert_eq!(pay("60"), "allow");
    for amount in ["-1000", "-0.5", "-1e-30", "-1E-300"] {
        assert_eq!(pay(amount), "deny: budget: An amount must not be negative", "{amount}");
    }
    assert_eq!(pay("1e300"), "deny: budget: Internal policy error");
    assert_eq!(pay("-0.0"), "allow");
    for _ in 0..40 {
        assert_eq!(pay("0.99"), "allow");
    }
    assert_eq!(pay("0.99"), "deny: budget: Rate limit exceeded for budget");
    assert_eq!(pay("0.4"), "allow");
    assert_eq!(pay("0.000000000000000000000001"), "deny: budget: Rate limit exceeded for budget");
}

#[test]
fn a_cap_in_another_rule_than_the_counter() {
    let capped = policy(
        "t: { rules: [{ name: counts, conditions: [{ path: args.x, op: exists, value: true }], state: { counter: c, \
         window: day } }, { name: caps, conditions: [{ path: state.t.c, op: lte, value: 2 }] }] }",
    );
    let counters = &mut MemoryCounters::default();
    let calls =
        (0..10).filter(|_| matches!(decide(&capped, "t", r#"{"x":1}"#, 0, counters), Decision::Allow(_)));
    assert_eq!(calls.count(), 2);
}

#[test]
fn what_is_not_a_number_is_no_limit() {
    for op in ["lt", "lte", "gt", "gte"] {
        let text = format!(
            "version: '1'\ntools: {{ t: {{ rules: [{{ name: r, conditions: [{{ path: args.x, op: {op}, value: .nan }}] \
             }}] }} }}\n"
        );
        let errors = Policy::read(&text).unwrap_err();
        assert!(errors.iter().any(|error| error.message.contains("requires a numeric value")));
    }
    assert!(Json::check(br#"{"amount":NaN}"#, 8).is_err());
    assert!(Json::check(br#"{"amount":Infinity}"#, 8).is_err());
}
