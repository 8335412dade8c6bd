//! What is suspicious about definitions that nobody has approved, held against what all servers offer.

use std::collections::BTreeSet;

use lockgate_detect::injection::atr::Imported;
use lockgate_model::{Json, ServerName, quote};
use lockgate_provenance::Kind;
use lockgate_provenance::shadow::{self, Index, Offer, Suspicion};

use crate::Core;
use crate::detect::INSPECTOR;

/// Deepest nesting of what was said before.
const DEPTH: usize = 128;

/// What one server offers, as far as the session knows it.
struct Known {
    server: ServerName,
    identity: Option<String>,
    tools: Vec<String>,
}

impl Core {
    /// All offers, with these definitions among those of their server.
    pub(crate) fn offers(&self, server: &ServerName, kind: Kind, entries: &[Json<'_>]) -> Index {
        let known: Vec<_> = self.boundary.servers.keys().map(|other| self.known(other)).collect();
        let tools: Vec<Vec<Json<'_>>> = known
            .iter()
            .map(|known| {
                let own = known.server == *server && kind == Kind::Tool;
                let listed = entries.iter().copied().filter(|_| own);
                let named: BTreeSet<_> =
                    entries.iter().filter_map(|entry| entry.get("name")?.text()).collect();
                let before = known.tools.iter().filter_map(read);
                let new = |tool: &Json<'_>| {
                    !own || tool.get("name").and_then(Json::text).is_none_or(|name| !named.contains(&name))
                };
                listed.chain(before.filter(new)).collect()
            })
            .collect();
        Index::new(known.iter().zip(&tools).filter_map(|(known, tools)| {
            let configured = self.boundary.servers.get(&known.server)?;
            Some(Offer {
                server: &known.server,
                tier: configured.trust.tier,
                maker: configured.maker.as_deref(),
                identity: known.identity.as_ref().and_then(read),
                tools,
            })
        }))
    }

    fn known(&self, server: &ServerName) -> Known {
        let peer = self.peers.get(server);
        let heard = peer.into_iter().flat_map(|peer| peer.definitions.tools());
        let mut names: BTreeSet<&str> = heard.chain(self.pins.tools_of(server)).collect();
        // Of what is being listed everything is known; of what was before, the names.
        let mut tools = Vec::new();
        for page in self.listing.get(server).into_iter().flatten() {
            let Ok(page) = Json::check(page, usize::MAX) else { continue };
            for tool in page.get("tools").into_iter().flat_map(Json::elements) {
                names.remove(&*tool.get("name").and_then(Json::text).unwrap_or_default());
                tools.push(tool.written().to_owned());
            }
        }
        tools.extend(names.into_iter().map(|name| format!("{{\"name\":{}}}", quote(name))));
        Known {
            server: server.clone(),
            identity: peer.and_then(|peer| peer.definitions.identity.clone()),
            tools,
        }
    }
}

fn read(text: &String) -> Option<Json<'_>> {
    Json::check(text.as_bytes(), DEPTH).ok()
}

/// What is suspicious about one definition.
pub(crate) fn suspicions(
    offers: &Index,
    rules: Option<&Imported>,
    server: &ServerName,
    kind: Kind,
    definition: Json<'_>,
) -> Vec<Suspicion> {
    let mut found = match kind {
        Kind::Tool => offers.tool(server, definition),
        Kind::Prompt | Kind::Resource | Kind::Template => offers.offer(server, definition),
        Kind::Instructions => offers.instructions(server, definition),
        Kind::Identity => offers.identity(server, definition),
    };
    shadow::orders(INSPECTOR.injection(), rules, definition, &mut found);
    found
}
