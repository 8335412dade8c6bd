//! Names of tools and prompts that may be told.

use std::collections::BTreeMap;
use std::sync::Arc;

use lockgate_audit::{Happening, Record};
use lockgate_model::{Phase, ToolName, Verdict};

/// Most names of tools and prompts, of all servers, that are told; all others are `other`.
pub const MOST_NAMES: usize = 512;

/// What a request calls by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Named {
    Tool,
    Prompt,
}

impl Named {
    /// What is called by requests of this method.
    pub(crate) fn of(method: Option<&str>) -> Option<Self> {
        match method {
            Some("tools/call") => Some(Self::Tool),
            Some("prompts/get") => Some(Self::Prompt),
            _ => None,
        }
    }
}

/// Names that were let through. A name gets here by a call that nothing stood against but what comes after *pin*: it was
/// offered, and it is approved. So neither an agent that tries names nor a server that makes them up brings any.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: BTreeMap<(u16, Named), BTreeMap<Arc<str>, u16>>,
    all: Vec<Arc<str>>,
}

impl Names {
    /// The number of the name in a record, which is learned where it may be. None where it may not be told.
    pub(crate) fn of(&mut self, server: u16, named: Named, record: &Record) -> Option<u16> {
        let name = record.target.as_deref()?;
        let known = self.known.entry((server, named)).or_default();
        if let Some(number) = known.get(name) {
            return Some(*number);
        }
        let usable = passed_pin(record) && ToolName::new(name).shown() == name && self.all.len() < MOST_NAMES;
        let number = u16::try_from(self.all.len()).ok().filter(|_| usable)?;
        let name: Arc<str> = name.into();
        known.insert(Arc::clone(&name), number);
        self.all.push(name);
        Some(number)
    }

    /// The name of a number.
    pub(crate) fn name(&self, number: u16) -> Option<Arc<str>> {
        self.all.get(usize::from(number)).cloned()
    }
}

/// Was it offered, and is it approved? Of what stands against a call the strictest is written down, and of equals the
/// earlier: a hold by a phase behind *pin* says that *pin* found nothing.
fn passed_pin(record: &Record) -> bool {
    let behind = |phase: Phase| phase > Phase::Pin && phase != Phase::Answer;
    record.happening == Happening::Request
        && match &record.finding {
            None => true,
            Some(finding) => finding.verdict == Verdict::Hold && behind(finding.phase),
        }
}
