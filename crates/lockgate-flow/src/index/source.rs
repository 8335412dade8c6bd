//! Where text came from, and what is found of a value.

/// One of the up to 64 origins of a session: a server, or a part of one that has a label of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin(u8);

impl Origin {
    /// The highest number of origins that a session tells apart.
    pub const MOST: u8 = 64;

    /// The origin of this number; nothing from 64 on.
    pub const fn new(number: u8) -> Option<Self> {
        if number < Self::MOST { Some(Self(number)) } else { None }
    }

    /// Its number.
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// A set of origins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origins(u64);

impl Origins {
    /// The set of no origin.
    pub const NONE: Self = Self(0);

    /// The set of one.
    pub const fn only(origin: Origin) -> Self {
        Self(1 << origin.0)
    }

    /// All that are in either.
    #[must_use]
    pub const fn join(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Adds one.
    pub const fn insert(&mut self, origin: Origin) {
        self.0 |= 1 << origin.0;
    }

    /// Whether it is among them.
    pub const fn contains(self, origin: Origin) -> bool {
        self.0 >> origin.0 & 1 == 1
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them, by number.
    pub fn iter(self) -> impl Iterator<Item = Origin> {
        (0..Origin::MOST).map(Origin).filter(move |origin| self.contains(*origin))
    }
}

/// A place that a text came from: the origin, and the event that brought it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Which origin.
    pub origin: Origin,
    /// Which event, counted by the session. Later events have higher numbers.
    pub event: u32,
}

/// What is known of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Who listed exactly this value as a record: the same up to case, width, white space, the manner of writing a number,
    /// and the scheme and closing slashes of an address. Letters that only look alike are different here.
    pub records: Origins,
    /// The best sighting in free text.
    pub prose: Option<Sighting>,
    /// The best sighting in a record: the value is it, a part of it, or hidden in it. Weaker than `records`: whoever may
    /// fill in one field decides what its parts are.
    pub fields: Option<Sighting>,
    /// The earliest place of any kind, for explanations.
    pub first: Option<Source>,
    /// Origins some of whose text was dropped: a value that is found nowhere may come from them.
    pub saturated: Origins,
}

/// Where and how a value was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The place.
    pub source: Source,
    /// The way.
    pub way: Way,
}

/// How a value stood in a text, from the plainest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// As it is, between word boundaries, case, width, invisible characters and look-alikes aside.
    Verbatim,
    /// Its letters and digits in this order, whatever stands between them; or the number in another manner.
    Folded,
    /// In another spelling of bytes: base64, base32, hex, percent, quoted-printable, entities, escapes.
    Decoded,
    /// Backwards.
    Reversed,
    /// With each letter 13 places further (rot13).
    Rotated,
    /// In pieces: its words in this order in a short stretch, or both halves somewhere.
    Scattered,
    /// In text that was dropped since; only its words are remembered.
    Remembered,
}

/// What a long text holds copies of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Whose text it holds.
    pub origins: Origins,
    /// How many bytes of it are copies, in the normal form. A run of fewer than 64 bytes does not count.
    pub bytes: usize,
}
