//! Has the operator stopped this by hand? The kill switch and safe mode.

use lockgate_model::{Class, Finding, Phase, Reason};

use super::{Call, identify};
use crate::Core;

pub(super) fn check(core: &Core, call: &Call<'_>) -> Option<Finding> {
    let stops = &core.stops;
    let server = stops.servers.contains(call.server).then_some("stops.server");
    let tool = call
        .tool
        .filter(|tool| stops.tools.iter().any(|(server, stopped)| server == call.server && stopped == *tool));
    let rule = general(core).or(server).or(tool.map(|_| "stops.tool"));
    if let Some(rule) = rule {
        return Some(Finding::deny(Phase::Policy, Reason::Stopped, rule));
    }
    let harmless =
        call.tool.is_none() || identify::class(core, call).is_some_and(|found| found.class == Class::ReadLow);
    (stops.safe_mode && !harmless).then(|| Finding::deny(Phase::Policy, Reason::SafeMode, "stops.safe_mode"))
}

/// What stops a session whatever it asks for.
pub(crate) fn general(core: &Core) -> Option<&'static str> {
    let stops = &core.stops;
    match () {
        () if stops.everything => Some("stops.everything"),
        () if stops.principals.contains(&core.identity.principal) => Some("stops.principal"),
        () if stops.sessions.contains(&core.identity.session) => Some("stops.session"),
        () => None,
    }
}
