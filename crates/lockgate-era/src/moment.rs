use bytes::Bytes;
use lockgate_model::{ExchangeId, Reason, Tick};

use crate::object::Object;
use crate::{Out, message};

/// What a bridge needs of the session for one event: the time, new exchanges, and a place for what is to be done.
#[derive(Debug)]
pub struct Moment<'m> {
    /// The time of the event.
    pub now: Tick,
    /// The number of the next new exchange.
    pub next: &'m mut u64,
    /// What is to be done, in order.
    pub out: &'m mut Vec<Out>,
}

impl Moment<'_> {
    /// A new exchange, for a request of the bridge's own.
    pub fn open(&mut self) -> ExchangeId {
        let exchange = ExchangeId(*self.next);
        *self.next += 1;
        exchange
    }

    /// A request of the bridge's own.
    pub(crate) fn ask(&mut self, method: &'static str, params: Object) -> ExchangeId {
        let exchange = self.open();
        self.send(exchange, method, message::request(exchange, method, params.json()));
        exchange
    }

    pub(crate) fn send(&mut self, exchange: ExchangeId, method: &'static str, message: Bytes) {
        self.out.push(Out::Send { exchange: Some(exchange), method: Some(method), message });
    }

    pub(crate) fn tell(&mut self, method: &'static str, message: Bytes) {
        self.out.push(Out::Send { exchange: None, method: Some(method), message });
    }

    /// Answers a question of the server.
    pub(crate) fn reply(&mut self, message: Bytes) {
        self.out.push(Out::Send { exchange: None, method: None, message });
    }

    pub(crate) fn said(&mut self, exchange: ExchangeId, message: Bytes) {
        self.out.push(Out::Said { exchange: Some(exchange), message });
    }

    pub(crate) fn fail(&mut self, exchange: ExchangeId, reason: Reason) {
        self.out.push(Out::Failed { exchange, reason });
    }

    pub(crate) fn in_millis(&self, millis: u64) -> Tick {
        self.now.after_millis(millis)
    }
}
