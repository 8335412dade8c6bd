//! Whether a value looks like a secret, or only stands for one.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Quoted,
    Plain,
    /// In a sentence: `the password is …`.
    Said,
}

/// Shortest value that may be a secret. Bytes.
pub(super) const LEAST: usize = 6;

/// In lower case; what has one of them is an example, even in a token.
const EXAMPLES: [&str; 19] = [
    "example",
    "sample",
    "placeholder",
    "changeme",
    "redacted",
    "xxxx",
    "your",
    "1234567890",
    "0123456789",
    "abcdefgh",
    "0000000",
    "insert",
    "replace",
    "secrethere",
    "tokenhere",
    "keyhere",
    "dummy",
    "notareal",
    "thisisa",
];
/// In lower case; the same for values.
const STANDS_FOR: [&str; 33] = [
    "change_me",
    "change-me",
    "changeit",
    "removed",
    "hidden",
    "masked",
    "todo",
    "fixme",
    "****",
    "....",
    "1234567",
    "abcdef",
    "_here",
    "-here",
    "foobar",
    "lorem",
    "deadbeef",
    "fake",
    "mock",
    "demo",
    "${",
    "{{",
    "$(",
    "<%",
    "%s",
    "{}",
    "://",
    "•••",
    "password",
    "passwd",
    "secret_",
    "secret-",
    "/path",
];
/// Words that everybody uses, and words of languages that stand where a value would.
const WORDS: [&str; 26] = [
    "string",
    "number",
    "boolean",
    "null",
    "none",
    "undefined",
    "required",
    "optional",
    "default",
    "secret",
    "admin",
    "root",
    "postgres",
    "mysql",
    "test",
    "guest",
    "user",
    "letmein",
    "qwerty",
    "welcome",
    "hunter2",
    "admin123",
    "test123",
    "test1234",
    "abc123",
    "pass123",
];

/// Shannon's entropy of the bytes, in bits for each.
pub(super) fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text.bytes() {
        counts.get_mut(usize::from(byte)).into_iter().for_each(|count| *count += 1);
    }
    let length: f64 = counts.iter().map(|count| f64::from(*count)).sum();
    let shares = counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / length);
    shares.map(|share| -share * share.log2()).sum()
}

static EXAMPLE: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| automaton(&EXAMPLES));
static STANDS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| automaton(&STANDS_FOR));

/// For words in ASCII, whatever their case. Always something.
fn automaton(words: &[&str]) -> Option<AhoCorasick> {
    let kind = Some(AhoCorasickKind::DFA);
    AhoCorasick::builder().ascii_case_insensitive(true).kind(kind).build(words).ok()
}

/// Whether a token of the right form is one that was made up.
pub(super) fn is_example(token: &str) -> bool {
    EXAMPLE.as_ref().is_some_and(|words| words.is_match(token))
}

/// Whether something is to be put here, or is put here by a program.
pub(super) fn is_placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let word = |word: &str| lower.split(['-', '_', '.', ' ']).any(|part| part == word);
    let varied =
        lower.bytes().fold(0_u128, |set, byte| set | 1_u128.checked_shl(byte.into()).unwrap_or_default());
    lower.starts_with(['$', '{', '<', '%', '@', '[', '(', '#', '/', '~'])
        || is_example(value)
        || STANDS.as_ref().is_some_and(|words| words.is_match(value))
        || WORDS.contains(&lower.as_str())
        || ["test", "my", "the", "some", "any"].into_iter().any(word)
        || lower.ends_with(['(', '+'])
        || varied.count_ones() <= 4
}

/// Whether this may be a password somebody chose.
pub(super) fn is_password(value: &str, style: Style) -> bool {
    let long = (LEAST..=128).contains(&value.len());
    if !long || value.contains(char::is_whitespace) || style != Style::Quoted && is_expression(value) {
        return false;
    }
    let has = |is: fn(&char) -> bool| usize::from(value.chars().any(|letter| is(&letter)));
    let (digits, marks) = (has(char::is_ascii_digit), has(|letter| !letter.is_alphanumeric()));
    let letters = has(char::is_ascii_lowercase) + has(char::is_ascii_uppercase);
    let kinds = digits + marks + letters;
    let random = || value.len() >= 8 && entropy(value) >= 2.75;
    match style {
        Style::Quoted | Style::Plain => {
            (kinds >= 3 || digits == 1 && letters >= 1 && random()) && !is_words(value)
        }
        Style::Said => kinds >= 3 && digits == 1 && random() && !is_words(value),
    }
}

/// Whether this may be a token that a machine made.
pub(super) fn is_token(value: &str, style: Style) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.~+/=:%$!@#^*-".contains(&byte);
    let two = |is: fn(&u8) -> bool| value.bytes().filter(is).nth(1).is_some();
    // Most values are of words, and end the question at their first blank.
    value.len() >= 16
        && value.bytes().all(plain)
        && two(u8::is_ascii_digit)
        && two(u8::is_ascii_alphabetic)
        && entropy(value) >= 3.2
        // The head of a JSON Web Token is no secret.
        && (value.len() >= 64 || !value.starts_with("eyJ"))
        && !is_words(value)
        && (style == Style::Quoted || !is_expression(value))
}

/// Whether it is made of words and numbers with marks between them, as names of things are.
fn is_words(value: &str) -> bool {
    value.split(['-', '_', '.', ':', '/', '=']).all(|part| {
        let letters = part.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let letters = letters.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let whole = letters.bytes().all(|byte| byte.is_ascii_alphabetic());
        let upper = letters.bytes().skip(1).filter(u8::is_ascii_uppercase).count();
        whole
            && (upper * 4 <= letters.len() || upper + 1 >= letters.len())
            && (part.len() - letters.len() <= 4 || letters.is_empty())
    })
}

/// Whether it is code that gives the value: `config.password`, `process.env.TOKEN`, `PASSWORD`.
fn is_expression(value: &str) -> bool {
    value.split('.').all(|part| {
        part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
    }) && (value.contains('.') || !value.bytes().any(|byte| byte.is_ascii_digit()))
}
