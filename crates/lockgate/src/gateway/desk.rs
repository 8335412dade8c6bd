//! Calls that wait for people outside the client, and what the operator has stopped by hand. Both lie in the state folder,
//! where every gateway and command line of this user sees them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

use lockgate_core::{Ask, Ballot as Decided, Event, Step, Stops as Stopped};
use lockgate_model::{ExchangeId, Principal, Reason, ServerName, SessionId, ToolName};
use lockgate_store::{Approvals, Ballot, Request, Scope, StateError, Stops, Target, Vote};

use super::Gateway;
use super::session::{Session, Via, lock, unix_millis};

/// A file of this name in the state folder stops everything, for as long as it is there.
const STOP_FILE: &str = "STOP";

/// What the gateway keeps open in the state folder.
pub(super) struct Desk {
    folder: PathBuf,
    approvals: OnceLock<Option<Arc<Approvals>>>,
    stops: Mutex<Watch>,
}

/// What was last seen of the stops.
#[derive(Default)]
struct Watch {
    open: Option<Stops>,
    seen: Option<(u64, bool)>,
    now: Arc<Stopped>,
}

impl Desk {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, approvals: OnceLock::new(), stops: Mutex::default() }
    }

    fn approvals(&self, say: impl Fn(&str)) -> Option<Arc<Approvals>> {
        let open = || match Approvals::open(&self.folder) {
            Ok(approvals) => Some(Arc::new(approvals)),
            Err(error) => {
                say(&format!("approvals cannot be kept: {error} ({})", self.folder.display()));
                None
            }
        };
        self.approvals.get_or_init(open).clone()
    }

    /// What is stopped now, and whether that is news. What cannot be read stops everything.
    fn look(&self, say: impl Fn(&str)) -> (Arc<Stopped>, bool) {
        let mut watch = lock(&self.stops);
        let by_file = self.folder.join(STOP_FILE).exists();
        if watch.open.is_none() && self.folder.join(Stops::FILE).exists() {
            match Stops::open(&self.folder) {
                Ok(stops) => watch.open = Some(stops),
                Err(error) => return watch.everything(&error, say),
            }
        }
        let version = match watch.open.as_ref().map(Stops::version).transpose() {
            Ok(version) => version.unwrap_or(0),
            Err(error) => return watch.everything(&error, say),
        };
        if watch.seen == Some((version, by_file)) {
            return (Arc::clone(&watch.now), false);
        }
        let stops = match watch.open.as_ref().map(Stops::list).transpose() {
            Ok(list) => list.unwrap_or_default(),
            Err(error) => return watch.everything(&error, say),
        };
        let mut now = stopped(stops.into_iter().map(|stop| stop.target));
        now.everything |= by_file;
        watch.seen = Some((version, by_file));
        let news = *watch.now != now;
        watch.now = Arc::new(now);
        (Arc::clone(&watch.now), news)
    }
}

impl Watch {
    fn everything(&mut self, error: &StateError, say: impl Fn(&str)) -> (Arc<Stopped>, bool) {
        let news = !self.now.everything;
        if news {
            say(&format!("everything is stopped: what was stopped by hand cannot be read: {error}"));
            self.now = Arc::new(Stopped { everything: true, ..Stopped::default() });
            self.seen = None;
        }
        (Arc::clone(&self.now), news)
    }
}

fn stopped(targets: impl Iterator<Item = Target>) -> Stopped {
    let mut stopped = Stopped::default();
    for target in targets {
        match target {
            Target::Everything => stopped.everything = true,
            Target::SafeMode => stopped.safe_mode = true,
            Target::Server(server) => stopped.servers.extend(ServerName::parse(&server)),
            Target::Tool(server, tool) => {
                stopped.tools.extend(ServerName::parse(&server).map(|server| (server, ToolName::new(&tool))));
            }
            Target::Principal(principal) => {
                stopped.principals.insert(Principal::new(&principal));
            }
            Target::Session(session) => {
                stopped.sessions.insert(SessionId::new(&session));
            }
        }
    }
    stopped
}

impl Gateway {
    /// What the operator has stopped, as last seen.
    pub(super) fn stops(&self) -> Arc<Stopped> {
        self.desk.look(|text| self.say(text)).0
    }

    /// Sees what people have decided since, in approvals and in stops. Called several times a second.
    pub(super) async fn look_at_desk(self: &Arc<Self>) {
        let gateway = Arc::clone(self);
        let looked = tokio::task::spawn_blocking(move || gateway.desk.look(|text| gateway.say(text))).await;
        let news = looked.ok().filter(|(_, news)| *news).map(|(stops, _)| stops);
        for session in self.sessions.all() {
            if let Some(stops) = &news {
                let steps = session.event(Event::Stopped(Arc::clone(stops)));
                let session = Arc::clone(&session);
                tokio::spawn(async move { session.perform(steps, Via::default()).await });
            }
            if !lock(&session.asked).is_empty() {
                let session = Arc::clone(&session);
                tokio::spawn(async move { session.look_at_ballots().await });
            }
        }
    }

    /// Stops everything by hand, as if on the command line.
    pub(super) async fn stop_everything(self: &Arc<Self>, by: &'static str) {
        let gateway = Arc::clone(self);
        let stopping = tokio::task::spawn_blocking(move || {
            let stops = Stops::open(&gateway.desk.folder)?;
            stops.stop(&Target::Everything, by, "a signal", unix_millis().0)
        });
        match stopping.await {
            Ok(Ok(_)) => self.say("everything is stopped; `lockgate resume` lets it run again"),
            Ok(Err(error)) => self.say(&format!("nothing could be stopped: {error}")),
            Err(_) => self.say("nothing could be stopped"),
        }
        self.look_at_desk().await;
    }
}

impl Session {
    /// Puts a held call before people, and says how that went.
    pub(super) async fn ask(self: &Arc<Self>, ask: Box<Ask>) -> Vec<Step> {
        let exchange = ask.exchange;
        let (gateway, session) = (Arc::clone(&self.gateway), Arc::clone(self));
        let asking = tokio::task::spawn_blocking(move || {
            let approvals =
                gateway.desk.approvals(|text| gateway.say(text)).ok_or(Reason::ApprovalUnavailable)?;
            let now = unix_millis().0;
            let filed = approvals.file(&session.request(&ask, now), now);
            let filed = filed.and_then(|mut filed| {
                if ask.voiced && matches!(filed.ballot, Ballot::Waiting { .. }) {
                    approvals.vote(&filed.id, &session.vote_of(true), now)?;
                    filed.ballot = approvals.standing(&filed.id, now)?;
                }
                Ok(filed)
            });
            filed.map_err(|error| {
                if matches!(error, StateError::TooMany) {
                    return Reason::TooManyApprovals;
                }
                gateway.say(&format!("a call cannot be put before people: {error}"));
                Reason::ApprovalUnavailable
            })
        });
        let filed = asking.await.unwrap_or(Err(Reason::InternalFault));
        match filed {
            Err(reason) => self.event(Event::Filed { exchange, reference: Err(reason) }),
            Ok(filed) => {
                if let Some(ballot) = decided(&filed.ballot) {
                    return self.event(Event::Ballot { exchange, ballot });
                }
                lock(&self.asked).insert(exchange, filed.id.clone());
                self.event(Event::Filed { exchange, reference: Ok(filed.id) })
            }
        }
    }

    fn request(&self, ask: &Ask, now: u64) -> Request {
        let session = self.core().session_id().to_string();
        Request {
            session,
            principal: self.principal.to_string(),
            server: ask.server.to_string(),
            tool: ask.target.clone(),
            arguments: ask.arguments.clone(),
            fingerprint: format!("{}:{}", self.principal, ask.fingerprint),
            rule: ask.rule.clone(),
            reason: ask.reason.meaning().to_owned(),
            origin: ask.origin.as_ref().map(|server| {
                format!("this session has read text from server `{server}`, which outsiders can write to")
            }),
            effect: ask.effect.word().to_owned(),
            approvers: ask.approvers,
            created: now,
            expires: now.saturating_add(ask.valid),
        }
    }

    /// What the person in front of the client says.
    fn vote_of(&self, yes: bool) -> Vote {
        let name = self.principal.as_str();
        let approver = if name == "local" { crate::operator::local_user() } else { name.to_owned() };
        Vote { approver, yes, why: Some("answered in the client".to_owned()), scope: Scope::Once }
    }

    /// The person in front of the client has answered.
    pub(super) async fn vote(self: &Arc<Self>, exchange: ExchangeId, yes: bool) {
        let Some(id) = lock(&self.asked).get(&exchange).cloned() else { return };
        let session = Arc::clone(self);
        let voting = tokio::task::spawn_blocking(move || {
            let gateway = &session.gateway;
            let Some(approvals) = gateway.desk.approvals(|text| gateway.say(text)) else { return };
            if let Err(error) = approvals.vote(&id, &session.vote_of(yes), unix_millis().0) {
                gateway.say(&format!("an answer in the client could not be kept: {error}"));
            }
        });
        // A vote that is lost is one that was not given.
        let _voted = voting.await;
    }

    /// Nobody waits for an approval any more.
    pub(super) fn withdraw(self: &Arc<Self>, exchange: ExchangeId) {
        let Some(id) = lock(&self.asked).remove(&exchange) else { return };
        let gateway = Arc::clone(&self.gateway);
        tokio::task::spawn_blocking(move || {
            if let Some(approvals) = gateway.desk.approvals(|text| gateway.say(text))
                && let Err(error) = approvals.withdraw(&id, unix_millis().0)
            {
                gateway.say(&format!("an approval could not be withdrawn: {error}"));
            }
        });
    }

    /// Has anybody decided about the calls of this session?
    async fn look_at_ballots(self: &Arc<Self>) {
        let waiting: Vec<_> =
            lock(&self.asked).iter().map(|(exchange, id)| (*exchange, id.clone())).collect();
        let gateway = Arc::clone(&self.gateway);
        let looking = tokio::task::spawn_blocking(move || {
            let Some(approvals) = gateway.desk.approvals(|text| gateway.say(text)) else { return Vec::new() };
            let standing = |(exchange, id): (ExchangeId, String)| {
                let ballot = approvals.standing(&id, unix_millis().0).ok()?;
                Some((exchange, decided(&ballot)?))
            };
            waiting.into_iter().filter_map(standing).collect()
        });
        for (exchange, ballot) in looking.await.unwrap_or_default() {
            lock(&self.asked).remove(&exchange);
            let steps = self.event(Event::Ballot { exchange, ballot });
            self.perform(steps, Via::default()).await;
        }
    }
}

fn decided(ballot: &Ballot) -> Option<Decided> {
    match ballot {
        Ballot::Waiting { .. } => None,
        Ballot::Approved { .. } => Some(Decided::Approved),
        Ballot::Denied { .. } => Some(Decided::Denied),
        Ballot::Expired | Ballot::Used => Some(Decided::Expired),
    }
}
