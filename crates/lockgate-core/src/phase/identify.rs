//! Which server, which tool? Only what is configured and was offered in this session can be called (SAFE-T1103).

use lockgate_flow::effect_of;
use lockgate_model::{Annotations, Effect, Finding, Phase, Reason};

use super::Call;
use crate::Core;

pub(super) fn check(core: &Core, call: &Call<'_>) -> Option<Finding> {
    if !core.boundary.servers.contains_key(call.server) {
        return Some(Finding::deny(Phase::Identify, Reason::UnknownServer, "protocol"));
    }
    let tool = call.tool?;
    let offered = core.peers.get(call.server).and_then(|peer| peer.catalogue.find(tool.as_str()));
    offered.is_none().then(|| Finding::deny(Phase::Identify, Reason::UnknownTool, "protocol"))
}

/// What the tool does; a request that calls no tool reads.
pub(super) fn effect(core: &Core, call: &Call<'_>) -> Effect {
    let Some(tool) = call.tool else { return Effect::Read };
    let offered = core.peers.get(call.server).and_then(|peer| peer.catalogue.find(tool.as_str()));
    let annotations = offered.map_or_else(Annotations::default, |offered| offered.annotations);
    let server = core.boundary.servers.get(call.server);
    let operator = server.and_then(|server| {
        let mut said = server.effects.iter().filter(|(pattern, _)| pattern.matches(tool.as_str()));
        said.next().map(|(_, effect)| *effect)
    });
    effect_of(tool.as_str(), annotations, operator)
}
