//! Secrets in what a server says are found and replaced before anything else sees the message.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use bytes::Bytes;
use lockgate_detect::MARK;
use lockgate_detect::secrets::{SecretClass, Secrets};
use lockgate_model::{Body, ExchangeId, Inside, Json, Key, ServerName, Splice, Texts, Visit};

use super::{Handles, Seal, Told, text};
use crate::hear::speaks;
use crate::{Core, Received, SecretAction};

/// The finder; the same for everybody, and never changed.
static FINDER: LazyLock<Secrets> = LazyLock::new(Secrets::new);

/// What became of the secrets in a message.
pub(crate) enum Concealed {
    /// There is none, or it is let pass.
    Nothing,
    /// The message without them.
    Message(Bytes),
    /// There is one in a file whose digest is known: the file can be neither shown nor changed.
    Sealed,
}

/// What was found in a message of a server.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Found {
    /// A credential.
    pub(crate) credential: bool,
    /// It was replaced before the message was read.
    pub(crate) replaced: bool,
    /// The server said something of it that changes nothing: it is not known, or asks for more trust.
    pub(crate) marking_ignored: bool,
}

impl Found {
    /// The sorts of data in it.
    pub(crate) fn classes(self) -> impl Iterator<Item = &'static str> {
        self.credential.then_some("credential").into_iter()
    }

    /// What a record says of it.
    pub(crate) fn notes(self) -> impl Iterator<Item = &'static str> {
        self.classes().chain(self.marking_ignored.then_some("label_ignored"))
    }
}

impl Core {
    /// Looks for secrets in a message of a server. `exchange` is the one that it answers.
    pub(crate) fn conceal(
        &mut self,
        server: &ServerName,
        exchange: Option<ExchangeId>,
        received: &Received<'_>,
    ) -> Concealed {
        self.found = Found::default();
        let Some(message) = received.message() else { return Concealed::Nothing };
        let open = exchange.and_then(|exchange| self.exchanges.get(exchange));
        let (said, texts) = match &message.body {
            Body::Result { result, fields, .. } => {
                (open.filter(|open| speaks(open.method)).map(|_| *result), fields.texts())
            }
            Body::Error { error, .. } => (Some(*error), Texts::none()),
            Body::Notification { params, .. } | Body::Request { params, .. } => {
                (params.whole(), Texts::none())
            }
        };
        let Some(said) = said else { return Concealed::Nothing };
        let sealed = open.is_some_and(|open| {
            let address = open.target.subject.as_ref().map(|(_, name)| name.as_str());
            open.method.starts_with("skills/")
                || open.method == "resources/directory/read"
                || open.method == "resources/read"
                    && address.is_some_and(|address| address.starts_with("skill:"))
        });
        let mut action = self.boundary.flow.secrets.action;
        if self.boundary.observes {
            action = SecretAction::Pass;
        }
        let told = self.handles.take_told(server);
        let made = self.handles.made;
        let mut search = Search {
            action: if sealed { SecretAction::Pass } else { action },
            server,
            seal: Seal { key: self.boundary.flow.key, identity: &self.identity },
            handles: &mut self.handles,
            told: &told,
            splice: Splice::new(received.bytes),
            found: false,
        };
        search.all(said, texts);
        let (found, splice) = (search.found, search.splice);
        if self.handles.made == made {
            self.handles.keep_told(server, told);
        }
        self.found.credential = found;
        self.found.replaced = !splice.is_empty();
        match found {
            true if sealed && action != SecretAction::Pass => Concealed::Sealed,
            true if !splice.is_empty() => Concealed::Message(splice.finish()),
            _ => Concealed::Nothing,
        }
    }
}

/// Where in a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// What the protocol says of the answer, so many members deep.
    Protocol(u8),
    /// What the server says.
    Data,
}

/// What the protocol hands back as it came, and what no model reads. To change it would break the exchange.
const OPAQUE: [&str; 6] = [
    "nextCursor",
    "requestState",
    "taskId",
    "progressToken",
    "requestId",
    "io.modelcontextprotocol/subscriptionId",
];

impl Place {
    fn below(self, name: &str) -> Self {
        match self {
            Self::Protocol(_)
                if matches!(name, "content" | "contents" | "messages" | "structuredContent") =>
            {
                Self::Data
            }
            Self::Protocol(depth) => Self::Protocol(depth.saturating_add(1)),
            Self::Data => Self::Data,
        }
    }

    /// Is the member of that name handed back as it came?
    fn is_opaque(self, object: Inside<'_>, name: &str) -> bool {
        match self {
            Self::Data => false,
            // An address that the user is asked to open.
            Self::Protocol(_) if name == "url" => {
                object.whole().get("mode").and_then(Json::text).is_some_and(|mode| mode == "url")
            }
            Self::Protocol(depth) => depth <= 1 && OPAQUE.contains(&name),
        }
    }
}

/// An object or an array that is being looked through.
struct Open<'m> {
    inside: Inside<'m>,
    place: Place,
    /// What the elements of an array are called, where it is not itself an element.
    called: Option<Cow<'m, str>>,
    /// The name of the member of an object that comes next.
    next: Option<Key<'m>>,
}

struct Search<'s, 'm> {
    action: SecretAction,
    server: &'s ServerName,
    seal: Seal<'s>,
    handles: &'s mut Handles,
    told: &'s Told,
    splice: Splice<'m>,
    found: bool,
}

/// A part of a text to be replaced.
struct Cut {
    span: Range<usize>,
    kind: &'static str,
    /// What stands for it already.
    handle: Option<String>,
    /// Nothing may stand for it.
    unread: bool,
}

impl<'m> Search<'_, 'm> {
    /// Looks through all that is said, once.
    fn all(&mut self, said: Json<'m>, texts: &Texts<'m>) {
        let mut open: Vec<Open<'m>> = Vec::new();
        texts.walk(said, &mut |seen| {
            match seen {
                Visit::Name(key) => {
                    if let Some(object) = open.last_mut() {
                        object.next = Some(key);
                    }
                }
                Visit::Leave => drop(open.pop()),
                Visit::Enter(inside) => {
                    let Some((called, place)) = self.come_to(&open, None) else { return false };
                    open.push(Open { inside, place, called, next: None });
                }
                Visit::Value(value) => {
                    let Some((called, _)) = self.come_to(&open, Some(value)) else { return true };
                    let Some(text) = texts.text(value) else { return true };
                    let of_array = || open.iter().rev().find_map(|open| open.called.as_deref());
                    let called = called.as_deref().or_else(of_array).unwrap_or_default();
                    if let Some(without) = self.without_secrets(&text, called) {
                        self.splice.replace(value, lockgate_model::quote(&without));
                    }
                }
            }
            true
        });
    }

    /// A value that is to be looked at: what it is called, nothing for an element, and its place. None where it is handed
    /// on as it is.
    fn come_to(
        &mut self,
        open: &[Open<'m>],
        value: Option<Json<'m>>,
    ) -> Option<(Option<Cow<'m, str>>, Place)> {
        let Some(around) = open.last() else { return Some((Some("".into()), Place::Protocol(0))) };
        let Some(key) = around.next else { return Some((None, around.place)) };
        let name = key.text();
        let binary = value.is_some_and(|value| is_binary(around.inside, &name, value));
        if binary || around.place.is_opaque(around.inside, &name) {
            return None;
        }
        if let Some(without) = self.without_secrets(&name, "") {
            self.splice.rename(key, &without);
        }
        let place = around.place.below(&name);
        // `{"name": "DB_PASSWORD", "value": "…"}`
        let named = (name == "value")
            .then(|| around.inside.whole())
            .and_then(|object| object.get("name").or_else(|| object.get("key")).and_then(Json::text));
        Some((Some(named.unwrap_or(name)), place))
    }

    /// The text with something else in place of its secrets; none where nothing is replaced.
    fn without_secrets(&mut self, text: &str, name: &str) -> Option<String> {
        let cuts = self.cuts(text, name);
        self.found |= !cuts.is_empty();
        if cuts.is_empty() || self.action == SecretAction::Pass {
            return None;
        }
        let (mut without, mut from) = (String::with_capacity(text.len()), 0);
        for cut in cuts {
            without.push_str(text.get(from..cut.span.start)?);
            let secret = text.get(cut.span.clone())?;
            let handle = match self.action {
                SecretAction::Handle if !cut.unread => {
                    cut.handle.or_else(|| self.handles.stand_in(secret, cut.kind, self.server, &self.seal))
                }
                SecretAction::Handle | SecretAction::Redact | SecretAction::Pass => None,
            };
            without.push_str(handle.as_deref().unwrap_or(MARK));
            from = cut.span.end;
        }
        without.push_str(text.get(from..)?);
        Some(without)
    }

    /// What is to be replaced, in order and not overlapping.
    fn cuts(&self, text: &str, name: &str) -> Vec<Cut> {
        let told = self.told.texts.find(text).into_iter().map(|(which, span)| {
            let handle = self.told.handles.get(which).cloned();
            Cut { span, kind: "secret", unread: handle.is_none(), handle }
        });
        let mut cuts: Vec<_> = told.collect();
        let found = FINDER.find(text).into_iter().chain(FINDER.named(name, text));
        cuts.extend(found.map(|secret| Cut {
            span: secret.span,
            kind: secret.kind,
            handle: None,
            unread: secret.class == SecretClass::Unread,
        }));
        if cuts.is_empty() {
            return cuts;
        }
        // What stands for a secret is none.
        let handles: Vec<_> = text::handles(text).collect();
        cuts.retain(|cut| {
            !handles.iter().any(|handle| handle.start <= cut.span.start && cut.span.end <= handle.end)
        });
        cuts.sort_by_key(|cut| (cut.span.start, std::cmp::Reverse(cut.span.end), cut.handle.is_none()));
        let mut apart: Vec<Cut> = Vec::with_capacity(cuts.len());
        for cut in cuts {
            match apart.last_mut() {
                Some(last) if cut.span.start < last.span.end => {
                    last.unread |= cut.unread;
                    if cut.span.end > last.span.end {
                        last.span.end = cut.span.end;
                        last.handle = None;
                    }
                }
                _ => apart.push(cut),
            }
        }
        apart
    }
}

/// Is it a picture, a sound or a file in base64? There is no text in it to look at.
fn is_binary(object: Inside<'_>, name: &str, value: Json<'_>) -> bool {
    let place = name == "blob" || name == "data" && object.whole().get("mimeType").is_some();
    place
        && value.text().is_some_and(|text| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
        })
}
