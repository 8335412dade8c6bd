//! What is unusual in what is recorded, and the risk that comes of it.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lockgate_audit::{Figures, Happening, Record};
use lockgate_model::{Principal, SessionId, UnixMillis};
use lockgate_watch::behaviour::{Behaviour, MOST_STATE, Settings, Unusual};

use super::session::{lock, unix_millis};
use super::{Gateway, complain};
use crate::state;

/// What was learned, in the state folder.
pub(crate) const FILE: &str = "behaviour.state";
/// Shortest time between two writings of what is usual.
const PAUSE: Duration = Duration::from_mins(1);
/// Shortest time between two writings where there was a sign: who ends the gateway does not wash off the risk.
const PAUSE_AT_RISK: Duration = Duration::from_secs(1);
/// Most lines in a minute that the operator is told; what comes after them is in the risk alone.
const MOST_LINES: u32 = 60;

/// Who watches the records; nobody where the operator wants nothing learned.
pub(super) struct Watch {
    folder: PathBuf,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    known: Option<Behaviour>,
    /// Was anything learned since it was last kept, and when was that?
    news: bool,
    /// Was there a sign since?
    sign: bool,
    kept: Option<Instant>,
    /// The file is not ours to write over, or cannot be written; the operator was told.
    closed: bool,
    /// How many lines were told in which minute.
    told: (u64, u32),
}

impl Watch {
    pub(super) fn new(folder: PathBuf, settings: Option<&Settings>) -> Self {
        let watch = Self { folder, seen: Mutex::default() };
        watch.set(settings);
        watch
    }

    /// What counts as unusual from now on. What was learned stays, and is read where it was not yet.
    pub(super) fn set(&self, settings: Option<&Settings>) {
        let mut seen = lock(&self.seen);
        match (settings, &mut seen.known) {
            (None, known) => *known = None,
            (Some(settings), Some(known)) => known.set(*settings),
            (Some(settings), None) => {
                let file = self.folder.join(FILE);
                let read = read(&file, *settings).unwrap_or_else(|error| {
                    complain(&format!(
                        "{}: {error}; learning begins anew, and what is learned is not kept\n  hint: remove the file",
                        file.display()
                    ));
                    seen.closed = true;
                    Behaviour::new(*settings)
                });
                seen.known = Some(read);
            }
        }
    }

    /// Looks at a record. What is unusual about it is told to the operator.
    pub(super) fn observe(&self, record: &Record) -> Vec<Unusual> {
        let now = unix_millis();
        let mut seen = lock(&self.seen);
        let Some(known) = &mut seen.known else { return Vec::new() };
        let found = known.observe(record, now);
        let risk = known.session_risk(&record.session, now);
        seen.news = true;
        seen.sign |= !found.is_empty();
        let told: Vec<_> =
            found.iter().filter(|_| seen.may_tell(now)).map(|unusual| line(unusual, risk)).collect();
        drop(seen);
        for line in &told {
            complain(line);
        }
        found
    }

    /// The risk of a session and its principal; none where nothing is learned.
    pub(super) fn risk(&self, session: &SessionId, principal: &Principal, now: UnixMillis) -> Option<u8> {
        lock(&self.seen).known.as_ref().map(|known| known.risk(session, principal, now))
    }

    /// What is to be kept, at most once a minute, or a second after a sign, unless it is the `last` time.
    fn news(&self, last: bool) -> Option<Vec<u8>> {
        let mut seen = lock(&self.seen);
        let pause = if seen.sign { PAUSE_AT_RISK } else { PAUSE };
        let soon = seen.kept.is_some_and(|then| then.elapsed() < pause);
        if !seen.news || seen.closed || soon && !last {
            return None;
        }
        (seen.news, seen.sign) = (false, false);
        seen.kept = Some(Instant::now());
        seen.known.as_ref().map(Behaviour::save)
    }

    fn keep(&self, bytes: &[u8]) {
        let made = state::make(&self.folder);
        if let Err(error) = made.and_then(|()| state::replace(&self.folder, FILE, bytes)) {
            lock(&self.seen).closed = true;
            complain(&format!("what is usual cannot be kept for after a restart: {error}"));
        }
    }
}

impl Seen {
    fn may_tell(&mut self, now: UnixMillis) -> bool {
        let minute = now.0 / 60_000;
        let lines = if self.told.0 == minute { self.told.1 } else { 0 };
        self.told = (minute, lines + 1);
        lines < MOST_LINES
    }
}

impl Gateway {
    /// Keeps what was learned, now and then.
    pub(super) async fn keep_behaviour(self: &Arc<Self>) {
        if let Some(bytes) = self.watch.news(false) {
            let gateway = Arc::clone(self);
            let _kept = tokio::task::spawn_blocking(move || gateway.watch.keep(&bytes)).await;
        }
    }

    /// Keeps what was learned, before the gateway ends.
    pub(super) fn keep_behaviour_at_last(&self) {
        if let Some(bytes) = self.watch.news(true) {
            self.watch.keep(&bytes);
        }
    }
}

/// Something unusual in one line: checked names, figures and words of ours.
fn line(unusual: &Unusual, risk: u8) -> String {
    let server = unusual.server.as_ref().map_or_else(String::new, |server| format!(", server `{server}`"));
    format!(
        "unusual ({}): {} (session {}{server}; risk {risk})",
        unusual.sign.word(),
        unusual.sentence(),
        unusual.session
    )
}

/// The record of something unusual.
pub(super) fn record(found: Unusual, correlation: Option<&str>) -> Box<Record> {
    let figures = found.figures;
    Box::new(Record {
        correlation: correlation.map_or_else(|| found.session.to_string(), str::to_owned),
        session: found.session,
        principal: found.principal,
        server: found.server,
        target: found.target,
        notes: vec![found.sign.word()],
        figures: Some(Figures {
            seen: figures.seen,
            usual: figures.usual,
            of: figures.of,
            sure: figures.sure,
            points: found.points,
        }),
        ..Record::of_gateway(Happening::Behaviour)
    })
}

/// Reads what was learned; nothing known where there is no file.
pub(crate) fn read(file: &Path, settings: Settings) -> Result<Behaviour, String> {
    let open = match fs::File::open(file) {
        Ok(open) => open,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Behaviour::new(settings)),
        Err(error) => return Err(error.to_string()),
    };
    let mut bytes = Vec::new();
    let most = u64::try_from(MOST_STATE).unwrap_or(u64::MAX).saturating_add(1);
    open.take(most).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Behaviour::load(&bytes, settings).map_err(|error| error.to_string())
}
