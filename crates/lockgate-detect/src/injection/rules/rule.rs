//! Rules as data. A file of them is read like this:
//!
//! ```text
//! @user user users human                        a list of words
//! hides_it block result=review: the reason      a rule: its name, how much it says, also where that differs by genre, and why
//!   do|must not ~2 tell ~4 @user                a phrase: words in this order; `|` parts words that may stand for each other,
//!                                               `~4` lets up to four other words stand between
//! hides_it                                      more phrases of a rule that is known
//! parameter asks_it block: the reason           a rule about names of parameters
//! ```
//!
//! All of a phrase stands in one sentence. Words are compared as they are read: without case, marks, apostrophes and invisible
//! characters. In `terms.rules`, words are parts of texts in scripts that part no words or bend them, and room is characters.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::phrase::{Known, Phrases};
use crate::Genre;

/// How much one finding says. Ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Force {
    /// Nothing alone.
    #[default]
    Note,
    /// Innocent alone; two different ones near each other are not.
    Sign,
    /// A person should look at it.
    Review,
    /// No honest text says it.
    Block,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, as `conceals_from_user`. Stable.
    pub name: &'static str,
    /// Why it is one: what a text that matches does.
    pub reason: &'static str,
    forces: [Force; Genre::ALL.len()],
}

impl Rule {
    /// How much it says in a text of that genre.
    pub fn force(&self, genre: Genre) -> Force {
        let [definition, result, arguments, prompt] = self.forces;
        match genre {
            Genre::Definition => definition,
            Genre::Result => result,
            Genre::Arguments => arguments,
            Genre::Prompt => prompt,
        }
    }

    /// Name, forces and reason of a head.
    fn read(head: &'static str) -> Option<Self> {
        let (head, reason) = head.split_once(": ")?;
        let mut parts = head.split(' ');
        let name = parts.next()?;
        let mut forces = [force(parts.next()?)?; Genre::ALL.len()];
        for part in parts {
            let (genre, word) = part.split_once('=')?;
            let at = GENRES.iter().position(|known| *known == genre)?;
            *forces.get_mut(at)? = force(word)?;
        }
        Some(Self { name, reason, forces })
    }
}

/// The genres in their order, as rules name them.
const GENRES: [&str; Genre::ALL.len()] = ["definition", "result", "arguments", "prompt"];

fn force(word: &str) -> Option<Force> {
    match word {
        "note" => Some(Force::Note),
        "sign" => Some(Force::Sign),
        "review" => Some(Force::Review),
        "block" => Some(Force::Block),
        _ => None,
    }
}

/// All that is built in.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) list: Vec<Rule>,
    /// What texts say, word by word.
    pub(crate) texts: Phrases,
    /// What texts say in scripts that part no words or bend them.
    pub(crate) terms: Phrases,
    /// What names of parameters say.
    pub(crate) parameters: Phrases,
}

const WORDS: &[&str] =
    &[include_str!("definitions.rules"), include_str!("speech.rules"), include_str!("tongues.rules")];
const TERMS: &str = include_str!("terms.rules");

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let mut rules = Rules::default();
    let mut known = [Known::new(), Known::new(), Known::new()];
    for text in WORDS {
        rules.read(&mut known, text, false);
    }
    rules.read(&mut known, TERMS, true);
    let [texts, terms, parameters] = known;
    rules.texts.close(texts);
    rules.terms.close(terms);
    rules.parameters.close(parameters);
    rules
});

/// All that is built in. Read when first asked for.
pub(crate) fn rules() -> &'static Rules {
    &RULES
}

/// Every rule that is built in.
pub fn all() -> &'static [Rule] {
    &RULES.list
}

/// The rule of that name, for what is found without phrases.
pub(crate) fn named(name: &str) -> Option<&'static Rule> {
    RULES.list.iter().find(|rule| rule.name == name)
}

impl Rules {
    /// Lines that say nothing known are left out; a test sees to it that there are none.
    fn read(&mut self, known: &mut [Known; 3], text: &'static str, of_terms: bool) {
        let [texts, terms, parameters] = known;
        let mut lists: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
        let mut head = None;
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            if let Some(list) = line.strip_prefix('@') {
                let mut words = list.split_whitespace();
                lists.insert(words.next().unwrap_or_default(), words.collect());
            } else if line.starts_with(' ') {
                let Some((of_parameters, rule)) = head else { continue };
                let (phrases, known) = match (of_parameters, of_terms) {
                    (true, _) => (&mut self.parameters, &mut *parameters),
                    (_, true) => (&mut self.terms, &mut *terms),
                    _ => (&mut self.texts, &mut *texts),
                };
                phrases.add(known, line, rule, &lists);
            } else {
                let (of_parameters, line) =
                    line.strip_prefix("parameter ").map_or((false, line), |line| (true, line));
                head = self.head(line).map(|rule| (of_parameters, rule));
            }
        }
    }

    /// The number of the rule that a head names.
    fn head(&mut self, line: &'static str) -> Option<usize> {
        if let Some(known) = self.list.iter().position(|rule| rule.name == line) {
            return Some(known);
        }
        self.list.push(Rule::read(line)?);
        self.list.len().checked_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_data_is_used() {
        let mut names: Vec<&str> = Vec::new();
        let mut phrases = 0;
        for data in WORDS.iter().chain([&TERMS]) {
            let lists: Vec<&str> =
                data.lines().filter_map(|line| line.strip_prefix('@')?.split(' ').next()).collect();
            for line in data.lines().filter(|line| !line.starts_with(['#', '@']) && !line.is_empty()) {
                if let Some(phrase) = line.strip_prefix("  ") {
                    phrases += 1;
                    for part in phrase.split(' ').flat_map(|part| part.split('|')) {
                        match part.chars().next() {
                            Some('~') => assert!(part.get(1..).unwrap().parse::<usize>().is_ok(), "{phrase}"),
                            Some('@') if part.len() > 1 => {
                                assert!(lists.contains(&part.get(1..).unwrap()), "{phrase}");
                            }
                            _ => {
                                assert!(
                                    !part.is_empty() && !part.chars().any(char::is_uppercase),
                                    "{phrase}"
                                );
                            }
                        }
                    }
                    continue;
                }
                let line = line.strip_prefix("parameter ").unwrap_or(line);
                match Rule::read(line) {
                    Some(rule) => {
                        assert!(!names.contains(&rule.name), "{line}: the rule is there twice");
                        names.push(rule.name);
                    }
                    None => assert!(names.contains(&line), "{line}"),
                }
            }
        }
        let rules = rules();
        assert_eq!(names.len(), rules.list.len());
        assert_eq!(rules.texts.count() + rules.terms.count() + rules.parameters.count(), phrases);
    }
}
