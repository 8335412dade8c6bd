//! The HTTP front: threads, signals, the end.

use std::net::SocketAddr;
use std::sync::Arc;

use lockgate_transport::front::{Admission, FrontSettings, serve};
use lockgate_watch::{Event as Told, EventName};
use tokio::sync::watch;

use lockgate_telemetry::Transport;

use super::{Gateway, Watched};
use crate::config::Config;

/// Serves agents over HTTP until the process is told to stop.
pub fn serve_http(config: &Config, listen: SocketAddr, file: Option<Watched>) -> Result<(), String> {
    let gateway = Gateway::new(config)?;
    gateway.record_start();
    gateway.share_seals(config)?;
    let listener =
        std::net::TcpListener::bind(listen).map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    listener.set_nonblocking(true).map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let settings = Arc::new(FrontSettings {
        listens_on: address.ip(),
        allowed_hosts: config.http.allowed_hosts.clone(),
        allowed_origins: config.http.allowed_origins.clone(),
        tokens: config.tokens(),
        request_bytes: config.boundary.limits.request_bytes,
        patience: config.http.body_timeout,
        connections: config.http.connections,
    });
    gateway.say(&format!("listening on http://{address}/mcp"));
    for server in config.boundary.servers.keys() {
        gateway.say(&format!("server `{server}` alone: http://{address}/s/{server}/mcp"));
    }
    let telling = gateway.report(config, Transport::Tcp)?;
    let (close, closing) = watch::channel(false);
    let admission = Admission::new(settings.connections);
    let mut threads = Vec::new();
    for number in 1..config.http.threads {
        let listener = listener.try_clone().map_err(|error| error.to_string())?;
        let (gateway, settings) = (Arc::clone(&gateway), Arc::clone(&settings));
        let (admission, closing) = (admission.clone(), closing.clone());
        let thread = std::thread::Builder::new().name(format!("front-{number}")).spawn(move || {
            if let Ok(runtime) = runtime() {
                runtime.block_on(async move {
                    if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
                        serve(listener, gateway, settings, admission, closing).await;
                    }
                });
            }
        });
        threads.push(thread.map_err(|error| error.to_string())?);
    }
    let served = runtime()?.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).map_err(|error| error.to_string())?;
        tokio::spawn(Arc::clone(&gateway).keep_time());
        if let Some(file) = file {
            tokio::spawn(file.keep(Arc::clone(&gateway)));
        }
        let mut people = gateway.open_desk(config, &closing).await?;
        let ending = Arc::clone(&gateway);
        tokio::spawn(async move {
            stopped().await;
            ending.pulse.ends();
            ending.tell(Told::new(EventName::GatewayStopped));
            close.send_replace(true);
        });
        serve(listener, Arc::clone(&gateway), settings, admission, closing).await;
        gateway.keep_labels(true).await;
        gateway.end().await;
        while people.join_next().await.is_some() {}
        gateway.keep_alerts().await;
        Ok(())
    });
    // What is left is told now.
    drop(telling);
    served
}

/// A runtime for one thread: a request is served where it arrived, without waking another thread.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())
}

/// Waits for the word to stop.
pub(crate) async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        // Without signals the process ends as the system sees fit.
        _ => std::future::pending().await,
    }
}
