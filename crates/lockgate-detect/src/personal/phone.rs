//! Telephone numbers (E.164), and those of North America.

use std::ops::Range;

use super::context::{Context, Said};
use super::entity::{Entities, Entity};
use crate::Sure;

/// Words that a telephone number stands beside.
const WORDS: [&str; 58] = [
    "phone",
    "phones",
    "phone_number*",
    "phonenumber*",
    "phone no",
    "telephone",
    "tel",
    "mobile",
    "mobile_number*",
    "cell",
    "cellphone",
    "cell_phone*",
    "fax",
    "whatsapp",
    "call me",
    "call us",
    "call him",
    "call her",
    "reach me",
    "text me",
    "sms",
    "hotline",
    "landline",
    "msisdn",
    "telefon*",
    "handy",
    "handynummer",
    "mobil",
    "mobiltelefon",
    "rufnummer",
    "festnetz",
    "téléphone",
    "portable",
    "tél",
    "numéro",
    "teléfono",
    "móvil",
    "celular",
    "telefono",
    "cellulare",
    "telefone",
    "telemóvel",
    "telefoon*",
    "gsm",
    "mobiel",
    "komórka",
    "puhelin*",
    "mobilnummer",
    "tlf",
    "电话",
    "手机",
    "電話",
    "携帯",
    "전화",
    "휴대폰",
    "телефон",
    "هاتف",
    "טלפון",
];

pub(super) fn words() -> impl Iterator<Item = (&'static str, Entities)> {
    WORDS.into_iter().map(|word| (word, Entities::default().with(Entity::PhoneNumber)))
}

/// Least digits of a number that a word is beside, and most digits of any.
const LEAST: usize = 7;
const MOST: usize = 15;

/// Digits with marks between them.
struct Groups {
    /// Where each group ends, and how many digits there are up to there.
    ends: Few<(usize, usize)>,
    digits: Few<u8>,
    first: usize,
}

/// At most as many as there are digits in a number, and some.
struct Few<T> {
    all: [T; MOST + 6],
    count: usize,
}

impl<T: Copy + Default> Few<T> {
    fn new() -> Self {
        Self { all: [T::default(); MOST + 6], count: 0 }
    }

    fn push(&mut self, one: T) {
        if let Some(place) = self.all.get_mut(self.count) {
            *place = one;
            self.count += 1;
        }
    }

    fn get(&self) -> &[T] {
        self.all.get(..self.count).unwrap_or_default()
    }
}

/// The number that begins with this run.
pub(super) fn number(
    text: &str,
    run: &Range<usize>,
    floor: usize,
    context: &mut Context<'_, '_>,
) -> Option<(Range<usize>, Sure)> {
    let bytes = text.as_bytes();
    // Most runs are too short, and nothing goes on behind them.
    if run.len() < LEAST && !bytes.get(run.end).is_some_and(|next| is_mark(*next)) {
        return None;
    }
    let before = |at: usize| {
        at.checked_sub(1).filter(|at| *at >= floor).and_then(|at| bytes.get(at)).copied().unwrap_or(b' ')
    };
    if run.len() > MOST || !bytes.get(run.clone())?.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let start = if before(run.start) == b'(' { run.start - 1 } else { run.start };
    let mark = before(start);
    if mark == b'+' && !before(start - 1).is_ascii_alphanumeric() && before(start - 1) != b'+' {
        let end = Groups::read(bytes, start).international()?;
        return Some((start - 1..end, Sure::Checked)).filter(|(span, _)| ends(text, span.end));
    }
    if mark.is_ascii_alphanumeric()
        || matches!(mark, b'_' | b'#' | b'$' | b'.' | b'-' | b'/' | b':' | b'~')
            && !begins_value(bytes, start)
    {
        return None;
    }
    // Of each run that is asked first which costs least.
    // Three more digits follow one mark or two.
    if matches!(bytes.get(run.end..run.end + 4), Some([b')' | b'-' | b'.', _, b'0'..=b'9', b'0'..=b'9']))
        && run.len() == 3
        || run.len() == 1 && matches!(bytes.get(run.start..run.end + 2), Some([b'1', b'-' | b'.' | b' ', _]))
    {
        let american = Groups::read(bytes, start).american(bytes).filter(|end| ends(text, *end));
        if let Some(end) = american {
            let said = context.says(Entity::PhoneNumber, &(start..end));
            return (said != Said::Other).then_some((start..end, Sure::Likely));
        }
    }
    let mut digits = run.len();
    let mut near = bytes.get(run.end..(start + LEAST * 3).min(bytes.len()))?.iter();
    while digits < LEAST {
        match near.next()? {
            b'0'..=b'9' => digits += 1,
            mark if is_mark(*mark) => {}
            _ => return None,
        }
    }
    // Most of four digits are years, and to read words is dear.
    let is_date = || Groups::read(bytes, start).is_date();
    if run.len() == 4 && is_date() || context.says(Entity::PhoneNumber, run) != Said::This {
        return None;
    }
    let groups = Groups::read(bytes, start);
    if groups.is_date() {
        return None;
    }
    groups.any(text).map(|end| (start..end, Sure::Likely))
}

/// Whether the mark before is one that ends a name: `tel:`, `Phone/`, `Tel.`.
fn begins_value(bytes: &[u8], start: usize) -> bool {
    let before =
        |count: usize| start.checked_sub(count).and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
    matches!(before(1), b':' | b'.' | b'/') && !before(2).is_ascii_digit()
}

fn ends(text: &str, end: usize) -> bool {
    super::number::ends_alone(text, end)
        && !text.as_bytes().get(end).is_some_and(|next| next.is_ascii_alphanumeric() || *next == b'_')
}

/// What stands between the groups of a number.
fn is_mark(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'.' | b'/' | b'(' | b')')
}

impl Groups {
    fn read(bytes: &[u8], start: usize) -> Self {
        let mut groups = Self { ends: Few::new(), digits: Few::new(), first: 0 };
        let (mut marks, mut at) = (0, start);
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'0'..=b'9' if groups.digits.count < MOST + 6 => {
                    marks = 0;
                    groups.digits.push(*byte - b'0');
                    if !bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
                        groups.ends.push((at + 1, groups.digits.count));
                    }
                }
                mark if is_mark(*mark) && marks < 2 => marks += 1,
                _ => break,
            }
            at += 1;
        }
        groups.first = groups.ends.get().first().map_or(0, |(_, count)| *count);
        groups
    }

    /// The end of the longest number of so many digits.
    fn end(&self, least: usize, most: usize) -> Option<usize> {
        let fitting = self.ends.get().iter().rev().find(|(_, count)| (least..=most).contains(count));
        fitting.map(|(end, _)| *end)
    }

    fn number(&self, at: usize, count: usize) -> u32 {
        self.digits.get().iter().skip(at).take(count).fold(0, |sum, digit| sum * 10 + u32::from(*digit))
    }

    /// Behind a `+`: the code of a country, and not less than so much behind it.
    fn international(&self) -> Option<usize> {
        match (self.number(0, 1), self.number(0, 2), self.number(0, 3)) {
            (1, _, _) => self.end(11, 11).filter(|_| self.is_american(1)),
            (7, _, _) => self.end(11, 11),
            (
                _,
                20
                | 27
                | 30..=34
                | 36
                | 39..=41
                | 43..=49
                | 51..=58
                | 60..=66
                | 81
                | 82
                | 84
                | 86
                | 90..=95
                | 98,
                _,
            )
            | (
                _,
                _,
                211..=269
                | 290..=299
                | 350..=389
                | 420..=423
                | 500..=509
                | 590..=599
                | 670..=692
                | 800
                | 808
                | 850..=856
                | 870
                | 878
                | 880..=888
                | 960..=979
                | 992..=998,
            ) => self.end(8, 13),
            _ => None,
        }
    }

    /// The area and the exchange begin with neither 0 nor 1.
    fn is_american(&self, at: usize) -> bool {
        self.number(at, 1) > 1 && self.number(at + 3, 1) > 1
    }

    /// `(212) 555-0123`, `212-555-0123`, `212.555.0123`, `1-212-555-0123`.
    fn american(&self, bytes: &[u8]) -> Option<usize> {
        let (country, end) = match self.ends.get() {
            [(_, 3), (_, 6), (end, 10), ..] => (0, *end),
            [(_, 1), (_, 4), (_, 7), (end, 11), ..] if self.number(0, 1) == 1 => (1, *end),
            _ => return None,
        };
        let mark = |at: usize| {
            bytes.get(self.ends.get().get(at).map_or(0, |(end, _)| *end)).copied().unwrap_or(b' ')
        };
        let (first, second) = (mark(country), mark(country + 1));
        let marked = matches!((first, second), (b')', b'-' | b' ' | b'.') | (b'-', b'-') | (b'.', b'.'));
        (marked && self.is_american(country)).then_some(end)
    }

    fn any(&self, text: &str) -> Option<usize> {
        let fitting = self.ends.get().iter().rev().filter(|(_, count)| (LEAST..=MOST).contains(count));
        fitting.map(|(end, _)| *end).find(|end| ends(text, *end))
    }

    /// A year, and at most two digits behind it.
    fn is_date(&self) -> bool {
        let ends = self.ends.get();
        self.first == 4
            && (1900..2100).contains(&self.number(0, 4))
            && matches!(ends, [(_, 4), (_, 5 | 6), (_, 6..=8), ..])
            || matches!(ends, [(_, 1 | 2), (_, 2..=4), (_, 6..=8), ..])
                && (1900..2100).contains(&self.number(self.digits.count.min(8).saturating_sub(4), 4))
    }
}
