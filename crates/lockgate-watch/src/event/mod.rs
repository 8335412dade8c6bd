//! Something worth telling, from a record, from behaviour or from the gateway itself.

mod name;
mod reason;

use lockgate_audit::{Happening, Record};
use lockgate_model::{Finding, Principal, Reason, ServerName, SessionId, ToolName, Verdict};

pub use name::{Class, EventName, EventNames, Severity};
use reason::name_of;

/// Most rules of detection that an event names.
const MOST_FOUND: usize = 8;
/// Longest note. Bytes.
const NOTE: usize = 200;

/// Something worth telling. Nothing in it is text of a server or of an agent: names were checked, the rest is ours or the
/// operator's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What it is.
    pub name: EventName,
    /// The server concerned.
    pub server: Option<ServerName>,
    /// The server whose text was to decide something on the one concerned, where that is what happened.
    pub from: Option<ServerName>,
    /// The tool or prompt, where its name is 1 to 128 of `A-Z a-z 0-9 _ - . /`; `(unusual name)` where it is not.
    pub target: Option<String>,
    /// Who the agent acts for; of a decision, who decided.
    pub principal: Option<Principal>,
    /// The agent's run.
    pub session: Option<SessionId>,
    /// The request, as records name it.
    pub correlation: Option<String>,
    /// Why a message did not pass.
    pub reason: Option<Reason>,
    /// The rule that decided.
    pub rule: Option<String>,
    /// What was done; of rules that are only observed, `forward` beside a reason.
    pub verdict: Option<Verdict>,
    /// What was found, by rule. At most 8.
    pub found: Vec<&'static str>,
    /// More, in words of ours.
    pub note: Option<String>,
}

impl Event {
    /// An event of the gateway itself, about nothing in particular.
    pub fn new(name: EventName) -> Self {
        Self {
            name,
            server: None,
            from: None,
            target: None,
            principal: None,
            session: None,
            correlation: None,
            reason: None,
            rule: None,
            verdict: None,
            found: Vec::new(),
            note: None,
        }
    }

    /// About a server.
    #[must_use]
    pub fn about(self, server: Option<&ServerName>) -> Self {
        Self { server: server.cloned(), ..self }
    }

    /// In a session of somebody.
    #[must_use]
    pub fn within(self, session: Option<&SessionId>, principal: Option<&Principal>) -> Self {
        Self { session: session.cloned(), principal: principal.cloned(), ..self }
    }

    /// The server to look at first: the one that the text came from, else the one concerned.
    pub fn at_fault(&self) -> Option<&ServerName> {
        self.from.as_ref().or(self.server.as_ref())
    }

    /// With more, in words of ours: only ASCII that can be printed, at most 200 bytes.
    #[must_use]
    pub fn noting(self, note: &str) -> Self {
        let plain = note.chars().map(|c| if (' '..='~').contains(&c) { c } else { '?' });
        Self { note: Some(plain.take(NOTE).collect()), ..self }
    }

    /// Behaviour that is not what it was, as it was found.
    pub fn of_unusual(found: &crate::behaviour::Unusual) -> Self {
        let told =
            Self::unusual(found.sign.word(), found.figures.seen, found.figures.usual, found.points.into());
        Self { target: found.target.as_deref().map(checked), ..told }
            .about(found.server.as_ref())
            .within(Some(&found.session), Some(&found.principal))
    }

    /// Behaviour that is not what it was: the sign's name, how much was seen, how much is usual, and how much it counts.
    pub fn unusual(sign: &'static str, seen: u64, usual: u64, points: u32) -> Self {
        let note = format!("{sign}: {seen}, usually {usual}; {points} points");
        Self { found: vec![sign], ..Self::new(EventName::Unusual).noting(&note) }
    }

    /// A request that was refused before anybody looked into it; nothing where that is of no note.
    pub fn of_refusal(reason: Reason) -> Option<Self> {
        Some(Self { reason: Some(reason), verdict: Some(Verdict::Deny), ..Self::new(name_of(reason)?) })
    }

    /// What is worth telling of a record, where it is wanted. Nothing of most records; seldom more than one.
    pub fn of_record(record: &Record, wanted: EventNames) -> Vec<Self> {
        let mut names = EventNames::NONE;
        if let Some(name) = own_name(record) {
            names = names.with(name);
        }
        if record.notes.contains(&"credential")
            && matches!(record.happening, Happening::Answer | Happening::Server)
        {
            names = names.with(EventName::CredentialFound);
        }
        let gives_orders = |class: &str| class == "injection" || class == "hidden";
        let heard = matches!(record.happening, Happening::Answer | Happening::Server);
        if heard && record.detected.iter().any(|it| gives_orders(it.class) && it.level == Some("block")) {
            names = names.with(EventName::InjectedResult);
        }
        if record.detected.iter().any(|detected| detected.class == "indicators") {
            names = names.with(EventName::IndicatorFound);
        }
        let names = names.and(wanted);
        if names.is_empty() {
            return Vec::new();
        }
        let event = |name: &EventName| Self::of(*name, record);
        EventName::ALL.iter().filter(|name| names.has(**name)).map(event).collect()
    }

    fn of(name: EventName, record: &Record) -> Self {
        let finding = record.finding.as_ref();
        let first = finding.and_then(|finding| finding.evidence.as_ref()?.first.as_ref());
        Self {
            name,
            // Of a leak, the first server is whose data it is.
            from: first.filter(|_| name == EventName::CrossServerFlow).map(|(server, _)| server.clone()),
            server: record.server.clone(),
            target: record.target.as_deref().map(checked),
            principal: Some(record.principal.clone()),
            session: Some(record.session.clone()),
            correlation: Some(record.correlation.clone()),
            reason: finding.map(|finding| finding.reason),
            rule: finding.map(|finding| finding.rule.clone()),
            verdict: Some(record.verdict),
            found: record.detected.iter().map(|detected| detected.rule).take(MOST_FOUND).collect(),
            note: Some(record.notes.join(", ")).filter(|note| !note.is_empty()),
        }
    }
}

/// What the record itself is, apart from what was found in the message.
fn own_name(record: &Record) -> Option<EventName> {
    let reason = record.finding.as_ref().map(|finding: &Finding| finding.reason);
    match record.happening {
        Happening::Configuration => match (record.verdict, record.notes.as_slice()) {
            // Start is told by the gateway itself, also where no file is read.
            (Verdict::Forward, ["start", ..]) => None,
            (Verdict::Forward, _) => Some(EventName::ConfigurationChanged),
            (_, [.., "config_invalid"]) => Some(EventName::ConfigurationRefused),
            _ => Some(EventName::SignatureFailed),
        },
        Happening::Pin => Some(EventName::TrustChanged),
        // What the gateway itself does, and whom it alerts, is told where it is seen, whether or not there are records; of an
        // alert no alert is made. Who answered, which value was learned, and what was put aside of an incident, is of no note
        // by itself.
        Happening::Gateway
        | Happening::Log
        | Happening::End
        | Happening::Stop
        | Happening::Alert
        | Happening::Behaviour
        | Happening::Vote
        | Happening::Destination
        | Happening::Token
        | Happening::Incident => None,
        Happening::Definition => match (reason?, record.notes.as_slice()) {
            (
                Reason::ToolQuarantined | Reason::DefinitionQuarantined | Reason::DefinitionDrift,
                [_, _, ..],
            ) => Some(EventName::SuspiciousDefinition),
            (reason, _) => name_of(reason),
        },
        Happening::Request if reason.is_none() && record.method == Some("tools/call") => {
            (record.verdict <= Verdict::Rewrite).then_some(EventName::ToolCalled)
        }
        Happening::Request | Happening::Answer | Happening::Server | Happening::Approval => {
            reason.and_then(name_of)
        }
    }
}

/// The name in a record's target, as it may be told: of a definition (``tool `send` ``) the part in quotes.
fn checked(target: &str) -> String {
    let inner = target.split_once('`').map_or(target, |(_, rest)| rest.strip_suffix('`').unwrap_or(rest));
    ToolName::new(inner).shown().to_owned()
}

#[cfg(test)]
mod tests;
