//! `subscriptions/listen`: what the server announces is told to the listens that want it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use lockgate_model::{ExchangeId, Json, Params, Splice, Tick, quote};

use super::Asked;
use super::greet::Server;
use crate::message;
use crate::meta;
use crate::object::Object;
use crate::{Bounds, Moment};

/// Most resources that the listens of a session follow, all together; further ones are not acknowledged. Twice as many
/// answers of the server to (un)subscribing are waited for.
pub(super) const MOST: usize = 256;

/// The open listens, and the resources that the server was asked to follow for them.
#[derive(Debug, Default)]
pub(super) struct Listens {
    open: BTreeMap<ExchangeId, Listen>,
    /// How many listens follow a resource.
    followed: BTreeMap<String, usize>,
    /// Requests of ours that the server has not answered.
    asked: BTreeMap<ExchangeId, Own>,
    /// How long that is. Milliseconds.
    patience: u64,
}

/// A request of ours.
#[derive(Debug)]
struct Own {
    /// How long it is waited for.
    until: Tick,
    /// It was sent before, to a session that the server has forgotten.
    again: bool,
}

#[derive(Debug)]
struct Listen {
    /// The session's id of it, as it came.
    id: Bytes,
    kinds: Vec<&'static Kind>,
    resources: BTreeSet<String>,
}

/// A kind of announcement.
#[derive(Debug)]
struct Kind {
    wanted: &'static str,
    capability: &'static str,
    method: &'static str,
}

const KINDS: &[Kind] = &[
    Kind { wanted: "toolsListChanged", capability: "tools", method: "notifications/tools/list_changed" },
    Kind {
        wanted: "promptsListChanged",
        capability: "prompts",
        method: "notifications/prompts/list_changed",
    },
    Kind {
        wanted: "resourcesListChanged",
        capability: "resources",
        method: "notifications/resources/list_changed",
    },
];

impl Listen {
    fn tag(&self, meta: Object) -> Object {
        meta.with(&meta::reserved_key("subscriptionId"), &self.id)
    }

    /// Does it follow the resource, or one that it is part of?
    fn follows(&self, address: &str) -> bool {
        self.resources.iter().any(|own| {
            address.strip_prefix(own.as_str()).is_some_and(|rest| {
                rest.is_empty() || own.ends_with('/') || rest.starts_with(['/', '?', '#'])
            })
        })
    }
}

impl Listens {
    /// A listen begins: it is acknowledged for what the server can.
    pub(super) fn begin(
        &mut self,
        asked: &Asked<'_>,
        server: &Server,
        bounds: &Bounds,
        moment: &mut Moment<'_>,
    ) {
        self.patience = bounds.handshake;
        let wants = asked.params.get("notifications");
        let wanted = |kind: &&Kind| {
            let wanted = wants.and_then(|wants| wants.get(kind.wanted)).and_then(Json::bool);
            wanted == Some(true) && server.can(kind.capability, "listChanged")
        };
        let mut listen = Listen {
            id: asked.message.slice_ref(asked.id.raw()),
            kinds: KINDS.iter().filter(wanted).collect(),
            resources: BTreeSet::new(),
        };
        let resources = wants.and_then(|wants| wants.get("resourceSubscriptions"));
        let resources = resources.filter(|_| server.can("resources", "subscribe"));
        let mut new = Vec::new();
        for address in resources.into_iter().flat_map(Json::elements).filter_map(Json::text) {
            let known = self.followed.contains_key(&*address);
            if listen.resources.contains(&*address) || (!known && self.followed.len() >= MOST) {
                continue;
            }
            *self.followed.entry(address.clone().into_owned()).or_default() += 1;
            if !known {
                new.push(address.clone().into_owned());
            }
            listen.resources.insert(address.into_owned());
        }
        let mut agreed = Object::default();
        for kind in &listen.kinds {
            agreed = agreed.with(kind.wanted, "true");
        }
        if resources.is_some() {
            let list: Vec<_> = listen.resources.iter().map(|address| quote(address)).collect();
            agreed = agreed.with("resourceSubscriptions", format!("[{}]", list.join(",")));
        }
        let params = Object::default()
            .with("_meta", listen.tag(Object::default()).json())
            .with("notifications", agreed.json());
        moment
            .said(asked.exchange, message::notification("notifications/subscriptions/acknowledged", params));
        self.open.insert(asked.exchange, listen);
        for address in new {
            self.ask("resources/subscribe", &address, false, moment);
        }
    }

    /// Nobody listens here any more.
    pub(super) fn end(&mut self, exchange: ExchangeId, moment: &mut Moment<'_>) {
        let Some(listen) = self.open.remove(&exchange) else { return };
        for address in listen.resources {
            let others = self.followed.get(&address).copied().unwrap_or_default().saturating_sub(1);
            if others > 0 {
                self.followed.insert(address, others);
            } else {
                self.followed.remove(&address);
                self.ask("resources/unsubscribe", &address, false, moment);
            }
        }
    }

    /// The server has ended, and every listen with it.
    pub(super) fn end_all(&mut self, moment: &mut Moment<'_>) {
        for (exchange, listen) in std::mem::take(self).open {
            let result = Object::default()
                .with("resultType", "\"complete\"")
                .with("_meta", listen.tag(Object::default()).json());
            moment.said(exchange, message::result(&listen.id, result.json()));
        }
    }

    /// The server has been greeted: in a new session it follows nothing.
    pub(super) fn renew(&mut self, moment: &mut Moment<'_>) {
        let followed: Vec<_> = self.followed.keys().cloned().collect();
        for address in followed {
            self.ask("resources/subscribe", &address, true, moment);
        }
    }

    /// What the server was asked in a session that it has forgotten has no answer.
    pub(super) fn forget_asked(&mut self) {
        self.asked.clear();
    }

    /// Tells the listens that want it what the server has announced. What none wants is dropped.
    pub(super) fn announce(
        &self,
        message: &Bytes,
        method: &str,
        params: &Params<'_>,
        moment: &mut Moment<'_>,
    ) {
        let address = (method == "notifications/resources/updated").then(|| params.text("uri")).flatten();
        for (exchange, listen) in &self.open {
            let wants = match &address {
                Some(address) => listen.follows(address),
                None => listen.kinds.iter().any(|kind| kind.method == method),
            };
            if !wants {
                continue;
            }
            let meta = listen.tag(meta::crossing(params, &[])).json();
            let said = match (params.meta(), params.whole()) {
                (Some(old), _) => {
                    let mut splice = Splice::new(message);
                    splice.replace(old, meta);
                    splice.finish()
                }
                (None, Some(whole)) => {
                    let mut splice = Splice::new(message);
                    splice.insert(whole, Object::default().with("_meta", meta).written());
                    splice.finish()
                }
                (None, None) => message::notification(method, Object::default().with("_meta", meta)),
            };
            moment.said(*exchange, said);
        }
    }

    /// The server has answered a request of ours, or will not: was it one?
    pub(super) fn answered(&mut self, wire: ExchangeId) -> bool {
        self.asked.remove(&wire).is_some()
    }

    /// The session is forgotten in which this was asked: had it been asked in an earlier one as well? None where it was
    /// no request of ours.
    pub(super) fn forgotten(&mut self, wire: ExchangeId) -> Option<bool> {
        self.asked.remove(&wire).map(|own| own.again)
    }

    /// Gives up waiting for what the server does not answer.
    pub(super) fn wake(&mut self, moment: &mut Moment<'_>) {
        let now = moment.now;
        let late: Vec<_> =
            self.asked.iter().filter(|(_, own)| own.until <= now).map(|(wire, _)| *wire).collect();
        for wire in late {
            self.drop_asked(wire, moment);
        }
    }

    pub(super) fn has(&self, exchange: ExchangeId) -> bool {
        self.open.contains_key(&exchange)
    }

    /// The exchange of the session whose id this is.
    pub(super) fn known_as(&self, id: &[u8]) -> Option<ExchangeId> {
        self.open.iter().find(|(_, listen)| listen.id == id).map(|(exchange, _)| *exchange)
    }

    pub(super) fn awaits(&self, wire: ExchangeId) -> bool {
        self.asked.contains_key(&wire)
    }

    pub(super) fn waits(&self) -> bool {
        !self.asked.is_empty()
    }

    fn ask(&mut self, method: &'static str, address: &str, again: bool, moment: &mut Moment<'_>) {
        if self.asked.len() >= 2 * MOST
            && let Some(oldest) = self.asked.keys().next().copied()
        {
            self.drop_asked(oldest, moment);
        }
        let wire = moment.ask(method, Object::default().with("uri", quote(address)));
        self.asked.insert(wire, Own { until: moment.in_millis(self.patience), again });
    }

    fn drop_asked(&mut self, wire: ExchangeId, moment: &mut Moment<'_>) {
        self.asked.remove(&wire);
        moment.out.push(crate::Out::Abandon { exchange: wire });
    }
}
