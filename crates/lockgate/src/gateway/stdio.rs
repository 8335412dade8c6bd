//! The stdio front: one agent, one session, lines both ways.

use std::sync::Arc;

use bytes::Bytes;
use lockgate_core::{Core, Front, Identity, Received, Scope};
use lockgate_model::{ClientName, Principal, ServerName, SessionId, Side};
use lockgate_telemetry::Transport;
use lockgate_transport::lines::{Line, LineReader, as_line};
use lockgate_transport::pipes;
use lockgate_watch::{Event as Told, EventName};
use tokio::io::AsyncWriteExt;
use tokio::sync::{mpsc, watch};

use super::serve::{runtime, stopped};
use super::session::{Delivery, Session, Via};
use super::{Gateway, Watched};
use crate::config::Config;

/// What the agent on the pipe can reach.
#[derive(Clone, Debug)]
pub enum Pipe {
    /// One server, as if Lockgate were not there. When the server ends, so does Lockgate.
    One(ServerName),
    /// Every server.
    All,
}

/// Serves one agent on standard input and output until its input ends.
pub fn serve_stdio(config: &Config, pipe: &Pipe, file: Option<Watched>) -> Result<(), String> {
    let gateway = Gateway::new(config)?;
    gateway.record_start();
    let scope = match pipe {
        Pipe::One(server) if !config.boundary.servers.contains_key(server) => {
            let known: Vec<_> = config.boundary.servers.keys().map(ServerName::as_str).collect();
            return Err(format!("no server `{server}` is configured\n  hint: there is {}", known.join(", ")));
        }
        Pipe::One(server) => Scope::One(server.clone()),
        Pipe::All => Scope::All,
    };
    // A client may start several gateways with one configuration: the others go on without a listener.
    let telling = gateway.report(config, Transport::Pipe).unwrap_or_else(|error| {
        gateway.say(&error);
        None
    });
    let runtime = runtime()?;
    let outcome = runtime.block_on(async {
        tokio::spawn(Arc::clone(&gateway).keep_time());
        let (close, closing) = watch::channel(false);
        let mut people = gateway.open_desk(config, &closing).await?;
        if let Some(file) = file {
            tokio::spawn(file.keep(Arc::clone(&gateway)));
        }
        let name = Gateway::mint().map_err(|_| "the system has no randomness".to_owned())?;
        let shown: String = name.chars().take(12).collect();
        let identity = Identity {
            session: SessionId::new(&shown),
            principal: Principal::new("local"),
            client: None,
            bound: format!("session {shown}"),
        };
        let core = Core::new(gateway.boundary(), identity, scope, Front::Stdio);
        let session = Session::new(Arc::clone(&gateway), Principal::new("local"), None, core);
        gateway.sessions.place_only(&session);
        let (deliveries, sink) = session.stand();
        // The session holds one; the writer ends with the last.
        drop(sink);
        let writer = tokio::spawn(write(deliveries));
        session.restore();
        session.know_learned();
        session.know_tokens();
        session.know_pins();
        let closed = tokio::select! {
            () = read(Arc::clone(&session)) => true,
            () = session.over() => false,
            // Told to stop by the client that started it: the conversation is over.
            () = stopped() => true,
        };
        session.drain().await;
        if closed {
            gateway.sessions.forget(&session);
            session.forget_label().await;
            session.end().await;
        } else {
            gateway.keep_labels(true).await;
        }
        gateway.tell(Told::new(EventName::GatewayStopped));
        close.send_replace(true);
        gateway.end().await;
        drop(session);
        let _written = writer.await;
        while people.join_next().await.is_some() {}
        gateway.keep_alerts().await;
        Ok(())
    });
    // Standard input is read by a thread that cannot be called back.
    runtime.shutdown_background();
    drop(telling);
    outcome
}

/// Reads what the agent says until it says no more.
async fn read(session: Arc<Session>) {
    let limits = session.gateway.boundary().limits;
    let mut reader = LineReader::new(pipes::stdin(), limits.request_bytes);
    let mut named = false;
    loop {
        match reader.next().await {
            Ok(Some(Line::Whole(bytes))) => {
                let received = Received::read(&bytes, Side::Agent, &session.gateway.boundary().limits);
                if !named && let Some(client) = received.client() {
                    named = true;
                    session.core().name_client(ClientName::new(client.as_str()));
                    session.restore();
                }
                let (_, steps) = session.from_agent(&bytes, received, None);
                session.perform(steps, Via::default()).await;
            }
            Ok(Some(Line::TooLong(beginning))) => {
                let (_, steps) = session.from_agent(&beginning, Received::cut_off(&beginning), None);
                session.perform(steps, Via::default()).await;
            }
            Ok(None) | Err(_) => return,
        }
    }
}

/// Writes what is for the agent, as much at once as is there.
async fn write(mut deliveries: mpsc::Receiver<Delivery>) {
    let mut out = pipes::stdout();
    let mut buffer: Vec<u8> = Vec::new();
    while let Some(delivery) = deliveries.recv().await {
        push(&mut buffer, &delivery.message);
        while buffer.len() < 64 << 10
            && let Ok(delivery) = deliveries.try_recv()
        {
            push(&mut buffer, &delivery.message);
        }
        if out.write_all(&buffer).await.is_err() || out.flush().await.is_err() {
            return;
        }
        buffer.clear();
    }
}

fn push(buffer: &mut Vec<u8>, message: &Bytes) {
    if !message.is_empty() {
        buffer.extend_from_slice(&as_line(message));
    }
}
