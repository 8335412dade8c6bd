//! Whatever a server and an agent do: nothing panics, every request ends once, and nothing of one era is said in the other.

use std::collections::BTreeMap;

use bytes::Bytes;
use lockgate_model::{Body, ExchangeId, Reason, Side, Tick};
use proptest::prelude::*;

use super::super::Handshake;
use super::{json, method};
use crate::message::read;
use crate::{Bounds, Moment, Out};

/// What may be said, with `#` for a number that is drawn: an exchange, an id or a round.
const AGENT: &[&str] = &[
    r#"{"id":"r#","method":"server/discover","params":{"_meta":{$all}}}"#,
    r#"{"id":"r#","method":"tools/list","params":{"_meta":{$none}}}"#,
    r#"{"id":"r#","method":"tools/call","params":{"name":"t","_meta":{$all,"progressToken":"p","P/logLevel":"info"}}}"#,
    r#"{"id":"r#","method":"tools/call","params":{"name":"t","_meta":{$all}}}"#,
    r#"{"id":"r#","method":"tools/call","params":{"name":"t","requestState":"?.1","inputResponses":{"question-1":{"roots":[]}},"_meta":{$all}}}"#,
    r#"{"id":"r#","method":"tools/call","params":{"name":"t","requestState":"?.2","inputResponses":{},"_meta":{$none}}}"#,
    r#"{"id":"r#","method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true,"resourceSubscriptions":["a:?"]},"_meta":{$all}}}"#,
    r#"{"id":"r#","method":"skills/list","params":{"_meta":{$all}}}"#,
];
const SERVER: &[&str] = &[
    r#"{"id":?,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"resources":{"subscribe":true},"logging":{}}}}"#,
    r#"{"id":?,"result":{"resultType":"input_required","requestState":"1.1","_meta":{"P/serverInfo":1}}}"#,
    r#"{"id":?,"error":{"code":-32042,"message":"m","data":{"elicitations":[{"mode":"url","url":"u","message":"m"}]}}}"#,
    r#"{"id":null,"error":{"code":-32002,"message":"m"}}"#,
    r#"{"id":"q?","method":"roots/list"}"#,
    r#"{"id":"q","method":"elicitation/create","params":{"message":"m"}}"#,
    r#"{"method":"notifications/progress","params":{"progressToken":?,"progress":1}}"#,
    r#"{"method":"notifications/message","params":{"level":"error","data":1,"_meta":{"P/subscriptionId":1}}}"#,
    r#"{"method":"notifications/cancelled","params":{"requestId":"q?"}}"#,
    r#"{"method":"notifications/tools/list_changed"}"#,
    r#"{"method":"notifications/resources/updated","params":{"uri":"a:?"}}"#,
    r#"{"id":?"#,
];

#[derive(Default)]
struct World {
    /// The requests of the session that have no end, with their ids.
    open: BTreeMap<ExchangeId, String>,
    /// Where the bridge has sent something that wants an answer, the newest last.
    wires: Vec<ExchangeId>,
    next: u64,
    now: Tick,
}

impl World {
    fn moment<'m>(&'m mut self, out: &'m mut Vec<Out>) -> Moment<'m> {
        Moment { now: self.now, next: &mut self.next, out }
    }

    /// One of the newest exchanges of the wire.
    fn wire(&self, draw: usize) -> ExchangeId {
        let back = draw / 2 % 4 + 1;
        let at = self.wires.len().checked_sub(back);
        at.and_then(|at| self.wires.get(at)).copied().unwrap_or(ExchangeId(7))
    }

    fn see(&mut self, out: Vec<Out>, heard: &[u8]) {
        for out in out {
            match out {
                Out::Send { exchange, message, .. } => {
                    self.wires.extend(exchange);
                    let text = String::from_utf8_lossy(&message);
                    for never in ["requestState", "inputResponses", "P/"] {
                        let never = never.replace("P/", "io.modelcontextprotocol/");
                        assert!(!text.contains(&never), "{text}");
                    }
                }
                Out::Said { exchange: Some(exchange), message } => {
                    let id = self.open.get(&exchange).expect("nothing is said to who does not wait").clone();
                    let Ok(said) = read(&message, Side::Server) else {
                        assert_eq!(&message[..], heard);
                        self.open.remove(&exchange);
                        continue;
                    };
                    match said.body {
                        Body::Result { id: own, fields, .. } => {
                            assert_eq!(own.text().unwrap(), id);
                            assert!(fields.get("resultType").is_some());
                            self.open.remove(&exchange);
                        }
                        Body::Error { id: own, .. } => {
                            assert_eq!(own.unwrap().text().unwrap(), id);
                            self.open.remove(&exchange);
                        }
                        Body::Notification { .. } => {}
                        Body::Request { .. } => panic!("a stateless session is asked nothing"),
                    }
                }
                Out::Said { exchange: None, message } => {
                    let stray = read(&message, Side::Server).map(|said| said.body);
                    assert!(matches!(stray, Err(_) | Ok(Body::Error { id: None, .. })));
                }
                Out::Failed { exchange, .. } => {
                    self.open.remove(&exchange).expect("nothing fails that does not wait");
                }
                Out::Abandon { .. } | Out::Listen => {}
            }
        }
    }
}

proptest! {
    #[test]
    fn every_request_ends_once(
        greeted in any::<bool>(),
        steps in prop::collection::vec((0..12_u8, any::<u8>(), any::<u8>()), 1..150),
    ) {
        let bounds = Bounds { waiting: 4, questions: 1, ..Bounds::default() };
        let mut bridge = Handshake::new(bounds);
        let mut world = World { next: 1000, ..World::default() };
        let mut exchange = 0;
        // The newest exchange of the wire is that of the handshake then.
        let start: &[(u8, u8, u8)] = if greeted { &[(0, 0, 0), (3, 0, 0)] } else { &[] };
        for (step, what, draw) in start.iter().copied().chain(steps) {
            let (what, draw) = (usize::from(what), usize::from(draw));
            let wire = world.wire(draw);
            let mut out = Vec::new();
            let mut heard = Bytes::new();
            match step {
                0..=2 => {
                    exchange += 1;
                    let text = AGENT[what % AGENT.len()].replace('#', &exchange.to_string());
                    let message = Bytes::from(json(&text.replace('?', &wire.to_string())));
                    world.open.insert(ExchangeId(exchange), format!("r{exchange}"));
                    bridge.request(ExchangeId(exchange), method(&message), &message, &mut world.moment(&mut out));
                }
                3..=8 => {
                    let text = SERVER[what % SERVER.len()].replace('?', &wire.to_string());
                    heard = Bytes::from(json(&text));
                    let on = draw.is_multiple_of(2).then_some(wire);
                    bridge.heard(on, &heard, &mut world.moment(&mut out));
                }
                9 => {
                    let gone = world.open.keys().nth(draw % 3).copied();
                    if let Some(gone) = gone {
                        world.open.remove(&gone);
                        bridge.abandon(gone, &mut world.moment(&mut out));
                    }
                }
                10 if what < 128 => bridge.forgotten(wire, &mut world.moment(&mut out)),
                10 => {
                    let all = what > 240;
                    let lost = (!all).then_some(wire);
                    bridge.failed(lost, Reason::ServerExited, &mut world.moment(&mut out));
                }
                _ => {
                    world.now = world.now.after_millis(draw as u64 * 200);
                    bridge.wake(&mut world.moment(&mut out));
                }
            }
            world.see(out, &heard);
        }
        let mut out = Vec::new();
        bridge.failed(None, Reason::ServerExited, &mut world.moment(&mut out));
        world.see(out, b"");
        assert!(world.open.is_empty(), "{:?}", world.open);
        assert!(!bridge.waits());
        assert!(world.wires.iter().all(|wire| !bridge.awaits(*wire)));
    }
}
