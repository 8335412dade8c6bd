//! Phrases: words in an order, with room between them. The data is in `phrases.rules`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use super::code::Code;

static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::read(include_str!("phrases.rules")));

/// What texts say.
pub(super) fn of_texts() -> &'static Phrases {
    &RULES.texts
}

/// What names of parameters say.
pub(super) fn of_parameters() -> &'static Phrases {
    &RULES.parameters
}

#[derive(Default)]
struct Rules {
    texts: Phrases,
    parameters: Phrases,
}

/// Every phrase of one sort.
#[derive(Default)]
pub(super) struct Phrases {
    steps: Vec<Step>,
    /// The steps that a word may be, the last of each phrase first, so that no word is two steps at once.
    words: BTreeMap<&'static str, Vec<usize>>,
}

struct Step {
    /// How many words may stand between the step before and this one. None for the first of a phrase.
    gap: Option<usize>,
    /// What is raised where this is the last of a phrase.
    raises: Option<Code>,
}

/// How far every phrase has come in one text.
pub(super) struct Reader<'p> {
    phrases: &'p Phrases,
    /// For each step: at which word it was last reached, and where in the text its phrase began.
    reached: Vec<Option<(usize, usize)>>,
    /// Which steps are reached, so that a new sentence costs no more than the old one did.
    touched: Vec<usize>,
    at: usize,
}

impl Phrases {
    pub(super) fn reader(&self) -> Reader<'_> {
        Reader { phrases: self, reached: vec![None; self.steps.len()], touched: Vec::new(), at: 0 }
    }
}

impl Reader<'_> {
    /// The next word, as it is read and in lower case, and where it stands.
    pub(super) fn word(&mut self, word: &str, span: Range<usize>, raise: &mut dyn FnMut(Code, Range<usize>)) {
        self.at += 1;
        self.also(word, span, raise);
    }

    /// What the last word may also be taken for.
    pub(super) fn also(&mut self, word: &str, span: Range<usize>, raise: &mut dyn FnMut(Code, Range<usize>)) {
        let Some(steps) = self.phrases.words.get(word) else { return };
        for &at in steps {
            let Some(step) = self.phrases.steps.get(at) else { continue };
            let begun = match step.gap {
                None => Some(span.start),
                Some(gap) => at
                    .checked_sub(1)
                    .and_then(|before| *self.reached.get(before)?)
                    .and_then(|(word, begun)| (word < self.at && self.at - word - 1 <= gap).then_some(begun)),
            };
            let Some(begun) = begun else { continue };
            if let Some(code) = step.raises {
                raise(code, begun..span.end);
            }
            if let Some(reached) = self.reached.get_mut(at)
                && reached.replace((self.at, begun)).is_none()
            {
                self.touched.push(at);
            }
        }
    }

    /// A sentence ends: no phrase goes on.
    pub(super) fn stop(&mut self) {
        for at in self.touched.drain(..) {
            if let Some(reached) = self.reached.get_mut(at) {
                *reached = None;
            }
        }
    }
}

impl Rules {
    /// Lines that say nothing known are left out; a test sees to it that there are none.
    fn read(text: &'static str) -> Self {
        let mut rules = Self::default();
        let mut lists: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut head = None;
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            if let Some(list) = line.strip_prefix('@') {
                let mut words = list.split_whitespace();
                lists.insert(words.next().unwrap_or_default(), words.collect());
            } else if line.starts_with(' ') {
                let Some((of_parameters, code)) = head else { continue };
                let phrases = if of_parameters { &mut rules.parameters } else { &mut rules.texts };
                phrases.add(line, code, &lists);
            } else {
                let (of_parameters, word) =
                    line.strip_prefix("parameter ").map_or((false, line), |word| (true, word));
                head = Code::ALL.iter().find(|code| code.word() == word).map(|code| (of_parameters, *code));
            }
        }
        rules
    }
}

impl Phrases {
    fn add(&mut self, line: &'static str, code: Code, lists: &BTreeMap<&str, Vec<&'static str>>) {
        let first = self.steps.len();
        let mut gap = 0;
        for part in line.split_whitespace() {
            if let Some(words) = part.strip_prefix('~') {
                gap = words.parse().unwrap_or(0);
                continue;
            }
            let at = self.steps.len();
            for word in part.split('|') {
                let list = word.strip_prefix('@').and_then(|list| lists.get(list));
                for word in list.map_or(std::slice::from_ref(&word), Vec::as_slice) {
                    let steps = self.words.entry(word).or_default();
                    if !steps.contains(&at) {
                        steps.push(at);
                    }
                }
            }
            self.steps.push(Step { gap: (at > first).then_some(gap), raises: None });
            gap = 0;
        }
        if let Some(last) = self.steps.last_mut() {
            last.raises = Some(code);
        }
        self.words.values_mut().for_each(|steps| steps.sort_unstable_by(|a, b| b.cmp(a)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raised(text: &str) -> Vec<&'static str> {
        let mut reader = of_texts().reader();
        let mut found = Vec::new();
        for word in text.split(' ') {
            reader.word(word, 0..0, &mut |code, _| found.push(code.word()));
            if word == "." {
                reader.stop();
            }
        }
        found.dedup();
        found
    }

    #[test]
    fn every_line_of_the_data_is_used() {
        let data = include_str!("phrases.rules");
        let lists: Vec<&str> =
            data.lines().filter_map(|line| line.strip_prefix('@')?.split(' ').next()).collect();
        let mut phrases = 0;
        for line in data.lines().filter(|line| !line.starts_with(['#', '@']) && !line.is_empty()) {
            if let Some(phrase) = line.strip_prefix("  ") {
                phrases += 1;
                for part in phrase.split(' ').flat_map(|part| part.split('|')) {
                    match part.split_at(1) {
                        ("~", gap) => assert!(gap.parse::<usize>().is_ok(), "{phrase}"),
                        ("@", list) => assert!(lists.contains(&list), "{phrase}"),
                        _ => assert!(
                            part.bytes().all(|b| b == b'%' || b.is_ascii_lowercase() || b.is_ascii_digit()),
                            "{phrase}"
                        ),
                    }
                }
            } else {
                let code = line.strip_prefix("parameter ").unwrap_or(line);
                assert!(Code::ALL.iter().any(|known| known.word() == code), "{line}");
            }
        }
        let last = |phrases: &Phrases| phrases.steps.iter().filter(|step| step.raises.is_some()).count();
        assert_eq!(last(of_texts()) + last(of_parameters()), phrases);
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
