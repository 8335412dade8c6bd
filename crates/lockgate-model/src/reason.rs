/// Whose fault it is that a message did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The agent broke the protocol.
    Agent,
    /// The server broke the protocol, or did not answer.
    Server,
    /// The operator's rules say no. Not a fault at all.
    Policy,
    /// Lockgate or its machine is at a limit.
    Lockgate,
}

/// JSON-RPC code of a refusal by the operator's rules. Outside the ranges that JSON-RPC and MCP reserve.
#[cfg(test)]
const REFUSED: i32 = -31_000;
/// JSON-RPC code for a server that cannot be used now.
#[cfg(test)]
const UNAVAILABLE: i32 = -31_001;

macro_rules! reasons {
    ($($variant:ident $code:literal $fault:ident $rpc:literal $http:literal $meaning:literal $remedy:literal)*) => {
        /// A fact against a message, named so that people, rules and alerts can rely on it. Stable: a code is never
        /// renamed or used for something else. The list with explanations is `docs/reasons.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Reason {
            $(#[doc = $meaning] $variant,)*
        }

        impl Reason {
            /// Every reason, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable `snake_case` code.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// What it means, as one sentence that holds no text from a message.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// What the person who meets it can do.
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy,)* }
            }

            /// Whose fault it is.
            pub fn fault(self) -> Fault {
                match self { $(Self::$variant => Fault::$fault,)* }
            }

            /// The JSON-RPC error code.
            pub fn rpc_code(self) -> i32 {
                match self { $(Self::$variant => $rpc,)* }
            }

            /// The HTTP status that goes with it.
            pub fn http_status(self) -> u16 {
                match self { $(Self::$variant => $http,)* }
            }
        }
    };
}

reasons! {
    NotUtf8 "not_utf8" Agent -32700 400 "the message is not UTF-8 text" "send UTF-8 without a byte order mark"
    ByteOrderMark "byte_order_mark" Agent -32700 400 "the message starts with a byte order mark" "send UTF-8 without a byte order mark"
    NotJson "not_json" Agent -32700 400 "the message is not well-formed JSON" "check the client or server that wrote it"
    TrailingBytes "trailing_bytes" Agent -32700 400 "the message is followed by more text" "send exactly one JSON object"
    DuplicateKey "duplicate_key" Agent -32600 400 "an object has the same key twice, or twice but for case, so two readers would read two things" "send each key once"
    AmbiguousKey "ambiguous_key" Agent -32600 400 "a key differs only in case from one that the protocol defines" "spell protocol keys exactly"
    LoneSurrogate "lone_surrogate" Agent -32700 400 "a string has half of a surrogate pair, which readers replace in different ways" "send whole characters"
    NumberOutOfRange "number_out_of_range" Agent -32600 400 "a number is too large to be read alike by everybody" "send numbers below 1.8e308"
    TooDeep "too_deep" Agent -32600 400 "the message is nested deeper than allowed" "raise limits.argument_depth or limits.message_depth if the tool needs it"
    TooManyParameters "too_many_parameters" Agent -32602 400 "the call has more arguments than allowed" "raise limits.parameters if the tool needs it"
    MessageTooLarge "message_too_large" Agent -32600 413 "the message from the agent is larger than allowed" "raise limits.request_bytes if the tool needs it"
    BatchNotSupported "batch_not_supported" Agent -32600 400 "the message is an array: batches were removed from MCP in 2025-06-18 and are not split here" "send one message at a time"
    NotAnObject "not_an_object" Agent -32600 400 "the message is not a JSON object" "send a JSON-RPC 2.0 object"
    BadVersion "bad_version" Agent -32600 400 "`jsonrpc` is not \"2.0\"" "send \"jsonrpc\":\"2.0\""
    BadId "bad_id" Agent -32600 400 "`id` is neither a string nor an integer" "use a string or an integer that is not in use"
    BadMethod "bad_method" Agent -32600 400 "`method` is missing or not a string" "name a method"
    BadParams "bad_params" Agent -32602 400 "`params` or one of its fields does not have the form the method asks for" "see the method in the MCP specification"
    BadArguments "bad_arguments" Agent -32602 400 "`arguments` is not an object" "send the arguments as a JSON object"
    BadEnvelope "bad_envelope" Agent -32600 400 "the message is neither a request, a notification nor a response" "send exactly one of method, result and error"
    MissingMeta "missing_meta" Agent -32602 400 "the request lacks `_meta` fields that revision 2026-07-28 requires" "send protocolVersion and clientCapabilities in `_meta`"
    HeaderMismatch "header_mismatch" Agent -32020 400 "an HTTP header is missing or does not say what the message says" "mirror the message in MCP-Protocol-Version, Mcp-Method, Mcp-Name and Mcp-Param-*"
    RevisionNotSupported "revision_not_supported" Agent -32022 400 "the protocol revision is not one that is spoken here" "use one of the revisions in the error's data"
    MissingClientCapability "missing_client_capability" Agent -32021 400 "the request needs a capability that it does not declare" "declare the extension named in the error's data"
    UnknownMethod "unknown_method" Agent -32601 404 "the method is not part of the protocol revision in use" "check the method name and the revision"
    UnknownServer "unknown_server" Agent -32602 404 "no server of that name is configured" "see `lockgate check` for the names"
    UnknownTool "unknown_tool" Agent -32602 200 "the server does not offer that tool in this session" "list the tools again; a hidden tool answers like a missing one"
    UnknownPrompt "unknown_prompt" Agent -32602 200 "the prompt's name does not lead to a server" "use a name from prompts/list"
    UnknownResource "unknown_resource" Agent -32602 200 "the resource's address does not lead to a server" "use an address from resources/list"
    UnknownTask "unknown_task" Agent -32602 200 "the task does not belong to this session" "use a taskId that a call of this session returned"
    UnknownRequestState "unknown_request_state" Agent -32602 200 "the `requestState` names no call that waits for this agent to come back" "send the request again without `requestState` and `inputResponses`"
    ForeignState "foreign_state" Agent -32602 200 "the requestState was not given for this very request" "send back the requestState of the answer, with the same method, name and arguments, in the same session"
    StateExpired "state_expired" Agent -32602 200 "the requestState is older than ten minutes" "make the request again without requestState"
    StateSpent "state_spent" Agent -32602 200 "the requestState was sent back before, and is good for one retry" "make the request again without requestState"
    BadCursor "bad_cursor" Agent -32602 200 "the cursor was not given for this list in this session, or is older than a day" "ask for the first page again, without a cursor"
    UnknownSession "unknown_session" Agent -32600 404 "the session does not exist or has ended" "start again with `initialize`"
    MissingSession "missing_session" Agent -32600 400 "the request names no session" "start with `initialize` and send Mcp-Session-Id"
    NotInitialized "not_initialized" Agent -32600 400 "the session has not been initialized" "send `initialize` first"
    AlreadyInitialized "already_initialized" Agent -32600 400 "the session has been initialized before" "open a new session"
    DuplicateId "duplicate_id" Agent -32600 400 "a request with the same id is still open" "use an id that is not in use"
    UnexpectedAnswer "unexpected_answer" Agent -32600 400 "the agent answers a question that no server asked" "answer each server request once"
    TooManyOpen "too_many_open" Lockgate -31001 429 "too many requests of this session are open" "wait for answers; see limits.open_requests"
    TooManyStates "too_many_states" Lockgate -31001 429 "this session has sent back so many requestStates that no further one is taken" "wait ten minutes"
    ToolDenied "tool_denied" Policy -31000 200 "a rule denies this tool" "do without this tool, or ask the operator to change the rule"
    PromptDenied "prompt_denied" Policy -31000 200 "a rule denies this prompt" "ask the operator to change the rule"
    ResourceDenied "resource_denied" Policy -31000 200 "a rule denies this resource" "ask the operator to change the rule"
    ArgumentDenied "argument_denied" Policy -31000 200 "a rule denies this tool with these arguments" "use arguments that the rule allows, or ask the operator to change it"
    BudgetExceeded "budget_exceeded" Policy -31000 200 "a limit of the operator's rules is reached" "wait until the window has passed, or ask the operator to raise the limit"
    LoopDetected "loop_detected" Policy -31000 200 "the same calls were made over and over with the same arguments" "do something else, or ask the user how to go on"
    Stopped "stopped" Policy -31000 200 "the operator has stopped this by hand" "nothing until the operator lets it run again"
    SafeMode "safe_mode" Policy -31000 200 "safe mode is on: only harmless reading passes" "nothing until the operator ends safe mode"
    ApprovalRequired "approval_required" Policy -31000 200 "a rule asks for a person's approval" "approve or decline it in the client"
    ApprovalUnavailable "approval_unavailable" Policy -31000 200 "a person must approve this, and the client has no way to ask one" "use a client with elicitation, or ask the operator to change the rule"
    InterceptDenied "intercept_denied" Policy -31000 200 "the Intercept policy of the server denies this call" "do without this call, or ask the operator to change the policy"
    ApprovalPending "approval_pending" Policy -31000 200 "a person must approve this first" "tell the user; once it is approved, send the same call again"
    TooManyApprovals "too_many_approvals" Policy -31000 200 "too many calls are waiting for a person's approval, or were within the hour" "do something that needs no approval, or ask the user to answer what is waiting"
    ApprovalDeclined "approval_declined" Policy -31000 200 "the person who was asked did not approve" "ask the user how to go on"
    ApprovalTimedOut "approval_timed_out" Policy -31000 200 "nobody answered the approval in time" "ask the user how to go on"
    ApprovalMismatch "approval_mismatch" Policy -31000 200 "the approval does not belong to this very call" "send the call again unchanged, once for each approval"
    UntrustedContentReachesSink "untrusted_content_reaches_sink" Policy -31000 200 "text that outsiders can write to may not decide who gets what, or what is changed for good" "ask the user; continue without this step; or use a value that the user gave or the server itself listed"
    UnknownOrigin "unknown_origin" Policy -31000 200 "a value that decides who gets what, or what is changed, was given neither by the user nor by a server that may" "ask the user for the value; or take it from what the server itself lists"
    ConfidentialData "confidential_data" Policy -31000 200 "not permitted" "continue without this step, or ask the user"
    DataMayNotFlow "data_may_not_flow" Policy -31000 200 "a rule on where data comes from and where it goes stands against this call" "continue without this step, ask the user, or ask the operator to change the rule"
    UnusualBehaviour "unusual_behaviour" Policy -31000 200 "what this session did of late is unusual, and a rule stands against this call then" "ask the user how to go on, or wait"
    ServerUnproven "server_unproven" Policy -31000 200 "a rule wants proof of where a server's tools come from, and there is none" "do without this server, or ask the operator to change the rule"
    ToolQuarantined "tool_quarantined" Policy -31000 200 "the definition of this tool is not approved" "do without this tool, or ask the operator: `lockgate quarantine list` shows why"
    DefinitionDrift "definition_drift" Policy -31000 200 "the definition of this tool is another one than was approved" "do without this tool, or ask the operator: `lockgate quarantine list` shows what changed"
    DefinitionQuarantined "definition_quarantined" Policy -31000 200 "what the server says of this prompt, resource or of itself is not approved" "do without it, or ask the operator: `lockgate quarantine list` shows why"
    UnsignedDefinition "unsigned_definition" Policy -31000 200 "the definition is not in a manifest that is signed as the operator wants" "do without it, or ask the operator for a manifest that names it"
    ServerQuarantined "server_quarantined" Policy -31000 200 "the server is not approved, or claims to be another one" "do without this server, or ask the operator: `lockgate quarantine list` shows why"
    PinsUnavailable "pins_unavailable" Lockgate -31001 503 "what is approved cannot be read or written" "see Lockgate's diagnostics; check the folder `state`"
    VersionNotPinned "version_not_pinned" Policy -31000 200 "the server would start in another version than the lock file has" "do without this server, or ask the operator: `lockgate pin` takes the new version in"
    ArtefactChanged "artefact_changed" Policy -31000 200 "the server's files are not those that were pinned" "do without this server, and tell the operator: somebody changed them"
    ArtefactUnproven "artefact_unproven" Policy -31000 200 "who made the server's files is not proven as the operator wants" "do without this server, or ask the operator for a version with attestations"
    ServerKeyChanged "server_key_changed" Policy -31000 200 "the server shows another TLS key than was pinned" "do without this server, and tell the operator"
    OwnerUnknown "owner_unknown" Policy -31000 200 "who answers for the server is not known as the operator wants" "ask the operator to fill in the server's owner"
    UnknownHandle "unknown_handle" Policy -31000 200 "a handle in the arguments stands for nothing in this session, or no longer does" "read again what gave the handle, and use the one that it gives now"
    HandleNotForThisServer "handle_not_for_this_server" Policy -31000 200 "what a handle in the arguments stands for may not go there" "use the handle where it came from, or ask the operator to name the server in flow.secrets.expand_for or detect.personal.expand_for"
    SecretInSealedFile "secret_in_sealed_file" Policy -31000 200 "the file holds a secret and its digest is known, so that it can be neither shown as it is nor changed" "take the secret out of the file, or set flow.secrets.action: pass"
    HiddenText "hidden_text" Policy -31000 200 "there is text in it that people do not see and models read" "use another source, or ask the operator to look at the record"
    PromptInjection "prompt_injection" Policy -31000 200 "there is text in it that gives orders to a model" "use another source, ask the user, or ask the operator to look at the record"
    SecretInArguments "secret_in_arguments" Policy -31000 200 "there is a credential in the arguments that neither the user nor this server has given" "leave it out, or ask the user"
    PersonalData "personal_data" Policy -31000 200 "there is personal data in it that may not pass" "leave it out, or ask the user"
    AttackPattern "attack_pattern" Policy -31000 200 "an argument looks like an attack on what is behind the tool" "use plain values, ask the user, or ask the operator to suppress the rule"
    CodeRefused "code_refused" Policy -31000 200 "there is code in the arguments that is not allowed" "leave out what the refusal names, or ask the operator to allow it"
    MediaRefused "media_refused" Policy -31000 200 "there is a file in the result that is not of an allowed type, too large, or not what it claims to be" "use another source, or ask the operator to raise or allow it in detect.output"
    IndicatorFound "indicator_found" Policy -31000 200 "it names something that is on the operator's list of indicators of compromise" "do not go there; tell the user, or ask the operator"
    ClassifiedData "classified_data" Policy -31000 200 "it holds data of a class that the operator does not let pass here" "leave it out, or ask the operator to allow the class in detect.data_classes"
    OutputTooLarge "output_too_large" Policy -31000 200 "the result has more parts, or larger ones, than allowed" "ask for less at once, or ask the operator to raise detect.output"
    ToolFrozen "tool_frozen" Policy -31000 200 "calls of this tool were refused again and again with other values, so it is frozen for a while" "do something else, or ask the user"
    ServerMayNotAsk "server_may_not_ask" Policy -31000 200 "the server is not allowed to ask the agent for this" "add it to the server's may_ask if it should be"
    ArgumentsDoNotFit "arguments_do_not_fit" Agent -32602 200 "the arguments do not have the form the tool's input schema asks for" "send arguments of that form"
    UndeclaredArgument "undeclared_argument" Agent -32602 200 "an argument is not declared in the tool's input schema" "leave it out, or ask the operator to set undeclared_arguments: allow for the server"
    SchemaUnusable "schema_unusable" Server -31001 502 "the tool's schema cannot be used, so nothing can be checked against it" "update or replace the server"
    ResultDoesNotFit "result_does_not_fit" Server -31001 502 "the result does not have the form the tool's output schema promises" "update or replace the server"
    CircuitOpen "circuit_open" Server -31001 503 "the server failed several times in a row and is given a rest" "wait, then try again"
    RecordsUnavailable "records_unavailable" Lockgate -31001 503 "records of decisions cannot be written, and nothing passes unrecorded" "see Lockgate's diagnostics; check the folder of the log and the room on its disk"
    CountersUnavailable "counters_unavailable" Lockgate -31001 503 "the counts for limits cannot be read or written" "see Lockgate's diagnostics; check the folder `state`"
    CapabilityNotDeclared "capability_not_declared" Server -32601 200 "the server asked for something the agent did not declare" "nothing: the question was answered with an error"
    UnexpectedRequest "unexpected_request" Server -32601 200 "the server sent a request that only an agent may send" "find out why this server forges calls"
    UnexpectedNotification "unexpected_notification" Server -32600 200 "the server sent a notification that it may not send, or that belongs to no open request" "nothing: it was dropped"
    UnexpectedResponse "unexpected_response" Server -32600 200 "the server answered a request that is not open" "nothing: it was dropped"
    ServerBrokeProtocol "server_broke_protocol" Server -31001 502 "the server sent something that is not a message" "update or replace the server"
    ResultTooLarge "result_too_large" Server -31001 502 "the server's answer is larger than allowed" "ask for less, or raise limits.result_bytes"
    StateTooLarge "state_too_large" Server -31001 502 "a requestState, taskId or cursor of the server is longer than 64 KiB" "update or replace the server"
    ServerUnreachable "server_unreachable" Server -31001 502 "the server cannot be started or reached" "see Lockgate's diagnostics for the server's own error"
    ServerExited "server_exited" Server -31001 502 "the server ended before it answered" "see Lockgate's diagnostics for the server's own error"
    ServerRefused "server_refused" Server -31001 502 "the server refused the request at the HTTP level" "check the server's address and credentials in the configuration"
    HandshakeRefused "handshake_refused" Server -31001 502 "the server refused the handshake, or answered it with a revision that has none" "check which revisions of MCP the server speaks; update or replace it"
    ServerTimedOut "server_timed_out" Server -31001 504 "the server did not answer in time" "raise the server's timeout if it needs longer"
    ServerRestarting "server_restarting" Server -31001 503 "the server ended several times and is not started again yet" "wait, then try again"
    TooManyPages "too_many_pages" Server -31001 502 "the server's list has more pages or entries than allowed" "raise limits.list_entries if the server is honest"
    OriginNotAllowed "origin_not_allowed" Agent -32600 403 "the request comes from a web page that is not allowed" "add the origin to http.allowed_origins if it should be"
    HostNotAllowed "host_not_allowed" Agent -32600 403 "the Host header names another machine (DNS rebinding)" "use the address Lockgate listens on, or add the name to http.allowed_hosts"
    Unauthenticated "unauthenticated" Agent -32600 401 "the request has no valid bearer token" "send Authorization: Bearer with a token of the configuration"
    NotSigned "not_signed" Agent -32600 401 "the user's turn is not signed with the key, is older than five minutes, or came before" "sign each turn once, with the key of flow.hook and the time of sending"
    NotFound "not_found" Agent -32600 404 "there is nothing at this path" "use /mcp or /s/<server>/mcp, with /c/<context> before it where the client names its run there"
    HttpMethodNotAllowed "http_method_not_allowed" Agent -32600 405 "the HTTP method is not used here" "use POST, or GET and DELETE with a session of an older revision"
    NotAcceptable "not_acceptable" Agent -32600 406 "the Accept header does not list both application/json and text/event-stream" "send Accept: application/json, text/event-stream"
    UnsupportedMediaType "unsupported_media_type" Agent -32600 415 "the Content-Type is not application/json" "send Content-Type: application/json"
    BodyTimedOut "body_timed_out" Agent -32600 408 "the request's body did not arrive in time" "send the body at once"
    TooManySessions "too_many_sessions" Lockgate -31001 503 "there are as many sessions as allowed" "end sessions, or raise limits.sessions"
    TooManyChildren "too_many_children" Lockgate -31_001 503 "there are as many server processes as allowed" "end sessions, or raise limits.children"
    ShuttingDown "shutting_down" Lockgate -31001 503 "Lockgate is stopping" "try again"
    InternalFault "internal_fault" Lockgate -32603 500 "Lockgate met a state it does not know and closed this request" "report it, with the correlation id"
}

impl Reason {
    /// Is it a decision of the operator's rules, as opposed to a broken message or a broken server? Such a decision on
    /// a tool call is answered with a tool execution error, which the model can read and react to.
    pub fn is_decision(self) -> bool {
        matches!(self.fault(), Fault::Policy)
    }

    /// Is it said to the model, as a tool execution error, where a tool was called? It can react to a decision, and
    /// mend arguments (specification 2025-11-25, tools, error handling).
    pub fn is_for_the_model(self) -> bool {
        self.is_decision() || matches!(self, Self::ArgumentsDoNotFit | Self::UndeclaredArgument)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_and_well_formed() {
        let codes: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            assert!(reason.code().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
            assert!(!reason.meaning().ends_with('.') && !reason.meaning().contains('\n'));
            let own = [REFUSED, UNAVAILABLE].contains(&reason.rpc_code());
            assert!(own || (-32_768..=-32_000).contains(&reason.rpc_code()), "{}", reason.code());
        }
    }
}
