use std::fmt;

use lockgate_model::{Json, Kind};

use super::{BadTest, Doubt};

/// Longest selector, in bytes, and most steps of a pointer.
const LONGEST: usize = 512;
const STEPS: usize = 16;

/// Most values that one selector may stand for in one call.
const VALUES: usize = 10_000;

/// Which argument is meant: a name, taken literally, dots and all; or a JSON Pointer (RFC 6901) when it begins with `/`,
/// where `*` stands for every element of an array or every member of an object. A member that is itself called `*`
/// cannot be named by a pointer. At most 512 bytes and 16 steps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector {
    text: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Member(String),
    Every,
}

impl Selector {
    /// Reads a name or a pointer.
    pub fn parse(text: &str) -> Result<Self, BadTest> {
        if text.is_empty() {
            return Err(BadTest::EmptyName);
        }
        let steps = match text.strip_prefix('/') {
            None => vec![Step::Member(text.to_owned())],
            Some(pointer) => pointer.split('/').map(step).collect::<Result<_, _>>()?,
        };
        if text.len() > LONGEST || steps.len() > STEPS {
            return Err(BadTest::SelectorTooLong);
        }
        Ok(Self { text: text.to_owned(), steps })
    }

    /// As the operator wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Every value that is meant; nothing where it is absent.
    pub fn values<'a>(&self, arguments: Json<'a>) -> Result<Vec<Json<'a>>, Doubt> {
        let mut values = Vec::new();
        self.visit(arguments, &mut |value| values.extend(value))?;
        Ok(values)
    }

    /// Calls `visit` with each value that is meant, or with nothing where it is absent. Members of an empty array or
    /// object are absent.
    pub(super) fn visit<'a>(
        &self,
        arguments: Json<'a>,
        visit: &mut impl FnMut(Option<Json<'a>>),
    ) -> Result<(), Doubt> {
        let mut left = VALUES;
        walk(&self.steps, arguments, &mut |value| {
            left = left.checked_sub(1).ok_or(Doubt("there are too many values to test"))?;
            visit(value);
            Ok(())
        })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn step(token: &str) -> Result<Step, BadTest> {
    if token.is_empty() {
        return Err(BadTest::EmptyStep);
    }
    if token == "*" {
        return Ok(Step::Every);
    }
    let mut name = String::with_capacity(token.len());
    let mut chars = token.chars();
    while let Some(c) = chars.next() {
        match c {
            '~' => match chars.next() {
                Some('0') => name.push('~'),
                Some('1') => name.push('/'),
                _ => return Err(BadTest::BadEscape),
            },
            _ => name.push(c),
        }
    }
    Ok(Step::Member(name))
}

fn walk<'a, F>(steps: &[Step], at: Json<'a>, visit: &mut F) -> Result<(), Doubt>
where
    F: FnMut(Option<Json<'a>>) -> Result<(), Doubt>,
{
    let Some((first, rest)) = steps.split_first() else { return visit(Some(at)) };
    match at.kind() {
        Kind::Null => visit(None),
        // Some servers read JSON out of a text, or take one value for a list of one.
        Kind::String | Kind::Number | Kind::Bool => {
            Err(Doubt("a plain value stands where an object or array was expected"))
        }
        Kind::Object => match first {
            Step::Member(name) => match member(at, name)? {
                Some(value) => walk(rest, value, visit),
                None => visit(None),
            },
            Step::Every => {
                let mut members = at.members().map(|(_, value)| value).peekable();
                if members.peek().is_none() {
                    return visit(None);
                }
                members.try_for_each(|value| walk(rest, value, visit))
            }
        },
        Kind::Array => {
            let mut elements = at.elements().peekable();
            match first {
                Step::Every if elements.peek().is_none() => visit(None),
                Step::Every => elements.try_for_each(|value| walk(rest, value, visit)),
                Step::Member(name) => match index(name).and_then(|index| elements.nth(index)) {
                    Some(value) => walk(rest, value, visit),
                    None => visit(None),
                },
            }
        }
    }
}

/// The member of that name. A key that differs only in case is a doubt: some readers take one for the other.
fn member<'a>(object: Json<'a>, name: &str) -> Result<Option<Json<'a>>, Doubt> {
    let mut found = None;
    for (key, value) in object.members() {
        if key.is(name) {
            found = Some(value);
        } else if same_but_for_case(&key.text(), name) {
            return Err(Doubt("another argument has the same name but for upper and lower case"));
        }
    }
    Ok(found)
}

/// Upper, then lower: so that `ſ` meets `s` and the Kelvin sign meets `k`, as they do in Go.
fn same_but_for_case(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() {
        return a.eq_ignore_ascii_case(b);
    }
    let folded = |text: &str| -> String {
        text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
    };
    folded(a) == folded(b)
}

/// An index of RFC 6901: digits without leading zeros.
fn index(token: &str) -> Option<usize> {
    let plain = token == "0" || (!token.starts_with('0') && token.bytes().all(|b| b.is_ascii_digit()));
    if plain { token.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(selector: &str, arguments: &str) -> Result<Vec<String>, Doubt> {
        let json = Json::check(arguments.as_bytes(), 16).unwrap();
        let mut all = Vec::new();
        Selector::parse(selector).unwrap().visit(json, &mut |value| {
            all.push(value.map_or("absent".into(), |v| v.written().to_owned()));
        })?;
        Ok(all)
    }

    #[test]
    fn finds_what_is_meant() {
        for (selector, arguments, expected) in [
            ("a", r#"{"a":1}"#, vec!["1"]),
            ("a.b", r#"{"a.b":1,"a":{"b":2}}"#, vec!["1"]),
            ("/a/b", r#"{"a.b":1,"a":{"b":2}}"#, vec!["2"]),
            ("/a~1b/~0", r#"{"a/b":{"~":3}}"#, vec!["3"]),
            ("/a/*", r#"{"a":[1,[2],{}]}"#, vec!["1", "[2]", "{}"]),
            ("/a/*", r#"{"a":{"x":1,"y":2}}"#, vec!["1", "2"]),
            ("/a/*/b", r#"{"a":[{"b":1},{}]}"#, vec!["1", "absent"]),
            ("/a/1", r#"{"a":[1,2]}"#, vec!["2"]),
            ("/a/01", r#"{"a":[1,2]}"#, vec!["absent"]),
            ("/a/-", r#"{"a":[1,2]}"#, vec!["absent"]),
            ("/a/0", r#"{"a":{"0":5}}"#, vec!["5"]),
            ("/a/*", r#"{"a":[]}"#, vec!["absent"]),
            ("/a/b", r#"{"a":null}"#, vec!["absent"]),
            ("b", r#"{"a":1}"#, vec!["absent"]),
            ("a", r#"{"\u0061":1}"#, vec!["1"]),
            ("a", r#"{"a":null}"#, vec!["null"]),
        ] {
            assert_eq!(found(selector, arguments).unwrap(), expected, "{selector} {arguments}");
        }
    }

    #[test]
    fn doubts_what_servers_read_differently() {
        for (selector, arguments) in [
            ("path", r#"{"path":"/ok","Path":"/etc"}"#),
            ("path", r#"{"PATH":"/etc"}"#),
            ("task", r#"{"task":1,"ta\u017fk":2}"#),
            ("key", r#"{"\u212aey":2}"#),
            ("/a/b", r#"{"a":"{\"b\":1}"}"#),
            ("/a/*", r#"{"a":"one"}"#),
            ("a", "[1]"),
        ] {
            if selector == "a" {
                assert_eq!(found(selector, arguments).unwrap(), ["absent"]);
            } else {
                assert!(found(selector, arguments).is_err(), "{selector} {arguments}");
            }
        }
    }

    #[test]
    fn refuses_bad_selectors() {
        for (text, why) in [
            ("", BadTest::EmptyName),
            ("/", BadTest::EmptyStep),
            ("/a//b", BadTest::EmptyStep),
            ("/a~2", BadTest::BadEscape),
            ("/a~", BadTest::BadEscape),
        ] {
            assert_eq!(Selector::parse(text), Err(why));
        }
        assert_eq!(Selector::parse(&"/a".repeat(17)), Err(BadTest::SelectorTooLong));
    }
}
