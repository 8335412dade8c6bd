//! One definition, held against everything.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use lockgate_detect::injection::rules::{Listener, Names, Rule};
use lockgate_model::{Json, Kind, ServerName, Tier, Untrusted, Visit};

use super::code::{Code, Weight};
use super::index::{Index, Seen, Tool};
use super::name::{Name, is_disguised, is_slip};
use super::{behaviour, hidden, identity};

/// Most findings of one code that are kept of a definition.
const KEPT: usize = 4;
/// Longest name in a place that is shown as it is. Bytes.
const SHOWN: usize = 64;

/// Something suspicious about a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspicion {
    /// What it is.
    pub code: Code,
    /// Where: a JSON pointer into the definition. A name in it that is not plain stands as `#` and the member's number, from
    /// 0, so that the place carries no text of the server.
    pub place: String,
    /// Which bytes of the text at that place, unescaped; of a finding about a name, of the name.
    pub span: Range<usize>,
    /// The other server that it concerns.
    pub other: Option<ServerName>,
    /// Is it grave enough to hold the definition for approval? Else it is only told.
    pub severe: bool,
    /// What hidden characters say.
    pub decoded: Option<Untrusted<String>>,
}

/// For reports and records: has no text of the server but plain names.
impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.code.word(), if self.place.is_empty() { "/" } else { &self.place })?;
        self.other.as_ref().map_or(Ok(()), |other| write!(f, ", about server {other}"))
    }
}

impl Index {
    /// What is suspicious about a tool's definition. A server that is not in the index is quarantined and of unknown maker.
    /// The other tools of the same list should be in the index: a text may speak of them.
    pub fn tool(&self, server: &ServerName, definition: Json<'_>) -> Vec<Suspicion> {
        let mut judge = Judge::new(self, server);
        if let Some(name) = definition.get("name").and_then(Json::text) {
            judge.name(&name, definition);
        }
        judge.walk(definition);
        judge.finish()
    }

    /// What is suspicious about a prompt, a resource or a template: its texts, and a name in disguise.
    pub fn offer(&self, server: &ServerName, definition: Json<'_>) -> Vec<Suspicion> {
        let mut judge = Judge::new(self, server);
        let name = definition.get("name").and_then(Json::text);
        if let Some(name) = name.filter(|name| is_disguised(name)) {
            judge.add(Code::DisguisedName, "/name", 0..name.len(), None);
        }
        judge.walk(definition);
        judge.finish()
    }

    /// What is suspicious about a server's `instructions`, a string.
    pub fn instructions(&self, server: &ServerName, instructions: Json<'_>) -> Vec<Suspicion> {
        let mut judge = Judge::new(self, server);
        judge.walk(instructions);
        judge.finish()
    }

    /// What is suspicious about what a server says of itself (`serverInfo`).
    pub fn identity(&self, server: &ServerName, identity: Json<'_>) -> Vec<Suspicion> {
        let mut judge = Judge::new(self, server);
        for borrowed in identity::judge(self, judge.seen.own, identity) {
            let length = identity.get(borrowed.member).and_then(Json::text).map_or(0, |text| text.len());
            let severe = borrowed.outranked || borrowed.code.weight() == Weight::Certain;
            judge.ranked(borrowed.code, &format!("/{}", borrowed.member), 0..length, borrowed.other, severe);
        }
        judge.walk(identity);
        judge.finish()
    }
}

struct Judge<'i> {
    seen: Seen<'i>,
    tier: Tier,
    listener: Listener,
    parameters: Names,
    found: Vec<Suspicion>,
}

impl<'i> Judge<'i> {
    fn new(index: &'i Index, server: &ServerName) -> Self {
        let own = index.server(server);
        let tier = own.and_then(|own| index.known(own)).map_or(Tier::Quarantined, |known| known.tier);
        let seen = Seen { index, own };
        let (listener, parameters) = (Listener::default(), Names::default());
        Self { seen, tier, listener, parameters, found: Vec::new() }
    }

    fn name(&mut self, text: &str, definition: Json<'_>) {
        let all = 0..text.len();
        let name = Name::of(text);
        let index = self.seen.index;
        let own = self.seen.own;
        let foreign = |tool: &&Tool| index.is_foreign(own, tool.server);
        if is_disguised(text) {
            self.add(Code::DisguisedName, "/name", all.clone(), None);
        }
        let shell = |shape: &str| index.shaped(shape).any(|tool| tool.runs && tool.name != text);
        if let Some(code) = behaviour::judge(&name, definition, &shell) {
            self.add(code, "/name", all.clone(), None);
        }
        let mut looks = name.looks.iter().flat_map(|look| index.look(look));
        let disguised = is_disguised(text);
        let tier_of = |tool: &Tool| index.known(tool.server).map_or(Tier::Quarantined, |known| known.tier);
        // Who is copied is not to blame: nobody may take a tool of one that is trusted more out of use by looking like it.
        let copies = |tool: &Tool| disguised || !(is_disguised(&tool.name) || tier_of(tool) < self.tier);
        if let Some(alike) = looks.find(|tool| tool.folded != name.folded && copies(tool)) {
            return self.add(Code::LookalikeName, "/name", all, Some(alike.server));
        }
        let same = index.folded(&name.folded).find(foreign);
        let swapped = index.ordered(&name.ordered).filter(foreign).find(|tool| tool.folded != name.folded);
        let near =
            index.near(&name.folded).filter(foreign).filter(|tool| is_slip(&tool.folded, &name.folded));
        let near = near.min_by_key(|tool| tool.server);
        let ranked = [(Code::SameName, same), (Code::SwappedName, swapped), (Code::NearName, near)];
        for (code, tool) in ranked {
            let Some(tool) = tool else { continue };
            let tier = index.known(tool.server).map_or(Tier::Quarantined, |known| known.tier);
            if tier >= self.tier {
                let severe = tier > self.tier && name.is_telling();
                self.ranked(code, "/name", all.clone(), Some(tool.server), severe);
            }
        }
    }

    /// Judges every string and every name in it.
    fn walk(&mut self, definition: Json<'_>) {
        let mut place = Place::default();
        definition.walk(&mut |visit| {
            match visit {
                Visit::Enter(inside) => place.enter(inside.kind()),
                Visit::Leave => place.leave(),
                Visit::Name(key) => {
                    let name = key.text();
                    place.name(&name);
                    self.key(&name, &place);
                }
                Visit::Value(value) => {
                    if let Some(said) = value.text().filter(|said| !place.is_own_name() || !is_plain(said)) {
                        self.text(&said, &place);
                    }
                    place.value();
                }
            }
            true
        });
    }

    fn text(&mut self, said: &str, place: &Place) {
        hidden::find(said, &mut |code, span, decoded| {
            if let Some(suspicion) =
                room(&mut self.found, self.seen.index, code, || place.pointer(), span, None)
            {
                suspicion.decoded = decoded.map(Untrusted::new);
            }
        });
        let Self { listener, seen, found: all, .. } = self;
        listener.judge(said, seen, &mut |found| {
            if let Some(code) = code(found.rule) {
                room(all, seen.index, code, || place.pointer(), found.span, found.other);
            }
        });
    }

    fn key(&mut self, name: &str, place: &Place) {
        if place.is_parameter() {
            let Self { parameters, seen, found: all, .. } = self;
            parameters.judge(name, &mut |rule| {
                if let Some(code) = code(rule) {
                    room(all, seen.index, code, || place.pointer(), 0..name.len(), None);
                }
            });
        }
        if !is_plain(name) {
            self.text(name, place);
        }
    }

    fn add(&mut self, code: Code, place: &str, span: Range<usize>, other: Option<usize>) {
        room(&mut self.found, self.seen.index, code, || place.to_owned(), span, other);
    }

    fn ranked(&mut self, code: Code, place: &str, span: Range<usize>, other: Option<usize>, severe: bool) {
        if let Some(suspicion) =
            room(&mut self.found, self.seen.index, code, || place.to_owned(), span, other)
        {
            suspicion.severe = severe;
        }
    }

    fn finish(mut self) -> Vec<Suspicion> {
        let commanded = self.found.iter().any(|found| found.code == Code::CommandsOtherTool);
        self.found.retain(|found| !(commanded && found.code == Code::MentionsOtherTool));
        let disguised = self.found.iter().any(|found| found.code == Code::DisguisedName);
        self.found
            .retain(|found| !(disguised && found.code == Code::DisguisedWord && found.place == "/name"));
        let is_sign = |found: &Suspicion| found.code.weight() == Weight::Sign;
        let mut signs: Vec<Code> =
            self.found.iter().filter(|found| is_sign(found)).map(|found| found.code).collect();
        signs.sort_unstable();
        signs.dedup();
        if signs.len() > 1 {
            self.found.iter_mut().filter(|found| is_sign(found)).for_each(|found| found.severe = true);
        }
        self.found
    }
}

/// The code of a rule. Rules that are about other texts than definitions have none.
fn code(rule: &Rule) -> Option<Code> {
    Code::ALL.iter().find(|code| code.word() == rule.name).copied()
}

/// Keeps a finding, unless there are enough of its code.
fn room<'f>(
    all: &'f mut Vec<Suspicion>,
    index: &Index,
    code: Code,
    place: impl FnOnce() -> String,
    span: Range<usize>,
    other: Option<usize>,
) -> Option<&'f mut Suspicion> {
    if all.iter().filter(|found| found.code == code).count() >= KEPT {
        return None;
    }
    let other = other.and_then(|other| index.known(other)).map(|known| known.name.clone());
    let severe = code.weight() == Weight::Certain;
    all.push(Suspicion { code, place: place(), span, other, severe, decoded: None });
    all.last_mut()
}

/// A name that is short and plain says nothing but itself.
fn is_plain(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'$');
    name.len() <= SHOWN && name.bytes().all(plain)
}

/// Where in a definition a walk has come to.
#[derive(Default)]
pub(super) struct Place {
    /// For each open object or array: is it an array, the number of the member or element, and its name.
    open: Vec<(bool, usize, String)>,
}

impl Place {
    pub(super) fn enter(&mut self, kind: Kind) {
        self.open.push((kind == Kind::Array, 0, String::new()));
    }

    pub(super) fn leave(&mut self) {
        self.open.pop();
        self.value();
    }

    pub(super) fn name(&mut self, name: &str) {
        if let Some((_, _, own)) = self.open.last_mut() {
            name.clone_into(own);
        }
    }

    /// An element of an array, or the value of a member, has ended.
    pub(super) fn value(&mut self) {
        if let Some((_, number, _)) = self.open.last_mut() {
            *number += 1;
        }
    }

    /// Is the member the name of what is defined?
    fn is_own_name(&self) -> bool {
        matches!(self.open.as_slice(), [(false, _, name)] if name == "name")
    }

    /// Is the member's name that of a parameter, in whatever schema?
    fn is_parameter(&self) -> bool {
        let [.., (_, _, outer), (false, _, _)] = self.open.as_slice() else { return false };
        outer == "properties"
    }

    pub(super) fn pointer(&self) -> String {
        let mut out = String::new();
        for (array, number, name) in &self.open {
            let name: Cow<'_, str> = match (array, Untrusted::new(name.as_str()).plain(SHOWN)) {
                (true, _) => number.to_string().into(),
                (false, Some(name)) => name.replace('/', "~1").into(),
                (false, None) if name == "$defs" => "$defs".into(),
                (false, None) => format!("#{number}").into(),
            };
            out.push('/');
            out.push_str(&name);
        }
        out
    }
}
