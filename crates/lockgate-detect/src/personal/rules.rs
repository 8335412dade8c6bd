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
    /// It is one run of letters and digits, and no more.
    pub(super) single: bool,
    /// How long the run behind the first mark may be: a bit for each length.
    second: u64,
}

/// All blocks of the file, and how to come by the forms that may begin at a place.
#[derive(Debug, Default)]
pub(super) struct Rules {
    blocks: Vec<Rule>,
    forms: Vec<Form>,
    /// For each ASCII byte its column in the table: bytes that the same forms go on with have the same.
    columns: Vec<usize>,
    /// How many columns there are.
    width: usize,
    /// The forms by what the first run begins with, how long it is, and what follows it.
    table: Vec<Cell>,
}

/// Forms that begin alike.
#[derive(Debug, Default)]
struct Cell {
    forms: Vec<usize>,
    /// How long the second run of any of them may be.
    second: u64,
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
                    let (alone, (single, second)) = (name == "alone", runs(value));
                    all.forms.push(Form { rule, entity, shape, alone, follow, single, second });
                }
                "check" => all.blocks.last_mut()?.check = Some(sum::named(value)?),
                "word" => all.blocks.last_mut()?.words.extend(value.split('|').map(str::trim)),
                _ => return None,
            }
        }
        all.fill();
        Some(all)
    }

    /// The forms that may begin with a run of that length that begins with this letter or digit, where that byte follows: none
    /// in most places. How long the run behind that byte is, is asked only where there may be any.
    #[inline]
    pub(super) fn forms(
        &self,
        (first, length, next): (u8, usize, u8),
        second: impl FnOnce() -> usize,
    ) -> Option<impl Iterator<Item = &Form>> {
        let column = self.columns.get(usize::from(next.min(127))).copied().unwrap_or_default();
        let row = row(first.is_ascii_digit(), length)?;
        let cell = self.table.get(row * self.width + column).filter(|cell| cell.second != 0)?;
        let second = 1 << second().min(63);
        let forms = cell.forms.iter().filter_map(|form| self.forms.get(*form));
        (cell.second & second != 0).then(|| forms.filter(move |form| form.second & second != 0))
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

    fn fill(&mut self) {
        let mut known: Vec<Vec<bool>> = Vec::new();
        for next in 0..128 {
            let column: Vec<bool> = self.forms.iter().map(|form| form.follow >> next & 1 == 1).collect();
            let place = known.iter().position(|other| *other == column);
            self.columns.push(place.unwrap_or(known.len()));
            if place.is_none() {
                known.push(column);
            }
        }
        self.width = known.len();
        for begins in [u8::is_ascii_alphabetic, u8::is_ascii_digit] {
            for length in 0..=LONGEST_RUN {
                for column in &known {
                    let mut cell = Cell::default();
                    for (at, (form, follows)) in self.forms.iter().zip(column).enumerate() {
                        let begins = (0..=127).any(|byte| begins(&byte) && form.shape.may_begin(byte));
                        if *follows && begins && form.shape.first_runs() >> length & 1 == 1 {
                            cell.forms.push(at);
                            cell.second |= form.second;
                        }
                    }
                    self.table.push(cell);
                }
            }
        }
    }
}

/// The row of the table for runs that begin with a digit, or a letter, and are so long.
fn row(is_digit: bool, length: usize) -> Option<usize> {
    (length <= LONGEST_RUN).then_some(usize::from(is_digit) * (LONGEST_RUN + 1) + length)
}

/// Whether a pattern is one run, and how long the run behind its first mark may be.
fn runs(pattern: &str) -> (bool, u64) {
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '[' => rest.find(']').map_or(rest.len(), |end| end + 1),
            '\\' => 2,
            _ => first.len_utf8(),
        };
        let (part, behind) = rest.split_at_checked(length).unwrap_or((rest, ""));
        rest =
            behind.strip_prefix('{').and_then(|count| count.split_once('}')).map_or(behind, |(_, rest)| rest);
        let Some(shape) = Shape::read(part) else { return (false, u64::MAX) };
        let (plain, marks): (Vec<u8>, Vec<u8>) =
            (0..128).filter(|byte| shape.may_begin(*byte)).partition(u8::is_ascii_alphanumeric);
        match (plain.is_empty(), marks.is_empty()) {
            (_, true) => {}
            (true, false) => return (false, Shape::read(rest).map_or(u64::MAX, |rest| rest.first_runs())),
            (false, false) => return (false, u64::MAX),
        }
    }
    (true, u64::MAX)
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
