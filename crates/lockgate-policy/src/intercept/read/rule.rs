//! One rule of the file form.

use super::{Draft, Reader, get, limits};
use crate::intercept::condition::{Condition, Subject, Test};
use crate::intercept::value::Value;
use crate::intercept::yaml::{Kind, Node, Place};
use crate::intercept::{Amount, Counting, Effect, Increment, Key, Rule, Spend, Window};

const KEYS: &[&str] =
    &["name", "action", "rate_limit", "conditions", "on_deny", "state", "approval_timeout", "spend"];

impl Reader {
    pub(super) fn rule(&mut self, draft: &Draft<'_>) -> Option<Rule> {
        let Draft { prefix, place, members, .. } = draft;
        self.unknown(members, KEYS, &format!("{prefix}."));
        let mut text = |name| self.text(draft.get(name), &format!("{prefix}.{name}"));
        let (name, action, rate, on_deny) =
            (text("name"), text("action"), text("rate_limit"), text("on_deny"));
        let on_deny = Some(on_deny).filter(|text| !text.is_empty());
        let conditions = self.list(draft.get("conditions"), &format!("{prefix}.conditions"));
        let state = draft.get("state").filter(|node| !node.is_null());
        if !rate.is_empty() {
            return self.rate_rule(draft, name, &rate, &action, on_deny);
        }
        let spend = draft.get("spend").filter(|node| !node.is_null());
        if name.is_empty() {
            self.wrong(*place, format!("{prefix}: rule must have a name"));
        }
        let timeout = draft.get("approval_timeout").filter(|node| !node.is_null());
        let effect = match action.as_str() {
            "" | "evaluate" => Effect::Require,
            "deny" => Effect::Deny,
            "require_approval" => Effect::Ask(
                timeout.and_then(|node| self.duration(node, &format!("{prefix}: approval_timeout"))),
            ),
            _ => {
                let place = draft.get("action").map_or(*place, |node| node.place);
                self.wrong(
                    place,
                    format!("{prefix}: action must be \"evaluate\" or \"deny\", got {action:?}"),
                );
                Effect::Deny
            }
        };
        if let (Some(timeout), Effect::Require | Effect::Deny | Effect::DenyIf) = (timeout, effect) {
            self.lint(timeout.place, "`approval_timeout` has no effect on a rule that does not ask");
        }
        if action == "deny" && !conditions.is_empty() {
            self.wrong(*place, format!("{prefix}: deny rules must not have conditions"));
        }
        if effect == Effect::Require && conditions.is_empty() && spend.is_none() {
            self.wrong(*place, format!("{prefix}: evaluate rules must have at least one condition"));
        }
        let conditions = conditions.iter().enumerate();
        let conditions: Vec<_> = conditions
            .filter_map(|(i, node)| self.condition(draft, node, &format!("{prefix}.conditions[{i}]")))
            .collect();
        let counting = state.and_then(|node| self.state(draft, node));
        self.check_counting(state, effect, counting.as_ref(), &conditions);
        let spend = spend.map(|node| self.spend(draft, node, &name));
        Some(Rule { name, effect, conditions, on_deny, counting, spend })
    }

    /// Tells of `state` blocks that the original accepts and never counts.
    fn check_counting(
        &mut self,
        state: Option<&Node>,
        effect: Effect,
        counting: Option<&Counting>,
        conditions: &[Condition],
    ) {
        let Some(state) = state else { return };
        let has_limit = counting.is_none_or(|counting| counting.own_limit(conditions).is_some());
        match effect {
            Effect::Deny => self.lint(state.place, "`state` has no effect on a rule that always denies"),
            Effect::Require if !has_limit => {
                let message = "this rule has no `lt` or `lte` on its own counter: Intercept never counts here; \
                               Lockgate counts, up to the limit that another rule of the tool sets";
                self.lint(state.place, message);
            }
            Effect::Require | Effect::DenyIf | Effect::Ask(_) => {}
        }
    }

    /// `rate_limit: N/window`, which stands alone in its rule.
    fn rate_rule(
        &mut self,
        draft: &Draft<'_>,
        name: String,
        rate: &str,
        action: &str,
        on_deny: Option<String>,
    ) -> Option<Rule> {
        let Draft { tool, prefix, place, .. } = draft;
        let at = draft.get("rate_limit").map_or(*place, |node| node.place);
        let limit = limits::rate_limit(rate);
        if let Err(error) = &limit {
            self.wrong(at, format!("{prefix}: {error}"));
        }
        let has_conditions = match draft.get("conditions") {
            Some(Node { kind: Kind::List(items), .. }) => !items.is_empty(),
            _ => false,
        };
        if has_conditions || draft.get("state").is_some_and(|node| !node.is_null()) {
            let message = "rate_limit cannot be combined with conditions or state; use separate rules or the full \
                           syntax instead";
            self.wrong(at, format!("{prefix}: {message}"));
        }
        match action {
            "" | "evaluate" => {}
            "deny" | "require_approval" => {
                self.wrong(at, format!("{prefix}: rate_limit cannot be used with action {action:?}"));
            }
            _ => self.wrong(at, format!("{prefix}: action must be \"evaluate\" or \"deny\", got {action:?}")),
        }
        for key in ["approval_timeout", "spend"] {
            if let Some(node) = draft.get(key) {
                self.wrong(node.place, format!("{prefix}: {key} cannot be combined with rate_limit"));
            }
        }
        let (count, window) = limit.ok()?;
        let word = window.word();
        let on_deny =
            on_deny.unwrap_or_else(|| format!("Rate limit of {count} per {word} reached. Try again later."));
        let key = Key { scope: (*tool).to_owned(), counter: limits::rate_counter(window) };
        Some(limits::calls(name, key, window, count, Some(on_deny)))
    }

    pub(super) fn condition(&mut self, draft: &Draft<'_>, node: &Node, prefix: &str) -> Option<Condition> {
        let members = self.map(node, prefix);
        self.unknown(members, &["path", "op", "value"], &format!("{prefix}."));
        let path = self.text(get(members, "path"), &format!("{prefix}.path"));
        let at = |name| get(members, name).map_or(node.place, |node| node.place);
        let subject = if let Some(path) = path.strip_prefix("args.") {
            Some(Subject::Argument(path.split('.').map(str::to_owned).collect()))
        } else if path.starts_with("state.") {
            let found = self.counters.get(&path);
            let found = found.map(|(key, window)| Subject::Counter(key.clone(), *window));
            if found.is_none() {
                let message = format!("condition references {path} but no matching state block found");
                self.wrong(at("path"), format!("{}: {message}", draft.prefix));
            }
            found
        } else {
            let message = format!("path must start with \"args.\" or \"state.\", got {path:?}");
            self.wrong(at("path"), format!("{prefix}: {message}"));
            None
        };
        let op = self.text(get(members, "op"), &format!("{prefix}.op"));
        let value = get(members, "value").map_or(Value::Null, Value::of);
        let mut wrong = Vec::new();
        let test = Test::read(&op, value, &mut wrong);
        for message in wrong {
            let key = if message.starts_with("unknown operator") { "op" } else { "value" };
            self.wrong(at(key), format!("{prefix}: {message}"));
        }
        Some(Condition { subject: subject?, test })
    }

    fn state(&mut self, draft: &Draft<'_>, node: &Node) -> Option<Counting> {
        let prefix = format!("{}.state", draft.prefix);
        let members = self.map(node, &prefix);
        self.unknown(members, &["counter", "window", "increment", "increment_from"], &format!("{prefix}."));
        let at = |name| get(members, name).map_or(node.place, |node| node.place);
        let counter = self.text(get(members, "counter"), &format!("{prefix}.counter"));
        if counter.is_empty() {
            self.wrong(at("counter"), format!("{prefix}: counter must not be empty"));
        }
        let window = self.window(get(members, "window"), node.place, &prefix);
        let from = self.text(get(members, "increment_from"), &format!("{prefix}.increment_from"));
        let increment = self.increment(get(members, "increment"), &prefix);
        let increment = if from.is_empty() {
            increment.map(|count| Increment::Fixed(Amount::whole(count)))
        } else if let Some(path) = from.strip_prefix("args.") {
            if let Some(node) = get(members, "increment") {
                self.lint(node.place, "`increment` has no effect beside `increment_from`");
            }
            Some(Increment::From(path.split('.').map(str::to_owned).collect()))
        } else {
            let message = format!("increment_from must start with \"args.\", got {from:?}");
            self.wrong(at("increment_from"), format!("{prefix}: {message}"));
            None
        };
        let key = Key { scope: draft.tool.to_owned(), counter };
        Some(Counting { key, window: window?, increment: increment?, limit: Amount::MAX })
    }

    /// A whole number, 1 where there is none. A negative one would give budget back.
    fn increment(&mut self, node: Option<&Node>, prefix: &str) -> Option<i64> {
        let Some(node) = node else { return Some(1) };
        let value = Value::of(node);
        if value == Value::Null {
            return Some(1);
        }
        // Go makes a float an integer by cutting off its fraction, and takes 0 for none.
        let whole = value.number().and(value.amount()).filter(|amount| *amount >= Amount::ZERO);
        let whole = whole.and_then(|amount| amount.truncated().to_string().parse::<i64>().ok());
        if whole.is_none() {
            let message = format!("increment must be a positive integer, got {:?}", value.shown());
            self.wrong(node.place, format!("{prefix}: {message}"));
        }
        whole.map(|count| count.max(1))
    }

    pub(super) fn window(&mut self, node: Option<&Node>, place: Place, prefix: &str) -> Option<Window> {
        let word = self.text(node, &format!("{prefix}.window"));
        let window = Window::parse(&word);
        if window.is_none() {
            let place = node.map_or(place, |node| node.place);
            let message = format!("window must be \"minute\", \"hour\", or \"day\", got {word:?}");
            self.wrong(place, format!("{prefix}: {message}"));
        }
        window
    }

    fn spend(&mut self, draft: &Draft<'_>, node: &Node, name: &str) -> Spend {
        let prefix = format!("{}.spend", draft.prefix);
        let members = self.map(node, &prefix);
        self.unknown(members, &["per_call", "daily"], &format!("{prefix}."));
        let mut limit = |key: &str| {
            let node = get(members, key).filter(|node| !node.is_null())?;
            let amount = Value::of(node).amount().filter(|amount| *amount >= Amount::ZERO);
            if amount.is_none() {
                self.wrong(node.place, format!("{prefix}: {key} must be a number that is not negative"));
            }
            amount
        };
        let (per_call, daily) = (limit("per_call"), limit("daily"));
        if per_call.is_none() && daily.is_none() {
            self.wrong(node.place, format!("{prefix}: needs `per_call` or `daily`"));
        }
        // The rule's place in the file, so that two rules of one name do not share a budget.
        let counter = format!("_spend_{}_{name}", draft.prefix);
        Spend { per_call, daily, key: Key { scope: draft.tool.to_owned(), counter } }
    }
}
