//! Which server, which tool? Only what is configured and was offered in this session can be called (SAFE-T1103).

use lockgate_flow::{self as flow, Definition, Said, class_of, effect_of};
use lockgate_model::{Classified, Effect, Finding, Phase, Reason, ServerName, ToolName};

use super::Call;
use crate::Core;
use crate::catalogue::Meaning;

pub(super) fn check(core: &Core, call: &Call<'_>) -> Option<Finding> {
    if !core.boundary.servers.contains_key(call.server) {
        return Some(Finding::deny(Phase::Identify, Reason::UnknownServer, "protocol"));
    }
    let tool = call.tool?;
    let peer = core.peers.get(call.server);
    let offered = peer.is_some_and(|peer| {
        // Phase *pin* says why what is withheld cannot be called.
        peer.catalogue.find(tool.as_str()).is_some() || peer.definitions.withholds_tool(tool.as_str())
    });
    (!offered).then(|| Finding::deny(Phase::Identify, Reason::UnknownTool, "protocol"))
}

/// What the tool does; a request that calls no tool reads.
pub(super) fn effect(core: &Core, call: &Call<'_>) -> Effect {
    let Some(tool) = call.tool else { return Effect::Read };
    let unknown = || effect_of(tool.as_str(), Definition::default(), said(core, call.server, tool).effect);
    meaning(core, call.server, tool).map_or_else(unknown, |meaning| meaning.effect)
}

/// What a tool that is offered does, and what its arguments mean.
pub(crate) fn meaning<'c>(core: &'c Core, server: &ServerName, tool: &ToolName) -> Option<&'c Meaning> {
    let offered = core.peers.get(server)?.catalogue.find(tool.as_str())?;
    Some(offered.meaning.get_or_init(|| {
        let said = said(core, server, tool);
        let effect = effect_of(tool.as_str(), offered.definition, said.effect);
        let class = class_of(tool.as_str(), offered.definition, said);
        let configured = core.boundary.servers.get(server);
        let roles = configured.map(|server| server.roles(tool, &offered.properties, effect));
        let document = flow::is_document(tool.as_str(), effect);
        Meaning { effect, class, roles: roles.unwrap_or_default(), document }
    }))
}

/// How much harm the tool can do at worst; none for a request that calls no tool.
pub(super) fn class(core: &Core, call: &Call<'_>) -> Option<Classified> {
    let tool = call.tool?;
    let unknown = || class_of(tool.as_str(), Definition::default(), said(core, call.server, tool));
    Some(meaning(core, call.server, tool).map_or_else(unknown, |meaning| meaning.class))
}

fn said(core: &Core, server: &ServerName, tool: &ToolName) -> Said {
    core.boundary.servers.get(server).map_or_else(Said::default, |server| server.said(tool))
}
