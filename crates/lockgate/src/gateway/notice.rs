//! What people are told through the webhook: that a call waits for them, what became of it, what is stopped.
//!
//! Whoever puts a call before people tells of it, also where it is decided elsewhere; of stops every gateway tells that
//! sees them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use lockgate_console::{Approval, Counts, Event, Frozen, Quarantined, State, Webhook};
use lockgate_model::ServerName;
use lockgate_store::{Approvals, Change, Entry, Stop, Target};
use tokio::sync::watch;

use super::session::{lock, unix_millis};
use super::shown;
use crate::config;

/// Whom to tell, and what was told. Without a webhook nothing is kept.
pub(super) struct Notices {
    webhook: Option<Webhook>,
    calls: Mutex<Calls>,
    stops: Mutex<Stopped>,
    /// Does anybody ask what was stopped and lifted?
    asked: AtomicBool,
    /// What was, and is not asked for yet.
    changes: Mutex<Vec<Event>>,
    /// How many lost events the operator knows of.
    lost: AtomicU64,
}

/// Calls that this process put before people, and that nobody has decided.
#[derive(Default)]
struct Calls {
    /// When each expires. Milliseconds since 1970.
    waiting: BTreeMap<String, u64>,
    /// The version of the approvals when they were last looked at.
    seen: Option<u64>,
}

/// What is stopped.
#[derive(Default)]
struct Stopped {
    /// When it was last looked; nothing before the first look.
    last: Option<Vec<Stop>>,
    /// Why somebody here is lifting a stop. The store keeps who and when.
    lifting: BTreeMap<Target, String>,
}

impl Notices {
    /// Prepares to tell. Opens no connection.
    pub(super) fn new(settings: Option<&config::Webhook>) -> Result<Self, String> {
        let webhook = settings.map(|settings| {
            Webhook::new(settings.url.reveal(), settings.secret.reveal().as_bytes())
                .map_err(|error| format!("the webhook cannot be used: {error}"))
        });
        Ok(Self {
            webhook: webhook.transpose()?,
            calls: Mutex::default(),
            stops: Mutex::default(),
            asked: AtomicBool::new(false),
            changes: Mutex::default(),
            lost: AtomicU64::new(0),
        })
    }

    /// Sends what is told, until `closing` says so and 3 s longer where something is left. Gives how many events are
    /// left even then.
    pub(super) async fn run(&self, closing: watch::Receiver<bool>) -> usize {
        let Some(webhook) = &self.webhook else { return 0 };
        webhook.run(closing).await;
        webhook.counts().waiting
    }

    /// How many events were dropped or not taken since this was last asked.
    pub(super) fn lost(&self) -> u64 {
        let Some(webhook) = &self.webhook else { return 0 };
        let Counts { dropped, given_up, .. } = webhook.counts();
        let all = dropped + given_up;
        all.saturating_sub(self.lost.swap(all, Ordering::Relaxed))
    }

    /// What became of events, where there is a webhook.
    pub(super) fn counts(&self) -> Option<Counts> {
        self.webhook.as_ref().map(Webhook::counts)
    }

    /// Is there anything to tell about a call?
    pub(super) fn expects(&self) -> bool {
        !lock(&self.calls).waiting.is_empty()
    }

    /// A call was put before people, and waits for them, or was decided at once. The same call may have been before.
    pub(super) fn put(&self, approvals: &Approvals, id: &str, waits: bool, now: u64) {
        let Some(webhook) = &self.webhook else { return };
        if let Ok(Some(entry)) = approvals.show(id, now) {
            lock(&self.calls).put(&entry, waits).iter().for_each(|event| webhook.tell(event));
        }
    }

    /// Tells of calls that are decided now.
    pub(super) fn approvals(&self, approvals: &Approvals, now: u64) {
        let Some(webhook) = &self.webhook else { return };
        lock(&self.calls).look(approvals, now).iter().for_each(|event| webhook.tell(event));
    }

    /// Tells what is stopped and was not, and the other way round. `history` is asked where something was lifted.
    pub(super) fn stops(&self, now: Vec<Stop>, history: impl Fn() -> Vec<Change>) {
        if self.webhook.is_some() || self.asked.load(Ordering::Relaxed) {
            for event in lock(&self.stops).look(now, history) {
                self.changed(event);
            }
        }
    }

    /// From now on somebody asks for [`Self::stop_changes`] again and again, or nobody does.
    pub(super) fn keep_stop_changes(&self, asked: bool) {
        self.asked.store(asked, Ordering::Relaxed);
        if !asked {
            lock(&self.changes).clear();
        }
    }

    /// What was stopped or lifted since this was last asked.
    pub(super) fn stop_changes(&self) -> Vec<Event> {
        std::mem::take(&mut *lock(&self.changes))
    }

    fn changed(&self, event: Event) {
        if let Some(webhook) = &self.webhook {
            webhook.tell(&event);
        }
        if self.asked.load(Ordering::Relaxed) {
            lock(&self.changes).push(event);
        }
    }

    /// What was stopped by hand cannot be read: everything is stopped.
    pub(super) fn stops_unreadable(&self) {
        if self.webhook.is_none() && !self.asked.load(Ordering::Relaxed) {
            return;
        }
        let stop = shown::unreadable(unix_millis());
        if let Some(event) = event(&stop, true) {
            self.changed(event);
        }
        lock(&self.stops).last.get_or_insert_default().push(stop);
    }

    /// A tool is frozen in a session.
    pub(super) fn frozen(&self, frozen: Frozen) {
        if let Some(webhook) = &self.webhook {
            webhook.tell(&Event::ToolFrozen(frozen));
        }
    }

    /// Definitions of a server wait for people.
    pub(super) fn quarantined(&self, server: &ServerName, definitions: &[String]) {
        if let Some(webhook) = &self.webhook {
            let (server, definitions) = (server.to_string(), definitions.to_vec());
            webhook.tell(&Event::Quarantined(Quarantined { server, definitions }));
        }
    }

    /// Somebody here is about to lift a stop.
    pub(super) fn lifts(&self, target: &Target, reason: String) {
        lock(&self.stops).lifting.insert(target.clone(), reason);
    }

    /// It is lifted and told, or came to nothing.
    pub(super) fn has_lifted(&self, target: &Target) {
        lock(&self.stops).lifting.remove(target);
    }
}

impl Calls {
    fn put(&mut self, entry: &Entry, waits: bool) -> Option<Event> {
        let known = self.waiting.insert(entry.id.clone(), entry.request.expires).is_some();
        // It may be decided since, and that may have been looked at.
        self.seen = None;
        let approval = shown::approval(entry).filter(|_| waits && !known)?;
        Some(Event::ApprovalWaiting(Approval { state: State::Waiting, ..approval }))
    }

    fn look(&mut self, approvals: &Approvals, now: u64) -> Vec<Event> {
        let mut events = Vec::new();
        // What cannot be read now may be readable later.
        let Ok(version) = approvals.version() else { return events };
        let changed = self.seen.replace(version) != Some(version);
        self.waiting.retain(|id, expires| {
            if !changed && now < *expires {
                return true;
            }
            let entry = match approvals.show(id, now) {
                Ok(Some(entry)) => entry,
                // It went with the history.
                Ok(None) => return false,
                Err(_) => return true,
            };
            *expires = entry.request.expires;
            let Some(approval) = shown::approval(&entry) else { return false };
            events.push(match approval.state {
                State::Waiting => return true,
                State::Approved | State::Used => Event::Approved(approval),
                State::Denied => Event::Denied(approval),
                State::Expired => Event::Expired(approval),
            });
            false
        });
        events
    }
}

impl Stopped {
    /// What stands at the first look is no news.
    fn look(&mut self, now: Vec<Stop>, history: impl Fn() -> Vec<Change>) -> Vec<Event> {
        let Some(before) = self.last.replace(now.clone()) else { return Vec::new() };
        let same = |one: &Stop, other: &Stop| {
            one.target == other.target && one.since == other.since && one.by == other.by
        };
        let mut events = Vec::new();
        for gone in before.iter().filter(|old| !now.iter().any(|new| same(old, new))) {
            let change = history().into_iter().rfind(|change| {
                change.target == gone.target && change.why.is_none() && change.at >= gone.since
            });
            // A file that is gone, or a fault that is over, is nobody's decision.
            let change = change.filter(|_| !shown::is_by_nobody(gone));
            let by = change.map_or_else(|| gone.by.clone(), |change| change.by);
            let why = self.lifting.remove(&gone.target).unwrap_or_default();
            events.extend(event(&Stop { by, why, ..gone.clone() }, false));
        }
        for new in now.iter().filter(|new| !before.iter().any(|old| same(old, new))) {
            events.extend(event(new, true));
        }
        events
    }
}

/// What is told of a stop that is made, or lifted; nothing where it stops nothing.
fn event(stop: &Stop, made: bool) -> Option<Event> {
    if let Some(mode) = shown::safe_mode(stop) {
        return Some(if made { Event::SafeModeOn(mode) } else { Event::SafeModeOff(mode) });
    }
    shown::stop(stop).map(if made { Event::Stopped } else { Event::Resumed })
}

#[cfg(test)]
mod tests {
    use lockgate_store::{Request, Scope, Stops, Vote};

    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    fn request(tool: &str) -> Request {
        let text = |text: &str| text.to_owned();
        Request {
            session: text("s"),
            principal: text("carol"),
            server: text("files"),
            tool: text(tool),
            arguments: text("{}"),
            fingerprint: text(tool),
            rule: text("servers.files.default"),
            reason: text("a rule asks for a person's approval"),
            origin: None,
            effect: text("write"),
            approvers: 1,
            created: NOW,
            expires: NOW + 60_000,
        }
    }

    fn words(events: &[Event]) -> Vec<&'static str> {
        events.iter().map(Event::word).collect()
    }

    #[test]
    fn each_call_is_told_twice_however_it_ends() {
        let approvals = Approvals::in_memory().unwrap();
        let mut calls = Calls::default();
        let put = |calls: &mut Calls, tool: &str| {
            let id = approvals.file(&request(tool), NOW).unwrap().id;
            let event = calls.put(&approvals.show(&id, NOW).unwrap().unwrap(), true);
            (id, event.map(|event| event.word()))
        };
        let (yes, told) = put(&mut calls, "a");
        assert_eq!(told, Some("approval_waiting"));
        assert_eq!(put(&mut calls, "a"), (yes.clone(), None), "the same call is told once");
        let (no, _) = put(&mut calls, "b");
        put(&mut calls, "c");
        assert!(calls.look(&approvals, NOW).is_empty());
        for (id, yes) in [(&yes, true), (&no, false)] {
            let vote = Vote { approver: "ann".to_owned(), yes, why: None, scope: Scope::Once };
            approvals.vote(id, &vote, NOW).unwrap();
        }
        // Taken before anybody looked: it was approved all the same.
        approvals.standing(&yes, NOW).unwrap();
        let mut told = words(&calls.look(&approvals, NOW + 1));
        told.sort_unstable();
        assert_eq!(told, ["approved", "denied"]);
        assert!(calls.look(&approvals, NOW + 59_999).is_empty());
        // Nothing was written; the time has come.
        assert_eq!(words(&calls.look(&approvals, NOW + 60_000)), ["expired"]);
        assert!(calls.look(&approvals, NOW + 60_001).is_empty() && calls.waiting.is_empty());
    }

    #[test]
    fn who_answers_before_it_is_told_is_told_of_as_well() {
        let approvals = Approvals::in_memory().unwrap();
        let mut calls = Calls::default();
        for (tool, waits, first) in [("a", true, Some("approval_waiting")), ("b", false, None)] {
            let id = approvals.file(&request(tool), NOW).unwrap().id;
            let no = Vote { approver: "ann".to_owned(), yes: false, why: None, scope: Scope::Once };
            approvals.vote(&id, &no, NOW).unwrap();
            assert!(calls.look(&approvals, NOW).is_empty());
            let event = calls.put(&approvals.show(&id, NOW).unwrap().unwrap(), waits);
            assert_eq!(event.map(|event| event.word()), first);
            assert_eq!(words(&calls.look(&approvals, NOW)), ["denied"]);
        }
    }

    #[test]
    fn stops_are_told_with_who_and_why() {
        let stops = Stops::in_memory().unwrap();
        let mut seen = Stopped::default();
        let history = || stops.history().unwrap();
        let mut look =
            |more: Option<Stop>| seen.look(stops.list().unwrap().into_iter().chain(more).collect(), history);
        let (server, mode) = (Target::Server("db".to_owned()), Target::SafeMode);
        stops.stop(&mode, "ann", "before", NOW).unwrap();
        assert!(look(None).is_empty(), "what stands at the start is no news");
        stops.stop(&server, "ann", "odd", NOW).unwrap();
        let told = look(None);
        assert_eq!(words(&told), ["stop"]);
        assert!(look(None).is_empty());
        stops.resume(&mode, "bob", NOW + 1).unwrap();
        let [Event::SafeModeOff(mode)] = &look(None)[..] else { panic!("safe mode is off") };
        assert_eq!((mode.by.as_str(), mode.reason.as_str()), ("bob", ""));
        // Lifted and made again between two looks.
        stops.resume(&server, "bob", NOW + 2).unwrap();
        stops.stop(&server, "eve", "again", NOW + 3).unwrap();
        let told = look(None);
        assert_eq!(words(&told), ["resume", "stop"]);
        let [Event::Resumed(gone), Event::Stopped(new)] = &told[..] else { panic!("both") };
        assert_eq!((gone.by.as_str(), new.by.as_str()), ("bob", "eve"));
        let file = shown::file(Some(lockgate_model::UnixMillis(NOW)));
        assert_eq!(words(&look(file)), ["stop"]);
        let [Event::Resumed(gone)] = &look(None)[..] else { panic!("the file is gone") };
        assert_eq!(gone.by, "the file STOP");
        // A name that no server can have stops nothing.
        stops.stop(&Target::Server("No Server".to_owned()), "ann", "", NOW).unwrap();
        assert!(look(None).is_empty());
    }
}
