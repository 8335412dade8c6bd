use crate::intercept::Policy;

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
