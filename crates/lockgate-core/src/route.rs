//! Where a request of the agent goes: to nobody, to one server or to all; what is about one thing is located and decided.

use std::sync::Arc;

use lockgate_model::{Finding, Json, Kind, Phase, Reason, Revision, ServerName, Tick, Verdict, quote};
use lockgate_policy::Subject;

use crate::agent::Request;
use crate::detect::{Cut, replace};
use crate::exchange::{State, Target};
use crate::fan::Merge;
use crate::handles::Seal;
use crate::hold::{Holds, fingerprint};
use crate::locate::{Located, Lost, shown};
use crate::phase::{Call, decide};
use crate::record::Note;
use crate::seal::Sealed;
use crate::{Core, Scope, Step, headers, names, reply};

impl Core {
    /// Takes a request that may be made in this revision. `approved`: a person has just said yes to this very call.
    pub(crate) fn route(&mut self, request: &Request<'_>, approved: bool, now: Tick, steps: &mut Vec<Step>) {
        if let Some(finding) = crate::phase::stopped(self, request.method) {
            return self.refuse(request, &Target::default(), finding, steps);
        }
        if let Some(state) = Holds::redeems(&request.params) {
            return self.redeem(request, &state, now, steps);
        }
        if request.revision == Revision::R2026_07_28 {
            self.note_capabilities(request.params.reserved("clientCapabilities"));
        }
        if request.method == "subscriptions/listen"
            && let Some((target, finding)) = self.unheard(request)
        {
            return self.refuse(request, &target, finding, steps);
        }
        let Scope::One(server) = self.scope.clone() else {
            return self.route_among_all(request, approved, now, steps);
        };
        match request.method {
            "ping" if self.agent.revision.is_none() => self.pong(request, steps),
            "initialize" => {
                self.note_capabilities(request.params.get("capabilities"));
                self.pass(request, server, now, steps);
            }
            "tools/call"
            | "prompts/get"
            | "resources/read"
            | "resources/subscribe"
            | "resources/unsubscribe"
            | "resources/directory/read"
            | "completion/complete"
            | "skills/get"
            | "tasks/get"
            | "tasks/update"
            | "tasks/cancel"
            | "tasks/result" => self.aim(request, approved, now, steps),
            _ => self.pass(request, server, now, steps),
        }
    }

    fn route_among_all(&mut self, request: &Request<'_>, approved: bool, now: Tick, steps: &mut Vec<Step>) {
        match request.method {
            "ping" => self.pong(request, steps),
            "initialize" => {
                self.note_capabilities(request.params.get("capabilities"));
                self.fan_out(request, Merge::Initialize, now, steps);
            }
            "server/discover" => self.fan_out(request, Merge::Discover, now, steps),
            "tools/list" => self.fan_out(request, Merge::List("tools"), now, steps),
            "prompts/list" => self.fan_out(request, Merge::List("prompts"), now, steps),
            "resources/list" => self.fan_out(request, Merge::List("resources"), now, steps),
            "resources/templates/list" => self.fan_out(request, Merge::List("resourceTemplates"), now, steps),
            "logging/setLevel" => self.fan_out(request, Merge::Nothing, now, steps),
            "subscriptions/listen" => self.fan_out(request, Merge::Listen, now, steps),
            // Skills and lists of tasks have no form that would tell servers apart.
            "skills/list" | "skills/get" | "tasks/list" => {
                let finding = Finding::deny(Phase::Identify, Reason::UnknownMethod, "protocol");
                self.refuse(request, &Target::default(), finding, steps);
            }
            _ => self.aim(request, approved, now, steps),
        }
    }

    /// What stands against the resources and tasks that a stream is to bring news of.
    fn unheard(&self, request: &Request<'_>) -> Option<(Target, Finding)> {
        if let Err(reason) = self.may_listen(request) {
            return Some((Target::default(), Finding::deny(Phase::Identify, reason, "protocol")));
        }
        let wanted = request.params.get("notifications")?.get("resourceSubscriptions")?;
        let bad = || Finding::deny(Phase::Identify, Reason::BadParams, "protocol");
        if wanted.kind() != Kind::Array {
            return Some((Target::default(), bad()));
        }
        wanted.elements().find_map(|address| {
            let Some(address) = address.text() else { return Some((Target::default(), bad())) };
            let (server, inner) = match &self.scope {
                Scope::One(server) => (server.clone(), &*address),
                // What is of no server is asked of none.
                Scope::All => names::split_address(&address)?,
            };
            let finding = crate::phase::hears_of(self, &server, inner)?;
            let shown = Some(shown(inner, Some(Subject::Resource)));
            Some((Target { server: Some(server), shown, ..Target::default() }, finding))
        })
    }

    fn pong(&mut self, request: &Request<'_>, steps: &mut Vec<Step>) {
        self.note(Note::request(request).last(), steps);
        steps.push(Self::release(request.exchange, reply::empty_result(request.id.raw()), 200));
    }

    fn note_capabilities(&mut self, capabilities: Option<Json<'_>>) {
        let has = |name: &str| capabilities.is_some_and(|all| all.get(name).is_some());
        self.agent.elicitation = has("elicitation");
        self.agent.sampling = has("sampling");
        self.agent.roots = has("roots");
    }

    /// A request about nothing that rules are written for: handshake, lists, levels, subscriptions.
    fn pass(&mut self, request: &Request<'_>, server: ServerName, now: Tick, steps: &mut Vec<Step>) {
        let further_page = request.params.get("cursor").is_some();
        let target = Target { server: Some(server.clone()), further_page, ..Target::default() };
        if !self.boundary.servers.contains_key(&server) {
            let finding = Finding::deny(Phase::Identify, Reason::UnknownServer, "protocol");
            return self.refuse(request, &target, finding, steps);
        }
        if request.method == "initialize" && !self.is_lines(&server) {
            self.greeting = Some(request.bytes.clone());
        }
        if let Some(finding) = crate::phase::stopped_call(self, &server, None) {
            return self.refuse(request, &target, finding, steps);
        }
        let cursor = self.open_cursor(request.method, &server, None, &request.params);
        let cursor = match cursor {
            Ok(cursor) => cursor,
            Err(reason) => {
                let finding = Finding::deny(Phase::Identify, reason, "protocol");
                return self.refuse(request, &target, finding, steps);
            }
        };
        let edits: Vec<_> = cursor.into_iter().chain(self.open_listened(request, &server)).collect();
        let outgoing = self.outgoing(request, &server, &edits, None, "protocol".to_owned());
        self.dispatch(request, target, None, outgoing, None, now, steps);
    }

    /// A request about one tool, prompt, resource or task.
    fn aim(&mut self, request: &Request<'_>, approved: bool, now: Tick, steps: &mut Vec<Step>) {
        let mut located = match self.locate(request) {
            Ok(located) => located,
            Err(Lost::Refused(reason)) => {
                let finding = Finding::deny(Phase::Identify, reason, "protocol");
                return self.refuse(request, &Target::default(), finding, steps);
            }
            Err(Lost::Unlearnt(server)) => return self.learn_first(request, server, now, steps),
        };
        let brought = self.brought_back(request, &mut located);
        let tool = located.tool.as_ref();
        if let (Some(headers), Some(tool)) = (request.headers, tool)
            && request.revision == Revision::R2026_07_28
        {
            let offered = self.peers.get(&located.server).and_then(|peer| peer.catalogue.find(tool.as_str()));
            let mirrors = offered.map_or(&[][..], |offered| &offered.mirrors);
            if let Err(reason) = headers::check_parameters(headers, mirrors, request.params.arguments()) {
                let finding = Finding::deny(Phase::Identify, reason, "protocol");
                return self.refuse(request, &Target::default(), finding, steps);
            }
        }
        let arguments = request.params.arguments();
        let fingerprint =
            || fingerprint(request.method, &located.server, located.subject.as_ref(), &request.params);
        self.hear_user_in(request);
        let round = ["requestState", "inputResponses"].iter().any(|name| request.params.get(name).is_some());
        let reach = self.holds.continues(fingerprint, round, now);
        let approved = approved || reach.is_some();
        let subject = located.subject.as_ref().map(|(subject, name)| (*subject, name.as_str()));
        let call = Call { server: &located.server, subject, tool, arguments, approved };
        let decision = decide(self, &call);
        let target = Target {
            server: Some(located.server.clone()),
            tool: tool.map(|tool| (tool.clone(), decision.effect)),
            subject: located.subject.clone(),
            shown: Some(located.shown.clone()),
            further_page: false,
            approved: approved.then(fingerprint),
            sources: decision.sources,
            found: decision.inspected.found,
            concealed: decision.inspected.concealed,
        };
        let edits = decision.inspected.edits;
        match decision.finding {
            Some(finding) if finding.verdict == Verdict::Deny => {
                self.refuse(request, &target, finding, steps);
            }
            held => {
                let spent = brought
                    .and_then(|state| state.map_or(Ok(()), |(given, sealed)| self.spend(given, &sealed)));
                if let Err(reason) = spent {
                    let finding = Finding::deny(Phase::Identify, reason, "protocol");
                    return self.refuse(request, &target, finding, steps);
                }
                let said = self.measured(arguments, &target);
                located.edits.extend(self.replaced(&located.server, edits));
                let outgoing = self.outgoing(
                    request,
                    &located.server,
                    &located.edits,
                    located.tool.as_ref(),
                    decision.rule,
                );
                if let Some(reach) = reach.filter(|_| held.is_none()) {
                    self.endorse(&target, &outgoing, reach);
                }
                match held {
                    Some(finding) => {
                        self.hold(request, target, said, &fingerprint(), outgoing, finding, now, steps);
                    }
                    None => self.dispatch(request, target, said, outgoing, decision.observed, now, steps),
                }
            }
        }
    }

    /// The texts and numbers of the arguments with what is to be replaced in them replaced.
    fn replaced<'m>(
        &mut self,
        server: &ServerName,
        edits: Vec<(Json<'m>, Vec<Cut>)>,
    ) -> Vec<(Json<'m>, String)> {
        let boundary = Arc::clone(&self.boundary);
        let seal = Seal::of(&boundary, &self.identity);
        let handles = &mut self.handles;
        let one = |(value, cuts): (Json<'m>, Vec<Cut>)| {
            // A number has its digits.
            let text = value.text().unwrap_or_else(|| value.written().into());
            (value, quote(&replace(&text, cuts, handles, server, &seal)))
        };
        edits.into_iter().map(one).collect()
    }

    /// Opens what the request brings back beside its task: state and cursor. The state is spent when the request goes on.
    fn brought_back<'m>(
        &mut self,
        request: &Request<'m>,
        located: &mut Located<'m>,
    ) -> Result<Option<(Json<'m>, Sealed)>, Reason> {
        let (server, subject) = (&located.server, located.subject.as_ref());
        let cursor = self.open_cursor(request.method, server, subject, &request.params)?;
        let state = self.open_state(request.method, request.revision, server, subject, &request.params)?;
        if let Some((given, task)) = &located.task {
            self.recall(task);
            self.know_task(server, *given, task);
        }
        if let Some((given, sealed)) = &state {
            self.recall(sealed);
            located.edits.push((*given, sealed.value.clone()));
        }
        located.edits.extend(cursor);
        Ok(state)
    }

    /// Asks the server for its tools before the call is decided: what a tool does cannot be told without.
    fn learn_first(&mut self, request: &Request<'_>, server: ServerName, now: Tick, steps: &mut Vec<Step>) {
        let target = Target { server: Some(server.clone()), ..Target::default() };
        if let Some(finding) = crate::phase::stopped_call(self, &server, None) {
            return self.refuse(request, &target, finding, steps);
        }
        let state = State::Learning { message: request.bytes.clone(), headers: request.headers.cloned() };
        self.insert(request, target, None, state, None, now);
        self.list_part(
            request.exchange,
            &server,
            "tools/list",
            None,
            Some(&request.params),
            request.revision,
            now,
            steps,
        );
    }
}
