use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use lockgate_audit::Ending;
use lockgate_model::{
    Body, ClientName, ExchangeId, Label, MethodKind, Principal, Reason, Revision, ServerName, SessionId,
    Tick, UnixMillis,
};

use lockgate_flow::History;
use lockgate_policy::budget::{Breaker, Loops};
use lockgate_provenance::Pins;

use crate::catalogue::Catalogue;
use crate::detect::Found;
use crate::era::Ways;
use crate::exchange::{Exchange, Exchanges, State};
use crate::freezer::Freezer;
use crate::handles::Handles;
use crate::hold::Holds;
use crate::pin::Definitions;
use crate::question::Questions;
use crate::seal::{Spent, Tasks};
use crate::stop::Stops;
use crate::{Boundary, Event, Step};

/// Which servers a session can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One server, spoken to as if Lockgate were not there: names and addresses are left as they are.
    One(ServerName),
    /// Every server of the boundary behind one endpoint: names carry the server's.
    All,
}

/// How the agent speaks to Lockgate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    /// Streamable HTTP: each request has its own stream.
    Http,
    /// Lines on a pipe.
    Stdio,
}

/// Who a session belongs to. Fixed for its life.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The session's name, in records.
    pub session: SessionId,
    /// Who the agent acts for.
    pub principal: Principal,
    /// What the agent's program calls itself.
    pub client: Option<ClientName>,
    /// What seals of the session hold for, beside the principal: what finds the session again. A seal that another session
    /// gave is opened where this is the same.
    pub bound: String,
}

/// How many calls a session has made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls of tools, whatever became of them.
    pub calls: u64,
    /// Calls of those that Lockgate refused.
    pub denied: u64,
}

/// One session: all that Lockgate knows of one agent's run.
#[derive(Debug)]
pub struct Core {
    pub(crate) boundary: Arc<Boundary>,
    pub(crate) identity: Identity,
    pub(crate) scope: Scope,
    pub(crate) front: Front,
    pub(crate) agent: Agent,
    pub(crate) history: History,
    pub(crate) freezer: Freezer,
    pub(crate) handles: Handles,
    /// What was found in the message of a server that is being handled.
    pub(crate) found: Found,
    pub(crate) peers: BTreeMap<ServerName, Peer>,
    /// How each server is spoken to, where it may be of the other era.
    pub(crate) ways: Ways,
    pub(crate) exchanges: Exchanges,
    pub(crate) questions: Questions,
    pub(crate) holds: Holds,
    pub(crate) tasks: Tasks,
    pub(crate) spent: Spent,
    /// The agent's `initialize`, for servers that must hear it again.
    pub(crate) greeting: Option<Bytes>,
    pub(crate) stops: Arc<Stops>,
    /// What is approved of what servers say of themselves.
    pub(crate) pins: Arc<Pins>,
    /// It cannot be read.
    pub(crate) pins_unavailable: bool,
    /// Lists of tools of all servers, while they are read.
    pub(crate) listing: BTreeMap<ServerName, Vec<Bytes>>,
    /// Steps that come before all others of the event that is being handled.
    pub(crate) aside: Vec<Step>,
    /// The calls of late, where anybody looks for circles.
    pub(crate) loops: Option<Loops>,
    pub(crate) tally: Tally,
    /// How unusual what the session and its principal did of late is. 0 to 100.
    pub(crate) risk: u8,
    /// When the agent last spoke, by the wall clock.
    pub(crate) wall: UnixMillis,
    /// The same, by the time of events.
    pub(crate) spoke_at: Tick,
    /// The time of the event that is being handled.
    pub(crate) now: Tick,
    /// The number of the next exchange.
    pub(crate) next: u64,
}

/// What the agent said of itself.
#[derive(Debug, Default)]
pub(crate) struct Agent {
    /// The revision of the session: settled by the answer to `initialize`, or by the first modern request.
    pub(crate) revision: Option<Revision>,
    pub(crate) elicitation: bool,
    pub(crate) sampling: bool,
    pub(crate) roots: bool,
}

/// What the session knows of one server.
#[derive(Debug, Default)]
pub(crate) struct Peer {
    pub(crate) catalogue: Catalogue,
    pub(crate) definitions: Definitions,
    /// The revision settled in its handshake. None before, and in the modern era.
    pub(crate) revision: Option<Revision>,
    /// How often it broke the protocol.
    strikes: u32,
    /// When to shake hands with it again, and how long to wait after that: it was lost, or has joined late.
    pub(crate) greet_at: Option<(Tick, u64)>,
    /// Leaves it alone while it fails again and again.
    pub(crate) breaker: Breaker,
    /// Digests of what it has said of itself.
    told: BTreeSet<[u8; 32]>,
}

/// Most different definitions of one server whose digests are kept. One that comes back after that is read again.
const TOLD: usize = 64;

impl Peer {
    /// Has the server not said this before?
    pub(crate) fn is_news(&mut self, said: &[u8]) -> bool {
        if self.told.len() >= TOLD {
            self.told.clear();
        }
        self.told.insert(crate::digest::bytes(said))
    }
}

/// A server that broke the protocol this often within one session is disconnected.
const STRIKES: u32 = 200;

impl Core {
    /// A session that has read nothing yet.
    pub fn new(boundary: Arc<Boundary>, identity: Identity, scope: Scope, front: Front) -> Self {
        let mut history = History::new(boundary.flow.key);
        boundary.flow.known.iter().for_each(|known| history.know(known));
        Self {
            now: Tick::default(),
            boundary,
            identity,
            scope,
            front,
            agent: Agent::default(),
            history,
            freezer: Freezer::default(),
            handles: Handles::default(),
            found: Found::default(),
            peers: BTreeMap::new(),
            ways: Ways::default(),
            exchanges: Exchanges::default(),
            questions: Questions::default(),
            holds: Holds::default(),
            tasks: Tasks::default(),
            spent: Spent::default(),
            greeting: None,
            stops: Arc::default(),
            pins: Arc::default(),
            pins_unavailable: false,
            listing: BTreeMap::new(),
            aside: Vec::new(),
            loops: None,
            tally: Tally::default(),
            risk: 0,
            wall: UnixMillis(0),
            spoke_at: Tick::default(),
            next: 1,
        }
    }

    /// A new exchange, for the next message of the agent.
    pub fn open(&mut self) -> ExchangeId {
        let id = ExchangeId(self.next);
        self.next += 1;
        id
    }

    /// The door. Every message, of either side and of any transport, passes here and nowhere else. What must be done
    /// is added to `steps`, in order. Never fails: what cannot be decided is refused, and said so in the steps.
    pub fn handle(&mut self, event: Event<'_>, now: Tick, steps: &mut Vec<Step>) {
        self.now = now;
        let begun = steps.len();
        match event {
            Event::Agent { exchange, received, headers, at } => {
                self.wall = at;
                self.spoke_at = now;
                self.from_agent(exchange, &received, headers.as_ref(), now, steps);
            }
            Event::Server { server, exchange, received } => {
                self.hear_across(&server, exchange, &received, now, steps);
            }
            Event::Failed { server, exchange, reason } => {
                self.fail_across(&server, exchange, reason, now, steps);
            }
            Event::Forgotten { server, exchange, greeted } => {
                self.forgotten_across(&server, exchange, greeted, now, steps);
            }
            Event::Reserved { exchange, room } => self.reserved(exchange, room, now, steps),
            Event::Intercepted { exchange, decision } => self.intercepted(exchange, decision, now, steps),
            Event::Filed { exchange, reference } => self.filed(exchange, reference, now, steps),
            Event::Ballot { exchange, ballot } => self.counted(exchange, ballot, now, steps),
            Event::Pinned(pins) => self.repinned(pins, steps),
            Event::Stopped(all) => self.stopped(all, now, steps),
            Event::Risk(risk) => self.risk = risk,
            Event::User { words } => self.history.hear_user(words),
            Event::Known { values } => {
                for (value, left) in values.iter().filter(|_| self.boundary.flow.learns) {
                    self.history.learn(value, now.after_millis(*left));
                }
            }
            Event::Kept { tokens } => self.remember_tokens(tokens),
            Event::Restored { label } => self.history.restore(label, |server| self.boundary.trust(server)),
            Event::Gone { exchange, lost } => self.gone(exchange, lost, steps),
            Event::Over => self.over(steps),
            Event::Wake => self.wake(now, steps),
            Event::Changed(boundary) => {
                let known = &self.boundary.flow.known;
                let new = boundary.flow.known.iter().filter(|value| !known.contains(value));
                new.for_each(|value| self.history.know(value));
                if !boundary.flow.learns {
                    self.history.unlearn();
                }
                let before = std::mem::replace(&mut self.boundary, boundary);
                self.reconsider_ways();
                self.peers.values_mut().for_each(|peer| peer.catalogue.forget_meanings());
                self.take_otherwise(&before);
                for server in self.servers() {
                    self.greet_later(&server, now);
                }
            }
        }
        self.keep_tokens(steps);
        self.cross(begun, now, steps);
        self.prepare_receipts(begun, steps);
        if !self.aside.is_empty() {
            steps.splice(begun..begun, std::mem::take(&mut self.aside));
        }
    }

    /// Is there anything that [`Event::Wake`] may be about?
    pub fn waits(&self) -> bool {
        !self.exchanges.is_empty()
            || self.ways_wait()
            || self.peers.values().any(|peer| peer.greet_at.is_some())
    }

    /// Is nothing open? A session at rest may be forgotten when it is old.
    pub fn at_rest(&self) -> bool {
        self.exchanges.is_empty()
    }

    /// How many requests of the agent have no answer yet: those that wait for a server, a list or a limit, and those that wait
    /// for people.
    pub fn open_requests(&self) -> (usize, usize) {
        let all = self.exchanges.of_agent();
        let held = all.iter().filter(|id| self.exchanges.get(**id).is_some_and(Exchange::is_held)).count();
        (all.len() - held, held)
    }

    /// Does this exchange still wait for an answer?
    pub fn is_open(&self, exchange: ExchangeId) -> bool {
        self.exchanges.get(exchange).is_some()
    }

    /// The session, as records show it.
    pub fn session_id(&self) -> &SessionId {
        &self.identity.session
    }

    /// Which servers it can reach.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// What the agent's program calls itself, once it has said so.
    pub fn name_client(&mut self, client: ClientName) {
        self.identity.client = Some(client);
    }

    /// What the agent's program calls itself.
    pub fn client(&self) -> Option<&ClientName> {
        self.identity.client.as_ref()
    }

    /// What is stopped, as it was last told.
    pub fn stops(&self) -> &Arc<Stops> {
        &self.stops
    }

    /// When the agent last spoke, by the wall clock; 0 before it has.
    pub fn spoke(&self) -> UnixMillis {
        self.wall
    }

    /// How many calls it has made.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// What the session has read.
    pub fn label(&self) -> &Label {
        self.history.label()
    }

    /// What sorts of data were found in the last message of a server: `credential`, `personal` or nothing. Whether it was shown to the
    /// agent is another matter.
    pub fn classes(&self) -> impl Iterator<Item = &'static str> {
        self.found.classes()
    }

    /// The revision that agent and server settled on.
    pub fn revision(&self) -> Option<Revision> {
        self.agent.revision
    }

    /// The servers this session can reach, in order of their names.
    pub(crate) fn servers(&self) -> Vec<ServerName> {
        match &self.scope {
            Scope::One(server) => vec![server.clone()],
            Scope::All => self.boundary.servers.keys().cloned().collect(),
        }
    }

    pub(crate) fn aggregates(&self) -> bool {
        self.scope == Scope::All
    }

    pub(crate) fn peer(&mut self, server: &ServerName) -> &mut Peer {
        self.peers.entry(server.clone()).or_default()
    }

    /// Counts a breach of the protocol, and ends the connection at the limit.
    pub(crate) fn strike(&mut self, server: &ServerName, steps: &mut Vec<Step>) {
        let peer = self.peer(server);
        peer.strikes += 1;
        if peer.strikes == STRIKES {
            peer.strikes = 0;
            steps.push(Step::Disconnect { server: server.clone() });
        }
    }

    fn gone(&mut self, exchange: ExchangeId, lost: bool, steps: &mut Vec<Step>) {
        // In the legacy era a lost connection is not a cancellation: the agent may come back for the answer.
        let modern =
            self.exchanges.get(exchange).is_some_and(|open| open.revision() == Revision::R2026_07_28);
        if modern || lost {
            self.cancel(exchange, Ending::Abandoned, steps);
        }
    }

    /// The session has ended. Its servers are told by their connections' end; nobody is told of its requests any more.
    fn over(&mut self, steps: &mut Vec<Step>) {
        for exchange in self.exchanges.of_agent() {
            let Some(open) = self.exchanges.close(exchange) else { continue };
            if let State::Held(held) = &open.state {
                self.holds.forget(held);
                self.withdraw(exchange, steps);
            }
            self.note_end(exchange, &open, Ending::SessionOver, steps);
        }
    }

    /// Ends an exchange because the agent no longer wants it, and tells the servers.
    pub(crate) fn cancel(&mut self, exchange: ExchangeId, how: Ending, steps: &mut Vec<Step>) {
        for part in self.exchanges.parts_of(exchange) {
            self.cancel(part, how, steps);
        }
        if let Some(open) = self.exchanges.close(exchange) {
            self.stop(exchange, &open, steps);
            self.taken_back(exchange, &open, how, steps);
        }
    }

    /// The last word on a request that the agent took back is none: its stream ends.
    pub(crate) fn taken_back(
        &mut self,
        exchange: ExchangeId,
        open: &Exchange,
        how: Ending,
        steps: &mut Vec<Step>,
    ) {
        if let State::Held(held) = &open.state {
            self.holds.forget(held);
            self.withdraw(exchange, steps);
        }
        self.note_end(exchange, open, how, steps);
        if open.agent_id().is_some() {
            steps.push(Self::release(exchange, Bytes::new(), 202));
        }
    }

    /// Tells the server of a closed exchange that nobody waits any more.
    pub(crate) fn stop(&mut self, exchange: ExchangeId, open: &Exchange, steps: &mut Vec<Step>) {
        let Some(server) = open.waits_for() else { return };
        if self.is_lines(server) {
            let text = format!(
                "{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{{\"requestId\":{exchange}}}}}"
            );
            // `initialize` may not be cancelled.
            if open.method != "initialize" {
                let permit =
                    Self::notify(server, "notifications/cancelled", Bytes::from(text), open.revision());
                steps.push(Step::Send(permit));
            }
        } else {
            steps.push(Step::Abandon { server: server.clone(), exchange, crossed: false });
        }
    }

    fn wake(&mut self, now: Tick, steps: &mut Vec<Step>) {
        self.wake_ways(now, steps);
        self.greet(now, steps);
        for exchange in self.exchanges.overdue(now) {
            self.overdue(exchange, now, steps);
        }
        self.holds.forget_old(now);
    }

    fn overdue(&mut self, exchange: ExchangeId, now: Tick, steps: &mut Vec<Step>) {
        let Some(open) = self.exchanges.get(exchange) else { return };
        if open.is_held() {
            self.refuse_held(exchange, Reason::ApprovalTimedOut, now, steps);
        } else if let Some(server) = open.waits_for().cloned() {
            let stopped = self.exchanges.get(exchange).map(Exchange::shell);
            if let Some(shell) = stopped {
                self.stop(exchange, &shell, steps);
            }
            self.failed(&server, Some(exchange), Reason::ServerTimedOut, now, steps);
        }
    }

    /// The method of the protocol with that name that `kind` allows in this revision.
    pub(crate) fn method(
        name: &str,
        kind: MethodKind,
        direction: lockgate_model::Direction,
        revision: Revision,
    ) -> Option<&'static str> {
        lockgate_model::Method::find(name, kind, direction, revision).map(|method| method.name)
    }

    /// The body of an answer's id, as the agent knows it.
    pub(crate) fn answer_id<'m>(body: &Body<'m>) -> Option<lockgate_model::Json<'m>> {
        match body {
            Body::Result { id, .. } => Some(*id),
            Body::Error { id, .. } => *id,
            Body::Request { .. } | Body::Notification { .. } => None,
        }
    }
}
