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

impl Annotations {
    /// Both claims at once, for a tool that was described twice: what was admitted once is not taken back, and what is
    /// claimed only once is not claimed.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        let join = |one: Option<bool>, other: Option<bool>, admitted: bool| {
            if [one, other].contains(&Some(admitted)) { Some(admitted) } else { one.filter(|_| one == other) }
        };
        Self {
            read_only: join(self.read_only, other.read_only, false),
            destructive: join(self.destructive, other.destructive, true),
            open_world: join(self.open_world, other.open_world, true),
        }
    }
}
