//! What a file may say, and what is said about it.

use super::{decide, file, once, policy, shown};
use crate::intercept::read::rate_limit;
use crate::intercept::{MemoryCounters, Policy, Window};

fn errors(text: &str) -> Vec<String> {
    Policy::read(text).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

fn lints(text: &str) -> Vec<String> {
    Policy::read(text).unwrap().1.iter().map(ToString::to_string).collect()
}

#[test]
fn all_that_is_wrong_is_said_at_once_and_where() {
    let text = r#"version: "2"
default: maybe
hide: [a, "", a]
tools:
  zebra:
    rules:
      - conditions:
          - { path: args.x, op: eq, value: 1 }
      - { name: d, action: deny, conditions: [{ path: args.x, op: eq, value: 1 }] }
      - { name: e }
      - { name: a, action: require }
  ant:
    rules:
      - name: c
        conditions:
          - { path: arg.x, op: eq, value: 1 }
          - { path: args.x, op: bogus, value: 1 }
          - { path: args.x, op: in, value: 1 }
          - { path: args.x, op: lt, value: many }
          - { path: args.x, op: exists, value: 1 }
          - { path: args.x, op: regex, value: 1 }
          - { path: args.x, op: regex, value: "[bad(" }
          - { path: state.ant.gone, op: lt, value: 1 }
        state: { counter: "", window: week, increment_from: x, increment: -5 }
      - rate_limit: 5/hour
      - rate_limit: 6/hour
      - rate_limit: five/hour
      - { rate_limit: 5/hours, action: deny, conditions: [{ path: args.x, op: eq, value: 1 }] }
      - { rate_limit: "5" }
"#;
    assert_eq!(
        errors(text),
        [
            r#"1:10: version must be "1", got "2""#,
            r#"2:10: default must be "allow" or "deny", got "maybe""#,
            "3:11: hide[1]: entry must not be empty",
            r#"3:15: hide: duplicate entry "a""#,
            r#"26:9: tools.ant.rules[2]: duplicate state counter "_rate_hour" (also used by rules[1])"#,
            r#"16:21: tools.ant.rules[0].conditions[0]: path must start with "args." or "state.", got "arg.x""#,
            r#"17:33: tools.ant.rules[0].conditions[1]: unknown operator "bogus""#,
            r#"18:44: tools.ant.rules[0].conditions[2]: operator "in" requires a list value"#,
            r#"19:44: tools.ant.rules[0].conditions[3]: operator "lt" requires a numeric value"#,
            r#"20:48: tools.ant.rules[0].conditions[4]: operator "exists" requires a boolean value"#,
            "21:47: tools.ant.rules[0].conditions[5]: regex value must be a string",
            "22:47: tools.ant.rules[0].conditions[6]: invalid regex \"[bad(\": error parsing regexp: missing closing ]: `[bad(`",
            "23:21: tools.ant.rules[0]: condition references state.ant.gone but no matching state block found",
            "24:27: tools.ant.rules[0].state: counter must not be empty",
            r#"24:39: tools.ant.rules[0].state: window must be "minute", "hour", or "day", got "week""#,
            r#"24:75: tools.ant.rules[0].state: increment must be a positive integer, got "-5""#,
            r#"24:61: tools.ant.rules[0].state: increment_from must start with "args.", got "x""#,
            r#"27:21: tools.ant.rules[3]: rate_limit count must be a positive integer, got "five""#,
            r#"28:23: tools.ant.rules[4]: rate_limit window must be "minute", "hour", or "day", got "hours""#,
            "28:23: tools.ant.rules[4]: rate_limit cannot be combined with conditions or state; use separate rules or the full syntax instead",
            r#"28:23: tools.ant.rules[4]: rate_limit cannot be used with action "deny""#,
            r#"29:23: tools.ant.rules[5]: rate_limit must be in the format "N/window" (e.g. "5/hour"), got "5""#,
            "7:9: tools.zebra.rules[0]: rule must have a name",
            "9:9: tools.zebra.rules[1]: deny rules must not have conditions",
            "10:9: tools.zebra.rules[2]: evaluate rules must have at least one condition",
            r#"11:28: tools.zebra.rules[3]: action must be "evaluate" or "deny", got "require""#,
        ]
    );
}

#[test]
fn what_the_original_ignores_is_named() {
    let text = r#"version: 1
owner: me
tools:
  t:
    note: x
    rules:
      - { name: no, action: deny, ratelimit: 5/hour, state: { counter: a, window: day } }
      - name: uncounted
        conditions: [{ path: args.x, op: exists, value: true, because: y }]
        state: { counter: b, window: day, step: 2 }
approvals:
  notify: { webhook: { url: "https://example.com" } }
---
version: "1"
"#;
    assert_eq!(
        lints(text),
        [
            "13:1: a second document is ignored",
            "2:1: unknown key `owner` is ignored",
            "12:11: `approvals.notify` has no effect: approvals are asked for as configured",
            "5:5: unknown key `tools.t.note` is ignored",
            "7:35: unknown key `tools.t.rules[0].ratelimit` is ignored",
            "7:61: `state` has no effect on a rule that always denies",
            "9:63: unknown key `tools.t.rules[1].conditions[0].because` is ignored",
            "10:43: unknown key `tools.t.rules[1].state.step` is ignored",
            "10:16: this rule has no `lt` or `lte` on its own counter: Intercept never counts here; Lockgate counts, \
             up to the limit that another rule of the tool sets",
        ]
    );
}

#[test]
fn broken_yaml_is_one_error_with_its_place() {
    for (text, wanted) in [
        ("version: \"1\"\nversion: \"1\"\n", "2:1: mapping key \"version\" already defined at line 1"),
        (
            "version: \"1\"\ntools: {a: {rules: []}, a: {rules: []}}\n",
            "2:25: mapping key \"a\" already defined",
        ),
        ("version: \"1\"\ntools: *gone\n", "2:8: this alias names nothing"),
        ("version: \"1\"\ntools: [", "not valid YAML"),
        ("version: \"1\"\ntools: [a]\n", "2:8: tools must be a map, not a list"),
        ("version: !!int \"1\"\n", "1:16: tags other than `!!str`"),
        ("version: \"1\"\n? [a]\n: b\n", "a key must be a text"),
        ("", "1:1: version must be \"1\", got \"\""),
        ("- a\n", "1:1: the file must be a map, not a list"),
    ] {
        let errors = errors(text);
        assert!(errors.iter().any(|error| error.contains(wanted)), "{errors:?} without {wanted}");
    }
    let bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n\
                c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n\
                e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\nf: [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]\n";
    assert!(errors(bomb).iter().any(|error| error.contains("more than 200000 values")), "{:?}", errors(bomb));
}

#[test]
fn rate_limits() {
    for (text, wanted) in [
        ("5/hour", Some((5, Window::Hour))),
        ("10/day", Some((10, Window::Day))),
        ("100/minute", Some((100, Window::Minute))),
        ("1/hour", Some((1, Window::Hour))),
        ("five/hour", None),
        ("0/hour", None),
        ("-1/hour", None),
        ("5/week", None),
        ("5", None),
        ("", None),
        ("5/", None),
    ] {
        assert_eq!(rate_limit(text).ok(), wanted, "{text}");
    }
}

#[test]
fn defaults_aliases_and_merge_keys() {
    let policy = file(
        "version: 1\ndescription: ~\ntools:\n  a: &a\n    rules: &r\n      - &rule { name: n, action: deny }\n  \
         b: { <<: *a }\n  c: { rules: *r }\n  d: { rules: [{ <<: *rule, on_deny: no }] }\n  e:\n",
    );
    for (tool, wanted) in [
        ("a", "deny: n: Denied by rule \"n\""),
        ("b", "deny: n: Denied by rule \"n\""),
        ("c", "deny: n: Denied by rule \"n\""),
        ("d", "deny: n: no"),
        ("e", "allow"),
        ("f", "allow"),
    ] {
        assert_eq!(once(&policy, tool, "{}"), wanted, "{tool}");
    }
    assert_eq!(policy.tools().into_iter().collect::<Vec<_>>(), ["a", "b", "c", "d", "e"]);
}

#[test]
fn approvals() {
    let text = r#"
version: "1"
approvals: { default_timeout: 1h30m, dedupe_window: 10m }
tools:
  pay:
    rules:
      - name: large
        action: require_approval
        approval_timeout: "30m"
        conditions: [{ path: args.amount, op: gt, value: 50000 }]
      - name: always
        action: require_approval
        conditions: [{ path: args.to, op: eq, value: abroad }]
"#;
    let policy = file(text);
    assert_eq!(policy.approvals().timeout, Some(5_400_000));
    assert_eq!(policy.approvals().dedupe_window, Some(600_000));
    for (arguments, wanted) in [
        (r#"{"amount":50000,"to":"x"}"#, "allow"),
        (r#"{"amount":50001,"to":"x"}"#, "ask: large: Approval required by rule \"large\""),
        (r#"{"amount":1,"to":"abroad"}"#, "ask: always: Approval required by rule \"always\""),
        // What the condition cannot look at is asked about.
        (r#"{"to":"x"}"#, "ask: large: Approval required by rule \"large\""),
        (r#"{"amount":"99999","to":"x"}"#, "ask: large: Approval required by rule \"large\""),
    ] {
        assert_eq!(once(&policy, "pay", arguments), wanted, "{arguments}");
    }
    for (duration, good) in [
        ("30m", true),
        ("1h30m", true),
        ("500ms", true),
        ("0s", false),
        ("30", false),
        ("m", false),
        ("-5m", false),
        ("99999999999h", false),
    ] {
        let text = text.replace("30m\"", &format!("{duration}\""));
        assert_eq!(Policy::read(&text).is_ok(), good, "{duration}");
    }
}

#[test]
fn the_hosted_form() {
    let text = "{\"version\":\"1\",\"default\":\"deny\",\"hide\":[\"h\"],\"all_tools\":{\"limits\":[]},\n\t\"tools\":{\"T\":\
         {\"require\":[{\"path\":\"args.x\",\"op\":\"gt\",\"value\":1}],\"deny_if\":[{\"path\":\"args.mode\",\"op\":\
         \"eq\",\"value\":\"raw\"}],\"limits\":[{\"counter\":\"c\",\"window\":\"day\",\"max\":0,\"scope\":\"grant\"}]},\
         \"U\":{}}}";
    let policy = file(text);
    for (tool, arguments, wanted) in [
        ("U", "{}", "allow"),
        ("h", "{}", "deny: (hidden): Tool \"h\" is hidden by policy"),
        ("V", "{}", "deny: (default deny): Tool \"V\" is not permitted by policy"),
        ("T", r#"{"x":1,"mode":"a"}"#, "deny: require[0]: Denied by rule \"require[0]\""),
        ("T", r#"{"x":2,"mode":"raw"}"#, "deny: deny_if[0]: Denied by rule \"deny_if[0]\""),
        ("T", r#"{"x":2}"#, "deny: deny_if[0]: Denied by rule \"deny_if[0]\""),
        ("T", r#"{"x":2,"mode":"a"}"#, "deny: limits[0]: Rate limit exceeded for limits[0]"),
    ] {
        assert_eq!(once(&policy, tool, arguments), wanted, "{tool} {arguments}");
    }
    for (from, to, wanted) in [
        ("\"gt\"", "\"greater\"", "unknown operator \"greater\""),
        ("{\"path\":\"args.x\"", "{\"matches\":1,\"path\":\"args.x\"", "unknown operator \"matches\""),
        ("\"grant\"", "\"org\"", "scope must be \"grant\", got \"org\""),
        ("\"max\":0", "\"max\":1.5", "max must be an integer that is not negative"),
    ] {
        let errors = errors(&text.replace(from, to));
        assert!(errors.iter().any(|error| error.contains(wanted)), "{errors:?} without {wanted}");
    }
}

#[test]
fn what_lockgate_reads_differently() {
    let dotted = policy("'a.b': { rules: [{ rate_limit: 1/day, on_deny: no }] }");
    let counters = &mut MemoryCounters::default();
    for wanted in ["allow", "deny: : no"] {
        assert_eq!(shown(&decide(&dotted, "a.b", "{}", 0, counters)), wanted);
    }
    for (rule, wanted) in [
        ("{ rate_limit: 1/day, action: block }", "action must be \"evaluate\" or \"deny\", got \"block\""),
        (
            "{ rate_limit: 1/day, action: require_approval }",
            "rate_limit cannot be used with action \"require_approval\"",
        ),
        ("{ rate_limit: 1/day, spend: { daily: 1 } }", "spend cannot be combined with rate_limit"),
        ("{ name: r, conditions: [{ path: state.x, op: lt, value: 1 }] }", "no matching state block found"),
        ("{ name: r, spend: { daily: -1 } }", "daily must be a number that is not negative"),
        ("{ name: r, spend: {} }", "needs `per_call` or `daily`"),
    ] {
        let errors = errors(&format!("version: '1'\ntools: {{ t: {{ rules: [{rule}] }} }}\n"));
        assert!(errors.iter().any(|error| error.contains(wanted)), "{errors:?} without {wanted}");
    }
}

#[test]
fn two_counters_of_one_name_are_an_error() {
    let state = |path: &str, counter: &str| {
        format!(
            "{{ rules: [{{ name: r, conditions: [{{ path: {path}, op: lt, value: 1 }}], state: {{ counter: {counter}, window: \
             day }} }}] }}"
        )
    };
    let text = format!(
        "version: '1'\ntools: {{ a: {}, a.b: {} }}\n",
        state("state.a.b.c", "b.c"),
        state("state.a.b.c", "c")
    );
    assert_eq!(errors(&text).len(), 1, "{:?}", errors(&text));
    assert!(errors(&text)[0].ends_with("tools.a.b: another tool has a counter named state.a.b.c"));
}

#[test]
fn an_empty_rule_list_checks_nothing() {
    assert_eq!(once(&policy("t: { rules: [] }"), "t", "{}"), "allow");
}
