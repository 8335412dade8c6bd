mod names;
mod text;
mod walk;

use std::collections::BTreeSet;

use sqlparser::ast::Visit;
use sqlparser::dialect::{self, Dialect as Grammar};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Tokenizer;

use super::host::checked_list;
use super::{BadTest, Doubt, Sense, Truth};
use names::{NamePattern, needs_naming};
use walk::{Found, Walk};

/// Most levels of nesting the parser follows. Its frames are large: without optimisation 30 levels, or 42 joins, need more
/// than two MiB of stack.
const NESTING: usize = 16;

const NO_PARSE: Doubt = Doubt("the SQL text cannot be parsed in the dialect of the rule");
const NOT_ONE: Doubt = Doubt("the SQL text is not exactly one statement");

/// Whose SQL it is. The dialect must be that of the database: a text means different things to different ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `PostgreSQL`, with `standard_conforming_strings` on (its default).
    Postgres,
    /// `SQLite`.
    Sqlite,
    /// `MySQL` and `MariaDB`. Comments that are code (`/*! … */`) are refused.
    Mysql,
    /// Microsoft SQL Server.
    Mssql,
    /// What databases have in common; the most is refused.
    Generic,
}

impl Dialect {
    /// Reads the word of the configuration.
    pub fn parse(word: &str) -> Result<Self, BadTest> {
        Ok(match word {
            "postgres" => Self::Postgres,
            "sqlite" => Self::Sqlite,
            "mysql" => Self::Mysql,
            "mssql" => Self::Mssql,
            "generic" => Self::Generic,
            _ => return Err(BadTest::UnknownDialect(word.to_owned())),
        })
    }

    fn grammar(self) -> &'static dyn Grammar {
        match self {
            Self::Postgres => &dialect::PostgreSqlDialect {},
            Self::Sqlite => &dialect::SQLiteDialect {},
            Self::Mysql => &dialect::MySqlDialect {},
            Self::Mssql => &dialect::MsSqlDialect {},
            Self::Generic => &dialect::GenericDialect {},
        }
    }
}

/// What one SQL statement may be. A key that is not given does not narrow, except for functions.
///
/// * `statements`: every kind of statement in the text must be listed, wherever it stands: `WITH x AS (DELETE …) SELECT`
///   is a select and a delete, `EXPLAIN x` an explain and x, `SELECT … INTO` a select and a create, `… FOR UPDATE` an
///   update too, `INSERT … SELECT` an insert and a select, `REPLACE` an insert and a delete.
/// * `tables`: every table must be listed, as `orders`, `public.orders` or with `*` within a part; a name matches with as
///   many parts as the statement writes. Names of `WITH` are no tables where they are visible.
/// * `functions`: functions beside the ordinary ones (`count`, `lower`, `date_trunc`, …). Those that reach files,
///   programs, other databases or the server are meant only where their full name is listed.
///
/// Cannot be told: more than one statement, what does not parse, functions that are not known where `functions` is not
/// given, `COPY` from or to a file or program, and texts that two readers could divide differently. The limit is 16,384
/// bytes, 4,000 tokens, 200 operators, 16 joins and 16 levels. What views, triggers and listed functions do inside the database is not seen.
#[derive(Clone, Debug)]
pub struct SqlTest {
    dialect: Dialect,
    statements: Option<BTreeSet<Kind>>,
    tables: Option<Vec<NamePattern>>,
    functions: Option<Vec<NamePattern>>,
}

impl SqlTest {
    /// Takes what is allowed: at least one key, each with 1 to 1,000 entries.
    pub fn new(
        dialect: Dialect,
        statements: Option<&[String]>,
        tables: Option<&[String]>,
        functions: Option<&[String]>,
    ) -> Result<Self, BadTest> {
        if statements.is_none() && tables.is_none() && functions.is_none() {
            return Err(BadTest::TestsNothing("sql"));
        }
        let statements =
            statements.map(|list| checked_list("sql", list)?.iter().map(|word| Kind::parse(word)).collect());
        let names = |list: Option<&[String]>| {
            list.map(|list| checked_list("sql", list)?.iter().map(|name| NamePattern::parse(name)).collect())
        };
        Ok(Self {
            dialect,
            statements: statements.transpose()?,
            tables: names(tables).transpose()?,
            functions: names(functions).transpose()?,
        })
    }

    pub(super) fn ask(&self, text: &str, sense: Sense) -> Truth {
        self.decide(text, sense).unwrap_or_else(Truth::Unclear)
    }

    fn decide(&self, text: &str, sense: Sense) -> Result<Truth, Doubt> {
        let found = self.read(text)?;
        let kinds = self.statements.as_ref().map(|allowed| {
            Truth::of_many(found.kinds.iter().map(|kind| allowed.contains(kind).into()), sense)
        });
        let tables = match &self.tables {
            Some(_) if found.unnamed => {
                return Err(Doubt("the statement uses tables in a way that is not followed"));
            }
            Some(allowed) => Some(Truth::of_many(
                found.tables.iter().map(|table| table.is_one_of(allowed, self.dialect)),
                sense,
            )),
            None => None,
        };
        let functions = self.functions(&found, sense)?;
        let all = [kinds, tables, functions];
        Ok(Truth::of_many(all.into_iter().flatten(), Sense::Every))
    }

    fn functions(&self, found: &Found, sense: Sense) -> Result<Option<Truth>, Doubt> {
        let listed = |function: &names::Name| {
            self.functions.iter().flatten().any(|pattern| {
                pattern.has_function(function) && (pattern.is_exact() || !needs_naming(function))
            })
        };
        Ok(match (&self.functions, sense) {
            (None, _) if found.functions.iter().all(names::Name::is_ordinary_function) => None,
            (None, _) => {
                return Err(Doubt("the statement calls a function that is not known to be harmless"));
            }
            (Some(_), Sense::Every) => {
                Some(found.functions.iter().all(|f| f.is_ordinary_function() || listed(f)).into())
            }
            (Some(_), Sense::Some) => Some(found.functions.iter().any(listed).into()),
        })
    }

    fn read(&self, text: &str) -> Result<Found, Doubt> {
        text::check(text)?;
        let grammar = self.dialect.grammar();
        let tokens = Tokenizer::new(grammar, text).tokenize().map_err(|_| NO_PARSE)?;
        let words = text::check_tokens(&tokens, self.dialect)?;
        let mut parser = Parser::new(grammar).with_recursion_limit(NESTING).with_tokens(tokens);
        let statements = parser.parse_statements().map_err(|_| NO_PARSE)?;
        let [statement] = statements.as_slice() else { return Err(NOT_ONE) };
        let mut walk = Walk::default();
        if let std::ops::ControlFlow::Break(doubt) = statement.visit(&mut walk) {
            return Err(doubt);
        }
        let found = walk.into_found();
        // A word that begins a statement, in a tree without such a statement: the database may cut the text elsewhere.
        if words.iter().any(|kinds| !kinds.iter().any(|kind| found.kinds.contains(kind))) {
            return Err(Doubt("the SQL text has a word that may begin another statement"));
        }
        Ok(found)
    }
}

/// Kinds of statements that may be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Select,
    Insert,
    Update,
    Delete,
    Merge,
    Create,
    Alter,
    Drop,
    Truncate,
    Explain,
    Describe,
    Show,
    Set,
    Transaction,
    Copy,
    Call,
    Grant,
    Revoke,
    Vacuum,
    Analyze,
    Pragma,
}

impl Kind {
    fn parse(word: &str) -> Result<Self, BadTest> {
        Ok(match word {
            "select" => Self::Select,
            "insert" => Self::Insert,
            "update" => Self::Update,
            "delete" => Self::Delete,
            "merge" => Self::Merge,
            "create" => Self::Create,
            "alter" => Self::Alter,
            "drop" => Self::Drop,
            "truncate" => Self::Truncate,
            "explain" => Self::Explain,
            "describe" => Self::Describe,
            "show" => Self::Show,
            "set" => Self::Set,
            "transaction" => Self::Transaction,
            "copy" => Self::Copy,
            "call" => Self::Call,
            "grant" => Self::Grant,
            "revoke" => Self::Revoke,
            "vacuum" => Self::Vacuum,
            "analyze" => Self::Analyze,
            "pragma" => Self::Pragma,
            _ => return Err(BadTest::UnknownStatement(word.to_owned())),
        })
    }
}
