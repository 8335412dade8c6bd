//! What is refused before parsing: text that two databases, or a database and the parser, could divide differently.

use sqlparser::tokenizer::{Token, Whitespace};

use super::super::Doubt;
use super::{Dialect, Kind};

/// Longest text in bytes; most tokens.
const LONGEST: usize = 16_384;
const TOKENS: usize = 4000;
/// Most operators, and most joins. The parser makes a chain of them into a tree as deep as the chain is long, and the
/// tree is walked and freed by recursion.
const OPERATORS: usize = 200;
const JOINS: usize = 16;

const TOO_LONG: Doubt =
    Doubt("the SQL text is longer than 16,384 bytes, 4,000 tokens, 200 operators or 16 joins");
const TWO_READINGS: Doubt = Doubt("databases divide the SQL text differently");

pub(super) fn check(text: &str) -> Result<(), Doubt> {
    if text.len() > LONGEST {
        return Err(TOO_LONG);
    }
    // A backslash before a quote is an escape to some and a character to others; a lone carriage return ends a comment
    // for some.
    let odd =
        |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t') || c.is_whitespace() && !c.is_ascii();
    if text.contains(odd)
        || text.contains("\\'")
        || text.contains("\\\"")
        || text.contains("\\`")
        // Comments that are code to MySQL and MariaDB, and hints that change settings.
        || ["/*!", "/*M!", "/*+"].iter().any(|code| text.contains(code))
        || text.matches('\r').count() != text.matches("\r\n").count()
    {
        return Err(TWO_READINGS);
    }
    Ok(())
}

/// Checks tokens; returns, for each word that may begin a statement, the kinds of which one must be in the tree.
#[expect(clippy::wildcard_enum_match_arm, reason = "a list of those that are refused")]
pub(super) fn check_tokens(tokens: &[Token], dialect: Dialect) -> Result<Vec<&'static [Kind]>, Doubt> {
    let count = |counts: fn(&Token) -> bool| tokens.iter().filter(|token| counts(token)).count();
    if tokens.len() > TOKENS || count(nests) > OPERATORS || count(joins) > JOINS {
        return Err(TOO_LONG);
    }
    let mut words = Vec::new();
    let significant = || tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_)));
    let mut before = None;
    for (token, after) in significant().zip(significant().skip(1).map(Some).chain([None])) {
        if let Token::Word(word) = token {
            let is_call = after == Some(&Token::LParen);
            let is_part = before == Some(&Token::Period);
            let upper = word.value.to_ascii_uppercase();
            let after_on = matches!(before, Some(Token::Word(on)) if on.value.eq_ignore_ascii_case("on"));
            if word.quote_style.is_none() && !is_part {
                words.extend(begins(&upper, is_call, after_on, dialect));
            }
        }
        before = Some(token);
    }
    for token in tokens {
        let fine = match token {
            Token::Whitespace(Whitespace::SingleLineComment { comment, prefix }) => {
                // To MySQL `--1` is arithmetic.
                prefix != "--" || comment.is_empty() || comment.starts_with([' ', '\t', '\n', '\r'])
            }
            Token::Whitespace(Whitespace::MultiLineComment(comment)) => {
                // Some nest comments, some end them at the first mark.
                !comment.contains("/*")
            }
            Token::Backslash | Token::Char(_) => false,
            Token::SingleQuotedString(inner) | Token::DoubleQuotedString(inner)
                if dialect == Dialect::Generic =>
            {
                !inner.contains('\\')
            }
            Token::DollarQuotedString(_) => dialect == Dialect::Postgres,
            _ => true,
        };
        if !fine {
            return Err(TWO_READINGS);
        }
    }
    Ok(words)
}

fn joins(token: &Token) -> bool {
    matches!(token, Token::Word(word) if ["JOIN", "STRAIGHT_JOIN", "APPLY"].iter().any(|join| word.value.eq_ignore_ascii_case(join)))
}

/// Not the tokens of long flat lists.
#[expect(clippy::wildcard_enum_match_arm, reason = "whatever is not flat counts")]
fn nests(token: &Token) -> bool {
    match token {
        Token::Word(word) => {
            word.quote_style.is_none()
                && [
                    "AND",
                    "OR",
                    "NOT",
                    "UNION",
                    "EXCEPT",
                    "INTERSECT",
                    "IS",
                    "COLLATE",
                    "ISNULL",
                    "NOTNULL",
                    "XOR",
                    "AT",
                ]
                .iter()
                .any(|operator| word.value.eq_ignore_ascii_case(operator))
        }
        Token::Comma
        | Token::Whitespace(_)
        | Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::NationalStringLiteral(_)
        | Token::Placeholder(_)
        | Token::RParen
        | Token::LParen
        | Token::Period
        | Token::SemiColon
        | Token::EOF => false,
        _ => true,
    }
}

/// The statements an unquoted word may begin, where that is not just how an ordinary clause goes on.
fn begins(upper: &str, is_call: bool, after_on: bool, dialect: Dialect) -> Option<&'static [Kind]> {
    // SQL Server needs no semicolon: `SELECT 1 DELETE FROM t` is two statements there, and a parser may take `DELETE`
    // for the name of a column.
    let unseparated = matches!(dialect, Dialect::Mssql | Dialect::Generic);
    Some(match upper {
        "INSERT" if !is_call => &[Kind::Insert],
        "UPDATE" if !after_on => &[Kind::Update],
        "DELETE" if !after_on => &[Kind::Delete],
        "MERGE" => &[Kind::Merge],
        "TRUNCATE" if !is_call => &[Kind::Truncate],
        "DROP" => &[Kind::Drop, Kind::Alter],
        "ALTER" => &[Kind::Alter],
        "CREATE" => &[Kind::Create, Kind::Show],
        "GRANT" => &[Kind::Grant, Kind::Revoke],
        "REVOKE" => &[Kind::Revoke],
        "CALL" => &[Kind::Call],
        "COPY" => &[Kind::Copy],
        "PRAGMA" => &[Kind::Pragma],
        "VACUUM" => &[Kind::Vacuum],
        "ATTACH" | "DETACH" | "EXEC" | "EXECUTE" => &[],
        "SET" if unseparated => &[Kind::Set, Kind::Update, Kind::Merge, Kind::Alter],
        "BEGIN" if unseparated => &[Kind::Transaction],
        "BACKUP" | "BULK" | "CHECKPOINT" | "DBCC" | "DECLARE" | "DENY" | "GO" | "IF" | "KILL" | "OPEN"
        | "PRINT" | "RAISERROR" | "READTEXT" | "RECEIVE" | "RECONFIGURE" | "RESTORE" | "REVERT" | "SEND"
        | "SHUTDOWN" | "THROW" | "UPDATETEXT" | "USE" | "WAITFOR" | "WHILE" | "WRITETEXT"
            if unseparated =>
        {
            &[]
        }
        _ => return None,
    })
}
