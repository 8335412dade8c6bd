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
