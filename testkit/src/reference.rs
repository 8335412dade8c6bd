//! A second decider, slow and obvious, written from `docs/life-of-a-call.md` and `docs/configuration.md`: plain lists,
//! no cleverness, no code of the product but its words. Random conversations must end alike.

use lockgate_model::{Effect, Tier};

use crate::stage::Outcome;

/// What the operator wants done with a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wish {
    /// Pass.
    Allow,
    /// Ask a person.
    Ask,
    /// Refuse.
    Deny,
    /// Refuse as if it did not exist.
    Hide,
}

/// One server: tier, default, rules, and what each of its tools does.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// How far it is trusted.
    pub tier: Tier,
    /// What holds where no rule matches.
    pub default: Wish,
    /// Patterns with `*`, and wishes.
    pub rules: Vec<(String, Wish)>,
    /// Every tool, and what it does.
    pub tools: Vec<(String, Effect)>,
}

/// The whole state: who was read, and which tools have been listed.
#[derive(Clone, Debug)]
pub struct Reference {
    servers: Vec<Server>,
    cross_asks: bool,
    can_ask: bool,
    read: Vec<String>,
    listed: bool,
}

impl Reference {
    /// Nothing read, nothing listed.
    pub fn new(servers: Vec<Server>, cross_asks: bool, can_ask: bool) -> Self {
        Self { servers, cross_asks, can_ask, read: Vec::new(), listed: false }
    }

    /// The tools have been listed.
    pub fn list(&mut self) {
        self.listed = true;
    }

    /// Text of this server was read.
    pub fn reads(&mut self, server: &str) {
        if !self.read.iter().any(|known| known == server) {
            self.read.push(server.to_owned());
        }
    }

    /// The servers whose text was read, by name.
    pub fn origins(&self) -> Vec<String> {
        let mut read = self.read.clone();
        read.sort();
        read
    }

    /// What becomes of a call.
    pub fn call(&self, server: &str, tool: &str) -> Outcome {
        let deny = |reason: &str| Outcome::Deny(reason.to_owned());
        let Some(target) = self.servers.iter().find(|known| known.name == server) else {
            return deny("unknown_tool");
        };
        let Some((_, effect)) = target.tools.iter().find(|(name, _)| name == tool) else {
            return deny("unknown_tool");
        };
        if !self.listed {
            // The list is asked for first, which is a request to the server.
            return Outcome::Forward;
        }
        let exact = target.rules.iter().find(|(pattern, _)| pattern == tool).map(|(_, wish)| *wish);
        let mut matching: Vec<Wish> =
            target.rules.iter().filter(|(pattern, _)| glob(pattern, tool)).map(|(_, wish)| *wish).collect();
        matching.sort();
        let ruled = exact.or(matching.last().copied());
        let wish = ruled.unwrap_or(target.default);
        // What can never be used is not offered.
        if wish == Wish::Hide || (wish == Wish::Deny && ruled.is_none()) {
            return deny("unknown_tool");
        }
        if wish == Wish::Deny {
            return deny("tool_denied");
        }
        let outsiders = |name: &String| {
            let tier = self.servers.iter().find(|known| known.name == *name).map(|known| known.tier);
            [Some(Tier::Quarantined), Some(Tier::Open), Some(Tier::Mixed), Some(Tier::Internal)]
                .contains(&tier)
        };
        // What is changed for good was named by nobody: no argument says what.
        let others = |name: &&String| *name != server && outsiders(name);
        let unnamed = match effect {
            Effect::Read | Effect::Write | Effect::Egress => false,
            Effect::Commit | Effect::Grant => self.read.iter().any(|name| others(&name)),
            Effect::Destructive => self.read.iter().any(outsiders),
        };
        let driven = unnamed && target.tier != Tier::Core
            || target.tier == Tier::Quarantined && *effect != Effect::Read;
        match (wish == Wish::Ask, driven) {
            (false, false) => Outcome::Forward,
            (_, true) if !self.cross_asks => deny("untrusted_content_reaches_sink"),
            _ if self.can_ask => Outcome::Hold,
            (true, _) => deny("approval_unavailable"),
            (false, true) => deny("untrusted_content_reaches_sink"),
        }
    }
}

fn glob(pattern: &str, name: &str) -> bool {
    match pattern.chars().next() {
        None => name.is_empty(),
        Some('*') => {
            let rest = &pattern[1..];
            (0..=name.len()).filter(|cut| name.is_char_boundary(*cut)).any(|cut| glob(rest, &name[cut..]))
        }
        Some(first) => {
            name.starts_with(first) && glob(&pattern[first.len_utf8()..], &name[first.len_utf8()..])
        }
    }
}
