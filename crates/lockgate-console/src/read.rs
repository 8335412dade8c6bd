//! The bodies that the admin API reads.

use lockgate_model::{Principal, ServerName, SessionId, ToolName};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{Answer, Decision, Order, Person, Refusal, Scope, Switch, Target, Verdict, Voted};

/// Longest reason. Characters.
const REASON: usize = 500;
/// Longest name in a target. Bytes.
const NAME: usize = 256;

/// Why a body is not taken, with what its reader says of it, in the caller's own words.
pub(crate) struct BadBody(pub(crate) Refusal, pub(crate) Option<String>);

impl BadBody {
    fn because(detail: &str) -> Self {
        Self(Refusal::BadBody, Some(detail.to_owned()))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct RawAnswer {
    approver: Option<String>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    scope: Scope,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct RawVerdict {
    answer: Answer,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct RawStop {
    target: RawTarget,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct RawTarget {
    all: Option<bool>,
    server: Option<String>,
    tool: Option<String>,
    session: Option<String>,
    principal: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct RawSafeMode {
    on: bool,
    reason: String,
}

/// A yes or no. Whoever asks is the one who answers: the body may repeat the name, but not choose it.
pub(crate) fn decision(body: &[u8], by: Person, answer: Voted) -> Result<Decision, BadBody> {
    let raw: RawAnswer = json(body)?;
    if raw.approver.is_some_and(|approver| approver != by.as_str()) {
        return Err(BadBody(Refusal::ApproverMismatch, None));
    }
    Ok(Decision { by, answer, reason: words(raw.reason)?, scope: raw.scope })
}

/// What somebody says to a definition. Who refuses one must say why.
pub(crate) fn verdict(body: &[u8], by: Person) -> Result<Verdict, BadBody> {
    let RawVerdict { answer, reason } = json(body)?;
    let reason = match answer {
        Answer::Approve => words(reason)?,
        Answer::Reject => order(by.clone(), reason)?.reason,
    };
    Ok(Verdict { by, answer, reason })
}

/// A target, and who stops or resumes it.
pub(crate) fn stop(body: &[u8], by: Person) -> Result<(Target, Order), BadBody> {
    let raw: RawStop = json(body)?;
    Ok((target(raw.target)?, order(by, raw.reason)?))
}

/// Safe mode.
pub(crate) fn safe_mode(body: &[u8], by: Person) -> Result<(Switch, Order), BadBody> {
    let raw: RawSafeMode = json(body)?;
    Ok((if raw.on { Switch::On } else { Switch::Off }, order(by, raw.reason)?))
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, BadBody> {
    serde_json::from_slice(body).map_err(|error| {
        let refusal = if error.is_data() { Refusal::BadBody } else { Refusal::NotJson };
        // It repeats names of the body, which may be as long as the body.
        BadBody(refusal, Some(error.to_string().chars().take(200).collect()))
    })
}

fn order(by: Person, reason: String) -> Result<Order, BadBody> {
    let reason = words(reason)?;
    if reason.trim().is_empty() {
        return Err(BadBody::because("`reason` must say why"));
    }
    Ok(Order { by, reason })
}

/// A reason, which others will read on a terminal.
fn words(reason: String) -> Result<String, BadBody> {
    if reason.chars().count() > REASON || reason.chars().any(char::is_control) {
        return Err(BadBody::because("`reason` must be at most 500 characters on one line"));
    }
    Ok(reason)
}

fn target(raw: RawTarget) -> Result<Target, BadBody> {
    let RawTarget { all, server, tool, session, principal } = raw;
    let server = server.map(|name| {
        ServerName::parse(&name)
            .ok_or_else(|| BadBody::because("`server` is not the form of a server's name"))
    });
    let server = server.transpose()?;
    if [&tool, &session, &principal].into_iter().flatten().any(|name| !usable(name)) {
        return Err(BadBody::because("a name must be 1 to 256 bytes without control characters"));
    }
    match (all, server, tool, session, principal) {
        (Some(true), None, None, None, None) => Ok(Target::All),
        (None, Some(server), None, None, None) => Ok(Target::Server(server)),
        (None, Some(server), Some(tool), None, None) => Ok(Target::Tool(server, ToolName::new(&tool))),
        (None, None, None, Some(session), None) => Ok(Target::Session(SessionId::new(&session))),
        (None, None, None, None, Some(principal)) => Ok(Target::Principal(Principal::new(&principal))),
        _ => Err(BadBody::because(
            "`target` must have one of `server`, `server` and `tool`, `session`, `principal`, `all: true`",
        )),
    }
}

fn usable(name: &str) -> bool {
    (1..=NAME).contains(&name.len()) && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use lockgate_model::UnixMillis;

    use super::*;

    fn refusal<T>(outcome: Result<T, BadBody>) -> Option<Refusal> {
        outcome.err().map(|BadBody(refusal, _)| refusal)
    }

    #[test]
    fn verdicts() {
        let read = |body: &str| verdict(body.as_bytes(), Person::local(7));
        for (body, answer) in [
            (r#"{"answer":"approve"}"#, Answer::Approve),
            (r#"{"answer":"approve","reason":"release 2"}"#, Answer::Approve),
            (r#"{"answer":"reject","reason":"odd"}"#, Answer::Reject),
        ] {
            assert_eq!(read(body).ok().map(|verdict| verdict.answer), Some(answer), "{body}");
        }
        for body in [
            "{}",
            r#"{"answer":"reject"}"#,
            r#"{"answer":"reject","reason":" "}"#,
            r#"{"answer":"deny","reason":"odd"}"#,
            r#"{"answer":"approve","reason":"a\nb"}"#,
            r#"{"answer":"approve","approver":"bob"}"#,
        ] {
            assert_eq!(refusal(read(body)), Some(Refusal::BadBody), "{body}");
        }
    }

    #[test]
    fn answers() {
        let read = |body: &str| decision(body.as_bytes(), Person::local(7), Voted::Approve);
        let plain = read("{}").ok().unwrap();
        assert_eq!((plain.reason.as_str(), plain.scope), ("", Scope::Once));
        let full = read(r#"{"approver":"local:7","reason":"known","scope":"session"}"#).ok().unwrap();
        assert_eq!((full.reason.as_str(), full.scope), ("known", Scope::Session));
        let until = read(r#"{"scope":{"value":{"until_unix_ms":1790003600000}}}"#).ok().unwrap();
        assert_eq!(until.scope, Scope::Value { until: UnixMillis(1_790_003_600_000) });
        let long = format!(r#"{{"reason":"{}"}}"#, "ä".repeat(501));
        for (body, expected) in [
            ("", Refusal::NotJson),
            ("{", Refusal::NotJson),
            ("{} {}", Refusal::NotJson),
            ("\u{feff}{}", Refusal::NotJson),
            ("[]", Refusal::BadBody),
            ("null", Refusal::BadBody),
            (r#"{"reason":"a","reason":"b"}"#, Refusal::BadBody),
            (r#"{"Reason":"a"}"#, Refusal::BadBody),
            (r#"{"reason":null}"#, Refusal::BadBody),
            (r#"{"reason":"a\u001b[2J"}"#, Refusal::BadBody),
            (r#"{"reason":"\ud800"}"#, Refusal::NotJson),
            (r#"{"scope":"forever"}"#, Refusal::BadBody),
            (r#"{"scope":"value"}"#, Refusal::BadBody),
            (r#"{"scope":{"value":{"until_unix_ms":-1}}}"#, Refusal::BadBody),
            (r#"{"scope":{"value":{"until_unix_ms":1,"x":1}}}"#, Refusal::BadBody),
            (r#"{"approver":"alice"}"#, Refusal::ApproverMismatch),
            (r#"{"approver":""}"#, Refusal::ApproverMismatch),
            (&long, Refusal::BadBody),
        ] {
            assert_eq!(refusal(read(body)), Some(expected), "{body}");
        }
    }

    #[test]
    fn targets() {
        let read = |target: &str| {
            stop(format!(r#"{{"target":{target},"reason":"r"}}"#).as_bytes(), Person::local(7))
        };
        let server = ServerName::parse("x").unwrap();
        for (text, target) in [
            (r#"{"all":true}"#, Target::All),
            (r#"{"server":"x"}"#, Target::Server(server.clone())),
            (r#"{"server":"x","tool":"t"}"#, Target::Tool(server, ToolName::new("t"))),
            (r#"{"session":"s"}"#, Target::Session(SessionId::new("s"))),
            (r#"{"principal":"p"}"#, Target::Principal(Principal::new("p"))),
        ] {
            assert_eq!(read(text).ok().unwrap().0, target);
            assert_eq!(serde_json::to_string(&target).unwrap(), text);
        }
        for text in [
            "{}",
            r#"{"all":false}"#,
            r#"{"all":true,"server":"x"}"#,
            r#"{"tool":"t"}"#,
            r#"{"server":"X"}"#,
            r#"{"server":"x","session":"s"}"#,
            r#"{"session":""}"#,
            r#"{"principal":"a\nb"}"#,
            r#""x""#,
            r#"{"server":"*"}"#,
            r#"{"server":"x","server":"y"}"#,
        ] {
            assert_eq!(refusal(read(text)), Some(Refusal::BadBody), "{text}");
        }
    }

    #[test]
    fn an_order_says_why() {
        for body in [r#"{"on":true}"#, r#"{"on":true,"reason":" "}"#, r#"{"on":1,"reason":"r"}"#] {
            assert_eq!(
                refusal(safe_mode(body.as_bytes(), Person::local(7))),
                Some(Refusal::BadBody),
                "{body}"
            );
        }
    }
}
