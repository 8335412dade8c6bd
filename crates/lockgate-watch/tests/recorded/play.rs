//! Sessions as records, with times that a working day has.

use lockgate_audit::{Happening, Measure, Record};
use lockgate_model::{Finding, Phase, Principal, Reason, ServerName, SessionId, UnixMillis, Verdict};

use crate::sessions::{Session, Turn};

/// Numbers that are the same in every run (xorshift64*).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// Below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end.max(1)
    }

    pub(crate) fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last - first + 1)
    }

    pub(crate) fn shuffle<T>(&mut self, all: &mut [T]) {
        for place in (1..all.len()).rev() {
            all.swap(place, usize::try_from(self.below(place as u64 + 1)).unwrap());
        }
    }
}

const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * HOUR;
/// Monday, 5 January 2026.
const BEGIN: u64 = 20_458 * DAY;
/// Sessions that a principal begins on a working day.
const A_DAY: u64 = 12;

/// When a session begins that is the `number`th of its principal: twelve on each working day, nine in ten of them between 8
/// and 18 hours, the others until 22.
pub(crate) fn begins(number: u64, dice: &mut Dice) -> u64 {
    let day = number / A_DAY;
    let within =
        if dice.below(10) == 0 { 18 * HOUR + dice.below(4 * HOUR) } else { 8 * HOUR + dice.below(10 * HOUR) };
    BEGIN + (day / 5 * 7 + day % 5) * DAY + within
}

/// The records of a session with their times. Between two calls an agent thinks for 1.5 to 20 seconds, mostly for a few.
pub(crate) fn records(
    session: &Session,
    name: &str,
    begin: u64,
    dice: &mut Dice,
) -> Vec<(UnixMillis, Record)> {
    let mut at = begin;
    let mut records = Vec::new();
    for (number, turn) in session.turns.iter().enumerate() {
        let thinks = dice.below(1_000);
        at += turn.gap.unwrap_or(1_500 + thinks * thinks * 18_500 / 1_000_000);
        let request = request(session, name, number, turn);
        records.push((UnixMillis(at), request.clone()));
        if !turn.refused {
            let took = dice.between(50, 800).min(turn.gap.unwrap_or(800).max(2) / 2);
            records.push((UnixMillis(at + took), answer(request, turn)));
        }
    }
    records
}

fn request(session: &Session, name: &str, number: usize, turn: &Turn) -> Record {
    let finding = Finding::deny(Phase::Identify, Reason::UnknownTool, "protocol");
    Record {
        session: SessionId::new(name),
        principal: Principal::new(&session.principal),
        correlation: format!("{name}-{number}"),
        method: Some("tools/call"),
        server: ServerName::parse(&turn.server),
        target: Some(turn.tool.clone()),
        arguments: Some(turn.arguments.clone()),
        measure: turn.measure.clone(),
        verdict: if turn.refused { Verdict::Deny } else { Verdict::Forward },
        finding: turn.refused.then_some(finding),
        ..Record::of_gateway(Happening::Request)
    }
}

fn answer(request: Record, turn: &Turn) -> Record {
    let notes = if turn.failed { vec!["failed"] } else { Vec::new() };
    let measure = Measure {
        result_bytes: Some(turn.result_bytes),
        destinations: Vec::new(),
        ..request.measure.clone()
    };
    Record {
        happening: Happening::Answer,
        verdict: Verdict::Forward,
        finding: None,
        notes,
        measure,
        ..request
    }
}
