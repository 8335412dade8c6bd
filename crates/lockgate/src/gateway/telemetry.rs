//! What the gateway tells of itself, in numbers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use lockgate_console::Counts;
use lockgate_core::Boundary;
use lockgate_model::{ServerName, Tick};
use lockgate_store::RecordLog;
use lockgate_telemetry::{
    Gauges, House, Logged, Notices, Otlp, Running, Settings, Stops, Telemetry, Transport, start,
};

use super::Gateway;
use crate::config::{Config, Launch};

/// A gateway whose time has stood still for so long is stuck. Microseconds.
const STILL: u64 = 30_000_000;

/// How the gateway is.
#[derive(Default)]
pub(super) struct Pulse {
    /// When its time last went on.
    beat: AtomicU64,
    /// Was the configuration changed and refused?
    behind: AtomicBool,
    ending: AtomicBool,
}

impl Pulse {
    pub(super) fn beat(&self, now: Tick) {
        self.beat.store(now.0, Ordering::Relaxed);
    }

    /// Is the configuration in force the one that there is?
    pub(super) fn keeps_up(&self, does: bool) {
        self.behind.store(!does, Ordering::Relaxed);
    }

    /// It takes no more requests.
    pub(super) fn ends(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }
}

/// What counts the records, where anybody wants to know.
pub(super) fn counting(config: &Config) -> Option<Arc<Telemetry>> {
    let settings = config.telemetry.as_ref()?;
    let telemetry = Telemetry::new(settings.otlp.as_ref().and_then(|otlp| otlp.traces));
    telemetry.know(servers(config));
    Some(Arc::new(telemetry))
}

fn servers(config: &Config) -> impl Iterator<Item = (ServerName, Transport)> {
    config.launches.iter().map(|(server, launch)| match launch {
        Launch::Command { .. } => (server.clone(), Transport::Pipe),
        Launch::Http { .. } => (server.clone(), Transport::Tcp),
    })
}

impl Gateway {
    /// Begins to tell what it does, to who is named in the configuration. `front` is what agents speak over.
    pub(super) fn report(
        self: &Arc<Self>,
        config: &Config,
        front: Transport,
    ) -> Result<Option<Running>, String> {
        let (Some(telemetry), Some(settings)) = (&self.telemetry, &config.telemetry) else { return Ok(None) };
        telemetry.serve_over(front);
        let otlp = settings.otlp.as_ref().map(|otlp| Otlp {
            endpoint: otlp.endpoint.reveal().to_owned(),
            headers: otlp
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), value.reveal().to_owned()))
                .collect(),
            interval: otlp.interval,
        });
        let house: Arc<dyn House> = Arc::<Self>::clone(self);
        let settings = Settings { listen: settings.listen, otlp };
        let running = start(Arc::clone(telemetry), house, &settings).map_err(|error| error.to_string())?;
        if let Some(address) = running.address() {
            self.say(&format!("metrics and health: http://{address}/metrics"));
        }
        Ok(Some(running))
    }

    /// Counts with a new configuration as with the old one: who is told is settled at the start.
    pub(super) fn count_on(&self, config: &Config, boundary: &mut Arc<Boundary>) {
        if let Some(telemetry) = &self.telemetry {
            telemetry.know(servers(config));
        }
        if boundary.counted != self.telemetry.is_some() {
            Arc::make_mut(boundary).counted = self.telemetry.is_some();
        }
    }
}

impl House for Gateway {
    fn gauges(&self) -> Gauges {
        let sessions = self.sessions.all();
        let open = sessions.iter().map(|session| session.core().open_requests());
        let (waiting, held) = open.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        let stops = self.stops();
        let logged = |records: &RecordLog| Logged {
            writable: !records.is_failing(),
            waiting: records.waiting(),
            logged: records.logged(),
        };
        let counts = self.desk.notices.counts();
        Gauges {
            sessions: sessions.len(),
            waiting,
            held,
            running: self.population.count(),
            stops: Stops {
                everything: stops.everything,
                safe_mode: stops.safe_mode,
                servers: stops.servers.len(),
                tools: stops.tools.len(),
                principals: stops.principals.len(),
                sessions: stops.sessions.len(),
            },
            current: !self.pulse.behind.load(Ordering::Relaxed),
            records: self.records.as_ref().map(logged),
            notices: counts.map(|Counts { delivered, dropped, given_up, .. }| Notices {
                delivered,
                dropped,
                given_up,
            }),
        }
    }

    fn is_alive(&self) -> bool {
        let now = self.clock.now().0;
        now.saturating_sub(self.pulse.beat.load(Ordering::Relaxed)) < STILL
    }

    fn unready(&self) -> Vec<&'static str> {
        let stops = self.stops();
        let all = [
            (self.pulse.ending.load(Ordering::Relaxed), "the gateway ends"),
            (stops.everything, "everything is stopped"),
            (stops.unrecorded, "records cannot be written"),
        ];
        all.into_iter().filter_map(|(is, why)| is.then_some(why)).collect()
    }
}
