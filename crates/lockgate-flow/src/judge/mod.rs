//! May what the session has read steer this call? What each argument needs, and what it has.

use lockgate_model::{Effect, Integrity, Json, ServerName, Tick, Tier};

use crate::history::{Grade, History, Trust};
use crate::index::Origins;
use crate::keep::{Graded, Keeper, copied};
use crate::leaf::{Leaf, leaves, names, unescaped};
use crate::links::links;
use crate::role::{Role, Roles};

/// How much is asked of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Nothing that was read stands against a call, unless an operator's rule says so.
    Off,
    /// Only values out of prose stand against it.
    Open,
    /// What is sent, paid, granted or deleted must be known to the server that gets it, or said by the user.
    #[default]
    Balanced,
    /// The same for everything that is written, and for every address that is read from.
    Strict,
}

impl Mode {
    /// Every mode, least strict first.
    pub const ALL: [Self; 4] = [Self::Off, Self::Open, Self::Balanced, Self::Strict];

    /// The word used in the configuration and in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Open => "open",
            Self::Balanced => "balanced",
            Self::Strict => "strict",
        }
    }
}

/// Most arguments of one call that are graded. A call with more of them cannot be judged.
const MOST: usize = 64;
/// Shortest copy of confidential text that counts, in bytes.
const COPY: usize = 32;

/// A call that is about to be made.
#[derive(Clone, Copy, Debug)]
pub struct Call<'c> {
    /// The server that gets it.
    pub server: &'c ServerName,
    /// How far it is trusted.
    pub trust: &'c Trust,
    /// What the tool does.
    pub effect: Effect,
    /// What its arguments mean.
    pub roles: &'c Roles,
    /// Does the same server offer the way back?
    pub undoable: bool,
    /// The arguments.
    pub arguments: Option<Json<'c>>,
}

/// What stands against a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// Why.
    pub cause: Cause,
    /// The argument, as a JSON pointer; empty where it is about the call as a whole.
    pub argument: String,
    /// What its value means.
    pub role: Option<Role>,
    /// What it would need.
    pub need: Integrity,
    /// What it has; none where the value was never seen.
    pub have: Option<Integrity>,
    /// Where the value was seen first: server and exchange.
    pub first: Option<(ServerName, u32)>,
}

/// Why something stands against a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A place to send to, or an object, that comes from text which outsiders can write.
    Value,
    /// The same, never seen in what the session has read or heard.
    Unknown,
    /// An object that the server has not listed and the user has not named.
    Unlisted,
    /// One of a server's objects is paid for, and the user has spoken of nothing like it.
    Choice,
    /// A link or an address inside what is sent.
    Link,
    /// An address to read from that was put together by the model.
    Address,
    /// Something is deleted, run, spent or granted, and no person has named it.
    Unnamed,
    /// A place where credentials lie, which no person has named.
    Credentials,
    /// Confidential text goes where it may not.
    Confidential,
    /// A server that is not approved yet would change something.
    Quarantined,
    /// There are more arguments than can be looked into.
    TooMany,
}

impl Cause {
    /// The rule, as people find it in a refusal and in the documentation.
    pub fn rule(self) -> &'static str {
        match self {
            Self::Value => "flow.value",
            Self::Unknown => "flow.unknown",
            Self::Unlisted => "flow.unlisted",
            Self::Choice => "flow.choice",
            Self::Link => "flow.link",
            Self::Address => "flow.address",
            Self::Unnamed => "flow.unnamed",
            Self::Credentials => "flow.credentials",
            Self::Confidential => "flow.confidential",
            Self::Quarantined => "flow.quarantined",
            Self::TooMany => "flow.too_many",
        }
    }
}

/// The first thing that stands against a call; none where it may go. O(arguments x what is remembered).
pub fn judge(history: &History, call: &Call<'_>, mode: Mode, now: Tick) -> Option<Objection> {
    decide(history, call, mode, now, Keeper::default())
}

/// The same, and keeps what is known of the values up to the first that stands against the call, for records. What the
/// decision does not ask for is looked up besides: places, objects and addresses, and texts of 32 bytes and more. At
/// most 64 values are kept.
pub fn judge_keeping(
    history: &History,
    call: &Call<'_>,
    mode: Mode,
    now: Tick,
    kept: &mut Vec<Graded>,
) -> Option<Objection> {
    decide(history, call, mode, now, Keeper::new(kept))
}

fn decide(
    history: &History,
    call: &Call<'_>,
    mode: Mode,
    now: Tick,
    keeper: Keeper<'_>,
) -> Option<Objection> {
    let mut judge = Judge { history, call, mode, now, graded: 0, named: None, objection: None, keeper };
    judge.whole();
    if let Some(arguments) = call.arguments {
        leaves(arguments, &mut |leaf| judge.leaf(leaf));
        names(arguments, &mut |name| judge.name(name));
    }
    judge.unnamed();
    judge.objection
}

/// What a value of a call means, and whether it is a statement that changes something, whatever the tool is called.
pub(crate) fn role(call: &Call<'_>, leaf: &Leaf<'_, '_>) -> (Role, bool) {
    if leaf.is_text && crate::statement::changes(leaf.name(), &leaf.text) {
        return (Role::Destination, true);
    }
    (call.roles.inside(leaf.outermost(), leaf.name(), call.effect), false)
}

struct Judge<'j> {
    history: &'j History,
    call: &'j Call<'j>,
    mode: Mode,
    now: Tick,
    graded: usize,
    /// Has a person named every object so far? None before the first.
    named: Option<bool>,
    objection: Option<Objection>,
    keeper: Keeper<'j>,
}

impl Judge<'_> {
    fn object(
        &mut self,
        cause: Cause,
        leaf: Option<(&Leaf<'_, '_>, Role)>,
        need: Integrity,
        grade: Option<Grade>,
    ) {
        let (have, first) = grade.map_or((None, None), |grade| (grade.integrity, grade.first));
        let argument = leaf.map_or_else(String::new, |(leaf, _)| leaf.pointer());
        let objection = Objection { cause, argument, role: leaf.map(|(_, role)| role), need, have, first };
        self.objection.get_or_insert(objection);
    }

    fn whole(&mut self) {
        let tier = self.call.trust.tier;
        if tier == Tier::Quarantined && self.call.effect > Effect::Read && self.mode > Mode::Open {
            self.object(Cause::Quarantined, None, Integrity::Endorsed, None);
        }
    }

    /// What the tool does, where what it undoes can be done again.
    fn effect(&self) -> Effect {
        let effect = self.call.effect;
        if effect == Effect::Destructive && self.call.undoable { Effect::Write } else { effect }
    }

    /// Does it matter for this server and effect where values come from?
    fn is_bound(&self, effect: Effect) -> bool {
        self.mode > Mode::Off
            && match self.call.trust.tier {
                Tier::Core => false,
                Tier::Internal => effect >= Effect::Commit,
                Tier::Quarantined | Tier::Open | Tier::Mixed => true,
            }
    }

    fn leaf(&mut self, leaf: &Leaf<'_, '_>) {
        if self.objection.is_some() {
            return;
        }
        let (role, changes) = role(self.call, leaf);
        self.keeper.turn();
        self.weigh(leaf, role, changes);
        if self.keeper.wants(leaf, role) {
            let grade = self.history.grade(&leaf.text, self.call.server, self.now);
            let at = (self.call.server, self.now);
            self.keeper.keep(leaf, &copied(self.history, &leaf.text, at, grade));
        }
    }

    fn weigh(&mut self, leaf: &Leaf<'_, '_>, role: Role, changes: bool) {
        let effect = if changes { Effect::Destructive } else { self.effect() };
        if self.mode > Mode::Open {
            self.confidential(leaf, role);
        }
        if !self.is_bound(effect) || role == Role::Amount {
            return;
        }
        if role.has_authority() || !leaf.is_text {
            self.graded += 1;
        }
        if self.graded > MOST {
            return self.object(Cause::TooMany, Some((leaf, role)), Integrity::Endorsed, None);
        }
        self.credentials(leaf, role);
        match (role, effect) {
            (Role::Source, _) => self.address(leaf, role),
            (Role::Query | Role::Amount, _) | (_, Effect::Read) => {}
            (Role::Destination, effect) => self.destination(leaf, role, effect),
            (Role::Selector, effect) => self.selector(leaf, role, effect),
            (Role::Payload, effect) => self.payload(leaf, role, effect),
        }
    }

    fn grade(&mut self, leaf: &Leaf<'_, '_>) -> Grade {
        let grade = self.history.grade(&leaf.text, self.call.server, self.now);
        self.keeper.keep(leaf, &grade);
        grade
    }

    /// The name of a member may be an address too.
    fn name(&mut self, name: &str) {
        if self.objection.is_none() && self.is_bound(self.effect()) && self.effect() > Effect::Write {
            for grade in links(name).into_iter().take(MOST).map(|link| self.known(link)) {
                if grade.integrity == Some(Integrity::FreeText) {
                    return self.object(Cause::Link, None, Integrity::ForeignRecord, Some(grade));
                }
            }
        }
    }

    fn known(&self, value: &str) -> Grade {
        self.history.grade(value, self.call.server, self.now)
    }

    /// What is known of a place. One that is unknown as a whole, such as a name with an address or a list of several, is
    /// known no better than the worst address inside.
    fn place(&mut self, leaf: &Leaf<'_, '_>, need: Integrity) -> Grade {
        let whole = self.grade(leaf);
        if whole.integrity.is_some() {
            return whole;
        }
        let text = unescaped(&leaf.text);
        let inside = links(&text);
        self.graded += inside.len().saturating_sub(1);
        let mut inside = inside.into_iter().take(MOST).map(|link| self.known(link));
        inside.find(|grade| grade.integrity.is_some_and(|have| have < need)).unwrap_or(whole)
    }

    /// Is what was never seen held against the call? Only where what was seen may have given orders.
    fn doubts(&self, effect: Effect) -> bool {
        match self.mode {
            _ if !self.history.is_tainted() => false,
            Mode::Off | Mode::Open => false,
            Mode::Balanced => {
                effect >= Effect::Commit || (effect == Effect::Egress && self.history.hears_user())
            }
            Mode::Strict => true,
        }
    }

    /// What a place must be known by.
    fn lowest(&self, effect: Effect) -> Integrity {
        match self.mode {
            Mode::Off | Mode::Open => Integrity::ForeignRecord,
            Mode::Balanced if effect == Effect::Write => Integrity::ForeignRecord,
            Mode::Balanced | Mode::Strict => Integrity::OwnRecord,
        }
    }

    /// Who gets it.
    fn destination(&mut self, leaf: &Leaf<'_, '_>, role: Role, effect: Effect) {
        // Too short to have come from anywhere.
        if leaf.text.chars().count() < 3 {
            return;
        }
        let need = self.lowest(effect);
        let grade = self.place(leaf, need);
        if self.graded > MOST {
            return self.object(Cause::TooMany, Some((leaf, role)), Integrity::Endorsed, None);
        }
        self.named = Some(self.named.unwrap_or(true) && grade.integrity == Some(Integrity::Endorsed));
        match grade.integrity {
            None if self.doubts(effect) => self.object(Cause::Unknown, Some((leaf, role)), need, Some(grade)),
            Some(have) if have < need => self.object(Cause::Value, Some((leaf, role)), need, Some(grade)),
            _ => {}
        }
    }

    /// Which object.
    fn selector(&mut self, leaf: &Leaf<'_, '_>, role: Role, effect: Effect) {
        let endorsed = self.history.endorses(&leaf.text, self.now);
        self.named = Some(self.named.unwrap_or(true) && endorsed);
        if endorsed {
            return;
        }
        if self.history.lists(self.call.server, &leaf.text) {
            return self.choice(leaf, role, effect);
        }
        let grade = self.grade(leaf);
        let path = crate::role::is_path(leaf.name());
        let stands = match grade.integrity {
            Some(have) => have < self.lowest(effect),
            // A new path or name is the model's to choose, except where it is deleted.
            None => self.history.is_tainted() && self.mode > Mode::Open && (!path || self.doubts(effect)),
        };
        if stands {
            self.object(Cause::Unlisted, Some((leaf, role)), Integrity::OwnRecord, Some(grade));
        }
    }

    /// Of the objects of a server, the one that is paid for must be one the user has spoken of.
    fn choice(&mut self, leaf: &Leaf<'_, '_>, role: Role, effect: Effect) {
        let bought = effect == Effect::Commit && self.history.hears_user() && self.history.is_tainted();
        if bought && self.mode > Mode::Open && !self.history.speaks_of(&leaf.text) {
            let grade = self.grade(leaf);
            self.object(Cause::Choice, Some((leaf, role)), Integrity::Endorsed, Some(grade));
        }
    }

    /// What is sent: the links and addresses inside it.
    fn payload(&mut self, leaf: &Leaf<'_, '_>, role: Role, effect: Effect) {
        if effect == Effect::Write && self.mode < Mode::Strict || !leaf.is_text {
            return;
        }
        for link in links(&unescaped(&leaf.text)) {
            self.graded += 1;
            if self.graded > MOST {
                return self.object(Cause::TooMany, Some((leaf, role)), Integrity::Endorsed, None);
            }
            let grade = self.history.grade(link, self.call.server, self.now);
            self.keeper.keep_part(leaf, &grade);
            let stands = match grade.integrity {
                // Whoever names a document may want what is in it passed on.
                Some(Integrity::FreeText) => {
                    self.mode == Mode::Strict || !self.history.was_pointed_at(&grade)
                }
                Some(_) => false,
                None => effect >= Effect::Commit && self.history.is_tainted(),
            };
            if stands {
                return self.object(Cause::Link, Some((leaf, role)), Integrity::ForeignRecord, Some(grade));
            }
        }
    }

    /// Where to read from. An address that stands in a result carries no secret out; one that the model made may.
    fn address(&mut self, leaf: &Leaf<'_, '_>, role: Role) {
        let grade = self.grade(leaf);
        let known = match grade.integrity {
            Some(have) => have >= Integrity::OwnRecord || self.mode < Mode::Strict && !grade.disguised,
            None => {
                !self.history.is_tainted() || self.mode < Mode::Strict && self.history.says_host(&leaf.text)
            }
        };
        if !known && self.mode > Mode::Open {
            self.object(Cause::Address, Some((leaf, role)), Integrity::OwnRecord, Some(grade));
        }
    }

    fn credentials(&mut self, leaf: &Leaf<'_, '_>, role: Role) {
        if self.effect() == Effect::Read && self.mode < Mode::Strict || !self.history.is_tainted() {
            return;
        }
        let named = leaf.outermost();
        let located = crate::role::is_path(named) || crate::role::is_path(leaf.name());
        if located && is_sensitive(&leaf.text) && !self.history.endorses(&leaf.text, self.now) {
            let grade = self.grade(leaf);
            self.object(Cause::Credentials, Some((leaf, role)), Integrity::Endorsed, Some(grade));
        }
    }

    /// Confidential text that would go to a server which may not have it.
    fn confidential(&mut self, leaf: &Leaf<'_, '_>, role: Role) {
        let clearance = &self.call.trust.clearance;
        if self.history.label().secrecy().fits(clearance)
            || leaf.text.len() < COPY && self.mode < Mode::Strict
        {
            return;
        }
        let grade = self.grade(leaf);
        let origins = if leaf.text.len() > 200 {
            let (origins, bytes) = self.history.copied(&leaf.text);
            if bytes < COPY { grade.origins } else { grade.origins.join(origins) }
        } else {
            grade.origins
        };
        let is_whole = grade.integrity < Some(Integrity::Endorsed) && self.is_unfit(origins);
        let unfit = |origins| self.is_unfit(origins);
        let at = (self.call.server, self.now);
        if is_whole || self.history.copied_values(&leaf.text, at, unfit).1 >= COPY {
            self.object(Cause::Confidential, Some((leaf, role)), Integrity::Endorsed, Some(grade));
        }
    }

    /// Is what came from these origins more confidential than what the server may have?
    fn is_unfit(&self, origins: Origins) -> bool {
        !self.history.secrecy(origins).fits(&self.call.trust.clearance)
    }

    /// What is deleted or run must have been named by a person. What is spent or granted must at least be named.
    fn unnamed(&mut self) {
        let named = match self.effect() {
            Effect::Read | Effect::Write | Effect::Egress => true,
            // Where nothing but its own text was read, a server that asks for no more has said all there is to say.
            Effect::Commit | Effect::Grant => {
                self.named.is_some() || !self.history.is_tainted_by_others(self.call.server)
            }
            Effect::Destructive => self.named == Some(true),
        };
        if !named && self.history.is_tainted() && self.is_bound(self.effect()) && self.mode > Mode::Open {
            self.object(Cause::Unnamed, None, Integrity::Endorsed, None);
        }
    }
}

/// Do these arguments name a file that holds credentials?
pub(crate) fn opens_credentials(arguments: Json<'_>) -> bool {
    let mut found = false;
    leaves(arguments, &mut |leaf| {
        let named = crate::role::is_path(leaf.outermost()) || crate::role::is_path(leaf.name());
        found |= named && holds_credentials(&leaf.text);
    });
    found
}

/// A file that holds credentials, or a folder of such.
fn holds_credentials(path: &str) -> bool {
    const FOLDERS: &str = ".ssh .aws .gnupg .kube .docker .azure .password-store";
    const FILES: &str = "\
        .env .netrc .npmrc .pypirc .git-credentials .pgpass .htpasswd authorized_keys shadow id_rsa id_dsa id_ecdsa \
        id_ed25519 credentials";
    lies_in(path, FOLDERS, FILES)
}

/// The same, and what decides who may do what on a machine, or what is run there.
fn is_sensitive(path: &str) -> bool {
    holds_credentials(path)
        || lies_in(
            path,
            ".config .mozilla .git etc system proc",
            "known_hosts passwd sudoers crontab .bashrc .bash_profile .zshrc .profile .gitconfig",
        )
}

fn lies_in(path: &str, folders: &str, files: &str) -> bool {
    let path = path.to_ascii_lowercase().replace('\\', "/");
    let mut parts = path.split('/').rev();
    let last = parts.next().unwrap_or_default();
    let file = last.strip_suffix(".pub").unwrap_or(last);
    files.split(' ').any(|known| known == file)
        || file.rsplit_once('.').is_some_and(|(_, kind)| kind == "pem")
        || file.starts_with(".env.")
        || folders.split(' ').any(|known| known == file || parts.clone().any(|part| part == known))
}

#[cfg(test)]
mod tests;
