//! Approvals, definitions and stops as people see them over the admin API and in events.

use lockgate_console::{
    Approval, ApprovalId, Definition, DefinitionId, Pinned, SafeMode, Scope, State, Stop, Stops, Target,
    Vote, Voted, Yes,
};
use lockgate_model::{Principal, ServerName, SessionId, ToolName, UnixMillis, Untrusted};
use lockgate_store::{self as store, pins};

/// Who stops everything with a file.
const BY_FILE: &str = "the file STOP";

/// Who stops everything where stops cannot be read. No person's name has a space or is called so.
const BY_FAULT: &str = "Lockgate itself";

/// Longest name of a tool that is shown. Characters.
const TOOL: usize = 256;

/// An approval; `None` where its name has another form than ours have.
pub(super) fn approval(entry: &store::Entry) -> Option<Approval> {
    let request = &entry.request;
    Some(Approval {
        id: ApprovalId::parse(&entry.id)?,
        state: state(&entry.ballot),
        session: request.session.clone(),
        principal: request.principal.clone(),
        server: request.server.clone(),
        tool: Untrusted::new(&request.tool).escaped(TOOL),
        arguments: Some(request.arguments.clone()),
        fingerprint: request.fingerprint.clone(),
        rule: request.rule.clone(),
        reason: request.reason.clone(),
        origin: request.origin.clone(),
        effect: request.effect.clone(),
        needed: request.approvers,
        votes: entry.votes.iter().map(vote).collect(),
        created_unix_ms: UnixMillis(request.created),
        expires_unix_ms: UnixMillis(request.expires),
    })
}

/// A definition without its text; `None` where its name has another form than ours have.
pub(super) fn definition(entry: &pins::Entry) -> Option<Definition> {
    let key = &entry.key;
    let yes = |vote: &pins::Vote| Yes {
        approver: vote.by.clone(),
        reason: vote.why.clone().unwrap_or_default(),
        unix_ms: UnixMillis(vote.at),
    };
    Some(Definition {
        id: DefinitionId::parse(&entry.id)?,
        state: match entry.state {
            pins::State::Waiting => Pinned::Waiting,
            pins::State::Approved => Pinned::Approved,
            pins::State::Refused => Pinned::Refused,
        },
        tenant: key.tenant.clone(),
        server: key.place().0.to_owned(),
        configuration: key.place().1.map(str::to_owned),
        kind: key.kind.word().to_owned(),
        name: Untrusted::new(&key.name).escaped(pins::Key::LONGEST),
        digest: entry.digest.clone(),
        cause: entry.cause.word().to_owned(),
        renamed_from: match &entry.cause {
            pins::Cause::Renamed { from } => Some(Untrusted::new(from).escaped(pins::Key::LONGEST)),
            pins::Cause::First | pins::Cause::Added | pins::Cause::Changed => None,
        },
        why: entry.why.clone(),
        needed: entry.need,
        votes: entry.votes.iter().map(yes).collect(),
        by: entry.by.clone(),
        since_unix_ms: UnixMillis(entry.since),
        first_unix_ms: UnixMillis(entry.first),
        last_unix_ms: UnixMillis(entry.last),
        text: None,
        in_force: None,
    })
}

/// A definition's text, whole.
pub(super) fn text(definition: &str) -> String {
    Untrusted::new(definition).escaped(usize::MAX)
}

fn state(ballot: &store::Ballot) -> State {
    match ballot {
        store::Ballot::Waiting { .. } => State::Waiting,
        store::Ballot::Approved { .. } => State::Approved,
        store::Ballot::Denied { .. } => State::Denied,
        store::Ballot::Expired => State::Expired,
        store::Ballot::Used => State::Used,
    }
}

fn vote(voice: &store::Voice) -> Vote {
    let vote = &voice.vote;
    Vote {
        approver: vote.approver.clone(),
        answer: if vote.yes { Voted::Approve } else { Voted::Deny },
        reason: vote.why.clone().unwrap_or_default(),
        scope: match vote.scope {
            store::Scope::Once => Scope::Once,
            store::Scope::Session => Scope::Session,
            store::Scope::Value { until } => Scope::Value { until: UnixMillis(until) },
        },
        unix_ms: UnixMillis(voice.at),
    }
}

/// How far a yes reaches, for the store.
pub(super) fn scope(scope: Scope) -> store::Scope {
    match scope {
        Scope::Once => store::Scope::Once,
        Scope::Session => store::Scope::Session,
        Scope::Value { until } => store::Scope::Value { until: until.0 },
    }
}

/// A target, for the store.
pub(super) fn target(target: &Target) -> store::Target {
    match target {
        Target::All => store::Target::Everything,
        Target::Server(server) => store::Target::Server(server.to_string()),
        Target::Tool(server, tool) => store::Target::Tool(server.to_string(), tool.as_str().to_owned()),
        Target::Session(session) => store::Target::Session(session.to_string()),
        Target::Principal(principal) => store::Target::Principal(principal.to_string()),
    }
}

/// A stop; `None` for safe mode, and for a server of a name that none can have: it stops nothing.
pub(super) fn stop(stop: &store::Stop) -> Option<Stop> {
    let target = match &stop.target {
        store::Target::Everything => Target::All,
        store::Target::Server(server) => Target::Server(ServerName::parse(server)?),
        store::Target::Tool(server, tool) => Target::Tool(ServerName::parse(server)?, ToolName::new(tool)),
        store::Target::Session(session) => Target::Session(SessionId::new(session)),
        store::Target::Principal(principal) => Target::Principal(Principal::new(principal)),
        store::Target::SafeMode => return None,
    };
    let store::Stop { by, why, since, .. } = stop.clone();
    Some(Stop { target, by, reason: why, since_unix_ms: UnixMillis(since) })
}

/// Safe mode, where the stop is that.
pub(super) fn safe_mode(stop: &store::Stop) -> Option<SafeMode> {
    let store::Stop { by, why, since, .. } = stop.clone();
    let mode = SafeMode { by, reason: why, since_unix_ms: UnixMillis(since) };
    (stop.target == store::Target::SafeMode).then_some(mode)
}

/// All that is stopped, by hand and by the file.
pub(super) fn stops(listed: &[store::Stop], by_file: Option<UnixMillis>) -> Stops {
    Stops {
        safe_mode: listed.iter().find_map(safe_mode),
        stops: listed.iter().chain(file(by_file).as_ref()).filter_map(stop).collect(),
    }
}

/// Did it come about without anybody's order, so that it also ends without one?
pub(super) fn is_by_nobody(stop: &store::Stop) -> bool {
    stop.by == BY_FILE || stop.by == BY_FAULT
}

/// What stands for stops that cannot be read.
pub(super) fn unreadable(since: UnixMillis) -> store::Stop {
    store::Stop {
        target: store::Target::Everything,
        by: BY_FAULT.to_owned(),
        why: "what was stopped by hand cannot be read".to_owned(),
        since: since.0,
    }
}

/// What the file that stops everything stands for.
pub(super) fn file(since: Option<UnixMillis>) -> Option<store::Stop> {
    let since = since?.0;
    Some(store::Stop { target: store::Target::Everything, by: BY_FILE.to_owned(), why: String::new(), since })
}
