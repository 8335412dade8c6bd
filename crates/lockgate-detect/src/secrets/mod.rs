//! Credentials in a text: keys, tokens, passwords.
//!
//! They are found by their own form (`tokens.rules`), by the name of a value (`name.rs`, `named.rules`), or by what they stand
//! in: an address, a header, a block of PEM. Examples and placeholders are left alone.
//!
//! This finds what was left lying about. It does not stop who wants to hide something: what is encoded, split or spelled in
//! another way is not found.

mod assignment;
mod beside;
mod check;
mod found;
mod header;
mod jwt;
mod name;
mod pem;
mod tokens;
mod url;
mod value;

use std::ops::Range;

use self::assignment::Assignment;
use self::beside::Named;
use self::found::Found;
#[cfg(test)]
pub(crate) use self::tokens::NAMED;
pub(crate) use self::tokens::TOKENS;
use self::tokens::{BadRules, Rule, Tokens};
pub use crate::Sure;
use crate::clues::Clues;
use crate::personal::{SHORTEST_NAMED, before_names};
use crate::shape;

/// Most findings in one text. What comes after the last is one more, of the class [`SecretClass::Unread`].
pub const MOST: usize = 1024;

/// No token that is told by its own form is shorter. Bytes.
pub(crate) const SHORTEST_TOKEN: usize = 13;
/// No secret with what gives it away is shorter. Bytes: the password of `://:abc@d`.
const SHORTEST: usize = 9;

/// The finder. Made once and used for every text; about a millisecond to make, and less than a megabyte.
#[derive(Debug)]
pub struct Secrets(Result<Compiled, BadRules>);

/// A credential, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// The rule, as `github_pat`.
    pub kind: &'static str,
    /// What sort of secret it is.
    pub class: SecretClass,
    /// The bytes of the text that are secret; it begins and ends between characters, and is never empty.
    pub span: Range<usize>,
    /// How sure that is.
    pub sure: Sure,
}

/// Sorts of secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretClass {
    /// A key or token of some service.
    Token,
    /// A password, alone or in an address.
    Password,
    /// The private half of a pair of keys.
    PrivateKey,
    /// The password in the address of a database, or in a list of settings for one.
    ConnectionString,
    /// A signed JSON Web Token (RFC 7519).
    Jwt,
    /// An address that whoever knows it may write to.
    Webhook,
    /// Not a finding: the rest of a text that has more secrets than are counted. Treat all of it as secret.
    Unread,
}

impl Secrets {
    /// Compiles the rules.
    pub fn new() -> Self {
        Self(Compiled::new())
    }

    /// The secrets of a text, in order and not overlapping; at most [`MOST`] and a last one that stands for the rest.
    ///
    /// The time is linear in the length of the text, whatever is in it.
    pub fn find(&self, text: &str) -> Vec<Secret> {
        self.find_beside(text, |_, _| ())
    }

    /// The same, and hands over each of the words that stand before names of people: to go over a text once for both is cheaper.
    pub(crate) fn find_beside(
        &self,
        text: &str,
        before_name: impl FnMut(usize, Range<usize>),
    ) -> Vec<Secret> {
        match &self.0 {
            Ok(compiled) => compiled.find(text, before_name),
            // Who cannot look must not say that there is nothing.
            Err(_) => Found::unread(text),
        }
    }

    /// The secret that the value of a member, a column or a variable is, by what that is called: `password` and its value.
    /// Values that are secret by their own form are found by [`Secrets::find`].
    pub fn named(&self, name: &str, value: &str) -> Option<Secret> {
        // To look at a value is dearer than to see that nothing is said of it.
        let compiled = self.0.as_ref().ok().filter(|_| !name.is_empty())?;
        assignment::member(name, value).secret(value, &compiled.named)
    }

    /// Each kind that is told by its own form or by the name of a service, and what it is.
    pub fn kinds(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let rules = self.0.iter().flat_map(|compiled| compiled.tokens.0.iter().chain(compiled.named.rules()));
        rules.map(|rule| (rule.kind, rule.what))
    }
}

/// Whether a value of that name may be secret for its name alone.
pub(crate) fn may_name(name: &str) -> bool {
    name::sort(name).is_some()
}

impl Default for Secrets {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Debug)]
struct Compiled {
    tokens: Tokens,
    named: Named,
    words: Clues,
    /// What each of the words may mean.
    clues: Vec<Clue>,
}

/// What to look at where a word was seen.
#[derive(Debug, Clone, Copy)]
enum Clue {
    /// The shape of that number in the rule of that number.
    Look(usize, usize),
    Name,
    Address,
    Bearer,
    Basic,
    User,
    Pem,
    Putty,
    Jwt,
    /// The word of that number stands before the name of somebody.
    Person(usize),
}

/// Words that are in the name of a secret, in the ways that names are written.
const NAMES: [&str; 27] = [
    "secret", "Secret", "SECRET", "token", "Token", "TOKEN", "pass", "Pass", "PASS", "pwd", "Pwd", "PWD",
    "key", "Key", "KEY", "cred", "Cred", "CRED", "auth", "Auth", "AUTH", "Kennwort", "_pat", "_PAT", "-Pat",
    "-PAT", "Pat",
];
const PLACES: [(&str, Clue); 12] = [
    ("://", Clue::Address),
    ("earer ", Clue::Bearer),
    ("EARER ", Clue::Bearer),
    ("asic ", Clue::Basic),
    (" -u ", Clue::User),
    ("--user ", Clue::User),
    ("--user=", Clue::User),
    ("-----BEGIN ", Clue::Pem),
    ("Private-Lines:", Clue::Putty),
    ("eyJ", Clue::Jwt),
    ("ewogIC", Clue::Jwt),
    ("eyAi", Clue::Jwt),
];

impl Compiled {
    fn new() -> Result<Self, BadRules> {
        let (tokens, named) = (Tokens::read(TOKENS)?, Named::new()?);
        let looks = tokens.0.iter().enumerate().flat_map(|(rule, all)| {
            let looks = all.shapes.iter().enumerate();
            looks.flat_map(move |(at, look)| {
                look.clues.iter().map(move |clue| (clue.as_str(), Clue::Look(rule, at)))
            })
        });
        let places = PLACES.into_iter().chain(NAMES.into_iter().map(|name| (name, Clue::Name)));
        let people = (0..).zip(before_names()).map(|(at, word): (usize, &str)| (word, Clue::Person(at)));
        let (words, clues): (Vec<&str>, Vec<Clue>) = looks.chain(places).chain(people).unzip();
        let words = Clues::new(&words).ok_or_else(BadRules::all)?;
        Ok(Self { tokens, named, words, clues })
    }

    fn find(&self, text: &str, mut before_name: impl FnMut(usize, Range<usize>)) -> Vec<Secret> {
        let mut found = Found::new(text);
        if text.len() < SHORTEST.min(SHORTEST_NAMED) {
            return found.finish();
        }
        let mut names = Names::default();
        self.words.each(text, |word, at| {
            let clue = self.clues.get(word);
            if let Some(Clue::Person(word)) = clue {
                before_name(*word, at);
                return true;
            }
            if text.len() < SHORTEST {
                return true;
            }
            if found.is_full() {
                // What comes behind is secret, whoever it is about.
                found.close(at.start);
                return false;
            }
            let secret = match clue {
                Some(Clue::Look(rule, look)) => self.token(text, at.start, *rule, *look),
                Some(Clue::Name) => {
                    names.read(text, at).and_then(|assigned| assigned.secret(text, &self.named))
                }
                Some(Clue::Address) => url::read(text, at.start),
                Some(Clue::Bearer) => header::bearer(text, at.end),
                Some(Clue::Basic) => header::basic(text, at.end),
                Some(Clue::User) => header::user(text, at.end),
                Some(Clue::Pem) => pem::block(text, at.start),
                Some(Clue::Putty) => pem::putty(text, at.end),
                Some(Clue::Jwt) => jwt::read(text, at.start),
                Some(Clue::Person(_)) | None => None,
            };
            found.extend(secret);
            true
        });
        found.finish()
    }

    fn token(&self, text: &str, clue: usize, rule: usize, look: usize) -> Option<Secret> {
        let rule = self.tokens.0.get(rule)?;
        let look = rule.shapes.get(look)?;
        let (least, most) = look.before;
        (least..=most).find_map(|before| {
            let start = clue.checked_sub(before)?;
            let end = shape::begins(text.as_bytes(), start)
                .then(|| look.shape.end(text.as_bytes(), start))
                .flatten()?;
            let sure = rule.judge(text.get(start..end)?)?;
            Some(Secret { kind: rule.kind, class: rule.class, span: start..end, sure })
        })
    }
}

/// Where names were read, so that none is read twice, and a value full of names does not cost its length for each.
#[derive(Default)]
struct Names {
    /// The end of the last name.
    end: usize,
    /// The end of the last value that is not inside of another, and how many names were inside of it.
    value: usize,
    inside: usize,
}

impl Names {
    /// Most names inside of one value.
    const INSIDE: usize = 4;

    fn read<'t>(&mut self, text: &'t str, word: Range<usize>) -> Option<Assignment<'t>> {
        let inside = word.start < self.value;
        if word.end <= self.end || inside && self.inside >= Self::INSIDE {
            return None;
        }
        let name = assignment::name_at(text, word);
        self.end = name.end;
        let assigned = assignment::read(text, name)?;
        if inside {
            self.inside += 1;
        } else {
            (self.value, self.inside) = (assigned.span().end, 0);
        }
        Some(assigned)
    }
}

impl Rule {
    /// How sure it is that a text of the right shape is such a secret.
    fn judge(&self, text: &str) -> Option<Sure> {
        if value::entropy(text) < self.entropy || value::is_example(text) {
            return None;
        }
        self.check.ask(text, self.sure)
    }
}

impl SecretClass {
    fn read(name: &str) -> Option<Self> {
        Some(match name {
            "private_key" => Self::PrivateKey,
            "jwt" => Self::Jwt,
            "webhook" => Self::Webhook,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finder_is_small() {
        let compiled = Compiled::new().unwrap();
        assert!(compiled.words.memory() < 1 << 20, "{}", compiled.words.memory());
        let mut looks = compiled.tokens.0.iter().flat_map(|rule| &rule.shapes);
        assert!(looks.all(|look| look.shape.shortest() >= SHORTEST_TOKEN));
        assert!(Secrets::new().kinds().all(|(kind, what)| !kind.is_empty() && !what.is_empty()));
    }

    #[test]
    fn who_cannot_look_says_that_nothing_is_read() {
        let found = Secrets(Err(BadRules::all())).find("some text");
        assert_eq!((found[0].class, found[0].span.clone()), (SecretClass::Unread, 0..9));
        assert!(Secrets(Err(BadRules::all())).find("").is_empty());
    }
}
