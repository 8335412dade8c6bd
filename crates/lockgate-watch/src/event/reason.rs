use lockgate_model::Reason;

use super::EventName;

/// What a refusal for this reason is; nothing where it is not worth telling.
#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(super) fn name_of(reason: Reason) -> Option<EventName> {
    use EventName as E;
    use Reason as R;
    Some(match reason {
        R::NotUtf8
        | R::ByteOrderMark
        | R::NotJson
        | R::TrailingBytes
        | R::DuplicateKey
        | R::AmbiguousKey
        | R::LoneSurrogate
        | R::NumberOutOfRange
        | R::TooDeep
        | R::TooManyParameters
        | R::MessageTooLarge
        | R::BatchNotSupported
        | R::NotAnObject
        | R::BadVersion
        | R::BadId
        | R::BadMethod
        | R::BadParams
        | R::BadArguments
        | R::BadEnvelope
        | R::MissingMeta
        | R::HeaderMismatch
        | R::UnknownMethod
        | R::DuplicateId
        | R::UnexpectedAnswer
        | R::BodyTimedOut
        | R::NotAcceptable
        | R::UnsupportedMediaType
        | R::ArgumentsDoNotFit
        | R::UndeclaredArgument => E::BrokenMessage,
        R::UnknownTask
        | R::UnknownRequestState
        | R::ForeignState
        | R::StateExpired
        | R::StateSpent
        | R::BadCursor
        | R::UnknownSession
        | R::UnknownHandle
        | R::HandleNotForThisServer => E::ForeignHandle,
        R::ToolDenied
        | R::PromptDenied
        | R::ResourceDenied
        | R::ArgumentDenied
        | R::InterceptDenied
        | R::UnknownServer
        | R::UnknownTool
        | R::UnknownPrompt
        | R::UnknownResource
        | R::ApprovalUnavailable => E::CallRefused,
        R::BudgetExceeded => E::LimitReached,
        R::UnusualBehaviour => E::Unusual,
        R::LoopDetected => E::LoopDetected,
        R::Stopped | R::SafeMode => E::StoppedCall,
        R::ApprovalTimedOut => E::ApprovalExpired,
        R::ApprovalDeclined => E::ApprovalDeclined,
        R::ApprovalMismatch | R::TooManyApprovals => E::ApprovalMisused,
        R::ApprovalRequired | R::ApprovalPending => E::ApprovalWaiting,
        R::UntrustedContentReachesSink => E::CrossServerFlow,
        R::UnknownOrigin => E::UnknownValue,
        R::ConfidentialData | R::DataMayNotFlow | R::SecretInSealedFile | R::ClassifiedData => E::DataLeak,
        R::ServerUnproven | R::ServerQuarantined | R::OwnerUnknown => E::UntrustedServer,
        R::ToolQuarantined | R::DefinitionQuarantined => E::DefinitionHeld,
        R::DefinitionDrift => E::DefinitionChanged,
        R::UnsignedDefinition => E::SignatureFailed,
        R::VersionNotPinned | R::ArtefactUnproven => E::ProvenanceFailed,
        R::ArtefactChanged | R::ServerKeyChanged => E::ArtefactChanged,
        R::PinsUnavailable | R::CountersUnavailable => E::StateUnavailable,
        R::HiddenText | R::PromptInjection => E::InjectedResult,
        R::IndicatorFound => E::IndicatorFound,
        R::SecretInArguments => E::CredentialSent,
        R::PersonalData => E::PersonalData,
        R::AttackPattern | R::CodeRefused => E::AttackInArguments,
        R::MediaRefused | R::OutputTooLarge => E::ResultRefused,
        R::ToolFrozen => E::ToolFrozen,
        R::UnexpectedRequest | R::UnexpectedResponse => E::ForgedMessage,
        R::ServerMayNotAsk
        | R::SchemaUnusable
        | R::ResultDoesNotFit
        | R::CapabilityNotDeclared
        | R::UnexpectedNotification
        | R::ServerBrokeProtocol
        | R::ResultTooLarge
        | R::StateTooLarge
        | R::TooManyPages => E::ServerBrokeProtocol,
        R::CircuitOpen
        | R::ServerUnreachable
        | R::ServerExited
        | R::ServerRefused
        | R::HandshakeRefused
        | R::ServerTimedOut
        | R::ServerRestarting => E::ServerFailing,
        R::RecordsUnavailable => E::RecordsUnavailable,
        R::OriginNotAllowed | R::HostNotAllowed => E::WebPageRefused,
        R::Unauthenticated | R::NotSigned => E::AuthenticationFailed,
        R::TooManyOpen | R::TooManyStates | R::TooManySessions | R::TooManyChildren => E::GatewayFull,
        R::InternalFault => E::InternalFault,
        // What a client meets that is older, younger or a moment too early.
        R::RevisionNotSupported
        | R::MissingClientCapability
        | R::MissingSession
        | R::NotInitialized
        | R::AlreadyInitialized
        | R::NotFound
        | R::HttpMethodNotAllowed
        | R::ShuttingDown => return None,
    })
}
