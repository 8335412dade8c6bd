//! The same policy in Lockgate's own rules. Where those cannot say the same they are stricter, and a comment says so.

use std::collections::BTreeMap;

use lockgate_model::quote;

use super::condition::{Comparison, Condition, Expected, Subject, Test, argument_path};
use super::value::{Value, show_float};
use super::{Amount, Counting, Effect, Increment, Policy, Rule, Window};
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
        let limits = rule.counting.as_ref().map_or(Limits::None, |c| limits(c, &mut form.comments));
        // What allows nothing at all is no limit in Lockgate's words.
        always |= matches!(limits, Limits::Nothing);
        // A text that holds a number can be added up here, and not in Intercept.
        let mut added_up = Tests::default();
        if let Limits::Line { sum: Some(key), .. } = &limits {
            let tests = if rule.effect == Effect::Require { tests.first_mut() } else { Some(&mut added_up) };
            let test = tests.map(|tests| tests.0.entry(key.clone()).or_default());
            test.map(|test| test.insert("type", "number".to_owned()));
        }
        tests.retain(|tests| !tests.0.is_empty());
        match rule.effect {
            _ if always => form.body.push("action: deny".to_owned()),
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
                // What is not there to be tested does not match here.
                let unseen = rule.conditions.iter().filter_map(unseen).flatten();
                form.body.extend(unseen.map(|test| format!("  - {test}")));
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
        if let (Limits::Line { limits, .. }, Some(first), false) = (limits, forms.first_mut(), always) {
            if !added_up.0.is_empty() {
                first.body.push("require:".to_owned());
                first.body.extend(added_up.block());
            }
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
    let (compared, finds_equals) = compared(&condition.test);
    let mut kinds = compared.iter().filter_map(|expected| kind(&expected.value));
    let first = kinds.next();
    if !kinds.all(|kind| Some(kind) == first) {
        return None;
    }
    for Expected { value, shown, .. } in compared {
        // Go prints lists and objects alike that differ here. What finds fewer values equal is stricter where they
        // must be equal, and looser elsewhere.
        let is_deep = matches!(value, Value::List(_) | Value::Map(_));
        if is_deep && finds_equals != (effect == Effect::Require) {
            return None;
        }
        if is_deep || is_also_another(value, shown) {
            let value = native(value);
            comments.push(format!(
                "Intercept takes what Go prints alike for equal to {value}; here types must agree."
            ));
        }
    }
    let values = || list_of(compared.iter().map(|expected| native(&expected.value)));
    let operators = match &condition.test {
        Test::Equal(expected) => vec![("equals", native(&expected.value))],
        Test::Different(expected) => vec![("not_equals", native(&expected.value))],
        Test::OneOf(list) if list.is_empty() => return None,
        Test::OneOf(_) => vec![("one_of", values())],
        Test::NoneOf(list) if list.is_empty() => vec![("present", "true".to_owned())],
        Test::NoneOf(_) => vec![("none_of", values())],
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
        Test::Matches(pattern, _) => vec![("contains_match", quote(pattern))],
        Test::Contains(expected) => vec![("contains", native(&expected.value))],
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

/// The values that a test compares with, and whether it looks for equal ones.
fn compared(test: &Test) -> (&[Expected], bool) {
    match test {
        Test::Equal(one) | Test::Contains(one) => (std::slice::from_ref(one), true),
        Test::Different(one) => (std::slice::from_ref(one), false),
        Test::OneOf(list) => (list, true),
        Test::NoneOf(list) => (list, false),
        Test::Compare(..) | Test::Matches(..) | Test::Exists(_) | Test::Never => (&[], true),
    }
}

/// The cases in which Intercept cannot look at the argument, or finds it different, and native tests do not match.
fn unseen(condition: &Condition) -> Option<Vec<String>> {
    let Subject::Argument(path) = &condition.subject else { return None };
    let key = key(path)?;
    let absent = format!("{{ {key}: {{ present: false }} }}");
    let null = format!("{{ {key}: {{ equals: null }} }}");
    match &condition.test {
        Test::Equal(_) | Test::OneOf(_) => Some(vec![absent]),
        Test::Different(_) | Test::NoneOf(_) | Test::Compare(..) | Test::Matches(..) | Test::Contains(_) => {
            Some(vec![absent, null])
        }
        Test::Exists(_) | Test::Never => None,
    }
}

/// What kind of value it becomes; none for `null`, which stands beside every kind.
fn kind(value: &Value) -> Option<u8> {
    match value {
        Value::Null => None,
        Value::Bool(_) => Some(0),
        Value::Int(_) => Some(1),
        Value::Float(float) if float.is_finite() => Some(1),
        Value::Float(_) | Value::Unsigned(_) | Value::Text(_) | Value::Time(_) => Some(2),
        Value::List(_) => Some(3),
        Value::Map(_) => Some(4),
    }
}

/// As JSON. An integer that Intercept compares with no number is a text.
fn native(value: &Value) -> String {
    if let Value::Unsigned(int) = value { quote(&int.to_string()) } else { value.json() }
}

/// Does Intercept take a value of another type for equal to this one: `"5"` for 5?
fn is_also_another(value: &Value, shown: &str) -> bool {
    match value {
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => true,
        Value::Text(_) => {
            let is_number = shown.parse::<f64>().is_ok_and(|number| show_float(number) == shown);
            let is_deep = shown.ends_with(']') && (shown.starts_with('[') || shown.starts_with("map["));
            is_number || is_deep || matches!(shown, "true" | "false" | "<nil>")
        }
        Value::Null | Value::Unsigned(_) | Value::Time(_) | Value::List(_) | Value::Map(_) => false,
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

/// A name, or a JSON Pointer.
fn key(path: &[String]) -> Option<String> {
    // In a pointer `*` is every element, and a number one of a list, where Intercept finds nothing.
    let is_step = |name: &String| !name.is_empty() && name != "*" && name.parse::<u64>().is_err();
    let key = match path {
        [name] if !name.is_empty() && !name.starts_with('/') => name.clone(),
        _ if path.len() > 16 || !path.iter().all(is_step) => return None,
        _ => path
            .iter()
            .map(|name| name.replace('~', "~0").replace('/', "~1"))
            .fold(String::new(), |all, step| all + "/" + &step),
    };
    (key.len() <= 512).then(|| quote(&key))
}

enum Limits {
    None,
    /// No call passes.
    Nothing,
    /// The line, and the argument that it adds up.
    Line {
        limits: String,
        sum: Option<String>,
    },
}

fn limits(counting: &Counting, comments: &mut Vec<String>) -> Limits {
    if counting.limit == Amount::MAX {
        let key = counting.key.to_string();
        comments.push(format!("`state.{}` is counted in Intercept, without a limit.", key.escape_debug()));
        return Limits::None;
    }
    let per = match counting.window {
        Window::Minute => "calendar_minute",
        Window::Hour => "calendar_hour",
        Window::Day => "calendar_day",
    };
    match &counting.increment {
        Increment::Fixed(amount) => {
            // Native counts are of 32 bits.
            let calls = counting.limit.times(*amount).min(u32::MAX.into());
            if calls <= 0 {
                return Limits::Nothing;
            }
            Limits::Line {
                limits: format!("limits: [{{ calls: {calls}, per: {per}, by: server }}]"),
                sum: None,
            }
        }
        Increment::From(path) => {
            let (limit, Some(key)) = (counting.limit.to_nanos(), key(path)) else {
                let path = argument_path(path);
                comments
                    .push(format!("A sum of `{}` cannot be said here: no call passes.", path.escape_debug()));
                return Limits::Nothing;
            };
            if limit < Amount::ZERO {
                return Limits::Nothing;
            }
            let limits = format!("limits: [{{ sum: {key}, at_most: \"{limit}\", per: {per}, by: server }}]");
            Limits::Line { limits, sum: Some(key) }
        }
    }
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
