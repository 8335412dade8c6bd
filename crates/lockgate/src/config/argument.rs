//! Tests on arguments: the short forms and every operator.

use lockgate_policy::test::{
    BadTest, Conditions, Decimal, Dialect, Hosts, Networks, Operator, PathTest, RepoTest, Selector, SqlTest,
    Test, UrlTest, Value, ValueType,
};

use super::error::{At, Place, Report, perhaps, quoted};
use super::section::{self, Section};
use super::yaml::{Kind, Node, Style};

/// What there is to say of one operator.
pub(super) struct Known {
    /// Its key.
    pub(super) key: &'static str,
    /// What an argument is that passes.
    pub(super) meaning: &'static str,
    /// Its value, by example.
    pub(super) example: &'static str,
}

const fn word(key: &'static str, example: &'static str, meaning: &'static str) -> Known {
    Known { key, meaning, example }
}

/// Every operator.
pub(super) const OPERATORS: [Known; 22] = [
    word("equals", "main", "Is this value."),
    word("one_of", "[main, dev]", "Is one of these values."),
    word("not_equals", "main", "Is another value of the same type."),
    word("none_of", "[main, dev]", "Is none of these values, and of their type."),
    word("at_least", "1", "Is a number that is not smaller."),
    word("at_most", "100", "Is a number that is not greater."),
    word("above", "0", "Is a greater number."),
    word("below", "100", "Is a smaller number."),
    word(
        "matches",
        "\"[a-z]+\"",
        "Is a text that this regular expression (RE2) matches from beginning to end.",
    ),
    word(
        "contains_match",
        "\"(?i)password\"",
        "Is a text in which this regular expression (RE2) matches somewhere.",
    ),
    word("contains", "draft", "Is a text with this text in it, or a list with this element."),
    word("present", "true", "Is there (`true`), or is not (`false`)."),
    word(
        "length",
        "{ at_most: 100 }",
        "Is a text, list or section of so many characters, elements or members.",
    ),
    word("type", "integer", "Is of this JSON type; `integer` is a number without a fraction."),
    word("cidr", "[10.0.0.0/8]", "Is an IP address in one of these networks."),
    word(
        "hostname",
        "[\"*.example.com\"]",
        "Is one of these host names; `*.example.com` stands for every name below.",
    ),
    word("url", "{ schemes: [https], hosts: [api.example.com] }", "Is a web address."),
    word(
        "path",
        "{ inside: [/srv/data] }",
        "Is a path that stays inside these folders, however it is written.",
    ),
    word("email", "{ domains: [example.com] }", "Is one mail address at one of these domains."),
    word(
        "repo",
        "{ allow: [\"example/*\"] }",
        "Is a repository, as `owner/name`, or as an address at `host`.",
    ),
    word("sql", "{ statements: [select], tables: [orders] }", "Is one SQL statement."),
    word(
        "shell",
        "{ programs: [git] }",
        "Is one simple command, without anything a shell would expand, of one of these programs.",
    ),
];

/// A list of conditions, any of which is enough.
pub(super) fn alternatives(section: &Section<'_>, key: &'static str, report: &Report) -> Vec<Conditions> {
    let hint = format!("write `{key}: [{{ argument: test }}]`: one match is enough");
    let Some(items) = section.list(key, &hint) else { return Vec::new() };
    let path = section.name(key);
    if items.value.is_empty() {
        report.error(items.place, format!("{} is empty", quoted(&path)), hint);
    }
    let read = |(at, item)| conditions(&format!("{path}[{at}]"), item, report);
    items.value.iter().enumerate().filter_map(read).collect()
}

/// Arguments, each with its test. `None` where the report says why.
pub(super) fn conditions(path: &str, node: &Node, report: &Report) -> Option<Conditions> {
    let Kind::Map(members) = &node.value else {
        if !matches!(node.value, Kind::Broken) {
            let message = format!("{} must be a section, not {}", quoted(path), node.value.word());
            report.error(node.place, message, "write `argument: test`, such as `branch: main`");
        }
        return None;
    };
    let one = |(name, node): &(At<String>, Node)| {
        let path = format!("{path}.{}", name.value);
        let selector = said(&path, name.place, Selector::parse(&name.value), report);
        Some((selector, test(&path, node, report))).and_then(|(selector, test)| Some((selector?, test?)))
    };
    let tests: Vec<Option<(Selector, Test)>> = members.iter().map(one).collect();
    said(path, node.place, Conditions::new(tests.into_iter().collect::<Option<_>>()?), report)
}

/// A value is what the argument must equal, a list what it must be one of, a section its operators.
fn test(path: &str, node: &Node, report: &Report) -> Option<Test> {
    let operators = match &node.value {
        Kind::Broken => return None,
        Kind::List(items) => {
            vec![said(
                path,
                node.place,
                Operator::one_of(filled(path, node.place, values(path, items, report)?, report)?),
                report,
            )?]
        }
        Kind::Nothing | Kind::Null | Kind::Text(..) => vec![Operator::equals(value(path, node, report)?)],
        Kind::Map(members) => {
            let read = members.iter().map(|(word, node)| {
                let path = format!("{path}.{}", word.value);
                Reader { path: &path, word, node, report }.operator()
            });
            read.collect::<Vec<_>>().into_iter().collect::<Option<_>>()?
        }
    };
    said(path, node.place, Test::new(operators), report)
}

/// Reads one operator and its value.
struct Reader<'a> {
    path: &'a str,
    word: &'a At<String>,
    node: &'a Node,
    report: &'a Report,
}

impl<'a> Reader<'a> {
    fn operator(&self) -> Option<Operator> {
        match self.word.value.as_str() {
            "equals" => self.value().map(Operator::equals),
            "not_equals" => self.value().map(Operator::not_equals),
            "contains" => self.value().map(Operator::contains),
            "one_of" => self.made(Operator::one_of(self.values()?)),
            "none_of" => self.made(Operator::none_of(self.values()?)),
            "at_least" => self.number().map(Operator::at_least),
            "at_most" => self.number().map(Operator::at_most),
            "above" => self.number().map(Operator::above),
            "below" => self.number().map(Operator::below),
            "matches" => self.made(Operator::matches(&self.text()?.value)),
            "contains_match" => self.made(Operator::contains_match(&self.text()?.value)),
            "present" => {
                let words = [("true", true), ("false", false)];
                let present = section::word(&quoted(self.path), &self.text()?, &words, self.report)?;
                Some(if present { Operator::present() } else { Operator::absent() })
            }
            "length" => self.length(),
            "type" => self.made(ValueType::parse(&self.text()?.value)).map(Operator::of_type),
            "cidr" => self.each(self.path, &self.texts()?, Networks::new).map(Operator::cidr),
            "hostname" => self.each(self.path, &self.texts()?, Hosts::new).map(Operator::hostname),
            "url" => self.url(),
            "path" => self.inside(),
            "email" => {
                let section = self.section()?;
                let domains = self.needed(&section, "domains", |list| Operator::email(list.to_vec()));
                section.close();
                domains.map(|(_, email)| email)
            }
            "repo" => self.repo(),
            "sql" => self.sql(),
            "shell" => {
                let section = self.section()?;
                let programs = self.needed(&section, "programs", |list| Operator::shell(list.to_vec()));
                section.close();
                programs.map(|(_, shell)| shell)
            }
            unknown => {
                let known = OPERATORS.map(|known| known.key);
                let hint = format!("{}known tests: {}", perhaps(unknown, &known), known.join(", "));
                self.report.error(self.word.place, format!("unknown test {}", quoted(unknown)), hint);
                None
            }
        }
    }

    fn length(&self) -> Option<Operator> {
        let section = self.section()?;
        let bounds = ["at_least", "at_most"].map(|key| {
            let text = section.text(key)?;
            let number = plain(&text.value);
            if number.is_none() {
                let message = format!("{}: {} is not a whole number", quoted(self.path), quoted(&text.value));
                self.report.error(text.place, message, "write digits alone");
            }
            number
        });
        let written = ["at_least", "at_most"].map(|key| section.has(key));
        let known = section.close();
        let [least, most] = bounds;
        if !known || written != [least.is_some(), most.is_some()] {
            return None;
        }
        self.made(Operator::length(least, most))
    }

    fn url(&self) -> Option<Operator> {
        let section = self.section()?;
        let schemes = self.given(&section, "schemes", |list| UrlTest::new(Some(list), None, None));
        let hosts = self.given(&section, "hosts", |list| UrlTest::new(None, Some(list), None));
        let ports_said = self.given(&section, "ports", |list| UrlTest::new(None, None, Some(&ports(list)?)));
        let known = section.close();
        let (schemes, hosts, ports_said) = (schemes?, hosts?, ports_said?);
        let ports = ports_said.map(|said| ports(&said)).transpose();
        if !known {
            return None;
        }
        self.made(
            ports.and_then(|ports| UrlTest::new(schemes.as_deref(), hosts.as_deref(), ports.as_deref())),
        )
        .map(Operator::url)
    }

    fn inside(&self) -> Option<Operator> {
        let section = self.section()?;
        let inside = self.needed(&section, "inside", |list| PathTest::new(list, &[]));
        let alias = |(link, node): &(At<String>, Node)| {
            let path = section.name(&format!("aliases.{}", link.value));
            let real = section::text(&path, node, self.report)?;
            if link.value.starts_with('/') != real.value.starts_with('/') {
                let message = format!("{}: one of the two is relative", quoted(&path));
                self.report.error(real.place, message, "write both from `/` on, or neither");
                return None;
            }
            let alias = (link.value.clone(), real.value);
            said(
                &path,
                link.place,
                PathTest::new(&["/".to_owned()], std::slice::from_ref(&alias)),
                self.report,
            )?;
            Some(alias)
        };
        let aliases = section.named("aliases").unwrap_or_default().iter().map(alias).collect::<Vec<_>>();
        section.close();
        let aliases: Vec<(String, String)> = aliases.into_iter().collect::<Option<_>>()?;
        self.made(PathTest::new(&inside?.0, &aliases)).map(Operator::path)
    }

    fn repo(&self) -> Option<Operator> {
        let section = self.section()?;
        let allow = self.needed(&section, "allow", |list| RepoTest::new(list, None));
        let host = section.text("host");
        let path = section.name("host");
        section.close();
        if let Some(host) = &host
            && RepoTest::new(&["*/*".to_owned()], Some(&host.value)).is_err()
        {
            let message = format!("{}: {} is not a host name", quoted(&path), quoted(&host.value));
            self.report.error(
                host.place,
                message,
                "write a name like `github.com`, without scheme, port or `*`",
            );
            return None;
        }
        let host = host.map(|host| host.value);
        self.made(RepoTest::new(&allow?.0, host.as_deref())).map(Operator::repo)
    }

    fn sql(&self) -> Option<Operator> {
        let section = self.section()?;
        let dialect = match section.text("dialect") {
            Some(text) => {
                said(&section.name("dialect"), text.place, Dialect::parse(&text.value), self.report)
            }
            None => Some(Dialect::Generic),
        };
        let test = SqlTest::new;
        let generic = Dialect::Generic;
        let statements = self.given(&section, "statements", |list| test(generic, Some(list), None, None));
        let tables = self.given(&section, "tables", |list| test(generic, None, Some(list), None));
        let functions = self.given(&section, "functions", |list| test(generic, None, None, Some(list)));
        let known = section.close();
        let (statements, tables, functions) = (statements?, tables?, functions?);
        if !known {
            return None;
        }
        self.made(test(dialect?, statements.as_deref(), tables.as_deref(), functions.as_deref()))
            .map(Operator::sql)
    }

    fn value(&self) -> Option<Value> {
        value(self.path, self.node, self.report)
    }

    fn values(&self) -> Option<Vec<Value>> {
        let values = values(self.path, self.items()?, self.report)?;
        filled(self.path, self.node.place, values, self.report)
    }

    fn number(&self) -> Option<Decimal> {
        let Kind::Text(text, _) = &self.node.value else { return self.wrong("a number") };
        let number = Decimal::parse(text);
        if let Err(bad) = &number {
            let message = format!("{}: {} is not a number within limits", quoted(self.path), quoted(text));
            self.report.error(self.node.place, message, bad.hint());
        }
        number.ok()
    }

    fn text(&self) -> Option<At<String>> {
        let Kind::Text(text, _) = &self.node.value else { return self.wrong("a text") };
        Some(At { value: text.clone(), place: self.node.place })
    }

    fn items(&self) -> Option<&'a [Node]> {
        let Kind::List(items) = &self.node.value else { return self.wrong("a list") };
        Some(items)
    }

    fn texts(&self) -> Option<Vec<At<String>>> {
        let texts = self.items()?.iter().map(|item| section::text(self.path, item, self.report));
        let texts: Vec<At<String>> = texts.collect::<Vec<_>>().into_iter().collect::<Option<_>>()?;
        filled(self.path, self.node.place, texts, self.report)
    }

    fn section(&self) -> Option<Section<'a>> {
        let Kind::Map(_) = &self.node.value else { return self.wrong("a section") };
        Section::open(self.path, self.node, self.report)
    }

    /// Says what the value must be, and shows one.
    fn wrong<T>(&self, what: &str) -> Option<T> {
        if !matches!(self.node.value, Kind::Broken) {
            let what = format!("must be {what}, not {}", self.node.value.word());
            self.say(self.node.place, &what, &self.example());
        }
        None
    }

    /// A list that must be there, with what was made of it.
    fn needed<T>(
        &self,
        section: &Section<'_>,
        key: &'static str,
        make: impl Fn(&[String]) -> Result<T, BadTest>,
    ) -> Option<(Vec<String>, T)> {
        if !section.has(key) {
            self.say(self.node.place, &format!("has no `{key}`"), &self.example());
        }
        let list = section.texts(key)?;
        let path = section.name(key);
        let texts = filled(&path, list.place, list.value, self.report)?;
        let value = self.each(&path, &texts, make)?;
        Some((texts.into_iter().map(|text| text.value).collect(), value))
    }

    /// A list that may be left out. The outer `None` where the report says what is wrong with it.
    #[expect(clippy::option_option, reason = "wrong, left out, there")]
    fn given<T>(
        &self,
        section: &Section<'_>,
        key: &'static str,
        make: impl Fn(&[String]) -> Result<T, BadTest>,
    ) -> Option<Option<Vec<String>>> {
        if !section.has(key) {
            // Makes the key known.
            return Some(section.take(key).map(|_| Vec::new()));
        }
        self.needed(section, key, make).map(|(texts, _)| Some(texts))
    }

    /// Makes something of a list. Where that cannot be, every entry that is wrong on its own is named in its place.
    fn each<T>(
        &self,
        path: &str,
        texts: &[At<String>],
        make: impl Fn(&[String]) -> Result<T, BadTest>,
    ) -> Option<T> {
        let all: Vec<String> = texts.iter().map(|text| text.value.clone()).collect();
        let Err(bad) = make(&all) else { return make(&all).ok() };
        let mut found = false;
        for text in texts {
            if let Err(bad) = make(std::slice::from_ref(&text.value)) {
                found = true;
                said::<()>(path, text.place, Err(bad), self.report);
            }
        }
        if !found {
            said::<()>(path, self.node.place, Err(bad), self.report);
        }
        None
    }

    fn example(&self) -> String {
        let example = OPERATORS.iter().find(|known| known.key == self.word.value);
        format!("write, for example, `{}: {}`", self.word.value, example.map_or("", |known| known.example))
    }

    fn say(&self, place: Place, what: &str, hint: &str) {
        self.report.error(place, format!("{} {what}", quoted(self.path)), hint);
    }

    fn made<T>(&self, made: Result<T, BadTest>) -> Option<T> {
        said(self.path, self.node.place, made, self.report)
    }
}

/// Ports, as they are written.
fn ports(list: &[String]) -> Result<Vec<u16>, BadTest> {
    let port = |text: &String| plain(text).and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
    list.iter().map(|text| port(text).ok_or_else(|| BadTest::BadPort(text.clone()))).collect()
}

/// A whole number in digits alone.
fn plain(text: &str) -> Option<u64> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// A value to compare with. What is written in quotes is a text; `5`, `true` and `null` without them are what they look
/// like.
fn value(path: &str, node: &Node, report: &Report) -> Option<Value> {
    Some(match &node.value {
        Kind::Broken => return None,
        // Taken for `null`, a value somebody forgot would make a test that means nothing.
        Kind::Nothing => {
            let message = format!("{} has no value", quoted(path));
            report.error(node.place, message, "write a value; `null` and \"\" are values too");
            return None;
        }
        Kind::Null => Value::Null,
        Kind::Text(text, Style::Quoted) => Value::Text(text.clone()),
        Kind::Text(text, Style::Plain) => match text.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            text => Decimal::parse(text).map_or_else(|_| Value::Text(text.to_owned()), Value::Number),
        },
        Kind::List(items) => Value::Array(values(path, items, report)?),
        Kind::Map(members) => {
            let one = |(key, node): &(At<String>, Node)| {
                Some((key.value.clone(), value(&format!("{path}.{}", key.value), node, report)?))
            };
            Value::Object(members.iter().map(one).collect::<Option<_>>()?)
        }
    })
}

fn values(path: &str, items: &[Node], report: &Report) -> Option<Vec<Value>> {
    items.iter().map(|item| value(path, item, report)).collect()
}

/// A list with something in it.
fn filled<T>(path: &str, place: Place, list: Vec<T>, report: &Report) -> Option<Vec<T>> {
    if list.is_empty() {
        let hint = "name at least one entry, or leave the key out";
        report.error(place, format!("{} is an empty list", quoted(path)), hint);
        return None;
    }
    Some(list)
}

/// What was read, or a complaint about the value of `path`.
fn said<T>(path: &str, place: Place, read: Result<T, BadTest>, report: &Report) -> Option<T> {
    match read {
        Ok(value) => Some(value),
        Err(bad) => {
            report.error(place, format!("{}: {bad}", quoted(path)), bad.hint());
            None
        }
    }
}
