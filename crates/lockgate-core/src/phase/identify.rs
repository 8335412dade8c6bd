//! Which server, which tool? Only what is configured and was offered in this session can be called (SAFE-T1103).

use lockgate_flow::{Definition, Said, class_of, effect_of};
use lockgate_model::{Classified, Effect, Finding, Phase, Reason, ServerName, ToolName};

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
    let definition = definition(core, call.server, tool);
    effect_of(tool.as_str(), definition, said(core, call.server, tool).effect)
}

/// How much harm the tool can do at worst; none for a request that calls no tool.
pub(super) fn class(core: &Core, call: &Call<'_>) -> Option<Classified> {
    let tool = call.tool?;
    Some(class_of(tool.as_str(), definition(core, call.server, tool), said(core, call.server, tool)))
}

/// What the server has said of the tool in this session.
fn definition(core: &Core, server: &ServerName, tool: &ToolName) -> Definition {
    let offered = core.peers.get(server).and_then(|peer| peer.catalogue.find(tool.as_str()));
    offered.map_or_else(Definition::default, |offered| offered.definition)
}

fn said(core: &Core, server: &ServerName, tool: &ToolName) -> Said {
    core.boundary.servers.get(server).map_or_else(Said::default, |server| server.said(tool))
}
