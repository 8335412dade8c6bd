//! Rules, effects and classes: patterns are read, and every rule must be able to have an effect.

use std::collections::BTreeMap;

use lockgate_core::Server;
use lockgate_model::{Class, ServerName};
use lockgate_policy::{Action, Fallback, Index, Pattern, Rule, RuleSet};

use super::error::{At, Report, perhaps, quoted};
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
        let all = Plain::new(&plain);
        for (place, (pattern, action)) in plain.iter().enumerate() {
            let Some(action) = action else { continue };
            if let Some(why) = all.idle(place, &pattern.value, *action, rest) {
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
    let (patterns, said): (Vec<At<Pattern>>, Vec<T>) =
        raw.iter().filter_map(|(text, said)| Some((pattern(text, report)?, said.value))).unzip();
    covered(&patterns, |pattern| format!("{path}.{pattern}"), report);
    patterns.into_iter().map(|pattern| pattern.value).zip(said).collect()
}

/// Says which patterns stand behind one that matches all they match. `whole` names what stands under a pattern.
pub(super) fn covered(patterns: &[At<Pattern>], whole: impl Fn(&Pattern) -> String, report: &Report) {
    let index = Index::new(patterns.iter().map(|pattern| &pattern.value).enumerate());
    for (place, pattern) in patterns.iter().enumerate() {
        let mut earlier = index.about(pattern.value.as_str()).into_iter().filter(|earlier| *earlier < place);
        let covering = earlier.find_map(|earlier| {
            patterns
                .get(earlier)
                .map(|earlier| &earlier.value)
                .filter(|earlier| covers(earlier, &pattern.value))
        });
        if let Some(earlier) = covering {
            let message = format!("{} has no effect", quoted(&whole(&pattern.value)));
            let hint = format!("`{earlier}` stands before it and matches all of it; move this line up");
            report.error(pattern.place, message, hint);
        }
    }
}

/// A name, with `*` for any run of characters.
pub(super) fn pattern(text: &At<String>, report: &Report) -> Option<At<Pattern>> {
    match Pattern::parse(&text.value) {
        Ok(value) => Some(At { value, place: text.place }),
        Err(error) => {
            let message = format!("bad pattern {}: {error}", quoted(&text.value));
            report.error(text.place, message, "write a name, with `*` for any run of characters");
            None
        }
    }
}

/// Servers by a pattern, which must match one that is configured.
pub(super) fn servers(
    text: &At<String>,
    servers: &BTreeMap<ServerName, Server>,
    report: &Report,
) -> Option<Pattern> {
    let pattern = pattern(text, report)?.value;
    if !servers.keys().any(|server| pattern.matches(server.as_str())) {
        no_server("server", text, servers, report);
    }
    Some(pattern)
}

/// The server of a name, which must be configured.
pub(super) fn server(
    key: &str,
    name: &At<String>,
    servers: &BTreeMap<ServerName, Server>,
    report: &Report,
) -> Option<ServerName> {
    let found = ServerName::parse(&name.value).filter(|server| servers.contains_key(server));
    if found.is_none() {
        no_server(key, name, servers, report);
    }
    found
}

fn no_server(key: &str, name: &At<String>, servers: &BTreeMap<ServerName, Server>, report: &Report) {
    let known: Vec<_> = servers.keys().map(ServerName::as_str).collect();
    let message = format!("`{key}` names {}, which is no server", quoted(&name.value));
    let hint = format!("{}write one of {}", perhaps(&name.value, &known), known.join(", "));
    report.error(name.place, message, hint);
}

/// The action that holds for everybody at all times, whatever the arguments.
fn plain(rules: &[Rule]) -> Option<Action> {
    match rules {
        [only] if only.is_plain() => Some(only.action),
        _ => None,
    }
}

/// Rules, each with the action that always holds, if it has one.
struct Plain<'r> {
    rules: &'r [(At<Pattern>, Option<Action>)],
    wild: Index,
    /// Patterns by their prefix.
    prefixes: BTreeMap<&'r str, Vec<usize>>,
}

impl<'r> Plain<'r> {
    fn new(rules: &'r [(At<Pattern>, Option<Action>)]) -> Self {
        let wild = rules.iter().map(|(pattern, _)| &pattern.value).enumerate();
        let wild = wild.filter(|(_, pattern)| !pattern.is_exact());
        let mut prefixes: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (place, pattern) in wild.clone() {
            prefixes.entry(pattern.prefix()).or_default().push(place);
        }
        Self { rules, wild: Index::new(wild), prefixes }
    }

    /// Why every name gets the same answer without this rule, if so. Exact, not a guess: see [`covers`] and [`overlap`].
    /// Rules without an action that always holds may do anything, so that nothing is said to be idle because of them.
    fn idle(&self, place: usize, rule: &Pattern, action: Action, rest: Rest) -> Option<String> {
        // Looks at few of the others, in their order: of several reasons the first is said.
        let others = || {
            let near = self.wild.about(rule.as_str()).into_iter().filter(|other| *other != place);
            near.filter_map(|other| self.rules.get(other)).map(|(pattern, action)| (&pattern.value, *action))
        };
        // What a rule denies is still offered; what only the default denies is not.
        let listed = action == Action::Deny;
        if rule.is_exact() {
            let without = others()
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
        if let Some((other, stricter)) = others()
            .filter_map(|(other, stricter)| Some((other, stricter?)))
            .find(|(other, stricter)| *stricter >= action && covers(other, rule))
        {
            return Some(format!("`{other}` matches all of it and says `{}`", stricter.word()));
        }
        let idle = rest.is(action) && !listed && !self.overlaps_softer(place, rule, action);
        idle.then(|| format!("the default is `{}` too", action.word()))
    }

    /// Is there a name that this pattern matches and a softer one too?
    fn overlaps_softer(&self, place: usize, rule: &Pattern, action: Action) -> bool {
        let prefix = rule.prefix();
        let shorter = prefix.char_indices().map(|(end, _)| prefix.get(..end).unwrap_or_default());
        let shorter = shorter.filter_map(|shorter| self.prefixes.get(shorter));
        let longer = self.prefixes.range(prefix..).take_while(|(longer, _)| longer.starts_with(prefix));
        let mut near =
            shorter.chain(longer.map(|(_, places)| places)).flatten().filter(|other| **other != place);
        near.any(|other| {
            self.rules.get(*other).is_some_and(|(other, softer)| {
                softer.is_none_or(|softer| softer < action) && overlap(&other.value, rule)
            })
        })
    }
}

/// Does the first pattern match every name the second one matches? A name in which each `*` of the second is a character
/// found nowhere in the first can only be matched by a `*` of the first, which then matches anything in its place.
fn covers(first: &Pattern, second: &Pattern) -> bool {
    let unused = ('\u{e000}'..='\u{f8ff}').find(|c| !first.as_str().contains(*c));
    unused.is_some_and(|unused| first.matches(&second.as_str().replace('*', unused.encode_utf8(&mut [0; 4]))))
}

/// Is there a name both patterns match? Where both have a `*`, their ends decide: between ends that agree a name can hold
/// all other parts of the one and then all of the other.
fn overlap(first: &Pattern, second: &Pattern) -> bool {
    if first.is_exact() {
        return second.matches(first.as_str());
    }
    if second.is_exact() {
        return first.matches(second.as_str());
    }
    let (a, b) = (first.prefix(), second.prefix());
    let [c, d] = [first, second].map(|pattern| pattern.as_str().rsplit('*').next().unwrap_or_default());
    (a.starts_with(b) || b.starts_with(a)) && (c.ends_with(d) || d.ends_with(c))
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
        fn nothing_that_matches_is_passed_over(
            patterns in proptest::collection::vec(patterns(), 1..8), second in "[ab*]{1,6}",
        ) {
            let about = Index::new(patterns.iter().enumerate()).about(&second);
            let Ok(second) = Pattern::parse(&second) else { return Ok(()) };
            for (place, first) in patterns.iter().enumerate() {
                prop_assert!(about.contains(&place) || !covers(first, &second), "{} covers {}", first, second);
            }
            prop_assert!(about.is_sorted());
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
            let plain = Plain::new(&rules);
            for (place, (pattern, action)) in rules.iter().enumerate() {
                let all: Vec<_> = rules.iter().filter_map(|(p, a)| Some((p.value.clone(), (*a)?))).collect();
                let less: Vec<_> = all.iter().filter(|(p, _)| *p != pattern.value).cloned().collect();
                let needed = names().iter().any(|name| decide(all.clone(), name) != decide(less.clone(), name));
                let said = plain.idle(place, &pattern.value, (*action).unwrap_or(default), Rest::Always(default)).is_some();
                prop_assert!(!(said && needed), "{} is said to be idle and is needed", pattern.value);
                // Of three rules, two together may leave nothing for the third: that is not looked for.
                prop_assert!(said || needed || rules.len() > 2, "{} is idle and not said to be", pattern.value);
            }
        }
    }
}
