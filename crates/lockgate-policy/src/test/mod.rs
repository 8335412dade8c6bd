//! Tests on arguments: what a rule may ask of the arguments of one call, and the answer.
//!
//! [`Conditions`] is a map from [`Selector`] (which argument) to [`Test`] (a list of [`Operator`]s); all must hold. It is
//! asked in two ways. [`Conditions::require`] is for what must hold: whoever gets [`Outcome::Fails`] or
//! [`Outcome::CannotTell`] refuses. [`Conditions::matches`] is for `deny_if` and `ask_if`: [`Outcome::Holds`] and
//! [`Outcome::CannotTell`] both match. [`Outcome::refuses_requirement`] and [`Outcome::is_match`] say so in code.
//!
//! The two differ in one more way. Where a test speaks of many things (elements for `*`, statements, tables and functions
//! in one SQL text), `require` wants it of every one, `matches` is content with one: `deny_if: { /files/*: … }` meets a
//! list with one bad file among good ones.
//!
//! Nothing is coerced. A value of another type than the operator is for cannot be told, since some servers coerce;
//! `null` and an absent argument fail every operator but `present` and, for `null`, comparisons with `null`.
//! A plain value where a pointer goes deeper, and a key that differs from the wanted one only in case, cannot be told.
//!
//! What an argument says is never shown: an explanation holds the operator's own selector, the name of the operator and
//! a fixed sentence.

mod email;
mod host;
mod number;
mod operator;
mod path;
mod regex;
mod repo;
mod selector;
mod shell;
mod sql;
mod url;
mod value;

#[cfg(test)]
mod tests;

use std::fmt;

use lockgate_model::{Json, Kind};

pub use host::{Hosts, Networks};
pub use number::Decimal;
pub use operator::{Operator, Test, ValueType};
pub use path::PathTest;
pub use repo::RepoTest;
pub use selector::Selector;
pub use sql::{Dialect, SqlTest};
pub use url::UrlTest;
pub use value::Value;

/// Tests on the arguments of a call. All must hold; their order has no meaning.
#[derive(Clone, Debug)]
pub struct Conditions {
    tests: Vec<(Selector, Test)>,
}

impl Conditions {
    /// Takes tests on different arguments; at least one.
    pub fn new(mut tests: Vec<(Selector, Test)>) -> Result<Self, BadTest> {
        tests.sort_by(|(a, _), (b, _)| a.cmp(b));
        if tests.is_empty() {
            return Err(BadTest::NoConditions);
        }
        if let Some((twice, _)) = tests.windows(2).find_map(|pair| match pair {
            [(a, test), (b, _)] if a == b => Some((a, test)),
            _ => None,
        }) {
            return Err(BadTest::SelectorTwice(twice.to_string()));
        }
        Ok(Self { tests })
    }

    /// For what must hold. `arguments` is the object of a call; none counts as one without members.
    pub fn require(&self, arguments: Option<Json<'_>>) -> Outcome<'_> {
        self.ask(arguments, Sense::Every)
    }

    /// For what is refused or held where it matches. See the module on how this differs from [`Conditions::require`].
    pub fn matches(&self, arguments: Option<Json<'_>>) -> Outcome<'_> {
        self.ask(arguments, Sense::Some)
    }

    /// Every test, sorted by selector.
    pub fn iter(&self) -> impl Iterator<Item = &(Selector, Test)> {
        self.tests.iter()
    }

    /// A doubt goes before a failure: `deny_if` counts a map that cannot be evaluated as one that matches.
    fn ask(&self, arguments: Option<Json<'_>>, sense: Sense) -> Outcome<'_> {
        let arguments = arguments.or_else(|| Json::check(b"{}", 1).ok());
        let arguments = arguments.filter(|json| json.kind() == Kind::Object);
        let mut outcome = Outcome::Holds;
        for (selector, test) in &self.tests {
            let answer = match arguments {
                Some(arguments) => test.ask(selector, arguments, sense),
                None => Outcome::CannotTell(
                    At { selector, operator: None },
                    Doubt("the arguments are not an object"),
                ),
            };
            match (answer, outcome) {
                (Outcome::CannotTell(..), _) => return answer,
                (Outcome::Fails(_), Outcome::Holds) => outcome = answer,
                (Outcome::Fails(_) | Outcome::Holds, _) => {}
            }
        }
        outcome
    }
}

/// What [`Conditions`] say of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome<'a> {
    /// Every test holds.
    Holds,
    /// This one does not. Where several do not, the first by selector and operator.
    Fails(At<'a>),
    /// This one cannot be evaluated, whatever the others say.
    CannotTell(At<'a>, Doubt),
}

impl Outcome<'_> {
    /// Is a call refused that was required to meet these conditions?
    pub fn refuses_requirement(&self) -> bool {
        !matches!(self, Self::Holds)
    }

    /// Does a `deny_if` or `ask_if` with these conditions count?
    pub fn is_match(&self) -> bool {
        !matches!(self, Self::Fails(_))
    }
}

impl fmt::Display for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds => f.write_str("every test holds"),
            Self::Fails(at) => write!(f, "{at} does not hold"),
            Self::CannotTell(at, doubt) => write!(f, "{at} cannot be evaluated: {doubt}"),
        }
    }
}

/// Where in the conditions: never what the argument says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At<'a> {
    /// Which argument, as the operator wrote it.
    pub selector: &'a Selector,
    /// Which operator; none where the argument could not be looked up.
    pub operator: Option<&'static str>,
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.operator {
            Some(operator) => write!(f, "`{operator}` of argument `{}`", self.selector),
            None => write!(f, "argument `{}`", self.selector),
        }
    }
}

/// Why a test could not be evaluated: one of our fixed sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt(&'static str);

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Must all of many things pass, or is one enough?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sense {
    Every,
    Some,
}

/// What one operator says of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    Yes,
    No,
    Unclear(Doubt),
}

impl From<bool> for Truth {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

impl Truth {
    /// Of many things: every one, or one. A doubt about any is a doubt about all.
    fn of_many(truths: impl IntoIterator<Item = Self>, sense: Sense) -> Self {
        let (mut yes, mut no) = (false, false);
        for truth in truths {
            match truth {
                Self::Yes => yes = true,
                Self::No => no = true,
                Self::Unclear(_) => return truth,
            }
        }
        match sense {
            Sense::Every => (!no).into(),
            Sense::Some => yes.into(),
        }
    }
}

/// Why a test cannot be used as written. The message is one line; [`BadTest::hint`] says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each says what it means")]
pub enum BadTest {
    #[error("the name of an argument is empty")]
    EmptyName,
    #[error("a pointer has an empty step")]
    EmptyStep,
    #[error("`~` in a pointer is followed by neither `0` nor `1`")]
    BadEscape,
    #[error("a selector is longer than 512 bytes or 16 steps")]
    SelectorTooLong,
    #[error("there is no test")]
    NoConditions,
    #[error("`{0}` is tested twice")]
    SelectorTwice(String),
    #[error("the test has no operator")]
    NoOperator,
    #[error("`{0}` is written twice")]
    OperatorTwice(&'static str),
    #[error("no value can pass the test")]
    Impossible,
    #[error("`{0}` has an empty list")]
    EmptyList(&'static str),
    #[error("`{0}` has more than 1,000 entries")]
    ListTooLong(&'static str),
    #[error("`{0}` has values of different types")]
    MixedTypes(&'static str),
    #[error("this is not a number, or not one from 1e-400 to 1e400 in at most 1,024 characters")]
    NotANumber,
    #[error("`{0}` is not a type")]
    UnknownType(String),
    #[error("the regular expression cannot be used: {0}")]
    BadRegex(String),
    #[error("`{0}` is not a network")]
    BadNetwork(String),
    #[error("`{0}` has bits after its prefix")]
    HostBits(String),
    #[error("`{0}` is not a host name")]
    BadHost(String),
    #[error("`{0}` is not a scheme of an address")]
    BadScheme(String),
    #[error("`{0}` is not a port")]
    BadPort(String),
    #[error("`{0}` tests nothing")]
    TestsNothing(&'static str),
    #[error("`{0}` is not a plain path")]
    BadPath(String),
    #[error("the alias `{0}` leads back to itself")]
    AliasLoop(String),
    #[error("`{0}` is not a repository")]
    BadRepository(String),
    #[error("`{0}` is not a kind of statement")]
    UnknownStatement(String),
    #[error("`{0}` is not a dialect of SQL")]
    UnknownDialect(String),
    #[error("`{name}` cannot be used in `{operator}`: {why}")]
    BadName { operator: &'static str, name: String, why: String },
    #[error("`{0}` is not the name of a program")]
    BadProgram(String),
    #[error("`{0}` runs whatever is written after it")]
    RunsAnything(String),
}

impl BadTest {
    /// What to write instead.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::EmptyName | Self::EmptyStep => {
                "write a name like `path`, or a pointer like `/options/mode`"
            }
            Self::BadEscape => "in a pointer write `~0` for `~` and `~1` for `/`",
            Self::SelectorTooLong => "test an outer value, or fewer steps",
            Self::NoConditions => "write at least one argument and its test, or leave the key out",
            Self::SelectorTwice(_) => "put all operators for one argument into one test",
            Self::NoOperator => "write at least one operator, such as `equals` or `matches`",
            Self::OperatorTwice(_) => "write each operator once",
            Self::Impossible => {
                "its operators exclude one another: widen the range, or keep those for one type"
            }
            Self::EmptyList(_) => "name at least one entry",
            Self::ListTooLong(_) => "use a pattern, or several rules",
            Self::MixedTypes(_) => "use values of one type, and `null` where it is meant",
            Self::NotANumber => "write a number as in JSON, like 100, -2.5 or 1e6",
            Self::UnknownType(_) => "use string, number, integer, boolean, array, object or null",
            Self::BadRegex(_) => "use the syntax of RE2: no look-around and no back-references",
            Self::BadNetwork(_) => "write a network like 10.0.0.0/8 or 2001:db8::/32",
            Self::HostBits(_) => "set the bits after the prefix to zero: 10.0.0.0/8, not 10.1.2.3/8",
            Self::BadHost(_) => {
                "write a name like api.example.com, *.example.com or an IP address, without port"
            }
            Self::BadScheme(_) => "write a scheme like https, without `:` or `//`",
            Self::BadPort(_) => "write a port from 1 to 65535",
            Self::TestsNothing("length") => "write `at_least`, `at_most` or both",
            Self::TestsNothing("url") => "write at least one of `schemes`, `hosts` and `ports`",
            Self::TestsNothing(_) => "write at least one of `statements`, `tables` and `functions`",
            Self::BadPath(_) => {
                "write it from `/` on, or relative without `.`, `..`, `~`, `\\`, `%` and wildcards"
            }
            Self::AliasLoop(_) => "let every alias lead to its real place",
            Self::BadRepository(_) => "write `owner/name`; `*` stands for any run of characters",
            Self::UnknownStatement(_) => {
                "use select, insert, update, delete, merge, create, alter, drop, truncate, explain, describe, show, \
                 set, transaction, copy, call, grant, revoke, vacuum, analyze or pragma"
            }
            Self::UnknownDialect(_) => "use postgres, sqlite, mysql, mssql or generic",
            Self::BadName { .. } => "write names with dots between their parts; only `*` is special",
            Self::BadProgram(_) => "write a bare name like `git`, or the full path as it will be written",
            Self::RunsAnything(_) => "name the programs themselves",
        }
    }
}
