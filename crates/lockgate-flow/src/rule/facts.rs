//! What is known of one call, and which rules it meets.

use std::cell::OnceCell;

use lockgate_model::{Class, Confidentiality, Integrity, ServerName, Tick};

use super::{Bound, Condition, Rule, Said, Sources, Test, Then};
use crate::history::{Grade, History};
use crate::index::Origins;
use crate::judge::Call;
use crate::leaf::leaves;
use crate::role::Role;

/// Most arguments of one call that are weighed. Of a call with more of them nothing can be told.
const MOST: usize = 64;
/// Fewest bytes that make a copy.
const COPY: usize = 32;
/// Shortest value that comes from somewhere, in characters.
const SHORTEST: usize = 3;
/// Longest value that is looked for as a whole; in longer ones copies are looked for. Bytes.
const WHOLE: usize = 200;

/// One call, and the session it is made in. Arguments are weighed only if a rule asks for them, and once.
#[derive(Debug)]
pub struct Facts<'f> {
    /// What the session has read.
    pub history: &'f History,
    /// The call.
    pub call: &'f Call<'f>,
    /// The name of the tool, as its server says it.
    pub tool: &'f str,
    /// How much harm it can do; none where that is not known.
    pub class: Option<Class>,
    /// Are its definitions signed by their maker? None where that is not known.
    pub signed: Option<bool>,
    /// Is its server where the configuration says? None where that is not known.
    pub origin_verified: Option<bool>,
    /// How unusual what the session did of late is. 0 to 100.
    pub risk: u8,
    /// The time.
    pub now: Tick,
    weighed: OnceCell<Option<Vec<Weighed>>>,
}

/// One value of a call's arguments, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighed {
    /// The argument, as a JSON pointer.
    pub pointer: String,
    /// What it means.
    pub role: Role,
    /// How much it may decide, and where it was seen.
    pub grade: Grade,
    told: Origins,
    defined: Origins,
}

/// A rule that a call meets.
#[derive(Clone, Debug)]
pub struct Matched<'r> {
    /// The rule.
    pub rule: &'r Rule,
    /// The argument that it is about, if it is about one: the first of those it names that stands lowest.
    pub argument: Option<Weighed>,
}

impl<'f> Facts<'f> {
    /// What is known of a call. `class`: how much harm its tool can do; none where that is not known.
    pub fn new(history: &'f History, call: &'f Call<'f>, tool: &'f str, now: Tick) -> Self {
        Self {
            history,
            call,
            tool,
            class: None,
            signed: None,
            origin_verified: None,
            risk: 0,
            now,
            weighed: OnceCell::new(),
        }
    }

    /// Every rule for calls that this one meets, in the order of the rules.
    pub fn meets<'r>(&self, rules: &'r [Rule]) -> Vec<Matched<'r>> {
        let met = rules.iter().filter(|rule| !rule.then.is_for_results() && self.is_met(rule));
        met.map(|rule| Matched { rule, argument: self.about(rule) }).collect()
    }

    fn is_met(&self, rule: &Rule) -> bool {
        let excused = || rule.unless.as_ref().is_some_and(|unless| self.holds(unless) == Some(true));
        self.holds(&rule.when) != Some(false) && !excused()
    }

    /// Do all tests hold? None where that cannot be told, and none of those that can be told fails.
    fn holds(&self, condition: &Condition) -> Option<bool> {
        let mut all = Some(true);
        for test in condition.tests() {
            match self.test(test) {
                Some(false) => return Some(false),
                Some(true) => {}
                None => all = None,
            }
        }
        all
    }

    fn test(&self, test: &Test) -> Option<bool> {
        let label = self.history.label();
        match test {
            Test::Integrity(bound) => Some(bound.holds(label.integrity())),
            Test::Confidentiality(bound) => Some(bound.holds(label.secrecy().level)),
            Test::Compartments(names) => Some(!label.secrecy().compartments.is_disjoint(names)),
            Test::Origins(names) => Some(label.origins().any(|server| names.holds(server))),
            Test::HearsUser(wanted) => Some(self.history.hears_user() == *wanted),
            Test::Risk(bound) => Some(bound.holds(self.risk)),
            Test::Effect(effects) => Some(effects.contains(&self.call.effect)),
            Test::Server(names) => Some(names.holds(self.call.server)),
            Test::Tier(tiers) => Some(tiers.contains(&self.call.trust.tier)),
            Test::Tool(patterns) => Some(patterns.iter().any(|pattern| pattern.matches(self.tool))),
            Test::Class(classes) => Some(classes.contains(&self.class?)),
            Test::Signed(wanted) => Some(self.signed? == *wanted),
            Test::OriginVerified(wanted) => Some(self.origin_verified? == *wanted),
            Test::Arguments(role, said) => self.arguments(*role, said),
            // A call has no result yet.
            Test::ResultClass(_) => Some(false),
        }
    }

    /// The arguments of a role. None where there are too many to tell.
    fn of(&self, role: Option<Role>) -> Option<impl Iterator<Item = &Weighed>> {
        let all = self.weighed.get_or_init(|| self.weigh()).as_ref()?;
        Some(all.iter().filter(move |one| role.is_none_or(|role| one.role == role)))
    }

    fn arguments(&self, role: Option<Role>, said: &Said) -> Option<bool> {
        let mut of = self.of(role)?;
        match said {
            Said::Integrity(bound) => {
                Some(of.map(|one| one.grade.integrity).min().is_some_and(|lowest| match (lowest, bound) {
                    (Some(lowest), bound) => bound.holds(lowest),
                    (None, Bound::AtMost(_)) => true,
                    (None, Bound::AtLeast(_) | Bound::Exactly(_)) => false,
                }))
            }
            Said::Confidentiality(bound) => {
                Some(of.map(|one| self.confidentiality(one)).max().is_some_and(|level| bound.holds(level)))
            }
            Said::Origins(sources) => self.any(&mut of, sources, |one| one.told),
            Said::Metadata(sources) => self.any(&mut of, sources, |one| one.defined),
        }
    }

    /// How confidential a value is. What the user gave is the user's own to send.
    fn confidentiality(&self, one: &Weighed) -> Confidentiality {
        if one.grade.integrity == Some(Integrity::Endorsed) {
            return Confidentiality::Public;
        }
        self.history.secrecy(one.told.join(one.grade.origins)).level
    }

    fn any(
        &self,
        of: &mut dyn Iterator<Item = &Weighed>,
        sources: &Sources,
        origins: impl Fn(&Weighed) -> Origins,
    ) -> Option<bool> {
        let mut any = Some(false);
        for one in of.filter(|one| one.grade.integrity != Some(Integrity::Endorsed)) {
            match self.come_from(origins(one), sources) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => any = None,
            }
        }
        any
    }

    fn come_from(&self, origins: Origins, sources: &Sources) -> Option<bool> {
        let servers = self.history.names(origins);
        let found = match sources {
            Sources::Named(names) => servers.iter().any(|server| names.holds(server)),
            Sources::Others => !servers.is_empty() && !servers.contains(self.call.server),
        };
        let clear = found || !self.history.mixes(origins);
        clear.then_some(found)
    }

    /// Everything that comes from somewhere. None where there is too much of it.
    fn weigh(&self) -> Option<Vec<Weighed>> {
        let (mut all, mut enough) = (Vec::new(), true);
        leaves(self.call.arguments?, &mut |leaf| {
            enough &= all.len() < MOST;
            if !enough || leaf.text.chars().take(SHORTEST).count() < SHORTEST {
                return;
            }
            let role = self.call.roles.inside(leaf.outermost(), leaf.name(), self.call.effect);
            let grade = self.history.grade(&leaf.text, self.call.server, self.now);
            let (mut told, defined) = self.history.sources(&leaf.text);
            if leaf.text.len() > WHOLE {
                let (origins, bytes) = self.history.copied(&leaf.text);
                told = if bytes < COPY { told } else { told.join(origins) };
            }
            if told.is_empty() && leaf.text.len() >= COPY {
                let at = (self.call.server, self.now);
                let (origins, bytes) =
                    self.history.copied_values(&leaf.text, at, |origins| !origins.is_empty());
                told = if bytes < COPY { told } else { origins };
            }
            all.push(Weighed { pointer: leaf.pointer(), role, grade, told, defined });
        });
        enough.then_some(all)
    }

    /// The argument that a rule speaks of and that is worth least.
    fn about(&self, rule: &Rule) -> Option<Weighed> {
        let (meant, _) = rule.tests().find_map(Test::arguments)?;
        let fits = |one: &&Weighed| {
            rule.when.tests().filter_map(Test::arguments).all(|(_, said)| match said {
                Said::Origins(sources) => self.come_from(one.told, sources) != Some(false),
                Said::Metadata(sources) => self.come_from(one.defined, sources) != Some(false),
                Said::Integrity(_) | Said::Confidentiality(_) => true,
            })
        };
        self.of(meant)?.filter(fits).min_by_key(|one| one.grade.integrity).cloned()
    }
}

impl Matched<'_> {
    /// How much the argument would need for the rule not to hold; the most where it is not about that.
    pub fn need(&self) -> Integrity {
        let bound = |condition: &Condition| condition.tests().find_map(Test::argument_integrity);
        let held = bound(&self.rule.when);
        let excuse = self.rule.unless.as_ref().and_then(bound);
        let need = match (excuse, held) {
            (Some((_, Bound::AtLeast(floor) | Bound::Exactly(floor))), _) => Some(floor),
            (_, Some((_, Bound::AtMost(ceiling) | Bound::Exactly(ceiling)))) => {
                Integrity::ALL.into_iter().find(|step| *step > ceiling)
            }
            (Some((_, Bound::AtMost(_))) | None, Some((_, Bound::AtLeast(_))) | None) => None,
        };
        need.unwrap_or(Integrity::Endorsed)
    }

    /// Where its value was seen first.
    pub fn first(&self) -> Option<&(ServerName, u32)> {
        self.argument.as_ref()?.grade.first.as_ref()
    }

    /// Is the call only written down?
    pub fn is_logged(&self) -> bool {
        self.rule.then == Then::Log
    }
}
