//! Which sorts of data are in a text: by what was found in it, and by what it says of itself.
//!
//! The words are those of compartments, so that an operator can clear a server for `personal` and not for `credential`; each
//! says how confidential it makes a text ([`DataClass::confidentiality`]), in the levels of `lockgate_model`.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use lockgate_model::Confidentiality;

use crate::Report;
use crate::personal::Entity;
use crate::words::Words;

/// What texts say of themselves.
const RULES: &str = include_str!("class.rules");

/// A sort of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DataClass {
    /// A key, token or password.
    Credential,
    /// Who somebody is, and how they are reached.
    Personal,
    /// Accounts, cards, and what somebody earns and owes.
    Financial,
    /// How somebody is, and the numbers of their insurance.
    Health,
    /// Programs.
    SourceCode,
    /// What passes between a lawyer and a client.
    Legal,
    /// What may not leave a country without leave.
    ExportControl,
    /// Marked as meant for the people of one house: `TLP:GREEN`, "internal use only".
    Internal,
    /// Marked as meant for few: "CONFIDENTIAL", `TLP:AMBER`, VS-NfD, "do not distribute".
    Confidential,
    /// Marked as meant for those who are named: `TLP:RED`, "Verschlusssache", "TOP SECRET".
    Restricted,
}

impl DataClass {
    /// Every class.
    pub const ALL: [Self; 10] = [
        Self::Credential,
        Self::Personal,
        Self::Financial,
        Self::Health,
        Self::SourceCode,
        Self::Legal,
        Self::ExportControl,
        Self::Internal,
        Self::Confidential,
        Self::Restricted,
    ];

    /// The word used in the configuration and in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Personal => "personal",
            Self::Financial => "financial",
            Self::Health => "health",
            Self::SourceCode => "source_code",
            Self::Legal => "legal",
            Self::ExportControl => "export_control",
            Self::Internal => "internal",
            Self::Confidential => "confidential",
            Self::Restricted => "restricted",
        }
    }

    /// The one of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.word() == word)
    }

    /// Is it told by what a text is about, and not by what it is marked as?
    fn is_topic(self) -> bool {
        matches!(self, Self::Health | Self::Financial | Self::SourceCode)
    }

    /// How confidential a text of this class is at least.
    pub fn confidentiality(self) -> Confidentiality {
        match self {
            Self::SourceCode | Self::Internal => Confidentiality::Internal,
            Self::Personal | Self::Financial | Self::Health | Self::Legal | Self::Confidential => {
                Confidentiality::Private
            }
            Self::Credential | Self::ExportControl | Self::Restricted => Confidentiality::Secret,
        }
    }
}

/// Tells the sorts of data. Made once and used for every text.
#[derive(Debug)]
pub struct Classes {
    /// Of classes that a text is marked with.
    marks: Option<Compiled>,
    /// Of classes that a text is about, made when the first is asked for: they have many words that are in many texts.
    topics: LazyLock<Option<Compiled>>,
}

#[derive(Debug)]
struct Compiled {
    blocks: Vec<Block>,
    words: Words,
    /// For each word the number of its block, and which phrase of it that is.
    phrases: Vec<(usize, usize)>,
}

#[derive(Debug)]
struct Block {
    class: DataClass,
    least: usize,
    personal: bool,
    phrases: usize,
}

impl Default for Classes {
    fn default() -> Self {
        Self::new()
    }
}

impl Classes {
    /// What is built in.
    pub fn new() -> Self {
        Self {
            marks: Compiled::read(RULES, |class| !class.is_topic()),
            topics: LazyLock::new(|| Compiled::read(RULES, DataClass::is_topic)),
        }
    }

    /// The sorts of data in a text, of which this was found. Linear.
    pub fn of(&self, report: &Report<'_>, text: &str) -> BTreeSet<DataClass> {
        self.among(|_| true, report, text)
    }

    /// Those of them that somebody wants to know of. The text is looked through only for what may be among them.
    pub fn among(
        &self,
        wanted: impl Fn(DataClass) -> bool,
        report: &Report<'_>,
        text: &str,
    ) -> BTreeSet<DataClass> {
        let mut classes: BTreeSet<_> =
            report.personal.iter().filter_map(|datum| class(datum.entity)).collect();
        if !report.personal.is_empty() {
            classes.insert(DataClass::Personal);
        }
        if !report.secrets.is_empty() {
            classes.insert(DataClass::Credential);
        }
        let personal = !report.personal.is_empty();
        let asked =
            |topic: bool| DataClass::ALL.iter().any(|class| class.is_topic() == topic && wanted(*class));
        let marks = asked(false).then_some(self.marks.as_ref()).flatten();
        let topics = asked(true).then(|| self.topics.as_ref()).flatten();
        for compiled in marks.into_iter().chain(topics) {
            compiled.says(text, personal, &mut classes);
        }
        classes.retain(|class| wanted(*class));
        classes
    }
}

/// What else a datum is than personal.
fn class(entity: Entity) -> Option<DataClass> {
    use Entity::{AuMedicare, CreditCard, Crypto, Iban, MedicalLicense, UkNhs, UsBankNumber};
    let financial = [CreditCard, Iban, UsBankNumber, Crypto].contains(&entity);
    let health = [UkNhs, AuMedicare, MedicalLicense].contains(&entity);
    financial.then_some(DataClass::Financial).or_else(|| health.then_some(DataClass::Health))
}

impl Compiled {
    /// The blocks of these classes.
    fn read(rules: &'static str, wanted: impl Fn(DataClass) -> bool) -> Option<Self> {
        let mut blocks: Vec<Block> = Vec::new();
        let (mut texts, mut phrases): (Vec<String>, Vec<(usize, usize)>) = (Vec::new(), Vec::new());
        for line in rules.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let Some(field) = line.strip_prefix("  ") else {
                let class = DataClass::named(line)?;
                blocks.push(Block { class, least: 1, personal: false, phrases: 0 });
                continue;
            };
            let at = blocks.len().checked_sub(1)?;
            let block = blocks.last_mut()?;
            let (name, value) = field.split_once(' ').unwrap_or((field, ""));
            match (name, value.trim_start()) {
                ("exact" | "any", "") => return None,
                ("of", number) => block.least = number.parse().ok()?,
                ("personal", "") => block.personal = true,
                ("exact", phrase) => {
                    texts.push(phrase.to_owned());
                    phrases.push((at, block.phrases));
                    block.phrases += 1;
                }
                ("any", phrase) => {
                    let cases = cases(phrase);
                    phrases.extend(cases.iter().map(|_| (at, block.phrases)));
                    texts.extend(cases);
                    block.phrases += 1;
                }
                _ => return None,
            }
        }
        // The phrases that were seen are bits of a word.
        let few = blocks.iter().all(|block| block.phrases <= 64);
        let is_wanted = |at: &usize| blocks.get(*at).is_some_and(|block| wanted(block.class));
        let (texts, phrases): (Vec<&str>, Vec<_>) =
            texts.iter().map(String::as_str).zip(phrases).filter(|(_, (at, _))| is_wanted(at)).unzip();
        let words = Words::new(&texts)?;
        few.then_some(Self { blocks, words, phrases })
    }

    fn says(&self, text: &str, personal: bool, classes: &mut BTreeSet<DataClass>) {
        let mut seen = vec![0_u64; self.blocks.len()];
        self.words.each(text, |word, span| {
            if let Some((block, phrase)) = self.phrases.get(word)
                && is_word(text, &span)
            {
                seen.get_mut(*block).into_iter().for_each(|seen| *seen |= 1 << phrase);
            }
            true
        });
        for (block, seen) in self.blocks.iter().zip(seen) {
            let enough = usize::try_from(seen.count_ones()).is_ok_and(|count| count >= block.least);
            if enough && (personal || !block.personal) {
                classes.insert(block.class);
            }
        }
    }
}

/// A phrase in small letters, in capitals, and with a capital at each word or the first.
fn cases(phrase: &str) -> BTreeSet<String> {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    let each = |mark: &str, text: &str| text.split(mark).map(capital).collect::<Vec<_>>().join(mark);
    let title = each(" ", phrase);
    BTreeSet::from([phrase.to_owned(), phrase.to_uppercase(), capital(phrase), each("-", &title), title])
}

/// Whether no letter goes on with it on either side.
fn is_word(text: &str, span: &Range<usize>) -> bool {
    let letter = |at: Option<usize>| {
        at.and_then(|at| text.as_bytes().get(at))
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    };
    let inside = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_alphanumeric);
    !(inside(span.start) && letter(span.start.checked_sub(1))
        || inside(span.end - 1) && letter(Some(span.end)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Genre, Inspector};

    fn words(text: &str) -> Vec<&'static str> {
        let report = Inspector::new();
        let report = report.text(Genre::Result, "", text);
        Classes::new().of(&report, text).into_iter().map(DataClass::word).collect()
    }

    #[test]
    fn every_line_is_read() {
        assert!(Classes::new().marks.is_some() && Classes::new().topics.is_some());
        for bad in ["gold\n", "  exact x\n", "legal\n  any\n", "legal\n  of many\n", "legal\n  colour red\n"]
        {
            assert!(Compiled::read(bad, |_| true).is_none_or(|compiled| compiled.blocks.is_empty()), "{bad}");
        }
        for class in DataClass::ALL {
            assert_eq!(DataClass::named(class.word()), Some(class));
        }
    }

    #[test]
    fn a_text_says_what_it_is() {
        let cases: &[(&str, &[&str])] = &[
            ("The weather is fine.", &[]),
            ("We keep what you say confidential and share no secret.", &[]),
            ("CONFIDENTIAL: plan for the third quarter", &["confidential"]),
            ("TLP:RED for those in the room", &["restricted"]),
            ("TLP:AMBER+STRICT", &["confidential"]),
            ("TLP:CLEAR", &[]),
            ("Für den Dienstgebrauch? Verschlusssache!", &["restricted"]),
            ("VS-NfD", &["confidential"]),
            ("Attorney-Client Privileged. Do not distribute.", &["legal", "confidential"]),
            ("For internal use", &["internal"]),
            ("These drawings are export controlled (EAR99).", &["export_control"]),
            ("write to ada@service.test", &["personal"]),
            ("pay to DE44 5001 0517 5407 3249 31", &["personal", "financial"]),
            ("The patient has a diagnosis of asthma.", &[]),
            ("Patient name: Ada Lovelace. Diagnosis: asthma.", &["personal", "health"]),
            ("pub fn main() { let mut x = 1; return }", &["source_code"]),
            ("password: Tr7!kq0zPw", &["credential"]),
        ];
        for (text, expected) in cases {
            assert_eq!(words(text), *expected, "{text}");
        }
    }
}
