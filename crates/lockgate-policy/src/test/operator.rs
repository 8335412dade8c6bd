use lockgate_model::{Json, Kind};

use super::email::EmailTest;
use super::host::{Hosts, Networks};
use super::number::{Decimal, read};
use super::path::PathTest;
use super::regex::Regex;
use super::repo::RepoTest;
use super::shell::ShellTest;
use super::sql::SqlTest;
use super::url::UrlTest;
use super::value::Value;
use super::{At, BadTest, Doubt, Outcome, Selector, Sense, Truth};

/// Most entries of one list.
pub(super) const ENTRIES: usize = 1000;

const OTHER_TYPE: Doubt = Doubt("the value is of another type than the operator is for");
const NUMBER_LIMITS: Doubt = Doubt("a number is beyond the limits of comparison");

/// A list of operators on one argument. All must hold; their order has no meaning.
#[derive(Clone, Debug)]
pub struct Test {
    operators: Vec<Operator>,
}

impl Test {
    /// Takes different operators that some value can pass; at least one.
    pub fn new(mut operators: Vec<Operator>) -> Result<Self, BadTest> {
        operators.sort_by_key(Operator::word);
        if operators.is_empty() {
            return Err(BadTest::NoOperator);
        }
        if let Some(word) = operators.windows(2).find_map(|pair| match pair {
            [a, b] if a.word() == b.word() => Some(a.word()),
            _ => None,
        }) {
            return Err(BadTest::OperatorTwice(word));
        }
        let types = operators.iter().fold(ALL, |types, operator| types & operator.types());
        let absent = operators.iter().any(|o| matches!(o.0, Check::Absent));
        if absent && operators.len() > 1 || types == 0 && !absent || empty_range(&operators) {
            return Err(BadTest::Impossible);
        }
        Ok(Self { operators })
    }

    /// Every operator, sorted by its word.
    pub fn iter(&self) -> impl Iterator<Item = &Operator> {
        self.operators.iter()
    }

    pub(super) fn ask<'a>(&self, selector: &'a Selector, arguments: Json<'_>, sense: Sense) -> Outcome<'a> {
        // One value at a time, with all operators: one element that meets them all is what `Sense::Some` looks for.
        let (mut some_hold, mut first_failure, mut first_doubt) = (false, None, None);
        let looked_up = selector.visit(arguments, &mut |value| {
            let mut holds = true;
            for operator in &self.operators {
                let word = operator.word();
                match operator.ask(value, sense) {
                    Truth::Yes => {}
                    Truth::No => {
                        holds = false;
                        first_failure = first_failure.or(Some(word));
                    }
                    Truth::Unclear(doubt) => {
                        holds = false;
                        first_doubt = first_doubt.or(Some((word, doubt)));
                    }
                }
            }
            some_hold |= holds;
        });
        let at = |operator| At { selector, operator };
        match (looked_up, first_doubt, first_failure) {
            (Err(doubt), _, _) => Outcome::CannotTell(at(None), doubt),
            (Ok(()), Some((word, doubt)), _) => Outcome::CannotTell(at(Some(word)), doubt),
            (Ok(()), None, Some(word)) if sense == Sense::Every || !some_hold => {
                Outcome::Fails(at(Some(word)))
            }
            (Ok(()), None, _) => Outcome::Holds,
        }
    }
}

/// The types of JSON, and an integer as a kind of number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of JSON")]
pub enum ValueType {
    String,
    Number,
    /// A number without a fraction, however written: `1.0` and `1e2` are.
    Integer,
    Boolean,
    Array,
    Object,
    Null,
}

impl ValueType {
    /// Reads the word that JSON Schema uses.
    pub fn parse(word: &str) -> Result<Self, BadTest> {
        Ok(match word {
            "string" => Self::String,
            "number" => Self::Number,
            "integer" => Self::Integer,
            "boolean" => Self::Boolean,
            "array" => Self::Array,
            "object" => Self::Object,
            "null" => Self::Null,
            _ => return Err(BadTest::UnknownType(word.to_owned())),
        })
    }

    fn kind(self) -> Kind {
        match self {
            Self::String => Kind::String,
            Self::Number | Self::Integer => Kind::Number,
            Self::Boolean => Kind::Bool,
            Self::Array => Kind::Array,
            Self::Object => Kind::Object,
            Self::Null => Kind::Null,
        }
    }
}

/// One thing asked of a value. Everything is compiled when it is made; asking allocates next to nothing.
#[derive(Clone, Debug)]
pub struct Operator(Check);

#[derive(Clone, Debug)]
enum Check {
    Equals(Value),
    OneOf(Vec<Value>),
    NotEquals(Value),
    NoneOf(Vec<Value>),
    AtLeast(Decimal),
    AtMost(Decimal),
    Above(Decimal),
    Below(Decimal),
    Matches(Regex),
    ContainsMatch(Regex),
    Contains(Value),
    Present,
    Absent,
    Length { at_least: u64, at_most: u64 },
    Type(ValueType),
    Cidr(Networks),
    Hostname(Hosts),
    Url(UrlTest),
    Path(PathTest),
    Email(EmailTest),
    Repo(RepoTest),
    Sql(SqlTest),
    Shell(ShellTest),
}

impl Operator {
    /// The same value, in type and content.
    pub fn equals(value: Value) -> Self {
        Self(Check::Equals(value))
    }

    /// One of these values: at least one, at most 1,000, of one type besides `null`.
    pub fn one_of(values: Vec<Value>) -> Result<Self, BadTest> {
        same_type("one_of", &values)?;
        Ok(Self(Check::OneOf(values)))
    }

    /// Another value of the same type.
    pub fn not_equals(value: Value) -> Self {
        Self(Check::NotEquals(value))
    }

    /// None of these values, and of their type. Limits as for [`Operator::one_of`].
    pub fn none_of(values: Vec<Value>) -> Result<Self, BadTest> {
        same_type("none_of", &values)?;
        Ok(Self(Check::NoneOf(values)))
    }

    /// A number that is not smaller.
    pub fn at_least(limit: Decimal) -> Self {
        Self(Check::AtLeast(limit))
    }

    /// A number that is not greater.
    pub fn at_most(limit: Decimal) -> Self {
        Self(Check::AtMost(limit))
    }

    /// A greater number.
    pub fn above(limit: Decimal) -> Self {
        Self(Check::Above(limit))
    }

    /// A smaller number.
    pub fn below(limit: Decimal) -> Self {
        Self(Check::Below(limit))
    }

    /// A text that the RE2 expression matches from its first character to its last.
    pub fn matches(pattern: &str) -> Result<Self, BadTest> {
        Ok(Self(Check::Matches(Regex::whole(pattern)?)))
    }

    /// A text in which the RE2 expression matches somewhere.
    pub fn contains_match(pattern: &str) -> Result<Self, BadTest> {
        Ok(Self(Check::ContainsMatch(Regex::anywhere(pattern)?)))
    }

    /// A text with that text in it, or an array with that element.
    pub fn contains(value: Value) -> Self {
        Self(Check::Contains(value))
    }

    /// The argument is there, be it `null`.
    pub fn present() -> Self {
        Self(Check::Present)
    }

    /// The argument is not there.
    pub fn absent() -> Self {
        Self(Check::Absent)
    }

    /// A text of so many characters (Unicode scalar values), an array of so many elements or an object of so many members.
    pub fn length(at_least: Option<u64>, at_most: Option<u64>) -> Result<Self, BadTest> {
        if at_least.is_none() && at_most.is_none() {
            return Err(BadTest::TestsNothing("length"));
        }
        let (at_least, at_most) = (at_least.unwrap_or(0), at_most.unwrap_or(u64::MAX));
        if at_least > at_most {
            return Err(BadTest::Impossible);
        }
        Ok(Self(Check::Length { at_least, at_most }))
    }

    /// A value of this type.
    pub fn of_type(value_type: ValueType) -> Self {
        Self(Check::Type(value_type))
    }

    /// A text that is one IP address within one of these networks.
    pub fn cidr(networks: Networks) -> Self {
        Self(Check::Cidr(networks))
    }

    /// A text that is one host name or IP address, and one of these.
    pub fn hostname(hosts: Hosts) -> Self {
        Self(Check::Hostname(hosts))
    }

    /// A text that is one address of the web. See [`UrlTest`].
    pub fn url(test: UrlTest) -> Self {
        Self(Check::Url(test))
    }

    /// A text that is a path. See [`PathTest`].
    pub fn path(test: PathTest) -> Self {
        Self(Check::Path(test))
    }

    /// A text that is one mail address at one of these domains (`example.com`, `*.example.com`): plain letters, digits
    /// and `. _ + - ' =` before the `@`, no quotes, comments, routes or display names.
    pub fn email(domains: Vec<String>) -> Result<Self, BadTest> {
        Ok(Self(Check::Email(EmailTest::new(&domains)?)))
    }

    /// A text that names a repository. See [`RepoTest`].
    pub fn repo(test: RepoTest) -> Self {
        Self(Check::Repo(test))
    }

    /// A text that is one SQL statement. See [`SqlTest`].
    pub fn sql(test: SqlTest) -> Self {
        Self(Check::Sql(test))
    }

    /// A text that is one simple command of a POSIX shell and starts one of these programs. Accepted is a small strict
    /// grammar: words of letters, digits and `_ @ % + = : , . / -`, and quotes without expansions. A program named
    /// without a slash is accepted without a slash only. **Out of scope are arguments**: `find -exec`, `git -c`,
    /// `tar --to-command` and the like run other programs, so list only programs whose every argument is harmless, or
    /// add a `matches` on the whole line.
    pub fn shell(programs: Vec<String>) -> Result<Self, BadTest> {
        Ok(Self(Check::Shell(ShellTest::new(programs)?)))
    }

    /// The word of the configuration.
    pub fn word(&self) -> &'static str {
        match &self.0 {
            Check::Equals(_) => "equals",
            Check::OneOf(_) => "one_of",
            Check::NotEquals(_) => "not_equals",
            Check::NoneOf(_) => "none_of",
            Check::AtLeast(_) => "at_least",
            Check::AtMost(_) => "at_most",
            Check::Above(_) => "above",
            Check::Below(_) => "below",
            Check::Matches(_) => "matches",
            Check::ContainsMatch(_) => "contains_match",
            Check::Contains(_) => "contains",
            Check::Present | Check::Absent => "present",
            Check::Length { .. } => "length",
            Check::Type(_) => "type",
            Check::Cidr(_) => "cidr",
            Check::Hostname(_) => "hostname",
            Check::Url(_) => "url",
            Check::Path(_) => "path",
            Check::Email(_) => "email",
            Check::Repo(_) => "repo",
            Check::Sql(_) => "sql",
            Check::Shell(_) => "shell",
        }
    }

    pub(super) fn ask(&self, value: Option<Json<'_>>, sense: Sense) -> Truth {
        let Some(json) = value else { return matches!(self.0, Check::Absent).into() };
        match &self.0 {
            Check::Present => Truth::Yes,
            Check::Absent => Truth::No,
            Check::Type(wanted) => has_type(*wanted, json),
            Check::Equals(value) => one_of(std::slice::from_ref(value), json),
            Check::OneOf(values) => one_of(values, json),
            Check::NotEquals(value) => none_of(std::slice::from_ref(value), json),
            Check::NoneOf(values) => none_of(values, json),
            // A server takes `null` for an argument that was left out.
            Check::AtLeast(_)
            | Check::AtMost(_)
            | Check::Above(_)
            | Check::Below(_)
            | Check::Matches(_)
            | Check::ContainsMatch(_)
            | Check::Contains(_)
            | Check::Length { .. }
            | Check::Cidr(_)
            | Check::Hostname(_)
            | Check::Url(_)
            | Check::Path(_)
            | Check::Email(_)
            | Check::Repo(_)
            | Check::Sql(_)
            | Check::Shell(_)
                if json.kind() == Kind::Null =>
            {
                Truth::No
            }
            Check::AtLeast(limit) => compare(json, limit, std::cmp::Ordering::is_ge),
            Check::AtMost(limit) => compare(json, limit, std::cmp::Ordering::is_le),
            Check::Above(limit) => compare(json, limit, std::cmp::Ordering::is_gt),
            Check::Below(limit) => compare(json, limit, std::cmp::Ordering::is_lt),
            Check::Contains(value) => contains(value, json),
            Check::Length { at_least, at_most } => length(json, *at_least, *at_most),
            Check::Matches(regex) | Check::ContainsMatch(regex) => {
                text(json, |text| regex.matches(text).into())
            }
            Check::Cidr(networks) => text(json, |text| networks.ask(text)),
            Check::Hostname(hosts) => text(json, |text| hosts.ask(text)),
            Check::Url(test) => text(json, |text| test.ask(text)),
            Check::Path(test) => text(json, |text| test.ask(text)),
            Check::Email(test) => text(json, |text| test.ask(text)),
            Check::Repo(test) => text(json, |text| test.ask(text)),
            Check::Sql(test) => text(json, |text| test.ask(text, sense)),
            Check::Shell(test) => text(json, |text| test.ask(text)),
        }
    }

    /// The types of values that can pass.
    fn types(&self) -> u8 {
        match &self.0 {
            Check::NotEquals(Value::Null) | Check::Present => ALL,
            Check::Equals(value) | Check::NotEquals(value) => bit(value.kind()),
            Check::NoneOf(values) if only_null(values) => ALL,
            Check::OneOf(values) | Check::NoneOf(values) => {
                values.iter().fold(0, |all, v| all | bit(v.kind()))
            }
            Check::AtLeast(_) | Check::AtMost(_) | Check::Above(_) | Check::Below(_) => bit(Kind::Number),
            Check::Contains(Value::Text(_)) => bit(Kind::String) | bit(Kind::Array),
            Check::Contains(_) => bit(Kind::Array),
            Check::Absent => 0,
            Check::Length { .. } => bit(Kind::String) | bit(Kind::Array) | bit(Kind::Object),
            Check::Type(wanted) => bit(wanted.kind()),
            Check::Matches(_)
            | Check::ContainsMatch(_)
            | Check::Cidr(_)
            | Check::Hostname(_)
            | Check::Url(_)
            | Check::Path(_)
            | Check::Email(_)
            | Check::Repo(_)
            | Check::Sql(_)
            | Check::Shell(_) => bit(Kind::String),
        }
    }
}

const ALL: u8 = 0b11_1111;

fn bit(kind: Kind) -> u8 {
    match kind {
        Kind::Object => 1,
        Kind::Array => 2,
        Kind::String => 4,
        Kind::Number => 8,
        Kind::Bool => 16,
        Kind::Null => 32,
    }
}

fn same_type(word: &'static str, values: &[Value]) -> Result<(), BadTest> {
    if values.is_empty() {
        return Err(BadTest::EmptyList(word));
    }
    if values.len() > ENTRIES {
        return Err(BadTest::ListTooLong(word));
    }
    let mut kinds = values.iter().map(Value::kind).filter(|&kind| kind != Kind::Null);
    let first = kinds.next();
    if kinds.all(|kind| Some(kind) == first) { Ok(()) } else { Err(BadTest::MixedTypes(word)) }
}

/// Do the bounds on a number leave nothing?
fn empty_range(operators: &[Operator]) -> bool {
    let lower = |operator: &Operator| -> Option<(Decimal, bool)> {
        if let Check::AtLeast(limit) = &operator.0 {
            Some((limit.clone(), true))
        } else if let Check::Above(limit) = &operator.0 {
            Some((limit.clone(), false))
        } else {
            None
        }
    };
    operators.iter().filter_map(lower).any(|(low, low_counts)| {
        operators.iter().any(|operator| {
            if let Check::AtMost(high) = &operator.0 {
                low > *high || low == *high && !low_counts
            } else if let Check::Below(high) = &operator.0 {
                low >= *high
            } else {
                false
            }
        })
    })
}

fn text(json: Json<'_>, ask: impl FnOnce(&str) -> Truth) -> Truth {
    match json.text() {
        Some(text) => ask(&text),
        None => Truth::Unclear(OTHER_TYPE),
    }
}

fn one_of(values: &[Value], json: Json<'_>) -> Truth {
    // A long text is read once, however many it is compared with.
    let text = json.text();
    let mut unclear = false;
    for value in values {
        let same = match (value, &text) {
            (Value::Text(value), Some(text)) => Some(value == text),
            _ => value.equals(json),
        };
        match same {
            Some(true) => return Truth::Yes,
            Some(false) => {}
            None => unclear = true,
        }
    }
    let kind = json.kind();
    if unclear {
        Truth::Unclear(NUMBER_LIMITS)
    } else if kind == Kind::Null || values.iter().any(|v| v.kind() == kind) || only_null(values) {
        Truth::No
    } else {
        Truth::Unclear(OTHER_TYPE)
    }
}

/// Nothing is ever coerced to `null`.
fn only_null(values: &[Value]) -> bool {
    values.iter().all(|value| value.kind() == Kind::Null)
}

fn none_of(values: &[Value], json: Json<'_>) -> Truth {
    match one_of(values, json) {
        Truth::Yes => Truth::No,
        Truth::No if json.kind() == Kind::Null => Truth::No,
        Truth::No => Truth::Yes,
        unclear @ Truth::Unclear(_) => unclear,
    }
}

fn compare(json: Json<'_>, limit: &Decimal, wanted: fn(std::cmp::Ordering) -> bool) -> Truth {
    if json.kind() != Kind::Number {
        return Truth::Unclear(OTHER_TYPE);
    }
    match read(json.raw()) {
        Some(number) => wanted(number.cmp(limit.number())).into(),
        None => Truth::Unclear(NUMBER_LIMITS),
    }
}

fn has_type(wanted: ValueType, json: Json<'_>) -> Truth {
    if json.kind() != wanted.kind() {
        return Truth::No;
    }
    if wanted != ValueType::Integer {
        return Truth::Yes;
    }
    match read(json.raw()) {
        Some(number) => number.is_integer().into(),
        None => Truth::Unclear(NUMBER_LIMITS),
    }
}

fn contains(wanted: &Value, json: Json<'_>) -> Truth {
    match (json.kind(), wanted) {
        (Kind::String, Value::Text(part)) => text(json, |text| text.contains(part.as_str()).into()),
        (Kind::Array, _) => {
            let answers = json.elements().map(|element| one_of(std::slice::from_ref(wanted), element));
            // One element of another type among the rest says nothing about them, but it may be read as the one meant.
            let mut result = Truth::No;
            for answer in answers {
                match answer {
                    Truth::Yes => return Truth::Yes,
                    Truth::No => {}
                    Truth::Unclear(_) => result = answer,
                }
            }
            result
        }
        _ => Truth::Unclear(OTHER_TYPE),
    }
}

fn length(json: Json<'_>, at_least: u64, at_most: u64) -> Truth {
    let count = match json.kind() {
        Kind::String => json.text().map_or(0, |text| text.chars().count()),
        Kind::Array => json.elements().count(),
        Kind::Object => json.members().count(),
        Kind::Number | Kind::Bool | Kind::Null => return Truth::Unclear(OTHER_TYPE),
    };
    (at_least..=at_most).contains(&(count as u64)).into()
}
