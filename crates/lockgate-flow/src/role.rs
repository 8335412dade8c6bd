//! What an argument means. Inferred from its name, its schema and what the tool does; what a server writes in a schema
//! may make an argument matter more, never less.

use std::collections::BTreeMap;

use lockgate_model::{Effect, Json};

use crate::effect::{deciding, words};
use crate::list::{listed, lists};

/// What an argument decides. A chain by what is asked of its values, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// What is looked for: the argument of a tool that reads.
    Query,
    /// How much, when, how: the matter of limits and rules, not of origins.
    Amount,
    /// What is written or sent. Links and addresses inside it count.
    Payload,
    /// Where something is read from: whoever reads an address speaks to it too.
    Source,
    /// Which object of the server: an id, a path, a name.
    Selector,
    /// Who or what gets it: an address, an account, a channel, a link.
    Destination,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Query, Self::Amount, Self::Payload, Self::Source, Self::Selector, Self::Destination];

    /// The word used in the configuration, in records and in refusals.
    pub fn word(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Amount => "amount",
            Self::Payload => "payload",
            Self::Source => "source",
            Self::Selector => "selector",
            Self::Destination => "destination",
        }
    }

    /// The word in the name of an argument that speaks for this role; none where it was seen by something else: by the
    /// schema, or by what the tool does.
    pub fn seen_by(self, argument: &str) -> Option<&'static str> {
        let lists: &[&'static str] = match self {
            Self::Query => &[],
            Self::Amount => &[AMOUNTS, DISCOUNTS],
            Self::Payload => &[PAYLOADS, PATHS],
            Self::Source => &[LINKS],
            Self::Selector => &[SELECTORS, PATHS],
            Self::Destination => &[DESTINATIONS],
        };
        words(argument).iter().rev().find_map(|word| lists.iter().find_map(|list| listed(list, word)))
    }

    /// Are its values graded?
    pub fn has_authority(self) -> bool {
        matches!(self, Self::Selector | Self::Destination)
    }
}

/// Words for people and places that something goes to.
const DESTINATIONS: &str = "\
    to cc bcc recipient recipients receiver receivers email emails address addresses addressee user users \
    username usernames handle channel channels participant participants attendee attendees invitee invitees \
    guest guests host hostname domain iban bic swift account accounts payee beneficiary destination member \
    members group groups team phone mobile repo repository owner assignee assignees reviewer reviewers \
    collaborator collaborators room wallet mailbox inbox bucket server remote url urls uri uris link links href \
    endpoint webhook callback website webpage target contact contacts";

/// Words for places on the web: whoever reads one speaks to it too.
const LINKS: &str = "url urls uri uris link links href endpoint webhook callback website webpage";

/// Last words of names that point at one object of the server.
const SELECTORS: &str = "id ids uuid uuids guid guids index num number numbers identifier identifiers";

/// Last words of names of how much, when and how.
const AMOUNTS: &str = "\
    amount price quantity qty count limit offset size max min start end date dates day days time times datetime \
    timestamp month year hour minute duration timeout interval recurring frequency priority status state type \
    kind format mode level order currency language locale timezone color colour width height depth rating \
    percent percentage permission permissions role force overwrite recursive n";

/// Words for what only lowers a price.
const DISCOUNTS: &str = "discount coupon promo voucher";

/// Words of what is written or said, and of what counts for a payload though it names a place on a disk.
const PAYLOADS: &str = "\
    body content contents text message messages description subject title note notes comment comments summary \
    reason memo detail details caption html markdown data value values input inputs reply signature remark \
    remarks attachment attachments";

/// Verbs of tools that write down what they get from elsewhere.
const FETCHES: &str = "clone pull sync import fork copy";

/// Words for whom something goes to, whatever else the tool does.
const RECEIVERS: &str = "to cc bcc recipient recipients receiver receivers destination";

/// Verbs of tools that mark what is there.
const MARKS: &str =
    "star unstar like unlike follow unfollow watch unwatch bookmark favorite pin unpin mark unmark";

/// Words for places on a disk.
const PATHS: &str = "path paths file files filename filepath folder dir directory directories";

/// Phrases in a description that say what kind of value is wanted.
const ADDRESSED: [&str; 6] =
    ["email address", "e-mail address", "iban", "phone number", "wallet address", "account number"];

/// What the name of an argument says; nothing where it says nothing.
fn by_name(name: &str, effect: Effect) -> Option<Role> {
    let words = words(name);
    let last = words.last()?;
    let any = |list: &'static str| words.iter().any(|word| lists(list, word));
    if effect == Effect::Read {
        return any(LINKS).then_some(Role::Source);
    }
    // `phone_number` and `account_number` are addresses, `issue_number` is not.
    let numbered = words.len() > 1 && matches!(last.as_str(), "number" | "numbers" | "num");
    let addressed = any(DESTINATIONS) && !lists(SELECTORS, last) && !lists(AMOUNTS, last);
    if any(PATHS) && !any(LINKS) {
        return Some(if effect >= Effect::Commit { Role::Selector } else { Role::Payload });
    }
    if addressed || numbered && any("account phone card mobile bank iban") {
        return Some(Role::Destination);
    }
    if lists(SELECTORS, last) {
        return Some(Role::Selector);
    }
    if lists(AMOUNTS, last) || any(DISCOUNTS) {
        return Some(Role::Amount);
    }
    any(PAYLOADS).then_some(Role::Payload)
}

/// What the schema says of an argument.
fn kind(name: &str, property: Json<'_>) -> Kind {
    let text = |key: &str| property.get(key).and_then(Json::text);
    // An argument that can only be one of a few values is no place for somebody else's.
    let closed = ["enum", "const"].iter().any(|key| property.get(key).is_some());
    if closed || text("type").as_deref() == Some("boolean") {
        return Kind::Closed;
    }
    let format = text("format").or_else(|| property.get("items")?.get("format")?.text());
    match format.as_deref() {
        Some("uri" | "url" | "iri" | "uri-reference") => return Kind::Address { link: true },
        Some("email" | "idn-email" | "hostname" | "idn-hostname" | "ipv4" | "ipv6") => {
            return Kind::Address { link: false };
        }
        _ => {}
    }
    let said = text("description").unwrap_or_default().to_ascii_lowercase();
    let prose = words(name).iter().any(|word| lists(PAYLOADS, word));
    let addressed = !prose && ADDRESSED.iter().any(|phrase| said.contains(phrase));
    if addressed { Kind::Address { link: false } } else { Kind::Free }
}

fn by_kind(kind: Kind, effect: Effect) -> Option<Role> {
    match kind {
        Kind::Address { link: true } if effect == Effect::Read => Some(Role::Source),
        Kind::Address { .. } if effect > Effect::Read => Some(Role::Destination),
        Kind::Address { .. } | Kind::Free | Kind::Closed => None,
    }
}

/// What an argument means whose name and schema say nothing. What spends, grants or deletes is told by each of them whom
/// or what it is about.
fn usual(effect: Effect) -> Role {
    match effect {
        Effect::Read => Role::Query,
        Effect::Write | Effect::Egress => Role::Payload,
        Effect::Commit | Effect::Grant | Effect::Destructive => Role::Destination,
    }
}

fn is_receiver(name: &str) -> bool {
    words(name).iter().any(|word| lists(RECEIVERS, word))
}

fn is_link(name: &str) -> bool {
    words(name).iter().any(|word| lists(LINKS, word))
}

/// Does the argument say where on a disk?
pub(crate) fn is_path(name: &str) -> bool {
    words(name).iter().any(|word| lists(PATHS, word))
}

/// Does a tool with such an argument speak to people or places outside, whatever its verb? The word it is seen by.
pub(crate) fn reaches(words: &[String]) -> Option<&'static str> {
    const OUTSIDE: &str = "\
        recipient recipients cc bcc url urls webhook";
    words.iter().find_map(|word| listed(OUTSIDE, word))
}

/// What each argument of a tool means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    named: BTreeMap<String, Role>,
}

/// What a schema says of each argument beside its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    named: BTreeMap<String, Kind>,
}

/// What kind of value an argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Anything.
    Free,
    /// An address or a link, by its format or its description.
    Address { link: bool },
    /// One of a few values.
    Closed,
}

impl Properties {
    /// Reads the properties of a tool's input schema. O(length of the schema).
    pub fn read(schema: Json<'_>) -> Self {
        let properties = schema.get("properties").into_iter().flat_map(Json::members);
        Self {
            named: properties
                .map(|(name, property)| (name.text().into_owned(), kind(&name.text(), property)))
                .collect(),
        }
    }

    /// What the arguments of a tool mean that has this name and effect.
    pub fn roles(&self, tool: &str, effect: Effect) -> Roles {
        Roles::read(tool, self, effect)
    }
}

impl Roles {
    fn read(tool: &str, properties: &Properties, effect: Effect) -> Self {
        let mut named = BTreeMap::new();
        for (name, kind) in &properties.named {
            let role = by_name(name, effect).max(by_kind(*kind, effect)).unwrap_or(usual(effect));
            let role = if *kind == Kind::Closed { role.min(Role::Amount) } else { role };
            named.insert(name.clone(), role);
        }
        let verb = deciding(&words(tool)).next().map(str::to_owned).unwrap_or_default();
        let linked = named.iter().any(|(name, role)| *role == Role::Destination && is_link(name));
        for (name, role) in &mut named {
            *role = match *role {
                // A tool that fetches is told where from, though it writes down what it gets.
                Role::Destination
                    if effect == Effect::Write && lists(FETCHES, &verb) && !is_receiver(name) =>
                {
                    Role::Source
                }
                // A mark on somebody's thing tells nobody anything.
                Role::Destination if effect == Effect::Write && lists(MARKS, &verb) => Role::Payload,
                // What stands on the page of a link is no object of the server.
                Role::Selector if linked => Role::Payload,
                role @ (Role::Query
                | Role::Amount
                | Role::Payload
                | Role::Source
                | Role::Selector
                | Role::Destination) => role,
            };
        }
        Self { named }
    }

    /// The operator's word on one argument.
    pub fn say(&mut self, argument: &str, role: Role) {
        self.named.insert(argument.to_owned(), role);
    }

    /// What the argument of this name means, where it stands at the top of the arguments.
    pub fn of(&self, argument: &str, effect: Effect) -> Role {
        let known = self.named.get(argument).copied();
        known.unwrap_or_else(|| by_name(argument, effect).unwrap_or(usual(effect)))
    }

    /// What a value inside an argument means: what the argument means, or more where its own name says so.
    pub(crate) fn inside(&self, argument: &str, name: &str, effect: Effect) -> Role {
        let whole = self.of(argument, effect);
        if name == argument { whole } else { by_name(name, effect).map_or(whole, |own| whole.max(own)) }
    }

    /// The arguments with their roles, in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Role)> {
        self.named.iter().map(|(name, role)| (name.as_str(), *role))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_that_speaks_for_a_role() {
        for (role, argument, word) in [
            (Role::Destination, "recipientEmail", Some("email")),
            (Role::Destination, "to", Some("to")),
            (Role::Destination, "whom", None),
            (Role::Selector, "issue_id", Some("id")),
            (Role::Amount, "coupon_code", Some("coupon")),
            (Role::Query, "query", None),
        ] {
            assert_eq!(role.seen_by(argument), word, "{argument}");
        }
    }
}
