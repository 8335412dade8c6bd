//! The headers of a request over Streamable HTTP.

use base64::Engine;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use lockgate_core::Head;
use lockgate_model::{Era, Reason, Revision};

use super::{METHOD, NAME, VERSION};

/// The headers that repeat what a message says.
pub(super) fn describe(head: &Head, headers: &mut HeaderMap) -> Result<(), Reason> {
    if head.revision.era() == Era::Legacy {
        if head.method != Some("initialize") {
            version(head.revision, headers);
        }
        return Ok(());
    }
    version(head.revision, headers);
    if let Some(method) = head.method {
        headers.insert(METHOD, HeaderValue::from_static(method));
    }
    if let Some(name) = &head.name {
        headers.insert(NAME, plain(name)?);
    }
    for (name, value) in &head.parameters {
        let name =
            HeaderName::from_bytes(format!("mcp-param-{name}").as_bytes()).map_err(|_| Reason::BadParams)?;
        headers.insert(name, plain(value)?);
    }
    Ok(())
}

pub(super) fn version(revision: Revision, headers: &mut HeaderMap) {
    // The first revision knew no such header.
    if revision > Revision::R2024_11_05 {
        headers.insert(VERSION, HeaderValue::from_static(revision.as_str()));
    }
}

/// A value as a header: as it is where it is plain visible ASCII, else in the base64 form of revision 2026-07-28.
fn plain(text: &str) -> Result<HeaderValue, Reason> {
    let visible = text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    let edges = text.starts_with(' ') || text.ends_with(' ') || text.is_empty();
    let encoded = text.starts_with("=?base64?") && text.ends_with("?=");
    let value = if visible && !edges && !encoded {
        HeaderValue::from_str(text)
    } else {
        let base64 = base64::engine::general_purpose::STANDARD.encode(text);
        HeaderValue::from_str(&format!("=?base64?{base64}?="))
    };
    value.map_err(|_| Reason::BadParams)
}

/// The plain text of such a header.
pub(crate) fn decoded(value: &HeaderValue) -> Option<String> {
    let text = value.to_str().ok()?.trim_matches([' ', '\t']);
    match text.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) {
        Some(base64) => {
            String::from_utf8(base64::engine::general_purpose::STANDARD.decode(base64).ok()?).ok()
        }
        None => Some(text.to_owned()),
    }
}
