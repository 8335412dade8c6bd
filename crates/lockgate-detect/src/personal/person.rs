//! Names of people, as far as rules reach: behind a title, a greeting, or the name of a field.

use std::ops::Range;

use super::entity::Entity;
use super::found::Found;
use crate::Sure;
use crate::clues::Clues;

/// What stands right before a name.
const TITLES: [&str; 40] = [
    "Mr. ",
    "Mr ",
    "Mrs. ",
    "Mrs ",
    "Ms. ",
    "Ms ",
    "Miss ",
    "Dr. ",
    "Prof. ",
    "Professor ",
    "Herr ",
    "Herrn ",
    "Frau ",
    "Monsieur ",
    "Madame ",
    "Mme ",
    "Mlle ",
    "Señor ",
    "Señora ",
    "Sra. ",
    "Sr. ",
    "Signor ",
    "Signora ",
    "Sig.ra ",
    "Dott. ",
    "Senhor ",
    "Senhora ",
    "Meneer ",
    "Mevrouw ",
    "Dhr. ",
    "Mw. ",
    "my name is ",
    "My name is ",
    "ein Name ist ",
    "'appelle ",
    "e llamo ",
    "i chiamo ",
    "ijn naam is ",
    "Dear ",
    "我叫",
];
/// What may be the name of a field, or its end.
const FIELDS: [&str; 11] =
    ["name", "Name", "NAME", "nom", "Nom", "ombre", "姓名", "氏名", "名前", "이름", "성명"];
/// Names of fields, without marks and in small letters, that hold the name of somebody.
const NAMED: [&str; 44] = [
    "firstname",
    "lastname",
    "fullname",
    "surname",
    "givenname",
    "familyname",
    "middlename",
    "maidenname",
    "forename",
    "legalname",
    "customername",
    "clientname",
    "patientname",
    "contactname",
    "cardholdername",
    "accountholdername",
    "holdername",
    "employeename",
    "recipientname",
    "sendername",
    "beneficiaryname",
    "guestname",
    "passengername",
    "billingname",
    "shippingname",
    "personname",
    "candidatename",
    "studentname",
    "doctorname",
    "membername",
    "applicantname",
    "nameoncard",
    "vorname",
    "nachname",
    "familienname",
    "nomdefamille",
    "prenom",
    "prénom",
    "nombrecompleto",
    "nomecompleto",
    "姓名",
    "氏名",
    "名前",
    "이름",
];
/// What begins with a capital behind a title or greeting and is no name.
pub(super) const OTHERS: [&str; 49] = [
    "President",
    "Speaker",
    "Chairman",
    "Secretary",
    "Minister",
    "Sir",
    "Madam",
    "All",
    "Team",
    "Customer",
    "Customers",
    "Colleague",
    "Colleagues",
    "User",
    "Users",
    "Friend",
    "Friends",
    "Valued",
    "Sirs",
    "Mr",
    "Mrs",
    "Ms",
    "Dr",
    "Miss",
    "Hiring",
    "Support",
    "Manager",
    "Reader",
    "Readers",
    "Editor",
    "Applicant",
    "Candidate",
    "Partner",
    "Member",
    "Members",
    "Students",
    "Parents",
    "Everyone",
    "Doktor",
    "Professor",
    "Bean",
    "Robot",
    "Diary",
    "God",
    "Maintainers",
    "Contributors",
    "Developers",
    "Authors",
    "Bot",
];
/// Small words inside of a name.
const BETWEEN: [&str; 22] = [
    "van", "von", "de", "del", "della", "der", "den", "di", "da", "do", "dos", "du", "la", "le", "bin",
    "ibn", "al", "el", "ten", "ter", "zu", "y",
];
/// Most words of a name, and most bytes of one.
const WORDS: usize = 5;
const LONGEST: usize = 64;

/// No title with a name behind it is shorter, nor any field with its value. Bytes.
pub(crate) const SHORTEST: usize = 5;

/// Finds what stands before names.
#[derive(Debug)]
pub(super) struct People(Clues);

impl People {
    pub(super) fn new() -> Option<Self> {
        Clues::new(&before_names().collect::<Vec<_>>()).map(Self)
    }

    /// Bytes that it takes.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.0.memory()
    }

    pub(super) fn read(&self, text: &str) -> Names {
        let mut names = Names::default();
        if text.len() >= SHORTEST {
            self.0.each(text, |word, at| {
                names.meet(text, word, &at);
                true
            });
        }
        names
    }
}

/// What stands before names: by their numbers.
pub(crate) fn before_names() -> impl Iterator<Item = &'static str> {
    TITLES.into_iter().chain(FIELDS)
}

/// The names of a text.
#[derive(Debug, Default)]
pub(crate) struct Names(Vec<Range<usize>>);

impl Names {
    /// One of [`before_names`] stands there: by where they begin.
    pub(crate) fn meet(&mut self, text: &str, word: usize, at: &Range<usize>) {
        if self.0.last().is_some_and(|last| at.start < last.end) {
            return;
        }
        self.0.extend(match TITLES.get(word) {
            Some(title) => titled(text, at, title),
            None => field(text, at),
        });
    }

    pub(super) fn put(self, found: &mut Found<'_>) {
        self.0.into_iter().for_each(|span| found.push(Entity::Person, span, Sure::Likely));
    }
}

/// Whether this is a word of a name: one capital, and small letters behind it.
pub(super) fn is_name(word: &str) -> bool {
    let mut letters = word.chars();
    let first = letters.next().is_some_and(char::is_uppercase);
    let rest = letters.as_str();
    let inner = rest.chars().all(|letter| letter.is_alphabetic() || matches!(letter, '-' | '\'' | '’'));
    let small = rest.chars().any(char::is_lowercase);
    first && (rest == "." || inner && small && word.len() <= LONGEST)
}

/// The name behind a title. A title is a word of its own.
fn titled(text: &str, at: &Range<usize>, title: &str) -> Option<Range<usize>> {
    let before = text.get(..at.start)?.chars().next_back();
    if title.starts_with(|first: char| first.is_uppercase()) && before.is_some_and(char::is_alphanumeric) {
        return None;
    }
    let rest = text.get(at.end..text.ceil_char_boundary(at.end + LONGEST))?;
    if title == "我叫" {
        let length = rest.find(|letter: char| !letter.is_alphabetic()).unwrap_or(rest.len());
        return (4..=12).contains(&length).then(|| at.end..at.end + length);
    }
    let first = rest.split(|letter: char| !letter.is_alphabetic()).next()?;
    if OTHERS.contains(&first) {
        return None;
    }
    // Whoever says `Dear` mostly says a name, but then by itself.
    let length = words(rest);
    let greeted = title != "Dear " || rest.get(length..)?.starts_with([',', ':', '\n', '!']);
    (length > 1 && greeted).then(|| at.end..at.end + length)
}

/// How long the name is that a text begins with. Bytes.
fn words(text: &str) -> usize {
    let (mut length, mut at) = (0, 0);
    for word in text.split(' ').take(WORDS) {
        let bare = word.trim_end_matches([',', '.', ';', ':', '!', '?', ')', '"', '\'', '\\', '\n', '\r']);
        let bare = bare.split(['\n', '\r', ',', ';', '<', '(', '"', '\\']).next().unwrap_or_default();
        let bare = bare.strip_suffix("'s").or_else(|| bare.strip_suffix("’s")).unwrap_or(bare);
        let initial = word.len() == 2 && is_name(word);
        if initial || is_name(bare) {
            length = at + if initial { word.len() } else { bare.len() };
        } else if !BETWEEN.contains(&word) {
            break;
        }
        if !initial && bare.len() < word.len() {
            break;
        }
        at += word.len() + 1;
    }
    length
}

/// The value of a field that holds the name of somebody.
pub(super) fn value(text: &str, found: &mut Found<'_>) {
    if text.len() <= LONGEST && is_value(text) {
        found.push(Entity::Person, 0..text.len(), Sure::Likely);
    }
}

/// Whether a field of that name holds the name of somebody.
pub(super) fn is_field(name: &str) -> bool {
    name.len() <= LONGEST && is_of_person(name)
}

fn is_of_person(name: &str) -> bool {
    let plain: String =
        name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    NAMED.iter().any(|known| plain.ends_with(known))
}

/// The value of a field whose name ends here: `"first_name": "Ada"`, `Full name: Ada Lovelace`, `<surname>Lovelace<`.
fn field(text: &str, at: &Range<usize>) -> Option<Range<usize>> {
    let is = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
    let rest = text.get(at.end..text.ceil_char_boundary(at.end + 8 + LONGEST * 2))?;
    let tail = rest.find(|letter| !is(letter)).unwrap_or(rest.len());
    let value = rest.get(tail..)?;
    let open = value.trim_start_matches(['"', '\'', '\\', '*', ' ', ']']);
    let after = open.strip_prefix([':', '=', '>', '：', '|'])?;
    let value = after.trim_start_matches([' ', '"', '\'', '\\', '*', '\t', '>']);
    let start = at.end + rest.len() - value.len();
    let quote = text.get(..start)?.chars().next_back().filter(|mark| matches!(mark, '"' | '\''));
    let length = if let Some(quote) = quote {
        value.find([quote, '\\', '\n']).filter(|end| is_value(value.get(..*end).unwrap_or_default()))?
    } else {
        words(value).max(wide(value))
    };
    // What is the name of a member itself is nobody's.
    let key = value.get(length..)?.trim_start_matches(['"', '\'', '\\']).trim_start().starts_with(':')
        && quote.is_some();
    if length < 2 || key {
        return None;
    }
    let before = text.get(text.floor_char_boundary(at.start.saturating_sub(LONGEST))..at.start)?;
    let head = before
        .rfind(|letter: char| !is(letter) && letter != ' ')
        .map_or(before, |last| before.get(last..).unwrap_or_default());
    // At most two words before the last: `name of patient` is none, `Full name` and `Patient Name` are.
    let head: Vec<&str> = head.rsplit(' ').take(3).collect();
    let head: String = head.into_iter().rev().collect();
    let field = format!("{head}{}{}", text.get(at.clone())?, rest.get(..tail)?);
    is_of_person(&field).then(|| start..start + length)
}

/// How long the name of a script without capitals is. Bytes.
fn wide(text: &str) -> usize {
    let is = |letter: char| letter.is_alphabetic() && !letter.is_lowercase() && !letter.is_uppercase();
    let length = text.find(|letter| !is(letter)).unwrap_or(text.len());
    // One letter alone is what a mask leaves.
    if (4..=LONGEST).contains(&length) { length } else { 0 }
}

/// Whether a whole value may be a name.
fn is_value(value: &str) -> bool {
    let letters = value
        .chars()
        .all(|letter| letter.is_alphabetic() || matches!(letter, ' ' | '.' | '-' | '\'' | '’' | ','));
    let words = [
        "string", "name", "null", "none", "true", "false", "unknown", "test", "first", "last", "user", "text",
    ];
    let lower = value.to_lowercase();
    letters
        && value.chars().count() > 1
        && value.split(' ').count() <= WORDS
        && !words.iter().any(|word| lower.split(' ').any(|part| part == *word))
}
