//! What a server says unasked.

use bytes::Bytes;
use lockgate_model::{ExchangeId, Params, Splice};

use super::Handshake;
use super::call::Owner;
use super::greet::severity;
use crate::Moment;
use crate::meta;

impl Handshake {
    /// A notification of the server.
    pub(super) fn notified(
        &mut self,
        exchange: Option<ExchangeId>,
        message: &Bytes,
        method: &str,
        params: &Params<'_>,
        moment: &mut Moment<'_>,
    ) {
        let (owner, token) = match method {
            "notifications/cancelled" => return self.withdrawn(params),
            "notifications/progress" => {
                let owner = self.of_progress(exchange, params);
                (owner, owner.and_then(|owner| owner.token.clone()))
            }
            "notifications/message" => (self.of_log(exchange, params), None),
            "notifications/elicitation/complete" => (self.newest(exchange, |_| true), None),
            _ => return self.listens.announce(message, method, params, moment),
        };
        let Some(owner) = owner else { return };
        let mut splice = Splice::new(message);
        if let Some(token) = token
            && let Some(given) = params.get("progressToken")
        {
            splice.replace(given, token.to_vec());
        }
        if let Some(meta) = params.meta()
            && meta.members().any(|(key, _)| meta::is_reserved(&key.text()))
        {
            splice.replace(meta, meta::crossing(params, &[]).json());
        }
        let said = if splice.is_empty() { message.clone() } else { splice.finish() };
        moment.said(owner.exchange, said);
    }

    /// Who wants this progress: the token is the number of the exchange.
    fn of_progress(&self, exchange: Option<ExchangeId>, params: &Params<'_>) -> Option<&Owner> {
        let wire = params.get("progressToken")?.unsigned().map(ExchangeId)?;
        let call = self.calls.get(&wire).filter(|_| exchange.is_none_or(|exchange| exchange == wire))?;
        call.owner.as_ref().filter(|owner| owner.token.is_some())
    }

    /// Who wants this log: the call on whose stream it comes, elsewhere the newest that wants one of its level.
    fn of_log(&self, exchange: Option<ExchangeId>, params: &Params<'_>) -> Option<&Owner> {
        let severity = severity(params.get("level"))?;
        self.newest(exchange, |owner| owner.level.is_some_and(|least| least <= severity))
    }

    fn newest(&self, exchange: Option<ExchangeId>, wants: impl Fn(&Owner) -> bool) -> Option<&Owner> {
        let here = self.calls.iter().rev().filter(|(wire, _)| exchange.is_none_or(|here| here == **wire));
        here.filter_map(|(_, call)| call.owner.as_ref()).find(|owner| wants(owner))
    }
}
