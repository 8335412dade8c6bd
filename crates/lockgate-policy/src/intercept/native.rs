//! The same policy in Lockgate's own rules. Where those cannot say the same they are stricter, and a comment says so.

use std::collections::BTreeMap;

use lockgate_model::quote;

use super::condition::{Comparison, Condition, Expected, Subject, Test, argument_path};
use super::value::{Value, show_float};
use super::{Amount, Counting, Effect, Increment, Policy, Rule, Window, re2};
use crate::Pattern;

impl Policy {
    /// Writes it as the `servers:` section of a Lockgate configuration, with the rules under the server's name.
    pub fn to_native(&self, server: &str) -> String {
        let default = if self.deny_unlisted || self.hides("*") { "deny" } else { "allow" };
        let mut out = format!("servers:\n  {}:\n    default: {default}\n", quote(server));
        let mut tools = String::new();
        for name in &self.hide {
            tools.push_str(&format!("      {}: hide\n", quote(name)));
        }
        let wildcard = self.tools.get("*").map(Vec::as_slice).unwrap_or_default();
        if !self.hides("*") {
            for (name, rules) in &self.tools {
                if name != "*" && !self.hide.contains(name) {
                    tools.push_str(&self.tool(name, rules, wildcard));
                }
            }
            if !self.deny_unlisted {
                tools.push_str(&written("*", &self.forms(wildcard)));
            }
        }
        if !tools.is_empty() {
            out.push_str("    tools:\n");
            out.push_str(&tools);
        }
        out
    }

    fn tool(&self, name: &str, rules: &[Rule], wildcard: &[Rule]) -> String {
        if !Pattern::parse(name).is_ok_and(|pattern| pattern.is_exact()) {
            let special = |c: char| if "?[]{}!*".contains(c) { '*' } else { c };
            let mut pattern: String = name.chars().map(special).collect();
            while pattern.contains("**") {
                pattern = pattern.replace("**", "*");
            }
            let why = format!(
                "        # A tool cannot be named {} here: what looks like it is denied.\n",
                quote(name)
            );
            return format!("{why}      {}: deny\n", quote(&pattern));
        }
        let mut forms = self.forms(rules);
        if self.deny_unlisted {
            // A pattern for all tools would allow those that are not listed.
            for mut form in self.forms(wildcard) {
                if form.body.iter().any(|line| line.starts_with("limits:")) {
                    form.comments
                        .push("Intercept counts all tools together; here each tool is counted alone.".into());
                }
                forms.push(form);
            }
            if forms.iter().all(|form| form.body.is_empty()) {
                forms.push(Form { comments: Vec::new(), body: vec!["action: allow".to_owned()] });
            }
        }
        written(name, &forms)
    }

    fn forms(&self, rules: &[Rule]) -> Vec<Form> {
        rules.iter().flat_map(|rule| self.form(rule)).collect()
    }

    /// One rule; more than one form where it tests an argument with the same operator twice.
    fn form(&self, rule: &Rule) -> Vec<Form> {
        let mut form = Form { comments: Vec::new(), body: Vec::new() };
        if !rule.name.is_empty() {
            form.comments.push(format!("rule {}", quote(&rule.name)));
        }
        if rule.spend.is_some() {
            form.comments
                .push("`spend` is not carried over: Lockgate's own rules do not know prices.".to_owned());
        }
        let mut tests = vec![Tests::default()];
        let mut always = rule.effect == Effect::Deny;
        for condition in &rule.conditions {
            if rule.effect == Effect::Require && self.is_implied(condition) {
                continue;
            }
            if let Some((argument, operators)) = words(condition, rule.effect, &mut form.comments) {
                place(&mut tests, &argument, operators);
                continue;
            }
            let what = shown(condition);
            if rule.effect == Effect::Require {
                always = true;
                form.comments.push(format!("`{what}` cannot be said here: denied until you decide."));
            } else {
                form.comments.push(format!("`{what}` cannot be said here and is taken to hold."));
            }
        }
        let limits = rule.counting.as_ref().and_then(|counting| limits(counting, &mut form.comments));
        tests.retain(|tests| !tests.0.is_empty());
        match rule.effect {
            Effect::Deny | Effect::Require if always => form.body.push("action: deny".to_owned()),
            Effect::Deny | Effect::Require => {}
            Effect::DenyIf if tests.is_empty() => form.body.push("action: deny".to_owned()),
            Effect::Ask(_) if tests.is_empty() => form.body.push("action: ask".to_owned()),
            Effect::DenyIf | Effect::Ask(_) => {
                let key = if rule.effect == Effect::DenyIf { "deny_if:" } else { "ask_if:" };
                form.body.push(key.to_owned());
                // All must hold together: with a second test of the same kind left out it matches more.
                if tests.len() > 1 {
                    form.comments
                        .push("Intercept tests more here; without those tests this matches more.".to_owned());
                }
                let first = tests.first().map(Tests::flow).unwrap_or_default();
                form.body.push(format!("  - {first}"));
            }
        }
        if let Effect::Ask(Some(timeout)) = rule.effect {
            form.comments.push(format!("Intercept waits {} s for an answer.", timeout / 1000));
        }
        let mut forms = vec![form];
        if rule.effect == Effect::Require && !always {
            while forms.len() < tests.len() {
                forms.push(Form { comments: Vec::new(), body: Vec::new() });
            }
            for (form, tests) in forms.iter_mut().zip(&tests) {
                form.body.push("require:".to_owned());
                form.body.extend(tests.block());
            }
        }
        if let (Some(limits), Some(first)) = (limits, forms.first_mut()) {
            first.body.push(limits);
        }
        if let Some(message) = &rule.on_deny {
            for form in forms.iter_mut().filter(|form| !form.body.is_empty()) {
                form.body.push(format!("on_deny: {}", quote(message)));
            }
        }
        forms
    }

    /// Is it a cap on a counter that the counter's own limit keeps anyway?
    fn is_implied(&self, condition: &Condition) -> bool {
        let counts = self.tools.values().flatten().filter_map(|rule| rule.counting.as_ref());
        counts
            .into_iter()
            .any(|counting| counting.limit_of(condition).is_some_and(|cap| counting.limit <= cap))
    }
}

/// One long form of a tool.
struct Form {
    comments: Vec<String>,
    body: Vec<String>,
}

/// Operators by argument.
#[derive(Default)]
struct Tests(BTreeMap<String, BTreeMap<&'static str, String>>);

impl Tests {
    fn block(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(argument, operators)| format!("  {argument}: {}", flow(operators)))
    }

    fn flow(&self) -> String {
        let members: Vec<_> =
            self.0.iter().map(|(argument, operators)| format!("{argument}: {}", flow(operators))).collect();
        format!("{{ {} }}", members.join(", "))
    }
}

fn flow(operators: &BTreeMap<&'static str, String>) -> String {
    let members: Vec<_> = operators.iter().map(|(operator, value)| format!("{operator}: {value}")).collect();
    format!("{{ {} }}", members.join(", "))
}

/// Puts the operators where none of them stands yet.
fn place(tests: &mut Vec<Tests>, argument: &str, operators: Vec<(&'static str, String)>) {
    for (operator, value) in operators {
        let free = |tests: &Tests| !tests.0.get(argument).is_some_and(|known| known.contains_key(operator));
        let at = tests.iter().position(free).unwrap_or(tests.len());
        if at == tests.len() {
            tests.push(Tests::default());
        }
        if let Some(tests) = tests.get_mut(at) {
            tests.0.entry(argument.to_owned()).or_default().insert(operator, value);
        }
    }
}

fn written(tool: &str, forms: &[Form]) -> String {
    let mut out = String::new();
    let has_body = forms.iter().any(|form| !form.body.is_empty());
    if has_body {
        out.push_str(&format!("      {}:\n", quote(tool)));
    }
    for form in forms {
        for comment in &form.comments {
            out.push_str(&format!("        # {comment}\n"));
        }
        for (i, line) in form.body.iter().enumerate() {
            out.push_str(&format!("        {} {line}\n", if i == 0 { "-" } else { " " }));
        }
    }
    out
}

/// The condition as argument and operators. `None` where Lockgate has no words for it.
fn words(
    condition: &Condition,
    effect: Effect,
    comments: &mut Vec<String>,
) -> Option<(String, Vec<(&'static str, String)>)> {
    let Subject::Argument(path) = &condition.subject else { return None };
    let argument = key(path)?;
    let (compared, finds_equals) = match &condition.test {
        Test::Equal(one) | Test::Contains(one) => (std::slice::from_ref(one), true),
        Test::Different(one) => (std::slice::from_ref(one), false),
        Test::OneOf(list) => (list.as_slice(), true),
        Test::NoneOf(list) => (list.as_slice(), false),
        Test::Compare(..) | Test::Matches(..) | Test::Exists(_) | Test::Never => (&[][..], true),
    };
    // What finds fewer values equal is stricter where they must be equal, and looser elsewhere.
    let is_stricter = finds_equals == (effect == Effect::Require);
    let is_contained = matches!(condition.test, Test::Contains(_));
    for expected in compared {
        let has_variants = is_contained && variants(expected).len() > 1;
        if has_variants || is_compared_loosely(&expected.value) {
            if !is_stricter {
                return None;
            }
            let value = expected.value.json();
            comments.push(format!(
                "Intercept takes what Go prints alike for equal to {value}; here types must agree."
            ));
        }
    }
    let operators = match &condition.test {
        Test::Equal(expected) => {
            vec![one_or_many("equals", "one_of", variants(expected))]
        }
        Test::Different(expected) => {
            vec![one_or_many("not_equals", "none_of", variants(expected))]
        }
        Test::OneOf(list) if list.is_empty() => return None,
        Test::OneOf(list) => {
            vec![("one_of", list_of(list.iter().flat_map(variants)))]
        }
        Test::NoneOf(list) if list.is_empty() => vec![("present", "true".to_owned())],
        Test::NoneOf(list) => {
            vec![("none_of", list_of(list.iter().flat_map(variants)))]
        }
        Test::Compare(comparison, value) => {
            value.number().filter(|number| number.is_finite())?;
            let operator = match comparison {
                Comparison::Below => "below",
                Comparison::AtMost => "at_most",
                Comparison::Above => "above",
                Comparison::AtLeast => "at_least",
            };
            vec![(operator, value.json())]
        }
        Test::Matches(pattern, _) => {
            vec![("contains_match", quote(&native_pattern(pattern, comments)))]
        }
        Test::Contains(expected) => {
            vec![("contains", expected.value.json())]
        }
        // In Intercept `null` is as good as absent.
        Test::Exists(Some(true)) => {
            vec![("present", "true".to_owned()), ("not_equals", "null".to_owned())]
        }
        Test::Exists(Some(false)) if effect == Effect::Require => {
            comments.push("In Intercept `null` counts as absent; here it is present and denied.".to_owned());
            vec![("present", "false".to_owned())]
        }
        Test::Exists(_) | Test::Never => return None,
    };
    Some((argument, operators))
}

fn one_or_many(one: &'static str, many: &'static str, values: Vec<String>) -> (&'static str, String) {
    match values.as_slice() {
        [value] => (one, value.clone()),
        _ => (many, list_of(values.into_iter())),
    }
}

fn list_of(values: impl Iterator<Item = String>) -> String {
    let mut list: Vec<String> = Vec::new();
    for value in values {
        if !list.contains(&value) {
            list.push(value);
        }
    }
    format!("[{}]", list.join(", "))
}

/// Every scalar that Intercept takes for equal to this value: `5` and `"5"`.
fn variants(expected: &Expected) -> Vec<String> {
    let text = quote(&expected.shown);
    match &expected.value {
        Value::Null | Value::Bool(_) | Value::Int(_) => vec![expected.value.json(), text],
        Value::Float(number) if number.is_finite() => vec![expected.value.json(), text],
        Value::Float(_) | Value::Unsigned(_) | Value::Time(_) => vec![text],
        Value::List(_) | Value::Map(_) => vec![expected.value.json()],
        Value::Text(shown) => match shown.as_str() {
            "true" | "false" => vec![text, shown.clone()],
            "<nil>" => vec![text, "null".to_owned()],
            _ => match shown.parse::<f64>() {
                Ok(number) if number.is_finite() && show_float(number) == *shown => {
                    vec![text, Value::Float(number).json()]
                }
                _ => vec![text],
            },
        },
    }
}

/// The pattern with sets of characters written out, which know ASCII only in Go.
fn native_pattern(pattern: &str, comments: &mut Vec<String>) -> String {
    let uses = |escapes: &[&str]| escapes.iter().any(|escape| pattern.contains(escape));
    if uses(&["\\b", "\\B"]) {
        comments.push("In Intercept `\\b` knows ASCII only.".to_owned());
    }
    if !uses(&["\\d", "\\D", "\\s", "\\S", "\\w", "\\W"]) {
        return pattern.to_owned();
    }
    let written = re2::translate(pattern).unwrap_or_else(|_| pattern.to_owned());
    written.replace("(?-u:\\b)", "\\b").replace("(?-u:\\B)", "\\B")
}

/// Are there lists or objects that Go prints like this value?
fn is_compared_loosely(value: &Value) -> bool {
    match value {
        Value::List(_) | Value::Map(_) => true,
        Value::Text(text) => text.ends_with(']') && (text.starts_with('[') || text.starts_with("map[")),
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Unsigned(_)
        | Value::Float(_)
        | Value::Time(_) => false,
    }
}

/// A name, or a JSON Pointer.
fn key(path: &[String]) -> Option<String> {
    match path {
        [name] if !name.is_empty() && !name.starts_with('/') => Some(quote(name)),
        // In a pointer `*` is every element, and a number one of a list, where Intercept finds nothing.
        _ if path.iter().any(|name| name == "*" || name.parse::<u64>().is_ok()) => None,
        _ => {
            let escape = |name: &String| name.replace('~', "~0").replace('/', "~1");
            let escaped: Vec<_> = path.iter().map(escape).collect();
            Some(quote(&format!("/{}", escaped.join("/"))))
        }
    }
}

fn limits(counting: &Counting, comments: &mut Vec<String>) -> Option<String> {
    if counting.limit == Amount::MAX {
        comments.push(format!(
            "`state.{}` is counted in Intercept, without a limit.",
            counting.key.to_string().escape_debug()
        ));
        return None;
    }
    let per = match counting.window {
        Window::Minute => "minute",
        Window::Hour => "hour",
        Window::Day => "calendar_day",
    };
    if counting.window != Window::Day {
        comments.push(format!("Intercept starts again with each {per}; here the last {per} counts."));
    }
    let limit = match &counting.increment {
        Increment::Fixed(amount) => {
            format!("{{ calls: {}, per: {per}, by: server }}", counting.limit.times(*amount).max(0))
        }
        Increment::From(path) => {
            let Some(key) = key(path) else {
                comments.push(format!(
                    "A sum of `{}` cannot be said here: no call passes.",
                    argument_path(path).escape_debug()
                ));
                return Some(format!("limits: [{{ calls: 0, per: {per}, by: server }}]"));
            };
            let limit = counting.limit.to_micros().max(Amount::ZERO);
            format!("{{ sum: {key}, at_most: \"{limit}\", per: {per}, by: server }}")
        }
    };
    Some(format!("limits: [{limit}]"))
}

/// The condition as in the file, for a comment.
fn shown(condition: &Condition) -> String {
    let path = match &condition.subject {
        Subject::Argument(path) => argument_path(path),
        Subject::Counter(key, _) => format!("state.{key}"),
    };
    let values = |list: &[Expected]| list_of(list.iter().map(|expected| expected.value.json()));
    let (op, value) = match &condition.test {
        Test::Equal(expected) => ("eq", expected.value.json()),
        Test::Different(expected) => ("neq", expected.value.json()),
        Test::OneOf(list) => ("in", values(list)),
        Test::NoneOf(list) => ("not_in", values(list)),
        Test::Compare(Comparison::Below, value) => ("lt", value.json()),
        Test::Compare(Comparison::AtMost, value) => ("lte", value.json()),
        Test::Compare(Comparison::Above, value) => ("gt", value.json()),
        Test::Compare(Comparison::AtLeast, value) => ("gte", value.json()),
        Test::Matches(pattern, _) => ("regex", quote(pattern)),
        Test::Contains(expected) => ("contains", expected.value.json()),
        Test::Exists(wish) => ("exists", (*wish == Some(true)).to_string()),
        Test::Never => ("never", String::new()),
    };
    // A path may hold any character; a comment is one line.
    format!("{} {op} {value}", path.escape_debug())
}
