//! Who is told of what happens here, and what is stopped because of it.
//!
//! Events come from records, from what people decide, and from the gateway itself; rules say whom to tell and what to stop.
//! A stop of a rule is one like a person's, in the same file; what a rule stopped for a time is lifted by any gateway of the
//! state folder that has alerts.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use lockgate_audit::{Happening, Record};
use lockgate_console as console;
use lockgate_console::{Channel, Courier, Mail, Message, Syslog};
use lockgate_model::UnixMillis;
use lockgate_store::{RecordLog, StateError, Stop, Stops, Target, rfc3339};
use lockgate_watch::alert::{Act, Alert, Alerts, Containment, Per};
use lockgate_watch::{Event, EventName, EventNames, Severity};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::Gateway;
use super::session::{lock, unix_millis, wall};
use crate::config::{self, AlertWay, Config};

/// The folder, in that of the state, of alerts that wait for their channel.
const FOLDER: &str = "alerts";
/// Most stops that wait to be made.
const WAITING: usize = 1_000;
/// How often time passes for rules. Milliseconds.
const BEAT: u64 = 1_000;
/// What stands in a stop's reason before the time that it ends at, in RFC 3339.
const UNTIL: &str = "; lifted at ";

/// Rules, channels, and what is to be stopped.
pub(super) struct Alerting {
    settings: config::Alerts,
    /// Said to its couriers when other channels are in force, or the gateway ends.
    over: watch::Sender<bool>,
    alerts: Mutex<Alerts>,
    wanted: EventNames,
    couriers: Vec<Carrier>,
    contain: Mutex<Vec<Containment>>,
    /// Held while something is being stopped.
    containing: tokio::sync::Mutex<()>,
    wake: Notify,
    /// Was there something to stop that was beyond the most?
    overflowed: AtomicBool,
    /// When time last passed. Milliseconds since 1970.
    passed: AtomicU64,
    /// Was it told that records cannot be written?
    unrecorded: AtomicBool,
}

/// A courier, and what the operator knows of it.
struct Carrier {
    name: String,
    courier: Arc<Courier>,
    failing: AtomicBool,
    dropped: AtomicU64,
}

impl Alerting {
    /// Prepares to tell. Opens no connection.
    pub(super) fn new(settings: &config::Alerts, folder: &Path, scope: &str) -> Result<Self, String> {
        let carrier = |settings: &config::AlertChannel| {
            // A channel of the same name in another configuration is another one.
            let folder = folder.join(FOLDER).join(format!(
                "{}-{}",
                settings.name,
                config::short_digest(scope.as_bytes())
            ));
            Ok(Carrier {
                courier: Arc::new(Courier::new(channel(settings)?, folder)),
                name: settings.name.clone(),
                failing: AtomicBool::new(false),
                dropped: AtomicU64::new(0),
            })
        };
        let couriers = settings.channels.iter().map(carrier).collect::<Result<_, String>>()?;
        let most: Vec<u32> = settings.channels.iter().map(|channel| channel.at_most).collect();
        let prefix = format!("{:x}-{:x}", unix_millis().0, std::process::id());
        let alerts = Alerts::new(settings.rules.clone(), &most, &prefix);
        Ok(Self {
            settings: settings.clone(),
            over: watch::Sender::new(false),
            wanted: alerts.wanted(),
            alerts: Mutex::new(alerts),
            couriers,
            contain: Mutex::default(),
            containing: tokio::sync::Mutex::default(),
            wake: Notify::new(),
            overflowed: AtomicBool::new(false),
            passed: AtomicU64::new(0),
            unrecorded: AtomicBool::new(false),
        })
    }

    /// Tells what is worth telling of a record. Gives the records of that.
    pub(super) fn see(&self, record: &Record) -> Vec<Record> {
        Event::of_record(record, self.wanted).iter().flat_map(|event| self.tell(event)).collect()
    }

    /// Something happened. Gives the records of whom it was told to.
    pub(super) fn tell(&self, event: &Event) -> Vec<Record> {
        if !self.wanted.has(event.name) {
            return Vec::new();
        }
        let acts = lock(&self.alerts).see(event, unix_millis());
        self.act(acts)
    }

    fn act(&self, acts: Vec<Act>) -> Vec<Record> {
        let mut told: Vec<Record> = Vec::new();
        for act in acts {
            match act {
                Act::Contain(containment) => {
                    let mut waiting = lock(&self.contain);
                    if waiting.iter().any(|it| it.target == containment.target) {
                        continue;
                    }
                    if waiting.len() < WAITING {
                        waiting.push(containment);
                        self.wake.notify_one();
                    } else {
                        self.overflowed.store(true, Ordering::Relaxed);
                    }
                }
                Act::Tell(at, alert) => {
                    if let Some(carrier) = self.couriers.get(at) {
                        carrier.courier.tell(message(&alert));
                    }
                    // One record, however many channels.
                    if told.iter().all(|told| told.about.as_deref() != Some(&alert.id)) {
                        told.push(record(&alert));
                    }
                }
            }
        }
        told
    }

    /// Sees how the channels are doing. Gives what is to be told and said.
    fn look(&self) -> (Vec<Event>, Vec<String>) {
        let (mut events, mut said) = (Vec::new(), Vec::new());
        if self.overflowed.swap(false, Ordering::Relaxed) {
            events.push(Event::new(EventName::ContainmentFailed).noting("too many at once"));
        }
        for Carrier { name, courier, failing, dropped } in &self.couriers {
            let carried = courier.carried();
            let lost =
                carried.dropped - dropped.swap(carried.dropped, Ordering::Relaxed).min(carried.dropped);
            if lost > 0 {
                said.push(format!("{lost} alerts for `{name}` are lost"));
                events.push(Event::new(EventName::AlertsLost).noting(&format!("{lost} for channel {name}")));
            }
            match (failing.swap(carried.failing.is_some(), Ordering::Relaxed), carried.failing) {
                (false, Some(why)) => {
                    said.push(format!("alerts do not reach `{name}`: {why}; they are kept and sent again"));
                }
                (true, None) => said.push(format!("alerts reach `{name}` again")),
                (true, Some(_)) | (false, None) => {}
            }
        }
        (events, said)
    }
}

impl Gateway {
    /// Something happened here that is worth telling.
    pub(super) fn tell(&self, event: Event) {
        if let Some(alerting) = self.alerting() {
            for told in alerting.tell(&event) {
                self.write_down(wall(), Box::new(told));
            }
        }
    }

    /// Whom to tell, as it is in force.
    pub(super) fn alerting(&self) -> Option<Arc<Alerting>> {
        lock(&self.alerting).clone()
    }

    /// Begins to send alerts. Ends some seconds after `closing` says so.
    pub(super) fn open_channels(self: &Arc<Self>, closing: &watch::Receiver<bool>, tasks: &mut JoinSet<()>) {
        if let Some(alerting) = self.alerting() {
            self.carry(&alerting);
        }
        let (gateway, mut closing) = (Arc::clone(self), closing.clone());
        tasks.spawn(async move {
            let _closing = closing.wait_for(|closing| *closing).await.is_ok();
            if let Some(alerting) = gateway.alerting() {
                alerting.over.send_replace(true);
            }
            let mut carrying = std::mem::take(&mut *lock(&gateway.carrying));
            while carrying.join_next().await.is_some() {}
        });
        self.tell(Event::new(EventName::GatewayStarted));
    }

    /// Sends what its channels are told, until it is over.
    fn carry(self: &Arc<Self>, alerting: &Arc<Alerting>) {
        for at in 0..alerting.couriers.len() {
            let (gateway, alerting) = (Arc::clone(self), Arc::clone(alerting));
            lock(&self.carrying).spawn(async move {
                let Some(Carrier { courier, name, .. }) = alerting.couriers.get(at) else { return };
                let (waiting, lost) = courier.run(alerting.over.subscribe()).await;
                if waiting > 0 {
                    gateway
                        .say(&format!("{waiting} alerts for `{name}` wait on the disk for the next start"));
                }
                if lost > 0 {
                    gateway.say(&format!("{lost} alerts for `{name}` are lost: they could not be kept"));
                }
            });
        }
    }

    /// Whom to tell by another configuration; the same where that has not changed. Nothing of it is in force yet.
    pub(super) fn alerting_of(&self, config: &Config) -> Result<Option<Arc<Alerting>>, String> {
        let old = self.alerting();
        if old.as_ref().map(|old| &old.settings) == config.alerts.as_ref() {
            return Ok(old);
        }
        let new = |alerts| Alerting::new(alerts, self.desk.folder(), &config.scope).map(Arc::new);
        config.alerts.as_ref().map(new).transpose()
    }

    /// Tells these from now on. What waits for a channel that is still there is brought to it by its new courier; what of late
    /// was counted for rules is counted anew.
    pub(super) fn tell_by(self: &Arc<Self>, new: Option<Arc<Alerting>>) {
        let old = std::mem::replace(&mut *lock(&self.alerting), new.clone());
        if old.as_ref().map(Arc::as_ptr) == new.as_ref().map(Arc::as_ptr) {
            return;
        }
        self.desk.notices.keep_stop_changes(new.is_some());
        let waiting = old.as_ref().map(|old| std::mem::take(&mut *lock(&old.contain)));
        if let Some(new) = &new {
            lock(&new.contain).extend(waiting.unwrap_or_default());
            new.wake.notify_one();
            self.carry(new);
        }
        if let Some(old) = old {
            old.over.send_replace(true);
        }
    }

    /// Waits until something is to be stopped.
    pub(super) async fn must_contain(&self) {
        match self.alerting() {
            Some(alerting) => alerting.wake.notified().await,
            None => std::future::pending().await,
        }
    }

    /// Stops what rules say.
    pub(super) async fn contain(self: &Arc<Self>) {
        let Some(alerting) = self.alerting() else { return };
        // Whoever ends the gateway waits for what is being stopped now.
        let _one_at_a_time = alerting.containing.lock().await;
        let waiting = std::mem::take(&mut *lock(&alerting.contain));
        if waiting.is_empty() {
            return;
        }
        let gateway = Arc::clone(self);
        let contained = tokio::task::spawn_blocking(move || {
            for containment in &waiting {
                gateway.contain_one(containment);
            }
        });
        if contained.await.is_err() {
            self.tell(Event::new(EventName::ContainmentFailed));
        }
        self.look_at_desk().await;
    }

    fn contain_one(&self, containment: &Containment) {
        let (what, name) = (containment.target.0.word(), &containment.target.1);
        let stopped = Stops::open(self.desk.folder()).and_then(|stops| {
            stops.stop(&target(containment)?, Stops::BY_ALERT, &why(containment), unix_millis().0)
        });
        match stopped {
            Ok(true) => self.say(&format!(
                "the {what} `{name}` is stopped: alert {} of the rule `{}`; `lockgate resume` lets it run again",
                containment.alert, containment.rule
            )),
            // Somebody was faster.
            Ok(false) => {}
            Err(error) => {
                self.say(&format!("the {what} `{name}` could not be stopped: {error}"));
                self.tell(Event::new(EventName::ContainmentFailed).noting(&format!("the {what} {name}")));
            }
        }
    }

    /// Lets time pass for the rules, and sees how channels and records are doing. Called several times a second.
    pub(super) async fn look_at_alerts(self: &Arc<Self>) {
        let Some(alerting) = self.alerting() else { return };
        for event in self.desk.stop_changes().iter().filter_map(stop_event) {
            self.tell(event);
        }
        let failing = self.records.as_ref().is_some_and(RecordLog::is_failing);
        if failing && !alerting.unrecorded.swap(failing, Ordering::Relaxed) {
            self.tell(Event::new(EventName::RecordsUnavailable));
        }
        alerting.unrecorded.store(failing, Ordering::Relaxed);
        let now = unix_millis();
        // A clock that was set back is no reason to wait.
        if now.0.abs_diff(alerting.passed.load(Ordering::Relaxed)) < BEAT {
            return;
        }
        alerting.passed.store(now.0, Ordering::Relaxed);
        let acts = lock(&alerting.alerts).pass(now);
        for told in alerting.act(acts) {
            self.write_down(wall(), Box::new(told));
        }
        let (events, said) = alerting.look();
        for said in said {
            self.say(&said);
        }
        for event in events {
            self.tell(event);
        }
        let stops = self.stops();
        if stops.servers.is_empty() && stops.sessions.is_empty() && stops.principals.is_empty() {
            return;
        }
        let gateway = Arc::clone(self);
        // What cannot be lifted now is lifted later.
        let _lifted = tokio::task::spawn_blocking(move || gateway.lift_over(now)).await;
    }

    /// What was told after the channels ended is kept for the next start.
    pub(super) async fn keep_alerts(&self) {
        for carrier in self.alerting().iter().flat_map(|alerting| &alerting.couriers) {
            carrier.courier.keep().await;
        }
    }

    /// Lifts what rules stopped for a time that is over.
    fn lift_over(&self, now: UnixMillis) -> Result<(), StateError> {
        let stops = Stops::open(self.desk.folder())?;
        for stop in stops.list()?.iter().filter(|stop| is_over(stop, now)) {
            stops.resume(&stop.target, Stops::BY_ALERT, now.0)?;
        }
        Ok(())
    }
}

/// A channel as it is configured.
pub(crate) fn channel(settings: &config::AlertChannel) -> Result<Channel, String> {
    let wrong =
        |error: &dyn std::fmt::Display| format!("the channel `{}` cannot be used: {error}", settings.name);
    match &settings.way {
        AlertWay::Webhook(webhook) => {
            Channel::webhook(webhook.url.reveal(), webhook.secret.reveal().as_bytes())
                .map_err(|error| wrong(&error))
        }
        AlertWay::Slack(url) => Channel::chat(url.reveal()).map_err(|error| wrong(&error)),
        AlertWay::Syslog(address, unencrypted) => {
            Syslog::new(address, *unencrypted).map(Channel::syslog).map_err(|error| wrong(&error))
        }
        AlertWay::Email(email) => {
            let login =
                email.login.as_ref().map(|(user, password)| (user.clone(), password.reveal().to_owned()));
            let mail = Mail::new(&email.server, &email.from, &email.to, login);
            mail.map(Channel::mail).map_err(|error| wrong(&error))
        }
        AlertWay::File(path) => Ok(Channel::lines(path.clone())),
    }
}

/// An alert in the forms that channels need.
pub(crate) fn message(alert: &Alert) -> Message {
    let time = written(alert.at.0);
    Message {
        id: alert.id.clone(),
        name: alert.event.name.word().to_owned(),
        severity: match alert.event.name.severity() {
            Severity::Critical => 2,
            Severity::High => 3,
            Severity::Medium => 4,
            Severity::Low => 5,
            Severity::Info => 6,
        },
        subject: alert.subject(),
        text: alert.text(&time),
        json: alert.to_json(&time),
        time,
    }
}

/// The record of an alert: what it is, how bad, by which rule, and what it is about; nothing that is not in the alert.
fn record(alert: &Alert) -> Record {
    let own = Record::of_gateway(Happening::Alert);
    let event = &alert.event;
    let session = event.session.clone().unwrap_or(own.session);
    Record {
        correlation: event.correlation.clone().unwrap_or_else(|| session.to_string()),
        session,
        principal: event.principal.clone().unwrap_or(own.principal),
        server: event.server.clone(),
        target: event.target.clone(),
        about: Some(alert.id.clone()),
        alert_rule: Some(alert.rule.clone()),
        notes: vec![event.name.word(), event.name.severity().word()],
        count: Some(u64::from(alert.count)),
        ..own
    }
}

/// What a rule stops, for the store. A rule cannot stop everything.
fn target(containment: &Containment) -> Result<Target, StateError> {
    let (what, name) = (containment.target.0, containment.target.1.clone());
    match what {
        Per::Server => Ok(Target::Server(name)),
        Per::Principal => Ok(Target::Principal(name)),
        Per::Session => Ok(Target::Session(name)),
        Per::Rule => Err(StateError::Name { what: "the target" }),
    }
}

fn why(containment: &Containment) -> String {
    let said = format!("alert {} of the rule {}", containment.alert, containment.rule);
    containment.until.map_or_else(|| said.clone(), |until| format!("{said}{UNTIL}{}", written(until)))
}

/// Did a rule stop it for a time, and is that over? Times that are written alike compare as texts.
fn is_over(stop: &Stop, now: UnixMillis) -> bool {
    let until = stop.why.rsplit_once(UNTIL).map(|(_, until)| until);
    let now = written(now.0);
    stop.by == Stops::BY_ALERT && until.is_some_and(|until| until.len() == now.len() && *until <= *now)
}

fn written(unix_millis: u64) -> String {
    rfc3339(UNIX_EPOCH + Duration::from_millis(unix_millis))
}

/// What is told of a stop that is made or lifted: what and by whom, not why, which is somebody's own words.
fn stop_event(event: &console::Event) -> Option<Event> {
    let (stop, name) = match event {
        console::Event::Stopped(stop) => (stop, EventName::StopSet),
        console::Event::Resumed(stop) => (stop, EventName::StopLifted),
        console::Event::SafeModeOn(mode) => {
            return Some(Event::new(EventName::StopSet).noting(&format!("safe mode, by {}", mode.by)));
        }
        console::Event::SafeModeOff(mode) => {
            return Some(Event::new(EventName::StopLifted).noting(&format!("safe mode, by {}", mode.by)));
        }
        console::Event::ApprovalWaiting(_)
        | console::Event::Approved(_)
        | console::Event::Denied(_)
        | console::Event::Expired(_)
        | console::Event::ToolFrozen(_)
        | console::Event::Quarantined(_) => return None,
    };
    let told = Event::new(name).noting(&format!("by {}", stop.by));
    Some(match &stop.target {
        console::Target::All => Event::new(name).noting(&format!("everything, by {}", stop.by)),
        console::Target::Server(server) => told.about(Some(server)),
        console::Target::Tool(server, tool) => {
            Event { target: Some(tool.shown().to_owned()), ..told.about(Some(server)) }
        }
        console::Target::Session(session) => told.within(Some(session), None),
        console::Target::Principal(principal) => told.within(None, Some(principal)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lockgate_model::{ServerName, SessionId};

    #[test]
    fn a_stop_of_a_rule_says_why_and_until_when() {
        let target_of = |what| Containment {
            target: (what, "web".to_owned()),
            until: Some(9),
            alert: "a-1".to_owned(),
            rule: "flows".to_owned(),
        };
        let said = "alert a-1 of the rule flows; lifted at 1970-01-01T00:00:00.009000Z";
        assert_eq!(why(&target_of(Per::Server)), said);
        assert_eq!(target(&target_of(Per::Server)).unwrap(), Target::Server("web".to_owned()));
        assert!(target(&target_of(Per::Rule)).is_err());
        for (by, why, now, over) in [
            (Stops::BY_ALERT, said, 8, false),
            (Stops::BY_ALERT, said, 9, true),
            ("ann", said, 9, false),
            (Stops::BY_ALERT, "alert a-1 of the rule flows", 9, false),
            (Stops::BY_ALERT, "alert a-1 of the rule flows; lifted at 9", u64::MAX >> 12, false),
        ] {
            let (by, why) = (by.to_owned(), why.to_owned());
            let stop = Stop { target: Target::Server("web".to_owned()), by, why, since: 1 };
            assert_eq!(is_over(&stop, UnixMillis(now)), over, "{stop:?} {now}");
        }
    }

    #[test]
    fn what_is_told_of_a_stop_is_not_somebodys_words() {
        let stop = console::Stop {
            target: console::Target::Server(ServerName::parse("web").unwrap()),
            by: "alice".to_owned(),
            reason: "secret words".to_owned(),
            since_unix_ms: UnixMillis(1),
        };
        let event = stop_event(&console::Event::Stopped(stop.clone())).unwrap();
        assert_eq!((event.name, event.note.as_deref()), (EventName::StopSet, Some("by alice")));
        assert!(!format!("{event:?}").contains("secret words"));
        let session = console::Target::Session(SessionId::new("s1"));
        let event = stop_event(&console::Event::Resumed(console::Stop { target: session, ..stop })).unwrap();
        assert_eq!((event.name, event.session.is_some()), (EventName::StopLifted, true));
    }
}
