//! Which values of messages are sealed on their way to the agent, and opened on their way back.

use lockgate_model::{
    ExchangeId, Fields, Json, Kind as JsonKind, Label, Params, Reason, Revision, ServerName, Splice, quote,
};
use lockgate_policy::Subject;

use super::{Bond, Kind, Sealed, open, seal};
use crate::agent::Request;
use crate::exchange::{Exchange, params};
use crate::hold::fingerprint;
use crate::{Core, digest, names};

/// How long a state is good. Milliseconds.
const STATE: u64 = 600_000;
/// How long a cursor is good, and a task whose server does not say how long it keeps it. Milliseconds.
const DAY: u64 = 86_400_000;

/// The member of `_meta` that says to which task something belongs.
const RELATED: &str = "io.modelcontextprotocol/related-task";

/// Do answers to this method come in pages?
fn paged(method: &str) -> bool {
    method.ends_with("/list") || matches!(method, "resources/templates/list" | "resources/directory/read")
}

/// What a request is, for the state that its answer gives: a retry must be the same.
fn matter_of_state(
    method: &str,
    server: &ServerName,
    subject: Option<&(Subject, String)>,
    params: &Params<'_>,
) -> String {
    match params.text("taskId").filter(|_| method.starts_with("tasks/")) {
        // What one method asks for, another one brings.
        Some(task) => digest::hex(format!("tasks\0{task}").as_bytes()),
        None => fingerprint(method, server, subject, params),
    }
}

/// What a list is of, for its cursors.
fn matter_of_cursor(method: &str, subject: Option<&(Subject, String)>) -> String {
    format!("{method}\0{}", subject.map_or("", |(_, name)| name))
}

/// The task that `_meta` names.
fn related(meta: Option<Json<'_>>) -> Option<Json<'_>> {
    meta?.get(RELATED)?.get("taskId")
}

/// The tasks that a stream is to bring news of.
fn tasks_wanted<'m>(request: &Request<'m>) -> Option<Json<'m>> {
    request.params.get("notifications").filter(|_| request.method == "subscriptions/listen")?.get("taskIds")
}

impl Core {
    /// The time by the wall clock. Milliseconds.
    pub(crate) fn wall_now(&self) -> u64 {
        self.wall.0.saturating_add(self.now.micros_since(self.spoke_at) / 1_000)
    }

    fn seal(&self, bond: Bond<'_>, value: Json<'_>, good: u64, number: u64) -> Result<String, Reason> {
        if value.kind() != JsonKind::String {
            return Err(Reason::ServerBrokeProtocol);
        }
        let label = if bond.kind == Kind::Cursor { Label::clean() } else { self.history.label().clone() };
        let sealed = Sealed {
            value: value.written().to_owned(),
            until: self.wall_now().saturating_add(good),
            session: self.identity.session.as_str().to_owned(),
            number,
            label,
        };
        seal(&self.boundary.seal, bond, &sealed)
    }

    fn bond<'b>(&'b self, kind: Kind, server: &'b ServerName, matter: &'b str) -> Bond<'b> {
        Bond { kind, server, matter, identity: &self.identity }
    }

    /// What another session had read that had the same agent: its context holds it.
    pub(crate) fn recall(&mut self, sealed: &Sealed) {
        if sealed.session != self.identity.session.as_str() && sealed.label != Label::clean() {
            self.history.restore(&sealed.label, |server| self.boundary.trust(server));
        }
    }

    /// Seals the state of an answer.
    pub(crate) fn seal_state(
        &self,
        exchange: ExchangeId,
        open: &Exchange,
        server: &ServerName,
        fields: &Fields<'_>,
        splice: &mut Splice<'_>,
    ) -> Result<(), Reason> {
        let (Some(state), Some(request)) = (fields.get("requestState"), &open.request) else { return Ok(()) };
        let asked = params(request).ok_or(Reason::InternalFault)?;
        let matter = matter_of_state(open.method, server, open.target.subject.as_ref(), &asked);
        let sealed = self.seal(self.bond(Kind::State, server, &matter), state, STATE, exchange.0)?;
        splice.replace(state, quote(&sealed));
        Ok(())
    }

    /// Opens the state that a request of the stateless era brings back. It is not spent yet.
    pub(crate) fn open_state<'m>(
        &self,
        method: &str,
        revision: Revision,
        server: &ServerName,
        subject: Option<&(Subject, String)>,
        params: &Params<'m>,
    ) -> Result<Option<(Json<'m>, Sealed)>, Reason> {
        let Some(given) = params.get("requestState").filter(|_| revision == Revision::R2026_07_28) else {
            return Ok(None);
        };
        let text = given.text().ok_or(Reason::BadParams)?;
        let matter = matter_of_state(method, server, subject, params);
        let sealed = open(&self.boundary.seal, self.bond(Kind::State, server, &matter), &text);
        let sealed = sealed.ok_or(Reason::ForeignState)?;
        if sealed.until <= self.wall_now() {
            return Err(Reason::StateExpired);
        }
        if self.spent.holds(&text) {
            return Err(Reason::StateSpent);
        }
        Ok(Some((given, sealed)))
    }

    /// From now on the state is no longer good.
    pub(crate) fn spend(&mut self, given: Json<'_>, sealed: &Sealed) -> Result<(), Reason> {
        let now = self.wall_now();
        self.spent.spend(&given.text().unwrap_or_default(), sealed.until, now)
    }

    /// Seals the cursor of an answer.
    pub(crate) fn seal_cursor(
        &self,
        open: &Exchange,
        server: &ServerName,
        fields: &Fields<'_>,
        splice: &mut Splice<'_>,
    ) -> Result<(), Reason> {
        let cursor = fields.get("nextCursor").filter(|cursor| cursor.kind() == JsonKind::String);
        let Some(cursor) = cursor.filter(|_| paged(open.method)) else { return Ok(()) };
        let matter = matter_of_cursor(open.method, open.target.subject.as_ref());
        splice.replace(cursor, quote(&self.seal(self.bond(Kind::Cursor, server, &matter), cursor, DAY, 0)?));
        Ok(())
    }

    /// Opens the cursor that a request brings back: what to put in its place.
    pub(crate) fn open_cursor<'m>(
        &self,
        method: &str,
        server: &ServerName,
        subject: Option<&(Subject, String)>,
        params: &Params<'m>,
    ) -> Result<Option<(Json<'m>, String)>, Reason> {
        let Some(given) = params.get("cursor").filter(|_| paged(method)) else { return Ok(None) };
        let text = given.text().ok_or(Reason::BadParams)?;
        let matter = matter_of_cursor(method, subject);
        let sealed = open(&self.boundary.seal, self.bond(Kind::Cursor, server, &matter), &text);
        let sealed = sealed.filter(|sealed| self.wall_now() < sealed.until).ok_or(Reason::BadCursor)?;
        Ok(Some((given, sealed.value)))
    }

    /// What the agent sees of a task: always the same. `ttl` is how long its server keeps it, in milliseconds.
    fn show_task(
        &mut self,
        server: &ServerName,
        given: Json<'_>,
        ttl: Option<u64>,
    ) -> Result<String, Reason> {
        let task = given.text().ok_or(Reason::ServerBrokeProtocol)?;
        let shown = if let Some(shown) = self.tasks.seal_of(server, &task) {
            shown.to_owned()
        } else {
            let bond = self.bond(Kind::Task, server, "");
            let shown = self.seal(bond, given, ttl.unwrap_or(DAY), 0)?;
            self.tasks.learn(server, &task, &shown);
            shown
        };
        Ok(if self.aggregates() { names::exposed_address(server, &shown) } else { shown })
    }

    /// Seals the task that an answer or a notification is or speaks of, and the one that it belongs to.
    pub(crate) fn seal_tasks<'m>(
        &mut self,
        server: &ServerName,
        get: impl Fn(&str) -> Option<Json<'m>>,
        splice: &mut Splice<'_>,
    ) -> Result<(), Reason> {
        let ttl = |name| match get("task") {
            Some(task) => task.get(name),
            None => get(name),
        };
        let keeps = ttl("ttl").or_else(|| ttl("ttlMs")).and_then(Json::unsigned);
        for given in [ttl("taskId"), related(get("_meta"))].into_iter().flatten() {
            let shown = self.show_task(server, given, keeps)?;
            splice.replace(given, quote(&shown));
        }
        Ok(())
    }

    /// Seals the tasks of a list. Those that this session does not know may be another's, and are left out.
    pub(crate) fn seal_list(&self, server: &ServerName, fields: &Fields<'_>, splice: &mut Splice<'_>) {
        let Some(list) = fields.get("tasks") else { return };
        let mut kept = Vec::new();
        for entry in list.elements() {
            let Some(given) = entry.get("taskId") else { continue };
            if let Some(shown) = given.text().and_then(|task| self.tasks.seal_of(server, &task)) {
                let mut own = Splice::new(entry.raw());
                own.replace(given, quote(shown));
                kept.push(own.finish());
            }
        }
        splice.replace(list, [&b"["[..], &kept.join(&b","[..]), &b"]"[..]].concat());
    }

    /// Seals the tasks that a server has agreed to bring news of.
    pub(crate) fn seal_agreed(
        &mut self,
        server: &ServerName,
        agreed: Json<'_>,
        splice: &mut Splice<'_>,
    ) -> Result<(), Reason> {
        for given in agreed.get("taskIds").into_iter().flat_map(Json::elements) {
            splice.replace(given, quote(&self.show_task(server, given, None)?));
        }
        Ok(())
    }

    /// May a stream bring news of these tasks?
    pub(crate) fn may_listen(&self, request: &Request<'_>) -> Result<(), Reason> {
        let Some(wanted) = tasks_wanted(request) else { return Ok(()) };
        if wanted.kind() != JsonKind::Array {
            return Err(Reason::BadParams);
        }
        wanted.elements().try_for_each(|given| self.open_task(given).map(|_| ()))
    }

    /// The tasks that a stream is to bring news of, as their server knows them: what to put in their place.
    pub(crate) fn open_listened<'m>(
        &mut self,
        request: &Request<'m>,
        server: &ServerName,
    ) -> Option<(Json<'m>, String)> {
        let wanted = tasks_wanted(request)?;
        let mut opened = Vec::new();
        for given in wanted.elements() {
            if let Ok((owner, sealed)) = self.open_task(given)
                && owner == *server
            {
                self.recall(&sealed);
                self.know_task(server, given, &sealed);
                opened.push(sealed.value);
            }
        }
        Some((wanted, format!("[{}]", opened.join(","))))
    }

    /// The server of a task that the agent names, and what the server calls it.
    pub(crate) fn open_task(&self, given: Json<'_>) -> Result<(ServerName, Sealed), Reason> {
        let text = given.text().ok_or(Reason::BadParams)?;
        let (server, text) = match &self.scope {
            crate::Scope::One(server) => (server.clone(), &*text),
            crate::Scope::All => names::split_address(&text).ok_or(Reason::UnknownTask)?,
        };
        let sealed = open(&self.boundary.seal, self.bond(Kind::Task, &server, ""), text);
        let sealed = sealed.filter(|sealed| self.wall_now() < sealed.until).ok_or(Reason::UnknownTask)?;
        Ok((server, sealed))
    }

    /// The agent knows the task by this seal, which another session may have given.
    pub(crate) fn know_task(&mut self, server: &ServerName, given: Json<'_>, sealed: &Sealed) {
        let text = given.text().unwrap_or_default();
        let text =
            if self.aggregates() { names::split_address(&text).map(|(_, seal)| seal) } else { Some(&*text) };
        let task = Json::check(sealed.value.as_bytes(), 1).ok().and_then(Json::text);
        if let (Some(seal), Some(task)) = (text, task) {
            self.tasks.learn(server, &task, seal);
        }
    }

    /// Opens the task that an answer of the agent belongs to: what to put in its place.
    pub(crate) fn open_related<'m>(
        &mut self,
        server: &ServerName,
        meta: Option<Json<'m>>,
    ) -> Result<Option<(Json<'m>, String)>, Reason> {
        let Some(given) = related(meta) else { return Ok(None) };
        let (owner, sealed) = self.open_task(given)?;
        if owner != *server {
            return Err(Reason::UnknownTask);
        }
        self.recall(&sealed);
        Ok(Some((given, sealed.value)))
    }
}
