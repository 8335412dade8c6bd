//! What is done with what is found, as the operator wants it.

use std::collections::BTreeSet;
use std::sync::Arc;

use lockgate_detect::Level;
use lockgate_detect::class::DataClass;
use lockgate_detect::code::Program;
use lockgate_detect::indicators::Indicators;
use lockgate_detect::injection::atr::Imported;
use lockgate_model::{Reason, ToolName, UnixMillis};
use lockgate_policy::Pattern;

/// A sort of thing that is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// Text that people do not see and models read.
    Hidden,
    /// Text that gives orders to a model.
    Injection,
    /// A credential.
    Secret,
    /// Personal data.
    Personal,
    /// A pattern of an attack on what is behind a tool.
    Attack,
    /// Program code that is not allowed.
    Code,
    /// Something that the operator's lists of indicators of compromise name.
    Indicator,
}

impl Sort {
    /// Every sort.
    pub const ALL: [Self; 7] = [
        Self::Hidden,
        Self::Injection,
        Self::Secret,
        Self::Personal,
        Self::Attack,
        Self::Code,
        Self::Indicator,
    ];

    /// The word for it in the configuration and in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hidden => "hidden",
            Self::Injection => "injection",
            Self::Secret => "secrets",
            Self::Personal => "personal",
            Self::Attack => "attacks",
            Self::Code => "code",
            Self::Indicator => "indicators",
        }
    }

    /// Why a message is stopped in which it is found.
    pub(crate) fn reason(self) -> Reason {
        match self {
            Self::Hidden => Reason::HiddenText,
            Self::Injection => Reason::PromptInjection,
            Self::Secret => Reason::SecretInArguments,
            Self::Personal => Reason::PersonalData,
            Self::Attack => Reason::AttackPattern,
            Self::Code => Reason::CodeRefused,
            Self::Indicator => Reason::IndicatorFound,
        }
    }
}

/// What is done with what is found. Ordered: of two, the later takes more away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Handling {
    /// Nothing, and nobody is told.
    #[default]
    Off,
    /// It is written down.
    Flag,
    /// A part of it is shown.
    Mask,
    /// Something stands for it that some servers get back as what it was.
    Tokenise,
    /// It is taken out.
    Redact,
    /// A person is asked.
    Ask,
    /// The message does not pass.
    Deny,
}

impl Handling {
    /// Every handling, the mildest first.
    pub const ALL: [Self; 7] =
        [Self::Off, Self::Flag, Self::Mask, Self::Tokenise, Self::Redact, Self::Ask, Self::Deny];

    /// The word for it in the configuration and in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Flag => "flag",
            Self::Mask => "mask",
            Self::Tokenise => "tokenise",
            Self::Redact => "redact",
            Self::Ask => "ask",
            Self::Deny => "deny",
        }
    }

    /// Does it change the text?
    pub fn rewrites(self) -> bool {
        matches!(self, Self::Mask | Self::Tokenise | Self::Redact)
    }
}

/// What is done with a sort of thing, by how bad it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByLevel {
    /// With what must not pass, and with what has no level.
    pub block: Handling,
    /// With what a person should look at.
    pub review: Handling,
}

impl ByLevel {
    /// This at level block; what is only for review is written down at most.
    pub fn at_block(block: Handling) -> Self {
        Self { block, review: block.min(Handling::Flag) }
    }

    fn of(self, level: Level) -> Handling {
        match level {
            Level::None => Handling::Off,
            Level::Review => self.review,
            Level::Block => self.block,
        }
    }
}

/// What is done with a message for the classes of data in it: [`Handling::Off`], [`Handling::Flag`], [`Handling::Ask`] or
/// [`Handling::Deny`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByClass([Handling; DataClass::ALL.len()]);

impl ByClass {
    /// What holds where the operator says nothing: texts that say of themselves how confidential they are count as that.
    pub fn usual() -> Self {
        use DataClass::{Confidential, ExportControl, Internal, Legal, Restricted};
        let mut usual = Self::default();
        for class in [Internal, Confidential, Restricted, Legal, ExportControl] {
            usual.set(class, Handling::Flag);
        }
        usual
    }

    /// What is done for this class.
    pub fn of(&self, class: DataClass) -> Handling {
        self.0.get(class as usize).copied().unwrap_or_default()
    }

    /// Says what is done for this class.
    pub fn set(&mut self, class: DataClass, handling: Handling) {
        if let Some(known) = self.0.get_mut(class as usize) {
            *known = handling;
        }
    }

    /// Does any class count?
    pub(crate) fn is_off(&self) -> bool {
        self.0.iter().all(|handling| *handling == Handling::Off)
    }
}

/// What is done with each sort of thing in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handlings {
    /// [`Sort::Hidden`]
    pub hidden: ByLevel,
    /// [`Sort::Injection`]
    pub injection: ByLevel,
    /// [`Sort::Secret`]; in results it is [`crate::Secrets`] that counts.
    pub secrets: ByLevel,
    /// [`Sort::Personal`]
    pub personal: ByLevel,
    /// [`Sort::Attack`]; in arguments only.
    pub attacks: ByLevel,
    /// [`Sort::Code`]; in arguments only.
    pub code: ByLevel,
    /// [`Sort::Indicator`]
    pub indicators: ByLevel,
    /// The classes of data.
    pub classes: ByClass,
}

impl Handlings {
    /// What holds for results where the operator says nothing.
    pub fn of_results() -> Self {
        Self {
            hidden: ByLevel::at_block(Handling::Redact),
            injection: ByLevel::at_block(Handling::Redact),
            indicators: ByLevel::at_block(Handling::Flag),
            classes: ByClass::usual(),
            ..Self::default()
        }
    }

    /// What holds for arguments where the operator says nothing.
    pub fn of_arguments() -> Self {
        Self {
            hidden: ByLevel::at_block(Handling::Flag),
            injection: ByLevel::at_block(Handling::Flag),
            secrets: ByLevel::at_block(Handling::Ask),
            attacks: ByLevel::at_block(Handling::Deny),
            code: ByLevel::at_block(Handling::Flag),
            indicators: ByLevel::at_block(Handling::Deny),
            classes: ByClass::usual(),
            ..Self::default()
        }
    }

    /// All of a sort.
    pub fn sort(&self, sort: Sort) -> ByLevel {
        match sort {
            Sort::Hidden => self.hidden,
            Sort::Injection => self.injection,
            Sort::Secret => self.secrets,
            Sort::Personal => self.personal,
            Sort::Attack => self.attacks,
            Sort::Code => self.code,
            Sort::Indicator => self.indicators,
        }
    }

    /// The same, to be changed.
    pub fn sort_mut(&mut self, sort: Sort) -> &mut ByLevel {
        match sort {
            Sort::Hidden => &mut self.hidden,
            Sort::Injection => &mut self.injection,
            Sort::Secret => &mut self.secrets,
            Sort::Personal => &mut self.personal,
            Sort::Attack => &mut self.attacks,
            Sort::Code => &mut self.code,
            Sort::Indicator => &mut self.indicators,
        }
    }

    pub(crate) fn of(&self, sort: Sort, level: Level) -> Handling {
        self.sort(sort).of(level)
    }

    /// Is nothing looked for?
    pub(crate) fn are_off(&self) -> bool {
        self.classes.is_off() && Sort::ALL.iter().all(|sort| self.sort(*sort) == ByLevel::default())
    }
}

/// A rule whose findings do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// The rule's name; one that ends in `*` stands for all that begin so.
    pub rule: String,
    /// From then on it counts again; none for never. Milliseconds since 1970.
    pub until: Option<UnixMillis>,
}

impl Suppression {
    fn holds(&self, rule: &str, now: UnixMillis) -> bool {
        let named =
            self.rule.strip_suffix('*').map_or(self.rule == rule, |beginning| rule.starts_with(beginning));
        named && self.until.is_none_or(|until| now.0 < until.0)
    }
}

/// An argument that is a program, by the operator's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeArgument {
    /// The tools that have it.
    pub tool: Pattern,
    /// Its name, at the top of the arguments. What is inside of it is a program too.
    pub argument: String,
    /// What is known of it, and what it may do.
    pub program: Program,
}

/// What was read from files of the operator's, where there are any. What was read once is the same.
#[derive(Debug)]
pub struct Shared<T>(pub Option<Arc<T>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(own), Some(others)) => Arc::ptr_eq(own, others),
            (own, others) => own.is_none() && others.is_none(),
        }
    }
}

impl<T> Eq for Shared<T> {}

/// A field whose values are of a class, by the operator's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassifiedField {
    /// The tools; none for every one, and for whatever else the server says.
    pub tool: Option<Pattern>,
    /// What the field is called, anywhere in arguments and results. What is inside of it is of that class too.
    pub field: Pattern,
    /// The class.
    pub class: DataClass,
}

/// What is looked for in what goes to one server and comes from it.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the configuration")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detect {
    /// In what it returns and says unasked.
    pub results: Handlings,
    /// In what is sent to it.
    pub arguments: Handlings,
    /// The sorts of personal data that count, by their names; none for all.
    pub entities: Option<BTreeSet<String>>,
    /// Rules that do not count.
    pub suppressed: Vec<Suppression>,
    /// Arguments that are programs, beside those that are called so; the first that fits counts.
    pub code: Vec<CodeArgument>,
    /// Fields whose class is known.
    pub fields: Vec<ClassifiedField>,
    /// Indicators of compromise; none where the operator has no lists.
    pub indicators: Shared<Indicators>,
    /// Rules of others; none where the operator has none.
    pub rules: Shared<Imported>,
    /// Are texts of its results marked as what outsiders wrote? Default false.
    pub marks: bool,
    /// Most parts of one result. Default 10 000; then `output_too_large`.
    pub most_parts: usize,
    /// Types of files that may be in its results, as `image/png` or `text/*`; none for every type. Others: `media_refused`.
    pub types: Option<Vec<String>>,
    /// Most bytes of one file in a result, out of base64. Default 16 MiB; then `media_refused`.
    pub most_media_bytes: usize,
    /// What is done with what stands in pictures and sound beside what is seen and heard, where it gives no orders:
    /// [`Handling::Off`], [`Handling::Flag`] or [`Handling::Redact`]. Default off.
    pub metadata: Handling,
    /// Is HTML left with nothing in it but what can be read? Default false.
    pub sanitises: bool,
    /// Are members of `_meta` taken out that the protocol does not define? Default false.
    pub strips_meta: bool,
    /// Does the agent get nothing of what the server says in `instructions`? Default false.
    pub strips_instructions: bool,
}

impl Default for Detect {
    fn default() -> Self {
        Self {
            results: Handlings::of_results(),
            arguments: Handlings::of_arguments(),
            entities: None,
            suppressed: Vec::new(),
            code: Vec::new(),
            fields: Vec::new(),
            indicators: Shared::default(),
            rules: Shared::default(),
            marks: false,
            most_parts: 10_000,
            types: None,
            most_media_bytes: 16 * 1024 * 1024,
            metadata: Handling::Off,
            sanitises: false,
            strips_meta: false,
            strips_instructions: false,
        }
    }
}

impl Detect {
    /// Nothing is looked for but secrets in results.
    pub fn off() -> Self {
        Self { results: Handlings::default(), arguments: Handlings::default(), ..Self::default() }
    }

    /// What is known of the argument, where the operator says that it is a program.
    pub(crate) fn program(&self, tool: &ToolName, argument: &str) -> Option<&Program> {
        let named = |code: &&CodeArgument| code.argument == argument && code.tool.matches(tool.as_str());
        self.code.iter().find(named).map(|code| &code.program)
    }

    /// The classes of a field of that name, by the operator's word.
    pub(crate) fn classes_of(&self, tool: Option<&ToolName>, field: &str) -> impl Iterator<Item = DataClass> {
        let named = move |known: &&ClassifiedField| {
            let fits = |pattern: &Pattern| tool.is_some_and(|tool| pattern.matches(tool.as_str()));
            known.field.matches(field) && known.tool.as_ref().is_none_or(fits)
        };
        self.fields.iter().filter(named).map(|known| known.class)
    }

    pub(crate) fn suppresses(&self, rule: &str, now: UnixMillis) -> bool {
        self.suppressed.iter().any(|suppression| suppression.holds(rule, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suppression_ends() {
        let of = |rule: &str, until| Suppression { rule: rule.to_owned(), until };
        let cases = [
            (of("conceals", None), "conceals", true),
            (of("conceals", None), "conceals_from_user", false),
            (of("conceals*", None), "conceals_from_user", true),
            (of("*", None), "anything", true),
            (of("conceals", Some(UnixMillis(11))), "conceals", true),
            (of("conceals", Some(UnixMillis(10))), "conceals", false),
        ];
        for (suppression, rule, expected) in cases {
            assert_eq!(suppression.holds(rule, UnixMillis(10)), expected, "{suppression:?} {rule}");
        }
    }

    #[test]
    fn what_is_for_review_is_flagged_at_most() {
        for block in Handling::ALL {
            let by_level = ByLevel::at_block(block);
            assert_eq!(by_level.of(Level::Block), block);
            assert_eq!(by_level.of(Level::Review), block.min(Handling::Flag));
            assert_eq!(by_level.of(Level::None), Handling::Off);
        }
    }
}
