//! Does a server speak the session's era? It is told by how it answers what is sent to it anyway; only on a pipe, where one
//! message may decide in which era a server speaks for good, is it asked first.

use std::collections::BTreeMap;

use bytes::Bytes;
use lockgate_model::{Body, Era, ExchangeId, Json, Reason, Revision, ServerName, Tick};

use super::doubt::Refusal;
use super::{Manner, Way};
use crate::exchange::params;
use crate::{Core, Head, Permit, Received, Sent, Step};

/// How long a server on a pipe may take to say whether it is stateless: some never answer. Milliseconds.
const ASKED: u64 = 5_000;
const DISCOVER: &str = "server/discover";

/// What is being found out.
#[derive(Debug, Default)]
pub(super) struct Trial {
    /// What was sent and has no answer yet.
    sent: BTreeMap<ExchangeId, Kept>,
    /// What waits for the outcome. On a pipe only.
    queue: Vec<Permit>,
    /// The question, and whether it is ours. On a pipe only.
    asked: Option<Asked>,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    exchange: ExchangeId,
    ours: bool,
    until: Tick,
}

/// A request that may have to be sent in the other era.
#[derive(Debug)]
pub(super) struct Kept {
    method: &'static str,
    message: Bytes,
}

/// What an answer says of the era that a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Speaks,
    Other,
    /// It answered, but not as a server of the session's era does: most likely it is of the other one.
    Suspect,
    Nothing,
}

impl Trial {
    pub(super) fn waits(&self) -> bool {
        self.asked.is_some()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.sent.is_empty() && self.queue.is_empty()
    }

    pub(super) fn forget(&mut self, exchange: ExchangeId) {
        self.sent.remove(&exchange);
        self.queue.retain(|permit| permit.exchange != Some(exchange));
    }
}

impl Core {
    /// Sends to a server of which it is not known what it speaks; first it is asked, where it `asks`.
    pub(super) fn try_out(&mut self, permit: Permit, asks: bool, now: Tick, steps: &mut Vec<Step>) {
        let server = permit.server.clone();
        let ours = asks.then(|| self.open());
        let Some(Way { manner: Manner::Tried(trial), .. }) = self.ways.ways.get_mut(&server) else { return };
        if asks && trial.asked.is_some() {
            if permit.head.sent != Sent::Notification {
                return trial.queue.push(permit);
            }
            // What it takes back may not have been sent at all.
            if let Some(exchange) = taken_back(&permit)
                && trial.queue.iter().any(|queued| queued.exchange == Some(exchange))
            {
                return trial.forget(exchange);
            }
        }
        let (Some(exchange), Some(method)) = (permit.exchange, permit.head.method) else {
            return steps.push(Step::Send(permit.plain()));
        };
        let kept = Kept { method, message: permit.message.clone() };
        let until = now.after_millis(ASKED);
        match ours {
            Some(_) if method == DISCOVER => {
                trial.asked = Some(Asked { exchange, ours: false, until });
                trial.sent.insert(exchange, kept);
                steps.push(Step::Send(permit.plain()));
            }
            Some(own) => {
                let question = question(own, &permit);
                trial.asked = Some(Asked { exchange: own, ours: true, until });
                trial.sent.insert(own, Kept { method: DISCOVER, message: question.message.clone() });
                trial.queue.push(permit);
                steps.push(Step::Send(question));
            }
            None => {
                trial.sent.insert(exchange, kept);
                steps.push(Step::Send(permit.plain()));
            }
        }
    }

    pub(super) fn is_late(&self, server: &ServerName, exchange: ExchangeId) -> bool {
        self.ways.ways.get(server).is_some_and(|way| way.late.contains_key(&exchange))
    }

    /// A server says something whose era is not known yet, or answers what was sent before it was.
    pub(super) fn hear_tried(
        &mut self,
        server: &ServerName,
        exchange: Option<ExchangeId>,
        received: &Received<'_>,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        let body = received.message().map(|message| &message.body);
        let answer = body.filter(|body| matches!(body, Body::Result { .. } | Body::Error { .. }));
        let numbered = || ExchangeId::read(Self::answer_id(answer?)?.raw()).filter(|_| self.is_lines(server));
        let answered = exchange.or_else(numbered).filter(|_| answer.is_some());
        let Some((exchange, kept, era)) = answered.and_then(|answered| self.take_kept(server, answered))
        else {
            return self.from_server(server, exchange, received, now, steps);
        };
        let told = answer.map_or(Told::Nothing, |body| Told::of(era, kept.method, body));
        let ours = self.conclude(server, told, exchange, steps);
        match told {
            Told::Other => {
                let refusal = (!ours).then(|| Refusal::Said(received.bytes.clone()));
                self.send_in_other_era(server, exchange, kept, refusal, now, steps);
            }
            Told::Speaks | Told::Suspect | Told::Nothing if ours => {}
            Told::Speaks | Told::Suspect | Told::Nothing => {
                self.from_server(server, Some(exchange), received, now, steps);
            }
        }
    }

    /// A server of which it is not known yet what it speaks has failed. False where that is another matter.
    pub(super) fn fail_tried(
        &mut self,
        server: &ServerName,
        exchange: Option<ExchangeId>,
        reason: Reason,
        now: Tick,
        steps: &mut Vec<Step>,
    ) -> bool {
        let tried = matches!(self.ways.ways.get(server), Some(Way { manner: Manner::Tried(_), .. }));
        let Some(failed) = exchange else {
            if tried && let Some(way) = self.ways.ways.remove(server) {
                // It may have ended because of what it was asked. The handshake is what every server of old knows.
                if let Manner::Tried(Trial { asked: Some(_), .. }) = way.manner {
                    self.ways.known.insert((server.clone(), way.era), false);
                }
                self.failed(server, None, reason, now, steps);
            } else if let Some(way) = self.ways.ways.get_mut(server) {
                way.late.clear();
            }
            return tried;
        };
        match self.take_kept(server, failed) {
            Some((exchange, kept, era))
                if reason == Reason::ServerRefused && (era == Era::Modern || kept.method == "initialize") =>
            {
                self.conclude(server, Told::Other, exchange, steps);
                self.send_in_other_era(server, exchange, kept, Some(Refusal::Failed(reason)), now, steps);
                true
            }
            Some(_) => {
                // What waits for the outcome of a question that could not be asked fails with it.
                let queued = self.end_question(server, failed);
                for exchange in std::iter::once(failed).chain(queued) {
                    self.failed(server, Some(exchange), reason, now, steps);
                }
                true
            }
            None => {
                if tried {
                    self.failed(server, exchange, reason, now, steps);
                }
                tried
            }
        }
    }

    /// A server that was asked and does not answer counts as one of the handshake era. It starts afresh: it may be busy
    /// with the question for good.
    pub(super) fn wake_tried(&mut self, server: &ServerName, now: Tick, steps: &mut Vec<Step>) {
        let asked = match self.ways.ways.get(server) {
            Some(Way { manner: Manner::Tried(trial), .. }) => trial.asked.filter(|asked| asked.until <= now),
            _ => None,
        };
        let Some(Asked { exchange, .. }) = asked else { return };
        let Some((exchange, kept, _)) = self.take_kept(server, exchange) else { return };
        steps.push(Step::Restart { server: server.clone() });
        let ours = self.conclude(server, Told::Other, exchange, steps);
        if !ours {
            self.send_in_other_era(server, exchange, kept, None, now, steps);
        }
    }

    /// The question has no answer, and the next request asks it anew. Gives what has waited for it.
    fn end_question(&mut self, server: &ServerName, exchange: ExchangeId) -> Vec<ExchangeId> {
        let Some(Way { manner: Manner::Tried(trial), .. }) = self.ways.ways.get_mut(server) else {
            return Vec::new();
        };
        if trial.asked.take_if(|asked| asked.exchange == exchange).is_none() {
            return Vec::new();
        }
        std::mem::take(&mut trial.queue).into_iter().filter_map(|permit| permit.exchange).collect()
    }

    fn take_kept(&mut self, server: &ServerName, exchange: ExchangeId) -> Option<(ExchangeId, Kept, Era)> {
        let way = self.ways.ways.get_mut(server)?;
        let kept = match &mut way.manner {
            Manner::Tried(trial) => trial.sent.remove(&exchange),
            Manner::Same | Manner::Bridged(_) => way.late.remove(&exchange),
        };
        Some((exchange, kept?, way.era))
    }

    /// What an answer told holds from now on. Gives whether it was the answer to a question of ours.
    fn conclude(
        &mut self,
        server: &ServerName,
        told: Told,
        exchange: ExchangeId,
        steps: &mut Vec<Step>,
    ) -> bool {
        let bounds = self.bounds(server);
        let Some(way) = self.ways.ways.get_mut(server) else { return false };
        let Manner::Tried(trial) = &mut way.manner else { return false };
        let ours = trial.asked.is_some_and(|asked| asked.ours && asked.exchange == exchange);
        if told == Told::Nothing {
            return ours;
        }
        let (sent, queue) = (std::mem::take(&mut trial.sent), std::mem::take(&mut trial.queue));
        if told == Told::Speaks {
            way.manner = Manner::Same;
            steps.push(Step::Era { server: server.clone(), era: way.era, speaks: true });
        } else {
            way.late = sent;
            way.suspect = told == Told::Suspect;
            way.cross_over(bounds);
        }
        // They are taken over with the rest of the steps.
        steps.extend(queue.into_iter().map(Step::Send));
        ours
    }

    fn send_in_other_era(
        &mut self,
        server: &ServerName,
        exchange: ExchangeId,
        kept: Kept,
        refusal: Option<Refusal>,
        now: Tick,
        steps: &mut Vec<Step>,
    ) {
        if let (Some(refusal), Some(way)) = (refusal, self.ways.ways.get_mut(server)) {
            way.doubts.insert(exchange, refusal);
        } else if self.exchanges.get(exchange).is_none() {
            return;
        }
        self.bridged(server, now, steps, |bridge, moment| {
            bridge.request(exchange, kept.method, &kept.message, moment);
        });
    }
}

/// Asks a server on a pipe whether it is stateless, in the name of who wants something of it.
fn question(own: ExchangeId, wanted: &Permit) -> Permit {
    let params = params(&wanted.message);
    let revision = Revision::R2026_07_28;
    let message = Core::own_request(own, DISCOVER, None, params.as_ref(), revision);
    let head =
        Head { sent: Sent::Request, revision, method: Some(DISCOVER), name: None, parameters: Vec::new() };
    Core::permit(&wanted.server, Some(own), message, head, "protocol".to_owned()).plain()
}

/// The exchange that a notification takes back.
fn taken_back(permit: &Permit) -> Option<ExchangeId> {
    let message = Json::check(&permit.message, 16).ok()?;
    ExchangeId::read(message.get("params")?.get("requestId")?.raw())
}

impl Told {
    fn of(era: Era, method: &str, body: &Body<'_>) -> Self {
        let stateless = Revision::R2026_07_28.as_str();
        let names = |list: Option<Json<'_>>| {
            list.is_some_and(|list| list.elements().any(|one| one.text().is_some_and(|one| one == stateless)))
        };
        let code = |error: &Json<'_>| error.get("code").and_then(Json::integer).unwrap_or_default();
        match (era, body) {
            (_, Body::Request { .. } | Body::Notification { .. }) => Self::Nothing,
            (Era::Modern, Body::Result { fields, .. }) if method == DISCOVER => {
                if names(fields.get("supportedVersions")) { Self::Speaks } else { Self::Other }
            }
            (Era::Modern, Body::Result { fields, .. }) => {
                if fields.get("resultType").is_some() {
                    Self::Speaks
                } else {
                    Self::Suspect
                }
            }
            (Era::Modern, Body::Error { id, error }) => match code(error) {
                -32022 if !names(error.get("data").and_then(|data| data.get("supported"))) => Self::Other,
                -32022..=-32020 => Self::Speaks,
                -32601 | -32600 | -32001 | -32000 => Self::Other,
                _ if method == DISCOVER || id.is_none() => Self::Other,
                _ => Self::Nothing,
            },
            (Era::Legacy, _) if method != "initialize" => Self::Nothing,
            (Era::Legacy, Body::Result { .. }) => Self::Speaks,
            (Era::Legacy, Body::Error { error, .. }) => match code(error) {
                -32022..=-32020 | -32601 | -32602 => Self::Other,
                _ => Self::Nothing,
            },
        }
    }
}
