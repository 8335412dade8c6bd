//! Many words looked for in one pass.

use std::ops::Range;

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, MatchKind};

use crate::heads::Heads;

/// An automaton, and a look ahead that passes over what no word begins with.
#[derive(Debug)]
pub(crate) struct Words {
    heads: Heads,
    dfa: DFA,
    /// The state of the automaton where no word has begun.
    idle: StateID,
}

impl Words {
    /// Nothing where there are too many for one automaton.
    pub(crate) fn new(words: &[&str]) -> Option<Self> {
        let heads = Heads::new(words)?;
        let dfa = DFA::builder().match_kind(MatchKind::Standard).build(words).ok()?;
        let idle = dfa.start_state(Anchored::No).ok()?;
        Some(Self { heads, dfa, idle })
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
            state = self.dfa.next_state(Anchored::No, state, *byte);
            at += 1;
            if self.dfa.is_match(state) {
                for which in 0..self.dfa.match_len(state) {
                    let word = self.dfa.match_pattern(state, which);
                    if !seen(word.as_usize(), at - self.dfa.pattern_len(word)..at) {
                        return;
                    }
                }
            }
        }
    }

    /// Bytes that the automaton takes.
    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        self.dfa.memory_usage()
    }
}
