//! Phrases in scripts that part no words, or bend them: parts of words are looked for, and room is characters.

use std::ops::Range;

use super::phrase::Reader;
use super::read::reading;
use super::rule::{Rule, rules};
use crate::words::Words;

/// What ends a sentence there.
const STOPS: [&str; 8] = ["。", "！", "？", ". ", "! ", "? ", "।", "\n\n"];

/// How far phrases have come, kept from one text to the next.
pub(crate) struct TermReader(Reader<'static>);

impl Default for TermReader {
    fn default() -> Self {
        Self(rules().terms.reader())
    }
}

/// The finder.
#[derive(Debug)]
pub(crate) struct Terms {
    automaton: Option<Words>,
    /// How each pattern is read, as the phrases have it; none for an end of a sentence.
    words: Vec<Option<String>>,
}

impl Terms {
    /// For all that are built in.
    pub(crate) fn new() -> Self {
        let mut patterns: Vec<(String, Option<&'static str>)> = Vec::new();
        for (_, steps) in rules().terms.each() {
            for word in steps.into_iter().flat_map(|(words, _)| words) {
                let plain = word.replace('_', " ");
                let mut letters = plain.chars();
                let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
                let forms = [format!("{first}{}", letters.as_str()), plain.to_uppercase(), plain];
                patterns.extend(forms.map(|form| (form, Some(*word))));
            }
        }
        patterns.extend(STOPS.map(|stop| (stop.to_owned(), None)));
        patterns.sort_unstable();
        patterns.dedup();
        let words = patterns.iter().map(|(_, word)| word.map(reading)).collect();
        let patterns: Vec<&str> = patterns.iter().map(|(pattern, _)| pattern.as_str()).collect();
        Self { automaton: Words::new(&patterns), words }
    }

    /// What the text says, and where. Linear.
    pub(crate) fn judge(
        &self,
        reader: &mut TermReader,
        text: &str,
        found: &mut dyn FnMut(&'static Rule, Range<usize>),
    ) {
        let Some(automaton) = &self.automaton else { return };
        let reader = &mut reader.0;
        reader.stop();
        // How many characters there are before `from`.
        let (mut from, mut places) = (0, 0);
        automaton.each(text, |which, span| {
            places += text.get(from..span.end).unwrap_or_default().chars().count();
            from = span.end;
            if let Some(word) = self.words.get(which).and_then(Option::as_ref) {
                let length = text.get(span.clone()).unwrap_or_default().chars().count();
                reader.part(word, places - length..places, span, &mut |rule, span| {
                    if let Some(rule) = rules().list.get(rule) {
                        found(rule, span);
                    }
                });
            } else {
                reader.stop();
            }
            true
        });
    }
}
