//! What the servers of recorded sessions offer.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use lockgate_core::{Server, Wire};
use lockgate_model::{Effect, Json, ServerName};

/// Largest file of catalogues, in bytes.
const LARGEST: u64 = 64 << 20;
/// Deepest nesting of a catalogue.
const DEPTH: usize = 64;

/// Catalogues by their names.
pub(super) struct Catalogues(BTreeMap<String, Catalogue>);

/// What each server offers.
pub(super) type Catalogue = BTreeMap<ServerName, Offer>;

pub(super) struct Offer {
    /// The list of its tools, as JSON.
    pub(super) tools: String,
    /// What each of them is taken to do.
    pub(super) effects: BTreeMap<String, Effect>,
}

impl Catalogues {
    /// Reads `{NAME: {"servers": {SERVER: {"tools": [...]}}}}`; else what is wrong, for people.
    pub(super) fn load(path: &Path) -> Result<Self, String> {
        let wrong = |what: &str| format!("{}: {what}", path.display());
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
            .map_err(|error| wrong(&crate::config::plain(&error)))?;
        if bytes.len() as u64 > LARGEST {
            return Err(wrong(&format!("larger than {LARGEST} bytes")));
        }
        let json = Json::check(bytes.trim_ascii(), DEPTH).map_err(|reason| wrong(reason.meaning()))?;
        let mut catalogues = BTreeMap::new();
        for (name, catalogue) in json.members() {
            let name = name.text().into_owned();
            let servers = catalogue.get("servers").into_iter().flat_map(Json::members);
            let offers =
                servers.map(|(server, offer)| Some((ServerName::parse(&server.text())?, read(offer)?)));
            let offers: Option<Catalogue> = offers.collect();
            let form = "not a catalogue: {\"servers\": {SERVER: {\"tools\": [...]}}}";
            catalogues.insert(name.clone(), offers.ok_or_else(|| wrong(&format!("`{name}`: {form}")))?);
        }
        Ok(Self(catalogues))
    }

    pub(super) fn find(&self, name: &str) -> Result<&Catalogue, String> {
        self.0.get(name).ok_or_else(|| format!("there is no catalogue `{}`", name.escape_default()))
    }
}

fn read(offer: Json<'_>) -> Option<Offer> {
    let tools = offer.get("tools")?;
    let described = tools.elements().filter_map(|tool| Server::new(Wire::Lines).describe(tool));
    let effects = described.map(|tool| (tool.tool.as_str().to_owned(), tool.effect)).collect();
    Some(Offer { tools: tools.written().to_owned(), effects })
}
