/// What a tool does to the world. A chain, harmless first; hints from a server may only raise it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Looks, changes nothing.
    Read,
    /// Changes something that can be changed back.
    Write,
    /// Sends something out.
    Egress,
    /// Spends money or places an order.
    Commit,
    /// Gives rights: passwords, keys, permissions, members.
    Grant,
    /// Deletes, or runs whatever it is told.
    Destructive,
}

impl Effect {
    /// Every effect, harmless first.
    pub const ALL: [Self; 6] =
        [Self::Read, Self::Write, Self::Egress, Self::Commit, Self::Grant, Self::Destructive];

    /// The word used in the configuration, in records and in refusals.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Egress => "egress",
            Self::Commit => "commit",
            Self::Grant => "grant",
            Self::Destructive => "destructive",
        }
    }
}

/// What a server claims about a tool (`tools/list`, `annotations`). Hints: they may raise an effect, never lower it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Annotations {
    /// `readOnlyHint`
    pub read_only: Option<bool>,
    /// `destructiveHint`
    pub destructive: Option<bool>,
    /// `openWorldHint`
    pub open_world: Option<bool>,
}
