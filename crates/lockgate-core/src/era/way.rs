use std::collections::BTreeMap;

use lockgate_era::{Bounds, Bridge};
use lockgate_model::{Era, ExchangeId, ServerName};

use super::doubt::Refusal;
use super::trial::{Kept, Trial};
use crate::{Permit, Sent, Step};

/// How the servers of a session are spoken to.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    pub(super) ways: BTreeMap<ServerName, Way>,
    /// Does a server speak an era? As far as the operator says so or it was found out before.
    pub(super) known: BTreeMap<(ServerName, Era), bool>,
}

/// How one server is spoken to.
#[derive(Debug)]
pub(super) struct Way {
    /// The era of the session.
    pub(super) era: Era,
    pub(super) manner: Manner,
    /// What was sent before it was known that the server speaks the other era, and has no answer yet.
    pub(super) late: BTreeMap<ExchangeId, Kept>,
    /// What the server answered to what then was sent in the other era, until it has understood that.
    pub(super) doubts: BTreeMap<ExchangeId, Refusal>,
    /// Has it understood the other era?
    pub(super) sure: bool,
    /// Is it only a guess that it does not speak the session's?
    pub(super) suspect: bool,
}

/// In which era.
#[derive(Debug)]
pub(super) enum Manner {
    /// It is being found out whether it speaks the session's era.
    Tried(Trial),
    /// It speaks the session's era.
    Same,
    /// It speaks the other one.
    Bridged(Box<Bridge>),
}

impl Ways {
    /// Is it known that the server is spoken to in this era, as the session is?
    pub(super) fn is_same(&self, server: &ServerName, era: Era) -> bool {
        self.ways.get(server).is_some_and(|way| way.era == era && matches!(way.manner, Manner::Same))
    }

    /// The era that the session speaks with the server: what a request says, and for all else that of the requests before.
    pub(super) fn era_of(&self, permit: &Permit) -> Era {
        let said = permit.head.revision.era();
        match self.ways.get(&permit.server) {
            Some(way) if permit.head.sent != Sent::Request => way.era,
            Some(_) | None => said,
        }
    }

    pub(super) fn crosses(&self, server: &ServerName) -> bool {
        self.ways.get(server).is_some_and(|way| !matches!(way.manner, Manner::Same))
    }

    pub(super) fn bridge(&self, server: &ServerName) -> Option<&Bridge> {
        match &self.ways.get(server)?.manner {
            Manner::Bridged(bridge) => Some(bridge),
            Manner::Tried(_) | Manner::Same => None,
        }
    }

    pub(super) fn is_sure(&self, server: &ServerName) -> bool {
        self.ways.get(server).is_some_and(|way| way.sure)
    }

    pub(super) fn wait(&self) -> bool {
        self.ways.values().any(|way| match &way.manner {
            Manner::Tried(trial) => trial.waits(),
            Manner::Same => false,
            Manner::Bridged(bridge) => bridge.waits(),
        })
    }
}

impl Way {
    /// It has understood the other era: that is known from now on, and what it said before does not matter.
    pub(super) fn settle(&mut self, server: &ServerName, steps: &mut Vec<Step>) {
        if let Manner::Bridged(bridge) = &self.manner
            && bridge.is_understood()
            && !self.sure
        {
            self.sure = true;
            self.doubts.clear();
            steps.push(Step::Era { server: server.clone(), era: self.era, speaks: false });
        }
    }

    /// Has it not understood the other era, and is nothing under way that would tell?
    pub(super) fn is_given_up(&self) -> bool {
        matches!(&self.manner, Manner::Bridged(bridge) if !self.sure && !bridge.waits())
    }

    /// The server speaks the other era, as it seems.
    pub(super) fn cross_over(&mut self, bounds: Bounds) {
        self.manner = Manner::Bridged(Box::new(Bridge::from(self.era, bounds)));
    }
}
