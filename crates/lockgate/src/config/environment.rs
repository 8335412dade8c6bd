//! What is different in one environment, laid over the file before anything in it is read.

use super::error::{At, Report, either, perhaps, quoted};
use super::yaml::{Kind, Node};

/// Lays the chosen environment over the file. `wanted` goes before what the file says.
pub(super) fn lay(mut root: Node, wanted: Option<String>, report: &Report) -> Node {
    let Kind::Map(members) = &mut root.value else { return root };
    let find = |members: &[(At<String>, Node)], key: &str| {
        members.iter().find(|(name, _)| name.value == key).map(|(_, node)| node.clone())
    };
    let said = find(members, "environment");
    let chosen = match (wanted, &said) {
        (Some(wanted), said) => {
            At { value: wanted, place: said.as_ref().map_or(root.place, |node| node.place) }
        }
        (None, Some(At { value: Kind::Text(text, _), place })) => At { value: text.clone(), place: *place },
        // Nothing is chosen; what is no text is reported where the key is read.
        (None, _) => return root,
    };
    let environments = find(members, "environments");
    let known = match &environments {
        Some(At { value: Kind::Map(known), .. }) => known.as_slice(),
        _ => &[],
    };
    if let Some((_, overlay)) = known.iter().find(|(name, _)| name.value == chosen.value) {
        over(&mut root.value, &overlay.value);
        return root;
    }
    let known: Vec<&str> = known.iter().map(|(name, _)| name.value.as_str()).collect();
    let hint = if known.is_empty() {
        "write it under `environments`".to_owned()
    } else {
        format!("{}write {}", perhaps(&chosen.value, &known), either(&known))
    };
    report.error(chosen.place, format!("there is no environment {}", quoted(&chosen.value)), hint);
    root
}

fn over(below: &mut Kind, above: &Kind) {
    match (below, above) {
        (Kind::Map(below), Kind::Map(above)) => {
            for (name, node) in above {
                match below.iter_mut().find(|(known, _)| known.value == name.value) {
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
