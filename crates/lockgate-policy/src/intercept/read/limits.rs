//! Counters and their limits.

use std::collections::BTreeMap;

use super::{Draft, Members, Reader, get, scalar};
use crate::intercept::condition::{Comparison, Condition, Subject, Test};
use crate::intercept::value::Value;
use crate::intercept::yaml::{Kind, Node};
use crate::intercept::{Amount, Counting, Effect, Increment, Key, Rule, Window};

impl Reader {
    /// Notes which counters a tool has, so that conditions may name those of any tool.
    pub(super) fn find_counters(&mut self, tool: &str, node: &Node) {
        let Kind::Map(members) = &node.kind else { return };
        let maps = |name| match get(members, name) {
            Some(Node { kind: Kind::List(items), .. }) => items.as_slice(),
            _ => &[],
        };
        let rules = maps("rules").iter().filter_map(members_of).filter_map(counter_of);
        let limits = maps("limits").iter().filter_map(members_of).map(named_counter);
        for (counter, window) in rules.chain(limits) {
            let key = Key { scope: tool.to_owned(), counter };
            // A window that is no window is complained about where the rule is read.
            let counter = (key, window.unwrap_or(Window::Day));
            let path = format!("state.{}", counter.0);
            let first = self.counters.entry(path).or_insert_with(|| counter.clone());
            if first.0 != counter.0 {
                let message = format!("tools.{tool}: another tool has a counter named state.{}", counter.0);
                self.wrong(node.place, message);
            }
        }
    }

    pub(super) fn refuse_duplicate_counters(&mut self, drafts: &[Draft<'_>]) {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (i, draft) in drafts.iter().enumerate() {
            let Some((counter, _)) = counter_of(draft.members) else { continue };
            if let Some(first) = seen.get(&counter) {
                let what = format!("duplicate state counter {counter:?} (also used by rules[{first}])");
                self.wrong(draft.place, format!("{}: {what}", draft.prefix));
            } else {
                seen.insert(counter, i);
            }
        }
    }
}

impl Counting {
    /// The first limit that the counter's own rule sets.
    pub(super) fn own_limit(&self, conditions: &[Condition]) -> Option<Amount> {
        conditions.iter().find_map(|condition| self.limit_of(condition))
    }

    /// The limit that a condition sets for this counter. Whole numbers are counted as the original does, without the
    /// fraction of the limit; amounts exactly.
    pub(in crate::intercept) fn limit_of(&self, condition: &Condition) -> Option<Amount> {
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
pub(super) fn set(rules: &mut [Rule]) {
    let required = rules.iter().filter(|rule| rule.effect == Effect::Require);
    let caps: Vec<Condition> = required.flat_map(|rule| rule.conditions.clone()).collect();
    for rule in rules {
        let Some(counting) = &mut rule.counting else { continue };
        let own = match rule.effect {
            Effect::Require => counting.own_limit(&rule.conditions),
            // These rules say when to refuse or to ask: no cap.
            Effect::Deny | Effect::DenyIf | Effect::Ask(_) => None,
        };
        let others = || caps.iter().filter_map(|condition| counting.limit_of(condition)).min();
        // What can be counted is far below `MAX`, which therefore never refuses.
        counting.limit = own.or_else(others).unwrap_or(Amount::MAX);
    }
}

/// A rule that lets `count` calls pass in each window.
pub(super) fn calls(name: String, key: Key, window: Window, count: i64, on_deny: Option<String>) -> Rule {
    let condition = Condition {
        subject: Subject::Counter(key.clone(), window),
        test: Test::Compare(Comparison::AtMost, Value::Int(count)),
    };
    let increment = Increment::Fixed(Amount::whole(1));
    let counting = Counting { key, window, increment, limit: Amount::whole(count) };
    let (conditions, counting) = (vec![condition], Some(counting));
    Rule { name, effect: Effect::Require, conditions, on_deny, counting, spend: None }
}

/// `5/hour`
pub(in crate::intercept) fn rate_limit(text: &str) -> Result<(i64, Window), String> {
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

pub(super) fn rate_counter(window: Window) -> String {
    format!("_rate_{}", window.word())
}

fn members_of(node: &Node) -> Option<Members<'_>> {
    match &node.kind {
        Kind::Map(members) => Some(members),
        Kind::Broken | Kind::Scalar { .. } | Kind::List(_) => None,
    }
}

/// The counter that a rule of the file form keeps, if any.
fn counter_of(rule: Members<'_>) -> Option<(String, Option<Window>)> {
    if let Some(Node { kind: Kind::Map(state), .. }) = get(rule, "state") {
        return Some(named_counter(state));
    }
    let (_, window) = rate_limit(scalar(rule, "rate_limit")).ok()?;
    Some((rate_counter(window), Some(window)))
}

fn named_counter(members: Members<'_>) -> (String, Option<Window>) {
    (scalar(members, "counter").to_owned(), Window::parse(scalar(members, "window")))
}
