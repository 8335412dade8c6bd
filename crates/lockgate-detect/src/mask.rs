//! Changing what was found: taking it out, or covering most of it.

use crate::personal::{Datum, Entity, MASKED};
use crate::secrets::Secret;
use crate::{MARK, redact::replace};

/// Ways to change what was found. Neither can be turned back, and no finder finds anything in what is left: to do it twice
/// changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// All of it is gone; what stands there names the entity: `[EMAIL_ADDRESS]`.
    Redact,
    /// Most of it is covered, and enough is left to tell two apart: the last four digits of a card, the first letter and the
    /// domain of an address for e-mail, the country of an account, the last two digits of a telephone number, the first letter
    /// of a name. Nothing is left of anything else.
    Cover,
}

impl Mask {
    /// What stands in place of a datum with that text.
    pub fn datum(self, entity: Entity, text: &str) -> String {
        match self {
            Self::Redact => entity.mark(),
            Self::Cover => cover(entity, text),
        }
    }

    /// The text with all of these changed. Secrets are taken out in either way: of a secret nothing may be left. Spans come as
    /// the finders give them; of two that overlap the first counts. Linear.
    pub fn text(self, text: &str, secrets: &[Secret], personal: &[Datum]) -> String {
        let mut cuts: Vec<_> = secrets.iter().map(|secret| (secret.span.clone(), MARK.to_owned())).collect();
        cuts.extend(personal.iter().map(|datum| {
            let found = text.get(datum.span.clone()).unwrap_or_default();
            (datum.span.clone(), self.datum(datum.entity, found))
        }));
        replace(text, cuts)
    }
}

fn cover(entity: Entity, text: &str) -> String {
    let stars = |kept: usize| {
        "*".repeat(text.chars().filter(|letter| letter.is_alphanumeric()).count().saturating_sub(kept).max(3))
    };
    let last = |count: usize| {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        digits.get(digits.len().saturating_sub(count)..).unwrap_or_default().to_owned()
    };
    let first = |count: usize| text.chars().take(count).collect::<String>();
    if entity == Entity::CreditCard {
        stars(4) + &last(4)
    } else if entity == Entity::PhoneNumber {
        stars(2) + &last(2)
    } else if entity == Entity::Iban {
        first(2) + &stars(2)
    } else if entity == Entity::Person {
        first(1) + MASKED
    } else if entity == Entity::EmailAddress {
        let domain = text.rsplit_once('@').map_or("", |(_, domain)| domain);
        format!("{}{MASKED}@{domain}", first(1))
    } else {
        MASKED.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_is_left_to_tell_two_apart() {
        let cases = [
            (Entity::CreditCard, "4111 1111 1111 1234", "************1234"),
            (Entity::EmailAddress, "ada.lovelace@service.test", "a***@service.test"),
            (Entity::Iban, "DE44 5001 0517 5407 3249 31", "DE********************"),
            (Entity::PhoneNumber, "+49 30 1234567", "*********67"),
            (Entity::Person, "Ada Lovelace", "A***"),
            (Entity::UsSsn, "219-09-9999", "***"),
        ];
        for (entity, text, expected) in cases {
            assert_eq!(Mask::Cover.datum(entity, text), expected);
        }
        assert_eq!(Mask::Redact.datum(Entity::UsSsn, "219-09-9999"), "[US_SSN]");
    }
}
