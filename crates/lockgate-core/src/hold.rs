//! Calls that wait for a person. In the handshake era the person is asked on the call's own stream; in the stateless
//! era the call is answered with `input_required`, and the agent sends it again with the person's answer.

use std::collections::BTreeMap;

use bytes::Bytes;
use lockgate_audit::Happening;
use lockgate_model::{
    Effect, ExchangeId, Finding, Json, Kind, Params, Phase, Reason, Revision, ServerName, Side, Splice, Tick,
    Verdict, quote,
};

use crate::agent::Request;
use crate::exchange::{Asker, Outgoing, State, Target};
use crate::record::Note;
use crate::{Core, Outlet, Received, Step, reply};

/// How a `requestState` of ours begins. A server's own state never reaches this code.
const STATE: &str = "lockgate-approval-";
/// The key of our question in `inputRequests`.
const QUESTION: &str = "lockgate_approval";
/// Most approvals a session keeps; then the oldest is forgotten and its call must be sent afresh.
const MOST: usize = 64;

/// A call that waits, ready to go.
#[derive(Debug)]
pub(crate) struct Held {
    outgoing: Outgoing,
    finding: Finding,
    /// The id of the question put to the agent.
    question: Bytes,
}

/// All approvals of a session.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    /// Questions on the wire, by their id.
    asked: BTreeMap<Bytes, ExchangeId>,
    /// Stateless questions, by their state: what they are for and until when.
    pending: BTreeMap<String, (String, Tick)>,
    /// Approved calls that have not come yet.
    approved: BTreeMap<String, Tick>,
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

    /// May this call go on without being asked about again? `round`: it brings its server what that asked for.
    pub(crate) fn continues(&mut self, fingerprint: impl FnOnce() -> String, round: bool, now: Tick) -> bool {
        let calls = if round { &mut self.going_on } else { &mut self.approved };
        !calls.is_empty() && calls.remove(&fingerprint()).is_some_and(|until| now < until)
    }

    fn approve(&mut self, fingerprint: String, until: Tick) {
        bound(&mut self.approved, |until| *until);
        self.approved.insert(fingerprint, until);
    }

    pub(crate) fn go_on(&mut self, fingerprint: String, until: Tick) {
        bound(&mut self.going_on, |until| *until);
        self.going_on.insert(fingerprint, until);
    }

    /// A held call is over; an answer to its question comes too late.
    pub(crate) fn forget(&mut self, held: &Held) {
        self.asked.remove(&held.question);
    }

    /// Questions that were answered too late are kept, to say so: there are few.
    pub(crate) fn forget_old(&mut self, now: Tick) {
        self.approved.retain(|_, until| now < *until);
        self.going_on.retain(|_, until| now < *until);
    }

    /// Is it an id or a state that only Lockgate gives?
    pub(crate) fn is_ours(text: &str) -> bool {
        text.starts_with(STATE)
    }
}

/// Makes room for one more by forgetting what ends first.
fn bound<T>(map: &mut BTreeMap<String, T>, until: impl Fn(&T) -> Tick) {
    if map.len() >= MOST {
        let first = map.iter().min_by_key(|(_, value)| until(value)).map(|(key, _)| key.clone());
        if let Some(first) = first {
            map.remove(&first);
        }
    }
}

impl Core {
    #[expect(clippy::too_many_arguments, reason = "all of it describes the one call that waits")]
    pub(crate) fn hold(
        &mut self,
        request: &Request<'_>,
        target: Target,
        arguments: Option<String>,
        fingerprint: String,
        outgoing: Outgoing,
        finding: Finding,
        origin: Option<(ServerName, Effect)>,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        if !self.agent.elicitation {
            // Where nobody can be asked, the reason of the rule says more than that nobody could be asked.
            let required = finding.reason == Reason::ApprovalRequired;
            let reason = if required { Reason::ApprovalUnavailable } else { finding.reason };
            let finding = Finding { verdict: Verdict::Deny, reason, ..finding };
            return self.refuse(request, &target, finding, origin.as_ref(), steps);
        }
        self.holds.next += 1;
        let number = self.holds.next;
        let question = question(&target, &finding, origin.as_ref(), request.params.arguments());
        let until = now.after_millis(self.boundary.hold_timeout);
        self.note(
            Note::happening(Happening::Request)
                .exchange(request.exchange)
                .method(request.method)
                .target(target.server.as_ref(), target.shown.as_deref())
                .arguments(arguments.as_deref())
                .labels(&self.label, &self.label)
                .finding(finding.clone(), Verdict::Hold),
            steps,
        );
        if request.revision == Revision::R2026_07_28 {
            let state = format!("{STATE}{number}");
            bound(&mut self.holds.pending, |(_, until)| *until);
            self.holds.pending.insert(state.clone(), (fingerprint, until));
            let id = String::from_utf8_lossy(request.id.raw());
            let text = format!(
                "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"resultType\":\"input_required\",\"inputRequests\":{{\"{QUESTION}\":{{\"method\":\"elicitation/create\",\"params\":{question}}}}},\"requestState\":{}}}}}",
                quote(&state)
            );
            steps.push(Self::release(request.exchange, Bytes::from(text), 200));
            return;
        }
        let id = Bytes::from(format!("\"{STATE}{number}\""));
        let message = format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"elicitation/create\",\"params\":{question}}}",
            String::from_utf8_lossy(&id)
        );
        self.holds.asked.insert(id.clone(), request.exchange);
        let held = Held { outgoing, finding, question: id };
        self.insert(request, target, arguments, State::Held(Box::new(held)), None, now);
        if let Some(open) = self.exchanges.get_mut(request.exchange) {
            open.until = until;
        }
        steps.push(Self::tell(Outlet::Exchange(request.exchange), Bytes::from(message)));
    }

    /// A person has answered about a held call.
    pub(crate) fn resolve(&mut self, exchange: ExchangeId, yes: bool, now: Tick, steps: &mut Vec<Step>) {
        if !yes {
            return self.refuse_held(exchange, Reason::ApprovalDeclined, now, steps);
        }
        let Some(open) = self.exchanges.get_mut(exchange) else { return };
        let State::Held(held) = &open.state else { return };
        let (outgoing, finding, question) =
            (held.outgoing.clone(), held.finding.clone(), held.question.clone());
        open.state = State::Waiting { server: outgoing.server.clone(), resend: None };
        let (method, target, arguments) = (open.method, open.target.clone(), open.arguments.clone());
        self.holds.asked.remove(&question);
        let (quiet, most) = self.patience(Some(&outgoing.server), method);
        if let Some(open) = self.exchanges.get_mut(exchange) {
            open.quiet_until = now.after_millis(quiet);
            open.until = now.after_millis(most);
        }
        self.note(
            Note::happening(Happening::Approval)
                .exchange(exchange)
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
        self.go(exchange, outgoing, now, steps);
    }

    /// A held call is over without an approval.
    pub(crate) fn refuse_held(
        &mut self,
        exchange: ExchangeId,
        reason: Reason,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let Some(open) = self.exchanges.get(exchange) else { return };
        let State::Held(held) = &open.state else { return };
        let question = held.question.clone();
        self.holds.asked.remove(&question);
        self.refuse_open(exchange, Finding::deny(Phase::Policy, reason, "approval"), now, steps);
    }

    pub(crate) fn refuse_open(
        &mut self,
        exchange: ExchangeId,
        finding: Finding,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let Some(open) = self.exchanges.close(exchange) else { return };
        let Asker::Agent { id, .. } = &open.asker else { return };
        let correlation = self.correlation(exchange);
        let about = reply::About {
            shown: open.target.shown.as_deref(),
            server: open.target.server.as_ref(),
            // The sentence is about the approval; what it was asked for stands in the earlier record.
            origin: None,
            correlation: &correlation,
        };
        let (message, status) = if open.method == "tools/call" && finding.reason.is_for_the_model() {
            (reply::tool_refusal(id, &finding, &about, open.revision), 200)
        } else {
            (reply::error(Some(id), &finding, &about), Self::status(finding.reason, open.revision))
        };
        let happening = if open.is_held() { Happening::Approval } else { Happening::Request };
        self.note(
            Note::happening(happening)
                .exchange(exchange)
                .method(open.method)
                .target(open.target.server.as_ref(), open.target.shown.as_deref())
                .arguments(open.arguments.as_deref())
                .duration(now.micros_since(open.started))
                .finding(finding, Verdict::Deny),
            steps,
        );
        steps.push(Self::release(exchange, message, status));
    }

    /// The agent sends a held request again, with the person's answer. The approval counts once, for these arguments.
    pub(crate) fn redeem(&mut self, request: &Request<'_>, state: &str, now: Tick, steps: &mut Vec<Step>) {
        let answer = request.params.get("inputResponses").and_then(|all| all.get(QUESTION));
        let yes = answer.and_then(|answer| answer.get("action")?.text()).is_some_and(|word| word == "accept");
        let pending = self.holds.pending.remove(state);
        let refused = match pending {
            None => Some(Reason::ApprovalMismatch),
            Some((_, until)) if now >= until => Some(Reason::ApprovalTimedOut),
            Some(_) if !yes => Some(Reason::ApprovalDeclined),
            Some((fingerprint, until)) => {
                self.holds.approve(fingerprint, until);
                None
            }
        };
        if let Some(reason) = refused {
            let finding = Finding::deny(Phase::Policy, reason, "approval");
            return self.refuse(request, &Target::default(), finding, None, steps);
        }
        // The request goes on as if it had never been held: without our question and state. A call that is not the one
        // approved finds no approval waiting and is held again.
        let Some(whole) = request.params.whole() else { return };
        let kept: Vec<_> = whole
            .members()
            .filter(|(key, _)| !key.is("inputResponses") && !key.is("requestState"))
            .map(|(key, value)| format!("{}:{}", quote(&key.text()), String::from_utf8_lossy(value.raw())))
            .collect();
        let mut splice = Splice::new(request.bytes);
        splice.replace(whole, format!("{{{}}}", kept.join(",")));
        let bytes = splice.finish();
        let received = Received::read(&bytes, Side::Agent, &self.boundary.limits);
        self.note(
            Note::happening(Happening::Approval)
                .exchange(request.exchange)
                .method(request.method)
                .verdict(Verdict::Forward),
            steps,
        );
        self.again(request.exchange, &received, request.headers, request.revision, now, steps);
    }

    /// Routes a message of the agent that has been admitted before.
    pub(crate) fn again(
        &mut self,
        exchange: ExchangeId,
        received: &Received<'_>,
        headers: Option<&crate::Headers>,
        revision: Revision,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let Some((id, method, params)) = received.request() else { return };
        let kind = lockgate_model::MethodKind::Request;
        let Some(method) = Self::method(method, kind, lockgate_model::Direction::ToServer, revision) else {
            return;
        };
        let request = Request { exchange, bytes: received.bytes, id, method, params, revision, headers };
        self.route(&request, false, now, steps);
    }
}

/// The parameters of the question. The person sees which tool of which server, why it is asked, and the arguments with
/// everything escaped that could deceive the eye.
fn question(
    target: &Target,
    finding: &Finding,
    origin: Option<&(ServerName, Effect)>,
    arguments: Option<Json<'_>>,
) -> String {
    let tool = target.shown.as_deref().unwrap_or("this request");
    let server = target.server.as_ref().map_or("", ServerName::as_str);
    let why = match origin {
        Some((origin, effect)) => format!(
            "Text from server `{origin}`, which outsiders can write to, was read before, and this is a {} tool.",
            effect.word()
        ),
        None => format!("The rule {} asks for your approval.", finding.rule),
    };
    let shown = arguments.filter(|arguments| arguments.kind() == Kind::Object).map_or_else(
        String::new,
        |arguments| {
            let text = String::from_utf8_lossy(arguments.raw()).into_owned();
            format!(" Arguments: {}", lockgate_model::Untrusted::new(text).escaped(800))
        },
    );
    let message = format!("Lockgate: run `{tool}` on server `{server}`? {why}{shown}");
    format!(
        "{{\"message\":{},\"requestedSchema\":{{\"type\":\"object\",\"properties\":{{}}}}}}",
        quote(&message)
    )
}
