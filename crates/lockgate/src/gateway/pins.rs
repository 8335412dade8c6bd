//! What is approved of what servers say of themselves: the lock file's word and that of people, in the state folder.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use lockgate_core::{Event, Seen, Sighting, Step};
use lockgate_model::{ServerName, ToolName, Untrusted};
use lockgate_provenance::lock::Lock;
use lockgate_provenance::{Digest, Kind, Name, Pins, Standing};
use lockgate_store::StateError;
use lockgate_store::pins::{self as store, Cause, Filter, Pinned, Sighted, Trust};

use super::Gateway;
use super::changes::Decided;
use super::people::People;
use super::session::{Session, Via, lock, unix_millis};

/// Most sightings that wait to be written; then nothing is called until they are.
const WAITING: usize = 1_000;
/// Most characters of a name that the operator is told.
const SHOWN: usize = 100;

/// What is approved.
pub(super) struct Approved {
    folder: PathBuf,
    /// What servers of this configuration are called in the folder, behind their names.
    scope: String,
    watch: Mutex<Watch>,
}

#[derive(Default)]
struct Watch {
    open: Option<Arc<store::Pins>>,
    /// By tenant, and the version of the file that it is of.
    seen: BTreeMap<String, (u64, Arc<Pins>)>,
    /// The lock file's word.
    locked: Arc<Pins>,
    /// What could not be written: tried again until it can.
    unwritten: Vec<(String, Box<Sighting>)>,
    /// The version of the file that all sessions know; none before the first look, and where it could not be read.
    handed_on: Option<u64>,
    /// Was it said that the file cannot be used?
    told: bool,
    /// The version of the file, and the number of the last event, up to which decisions were asked for.
    decided: Option<(u64, u64)>,
}

impl Approved {
    pub(super) fn new(folder: PathBuf, scope: String, locked: Pins) -> Self {
        let watch = Watch { locked: Arc::new(locked), ..Watch::default() };
        Self { folder, scope, watch: Mutex::new(watch) }
    }

    /// The lock file is another one now.
    pub(super) fn lock(&self, locked: Pins) {
        let mut watch = lock(&self.watch);
        watch.locked = Arc::new(locked);
        watch.seen.clear();
        watch.handed_on = None;
    }

    /// What a server of this configuration is called in the folder: other configurations may have one of the same name.
    fn key(&self, server: &ServerName) -> String {
        format!("{server} {}", self.scope)
    }

    fn server(&self, key: &str) -> Option<ServerName> {
        let (name, scope) = key.split_once(' ')?;
        ServerName::parse(name).filter(|_| scope == self.scope)
    }

    /// What is approved for a tenant. `None` where that cannot be told: then nothing may be called.
    fn look(&self, tenant: &str, say: impl Fn(&str)) -> Option<Arc<Pins>> {
        let mut watch = lock(&self.watch);
        match self.read(&mut watch, tenant) {
            Ok(pins) => {
                watch.told = !watch.unwritten.is_empty() && watch.told;
                watch.unwritten.is_empty().then_some(pins)
            }
            Err(error) => {
                self.cannot(&mut watch, &error, say);
                None
            }
        }
    }

    fn cannot(&self, watch: &mut Watch, error: &StateError, say: impl Fn(&str)) {
        if !std::mem::replace(&mut watch.told, true) {
            let file = self.folder.join(store::Pins::FILE);
            say(&format!(
                "no tool is called: what is approved cannot be kept or read: {error} ({})",
                file.display()
            ));
        }
    }

    fn read(&self, watch: &mut Watch, tenant: &str) -> Result<Arc<Pins>, StateError> {
        if watch.open.is_none() && self.folder.join(store::Pins::FILE).exists() {
            watch.open = Some(Arc::new(store::Pins::open(&self.folder)?));
        }
        let Some(store) = watch.open.clone() else { return Ok(Arc::clone(&watch.locked)) };
        let version = store.version()?;
        if let Some((_, pins)) = watch.seen.get(tenant).filter(|(seen, _)| *seen == version) {
            return Ok(Arc::clone(pins));
        }
        let known = store.known(tenant)?;
        let mut pins = Pins::clone(&watch.locked);
        for one in &known.approved {
            if let Some((server, name, digest)) = self.pin(one) {
                pins.approve(&server, name, digest, one.nameless.as_deref().and_then(Digest::parse));
            }
        }
        for one in &known.refused {
            if let Some((server, name, digest)) = self.pin(one) {
                pins.refuse(&server, name, digest);
            }
        }
        let waiting = store.list(Filter::Waiting, Some(tenant))?;
        for entry in &waiting {
            if let Some(server) = self.server(&entry.key.server) {
                pins.wait(&server, Name { kind: entry.key.kind, name: entry.key.name.clone() });
            }
        }
        let waiting = waiting.iter().map(|entry| (&entry.key.server, entry.key.kind));
        let refused = known.refused.iter().map(|one| (&one.server, one.kind));
        for (server, kind) in waiting.chain(refused) {
            if let Some(server) = self.server(server).filter(|_| kind == Kind::Identity) {
                pins.doubt(&server);
            }
        }
        let pins = Arc::new(pins);
        watch.seen.insert(tenant.to_owned(), (known.version, Arc::clone(&pins)));
        Ok(pins)
    }

    fn pin(&self, one: &Pinned) -> Option<(ServerName, Name, Digest)> {
        let name = Name { kind: one.kind, name: one.name.clone() };
        Some((self.server(&one.server)?, name, Digest::parse(&one.digest)?))
    }

    /// Remembers what a server says. Gives the names of what waits for people now and did not before.
    fn remember(&self, tenant: &str, sighting: Box<Sighting>, say: impl Fn(&str)) -> Vec<String> {
        let mut watch = lock(&self.watch);
        match self.write(&mut watch, tenant, &sighting) {
            Ok(waiting) => waiting,
            Err(error) => {
                self.cannot(&mut watch, &error, say);
                if watch.unwritten.len() < WAITING {
                    watch.unwritten.push((tenant.to_owned(), sighting));
                }
                Vec::new()
            }
        }
    }

    /// Has anything changed since all sessions were told? Takes microseconds.
    fn is_news(&self) -> bool {
        let mut watch = lock(&self.watch);
        let version = match &watch.open {
            Some(store) => store.version().ok(),
            None => (!self.folder.join(store::Pins::FILE).exists()).then_some(0),
        };
        let news = version.is_none() || watch.handed_on != version || !watch.unwritten.is_empty();
        watch.handed_on = version;
        news
    }

    /// May people have decided something since [`Approved::decided`] was last asked? Takes microseconds.
    pub(super) fn is_undecided(&self) -> bool {
        let watch = lock(&self.watch);
        match &watch.open {
            Some(store) => store.version().ok() != watch.decided.map(|(version, _)| version),
            None => self.folder.join(store::Pins::FILE).exists(),
        }
    }

    /// What people have decided of servers of this configuration since this was last asked; nothing the first time. Where there is
    /// a log, what is not in it yet, whoever asked.
    pub(super) fn decided(&self, people: &People) -> Vec<Decided> {
        // Where the file cannot be read, nothing is called, and that is said.
        self.decisions(people).unwrap_or_default()
    }

    fn decisions(&self, people: &People) -> Result<Vec<Decided>, StateError> {
        let mut watch = lock(&self.watch);
        if watch.open.is_none() && self.folder.join(store::Pins::FILE).exists() {
            watch.open = Some(Arc::new(store::Pins::open(&self.folder)?));
        }
        let Some(store) = watch.open.clone() else {
            watch.decided.get_or_insert_default();
            return Ok(Vec::new());
        };
        let version = store.version()?;
        let since = watch.decided.map(|(_, number)| number);
        let events = store.history_after(since.unwrap_or_default())?;
        let last = events.last().map(|(number, _)| *number).or(since).unwrap_or_default();
        // All of it is news where there was no file when the gateway started.
        let source = format!("{} {}", store::Pins::FILE, self.scope);
        let after = |number| store.history_after(number);
        let events = match people.news_of(&source, since.is_some(), after) {
            Some(news) => news?,
            None if since.is_some() => events.into_iter().map(|(_, event)| event).collect(),
            None => Vec::new(),
        };
        watch.decided = Some((version, last));
        let decided = |event: store::Event| {
            let server = self.server(&event.key.server)?;
            let name = Name { kind: event.key.kind, name: event.key.name.clone() };
            Some(Decided { server, shown: shown(&name), event })
        };
        Ok(events.into_iter().filter_map(decided).collect())
    }

    /// Tries again what could not be written.
    fn retry(&self) {
        let mut watch = lock(&self.watch);
        while let Some((tenant, sighting)) = watch.unwritten.pop() {
            if self.write(&mut watch, &tenant, &sighting).is_err() {
                watch.unwritten.push((tenant, sighting));
                return;
            }
        }
    }

    fn write(&self, watch: &mut Watch, tenant: &str, sighting: &Sighting) -> Result<Vec<String>, StateError> {
        if watch.open.is_none() {
            watch.open = Some(Arc::new(store::Pins::open(&self.folder)?));
        }
        let Some(store) = &watch.open else { return Ok(Vec::new()) };
        let server = self.key(&sighting.server);
        let seen: Vec<_> = sighting.seen.iter().map(|seen| Self::row(sighting, seen)).collect();
        let sighted = store.sight(tenant, &server, &seen, unix_millis().0)?;
        let waits = |sighted: &Sighted| matches!(sighted, Sighted::Waiting { new: true, .. });
        let waiting = sighting.seen.iter().zip(&sighted).filter(|(_, sighted)| waits(sighted));
        Ok(waiting.map(|(seen, _)| shown(&seen.name)).collect())
    }

    fn row(sighting: &Sighting, seen: &Seen) -> store::Seen {
        let cause = match &seen.standing {
            Standing::First => Cause::First,
            Standing::Changed => Cause::Changed,
            Standing::Renamed { from } => Cause::Renamed { from: from.clone() },
            Standing::Added | Standing::Approved | Standing::Refused => Cause::Added,
        };
        let trust = match (seen.trust, &cause) {
            (false, _) => Trust::Never,
            (true, Cause::Changed) => Trust::Change,
            (true, Cause::First | Cause::Added | Cause::Renamed { .. }) => Trust::First,
        };
        store::Seen {
            kind: seen.name.kind,
            name: seen.name.name.clone(),
            digest: seen.digest.to_string(),
            nameless: seen.nameless.map(|digest| digest.to_string()),
            definition: seen.definition.clone(),
            trust,
            cause,
            why: seen.why.iter().map(|code| (*code).to_owned()).collect(),
            approvers: sighting.approvers,
        }
    }
}

/// What a lock file approves.
pub(super) fn locked(lock: &Lock) -> Pins {
    let mut pins = Pins::default();
    lock.approve(&mut pins);
    pins
}

/// A name that is safe to print.
fn shown(name: &Name) -> String {
    match name.kind {
        Kind::Tool | Kind::Prompt => format!("{} `{}`", name.kind.word(), ToolName::new(&name.name).shown()),
        Kind::Resource | Kind::Template => {
            format!("{} `{}`", name.kind.word(), Untrusted::new(name.name.as_str()).escaped(SHOWN))
        }
        Kind::Instructions => "instructions".to_owned(),
        Kind::Identity => "identity".to_owned(),
    }
}

impl Gateway {
    /// What is approved for a tenant; `None` where it cannot be told.
    pub(super) fn approved_for(&self, tenant: &str) -> Option<Arc<Pins>> {
        self.approved.look(tenant, |text| self.say(text))
    }

    /// Sees what people have approved since, and lets it take effect. Called several times a second.
    pub(super) async fn look_at_pins(self: &Arc<Self>) {
        if !self.boundary().pins || !self.approved.is_news() {
            return;
        }
        let sessions = self.sessions.all();
        let gateway = Arc::clone(self);
        let looking = tokio::task::spawn_blocking(move || {
            gateway.approved.retry();
            let mut known = BTreeMap::new();
            let look = |session: Arc<Session>| {
                let tenant = session.tenant();
                let pins =
                    known.entry(tenant.clone()).or_insert_with(|| gateway.approved_for(&tenant)).clone();
                (session, pins)
            };
            sessions.into_iter().map(look).collect::<Vec<_>>()
        });
        let Ok(looked) = looking.await else { return };
        for (session, pins) in looked {
            session.repin(pins).await;
        }
    }
}

impl Session {
    fn tenant(&self) -> String {
        self.gateway.tenant(&self.principal)
    }

    /// The session begins: what is approved for its tenant holds.
    pub(super) fn know_pins(&self) {
        if self.gateway.boundary().pins {
            let pins = self.gateway.approved_for(&self.tenant());
            let steps = self.event(Event::Pinned(pins));
            debug_assert!(steps.is_empty(), "nothing was listed yet");
        }
    }

    /// What is approved now holds, where it is not what the session knows.
    async fn repin(self: &Arc<Self>, pins: Option<Arc<Pins>>) {
        if self.core().knows_pins(pins.as_ref()) {
            return;
        }
        let steps = self.event(Event::Pinned(pins));
        self.perform(steps, Via::default()).await;
    }

    /// Remembers what a server says of itself that is not approved, before the agent sees any of it.
    pub(super) async fn sight(self: &Arc<Self>, sighting: Box<Sighting>) -> Vec<Step> {
        let session = Arc::clone(self);
        let remembering = tokio::task::spawn_blocking(move || {
            let (gateway, tenant) = (&session.gateway, session.tenant());
            let server = sighting.server.clone();
            let waiting = gateway.approved.remember(&tenant, sighting, |text| gateway.say(text));
            if let Some(first) = waiting.first() {
                let more = match waiting.len() {
                    1 => String::new(),
                    count => format!(" and {} more", count - 1),
                };
                gateway.say(&format!(
                    "server `{server}`: {first}{more} withheld until somebody looks at it: `lockgate quarantine list`"
                ));
                gateway.desk.notices.quarantined(&server, &waiting);
            }
            gateway.approved_for(&tenant)
        });
        let pins = remembering.await.unwrap_or_default();
        self.event(Event::Pinned(pins))
    }
}
