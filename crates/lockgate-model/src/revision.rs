/// The two ways MCP is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Era {
    /// `initialize` handshake and sessions: 2024-11-05 to 2025-11-25.
    Legacy,
    /// Stateless, every request complete in itself: 2026-07-28.
    Modern,
}

impl Era {
    /// The word used in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Modern => "modern",
        }
    }
}

/// A published revision of the protocol. <https://modelcontextprotocol.io/specification>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Revision {
    /// 2024-11-05: stdio, HTTP with server-sent events.
    R2024_11_05,
    /// 2025-03-26: Streamable HTTP, annotations.
    R2025_03_26,
    /// 2025-06-18: structured content, elicitation; no batches.
    R2025_06_18,
    /// 2025-11-25: the last one with a handshake.
    R2025_11_25,
    /// 2026-07-28: stateless.
    R2026_07_28,
}

impl Revision {
    /// Every revision, oldest first.
    pub const ALL: [Self; 5] =
        [Self::R2024_11_05, Self::R2025_03_26, Self::R2025_06_18, Self::R2025_11_25, Self::R2026_07_28];

    /// Reads a revision's date.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|revision| revision.as_str() == text)
    }

    /// The date that names it on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::R2024_11_05 => "2024-11-05",
            Self::R2025_03_26 => "2025-03-26",
            Self::R2025_06_18 => "2025-06-18",
            Self::R2025_11_25 => "2025-11-25",
            Self::R2026_07_28 => "2026-07-28",
        }
    }

    /// Which of the two ways it speaks.
    pub fn era(self) -> Era {
        if self == Self::R2026_07_28 { Era::Modern } else { Era::Legacy }
    }
}
