//! What all servers offer, so that one definition can be held against it.

use std::collections::BTreeMap;

use lockgate_detect::injection::rules::Others;
use lockgate_model::{Json, ServerName, Tier};

use super::behaviour::Shape;
use super::identity::Claim;
use super::name::{Name, is_disguised, neighbours};

/// Most tools of one name, look or neighbourhood that are compared, the most trusted first. So many are only there because
/// somebody wants the others to be overlooked or the gateway to be slow.
const COMPARED: usize = 64;
/// What may stand before a tool's name where a text speaks of it, beside its server's name.
const PREFIXES: &[&str] = &["mcp", "tool", "tools", "function", "functions", "server", "default", "api"];

/// What one server offers, as the gateway knows it: the definitions of the pins, or of its last list.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// Its name in the configuration.
    pub server: &'a ServerName,
    /// How far it is trusted.
    pub tier: Tier,
    /// Where it comes from: its package, image, program or host. Servers with the same are one maker's and may be alike.
    /// None where that is not known.
    pub maker: Option<&'a str>,
    /// What it says of itself (`serverInfo`).
    pub identity: Option<Json<'a>>,
    /// The definitions of its tools.
    pub tools: &'a [Json<'a>],
}

/// All offers of all servers that one tenant has, in the forms that are compared. Made once for each change of pins or of a
/// list, n log n; to look one definition up takes time with its own length only.
#[derive(Clone, Debug, Default)]
pub struct Index {
    pub(super) servers: Vec<Known>,
    pub(super) tools: Vec<Tool>,
    by_server: BTreeMap<ServerName, usize>,
    by_words: BTreeMap<String, Vec<usize>>,
    by_folded: BTreeMap<String, Vec<usize>>,
    by_look: BTreeMap<String, Vec<usize>>,
    by_order: BTreeMap<String, Vec<usize>>,
    by_shape: BTreeMap<String, Vec<usize>>,
    by_neighbour: Vec<(u64, usize)>,
}

/// A server of the index.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) name: ServerName,
    pub(super) tier: Tier,
    pub(super) maker: Option<String>,
    pub(super) claims: Vec<Claim>,
}

/// A tool of the index.
#[derive(Clone, Debug)]
pub(super) struct Tool {
    pub(super) server: usize,
    pub(super) name: String,
    pub(super) folded: String,
    /// Does its name say that it runs what it is told?
    pub(super) runs: bool,
}

impl Index {
    /// Of all that is offered. The servers stand in the order of the configuration: who comes first was there first. Of one that
    /// is offered twice, all tools count, and the tier, maker and identity of the most trusted.
    pub fn new<'a>(offers: impl IntoIterator<Item = Offer<'a>>) -> Self {
        let mut offers: Vec<_> = offers.into_iter().enumerate().collect();
        // The most trusted first, so that nobody hides them behind many others.
        offers.sort_by_key(|(order, offer)| (std::cmp::Reverse(offer.tier), *order));
        let mut index = Self::default();
        for (_, offer) in offers {
            index.add(&offer);
        }
        index.by_neighbour.sort_unstable();
        index
    }

    fn add(&mut self, offer: &Offer<'_>) {
        let server = *self.by_server.entry(offer.server.clone()).or_insert(self.servers.len());
        if server == self.servers.len() {
            self.servers.push(Known {
                name: offer.server.clone(),
                tier: offer.tier,
                maker: offer.maker.map(str::to_owned),
                claims: offer.identity.map(Claim::all).unwrap_or_default(),
            });
        }
        for definition in offer.tools {
            let text = definition.get("name").and_then(Json::text).unwrap_or_default();
            let at = self.tools.len();
            let name = Name::of(&text);
            let shape = Shape::of(*definition);
            for look in &name.looks {
                push(&mut self.by_look, look, at);
            }
            push(&mut self.by_folded, &name.folded, at);
            push(&mut self.by_words, &name.words.concat(), at);
            push(&mut self.by_order, &name.ordered, at);
            push(&mut self.by_shape, &shape.text, at);
            self.by_neighbour.extend(neighbours(&name.folded).into_iter().map(|hash| (hash, at)));
            self.tools.push(Tool {
                server,
                name: text.into_owned(),
                runs: super::behaviour::runs(&name),
                folded: name.folded,
            });
        }
    }

    /// The server of that name, a number.
    pub(super) fn server(&self, name: &ServerName) -> Option<usize> {
        self.by_server.get(name).copied()
    }

    pub(super) fn known(&self, server: usize) -> Option<&Known> {
        self.servers.get(server)
    }

    pub(super) fn folded(&self, folded: &str) -> impl Iterator<Item = &Tool> {
        self.of(self.by_folded.get(folded))
    }

    pub(super) fn look(&self, look: &str) -> impl Iterator<Item = &Tool> {
        self.of(self.by_look.get(look))
    }

    pub(super) fn ordered(&self, ordered: &str) -> impl Iterator<Item = &Tool> {
        self.of(self.by_order.get(ordered))
    }

    pub(super) fn shaped(&self, shape: &str) -> impl Iterator<Item = &Tool> {
        self.of(self.by_shape.get(shape))
    }

    /// Tools whose names may be one letter away, the most trusted of each way first.
    pub(super) fn near(&self, folded: &str) -> impl Iterator<Item = &Tool> {
        neighbours(folded).into_iter().flat_map(|hash| {
            let from = self.by_neighbour.partition_point(|(other, _)| *other < hash);
            let rest = self.by_neighbour.get(from..).unwrap_or_default();
            let equal = rest.iter().take_while(move |(other, _)| *other == hash).take(COMPARED);
            equal.filter_map(|(_, at)| self.tools.get(*at))
        })
    }

    /// Is the other server one of another maker?
    pub(super) fn is_foreign(&self, own: Option<usize>, other: usize) -> bool {
        let maker = |server: usize| self.known(server).and_then(|known| known.maker.as_deref());
        own.is_none_or(|own| own != other && (maker(own).is_none() || maker(own) != maker(other)))
    }

    fn of(&self, found: Option<&Vec<usize>>) -> impl Iterator<Item = &Tool> {
        let found = found.map(Vec::as_slice).unwrap_or_default();
        found.iter().take(COMPARED).filter_map(|at| self.tools.get(*at))
    }
}

fn push(map: &mut BTreeMap<String, Vec<usize>>, key: &str, at: usize) {
    if key.is_empty() {
        return;
    }
    match map.get_mut(key) {
        Some(list) => list.push(at),
        None => drop(map.insert(key.to_owned(), vec![at])),
    }
}

/// The index as one of its servers sees it.
pub(super) struct Seen<'i> {
    pub(super) index: &'i Index,
    pub(super) own: Option<usize>,
}

impl Seen<'_> {
    /// The foreign server of a tool that is called so, and that this one has none of its own of.
    fn called(&self, words: &[String]) -> Option<usize> {
        let mut found = None;
        for tool in self.index.of(self.index.by_words.get(&words.concat())) {
            if self.own == Some(tool.server) {
                // A copy in other letters is nobody's own tool.
                if is_disguised(&tool.name) {
                    continue;
                }
                return None;
            }
            found = found.or_else(|| self.index.is_foreign(self.own, tool.server).then_some(tool.server));
        }
        found
    }

    fn is_prefix(&self, words: &[String], server: usize) -> bool {
        let own =
            self.index.known(server).map(|known| Name::of(known.name.as_str()).words).unwrap_or_default();
        words.iter().all(|word| PREFIXES.contains(&word.as_str()) || own.contains(word))
    }
}

impl Others for Seen<'_> {
    fn tool(&self, words: &[String]) -> Option<usize> {
        let last = words.len().checked_sub(1)?;
        (0..last.min(4)).find_map(|from| {
            let (before, name) = words.split_at_checked(from)?;
            self.called(name).filter(|server| self.is_prefix(before, *server))
        })
    }

    fn server(&self, words: &[String]) -> Option<usize> {
        let name = ServerName::parse(&words.join("-"))?;
        self.index.server(&name).filter(|server| self.index.is_foreign(self.own, *server))
    }
}
