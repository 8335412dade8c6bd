//! What is different in one environment, laid over the file before anything in it is read.

use std::collections::HashMap;

use super::error::{At, Report, either, perhaps, quoted};
use super::yaml::{Kind, Node};

/// Lays the chosen environment over the file. `wanted` goes before what the file says.
pub(super) fn lay(mut root: Node, wanted: Option<String>, report: &Report) -> Node {
    let Kind::Map(members) = &mut root.value else { return root };
    let find = |members: &[(At<String>, Node)], key: &str| {
        members.iter().find(|(name, _)| name.value == key).map(|(_, node)| node.clone())
    };
    let said = find(members, "environment");
    let environments = find(members, "environments");
    check(environments.as_ref(), report);
    let by_variable = if wanted.is_some() { ", which LOCKGATE_ENVIRONMENT names" } else { "" };
    let chosen = match (wanted, &said) {
        (Some(wanted), said) => {
            At { value: wanted, place: said.as_ref().map_or(root.place, |node| node.place) }
        }
        (None, Some(At { value: Kind::Text(text, _), place })) => At { value: text.clone(), place: *place },
        // Nothing is chosen; what is no text is reported where the key is read.
        (None, _) => return root,
    };
    let known = overlays(environments.as_ref());
    if let Some((_, overlay)) = known.iter().find(|(name, _)| name.value == chosen.value) {
        if !matches!(overlay.value, Kind::Map(_)) {
            return root;
        }
        over(&mut root.value, &overlay.value);
        return root;
    }
    let known: Vec<&str> = known.iter().map(|(name, _)| name.value.as_str()).collect();
    let hint = if known.is_empty() {
        "write it under `environments`".to_owned()
    } else {
        format!("{}write {}", perhaps(&chosen.value, &known), either(&known))
    };
    report.error(
        chosen.place,
        format!("there is no environment {}{by_variable}", quoted(&chosen.value)),
        hint,
    );
    root
}

/// What is wrong with environments whichever is chosen: nobody should find out in production.
fn check(environments: Option<&Node>, report: &Report) {
    let must = |what: &str, node: &Node| {
        let message = format!("{what} must be a section, not {}", node.value.word());
        report.error(node.place, message, "write what differs from the file, as it stands in the file");
    };
    match environments {
        Some(node) if !matches!(node.value, Kind::Map(_) | Kind::Broken) => must("`environments`", node),
        _ => {}
    }
    for (name, node) in overlays(environments) {
        let path = format!("environments.{}", name.value);
        let Kind::Map(members) = &node.value else {
            must(&quoted(&path), node);
            continue;
        };
        for (key, _) in members.iter().filter(|(key, _)| key.value.starts_with("environment")) {
            let message = format!("{} has no effect", quoted(&format!("{path}.{}", key.value)));
            report.error(
                key.place,
                message,
                "remove it: an environment is chosen at the top of the file alone",
            );
        }
    }
}

fn overlays(environments: Option<&Node>) -> &[(At<String>, Node)] {
    match environments {
        Some(At { value: Kind::Map(known), .. }) => known,
        _ => &[],
    }
}

fn over(below: &mut Kind, above: &Kind) {
    match (below, above) {
        (Kind::Map(below), Kind::Map(above)) => {
            let places = below.iter().enumerate().map(|(place, (name, _))| (name.value.clone(), place));
            let places: HashMap<String, usize> = places.collect();
            for (name, node) in above {
                let covered = places.get(&name.value).and_then(|place| below.get_mut(*place));
                match covered {
                    Some((_, covered)) => {
                        if !matches!((&covered.value, &node.value), (Kind::Map(_), Kind::Map(_))) {
                            covered.place = node.place;
                        }
                        over(&mut covered.value, &node.value);
                    }
                    None => below.push((name.clone(), node.clone())),
                }
            }
        }
        (below, above) => *below = above.clone(),
    }
}
