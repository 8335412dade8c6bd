//! It is only a guess that a server speaks the other era, until it has understood something that was said in it.

use bytes::Bytes;
use lockgate_model::{ExchangeId, Json, Reason, ServerName, Tick};

use crate::{Core, Permit, Step};

/// How a server refused what it may not have understood.
#[derive(Debug)]
pub(super) enum Refusal {
    Said(Bytes),
    Failed(Reason),
    /// Not at all: it was never sent in the session's era.
    Unsent(Box<Permit>),
}

impl Core {
    /// Where it is only a guess that a server speaks the other era, what is sent is kept until it has understood that.
    pub(super) fn doubt(&mut self, permit: &Permit) {
        let Permit { server, exchange, message, head, rule, .. } = permit;
        let Self { ways, exchanges, .. } = self;
        if let Some(way) = ways.ways.get_mut(server)
            && let Some(exchange) = *exchange
            && way.suspect
            && !way.sure
        {
            way.doubts.retain(|exchange, _| exchanges.get(*exchange).is_some());
            let copy = Self::permit(server, Some(exchange), message.clone(), head.clone(), rule.clone());
            way.doubts.insert(exchange, Refusal::Unsent(Box::new(copy.plain())));
        }
    }

    /// A server does not answer. Where it did not understand what was sent in the other era either, what it said first
    /// holds.
    pub(super) fn not_understood(
        &mut self,
        server: &ServerName,
        exchange: ExchangeId,
        reason: Reason,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let doubt = self.take_doubt(server, exchange);
        let refusal = doubt.map_or(Refusal::Failed(reason), |(_, refusal)| refusal);
        self.refused(server, exchange, refusal, now, steps);
    }

    pub(super) fn take_doubt(
        &mut self,
        server: &ServerName,
        exchange: ExchangeId,
    ) -> Option<(ExchangeId, Refusal)> {
        self.ways.ways.get_mut(server)?.doubts.remove_entry(&exchange)
    }

    pub(super) fn refused(
        &mut self,
        server: &ServerName,
        exchange: ExchangeId,
        refusal: Refusal,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        match refusal {
            Refusal::Failed(reason) => self.failed(server, Some(exchange), reason, now, steps),
            Refusal::Unsent(permit) => steps.push(Step::Send(*permit)),
            Refusal::Said(message) => self.said_across(server, Some(exchange), &message, now, steps),
        }
    }
}

/// Is it the answer that something went wrong?
pub(super) fn is_error(message: &Bytes) -> bool {
    Json::check(message, 128).is_ok_and(|message| message.get("error").is_some())
}
