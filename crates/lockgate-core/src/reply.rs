//! What Lockgate itself says: to the agent instead of an answer, and to a server instead of the agent's. Nothing in it
//! comes from a server.

use bytes::Bytes;
use lockgate_model::{Finding, Integrity, Reason, Revision, ServerName, quote};

/// The key of the machine-readable part of a refusal.
const DECISION: &str = "io.lockgate/decision";

/// What a refusal is about. Names are shown only in a safe form.
pub(crate) struct About<'a> {
    pub(crate) shown: Option<&'a str>,
    pub(crate) server: Option<&'a ServerName>,
    pub(crate) correlation: &'a str,
    /// Was it executed, and is only its result kept back?
    pub(crate) withheld: bool,
}

/// A tool execution error: the model can read it and go on without the tool.
pub(crate) fn tool_refusal(id: &[u8], finding: &Finding, about: &About<'_>, revision: Revision) -> Bytes {
    let text = quote(&sentence(finding, about));
    let decision = decision(finding, about);
    let complete = if revision == Revision::R2026_07_28 { "\"resultType\":\"complete\"," } else { "" };
    let id = String::from_utf8_lossy(id);
    Bytes::from(format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{{complete}\"isError\":true,\"content\":[{{\"type\":\"text\",\"text\":{text}}}],\"_meta\":{{\"{DECISION}\":{decision}}}}}}}"
    ))
}

/// A JSON-RPC error. `id` is raw; none where it could not be read.
pub(crate) fn error(id: Option<&[u8]>, finding: &Finding, about: &About<'_>) -> Bytes {
    let message = quote(&sentence(finding, about));
    let data = if finding.reason == Reason::RevisionNotSupported {
        // What `server/discover` says as well; older revisions are settled by `initialize`.
        let supported = quote(Revision::R2026_07_28.as_str());
        let requested =
            about.shown.map_or_else(String::new, |shown| format!(",\"requested\":{}", quote(shown)));
        format!("{{\"supported\":[{supported}]{requested},\"reason\":\"{}\"}}", finding.reason.code())
    } else if finding.reason == Reason::MissingClientCapability {
        format!(
            "{{\"requiredCapabilities\":{{\"extensions\":{{{}:{{}}}}}},\"reason\":\"{}\"}}",
            quote(crate::locate::TASKS),
            finding.reason.code()
        )
    } else {
        decision(finding, about)
    };
    let id = id.map_or_else(|| "null".into(), String::from_utf8_lossy);
    let code = finding.reason.rpc_code();
    Bytes::from(format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{{\"code\":{code},\"message\":{message},\"data\":{data}}}}}"
    ))
}

/// An empty result for what a server asked us itself.
pub(crate) fn empty_result(id: &[u8]) -> Bytes {
    Bytes::from(format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{{}}}}", String::from_utf8_lossy(id)))
}

fn sentence(finding: &Finding, about: &About<'_>) -> String {
    let meaning = finding.reason.meaning();
    if let (Reason::InterceptDenied, Some(said)) = (finding.reason, &finding.said) {
        // Word for word what agents know from there.
        return format!("[INTERCEPT POLICY DENIED] {said}");
    }
    let what = match (about.shown, about.server) {
        (Some(shown), Some(server)) if about.withheld => {
            format!("`{shown}` on server `{server}` was executed, and its result is withheld: ")
        }
        (Some(shown), Some(server)) => format!("`{shown}` on server `{server}` was not executed: "),
        (Some(shown), None) if finding.reason != Reason::RevisionNotSupported => format!("`{shown}`: "),
        (None, Some(server)) => format!("server `{server}`: "),
        _ => String::new(),
    };
    if !finding.reason.is_decision() {
        let detail = finding.detail.as_ref().map_or_else(String::new, |detail| format!(": {detail}"));
        return format!(
            "[lockgate] {what}{meaning}{detail}. {}. Ref {}.",
            upper(finding.reason.remedy()),
            about.correlation
        );
    }
    let because = match &finding.detail {
        Some(detail) => format!("{meaning}: {detail}"),
        None => meaning.to_owned(),
    };
    let said = finding.said.as_ref().map_or_else(String::new, |said| format!(" The operator says: {said}"));
    // Other arguments, or another time, may do; another way round may not.
    let may_vary = matches!(finding.reason, Reason::ArgumentDenied | Reason::BudgetExceeded);
    let again = if may_vary { "" } else { ": do not retry it in another form" };
    format!(
        "[lockgate] {what}{because}.{said} This is a decision of the operator's policy, not a fault{again}. {}. Rule {}. Ref {}.",
        upper(finding.reason.remedy()),
        finding.rule,
        about.correlation
    )
}

fn decision(finding: &Finding, about: &About<'_>) -> String {
    let mut fields = format!(
        "\"v\":1,\"reason\":\"{}\",\"phase\":\"{}\",\"rule\":{},\"ref\":{}",
        finding.reason.code(),
        finding.phase.word(),
        quote(&finding.rule),
        quote(about.correlation)
    );
    if let Some(server) = about.server {
        fields.push_str(&format!(",\"server\":{}", quote(server.as_str())));
    }
    if let Some(evidence) = finding.evidence.as_ref().filter(|_| finding.reason != Reason::ConfidentialData) {
        let have = evidence.have.map_or("unknown", Integrity::word);
        fields.push_str(&format!(
            ",\"argument\":{},\"effect\":\"{}\",\"need\":\"{}\",\"have\":\"{have}\"",
            quote(&evidence.argument),
            evidence.effect.word(),
            evidence.need.word(),
        ));
        if let Some((server, u32::MAX)) = &evidence.first {
            fields.push_str(&format!(",\"origin\":{{\"server\":{}}}", quote(server.as_str())));
        } else if let Some((server, message)) = &evidence.first {
            let server = quote(server.as_str());
            fields.push_str(&format!(",\"origin\":{{\"server\":{server},\"message\":{message}}}"));
        }
        fields.push_str(",\"retryable\":false,\"options\":[\"ask_user\",\"skip\",\"endorsed_value\"]");
    }
    format!("{{{fields}}}")
}

fn upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
