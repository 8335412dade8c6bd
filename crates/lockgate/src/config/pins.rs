//! How definitions are taken that are not approved: by tier, and by server.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;

use lockgate_core::Server;
use lockgate_model::{ServerName, Tier};
use lockgate_origin::{Origin, Part};
use lockgate_provenance::lock::Lock;
use lockgate_provenance::{Pinning, Sight};
use schemars::JsonSchema;

use super::Expected;
use super::bounds;
use super::error::{At, Place, Report, quoted};
use super::expected::owner_parts;
use super::raw::RawServer;
use super::schema;
use super::secret::{Resolver, plain};
use super::section::Section;
use super::server::tier;
use super::words::{ORIGINS, SIGHTS};

/// What is done with a tool, prompt, resource, instruction or identity that a server gives and that is not approved. What holds
/// for a tier is written under its name; `servers.NAME.pins` goes before it.
#[derive(JsonSchema)]
#[schemars(rename = "Pins", deny_unknown_fields)]
pub(super) struct RawPins {
    /// The lock file, relative to the folder of the configuration. Without it, `lockgate.lock` in that folder, where there is one.
    /// What it holds is approved; of a server that it names, nothing else is trusted. `lockgate pin` writes it.
    #[schemars(with = "Option<String>")]
    pub(super) lock: Option<At<String>>,
    /// Servers of tier `quarantined`. Everything is held unless you say otherwise.
    #[schemars(with = "Option<RawPinning>")]
    pub(super) quarantined: RawPinning,
    /// Servers of tier `open`. What comes first is trusted; what is new later, or changes, is held.
    #[schemars(with = "Option<RawPinning>")]
    pub(super) open: RawPinning,
    /// Servers of tier `mixed`. What is new is trusted; what changes is held.
    #[schemars(with = "Option<RawPinning>")]
    pub(super) mixed: RawPinning,
    /// Servers of tier `internal`. As `mixed`.
    #[schemars(with = "Option<RawPinning>")]
    pub(super) internal: RawPinning,
    /// Servers of tier `core`. As `mixed`.
    #[schemars(with = "Option<RawPinning>")]
    pub(super) core: RawPinning,
}

/// What is done with definitions that are not approved. What is held is left out of lists and refused when it is called
/// (`tool_quarantined`, `definition_drift`, `definition_quarantined`), until `lockgate quarantine approve`.
#[derive(JsonSchema)]
#[schemars(rename = "Pinning", deny_unknown_fields)]
pub(super) struct RawPinning {
    /// Definitions of a server of which none is approved yet. Without it, by the tier: `hold` for `quarantined`, else `trust`.
    #[schemars(with = "Option<schema::Sight>")]
    first_sight: Option<At<Sight>>,
    /// New definitions of a server that is known. Without it, by the tier: `hold` for `quarantined` and `open`, else `trust`.
    #[schemars(with = "Option<schema::Sight>")]
    added: Option<At<Sight>>,
    /// Definitions that are not what was approved under their name.
    #[schemars(with = "Option<schema::Sight>", extend("default" = "hold"))]
    drift: Option<At<Sight>>,
    /// How many tools of a known server may be new at once; more are all held.
    #[schemars(with = "Option<schema::Count>")]
    most_added: At<u64>,
    /// Must the lock file say where the server comes from, else it is not started (`version_not_pinned`)? What the lock file does
    /// say is always checked.
    #[schemars(with = "Option<schema::Origin>", extend("default" = "optional"))]
    origin: Option<At<bool>>,
    /// What must be known of who answers for the server, else it is not started (`owner_unknown`): as `require.owner`, which goes
    /// before it.
    #[schemars(with = "Option<Vec<schema::OwnerPart>>", extend("uniqueItems" = true))]
    owner: Option<At<Vec<At<Part>>>>,
    /// How many different people must approve what is held.
    #[schemars(with = "Option<schema::Count>")]
    approvers: At<u64>,
}

impl RawPins {
    pub(super) fn read(section: Section<'_>, report: &Report) -> Self {
        let tier = |key| RawPinning::read(section.section_or_empty(key), report);
        let raw = Self {
            lock: section.text("lock"),
            quarantined: tier("quarantined"),
            open: tier("open"),
            mixed: tier("mixed"),
            internal: tier("internal"),
            core: tier("core"),
        };
        section.close();
        raw
    }

    fn of(&self, tier: Tier) -> &RawPinning {
        match tier {
            Tier::Quarantined => &self.quarantined,
            Tier::Open => &self.open,
            Tier::Mixed => &self.mixed,
            Tier::Internal => &self.internal,
            Tier::Core => &self.core,
        }
    }
}

impl RawPinning {
    pub(super) fn read(section: Section<'_>, report: &Report) -> Self {
        let raw = Self {
            first_sight: section.word("first_sight", SIGHTS),
            added: section.word("added", SIGHTS),
            drift: section.word("drift", SIGHTS),
            origin: section.word("origin", ORIGINS),
            owner: owner_parts(&section, report),
            most_added: section.measure(&bounds::MOST_ADDED),
            approvers: section.measure(&bounds::PIN_APPROVERS),
        };
        section.close();
        raw
    }

    fn over(&self, pinning: Pinning) -> Pinning {
        let word = |written: &Option<At<Sight>>, before| written.as_ref().map_or(before, |at| at.value);
        let approvers = u8::try_from(self.approvers.value).unwrap_or(u8::MAX);
        let most_added = usize::try_from(self.most_added.value).unwrap_or(usize::MAX);
        Pinning {
            first: word(&self.first_sight, pinning.first),
            added: word(&self.added, pinning.added),
            drift: word(&self.drift, pinning.drift),
            most_added: if self.most_added.is_written() { most_added } else { pinning.most_added },
            approvers: if self.approvers.is_written() { approvers } else { pinning.approvers },
        }
    }
}

/// How the definitions of a server are taken.
pub(super) fn check(tier: Tier, all: &RawPins, own: &RawPinning) -> Pinning {
    own.over(all.of(tier).over(Pinning::of(tier)))
}

/// What is expected of where a server comes from, the lock file's word and that of its tier included.
pub(super) fn expect(
    raw: &RawServer,
    pins: &RawPins,
    lock: &Lock,
    expected: Option<Expected>,
    report: &Report,
) -> Option<Expected> {
    let mut expected = expected.unwrap_or_default();
    let tier = pins.of(tier(raw));
    let required = raw.pins.origin.as_ref().or(tier.origin.as_ref());
    expected.must_be_pinned = required.is_some_and(|required| required.value);
    if let Some(owner) = raw.pins.owner.as_ref().or(tier.owner.as_ref()).filter(|_| expected.known.is_empty())
    {
        expected.known = owner.value.iter().map(|part| part.value).collect();
    }
    let locked = ServerName::parse(&raw.name.value).and_then(|name| lock.servers.get(&name));
    if let Some(origin) = locked.map(|locked| &locked.origin).filter(|origin| !origin.is_empty()) {
        match Origin::from_map(origin) {
            Ok(origin) => expected.pinned = Some(origin),
            Err(error) => {
                let message =
                    format!("the lock file's origin of {} is none: {error}", quoted(&raw.name.value));
                report.error(raw.name.place, message, "write it anew with `lockgate pin`");
            }
        }
    }
    (expected != Expected::default()).then_some(expected)
}

/// The lock file: its path and what it holds, which is nothing where there is none and none is named.
pub(super) fn lock(
    written: Option<&At<String>>,
    servers: &BTreeMap<ServerName, Server>,
    notes: &mut Vec<String>,
    resolver: &Resolver<'_>,
) -> Option<(PathBuf, Lock)> {
    let report = resolver.report;
    let name = match written {
        Some(written) => resolver.expand(written)?,
        None => Lock::FILE.to_owned(),
    };
    let path: PathBuf = resolver.base.join(name).components().collect();
    let place = written.map_or_else(Place::default, |written| written.place);
    let bytes = match resolver.surroundings.file(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound && written.is_none() => {
            return Some((path, Lock::default()));
        }
        Err(error) => {
            let message =
                format!("{} cannot be read: {}", quoted(&path.display().to_string()), plain(&error));
            report.error(place, message, "`lockgate pin` writes a lock file");
            return None;
        }
    };
    match Lock::read(&bytes) {
        Ok(lock) => {
            let unknown = lock.servers.keys().filter(|server| !servers.contains_key(*server));
            notes.extend(
                unknown.map(|server| format!("{}: no server `{server}` is configured", path.display())),
            );
            Some((path, lock))
        }
        Err(error) => {
            let message = format!("{}:{error}", path.display());
            let hint = "take it from your repository again, or write it anew with `lockgate pin`";
            report.error(place, message, hint);
            None
        }
    }
}

/// The name of a tenant: what principals share their approvals with.
pub(super) fn tenant(tenant: &At<String>, report: &Report) -> String {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b"._@-".contains(&b);
    if !(1..=64).contains(&tenant.value.len()) || !tenant.value.bytes().all(letter) {
        let message = format!("{} is not the name of a tenant", quoted(&tenant.value));
        report.error(tenant.place, message, "write 1 to 64 of `A-Z`, `a-z`, `0-9`, `.`, `_`, `@` and `-`");
    }
    tenant.value.clone()
}
