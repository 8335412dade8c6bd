//! Before a server is started, or first spoken to: does it come from where it must?

use std::path::PathBuf;

use lockgate_attest::{Trust, Unproven};
use lockgate_model::{Reason, ServerName};
use lockgate_origin::{
    Archive, Attestations, COMPILED, Cache, Difference, Found, Owner, Part, Setting, Unresolved, Voucher,
    check, remote, resolve,
};
use lockgate_transport::child::Launch;

use crate::config::{Config, Expected, Launch as Configured};

/// A program, and what is expected of it.
#[derive(Clone)]
pub(super) struct Start {
    pub(super) launch: Launch,
    pub(super) expected: Expected,
    /// What registries have attested, as far as it was fetched.
    pub(super) attestations: Attestations,
    /// Where Python keeps compiled code of what is pinned.
    pub(super) compiled: PathBuf,
}

/// Why a server is not started, for the operator.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("the lock file does not have it, and it must")]
    NotPinned,
    #[error("{0}")]
    Other(#[from] Difference),
    #[error("the {} of its owner is not known, and must be", .0.word())]
    Owner(Part),
    #[error("nothing is known that attests it; `lockgate pin` asks its registry")]
    Unattested,
    #[error("it is not attested as it must be: {0}")]
    Unproven(#[from] Unproven),
}

impl Refused {
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::NotPinned => Reason::VersionNotPinned,
            Self::Other(difference) => difference.reason(),
            Self::Owner(_) => Reason::OwnerUnknown,
            Self::Unattested | Self::Unproven(_) => Reason::ArtefactUnproven,
        }
    }
}

impl Start {
    /// What is to be started: what was looked at, and nothing that a launcher would choose by itself. Reads all files of the
    /// program, or, where they were read before, only looks at each.
    pub(super) fn examined(&self, cache: &Cache) -> Result<Launch, Refused> {
        let expected = &self.expected;
        if expected.is_nothing() {
            return Ok(self.launch.clone());
        }
        if expected.must_be_pinned && expected.pinned.is_none() {
            return Err(Refused::NotPinned);
        }
        let found = self.found(cache);
        if let Some(pinned) = &expected.pinned {
            check(pinned, &found.as_ref().map_err(|unresolved| Difference::from(*unresolved))?.origin)?;
        }
        owned(expected, found.as_ref().ok())?;
        if let Some(voucher) = &expected.attested {
            self.proven(found.as_ref().ok(), voucher)?;
        }
        let mut launch = self.launch.clone();
        // What is not pinned starts as it is written: its launcher may fetch it.
        if let (Some(_), Ok(Found { start: Some(start), origin, .. })) = (&expected.pinned, found) {
            launch.command = start.command;
            let compiled = self.compiled.join(origin.files.unwrap_or_default().replace(':', "-"));
            let own = |(name, value): (String, String)| {
                let compiled = || compiled.to_string_lossy().into_owned();
                let value = if name == COMPILED { compiled() } else { value };
                (name, value)
            };
            launch.environment.extend(start.environment.into_iter().map(own));
        }
        Ok(launch)
    }

    /// Is the archive that it was installed from attested? Asks nobody.
    fn proven(&self, found: Option<&Found>, voucher: &Voucher) -> Result<(), Refused> {
        // What is pinned was compared with what was found: of a package of Python, only the lock file names the archive.
        let mut origins = found.map(|found| &found.origin).into_iter().chain(&self.expected.pinned);
        let archive = origins.find_map(Archive::of).ok_or(Refused::Unattested)?;
        let document = self.attestations.find(&archive).ok_or(Refused::Unattested)?;
        archive.prove(&document, voucher, &Trust::embedded()?)?;
        Ok(())
    }

    fn found(&self, cache: &Cache) -> Result<Found, Unresolved> {
        look(&self.launch, cache)
    }
}

/// May a server elsewhere be spoken to? Its key is compared when it is.
pub(super) fn examine_remote(url: &str, expected: &Expected) -> Result<(), Refused> {
    if expected.must_be_pinned && expected.pinned.is_none() {
        return Err(Refused::NotPinned);
    }
    if let Some(pinned) = &expected.pinned {
        let mut origin = remote(url).ok_or(Difference::from(Unresolved::NoProgram))?;
        origin.key = expected.key.map(|key| key.to_string()).or_else(|| pinned.key.clone());
        check(pinned, &origin)?;
    }
    owned(expected, None)
}

/// What a server would start as the configuration says, or where it stands, and who answers for it; found without starting
/// anything. `None` for a server that is not configured.
pub(crate) fn origin_of(
    config: &Config,
    server: &ServerName,
    cache: &Cache,
) -> Option<Result<Found, Unresolved>> {
    Some(match config.launches.get(server)? {
        Configured::Http { url, .. } => {
            let found =
                |origin| Found { origin, owner: Owner::default(), open: false, start: None, folder: None };
            remote(url).map(found).ok_or(Unresolved::NoProgram)
        }
        Configured::Command { command, env, cwd } => {
            let launch = super::program(command, env, cwd.as_ref());
            look(&launch, cache)
        }
    })
}

/// The registry that npm would ask for a package of this server.
pub(crate) fn npm_registry_of(config: &Config, server: &ServerName, package: &str) -> Option<String> {
    let Configured::Command { command, env, cwd } = config.launches.get(server)? else { return None };
    let launch = super::program(command, env, cwd.as_ref());
    let directory = folder(&launch);
    let Launch { command, environment, .. } = &launch;
    Some(lockgate_origin::npm_registry(&Setting { command, environment, directory: &directory }, package))
}

/// The index that pip would ask for packages of this server.
pub(crate) fn pypi_index_of(config: &Config, server: &ServerName) -> Option<String> {
    let Configured::Command { command, env, cwd } = config.launches.get(server)? else { return None };
    let launch = super::program(command, env, cwd.as_ref());
    let directory = folder(&launch);
    let Launch { command, environment, .. } = &launch;
    let environment: Vec<_> = asked_with().chain(environment.iter().cloned()).collect();
    let setting = Setting { command, environment: &environment, directory: &directory };
    Some(lockgate_origin::pypi_index(&setting))
}

/// What says in the environment of this process which index is asked: servers do not inherit it.
fn asked_with() -> impl Iterator<Item = (String, String)> {
    let names = ["PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_CONFIG_FILE", "XDG_CONFIG_HOME"];
    names.into_iter().filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
}

/// Waits for something that is asked of the network.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, String> {
    Ok(super::serve::runtime()?.block_on(future))
}

fn folder(launch: &Launch) -> PathBuf {
    let here = || std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    launch.directory.clone().unwrap_or_else(here)
}

fn look(launch: &Launch, cache: &Cache) -> Result<Found, Unresolved> {
    let directory = folder(launch);
    let Launch { command, environment, .. } = launch;
    resolve(&Setting { command, environment, directory: &directory }, cache)
}

fn owned(expected: &Expected, found: Option<&Found>) -> Result<(), Refused> {
    let owner = expected.owner.clone().or(found.map(|found| found.owner.clone()).unwrap_or_default());
    match expected.known.iter().find(|part| owner.part(**part).is_none()) {
        Some(part) => Err(Refused::Owner(*part)),
        None => Ok(()),
    }
}

/// How it reads for the operator.
pub(super) fn complaint(server: &ServerName, refused: &Refused) -> String {
    format!("server `{server}` is not started: {refused} ({})", refused.reason().code())
}

#[cfg(test)]
mod tests;
