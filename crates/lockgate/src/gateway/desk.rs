//! Calls that wait for people outside the client, and what the operator has stopped by hand. Both lie in the state folder,
//! where every gateway and command line of this user sees them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use lockgate_console::Frozen;
use lockgate_core::{Ask, Ballot as Decided, Event, Reach, Step, Stops as Stopped};
use lockgate_model::{ExchangeId, Principal, Reason, ServerName, SessionId, ToolName, UnixMillis};
use lockgate_store::{Approvals, Ballot, RecordLog, Request, Scope, StateError, Stops, Target, Vote};
use lockgate_watch::{Event as Told, EventName};

use super::notice::Notices;
use super::session::{Session, Via, lock, unix_millis};
use super::{Gateway, shown};

/// A file of this name in the state folder stops everything, for as long as it is there.
const STOP_FILE: &str = "STOP";

/// What the gateway keeps open in the state folder.
pub(super) struct Desk {
    folder: PathBuf,
    approvals: OnceLock<Option<Arc<Approvals>>>,
    stops: Mutex<Watch>,
    /// Held from a look until what was seen is handed on: an older look must not be handed on after a newer one, and a
    /// yes that counts once must not be taken by two looks.
    looking: tokio::sync::Mutex<()>,
    pub(super) notices: Notices,
}

/// What was last seen of the stops.
#[derive(Default)]
struct Watch {
    open: Option<Stops>,
    /// The version of the file, and since when there is one that stops everything.
    seen: Option<(u64, Option<UnixMillis>)>,
    /// Was it said that the stops cannot be read?
    told: bool,
    now: Arc<Stopped>,
}

impl Desk {
    pub(super) fn new(folder: PathBuf, notices: Notices) -> Self {
        Self {
            folder,
            approvals: OnceLock::new(),
            stops: Mutex::default(),
            looking: tokio::sync::Mutex::default(),
            notices,
        }
    }

    /// The state folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// When the file that stops everything was made; `None` where there is none.
    pub(super) fn stop_file(&self) -> Option<UnixMillis> {
        let file = self.folder.join(STOP_FILE);
        let made = std::fs::metadata(&file).and_then(|found| found.modified()).ok();
        let made = made.map(|made| made.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default());
        // What cannot be looked at any closer is there all the same.
        let made = made.or_else(|| file.exists().then(Duration::default))?;
        Some(UnixMillis(u64::try_from(made.as_millis()).unwrap_or(u64::MAX)))
    }

    pub(super) fn approvals(&self, say: impl Fn(&str)) -> Option<Arc<Approvals>> {
        let open = || match Approvals::open(&self.folder) {
            Ok(approvals) => Some(Arc::new(approvals)),
            Err(error) => {
                say(&format!("approvals cannot be kept: {error} ({})", self.folder.display()));
                None
            }
        };
        self.approvals.get_or_init(open).clone()
    }

    /// What was stopped or lifted since this was last asked, where alerts are wanted.
    pub(super) fn stop_changes(&self) -> Vec<lockgate_console::Event> {
        self.notices.stop_changes()
    }

    /// Is there nothing to read from a file: no stops, and no call that is to be told of?
    fn is_bare(&self) -> bool {
        !self.notices.expects() && lock(&self.stops).open.is_none() && !self.folder.join(Stops::FILE).exists()
    }

    /// What is stopped now. What cannot be read stops everything. The same [`Arc`] where nothing has changed.
    fn look(&self, say: impl Fn(&str)) -> Arc<Stopped> {
        let mut watch = lock(&self.stops);
        if let Err(error) = self.read(&mut watch) {
            if !watch.now.everything {
                watch.now = Arc::new(Stopped { everything: true, ..Stopped::default() });
            }
            if watch.seen.take().is_some() || !watch.told {
                say(&format!("everything is stopped: what was stopped by hand cannot be read: {error}"));
                self.notices.stops_unreadable();
            }
            watch.told = true;
        }
        Arc::clone(&watch.now)
    }

    fn read(&self, watch: &mut Watch) -> Result<(), StateError> {
        let by_file = self.stop_file();
        if watch.open.is_none() && self.folder.join(Stops::FILE).exists() {
            watch.open = Some(Stops::open(&self.folder)?);
        }
        let version = watch.open.as_ref().map(Stops::version).transpose()?.unwrap_or(0);
        if watch.seen == Some((version, by_file)) {
            return Ok(());
        }
        let stops = watch.open.as_ref().map(Stops::list).transpose()?.unwrap_or_default();
        let history = || watch.open.as_ref().and_then(|stops| stops.history().ok()).unwrap_or_default();
        self.notices.stops(stops.iter().cloned().chain(shown::file(by_file)).collect(), history);
        let mut now = stopped(stops.into_iter().map(|stop| stop.target));
        now.everything |= by_file.is_some();
        watch.seen = Some((version, by_file));
        watch.told = false;
        if *watch.now != now {
            watch.now = Arc::new(now);
        }
        Ok(())
    }
}

/// A call that people have decided about.
type Counted = (Arc<Session>, ExchangeId, Decided);

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
    /// What the operator has stopped.
    pub(super) fn stops(&self) -> Arc<Stopped> {
        let stops = self.desk.look(|text| self.say(text));
        if self.records.as_ref().is_some_and(RecordLog::is_failing) && !stops.unrecorded {
            return Arc::new(Stopped { unrecorded: true, ..(*stops).clone() });
        }
        stops
    }

    /// Sees what people have decided since, in approvals and in stops, and lets it take effect. Called several times a
    /// second, and when somebody decides here.
    pub(super) async fn look_at_desk(self: &Arc<Self>) {
        let _one_at_a_time = self.desk.looking.lock().await;
        let lost = self.desk.notices.lost();
        if lost > 0 {
            self.say(&format!("the webhook has not taken {lost} events: people may wait to be told"));
            self.tell(Told::new(EventName::NoticesLost).noting(&format!("{lost} events")));
        }
        let mut waiting = Vec::new();
        for session in self.sessions.all() {
            let asked: Vec<_> = lock(&session.asked).iter().map(|(at, id)| (*at, id.clone())).collect();
            waiting.extend(asked.into_iter().map(|(exchange, id)| (Arc::clone(&session), exchange, id)));
        }
        let (stops, ballots) = if waiting.is_empty() && self.desk.is_bare() {
            // Two names that are looked for: not worth a second thread, which makes every call of the first dearer.
            (self.stops(), Vec::new())
        } else {
            let gateway = Arc::clone(self);
            let looking = tokio::task::spawn_blocking(move || gateway.stops_and_ballots(waiting));
            let Ok(looked) = looking.await else { return };
            looked
        };
        for session in self.sessions.all() {
            // A session that began meanwhile may have seen less.
            if *session.core().stops() != stops {
                session.happened(Event::Stopped(Arc::clone(&stops)));
            }
        }
        for (session, exchange, ballot) in ballots {
            lock(&session.asked).remove(&exchange);
            session.happened(Event::Ballot { exchange, ballot });
        }
    }

    fn stops_and_ballots(
        &self,
        waiting: Vec<(Arc<Session>, ExchangeId, String)>,
    ) -> (Arc<Stopped>, Vec<Counted>) {
        let stops = self.stops();
        if waiting.is_empty() && !self.desk.notices.expects() {
            return (stops, Vec::new());
        }
        let Some(approvals) = self.desk.approvals(|text| self.say(text)) else { return (stops, Vec::new()) };
        // Before a yes is taken: who is told of it sees it as it was given.
        self.desk.notices.approvals(&approvals, unix_millis().0);
        let standing = |(session, exchange, id): (Arc<Session>, ExchangeId, String)| {
            let ballot = approvals.standing(&id, unix_millis().0).ok()?;
            Some((session, exchange, decided(&ballot)?))
        };
        (stops, waiting.into_iter().filter_map(standing).collect())
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
    /// Tells the operator that an agent tries one value after the other.
    pub(super) fn alarm(&self, server: &ServerName, tool: String) {
        let session = self.core().session_id().to_string();
        let principal = self.principal.to_string();
        self.gateway.say(&format!(
            "`{tool}` on server `{server}` is frozen in session {session} of {principal}: refused values were tried again and again"
        ));
        self.gateway.tell(
            Told {
                target: Some(ToolName::new(&tool).shown().to_owned()),
                ..Told::new(EventName::ToolFrozen)
            }
            .about(Some(server))
            .within(Some(self.core().session_id()), Some(&self.principal)),
        );
        self.gateway.desk.notices.frozen(Frozen { server: server.to_string(), tool, session, principal });
    }

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
                let put = matches!(filed.ballot, Ballot::Waiting { .. });
                if ask.voiced.is_some() && put {
                    filed.ballot = approvals.vote_and_send(&filed.id, &session.vote_of(ask.voiced), now)?;
                }
                if put {
                    let waits = matches!(filed.ballot, Ballot::Waiting { .. });
                    gateway.desk.notices.put(&approvals, &filed.id, waits, now);
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
                // The agent may have taken the call back meanwhile: it must not use up a yes that is for a later one.
                if !self.core().is_open(exchange) {
                    self.withdraw(exchange);
                }
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
    fn vote_of(&self, yes: Option<Reach>) -> Vote {
        let name = self.principal.as_str();
        let approver = if name == "local" { crate::operator::local_user() } else { name.to_owned() };
        let scope = match yes {
            None | Some(Reach::Once) => Scope::Once,
            Some(Reach::Session | Reach::Always) => Scope::Session,
        };
        Vote { approver, yes: yes.is_some(), why: Some("answered in the client".to_owned()), scope }
    }

    /// The person in front of the client has answered. What all have said by now is told.
    pub(super) async fn vote(self: &Arc<Self>, exchange: ExchangeId, yes: Option<Reach>) -> Vec<Step> {
        let Some(id) = lock(&self.asked).get(&exchange).cloned() else { return Vec::new() };
        let session = Arc::clone(self);
        let voting = tokio::task::spawn_blocking(move || {
            let gateway = &session.gateway;
            let approvals = gateway.desk.approvals(|text| gateway.say(text))?;
            match approvals.vote_and_send(&id, &session.vote_of(yes), unix_millis().0) {
                // Whoever looks at the ballots has used it, for this call or another, and tells.
                Ok(Ballot::Used) => None,
                Ok(ballot) => decided(&ballot),
                Err(error) => {
                    gateway.say(&format!("an answer in the client could not be kept: {error}"));
                    None
                }
            }
        });
        // A vote that is lost is one that was not given.
        let Some(ballot) = voting.await.ok().flatten() else { return Vec::new() };
        lock(&self.asked).remove(&exchange);
        self.event(Event::Ballot { exchange, ballot })
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

    /// Something was decided: what follows is done beside everything else.
    fn happened(self: &Arc<Self>, event: Event<'_>) {
        let steps = self.event(event);
        let session = Arc::clone(self);
        tokio::spawn(async move { session.perform(steps, Via::default()).await });
    }
}

fn decided(ballot: &Ballot) -> Option<Decided> {
    match ballot {
        Ballot::Waiting { .. } => None,
        Ballot::Approved { scope: Scope::Session, .. } => Some(Decided::Approved(Reach::Session)),
        Ballot::Approved { scope: Scope::Once | Scope::Value { .. }, .. } => {
            Some(Decided::Approved(Reach::Once))
        }
        Ballot::Denied { .. } => Some(Decided::Denied),
        Ballot::Expired | Ballot::Used => Some(Decided::Expired),
    }
}
