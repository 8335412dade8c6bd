//! What servers are now: where they come from, who answers for them, and what they say of themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use lockgate_core::Boundary;
use lockgate_model::{Json, ServerName, quote};
use lockgate_origin::{Archive, Cache, Origin, Owner, Part, Unresolved, Untraced, check};
use lockgate_provenance::lock::{Lock, Locked, Unfit};
use lockgate_provenance::{Digest, Kind, Name};
use lockgate_transport::Unfetched;

use crate::config::{Config, Launch};
use crate::gateway::{
    Offered, Unattested, Unlisted, Unlocated, block_on, fetch_attestations, list_all, locate,
    npm_registry_of, origin_of, pypi_index_of,
};

/// Deepest nesting of a definition that is read.
const DEPTH: usize = 1_024;

/// What was found of one server.
pub(super) struct Found {
    pub(super) server: ServerName,
    /// What the lock file would say of it; else why it is not known.
    pub(super) offered: Result<Locked, Unlisted>,
    /// Why it is not known where it comes from.
    pub(super) unresolved: Option<Unresolved>,
    /// Definitions that cannot be in a lock file, and why.
    pub(super) unfit: Vec<(String, Unfit)>,
    /// What its registry says of who made it.
    pub(super) attested: Attested,
}

/// What a registry says of who made a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Attested {
    /// Nobody was asked: nothing of the kind is attested.
    NotAsked,
    /// It gives out attestations; they are kept for the checks before a start.
    Kept,
    /// It gives out none.
    Nothing,
    /// It could not be asked.
    Failed(String),
    /// It is not known which of its archives was installed.
    Untraced(Untraced),
}

/// What is different of one definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Change {
    Added,
    Changed,
    Removed,
}

impl Found {
    /// Is it something else than the lock file says?
    pub(super) fn differs(&self, lock: &Lock) -> bool {
        let Ok(now) = &self.offered else { return true };
        lock.servers.get(&self.server).is_none_or(|before| before != now)
    }

    /// The definitions that are not as the lock file has them.
    pub(super) fn changes(&self, lock: &Lock) -> BTreeMap<Name, Change> {
        let Ok(now) = &self.offered else { return BTreeMap::new() };
        let digests = |locked: &Locked| -> BTreeMap<Name, Digest> {
            locked.definitions().map(|(name, definition)| (name.clone(), definition.digest())).collect()
        };
        let before = lock.servers.get(&self.server).map(digests).unwrap_or_default();
        let now = digests(now);
        let names: BTreeSet<&Name> = before.keys().chain(now.keys()).collect();
        let change = |name: &Name| match (before.get(name), now.get(name)) {
            (None, Some(_)) => Some(Change::Added),
            (Some(_), None) => Some(Change::Removed),
            (Some(old), Some(new)) if old != new => Some(Change::Changed),
            _ => None,
        };
        names.into_iter().filter_map(|name| Some((name.clone(), change(name)?))).collect()
    }
}

/// Looks at these servers. What is pinned does not keep one from being started: it is to be pinned anew.
pub(super) fn at(config: &Config, chosen: &[ServerName], offline: bool) -> Result<Vec<Found>, String> {
    let cache = Cache::default();
    let mut free = config.clone();
    free.expected = BTreeMap::new();
    let boundary = Boundary::clone(&config.boundary);
    free.boundary = Arc::new(boundary);
    // Before anything is started: what is looked at is what would start.
    let origins: BTreeMap<_, _> =
        chosen.iter().map(|server| (server.clone(), origin_of(config, server, &cache))).collect();
    let mut offers = list_all(&free, chosen)?;
    let mut found = Vec::new();
    for server in chosen {
        let offered = offers.remove(server).unwrap_or(Err(Unlisted::UnknownMethod));
        let origin = origins.get(server).cloned().flatten();
        found.push(one(config, server, offered, origin, offline));
    }
    Ok(found)
}

fn one(
    config: &Config,
    server: &ServerName,
    offered: Result<Offered, Unlisted>,
    origin: Option<Result<lockgate_origin::Found, Unresolved>>,
    offline: bool,
) -> Found {
    let (mut origin, package, folder, unresolved) = match origin {
        Some(Ok(found)) => (Some(found.origin), found.owner, found.folder, None),
        Some(Err(why)) => (None, Owner::default(), None, Some(why)),
        None => (None, Owner::default(), None, None),
    };
    if let (Ok(offered), Some(origin)) = (&offered, &mut origin) {
        origin.key = offered.key.clone().or(origin.key.take());
    }
    let traced = match (&mut origin, folder) {
        (Some(origin), Some(folder)) => trace(config, server, origin, &folder, offline),
        _ => Ok(()),
    };
    let attested = match (traced, &origin) {
        (Err(attested), _) => attested,
        (Ok(()), Some(origin)) => attest(config, server, origin, offline),
        (Ok(()), None) => Attested::NotAsked,
    };
    let said = config.expected.get(server).map(|expected| expected.owner.clone()).unwrap_or_default();
    let owner = said.or(package);
    let owner =
        Part::ALL.into_iter().filter_map(|part| Some((part.word().to_owned(), owner.part(part)?.to_owned())));
    let owner: BTreeMap<String, String> = owner.collect();
    let mut unfit = Vec::new();
    let offered = offered.map(|offered| {
        let mut locked = Locked::new(origin.map(|origin| origin.to_map()).unwrap_or_default(), owner);
        for (kind, bytes) in definitions(&offered) {
            let Ok(json) = Json::check(&bytes, DEPTH) else { continue };
            if let Err(why) = locked.add(kind, json) {
                let name = Name::of(kind, json).map_or_else(String::new, |name| name.name);
                unfit.push((format!("{} {name}", kind.word()), why));
            }
        }
        locked
    });
    Found { server: server.clone(), offered, unresolved, unfit, attested }
}

fn definitions(offered: &Offered) -> Vec<(Kind, Bytes)> {
    let lists = [
        (Kind::Tool, &offered.tools),
        (Kind::Prompt, &offered.prompts),
        (Kind::Resource, &offered.resources),
        (Kind::Template, &offered.templates),
    ];
    let listed = lists.into_iter().flat_map(|(kind, list)| list.iter().map(move |one| (kind, one.clone())));
    let identity = offered.identity.iter().map(|identity| (Kind::Identity, identity.clone()));
    let instructions = offered.instructions.iter().map(|text| (Kind::Instructions, Bytes::from(quote(text))));
    listed.chain(identity).chain(instructions).collect()
}

/// Finds out which archive a package of Python was installed from. The lock file says it where the files are the same.
fn trace(
    config: &Config,
    server: &ServerName,
    origin: &mut Origin,
    folder: &Path,
    offline: bool,
) -> Result<(), Attested> {
    if origin.kind != lockgate_origin::Kind::Pypi {
        return Ok(());
    }
    let pinned = config.expected.get(server).and_then(|expected| expected.pinned.as_ref());
    if let Some(pinned) = pinned.filter(|pinned| pinned.integrity.is_some() && check(pinned, origin).is_ok())
    {
        origin.integrity.clone_from(&pinned.integrity);
        return Ok(());
    }
    let index = pypi_index_of(config, server).filter(|_| !offline).ok_or(Attested::NotAsked)?;
    let wheel = block_on(locate(folder, &index)).map_err(Attested::Failed)?;
    let wheel = wheel.map_err(|why| match why {
        Unlocated::Unfetched(error) => Attested::Failed(error.to_string()),
        Unlocated::Untraced(why) => Attested::Untraced(why),
    })?;
    origin.integrity = Some(wheel.integrity());
    Ok(())
}

/// Asks the registry of a package who vouches for it, and keeps what it says: it is verified before each start that wants it.
fn attest(config: &Config, server: &ServerName, origin: &Origin, offline: bool) -> Attested {
    if offline || Archive::of(origin).is_none() {
        return Attested::NotAsked;
    }
    let registry = if origin.kind == lockgate_origin::Kind::Pypi {
        let index = pypi_index_of(config, server);
        index.map(|index| index.strip_suffix("/simple").map_or(index.clone(), str::to_owned))
    } else {
        npm_registry_of(config, server, &origin.name)
    };
    let Some(registry) = registry else { return Attested::NotAsked };
    let folder = config.state.clone().unwrap_or_else(crate::state::folder);
    match block_on(fetch_attestations(&folder, origin, &registry)) {
        Ok(Ok(())) => Attested::Kept,
        Ok(Err(Unattested::NoArchive | Unattested::Unfetched(Unfetched::Status(404 | 410)))) => {
            Attested::Nothing
        }
        Ok(Err(error)) => Attested::Failed(error.to_string()),
        Err(error) => Attested::Failed(error),
    }
}

/// Is it a program, so that it has an origin to look for?
pub(super) fn is_program(config: &Config, server: &ServerName) -> bool {
    matches!(config.launches.get(server), Some(Launch::Command { .. }))
}
