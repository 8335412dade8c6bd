//! Do the HTTP headers of a modern request say what its message says? Decisions are always made on the message; a
//! header that says something else could only mislead somebody on the way (SEP-2243).

use lockgate_model::{Json, Params, Reason, Revision};

use crate::Headers;
use crate::catalogue::Mirror;

/// Checks what can be checked without knowing the tool.
pub(crate) fn check(headers: &Headers, method: &str, params: &Params<'_>) -> Result<(), Reason> {
    let agrees = !headers.broken
        && headers.version.is_some()
        && headers.version.as_deref() == params.revision().as_deref()
        && headers.method.as_deref() == Some(method);
    if !agrees {
        return Err(Reason::HeaderMismatch);
    }
    match named(method) {
        Some(field) => {
            let name = params.text(field);
            if name.is_some() && headers.name.as_deref() == name.as_deref() {
                Ok(())
            } else {
                Err(Reason::HeaderMismatch)
            }
        }
        None => Ok(()),
    }
}

/// Does the request carry only headers of the modern era while its message lacks what that era needs?
pub(crate) fn claims_modern(headers: &Headers) -> bool {
    headers.version.as_deref() == Some(Revision::R2026_07_28.as_str())
}

/// Checks the headers that repeat arguments.
pub(crate) fn check_parameters(
    headers: &Headers,
    mirrors: &[Mirror],
    arguments: Option<Json<'_>>,
) -> Result<(), Reason> {
    for mirror in mirrors {
        let mut said =
            headers.parameters.iter().filter(|(name, _)| name.eq_ignore_ascii_case(&mirror.header));
        let said = said.next().map(|(_, value)| value.as_str());
        if said != mirror.value(arguments).as_deref() {
            return Err(Reason::HeaderMismatch);
        }
    }
    Ok(())
}

/// The field of `params` that `Mcp-Name` repeats.
pub(crate) fn named(method: &str) -> Option<&'static str> {
    match method {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        "tasks/get" | "tasks/update" | "tasks/cancel" => Some("taskId"),
        _ => None,
    }
}
