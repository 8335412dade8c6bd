//! Rules of others: Agent Threat Rules (`agent-threat-rule`, MIT), regular expressions over what an agent reads and says.
//!
//! They flag far more than ours do, so they are for review unless the operator says otherwise. [`read`] takes one rule, already
//! parsed, and says what of it cannot be taken; [`Imported`] runs all that were. A pattern is only tried near a word that it
//! cannot match without, and only over so much text around it: no pattern reads a whole text.

mod pattern;
mod run;

use lockgate_model::Json;

use crate::Genre;
pub use pattern::Unfit;
pub use run::Imported;

/// Longest id that is taken. Bytes.
const LONGEST_ID: usize = 64;
/// Most conditions of one rule.
const CONDITIONS: usize = 64;

/// One rule, as far as it can be taken.
#[derive(Debug)]
pub struct Rule {
    /// Its id, as `ATR-2026-00098`.
    pub id: &'static str,
    /// Must all conditions hold? Else one is enough.
    all: bool,
    conditions: Vec<Condition>,
    /// What could not be taken: the number of the condition, from 0, and why.
    pub refused: Vec<(usize, Unfit)>,
}

#[derive(Debug)]
struct Condition {
    genres: &'static [Genre],
    pattern: pattern::Pattern,
}

/// Why nothing of a rule can be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Bad {
    /// It has no `id` of letters, digits and dashes.
    #[error("the rule has no id of at most {LONGEST_ID} letters, digits and dashes")]
    Id,
    /// It has no list `detection.conditions`, or too long a one.
    #[error("the rule has no list `detection.conditions` of at most {CONDITIONS} entries")]
    Conditions,
    /// `detection.condition` is neither `any` nor `all`.
    #[error("`detection.condition` is neither `any` nor `all`")]
    Logic,
    /// Every condition was refused, or one of those that must all hold.
    #[error("no condition of the rule can be taken")]
    Nothing,
}

impl Rule {
    /// How many conditions were taken.
    pub fn taken(&self) -> usize {
        self.conditions.len()
    }
}

/// Takes a rule: an object with the members of its YAML file. What is found is told with its id, for as long as the program
/// runs: `keep` keeps it.
pub fn read(rule: Json<'_>, keep: &dyn Fn(&str) -> &'static str) -> Result<Rule, Bad> {
    let id = rule.get("id").and_then(Json::text).ok_or(Bad::Id)?;
    if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(Bad::Id);
    }
    let detection = rule.get("detection").ok_or(Bad::Conditions)?;
    let all = match detection.get("condition").and_then(Json::text).as_deref() {
        None | Some("any" | "or") => false,
        Some("all" | "and") => true,
        Some(_) => return Err(Bad::Logic),
    };
    let listed: Vec<Json<'_>> = detection.get("conditions").ok_or(Bad::Conditions)?.elements().collect();
    if listed.is_empty() || listed.len() > CONDITIONS {
        return Err(Bad::Conditions);
    }
    let (mut conditions, mut refused) = (Vec::new(), Vec::new());
    for (number, listed) in listed.into_iter().enumerate() {
        match condition(listed) {
            Ok(condition) => conditions.push(condition),
            Err(unfit) => refused.push((number, unfit)),
        }
    }
    if conditions.is_empty() || (all && !refused.is_empty()) {
        return Err(Bad::Nothing);
    }
    Ok(Rule { id: keep(&id), all, conditions, refused })
}

fn condition(listed: Json<'_>) -> Result<Condition, Unfit> {
    let member = |name| listed.get(name).and_then(Json::text);
    if member("operator").as_deref() != Some("regex") {
        return Err(Unfit::Operator);
    }
    let genres: &[Genre] = match member("field").as_deref() {
        Some("content") => &Genre::ALL,
        Some("tool_response") => &[Genre::Result],
        Some("user_input") => &[Genre::Prompt],
        Some("tool_args") => &[Genre::Arguments],
        Some("tool_description") => &[Genre::Definition],
        // Names have rules of their own, and what the agent says does not come by here.
        _ => return Err(Unfit::Field),
    };
    let value = member("value").ok_or(Unfit::Pattern)?;
    Ok(Condition { genres, pattern: pattern::Pattern::read(&value)? })
}
