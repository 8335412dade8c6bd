use super::BadTest;

/// Longest pattern, in bytes, and what one may weigh when compiled.
const LONGEST: usize = 4096;
const WEIGHT: usize = 1 << 20;

/// An expression in the syntax of RE2, matched in time linear in the text. Where our engine reads more or otherwise than
/// RE2 (`\d`, `\w`, `\s` and `\b` are ASCII there; no set operations in classes), RE2 counts.
#[derive(Clone, Debug)]
pub(super) struct Regex(regex::Regex);

impl Regex {
    /// Must match the whole text.
    pub(super) fn whole(pattern: &str) -> Result<Self, BadTest> {
        let translated = translate(pattern)?;
        // On its own first: `a)|(b` must not become right by what is put around it. Reading costs a tenth of compiling.
        if regex_syntax::ast::parse::Parser::new().parse(&translated).is_err() {
            compile(&translated)?;
        }
        compile(&format!(r"\A(?:{translated})\z"))
    }

    /// Must match somewhere in the text.
    pub(super) fn anywhere(pattern: &str) -> Result<Self, BadTest> {
        compile(&translate(pattern)?)
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

fn compile(pattern: &str) -> Result<Regex, BadTest> {
    let built =
        regex::RegexBuilder::new(pattern).size_limit(WEIGHT).dfa_size_limit(WEIGHT).nest_limit(100).build();
    built.map(Regex).map_err(|error| {
        if matches!(error, regex::Error::CompiledTooBig(_)) {
            return bad("it is too large, by long repetitions such as `x{1000}`");
        }
        let text = error.to_string();
        // The first lines draw the pattern; the last says what is wrong.
        let last = text.lines().last().unwrap_or_default();
        bad(last.strip_prefix("error: ").unwrap_or(last))
    })
}

fn bad(why: &str) -> BadTest {
    BadTest::BadRegex(why.to_owned())
}

/// Writes an RE2 pattern so that our engine reads it as RE2 does, or refuses what cannot be.
fn translate(pattern: &str) -> Result<String, BadTest> {
    if pattern.len() > LONGEST {
        return Err(bad("it is longer than 4,096 bytes"));
    }
    let mut out = String::with_capacity(pattern.len() * 2);
    let mut chars = pattern.chars().peekable();
    let mut class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let next = chars.next().ok_or_else(|| bad("it ends in a backslash"))?;
                match (next, class) {
                    ('d', _) => out.push_str("[0-9]"),
                    ('D', _) => out.push_str("[^0-9]"),
                    ('w', _) => out.push_str("[0-9A-Za-z_]"),
                    ('W', _) => out.push_str("[^0-9A-Za-z_]"),
                    ('s', _) => out.push_str(r"[\t\n\f\r ]"),
                    ('S', _) => out.push_str(r"[^\t\n\f\r ]"),
                    ('b', false) if chars.peek() == Some(&'{') => return Err(bad(r"`\b{` is not RE2")),
                    ('b', false) => out.push_str(r"(?-u:\b)"),
                    ('B', _) => return Err(bad(r"`\B` is not supported")),
                    ('u' | 'U', _) => return Err(bad(r"`\u` is not RE2; write `\x{…}`")),
                    // Our engine takes these two for ends of words; to RE2 they are the characters.
                    ('<' | '>', _) => out.push(next),
                    _ => out.extend([c, next]),
                }
            }
            '[' if class && chars.peek() == Some(&':') => {
                // `[:alpha:]`: copied up to its end, so that the `]` in it does not end the class.
                out.push('[');
                while let Some(inner) = chars.next() {
                    out.push(inner);
                    if inner == ':' && chars.peek() == Some(&']') {
                        out.extend(chars.next());
                        break;
                    }
                }
            }
            '[' if class => out.push_str(r"\["),
            '[' => {
                class = true;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    out.extend(chars.next());
                }
                if chars.peek() == Some(&']') {
                    chars.next();
                    out.push_str(r"\]");
                }
            }
            ']' if class => {
                class = false;
                out.push(']');
            }
            '&' | '~' if class => out.extend(['\\', c]),
            '-' if class && chars.peek() == Some(&'-') => return Err(bad("write `-` as `\\-` in a class")),
            '(' if !class && chars.peek() == Some(&'?') => {
                out.push_str("(?");
                chars.next();
                while let Some(&flag) = chars.peek() {
                    match flag {
                        'i' | 'm' | 's' | 'U' | '-' => out.extend(chars.next()),
                        ')' | ':' | 'P' | '<' => break,
                        _ => return Err(bad("after `(?` RE2 knows the flags i, m, s and U only")),
                    }
                }
            }
            _ => out.push(c),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_re2_does() {
        for (pattern, text, matches) in [
            (r"[a-z]+", "abc", true),
            (r"[a-z]+", "abc1", false),
            (r"a|b", "ab", false),
            (r"a|ab", "ab", true),
            (r"\d+", "12", true),
            (r"\d+", "١٢", false),
            (r"\w+", "é", false),
            (r"\W", "é", true),
            (r"[\d-]+", "1-2", true),
            (r"[^\d]", "x", true),
            (r"[^\s\d]+", "a b", false),
            (r"(?i)SELECT", "select", true),
            (r"a.c", "a\nc", false),
            (r"(?s)a.c", "a\nc", true),
            (r"abc", "abc\n", false),
            (r"^abc$", "abc\n", false),
            (r"(?m)^a$", "a\nb", false),
            (r"[a&&b]+", "a&b", true),
            (r"[a[b]+", "[ab", true),
            (r"[[:alpha:]_]+", "a_b", true),
            (r"[^[:digit:]]+", "12", false),
            (r"[]a]+", "a]", true),
            (r"[^]a]+", "]", false),
            (r"[~~]", "~", true),
            (r"\<b\>", "<b>", true),
            (r"\bfoo\b bar", "foo bar", true),
            (r"\x41\x{42}", "AB", true),
            (r"\p{Greek}+", "αβ", true),
            (r"\pL+", "aé", true),
            (r"(?P<year>\d{4})-(?:\d\d)", "2024-12", true),
            (r"", "", true),
            (r"", "x", false),
        ] {
            assert_eq!(Regex::whole(pattern).unwrap().matches(text), matches, "{pattern} {text:?}");
        }
        assert!(Regex::anywhere("b+").unwrap().matches("abbc"));
        assert!(!Regex::anywhere("^b").unwrap().matches("abbc"));
    }

    #[test]
    fn refuses_what_re2_does_not_know() {
        for pattern in [
            "(",
            "a)|(b",
            r"(a)\1",
            "(?=a)",
            "(?!a)",
            "(?<=a)",
            "(?x)a #",
            "(?u)a",
            "(?R)a",
            "[a--b]",
            "a{1000}{1000}",
            r"\b{start}",
            r"\u0041",
            r"\",
            r"\Z",
            "*a",
            "(?x",
            "[a",
        ] {
            assert!(matches!(Regex::whole(pattern), Err(BadTest::BadRegex(_))), "{pattern}");
        }
    }

    #[test]
    fn stays_linear() {
        assert!(!Regex::whole("(a*)*b").unwrap().matches(&"a".repeat(100_000)));
    }
}
