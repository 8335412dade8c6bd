//! For tests: permits, which only the core makes, so that a session is opened for each; and requests as a server reads them.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use lockgate_core::{
    Boundary, Core, Event, Front, Headers, Identity, Permit, Received, Scope, Server, Step, Wire,
};
use lockgate_model::{Limits, Principal, ServerName, SessionId, Side, Tick, UnixMillis};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Leave to send an `initialize` request that carries this text.
pub(crate) fn greeting(wire: Wire, text: &str) -> Permit {
    let message = format!(
        r#"{{"jsonrpc":"2.0","id":"i","method":"initialize","params":{{"protocolVersion":"2025-06-18","capabilities":{{}},"clientInfo":{{"name":"t","version":"{text}"}}}}}}"#
    );
    permit(wire, &message, None)
}

/// Leave to send a request of revision 2026-07-28.
pub(crate) fn stateless(method: &str) -> Permit {
    let message = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
    );
    let headers = Headers {
        version: Some("2026-07-28".to_owned()),
        method: Some(method.to_owned()),
        ..Headers::default()
    };
    permit(Wire::Http, &message, Some(headers))
}

fn permit(wire: Wire, message: &str, headers: Option<Headers>) -> Permit {
    let name = ServerName::parse("x").unwrap();
    let boundary = Boundary::new(BTreeMap::from([(name.clone(), Server::new(wire))]));
    let identity = Identity {
        session: SessionId::new("s"),
        principal: Principal::new("local"),
        client: None,
        bound: String::new(),
    };
    let front = if headers.is_some() { Front::Http } else { Front::Stdio };
    let mut core = Core::new(Arc::new(boundary), identity, Scope::One(name), front);
    let bytes = Bytes::from(message.to_owned());
    let received = Received::read(&bytes, Side::Agent, &Limits::default());
    let exchange = core.open();
    let mut steps = Vec::new();
    core.handle(Event::Agent { exchange, received, headers, at: UnixMillis(0) }, Tick(0), &mut steps);
    let sent =
        steps.into_iter().find_map(|step| if let Step::Send(permit) = step { Some(permit) } else { None });
    sent.unwrap()
}

/// The next request on a connection, head and body; none where there is no more.
pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut text = String::new();
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text);
            }
        }
        let mut piece = [0; 4096];
        let count = stream.read(&mut piece).await.ok().filter(|count| *count > 0)?;
        text.push_str(std::str::from_utf8(&piece[..count]).unwrap());
    }
}
