use crate::intercept::{Policy, yaml};

const FILE: &str = r#"
version: "1"
hide: [secret]
tools:
  send_email:
    rules:
      - name: company only
        conditions:
          - { path: args.to, op: regex, value: "@example\\.com$" }
          - { path: args.kind, op: eq, value: 5 }
          - { path: args.options.mode, op: neq, value: raw }
          - { path: args.options.mode, op: neq, value: bulk }
        on_deny: Only to the company.
      - rate_limit: 5/hour
      - name: spend
        conditions:
          - { path: state.send_email.sum, op: lt, value: 500 }
        state: { counter: sum, window: day, increment_from: args.cost }
      - name: ask
        action: require_approval
        conditions:
          - { path: args.to, op: exists, value: true }
      - name: odd
        conditions:
          - { path: state.send_email.sum, op: gte, value: 1 }
  danger:
    rules:
      - { name: no, action: deny }
  "*":
    rules:
      - rate_limit: 100/minute
"#;

#[test]
fn says_the_same_or_less_and_where() {
    let (policy, lints) = Policy::read(FILE).unwrap();
    assert_eq!(lints, []);
    let native = policy.to_native("mail");
    assert_eq!(native, include_str!("native.yaml"));
}

#[test]
fn what_is_not_listed_stays_denied() {
    let file = "version: '1'\ndefault: deny\ntools: { a: { rules: [] }, b: { rules: [{ name: no, action: deny }] }, 'c*[': { \
                rules: [] }, '*': { rules: [{ rate_limit: 2/day }] } }\n";
    let (policy, _) = Policy::read(file).unwrap();
    let limit = "        # Intercept counts all tools together; here each tool is counted alone.\n        - limits: [{ calls: \
                 2, per: calendar_day, by: server }]\n          on_deny: \"Rate limit of 2 per day reached. Try again \
                 later.\"\n";
    let wanted = format!(
        "servers:\n  \"s\":\n    default: deny\n    tools:\n      \"a\":\n{limit}      \"b\":\n        # rule \"no\"\n        \
         - action: deny\n{limit}        # A tool cannot be named \"c*[\" here: what looks like it is denied.\n      \
         \"c*\": deny\n"
    );
    assert_eq!(policy.to_native("s"), wanted);
}

#[test]
fn nothing_in_a_file_escapes_its_line() {
    let file = r#"
version: "1"
hide: ["h\n    x: allow"]
tools:
  "t\n      evil: allow":
    rules:
      - name: "r\n      evil: allow"
        on_deny: "no\n      evil: allow"
        conditions:
          - { path: "args.a\n      evil", op: eq, value: "[v\n      evil: allow]" }
          - { path: "args.a.*.\n      evil", op: regex, value: "\\d\n      evil: allow" }
        state: { counter: "c\n      evil: allow", window: day, increment_from: "args.*.\n      evil: allow" }
"#;
    let (policy, _) = Policy::read(file).unwrap();
    let native = policy.to_native("s\n  evil:");
    assert!(!native.lines().any(|line| line.trim_start().starts_with("evil")), "{native}");
    let document = yaml::read(&native);
    assert!(document.root.is_some() && document.errors.is_empty(), "{native}");
}

/// One rule on one tool, as native rules without the lines around them.
fn native(rule: &str) -> String {
    let file = format!("version: '1'\ntools: {{ t: {{ rules: [{rule}] }} }}\n");
    let native = Policy::read(&file).unwrap().0.to_native("s");
    native.lines().skip(6).map(str::trim).filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join(" ")
}

#[test]
fn operators() {
    let absent = r#"- { "x": { present: false } }"#;
    let null = r#"- { "x": { equals: null } }"#;
    for (op, value, require, ask) in [
        ("eq", "main", r#"{ equals: "main" }"#, r#"{ equals: "main" }"#),
        ("eq", "5", "{ equals: 5 }", "{ equals: 5 }"),
        ("eq", "\"1e+06\"", r#"{ equals: "1e+06" }"#, r#"{ equals: "1e+06" }"#),
        (
            "eq",
            "2024-01-01",
            r#"{ equals: "2024-01-01 00:00:00 +0000 UTC" }"#,
            r#"{ equals: "2024-01-01 00:00:00 +0000 UTC" }"#,
        ),
        (
            "eq",
            "18446744073709551615",
            r#"{ equals: "18446744073709551615" }"#,
            r#"{ equals: "18446744073709551615" }"#,
        ),
        ("neq", "null", "{ not_equals: null }", "{ not_equals: null }"),
        ("eq", "[1]", "{ equals: [1] }", ""),
        ("neq", "[1]", "", "{ not_equals: [1] }"),
        ("in", "[a, null]", r#"{ one_of: ["a", null] }"#, r#"{ one_of: ["a", null] }"#),
        ("in", "[a, true]", "", ""),
        ("in", "[]", "", ""),
        ("not_in", "[]", "{ present: true }", "{ present: true }"),
        ("not_in", "[1, 2.5]", "{ none_of: [1, 2.5] }", "{ none_of: [1, 2.5] }"),
        ("lte", "1e3", "{ at_most: 1000 }", "{ at_most: 1000 }"),
        ("lt", ".inf", "", ""),
        ("regex", "'^\\d+@'", r#"{ contains_match: "^\\d+@" }"#, r#"{ contains_match: "^\\d+@" }"#),
        ("contains", "1", "{ contains: 1 }", "{ contains: 1 }"),
        ("exists", "true", "{ not_equals: null, present: true }", "{ not_equals: null, present: true }"),
        ("exists", "false", "{ present: false }", ""),
    ] {
        let condition = format!("conditions: [{{ path: args.x, op: {op}, value: {value} }}]");
        let required = native(&format!("{{ name: r, {condition} }}"));
        let wanted =
            if require.is_empty() { "- action: deny".into() } else { format!("- require: \"x\": {require}") };
        assert_eq!(required, wanted, "{op} {value}");
        let asked = native(&format!("{{ name: r, action: require_approval, {condition} }}"));
        let unseen = match op {
            "exists" => String::new(),
            "eq" | "in" => format!(" {absent}"),
            _ => format!(" {absent} {null}"),
        };
        let wanted = if ask.is_empty() {
            "- action: ask".into()
        } else {
            format!("- ask_if: - {{ \"x\": {ask} }}{unseen}")
        };
        assert_eq!(asked, wanted, "{op} {value}");
    }
    for (path, key) in [
        ("a", Some("\"a\"")),
        ("a.b", Some("\"/a/b\"")),
        ("a/b.c~", Some("\"/a~1b/c~0\"")),
        ("/a", Some("\"/~1a\"")),
        ("a.0", None),
        ("a.*", None),
    ] {
        let native =
            native(&format!("{{ name: r, conditions: [{{ path: 'args.{path}', op: eq, value: v }}] }}"));
        let wanted = key.map(|key| format!("- require: {key}: {{ equals: \"v\" }}"));
        assert_eq!(native, wanted.unwrap_or_else(|| "- action: deny".to_owned()), "{path}");
    }
}
