/// How bad it is, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Usual where rules are kept. Worth a look when there are many.
    Low,
    /// Somebody should look at it today.
    Medium,
    /// Somebody should look at it now.
    High,
    /// Something is broken, or broken into.
    Critical,
}

impl Severity {
    /// Every severity, least first.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word in alerts and in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Is one of them worth telling?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// At once, and each.
    Immediate,
    /// When there are many.
    Delayed,
}

impl Class {
    /// The word in alerts and in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::Delayed => "delayed",
        }
    }
}

macro_rules! names {
    ($($variant:ident $word:literal $severity:ident $class:ident $meaning:literal $remedy:literal)*) => {
        /// What an event is. Stable: a name is never renamed or used for something else. The list is `docs/alerts.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum EventName {
            $(#[doc = $meaning] $variant,)*
        }

        impl EventName {
            /// Every name, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable `snake_case` word; at most 32 characters, as a MSGID of RFC 5424 is.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// How bad it is.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// Is one of them worth telling?
            pub fn class(self) -> Class {
                match self { $(Self::$variant => Class::$class,)* }
            }

            /// What it means, as one sentence of ours.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// What to do, as one sentence of ours.
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy,)* }
            }
        }
    };
}

names! {
    CrossServerFlow "cross_server_flow" High Immediate "text that outsiders can write to was to decide what is done on a server" "read the record with `lockgate log timeline SESSION`; stop the server that the text came from if it was meant so"
    DataLeak "data_leak" High Immediate "data was to go where it must not go" "look at what the session has read and at the tool's destination; stop the session if nobody wanted it"
    UnknownValue "unknown_value" Medium Delayed "a value that decides who gets what was given neither by the user nor by a server that may" "ask the user of the session; loosen the flow rule if the value is harmless"
    DefinitionChanged "definition_changed" High Immediate "a server offers another definition than was approved" "`lockgate quarantine list` shows what changed; approve it, or stop the server"
    DefinitionHeld "definition_held" Medium Immediate "what a server says of itself waits for a person, or was refused by one" "`lockgate quarantine list` shows it; approve or reject it"
    SuspiciousDefinition "suspicious_definition" High Immediate "a definition gives orders, hides text or claims another's name" "refuse it with `lockgate quarantine reject`; stop the server, and tell who made it"
    SignatureFailed "signature_failed" High Immediate "a definition or a configuration is not signed as the operator wants" "find out who made it; sign it again only once you know"
    ProvenanceFailed "provenance_failed" High Immediate "where a server's program comes from is not proven as the operator wants" "do not start it by hand; compare its version with the lock file"
    ArtefactChanged "artefact_changed" Critical Immediate "a server's files or its TLS key are others than were pinned" "keep the server stopped; find out who changed them before `lockgate pin` takes them in"
    UntrustedServer "untrusted_server" High Immediate "a tool of a server that is not trusted was to be called" "find out how the agent came to it; approve the server only once you know who runs it"
    ConfigurationChanged "configuration_changed" Medium Immediate "another configuration is in force" "compare the digests of the record with what you meant to put in force"
    ConfigurationRefused "configuration_refused" High Immediate "a changed configuration was not put in force" "`lockgate check` says why; find out who changed the file"
    TrustChanged "trust_changed" Medium Immediate "a person or a lock file approved, refused or forgot what a server says of itself" "make sure that it was somebody who may"
    InjectedResult "injected_result" High Immediate "what a server says gives orders to a model, or hides text from people" "look at where the server has the text from; stop the session if it followed it"
    AttackInArguments "attack_in_arguments" High Immediate "an argument looks like an attack on what is behind a tool" "look at what the session read before; stop the session if nobody wanted it"
    IndicatorFound "indicator_found" High Immediate "something in a message is on the operator's list of indicators of compromise" "find out where it comes from; stop the server or the session until you know"
    CredentialSent "credential_sent" High Immediate "a credential was in the arguments of a call that must not carry it" "find out how the session got it; change the credential"
    CredentialFound "credential_found" Medium Delayed "a credential was in what a server says" "find out why the server shows it; change the credential"
    PersonalData "personal_data" Low Delayed "personal data was in a message that must not carry it" "loosen or tighten detect.personal for the server"
    ResultRefused "result_refused" Low Delayed "a result was of a type or size that is not allowed" "look at the server; raise the limit if it is honest"
    ToolFrozen "tool_frozen" High Immediate "an agent tried one refused value after the other, and the tool is frozen in its session" "look at the session's records; stop the session or the principal if it was meant so"
    LoopDetected "loop_detected" Medium Immediate "an agent made the same calls over and over" "look at the session; stop it if it goes on"
    CallRefused "call_refused" Low Delayed "a rule denies the call" "nothing, unless there are many: then somebody probes, or a rule is too tight"
    LimitReached "limit_reached" Low Delayed "a limit of the operator's rules is reached" "look at what the session does; raise the limit if it is honest"
    StoppedCall "stopped_call" Info Delayed "a call met a stop or safe mode" "nothing, or `lockgate resume` once the cause is gone"
    ForeignHandle "foreign_handle" Medium Delayed "a session used a state, a task or a handle that was not given to it" "look at the session: somebody may try to take over what belongs to another"
    BrokenMessage "broken_message" Low Delayed "an agent sent what is not a message of the protocol" "update the client; if there are many, somebody tries the parser"
    AuthenticationFailed "authentication_failed" Medium Delayed "somebody sent no valid token or signature" "if there are many, somebody guesses: look at who can reach the port"
    WebPageRefused "web_page_refused" Medium Delayed "a web page, or a name that leads elsewhere, tried to reach the gateway" "find the page in the browser of this machine, and close it"
    ApprovalWaiting "approval_waiting" Info Immediate "a call waits for a person" "`lockgate approvals list` shows it"
    ApprovalExpired "approval_expired" Medium Delayed "nobody answered an approval in time" "make sure that somebody looks, or loosen the rule that asks"
    ApprovalDeclined "approval_declined" Low Delayed "the person who was asked said no" "if there are many, look at what the agent was told to do"
    ApprovalMisused "approval_misused" High Immediate "an approval was to be used for another call, or too many were asked for" "look at the session: it may try to tire or to deceive who approves"
    ForgedMessage "forged_message" High Immediate "a server sent what only an agent may send, or answered what nobody asked" "stop the server; find out whether it is the one you installed"
    ServerBrokeProtocol "server_broke_protocol" Medium Delayed "a server sent what does not fit the protocol, its own schema or the limits" "update or replace the server"
    ServerFailing "server_failing" Medium Delayed "a server cannot be started or reached, ended, or did not answer in time" "see Lockgate's diagnostics for the server's own error"
    GatewayFull "gateway_full" Medium Delayed "there are as many sessions, programs or open requests as allowed" "end what is not needed; raise limits if it is honest"
    RecordsUnavailable "records_unavailable" Critical Immediate "decisions cannot be written down, and nothing passes unrecorded" "make room on the disk of the log, or mend its folder; `lockgate log verify` says whether it is whole"
    StateUnavailable "state_unavailable" Critical Immediate "counters, approvals or pins cannot be read or written, and what needs them is refused" "look at the folder `state` and the room on its disk; restore it from a copy if it is damaged"
    InternalFault "internal_fault" High Immediate "Lockgate met a state it does not know and refused a message" "report it with the correlation id"
    StopSet "stop_set" High Immediate "something is stopped" "`lockgate stops` says what, who and why"
    StopLifted "stop_lifted" Medium Immediate "a stop is lifted" "make sure that it was somebody who may"
    ContainmentFailed "containment_failed" Critical Immediate "a rule was to stop something and could not" "stop it by hand: `lockgate stop`; look at the folder `state`"
    AlertsLost "alerts_lost" High Immediate "alerts could not be kept until their channel took them" "mend the channel; `lockgate alerts test` tries it; what happened is in the log"
    NoticesLost "notices_lost" High Immediate "the webhook for people did not take what it was told" "mend the webhook; people may wait to be told: `lockgate approvals list`"
    Unusual "unusual" Medium Delayed "behaviour is not what it was before" "look at the sign and the session; stop it if nobody knows why"
    GatewayStarted "gateway_started" Info Immediate "Lockgate started" "nothing, if you meant it to"
    GatewayStopped "gateway_stopped" Info Immediate "Lockgate ended in good order" "nothing, if you meant it to"
    ToolCalled "tool_called" Info Delayed "a call was allowed" "nothing; for rules about a server whose every call somebody wants to see"
    Test "test" Info Immediate "somebody tried whether alerts arrive" "nothing"
}

impl EventName {
    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|name| name.word() == word)
    }
}

/// A set of names. At most 64 names exist; a test says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventNames(u64);

impl EventNames {
    /// None.
    pub const NONE: Self = Self(0);

    /// With one more.
    #[must_use]
    pub fn with(self, name: EventName) -> Self {
        Self(self.0 | 1 << (name as u32))
    }

    /// What is in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Is it in it?
    pub fn has(self, name: EventName) -> bool {
        self.0 & 1 << (name as u32) != 0
    }

    /// Is nothing in it?
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<EventName> for EventNames {
    fn from_iter<I: IntoIterator<Item = EventName>>(names: I) -> Self {
        names.into_iter().fold(Self::NONE, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_and_fit_where_they_go() {
        assert!(EventName::ALL.len() <= 64);
        for (at, name) in EventName::ALL.iter().enumerate() {
            let word = name.word();
            assert_eq!(*name as usize, at);
            assert_eq!(EventName::parse(word), Some(*name), "{word} twice");
            assert!(word.len() <= 32 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{word}");
            for text in [name.meaning(), name.remedy()] {
                assert!(text.bytes().all(|b| (b' '..=b'~').contains(&b)) && !text.ends_with('.'), "{text}");
            }
            let set: EventNames = [*name].into_iter().collect();
            assert_eq!(EventName::ALL.iter().filter(|other| set.has(**other)).count(), 1);
        }
    }
}
