//! Rows of our own, made from the lists in `phrases/`: orders in results and definitions, and texts that only look like it.

use lockgate_detect::Genre;

use crate::grammar::Grammar;
use crate::{Dice, Row};

/// The lists.
pub const LISTS: &[&str] = &[
    include_str!("../phrases/goals.txt"),
    include_str!("../phrases/orders.txt"),
    include_str!("../phrases/poison.txt"),
    include_str!("../phrases/fine.txt"),
    include_str!("../phrases/languages.txt"),
];

/// How many of each are made.
const RESULTS: usize = 9_000;
const DEFINITIONS: usize = 5_000;
const ORDINARY: usize = 16_000;
const LEGIT: usize = 5_000;

/// Letters of an ordinary text that orders are put into, at most.
const HOST: usize = 1_500;

/// Whether rows of that source are ours.
pub fn is(source: &str) -> bool {
    source.starts_with("ours")
}

/// Makes them, with ordinary texts of these rows around them. Always the same.
pub fn make(rows: &[Row]) -> Vec<Row> {
    let grammar = Grammar::read(LISTS);
    let mut dice = Dice::new(2_026);
    let host = |genre: Genre, least: usize| -> Vec<&Row> {
        let fits =
            rows.iter().filter(|row| !row.bad && row.genre == genre && !row.source.starts_with("atr-rule"));
        fits.filter(|row| row.text.len() > least).collect()
    };
    let (results, definitions) = (host(Genre::Result, 60), host(Genre::Definition, 40));
    let languages: Vec<String> =
        grammar.names().filter_map(|name| name.strip_prefix("inject.")).map(str::to_owned).collect();
    let mut maker = Maker { grammar: &grammar, dice: &mut dice, languages: &languages };
    let mut made = Vec::new();
    for _ in 0..RESULTS {
        made.push(maker.result(&results));
    }
    for _ in 0..DEFINITIONS {
        made.push(maker.definition(&definitions));
    }
    for _ in 0..ORDINARY {
        made.push(maker.ordinary());
    }
    for _ in 0..LEGIT {
        made.push(maker.legit(&definitions));
    }
    made
}

struct Maker<'a> {
    grammar: &'a Grammar,
    dice: &'a mut Dice,
    languages: &'a [String],
}

impl Maker<'_> {
    fn say(&mut self, name: &str) -> String {
        let text = self.grammar.say(name, self.dice);
        let mut letters = text.chars();
        match letters.next() {
            // A sentence begins with a capital; one in ten writers does not care.
            Some(first) if !self.dice.percent(10) => {
                first.to_uppercase().collect::<String>() + letters.as_str()
            }
            _ => text,
        }
    }

    /// A list in another language or in English: a name like `inject`, or `inject.de`.
    fn tongue(&mut self, name: &str, english: usize) -> String {
        if self.dice.percent(english) {
            return name.to_owned();
        }
        let language = self.dice.of::<String>(self.languages);
        format!("{name}.{language}")
    }

    /// Several ordinary sentences of one kind.
    fn plain(&mut self, most: usize) -> String {
        let kind =
            if self.dice.percent(70) { self.grammar.say("kind", self.dice) } else { self.tongue("plain", 0) };
        let between = *self.dice.of::<&str>(&[" ", " ", "\n", "\n\n", "\n- "]);
        let sentences: Vec<_> = (0..=self.dice.below(most)).map(|_| self.say(&kind)).collect();
        sentences.join(between)
    }

    fn result(&mut self, hosts: &[&Row]) -> Row {
        let list = self.tongue("inject", 60);
        let orders = self.say(&list);
        let place = self.grammar.say("place", self.dice);
        let (host, source) = match self.dice.below(10) {
            0..5 => cut(hosts, self.dice),
            5..9 => (self.plain(6), ""),
            _ => (String::new(), ""),
        };
        let half = floor(&host, host.len() * self.dice.below(5) / 4);
        let (head, tail) = host.split_at(half);
        let text = place.replace("HEAD", head).replace("TAIL", tail);
        row("ours-results", Genre::Result, true, &text, "INJ", &orders).around(source)
    }

    fn definition(&mut self, hosts: &[&Row]) -> Row {
        let list = self.tongue("poison", 75);
        let poison = self.say(&list);
        let mark = self.grammar.say("mark", self.dice).replace("POISON", &poison);
        let set = self.grammar.say("set", self.dice);
        let (mut tool, source) = cut(hosts, self.dice);
        if self.dice.percent(20) {
            tool = tool + "\n" + &self.say("flaw");
        }
        row("ours-definitions", Genre::Definition, true, &set.replace("TOOL", &tool), "MARK", &mark)
            .around(source)
    }

    fn ordinary(&mut self) -> Row {
        let text = self.plain(12);
        let text = match self.dice.below(6) {
            0 => format!("{{\"id\": {}, \"text\": \"{text}\"}}", self.dice.below(9_999)),
            1 => format!("# {}\n\n{text}", self.say("story")),
            2 => format!("{text}\n\n{}", self.plain(4)),
            _ => text,
        };
        row("ours-ordinary", Genre::Result, false, &text, "\0", "")
    }

    fn legit(&mut self, hosts: &[&Row]) -> Row {
        let list = self.tongue("flaw", 85).replace("flaw.", "plain.");
        let (mut text, mut source) = (self.say(&list), "");
        if self.dice.percent(60) {
            let tool;
            (tool, source) = cut(hosts, self.dice);
            text = tool + *self.dice.of::<&str>(&["\n\n", " ", "\n"]) + &text;
        }
        row("ours-legit", Genre::Definition, false, &text, "\0", "").around(source)
    }
}

/// A row with `orders` in place of `slot`.
fn row(source: &str, genre: Genre, bad: bool, text: &str, slot: &str, orders: &str) -> Row {
    let start = text.find(slot);
    Row {
        source: source.to_owned(),
        genre,
        bad,
        class: String::new(),
        text: text.replacen(slot, orders, 1),
        object: None,
        weight: if bad { 0.6 } else { 1.0 },
        orders: start.map(|start| start..start + orders.len()),
    }
}

/// A part of one of these texts that is not too long, and where it is from.
fn cut<'r>(texts: &[&'r Row], dice: &mut Dice) -> (String, &'r str) {
    let Row { text, source, .. } = *dice.of::<&Row>(texts);
    if text.len() <= HOST {
        return (text.clone(), source);
    }
    let start = floor(text, dice.below(text.len() - HOST));
    (text[start..floor(text, start + HOST)].to_owned(), source)
}

/// The start of the character there.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
