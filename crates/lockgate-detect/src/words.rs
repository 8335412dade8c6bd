//! Thousands of words looked for in one pass.

use std::ops::Range;

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, MatchKind};

use crate::heads::Heads;

/// An automaton, and a look ahead that passes over what no word begins with.
#[derive(Debug)]
pub(crate) struct Words {
    heads: Heads,
    automaton: NFA,
    /// The state of the automaton where no word has begun.
    idle: StateID,
}

impl Words {
    /// Of any number of words, however many begin alike. Nothing where there are too many for one automaton.
    pub(crate) fn new(words: &[&str]) -> Option<Self> {
        let automaton = NFA::builder().match_kind(MatchKind::Standard).build(words).ok()?;
        let idle = automaton.start_state(Anchored::No).ok()?;
        Some(Self { heads: Heads::new(words)?, automaton, idle })
    }

    /// Hands over each word of the text with its number: by where they end, until it gives false. Linear.
    pub(crate) fn each(&self, text: &str, mut seen: impl FnMut(usize, Range<usize>) -> bool) {
        let bytes = text.as_bytes();
        let (mut at, mut state) = (0, self.idle);
        loop {
            if state == self.idle {
                at = self.heads.next(bytes, at);
            }
            let Some(byte) = bytes.get(at) else { return };
            state = self.automaton.next_state(Anchored::No, state, *byte);
            at += 1;
            if self.automaton.is_match(state) {
                for which in 0..self.automaton.match_len(state) {
                    let word = self.automaton.match_pattern(state, which);
                    if !seen(word.as_usize(), at - self.automaton.pattern_len(word)..at) {
                        return;
                    }
                }
            }
        }
    }
}
