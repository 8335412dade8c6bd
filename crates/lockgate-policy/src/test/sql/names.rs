//! Names of tables and functions, and what patterns say of them.

use sqlparser::ast::{Ident, ObjectName, ObjectNamePart};

use super::super::{BadTest, Doubt, Truth};
use super::Dialect;
use crate::Pattern;

/// A name as a statement writes it, part by part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    text: String,
    quoted: bool,
}

impl Name {
    pub(super) fn read(name: &ObjectName) -> Result<Self, Doubt> {
        let part = |part: &ObjectNamePart| match part {
            ObjectNamePart::Identifier(ident) => Ok(Part::new(ident)),
            ObjectNamePart::Function(_) => Err(Doubt("a name in the SQL text is computed")),
        };
        name.0.iter().map(part).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn of(idents: &[Ident]) -> Self {
        Self(idents.iter().map(Part::new).collect())
    }

    /// Is it one part, and written like that identifier?
    pub(super) fn is(&self, ident: &Ident) -> bool {
        self.0.as_slice() == [Part::new(ident)]
    }

    pub(super) fn is_one_of(&self, patterns: &[NamePattern], dialect: Dialect) -> Truth {
        let mut spelling = false;
        for pattern in patterns.iter().filter(|pattern| pattern.parts.len() == self.0.len()) {
            let pairs = || pattern.parts.iter().zip(&self.0);
            let folded = pairs().all(|(part, own)| part.folded.matches(&own.text.to_lowercase()));
            let exact = match dialect {
                Dialect::Sqlite | Dialect::Mssql => folded,
                Dialect::Postgres => pairs().all(|(part, own)| {
                    if own.quoted {
                        part.exact.matches(&own.text)
                    } else {
                        part.exact.matches(&own.text.to_lowercase())
                    }
                }),
                Dialect::Mysql | Dialect::Generic => pairs().all(|(part, own)| part.exact.matches(&own.text)),
            };
            if exact {
                return Truth::Yes;
            }
            spelling |= folded;
        }
        if spelling {
            Truth::Unclear(Doubt("a table is listed but for upper and lower case"))
        } else {
            Truth::No
        }
    }

    /// Is it a function of the database itself that computes and does nothing else?
    pub(super) fn is_ordinary_function(&self) -> bool {
        let last = match self.0.as_slice() {
            [last] => last,
            [schema, last] if schema.text.eq_ignore_ascii_case("pg_catalog") => last,
            _ => return false,
        };
        ORDINARY.binary_search(&last.text.to_ascii_lowercase().as_str()).is_ok()
    }
}

impl Part {
    fn new(ident: &Ident) -> Self {
        Self { text: ident.value.clone(), quoted: ident.quote_style.is_some() }
    }
}

/// A name with dots between its parts, each a [`Pattern`].
#[derive(Clone, Debug)]
pub(super) struct NamePattern {
    parts: Vec<PartPattern>,
}

#[derive(Clone, Debug)]
struct PartPattern {
    exact: Pattern,
    folded: Pattern,
}

impl NamePattern {
    pub(super) fn parse(text: &str) -> Result<Self, BadTest> {
        let bad = |why: String| BadTest::BadName { operator: "sql", name: text.to_owned(), why };
        if text.split('.').count() > 4 {
            return Err(bad("it has more than four parts".into()));
        }
        let part = |part: &str| {
            let read = |text: &str| Pattern::parse(text).map_err(|why| bad(why.to_string()));
            Ok(PartPattern { exact: read(part)?, folded: read(&part.to_lowercase())? })
        };
        Ok(Self { parts: text.split('.').map(part).collect::<Result<_, _>>()? })
    }

    pub(super) fn is_exact(&self) -> bool {
        self.parts.iter().all(|part| part.exact.is_exact())
    }

    /// Functions are compared without regard to case.
    pub(super) fn has_function(&self, name: &Name) -> bool {
        let pairs = || self.parts.iter().zip(&name.0);
        self.parts.len() == name.0.len()
            && pairs().all(|(part, own)| part.folded.matches(&own.text.to_lowercase()))
    }
}

/// Does it do more than compute, as far as its name tells? Such a function is not meant by a pattern with `*`.
pub(super) fn needs_naming(name: &Name) -> bool {
    let Some(last) = name.0.last() else { return true };
    let last = last.text.to_lowercase();
    REACHES_OUT.iter().any(|start| last.starts_with(start))
}

/// How functions begin that reach files, programs, other databases, other sessions, settings or sequences.
const REACHES_OUT: [&str; 43] = [
    "benchmark",
    "copy",
    "current_setting",
    "cursor_to",
    "database_to",
    "dblink",
    "dbms_",
    "edit",
    "eval",
    "exec",
    "fsdir",
    "fts3_tokenizer",
    "get_lock",
    "http",
    "is_free_lock",
    "lastval",
    "lo_",
    "load",
    "master_",
    "net_",
    "nextval",
    "open",
    "pg_",
    "query_to",
    "readfile",
    "release_",
    "schema_to",
    "set_config",
    "setval",
    "shell",
    "sleep",
    "source_",
    "sp_",
    "sqlite_",
    "sys_",
    "sysfile",
    "table_to",
    "ts_stat",
    "txid_",
    "utl_",
    "writefile",
    "xp_",
    "zipfile",
];

/// Functions of the databases themselves that compute from their arguments, the time or who is asking. Sorted.
const ORDINARY: [&str; 221] = [
    "abs",
    "acos",
    "age",
    "any_value",
    "array",
    "array_agg",
    "array_append",
    "array_cat",
    "array_length",
    "array_position",
    "array_remove",
    "array_to_string",
    "ascii",
    "asin",
    "atan",
    "atan2",
    "avg",
    "bit_and",
    "bit_length",
    "bit_or",
    "bool_and",
    "bool_or",
    "btrim",
    "cardinality",
    "cast",
    "cbrt",
    "ceil",
    "ceiling",
    "char",
    "char_length",
    "character_length",
    "charindex",
    "chr",
    "coalesce",
    "concat",
    "concat_ws",
    "convert",
    "corr",
    "cos",
    "cot",
    "count",
    "count_big",
    "covar_pop",
    "covar_samp",
    "cume_dist",
    "curdate",
    "current_date",
    "current_time",
    "current_timestamp",
    "current_user",
    "curtime",
    "date",
    "date_add",
    "date_diff",
    "date_format",
    "date_part",
    "date_sub",
    "date_trunc",
    "dateadd",
    "datediff",
    "datename",
    "datepart",
    "datetime",
    "datetrunc",
    "day",
    "dayname",
    "dayofmonth",
    "dayofweek",
    "dayofyear",
    "degrees",
    "dense_rank",
    "eomonth",
    "every",
    "exp",
    "extract",
    "first_value",
    "floor",
    "format",
    "from_unixtime",
    "generate_series",
    "getdate",
    "getutcdate",
    "glob",
    "greatest",
    "group_concat",
    "grouping",
    "hex",
    "hour",
    "if",
    "ifnull",
    "iif",
    "initcap",
    "instr",
    "isnull",
    "json_agg",
    "json_array",
    "json_array_elements",
    "json_array_elements_text",
    "json_array_length",
    "json_build_array",
    "json_build_object",
    "json_each",
    "json_extract",
    "json_extract_path",
    "json_extract_path_text",
    "json_group_array",
    "json_group_object",
    "json_object",
    "json_object_agg",
    "json_object_keys",
    "json_type",
    "json_typeof",
    "json_unquote",
    "json_valid",
    "json_value",
    "jsonb_agg",
    "jsonb_array_elements",
    "jsonb_array_elements_text",
    "jsonb_array_length",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_each",
    "jsonb_extract_path_text",
    "jsonb_object_agg",
    "jsonb_object_keys",
    "jsonb_path_query",
    "jsonb_typeof",
    "julianday",
    "justify_days",
    "lag",
    "last_day",
    "last_value",
    "lcase",
    "lead",
    "least",
    "left",
    "len",
    "length",
    "ln",
    "localtime",
    "localtimestamp",
    "locate",
    "log",
    "log10",
    "log2",
    "lower",
    "lpad",
    "ltrim",
    "make_date",
    "make_interval",
    "max",
    "md5",
    "mid",
    "min",
    "minute",
    "mod",
    "month",
    "monthname",
    "now",
    "nth_value",
    "ntile",
    "nullif",
    "octet_length",
    "patindex",
    "percent_rank",
    "percentile_cont",
    "percentile_disc",
    "pi",
    "position",
    "power",
    "printf",
    "quarter",
    "quote_literal",
    "radians",
    "rank",
    "regexp_count",
    "regexp_like",
    "regexp_match",
    "regexp_matches",
    "regexp_replace",
    "regexp_substr",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "row_number",
    "rpad",
    "rtrim",
    "second",
    "session_user",
    "sign",
    "sin",
    "split_part",
    "sqrt",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "strftime",
    "string_agg",
    "stuff",
    "substr",
    "substring",
    "sum",
    "sysdatetime",
    "tan",
    "to_char",
    "to_date",
    "to_number",
    "to_timestamp",
    "total",
    "trim",
    "trunc",
    "typeof",
    "unnest",
    "upper",
    "user",
    "var_pop",
    "var_samp",
    "variance",
    "year",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted() {
        assert!(ORDINARY.is_sorted());
        assert!(REACHES_OUT.is_sorted());
        for name in ORDINARY {
            assert!(!REACHES_OUT.iter().any(|start| name.starts_with(start)), "{name}");
        }
    }
}
