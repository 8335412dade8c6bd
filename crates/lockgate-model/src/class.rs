use std::fmt;

/// How much harm a call of a tool can do at worst. A chain, harmless first; what a server says may only raise it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Looks at what is not secret.
    ReadLow,
    /// Looks at secrets, credentials or personal data, or takes a great deal at once.
    ReadHigh,
    /// Changes something that can be changed back.
    WriteLow,
    /// Sends, publishes, pays, gives rights or deletes: what is done stays done.
    WriteHigh,
    /// Runs what it is told: commands, scripts, statements of a database.
    Execute,
}

impl Class {
    /// Every class, harmless first.
    pub const ALL: [Self; 5] =
        [Self::ReadLow, Self::ReadHigh, Self::WriteLow, Self::WriteHigh, Self::Execute];

    /// The word used in the configuration, in rules and in refusals.
    pub fn word(self) -> &'static str {
        match self {
            Self::ReadLow => "read-low",
            Self::ReadHigh => "read-high",
            Self::WriteLow => "write-low",
            Self::WriteHigh => "write-high",
            Self::Execute => "execute",
        }
    }
}

/// A class and what it was seen by. Holds nothing the server sent: the words are from lists of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classified {
    /// The class.
    pub class: Class,
    /// What decided.
    pub sign: Sign,
}

/// What the class of a tool was seen by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The operator said the class.
    Operator,
    /// The operator said what the tool does to the world.
    OperatorsEffect,
    /// This word of the tool's name.
    Name(&'static str),
    /// There is no word in the name that says what the tool does.
    NoKnownWord,
    /// This annotation, by which the server itself admits it.
    Hint(&'static str),
    /// This word in the name of an argument.
    Schema(&'static str),
    /// The server has offered more tools than can be told apart.
    TooMany,
}

impl Sign {
    /// What kind of sign it is, in one word, and the word that was found, if any.
    pub fn parts(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Operator => ("operator", Some("classes")),
            Self::OperatorsEffect => ("operator", Some("effects")),
            Self::Name(word) => ("name", Some(word)),
            Self::NoKnownWord => ("name", None),
            Self::Hint(word) => ("hint", Some(word)),
            Self::Schema(word) => ("schema", Some(word)),
            Self::TooMany => ("too many tools", None),
        }
    }
}

/// For people: the class, and by what.
impl fmt::Display for Classified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, ", self.class.word())?;
        match self.sign {
            Sign::Operator => f.write_str("by the operator's word"),
            Sign::OperatorsEffect => f.write_str("by the effect the operator gave it"),
            Sign::Name(word) => write!(f, "by its name (`{word}`)"),
            Sign::NoKnownWord => f.write_str("by its name, in which no word says that it only reads"),
            Sign::Hint(word) => write!(f, "by the hint of its server (`{word}`)"),
            Sign::Schema(word) => write!(f, "by an argument it takes (`{word}`)"),
            Sign::TooMany => f.write_str("because its server has offered too many tools"),
        }
    }
}
