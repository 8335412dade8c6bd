//! Rules, effects and classes: patterns are read, and every rule must be able to have an effect.

use lockgate_model::Class;
use lockgate_policy::{Action, Fallback, Pattern, Rule, RuleSet};

use super::error::{At, Report, quoted};
use super::raw::RawRules;

/// What holds without a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// Could not be read.
    Unknown,
    /// Another thing for each tool.
    ByClass,
    /// Always the same.
    Always(Action),
}

impl Rest {
    /// For tools.
    pub(super) fn of_tools(default: Option<Fallback>) -> Self {
        match default {
            None => Self::Unknown,
            Some(Fallback::Action(action)) => Self::Always(action),
            Some(Fallback::Class(_)) => Self::ByClass,
        }
    }

    /// For resources and prompts.
    pub(super) fn of_others(default: Option<Fallback>) -> Self {
        match default {
            Some(Fallback::Class(table)) => Self::Always(table.of(Some(Class::ReadLow)).action),
            other => Self::of_tools(other),
        }
    }

    fn is(self, action: Action) -> bool {
        self == Self::Always(action)
    }
}

/// Reads the rules of one section such as `servers.web.tools`. Where it is not known what holds without a rule, dead
/// rules are not looked for.
pub(super) fn rule_set(path: &str, raw: &RawRules, rest: Rest, report: &Report) -> RuleSet {
    let rules: Vec<(At<Pattern>, Vec<Rule>)> =
        raw.iter().filter_map(|(text, rules)| Some((pattern(text, report)?, rules.clone()))).collect();
    if rest != Rest::Unknown {
        let plain: Vec<_> = rules.iter().map(|(pattern, rules)| (pattern.clone(), plain(rules))).collect();
        for (pattern, action) in &plain {
            let Some(action) = action else { continue };
            if let Some(why) = idle(&plain, &pattern.value, *action, rest) {
                let message =
                    format!("the rule {} has no effect", quoted(&format!("{path}.{}", pattern.value)));
                report.error(pattern.place, message, format!("remove it: {why}"));
            }
        }
    }
    RuleSet::new(rules.into_iter().map(|(pattern, rules)| (pattern.value, rules)).collect())
}

/// Reads what the operator says of tools; the first pattern that matches counts.
pub(super) fn said<T: Copy>(path: &str, raw: &[(At<String>, At<T>)], report: &Report) -> Vec<(Pattern, T)> {
    let mut all: Vec<(Pattern, T)> = Vec::new();
    for (text, said) in raw {
        let Some(pattern) = pattern(text, report) else { continue };
        if let Some((earlier, _)) = all.iter().find(|(earlier, _)| covers(earlier, &pattern.value)) {
            let message = format!("{} has no effect", quoted(&format!("{path}.{}", pattern.value)));
            let hint = format!("`{earlier}` stands before it and matches all of it; move this line up");
            report.error(pattern.place, message, hint);
        }
        all.push((pattern.value, said.value));
    }
    all
}

fn pattern(text: &At<String>, report: &Report) -> Option<At<Pattern>> {
    match Pattern::parse(&text.value) {
        Ok(value) => Some(At { value, place: text.place }),
        Err(error) => {
            let message = format!("bad pattern {}: {error}", quoted(&text.value));
            report.error(text.place, message, "write a name, with `*` for any run of characters");
            None
        }
    }
}

/// The action that holds for everybody at all times, whatever the arguments.
fn plain(rules: &[Rule]) -> Option<Action> {
    match rules {
        [only] if only.is_plain() => Some(only.action),
        _ => None,
    }
}

/// Why every name gets the same answer without this rule, if so. Exact, not a guess: see [`covers`] and [`overlap`].
/// Rules without an action that always holds may do anything, so that nothing is said to be idle because of them.
fn idle(
    rules: &[(At<Pattern>, Option<Action>)],
    rule: &Pattern,
    action: Action,
    rest: Rest,
) -> Option<String> {
    let others = || {
        rules.iter().map(|(pattern, action)| (&pattern.value, *action)).filter(|(other, _)| *other != rule)
    };
    let wild = || others().filter(|(other, _)| !other.is_exact());
    // What a rule denies is still offered; what only the default denies is not.
    let listed = action == Action::Deny;
    if rule.is_exact() {
        let without = wild()
            .filter(|(other, _)| other.matches(rule.as_str()))
            .max_by_key(|(_, action)| (action.is_none(), *action));
        return match without {
            Some((other, Some(same))) if same == action => {
                Some(format!("`{other}` says `{}` too", same.word()))
            }
            None if rest.is(action) && !listed => Some(format!("the default is `{}` too", action.word())),
            Some(_) | None => None,
        };
    }
    if let Some((other, stricter)) = wild()
        .filter_map(|(other, stricter)| Some((other, stricter?)))
        .find(|(other, stricter)| *stricter >= action && covers(other, rule))
    {
        return Some(format!("`{other}` matches all of it and says `{}`", stricter.word()));
    }
    let softer =
        wild().any(|(other, softer)| softer.is_none_or(|softer| softer < action) && overlap(other, rule));
    (rest.is(action) && !softer && !listed).then(|| format!("the default is `{}` too", action.word()))
}

/// Does the first pattern match every name the second one matches? A name in which each `*` of the second is a character
/// found nowhere in the first can only be matched by a `*` of the first, which then matches anything in its place.
fn covers(first: &Pattern, second: &Pattern) -> bool {
    let unused = ('\u{e000}'..='\u{f8ff}').find(|c| !first.as_str().contains(*c));
    unused.is_some_and(|unused| first.matches(&second.as_str().replace('*', unused.encode_utf8(&mut [0; 4]))))
}

/// Is there a name both patterns match? O(first × second).
fn overlap(first: &Pattern, second: &Pattern) -> bool {
    let second: Vec<char> = second.as_str().chars().collect();
    // Which beginnings of `second` can end together with the beginning of `first` read so far.
    let mut row = vec![false; second.len() + 1];
    for (at, place) in row.iter_mut().enumerate() {
        *place = second.iter().take(at).all(|c| *c == '*');
    }
    for c in first.as_str().chars() {
        let mut next: Vec<bool> = Vec::with_capacity(row.len());
        for at in 0..row.len() {
            let before = at.checked_sub(1).and_then(|at| second.get(at));
            let above = row.get(at).copied().unwrap_or(false);
            let left = at > 0 && next.last().copied().unwrap_or(false);
            let diagonal = at > 0 && row.get(at - 1).copied().unwrap_or(false);
            let star = c == '*' || before == Some(&'*');
            next.push(if star { above || left } else { diagonal && before == Some(&c) });
        }
        row = next;
    }
    row.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::error::Place;
    use lockgate_model::{Principal, UnixMillis};
    use lockgate_policy::{Asked, Rules, Subject};
    use proptest::prelude::*;

    fn action() -> impl Strategy<Value = Action> {
        prop_oneof![Just(Action::Allow), Just(Action::Ask), Just(Action::Deny), Just(Action::Hide)]
    }

    /// Every name of up to five of three letters.
    fn names() -> Vec<String> {
        let mut names = vec![String::new()];
        for length in 0..5 {
            let longest: Vec<String> = names.iter().filter(|name| name.len() == length).cloned().collect();
            names.extend(longest.iter().flat_map(|name| ["a", "b", "c"].map(|c| format!("{name}{c}"))));
        }
        names
    }

    fn patterns() -> impl Strategy<Value = Pattern> {
        "[ab*]{1,4}".prop_filter_map("pattern", |text| Pattern::parse(&text).ok())
    }

    proptest! {
        #[test]
        fn covers_and_overlap_agree_with_all_short_names(first in patterns(), second in patterns()) {
            let names = names();
            let all = names.iter().filter(|name| second.matches(name)).all(|name| first.matches(name));
            prop_assert_eq!(covers(&first, &second), all, "{} covers {}", first, second);
            let any = names.iter().any(|name| second.matches(name) && first.matches(name));
            if any || first.as_str().len() + second.as_str().len() <= 6 {
                prop_assert_eq!(overlap(&first, &second), any, "{} overlaps {}", first, second);
            }
        }

        #[test]
        fn a_rule_said_to_be_idle_is_needed_by_no_name(
            rules in proptest::collection::btree_map("[ab*]{1,3}", action(), 1..5),
            denies in any::<bool>(),
        ) {
            let default = if denies { Action::Deny } else { Action::Allow };
            let rules: Vec<(At<Pattern>, Option<Action>)> = rules.into_iter()
                .filter_map(|(text, action)| {
                    let value = Pattern::parse(&text).ok()?;
                    Some((At { value, place: Place::default() }, Some(action)))
                }).collect();
            let decide = |rules: Vec<(Pattern, Action)>, name: &str| {
                let tools = RuleSet::plain(rules);
                let rules = Rules { default: default.into(), tools, ..Rules::allow_all() };
                let who = Principal::new("local");
                let asked = Asked { principal: &who, at: UnixMillis(0), arguments: None, class: None };
                let answer = rules.decide(Subject::Tool, name, &asked);
                (answer.action, answer.action == Action::Deny && answer.by.is_none())
            };
            for (pattern, action) in &rules {
                let all: Vec<_> = rules.iter().filter_map(|(p, a)| Some((p.value.clone(), (*a)?))).collect();
                let less: Vec<_> = all.iter().filter(|(p, _)| *p != pattern.value).cloned().collect();
                let needed = names().iter().any(|name| decide(all.clone(), name) != decide(less.clone(), name));
                let said = idle(&rules, &pattern.value, (*action).unwrap_or(default), Rest::Always(default)).is_some();
                prop_assert!(!(said && needed), "{} is said to be idle and is needed", pattern.value);
                // Of three rules, two together may leave nothing for the third: that is not looked for.
                prop_assert!(said || needed || rules.len() > 2, "{} is idle and not said to be", pattern.value);
            }
        }
    }
}
