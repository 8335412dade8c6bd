use crate::DeskError;

/// Why a request is not done. What the caller sees: a stable code, what it means, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The Host header is missing, given twice, or not a name of this machine's loopback.
    HostNotAllowed,
    /// The request comes from a web page of another origin.
    OriginNotAllowed,
    /// There is no token, or nobody's.
    Unauthenticated,
    /// There is no such path.
    NoSuchPath,
    /// The path does not know the method.
    MethodNotAllowed,
    /// The query has something that is not known.
    BadQuery,
    /// The body is not said to be JSON.
    UnsupportedMediaType,
    /// The body is longer than 64 KiB.
    BodyTooLarge,
    /// The body did not come within 5 s.
    BodyTimedOut,
    /// The body is not one JSON text.
    NotJson,
    /// The body is JSON of another shape.
    BadBody,
    /// The body names another approver than the one who asks.
    ApproverMismatch,
    /// There is no such approval, definition or stop.
    NotFound,
    /// The approval or definition is decided.
    AlreadyDecided,
    /// The approval was not answered in time.
    Expired,
    /// This person has answered already.
    AlreadyVoted,
    /// This person may not answer this approval.
    ApproverNotAllowed,
    /// The approval cannot be given for that long.
    ScopeNotAllowed,
    /// There are as many stops as can be kept.
    TooManyStops,
    /// The store cannot be read or written.
    Unavailable,
    /// The store did not answer within 10 s.
    DeskTimedOut,
}

impl Refusal {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 21] = [
        Self::HostNotAllowed,
        Self::OriginNotAllowed,
        Self::Unauthenticated,
        Self::NoSuchPath,
        Self::MethodNotAllowed,
        Self::BadQuery,
        Self::UnsupportedMediaType,
        Self::BodyTooLarge,
        Self::BodyTimedOut,
        Self::NotJson,
        Self::BadBody,
        Self::ApproverMismatch,
        Self::NotFound,
        Self::AlreadyDecided,
        Self::Expired,
        Self::AlreadyVoted,
        Self::ApproverNotAllowed,
        Self::ScopeNotAllowed,
        Self::TooManyStops,
        Self::Unavailable,
        Self::DeskTimedOut,
    ];

    /// The code. Never changes its meaning.
    pub fn code(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status.
    pub fn status(self) -> u16 {
        self.row().1
    }

    /// What it means, in one line.
    pub fn meaning(self) -> &'static str {
        self.row().2
    }

    /// What to do about it.
    pub fn hint(self) -> &'static str {
        self.row().3
    }

    #[expect(clippy::too_many_lines, reason = "a table")]
    fn row(self) -> (&'static str, u16, &'static str, &'static str) {
        match self {
            Self::HostNotAllowed => (
                "host_not_allowed",
                403,
                "the Host header does not name this machine's loopback",
                "send one Host header: `localhost`, `127.0.0.1` or `[::1]`, with any port",
            ),
            Self::OriginNotAllowed => (
                "origin_not_allowed",
                403,
                "the request comes from a web page of another origin",
                "do not call this from a page in a browser",
            ),
            Self::Unauthenticated => (
                "unauthenticated",
                401,
                "there is no token, or it is nobody's",
                "send one `Authorization: Bearer` header with a token of the configuration",
            ),
            Self::NoSuchPath => {
                ("no_such_path", 404, "there is no such path", "see docs/admin-api.md for all paths")
            }
            Self::MethodNotAllowed => (
                "method_not_allowed",
                405,
                "the path does not know this method",
                "use a method of the Allow header",
            ),
            Self::BadQuery => (
                "bad_query",
                400,
                "the query is not known here",
                "only `GET /v1/approvals` and `GET /v1/quarantine` take one: `all=true` or `all=false`",
            ),
            Self::UnsupportedMediaType => (
                "unsupported_media_type",
                415,
                "the body is not said to be JSON",
                "send `Content-Type: application/json`",
            ),
            Self::BodyTooLarge => {
                ("body_too_large", 413, "the body is longer than 64 KiB", "send a shorter reason")
            }
            Self::BodyTimedOut => (
                "body_timed_out",
                408,
                "the body did not come whole within 5 s",
                "send the request again, at once",
            ),
            Self::NotJson => ("not_json", 400, "the body is not one JSON text", "send one JSON object"),
            Self::BadBody => (
                "bad_body",
                400,
                "the body has another shape than asked for",
                "see docs/admin-api.md for the fields of this path",
            ),
            Self::ApproverMismatch => (
                "approver_mismatch",
                403,
                "the body names another approver than the one who asks",
                "leave `approver` out, or use that person's own token",
            ),
            Self::NotFound => (
                "not_found",
                404,
                "there is no such approval, definition or stop",
                "list them to see which there are",
            ),
            Self::AlreadyDecided => ("already_decided", 409, "it is decided", "read it to see by whom"),
            Self::Expired => (
                "expired",
                409,
                "the approval was not answered in time",
                "let the agent send the call again and answer the new approval",
            ),
            Self::AlreadyVoted => (
                "already_voted",
                409,
                "this person has answered already",
                "a different person must answer as well",
            ),
            Self::ApproverNotAllowed => (
                "approver_not_allowed",
                403,
                "this person may not answer this approval",
                "ask somebody whom the rule names",
            ),
            Self::ScopeNotAllowed => (
                "scope_not_allowed",
                403,
                "the approval cannot be given for that long",
                "use the scope `once`",
            ),
            Self::TooManyStops => (
                "too_many_stops",
                409,
                "there are as many stops as can be kept",
                "lift stops that are not needed, or stop all",
            ),
            Self::Unavailable => (
                "unavailable",
                503,
                "the store cannot be read or written",
                "look at the gateway's log; calls that need an approval are denied meanwhile",
            ),
            Self::DeskTimedOut => (
                "desk_timed_out",
                504,
                "the store did not answer within 10 s",
                "it may have been done: read how it stands before you try again",
            ),
        }
    }
}

impl From<DeskError> for Refusal {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::NotFound => Self::NotFound,
            DeskError::Decided => Self::AlreadyDecided,
            DeskError::Expired => Self::Expired,
            DeskError::Voted => Self::AlreadyVoted,
            DeskError::NotAllowed => Self::ApproverNotAllowed,
            DeskError::ScopeNotAllowed => Self::ScopeNotAllowed,
            DeskError::Full => Self::TooManyStops,
            DeskError::Unavailable => Self::Unavailable,
        }
    }
}
