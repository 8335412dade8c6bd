use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use lockgate_model::{Class, Classified, Json, Principal, UnixMillis};

use crate::budget::Limit;
use crate::test::{Conditions, Outcome};
use crate::{ClassTable, Hours, Index, Pattern, Treatment};

/// What the operator wants done. Ordered: the stricter is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Pass.
    Allow,
    /// Ask a person first.
    Ask,
    /// Refuse, and say so.
    Deny,
    /// Refuse, and act as if it did not exist.
    Hide,
}

impl Action {
    /// The word used in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
            Self::Hide => "hide",
        }
    }
}

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A tool, by name.
    Tool,
    /// A resource, by address.
    Resource,
    /// A prompt, by name.
    Prompt,
}

/// One call as rules see it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Who the agent acts for.
    pub principal: &'a Principal,
    /// When.
    pub at: UnixMillis,
    /// The arguments; none where there are none, or where only the name matters.
    pub arguments: Option<Json<'a>>,
    /// The class of the tool, for a default that goes by it. None where it does not matter; where it does, the tool then
    /// counts as the worst.
    pub class: Option<Classified>,
}

/// What one rule wants. A rule that is for somebody else, or holds at other hours, is as if it were not written.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What is done with a call that nothing below stands against.
    pub action: Action,
    /// Whom it is for; none: everybody.
    pub principals: Option<BTreeSet<Principal>>,
    /// When it holds; none: always.
    pub during: Option<Hours>,
    /// What must hold of the arguments, else the call is denied.
    pub require: Option<Conditions>,
    /// A call that one of these matches is denied, as is one that cannot be evaluated.
    pub deny_if: Vec<Conditions>,
    /// A call that one of these matches is held for a person, as is one that cannot be evaluated.
    pub ask_if: Vec<Conditions>,
    /// How often, how much, how many at once.
    pub limits: Vec<Limit>,
    /// How many different people must approve a held call. At least 1.
    pub approvers: u8,
    /// What the agent is told where this rule denies.
    pub on_deny: Option<Arc<str>>,
}

impl From<Action> for Rule {
    fn from(action: Action) -> Self {
        Self {
            action,
            principals: None,
            during: None,
            require: None,
            deny_if: Vec::new(),
            ask_if: Vec::new(),
            limits: Vec::new(),
            approvers: 1,
            on_deny: None,
        }
    }
}

impl Rule {
    /// Is it only an action, for everybody and at all times?
    pub fn is_plain(&self) -> bool {
        self.principals.is_none()
            && self.during.is_none()
            && self.require.is_none()
            && self.deny_if.is_empty()
            && self.ask_if.is_empty()
            && self.limits.is_empty()
    }

    fn holds_for(&self, asked: &Asked<'_>) -> bool {
        self.principals.as_ref().is_none_or(|all| all.contains(asked.principal))
            && self.during.is_none_or(|hours| hours.include(asked.at))
    }

    /// The strictest of what it says. What cannot be evaluated is refused or held, never passed over.
    fn decide(&self, asked: &Asked<'_>) -> (Action, Why<'_>) {
        if self.action >= Action::Deny {
            return (self.action, Why::Action);
        }
        let required = self.require.iter().map(|conditions| conditions.require(asked.arguments));
        if let Some(outcome) = required.into_iter().find(Outcome::refuses_requirement) {
            return (Action::Deny, Why::Require(outcome));
        }
        let barred = self.deny_if.iter().map(|conditions| conditions.matches(asked.arguments));
        if let Some(outcome) = barred.into_iter().find(Outcome::is_match) {
            return (Action::Deny, Why::DenyIf(outcome));
        }
        let held = self.ask_if.iter().map(|conditions| conditions.matches(asked.arguments));
        match held.into_iter().find(Outcome::is_match) {
            Some(outcome) if self.action < Action::Ask => (Action::Ask, Why::AskIf(outcome)),
            _ => (self.action, Why::Action),
        }
    }
}

/// Which part of a rule decided. What it says of arguments holds nothing the agent sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why<'a> {
    /// Its action.
    Action,
    /// A requirement that does not hold or cannot be evaluated.
    Require(Outcome<'a>),
    /// A condition that denies.
    DenyIf(Outcome<'a>),
    /// A condition that asks.
    AskIf(Outcome<'a>),
    /// No rule, but the class of the tool.
    Class(Classified),
}

impl Why<'_> {
    /// The key in the configuration; none where the rule's action decided.
    pub fn key(&self) -> Option<&'static str> {
        match self {
            Self::Action => None,
            Self::Class(classified) => Some(classified.class.word()),
            Self::Require(_) => Some("require"),
            Self::DenyIf(_) => Some("deny_if"),
            Self::AskIf(_) => Some("ask_if"),
        }
    }
}

/// For people: which test on which argument, or which class. Empty where the rule's action decided.
impl fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Action => Ok(()),
            Self::Class(classified) => write!(f, "its class is {classified}"),
            Self::DenyIf(outcome) | Self::AskIf(outcome) if *outcome == Outcome::Holds => {
                f.write_str("every test matches")
            }
            Self::Require(outcome) | Self::DenyIf(outcome) | Self::AskIf(outcome) => write!(f, "{outcome}"),
        }
    }
}

/// Where a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The pattern it stands under.
    pub pattern: &'a Pattern,
    /// Which of several rules under it; none where it is the only one.
    pub number: Option<usize>,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => write!(f, "{}[{number}]", self.pattern),
            None => write!(f, "{}", self.pattern),
        }
    }
}

/// The answer, and what gave it.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// What is wanted.
    pub action: Action,
    /// The rule that decided; none where the server's default did.
    pub by: Option<Place<'a>>,
    /// Which part of it.
    pub why: Why<'a>,
    /// How many different people must approve, where the call is held.
    pub approvers: u8,
    /// What the operator wants said.
    pub on_deny: Option<&'a Arc<str>>,
}

/// What holds where no rule matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// The same for everything.
    Action(Action),
    /// It goes by the class of the tool. A resource or prompt counts as `read-low`.
    Class(ClassTable),
}

impl From<Action> for Fallback {
    fn from(action: Action) -> Self {
        Self::Action(action)
    }
}

impl Fallback {
    /// The word used in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Action(action) => action.word(),
            Self::Class(_) => "class",
        }
    }

    fn most_approvers(self) -> u8 {
        match self {
            Self::Action(_) => 1,
            Self::Class(table) => {
                Class::ALL.map(|class| table.of(Some(class)).approvers).into_iter().max().unwrap_or(1)
            }
        }
    }

    fn answer<'a>(self, subject: Subject, asked: &Asked<'_>) -> Answer<'a> {
        let (treatment, why) = match (self, subject) {
            (Self::Action(action), _) => (Treatment::from(action), Why::Action),
            (Self::Class(table), Subject::Tool) => (
                table.of(asked.class.map(|classified| classified.class)),
                asked.class.map_or(Why::Action, Why::Class),
            ),
            (Self::Class(table), Subject::Resource | Subject::Prompt) => {
                (table.of(Some(Class::ReadLow)), Why::Action)
            }
        };
        let Treatment { action, approvers } = treatment;
        Answer { action, by: None, why, approvers, on_deny: None }
    }
}

/// The rules for one kind of subject. Their order has no meaning: an exact name goes before patterns, and of several
/// patterns that match the strictest counts. So a deny rule added never allows more.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    entries: Vec<(Pattern, Vec<Rule>)>,
    exact: BTreeMap<String, usize>,
    /// Patterns by what stands before their first `*`, and the lengths that occur.
    wild: BTreeMap<String, Vec<usize>>,
    lengths: BTreeSet<usize>,
    /// Patterns that begin with `*`.
    loose: Index,
    limited: bool,
}

impl RuleSet {
    /// Takes rules whose patterns all differ. Several rules under one pattern count together.
    pub fn new(entries: Vec<(Pattern, Vec<Rule>)>) -> Self {
        let mut set = Self { entries, ..Self::default() };
        set.limited = set.entries.iter().any(|(_, rules)| rules.iter().any(|rule| !rule.limits.is_empty()));
        for (place, (pattern, _)) in set.entries.iter().enumerate() {
            if pattern.is_exact() {
                set.exact.insert(pattern.as_str().to_owned(), place);
            } else if !pattern.prefix().is_empty() {
                let prefix = pattern.prefix();
                set.lengths.insert(prefix.len());
                set.wild.entry(prefix.to_owned()).or_default().push(place);
            }
        }
        let loose = set.entries.iter().map(|(pattern, _)| pattern).enumerate();
        set.loose =
            Index::new(loose.filter(|(_, pattern)| !pattern.is_exact() && pattern.prefix().is_empty()));
        set
    }

    /// Takes actions that hold for everybody, whatever the arguments.
    pub fn plain(actions: Vec<(Pattern, Action)>) -> Self {
        Self::new(actions.into_iter().map(|(pattern, action)| (pattern, vec![action.into()])).collect())
    }

    /// Every rule, as written.
    pub fn iter(&self) -> impl Iterator<Item = &(Pattern, Vec<Rule>)> {
        self.entries.iter()
    }

    /// The same patterns with other rules.
    #[must_use]
    pub fn map(&self, change: impl Fn(&Rule) -> Rule) -> Self {
        let changed =
            |(pattern, rules): &(Pattern, Vec<Rule>)| (pattern.clone(), rules.iter().map(&change).collect());
        Self::new(self.entries.iter().map(changed).collect())
    }

    /// The rules that could count for a call of this name, whoever calls and when: those under its exact name, and those
    /// under every pattern that matches unless a rule under the name always holds.
    pub fn about(&self, name: &str) -> Vec<(Place<'_>, &Rule)> {
        let always = |(pattern, rules): &&(Pattern, Vec<Rule>)| {
            pattern.is_exact() && rules.iter().any(|rule| rule.principals.is_none() && rule.during.is_none())
        };
        let matching = || self.entries.iter().filter(|(pattern, _)| pattern.matches(name));
        let alone = matching().any(|entry| always(&entry));
        matching()
            .filter(|(pattern, _)| pattern.is_exact() || !alone)
            .flat_map(|(pattern, rules)| {
                let several = rules.len() > 1;
                let place = move |number| Place { pattern, number: several.then_some(number) };
                rules.iter().enumerate().map(move |(number, rule)| (place(number), rule))
            })
            .collect()
    }

    /// The rules that count for this call: those under its exact name, else those under every pattern that matches.
    fn counting<'a>(&'a self, name: &str, asked: &Asked<'_>) -> Vec<(Place<'a>, &'a Rule)> {
        let mut found = Vec::new();
        if let Some(place) = self.exact.get(name) {
            self.add(*place, asked, &mut found);
        }
        if found.is_empty() {
            let near = self.lengths.iter().filter_map(|length| self.wild.get(name.get(..*length)?)).flatten();
            for place in near.copied().chain(self.loose.about(name)) {
                if self.entries.get(place).is_some_and(|(pattern, _)| pattern.matches(name)) {
                    self.add(place, asked, &mut found);
                }
            }
        }
        found
    }

    fn add<'a>(&'a self, place: usize, asked: &Asked<'_>, found: &mut Vec<(Place<'a>, &'a Rule)>) {
        let Some((pattern, rules)) = self.entries.get(place) else { return };
        for (number, rule) in rules.iter().enumerate() {
            if rule.holds_for(asked) {
                let number = (rules.len() > 1).then_some(number);
                found.push((Place { pattern, number }, rule));
            }
        }
    }

    fn decide(&self, name: &str, asked: &Asked<'_>) -> Option<Answer<'_>> {
        let mut strictest: Option<Answer<'_>> = None;
        let mut approvers = 1;
        for (place, rule) in self.counting(name, asked) {
            let (action, why) = rule.decide(asked);
            approvers = approvers.max(rule.approvers);
            let answer =
                Answer { action, by: Some(place), why, approvers: 1, on_deny: rule.on_deny.as_ref() };
            // Of equals the first by name, so that the order in the file makes no difference to what is said either.
            let order = |answer: &Answer<'_>| {
                (
                    answer.action,
                    std::cmp::Reverse(
                        answer.by.map(|place| (place.pattern.as_str().to_owned(), place.number)),
                    ),
                )
            };
            if strictest.as_ref().is_none_or(|earlier| order(&answer) > order(earlier)) {
                strictest = Some(answer);
            }
        }
        strictest.map(|answer| Answer { approvers, ..answer })
    }
}

/// All rules for one server.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What holds where no rule matches.
    pub default: Fallback,
    /// Rules for tools.
    pub tools: RuleSet,
    /// Rules for resources.
    pub resources: RuleSet,
    /// Rules for prompts.
    pub prompts: RuleSet,
}

impl Rules {
    /// Rules that let everything pass, for a server with none.
    pub fn allow_all() -> Self {
        Self {
            default: Action::Allow.into(),
            tools: RuleSet::default(),
            resources: RuleSet::default(),
            prompts: RuleSet::default(),
        }
    }

    fn set(&self, subject: Subject) -> &RuleSet {
        match subject {
            Subject::Tool => &self.tools,
            Subject::Resource => &self.resources,
            Subject::Prompt => &self.prompts,
        }
    }

    /// What the operator wants done with it, and which rule says so.
    pub fn decide(&self, subject: Subject, name: &str, asked: &Asked<'_>) -> Answer<'_> {
        self.set(subject).decide(name, asked).unwrap_or_else(|| self.default.answer(subject, asked))
    }

    /// Does any rule for tools limit anything?
    pub fn has_limits(&self) -> bool {
        self.tools.limited
    }

    /// The most people that any rule wants to approve.
    pub fn most_approvers(&self) -> u8 {
        let sets = [&self.tools, &self.resources, &self.prompts];
        let rules = sets.into_iter().flat_map(|set| set.entries.iter().flat_map(|(_, rules)| rules));
        rules.map(|rule| rule.approvers).max().unwrap_or(1).max(self.default.most_approvers())
    }

    /// The limits that a call counts against, with the rule each belongs to.
    pub fn limits(&self, subject: Subject, name: &str, asked: &Asked<'_>) -> Vec<(Place<'_>, &Rule, &Limit)> {
        let counting = self.set(subject).counting(name, asked);
        let limits = counting.into_iter();
        limits.flat_map(|(place, rule)| rule.limits.iter().map(move |limit| (place, rule, limit))).collect()
    }

    /// May the subject be listed for this principal? What can never be used is not; what a rule of its own denies is,
    /// so that the agent learns why, and so is a tool whose class is denied. Arguments do not matter.
    pub fn lists(&self, subject: Subject, name: &str, asked: &Asked<'_>) -> bool {
        let counting = self.set(subject).counting(name, asked);
        match counting.iter().map(|(_, rule)| rule.action).max() {
            Some(action) => action != Action::Hide,
            None => match (self.default, subject) {
                (Fallback::Action(action), _) => action < Action::Deny,
                (Fallback::Class(_), Subject::Tool) => true,
                (Fallback::Class(table), Subject::Resource | Subject::Prompt) => {
                    table.of(Some(Class::ReadLow)).action < Action::Deny
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::{Operator, Selector, Test, Value};
    use lockgate_model::{Sign, Tier};
    use proptest::prelude::*;

    fn set(rules: &[(&str, Action)]) -> RuleSet {
        RuleSet::plain(rules.iter().map(|(p, a)| (Pattern::parse(p).unwrap(), *a)).collect())
    }

    fn tools(default: Action, rules: RuleSet) -> Rules {
        Rules { default: default.into(), tools: rules, ..Rules::allow_all() }
    }

    fn decide(rules: &Rules, name: &str, principal: &str, arguments: &str) -> Action {
        let principal = Principal::new(principal);
        let arguments = Json::check(arguments.as_bytes(), 10).ok();
        rules
            .decide(
                Subject::Tool,
                name,
                &Asked { principal: &principal, at: UnixMillis(0), arguments, class: None },
            )
            .action
    }

    #[test]
    fn exact_names_go_before_patterns_and_the_strictest_pattern_counts() {
        let rules = tools(
            Action::Deny,
            set(&[
                ("delete_*", Action::Deny),
                ("delete_draft", Action::Allow),
                ("*_all", Action::Hide),
                ("read_*", Action::Allow),
            ]),
        );
        for (name, action) in [
            ("delete_draft", Action::Allow),
            ("delete_user", Action::Deny),
            ("delete_all", Action::Hide),
            ("read_x", Action::Allow),
            ("write", Action::Deny),
        ] {
            assert_eq!(decide(&rules, name, "a", "{}"), action, "{name}");
        }
    }

    fn equals(argument: &str, text: &str) -> Conditions {
        let only = Test::new(vec![Operator::equals(Value::Text(text.to_owned()))]).unwrap();
        Conditions::new(vec![(Selector::parse(argument).unwrap(), only)]).unwrap()
    }

    #[test]
    fn every_part_of_a_rule_counts() {
        let rule = Rule {
            require: Some(equals("branch", "main")),
            deny_if: vec![equals("mode", "force")],
            ask_if: vec![equals("mode", "big")],
            ..Rule::from(Action::Allow)
        };
        let push = Pattern::parse("push").unwrap();
        let rules = tools(Action::Deny, RuleSet::new(vec![(push, vec![rule])]));
        for (arguments, action) in [
            (r#"{"branch":"main"}"#, Action::Allow),
            (r#"{"branch":"dev"}"#, Action::Deny),
            ("{}", Action::Deny),
            (r#"{"branch":["main"]}"#, Action::Deny),
            (r#"{"branch":"main","mode":"force"}"#, Action::Deny),
            (r#"{"branch":"main","mode":"big"}"#, Action::Ask),
            (r#"{"branch":"main","mode":"x"}"#, Action::Allow),
        ] {
            assert_eq!(decide(&rules, "push", "a", arguments), action, "{arguments}");
        }
    }

    #[test]
    fn a_rule_for_somebody_else_is_not_there() {
        let only = |names: &[&str], action| Rule {
            principals: Some(names.iter().map(|name| Principal::new(name)).collect()),
            ..Rule::from(action)
        };
        let rules = tools(
            Action::Deny,
            RuleSet::new(vec![
                (
                    Pattern::parse("x").unwrap(),
                    vec![only(&["bob"], Action::Deny), only(&["carol"], Action::Hide)],
                ),
                (Pattern::parse("x*").unwrap(), vec![only(&["alice", "bob"], Action::Allow)]),
            ]),
        );
        for (who, action) in
            [("alice", Action::Allow), ("bob", Action::Deny), ("carol", Action::Hide), ("dave", Action::Deny)]
        {
            assert_eq!(decide(&rules, "x", who, "{}"), action, "{who}");
        }
    }

    #[test]
    fn a_default_by_class_goes_behind_rules_and_says_the_class() {
        let mut rules = tools(Action::Deny, set(&[("read_*", Action::Deny)]));
        rules.default = Fallback::Class(ClassTable::new(Tier::Mixed, &[]));
        let principal = Principal::new("a");
        let ask = |subject, name, class: Option<Class>| {
            let class = class.map(|class| Classified { class, sign: Sign::Name("x") });
            let asked = Asked { principal: &principal, at: UnixMillis(0), arguments: None, class };
            let answer = rules.decide(subject, name, &asked);
            (answer.action, answer.why.key(), answer.why.to_string())
        };
        let said = |class: &str| format!("its class is {class}, by its name (`x`)");
        for (name, class, action, key, why) in [
            ("read_x", Some(Class::ReadLow), Action::Deny, None, String::new()),
            ("x", Some(Class::ReadLow), Action::Allow, Some("read-low"), said("read-low")),
            ("x", Some(Class::WriteLow), Action::Ask, Some("write-low"), said("write-low")),
            ("x", None, Action::Ask, None, String::new()),
        ] {
            assert_eq!(ask(Subject::Tool, name, class), (action, key, why), "{name} {class:?}");
        }
        assert_eq!(ask(Subject::Resource, "x", None), (Action::Allow, None, String::new()));
    }

    #[test]
    fn rules_about_a_name_are_all_that_could_count() {
        let hidden = Rule { principals: Some([Principal::new("bob")].into()), ..Rule::from(Action::Hide) };
        let allow = || Rule::from(Action::Allow);
        let rules = RuleSet::new(vec![
            (Pattern::parse("a").unwrap(), vec![hidden]),
            (Pattern::parse("ab").unwrap(), vec![allow(), allow()]),
            (Pattern::parse("a*").unwrap(), vec![allow()]),
            (Pattern::parse("b*").unwrap(), vec![allow()]),
        ]);
        let about = |name| rules.about(name).iter().map(|(place, _)| place.to_string()).collect::<Vec<_>>();
        assert_eq!(about("a"), ["a", "a*"], "bob's rule leaves the others to the pattern");
        assert_eq!(about("ab"), ["ab[0]", "ab[1]"]);
        assert_eq!(about("c"), [""; 0]);
    }

    fn action() -> impl Strategy<Value = Action> {
        prop_oneof![Just(Action::Allow), Just(Action::Ask), Just(Action::Deny), Just(Action::Hide)]
    }

    fn rule() -> impl Strategy<Value = Rule> {
        let conditions = || ("[xy]", "[xy]").prop_map(|(argument, text)| equals(&argument, &text));
        let who = proptest::option::of(proptest::collection::btree_set("[ab]", 1..3));
        (
            action(),
            who,
            proptest::option::of(conditions()),
            proptest::collection::vec(conditions(), 0..2),
            proptest::collection::vec(conditions(), 0..2),
        )
            .prop_map(|(action, who, require, deny_if, ask_if)| Rule {
                principals: who.map(|who| who.iter().map(|name| Principal::new(name)).collect()),
                require,
                deny_if,
                ask_if,
                ..Rule::from(action)
            })
    }

    proptest! {
        #[test]
        fn a_decision_is_that_of_trying_every_pattern(
            rules in proptest::collection::btree_map("[ab*]{1,5}", action(), 0..8), name in "[ab]{0,6}",
        ) {
            let rules: Vec<(Pattern, Action)> =
                rules.into_iter().filter_map(|(p, action)| Some((Pattern::parse(&p).ok()?, action))).collect();
            let exact = rules.iter().find(|(pattern, _)| pattern.as_str() == name).map(|(_, action)| *action);
            let matching = rules.iter().filter(|(pattern, _)| pattern.matches(&name)).map(|(_, action)| *action);
            let wanted = exact.or(matching.max()).unwrap_or(Action::Allow);
            prop_assert_eq!(decide(&tools(Action::Allow, RuleSet::plain(rules)), &name, "a", "{}"), wanted);
        }

        #[test]
        fn a_deny_rule_added_never_allows_more_and_order_has_no_meaning(
            rules in proptest::collection::btree_map("[ab*]{1,4}", proptest::collection::vec(rule(), 1..3), 0..6),
            extra in "[ab*]{1,4}",
            denying in rule(),
            name in "[ab]{0,5}",
            arguments in prop_oneof![Just("{}"), Just(r#"{"x":"x"}"#), Just(r#"{"x":"y","y":"x"}"#), Just(r#"{"x":1}"#)],
        ) {
            let rules: Vec<_> = rules.into_iter()
                .filter_map(|(p, rules)| Some((Pattern::parse(&p).ok()?, rules))).collect();
            let Ok(extra) = Pattern::parse(&extra) else { return Ok(()) };
            let decide = |rules: &[(Pattern, Vec<Rule>)]| {
                decide(&tools(Action::Allow, RuleSet::new(rules.to_vec())), &name, "a", arguments)
            };
            let before = decide(&rules);
            let mut reversed = rules.clone();
            reversed.reverse();
            for (_, rules) in &mut reversed {
                rules.reverse();
            }
            prop_assert_eq!(before, decide(&reversed));
            let denying = Rule { action: Action::Deny, ..denying };
            let mut more = rules;
            match more.iter_mut().find(|(pattern, _)| *pattern == extra) {
                Some((_, rules)) => rules.push(denying),
                None => more.push((extra, vec![denying])),
            }
            let after = decide(&more);
            prop_assert!(after >= before || (before == Action::Hide && after == Action::Deny));
        }
    }
}
