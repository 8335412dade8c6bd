//! What the pure crates cost, without any system in the way: nanoseconds for each piece of work.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bench::text::{LEGACY, MODERN, around, blob, tools};
use bytes::Bytes;
use lockgate_core::{Boundary, Core, Event, Front, Identity, Received, Scope, Server, Speaks, Step, Wire};
use lockgate_model::{
    Era, ExchangeId, Limits, Message, Principal, ServerName, SessionId, Side, Tick, UnixMillis,
};

/// Each piece of work is repeated in batches of this length, and the fastest batch counts.
const BATCH: Duration = Duration::from_millis(20);
const BATCHES: usize = 25;

fn main() -> anyhow::Result<()> {
    let limits = Limits::default();
    println!("{:<52} {:>10} {:>8}", "", "ns", "GB/s");
    for (name, side, text) in [
        ("parse a call of 1 KiB", Side::Agent, call("1", "blob", 1 << 10)),
        ("parse a result of 1 KiB", Side::Server, answer("1", 1 << 10)),
        (
            "parse a list of tools of 36 KiB",
            Side::Server,
            result("1", &format!(r#"{{"tools":{}}}"#, tools(36 << 10))),
        ),
        ("parse a result of 1 MiB", Side::Server, answer("1", 1 << 20)),
    ] {
        ensure!(Message::parse(&text, side, &limits).is_ok(), "{name}: refused");
        say(name, text.len(), time(|| drop(black_box(Message::parse(black_box(&text), side, &limits)))));
    }
    for (scope, tool) in [(Scope::One(name()?), "blob"), (Scope::All, "up__blob")] {
        let shown = if scope == Scope::All { "all servers" } else { "one server" };
        for (size, bytes) in [("1 KiB", 1 << 10), ("100 KiB", 100 << 10), ("1 MiB", 1 << 20)] {
            let mut session = Session::open(scope.clone())?;
            let (call, answer) = (ask("7", tool, bytes), answer("7", bytes));
            ensure!(session.round(&call, &answer) == Some(answer.len()), "the call was not answered");
            say(
                &format!("core, {shown}: a call and its answer of {size}"),
                answer.len(),
                time(|| _ = black_box(session.round(black_box(&call), black_box(&answer)))),
            );
        }
    }
    let mut session = Session::with(Era::Legacy, Speaks::Legacy, Scope::One(name()?), false)?;
    let (call, answer) = (ask("7", "blob", 1 << 10), answer("7", 1 << 10));
    ensure!(session.round(&call, &answer) == Some(answer.len()), "the call was not answered");
    say(
        "core, one server: the same of 1 KiB, nothing pinned",
        answer.len(),
        time(|| _ = black_box(session.round(black_box(&call), black_box(&answer)))),
    );
    for (name, agent, server) in [
        ("an agent and a server of the handshake era", Era::Legacy, Speaks::Legacy),
        ("an agent and a server of the stateless era", Era::Modern, Speaks::Modern),
        ("translated for a server of the handshake era", Era::Modern, Speaks::Legacy),
        ("translated for a server of the stateless era", Era::Legacy, Speaks::Modern),
    ] {
        let mut session = Session::between(agent, server, Scope::One(self::name()?))?;
        let translated = agent == Era::Modern && server == Speaks::Legacy
            || agent == Era::Legacy && server == Speaks::Modern;
        let call = if agent == Era::Modern {
            stateless(&ask("7", "blob", 1 << 10))
        } else {
            ask("7", "blob", 1 << 10)
        };
        let (_, after) = around("7", server == Speaks::Modern);
        let rest =
            [around("", false).0.trim_start_matches(ANSWER).as_bytes(), &blob(1 << 10), after.as_bytes()]
                .concat();
        let mut round = || {
            let exchange = session.agent(black_box(&call));
            // On the wire a translated request has the number of its exchange.
            let id = if translated { exchange.0 } else { 7 };
            let answer = Bytes::from([ANSWER.as_bytes(), id.to_string().as_bytes(), &rest].concat());
            session.server(exchange, black_box(&answer));
            session.delivered()
        };
        ensure!(round().is_some_and(|length| length > 1 << 10), "{name}: the call was not answered");
        say(&format!("{name}: 1 KiB"), 1 << 10, time(|| _ = black_box(round())));
    }
    Ok(())
}

/// How the answer to a call begins.
const ANSWER: &str = r#"{"jsonrpc":"2.0","id":"#;

/// A request as the stateless era has it.
fn stateless(request: &Bytes) -> Bytes {
    let meta = format!(
        r#""params":{{"_meta":{{"io.modelcontextprotocol/protocolVersion":"{MODERN}","io.modelcontextprotocol/clientInfo":{{"name":"bench","version":"1"}},"io.modelcontextprotocol/clientCapabilities":{{}}}},"#
    );
    String::from_utf8_lossy(request).replacen(r#""params":{"#, &meta, 1).replacen(",}", "}", 1).into()
}

fn say(name: &str, bytes: usize, took: f64) {
    println!("{name:<52} {took:>10.0} {:>8.2}", bytes as f64 / took);
}

/// Nanoseconds for one run of the fastest batch.
fn time(mut work: impl FnMut()) -> f64 {
    let mut runs: u32 = 1;
    let mut best = f64::INFINITY;
    for _ in 0..BATCHES {
        let begun = Instant::now();
        (0..runs).for_each(|_| work());
        let took = begun.elapsed();
        if took >= BATCH / 2 {
            best = best.min(took.as_secs_f64() * 1e9 / f64::from(runs));
        }
        let wanted = BATCH.as_secs_f64() / (took.as_secs_f64() / f64::from(runs)).max(1e-9);
        runs = (wanted as u32).max(1);
    }
    best
}

/// One session behind the door, as a transport would drive it.
struct Session {
    core: Core,
    steps: Vec<Step>,
    limits: Limits,
    server: ServerName,
}

impl Session {
    fn open(scope: Scope) -> anyhow::Result<Self> {
        Self::between(Era::Legacy, Speaks::Legacy, scope)
    }

    fn between(agent: Era, speaks: Speaks, scope: Scope) -> anyhow::Result<Self> {
        Self::with(agent, speaks, scope, true)
    }

    fn with(agent: Era, speaks: Speaks, scope: Scope, pins: bool) -> anyhow::Result<Self> {
        let server = name()?;
        let settings = Server { speaks: Some(speaks), ..Server::new(Wire::Http) };
        let boundary = Boundary { pins, ..Boundary::new(BTreeMap::from([(server.clone(), settings)])) };
        let identity = Identity {
            session: SessionId::new("a2939b6cb3a4"),
            principal: Principal::new("local"),
            client: None,
            bound: String::new(),
        };
        let core = Core::new(Arc::new(boundary), identity, scope, Front::Http);
        let mut session = Self { core, steps: Vec::new(), limits: Limits::default(), server };
        let hello = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{{"protocolVersion":"{LEGACY}","capabilities":{{}},"clientInfo":{{"name":"bench","version":"1"}}}}}}"#
        );
        if agent == Era::Legacy {
            session.round_of(&hello.into()).context("no handshake")?;
        }
        let list = Bytes::from_static(br#"{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{}}"#);
        let list = if agent == Era::Modern { stateless(&list) } else { list };
        session.round_of(&list).context("no list of tools")?;
        Ok(session)
    }

    /// A request, and a result for whatever is asked of the server because of it.
    fn round_of(&mut self, request: &Bytes) -> Option<usize> {
        let greeting = format!(
            r#"{{"protocolVersion":"{LEGACY}","supportedVersions":["{MODERN}"],"resultType":"complete","capabilities":{{"tools":{{}}}},"serverInfo":{{"name":"x","version":"1"}}}}"#
        );
        let list = format!(
            r#"{{"resultType":"complete","ttlMs":0,"cacheScope":"private","tools":{}}}"#,
            tools(8_000)
        );
        self.agent(request);
        loop {
            let asked = self.steps.iter().find_map(|step| match step {
                Step::Send(permit) => Some((permit.exchange()?, permit.message().clone())),
                _ => None,
            });
            let Some((exchange, message)) = asked else { return self.delivered() };
            let message = serde_json::from_slice::<serde_json::Value>(&message).ok()?;
            let answer = if message["method"] == "tools/list" { &list } else { &greeting };
            self.server(exchange, &result(&message["id"].to_string(), answer));
        }
    }

    /// A call and its answer. How long the delivered answer is.
    fn round(&mut self, call: &Bytes, answer: &Bytes) -> Option<usize> {
        let exchange = self.agent(call);
        self.server(exchange, answer);
        self.delivered()
    }

    fn agent(&mut self, message: &Bytes) -> ExchangeId {
        let exchange = self.core.open();
        let received = Received::read(message, Side::Agent, &self.limits);
        self.steps.clear();
        self.core.handle(
            Event::Agent { exchange, received, headers: None, at: UnixMillis(0) },
            Tick(0),
            &mut self.steps,
        );
        exchange
    }

    fn server(&mut self, exchange: ExchangeId, message: &Bytes) {
        let received = Received::read(message, Side::Server, &self.limits);
        self.steps.clear();
        let event = Event::Server { server: self.server.clone(), exchange: Some(exchange), received };
        self.core.handle(event, Tick(0), &mut self.steps);
    }

    fn delivered(&self) -> Option<usize> {
        self.steps.iter().find_map(|step| match step {
            Step::Deliver(release) => Some(release.message().len()),
            _ => None,
        })
    }
}

fn name() -> anyhow::Result<ServerName> {
    ServerName::parse("up").context("a server's name")
}

fn call(id: &str, tool: &str, bytes: usize) -> Bytes {
    let text = blob(bytes);
    let text = String::from_utf8_lossy(&text);
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}","arguments":{{"text":{text}}}}}}}"#
    )
    .into()
}

fn ask(id: &str, tool: &str, bytes: usize) -> Bytes {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}","arguments":{{"bytes":{bytes}}}}}}}"#
    )
    .into()
}

fn answer(id: &str, bytes: usize) -> Bytes {
    let (before, after) = around(id, false);
    [before.as_bytes(), &blob(bytes), after.as_bytes()].concat().into()
}

fn result(id: &str, result: &str) -> Bytes {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#).into()
}
