//! From a file to a [`Policy`]: what the original checks, in its words, and what it ignores.

use std::collections::{BTreeMap, BTreeSet};

use super::condition::{Comparison, Condition, Subject, Test};
use super::value::Value;
use super::yaml::{self, Kind, Node, Place};
use super::{
    Amount, Approvals, BadFile, Counting, Effect, Increment, Key, Lint, Policy, Rule, Spend, Window,
};

type Members<'n> = &'n [(yaml::Key, Node)];

pub(super) fn read(text: &str) -> Result<(Policy, Vec<Lint>), Vec<BadFile>> {
    let document = yaml::read(text);
    let mut reader = Reader::default();
    for (place, message) in document.errors {
        reader.wrong(place, message);
    }
    if let Some(place) = document.second {
        reader.lint(place, "a second document is ignored");
    }
    let empty = Node { place: Place { line: 1, column: 1 }, kind: Kind::Map(Vec::new()) };
    let policy = match (document.root, reader.errors.is_empty()) {
        // What is broken as YAML may have lost any part: what else would be said could be wrong.
        (_, false) => None,
        (root, true) => Some(reader.policy(&root.unwrap_or(empty))),
    };
    match policy {
        Some(policy) if reader.errors.is_empty() => Ok((policy, reader.lints)),
        _ => Err(reader.errors),
    }
}

const FILE_KEYS: &[&str] = &["version", "description", "default", "hide", "tools", "approvals", "all_tools"];
const RULE_KEYS: &[&str] =
    &["name", "action", "rate_limit", "conditions", "on_deny", "state", "approval_timeout", "spend"];
const APPROVAL_TIMEOUTS: &[&str] = &["approval_timeout", "default_timeout", "timeout"];
const APPROVAL_KEYS: &[&str] = &["approval_timeout", "default_timeout", "timeout", "dedupe_window", "notify"];

#[derive(Default)]
struct Reader {
    errors: Vec<BadFile>,
    lints: Vec<Lint>,
    /// Every counter that a `state` block keeps.
    counters: BTreeMap<Key, Window>,
}

/// One rule while it is read.
struct Draft<'n> {
    tool: &'n str,
    /// `tools.T.rules[i]`
    prefix: String,
    place: Place,
    members: Members<'n>,
}

impl<'n> Draft<'n> {
    fn get(&self, name: &str) -> Option<&'n Node> {
        get(self.members, name)
    }
}

impl Reader {
    fn policy(&mut self, root: &Node) -> Policy {
        let members = self.map(root, "the file");
        self.unknown(members, FILE_KEYS, "");
        let at = |name| get(members, name).map_or(root.place, |node| node.place);
        let version = self.text(get(members, "version"), "version");
        if version != "1" {
            self.wrong(at("version"), format!("version must be \"1\", got {version:?}"));
        }
        let default = self.text(get(members, "default"), "default");
        if !matches!(default.as_str(), "" | "allow" | "deny") {
            self.wrong(at("default"), format!("default must be \"allow\" or \"deny\", got {default:?}"));
        }
        let hide = self.hide(get(members, "hide"));
        let approvals = self.approvals(get(members, "approvals"));

        let mut entries: Vec<(&str, &Node)> = get(members, "tools")
            .map(|node| self.map(node, "tools"))
            .unwrap_or_default()
            .iter()
            .map(|(key, node)| (key.text.as_str(), node))
            .collect();
        entries.sort_by_key(|(name, _)| *name);
        for (tool, node) in &entries {
            self.find_counters(tool, node);
        }
        let all_tools = get(members, "all_tools");
        if let Some(node) = all_tools {
            self.find_counters("*", node);
        }
        let mut tools: BTreeMap<String, Vec<Rule>> = BTreeMap::new();
        for (tool, node) in entries {
            let rules = self.tool(tool, node, &format!("tools.{tool}"));
            tools.insert(tool.to_owned(), rules);
        }
        if let Some(node) = all_tools {
            let rules = self.tool("*", node, "all_tools");
            tools.entry("*".to_owned()).or_default().extend(rules);
        }
        Policy { deny_unlisted: default == "deny", hide, tools, approvals }
    }

    fn hide(&mut self, node: Option<&Node>) -> BTreeSet<String> {
        let mut hide = BTreeSet::new();
        for (i, item) in self.list(node, "hide").iter().enumerate() {
            let name = self.text(Some(item), &format!("hide[{i}]"));
            if name.trim().is_empty() {
                self.wrong(item.place, format!("hide[{i}]: entry must not be empty"));
            } else if hide.contains(&name) {
                self.wrong(item.place, format!("hide: duplicate entry {name:?}"));
            } else {
                hide.insert(name);
            }
        }
        hide
    }

    /// Known in part only: the defaults are read under every name they may have.
    fn approvals(&mut self, node: Option<&Node>) -> Approvals {
        let Some(node) = node else { return Approvals::default() };
        let members = self.map(node, "approvals");
        self.unknown(members, APPROVAL_KEYS, "approvals.");
        if let Some(notify) = get(members, "notify") {
            self.lint(
                notify.place,
                "`approvals.notify` has no effect: approvals are asked for as configured",
            );
        }
        let timeout = APPROVAL_TIMEOUTS.iter().find_map(|name| get(members, name));
        Approvals {
            timeout: timeout.and_then(|node| self.duration(node, "approvals: timeout")),
            dedupe_window: get(members, "dedupe_window")
                .and_then(|node| self.duration(node, "approvals: dedupe_window")),
        }
    }

    /// Notes which counters there are, so that conditions may name those of any tool.
    fn find_counters(&mut self, tool: &str, node: &Node) {
        let Kind::Map(members) = &node.kind else { return };
        let items = |name| match get(members, name).map(|node| &node.kind) {
            Some(Kind::List(items)) => items.as_slice(),
            _ => &[],
        };
        let scalar = |members: Members<'_>, name: &str| match get(members, name).map(|node| &node.kind) {
            Some(Kind::Scalar { text, .. }) => text.clone(),
            _ => String::new(),
        };
        let mut found = Vec::new();
        for rule in items("rules") {
            let Kind::Map(rule) = &rule.kind else { continue };
            if let Some(Kind::Map(state)) = get(rule, "state").map(|node| &node.kind) {
                found.push((scalar(state, "counter"), Window::parse(&scalar(state, "window"))));
            } else if let Ok((_, window)) = rate_limit(&scalar(rule, "rate_limit")) {
                found.push((rate_counter(window), Some(window)));
            }
        }
        for limit in items("limits") {
            if let Kind::Map(limit) = &limit.kind {
                found.push((scalar(limit, "counter"), Window::parse(&scalar(limit, "window"))));
            }
        }
        for (counter, window) in found {
            // A window that is no window is complained about where the rule is read.
            let key = Key { scope: tool.to_owned(), counter };
            self.counters.entry(key).or_insert(window.unwrap_or(Window::Day));
        }
    }

    fn tool(&mut self, tool: &str, node: &Node, prefix: &str) -> Vec<Rule> {
        let members = self.map(node, prefix);
        self.unknown(members, &["rules", "require", "deny_if", "limits"], &format!("{prefix}."));
        let items = self.list(get(members, "rules"), &format!("{prefix}.rules"));
        let mut drafts = Vec::new();
        for (i, item) in items.iter().enumerate() {
            let prefix = format!("{prefix}.rules[{i}]");
            let members = self.map(item, &prefix);
            drafts.push(Draft { tool, prefix, place: item.place, members });
        }
        self.duplicate_counters(&drafts);
        let mut rules: Vec<Rule> = drafts.iter().filter_map(|draft| self.rule(draft)).collect();
        self.hosted(tool, members, prefix, &mut rules);
        set_limits(&mut rules);
        rules
    }

    fn duplicate_counters(&mut self, drafts: &[Draft<'_>]) {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (i, draft) in drafts.iter().enumerate() {
            let rate = || match draft.get("rate_limit").map(|node| &node.kind) {
                Some(Kind::Scalar { text, .. }) => {
                    rate_limit(text).ok().map(|(_, window)| rate_counter(window))
                }
                _ => None,
            };
            let counter = match draft.get("state").map(|node| &node.kind) {
                Some(Kind::Map(state)) => match get(state, "counter").map(|node| &node.kind) {
                    Some(Kind::Scalar { text, .. }) => Some(text.clone()),
                    _ => Some(String::new()),
                },
                _ => rate(),
            };
            let Some(counter) = counter else { continue };
            if let Some(first) = seen.get(&counter) {
                let used = format!("(also used by rules[{first}])");
                self.wrong(
                    draft.place,
                    format!("{}: duplicate state counter {counter:?} {used}", draft.prefix),
                );
            } else {
                seen.insert(counter, i);
            }
        }
    }

    fn rule(&mut self, draft: &Draft<'_>) -> Option<Rule> {
        let Draft { prefix, place, members, .. } = draft;
        self.unknown(members, RULE_KEYS, &format!("{prefix}."));
        let mut text = |name| self.text(draft.get(name), &format!("{prefix}.{name}"));
        let (name, action, rate, on_deny) =
            (text("name"), text("action"), text("rate_limit"), text("on_deny"));
        let on_deny = Some(on_deny).filter(|text| !text.is_empty());
        let conditions = self.list(draft.get("conditions"), &format!("{prefix}.conditions"));
        let state = draft.get("state").filter(|node| !node.is_null());
        if !rate.is_empty() {
            return self.rate_rule(
                draft,
                name,
                &rate,
                &action,
                on_deny,
                !conditions.is_empty() || state.is_some(),
            );
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
        if let (Some(state), Effect::Deny) = (state, effect) {
            self.lint(state.place, "`state` has no effect on a rule that always denies");
        }
        let spend = spend.map(|node| self.spend(draft, node, &name));
        Some(Rule { name, effect, conditions, on_deny, counting, spend })
    }

    /// `rate_limit: N/window`, which stands alone in its rule.
    fn rate_rule(
        &mut self,
        draft: &Draft<'_>,
        name: String,
        rate: &str,
        action: &str,
        on_deny: Option<String>,
        is_combined: bool,
    ) -> Option<Rule> {
        let Draft { tool, prefix, place, .. } = draft;
        let at = draft.get("rate_limit").map_or(*place, |node| node.place);
        let limit = rate_limit(rate);
        if let Err(error) = &limit {
            self.wrong(at, format!("{prefix}: {error}"));
        }
        if is_combined {
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
        let key = Key { scope: (*tool).to_owned(), counter: rate_counter(window) };
        Some(Rule {
            name,
            effect: Effect::Require,
            conditions: vec![own_limit(&key, window, count)],
            on_deny: Some(on_deny),
            counting: Some(Counting {
                key,
                window,
                increment: Increment::Fixed(Amount::whole(1)),
                limit: Amount::MAX,
            }),
            spend: None,
        })
    }

    fn condition(&mut self, draft: &Draft<'_>, node: &Node, prefix: &str) -> Option<Condition> {
        let members = self.map(node, prefix);
        self.unknown(members, &["path", "op", "value"], &format!("{prefix}."));
        let path = self.text(get(members, "path"), &format!("{prefix}.path"));
        let at = |name| get(members, name).map_or(node.place, |node| node.place);
        let subject = if let Some(path) = path.strip_prefix("args.") {
            Some(Subject::Argument(path.split('.').map(str::to_owned).collect()))
        } else if path.starts_with("state.") {
            let found = self.counters.iter().find(|(key, _)| format!("state.{key}") == path);
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
        let increment = get(members, "increment").map_or(Value::Null, Value::of);
        let increment = match increment {
            Value::Null => Some(1),
            Value::Int(count) if count >= 0 => Some(count.max(1)),
            // Go writes a float to an integer by cutting off its fraction.
            Value::Float(count) if (0.0..9e18).contains(&count) =>
            {
                #[expect(clippy::cast_possible_truncation, reason = "as the original does")]
                Some((count as i64).max(1))
            }
            other @ (Value::Bool(_)
            | Value::Int(_)
            | Value::Unsigned(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::Time(_)
            | Value::List(_)
            | Value::Map(_)) => {
                let message = format!("increment must be a positive integer, got {:?}", other.shown());
                self.wrong(at("increment"), format!("{prefix}: {message}"));
                None
            }
        };
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
        let own = |path: &str| path == format!("state.{key}");
        let conditions = match draft.get("conditions").map(|node| &node.kind) {
            Some(Kind::List(items)) => items.as_slice(),
            _ => &[],
        };
        let is_limit = |node: &Node| {
            let Kind::Map(members) = &node.kind else { return false };
            let text = |name| match get(members, name).map(|node| &node.kind) {
                Some(Kind::Scalar { text, .. }) => text.as_str(),
                _ => "",
            };
            own(text("path")) && matches!(text("op"), "lt" | "lte")
        };
        if !conditions.iter().any(is_limit) {
            let message = "this rule has no `lt` or `lte` on its own counter: the original never counts here; Lockgate \
                           counts, up to the limit that another rule of the tool sets";
            self.lint(node.place, message);
        }
        Some(Counting { key, window: window?, increment: increment?, limit: Amount::MAX })
    }

    fn window(&mut self, node: Option<&Node>, place: Place, prefix: &str) -> Option<Window> {
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

    /// `require`, `deny_if` and `limits` of the hosted form. What its conditions look like is not published: those of
    /// the file form are read, and everything else is refused.
    fn hosted(&mut self, tool: &str, members: Members<'_>, prefix: &str, rules: &mut Vec<Rule>) {
        for (key, effect) in [("require", Effect::Require), ("deny_if", Effect::DenyIf)] {
            let prefix = format!("{prefix}.{key}");
            for (i, node) in self.list(get(members, key), &prefix).iter().enumerate() {
                let prefix = format!("{prefix}[{i}]");
                let draft = Draft { tool, prefix: prefix.clone(), place: node.place, members: &[] };
                let known = ["path", "op", "value"];
                self.refuse_unknown(node, &known, &prefix);
                if let Some(condition) = self.condition(&draft, node, &prefix) {
                    let conditions = vec![condition];
                    let name = format!("{key}[{i}]");
                    rules.push(Rule { name, effect, conditions, on_deny: None, counting: None, spend: None });
                }
            }
        }
        let mut seen = BTreeSet::new();
        let prefix = format!("{prefix}.limits");
        for (i, node) in self.list(get(members, "limits"), &prefix).iter().enumerate() {
            let prefix = format!("{prefix}[{i}]");
            self.refuse_unknown(node, &["counter", "window", "max", "scope"], &prefix);
            let members = self.map(node, &prefix);
            let at = |name| get(members, name).map_or(node.place, |node| node.place);
            let counter = self.text(get(members, "counter"), &format!("{prefix}.counter"));
            if counter.is_empty() {
                self.wrong(at("counter"), format!("{prefix}: counter must not be empty"));
            }
            if !seen.insert(counter.clone()) {
                self.wrong(at("counter"), format!("{prefix}: duplicate state counter {counter:?}"));
            }
            let window = self.window(get(members, "window"), node.place, &prefix);
            let scope = self.text(get(members, "scope"), &format!("{prefix}.scope"));
            if !matches!(scope.as_str(), "" | "grant") {
                self.wrong(at("scope"), format!("{prefix}: scope must be \"grant\", got {scope:?}"));
            }
            let max = match get(members, "max").map(Value::of) {
                Some(Value::Int(max)) if max >= 0 => Some(max),
                _ => {
                    self.wrong(at("max"), format!("{prefix}: max must be an integer that is not negative"));
                    None
                }
            };
            if let (Some(window), Some(max)) = (window, max) {
                let key = Key { scope: tool.to_owned(), counter };
                rules.push(Rule {
                    name: format!("limits[{i}]"),
                    effect: Effect::Require,
                    conditions: vec![own_limit(&key, window, max)],
                    on_deny: None,
                    counting: Some(Counting {
                        key,
                        window,
                        increment: Increment::Fixed(Amount::whole(1)),
                        limit: Amount::MAX,
                    }),
                    spend: None,
                });
            }
        }
    }

    // ---- parts ----

    fn map<'n>(&mut self, node: &'n Node, what: &str) -> Members<'n> {
        match &node.kind {
            Kind::Map(members) => members,
            Kind::Scalar { .. } if node.is_null() => &[],
            Kind::Broken | Kind::Scalar { .. } | Kind::List(_) => {
                self.wrong(node.place, format!("{what} must be a map, not {}", node.word()));
                &[]
            }
        }
    }

    fn list<'n>(&mut self, node: Option<&'n Node>, what: &str) -> &'n [Node] {
        let Some(node) = node.filter(|node| !node.is_null()) else { return &[] };
        if let Kind::List(items) = &node.kind {
            return items;
        }
        self.wrong(node.place, format!("{what} must be a list, not {}", node.word()));
        &[]
    }

    /// Any scalar is a text here, as it was written; nothing is the empty text.
    fn text(&mut self, node: Option<&Node>, what: &str) -> String {
        let Some(node) = node.filter(|node| !node.is_null()) else { return String::new() };
        if let Kind::Scalar { text, .. } = &node.kind {
            return text.clone();
        }
        self.wrong(node.place, format!("{what} must be a text, not {}", node.word()));
        String::new()
    }

    /// A duration as Go writes it (`1h30m`), in milliseconds.
    fn duration(&mut self, node: &Node, what: &str) -> Option<u64> {
        let text = self.text(Some(node), what);
        let duration = duration(&text);
        if duration.is_none() {
            self.wrong(node.place, format!("{what} must be a duration like \"30m\", got {text:?}"));
        }
        duration
    }

    fn unknown(&mut self, members: Members<'_>, known: &[&str], prefix: &str) {
        for (key, _) in members.iter().filter(|(key, _)| !known.contains(&key.text.as_str())) {
            self.lint(key.place, &format!("unknown key `{prefix}{}` is ignored", key.text));
        }
    }

    fn refuse_unknown(&mut self, node: &Node, known: &[&str], prefix: &str) {
        let Kind::Map(members) = &node.kind else { return };
        for (key, _) in members.iter().filter(|(key, _)| !known.contains(&key.text.as_str())) {
            self.wrong(key.place, format!("{prefix}: unknown operator {:?}", key.text));
        }
    }

    fn wrong(&mut self, place: Place, message: String) {
        self.errors.push(BadFile { place, message });
    }

    fn lint(&mut self, place: Place, message: &str) {
        self.lints.push(Lint { place, message: message.to_owned() });
    }
}

impl Counting {
    /// The limit that a condition sets for this counter. Whole numbers are counted as the original does, without the
    /// fraction of the limit; amounts exactly.
    pub(super) fn limit_of(&self, condition: &Condition) -> Option<Amount> {
        let Subject::Counter(key, _) = &condition.subject else { return None };
        let Test::Compare(comparison, value) = &condition.test else { return None };
        if *key != self.key {
            return None;
        }
        // An infinite limit is no number that can be counted to: nothing passes it, as in the original.
        let limit = value.amount().unwrap_or(Amount::ZERO.just_below());
        let is_whole = matches!(self.increment, Increment::Fixed(_));
        match comparison {
            Comparison::AtMost if is_whole => Some(limit.truncated()),
            Comparison::AtMost => Some(limit),
            Comparison::Below if is_whole => Some(limit.truncated().less_one()),
            Comparison::Below => Some(limit.just_below()),
            Comparison::Above | Comparison::AtLeast => None,
        }
    }
}

/// Gives every counter its limit: that of its own rule, else the strictest that another rule of the tool sets.
fn set_limits(rules: &mut [Rule]) {
    let others = rules.to_vec();
    for rule in rules {
        let Some(counting) = &mut rule.counting else { continue };
        let own = rule.conditions.iter().find_map(|condition| counting.limit_of(condition));
        let others = || {
            let conditions = others.iter().filter(|rule| rule.effect == Effect::Require);
            conditions.flat_map(|rule| &rule.conditions).filter_map(|c| counting.limit_of(c)).min()
        };
        // What can be counted is far below `MAX`, which therefore never refuses.
        counting.limit = own.or_else(others).unwrap_or(Amount::MAX);
    }
}

fn own_limit(key: &Key, window: Window, count: i64) -> Condition {
    Condition {
        subject: Subject::Counter(key.clone(), window),
        test: Test::Compare(Comparison::AtMost, Value::Int(count)),
    }
}

fn get<'n>(members: Members<'n>, name: &str) -> Option<&'n Node> {
    members.iter().find(|(key, _)| key.text == name).map(|(_, node)| node)
}

fn rate_counter(window: Window) -> String {
    format!("_rate_{}", window.word())
}

/// `5/hour`
pub(super) fn rate_limit(text: &str) -> Result<(i64, Window), String> {
    let Some((count, window)) = text.split_once('/') else {
        return Err(format!("rate_limit must be in the format \"N/window\" (e.g. \"5/hour\"), got {text:?}"));
    };
    let Some(number) = count.parse::<i64>().ok().filter(|count| *count > 0) else {
        return Err(format!("rate_limit count must be a positive integer, got {count:?}"));
    };
    let Some(window) = Window::parse(window) else {
        return Err(format!("rate_limit window must be \"minute\", \"hour\", or \"day\", got {window:?}"));
    };
    Ok((number, window))
}

/// Whole numbers with units, added up: `1h30m`. Not nothing, at most a year.
fn duration(text: &str) -> Option<u64> {
    const YEAR: u64 = 365 * 86_400_000;
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at_checked(digits)?;
        let unit = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(unit)?;
        let length = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(length)?)?;
        rest = after;
    }
    Some(total).filter(|total| (1..=YEAR).contains(total))
}
