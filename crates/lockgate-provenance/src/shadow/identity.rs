//! Who a server says it is, and who it is.

use std::sync::LazyLock;

use lockgate_model::Json;

use super::code::Code;
use super::index::{Index, Known};
use super::name::{Name, is_slip};

/// Words that every server calls itself by.
const COMMON: &[&str] = &[
    "mcp",
    "server",
    "servers",
    "service",
    "the",
    "official",
    "api",
    "tool",
    "tools",
    "app",
    "my",
    "fast",
    "fastmcp",
    "example",
    "demo",
    "test",
    "client",
    "connector",
    "integration",
    "for",
    "model",
    "context",
    "protocol",
];

static MAKERS: LazyLock<Vec<(&str, Vec<&str>)>> = LazyLock::new(|| {
    let lines = include_str!("makers.rules").lines().filter(|line| !line.starts_with('#'));
    let parts = lines.filter_map(|line| line.split_once(' '));
    parts.map(|(word, places)| (word, places.split_whitespace().collect())).collect()
});

/// A name by which a server calls itself, without what every server calls itself.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    /// The member of `serverInfo`.
    pub(super) member: &'static str,
    folded: String,
    looks: Vec<String>,
    words: Vec<String>,
}

impl Claim {
    /// All of them; names that say nothing are left out.
    pub(super) fn all(identity: Json<'_>) -> Vec<Self> {
        let text = |member| identity.get(member).and_then(Json::text);
        ["name", "title"].into_iter().filter_map(|member| Self::of(member, &text(member)?)).collect()
    }

    pub(super) fn of(member: &'static str, text: &str) -> Option<Self> {
        // `@maker/server`: the part behind is the name.
        let text = text.rsplit_once('/').map_or(text, |(_, name)| name);
        let words: Vec<&str> = text.split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric()).collect();
        let parts: Vec<Name> = words.into_iter().filter(|word| !word.is_empty()).map(Name::of).collect();
        let own: Vec<&Name> =
            parts.iter().filter(|name| !COMMON.contains(&name.words.concat().as_str())).collect();
        if own.is_empty() {
            return None;
        }
        let looks = |pick: fn(&Vec<String>) -> Option<&String>| {
            own.iter().filter_map(|name| pick(&name.looks)).map(String::as_str).collect::<String>()
        };
        let mut all = vec![looks(|looks| looks.first()), looks(|looks| looks.last())];
        all.dedup();
        Some(Self {
            member,
            folded: own.iter().map(|name| name.folded.as_str()).collect(),
            looks: all,
            words: own.iter().flat_map(|name| name.words.clone()).collect(),
        })
    }

    fn looks_like(&self, other: &Self) -> bool {
        self.looks.iter().any(|look| other.looks.contains(look))
    }
}

/// Something that a server says of itself and that belongs to others.
pub(super) struct Borrowed {
    pub(super) code: Code,
    /// The member of `serverInfo` that says so.
    pub(super) member: &'static str,
    pub(super) other: Option<usize>,
    /// Has the other one the older right to it: is it configured under that name, more trusted, or was it there first?
    pub(super) outranked: bool,
}

/// What the server says of itself that belongs to others.
pub(super) fn judge(index: &Index, own: Option<usize>, identity: Json<'_>) -> Vec<Borrowed> {
    let configured = own.and_then(|own| index.known(own));
    let given = configured.and_then(|known| Claim::of("name", known.name.as_str()));
    let mut found = Vec::new();
    for claim in Claim::all(identity) {
        if given.as_ref().is_some_and(|given| given.folded == claim.folded) {
            // The operator calls it that too.
            continue;
        }
        let others = index.servers.iter().enumerate().filter(|(at, _)| index.is_foreign(own, *at));
        found.extend(others.filter_map(|(at, other)| {
            let (code, configured) = against(&claim, other)?;
            let outranked = configured || own.is_none_or(|own| at < own);
            Some(Borrowed { code, member: claim.member, other: Some(at), outranked })
        }));
        if let Some(maker) = configured.and_then(|known| known.maker.as_deref())
            && is_borrowed(&claim, maker)
        {
            found.push(Borrowed {
                code: Code::ClaimsMaker,
                member: claim.member,
                other: None,
                outranked: false,
            });
        }
    }
    found
}

/// What the claim takes from the other one, and whether that is the name that the operator gave it.
fn against(claim: &Claim, other: &Known) -> Option<(Code, bool)> {
    let given = Claim::of("name", other.name.as_str());
    let given = given.iter().map(|theirs| (theirs, true));
    let all = given.chain(other.claims.iter().map(|theirs| (theirs, false)));
    let found = all.filter_map(|(theirs, configured)| {
        let same = claim.folded == theirs.folded || is_slip(&claim.folded, &theirs.folded);
        match (same, claim.looks_like(theirs)) {
            (true, _) => Some((Code::ClaimsOtherServer, configured)),
            (false, true) => Some((Code::LookalikeServer, configured)),
            (false, false) => None,
        }
    });
    found.max()
}

/// Does it bear a well-known maker's name, and come from elsewhere?
fn is_borrowed(claim: &Claim, maker: &str) -> bool {
    let maker = maker.to_ascii_lowercase();
    MAKERS.iter().any(|(word, places)| {
        claim.words.iter().any(|own| own == word) && !places.iter().any(|place| maker.contains(place))
    })
}
