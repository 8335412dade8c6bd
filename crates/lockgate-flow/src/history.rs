//! What one session has read, from whom, and what its user has said.

use std::collections::{BTreeMap, BTreeSet};

use lockgate_model::{Confidentiality, Integrity, Json, Label, Secrecy, ServerName, Texts, Tick, Tier};

use crate::index::{Capacity, Index, Origin, Origins, Source, Way};
use crate::judge::Call;
use crate::leaf::leaves;
use crate::links::links;
use crate::result::{Piece, pieces};
use crate::role::Role;
use crate::text::plain;
use crate::words::Words;

/// Most servers that are told apart in one session; the rest count as one that nobody trusts.
const MOST_ORIGINS: usize = Origin::MOST as usize;
/// Most approved values that are remembered; then the one that ends first is forgotten.
const MOST_APPROVED: usize = 256;
/// Most values that were approved for every session.
const MOST_LEARNED: usize = 10_000;
/// Most documents of which it is kept that the user named them.
const MOST_NAMED: usize = 1_000;
/// Most bytes of the user's words that are kept; then the oldest are forgotten, and endorse no more.
const MOST_WORDS: usize = 256 << 10;

/// How far a server is trusted, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// Its tier.
    pub tier: Tier,
    /// How confidential what it returns is.
    pub secrecy: Secrecy,
    /// How confidential what is sent to it may be.
    pub clearance: Secrecy,
}

impl Trust {
    /// What a tier says where the operator says nothing more.
    pub fn of(tier: Tier) -> Self {
        Self {
            tier,
            secrecy: Secrecy::level(tier.confidentiality()),
            clearance: Secrecy::level(tier.clearance()),
        }
    }
}

/// Something a server said.
#[derive(Clone, Copy, Debug)]
pub struct Speech<'s> {
    /// The server.
    pub server: &'s ServerName,
    /// How far it is trusted.
    pub trust: &'s Trust,
    /// The number of the exchange that brought it, for explanations; 0 for what it says of itself: the definitions of its
    /// tools, its instructions. These taint nothing, and to itself they are its own.
    pub event: u32,
    /// Is it a document: text that somebody wrote, whatever it looks like?
    pub document: bool,
    /// The arguments of the call it answers: what only comes back is no news.
    pub echo: Option<Json<'s>>,
}

/// What is known of one value at the moment it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grade {
    /// How much it may decide; none where it was never seen.
    pub integrity: Option<Integrity>,
    /// Where it was seen first: the server and the exchange.
    pub first: Option<(ServerName, u32)>,
    /// All servers that it was seen from.
    pub origins: Origins,
    /// Was it found only after it was decoded, turned round or put together?
    pub disguised: bool,
}

/// The memory of one session. Never shared between two.
#[derive(Debug)]
pub struct History {
    label: Label,
    origins: Vec<(ServerName, Trust)>,
    index: Option<Box<Index>>,
    key: [u8; 16],
    words: Words,
    hears_user: bool,
    approved: Vec<(String, Tick)>,
    /// The same for every session of the principal.
    learned: BTreeMap<String, Tick>,
    /// The exchanges that brought what the user had named: a file, a page.
    named: BTreeSet<u32>,
}

impl History {
    /// Nothing read and nothing said. `key`: random, one for each process or session, so that nobody can choose text that
    /// collides.
    pub fn new(key: [u8; 16]) -> Self {
        Self {
            label: Label::clean(),
            origins: Vec::new(),
            index: None,
            key,
            words: Words::new(MOST_WORDS),
            hears_user: false,
            approved: Vec::new(),
            learned: BTreeMap::new(),
            named: BTreeSet::new(),
        }
    }

    /// What the session has read.
    pub fn label(&self) -> &Label {
        &self.label
    }

    /// May what was read hold instructions of somebody outside?
    pub fn is_tainted(&self) -> bool {
        self.label.integrity() == Integrity::FreeText
    }

    /// The same, of somebody but this server?
    pub fn is_tainted_by_others(&self, server: &ServerName) -> bool {
        self.is_tainted()
            && self.origins.iter().any(|(origin, trust)| {
                origin != server
                    && trust.tier.prose() == Integrity::FreeText
                    && self.label.origins().any(|read| read == origin)
            })
    }

    /// Is everything known that the user said? Then what was never seen is held against a call.
    pub fn hears_user(&self) -> bool {
        self.hears_user
    }

    /// Can anything stand against a call? Not before something was read.
    pub fn may_object(&self) -> bool {
        self.index.is_some() || self.is_tainted()
    }

    /// Memory held, in bytes.
    pub fn bytes(&self) -> usize {
        self.index.as_ref().map_or(0, |index| index.bytes())
    }

    /// Reads what a server said. O(length).
    pub fn read(&mut self, said: &Speech<'_>, text: Json<'_>) {
        self.read_with(said, text, Texts::none());
    }

    /// The same of something some of whose texts are known.
    pub fn read_with<'t>(&mut self, said: &Speech<'_>, text: Json<'t>, texts: &'t Texts<'t>) {
        let mut trust = said.trust.clone();
        if said.echo.is_some_and(|echo| crate::judge::opens_credentials(echo)) {
            trust.secrecy.level = Confidentiality::Secret;
        }
        let Trust { tier, secrecy, .. } = &trust;
        let source = Source { origin: self.origin(said.server, &trust), event: said.event };
        let echoed = said.echo.map_or_else(BTreeSet::new, values);
        if said.document
            && self.named.len() < MOST_NAMED
            && echoed.iter().any(|value| self.names_source(value))
        {
            self.named.insert(said.event);
        }
        let index = self.index.get_or_insert_with(|| Box::new(Index::new(self.key, Capacity::default())));
        let mut lowest = tier.record().max(Integrity::ForeignRecord);
        if *tier < Tier::Internal {
            // A record of eight words can be an order too.
            lowest = Integrity::FreeText;
        }
        let mut found = false;
        pieces(text, texts, said.document, &mut |piece| {
            found |= !matches!(piece, Piece::About(_));
            match piece {
                Piece::About(value) => index.prose(source, value),
                Piece::Record(value) if *tier == Tier::Quarantined => {
                    lowest = Integrity::FreeText;
                    index.prose(source, value);
                }
                Piece::Record(value) if echoed.contains(value) => {}
                Piece::Record(value) => index.record(source, value),
                Piece::Prose(value) => {
                    lowest = lowest.min(tier.prose());
                    index.prose(source, value);
                }
            }
        });
        if found && said.event > 0 {
            self.label.absorb(said.server, lowest, secrecy);
        }
    }

    /// Begins where an earlier session of the same agent ended, of which only the label is known: what cannot be attributed
    /// may come from there.
    pub fn restore(&mut self, label: &Label, trust: impl Fn(&ServerName) -> Trust) {
        self.label = self.label.join(label);
        for server in label.origins() {
            let origin = self.origin(server, &trust(server));
            let index = self.index.get_or_insert_with(|| Box::new(Index::new(self.key, Capacity::default())));
            index.saturate(origin);
        }
    }

    /// A server has said something that is not looked into.
    pub fn hear(&mut self, server: &ServerName, trust: &Trust) {
        self.label.absorb(server, trust.tier.prose(), &trust.secrecy);
    }

    /// The user has said this, among other things that are not known.
    pub fn know(&mut self, words: &str) {
        self.words.say(words);
    }

    /// The user has filled this in where a server asked. What servers have said before, in their question too, does not
    /// become the user's own by being accepted, nor by standing in a sentence of theirs.
    pub fn know_answer(&mut self, words: &str) {
        let telling = |word: &&str| word.len() >= 4 && word.contains(|c: char| !c.is_alphabetic());
        let bare = |word| str::trim_matches(word, |c: char| !c.is_alphanumeric());
        let mut parts = words.split_whitespace().map(bare).filter(telling);
        if !self.has_seen(words) && !parts.any(|part| self.has_seen(part)) {
            self.know(words);
        }
    }

    /// The user has said this, and whatever else they say is told as well.
    pub fn hear_user(&mut self, turn: &str) {
        self.hears_user = true;
        self.words.say(turn);
    }

    /// A person has approved this value for every session of the principal, until then.
    pub fn learn(&mut self, value: &str, until: Tick) {
        if self.learned.len() < MOST_LEARNED {
            self.learned.insert(plain(value).into_owned(), until);
        }
    }

    /// What was approved for every session does not count any more.
    pub fn unlearn(&mut self) {
        self.learned.clear();
    }

    /// A person has approved this value, until then.
    pub fn approve(&mut self, value: &str, until: Tick) {
        let value = plain(value).into_owned();
        self.approved.retain(|(known, _)| *known != value);
        if self.approved.len() >= MOST_APPROVED
            && let Some(first) =
                (0..self.approved.len()).min_by_key(|at| self.approved.get(*at).map(|(_, until)| *until))
        {
            self.approved.swap_remove(first);
        }
        self.approved.push((value, until));
    }

    /// A person has approved this call: the places and objects in it, and the links in what it sends, until then.
    pub fn approve_call(&mut self, call: &Call<'_>, until: Tick) {
        let Some(arguments) = call.arguments else { return };
        leaves(arguments, &mut |leaf| {
            let (role, _) = crate::judge::role(call, leaf);
            if role.has_authority() || crate::role::is_path(leaf.name()) {
                self.approve(&leaf.text, until);
            } else if role == Role::Payload {
                links(&leaf.text).into_iter().take(MOST_APPROVED).for_each(|link| self.approve(link, until));
            }
        });
    }

    /// What is known of a value that is about to be used on a server. O(length of the value + what is remembered).
    pub fn grade(&self, value: &str, server: &ServerName, now: Tick) -> Grade {
        let mut grade = Grade { integrity: None, first: None, origins: Origins::NONE, disguised: false };
        if self.words.says(value) || self.is_approved(value, now) {
            grade.integrity = Some(Integrity::Endorsed);
        }
        let Some(index) = &self.index else { return grade };
        let found = index.find(value);
        grade.first = found.first.and_then(|source| self.name(source));
        grade.origins = found.records;
        for origin in found.records.iter() {
            let Some((listed_by, trust)) = self.origins.get(usize::from(origin.number())) else { continue };
            let own = if listed_by == server { Integrity::OwnRecord } else { Integrity::FreeText };
            grade.raise(trust.tier.record().max(own));
        }
        for sighting in [found.prose, found.fields].into_iter().flatten() {
            grade.origins.insert(sighting.source.origin);
            grade.disguised = grade.integrity.is_none() && !is_plain(sighting.way);
            let told_by = self.origins.get(usize::from(sighting.source.origin.number()));
            grade.raise(told_by.map_or(Integrity::FreeText, |(_, trust)| trust.tier.prose()));
            // What a server says of itself; or the user named `project`, and the server speaks of `somebody/project`.
            if told_by.is_some_and(|(told_by, _)| told_by == server)
                && (sighting.source.event == 0 || self.says_last(value))
            {
                grade.raise(Integrity::OwnRecord);
            }
        }
        if grade.integrity.is_none() && !found.saturated.is_empty() {
            grade.origins = found.saturated;
            grade.raise(Integrity::FreeText);
        }
        grade
    }

    /// Has this server listed the value as one of its own?
    pub fn lists(&self, server: &ServerName, value: &str) -> bool {
        let Some(index) = &self.index else { return false };
        let by = |origin: Origin| self.origins.get(usize::from(origin.number()));
        index.listed(value).iter().filter_map(by).any(|(listed_by, _)| listed_by == server)
    }

    /// Has the user said it, or a person approved it?
    pub fn endorses(&self, value: &str, now: Tick) -> bool {
        self.words.says(value) || self.is_approved(value, now)
    }

    /// Has the user named the site that this address is on, and not only another page of it?
    pub fn says_host(&self, address: &str) -> bool {
        let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        host.contains('.') && !host.contains('@') && self.words.says(host)
    }

    /// Has the user spoken of what this object is? The server that listed it has put something beside it that they said.
    pub fn speaks_of(&self, value: &str) -> bool {
        self.index
            .as_ref()
            .is_some_and(|index| index.beside(value).iter().any(|beside| self.words.share(beside)))
    }

    /// Has the user named this file or page?
    fn names_source(&self, value: &str) -> bool {
        value.len() >= 5 && value.contains(['/', '.', '\\']) && self.words.says(value)
    }

    /// Did it come in a document that the user had named?
    pub fn was_pointed_at(&self, grade: &Grade) -> bool {
        grade.first.as_ref().is_some_and(|(_, event)| self.named.contains(event))
    }

    /// Has the user named the last part of a path?
    fn says_last(&self, value: &str) -> bool {
        let last = value.rsplit_once('/').map_or("", |(_, last)| last);
        last.len() >= 5 && !value.contains("://") && self.words.says(last)
    }

    /// Was it seen at all, in any form?
    fn has_seen(&self, value: &str) -> bool {
        let Some(index) = &self.index else { return false };
        let found = index.find(value);
        !found.records.is_empty() || found.prose.is_some() || found.fields.is_some()
    }

    /// The servers whose text a long value holds copies of, with how many bytes of it.
    pub fn copied(&self, value: &str) -> (Origins, usize) {
        let Some(index) = &self.index else { return (Origins::NONE, 0) };
        let copied = index.copied(value);
        (copied.origins, copied.bytes)
    }

    /// How confidential values from these origins are.
    pub fn secrecy(&self, origins: Origins) -> Secrecy {
        let mut secrecy = Secrecy::default();
        for origin in origins.iter() {
            if let Some((_, trust)) = self.origins.get(usize::from(origin.number())) {
                secrecy.absorb(&trust.secrecy);
            }
        }
        secrecy
    }

    /// The servers of these origins.
    pub fn names(&self, origins: Origins) -> Vec<ServerName> {
        origins
            .iter()
            .filter_map(|origin| Some(self.origins.get(usize::from(origin.number()))?.0.clone()))
            .collect()
    }

    /// Whose results hold a value, and whose definitions of tools.
    pub(crate) fn sources(&self, value: &str) -> (Origins, Origins) {
        let Some(index) = &self.index else { return (Origins::NONE, Origins::NONE) };
        let found = index.find(value);
        let (mut told, mut defined) = (found.records, Origins::NONE);
        for source in [found.prose, found.fields].into_iter().flatten().map(|sighting| sighting.source) {
            if source.event == 0 { defined.insert(source.origin) } else { told.insert(source.origin) }
        }
        let lost = told.is_empty() && defined.is_empty();
        (if lost { found.saturated } else { told }, defined)
    }

    /// May one of these origins stand for several servers?
    pub(crate) fn mixes(&self, origins: Origins) -> bool {
        self.origins.len() >= MOST_ORIGINS
            && Origin::new(Origin::MOST - 1).is_some_and(|last| origins.contains(last))
    }

    fn name(&self, source: Source) -> Option<(ServerName, u32)> {
        Some((self.origins.get(usize::from(source.origin.number()))?.0.clone(), source.event))
    }

    fn is_approved(&self, value: &str, now: Tick) -> bool {
        if self.approved.is_empty() && self.learned.is_empty() {
            return false;
        }
        let value = plain(value);
        self.approved.iter().any(|(known, until)| *known == value && now < *until)
            || self.learned.get(value.as_ref()).is_some_and(|until| now < *until)
    }

    /// The bit of a server with this trust. Those over the limit share the last one, at the lowest trust.
    fn origin(&mut self, server: &ServerName, trust: &Trust) -> Origin {
        let known = self.origins.iter().position(|(known, kept)| known == server && kept == trust);
        let at = known.unwrap_or_else(|| {
            if self.origins.len() < MOST_ORIGINS {
                self.origins.push((server.clone(), trust.clone()));
            } else if let Some((_, last)) = self.origins.last_mut() {
                last.tier = Tier::Quarantined;
                last.secrecy.absorb(&trust.secrecy);
            }
            self.origins.len() - 1
        });
        u8::try_from(at).ok().and_then(Origin::new).unwrap_or_default()
    }
}

/// Does the value stand there as it is?
fn is_plain(way: Way) -> bool {
    matches!(way, Way::Verbatim | Way::Remembered)
}

impl Grade {
    fn raise(&mut self, integrity: Integrity) {
        self.integrity = self.integrity.max(Some(integrity));
    }
}

/// The values of a call's arguments that could come back as records. Of very many, the first.
fn values(arguments: Json<'_>) -> BTreeSet<String> {
    const MOST: usize = 1_000;
    let mut values = BTreeSet::new();
    crate::leaf::leaves(arguments, &mut |leaf| {
        if leaf.text.len() <= 512 && values.len() < MOST {
            values.insert(leaf.text.clone().into_owned());
        }
    });
    values
}
