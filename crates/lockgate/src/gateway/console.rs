//! The admin API: what people ask it, done over the state folder and the sessions of this process.

use std::io::ErrorKind;
use std::sync::Arc;

use lockgate_console::{
    Answer, Approval, ApprovalId, BadListener, Decision, Definition, DefinitionId, DeskError, Listener,
    Order, Person, Session, Stop, Stops, Switch, Target, Tokens, Verdict, Voted, Which,
};
use lockgate_store::{self as store, Approvals, Ballot, Entry, Filter, StateError, Vote, pins};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::session::unix_millis;
use super::{Gateway, shown};
use crate::config::{Config, Door};
use crate::operator;

/// The name of the socket in the state folder.
const SOCKET: &str = "admin.sock";

/// What people have before them.
struct Console(Arc<Gateway>);

impl Console {
    /// Does what waits for a disk beside everything else.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Gateway) -> Result<T, DeskError> + Send + 'static,
    ) -> Result<T, DeskError> {
        let gateway = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || work(&gateway)).await.unwrap_or(Err(DeskError::Unavailable))
    }

    /// Stops a target, here at once and elsewhere within a quarter of a second. Gives the stop that then stands.
    async fn put(&self, target: store::Target, order: Order) -> Result<store::Stop, DeskError> {
        let stopped = self.with(move |gateway| gateway.stop(&target, &order)).await?;
        self.0.look_at_desk().await;
        Ok(stopped)
    }

    /// Lifts a stop as fast, and gives it back; `None` where there is none.
    async fn lift(&self, target: store::Target, order: Order) -> Result<Option<store::Stop>, DeskError> {
        let lifting = target.clone();
        let lifted = self.with(move |gateway| gateway.lift(&lifting, order)).await;
        self.0.look_at_desk().await;
        self.0.desk.notices.has_lifted(&target);
        lifted
    }
}

impl lockgate_console::Desk for Console {
    /// The newest first.
    async fn approvals(&self, which: Which, most: usize) -> Result<Vec<Approval>, DeskError> {
        let filter = match which {
            Which::Waiting => Filter::Waiting,
            Which::All => Filter::All,
        };
        let listed = self.with(move |gateway| {
            let entries = gateway.filed()?.list(filter, unix_millis().0);
            entries.map_err(|error| gateway.refuses(&error))
        });
        Ok(listed.await?.iter().rev().filter_map(shown::approval).take(most).collect())
    }

    async fn approval(&self, id: ApprovalId) -> Result<Approval, DeskError> {
        self.with(move |gateway| shown(&gateway.entry(&id)?)).await
    }

    async fn decide(&self, id: ApprovalId, decision: Decision) -> Result<Approval, DeskError> {
        let decided = self.with(move |gateway| gateway.decide(&id, decision)).await?;
        self.0.look_at_desk().await;
        Ok(decided)
    }

    /// The newest first.
    async fn quarantine(&self, which: Which, most: usize) -> Result<Vec<Definition>, DeskError> {
        let filter = match which {
            Which::Waiting => pins::Filter::Waiting,
            Which::All => pins::Filter::All,
        };
        let listed = self.with(move |gateway| {
            let entries = gateway.pins_file()?.list(filter, None);
            entries.map_err(|error| gateway.refuses(&error))
        });
        Ok(listed.await?.iter().rev().take(most).filter_map(shown::definition).collect())
    }

    async fn definition(&self, id: DefinitionId) -> Result<Definition, DeskError> {
        self.with(move |gateway| gateway.definition(&id)).await
    }

    async fn settle(&self, id: DefinitionId, verdict: Verdict) -> Result<Definition, DeskError> {
        self.with(move |gateway| gateway.settle(&id, &verdict)).await
    }

    async fn stops(&self) -> Result<Stops, DeskError> {
        self.with(Gateway::all_stops).await
    }

    async fn stop(&self, target: Target, order: Order) -> Result<Stop, DeskError> {
        let stop = self.put(shown::target(&target), order).await?;
        shown::stop(&stop).ok_or(DeskError::Unavailable)
    }

    async fn resume(&self, target: Target, order: Order) -> Result<Stop, DeskError> {
        let target = shown::target(&target);
        let lifted = self.lift(target, order).await?;
        lifted.as_ref().and_then(shown::stop).ok_or(DeskError::NotFound)
    }

    async fn safe_mode(&self, switch: Switch, order: Order) -> Result<Stops, DeskError> {
        match switch {
            Switch::On => drop(self.put(store::Target::SafeMode, order).await?),
            // What is off already is off.
            Switch::Off => drop(self.lift(store::Target::SafeMode, order).await?),
        }
        self.with(Gateway::all_stops).await
    }

    /// Those that were used last, first.
    async fn sessions(&self, most: usize) -> Result<Vec<Session>, DeskError> {
        let mut sessions: Vec<_> = self.0.sessions.all().iter().map(|session| session.shown()).collect();
        sessions.sort_by_key(|session| std::cmp::Reverse(session.last_unix_ms));
        sessions.truncate(most);
        Ok(sessions)
    }
}

impl Gateway {
    /// Opens the admin API where the configuration wants one, and begins to send events. Both end some seconds after
    /// `closing` says so. An error where it cannot listen; but where another gateway of this user does already, as
    /// several on pipes do, it goes on without.
    pub(super) async fn open_desk(
        self: &Arc<Self>,
        config: &Config,
        closing: &watch::Receiver<bool>,
    ) -> Result<JoinSet<()>, String> {
        // What stands before anybody can ask for anything is no news; what they ask for first is.
        self.look_at_desk().await;
        let mut tasks = JoinSet::new();
        if let Some(listener) = self.admin(config).await? {
            let console = Arc::new(Console(Arc::clone(self)));
            tasks.spawn(lockgate_console::serve(listener, console, closing.clone()));
        }
        let (gateway, closing) = (Arc::clone(self), closing.clone());
        self.open_channels(&closing, &mut tasks);
        tasks.spawn(async move {
            let left = gateway.desk.notices.run(closing).await;
            if left > 0 {
                gateway.say(&format!("the webhook was not told of {left} events before the end"));
            }
        });
        Ok(tasks)
    }

    async fn admin(&self, config: &Config) -> Result<Option<Listener>, String> {
        let Some(admin) = &config.admin else { return Ok(None) };
        let tokens = Tokens::new(admin.hashes()).map_err(|error| error.to_string())?;
        let (listener, place) = match &admin.door {
            Door::Socket(path) => {
                let folder = self.desk.folder();
                let path = path.clone().unwrap_or_else(|| folder.join(SOCKET));
                let place = path.display().to_string();
                crate::state::make(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
                (Listener::unix(&path, tokens).await, place)
            }
            Door::Loopback(address) => (Listener::tcp(*address, tokens).await, address.to_string()),
        };
        match listener {
            Ok(listener) => {
                let place = listener.address().map_or(place, |address| format!("http://{address}"));
                self.say(&format!("people rule this gateway at {place}"));
                Ok(Some(listener))
            }
            Err(error) if in_use(&error) => {
                self.say(&format!(
                    "another process has {place}: this gateway goes on without an admin API of its own, and sees what is answered and stopped there if it has the same state folder"
                ));
                Ok(None)
            }
            Err(error) => Err(format!("the admin API cannot listen at {place}: {error}")),
        }
    }

    fn filed(&self) -> Result<Arc<Approvals>, DeskError> {
        self.desk.approvals(|text| self.say(text)).ok_or(DeskError::Unavailable)
    }

    fn entry(&self, id: &ApprovalId) -> Result<Entry, DeskError> {
        let entry = self.filed()?.show(id.as_str(), unix_millis().0);
        entry.map_err(|error| self.refuses(&error))?.ok_or(DeskError::NotFound)
    }

    fn decide(&self, id: &ApprovalId, decision: Decision) -> Result<Approval, DeskError> {
        let yes = decision.answer == Voted::Approve;
        let approver = name(&decision.by);
        still_open(&self.entry(id)?, &approver, yes)?;
        let why = Some(decision.reason).filter(|why| !why.is_empty());
        let vote = Vote { approver, yes, why, scope: shown::scope(decision.scope) };
        let counted = self.filed()?.vote(id.as_str(), &vote, unix_millis().0);
        let ballot = counted.map_err(|error| self.refuses(&error))?;
        let entry = self.entry(id)?;
        // Somebody else may have been faster.
        if entry.votes.iter().any(|voice| voice.vote == vote) {
            // As it stands with this vote: the call that waits may have used it by now.
            return shown(&Entry { ballot, ..entry });
        }
        Err(if entry.ballot == Ballot::Expired { DeskError::Expired } else { DeskError::Decided })
    }

    fn pins_file(&self) -> Result<store::Pins, DeskError> {
        store::Pins::open(self.desk.folder()).map_err(|error| self.refuses(&error))
    }

    /// A definition with its text, and that of the one in force where that is another one.
    fn definition(&self, id: &DefinitionId) -> Result<Definition, DeskError> {
        let pins = self.pins_file()?;
        let entry = pins.show(id.as_str()).map_err(|error| self.refuses(&error))?;
        let entry = entry.ok_or(DeskError::NotFound)?;
        let before = pins.in_force(&entry.key).map_err(|error| self.refuses(&error))?;
        let before = before.filter(|before| before.id != entry.id).and_then(|before| before.definition);
        let shown = shown::definition(&entry).ok_or(DeskError::NotFound)?;
        let text = entry.definition.as_deref().map(shown::text);
        Ok(Definition { text, in_force: before.as_deref().map(shown::text), ..shown })
    }

    fn settle(&self, id: &DefinitionId, verdict: &Verdict) -> Result<Definition, DeskError> {
        let (pins, by, now) = (self.pins_file()?, name(&verdict.by), unix_millis().0);
        let why = Some(verdict.reason.as_str()).filter(|why| !why.is_empty());
        let find = || {
            let entry = pins.show(id.as_str()).map_err(|error| self.refuses(&error))?;
            entry.ok_or(DeskError::NotFound)
        };
        let answered = match verdict.answer {
            Answer::Approve => {
                let entry = find()?;
                if entry.state != pins::State::Approved && entry.votes.iter().any(|vote| vote.is_of(&by)) {
                    return Err(DeskError::Voted);
                }
                pins.approve(id.as_str(), &by, why, now)
            }
            Answer::Reject => pins.reject(id.as_str(), &by, why, now),
        };
        match answered.map_err(|error| self.refuses(&error))? {
            pins::Answer::Approved | pins::Answer::Voted { .. } | pins::Answer::Refused => {
                shown::definition(&find()?).ok_or(DeskError::NotFound)
            }
            pins::Answer::AsBefore => Err(DeskError::Decided),
            pins::Answer::Unknown => Err(DeskError::NotFound),
        }
    }

    fn stops_file(&self) -> Result<store::Stops, DeskError> {
        store::Stops::open(self.desk.folder()).map_err(|error| self.refuses(&error))
    }

    fn all_stops(&self) -> Result<Stops, DeskError> {
        let listed = self.stops_file()?.list().map_err(|error| self.refuses(&error))?;
        Ok(shown::stops(&listed, self.desk.stop_file()))
    }

    /// Stops a target, and gives the stop that then stands.
    fn stop(&self, target: &store::Target, order: &Order) -> Result<store::Stop, DeskError> {
        let stops = self.stops_file()?;
        let stopped = stops
            .stop(target, &name(&order.by), &order.reason, unix_millis().0)
            .and_then(|_| stops.list())
            .map_err(|error| self.refuses(&error))?;
        // Gone again: somebody else has lifted it at once.
        stopped.into_iter().find(|stop| stop.target == *target).ok_or(DeskError::NotFound)
    }

    /// Lifts a stop and gives it back; `None` where there is none.
    fn lift(&self, target: &store::Target, order: Order) -> Result<Option<store::Stop>, DeskError> {
        let stops = self.stops_file()?;
        let before = stops.list().map_err(|error| self.refuses(&error))?;
        // Before it is done: whoever looks in between is to know why.
        self.desk.notices.lifts(target, order.reason);
        let lifted = stops.resume(target, &name(&order.by), unix_millis().0);
        let lifted = lifted.map_err(|error| self.refuses(&error))?;
        Ok(before.into_iter().find(|stop| lifted && stop.target == *target))
    }

    /// What people are told of an error; the operator is told what it is where it is the machine's.
    fn refuses(&self, error: &StateError) -> DeskError {
        match error {
            StateError::Unknown => DeskError::NotFound,
            StateError::NoBlanket { .. } | StateError::Until => DeskError::ScopeNotAllowed,
            StateError::TooManyStops => DeskError::Full,
            StateError::Damaged
            | StateError::Foreign
            | StateError::Newer { .. }
            | StateError::Full
            | StateError::Busy
            | StateError::NoLog
            | StateError::NoRandomness
            | StateError::Name { .. }
            | StateError::TooMany
            | StateError::TooManyPins
            | StateError::Io(_)
            | StateError::Database(_) => {
                self.say(&format!("the admin API cannot do what it is asked: {error}"));
                DeskError::Unavailable
            }
        }
    }
}

impl super::Session {
    /// The session as people see it.
    fn shown(&self) -> Session {
        let core = self.core();
        let tally = core.tally();
        Session {
            id: core.session_id().to_string(),
            principal: self.principal.to_string(),
            client: core.client().map(|client| lockgate_model::Untrusted::new(client.as_str()).escaped(200)),
            origins: core.label().origins().map(ToString::to_string).collect(),
            integrity: core.label().integrity().word().to_owned(),
            calls: tally.calls,
            denied: tally.denied,
            opened_unix_ms: self.opened,
            last_unix_ms: core.spoke().max(self.opened),
        }
    }
}

/// May this person still answer?
fn still_open(entry: &Entry, approver: &str, yes: bool) -> Result<(), DeskError> {
    match &entry.ballot {
        Ballot::Waiting { .. } => {
            let voted = entry.votes.iter().any(|voice| voice.vote.yes && voice.is_of(approver));
            if yes && voted { Err(DeskError::Voted) } else { Ok(()) }
        }
        // A no also ends a yes that was not used yet.
        Ballot::Approved { .. } if !yes => Ok(()),
        Ballot::Approved { .. } | Ballot::Denied { .. } | Ballot::Used => Err(DeskError::Decided),
        Ballot::Expired => Err(DeskError::Expired),
    }
}

fn shown(entry: &Entry) -> Result<Approval, DeskError> {
    shown::approval(entry).ok_or(DeskError::NotFound)
}

/// Who answers or orders, as the command line would name them: a user who does both counts once.
fn name(person: &Person) -> String {
    let user = person.as_str().strip_prefix("local:").and_then(|user| user.parse().ok());
    user.map_or_else(|| person.as_str().to_owned(), operator::user)
}

fn in_use(error: &BadListener) -> bool {
    match error {
        BadListener::InUse => true,
        BadListener::Io(error) => error.kind() == ErrorKind::AddrInUse,
        BadListener::PathTooLong(_)
        | BadListener::NotASocket
        | BadListener::OpenFolder
        | BadListener::NotLoopback
        | BadListener::NoTokens => false,
    }
}
