//! Tools that were called again and again with other values for an argument that was refused (SAFE-T1102, probing).

use std::collections::BTreeMap;

use lockgate_model::{ServerName, Tick, ToolName};

use crate::Flow;

/// Most arguments whose refusals are counted; then the oldest server's are forgotten first.
const MOST: usize = 256;

/// What of a session is frozen, and what will be.
#[derive(Debug, Default)]
pub(crate) struct Freezer {
    refused: BTreeMap<(ServerName, ToolName, String), u32>,
    frozen: BTreeMap<(ServerName, ToolName), Tick>,
}

impl Freezer {
    /// A call was refused for this argument. True where that freezes the tool.
    pub(crate) fn refused(
        &mut self,
        server: &ServerName,
        tool: &ToolName,
        argument: &str,
        flow: &Flow,
        now: Tick,
    ) -> bool {
        if self.refused.len() >= MOST {
            self.refused.pop_first();
        }
        let count = self.refused.entry((server.clone(), tool.clone(), argument.to_owned())).or_default();
        *count += 1;
        if *count < flow.freeze_after {
            return false;
        }
        self.refused.retain(|(of, name, _), _| of != server || name != tool);
        self.frozen.retain(|_, until| now < *until);
        if self.frozen.len() >= MOST {
            self.frozen.pop_first();
        }
        self.frozen.insert((server.clone(), tool.clone()), now.after_millis(flow.frozen_for));
        true
    }

    pub(crate) fn is_frozen(&self, server: &ServerName, tool: &ToolName, now: Tick) -> bool {
        !self.frozen.is_empty()
            && self.frozen.iter().any(|((of, name), until)| of == server && name == tool && now < *until)
    }
}
