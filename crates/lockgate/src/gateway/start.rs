//! Before a server is started, or first spoken to: does it come from where it must?

use std::path::PathBuf;

use lockgate_attest::{Trust, Unproven};
use lockgate_model::{Reason, ServerName};
use lockgate_origin::{
    Archive, Attestations, Cache, Difference, Found, Part, Setting, Unresolved, Voucher, check, remote,
    resolve,
};
use lockgate_transport::child::Launch;

use crate::config::Expected;

/// A program, and what is expected of it.
#[derive(Clone)]
pub(super) struct Start {
    pub(super) launch: Launch,
    pub(super) expected: Expected,
    /// What registries have attested, as far as it was fetched.
    pub(super) attestations: Attestations,
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
        if let (Some(_), Ok(Found { start: Some(start), .. })) = (&expected.pinned, found) {
            launch.command = start.command;
            launch.environment.extend(start.environment);
        }
        Ok(launch)
    }

    /// Is the archive that it was installed from attested? Asks nobody.
    fn proven(&self, found: Option<&Found>, voucher: &Voucher) -> Result<(), Refused> {
        let archive = found.and_then(|found| Archive::of(&found.origin)).ok_or(Refused::Unattested)?;
        let document = self.attestations.find(&archive).ok_or(Refused::Unattested)?;
        archive.prove(&document, voucher, &Trust::embedded()?)?;
        Ok(())
    }

    fn found(&self, cache: &Cache) -> Result<Found, Unresolved> {
        let here = || std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        let directory = self.launch.directory.clone().unwrap_or_else(here);
        let Launch { command, environment, .. } = &self.launch;
        resolve(&Setting { command, environment, directory: &directory }, cache)
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
