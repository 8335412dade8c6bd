//! Where a rule stands in the file.

use super::error::{At, Report};
use super::yaml::{self, Form, Kind, Node};
use super::{Surroundings, environment};

/// Line and column of a rule as records and refusals name it: `servers.db.tools.drop_*`, `servers.db.tools.x[1].require`,
/// `servers.db.default`. `None` for rules that stand in no file, such as `protocol`.
pub fn place_of(rule: &str, text: &str, surroundings: &dyn Surroundings) -> Option<(usize, usize)> {
    let report = Report::default();
    let node = yaml::read(text.strip_prefix('\u{feff}').unwrap_or(text), Form::Yaml, &report)?;
    let root = environment::lay(node, surroundings.variable("LOCKGATE_ENVIRONMENT"), &report);
    // A server without a default of its own has the one at the top.
    let found = find(&root, rule).or_else(|| {
        let (server, class) = rule.split_once(".default")?;
        let short = || find(&root, &format!("{server}.default"));
        (!server.contains(".tools.")).then_some(())?;
        short().or_else(|| find(&root, &format!("default{class}"))).or_else(|| find(&root, "default"))
    });
    found.map(|place| (place.line, place.column))
}

/// Follows a path of keys. A key may hold dots and brackets itself, so that each that fits is tried.
fn find(node: &Node, path: &str) -> Option<super::error::Place> {
    match &node.value {
        Kind::Map(members) => members.iter().find_map(|(key, below)| inside(key, below, path)),
        Kind::List(items) => {
            let (number, rest) = path.strip_prefix('[')?.split_once(']')?;
            let item = items.get(number.parse::<usize>().ok()?)?;
            let rest = rest.strip_prefix('.').unwrap_or(rest);
            if rest.is_empty() { Some(item.place) } else { find(item, rest) }
        }
        Kind::Broken | Kind::Nothing | Kind::Null | Kind::Text(..) => None,
    }
}

fn inside(key: &At<String>, below: &Node, path: &str) -> Option<super::error::Place> {
    let rest = path.strip_prefix(key.value.as_str())?;
    match rest.strip_prefix('.') {
        None if rest.is_empty() => Some(key.place),
        None if rest.starts_with('[') => find(below, rest),
        None => None,
        Some(rest) => find(below, rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Process;

    #[test]
    fn rules_are_found_where_they_stand() {
        let text = "default: deny\nservers:\n  db:\n    tools:\n      a: allow\n      a.b:\n        require: { x: 1 }\n      \"c*\":\n        - { for: [local] }\n        - deny_if: [{ x: 2 }]\n";
        for (rule, place) in [
            ("servers.db.tools.a", Some((5, 7))),
            ("servers.db.tools.a.b", Some((6, 7))),
            ("servers.db.tools.a.b.require", Some((7, 9))),
            ("servers.db.tools.c*[0]", Some((9, 11))),
            ("servers.db.tools.c*[1].deny_if", Some((10, 11))),
            ("servers.db.default", Some((1, 1))),
            ("servers.db.default.write-high", Some((1, 1))),
            ("protocol", None),
            ("flow.value", None),
        ] {
            assert_eq!(place_of(rule, text, &Process), place, "{rule}");
        }
    }
}
