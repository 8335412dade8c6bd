//! Phrases: words in an order, with room between them. The data is in the `.rules` files.

use std::collections::BTreeMap;
use std::ops::Range;

use super::read::reading;

/// The steps that words may be, while phrases are read.
pub(crate) type Known = BTreeMap<String, Vec<usize>>;

/// Every phrase of one sort.
#[derive(Debug, Default)]
pub(crate) struct Phrases {
    steps: Vec<Step>,
    words: Words,
}

/// The steps that a word may be, the last of each phrase first, so that no word is two steps at once. In order of the words,
/// with a table of where those of one hash begin, so that most words are passed over at once.
#[derive(Debug, Default)]
struct Words {
    places: Vec<u16>,
    list: Vec<(String, Vec<usize>)>,
}

impl Words {
    fn of(known: BTreeMap<String, Vec<usize>>) -> Self {
        let mut words = Self { places: vec![0; PLACES], list: Vec::with_capacity(known.len()) };
        for (word, mut steps) in known {
            steps.sort_unstable_by(|a, b| b.cmp(a));
            let mut slot = place(&word);
            while words.places.get(slot).is_some_and(|taken| *taken != 0) {
                slot = (slot + 1) % PLACES;
            }
            words.list.push((word, steps));
            if let Some(free) = words.places.get_mut(slot) {
                *free = u16::try_from(words.list.len()).unwrap_or(0);
            }
        }
        words
    }

    fn get(&self, word: &str) -> Option<&[usize]> {
        let mut slot = place(word);
        loop {
            let at = usize::from(*self.places.get(slot)?).checked_sub(1)?;
            let (known, steps) = self.list.get(at)?;
            if known == word {
                return Some(steps);
            }
            slot = (slot + 1) % PLACES;
        }
    }
}

/// The places of the table: a power of two, well above the number of words.
const PLACES: usize = 1 << 13;

fn place(word: &str) -> usize {
    let hash = word
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    usize::try_from(hash >> 40).unwrap_or(0) % PLACES
}

#[derive(Debug)]
struct Step {
    /// How many words may stand between the step before and this one. None for the first of a phrase.
    gap: Option<usize>,
    /// The number of the rule that is raised where this is the last of a phrase.
    raises: Option<usize>,
    /// The words that it may be, as the data has them.
    may_be: Vec<&'static str>,
}

/// How far every phrase has come in one text.
pub(crate) struct Reader<'p> {
    phrases: &'p Phrases,
    /// For each step: behind which word it was last reached, and where in the text its phrase began.
    reached: Vec<Option<(usize, usize)>>,
    /// Which steps are reached, so that a new sentence costs no more than the old one did.
    touched: Vec<usize>,
    at: usize,
}

impl Phrases {
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader { phrases: self, reached: vec![None; self.steps.len()], touched: Vec::new(), at: 0 }
    }
}

impl Reader<'_> {
    /// The next word, as it is read and in lower case, and where it stands.
    pub(crate) fn word(
        &mut self,
        word: &str,
        span: Range<usize>,
        raise: &mut dyn FnMut(usize, Range<usize>),
    ) {
        self.at += 1;
        self.also(word, span, raise);
    }

    /// What the last word may also be taken for.
    pub(crate) fn also(
        &mut self,
        word: &str,
        span: Range<usize>,
        raise: &mut dyn FnMut(usize, Range<usize>),
    ) {
        self.part(word, self.at.saturating_sub(1)..self.at, span, raise);
    }

    /// A part of the text, from one place to another; a word is one place long. Parts may overlap, and come in the order of
    /// their ends.
    pub(crate) fn part(
        &mut self,
        word: &str,
        places: Range<usize>,
        span: Range<usize>,
        raise: &mut dyn FnMut(usize, Range<usize>),
    ) {
        let Some(steps) = self.phrases.words.get(word) else { return };
        for &at in steps {
            let Some(step) = self.phrases.steps.get(at) else { continue };
            let begun = match step.gap {
                None => Some(span.start),
                Some(gap) => at
                    .checked_sub(1)
                    .and_then(|before| *self.reached.get(before)?)
                    .and_then(|(end, begun)| (places.start.checked_sub(end)? <= gap).then_some(begun)),
            };
            let Some(begun) = begun else { continue };
            if let Some(rule) = step.raises {
                raise(rule, begun..span.end);
            }
            if let Some(reached) = self.reached.get_mut(at)
                && reached.replace((places.end, begun)).is_none()
            {
                self.touched.push(at);
            }
        }
    }

    /// A sentence ends: no phrase goes on.
    pub(crate) fn stop(&mut self) {
        for at in self.touched.drain(..) {
            if let Some(reached) = self.reached.get_mut(at) {
                *reached = None;
            }
        }
    }
}

impl Phrases {
    /// How many there are.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.steps.iter().filter(|step| step.raises.is_some()).count()
    }

    /// Each phrase: its rule, and for each of its steps the words that it may be, and how many words at most stand before it.
    pub(crate) fn each(&self) -> impl Iterator<Item = (usize, Vec<(&[&'static str], usize)>)> {
        let (mut steps, mut before) = (Vec::new(), 0);
        self.steps.iter().filter_map(move |step| {
            before += step.gap.unwrap_or(0);
            steps.push((step.may_be.as_slice(), before));
            before = if step.raises.is_some() { 0 } else { before + 1 };
            Some((step.raises?, std::mem::take(&mut steps)))
        })
    }

    pub(crate) fn add(
        &mut self,
        known: &mut Known,
        line: &'static str,
        rule: usize,
        lists: &BTreeMap<&str, Vec<&'static str>>,
    ) {
        let first = self.steps.len();
        let mut gap = 0;
        for part in line.split_whitespace() {
            if let Some(words) = part.strip_prefix('~') {
                gap = words.parse().unwrap_or(0);
                continue;
            }
            let at = self.steps.len();
            let mut may_be = Vec::new();
            for word in part.split('|') {
                let list = word.strip_prefix('@').and_then(|list| lists.get(list));
                for word in list.map_or(std::slice::from_ref(&word), Vec::as_slice) {
                    may_be.push(*word);
                    let steps = known.entry(reading(word)).or_default();
                    if !steps.contains(&at) {
                        steps.push(at);
                    }
                }
            }
            self.steps.push(Step { gap: (at > first).then_some(gap), raises: None, may_be });
            gap = 0;
        }
        if let Some(last) = self.steps.last_mut() {
            last.raises = Some(rule);
        }
    }

    /// All phrases are there.
    pub(crate) fn close(&mut self, known: Known) {
        self.words = Words::of(known);
    }
}

#[cfg(test)]
mod tests {
    use super::super::rule::rules;

    fn raised(text: &str) -> Vec<&'static str> {
        let mut reader = rules().texts.reader();
        let mut found = Vec::new();
        for word in text.split(' ') {
            reader.word(word, 0..0, &mut |rule, _| found.push(rules().list[rule].name));
            if word == "." {
                reader.stop();
            }
        }
        found.dedup();
        found.retain(|name| *name == "conceals_from_user");
        found
    }

    #[test]
    fn a_phrase_keeps_its_order_and_its_room() {
        for (text, expected) in [
            ("do not tell the user", vec!["conceals_from_user"]),
            ("not do tell the user", vec![]),
            ("do not ever really tell the user", vec!["conceals_from_user"]),
            ("do not a b c tell the user", vec![]),
            ("do not . tell the user", vec![]),
            ("do do not not tell the user", vec!["conceals_from_user"]),
            ("do tell the user", vec![]),
        ] {
            assert_eq!(raised(text), expected, "{text}");
        }
    }
}
