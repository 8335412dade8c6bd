//! A client, any number of bridges, and a server, with what is on its way between them.

use std::collections::VecDeque;

use crate::{Bounds, Handshake, Moment, Out, Stateless};
use bytes::Bytes;
use lockgate_model::{Direction, ExchangeId, Method, MethodKind, Reason, Revision, Tick};
use serde_json::Value;

use super::client::{Client, FIRST};
use super::server::Server;

/// On its way to the server.
#[derive(Clone, Debug)]
pub(super) enum Up {
    Request(ExchangeId, Bytes),
    Tell(Bytes),
    Answer(Bytes),
    Abandon(ExchangeId),
}

/// On its way to the client.
#[derive(Clone, Debug)]
pub(super) enum Down {
    Said(Option<ExchangeId>, Bytes),
    Failed(ExchangeId, Reason),
}

pub(super) enum Bridge {
    Stateless(Stateless),
    Handshake(Handshake),
}

/// Both are asked in the same way.
macro_rules! bridge {
    ($this:expr, $bridge:ident => $ask:expr) => {
        match $this {
            Self::Stateless($bridge) => $ask,
            Self::Handshake($bridge) => $ask,
        }
    };
}

impl Bridge {
    pub(super) fn stateless() -> Self {
        Self::Stateless(Stateless::new(Bounds::default()))
    }

    pub(super) fn handshake() -> Self {
        Self::Handshake(Handshake::new(Bounds::default()))
    }

    fn method(message: &Bytes, kind: MethodKind) -> &'static str {
        let message: Value = serde_json::from_slice(message).unwrap();
        let name = message["method"].as_str().unwrap();
        let revisions = [Revision::R2025_11_25, Revision::R2026_07_28];
        revisions
            .iter()
            .find_map(|revision| Method::find(name, kind, Direction::ToServer, *revision))
            .unwrap()
            .name
    }

    fn up(&mut self, up: Up, moment: &mut Moment<'_>) {
        match up {
            Up::Request(exchange, message) => {
                let method = Self::method(&message, MethodKind::Request);
                bridge!(self, bridge => bridge.request(exchange, method, &message, moment));
            }
            Up::Tell(message) => {
                let method = Self::method(&message, MethodKind::Notification);
                bridge!(self, bridge => bridge.notification(method, &message, moment));
            }
            Up::Answer(message) => bridge!(self, bridge => bridge.answer(&message, moment)),
            Up::Abandon(exchange) => bridge!(self, bridge => bridge.abandon(exchange, moment)),
        }
    }

    fn down(&mut self, down: Down, moment: &mut Moment<'_>) {
        match down {
            Down::Said(exchange, message) => {
                bridge!(self, bridge => bridge.heard(exchange, &message, moment));
            }
            Down::Failed(exchange, reason) => {
                bridge!(self, bridge => bridge.failed(Some(exchange), reason, moment));
            }
        }
    }

    fn wake(&mut self, moment: &mut Moment<'_>) {
        bridge!(self, bridge => bridge.wake(moment));
    }
}

pub(super) struct Chain {
    pub(super) client: Client,
    pub(super) bridges: Vec<Bridge>,
    pub(super) server: Server,
    pipe: bool,
    next: u64,
    now: Tick,
    up: VecDeque<Up>,
    down: VecDeque<Down>,
    /// Between the last bridge and the server.
    wire_up: VecDeque<Up>,
    wire_down: VecDeque<Down>,
}

impl Chain {
    pub(super) fn new(client: Client, bridges: Vec<Bridge>, server: Server, pipe: bool) -> Self {
        let queues = (VecDeque::new(), VecDeque::new());
        let (up, down) = queues.clone();
        let (wire_up, wire_down) = queues.clone();
        Self { client, bridges, server, pipe, next: FIRST, now: Tick(0), up, down, wire_up, wire_down }
    }

    /// Does one of the things that can be done; none where there is nothing.
    pub(super) fn step(&mut self, choice: u8) -> bool {
        self.gather();
        let ready = self.server.ready();
        let mut can: Vec<usize> = Vec::new();
        if !self.up.is_empty() {
            can.push(0);
        }
        if !self.down.is_empty() {
            can.push(1);
        }
        if !self.wire_up.is_empty() {
            can.push(2);
        }
        if !self.wire_down.is_empty() {
            can.push(3);
        }
        can.extend(ready.iter().map(|index| index + 4));
        let Some(what) = can.get(usize::from(choice) % can.len().max(1)) else { return false };
        self.carry(*what);
        true
    }

    /// So much time passes that nobody waits for anything any more. Milliseconds.
    pub(super) fn pass(&mut self, millis: u64) {
        self.now = self.now.after_millis(millis);
        for level in 0..self.bridges.len() {
            let mut out = Vec::new();
            let mut moment = Moment { now: self.now, next: &mut self.next, out: &mut out };
            self.bridges[level].wake(&mut moment);
            self.done(level, out);
        }
    }

    /// Everything on its way arrives; the server does nothing of its own.
    pub(super) fn settle(&mut self) {
        loop {
            self.gather();
            let full = [
                !self.up.is_empty(),
                !self.down.is_empty(),
                !self.wire_up.is_empty(),
                !self.wire_down.is_empty(),
            ];
            let Some(what) = full.iter().position(|full| *full) else { return };
            self.carry(what);
        }
    }

    fn gather(&mut self) {
        self.up.extend(self.client.out.drain(..));
        self.wire_down.extend(self.server.out.drain(..));
    }

    fn carry(&mut self, what: usize) {
        match what {
            0 => {
                let up = self.up.pop_front().unwrap();
                self.push_up(0, up);
            }
            1 => {
                let down = self.down.pop_front().unwrap();
                self.client.hear(down);
            }
            2 => {
                let up = self.wire_up.pop_front().unwrap();
                self.server.hear(up);
            }
            3 => {
                let down = self.wire_down.pop_front().unwrap();
                self.push_down(self.bridges.len(), down);
            }
            index => self.server.advance(index - 4),
        }
    }

    fn push_up(&mut self, level: usize, up: Up) {
        if level == self.bridges.len() {
            return self.wire_up.push_back(up);
        }
        let mut out = Vec::new();
        let mut moment = Moment { now: self.now, next: &mut self.next, out: &mut out };
        self.bridges[level].up(up, &mut moment);
        self.done(level, out);
    }

    /// Said by what stands at `level`, to what stands before it.
    fn push_down(&mut self, level: usize, down: Down) {
        let Some(before) = level.checked_sub(1) else { return self.down.push_back(down) };
        let down = match down {
            Down::Said(_, message) if self.pipe => Down::Said(None, message),
            Down::Said(..) | Down::Failed(..) => down,
        };
        let mut out = Vec::new();
        let mut moment = Moment { now: self.now, next: &mut self.next, out: &mut out };
        self.bridges[before].down(down, &mut moment);
        self.done(before, out);
    }

    fn done(&mut self, level: usize, out: Vec<Out>) {
        for out in out {
            match out {
                Out::Send { exchange: Some(exchange), message, .. } => {
                    self.push_up(level + 1, Up::Request(exchange, message));
                }
                Out::Send { exchange: None, method: Some(_), message } => {
                    self.push_up(level + 1, Up::Tell(message));
                }
                Out::Send { exchange: None, method: None, message } => {
                    self.push_up(level + 1, Up::Answer(message));
                }
                Out::Abandon { exchange } => self.push_up(level + 1, Up::Abandon(exchange)),
                Out::Said { exchange, message } => self.push_down(level, Down::Said(exchange, message)),
                Out::Failed { exchange, reason } => self.push_down(level, Down::Failed(exchange, reason)),
                Out::Listen => {}
            }
        }
    }
}
