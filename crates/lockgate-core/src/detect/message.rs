//! What a server says is looked through before anything else sees it, and what is to be replaced is.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use lockgate_detect::Genre;
use lockgate_model::{
    Body, ExchangeId, Inside, Json, Key, Kind, ServerName, Splice, Texts, ToolName, UnixMillis, Visit, quote,
};

use super::media::{is_file, is_page};
use super::{By, ByLevel, Cut, Detect, Found, Handling, Handlings, Look, Looked, Way, cuts, replace};
use crate::exchange::Exchange;
use crate::handles::{Handles, Seal, Stands, Told};
use crate::hear::speaks;
use crate::{Core, Received, SecretAction};

impl Core {
    /// Looks through a message of a server; what was found is in `found`. `exchange` is the one that it answers. The message
    /// as it may be read, where something in it was replaced.
    pub(crate) fn inspect(
        &mut self,
        server: &ServerName,
        exchange: Option<ExchangeId>,
        received: &Received<'_>,
    ) -> Option<Bytes> {
        self.found = Found::default();
        let message = received.message()?;
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
        let said = said?;
        let is_prompt = open.is_some_and(|open| open.method == "prompts/get");
        let way =
            Way { word: "results", observes: self.boundary.observes, sealed: open.is_some_and(is_sealed) };
        let tool = open.and_then(|open| open.target.tool.as_ref()).map(|(tool, _)| tool.clone());
        let boundary = Arc::clone(&self.boundary);
        let usual = Detect::default();
        let detect = boundary.servers.get(server).map_or(&usual, |server| &*server.detect);
        let handlings = Handlings { secrets: credentials(boundary.flow.secrets.action), ..detect.results };
        let look = Look {
            detect,
            handlings: &handlings,
            genre: if is_prompt { Genre::Prompt } else { Genre::Result },
            now: UnixMillis(self.wall_now()),
        };
        let told = self.handles.take_told(server);
        let made = self.handles.made();
        let mut search = Search {
            look,
            way,
            server,
            seal: Seal::of(&boundary, &self.identity),
            handles: &mut self.handles,
            told: &told,
            splice: Splice::new(received.bytes),
            found: &mut self.found,
            tool: tool.as_ref(),
        };
        search.all(said, texts);
        let splice = search.splice;
        if self.handles.made() == made {
            self.handles.keep_told(server, told);
        }
        if let Body::Result { fields, .. } = &message.body {
            self.found.parts(fields, detect.most_parts);
        }
        self.found.replaced = !splice.is_empty();
        self.found.replaced.then(|| splice.finish())
    }
}

/// Is the answer a file whose digest is known? It can be neither shown nor changed.
pub(crate) fn is_sealed(open: &Exchange) -> bool {
    let address = open.target.subject.as_ref().map(|(_, name)| name.as_str());
    open.method.starts_with("skills/")
        || open.method == "resources/directory/read"
        || open.method == "resources/read" && address.is_some_and(|address| address.starts_with("skill:"))
}

/// What is done with credentials.
fn credentials(action: SecretAction) -> ByLevel {
    ByLevel::at_block(match action {
        SecretAction::Pass => Handling::Flag,
        SecretAction::Redact => Handling::Redact,
        SecretAction::Handle => Handling::Tokenise,
    })
}

/// Deepest nesting of text that is JSON, and is read for its fields.
const DEPTH: usize = 64;

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

/// What the array is called that an element is in.
fn of_array<'o>(open: &'o [Open<'_>]) -> Option<&'o str> {
    open.iter().rev().find_map(|open| open.called.as_deref())
}

/// What looks through one message.
pub(super) struct Search<'s, 'm> {
    pub(super) look: Look<'s>,
    pub(super) way: Way,
    server: &'s ServerName,
    seal: Seal<'s>,
    handles: &'s mut Handles,
    told: &'s Told,
    pub(super) splice: Splice<'m>,
    pub(super) found: &'s mut Found,
    /// The tool that answers.
    tool: Option<&'s ToolName>,
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
                    let Some((called, place)) = self.come_to(&open) else { return false };
                    open.push(Open { inside, place, called, next: None });
                }
                Visit::Value(value) => {
                    let text = texts.text(value);
                    let around = open.last().and_then(|open| open.next.map(|name| (open.inside, name)));
                    if let (Some(text), Some((object, _))) =
                        (&text, around.filter(|(object, name)| is_file(*object, *name)))
                        && self.file(object, value, text)
                    {
                        return true;
                    }
                    let Some((called, place)) = self.come_to(&open) else { return true };
                    if place == Place::Data && value.kind() == Kind::Number {
                        self.number(value, called.as_deref().or_else(|| of_array(&open)).unwrap_or_default());
                    }
                    let Some(text) = text else { return true };
                    let page = around.filter(|(_, name)| place == Place::Data && name.is("text"));
                    if let Some((object, _)) = page {
                        self.typed(object);
                    }
                    let called = called.as_deref().or_else(|| of_array(&open)).unwrap_or_default();
                    let is_page = || page.is_some_and(|(object, _)| is_page(object));
                    if let Some(without) = self.handed_on(&text, called, is_page) {
                        self.splice.replace(value, quote(&without));
                    }
                }
            }
            true
        });
    }

    /// A value that is to be looked at: what it is called, nothing for an element, and its place. None where it is handed
    /// on as it is.
    fn come_to(&mut self, open: &[Open<'m>]) -> Option<(Option<Cow<'m, str>>, Place)> {
        let Some(around) = open.last() else { return Some((Some("".into()), Place::Protocol(0))) };
        let Some(key) = around.next else { return Some((None, around.place)) };
        let name = key.text();
        if around.place.is_opaque(around.inside, &name) {
            return None;
        }
        if let Some(without) = self.without(&name, "") {
            self.splice.rename(key, &without);
        }
        self.field(&name);
        let place = around.place.below(&name);
        // `{"name": "DB_PASSWORD", "value": "…"}`
        let named = (name == "value")
            .then(|| around.inside.whole())
            .and_then(|object| object.get("name").or_else(|| object.get("key")).and_then(Json::text));
        Some((Some(named.unwrap_or(name)), place))
    }

    /// A member of that name is there.
    fn field(&mut self, name: &str) {
        let Look { detect, handlings, .. } = self.look;
        let classes = detect.classes_of(self.tool, name);
        self.found.classify(classes, &handlings.classes, self.way, || None);
    }

    /// Text of a tool that is JSON has fields as well.
    fn fields_in(&mut self, text: &str) {
        let is_structured = text.trim_start().starts_with(['{', '[']);
        if self.look.detect.fields.is_empty() || !is_structured {
            return;
        }
        if let Ok(value) = Json::check(text.as_bytes(), DEPTH) {
            value.walk(&mut |seen| {
                if let Visit::Name(key) = seen {
                    self.field(&key.text());
                }
                true
            });
        }
    }

    /// A number of data may be personal, or secret by its name. What stands for it is a text.
    fn number(&mut self, value: Json<'m>, name: &str) {
        let digits = value.written();
        let looked = self.look.number(name, digits);
        if let Some(without) = self.without_hits(digits, &looked) {
            self.splice.replace(value, quote(&without));
        }
    }

    /// The text with something else in place of what is to be replaced; none where nothing is.
    pub(super) fn without(&mut self, text: &str, name: &str) -> Option<String> {
        let looked = self.look.at(name, text);
        self.fields_in(text);
        self.without_hits(text, &looked)
    }

    fn without_hits(&mut self, text: &str, looked: &Looked) -> Option<String> {
        let known = self.known(text);
        self.found.add(looked, self.way, || None);
        let classes = looked.classes.iter().copied();
        self.found.classify(classes, &self.look.handlings.classes, self.way, || None);
        if self.way.observes || self.way.sealed {
            return None;
        }
        let cuts = cuts(text, &looked.hits, known);
        if cuts.iter().any(|cut| matches!(cut.by, By::Rule(_))) {
            let kept = cuts.iter().filter(|cut| !matches!(cut.by, By::Rule(_))).cloned().collect();
            self.found.unread.push(replace(text, kept, self.handles, self.server, &self.seal));
        }
        (!cuts.is_empty()).then(|| replace(text, cuts, self.handles, self.server, &self.seal))
    }

    /// What the server was told, or has given before.
    fn known(&mut self, text: &str) -> Vec<Cut> {
        let all = self.told.texts.find(text);
        let mut cuts = Vec::with_capacity(all.len());
        for (which, span) in all {
            let handle = self.told.handles.get(which).cloned();
            let stands = handle.as_deref().map_or(Stands::Secret, Stands::of);
            let handling = match stands {
                Stands::Secret => self.look.handlings.secrets.block,
                Stands::Personal => self.look.handlings.personal.block,
            };
            match stands {
                Stands::Secret => self.found.credential = true,
                Stands::Personal => self.found.personal = true,
            }
            let by = match handling {
                Handling::Tokenise if handle.is_some() => By::Handle(stands, stands.word()),
                Handling::Tokenise | Handling::Redact => By::Nothing(None),
                Handling::Mask => By::Mask(None),
                Handling::Off | Handling::Flag | Handling::Ask | Handling::Deny => continue,
            };
            cuts.push(Cut { span, by, handle });
        }
        cuts
    }
}
