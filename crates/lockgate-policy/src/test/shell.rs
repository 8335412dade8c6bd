use std::collections::BTreeSet;

use super::host::checked_list;
use super::{BadTest, Doubt, Truth};

/// Longest command line, in bytes.
const LONGEST: usize = 8192;

const TOO_LONG: Doubt = Doubt("the command line is longer than 8,192 bytes");
const NOT_SIMPLE: Doubt = Doubt("the text is not one simple command without expansions");

/// Words of the shell that run what follows them, in the shell itself or as another program.
const RUNS_ANYTHING: [&str; 17] = [
    ".", "alias", "builtin", "case", "command", "coproc", "eval", "exec", "for", "function", "if", "select",
    "source", "time", "trap", "until", "while",
];

/// One simple command that starts one of these programs. See [`Operator::shell`](super::Operator::shell).
#[derive(Clone, Debug)]
pub(super) struct ShellTest {
    programs: BTreeSet<String>,
}

impl ShellTest {
    pub(super) fn new(programs: Vec<String>) -> Result<Self, BadTest> {
        for program in checked_list("shell", &programs)? {
            if RUNS_ANYTHING.contains(&program.as_str()) {
                return Err(BadTest::RunsAnything(program.clone()));
            }
            let plain = |b: u8| is_safe(b) && !matches!(b, b'=' | b'%' | b',' | b':' | b'@');
            if program.is_empty()
                || !program.bytes().all(plain)
                || program.starts_with('-')
                || program.ends_with('/')
            {
                return Err(BadTest::BadProgram(program.clone()));
            }
        }
        Ok(Self { programs: programs.into_iter().collect() })
    }

    pub(super) fn ask(&self, line: &str) -> Truth {
        if line.len() > LONGEST {
            return Truth::Unclear(TOO_LONG);
        }
        let mut words = line.trim_matches([' ', '\t']).split_inclusive([' ', '\t']);
        // The program is a bare word, so that nobody has to undo quotes to know it.
        let first = words.next().unwrap_or_default().trim_end_matches([' ', '\t']);
        if first.is_empty() || !first.bytes().all(|b| is_safe(b) && b != b'=') || !is_simple(line) {
            return Truth::Unclear(NOT_SIMPLE);
        }
        self.programs.contains(first).into()
    }
}

/// Words of safe characters and of quoted pieces without expansions.
fn is_simple(line: &str) -> bool {
    let mut chars = line.chars();
    let mut word_starts = true;
    while let Some(c) = chars.next() {
        let quoted = |chars: &mut std::str::Chars<'_>| loop {
            match chars.next() {
                Some(inner) if inner == c => return true,
                Some('$' | '`' | '\\' | '!') if c == '"' => return false,
                Some(inner) if inner.is_control() => return false,
                Some(_) => {}
                None => return false,
            }
        };
        let fine = match c {
            ' ' | '\t' => true,
            '\'' | '"' => quoted(&mut chars),
            // `=name` at the start of a word is a path in zsh.
            '=' => !word_starts,
            _ => u8::try_from(c).is_ok_and(is_safe),
        };
        if !fine {
            return false;
        }
        word_starts = matches!(c, ' ' | '\t');
    }
    true
}

/// Characters that no shell reads as anything but themselves.
fn is_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'_' | b'@' | b'%' | b'+' | b'=' | b':' | b',' | b'.' | b'/' | b'-')
}
