//! The picture as SVG: givers on the left, takers on the right, and between them the boundary, where what was stopped
//! ends.

use std::collections::BTreeMap;

use super::graph::{Arrow, Giver, Graph, Outcome};
use super::text::heading;
use crate::rehearse::count;

/// Most arrows that are drawn: those that something stood against first.
const MOST: usize = 60;

// Everything in pixels.
const WIDTH: usize = 960;
const MARGIN: usize = 32;
const NODE: usize = 190;
const GATE: usize = 232;
const GATE_AT: usize = (WIDTH - GATE) / 2;
const RIGHT: usize = WIDTH - MARGIN - NODE;
/// Where the drawing begins, below the headings.
const TOP: usize = 150;
/// From one arrow to the next, and the height of its mark.
const SLOT: usize = 48;
const MARK: usize = 30;
/// Between two nodes, and the height of the lowest.
const GAP: usize = 14;
const LOWEST: usize = 48;
/// From one arrow into a node to the next.
const PORT: usize = 18;
/// Width of a letter in a mark. Tenths of a pixel.
const LETTER: usize = 78;

const STYLE: &str = "\
.paper{fill:#fff}.ink{fill:#1f2328}.faint{fill:#59636e}.node{fill:#f6f8fa;stroke:#d1d9e0}.band{fill:#eef2f6}\
.mark{fill:#fff;stroke-width:1.5}.line{fill:none;stroke-linecap:round}.cut{stroke-width:1.5;stroke-dasharray:2 6;opacity:.55}\
.sent{stroke:#1a7f64}.observed{stroke:#3b6fd4}.approved{stroke:#b7791f}.stopped{stroke:#cf222e}\
.t-sent{fill:#1a7f64}.t-observed{fill:#3b6fd4}.t-approved{fill:#8f5d12}.t-stopped{fill:#cf222e}\
@media(prefers-color-scheme:dark){\
.paper{fill:#0d1117}.ink{fill:#e6edf3}.faint{fill:#9198a1}.node{fill:#161b22;stroke:#3d444d}.band{fill:#151b23}\
.mark{fill:#0d1117}.sent{stroke:#3fb68b}.observed{stroke:#6ea0ff}.approved{stroke:#d29922}.stopped{stroke:#f85149}\
.t-sent{fill:#3fb68b}.t-observed{fill:#6ea0ff}.t-approved{fill:#d29922}.t-stopped{fill:#f85149}}";

/// A rectangle that something comes from or goes to.
struct Node<'n> {
    name: &'n str,
    below: String,
    top: usize,
    height: usize,
}

/// Where something goes to, and the height at which each arrow reaches it.
type Taker<'n> = (Node<'n>, BTreeMap<usize, usize>);

/// The picture of a session.
pub(super) fn svg(graph: &Graph<'_>) -> String {
    let mut shown: Vec<&Arrow<'_>> = graph.arrows.iter().collect();
    shown.sort_by_key(|arrow| std::cmp::Reverse(arrow.outcome));
    let left_out = shown.len().saturating_sub(MOST);
    shown.truncate(MOST);
    let (givers, marks, takers) = lay_out(graph, &mut shown);
    let bottom =
        givers.iter().chain(takers.values().map(|(node, _)| node)).map(|node| node.top + node.height);
    let bottom = bottom.max().unwrap_or(TOP + LOWEST);
    let height = bottom + 84;

    let [who, when] = heading(graph);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         role=\"img\" font-family=\"system-ui,'Segoe UI','Helvetica Neue',Arial,'Liberation Sans',sans-serif\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n<rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>\n",
        escaped(&who)
    );
    out.push_str(&words(MARGIN, 46, "ink", 20, "start\" font-weight=\"600", &fit(&who, 880, 105)));
    out.push_str(&words(MARGIN, 72, "faint", 14, "start", &when));
    let band = bottom - TOP + 2 * GAP;
    out.push_str(&format!(
        "<rect class=\"band\" x=\"{GATE_AT}\" y=\"{}\" width=\"{GATE}\" height=\"{band}\" rx=\"12\"/>\n",
        TOP - GAP
    ));
    for (at, anchor, title) in [
        (MARGIN, "start", "Seen first in"),
        (WIDTH / 2, "middle", "Lockgate"),
        (WIDTH - MARGIN, "end", "Sent to"),
    ] {
        out.push_str(&words(at, TOP - 28, "faint", 13, anchor, title));
    }
    if shown.is_empty() {
        let nothing = "Nothing of one server went to another, and nothing was stopped.";
        out.push_str(&words(WIDTH / 2, TOP + 28, "faint", 13, "middle", nothing));
    }
    for (at, arrow) in shown.iter().enumerate() {
        let mark = marks.get(at).copied().unwrap_or(TOP);
        let port =
            takers.get(arrow.to.as_str()).and_then(|(_, ports)| ports.get(&at)).copied().unwrap_or(mark);
        out.push_str(&line(arrow, mark, port));
    }
    for (at, arrow) in shown.iter().enumerate() {
        out.push_str(&mark(arrow, marks.get(at).copied().unwrap_or(TOP)));
    }
    for node in &givers {
        out.push_str(&rectangle(node, MARGIN));
    }
    for (node, _) in takers.values() {
        out.push_str(&rectangle(node, RIGHT));
    }
    out.push_str(&legend(graph, height - 28, left_out));
    out.push_str("</svg>\n");
    out
}

/// Everything in its place: arrows of one giver stand together, in the order of their takers.
fn lay_out<'n>(
    graph: &Graph<'_>,
    shown: &mut [&'n Arrow<'_>],
) -> (Vec<Node<'n>>, Vec<usize>, BTreeMap<&'n str, Taker<'n>>) {
    let mut rank: BTreeMap<&str, usize> = BTreeMap::new();
    loop {
        let place = |arrow: &Arrow<'_>| (rank.get(arrow.to.as_str()).copied(), arrow.outcome);
        shown.sort_by(|one, other| one.from.cmp(&other.from).then(place(one).cmp(&place(other))));
        let (givers, marks) = givers(shown);
        let takers = takers(graph, shown, &marks);
        if !rank.is_empty() || takers.is_empty() {
            return (givers, marks, takers);
        }
        rank = takers.iter().map(|(name, (node, _))| (*name, node.top)).collect();
    }
}

/// The givers from the top, each as high as its arrows need, and the height of each arrow at the boundary.
fn givers<'n>(shown: &[&'n Arrow<'_>]) -> (Vec<Node<'n>>, Vec<usize>) {
    let mut nodes: Vec<(&Giver, Node<'n>)> = Vec::new();
    let mut marks = Vec::new();
    let mut top = TOP;
    for arrow in shown {
        match nodes.last_mut() {
            Some((giver, node)) if **giver == arrow.from => node.height += SLOT,
            before => {
                top += if before.is_some() { GAP } else { 0 };
                let below = match arrow.from {
                    Giver::User => "said or approved",
                    Giver::Server(_) => "",
                    Giver::Model => "seen nowhere before",
                };
                let node = Node { name: arrow.from.name(), below: below.to_owned(), top, height: LOWEST };
                nodes.push((&arrow.from, node));
            }
        }
        marks.push(top + SLOT / 2);
        top += SLOT;
    }
    (nodes.into_iter().map(|(_, node)| node).collect(), marks)
}

/// The takers in the order that crosses least, with the height of each arrow that reaches them.
fn takers<'n>(graph: &Graph<'_>, shown: &[&'n Arrow<'_>], marks: &[usize]) -> BTreeMap<&'n str, Taker<'n>> {
    let mut reached: BTreeMap<&'n str, Vec<usize>> = BTreeMap::new();
    for (at, arrow) in shown.iter().enumerate() {
        reached.entry(arrow.to.as_str()).or_default().push(at);
    }
    let mean =
        |arrows: &[usize]| arrows.iter().filter_map(|at| marks.get(*at)).sum::<usize>() / arrows.len().max(1);
    let mut order: Vec<(&'n str, Vec<usize>)> = reached.into_iter().collect();
    order.sort_by_key(|(_, arrows)| mean(arrows));
    let high = |arrows: &[usize]| LOWEST.max(arrows.len() * PORT + 16);
    let all: usize = order.iter().map(|(_, arrows)| high(arrows) + GAP).sum::<usize>().saturating_sub(GAP);
    let room = marks.last().map_or(0, |last| last + SLOT / 2 - TOP);
    // What is left over is shared out between them.
    let spare = room.saturating_sub(all) / (order.len() + 1);
    let mut top = TOP + spare;
    let mut takers = BTreeMap::new();
    for (name, arrows) in order {
        let height = high(&arrows);
        let first = top + (height - (arrows.len() - 1) * PORT) / 2;
        let ports = arrows.iter().enumerate().map(|(place, at)| (*at, first + place * PORT)).collect();
        let calls = || graph.calls.iter().filter(|call| call.server.as_str() == name);
        let stopped = calls().filter(|call| call.outcome == Outcome::Stopped).count();
        let below = match (calls().count() - stopped, stopped) {
            (sent, 0) => count(sent, "call"),
            (0, stopped) => format!("{stopped} stopped"),
            (sent, stopped) => format!("{}, {stopped} stopped", count(sent, "call")),
        };
        takers.insert(name, (Node { name, below, top, height }, ports));
        top += height + GAP + spare;
    }
    takers
}

/// Straight to the boundary, and from there in a curve.
fn line(arrow: &Arrow<'_>, mark: usize, port: usize) -> String {
    let class = arrow.outcome.word();
    let from = MARGIN + NODE;
    let (leave, end) = (GATE_AT + GATE, RIGHT - 8);
    let bend = leave.midpoint(end);
    let thick = (arrow.calls.len() + 1).clamp(2, 7);
    let stopped = arrow.outcome == Outcome::Stopped;
    let mut out = format!(
        "<path class=\"line {class}\" stroke-width=\"{thick}\" d=\"M{from} {mark}H{}\"/>\n",
        if stopped { GATE_AT + 12 } else { leave }
    );
    let curve = format!("M{leave} {mark}C{bend} {mark} {bend} {port} {end} {port}");
    if stopped {
        out.push_str(&format!("<path class=\"line {class} cut\" d=\"{curve}\"/>\n"));
    } else {
        let (back, half) = (end - 4, 4 + thick / 2);
        out.push_str(&format!(
            "<path class=\"line {class}\" stroke-width=\"{thick}\" d=\"{curve}\"/>\n\
             <path class=\"t-{class}\" d=\"M{back} {}L{RIGHT} {port}L{back} {}z\"/>\n",
            port - half,
            port + half
        ));
    }
    out
}

/// What happened at the boundary.
fn mark(arrow: &Arrow<'_>, at: usize) -> String {
    let (class, inset) = (arrow.outcome.word(), 12);
    let (x, top) = (GATE_AT + inset, at - MARK / 2);
    let calls = count(arrow.calls.len(), "call");
    let (text, all) = match (arrow.outcome, arrow.rule) {
        (Outcome::Sent, _) | (_, None) => (calls.clone(), calls),
        (outcome, Some((rule, reason))) => {
            let times =
                if arrow.calls.len() > 1 { format!(" ×{}", arrow.calls.len()) } else { String::new() };
            let room = (GATE - 2 * inset - 44) - times.chars().count() * LETTER / 10;
            (fit(rule, room, LETTER) + &times, format!("{calls} {}: {rule} ({reason})", outcome.word()))
        }
    };
    let sign = sign(arrow.outcome, x + 18, at);
    format!(
        "<g><title>{}</title><rect class=\"mark {class}\" x=\"{x}\" y=\"{top}\" width=\"{}\" height=\"{MARK}\" rx=\"15\"/>\
         {sign}{}</g>\n",
        escaped(&all),
        GATE - 2 * inset,
        words(x + 34, at + 5, &format!("t-{class}"), 14, "start", &text)
    )
}

/// A tick, a cross, an eye or a person.
fn sign(outcome: Outcome, x: usize, y: usize) -> String {
    let class = outcome.word();
    let stroke = |path: &str| {
        format!(
            "<path class=\"line {class}\" stroke-width=\"2.2\" transform=\"translate({x} {y})\" d=\"{path}\"/>"
        )
    };
    match outcome {
        Outcome::Sent => stroke("M-5 0L-1.5 4L5-4"),
        Outcome::Stopped => stroke("M-4.5-4.5L4.5 4.5M4.5-4.5L-4.5 4.5"),
        Outcome::Approved => stroke("M-5 6C-5-1 5-1 5 6M-2.6-4A2.6 2.6 0 1 0 2.6-4A2.6 2.6 0 1 0-2.6-4"),
        Outcome::Observed => stroke("M-6 0C-3-5 3-5 6 0C3 5-3 5-6 0M-.5 0H.5"),
    }
}

fn rectangle(node: &Node<'_>, x: usize) -> String {
    let Node { name, below, top, height } = node;
    let middle = top + height / 2;
    let (first, second) = if below.is_empty() { (middle + 5, 0) } else { (middle - 2, middle + 15) };
    let mut out = format!(
        "<g><title>{}</title><rect class=\"node\" x=\"{x}\" y=\"{}\" width=\"{NODE}\" height=\"{}\" rx=\"8\"/>{}",
        escaped(name),
        top + 2,
        height - 4,
        words(x + 16, first, "ink", 15, "start\" font-weight=\"600", &fit(name, NODE - 32, 85))
    );
    if !below.is_empty() {
        out.push_str(&words(x + 16, second, "faint", 12, "start", below));
    }
    out.push_str("</g>\n");
    out
}

/// What the signs mean, of those that are there, and what the session has read.
fn legend(graph: &Graph<'_>, y: usize, left_out: usize) -> String {
    let mut out = String::new();
    let mut x = MARGIN + 6;
    for (outcome, meaning) in [
        (Outcome::Sent, "sent"),
        (Outcome::Observed, "sent, rules only observed"),
        (Outcome::Approved, "a person approved"),
        (Outcome::Stopped, "not sent"),
    ] {
        if graph.arrows.iter().any(|arrow| arrow.outcome == outcome) {
            out.push_str(&sign(outcome, x, y - 5));
            out.push_str(&words(x + 14, y, "faint", 13, "start", meaning));
            x += 14 + meaning.len() * 7 + 30;
        }
    }
    if left_out > 0 {
        let more = format!("{} more not drawn", count(left_out, "arrow"));
        out.push_str(&words(WIDTH - MARGIN, y, "faint", 13, "end", &more));
    } else {
        let read = fit(&super::text::reading(graph), WIDTH - MARGIN - x, 68);
        out.push_str(&words(WIDTH - MARGIN, y, "faint", 13, "end", &read));
    }
    out
}

fn words(x: usize, y: usize, class: &str, size: usize, anchor: &str, text: &str) -> String {
    format!(
        "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" font-size=\"{size}\" text-anchor=\"{anchor}\">{}</text>\n",
        escaped(text)
    )
}

/// As much of a text as there is room for. `letter`: the width of one, in tenths of a pixel.
fn fit(text: &str, room: usize, letter: usize) -> String {
    let most = room * 10 / letter;
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// Text for SVG and HTML. What is no character of XML, or could turn the text round, is shown as `?`.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                out.push('?');
            }
            c if c.is_control() => out.push('?'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup() {
        for (text, expected) in [
            ("<script>&\"'", "&lt;script&gt;&amp;&quot;&#39;"),
            ("a\u{1b}[2J\u{202e}b\u{0}", "a?[2J?b?"),
            ("plain é", "plain é"),
        ] {
            assert_eq!(escaped(text), expected);
        }
        assert_eq!(fit("servers.db.tools.drop_table", 80, 80), "servers.d…");
    }
}
