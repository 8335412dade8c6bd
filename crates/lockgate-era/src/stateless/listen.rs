//! The one subscription of the session: changes of lists from the start, resources as the agent subscribes to them.
//!
//! A filter cannot be changed. A new `subscriptions/listen` is opened with the new one, and the old one is ended once the
//! new one is acknowledged, so that no change falls between the two.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use lockgate_model::{ExchangeId, Json, Params, Reason, Tick, quote};

use super::call::cancelled;

use super::{Stateless, astray, result, unmarked};
use crate::message;
use crate::meta::reserved;
use crate::object::Object;
use crate::{Moment, Out};

/// Most resources that a session subscribes to.
const RESOURCES: usize = 1024;
/// Pauses before a subscription that ended is opened again. Milliseconds.
const FIRST_PAUSE: u64 = 1_000;
const LAST_PAUSE: u64 = 60_000;
/// How often in a row it is opened again without being acknowledged.
const TRIES: u32 = 8;
/// Streams that were ended here: what the server still says of them is no fault of it.
const ENDED: usize = 32;

/// Kinds of changes: the notification, the member of the filter, and the capability that promises it.
const CHANGES: [(&str, &str, &str); 3] = [
    ("notifications/tools/list_changed", "toolsListChanged", "tools"),
    ("notifications/prompts/list_changed", "promptsListChanged", "prompts"),
    ("notifications/resources/list_changed", "resourcesListChanged", "resources"),
];

/// What is listened to, and how far that has come.
#[derive(Debug, Default)]
pub(super) struct Listening {
    /// The members of the filter for the lists whose changes the server tells.
    lists: Vec<&'static str>,
    /// Resources that the agent has subscribed to, as far as the server has agreed.
    resources: BTreeSet<String>,
    /// The stream that is acknowledged.
    stream: Option<(ExchangeId, Tick)>,
    opening: Option<Opening>,
    /// Wait for a filter that is not asked for yet.
    queued: Vec<Waiter>,
    /// When it is opened again.
    again: Option<Tick>,
    pause: u64,
    tries: u32,
    ended: VecDeque<ExchangeId>,
}

/// A stream that is not acknowledged yet.
#[derive(Debug)]
struct Opening {
    wire: ExchangeId,
    waiters: Vec<Waiter>,
    /// The resources of its filter.
    resources: BTreeSet<String>,
    until: Tick,
}

/// A request of the agent that changes the filter.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) exchange: ExchangeId,
    pub(super) id: Bytes,
    resource: String,
    adds: bool,
}

/// How a stream ended.
pub(super) enum End<'a> {
    /// The server has nothing more to for now.
    Over,
    /// It does not want to.
    Refused(Json<'a>),
    /// The wire failed.
    Failed(Reason),
}

impl Listening {
    /// The server has said what it offers.
    pub(super) fn offers(&mut self, capabilities: Json<'_>) {
        let tells = |name: &str| {
            capabilities.get(name).and_then(|list| list.get("listChanged")).and_then(Json::bool) == Some(true)
        };
        self.lists =
            CHANGES.iter().filter(|(_, _, name)| tells(name)).map(|(_, member, _)| *member).collect();
        self.tries = 0;
    }

    pub(super) fn wires(&self) -> impl Iterator<Item = ExchangeId> {
        let opening = self.opening.as_ref().map(|opening| opening.wire);
        self.stream.map(|(wire, _)| wire).into_iter().chain(opening)
    }

    pub(super) fn is_open(&self, wire: ExchangeId) -> bool {
        self.wires().any(|open| open == wire)
    }

    pub(super) fn has_ended(&self, wire: ExchangeId) -> bool {
        self.ended.contains(&wire)
    }

    pub(super) fn waits(&self) -> bool {
        self.opening.is_some() || self.again.is_some()
    }

    /// Nobody waits for these answers any more. The filter stays as it was asked for.
    pub(super) fn forget(&mut self, of: impl Fn(&Waiter) -> bool) {
        self.queued.retain(|waiter| !of(waiter));
        if let Some(opening) = &mut self.opening {
            opening.waiters.retain(|waiter| !of(waiter));
        }
    }

    fn waiting(&self) -> usize {
        self.queued.len() + self.opening.as_ref().map_or(0, |opening| opening.waiters.len())
    }

    fn is_settled(&self) -> bool {
        self.stream.is_some() && self.opening.is_none() && self.queued.is_empty()
    }

    /// The resources that the agent wants to hear of, once all that it asked for is done.
    fn wanted(&self) -> BTreeSet<String> {
        let mut wanted = self.opening.as_ref().map_or(&self.resources, |opening| &opening.resources).clone();
        for waiter in &self.queued {
            if waiter.adds {
                wanted.insert(waiter.resource.clone());
            } else {
                wanted.remove(&waiter.resource);
            }
        }
        wanted
    }

    /// The filter, as a member of `params`.
    fn filter(&self, resources: &BTreeSet<String>) -> Vec<u8> {
        let mut filter = Object::default();
        self.lists.iter().for_each(|list| filter.add(list, b"true"));
        if !resources.is_empty() {
            let all: Vec<_> = resources.iter().map(|resource| quote(resource)).collect();
            filter.add("resourceSubscriptions", format!("[{}]", all.join(",")).as_bytes());
        }
        [br#""notifications":"#, &filter.json()[..]].concat()
    }

    /// Opened again after a pause that grows, unless it was refused for good or too often.
    fn open_later(&mut self, now: Tick) {
        if !(self.lists.is_empty() && self.resources.is_empty()) && self.tries < TRIES {
            let pause = self.pause.clamp(FIRST_PAUSE, LAST_PAUSE);
            self.again = Some(now.after_millis(pause));
            self.pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    fn end(&mut self, wire: ExchangeId, moment: &mut Moment<'_>) {
        if self.ended.len() == ENDED {
            self.ended.pop_front();
        }
        self.ended.push_back(wire);
        cancelled(wire, None, moment);
    }
}

impl Stateless {
    /// The agent is ready: changes of lists are listened to from now on.
    pub(super) fn listen(&mut self, moment: &mut Moment<'_>) {
        if self.listening.wires().next().is_none() {
            self.renew(moment);
        }
    }

    /// The agent wants to hear of a resource from now on, or no longer.
    pub(super) fn subscribe(
        &mut self,
        exchange: ExchangeId,
        id: Bytes,
        params: &Params<'_>,
        adds: bool,
        moment: &mut Moment<'_>,
    ) {
        let Some(resource) = params.text("uri").map(String::from) else {
            return moment.said(exchange, message::refusal(&id, NO_ADDRESS));
        };
        let listening = &mut self.listening;
        let wanted = listening.wanted();
        let known = wanted.contains(&resource);
        let nothing_changes = if adds { known && listening.is_settled() } else { !known };
        if nothing_changes {
            return moment.said(exchange, message::result(&id, b"{}"));
        }
        if adds && wanted.len() >= RESOURCES || listening.waiting() >= self.bounds.waiting {
            return moment.fail(exchange, Reason::TooManyOpen);
        }
        listening.queued.push(Waiter { exchange, id, resource, adds });
        self.renew(moment);
    }

    /// Asks for the filter as it is now, unless another is being asked for: then when that is settled.
    fn renew(&mut self, moment: &mut Moment<'_>) {
        if self.listening.opening.is_some() {
            return;
        }
        self.listening.again = None;
        let resources = self.listening.wanted();
        let waiters = std::mem::take(&mut self.listening.queued);
        if self.listening.lists.is_empty() && resources.is_empty() {
            self.listening.resources = resources;
            if let Some((wire, _)) = self.listening.stream.take() {
                self.listening.end(wire, moment);
            }
            for waiter in waiters {
                moment.said(waiter.exchange, message::result(&waiter.id, b"{}"));
            }
            return;
        }
        let wire = moment.open();
        let message = self.own_request(wire, "subscriptions/listen", &self.listening.filter(&resources));
        let until = moment.now.after_millis(self.bounds.handshake);
        self.listening.opening = Some(Opening { wire, waiters, resources, until });
        moment.out.push(Out::Send { exchange: Some(wire), method: Some("subscriptions/listen"), message });
    }

    /// What the server says of changes. It must be on a stream that is acknowledged and asked for it, else it is
    /// dropped; so is a server that takes back anything but a stream.
    pub(super) fn listened(
        &mut self,
        exchange: Option<ExchangeId>,
        method: &str,
        params: &Params<'_>,
        message: &Bytes,
        moment: &mut Moment<'_>,
    ) {
        if method == "notifications/cancelled" {
            let named = params.get("requestId").and_then(|id| ExchangeId::read(id.raw()));
            match named {
                Some(wire) if self.listening.is_open(wire) => self.listen_over(wire, End::Over, moment),
                Some(_) | None => {}
            }
            return;
        }
        let tag = reserved(params.meta(), "subscriptionId").and_then(|tag| match tag.text() {
            Some(text) => ExchangeId::read(text.as_bytes()),
            None => ExchangeId::read(tag.raw()),
        });
        let Some(wire) = exchange.or(tag) else { return };
        if method == "notifications/subscriptions/acknowledged" {
            return self.acknowledged(wire, params, message, moment);
        }
        let asked = match CHANGES.iter().find(|(change, ..)| *change == method) {
            Some((_, member, _)) => self.listening.lists.contains(member),
            None => !self.listening.resources.is_empty(),
        };
        if asked && self.listening.stream.is_some_and(|(stream, _)| stream == wire) {
            moment.out.push(Out::Said { exchange: None, message: unmarked(message, params) });
        }
    }

    /// The server listens as asked, or to a part of it. What it does not listen to was subscribed to in vain.
    fn acknowledged(
        &mut self,
        wire: ExchangeId,
        params: &Params<'_>,
        message: &Bytes,
        moment: &mut Moment<'_>,
    ) {
        let listening = &mut self.listening;
        let Some(opening) = listening.opening.take_if(|opening| opening.wire == wire) else {
            if !(listening.is_open(wire) || listening.has_ended(wire)) {
                astray(message, moment);
            }
            return;
        };
        if let Some((old, _)) = listening.stream.replace((wire, moment.now)) {
            listening.end(old, moment);
        }
        listening.tries = 0;
        let kept = params.get("notifications").and_then(|kept| kept.get("resourceSubscriptions"));
        let kept: BTreeSet<_> = kept.into_iter().flat_map(Json::elements).filter_map(Json::text).collect();
        listening.resources = opening.resources;
        for waiter in opening.waiters {
            let resource = waiter.resource.as_str();
            // One that was taken back before it was asked for is not refused.
            let refused = waiter.adds && listening.resources.contains(resource) && !kept.contains(resource);
            let said = if refused {
                listening.resources.remove(resource);
                message::refusal(&waiter.id, NOT_WATCHED)
            } else {
                message::result(&waiter.id, b"{}")
            };
            moment.said(waiter.exchange, said);
        }
        if !self.listening.queued.is_empty() {
            self.renew(moment);
        }
    }

    /// A stream has ended. Who waited for it hears why, and it is opened again after a pause.
    pub(super) fn listen_over(&mut self, wire: ExchangeId, end: End<'_>, moment: &mut Moment<'_>) {
        let listening = &mut self.listening;
        if let Some((_, since)) = listening.stream.take_if(|(stream, _)| *stream == wire) {
            if moment.now.micros_since(since) >= LAST_PAUSE * 1000 {
                listening.pause = FIRST_PAUSE;
            }
            if listening.opening.is_none() {
                listening.open_later(moment.now);
            }
            return;
        }
        let Some(opening) = listening.opening.take_if(|opening| opening.wire == wire) else { return };
        listening.tries += 1;
        for waiter in opening.waiters {
            let (exchange, id) = (waiter.exchange, &waiter.id);
            match &end {
                End::Refused(error) => moment.said(exchange, message::refusal(id, result::plain(*error))),
                End::Over => moment.said(exchange, message::refusal(id, NOT_WATCHED)),
                End::Failed(reason) => moment.out.push(Out::Failed { exchange, reason: *reason }),
            }
        }
        if let End::Refused(error) = end
            && error.get("code").and_then(Json::integer) == Some(-32_601)
        {
            listening.tries = TRIES;
        }
        if !listening.queued.is_empty() {
            self.renew(moment);
        } else if listening.stream.is_none() {
            listening.open_later(moment.now);
        }
    }

    /// Time has passed: a stream that nobody acknowledges is given up, one that ended is opened again.
    pub(super) fn listen_on(&mut self, moment: &mut Moment<'_>) {
        let late = self.listening.opening.as_ref().filter(|opening| opening.until <= moment.now);
        if let Some(wire) = late.map(|opening| opening.wire) {
            self.listening.end(wire, moment);
            self.listen_over(wire, End::Failed(Reason::ServerTimedOut), moment);
        }
        if self.listening.again.is_some_and(|again| again <= moment.now) {
            self.renew(moment);
        }
    }
}

const NO_ADDRESS: &[u8] = br#"{"code":-32602,"message":"`uri` is missing"}"#;
const NOT_WATCHED: &[u8] = br#"{"code":-32602,"message":"the server does not watch this resource"}"#;
