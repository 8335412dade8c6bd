//! The event loop: sessions, their servers, their agents, and the one door between.

mod alerting;
mod attest;
mod behaviour;
mod budget;
mod changes;
mod clock;
mod conduit;
mod console;
mod desk;
mod http;
mod inquire;
mod labels;
mod learned;
mod links;
mod notice;
mod people;
mod pins;
mod reload;
mod respond;
mod serve;
mod session;
mod sessions;
mod shelf;
mod shown;
mod start;
mod stdio;
mod telemetry;
mod turn;
mod upstream;
mod vault;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use lockgate_audit::Record;
use lockgate_core::{Boundary, Event, Step};
use lockgate_model::{Era, Principal, Reason, ServerName, Tick};
use lockgate_origin::Attestations;
use lockgate_store::{Destinations, RecordLog, Vault};
use lockgate_telemetry::Telemetry;
use lockgate_transport::TlsKey;
use lockgate_transport::child::Launch as ChildLaunch;
use lockgate_transport::http::HttpServer;
use lockgate_watch::Event as Told;
use tokio::task::JoinSet;

use crate::config::{Config, Files, Fixed, Launch, RecordsSettings, Secret, Transport};
use crate::log;
use alerting::Alerting;
use behaviour::Watch;
use budget::Budget;
use clock::Clock;
use desk::Desk;
use labels::Memory;
use links::{Population, Way};
use notice::Notices;
use people::People;
use pins::Approved;
use session::{Session, Via, lock};
use sessions::Sessions;
use shelf::Shelf;
use start::Start;
use telemetry::Pulse;
use turn::Turns;

pub(crate) use alerting::{channel, message};
pub use attest::{Unattested, fetch_attestations};
pub(crate) use attest::{Unlocated, locate};
pub(crate) use behaviour::{FILE as BEHAVIOUR_FILE, read as read_behaviour};
pub(crate) use budget::room;
pub(crate) use inquire::list_tools;
pub use inquire::{Offered, Unlisted, list_all};
pub use reload::Watched;
pub use serve::serve_http;
pub(crate) use serve::{runtime, stopped};
pub(crate) use start::{block_on, npm_registry_of, origin_of, pypi_index_of};
pub use stdio::{Pipe, serve_stdio};

/// Variables a child inherits; everything else is named in the configuration or not given.
const INHERITED: [&str; 14] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TERM",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SYSTEMROOT",
];

/// The folder, in that of the state, of what registries attest.
const ATTESTATIONS: &str = "attestations";
/// Longest wait for a server to acknowledge what wants no answer.
const COURTESY: Duration = Duration::from_secs(5);

/// How often a new checkpoint of the log is looked for.
const WITNESS: Duration = Duration::from_secs(1);

/// Everything the process shares.
pub struct Gateway {
    state: Mutex<State>,
    sessions: Sessions,
    records: Option<RecordLog>,
    receipts: Option<log::Receipts>,
    watch: Watch,
    telemetry: Option<Arc<Telemetry>>,
    pulse: Pulse,
    witnesses: tokio::sync::Mutex<Option<log::Witnesses>>,
    /// Who is to be asked instead, from the next look on.
    other_witnesses: Mutex<Option<RecordsSettings>>,
    alerting: Mutex<Option<Arc<Alerting>>>,
    /// Those who bring alerts to their channels.
    carrying: Mutex<JoinSet<()>>,
    /// What was read when the gateway started, and holds until it ends.
    fixed: Fixed,
    clock: Clock,
    budget: Budget,
    desk: Desk,
    people: People,
    turns: Turns,
    memory: Memory,
    learned: Shelf<Destinations>,
    vault: Shelf<Vault>,
    approved: Approved,
    population: Arc<Population>,
    /// The files of programs that were looked at before.
    files: Arc<lockgate_origin::Cache>,
    /// Does a server speak an era? As far as it was found out since the configuration was read.
    eras: Mutex<BTreeMap<(ServerName, Era), bool>>,
    /// Is what programs say on standard error kept back?
    quiet: bool,
}

/// What a reload replaces.
struct State {
    boundary: Arc<Boundary>,
    ways: BTreeMap<ServerName, Way>,
    /// Servers elsewhere that do not come from where they must.
    refused: BTreeMap<ServerName, Reason>,
    http: BTreeMap<ServerName, Arc<HttpServer>>,
    most_sessions: usize,
    most_children: usize,
    idle: Duration,
    poll_after: Duration,
    tenants: BTreeMap<Principal, String>,
    /// What the configuration was read from.
    files: Arc<Files>,
}

impl State {
    fn new(config: &Config, seal: [u8; 32]) -> Result<Self, String> {
        let folder = config.state.clone().unwrap_or_else(crate::state::folder);
        let attestations = Attestations::new(&folder.join(ATTESTATIONS));
        let (mut ways, mut http, mut refused) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (name, launch) in &config.launches {
            let expected = config.expected.get(name).cloned().unwrap_or_default();
            match launch {
                Launch::Command { command, env, cwd } => {
                    let launch = program(command, env, cwd.as_ref());
                    ways.insert(
                        name.clone(),
                        Way::Start(Box::new(Start {
                            launch,
                            expected,
                            attestations: attestations.clone(),
                            compiled: folder.join("compiled"),
                        })),
                    );
                }
                Launch::Http { url, headers, transport } => {
                    let headers: Vec<_> = headers
                        .iter()
                        .map(|(name, value)| (name.clone(), value.reveal().to_owned()))
                        .collect();
                    if let Err(why) = start::examine_remote(url, &expected) {
                        complain(&start::complaint(name, &why));
                        refused.insert(name.clone(), why.reason());
                    }
                    let pinned = expected.pinned.as_ref().and_then(|pinned| pinned.key.as_deref());
                    let key = expected.key.or_else(|| pinned.and_then(TlsKey::parse));
                    let largest = config.boundary.limits.result_bytes;
                    let server = HttpServer::pinned(url, &headers, largest, key)
                        .map_err(|error| format!("server `{name}`: {error}"))?;
                    let server = Arc::new(server);
                    match transport {
                        Transport::Http => drop(http.insert(name.clone(), server)),
                        Transport::Sse => drop(ways.insert(name.clone(), Way::Open(server))),
                    }
                }
            }
        }
        let mut boundary = Boundary::clone(&config.boundary);
        boundary.flow.key = lockgate_transport::key().ok_or("the system has no randomness")?;
        boundary.seal = seal;
        Ok(Self {
            boundary: Arc::new(boundary),
            ways,
            refused,
            http,
            most_sessions: config.sessions,
            most_children: config.children,
            idle: config.session_idle,
            poll_after: config.http.poll_after,
            tenants: config.tenants.clone(),
            files: Arc::clone(&config.files),
        })
    }
}

/// A program as it is started: with the variables that every child gets, and its own.
fn program(command: &[String], env: &[(String, Secret)], cwd: Option<&PathBuf>) -> ChildLaunch {
    let inherited = INHERITED.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)));
    let own = env.iter().map(|(name, value)| (name.clone(), value.reveal().to_owned()));
    ChildLaunch {
        command: command.to_vec(),
        environment: inherited.chain(own).collect(),
        directory: cwd.cloned(),
    }
}

impl Gateway {
    /// A gateway for a checked configuration. Opens the record file; starts nothing.
    pub fn new(config: &Config) -> Result<Arc<Self>, String> {
        let records = match &config.records {
            Some(settings) => Some(log::open(settings, config.state.as_deref())?),
            None => None,
        };
        let receipts =
            config.records.as_ref().map(|settings| log::receipts(settings, config.state.as_deref()));
        let receipts = receipts.transpose()?;
        let telemetry = telemetry::counting(config);
        for note in &config.notes {
            // Standard output belongs to the agent.
            let _told = writeln!(std::io::stderr().lock(), "lockgate: note: {note}");
        }
        let notices = Notices::new(config.webhook.as_ref())?;
        notices.keep_stop_changes(config.alerts.is_some());
        let folder = config.state.clone().unwrap_or_else(crate::state::folder);
        let alerting = config.alerts.as_ref().map(|alerts| Alerting::new(alerts, &folder, &config.scope));
        let seal = lockgate_transport::seal_key().ok_or("the system has no randomness")?;
        let memory = Memory::new(&folder, config.label_ttl);
        Ok(Arc::new(Self {
            memory,
            learned: Shelf::new(&folder, Destinations::FILE, Destinations::open),
            vault: Shelf::new(&folder, Vault::FILE, Vault::open),
            approved: Approved::new(folder.clone(), config.scope.clone(), pins::locked(&config.lock)),
            state: Mutex::new(State::new(config, seal)?),
            sessions: Sessions::default(),
            records,
            receipts: receipts.flatten(),
            watch: Watch::new(folder.clone(), config.behaviour.as_ref()),
            telemetry,
            pulse: Pulse::default(),
            witnesses: tokio::sync::Mutex::new(
                config.records.as_ref().and_then(|settings| log::Witnesses::new(settings, complain)),
            ),
            alerting: Mutex::new(alerting.transpose()?.map(Arc::new)),
            carrying: Mutex::default(),
            fixed: Fixed::of(config),
            other_witnesses: Mutex::default(),
            clock: Clock::start(),
            budget: Budget::new(folder.clone()),
            people: People::new(folder.clone(), config.records.as_ref()),
            desk: Desk::new(folder, notices),
            turns: Turns::new(config.hook.as_ref().map(|key| key.reveal().as_bytes())),
            population: Arc::default(),
            files: Arc::default(),
            eras: Mutex::default(),
            quiet: config.quiet,
        }))
    }

    /// The operator's decisions as they stand.
    pub fn boundary(&self) -> Arc<Boundary> {
        Arc::clone(&lock(&self.state).boundary)
    }

    /// Seals from now on with the key of the state folder, so that what is sealed outlives the process and other gateways
    /// of the folder open it. To be said before the first session begins.
    fn share_seals(&self, config: &Config) -> Result<(), String> {
        let folder = config.state.clone().unwrap_or_else(crate::state::folder);
        if let Some(key) = crate::state::seal_key(&folder, complain)? {
            Arc::make_mut(&mut lock(&self.state).boundary).seal = key;
        }
        Ok(())
    }

    /// The tenant of a principal; empty where it has none.
    fn tenant(&self, principal: &Principal) -> String {
        lock(&self.state).tenants.get(principal).cloned().unwrap_or_default()
    }

    fn http_server(&self, server: &ServerName) -> Option<Arc<HttpServer>> {
        lock(&self.state).http.get(server).cloned()
    }

    fn way(&self, server: &ServerName) -> Option<Way> {
        lock(&self.state).ways.get(server).cloned()
    }

    /// Why a server elsewhere may not be spoken to.
    fn refusal(&self, server: &ServerName) -> Option<Reason> {
        lock(&self.state).refused.get(server).copied()
    }

    /// What is to be started of a server, once it was seen to come from where it must. SAFE-T1002, SAFE-T1207.
    async fn examined(&self, server: &ServerName, start: Box<Start>) -> Result<ChildLaunch, Reason> {
        if start.expected.is_nothing() {
            return Ok(start.launch);
        }
        let files = Arc::clone(&self.files);
        let examined = tokio::task::spawn_blocking(move || start.examined(&files)).await;
        examined.map_err(|_| Reason::InternalFault)?.map_err(|refused| {
            self.say(&start::complaint(server, &refused));
            refused.reason()
        })
    }

    fn place_for_child(&self) -> Result<impl Sized + Send + use<>, Reason> {
        let most = lock(&self.state).most_children;
        links::place(&self.population, most)
    }

    fn most_sessions(&self) -> usize {
        lock(&self.state).most_sessions
    }

    /// What is known of the eras that servers speak.
    fn eras(&self) -> BTreeMap<(ServerName, Era), bool> {
        lock(&self.eras).clone()
    }

    fn learn_era(&self, server: ServerName, era: Era, speaks: bool) {
        lock(&self.eras).insert((server, era), speaks);
    }

    /// How long a stream that can be resumed is kept open without an answer.
    fn poll_after(&self) -> Duration {
        lock(&self.state).poll_after
    }

    /// The longest a server may take over an answer.
    fn deadline(&self, server: &ServerName) -> Duration {
        let boundary = self.boundary();
        boundary.servers.get(server).map_or(Duration::ZERO, |server| Duration::from_millis(server.deadline))
    }

    /// The longest a server may take without a sign of progress.
    fn patience(&self, server: &ServerName) -> Duration {
        let boundary = self.boundary();
        boundary.servers.get(server).map_or(Duration::ZERO, |server| Duration::from_millis(server.timeout))
    }

    /// How long a server may take over what wants no answer, while others wait.
    fn courtesy(&self, server: &ServerName) -> Duration {
        let boundary = self.boundary();
        let timeout = boundary.servers.get(server).map_or(0, |server| server.timeout);
        Duration::from_millis(timeout).min(COURTESY)
    }

    fn mint() -> Result<String, Reason> {
        lockgate_transport::unguessable().ok_or(Reason::InternalFault)
    }

    /// The steps that are left when records are written: each record as soon as its turn comes. What goes to the agent has
    /// its receipt.
    fn recorded(&self, steps: Vec<Step>) -> impl Iterator<Item = Step> {
        let mut receipt = None;
        steps.into_iter().filter_map(move |mut step| {
            if let Step::Record(record) = step {
                let now = session::wall();
                receipt = self.receipt(&record, now).or(receipt.take());
                self.record_at(now, record);
                return None;
            }
            if let Step::Deliver(release) = &mut step
                && let Some(receipt) = receipt.take_if(|_| release.awaits_receipt())
            {
                release.carry(&receipt);
            }
            Some(step)
        })
    }

    /// Counts a record, tells whom it concerns, and writes it down; behind it, what was unusual about it and whom that was
    /// told. Those lead to nothing further: nothing is learned of them, and of an alert no alert is made.
    fn record(&self, record: Box<Record>) {
        self.record_at(session::wall(), record);
    }

    fn record_at(&self, now: SystemTime, record: Box<Record>) {
        let unusual = self.watch.observe(&record);
        let told = self.alerting().map_or_else(Vec::new, |alerting| {
            let mut told: Vec<_> =
                unusual.iter().flat_map(|found| alerting.tell(&Told::of_unusual(found))).collect();
            told.append(&mut alerting.see(&record));
            told
        });
        let correlation = (!unusual.is_empty()).then(|| record.correlation.clone());
        self.write_down(now, record);
        for found in unusual {
            self.write_down(now, behaviour::record(found, correlation.as_deref()));
        }
        for told in told {
            self.write_down(now, Box::new(told));
        }
    }

    fn write_down(&self, now: SystemTime, record: Box<Record>) {
        if let Some(telemetry) = &self.telemetry {
            telemetry.take(&record, now);
        }
        if let Some(records) = &self.records {
            records.write(now, record);
        }
    }

    /// The receipt for a record of this time, where one is due and the record will be written.
    fn receipt(&self, record: &Record, now: SystemTime) -> Option<String> {
        self.records.as_ref().filter(|records| !records.is_failing())?;
        self.receipts.as_ref()?.of(record, now)
    }

    /// Says something to the operator, on standard error: standard output belongs to the agent.
    pub fn say(&self, text: &str) {
        complain(text);
    }

    /// Lets time pass in every session, and forgets those that are long at rest. Never returns.
    async fn keep_time(self: Arc<Self>) {
        use tokio::signal::unix::{SignalKind, signal};
        let mut stop = signal(SignalKind::user_defined1()).ok();
        tokio::spawn(Arc::clone(&self).keep_witnesses());
        loop {
            let told = async {
                match &mut stop {
                    Some(stop) => stop.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = told => self.stop_everything("SIGUSR1").await,
                () = self.must_contain() => self.contain().await,
                () = tokio::time::sleep(Duration::from_millis(250)) => self.look_at_desk().await,
            }
            self.pulse.beat(self.clock.now());
            self.look_at_alerts().await;
            self.look_at_pins().await;
            self.record_pins().await;
            self.record_people().await;
            for session in self.sessions.all() {
                let steps = session.wake();
                if !steps.is_empty() {
                    // An agent that does not read, or a server that does not, stops its own session's time alone.
                    tokio::spawn(async move { session.perform(steps, Via::default()).await });
                }
            }
            self.keep_labels(false).await;
            self.keep_behaviour().await;
            let idle = u64::try_from(lock(&self.state).idle.as_micros()).unwrap_or(u64::MAX);
            let then = Tick(self.clock.now().0.saturating_sub(idle));
            for session in self.sessions.take_idle(then) {
                tokio::spawn(async move {
                    session.forget_label().await;
                    session.end().await;
                });
            }
        }
    }

    /// Has checkpoints of the log witnessed and published. Never returns.
    async fn keep_witnesses(self: Arc<Self>) {
        loop {
            self.look_at_witnesses(false).await;
            tokio::time::sleep(WITNESS).await;
        }
    }

    async fn look_at_witnesses(&self, last: bool) {
        let mut witnesses = self.witnesses.lock().await;
        let others = lock(&self.other_witnesses).take();
        if let Some(settings) = others {
            *witnesses = log::Witnesses::new(&settings, complain);
        }
        if let Some(witnesses) = &mut *witnesses {
            witnesses.look(last).await;
        }
    }

    /// Puts a new configuration in force: its rules at once, in every session; its ways to start and reach servers for
    /// what is started and opened from now on; whom it tells and who watches its log at once, too. Gives the settings that were
    /// changed and hold from the next start on.
    pub fn change(self: &Arc<Self>, config: &Config) -> Result<Vec<&'static str>, String> {
        let mut fresh = State::new(config, self.boundary().seal)?;
        let alerting = self.alerting_of(config)?;
        self.count_on(config, &mut fresh.boundary);
        let boundary = Arc::clone(&fresh.boundary);
        self.approved.lock(pins::locked(&config.lock));
        let before;
        {
            let mut state = lock(&self.state);
            let old = std::mem::replace(&mut *state, fresh);
            // A server whose address is the same keeps its connections.
            before = Arc::clone(&old.files);
            drop(old);
            lock(&self.eras).clear();
        }
        self.tell_by(alerting);
        let later = self.fixed.others(&Fixed::of(config));
        // Those of another log see nothing of this one.
        if let Some(records) = config.records.as_ref().filter(|_| !later.contains(&"records")) {
            *lock(&self.other_witnesses) = Some(records.clone());
        }
        self.record_change(&before, &config.files);
        self.watch.set(config.behaviour.as_ref());
        for session in self.sessions.all() {
            let steps = session.event(Event::Changed(Arc::clone(&boundary)));
            debug_assert!(steps.is_empty(), "a change of rules says nothing by itself");
        }
        Ok(later)
    }

    /// Ends every session.
    async fn end(self: &Arc<Self>) {
        self.contain().await;
        self.look_at_alerts().await;
        let ends: Vec<_> = self
            .sessions
            .all()
            .into_iter()
            .map(|session: Arc<Session>| tokio::spawn(async move { session.end().await }))
            .collect();
        for end in ends {
            let _ended = end.await;
        }
        self.keep_behaviour_at_last();
        if let Some(records) = &self.records {
            self.record_decided(self.approved.decided(&self.people));
            self.record_people_now();
            self.record_stop();
            records.flush();
            // Who is away holds up nobody's end.
            let _in_time = tokio::time::timeout(COURTESY, self.look_at_witnesses(true)).await;
        }
    }
}

/// Says something to the operator. Where standard error is gone there is nobody to tell.
fn complain(text: &str) {
    let _told = writeln!(std::io::stderr().lock(), "lockgate: {text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_kept_under_a_key_that_nobody_can_know() {
        let config = Config::for_command(vec!["server".to_owned()]);
        let key = || State::new(&config, [0; 32]).map(|state| state.boundary.flow.key);
        assert_ne!(key(), key());
        assert_eq!(config.boundary.flow.key, [0; 16], "where a policy is only tried, every run is the same");
    }
}
