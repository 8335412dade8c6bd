//! Limits of a rule: how often, how much, how many at once.

use lockgate_policy::budget::{BadLimit, By, Limit, Window};
use lockgate_policy::test::Selector;

use super::error::{At, Place, Report, quoted};
use super::section::Section;
use super::yaml::{Kind, Node};

const FORMS: &str = "write `5/hour`, `{ calls: 5, per: hour }`, `{ sum: argument, at_most: \"500.00\", per: day }` or \
                     `{ concurrent: 2 }`, each with `by` where needed";

/// Reads every limit of a rule.
pub(super) fn limits(section: &Section<'_>, report: &Report) -> Vec<Limit> {
    let hint = "write `limits: [5/hour]`";
    let Some(items) = section.list("limits", hint) else { return Vec::new() };
    let path = section.name("limits");
    if items.value.is_empty() {
        report.error(items.place, format!("{} is empty", quoted(&path)), hint);
    }
    let read = |(at, item)| limit(&format!("{path}[{at}]"), item, report);
    items.value.iter().enumerate().filter_map(read).collect()
}

fn limit(path: &str, node: &Node, report: &Report) -> Option<Limit> {
    let said =
        |place: Place, bad: BadLimit| report.error(place, format!("{}: {bad}", quoted(path)), bad.hint());
    match &node.value {
        Kind::Text(text, _) => return Limit::parse(text).map_err(|bad| said(node.place, bad)).ok(),
        Kind::Map(_) => {}
        Kind::Broken => return None,
        Kind::Nothing | Kind::Null | Kind::List(_) => {
            let message = format!("{} must be a limit, not {}", quoted(path), node.value.word());
            report.error(node.place, message, FORMS);
            return None;
        }
    }
    let section = Section::open(path, node, report)?;
    let known = ["calls", "sum", "concurrent", "per", "at_most", "by"];
    let written = known.map(|key| section.has(key));
    let [calls, sum, concurrent, per, at_most, by] = known.map(|key| section.text(key));
    section.close();
    let by = match &by {
        Some(by) => By::parse(&by.value).map_err(|bad| said(by.place, bad)).ok(),
        None => Some(By::default()),
    };
    let window = per.map(|per| Window::parse(&per.value).map_err(|bad| said(per.place, bad.into())).ok());
    let count = |text: At<String>| match text.value.parse() {
        Ok(number) if text.value.bytes().all(|b| b.is_ascii_digit()) => {
            Some(At { value: number, place: text.place })
        }
        _ => {
            said(text.place, BadLimit::Count(text.value));
            None
        }
    };
    let (place, made) = match written {
        [true, false, false, true, false, _] => {
            let (calls, window, by) = (count(calls?), window?, by);
            let calls = calls?;
            (calls.place, Limit::calls(calls.value, window?, by?))
        }
        [false, true, false, true, true, _] => {
            let (sum, most) = (sum?, at_most?);
            let argument = Selector::parse(&sum.value).map_err(|bad| {
                report.error(sum.place, format!("{}: {bad}", quoted(&format!("{path}.sum"))), bad.hint());
            });
            (most.place, Limit::sum(argument.ok()?, &most.value, window??, by?))
        }
        [false, false, true, false, false, _] => {
            let (concurrent, by) = (count(concurrent?), by);
            let concurrent = concurrent?;
            (concurrent.place, Limit::concurrent(concurrent.value, by?))
        }
        _ => {
            report.error(node.place, format!("{} is not one limit", quoted(path)), FORMS);
            return None;
        }
    };
    made.map_err(|bad| said(place, bad)).ok()
}
