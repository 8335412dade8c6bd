//! `pattern` and `patternProperties`: ECMA-262 expressions, compiled to a table.
//!
//! A table costs one look-up per byte of text whatever the expression: no text and no expression makes it slow. What
//! has no table (look-around, back-references), or too large a one, is not matched at all.

use std::iter::Peekable;
use std::str::Chars;

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::{Input, nfa::thompson};

/// An expression that can be matched.
pub(super) struct Pattern {
    table: Table,
    /// Look-aheads at the very beginning, each with whether it must match or must not.
    ahead: Vec<(Table, bool)>,
}

type Table = dense::DFA<Vec<u32>>;

/// Why an expression cannot be matched.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unmatchable {
    /// It is not ECMA-262, or uses a part of it that no table can hold.
    Language,
    /// Its table is too large.
    Size,
}

impl Pattern {
    /// Compiles an expression into tables of at most `bytes` each, together about as much.
    pub(super) fn compile(ecma: &str, bytes: usize) -> Result<Self, Unmatchable> {
        let (ahead, rest) = leading_look_aheads(ecma).ok_or(Unmatchable::Language)?;
        let mut left = bytes;
        let mut compile = |text: &str| {
            let table = table(text, left)?;
            left = left.saturating_sub(table.memory_usage());
            Ok(table)
        };
        Ok(Self {
            table: compile(&translate(&rest).ok_or(Unmatchable::Language)?)?,
            ahead: ahead
                .into_iter()
                .map(|(inner, must)| {
                    let inner = translate(inner).ok_or(Unmatchable::Language)?;
                    Ok((compile(&format!("^(?:{inner})"))?, must))
                })
                .collect::<Result<_, _>>()?,
        })
    }

    /// Does it match anywhere in the text? One look-up per byte and table.
    pub(super) fn is_match(&self, text: &str) -> Option<bool> {
        let found = |table: &Table| {
            table.try_search_fwd(&Input::new(text).earliest(true)).map(|found| found.is_some()).ok()
        };
        for (table, must) in &self.ahead {
            if found(table)? != *must {
                return Some(false);
            }
        }
        found(&self.table)
    }

    /// What the tables take. Bytes.
    pub(super) fn bytes(&self) -> usize {
        self.tables().map(Table::memory_usage).sum()
    }

    /// How many tables a text is led through.
    pub(super) fn passes(&self) -> usize {
        self.tables().count()
    }

    fn tables(&self) -> impl Iterator<Item = &Table> {
        std::iter::once(&self.table).chain(self.ahead.iter().map(|(table, _)| table))
    }
}

fn table(text: &str, bytes: usize) -> Result<Table, Unmatchable> {
    let hir = regex_automata::util::syntax::parse(text).map_err(|_| Unmatchable::Language)?;
    let nfa = thompson::Compiler::new()
        .configure(thompson::Config::new().nfa_size_limit(Some(bytes)))
        .build_from_hir(&hir)
        .map_err(|_| Unmatchable::Size)?;
    dense::Builder::new()
        .configure(
            dense::Config::new()
                .start_kind(StartKind::Unanchored)
                .dfa_size_limit(Some(bytes))
                .determinize_size_limit(Some(bytes)),
        )
        .build_from_nfa(&nfa)
        .map_err(|_| Unmatchable::Size)
}

/// Takes the look-aheads off `^(?=a)(?!b)rest`: there they are expressions of their own on the same text, and Zod
/// writes its mail addresses and host names so. Look-around anywhere else has no table.
fn leading_look_aheads(ecma: &str) -> Option<(Vec<(&str, bool)>, String)> {
    let mut ahead = Vec::new();
    let Some(mut rest) = ecma.strip_prefix('^') else { return Some((ahead, ecma.to_owned())) };
    loop {
        let (inner, must) = match (rest.strip_prefix("(?="), rest.strip_prefix("(?!")) {
            (Some(inner), _) => (inner, true),
            (None, Some(inner)) => (inner, false),
            (None, None) => break,
        };
        let (end, _) = outer_signs(inner).find(|(_, sign)| *sign == ')')?;
        ahead.push((inner.get(..end)?, must));
        rest = inner.get(end + 1..)?;
        // A look-ahead that is counted, or one of several alternatives, is not what every text must pass.
        if rest.starts_with(['*', '+', '?', '{']) {
            return None;
        }
    }
    if !ahead.is_empty() && outer_signs(rest).any(|(_, sign)| sign == '|') {
        return None;
    }
    Some((ahead, format!("^{rest}")))
}

/// The `)` and `|` that stand outside every group and class, with their places.
fn outer_signs(text: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut depth, mut in_class, mut is_escaped) = (0_usize, false, false);
    text.char_indices().filter(move |(_, c)| {
        if std::mem::take(&mut is_escaped) {
            return false;
        }
        match c {
            '\\' => is_escaped = true,
            ']' => in_class = false,
            _ if in_class => {}
            '[' => in_class = true,
            '(' => depth += 1,
            ')' | '|' if depth == 0 => return true,
            ')' => depth -= 1,
            _ => {}
        }
        false
    })
}

/// Writes an ECMA-262 expression for the `regex` syntax, with the same meaning; none for what has no such form.
///
/// The two languages look alike and differ: `\d` is ten digits in one and every script's digits in the other, `[` is
/// plain inside a class of one and opens a class in the other.
fn translate(ecma: &str) -> Option<String> {
    let mut out = String::with_capacity(ecma.len() + 8);
    let mut chars = ecma.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => escape(&mut chars, &mut out, false)?,
            '[' => class(&mut chars, &mut out)?,
            '.' => out.push_str(r"[^\n\r\u{2028}\u{2029}]"),
            // `{` that opens no count is plain in old ECMA-262, an error in new, and a count in the `regex` syntax.
            '{' if !chars.peek().is_some_and(char::is_ascii_digit) => return None,
            '(' if chars.peek() == Some(&'?') => group(&mut chars, &mut out)?,
            _ => out.push(c),
        }
    }
    Some(out)
}

/// What follows `(?`: a plain or named group. Look-around and flags have no table, or no meaning in ECMA-262.
fn group(chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Option<()> {
    chars.next();
    match chars.next()? {
        ':' => out.push_str("(?:"),
        '<' if chars.peek().is_some_and(|c| c.is_alphabetic() || *c == '_') => {
            // Nothing refers to a group, so its name does not matter.
            while chars.next()? != '>' {}
            out.push('(');
        }
        _ => return None,
    }
    Some(())
}

fn class(chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Option<()> {
    let negated = chars.next_if_eq(&'^').is_some();
    if chars.next_if_eq(&']').is_some() {
        // `[]` matches nothing, `[^]` any character.
        out.push_str(if negated { r"(?s:.)" } else { r"[a&&b]" });
        return Some(());
    }
    out.push_str(if negated { "[^" } else { "[" });
    loop {
        let c = chars.next()?;
        if c == ']' {
            break;
        }
        let is_set = atom(c, chars, out)?;
        if chars.next_if_eq(&'-').is_some() {
            match chars.peek()? {
                ']' => out.push_str(r"\-"),
                // As in `[\w-.]`: no range begins at a set, so the hyphen is plain.
                _ if is_set => out.push_str(r"\-"),
                _ => {
                    out.push('-');
                    let end = chars.next()?;
                    atom(end, chars, out)?;
                }
            }
        }
    }
    out.push(']');
    Some(())
}

/// One item of a class; true if it is a set of its own.
fn atom(c: char, chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Option<bool> {
    if c == '\\' {
        let is_set = matches!(chars.peek()?, 'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'p' | 'P');
        escape(chars, out, true)?;
        return Some(is_set);
    }
    // These mean something in a class of the `regex` syntax, some of them only when doubled.
    if matches!(c, '[' | '&' | '~' | '^' | '-') {
        out.push('\\');
    }
    out.push(c);
    Some(false)
}

fn escape(chars: &mut Peekable<Chars<'_>>, out: &mut String, in_class: bool) -> Option<()> {
    const SPACE: &str = r"\t\n\x0B\x0C\r \u{a0}\u{feff}\u{2028}\u{2029}\p{Zs}";
    match chars.next()? {
        'd' => out.push_str("[0-9]"),
        'D' => out.push_str("[^0-9]"),
        'w' => out.push_str("[0-9A-Za-z_]"),
        'W' => out.push_str("[^0-9A-Za-z_]"),
        's' => out.push_str(&format!("[{SPACE}]")),
        'S' => out.push_str(&format!("[^{SPACE}]")),
        'b' if in_class => out.push_str(r"\x08"),
        'b' => out.push_str(r"(?-u:\b)"),
        // A place that is no ASCII word boundary may lie inside a character; the syntax refuses that in text.
        'B' if !in_class => out.push_str(r"(?-u:\B)"),
        c @ ('t' | 'n' | 'r' | 'v' | 'f') => out.extend(['\\', c]),
        '0' if !chars.peek().is_some_and(char::is_ascii_digit) => out.push_str(r"\x00"),
        'c' => {
            let letter = chars.next().filter(char::is_ascii_alphabetic)?;
            out.push_str(&format!(r"\x{:02x}", u32::from(letter) % 32));
        }
        'x' => code_point(hex(chars, 2)?, out)?,
        'u' if chars.next_if_eq(&'{').is_some() => {
            let digits: String = std::iter::from_fn(|| chars.next_if(|c| *c != '}')).take(7).collect();
            chars.next_if_eq(&'}')?;
            code_point(u32::from_str_radix(&digits, 16).ok()?, out)?;
        }
        'u' => {
            let unit = hex(chars, 4)?;
            if (0xD800..0xDC00).contains(&unit) {
                chars.next_if_eq(&'\\')?;
                chars.next_if_eq(&'u')?;
                let low = hex(chars, 4)?.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
                code_point(0x10000 + ((unit - 0xD800) << 10) + low, out)?;
            } else {
                code_point(unit, out)?;
            }
        }
        c @ ('p' | 'P') => {
            out.extend(['\\', c, chars.next_if_eq(&'{')?]);
            loop {
                let c = chars.next()?;
                out.push(c);
                if c == '}' {
                    break;
                }
            }
        }
        // A letter or digit that is left is a back-reference or belongs to another language.
        c if c.is_ascii_alphanumeric() || c == '_' => return None,
        c => code_point(u32::from(c), out)?,
    }
    Some(())
}

fn hex(chars: &mut Peekable<Chars<'_>>, digits: usize) -> Option<u32> {
    (0..digits).try_fold(0, |value, _| Some(value * 16 + chars.next()?.to_digit(16)?))
}

fn code_point(value: u32, out: &mut String) -> Option<()> {
    char::from_u32(value)?;
    out.push_str(&format!(r"\u{{{value:x}}}"));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> Option<bool> {
        Pattern::compile(pattern, 1 << 19).ok()?.is_match(text)
    }

    #[test]
    fn means_what_ecma_means() {
        for (pattern, fits, misfits) in [
            ("a+", "xaay", "xyz"),
            (r"^\d+$", "0123", "०१"),
            (r"^\w$", "_", "é"),
            (r"^\W$", "é", "e"),
            (r"^\s$", "\u{feff}", "\u{85}"),
            (r"^\S$", "x", "\u{2003}"),
            ("^a.b$", "a\u{85}b", "a\rb"),
            ("^[[a]$", "[", "b"),
            ("^[a&&b]$", "&", "c"),
            ("^[+--]$", ",", "."),
            ("^[--a]$", "A", ","),
            ("^[a-]$", "-", "b"),
            (r"^[\w-.]+$", "a-b.c", "a b"),
            (r"^[^\s@]+@[^\s@]+$", "a@b", "a b@c"),
            (r"^[\b]$", "\u{8}", "b"),
            ("^[^]$", "\n", ""),
            (r"^\/\-\.\u0041\x42\cA$", "/-.AB\u{1}", "a"),
            (r"^\ud83d\ude00$", "😀", "x"),
            (r"^\u{1F600}$", "😀", "x"),
            (r"^\p{Lu}\P{L}$", "É1", "é1"),
            ("^(?:a|b){2,3}$", "aba", "a"),
            (r"^(?<year>[0-9]{4})$", "2026", "26"),
            ("^$", "", "\n"),
            (r"\bcat\b", "a cat.", "concat"),
            ("^[^/]+$", "ab", "a/b"),
            ("^é{2}$", "éé", "é"),
        ] {
            assert_eq!(matches(pattern, fits), Some(true), "{pattern} {fits:?}");
            assert_eq!(matches(pattern, misfits), Some(false), "{pattern} {misfits:?}");
        }
        assert_eq!(matches("[]", "x"), Some(false));
    }

    /// What Zod writes.
    #[test]
    fn takes_look_aheads_at_the_beginning() {
        let mail = r"^(?!\.)(?!.*\.\.)([A-Za-z0-9_'+\-\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$";
        let host = r"^(?=.{1,253}\.?$)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[-0-9a-zA-Z]{0,61}[0-9a-zA-Z])?)*\.?$";
        let long = "a.".repeat(128);
        for (pattern, fits, misfits) in [
            (mail, "a.b@c.de", [".a@b.cd", "a..b@c.de", "a@b", ""]),
            (host, "a-b.example", ["-a", "a..b", &long, ""]),
            (r"^(?=[)|(]|x\))(?:a|x).$", "x)", ["a)", "y", "x", ""]),
            ("^(?!admin|root).*$", "user", ["admin", "root", "rooted", "\n"]),
        ] {
            assert_eq!(matches(pattern, fits), Some(true), "{pattern} {fits}");
            for text in misfits {
                assert_eq!(matches(pattern, text), Some(false), "{pattern} {text:?}");
            }
        }
    }

    #[test]
    fn does_not_guess() {
        for pattern in [
            "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", r"(a)\1", "(?i)a", r"\Aa", r"\a", "(", "[a", "a{2",
            "a{,2}", "\\", "[b-a]", r"\u00",
        ] {
            assert_eq!(Pattern::compile(pattern, 1 << 19).err(), Some(Unmatchable::Language), "{pattern}");
        }
    }

    #[test]
    fn refuses_a_large_table() {
        for pattern in
            ["[ab]*a[ab]{40}", "(((a{1,99}){1,99}){1,99}){1,99}", r"(\p{L}{1,50}\p{N}{1,50}){1,50}"]
        {
            assert_eq!(Pattern::compile(pattern, 1 << 16).err(), Some(Unmatchable::Size), "{pattern}");
        }
    }
}
