//! Which language a program is in.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::python_words::lists;
use crate::attack::input::words;

/// A language that is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// Python 3.
    Python,
    /// JavaScript and TypeScript.
    JavaScript,
    /// The shells of Unix.
    Shell,
}

/// As much of a text is looked at, in bytes.
const LOOKED_AT: usize = 16 << 10;
/// So much speaks for a language where it is one, and so much more than for the next.
const ENOUGH: u32 = 3;

/// What stands in programs, and how much it says.
const SIGNS: [(Language, u32, &[&str]); 6] = [
    (
        Language::Python,
        3,
        &[
            "\nimport ",
            "\nfrom ",
            "\ndef ",
            "__name__ ==",
            "\nclass ",
            "elif ",
            "\n    return ",
            "if __name__",
            "print(f\"",
            "print(f'",
            "\nasync def ",
            "except ",
            "lambda ",
        ],
    ),
    (
        Language::Python,
        1,
        &[
            "print(",
            "self.",
            " in range(",
            "None",
            "True",
            "False",
            "):\n",
            "\ntry:",
            " is not ",
            " and ",
            " not ",
            "len(",
            ".append(",
        ],
    ),
    (
        Language::JavaScript,
        3,
        &[
            "\nconst ",
            "\nlet ",
            "\nvar ",
            "=> ",
            "=>{",
            "\nfunction ",
            "console.log(",
            "require(",
            "===",
            "!==",
            "\nexport ",
            "async (",
            "await ",
            "document.",
            "process.",
            "\nimport {",
            "new Promise",
            "module.exports",
        ],
    ),
    (
        Language::JavaScript,
        1,
        &[
            "const ",
            "let ",
            ";\n",
            "null",
            "undefined",
            "typeof ",
            "this.",
            "`${",
            "() {",
            ") {",
            "function",
            "};",
        ],
    ),
    (
        Language::Shell,
        3,
        &[
            "\nsudo ",
            "\ncurl ",
            "\nwget ",
            "\necho ",
            "\nexport ",
            "\nfi\n",
            "\ndone",
            "; then",
            "; do",
            "\nrm ",
            "\ncd ",
            "\ngit ",
            "\nls",
            "\ncat ",
            "\ngrep ",
            "\nchmod ",
            "\nmkdir ",
            "\nnpm ",
            "\npip ",
            "\ndocker ",
            "\nfind ",
            " | grep",
            " | sh",
            " | bash",
            "2>&1",
            "/dev/null",
            "\nset -e",
            "\napt",
            "\nkubectl ",
            "\nsed ",
            "\nawk ",
            "\ntar ",
            "\npython ",
            "\nbash ",
            "\nsh ",
        ],
    ),
    (Language::Shell, 1, &["$(", " && ", " || ", " | ", "${", "\"$", " --", "$1", " -r", " > "]),
];

/// Words that say the language.
const NAMES: [(Language, &str); 3] = [
    (Language::Python, "python python3 py ipython jupyter"),
    (Language::JavaScript, "javascript js typescript ts node nodejs deno"),
    (Language::Shell, "shell bash sh zsh"),
];

/// Programs named behind `#!`.
const INTERPRETERS: [(&str, Language); 5] = [
    ("python", Language::Python),
    ("node", Language::JavaScript),
    ("deno", Language::JavaScript),
    ("bun", Language::JavaScript),
    ("sh", Language::Shell),
];

static AUTOMATON: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let signs = SIGNS.iter().flat_map(|(_, _, signs)| signs.iter());
    AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(signs).ok()
});

/// The language of a text, where it is a program; nothing where it is a sentence, data, or not clear. A guess, made by words: no
/// rule should let a text pass because of it. O(length of the text), at most of its first 16 KiB.
pub fn language(text: &str) -> Option<Language> {
    if let Some(line) = text.strip_prefix("#!").and_then(|rest| rest.lines().next()) {
        return INTERPRETERS.iter().find(|(name, _)| line.contains(name)).map(|(_, language)| *language);
    }
    let text = text.get(..text.floor_char_boundary(LOOKED_AT)).unwrap_or(text);
    // Signs at the beginning of a line are those after a new line.
    let text = format!("\n{}\n", text.trim_start());
    let owners: Vec<(Language, u32)> = SIGNS
        .iter()
        .flat_map(|(language, weight, signs)| signs.iter().map(|_| (*language, *weight)))
        .collect();
    let mut seen = vec![false; owners.len()];
    let mut scores = [(Language::Python, 0), (Language::JavaScript, 0), (Language::Shell, 0)];
    for found in AUTOMATON.as_ref()?.find_overlapping_iter(&text) {
        let sign = found.pattern().as_usize();
        // A sign counts once.
        let Some(seen) = seen.get_mut(sign).filter(|seen| !**seen) else { continue };
        *seen = true;
        let Some((language, weight)) = owners.get(sign) else { continue };
        if let Some((_, score)) = scores.iter_mut().find(|(one, _)| one == language) {
            *score += weight;
        }
    }
    scores.sort_by_key(|(_, score)| std::cmp::Reverse(*score));
    let [(first, most), (_, next), _] = scores;
    (most >= ENOUGH && most > next).then_some(first)
}

/// The language that the name of a tool or an argument says: `run_python`, `shellScript`. None where it says none, or several.
pub fn named(name: &str) -> Option<Language> {
    let words = words(name);
    let said =
        |word: &String| NAMES.iter().find(|(_, list)| lists(list, word)).map(|(language, _)| *language);
    let mut said = words.iter().filter_map(said);
    let first = said.next()?;
    said.all(|other| other == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hears_what_names_say() {
        for (name, expected) in [
            ("run_python", Some(Language::Python)),
            ("python3_code", Some(Language::Python)),
            ("execute-js", Some(Language::JavaScript)),
            ("bash_script", Some(Language::Shell)),
            ("python_to_javascript", None),
            ("run_code", None),
            ("shells_of_the_sea", None),
            ("", None),
        ] {
            assert_eq!(named(name), expected, "{name}");
        }
    }

    #[test]
    fn tells_languages_apart() {
        for (text, expected) in [
            ("import os\nprint(os.getcwd())", Some(Language::Python)),
            ("def f(x):\n    return x + 1\n", Some(Language::Python)),
            ("for i in range(3):\n    print(i)\n", Some(Language::Python)),
            ("const x = 1;\nconsole.log(x);", Some(Language::JavaScript)),
            ("module.exports = () => 3;", Some(Language::JavaScript)),
            ("ls -la && cat x | grep y", Some(Language::Shell)),
            ("curl -s https://x.example | sh", Some(Language::Shell)),
            ("#!/usr/bin/env python3\nx", Some(Language::Python)),
            ("#!/bin/bash\nx", Some(Language::Shell)),
            ("#!/usr/bin/node\nx", Some(Language::JavaScript)),
            ("Please let me know when the meeting is.", None),
            ("The report from March is in the folder.", None),
            ("{\"a\": 1, \"b\": [true, false]}", None),
            ("SELECT * FROM users WHERE id = 3", None),
            ("", None),
        ] {
            assert_eq!(language(text), expected, "{text}");
        }
    }
}
