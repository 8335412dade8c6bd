//! What people decide, on record: stops set and lifted, answers to calls that wait, incidents, what is forgotten. Whoever decides, with
//! a command, in the client or by the admin API, writes it into the state folder; a gateway that keeps records writes it down from
//! there, once for each log, also what was decided while none ran. Definitions and configurations are in `changes.rs`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use lockgate_audit::{Happening, LONGEST_WHY, Record};
use lockgate_model::{Principal, ServerName, SessionId, ToolName, Untrusted, Verdict};
use lockgate_store::{
    Answer, Approvals, Change, Decision, Journal, Scope, StateError, Stops, Target, rfc3339,
};

use super::Gateway;
use super::session::{lock, unix_millis};
use crate::config::RecordsSettings;

/// Something that was decided longer ago than this is recorded with its own time. Milliseconds.
const LATE: u64 = 2_000;

/// Decisions of people, on their way to the log.
pub(super) struct People {
    folder: PathBuf,
    /// The log they are for; none where no records are kept.
    log: Option<String>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Was it looked before?
    begun: bool,
    /// Was it said that the files cannot be read?
    told: bool,
    stops: Watched<Stops>,
    approvals: Watched<Approvals>,
    journal: Watched<Journal>,
}

/// A file of the state folder.
struct Watched<T> {
    open: Option<T>,
    /// Its version when it was last looked at, and when it was last read: what was decided while it was read is news.
    looked: Option<u64>,
    version: Option<u64>,
    /// Was it missing at the first look? Then everything in it is news.
    fresh: bool,
}

impl<T> Default for Watched<T> {
    fn default() -> Self {
        Self { open: None, looked: None, version: None, fresh: false }
    }
}

/// A file that says when it has changed.
trait Versioned: Sized {
    const FILE: &'static str;
    fn open(folder: &Path) -> Result<Self, StateError>;
    fn version(&self) -> Result<u64, StateError>;
}

macro_rules! versioned {
    ($($file:ty),*) => {$(
        impl Versioned for $file {
            const FILE: &'static str = <$file>::FILE;
            fn open(folder: &Path) -> Result<Self, StateError> {
                <$file>::open(folder)
            }
            fn version(&self) -> Result<u64, StateError> {
                <$file>::version(self)
            }
        }
    )*};
}
versioned!(Stops, Approvals, Journal);

impl<T: Versioned> Watched<T> {
    /// Has it changed since it was last read? One that is not there is not made.
    fn is_news(&mut self, folder: &Path, begun: bool) -> Result<bool, StateError> {
        if self.open.is_none() {
            if !folder.join(T::FILE).exists() {
                self.fresh |= !begun;
                return Ok(false);
            }
            self.open = Some(T::open(folder)?);
        }
        self.looked = self.open.as_ref().map(T::version).transpose()?;
        Ok(self.looked != self.version)
    }

    /// It was read as it was when it was looked at, or as it was later.
    fn was_read(&mut self) {
        self.version = self.looked;
    }
}

impl People {
    pub(super) fn new(folder: PathBuf, records: Option<&RecordsSettings>) -> Self {
        let place = records.and_then(|records| records.folder.as_ref().or(records.file.as_ref()));
        // Where one and the same log is called by two names, a decision is in it twice rather than not at all.
        let log = place.map(|place| std::path::absolute(place).unwrap_or_else(|_| place.clone()));
        let log = log.map(|place| place.to_string_lossy().into_owned());
        Self { folder, log, seen: Mutex::default() }
    }

    /// May there be anything to write down? Takes microseconds.
    fn is_news(&self) -> bool {
        self.log.is_some() && {
            let mut seen = lock(&self.seen);
            let Seen { begun, stops, approvals, journal, .. } = &mut *seen;
            let all = [
                stops.is_news(&self.folder, *begun),
                approvals.is_news(&self.folder, *begun),
                journal.is_news(&self.folder, *begun),
            ];
            *begun = true;
            all.into_iter().any(|news| news.unwrap_or(true))
        }
    }

    /// What another file of the state folder remembers and is not in the log yet; none where there is no log, or it cannot be told.
    /// What was before the log is not news, unless `all` is.
    pub(super) fn news_of<T>(
        &self,
        source: &str,
        all: bool,
        after: impl FnOnce(u64) -> Result<Vec<(u64, T)>, StateError>,
    ) -> Option<Result<Vec<T>, StateError>> {
        let log = self.log.as_ref()?;
        let mut seen = lock(&self.seen);
        if seen.journal.open.is_none() {
            seen.journal.open = Journal::open(&self.folder).ok();
        }
        Some(seen.journal.open.as_ref()?.news_of(log, source, all, after))
    }

    /// What was decided since, as records.
    fn news(&self) -> Result<Vec<Record>, StateError> {
        let Some(log) = &self.log else { return Ok(Vec::new()) };
        let mut seen = lock(&self.seen);
        let Seen { stops, approvals, journal, .. } = &mut *seen;
        if journal.open.is_none() {
            journal.open = Some(Journal::open(&self.folder)?);
        }
        let Some(own) = &journal.open else { return Ok(Vec::new()) };
        let mut records = Vec::new();
        if let Some(file) = &stops.open {
            let after = |since| file.history_after(since);
            records.extend(own.news_of(log, Stops::FILE, stops.fresh, after)?.into_iter().map(of_stop));
        }
        if let Some(file) = &approvals.open {
            let after = |since| file.answers_after(since);
            let news = own.news_of(log, Approvals::FILE, approvals.fresh, after)?;
            records.extend(news.into_iter().map(of_answer));
        }
        records.extend(own.news(log, journal.fresh)?.into_iter().filter_map(of_decision));
        stops.was_read();
        approvals.was_read();
        journal.was_read();
        Ok(records)
    }
}

impl Gateway {
    /// Writes down what people have decided since this was last done. Called several times a second.
    pub(super) async fn record_people(self: &Arc<Self>) {
        if self.people.is_news() {
            let gateway = Arc::clone(self);
            let _done = tokio::task::spawn_blocking(move || gateway.record_people_now()).await;
        }
    }

    /// The same at once: when the gateway starts and when it ends.
    pub(super) fn record_people_now(&self) {
        if !self.people.is_news() {
            return;
        }
        match self.people.news() {
            Ok(records) => {
                lock(&self.people.seen).told = false;
                for record in records {
                    self.record(Box::new(record));
                }
            }
            // It is tried again at the next look.
            Err(error) => {
                if !std::mem::replace(&mut lock(&self.people.seen).told, true) {
                    self.say(&format!("what people decide cannot be written down now: {error}"));
                }
            }
        }
    }
}

/// A record of somebody's decision.
fn decided(happening: Happening, by: &str, what: &'static str, why: Option<&str>, at: u64) -> Record {
    Record {
        principal: Principal::new(by),
        notes: vec![what],
        why: why.filter(|why| !why.is_empty()).map(|why| Untrusted::new(why).escaped(LONGEST_WHY)),
        decided: long_ago(at),
        ..Record::of_gateway(happening)
    }
}

/// When something was decided, where that is longer ago than a record takes.
pub(super) fn long_ago(at: u64) -> Option<String> {
    (unix_millis().0.saturating_sub(at) > LATE).then(|| rfc3339(UNIX_EPOCH + Duration::from_millis(at)))
}

fn of_stop(change: Change) -> Record {
    let what = if change.why.is_some() { "set" } else { "lifted" };
    let record = decided(Happening::Stop, &change.by, what, change.why.as_deref(), change.at);
    let (session, server, target) = match change.target {
        Target::Everything => (None, None, "everything".to_owned()),
        Target::SafeMode => (None, None, "safe_mode".to_owned()),
        Target::Server(server) => (None, ServerName::parse(&server), "server".to_owned()),
        Target::Tool(server, tool) => {
            (None, ServerName::parse(&server), format!("tool `{}`", ToolName::new(&tool).shown()))
        }
        Target::Principal(principal) => (None, None, format!("principal {}", Principal::new(&principal))),
        Target::Session(session) => (Some(SessionId::new(&session)), None, "session".to_owned()),
    };
    let session = session.unwrap_or(record.session);
    Record { correlation: session.to_string(), session, server, target: Some(target), ..record }
}

fn of_answer(answer: Answer) -> Record {
    let Answer { id, session, server, tool, rule: _, voice } = answer;
    let (what, verdict) =
        if voice.vote.yes { ("approved", Verdict::Forward) } else { ("rejected", Verdict::Deny) };
    let record = decided(Happening::Vote, &voice.vote.approver, what, voice.vote.why.as_deref(), voice.at);
    let reach = match voice.vote.scope {
        _ if !voice.vote.yes => None,
        Scope::Once => Some("once"),
        Scope::Session => Some("session"),
        Scope::Value { .. } => Some("value"),
    };
    Record {
        correlation: session.clone(),
        session: SessionId::new(&session),
        server: ServerName::parse(&server),
        target: Some(tool),
        about: Some(id),
        verdict,
        notes: record.notes.iter().copied().chain(reach).collect(),
        ..record
    }
}

/// What the journal has; nothing of what a newer version wrote.
fn of_decision(one: Decision) -> Option<Record> {
    let words = ["opened", "captured", "closed", "forgotten"];
    let what = words.into_iter().find(|word| *word == one.what)?;
    let happening = match one.topic.as_str() {
        "incident" => Happening::Incident,
        "destination" => Happening::Destination,
        "token" => Happening::Token,
        _ => return None,
    };
    let record = decided(happening, &one.by, what, one.why.as_deref(), one.at);
    Some(Record { about: one.about, ..record })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_and_answers_as_records() {
        let stop = |target, why: Option<&str>| {
            let (by, why) = ("ann".to_owned(), why.map(str::to_owned));
            of_stop(Change { target, by, why, at: 0 })
        };
        let set = stop(Target::Session("s1".to_owned()), Some("odd\u{202e}"));
        let said = (set.session.as_str(), set.target.as_deref(), &set.notes[..], set.principal.as_str());
        assert_eq!(said, ("s1", Some("session"), &["set"][..], "ann"));
        assert_eq!(set.decided.as_deref(), Some("1970-01-01T00:00:00.000000Z"));
        assert!(set.why.as_ref().unwrap().is_ascii(), "{:?}", set.why);
        let lifted = stop(Target::Tool("db".to_owned(), "drop it".to_owned()), None);
        let said = (lifted.server.unwrap(), lifted.target.unwrap(), lifted.notes, lifted.why);
        assert_eq!(said.0.as_str(), "db");
        assert_eq!((said.1.as_str(), said.2, said.3), ("tool `(unusual name)`", vec!["lifted"], None));
    }

    #[test]
    fn what_a_newer_version_wrote_is_passed_over() {
        let one = |topic: &str, what: &str| Decision {
            topic: topic.to_owned(),
            what: what.to_owned(),
            about: None,
            by: "ann".to_owned(),
            why: None,
            at: 0,
        };
        assert!(of_decision(one("incident", "opened")).is_some());
        assert_eq!(of_decision(one("token", "forgotten")).unwrap().happening, Happening::Token);
        assert!(
            of_decision(one("incident", "eaten")).is_none() && of_decision(one("moon", "opened")).is_none()
        );
    }
}
