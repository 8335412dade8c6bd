//! Calls that wait for a person. In the handshake era the person is asked on the call's own stream; in the stateless
//! era the call is answered with `input_required`, and the agent sends it again with the person's answer.

use std::collections::BTreeMap;

use bytes::Bytes;
use lockgate_audit::{Ending, Happening, Outcome};
use lockgate_model::{
    Effect, ExchangeId, Finding, Json, Params, Phase, Reason, Revision, ServerName, Side, Splice, Tick,
    Verdict, quote,
};
use lockgate_policy::Subject;

use crate::agent::Request;
use crate::exchange::{Asker, Exchange, Outgoing, State, Target};
use crate::measure::Said;
use crate::reach::{escaped, question};
use crate::record::Note;
use crate::{Ask, Ballot, Core, Learn, Outlet, Reach, Received, Release, Step, digest, reply};

/// How a `requestState` of ours begins. A server's own state never reaches this code.
const STATE: &str = "lockgate-approval-";
/// The key of our question in `inputRequests`.
const QUESTION: &str = "lockgate_approval";
/// Most approvals a session keeps; then the oldest is forgotten and its call must be sent afresh.
const MOST: usize = 64;

/// What waits for a person.
#[derive(Debug)]
pub(crate) enum Waits {
    /// A call, ready to go to its server.
    Call(Outgoing),
    /// A result, ready to go to the agent.
    Result(Release),
}

/// Something that waits, and whom for.
#[derive(Debug)]
pub(crate) struct Held {
    waits: Waits,
    finding: Finding,
    /// How far a yes may reach.
    furthest: Reach,
    /// What is learned where it reaches furthest of all.
    lesson: Option<Box<Learn>>,
    /// How far the yes of the person in front of the client reaches, where others are asked too.
    said: Reach,
    /// How the client is asked; taken when it is.
    put: Option<Put>,
    /// The id of the question that the client was asked.
    question: Option<Bytes>,
    /// What people outside the client call it by.
    reference: Option<String>,
    fingerprint: String,
}

/// How a client that can ask a person is told to.
#[derive(Debug)]
enum Put {
    /// A request of ours, with this id.
    Request { id: Bytes, message: Bytes },
    /// An answer that asks for input, with this state.
    Answer { state: String, message: Bytes },
}

impl Put {
    fn new(open: &Exchange, number: u64, question: &str) -> Self {
        match &open.asker {
            Asker::Agent { id, .. } if open.revision == Revision::R2026_07_28 => {
                let state = format!("{STATE}{number}");
                let id = String::from_utf8_lossy(id);
                let message = format!(
                    "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"resultType\":\"input_required\",\"inputRequests\":{{\"{QUESTION}\":{{\"method\":\"elicitation/create\",\"params\":{question}}}}},\"requestState\":{}}}}}",
                    quote(&state)
                );
                Self::Answer { state, message: Bytes::from(message) }
            }
            Asker::Agent { .. } | Asker::Part { .. } => {
                let id = format!("\"{STATE}{number}\"");
                let message = format!(
                    "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"elicitation/create\",\"params\":{question}}}"
                );
                Self::Request { id: Bytes::from(id), message: Bytes::from(message) }
            }
        }
    }
}

/// Who is asked, and what they must know beside it.
#[derive(Default)]
struct Plea {
    /// What an approval is for, where it is known already.
    fingerprint: Option<String>,
    /// Is the person in front of the client asked?
    client: bool,
    /// Have they approved already, and how far?
    voiced: Option<Reach>,
    /// How long the call waits, and an approval can be given and used, where the rule says so. Milliseconds.
    timeout: Option<u64>,
}

/// A stateless question.
#[derive(Debug)]
struct Pending {
    /// What it is for.
    fingerprint: String,
    /// How far a yes may reach.
    furthest: Reach,
    /// What is learned where it reaches furthest of all.
    lesson: Option<Box<Learn>>,
    until: Tick,
}

/// All approvals of a session.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    /// Questions on the wire, by their id.
    asked: BTreeMap<Bytes, ExchangeId>,
    /// Stateless questions, by their state.
    pending: BTreeMap<String, Pending>,
    /// Calls that the person in front of the client approved and that others are asked about too.
    voiced: BTreeMap<String, (Reach, Tick)>,
    /// Approved calls that have not come yet.
    approved: BTreeMap<String, (Reach, Tick)>,
    /// Approved calls whose server asks for further rounds.
    going_on: BTreeMap<String, Tick>,
    next: u64,
}

impl Holds {
    pub(crate) fn asked_as(&self, id: &[u8]) -> Option<ExchangeId> {
        self.asked.get(id).copied()
    }

    /// The state of ours that a retried request brings back.
    pub(crate) fn redeems(params: &Params<'_>) -> Option<String> {
        params.text("requestState").filter(|state| Self::is_ours(state)).map(std::borrow::Cow::into_owned)
    }

    /// May this call go on without being asked about again, and how far did the yes reach? `round`: it brings its server
    /// what that asked for.
    pub(crate) fn continues(
        &mut self,
        fingerprint: impl FnOnce() -> String,
        round: bool,
        now: Tick,
    ) -> Option<Reach> {
        let (reach, until) = match round {
            true if self.going_on.is_empty() => None,
            true => self.going_on.remove(&fingerprint()).map(|until| (Reach::Once, until)),
            false if self.approved.is_empty() => None,
            false => self.approved.remove(&fingerprint()),
        }?;
        (now < until).then_some(reach)
    }

    fn approve(&mut self, fingerprint: String, reach: Reach, until: Tick) {
        bound(&mut self.approved, |(_, until)| *until);
        self.approved.insert(fingerprint, (reach, until));
    }

    pub(crate) fn go_on(&mut self, fingerprint: String, until: Tick) {
        bound(&mut self.going_on, |until| *until);
        self.going_on.insert(fingerprint, until);
    }

    /// A held call is over; an answer to its question comes too late.
    pub(crate) fn forget(&mut self, held: &Held) {
        if let Some(question) = &held.question {
            self.asked.remove(question);
        }
    }

    /// Questions that were answered too late are kept, to say so: there are few.
    pub(crate) fn forget_old(&mut self, now: Tick) {
        self.approved.retain(|_, (_, until)| now < *until);
        self.voiced.retain(|_, (_, until)| now < *until);
        self.going_on.retain(|_, until| now < *until);
    }

    /// Is it an id or a state that only Lockgate gives?
    pub(crate) fn is_ours(text: &str) -> bool {
        text.starts_with(STATE)
    }
}

/// Makes room for one more by forgetting what ends first.
fn bound<T, U: Ord>(map: &mut BTreeMap<String, T>, until: impl Fn(&T) -> U) {
    if map.len() >= MOST {
        let first = map.iter().min_by_key(|(_, value)| until(value)).map(|(key, _)| key.clone());
        if let Some(first) = first {
            map.remove(&first);
        }
    }
}

impl Held {
    /// How long the result is that waits; none where it is a call.
    pub(crate) fn result(&self) -> Option<usize> {
        match &self.waits {
            Waits::Call(_) => None,
            Waits::Result(release) => Some(release.message.len()),
        }
    }
}

impl Core {
    #[expect(clippy::too_many_arguments, reason = "all of it describes the one call that waits")]
    pub(crate) fn hold(
        &mut self,
        request: &Request<'_>,
        mut target: Target,
        arguments: Option<Box<Said>>,
        fingerprint: &str,
        outgoing: Outgoing,
        finding: Finding,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let voiced = self.holds.voiced.remove(fingerprint).map(|(reach, _)| reach);
        let client = self.agent.elicitation && voiced.is_none();
        if self.boundary.desk.is_none() && (!client || finding.approvers > 1) {
            // Where nobody can be asked, the reason of the rule says more than that nobody could be asked.
            let required = finding.reason == Reason::ApprovalRequired;
            let reason = if required { Reason::ApprovalUnavailable } else { finding.reason };
            let finding = Finding { verdict: Verdict::Deny, reason, ..finding };
            return self.refuse(request, &target, finding, steps);
        }
        self.note(
            Note::request(request)
                .target(target.server.as_ref(), target.shown.as_deref())
                .arguments(arguments.as_deref())
                .sources(std::mem::take(&mut target.sources))
                .found(&std::mem::take(&mut target.found))
                .labels(self.history.label(), self.history.label())
                .finding(finding.clone(), Verdict::Hold),
            steps,
        );
        let state = State::Waiting { server: outgoing.server.clone(), resend: None };
        self.insert(request, target, arguments, state, None, now);
        // What was replaced in the arguments does not come again with the agent: it is for what it sends.
        let plea = Plea { client, voiced, timeout: None, fingerprint: Some(fingerprint.to_owned()) };
        self.put_to_people(request.exchange, Waits::Call(outgoing), finding, plea, now, steps);
    }

    /// Holds a call that is on its way already, for people in front of the client or outside it.
    pub(crate) fn hold_open(
        &mut self,
        exchange: ExchangeId,
        outgoing: Outgoing,
        finding: Finding,
        timeout: Option<u64>,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let Some(open) = self.exchanges.get(exchange) else { return };
        let client = self.agent.elicitation && open.revision != Revision::R2026_07_28;
        if self.boundary.desk.is_none() && !client {
            let finding = Finding { verdict: Verdict::Deny, reason: Reason::ApprovalUnavailable, ..finding };
            return self.refuse_open(exchange, finding, now, steps);
        }
        let plea = Plea { client, timeout, ..Plea::default() };
        self.put_to_people(exchange, Waits::Call(outgoing), finding, plea, now, steps);
    }

    /// Can somebody be asked about a result while the agent waits for it? To send the call again is no way: it was made.
    pub(crate) fn can_hold_result(&self, open: &Exchange, bytes: usize) -> bool {
        let client = self.agent.elicitation && open.revision != Revision::R2026_07_28;
        let held = self.exchanges.held_results().saturating_add(bytes);
        (client || self.boundary.desk.is_some_and(|desk| desk.waits))
            && open.agent_id().is_some()
            && held <= self.boundary.limits.result_bytes
    }

    /// Holds a result that was going to the agent.
    pub(crate) fn hold_result(
        &mut self,
        exchange: ExchangeId,
        open: Exchange,
        release: Release,
        finding: Finding,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let client = self.agent.elicitation && open.revision != Revision::R2026_07_28;
        if let Some(id) = open.agent_id().filter(|_| self.shares_ids(open.revision)) {
            self.exchanges.take_id(id.clone(), exchange);
        }
        self.exchanges.insert(exchange, open);
        let fingerprint = digest::hex(format!("result\0{}", self.correlation(exchange)).as_bytes());
        let plea = Plea { client, fingerprint: Some(fingerprint), ..Plea::default() };
        self.put_to_people(exchange, Waits::Result(release), finding, plea, now, steps);
    }

    /// What is open waits from now on for people outside the client, else for the one in front of it.
    fn put_to_people(
        &mut self,
        exchange: ExchangeId,
        waits: Waits,
        finding: Finding,
        plea: Plea,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let Some(open) = self.exchanges.get_mut(exchange) else { return };
        let (sent, server) = match &waits {
            Waits::Call(outgoing) => (outgoing.params(), Some(outgoing.server.clone())),
            Waits::Result(_) => (None, open.target.server.clone()),
        };
        let (Some(server), true) = (server, sent.is_some() || matches!(waits, Waits::Result(_))) else {
            let finding = Finding::deny(Phase::Parse, Reason::InternalFault, "protocol");
            return self.refuse_open(exchange, finding, now, steps);
        };
        let made = || Some(fingerprint(open.method, &server, open.target.subject.as_ref(), sent.as_ref()?));
        let Some(fingerprint) = plea.fingerprint.or_else(made) else { return };
        self.holds.next += 1;
        let learns = self.boundary.flow.learns;
        let arguments = sent.as_ref().and_then(Params::arguments);
        let lesson = learns.then(|| Reach::lesson(&open.target, &finding, arguments)).flatten();
        let furthest = Reach::furthest(&finding, lesson.is_some());
        // Of credentials people see that there are some.
        let depth = self.boundary.limits.argument_depth;
        let echo = || open.echo.as_ref().filter(|_| sent.is_none());
        let shown = open.target.concealed.as_ref().or_else(echo);
        let shown = shown.and_then(|shown| Json::check(shown, depth).ok()).or(arguments);
        let put = plea.client.then(|| {
            let question = question(&open.target, &finding, shown, open.revision, furthest, sent.is_some());
            Put::new(open, self.holds.next, &question)
        });
        let target = &open.target;
        let ask = self.boundary.desk.map(|desk| Ask {
            exchange,
            server: server.clone(),
            target: target.shown.clone().unwrap_or_default(),
            arguments: shown.map_or_else(String::new, |arguments| escaped(arguments, 4_000)),
            fingerprint: fingerprint.clone(),
            rule: finding.rule.clone(),
            reason: finding.reason,
            origin: finding.evidence.as_ref().and_then(|evidence| Some(evidence.first.as_ref()?.0.clone())),
            effect: target.tool.as_ref().map_or(Effect::Read, |(_, effect)| *effect),
            approvers: finding.approvers,
            voiced: plea.voiced,
            valid: plea.timeout.unwrap_or(desk.valid),
        });
        open.until = now.after_millis(plea.timeout.unwrap_or(self.boundary.hold_timeout));
        open.quiet_until = open.until;
        let said = plea.voiced.unwrap_or_default();
        let (question, reference) = (None, None);
        let held = Held { waits, finding, furthest, lesson, said, put, question, reference, fingerprint };
        open.state = State::Held(Box::new(held));
        match ask {
            Some(ask) => steps.push(Step::Ask(Box::new(ask))),
            None => self.put_to_client(exchange, steps),
        }
    }

    /// Has the client ask its person.
    fn put_to_client(&mut self, exchange: ExchangeId, steps: &mut Vec<Step>) {
        let Some(open) = self.exchanges.get_mut(exchange) else { return };
        let until = open.until;
        let State::Held(held) = &mut open.state else { return };
        match held.put.take() {
            None => {}
            Some(Put::Request { id, message }) => {
                held.question = Some(id.clone());
                self.holds.asked.insert(id, exchange);
                steps.push(Self::tell(Outlet::Exchange(exchange), message));
            }
            Some(Put::Answer { state, message }) => {
                let (fingerprint, lesson) = (held.fingerprint.clone(), held.lesson.take());
                let kept = Pending { fingerprint, furthest: held.furthest, lesson, until };
                bound(&mut self.holds.pending, |kept| kept.until);
                self.holds.pending.insert(state, kept);
                self.withdraw(exchange, steps);
                if let Some(open) = self.exchanges.close(exchange) {
                    self.note_end(exchange, &open, Ending::InputRequired, steps);
                }
                steps.push(Self::release(exchange, message, 200));
            }
        }
    }

    /// The call was put before people, or could not be.
    pub(crate) fn filed(
        &mut self,
        exchange: ExchangeId,
        reference: Result<String, Reason>,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let waits = self.boundary.desk.is_some_and(|desk| desk.waits);
        let Some(State::Held(held)) = self.exchanges.get_mut(exchange).map(|open| &mut open.state) else {
            return;
        };
        // The client may still ask the one person it has.
        let asks = held.put.is_some();
        match reference {
            Ok(reference) => held.reference = Some(reference),
            // Too many is too many wherever they are asked (SAFE-T1403).
            Err(reason) if asks && held.finding.approvers == 1 && reason != Reason::TooManyApprovals => {}
            Err(reason) => return self.refuse_held(exchange, reason, now, steps),
        }
        if waits || asks {
            self.put_to_client(exchange, steps);
        } else {
            self.refuse_held(exchange, Reason::ApprovalPending, now, steps);
        }
    }

    /// People have decided.
    pub(crate) fn counted(&mut self, exchange: ExchangeId, ballot: Ballot, now: Tick, steps: &mut Vec<Step>) {
        match ballot {
            Ballot::Approved(reach) => {
                // Outside nobody chooses more than the session. Where one yes is enough, it is that of the client's person.
                let said = match self.exchanges.get(exchange).map(|open| &open.state) {
                    Some(State::Held(held)) if reach == Reach::Session => held.said,
                    _ => reach,
                };
                self.approve(exchange, reach.max(said), now, steps);
            }
            Ballot::Denied => self.refuse_held(exchange, Reason::ApprovalDeclined, now, steps),
            Ballot::Expired => self.refuse_held(exchange, Reason::ApprovalTimedOut, now, steps),
        }
    }

    /// The person in front of the client has answered about a held call.
    pub(crate) fn resolve(
        &mut self,
        exchange: ExchangeId,
        yes: Option<Reach>,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let Some(State::Held(held)) = self.exchanges.get_mut(exchange).map(|open| &mut open.state) else {
            return;
        };
        // Where others are asked as well, what all of them say is counted outside: one of them may have said no.
        let (alone, question) = (held.reference.is_none(), held.question.take());
        let yes = yes.map(|reach| reach.min(held.furthest));
        held.said = yes.unwrap_or_default();
        if let Some(question) = question {
            self.holds.asked.remove(&question);
        }
        if self.boundary.desk.is_some() {
            steps.push(Step::Vote { exchange, yes });
        }
        match (yes, alone) {
            (None, _) => self.refuse_held(exchange, Reason::ApprovalDeclined, now, steps),
            (Some(reach), true) => self.approve(exchange, reach, now, steps),
            (Some(_), false) => {}
        }
    }

    /// Says that nobody waits for people any more.
    pub(crate) fn withdraw(&self, exchange: ExchangeId, steps: &mut Vec<Step>) {
        if self.boundary.desk.is_some() {
            steps.push(Step::Withdraw { exchange });
        }
    }

    /// A held call is approved and goes on.
    fn approve(&mut self, exchange: ExchangeId, reach: Reach, now: Tick, steps: &mut Vec<Step>) {
        let Some(open) = self.exchanges.get_mut(exchange) else { return };
        let State::Held(held) = &open.state else { return };
        let reach = reach.min(held.furthest);
        let (finding, question) = (held.finding.clone(), held.question.clone());
        let outgoing = match &held.waits {
            Waits::Call(outgoing) => outgoing.clone(),
            Waits::Result(_) => return self.hand_over(exchange, now, steps),
        };
        let lesson = held.lesson.clone().filter(|_| reach == Reach::Always);
        open.target.approved = Some(held.fingerprint.clone());
        open.state = State::Waiting { server: outgoing.server.clone(), resend: None };
        let (method, trace) = (open.method, open.trace);
        let (target, arguments) = (open.target.clone(), open.arguments.clone());
        if let Some(question) = question {
            self.holds.asked.remove(&question);
        }
        let (quiet, most) = self.patience(Some(&outgoing.server), method);
        if let Some(open) = self.exchanges.get_mut(exchange) {
            open.quiet_until = now.after_millis(quiet);
            open.until = now.after_millis(most);
        }
        self.note(
            Note::happening(Happening::Approval)
                .exchange(exchange)
                .trace(trace)
                .method(method)
                .target(target.server.as_ref(), target.shown.as_deref())
                .arguments(arguments.as_deref())
                .finding(finding, Verdict::Forward),
            steps,
        );
        // The configuration may have changed while the call waited: then what is denied now stays denied.
        if let Some(finding) = crate::phase::decide_again(self, &target, &outgoing, true) {
            return self.refuse_open(exchange, finding, now, steps);
        }
        self.endorse(&target, &outgoing, reach);
        self.learn(lesson, steps);
        self.go(exchange, outgoing, now, steps);
    }

    /// A held result is approved and goes to the agent.
    fn hand_over(&mut self, exchange: ExchangeId, now: Tick, steps: &mut Vec<Step>) {
        let Some(open) = self.exchanges.close(exchange) else { return };
        let State::Held(held) = open.state else { return };
        self.holds.forget(&held);
        let Waits::Result(release) = held.waits else { return };
        self.note(
            Note::happening(Happening::Approval)
                .exchange(exchange)
                .trace(open.trace)
                .method(open.method)
                .target(open.target.server.as_ref(), open.target.shown.as_deref())
                .arguments(open.arguments.as_deref())
                .duration(now.micros_since(open.started))
                .finding(held.finding, Verdict::Forward)
                .last(),
            steps,
        );
        steps.push(Step::Deliver(release));
    }

    /// A person has approved a value for later sessions as well.
    fn learn(&mut self, lesson: Option<Box<Learn>>, steps: &mut Vec<Step>) {
        let flow = &self.boundary.flow;
        let Some(lesson) = lesson.filter(|_| flow.learns && flow.approvals) else { return };
        self.history.learn(&lesson.value, self.now.after_millis(flow.learned_for));
        steps.push(Step::Learn(lesson));
    }

    /// A held call is over without an approval.
    pub(crate) fn refuse_held(
        &mut self,
        exchange: ExchangeId,
        reason: Reason,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let Some(State::Held(held)) = self.exchanges.get_mut(exchange).map(|open| &mut open.state) else {
            return;
        };
        let (question, reference) = (held.question.take(), held.reference.take());
        let asked = held.finding.clone();
        let finding = Finding::deny(Phase::Policy, reason, asked.rule.clone());
        if let Some(question) = question {
            self.holds.asked.remove(&question);
        }
        let open = matches!(reason, Reason::ApprovalPending | Reason::ApprovalTimedOut);
        let detail = reference.filter(|_| open).map(|reference| {
            format!(
                "`lockgate approvals approve {reference}` lets this very call pass once when it is sent again"
            )
        });
        self.withdraw(exchange, steps);
        if reason == Reason::ApprovalDeclined
            && let Some(target) = self.exchanges.get(exchange).map(|open| open.target.clone())
        {
            self.count_refusal(exchange, &target, &asked, steps);
        }
        self.refuse_open(exchange, Finding { detail, ..finding }, now, steps);
    }

    pub(crate) fn refuse_open(
        &mut self,
        exchange: ExchangeId,
        finding: Finding,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let Some(open) = self.exchanges.close(exchange) else { return };
        if open.refunds {
            steps.push(Step::Refund { exchange });
        }
        let Asker::Agent { id, .. } = &open.asker else { return };
        let correlation = self.correlation(exchange);
        let about = reply::About {
            shown: open.target.shown.as_deref(),
            server: open.target.server.as_ref(),
            correlation: &correlation,
            withheld: open.holds_result(),
        };
        self.tally.denied += u64::from(open.method == "tools/call");
        let (message, status) = if open.method == "tools/call" && finding.reason.is_for_the_model() {
            (reply::tool_refusal(id, &finding, &about, open.revision), 200)
        } else {
            (reply::error(Some(id), &finding, &about), Self::status(finding.reason, open.revision))
        };
        let happening = if open.is_held() { Happening::Approval } else { Happening::Request };
        let note = Note::of(happening, exchange, &open)
            .duration(now.micros_since(open.started))
            .finding(finding, Verdict::Deny)
            .last();
        // Stopped while its server was asked.
        let asked = open.waits_for().is_some();
        let note = if asked { note.upstream(&open, Outcome::Nothing, now) } else { note };
        self.note(note, steps);
        steps.push(Self::release(exchange, message, status));
    }

    /// The agent sends a held request again, with the person's answer. The approval counts once, for these arguments.
    pub(crate) fn redeem(&mut self, request: &Request<'_>, state: &str, now: Tick, steps: &mut Vec<Step>) {
        let answer = request.params.get("inputResponses").and_then(|all| all.get(QUESTION));
        let yes = answer.and_then(Reach::chosen);
        let pending = self.holds.pending.remove(state);
        let refused = match (pending, yes) {
            (None, _) => Some(Reason::ApprovalMismatch),
            (Some(kept), _) if now >= kept.until => Some(Reason::ApprovalTimedOut),
            (Some(_), None) => Some(Reason::ApprovalDeclined),
            (Some(Pending { fingerprint, furthest, lesson, until }), Some(reach)) => {
                let reach = reach.min(furthest);
                if self.boundary.desk.is_none() {
                    self.learn(lesson.filter(|_| reach == Reach::Always), steps);
                    self.holds.approve(fingerprint, reach, until);
                } else {
                    // It is one voice among those that are counted outside.
                    bound(&mut self.holds.voiced, |(_, until)| *until);
                    self.holds.voiced.insert(fingerprint, (reach, until));
                }
                None
            }
        };
        if let Some(reason) = refused {
            let finding = Finding::deny(Phase::Policy, reason, "approval");
            return self.refuse(request, &Target::default(), finding, steps);
        }
        // The request goes on as if it had never been held: without our question and state. A call that is not the one
        // approved finds no approval waiting and is held again.
        let Some(whole) = request.params.whole() else { return };
        let kept: Vec<_> = whole
            .members()
            .filter(|(key, _)| !key.is("inputResponses") && !key.is("requestState"))
            .map(|(key, value)| format!("{}:{}", quote(&key.text()), value.written()))
            .collect();
        let mut splice = Splice::new(request.bytes);
        splice.replace(whole, format!("{{{}}}", kept.join(",")));
        let bytes = splice.finish();
        let received = Received::read(&bytes, Side::Agent, &self.boundary.limits);
        self.note(
            Note::happening(Happening::Approval)
                .exchange(request.exchange)
                .trace(request.trace)
                .method(request.method)
                .verdict(Verdict::Forward),
            steps,
        );
        self.again(
            request.exchange,
            &received,
            request.headers,
            request.revision,
            request.started,
            now,
            steps,
        );
    }

    /// Routes a message of the agent that has been admitted before.
    #[expect(clippy::too_many_arguments, reason = "a request is described by all of it")]
    pub(crate) fn again(
        &mut self,
        exchange: ExchangeId,
        received: &Received<'_>,
        headers: Option<&crate::Headers>,
        revision: Revision,
        started: Tick,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let Some((id, method, params)) = received.request() else { return };
        let kind = lockgate_model::MethodKind::Request;
        let Some(method) = Self::method(method, kind, lockgate_model::Direction::ToServer, revision) else {
            return;
        };
        let trace = self.trace(&params, headers);
        let request = Request {
            exchange,
            bytes: received.bytes,
            id,
            method,
            params,
            revision,
            headers,
            trace,
            started,
        };
        self.route(&request, false, now, steps);
    }
}

/// What one approval is for: this method, server, name and these very arguments, as a task or not.
pub(crate) fn fingerprint(
    method: &str,
    server: &ServerName,
    subject: Option<&(Subject, String)>,
    params: &Params<'_>,
) -> String {
    let name = subject.map_or("", |(_, name)| name);
    let mut bytes = format!("{method}\0{server}\0{name}\0").into_bytes();
    bytes.extend_from_slice(params.arguments().map_or(b"", Json::raw));
    if let Some(task) = params.get("task") {
        bytes.extend_from_slice(&[b"\0", task.raw()].concat());
    }
    digest::hex(&bytes)
}
