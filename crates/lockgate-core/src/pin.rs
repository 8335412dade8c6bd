//! Phase *pin*: is what a server says of itself and of what it offers what was approved?
//!
//! Definitions are compared where they come by, in lists and in handshakes, and what was found is remembered, so that a
//! call costs a look into a table. What is withheld is left out of lists, and refused where it is called all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lockgate_audit::Happening;
use lockgate_model::{Finding, Json, Kind as JsonKind, Phase, Reason, ServerName, Splice, ToolName, Verdict};
use lockgate_policy::Subject;
use lockgate_provenance::shadow::Index;
use lockgate_provenance::{
    Digest, Held, Kind, Name, Pinning, Pins, Standing, digest, nameless, pinned, verdict,
};

use crate::record::Note;
use crate::{Boundary, Core, Outlet, Step, locate, names, suspect};

/// Most definitions of one server that are remembered in a session; what comes after is withheld.
const MOST: usize = 50_000;

/// Longest identity that others are held against. Bytes.
const IDENTITY: usize = 64 << 10;

/// Definitions that a server was heard to give, for the store to remember.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// The server.
    pub server: ServerName,
    /// How many people must approve what waits.
    pub approvers: u8,
    /// What it gave that is not approved, in its order. Never empty.
    pub seen: Vec<Seen>,
}

/// A definition that is not approved.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Which one.
    pub name: Name,
    /// Its digest.
    pub digest: Digest,
    /// Its digest without its name, by which it is known again when it is renamed.
    pub nameless: Option<Digest>,
    /// The definition in canonical form. Text of the server.
    pub definition: String,
    /// How it stands to what is approved.
    pub standing: Standing,
    /// Is it approved from now on? Else it waits for people.
    pub trust: bool,
    /// What is suspicious about it: codes of ours.
    pub why: Vec<&'static str>,
}

/// What one server was heard to say of itself in this session.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    heard: BTreeMap<Name, Heard>,
    /// Kinds of which the whole list was heard: what comes later is new.
    listed: BTreeSet<Kind>,
    /// How many of the list that is being heard are new.
    added: usize,
    /// What was in it so far.
    present: BTreeSet<Name>,
    /// What was written down to be gone.
    gone: BTreeSet<Name>,
    /// Tools of a list that was heard and is not read yet: others are held against them.
    pub(crate) announced: BTreeSet<String>,
    /// Is who it said it is, in another session, not approved?
    doubted: bool,
    /// Who the server says it is: its `serverInfo`.
    pub(crate) identity: Option<String>,
}

#[derive(Debug)]
struct Heard {
    digest: Digest,
    /// Was it trusted in this session, which the store may not know yet?
    trusted: bool,
    withheld: Option<Reason>,
    /// Is there an approval that would change that?
    waits: bool,
}

impl Definitions {
    /// Why this may not be used.
    fn withheld(&self, kind: Kind, name: &str) -> Option<Reason> {
        if self.heard.is_empty() && !self.doubted {
            return None;
        }
        match self.heard.get(&Name { kind, name: name.to_owned() }) {
            Some(heard) => heard.withheld,
            // It has not said here who it is; what it said elsewhere counts.
            None => (kind == Kind::Identity && self.doubted).then_some(Reason::ServerQuarantined),
        }
    }

    /// A list of this kind begins anew.
    fn begin(&mut self, kind: Kind) {
        self.present.retain(|name| name.kind != kind);
        if kind == Kind::Tool {
            self.added = 0;
            self.announced.clear();
        }
    }

    /// The names of its tools.
    pub(crate) fn tools(&self) -> impl Iterator<Item = &str> {
        let tools = self.heard.keys().filter(|name| name.kind == Kind::Tool);
        tools.map(|name| name.name.as_str()).chain(self.announced.iter().map(String::as_str))
    }

    /// The tool that would be offered under this name beside those of other servers, and is withheld.
    pub(crate) fn withheld_behind(&self, server: &ServerName, exposed: &str) -> Option<ToolName> {
        let all = self.withheld(Kind::Identity, "").is_some();
        let withheld = self
            .heard
            .iter()
            .filter(|(name, heard)| name.kind == Kind::Tool && (all || heard.withheld.is_some()));
        let mut tools = withheld.map(|(name, _)| ToolName::new(&name.name));
        tools.find(|tool| names::exposed_tool(server, tool) == exposed)
    }

    /// The operator's word is another one now: what is in lists is looked at again.
    pub(crate) fn forget_lists(&mut self) {
        self.heard.retain(|name, _| matches!(name.kind, Kind::Identity | Kind::Instructions));
        self.listed.clear();
    }

    /// Is it known, and withheld? Then it is not looked for again.
    pub(crate) fn withholds_tool(&self, tool: &str) -> bool {
        let all = self.withheld(Kind::Identity, "").is_some();
        let name = Name { kind: Kind::Tool, name: tool.to_owned() };
        self.heard.get(&name).is_some_and(|heard| all || heard.withheld.is_some())
    }
}

/// A definition on its way through, judged.
struct Judged {
    name: Name,
    digest: Digest,
    standing: Standing,
    known: bool,
}

impl Core {
    /// May the agent see these entries of a list? `further`: they are a later page of the list that is being heard.
    /// `last`: no page comes after them.
    pub(crate) fn admit(
        &mut self,
        server: &ServerName,
        kind: Kind,
        entries: &[Json<'_>],
        (further, last): (bool, bool),
    ) -> Vec<bool> {
        if !self.boundary.pins {
            return vec![true; entries.len()];
        }
        if !further {
            self.peer(server).definitions.begin(kind);
        }
        let quarantined =
            kind != Kind::Identity && self.peer(server).definitions.withheld(Kind::Identity, "").is_some();
        let judged: Vec<_> = entries.iter().map(|entry| self.judge(server, kind, *entry)).collect();
        let new = |judged: &&Judged| !judged.known && is_new(&judged.standing);
        let added = judged.iter().flatten().filter(new).count();
        let definitions = &mut self.peer(server).definitions;
        definitions.added += if kind == Kind::Tool { added } else { 0 };
        let added = definitions.added;
        let pinning = self.pinning(server).at_once(if kind == Kind::Tool { added } else { 0 });
        let suspect = |judged: &Judged| !judged.known && judged.standing != Standing::Approved;
        let offers = judged.iter().flatten().any(suspect).then(|| self.offers(server, kind, entries));
        let mut seen = Vec::new();
        let admitted = judged
            .into_iter()
            .zip(entries)
            .map(|(judged, entry)| {
                let admitted = judged.is_some_and(|judged| {
                    self.take_in(server, judged, *entry, (&pinning, offers.as_ref()), &mut seen)
                });
                admitted && (!quarantined || self.boundary.observes)
            })
            .collect();
        let present = entries.iter().filter_map(|entry| Name::of(kind, *entry));
        self.peer(server).definitions.present.extend(present);
        if last {
            self.note_removed(server, kind);
            self.peer(server).definitions.listed.insert(kind);
        }
        self.sight(server, &pinning, seen);
        admitted
    }

    /// A list of tools that will be read once others have come.
    pub(crate) fn announce(&mut self, server: &ServerName, method: &str, result: Json<'_>) {
        if method == "tools/list" && self.boundary.pins {
            let most = self.boundary.list_entries;
            let announced = &mut self.peer(server).definitions.announced;
            let tools = result.get("tools").into_iter().flat_map(Json::elements);
            let names = tools.filter_map(|tool| tool.get("name")?.text());
            announced.extend(names.take(most).map(std::borrow::Cow::into_owned));
        }
    }

    /// The same for what a server has only one of.
    fn admit_one(&mut self, server: &ServerName, kind: Kind, definition: Json<'_>) -> bool {
        self.admit(server, kind, &[definition], (false, true)) == [true]
    }

    /// Who the server says it is, in an answer to a handshake or, in the stateless era, beside any list. True where that is
    /// approved, or it does not say.
    pub(crate) fn admit_identity(&mut self, server: &ServerName, result: Json<'_>) -> bool {
        let identity = result.get("serverInfo").or_else(|| {
            let meta = result.get("_meta")?;
            meta.get("io.modelcontextprotocol/serverInfo")
        });
        let identity = identity.filter(|identity| identity.kind() == JsonKind::Object);
        if let Some(identity) = identity.filter(|identity| identity.raw().len() <= IDENTITY) {
            let text = identity.written().to_owned();
            self.peer(server).definitions.identity = Some(text);
        }
        identity.is_none_or(|identity| self.admit_one(server, Kind::Identity, identity))
    }

    /// Who the server says it is, and what it tells the model about itself, in an answer to a handshake: text that is not
    /// approved does not reach the agent.
    pub(crate) fn admit_greeting(&mut self, server: &ServerName, result: Json<'_>, splice: &mut Splice<'_>) {
        let identified = self.admit_identity(server, result);
        let instructions = result.get("instructions").filter(|text| text.text().is_some());
        if let Some(instructions) = instructions {
            let admitted = self.admit_one(server, Kind::Instructions, instructions);
            let stripped =
                self.boundary.servers.get(server).is_some_and(|server| server.detect.strips_instructions);
            if stripped || !(self.boundary.observes || admitted && identified) {
                splice.replace(instructions, "\"\"");
            }
        }
    }

    /// How a definition stands. None where it has no name that it could be known by.
    fn judge(&self, server: &ServerName, kind: Kind, definition: Json<'_>) -> Option<Judged> {
        let name = Name::of(kind, definition)?;
        let digest = digest(kind, definition);
        let definitions = self.peers.get(server).map(|peer| &peer.definitions);
        let heard = definitions.and_then(|definitions| definitions.heard.get(&name));
        let signed = self.signed(server).and_then(|signed| signed.definitions.get(&name));
        let standing = if signed == Some(&digest) {
            Standing::Approved
        } else {
            self.pins.standing(server, &name, digest, Some(definition))
        };
        let standing = match (standing, heard) {
            // What the session trusted and the store may not have brought back yet.
            (Standing::First | Standing::Added | Standing::Renamed { .. }, Some(heard)) if heard.trusted => {
                if heard.digest == digest {
                    Standing::Approved
                } else {
                    Standing::Changed
                }
            }
            (Standing::First, _) if definitions.is_some_and(|all| all.listed.contains(&kind)) => {
                Standing::Added
            }
            (standing, _) => standing,
        };
        let known = heard.is_some_and(|heard| heard.digest == digest);
        Some(Judged { name, digest, standing, known })
    }

    /// Remembers what becomes of a definition. True where the agent may see it.
    fn take_in(
        &mut self,
        server: &ServerName,
        judged: Judged,
        definition: Json<'_>,
        (pinning, offers): (&Pinning, Option<&Index>),
        seen: &mut Vec<Seen>,
    ) -> bool {
        let Judged { name, digest, standing, known } = judged;
        let before = self.peer(server).definitions.heard.get(&name).map(|heard| heard.withheld);
        if known
            && standing != Standing::Approved
            && let Some(withheld) = before
        {
            return withheld.is_none() || self.boundary.observes;
        }
        let unsigned =
            standing != Standing::Approved && self.signed(server).is_some_and(|signed| signed.required);
        let locked = self.pins.is_locked(server);
        let mut held = verdict(name.kind, &standing, pinning, locked);
        let mut why = Vec::new();
        if unsigned {
            held = Some(Held { reason: Reason::UnsignedDefinition, waits: false });
        } else if standing != Standing::Approved {
            let own = self.boundary.servers.get(server);
            let rules = own.and_then(|server| server.detect.rules.0.as_deref());
            let found =
                offers.map(|offers| suspect::suspicions(offers, rules, server, name.kind, definition));
            let found = found.unwrap_or_default();
            let grave = found.iter().any(|suspicion| suspicion.severe);
            why = found.iter().map(|suspicion| suspicion.code.word()).collect();
            why.sort_unstable();
            why.dedup();
            let waits = self.pins.waits(server, &name);
            if (grave || waits) && held.is_none() {
                held = Some(Held { reason: unapproved(name.kind), waits: true });
            }
        }
        let held = held.map(|held| match name.kind {
            Kind::Identity => Held { reason: Reason::ServerQuarantined, ..held },
            Kind::Tool | Kind::Prompt | Kind::Resource | Kind::Template | Kind::Instructions => held,
        });
        let definitions = &self.peer(server).definitions;
        let full = definitions.heard.len() >= MOST && !definitions.heard.contains_key(&name);
        let trusted = held.is_none() && standing != Standing::Approved;
        let waits = held.is_some_and(|held| held.waits);
        if !known && standing != Standing::Approved && (waits || trusted) && !full {
            seen.push(Seen {
                name: name.clone(),
                digest,
                nameless: nameless(name.kind, definition),
                definition: pinned(name.kind, definition),
                standing: standing.clone(),
                trust: trusted,
                why: why.clone(),
            });
        }
        if let Some(held) = held.filter(|_| !known) {
            self.note_withheld(server, &name, &standing, held.reason, &why);
        }
        let withheld = held.map(|held| held.reason);
        if !full {
            let kept = self.peer(server).definitions.heard.get(&name);
            let trusted = trusted || kept.is_some_and(|kept| kept.trusted && kept.digest == digest);
            let heard = Heard { digest, trusted, withheld, waits };
            self.peer(server).definitions.heard.insert(name, heard);
        }
        (withheld.is_none() && !full) || self.boundary.observes
    }

    fn pinning(&self, server: &ServerName) -> Pinning {
        let trust = self.boundary.trust(server);
        self.boundary.servers.get(server).map_or_else(|| Pinning::of(trust.tier), |server| server.pinning)
    }

    fn signed(&self, server: &ServerName) -> Option<&crate::Signed> {
        self.boundary.servers.get(server)?.signed.as_deref()
    }

    /// Is the definition of a tool, as it was last heard, among those that the server's maker has signed?
    pub(crate) fn is_signed(&self, server: &ServerName, tool: &ToolName) -> bool {
        let name = Name { kind: Kind::Tool, name: tool.as_str().to_owned() };
        let heard = self.peers.get(server).and_then(|peer| peer.definitions.heard.get(&name));
        let signed = self.signed(server).and_then(|signed| signed.definitions.get(&name));
        heard.is_some_and(|heard| signed == Some(&heard.digest))
    }

    fn sight(&mut self, server: &ServerName, pinning: &Pinning, seen: Vec<Seen>) {
        if !seen.is_empty() {
            let sighting = Sighting { server: server.clone(), approvers: pinning.approvers, seen };
            self.aside.push(Step::Sight(Box::new(sighting)));
        }
    }

    /// Writes down what is approved and was not in the list, once. Nothing is to be done about it: it cannot be called.
    fn note_removed(&mut self, server: &ServerName, kind: Kind) {
        let peer = self.peers.entry(server.clone()).or_default();
        let definitions = &mut peer.definitions;
        let present: BTreeSet<Name> =
            definitions.present.iter().filter(|name| name.kind == kind).cloned().collect();
        definitions.present.retain(|name| name.kind != kind);
        if !self.boundary.makes_records() || !matches!(kind, Kind::Tool | Kind::Prompt | Kind::Template) {
            return;
        }
        let approved = self.pins.of(server, kind).map(|name| Name { kind, name: name.to_owned() });
        let gone: Vec<Name> =
            approved.filter(|name| !present.contains(name) && !definitions.gone.contains(name)).collect();
        definitions.gone.retain(|name| !present.contains(name));
        definitions.gone.extend(gone.iter().cloned());
        let mut steps = Vec::new();
        for name in gone {
            let note = Note::happening(Happening::Definition);
            self.note(
                note.target(Some(server), Some(&shown(&name))).notes(["removed"].into_iter()),
                &mut steps,
            );
        }
        self.aside.append(&mut steps);
    }

    fn note_withheld(
        &mut self,
        server: &ServerName,
        name: &Name,
        standing: &Standing,
        reason: Reason,
        why: &[&'static str],
    ) {
        let shown = shown(name);
        let finding = Finding::deny(Phase::Pin, reason, rule(standing));
        let mut steps = Vec::new();
        let note = Note::happening(Happening::Definition)
            .target(Some(server), Some(&shown))
            .notes([standing.word()].into_iter().chain(why.iter().copied()));
        let note = if self.boundary.observes {
            note.observed(Some(finding))
        } else {
            note.finding(finding, Verdict::Deny)
        };
        self.note(note, &mut steps);
        self.aside.append(&mut steps);
    }

    /// What is approved has changed, or cannot be read any more. What waited for that is offered from now on: its list must
    /// be read again, and the agent is told so.
    pub(crate) fn repinned(&mut self, pins: Option<Arc<Pins>>, steps: &mut Vec<Step>) {
        self.pins_unavailable = pins.is_none();
        let Some(pins) = pins else { return };
        self.pins = pins;
        for server in self.servers() {
            let doubted = self.pins.is_doubted(&server);
            if doubted || self.peers.contains_key(&server) {
                let peer = self.peer(&server);
                if std::mem::replace(&mut peer.definitions.doubted, doubted) && !doubted {
                    peer.catalogue.outdate();
                }
            }
        }
        let mut changed = BTreeSet::new();
        let pins = Arc::clone(&self.pins);
        for (server, peer) in &mut self.peers {
            for (name, heard) in &mut peer.definitions.heard {
                let standing = pins.standing(server, name, heard.digest, None);
                // What was trusted here, and was not by who was asked before.
                let unasked = heard.trusted && standing != Standing::Approved && pins.waits(server, name);
                match (standing, heard.withheld) {
                    (_, None) if unasked => {
                        heard.withheld = Some(unapproved(name.kind));
                        (heard.trusted, heard.waits) = (false, true);
                    }
                    (Standing::Approved, Some(_)) if heard.waits => {
                        (heard.withheld, heard.trusted) = (None, false);
                        peer.catalogue.outdate();
                        changed.insert((server.clone(), name.kind));
                    }
                    (Standing::Changed, None) if name.kind == Kind::Tool => {
                        heard.withheld = Some(Reason::DefinitionDrift);
                        (heard.trusted, heard.waits) = (false, true);
                    }
                    (Standing::Changed | Standing::Refused, None) => {
                        heard.withheld = Some(unapproved(name.kind));
                        (heard.trusted, heard.waits) = (false, true);
                    }
                    _ => {}
                }
            }
        }
        for method in changed.into_iter().filter_map(|(_, kind)| list_changed(kind)).collect::<BTreeSet<_>>()
        {
            self.tell_changed(method, steps);
        }
    }

    /// The operator may want definitions of a server to be taken otherwise now: its lists must be read again.
    pub(crate) fn take_otherwise(&mut self, before: &Boundary) {
        for (server, peer) in &mut self.peers {
            let taken = |boundary: &Boundary| {
                let server = boundary.servers.get(server);
                server.map(|server| (server.pinning, server.signed.clone(), server.trust.tier))
            };
            if taken(before) != taken(&self.boundary) {
                peer.definitions.forget_lists();
                peer.catalogue.outdate();
            }
        }
    }

    /// Is this what the session knows to be approved?
    pub fn knows_pins(&self, pins: Option<&Arc<Pins>>) -> bool {
        match pins {
            Some(pins) => !self.pins_unavailable && Arc::ptr_eq(pins, &self.pins),
            None => self.pins_unavailable,
        }
    }

    /// In the stateless era an agent asks by itself: lists say that they may not be kept.
    fn tell_changed(&self, method: &str, steps: &mut Vec<Step>) {
        if self.agent.revision.is_some_and(|revision| revision.era() == lockgate_model::Era::Legacy) {
            let text = format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\"}}");
            steps.push(Self::tell(Outlet::Standing, bytes::Bytes::from(text)));
        }
    }

    /// Why a request may not be sent, by what is approved of its server and of what it names.
    pub(crate) fn withheld(&self, server: &ServerName, subject: Option<(Subject, &str)>) -> Option<Finding> {
        if !self.boundary.pins {
            return None;
        }
        if self.pins_unavailable {
            return Some(Finding::deny(Phase::Pin, Reason::PinsUnavailable, "pins"));
        }
        let definitions = &self.peers.get(server)?.definitions;
        let of = |kind: Kind, name: &str| definitions.withheld(kind, name);
        let reason = of(Kind::Identity, "").or_else(|| match subject? {
            (Subject::Tool, name) => of(Kind::Tool, name),
            (Subject::Prompt, name) => of(Kind::Prompt, name),
            (Subject::Resource, name) => of(Kind::Resource, name).or_else(|| of(Kind::Template, name)),
        })?;
        Some(Finding::deny(Phase::Pin, reason, "pins"))
    }
}

/// A name in a form that is safe to print.
fn shown(name: &Name) -> String {
    match name.kind {
        Kind::Instructions | Kind::Identity => name.kind.word().to_owned(),
        Kind::Resource | Kind::Template => locate::shown(&name.name, Some(Subject::Resource)),
        Kind::Tool | Kind::Prompt => locate::shown(&name.name, Some(Subject::Tool)),
    }
}

/// Why what nobody has approved is withheld.
fn unapproved(kind: Kind) -> Reason {
    match kind {
        Kind::Tool => Reason::ToolQuarantined,
        Kind::Identity => Reason::ServerQuarantined,
        Kind::Prompt | Kind::Resource | Kind::Template | Kind::Instructions => Reason::DefinitionQuarantined,
    }
}

fn is_new(standing: &Standing) -> bool {
    matches!(standing, Standing::Added | Standing::Renamed { .. })
}

/// The rule of the configuration that decides.
fn rule(standing: &Standing) -> &'static str {
    match standing {
        Standing::First => "pins.first_sight",
        Standing::Added | Standing::Renamed { .. } => "pins.added",
        Standing::Changed => "pins.drift",
        Standing::Approved | Standing::Refused => "pins",
    }
}

/// What tells an agent that a list is another one.
fn list_changed(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Tool => Some("notifications/tools/list_changed"),
        Kind::Prompt => Some("notifications/prompts/list_changed"),
        Kind::Resource | Kind::Template => Some("notifications/resources/list_changed"),
        Kind::Instructions | Kind::Identity => None,
    }
}
