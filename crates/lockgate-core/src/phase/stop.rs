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
    let named = server.or(tool.map(|_| "stops.tool"));
    let named = named.map(|rule| Finding::deny(Phase::Policy, Reason::Stopped, rule));
    if let Some(finding) = general(core).or(named) {
        return Some(finding);
    }
    let harmless =
        call.tool.is_none() || identify::class(core, call).is_some_and(|found| found.class == Class::ReadLow);
    (stops.safe_mode && !harmless).then(|| Finding::deny(Phase::Policy, Reason::SafeMode, "stops.safe_mode"))
}

/// What stops a session whatever it asks for.
pub(crate) fn general(core: &Core) -> Option<Finding> {
    let stops = &core.stops;
    let (reason, rule) = match () {
        () if stops.everything => (Reason::Stopped, "stops.everything"),
        () if stops.principals.contains(&core.identity.principal) => (Reason::Stopped, "stops.principal"),
        () if stops.sessions.contains(&core.identity.session) => (Reason::Stopped, "stops.session"),
        () if stops.unrecorded => (Reason::RecordsUnavailable, "records.folder"),
        () => return None,
    };
    Some(Finding::deny(Phase::Policy, reason, rule))
}
