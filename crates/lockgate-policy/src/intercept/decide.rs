//! One call, one answer.

use lockgate_model::{Json, Kind};

use super::condition::{Actual, Condition, Outcome, Subject, argument};
use super::counters::{Counters, Key, Reservation, Window, release};
use super::{Amount, Counting, Effect, Increment, Policy, Rule};

/// What is to be done with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Forward it. The reservations are made; give them to [`release`] where the call fails.
    Allow(Vec<Reservation>),
    /// Refuse it. Nothing is reserved.
    Deny {
        /// The rule that refused: its name, or one in brackets such as `(default deny)`.
        rule: String,
        /// What the agent is told, after `[INTERCEPT POLICY DENIED] `.
        message: String,
    },
    /// Ask a person first; then [`Policy::decide_approved`]. Nothing is reserved yet.
    Ask {
        /// The rule that asks.
        rule: String,
        /// What the agent is told.
        message: String,
        /// How long to wait, in milliseconds; `None` where the policy does not say.
        timeout: Option<u64>,
    },
}

/// Is the answer of a person there?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Approval {
    Missing,
    Given,
}

impl Policy {
    /// Decides on a call of `tool` at `now`, milliseconds since the Unix epoch. A refusal reserves nothing.
    pub fn decide(
        &self,
        tool: &str,
        arguments: Option<Json<'_>>,
        now: u64,
        counters: &mut impl Counters,
    ) -> Decision {
        self.answer(tool, arguments, now, counters, Approval::Missing)
    }

    /// Decides once more after a person has agreed to this very call: rules that ask are satisfied, all others must
    /// still hold.
    pub fn decide_approved(
        &self,
        tool: &str,
        arguments: Option<Json<'_>>,
        now: u64,
        counters: &mut impl Counters,
    ) -> Decision {
        self.answer(tool, arguments, now, counters, Approval::Given)
    }

    /// Decides whether the price that a server asks for a call may be paid (`spend`). `None` is a price that could not
    /// be read. Without a rule on prices everything may.
    pub fn decide_price(
        &self,
        tool: &str,
        price: Option<Amount>,
        now: u64,
        counters: &mut impl Counters,
    ) -> Decision {
        let window_start = Window::Day.start(now);
        let mut reserved = Vec::new();
        for rule in self.rules(tool) {
            let Some(spend) = &rule.spend else { continue };
            let price = price.filter(|price| *price >= Amount::ZERO);
            let fits = price.filter(|price| spend.per_call.is_none_or(|limit| *price <= limit));
            let reserve = |amount: &Amount| match spend.daily {
                Some(limit) => counters.reserve(&spend.key, *amount, limit, window_start),
                None => true,
            };
            let Some(amount) = fits.filter(reserve) else {
                release(&reserved, counters);
                return rule.deny(&format!("Spend limit exceeded for {}", rule.name));
            };
            if spend.daily.is_some() {
                reserved.push(Reservation { key: spend.key.clone(), amount, window_start });
            }
        }
        Decision::Allow(reserved)
    }

    fn answer(
        &self,
        tool: &str,
        arguments: Option<Json<'_>>,
        now: u64,
        counters: &mut impl Counters,
        approval: Approval,
    ) -> Decision {
        if self.hides(tool) {
            return deny("(hidden)", format!("Tool {tool:?} is hidden by policy"));
        }
        if self.deny_unlisted && !self.tools.contains_key(tool) {
            return deny("(default deny)", format!("Tool {tool:?} is not permitted by policy"));
        }
        let arguments = arguments.filter(|json| json.kind() != Kind::Null);
        if arguments.is_some_and(|json| json.kind() != Kind::Object) {
            return deny("(arguments)", "Tool arguments must be an object".to_owned());
        }
        let mut question = None;
        for rule in self.rules(tool) {
            let outcome = rule.outcome(arguments, now, counters);
            match rule.effect {
                Effect::Require if outcome == Outcome::Holds => {}
                Effect::DenyIf if outcome == Outcome::Fails => {}
                Effect::Require | Effect::Deny | Effect::DenyIf => {
                    return rule.deny(&format!("Denied by rule {:?}", rule.name));
                }
                Effect::Ask(timeout) => {
                    if outcome != Outcome::Fails && approval == Approval::Missing && question.is_none() {
                        question = Some(rule.ask(timeout.or(self.approvals.timeout)));
                    }
                }
            }
        }
        // A refusal by a later rule goes before the question; what a person would be asked in vain is not asked.
        if let Some(question) = question {
            return question;
        }
        self.reserve(tool, arguments, now, counters)
    }

    /// Reserves for every rule that counts, or for none.
    fn reserve(
        &self,
        tool: &str,
        arguments: Option<Json<'_>>,
        now: u64,
        counters: &mut impl Counters,
    ) -> Decision {
        let mut reserved = Vec::new();
        for rule in self.rules(tool) {
            let Some(counting) = &rule.counting else { continue };
            let refusal = match counting.amount(arguments) {
                Err(message) => deny(&rule.name, message.to_owned()),
                Ok(amount) => {
                    let window_start = counting.window.start(now);
                    if counters.reserve(&counting.key, amount, counting.limit, window_start) {
                        reserved.push(Reservation { key: counting.key.clone(), amount, window_start });
                        continue;
                    }
                    rule.deny(&format!("Rate limit exceeded for {}", rule.name))
                }
            };
            release(&reserved, counters);
            return refusal;
        }
        Decision::Allow(reserved)
    }
}

impl Rule {
    /// All conditions together: one that fails decides, then one that is unclear.
    fn outcome(&self, arguments: Option<Json<'_>>, now: u64, counters: &impl Counters) -> Outcome {
        let mut all = Outcome::Holds;
        for condition in &self.conditions {
            match condition.check(arguments, now, counters) {
                Outcome::Holds => {}
                Outcome::Fails => return Outcome::Fails,
                Outcome::Unclear => all = Outcome::Unclear,
            }
        }
        all
    }

    fn deny(&self, otherwise: &str) -> Decision {
        deny(&self.name, self.on_deny.as_deref().unwrap_or(otherwise).to_owned())
    }

    fn ask(&self, timeout: Option<u64>) -> Decision {
        let otherwise = || format!("Approval required by rule {:?}", self.name);
        let message = self.on_deny.clone().unwrap_or_else(otherwise);
        Decision::Ask { rule: self.name.clone(), message, timeout }
    }
}

impl Condition {
    fn check(&self, arguments: Option<Json<'_>>, now: u64, counters: &impl Counters) -> Outcome {
        let actual = match &self.subject {
            Subject::Argument(path) => argument(arguments, path).map(Actual::Argument),
            Subject::Counter(key, window) => read(counters, key, *window, now),
        };
        self.test.check(actual)
    }
}

impl Counting {
    /// What this call adds, or why it cannot be told. A negative amount would give budget back.
    fn amount(&self, arguments: Option<Json<'_>>) -> Result<Amount, &'static str> {
        let path = match &self.increment {
            Increment::Fixed(amount) => return Ok(*amount),
            Increment::From(path) => path,
        };
        let number = argument(arguments, path).filter(|json| json.kind() == Kind::Number);
        let text = number.map(Json::written);
        let amount = text.and_then(Amount::parse).ok_or("Internal policy error")?;
        // A minus sign alone is enough: what rounds to zero is negative all the same.
        let negative = text.is_some_and(|text| text.starts_with('-')) && !text.is_some_and(is_zero);
        if negative { Err("An amount must not be negative") } else { Ok(amount) }
    }
}

fn is_zero(text: &str) -> bool {
    text.split(['e', 'E'])
        .next()
        .is_some_and(|digits| digits.bytes().all(|b| matches!(b, b'-' | b'.' | b'0')))
}

fn read<'a>(counters: &impl Counters, key: &Key, window: Window, now: u64) -> Option<Actual<'a>> {
    counters.value(key, window.start(now)).map(Actual::Count)
}

fn deny(rule: &str, message: String) -> Decision {
    Decision::Deny { rule: rule.to_owned(), message }
}
