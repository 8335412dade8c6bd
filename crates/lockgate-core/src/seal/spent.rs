use std::collections::BTreeMap;

use lockgate_model::Reason;

use crate::digest;

/// Most states of a session that are known to be spent, until they end. Then no further state is taken: to forget one
/// would make it good again.
const MOST: usize = 10_000;

/// The states that were brought back: each is good once.
#[derive(Debug, Default)]
pub(crate) struct Spent(BTreeMap<[u8; 32], u64>);

impl Spent {
    /// Was it brought back before?
    pub(crate) fn holds(&self, state: &str) -> bool {
        self.0.contains_key(&digest::bytes(state.as_bytes()))
    }

    /// It is brought back now. It ends by itself at `until`; both times by the wall clock, in milliseconds.
    pub(crate) fn spend(&mut self, state: &str, until: u64, now: u64) -> Result<(), Reason> {
        if self.0.len() >= MOST {
            self.0.retain(|_, until| now < *until);
        }
        if self.0.len() >= MOST {
            return Err(Reason::TooManyStates);
        }
        match self.0.insert(digest::bytes(state.as_bytes()), until) {
            None => Ok(()),
            Some(_) => Err(Reason::StateSpent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_table_forgets_only_what_has_ended() {
        let mut spent = Spent::default();
        for number in 0..MOST {
            assert_eq!(spent.spend(&number.to_string(), 100, 0), Ok(()));
        }
        assert_eq!(spent.spend("one more", 200, 99), Err(Reason::TooManyStates));
        assert!(spent.holds("0") && !spent.holds("one more"));
        assert_eq!(spent.spend("one more", 200, 100), Ok(()));
        assert_eq!(spent.spend("one more", 200, 100), Err(Reason::StateSpent));
        assert_eq!(spent.0.len(), 1);
    }
}
