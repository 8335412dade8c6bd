//! May what this session has read steer this tool? The cross-server rule (SAFE-T1701).

use lockgate_flow::drives;
use lockgate_model::{Effect, Finding, Phase, Reason, ServerName};

use super::Call;
use crate::{Core, CrossServer};

const RULE: &str = "flow.cross_server";

pub(super) fn check(core: &Core, call: &Call<'_>, effect: Effect) -> (Option<Finding>, Option<ServerName>) {
    if call.tool.is_none() {
        return (None, None);
    }
    let tier = |server: &ServerName| core.boundary.tier(server);
    let Some(origin) = drives(&core.label, tier, call.server, effect) else { return (None, None) };
    let reason = Reason::UntrustedContentReachesSink;
    let finding = match core.boundary.cross_server {
        CrossServer::Ask => Finding::hold(Phase::Flow, reason, RULE),
        CrossServer::Deny => Finding::deny(Phase::Flow, reason, RULE),
    };
    (Some(finding), Some(origin.clone()))
}
