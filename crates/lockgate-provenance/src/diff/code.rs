/// How much a change asks for a closer look. Ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// What the model and the server do stays the same.
    None,
    /// It is another definition, and nothing in the change looks like an attack.
    Low,
    /// The change lets more through, or looks like what attacks look like.
    High,
}

impl Risk {
    /// The word used for people and in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::High => "high",
        }
    }
}

/// What a change means. Stable: a word is never renamed or used for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is explained in `facts`, in the words that people read")]
pub enum Code {
    // What the new text looks like: on top of one of the others.
    Directive,
    HiddenCharacters,
    LookAlike,
    NewAddress,
    NewIdentifier,
    // What arguments may be.
    ParameterAdded,
    ParameterRemoved,
    NewlyRequired,
    NoLongerRequired,
    WiderValues,
    NarrowerValues,
    WiderType,
    NarrowerType,
    TypeChanged,
    ConstraintDropped,
    ConstraintTightened,
    ConstraintChanged,
    DefaultChanged,
    ConstantChanged,
    ExamplesChanged,
    ReferenceChanged,
    HeaderChanged,
    // What is said.
    Renamed,
    TextChanged,
    TitleChanged,
    HintFlipped,
    HintStated,
    OutputChanged,
    HostChanged,
    IconsChanged,
    MetaChanged,
    ExecutionChanged,
    IdentityChanged,
    OrderChanged,
    Changed,
}

impl Code {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 35] = [
        Self::Directive,
        Self::HiddenCharacters,
        Self::LookAlike,
        Self::NewAddress,
        Self::NewIdentifier,
        Self::ParameterAdded,
        Self::ParameterRemoved,
        Self::NewlyRequired,
        Self::NoLongerRequired,
        Self::WiderValues,
        Self::NarrowerValues,
        Self::WiderType,
        Self::NarrowerType,
        Self::TypeChanged,
        Self::ConstraintDropped,
        Self::ConstraintTightened,
        Self::ConstraintChanged,
        Self::DefaultChanged,
        Self::ConstantChanged,
        Self::ExamplesChanged,
        Self::ReferenceChanged,
        Self::HeaderChanged,
        Self::Renamed,
        Self::TextChanged,
        Self::TitleChanged,
        Self::HintFlipped,
        Self::HintStated,
        Self::OutputChanged,
        Self::HostChanged,
        Self::IconsChanged,
        Self::MetaChanged,
        Self::ExecutionChanged,
        Self::IdentityChanged,
        Self::OrderChanged,
        Self::Changed,
    ];

    /// The stable `snake_case` word.
    pub fn word(self) -> &'static str {
        self.facts().0
    }

    /// How much it asks for a closer look.
    pub fn risk(self) -> Risk {
        self.facts().1
    }

    /// What it means, without any text of a server.
    pub fn meaning(self) -> &'static str {
        self.facts().2
    }

    fn facts(self) -> (&'static str, Risk, &'static str) {
        use Risk::{High, Low, None};
        match self {
            Self::Directive => ("directive", High, "new text that tells the reader what to do"),
            Self::HiddenCharacters => ("hidden_characters", High, "new characters that nobody sees"),
            Self::LookAlike => ("look_alike", High, "a new word of letters that look like others"),
            Self::NewAddress => ("new_address", High, "a new web address, mail address or path"),
            Self::NewIdentifier => ("new_identifier", Low, "a new word that looks like the name of a tool"),
            Self::ParameterAdded => ("parameter_added", High, "a new parameter"),
            Self::ParameterRemoved => ("parameter_removed", Low, "a parameter is gone"),
            Self::NewlyRequired => ("newly_required", High, "a parameter must now be given"),
            Self::NoLongerRequired => ("no_longer_required", Low, "a parameter need not be given any more"),
            Self::WiderValues => ("wider_values", High, "more values are allowed"),
            Self::NarrowerValues => ("narrower_values", Low, "fewer values are allowed"),
            Self::WiderType => ("wider_type", High, "more types are allowed"),
            Self::NarrowerType => ("narrower_type", Low, "fewer types are allowed"),
            Self::TypeChanged => ("type_changed", High, "another type is asked for"),
            Self::ConstraintDropped => ("constraint_dropped", High, "a limit on arguments is gone or looser"),
            Self::ConstraintTightened => {
                ("constraint_tightened", Low, "a limit on arguments is new or tighter")
            }
            Self::ConstraintChanged => ("constraint_changed", High, "a limit on arguments is another one"),
            Self::DefaultChanged => ("default_changed", High, "another default value"),
            Self::ConstantChanged => ("constant_changed", High, "another value that must be given"),
            Self::ExamplesChanged => ("examples_changed", Low, "other examples"),
            Self::ReferenceChanged => ("reference_changed", High, "the schema refers to something else"),
            Self::HeaderChanged => {
                ("header_changed", High, "which argument is repeated in an HTTP header is different")
            }
            Self::Renamed => ("renamed", Low, "another name"),
            Self::TextChanged => ("text_changed", Low, "another description"),
            Self::TitleChanged => ("title_changed", None, "another title"),
            Self::HintFlipped => {
                ("hint_flipped", High, "the server says something else of how dangerous it is")
            }
            Self::HintStated => {
                ("hint_stated", Low, "a hint says what is assumed without it, or no longer does")
            }
            Self::OutputChanged => ("output_changed", Low, "results have another form"),
            Self::HostChanged => ("host_changed", High, "an address at another host"),
            Self::IconsChanged => ("icons_changed", Low, "other icons from the same hosts"),
            Self::MetaChanged => ("meta_changed", Low, "other `_meta`"),
            Self::ExecutionChanged => ("execution_changed", Low, "it is to be run in another way"),
            Self::IdentityChanged => ("identity_changed", High, "the server calls itself something else"),
            Self::OrderChanged => ("order_changed", None, "the same in another order"),
            Self::Changed => ("changed", Low, "something else is different"),
        }
    }
}
