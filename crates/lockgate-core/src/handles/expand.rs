//! A handle in a call becomes the secret again on its way to a server that may have it, after everything is decided.

use lockgate_model::{Effect, ExchangeId, Json, Kind, Reason, ServerName, Splice, quote};

use super::{Kept, Stands, text};
use crate::Core;
use crate::exchange::Outgoing;

/// How far an argument goes: who is named in an address gets all of it, from a tool that only reads as well.
pub(crate) fn reach(argument: &str, effect: Effect) -> Effect {
    if argument.contains("://") { Effect::Egress } else { effect }
}

impl Core {
    /// What stands against a text on its way to a server: a handle that means nothing, or that is not for it. `length` is that
    /// of what the handles stand for, and added up.
    pub(crate) fn bad_handle(
        &self,
        said: &str,
        server: &ServerName,
        effect: Effect,
        length: &mut usize,
    ) -> Option<Reason> {
        text::handles(said).find_map(|at| {
            let Some(kept) = said.get(at).and_then(|handle| self.handles.kept.get(handle)) else {
                return Some(Reason::UnknownHandle);
            };
            *length = length.saturating_add(kept.secret.len());
            (!self.may_have(kept, server, effect)).then_some(Reason::HandleNotForThisServer)
        })
    }

    /// May this server have what a handle stands for? Where the operator names nobody: who gave it, except in what it sends out.
    fn may_have(&self, kept: &Kept, server: &ServerName, effect: Effect) -> bool {
        let named = match kept.stands {
            Stands::Secret => &self.boundary.flow.secrets.expand_for,
            Stands::Personal => &self.boundary.expand_personal_for,
        };
        match named {
            Some(named) => named.contains(server),
            None => kept.origin == *server && effect != Effect::Egress,
        }
    }

    /// The message as the server gets it. What may not go to it stays a handle.
    pub(crate) fn expand(&mut self, exchange: ExchangeId, mut outgoing: Outgoing) -> Outgoing {
        if self.handles.kept.is_empty() {
            return outgoing;
        }
        let tool = self.exchanges.get(exchange).and_then(|open| open.target.tool.as_ref());
        let effect = tool.map_or(Effect::Read, |(_, effect)| *effect);
        let before = outgoing.clone();
        let Some(params) = before.params() else { return outgoing };
        let mut expansion = Expansion {
            core: self,
            server: &before.server,
            effect,
            in_arguments: true,
            used: Vec::new(),
            room: self.boundary.limits.request_bytes,
        };
        let mut splice = Splice::new(&before.message);
        if let Some(arguments) = params.arguments() {
            expansion.value(arguments, &mut splice);
        }
        if let Some(address) = params.get("uri") {
            expansion.in_arguments = false;
            expansion.value(address, &mut splice);
        }
        let head = &mut outgoing.head;
        if let Some(name) = &mut head.name
            && let Some(expanded) = expansion.text(name)
        {
            *name = expanded;
        }
        expansion.in_arguments = true;
        for (_, text) in &mut head.parameters {
            if let Some(expanded) = expansion.text(text) {
                *text = expanded;
            }
        }
        let used = expansion.used;
        if !splice.is_empty() {
            outgoing.message = splice.finish();
        }
        for handle in used {
            self.handles.tell(&handle, &outgoing.server);
        }
        outgoing
    }
}

struct Expansion<'c> {
    core: &'c Core,
    server: &'c ServerName,
    effect: Effect,
    /// Is it an argument, and not the address of a resource of the server's own?
    in_arguments: bool,
    used: Vec<String>,
    /// Bytes that may still be added.
    room: usize,
}

impl Expansion<'_> {
    fn value(&mut self, value: Json<'_>, splice: &mut Splice<'_>) {
        match value.kind() {
            Kind::String => {
                if let Some(expanded) = value.text().and_then(|text| self.text(&text)) {
                    splice.replace(value, quote(&expanded));
                }
            }
            Kind::Array => value.elements().for_each(|element| self.value(element, splice)),
            Kind::Object => value.members().for_each(|(_, member)| self.value(member, splice)),
            Kind::Number | Kind::Bool | Kind::Null => {}
        }
    }

    /// The text with its secrets; none where there is no handle in it that may become one.
    fn text(&mut self, text: &str) -> Option<String> {
        let (mut expanded, mut from) = (String::new(), 0);
        let effect = if self.in_arguments { reach(text, self.effect) } else { self.effect };
        for at in text::handles(text) {
            let handle = text.get(at.clone())?;
            let Some(kept) = self.core.handles.kept.get(handle) else { continue };
            let Some(room) = self.room.checked_sub(kept.secret.len()) else { continue };
            if self.core.may_have(kept, self.server, effect) {
                self.room = room;
                expanded.push_str(text.get(from..at.start)?);
                expanded.push_str(&kept.secret);
                from = at.end;
                self.used.push(handle.to_owned());
            }
        }
        if from == 0 {
            return None;
        }
        expanded.push_str(text.get(from..)?);
        Some(expanded)
    }
}
