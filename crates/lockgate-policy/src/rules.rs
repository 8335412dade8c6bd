use crate::Pattern;

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

/// The answer, and the pattern that gave it; no pattern where the server's default did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// What is wanted.
    pub action: Action,
    /// The pattern that decided.
    pub by: Option<&'a Pattern>,
}

/// The rules for one kind of subject. Their order has no meaning: an exact name goes before patterns, and of several
/// patterns that match the strictest counts. So a deny rule added never allows more.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    rules: Vec<(Pattern, Action)>,
}

impl RuleSet {
    /// Takes rules whose patterns all differ.
    pub fn new(rules: Vec<(Pattern, Action)>) -> Self {
        Self { rules }
    }

    /// Every rule, as written.
    pub fn iter(&self) -> impl Iterator<Item = &(Pattern, Action)> {
        self.rules.iter()
    }

    fn find(&self, name: &str) -> Option<Answer<'_>> {
        let exact = self.rules.iter().find(|(pattern, _)| pattern.is_exact() && pattern.as_str() == name);
        let matching = || self.rules.iter().filter(|(pattern, _)| pattern.matches(name));
        let (pattern, action) = exact.or_else(|| matching().max_by_key(|(_, action)| *action))?;
        Some(Answer { action: *action, by: Some(pattern) })
    }
}

/// All rules for one server.
#[derive(Clone, Debug)]
pub struct Rules {
    /// What holds where no rule matches: allow or deny.
    pub default: Action,
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
            default: Action::Allow,
            tools: RuleSet::default(),
            resources: RuleSet::default(),
            prompts: RuleSet::default(),
        }
    }

    /// What the operator wants done with it, and which rule says so.
    pub fn decide(&self, subject: Subject, name: &str) -> Answer<'_> {
        let set = match subject {
            Subject::Tool => &self.tools,
            Subject::Resource => &self.resources,
            Subject::Prompt => &self.prompts,
        };
        set.find(name).unwrap_or(Answer { action: self.default, by: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(rules: &[(&str, Action)]) -> RuleSet {
        RuleSet::new(rules.iter().map(|(p, a)| (Pattern::parse(p).unwrap(), *a)).collect())
    }

    fn tools(default: Action, rules: RuleSet) -> Rules {
        Rules { default, tools: rules, ..Rules::allow_all() }
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
            assert_eq!(rules.decide(Subject::Tool, name).action, action, "{name}");
        }
    }

    fn action() -> impl Strategy<Value = Action> {
        prop_oneof![Just(Action::Allow), Just(Action::Ask), Just(Action::Deny), Just(Action::Hide)]
    }

    proptest! {
        #[test]
        fn a_deny_rule_added_never_allows_more_and_order_has_no_meaning(
            rules in proptest::collection::btree_map("[ab*]{1,4}", action(), 0..6),
            extra in "[ab*]{1,4}",
            name in "[ab]{0,5}",
        ) {
            let rules: Vec<_> = rules.into_iter()
                .filter_map(|(p, a)| Some((Pattern::parse(&p).ok()?, a))).collect();
            let Ok(extra) = Pattern::parse(&extra) else { return Ok(()) };
            prop_assume!(rules.iter().all(|(p, _)| *p != extra));
            let before = tools(Action::Allow, RuleSet::new(rules.clone())).decide(Subject::Tool, &name).action;
            let mut reversed = rules.clone();
            reversed.reverse();
            prop_assert_eq!(before, tools(Action::Allow, RuleSet::new(reversed)).decide(Subject::Tool, &name).action);
            let mut more = rules;
            more.push((extra, Action::Deny));
            let after = tools(Action::Allow, RuleSet::new(more)).decide(Subject::Tool, &name).action;
            prop_assert!(after >= before || before == Action::Hide);
        }
    }
}
