//! The regular expressions of Go in the words of the `regex` crate. Both are linear and follow RE2, yet differ in small
//! things: in Go `\d`, `\s`, `\w` and `\b` know ASCII only, `{` may stand for itself, and `[`, `&&` and `--` mean
//! nothing within a class.

use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

/// Compiles a pattern of Go; the error is in one line.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    Regex::new(&translate(pattern)?).map_err(|error| {
        // The crate shows the pattern with a marker on several lines; the last line says what is wrong.
        error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
    })
}

/// Says the same to the `regex` crate.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut reader = Reader { chars: pattern.chars().peekable(), out: String::new() };
    reader.pattern()?;
    Ok(reader.out)
}

struct Reader<'p> {
    chars: Peekable<Chars<'p>>,
    out: String,
}

/// The largest count of a repetition.
const REPEAT: u32 = 1000;

impl Reader<'_> {
    fn pattern(&mut self) -> Result<(), String> {
        let mut after_repeat = false;
        while let Some(c) = self.chars.next() {
            let repeats = match c {
                '*' | '+' | '?' => {
                    self.out.push(c);
                    true
                }
                '{' => self.count()?,
                _ => {
                    self.atom(c)?;
                    false
                }
            };
            if repeats && after_repeat {
                return Err("invalid nested repetition operator".to_owned());
            }
            if repeats && self.chars.next_if_eq(&'?').is_some() {
                self.out.push('?');
            }
            after_repeat = repeats;
        }
        Ok(())
    }

    fn atom(&mut self, c: char) -> Result<(), String> {
        match c {
            '\\' => self.escape(),
            '[' => self.class(),
            '(' => self.group(),
            ']' | '}' => {
                self.literal(c);
                Ok(())
            }
            _ => {
                self.out.push(c);
                Ok(())
            }
        }
    }

    /// After `{`: a count, or the character itself.
    fn count(&mut self) -> Result<bool, String> {
        let mut ahead = self.chars.clone();
        let text: String = ahead.by_ref().take_while(|c| *c != '}').collect();
        let closed = self.chars.clone().any(|c| c == '}');
        let (from, to) = text.split_once(',').map_or((text.as_str(), None), |(from, to)| (from, Some(to)));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !closed || !digits(from) || !to.is_none_or(|to| to.is_empty() || digits(to)) {
            self.literal('{');
            return Ok(false);
        }
        let from: u32 = from.parse().unwrap_or(u32::MAX);
        let to = to.filter(|to| !to.is_empty()).map(|to| to.parse().unwrap_or(u32::MAX));
        if from > REPEAT || to.is_some_and(|to| to > REPEAT || to < from) {
            return Err(format!("invalid repeat count: `{{{text}}}`"));
        }
        self.chars = ahead;
        self.out.push_str(&format!("{{{text}}}"));
        Ok(true)
    }

    /// After `(`. What a group is named does not matter here.
    fn group(&mut self) -> Result<(), String> {
        let bad = || "invalid or unsupported Perl syntax".to_owned();
        if self.chars.next_if_eq(&'?').is_none() {
            self.out.push_str("(?:");
            return Ok(());
        }
        let python = self.chars.next_if_eq(&'P').is_some();
        if self.chars.next_if_eq(&'<').is_some() {
            let name: String = self.chars.by_ref().take_while(|c| *c != '>').collect();
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err("invalid named capture".to_owned());
            }
            self.out.push_str("(?:");
            return Ok(());
        }
        if python {
            return Err(bad());
        }
        self.out.push_str("(?");
        loop {
            let c = self.chars.next().ok_or_else(bad)?;
            if !"imsU-:)".contains(c) {
                return Err(bad());
            }
            self.out.push(c);
            if c == ':' || c == ')' {
                return Ok(());
            }
        }
    }

    /// After `\`, outside a class.
    fn escape(&mut self) -> Result<(), String> {
        match self.chars.peek() {
            Some('b' | 'B') => {
                let c = self.chars.next().unwrap_or_default();
                self.out.push_str(&format!("(?-u:\\{c})"));
            }
            Some('A' | 'z') => {
                let c = self.chars.next().unwrap_or_default();
                self.out.push_str(&format!("\\{c}"));
            }
            Some('Q') => {
                self.chars.next();
                self.quoted();
            }
            _ => {
                if !self.set()? {
                    let c = self.escaped()?;
                    self.literal(c);
                }
            }
        }
        Ok(())
    }

    /// After `\Q`: everything up to `\E` stands for itself.
    fn quoted(&mut self) {
        while let Some(c) = self.chars.next() {
            if c == '\\' && self.chars.next_if_eq(&'E').is_some() {
                return;
            }
            self.literal(c);
        }
    }

    /// After `\`: `d`, `s`, `w` and `p` with their opposites. Says whether it was one.
    fn set(&mut self) -> Result<bool, String> {
        let set = match self.chars.peek() {
            Some('d') => "[0-9]",
            Some('D') => "[^0-9]",
            Some('s') => "[\\t\\n\\x0C\\r ]",
            Some('S') => "[^\\t\\n\\x0C\\r ]",
            Some('w') => "[0-9A-Za-z_]",
            Some('W') => "[^0-9A-Za-z_]",
            Some('p' | 'P') => {
                self.unicode()?;
                return Ok(true);
            }
            _ => return Ok(false),
        };
        self.chars.next();
        self.out.push_str(set);
        Ok(true)
    }

    /// `pN`, `p{Greek}`, `p{^Greek}`
    fn unicode(&mut self) -> Result<(), String> {
        let bad = || "invalid character class range".to_owned();
        let mut negated = self.chars.next() == Some('P');
        let name: String = match self.chars.next().ok_or_else(bad)? {
            '{' => self.chars.by_ref().take_while(|c| *c != '}').collect(),
            c => c.to_string(),
        };
        let bare = name.strip_prefix('^').unwrap_or(&name);
        negated ^= bare.len() != name.len();
        if bare.is_empty() || !bare.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(bad());
        }
        self.out.push_str(&format!("\\{}{{{bare}}}", if negated { 'P' } else { 'p' }));
        Ok(())
    }

    /// After `\`: the one character that is meant.
    fn escaped(&mut self) -> Result<char, String> {
        let bad = |c: char| format!("invalid escape sequence: `\\{c}`");
        let c = self.chars.next().ok_or("trailing backslash at end of expression")?;
        let code = match c {
            '1'..='7' if !self.chars.peek().is_some_and(|c| c.is_digit(8)) => return Err(bad(c)),
            '0'..='7' => {
                let mut code = c.to_digit(8).unwrap_or_default();
                for _ in 0..2 {
                    let Some(digit) = self.chars.peek().and_then(|c| c.to_digit(8)) else { break };
                    self.chars.next();
                    code = code * 8 + digit;
                }
                code
            }
            'x' => {
                let digits: String = if self.chars.next_if_eq(&'{').is_some() {
                    self.chars.by_ref().take_while(|c| *c != '}').collect()
                } else {
                    self.chars.by_ref().take(2).collect::<String>()
                };
                let wanted = digits.bytes().all(|b| b.is_ascii_hexdigit());
                u32::from_str_radix(&digits, 16).ok().filter(|_| wanted).ok_or_else(|| bad('x'))?
            }
            'a' => 7,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'v' => 11,
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => c.into(),
            c => return Err(bad(c)),
        };
        char::from_u32(code).ok_or_else(|| bad(c))
    }

    /// After `[`.
    fn class(&mut self) -> Result<(), String> {
        let rest: String = self.chars.clone().collect();
        let open = || format!("missing closing ]: `[{rest}`");
        self.out.push('[');
        if self.chars.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let c = self.chars.next().ok_or_else(open)?;
            if c == ']' && !first {
                self.out.push(']');
                return Ok(());
            }
            first = false;
            if c == '[' && self.chars.peek() == Some(&':') && self.named()? {
                continue;
            }
            if c == '\\' && self.set()? {
                continue;
            }
            let low = if c == '\\' { self.escaped()? } else { c };
            let mut ahead = self.chars.clone();
            let ranges = ahead.next() == Some('-') && ahead.next().is_some_and(|c| c != ']');
            if !ranges {
                self.literal(low);
                continue;
            }
            self.chars.next();
            let high = match self.chars.next().ok_or_else(open)? {
                '\\' => self.escaped()?,
                c => c,
            };
            if high < low {
                return Err("invalid character class range".to_owned());
            }
            self.literal(low);
            self.out.push('-');
            self.literal(high);
        }
    }

    /// After `[` with `:` next: `[:alpha:]`, or `false` where the bracket stands for itself.
    fn named(&mut self) -> Result<bool, String> {
        const NAMES: [&str; 14] = [
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
            "space", "upper", "word", "xdigit",
        ];
        let rest: String = self.chars.clone().skip(1).collect();
        let Some((name, _)) = rest.split_once(":]") else { return Ok(false) };
        if !NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err("invalid character class range".to_owned());
        }
        // The name with the colon before it and `:]` after it.
        self.chars.by_ref().take(name.len() + 3).for_each(drop);
        self.out.push_str(&format!("[:{name}:]"));
        Ok(true)
    }

    /// A character that stands for itself, within a class and outside.
    fn literal(&mut self, c: char) {
        if c.is_alphanumeric() || "@_/:;,\"'=%! ".contains(c) {
            self.out.push(c);
        } else {
            self.out.push_str(&format!("\\x{{{:X}}}", u32::from(c)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_what_go_means() {
        for (pattern, text, wanted) in [
            (r"^\d+$", "٣", false),
            (r"^\d+$", "3", true),
            (r"^\w$", "é", false),
            (r"^\W$", "é", true),
            (r"^\s$", "\u{b}", false),
            (r"^[[:space:]]$", "\u{b}", true),
            (r"é\b", "éa", true),
            (r"a{", "a{", true),
            (r"a{,3}", "a{,3}", true),
            (r"^a{2,3}$", "aaaa", false),
            (r"^[a&&b]+$", "&", true),
            (r"^[[a]+$", "[", true),
            (r"^[]a]+$", "]", true),
            (r"^[^]a]+$", "]", false),
            (r"^[+--]+$", ",", true),
            (r"^[a-]$", "-", true),
            (r"^[\d.-]+$", "1.-", true),
            (r"^[^\d]$", "1", false),
            (r"^\Qa.b\E$", "a.b", true),
            (r"^\Qa.b\E$", "axb", false),
            (r"^\101\x41\x{1F600}$", "AA😀", true),
            (r"(?P<x>a)(?<y>b)", "ab", true),
            (r"(?i)k", "\u{212a}", true),
            (r"(?i)^\w$", "\u{17f}", true),
            (r"^\p{Greek}\pL\p{^Greek}$", "αβx", true),
            (r"\<a\>", "<a>", true),
            (r"^a.b$", "a\nb", false),
            (r"(?s)^a.b$", "a\nb", true),
            (r"b$", "b\n", false),
            (r"(?m)b$", "b\n", true),
            (r"]}", "]}", true),
            ("", "", true),
            (r"a||b", "", true),
        ] {
            assert_eq!(compile(pattern).unwrap().is_match(text), wanted, "{pattern} on {text:?}");
        }
    }

    #[test]
    fn refuses_what_go_refuses() {
        for pattern in [
            "[bad(",
            "(",
            ")",
            "*a",
            "a**",
            "a*{2}",
            "a{1001}",
            "a{3,2}",
            r"\1",
            r"\q",
            r"\E",
            r"\C",
            r"\Z",
            "a\\",
            "(?=a)",
            "(?x)a",
            "(?<!a)",
            "(?P=x)",
            "[b-a]",
            r"[a-\d]",
            "[[:nope:]]",
            r"\p{Nope}",
            r"\x{110000}",
            "[",
            "[^",
            "[]",
            "[^]",
        ] {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }
}
