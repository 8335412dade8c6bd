use lockgate_model::{Principal, ServerName};

use crate::{Class, Event, EventName, EventNames, Severity};

/// Most rules.
pub const MOST_RULES: usize = 64;
/// Most events that one alert may wait for.
pub const MOST_COUNT: u32 = 256;
/// Longest window and longest quiet. Milliseconds: a day.
pub const LONGEST: u64 = 86_400_000;

/// What is told, when, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// The events it is about.
    pub on: EventNames,
    /// Only where it is about one of these servers, or text came from one; empty for any.
    pub servers: Vec<ServerName>,
    /// Only where it is about one of these principals; empty for any.
    pub principals: Vec<Principal>,
    /// How many there must be, 1 to [`MOST_COUNT`].
    pub count: u32,
    /// Within how long. Milliseconds, at most [`LONGEST`].
    pub within: u64,
    /// What is counted together.
    pub per: Per,
    /// How long the same is not told again, but counted. Milliseconds, at most [`LONGEST`].
    pub quiet: u64,
    /// Most alerts of it in an hour.
    pub most: u32,
    /// Whom to tell, by place in the list of channels.
    pub then: Vec<usize>,
    /// What is stopped, and for how long in milliseconds; until a person lifts it where there is none.
    pub contain: Option<(Per, Option<u64>)>,
}

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Per {
    /// Everything the rule is about.
    Rule,
    /// What is about the same server: the one that the text came from, where that is what happened.
    Server,
    /// What the same principal does.
    Principal,
    /// What happens in the same session.
    Session,
}

impl Per {
    /// Every way, widest first.
    pub const ALL: [Self; 4] = [Self::Rule, Self::Server, Self::Principal, Self::Session];

    /// The word in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Server => "server",
            Self::Principal => "principal",
            Self::Session => "session",
        }
    }

    /// The one of an event; none where it has none.
    pub(super) fn of(self, event: &Event) -> Option<&str> {
        match self {
            Self::Rule => None,
            Self::Server => event.at_fault().map(ServerName::as_str),
            Self::Principal => event.principal.as_ref().map(Principal::as_str),
            Self::Session => event.session.as_ref().map(lockgate_model::SessionId::as_str),
        }
    }
}

impl Rule {
    /// A rule about these events that tells each at once, the same once in 10 minutes, 30 in an hour.
    pub fn new(name: &str, on: EventNames, then: Vec<usize>) -> Self {
        Self {
            name: name.to_owned(),
            on,
            servers: Vec::new(),
            principals: Vec::new(),
            count: 1,
            within: 600_000,
            per: Per::Session,
            quiet: 600_000,
            most: 30,
            then,
            contain: None,
        }
    }

    /// Is it about this event?
    pub(super) fn is_about(&self, event: &Event) -> bool {
        let one = |server: &ServerName| self.servers.contains(server);
        let about = [&event.server, &event.from].into_iter().flatten().any(one);
        let who = |principal: &Principal| self.principals.contains(principal);
        self.on.has(event.name)
            && (self.servers.is_empty() || about)
            && (self.principals.is_empty() || event.principal.as_ref().is_some_and(who))
    }
}

/// The events of at least a severity, of a class where one is named.
pub fn events(least: Severity, class: Option<Class>) -> EventNames {
    let wanted =
        |name: &EventName| name.severity() >= least && class.is_none_or(|class| name.class() == class);
    EventName::ALL.iter().copied().filter(wanted).collect()
}

/// The rules where the operator names channels and no rule, for so many channels: what is bad is told at once, what is
/// usual is told when there is much of it, and nothing is stopped.
pub fn default_rules(channels: usize) -> Vec<Rule> {
    use EventName as E;
    let all: Vec<usize> = (0..channels).collect();
    let many = |name: &str, on: &[EventName], count: u32, minutes: u64, per: Per| Rule {
        count,
        within: minutes * 60_000,
        per,
        quiet: 3_600_000,
        ..Rule::new(name, on.iter().copied().collect(), all.clone())
    };
    vec![
        Rule::new("immediate", events(Severity::Medium, Some(Class::Immediate)), all.clone()),
        many(
            "refusals",
            &[E::CallRefused, E::LimitReached, E::UnknownValue, E::StoppedCall],
            5,
            10,
            Per::Session,
        ),
        many(
            "probing",
            &[E::ForeignHandle, E::BrokenMessage, E::AuthenticationFailed, E::WebPageRefused],
            10,
            10,
            Per::Rule,
        ),
        many("secrets", &[E::CredentialFound, E::PersonalData], 3, 60, Per::Server),
        many("approvals", &[E::ApprovalExpired, E::ApprovalDeclined], 3, 60, Per::Principal),
        many("servers", &[E::ServerFailing, E::ServerBrokeProtocol, E::ResultRefused], 5, 10, Per::Server),
        many("full", &[E::GatewayFull], 5, 10, Per::Rule),
        many("behaviour", &[E::Unusual], 1, 10, Per::Session),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_bad_has_a_default_rule() {
        let rules = default_rules(1);
        for name in EventName::ALL {
            let told = rules.iter().filter(|rule| rule.on.has(*name)).count();
            let expected = usize::from(name.severity() > Severity::Info || *name == EventName::StoppedCall);
            assert_eq!(told, expected, "{}", name.word());
        }
        assert!(rules.iter().all(|rule| rule.contain.is_none() && rule.then == [0]));
    }
}
