//! The pass over the digits of a text. Everything that has a digit or an `@` in it begins here.

use std::ops::Range;

use super::context::{Context, Said};
use super::entity::Entity;
use super::found::Found;
use super::rules::{Form, LONGEST_RUN, Rules};
use super::{crypto, mail, moment, network, phone, place, sum};
use crate::Sure;
use crate::blocks::{digits, first, is};

/// Finds all that has digits in it, and all addresses for e-mail. Linear: each run of letters and digits is looked at once, and
/// how far around it is bounded.
pub(super) fn read(rules: &Rules, context: Context<'_, '_>, text: &str, found: &mut Found<'_>) {
    let mut pass = Pass { rules, context, text, floor: 0, colons: 0 };
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(next) = next(bytes, at) {
        at = match bytes.get(next) {
            Some(b'@') => pass.mail(next, found),
            _ => pass.run(next, found),
        };
    }
}

/// The next digit or `@`.
fn next(bytes: &[u8], from: usize) -> Option<usize> {
    first(bytes, from, 0, |bytes| digits(bytes) | is(bytes, b'@'))
}

/// How good a reading is: whether a word says it, how sure it is, and how long.
type Rank = (bool, Sure, usize);

/// A reading, and how good it is.
type Number = (Rank, Entity, Range<usize>);

struct Pass<'r, 'v, 't> {
    rules: &'r Rules,
    context: Context<'v, 't>,
    text: &'t str,
    /// What is before here was found or passed already.
    floor: usize,
    /// The end of the last row of colons that was looked at.
    colons: usize,
}

impl Pass<'_, '_, '_> {
    /// The address around an `@`. Gives where to go on.
    fn mail(&mut self, at: usize, found: &mut Found<'_>) -> usize {
        let Some(span) = mail::address(self.text, at, self.floor) else { return at + 1 };
        if let Some(name) = mail::name(self.text, span.start, self.floor) {
            found.push(Entity::Person, name, Sure::Likely);
        }
        let end = span.end;
        self.take(Entity::EmailAddress, span, Sure::Checked, found);
        end
    }

    /// What begins with the run of letters and digits around a digit. Gives where to go on.
    fn run(&mut self, at: usize, found: &mut Found<'_>) -> usize {
        let run = self.run_around(at);
        if let Some(end) = found.taken_before(run.end) {
            self.context.cut(end);
        }
        if follows_mark(self.text, run.start) {
            return run.end;
        }
        // A moment may be that of a birth, and nothing else.
        let moment =
            moment::end(self.text.as_bytes(), run.start).filter(|_| stands_alone(self.text, run.start));
        let best = if moment.is_some() { self.numbers(&run) } else { self.best(&run) };
        let Some((entity, span, sure)) = best else { return moment.unwrap_or(run.end) };
        let end = span.end.max(run.end);
        self.take(entity, span, sure, found);
        end
    }

    fn take(&mut self, entity: Entity, span: Range<usize>, sure: Sure, found: &mut Found<'_>) {
        self.floor = span.end;
        self.context.cut(span.end);
        found.push(entity, span, sure);
    }

    /// Letters and digits on both sides. An escape before them (`\n`) is not part of them.
    fn run_around(&self, at: usize) -> Range<usize> {
        let bytes = self.text.as_bytes();
        let before = bytes.get(self.floor..at).unwrap_or_default();
        let mut start = at - before.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let end = at + run_at(bytes, at).count();
        let escape = start.checked_sub(1).and_then(|at| bytes.get(at)) == Some(&b'\\');
        if escape && bytes.get(start).is_some_and(|byte| b"nrtbf".contains(byte)) {
            start += 1;
        }
        start..end
    }

    fn best(&mut self, run: &Range<usize>) -> Option<(Entity, Range<usize>, Sure)> {
        let checked = |entity| move |span| (entity, span, Sure::Checked);
        let text = self.text;
        if run.len() > LONGEST_RUN {
            return crypto::address(text, run).map(checked(Entity::Crypto));
        }
        let stands = stands_alone(text, run.start);
        let letter = text.as_bytes().get(run.start).is_some_and(u8::is_ascii_uppercase);
        if stands
            && letter
            && let Some(end) = sum::iban(text, run.start)
        {
            return Some((Entity::Iban, run.start..end, Sure::Checked));
        }
        let bytes = text.as_bytes();
        let beside = [run.start.checked_sub(1), Some(run.end)];
        let beside = beside.map(|at| at.and_then(|at| bytes.get(at)).copied().unwrap_or(b' '));
        // Most runs have no such marks, and are no address.
        if let [b':' | b'-' | b'.', _] | [_, b':' | b'-' | b'.'] = beside {
            let address = network::mac(text, run, self.floor)
                .map(checked(Entity::MacAddress))
                .or_else(|| network::internet(text, run, self.floor, &mut self.colons, &mut self.context));
            if address.is_some() {
                return address;
            }
        }
        if run.len() >= crypto::SHORTEST
            && let Some(span) = crypto::address(text, run)
        {
            return Some((Entity::Crypto, span, Sure::Checked));
        }
        if stands && let Some(number) = self.numbers(run) {
            return Some(number);
        }
        if let Some((span, sure)) = phone::number(text, run, self.floor, &mut self.context) {
            return Some((Entity::PhoneNumber, span, sure));
        }
        if run.len() > place::NUMBER || !matches!(beside, [b' ', _] | [_, b' ' | b',']) {
            return None;
        }
        place::street(text, run, self.floor).map(|span| (Entity::Location, span, Sure::Likely))
    }

    /// By the rules: what a word says counts before what says nothing, the surer before the less sure, the longer before the
    /// shorter.
    fn numbers(&mut self, run: &Range<usize>) -> Option<(Entity, Range<usize>, Sure)> {
        let mut best = None;
        self.beginning(run.clone(), &mut best);
        if let Some(start) = self.before(run) {
            let letters = run_at(self.text.as_bytes(), start).count();
            self.beginning(start..start + letters, &mut best);
        }
        best.map(|((_, sure, _), entity, span)| (entity, span, sure))
    }

    /// The same of those that begin with a run: nearly always none.
    #[inline]
    fn beginning(&mut self, run: Range<usize>, best: &mut Option<Number>) {
        let (bytes, rules) = (self.text.as_bytes(), self.rules);
        let Some(first) = bytes.get(run.start) else { return };
        let next = bytes.get(run.end).copied().unwrap_or(b' ');
        let behind = run.end + 1;
        let second = || run_at(bytes, behind).take(LONGEST_RUN).count();
        if let Some(forms) = rules.forms((*first, run.len(), next), second) {
            self.fitting(run, forms, best);
        }
    }

    fn fitting<'f>(
        &mut self,
        run: Range<usize>,
        forms: impl Iterator<Item = &'f Form>,
        best: &mut Option<Number>,
    ) {
        let (bytes, from) = (self.text.as_bytes(), run.start);
        let end_of = |form: &Form| form.shape.end(bytes, from).filter(|end| ends_alone(self.text, *end));
        let mut spoken = None;
        for form in forms {
            // The shape of one run is known already; that of several says more than most words do, and costs less.
            let known = if form.single { None } else { Some(end_of(form)) };
            if known == Some(None) {
                continue;
            }
            let told = form.alone || spoken.get_or_insert_with(|| self.context.spoken(from)).has(form.entity);
            if !told && form.single && !self.context.is_followed(run.end) {
                continue;
            }
            let Some(end) = known.unwrap_or_else(|| end_of(form)) else { continue };
            if !(told || self.context.is_followed(end) && self.context.may_follow(run.end)) {
                continue;
            }
            let (Some(rule), Some(number)) = (self.rules.rule(form), self.text.get(from..end)) else {
                continue;
            };
            let said = self.context.says(form.entity, &(from..end));
            if said == Said::Other || said == Said::Nothing && !form.alone {
                continue;
            }
            let Some(sure) = rule.judge(number) else { continue };
            let rank = (said == Said::This, sure, end - from);
            if best.as_ref().is_none_or(|(known, _, _)| rank > *known) {
                *best = Some((rank, form.entity, from..end));
            }
        }
    }

    /// Where the one, two or three capitals begin that stand right before a number: `QQ 12 34 56 C`.
    fn before(&self, run: &Range<usize>) -> Option<usize> {
        let bytes = self.text.as_bytes().get(self.floor..run.start)?;
        let (mark, before) = bytes.split_last().filter(|(mark, _)| matches!(mark, b' ' | b'-'))?;
        let letters = before.iter().rev().take(4).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let start = run.start.checked_sub(letters + 1)?;
        let capital = self.text.as_bytes().get(start).is_some_and(u8::is_ascii_uppercase);
        ((1..=3).contains(&letters) && capital && *mark != b'\n' && stands_alone(self.text, start))
            .then_some(start)
    }
}

/// The letters and digits that stand there.
fn run_at(bytes: &[u8], at: usize) -> impl Iterator<Item = &u8> {
    bytes.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_alphanumeric())
}

/// Whether a number that begins here is not the rest of another, of a fraction, a path, a sum of money.
fn stands_alone(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    let before = |count: usize| at.checked_sub(count).and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
    match before(1) {
        b'_' | b'#' | b'$' | b'+' | b'~' | b'%' | b'^' | b'&' => false,
        b'.' | b'-' | b'/' => !before(2).is_ascii_alphanumeric(),
        b':' => !before(2).is_ascii_digit(),
        mark => mark.is_ascii() || !matches!(mark, 0xa3 | 0xac),
    }
}

/// Whether something was taken out right before here, or all but this. What is left of it is none.
pub(super) fn follows_mark(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    if !matches!(before.as_bytes().last(), Some(b'.' | b'-' | b'/' | b':' | b']' | b'*')) {
        return false;
    }
    let before = before.strip_suffix(['.', '-', '/', ':']).unwrap_or(before);
    let bracket =
        before.strip_suffix(']').is_some_and(|mark| mark.ends_with(|last: char| last.is_ascii_alphabetic()));
    bracket || before.ends_with(super::MASKED)
}

/// Whether something was taken out right behind here.
fn precedes_mark(text: &str, end: usize) -> bool {
    let rest = text.get(end..).unwrap_or_default();
    if !matches!(rest.as_bytes().first(), Some(b'.' | b'-' | b'/' | b':' | b'[' | b'*')) {
        return false;
    }
    let rest = rest.strip_prefix(['.', '-', '/', ':']).unwrap_or(rest);
    let bracket = rest
        .strip_prefix('[')
        .is_some_and(|mark| mark.starts_with(|first: char| first.is_ascii_alphabetic()));
    bracket || rest.starts_with(super::MASKED)
}

/// The same of a number that ends here.
pub(super) fn ends_alone(text: &str, end: usize) -> bool {
    let bytes = text.as_bytes();
    let next = |count: usize| bytes.get(end + count).copied().unwrap_or(b' ');
    if precedes_mark(text, end) {
        return false;
    }
    match next(0) {
        b'.' | b'-' | b'/' => !next(1).is_ascii_alphanumeric(),
        b':' => !next(1).is_ascii_digit(),
        b'%' | b'@' => false,
        _ => true,
    }
}
