use std::path::PathBuf;

use crate::origin::Origin;
use crate::owner::Owner;

/// What a command would start.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where it comes from.
    pub origin: Origin,
    /// Who it says answers for it.
    pub owner: Owner,
    /// Does the command leave open which version is started, as `latest`, a range, a tag or nothing do?
    pub open: bool,
    /// How exactly this is started, and nothing else: without a launcher that could choose another version or fetch one.
    /// None where the command says it already.
    pub start: Option<Start>,
    /// The folder of the package or project.
    pub folder: Option<PathBuf>,
}

/// A command that starts what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// What is set beside, or instead of, what the environment holds.
    pub environment: Vec<(String, String)>,
}

impl Found {
    pub(crate) fn new(origin: Origin) -> Self {
        Self { origin, owner: Owner::default(), open: false, start: None, folder: None }
    }
}
