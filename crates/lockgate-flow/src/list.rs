//! Lists of words, with one space between two of them.

use memchr::memmem;

/// The word as the list has it; nothing where it does not.
pub(crate) fn listed(list: &'static str, word: &str) -> Option<&'static str> {
    let bytes = list.as_bytes();
    let places = memmem::find_iter(bytes, word.as_bytes());
    let mut places = places.filter(|at| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let after = bytes.get(at + word.len());
        [before, after].iter().all(|beside| beside.is_none_or(|beside| *beside == b' '))
    });
    let single = !word.is_empty() && !word.contains(' ');
    places.next().filter(|_| single).and_then(|at| list.get(at..at + word.len()))
}

/// Does the list have the word?
pub(crate) fn lists(list: &'static str, word: &str) -> bool {
    listed(list, word).is_some()
}

#[cfg(test)]
mod tests {
    use super::{listed, lists};

    #[test]
    fn whole_words_are_listed() {
        const LIST: &str = "tip title untitled to";
        for word in LIST.split(' ') {
            assert_eq!(listed(LIST, word), Some(word));
        }
        for other in ["", "t", "tit", "titled", "tle", "itle", "p", "o", "too", "tip title"] {
            assert!(!lists(LIST, other), "{other}");
        }
    }
}
