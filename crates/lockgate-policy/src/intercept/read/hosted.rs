//! `require`, `deny_if` and `limits` of the hosted form.

use std::collections::BTreeSet;

use super::{Draft, Members, Reader, get, limits};
use crate::intercept::value::Value;
use crate::intercept::yaml::{Kind, Node};
use crate::intercept::{Effect, Key, Rule};

impl Reader {
    /// `require`, `deny_if` and `limits` of the hosted form. What its conditions look like is not published: those of
    /// the file form are read, and everything else is refused.
    pub(super) fn hosted(&mut self, tool: &str, members: Members<'_>, prefix: &str, rules: &mut Vec<Rule>) {
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
                _ => None,
            };
            if max.is_none() {
                self.wrong(at("max"), format!("{prefix}: max must be an integer that is not negative"));
            }
            if let (Some(window), Some(max)) = (window, max) {
                let key = Key { scope: tool.to_owned(), counter };
                rules.push(limits::calls(format!("limits[{i}]"), key, window, max, None));
            }
        }
    }

    fn refuse_unknown(&mut self, node: &Node, known: &[&str], prefix: &str) {
        let Kind::Map(members) = &node.kind else { return };
        for (key, _) in members.iter().filter(|(key, _)| !known.contains(&key.text.as_str())) {
            self.wrong(key.place, format!("{prefix}: unknown operator {:?}", key.text));
        }
    }
}
