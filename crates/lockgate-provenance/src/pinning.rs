use lockgate_model::{Reason, Tier};

use crate::definition::Kind;
use crate::pins::Standing;

/// What is done with a definition that is not approved. Ordered: the later is the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    /// It is offered, and pinned from now on.
    Trust,
    /// It is withheld until a person approves it.
    Hold,
    /// It is withheld, and nobody is asked.
    Refuse,
}

impl Sight {
    /// Every one, the mildest first.
    pub const ALL: [Self; 3] = [Self::Trust, Self::Hold, Self::Refuse];

    /// The word used in the configuration and in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Trust => "trust",
            Self::Hold => "hold",
            Self::Refuse => "refuse",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sight| sight.word() == word)
    }
}

/// How a server's definitions are taken, by the operator's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pinning {
    /// What is seen when nothing of its kind is approved yet.
    pub first: Sight,
    /// What is new of a server that is known, also under another name.
    pub added: Sight,
    /// What is not what was approved under its name. With [`Sight::Trust`], the new one is approved.
    pub drift: Sight,
    /// How many tools of a known server may be new at once; more are all held. Default 20.
    pub most_added: usize,
    /// How many people must approve. At least 1.
    pub approvers: u8,
}

impl Pinning {
    /// The defaults for a tier: of a server that nobody has approved everything is held; of an open one what comes later;
    /// of the others only what changes.
    pub fn of(tier: Tier) -> Self {
        let (first, added) = match tier {
            Tier::Quarantined => (Sight::Hold, Sight::Hold),
            Tier::Open => (Sight::Trust, Sight::Hold),
            Tier::Mixed | Tier::Internal | Tier::Core => (Sight::Trust, Sight::Trust),
        };
        Self { first, added, drift: Sight::Hold, most_added: 20, approvers: 1 }
    }

    /// The same where so many tools of a known server are new at once.
    #[must_use]
    pub fn at_once(self, added: usize) -> Self {
        let bulk = if added > self.most_added { Sight::Hold } else { Sight::Trust };
        Self { added: self.added.max(bulk), ..self }
    }
}

/// Why a definition is withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// What a caller is told.
    pub reason: Reason,
    /// May a person approve it? Else nobody is asked.
    pub waits: bool,
}

/// Is a definition withheld? `None` where it is offered: it is approved, or is to be from now on. Where a lock file names
/// the server, nothing is trusted that is not approved.
pub fn verdict(kind: Kind, standing: &Standing, pinning: &Pinning, locked: bool) -> Option<Held> {
    let sight = match standing {
        Standing::Approved => return None,
        Standing::Refused => Sight::Refuse,
        Standing::First => pinning.first,
        Standing::Added | Standing::Renamed { .. } => pinning.added,
        Standing::Changed => pinning.drift,
    };
    let least = if locked { Sight::Hold } else { Sight::Trust };
    let reason = match (kind, standing) {
        (Kind::Tool, Standing::Changed) => Reason::DefinitionDrift,
        (Kind::Tool, _) => Reason::ToolQuarantined,
        _ => Reason::DefinitionQuarantined,
    };
    match sight.max(least) {
        Sight::Trust => None,
        Sight::Hold => Some(Held { reason, waits: true }),
        Sight::Refuse => Some(Held { reason, waits: false }),
    }
}
