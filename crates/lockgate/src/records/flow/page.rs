//! The picture with the table of all calls, as a page that stands alone: no script, nothing from elsewhere.

use lockgate_model::ServerName;

use super::graph::{Call, Graph, Outcome};
use super::picture::{escaped, svg};
use super::text::heading;

/// Most calls in the table, the first.
const MOST: usize = 5_000;

const STYLE: &str = "\
:root{color-scheme:light dark}body{margin:0 auto;max-width:1040px;padding:16px;background:#fff;color:#1f2328;\
font:14px/1.5 system-ui,'Segoe UI','Helvetica Neue',Arial,sans-serif}svg.picture{width:100%;height:auto}\
table{border-collapse:collapse;width:100%}th{text-align:left;font-weight:600}td,th{padding:6px 10px;border-bottom:1px solid #d1d9e0;\
vertical-align:top}td.time,td.ref{white-space:nowrap;color:#59636e;font-variant-numeric:tabular-nums}code{font-size:13px}\
td.sent{color:#1a7f64}td.observed{color:#3b6fd4}td.approved{color:#8f5d12}td.stopped{color:#cf222e}\
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}td,th{border-color:#3d444d}td.time,td.ref{color:#9198a1}\
td.sent{color:#3fb68b}td.observed{color:#6ea0ff}td.approved{color:#d29922}td.stopped{color:#f85149}}";

/// The page of a session.
pub(super) fn html(graph: &Graph<'_>) -> String {
    let [who, _] = heading(graph);
    let drawn = svg(graph).replacen("<svg ", "<svg class=\"picture\" ", 1);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n<style>{STYLE}</style>\n{drawn}\
         <table>\n<tr><th>Time</th><th>Call</th><th>Values from</th><th>Outcome</th><th>Reference</th></tr>\n",
        escaped(&who)
    );
    for call in graph.calls.iter().take(MOST) {
        out.push_str(&row(call));
    }
    out.push_str("</table>\n");
    if graph.calls.len() > MOST {
        out.push_str(&format!("<p>{} more calls are not in this table.</p>\n", graph.calls.len() - MOST));
    }
    out.push_str("</html>\n");
    out
}

fn row(call: &Call<'_>) -> String {
    let clock = call.entry.time.get(11..19).unwrap_or(&call.entry.time);
    let target = call.entry.target.as_deref().unwrap_or("-");
    let rule = match (call.rule, call.reason) {
        (Some(rule), Some(reason)) => {
            format!("{}: <code>{}</code>, {}", call.outcome.word(), escaped(rule), escaped(reason))
        }
        _ => call.outcome.word().to_owned(),
    };
    format!(
        "<tr><td class=\"time\">{}</td><td><code>{}</code> on {}</td><td>{}</td><td class=\"{}\">{rule}</td>\
         <td class=\"ref\">{}</td></tr>\n",
        escaped(clock),
        escaped(target),
        escaped(call.server.as_str()),
        sources(call),
        call.outcome.word(),
        escaped(&call.entry.correlation)
    )
}

/// Each argument with who gave it.
fn sources(call: &Call<'_>) -> String {
    let mut lines: Vec<String> = call
        .sources
        .iter()
        .map(|source| {
            let giver = source.server.as_ref().map_or("the user", ServerName::as_str);
            format!("<code>{}</code> {}", escaped(&source.argument), escaped(giver))
        })
        .collect();
    if let Some(evidence) =
        call.evidence.filter(|evidence| evidence.have.is_none() && !evidence.argument.is_empty())
        && call.outcome != Outcome::Sent
    {
        lines.push(format!("<code>{}</code> seen nowhere", escaped(&evidence.argument)));
    }
    lines.join("<br>")
}
