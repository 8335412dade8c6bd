//! What people read. Everything of the server is escaped, and cut where it is long.

use std::fmt;

use lockgate_model::Untrusted;

use super::{Change, Code, Diff, Risk, Word};

/// Longest text shown of a value or of new words, in characters.
const LONG: usize = 2000;
/// Longest text shown of words that are the same, on each side of those that are not, in characters.
const AROUND: usize = 60;

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return writeln!(f, "no difference");
        }
        for change in &self.changes {
            fmt::Display::fmt(change, f)?;
        }
        if self.more > 0 {
            writeln!(f, "and {} more, the highest risk of all is {}", self.more, self.risk.word())?;
        }
        Ok(())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "/" } else { &self.pointer };
        writeln!(f, "{} {}, risk {}", escaped(place), self.what.word(), self.risk().word())?;
        for code in &self.codes {
            let risk = if code.risk() == Risk::High { "!" } else { "-" };
            writeln!(f, "  {risk} {} ({})", Code::meaning(*code), code.word())?;
        }
        if !self.words.is_empty() {
            return writeln!(f, "  ~ {}", words(&self.words));
        }
        if let Some(old) = &self.old {
            writeln!(f, "  was {}", escaped(old))?;
        }
        if let Some(new) = &self.new {
            writeln!(f, "  is  {}", escaped(new))?;
        }
        Ok(())
    }
}

fn escaped(text: &str) -> String {
    Untrusted::new(text).escaped(LONG)
}

/// `the [-old-]{+new+} text`, with what is the same shortened.
fn words(words: &[Word]) -> String {
    let mut out = String::new();
    for (index, word) in words.iter().enumerate() {
        match word {
            Word::Same(text) => {
                let count = text.chars().count();
                let (head, tail) =
                    (if index == 0 { 0 } else { AROUND }, if index + 1 == words.len() { 0 } else { AROUND });
                if count > head + tail + 3 {
                    out += &escaped(&text.chars().take(head).collect::<String>());
                    out.push('…');
                    out += &escaped(&text.chars().skip(count - tail).collect::<String>());
                } else {
                    out += &escaped(text);
                }
            }
            Word::Old(text) => out += &format!("[-{}-]", escaped(text)),
            Word::New(text) => out += &format!("{{+{}+}}", escaped(text)),
        }
    }
    out
}
