//! Sentences of our own from a grammar: `@name` begins a list of ways to say something, a line each; `{name}` stands for one
//! of them, `{name?}` for one of them or nothing, `{#4}` for four digits, and `{a|b}` for one of these words.

use std::collections::BTreeMap;

use crate::Dice;

/// Lists by name.
#[derive(Debug, Default)]
pub(crate) struct Grammar {
    lists: BTreeMap<String, Vec<String>>,
}

/// Lists within lists, at most.
const DEPTH: usize = 12;

impl Grammar {
    /// Reads lists; the same name may come again.
    pub(crate) fn read(texts: &[&str]) -> Self {
        let mut grammar = Self::default();
        for text in texts {
            let mut name = "";
            for line in text.lines().filter(|line| !line.starts_with("##") && !line.trim().is_empty()) {
                match line.strip_prefix('@') {
                    Some(next) => name = next.trim(),
                    None => grammar.lists.entry(name.to_owned()).or_default().push(line.replace("\\n", "\n")),
                }
            }
        }
        grammar.spread();
        grammar
    }

    /// Makes a list that ends in `.*` for every language there is.
    fn spread(&mut self) {
        let languages: Vec<_> =
            self.lists.keys().filter_map(|name| name.strip_prefix("over.")).map(str::to_owned).collect();
        let shared: Vec<_> = self.lists.keys().filter(|name| name.ends_with(".*")).cloned().collect();
        for name in shared {
            let lines = self.lists.remove(&name).unwrap_or_default();
            for language in &languages {
                let mine = lines.iter().map(|line| line.replace(".*", &format!(".{language}"))).collect();
                self.lists.insert(name.replace(".*", &format!(".{language}")), mine);
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn has(&self, name: &str) -> bool {
        self.lists.contains_key(name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.lists.keys().map(String::as_str)
    }

    /// One way to say it.
    pub(crate) fn say(&self, name: &str, dice: &mut Dice) -> String {
        let mut text = String::new();
        self.put(&format!("{{{name}}}"), dice, &mut text, 0);
        text
    }

    fn put(&self, pattern: &str, dice: &mut Dice, text: &mut String, depth: usize) {
        let mut rest = pattern;
        while let Some((before, behind)) = rest.split_once('{') {
            text.push_str(before);
            let slot = closing(behind)
                .filter(|_| behind.starts_with(|letter: char| letter.is_alphabetic() || letter == '#'));
            // Braces of code stay as they are.
            let Some((slot, after)) = slot else {
                text.push('{');
                rest = behind;
                continue;
            };
            rest = after;
            let (slot, skip) = match slot.strip_suffix('?') {
                Some(slot) => (slot, dice.percent(50)),
                None => (slot, false),
            };
            if skip {
                continue;
            }
            if let Some(digits) = slot.strip_prefix('#') {
                let digits = digits.parse::<usize>().unwrap_or(1);
                (0..digits).for_each(|_| text.push(char::from(b'0' + dice.below(10) as u8)));
            } else if slot.contains('|') {
                let ways = ways(slot);
                self.put(dice.of::<&str>(&ways), dice, text, depth + 1);
            } else if let Some(list) = self.lists.get(slot).filter(|_| depth < DEPTH) {
                self.put(dice.of::<String>(list), dice, text, depth + 1);
            } else {
                text.push_str(slot);
            }
        }
        text.push_str(rest);
    }
}

/// What stands before the brace that closes, and what behind.
fn closing(text: &str) -> Option<(&str, &str)> {
    let mut open = 1_usize;
    let end = text.find(|letter| {
        open = open + usize::from(letter == '{') - usize::from(letter == '}');
        open == 0
    })?;
    Some((&text[..end], &text[end + 1..]))
}

/// The ways to say something, parted by bars that stand in no braces.
fn ways(slot: &str) -> Vec<&str> {
    let mut open = 0_i32;
    slot.split(|letter| {
        open += i32::from(letter == '{') - i32::from(letter == '}');
        letter == '|' && open == 0
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_filled() {
        let grammar = Grammar::read(&["@a\n{b} {#3} {x|y}!\n@b\none\ntwo\n"]);
        let said = grammar.say("a", &mut Dice::new(1));
        assert!(said.starts_with("one ") || said.starts_with("two "), "{said}");
        assert!(said.ends_with("x!") || said.ends_with("y!"), "{said}");
        assert!(!said.contains('{'), "{said}");
    }

    #[test]
    fn ways_may_have_slots_of_their_own() {
        let grammar = Grammar::read(&["@a\n{x {b|c} {#2}|y {d}}\n@d\nz\n"]);
        for seed in 0..20 {
            let said = grammar.say("a", &mut Dice::new(seed));
            assert!(said == "y z" || said.len() == 6 && said.starts_with("x "), "{said}");
        }
    }

    #[test]
    fn every_slot_has_its_list() {
        let grammar = Grammar::read(crate::ours::LISTS);
        for (name, lines) in &grammar.lists {
            for line in lines {
                for slot in line
                    .split('{')
                    .skip(1)
                    .filter(|part| part.starts_with(|letter: char| letter.is_ascii_lowercase()))
                    .filter_map(|part| part.split('}').next())
                {
                    let slot = slot.trim_end_matches('?');
                    let list = slot.contains(|letter: char| !letter.is_ascii_lowercase() && letter != '.')
                        || grammar.has(slot);
                    assert!(list, "{name}: {slot}");
                }
            }
        }
    }
}
