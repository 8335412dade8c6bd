//! What a server says of its own results asks for more care, and never for more trust.
#![allow(clippy::unwrap_used, reason = "a test that fails here has found something")]

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use lockgate_core::{Boundary, Core, Event, Front, Identity, Received, Scope, Server, Step, Wire};
use lockgate_flow::Trust;
use lockgate_model::Confidentiality::{self, Internal, Private, Public, Secret};
use lockgate_model::Integrity::{self, FreeText, Trusted};
use lockgate_model::{Limits, Principal, ServerName, SessionId, Side, Tick, Tier, UnixMillis};

/// What a session has read after one result of a server of that tier, and what the record of it notes.
fn read(tier: Tier, heard: bool, beside: &str) -> (Integrity, Confidentiality, Vec<&'static str>) {
    let name = ServerName::parse("x").unwrap();
    let server = Server { trust: Trust::of(tier), labels_heard: heard, ..Server::new(Wire::Lines) };
    let mut boundary = Boundary::new(BTreeMap::from([(name.clone(), server)]));
    boundary.records = true;
    let identity = Identity {
        session: SessionId::new("s"),
        principal: Principal::new("local"),
        client: None,
        bound: String::new(),
    };
    let mut core = Core::new(Arc::new(boundary), identity, Scope::One(name.clone()), Front::Stdio);
    let result = format!(r#"{{"content":[],"structuredContent":{{"city":"Bern"}}{beside}}}"#);
    let said = [
        (
            r#""initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}"#,
            r#"{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"x","version":"1"}}"#,
        ),
        (r#""tools/list","params":{}"#, r#"{"tools":[{"name":"get","inputSchema":{"type":"object"}}]}"#),
        (r#""tools/call","params":{"name":"get"}"#, &result),
    ];
    let mut notes = Vec::new();
    for (number, (asked, answer)) in said.into_iter().enumerate() {
        let mut steps = Vec::new();
        let bytes = Bytes::from(format!(r#"{{"jsonrpc":"2.0","id":{number},"method":{asked}}}"#));
        let received = Received::read(&bytes, Side::Agent, &Limits::default());
        let exchange = core.open();
        let at = UnixMillis(0);
        core.handle(Event::Agent { exchange, received, headers: None, at }, Tick(0), &mut steps);
        // The list is asked for under a number of its own where the call needs it first.
        let sent = steps
            .iter()
            .rev()
            .find_map(|step| if let Step::Send(permit) = step { permit.exchange() } else { None });
        let bytes = Bytes::from(format!(r#"{{"jsonrpc":"2.0","id":{},"result":{answer}}}"#, sent.unwrap()));
        let received = Received::read(&bytes, Side::Server, &Limits::default());
        steps.clear();
        core.handle(Event::Server { server: name.clone(), exchange: None, received }, Tick(0), &mut steps);
        notes = steps
            .into_iter()
            .filter_map(|step| if let Step::Record(record) = step { Some(record.notes) } else { None })
            .flatten()
            .collect();
    }
    (core.label().integrity(), core.label().secrecy().level, notes)
}

#[test]
fn labels_restrict() {
    const UNTRUSTED: &str = r#","_meta":{"ifc":{"integrity":"untrusted","confidentiality":"private"}}"#;
    const TRUSTED: &str = r#","_meta":{"ifc":{"integrity":"trusted","confidentiality":"public"}}"#;
    const HIGH: &str = r#","_meta":{"annotations":{"sensitiveHint":"high"}}"#;
    let ignored = vec!["label_ignored"];
    let cases = [
        (Tier::Core, true, "", (Trusted, Public, vec![])),
        (Tier::Core, true, UNTRUSTED, (FreeText, Private, vec![])),
        (Tier::Core, false, UNTRUSTED, (Trusted, Public, vec![])),
        (Tier::Core, true, HIGH, (Trusted, Secret, vec![])),
        (Tier::Internal, true, "", (Trusted, Internal, vec![])),
        (Tier::Internal, true, UNTRUSTED, (FreeText, Private, vec![])),
        (Tier::Mixed, true, "", (FreeText, Private, vec![])),
        (Tier::Mixed, true, TRUSTED, (FreeText, Private, ignored.clone())),
        (Tier::Open, true, TRUSTED, (FreeText, Public, ignored)),
        (Tier::Open, true, HIGH, (FreeText, Secret, vec![])),
        (Tier::Quarantined, true, HIGH, (FreeText, Secret, vec![])),
    ];
    for (tier, heard, beside, expected) in cases {
        assert_eq!(read(tier, heard, beside), expected, "{tier:?} {beside}");
    }
}
