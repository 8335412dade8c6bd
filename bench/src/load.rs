//! One point of a measurement: so many clients call again and again, for so long.

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::task::JoinSet;

use crate::client::{Client, Endpoint};
use crate::{process, text};

/// A client gives up after this many failures.
const MOST_FAILURES: u64 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Point {
    /// Bytes of text in each result.
    pub bytes: usize,
    /// Clients, each with a connection and a session of its own; on stdio, calls in flight.
    pub clients: usize,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Outcome {
    pub calls: usize,
    pub failures: u64,
    pub first_failure: Option<String>,
    pub calls_per_s: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    /// Processor time of the gateway's process for each call.
    pub cpu_us: Option<f64>,
    /// Its resident memory at the end.
    pub resident_kib: Option<u64>,
    /// Share of all processors that went to neither the measured processes nor this one: how far to trust the rest.
    pub others_percent: f64,
}

#[derive(Default)]
struct Tally {
    /// When each call ended, and how long it took.
    calls: Vec<(Instant, Duration)>,
    failures: u64,
    first_failure: Option<String>,
}

/// Measures one point. `gateway` is the process whose time is counted; `others` take part in it.
pub async fn run(
    endpoint: &Endpoint,
    point: Point,
    length: Duration,
    gateway: Option<u32>,
    others: &[u32],
) -> anyhow::Result<Outcome> {
    let text = text::blob(point.bytes);
    let mut clients = Vec::new();
    for _ in 0..point.clients {
        clients.push(Client::open(endpoint).await?);
    }
    let warm = Instant::now() + length / 4;
    let end = warm + length;
    let mut tallies = JoinSet::new();
    for client in clients {
        let text = text.clone();
        tallies.spawn(async move { call_until(client, point.bytes, &text, end).await });
    }
    let ours = || {
        let taking_part = others.iter().copied().chain(gateway).chain([std::process::id()]);
        taking_part.filter_map(process::cpu).sum::<Duration>()
    };
    let gateway_time = || gateway.and_then(process::cpu);
    tokio::time::sleep_until(warm.into()).await;
    let begin = Instant::now();
    let before = (gateway_time(), ours(), process::machine());
    tokio::time::sleep_until(end.into()).await;
    let after = (gateway_time(), ours(), process::machine());
    let window = begin.elapsed();
    let resident_kib = gateway.and_then(process::resident);

    let mut outcome = Outcome { resident_kib, ..Outcome::default() };
    let mut micros = Vec::new();
    while let Some(tally) = tallies.join_next().await {
        let tally = tally?;
        let within = tally.calls.iter().filter(|(ended, _)| *ended >= begin && *ended <= begin + window);
        micros.extend(within.map(|(_, took)| took.as_secs_f64() * 1e6));
        outcome.failures += tally.failures;
        outcome.first_failure = outcome.first_failure.or(tally.first_failure);
    }
    micros.sort_by(f64::total_cmp);
    let count = micros.len();
    outcome.calls = count;
    outcome.calls_per_s = count as f64 / window.as_secs_f64();
    outcome.p50_us = micros.get(count / 2).copied().unwrap_or(0.0);
    outcome.p99_us = micros.get(count * 99 / 100).copied().unwrap_or(0.0);
    let spent = |after: Option<Duration>, before: Option<Duration>| {
        Some(after?.saturating_sub(before?).as_secs_f64())
    };
    outcome.cpu_us = spent(after.0, before.0).map(|seconds| seconds * 1e6 / count.max(1) as f64);
    let processors = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let all = spent(after.2, before.2).unwrap_or(0.0);
    let own = after.1.saturating_sub(before.1).as_secs_f64();
    outcome.others_percent = (all - own).max(0.0) / processors / window.as_secs_f64() * 100.0;
    Ok(outcome)
}

async fn call_until(mut client: Client, bytes: usize, text: &[u8], end: Instant) -> Tally {
    let mut tally = Tally::default();
    loop {
        let begin = Instant::now();
        if begin >= end || tally.failures >= MOST_FAILURES {
            return tally;
        }
        match client.call(bytes, text).await {
            Ok(()) => {
                let ended = Instant::now();
                tally.calls.push((ended, ended - begin));
            }
            Err(error) => {
                tally.failures += 1;
                tally.first_failure.get_or_insert_with(|| format!("{error:#}"));
            }
        }
    }
}
