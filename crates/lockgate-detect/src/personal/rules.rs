//! The rules of the data file: what numbers look like, and the words that they stand beside.

use super::entity::{Entities, Entity};
use super::plain::Plain;
use super::sum::{self, Check};
use crate::Sure;
use crate::shape::Shape;

/// The rules.
const NUMBERS: &str = include_str!("numbers.rules");

/// One block of the data file.
#[derive(Debug)]
pub(super) struct Rule {
    entity: Entity,
    check: Option<(Check, bool)>,
    words: Vec<&'static str>,
}

/// What a number looks like, and where it is enough to look like that.
#[derive(Debug)]
pub(super) struct Form {
    /// The number of its rule.
    rule: usize,
    pub(super) entity: Entity,
    pub(super) shape: Shape,
    /// It needs no word beside it.
    pub(super) alone: bool,
    /// What may follow its first run: a bit for each ASCII byte.
    follow: u128,
}

/// All blocks of the file, and how to come by the forms that may begin at a place.
#[derive(Debug, Default)]
pub(super) struct Rules {
    blocks: Vec<Rule>,
    forms: Vec<Form>,
    /// By what the first run of letters and digits begins with, and by its length.
    by_digit: Vec<Vec<usize>>,
    by_letter: Vec<Vec<usize>>,
}

/// Longest run of letters and digits that a form may begin with. Bytes.
pub(super) const LONGEST_RUN: usize = 32;

impl Rules {
    /// Those that are built in. Nothing where a line says nothing known.
    pub(super) fn new() -> Option<Self> {
        Self::read(NUMBERS)
    }

    fn read(text: &'static str) -> Option<Self> {
        let mut all = Self::default();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let Some(field) = line.strip_prefix("  ") else {
                all.blocks.push(Rule { entity: Entity::named(line.trim())?, check: None, words: Vec::new() });
                continue;
            };
            let rule = all.blocks.len().checked_sub(1)?;
            let (name, value) = field.split_once(' ')?;
            let value = value.trim_start();
            match name {
                "alone" | "beside" => {
                    let entity = all.blocks.last()?.entity;
                    let shape = Shape::read(value)?;
                    let follow = (0..128).filter(|next| shape.may_go_on(*next));
                    let follow = follow.fold(0, |follow, next| follow | 1 << next);
                    all.forms.push(Form { rule, entity, shape, alone: name == "alone", follow });
                }
                "check" => all.blocks.last_mut()?.check = Some(sum::named(value)?),
                "word" => all.blocks.last_mut()?.words.extend(value.split('|').map(str::trim)),
                _ => return None,
            }
        }
        (all.by_digit, all.by_letter) = (all.table(u8::is_ascii_digit), all.table(u8::is_ascii_alphabetic));
        Some(all)
    }

    /// The forms that may begin with a run of that length whose first letter or digit is this one.
    fn forms(&self, first: u8, length: usize) -> impl Iterator<Item = &Form> {
        let table = if first.is_ascii_digit() { &self.by_digit } else { &self.by_letter };
        table.get(length).into_iter().flatten().filter_map(|form| self.forms.get(*form))
    }

    /// The same, where that byte follows.
    pub(super) fn forms_before(&self, first: u8, length: usize, next: u8) -> impl Iterator<Item = &Form> {
        let next = next.min(127);
        self.forms(first, length).filter(move |form| form.follow >> next & 1 == 1)
    }

    pub(super) fn rule(&self, form: &Form) -> Option<&Rule> {
        self.blocks.get(form.rule)
    }

    /// Each word, and what it speaks of.
    pub(super) fn words(&self) -> impl Iterator<Item = (&'static str, Entities)> {
        self.blocks
            .iter()
            .flat_map(|rule| rule.words.iter().map(|word| (*word, Entities::default().with(rule.entity))))
    }

    fn table(&self, begins: fn(&u8) -> bool) -> Vec<Vec<usize>> {
        let mut table = vec![Vec::new(); LONGEST_RUN + 1];
        for (at, form) in self.forms.iter().enumerate() {
            if (0..=127).any(|byte| begins(&byte) && form.shape.may_begin(byte)) {
                let runs = form.shape.first_runs();
                let fitting = table.iter_mut().enumerate().filter(|(length, _)| runs & 1 << length != 0);
                fitting.for_each(|(_, forms)| forms.push(at));
            }
        }
        table
    }
}

impl Rule {
    /// How sure it is that a text of the right shape is such a number; nothing where it is none.
    pub(super) fn judge(&self, text: &str) -> Option<Sure> {
        match self.check {
            None => Some(Sure::Likely),
            Some((check, sums)) => {
                check(&Plain::new(text)).then_some(if sums { Sure::Checked } else { Sure::Likely })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        let rules = Rules::new().unwrap();
        assert!(rules.blocks.iter().all(|rule| !rule.words.is_empty()));
        assert!(rules.forms.len() > 100);
        for form in &rules.forms {
            assert!(form.shape.first_runs() != 0);
        }
        for bad in [
            "GOLD\n",
            "  alone [0-9]\n",
            "US_SSN\n  alone a*\n",
            "US_SSN\n  check magic\n",
            "US_SSN\n  colour red\n",
        ] {
            assert!(Rules::read(bad).is_none(), "{bad}");
        }
    }
}
