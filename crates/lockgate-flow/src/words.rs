//! What the user said. These words may endorse a value, so nothing that needs decoding was said.

use std::collections::{BTreeSet, VecDeque};

use crate::list::lists;
use crate::text::{Dates, Day, bare, canonical, is_letter, numbers, plain, visible};

/// Memory that one turn takes beside its text, about.
const TURN: usize = 128;

/// Words that say nothing of what is meant.
const COMMON: &str = "\
    with from that this then than them they their there these those what when where which while will would could \
    should about into onto over under after before again also only just very more most some such each every other \
    your yours mine have here been were being does doing done make made like need want please help find show \
    item items name names type true false null none price total order product products account email";

/// The user's own words, the newest that fit into the limit.
///
/// A value is said where it stands between word boundaries in what the user wrote, case, width and white space aside;
/// or where it is a number or a day that the user wrote in another manner. Letters that only look alike are different.
#[derive(Debug)]
pub struct Words {
    limit: usize,
    held: usize,
    turns: VecDeque<Turn>,
}

#[derive(Debug)]
struct Turn {
    text: String,
    numbers: BTreeSet<String>,
    dates: Dates,
}

impl Words {
    /// No words yet. Holds at most `limit` bytes of text, where each turn counts 128 bytes more; what comes later displaces what came first.
    pub fn new(limit: usize) -> Self {
        Self { limit, held: 0, turns: VecDeque::new() }
    }

    /// The user said this. Of a text over the limit only the beginning counts, up to the last whole word.
    pub fn say(&mut self, text: &str) {
        let seen = visible(text);
        self.hear(text);
        if let Some(seen) = seen {
            self.hear(&seen);
        }
    }

    /// Whether the user said this value. The empty value was never said.
    pub fn says(&self, value: &str) -> bool {
        let folded = plain(value);
        let sought = bare(&folded);
        if sought.is_empty() {
            return false;
        }
        let number = canonical(&folded);
        let day = Day::of_value(&folded);
        self.turns.iter().any(|turn| {
            holds(&turn.text, sought)
                || number.as_ref().is_some_and(|number| turn.numbers.contains(number))
                || day.is_some_and(|day| turn.dates.name(day))
        })
    }

    /// Whether the user said nothing yet.
    pub fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// Did the user use one of the words of this text? Words of fewer than four letters, and those that every request has,
    /// do not count.
    pub fn share(&self, text: &str) -> bool {
        let telling = |word: &&str| word.len() > 3 && !lists(COMMON, word);
        let mut words = text.split(|c: char| !c.is_alphanumeric()).filter(telling);
        words.any(|word| self.turns.iter().any(|turn| holds(&turn.text, word)))
    }

    fn hear(&mut self, text: &str) {
        let room = self.limit.saturating_sub(TURN);
        let mut text = plain(text).into_owned();
        if text.len() > room {
            let end = text.floor_char_boundary(room);
            let end = text.get(..end).and_then(|kept| kept.rfind(' ')).unwrap_or(0);
            text.truncate(end);
        }
        if text.is_empty() {
            return;
        }
        self.held += text.len() + TURN;
        while self.held > self.limit {
            let Some(oldest) = self.turns.pop_front() else { break };
            self.held -= oldest.text.len() + TURN;
        }
        let (numbers, dates) = (numbers(&text).collect(), Dates::of(&text));
        self.turns.push_back(Turn { text, numbers, dates });
    }
}

/// Whether the text has the value between word boundaries.
fn holds(text: &str, value: &str) -> bool {
    let text = text.as_bytes();
    memchr::memmem::find_iter(text, value)
        .any(|start| bounded(text, start, value.len()) && !is_part(text, start, value))
}

/// Whether a dotted name or an address goes on beyond the find: `bob@corp.example` was not said by who said
/// `jim.bob@corp.example` or `bob@corp.example.org`.
fn is_part(text: &[u8], start: usize, value: &str) -> bool {
    let joined = |joint: Option<usize>, beyond: Option<usize>| {
        let at = |place: Option<usize>| place.and_then(|place| text.get(place)).copied();
        at(joint).is_some_and(|byte| b".-+".contains(&byte)) && at(beyond).is_some_and(is_letter)
    };
    let address = value.contains('@');
    let end = start + value.len();
    ((address || value.contains('.')) && joined(Some(end), Some(end + 1)))
        || (address && joined(start.checked_sub(1), start.checked_sub(2)))
}

/// Whether a find does not begin or end within a word.
pub(crate) fn bounded(text: &[u8], start: usize, length: usize) -> bool {
    let word = |place: Option<&u8>| {
        place.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@'))
    };
    let end = start + length;
    let before = start.checked_sub(1).and_then(|place| text.get(place));
    let begins_within = word(before) && word(text.get(start));
    let ends_within = word(text.get(end)) && word(text.get(end.wrapping_sub(1)));
    !begins_within && !ends_within
}

#[cfg(test)]
mod tests {
    use super::Words;

    fn words(text: &str) -> Words {
        let mut words = Words::new(4096);
        words.say(text);
        words
    }

    #[test]
    fn what_was_said_is_said() {
        for (text, value) in [
            ("Write to Alice@Corp.example, please.", "alice@corp.example"),
            ("see www.example.com/a", "https://www.example.com/a/"),
            ("on May 26th 2024", "2024-05-26"),
            ("on the 3rd of June, 2025 at noon", "2025-06-03T12:00:00"),
            ("between 3 and 5 June 2025", "2025-06-05"),
            ("some day in May 2024, maybe May 26", "2024-05-26"),
            ("on May 26th", "2031-05-26"),
            ("pay $1,200.00 now", "1200"),
            ("pay 1200", "1,200.0"),
            ("pay 1.200,50 EUR", "1200.5"),
            ("the  file\n`Notes.TXT`", "notes.txt"),
            ("al\u{200b}ice@corp.example", "alice@corp.example"),
            ("ｆｕｌｌ width", "full"),
            ("Müller & Söhne", "müller & söhne"),
            ("#general", "#general"),
            ("channel #general", "general"),
        ] {
            assert!(words(text).says(value), "`{text}` says `{value}`");
        }
    }

    #[test]
    fn what_only_looks_or_decodes_alike_was_not_said() {
        for (text, value) in [
            ("malice@corp.example", "alice@corp.example"),
            ("alice@corp.example.org1", "alice@corp.example.org"),
            ("alice@corp.example", "аlice@corp.example"),
            ("аlice@corp.example", "alice@corp.example"),
            ("alice@corp.example", "al\u{200b}ice@corp.example"),
            ("jim.alice@corp.example", "alice@corp.example"),
            ("alice@corp.example.org", "alice@corp.example"),
            ("see example.com.au", "example.com"),
            ("YWxpY2VAY29ycC5leGFtcGxl", "alice@corp.example"),
            ("alice at corp dot example", "alice@corp.example"),
            ("pay 1200", "120"),
            ("pay 0012", "12"),
            ("on May 26th 2024", "2025-05-26"),
            ("on May 26th 2024", "2024-05-27"),
            ("Müller", "muller"),
            ("anything", ""),
            ("anything", "/"),
        ] {
            assert!(!words(text).says(value), "`{text}` does not say `{value}`");
        }
    }

    #[test]
    fn what_is_spoken_of_shares_a_word() {
        let words = words("Buy the cheapest smart watch, please, and a Pencil-Set");
        for (beside, shared) in [
            ("p020\npencil set\n12.5", true),
            ("techtime smart watch 3", true),
            ("usb cable\nelectronics\nprice", false),
            ("buy a set", false),
            ("please", false),
        ] {
            assert_eq!(words.share(beside), shared, "{beside}");
        }
    }

    #[test]
    fn the_oldest_words_go_first() {
        let mut words = Words::new(300);
        assert!(words.is_empty());
        words.say("first one");
        words.say("second one");
        words.say("third one");
        assert!(words.says("third") && words.says("second") && !words.says("first"));
        words.say(&"long text ".repeat(100));
        assert!(words.says("long text") && !words.says("third"));
    }
}
