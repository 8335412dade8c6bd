//! What is open: requests that wait for an answer.

use std::collections::BTreeMap;

use bytes::Bytes;
use lockgate_audit::{Source, Trace};
use lockgate_model::{
    Effect, ExchangeId, Finding, Json, Label, Limits, Params, Revision, ServerName, Side, Tick, ToolName,
};
use lockgate_policy::Subject;
use lockgate_policy::budget::Pass;

use crate::detect::Found;
use crate::fan::Fan;
use crate::hold::Held;
use crate::measure::Said;
use crate::{Head, Headers, Outlet, Received};

/// A request that waits for something.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) asker: Asker,
    pub(crate) method: &'static str,
    pub(crate) revision: Revision,
    pub(crate) target: Target,
    pub(crate) arguments: Option<Box<Said>>,
    pub(crate) label_before: Label,
    /// The arguments as they came, to tell an echo from news.
    pub(crate) echo: Option<Bytes>,
    /// The request of the agent, in the stateless era: a state in its answer is for the same request alone.
    pub(crate) request: Option<Bytes>,
    /// The trace of the request.
    pub(crate) trace: Option<Trace>,
    pub(crate) started: Tick,
    /// When it was first sent to the server.
    pub(crate) sent: Option<Tick>,
    /// When it fails unless there is a sign of progress.
    pub(crate) quiet_until: Tick,
    /// When it fails in any case.
    pub(crate) until: Tick,
    pub(crate) state: State,
    /// How the call ends is told to the breaker of its server.
    pub(crate) pass: Option<Pass>,
    /// What was counted for it is taken back where it fails.
    pub(crate) refunds: bool,
}

/// Who wants the answer.
#[derive(Debug)]
pub(crate) enum Asker {
    /// The agent: its id and progress token, as they came.
    Agent { id: Bytes, token: Option<Bytes> },
    /// Another exchange, of which this is a part.
    Part { of: ExchangeId },
}

/// What it waits for.
#[derive(Debug)]
pub(crate) enum State {
    /// The answer of a server. What was sent, where it may have to be sent again.
    Waiting { server: ServerName, resend: Option<Box<Outgoing>> },
    /// Room in the limits it counts against. Of each claim, what is found where there is none.
    Reserving { outgoing: Box<Outgoing>, claims: Vec<Finding> },
    /// A server that has forgotten its session and is greeted again. Then this is sent again.
    Returning(Box<Outgoing>),
    /// The answers of several servers: its parts.
    Fanned(Fan),
    /// A server's list of tools, to know what the call is about. Then the message is decided.
    Learning { message: Bytes, headers: Option<Headers> },
    /// An Intercept policy, to which the price is put that the server asks for the call. Then its answer goes on.
    Pricing { message: Bytes, outlet: Outlet },
    /// A person.
    Held(Box<Held>),
}

/// What a request is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Target {
    pub(crate) server: Option<ServerName>,
    pub(crate) tool: Option<(ToolName, Effect)>,
    /// What the operator's rules are asked about, and its name.
    pub(crate) subject: Option<(Subject, String)>,
    /// A form that is safe to print.
    pub(crate) shown: Option<String>,
    /// The list request asks for a further page.
    pub(crate) further_page: bool,
    /// It was approved by a person with these arguments, and may go on for as many rounds as the server asks for.
    pub(crate) approved: Option<String>,
    /// Where the values in its arguments came from, until that is written down.
    pub(crate) sources: Vec<Source>,
    /// What was found in its arguments, until that is written down.
    pub(crate) found: Found,
    /// The arguments without credentials and personal data, where there are some: for records and for people.
    pub(crate) concealed: Option<Bytes>,
}

impl Exchange {
    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    pub(crate) fn waits_for(&self) -> Option<&ServerName> {
        match &self.state {
            State::Waiting { server, .. } => Some(server),
            State::Returning(outgoing) => Some(&outgoing.server),
            State::Fanned(_)
            | State::Learning { .. }
            | State::Reserving { .. }
            | State::Pricing { .. }
            | State::Held(_) => None,
        }
    }

    pub(crate) fn is_held(&self) -> bool {
        matches!(self.state, State::Held(_))
    }

    /// Does its result wait for a person?
    pub(crate) fn holds_result(&self) -> bool {
        self.held_result().is_some()
    }

    fn held_result(&self) -> Option<usize> {
        match &self.state {
            State::Held(held) => held.result(),
            State::Waiting { .. }
            | State::Reserving { .. }
            | State::Returning(_)
            | State::Fanned(_)
            | State::Learning { .. }
            | State::Pricing { .. } => None,
        }
    }

    pub(crate) fn agent_id(&self) -> Option<&Bytes> {
        match &self.asker {
            Asker::Agent { id, .. } => Some(id),
            Asker::Part { .. } => None,
        }
    }

    pub(crate) fn agent_token(&self) -> Option<&Bytes> {
        match &self.asker {
            Asker::Agent { token, .. } => token.as_ref(),
            Asker::Part { .. } => None,
        }
    }

    /// The id under which a server knows it: the number on a pipe and for our own questions, else the agent's.
    pub(crate) fn wire_id(&self, exchange: ExchangeId, lines: bool) -> Bytes {
        match &self.asker {
            Asker::Agent { id, .. } if !lines => id.clone(),
            Asker::Agent { .. } | Asker::Part { .. } => Bytes::from(exchange.to_string()),
        }
    }

    /// The same part, as it is handed on when it has failed.
    pub(crate) fn shell_of_part(&self) -> Self {
        let mut shell = self.shell();
        if let Asker::Part { of } = self.asker {
            shell.asker = Asker::Part { of };
        }
        shell
    }

    /// Enough of it to tell a server that nobody waits any more.
    pub(crate) fn shell(&self) -> Self {
        let state = match self.waits_for() {
            Some(server) => State::Waiting { server: server.clone(), resend: None },
            None => State::Learning { message: Bytes::new(), headers: None },
        };
        Self {
            asker: Asker::Part { of: ExchangeId(0) },
            echo: None,
            request: None,
            method: self.method,
            revision: self.revision,
            target: self.target.clone(),
            arguments: None,
            label_before: Label::clean(),
            trace: self.trace,
            started: self.started,
            sent: self.sent,
            quiet_until: self.quiet_until,
            until: self.until,
            state,
            pass: None,
            refunds: false,
        }
    }
}

/// All open exchanges of a session.
#[derive(Debug, Default)]
pub(crate) struct Exchanges {
    open: BTreeMap<ExchangeId, Exchange>,
    /// Ids of the agent that are in use. Only where all its requests share one numbering.
    ids: BTreeMap<Bytes, ExchangeId>,
}

impl Exchanges {
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    pub(crate) fn insert(&mut self, id: ExchangeId, exchange: Exchange) {
        self.open.insert(id, exchange);
    }

    /// Remembers that the agent's id is in use.
    pub(crate) fn take_id(&mut self, id: Bytes, exchange: ExchangeId) {
        self.ids.insert(id, exchange);
    }

    pub(crate) fn by_agent_id(&self, id: &[u8]) -> Option<ExchangeId> {
        self.ids.get(id).copied()
    }

    pub(crate) fn get(&self, id: ExchangeId) -> Option<&Exchange> {
        self.open.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: ExchangeId) -> Option<&mut Exchange> {
        self.open.get_mut(&id)
    }

    pub(crate) fn close(&mut self, id: ExchangeId) -> Option<Exchange> {
        let exchange = self.open.remove(&id)?;
        if let Asker::Agent { id: raw, .. } = &exchange.asker
            && self.ids.get(raw) == Some(&id)
        {
            self.ids.remove(raw);
        }
        Some(exchange)
    }

    /// The parts that were asked for one exchange.
    pub(crate) fn parts_of(&self, whole: ExchangeId) -> Vec<ExchangeId> {
        let is_part = |exchange: &Exchange| matches!(exchange.asker, Asker::Part { of } if of == whole);
        self.open.iter().filter(|(_, exchange)| is_part(exchange)).map(|(id, _)| *id).collect()
    }

    /// Everything that waits for this server.
    pub(crate) fn waiting_for(&self, server: &ServerName) -> Vec<ExchangeId> {
        self.open.iter().filter(|(_, open)| open.waits_for() == Some(server)).map(|(id, _)| *id).collect()
    }

    /// Everything the agent waits for.
    pub(crate) fn of_agent(&self) -> Vec<ExchangeId> {
        self.open.iter().filter(|(_, open)| open.agent_id().is_some()).map(|(id, _)| *id).collect()
    }

    /// Everything that is sent again once this server has been greeted.
    pub(crate) fn returning(&self, server: &ServerName) -> Vec<ExchangeId> {
        let returns =
            |open: &Exchange| matches!(&open.state, State::Returning(kept) if kept.server == *server);
        self.open.iter().filter(|(_, open)| returns(open)).map(|(id, _)| *id).collect()
    }

    /// The newest request of the agent that waits for this server: what a server says on a pipe without naming a
    /// request most likely belongs to it.
    pub(crate) fn newest_for(&self, server: &ServerName) -> Option<ExchangeId> {
        let mut newest = self.open.iter().rev();
        newest
            .find(|(_, open)| {
                open.waits_for() == Some(server)
                    && open.agent_id().is_some()
                    && open.method != "subscriptions/listen"
            })
            .map(|(id, _)| *id)
    }

    /// The exchange of this server whose progress token, as the agent gave it, is this one.
    pub(crate) fn by_token(&self, server: &ServerName, token: &[u8]) -> Option<ExchangeId> {
        self.open
            .iter()
            .find(|(_, open)| {
                open.waits_for() == Some(server) && open.agent_token().is_some_and(|own| own == token)
            })
            .map(|(id, _)| *id)
    }

    /// How long all results are together that wait for a person. Bytes.
    pub(crate) fn held_results(&self) -> usize {
        self.open.values().filter_map(Exchange::held_result).sum()
    }

    pub(crate) fn overdue(&self, now: Tick) -> Vec<ExchangeId> {
        let late = |open: &Exchange| open.quiet_until <= now || open.until <= now;
        self.open.iter().filter(|(_, open)| late(open)).map(|(id, _)| *id).collect()
    }
}

/// A message that has been decided and is ready to go.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) server: ServerName,
    pub(crate) message: Bytes,
    pub(crate) head: Head,
    pub(crate) rule: String,
    /// Was something in its arguments replaced?
    pub(crate) rewritten: bool,
}

impl Outgoing {
    /// The parameters, as the server will read them.
    pub(crate) fn params(&self) -> Option<Params<'_>> {
        params(&self.message)
    }

    /// The arguments among them.
    pub(crate) fn arguments(&self) -> Option<Json<'_>> {
        self.params()?.arguments()
    }
}

/// The parameters of a request. Without limits: it was admitted under those that held when it came, and the names that were
/// replaced in it may have made it longer.
pub(crate) fn params(message: &Bytes) -> Option<Params<'_>> {
    Received::read(message, Side::Agent, &Limits::NONE).request().map(|(_, _, params)| params)
}
