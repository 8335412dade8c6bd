//! The kill switch and safe mode: what the operator stops by hand, at once, calls under way included.

use std::collections::BTreeSet;
use std::sync::Arc;

use lockgate_audit::Ending;
use lockgate_model::{ExchangeId, Finding, Principal, ServerName, SessionId, Tick, ToolName};

use crate::exchange::{Asker, Exchange, State};
use crate::{Core, Step, phase};

/// What is stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stops {
    /// Every request of every agent.
    pub everything: bool,
    /// The same, since nothing can be recorded: `records_unavailable`.
    pub unrecorded: bool,
    /// Every call of a tool whose class is above `read-low`.
    pub safe_mode: bool,
    /// These servers.
    pub servers: BTreeSet<ServerName>,
    /// These tools.
    pub tools: BTreeSet<(ServerName, ToolName)>,
    /// Agents that act for these.
    pub principals: BTreeSet<Principal>,
    /// These sessions.
    pub sessions: BTreeSet<SessionId>,
}

impl Core {
    /// The operator has stopped something, or let it run again. Calls under way that are stopped now are answered, and
    /// their servers told.
    pub(crate) fn stopped(&mut self, all: Arc<Stops>, now: Tick, steps: &mut Vec<Step>) {
        self.stops = all;
        for exchange in self.exchanges.of_agent() {
            let Some(finding) = self.stands_stopped(exchange) else { continue };
            for part in self.exchanges.parts_of(exchange) {
                self.cancel(part, Ending::Cancelled, steps);
            }
            if let Some(shell) = self.exchanges.get(exchange).map(Exchange::shell) {
                self.stop(exchange, &shell, steps);
            }
            if let Some(State::Held(held)) = self.exchanges.get(exchange).map(|open| &open.state) {
                self.holds.forget(held);
                self.withdraw(exchange, steps);
            }
            self.refuse_open(exchange, finding, now, steps);
        }
        let everything = phase::stopped(self, "tools/call").is_some();
        for server in self.servers() {
            if everything || phase::stopped_call(self, &server, None).is_some() {
                self.stop_across(&server, now, steps);
            }
        }
    }

    fn stands_stopped(&self, exchange: ExchangeId) -> Option<Finding> {
        let open = self.exchanges.get(exchange).filter(|open| matches!(open.asker, Asker::Agent { .. }))?;
        if let Some(finding) = phase::stopped(self, open.method) {
            return Some(finding);
        }
        let server = open.target.server.as_ref()?;
        phase::stopped_call(self, server, open.target.tool.as_ref())
    }
}
