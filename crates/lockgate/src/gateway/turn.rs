//! What hosts tell of their users' turns. Nobody can tell any without the key: no agent, no server, no model.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use lockgate_console::Signer;
use lockgate_core::Event;
use lockgate_model::{Json, Kind, Principal, Reason};
use lockgate_transport::front::{FrontResponse, FrontTurn};

use super::Gateway;
use super::session::{Session, lock, unix_millis};
use super::sessions::Key;

/// How far the time of a signature may be from ours. Seconds.
const WINDOW: u64 = 300;
/// Most turns within that time, before and after: each one's nonce is kept so long. Then further ones are refused.
const NONCES: usize = 10_000;
/// Longest turn. Bytes.
const TURN: usize = 64 << 10;
/// Most runs whose turns are kept for sessions to come; then the one that was told of longest ago is forgotten.
const RUNS: usize = 64;
/// Most bytes of the turns of one run that are kept; then the oldest are forgotten, as in a session.
const RUN: usize = 256 << 10;

/// What was told, and what it must be signed with.
pub(super) struct Turns {
    signer: Option<Signer>,
    /// When this process began. Seconds since 1970. What was signed before may have been told to another.
    since: u64,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    /// What came once, and when it was signed.
    nonces: BTreeMap<String, u64>,
    /// By principal and context.
    runs: BTreeMap<(Principal, String), Run>,
    count: u64,
}

#[derive(Default)]
struct Run {
    turns: VecDeque<String>,
    bytes: usize,
    last: u64,
}

/// A turn as it was read.
#[derive(Debug, PartialEq, Eq)]
struct Turn {
    whose: Whose,
    text: String,
    nonce: String,
}

/// Which sessions it is for.
#[derive(Debug, PartialEq, Eq)]
enum Whose {
    /// The one with this id.
    Session(String),
    /// Those of this run, also those to come.
    Context(String),
}

impl Turns {
    /// Signed with this key; without one, nobody tells any.
    pub(super) fn new(key: Option<&[u8]>) -> Self {
        let since = unix_millis().0 / 1_000;
        Self { signer: key.and_then(Signer::new), since, told: Mutex::default() }
    }

    /// Reads a turn that was signed just now, and that came never before.
    fn take(&self, turn: &FrontTurn, now: u64) -> Result<Turn, Reason> {
        let signer = self.signer.as_ref().ok_or(Reason::NotFound)?;
        let digits =
            |text: &&String| (1..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        let seconds = turn.timestamp.as_ref().filter(digits).and_then(|text| text.parse::<u64>().ok());
        let seconds = seconds.filter(|then| then.abs_diff(now) <= WINDOW && *then >= self.since);
        let seconds = seconds.ok_or(Reason::NotSigned)?;
        let signature = turn.signature.as_deref().unwrap_or_default();
        if !signer.verifies(seconds, &turn.body, signature) {
            return Err(Reason::NotSigned);
        }
        let read = read(&turn.body)?;
        let mut told = lock(&self.told);
        told.nonces.retain(|_, then| *then + WINDOW >= now);
        if told.nonces.contains_key(&read.nonce) {
            return Err(Reason::NotSigned);
        }
        if told.nonces.len() >= NONCES {
            return Err(Reason::TooManyOpen);
        }
        told.nonces.insert(read.nonce.clone(), seconds);
        Ok(read)
    }

    /// Keeps a turn for sessions of the run that have not begun.
    fn keep(&self, principal: &Principal, context: &str, text: &str) {
        let mut told = lock(&self.told);
        told.count += 1;
        let last = told.count;
        let run = told.runs.entry((principal.clone(), context.to_owned())).or_default();
        run.last = last;
        run.bytes += text.len();
        run.turns.push_back(text.to_owned());
        while run.bytes > RUN
            && let Some(oldest) = run.turns.pop_front()
        {
            run.bytes -= oldest.len();
        }
        if told.runs.len() > RUNS {
            let oldest = told.runs.iter().min_by_key(|(_, run)| run.last).map(|(whose, _)| whose.clone());
            oldest.and_then(|oldest| told.runs.remove(&oldest));
        }
    }

    /// All that is kept for a run, oldest first.
    fn kept(&self, principal: &Principal, context: &str) -> Vec<String> {
        let told = lock(&self.told);
        let run = told.runs.get(&(principal.clone(), context.to_owned()));
        run.map_or_else(Vec::new, |run| run.turns.iter().cloned().collect())
    }
}

impl Gateway {
    /// A host says that its user has written something.
    pub(super) fn hear_turn(&self, turn: &FrontTurn) -> FrontResponse {
        match self.hear(turn) {
            Ok(()) => FrontResponse::Empty { status: 204 },
            Err(reason) => FrontResponse::Refuse(reason, None),
        }
    }

    fn hear(&self, turn: &FrontTurn) -> Result<(), Reason> {
        let Turn { whose, text, .. } = self.turns.take(turn, unix_millis().0 / 1_000)?;
        match whose {
            Whose::Session(id) => {
                let session = self.sessions.find(&Key::Legacy(id));
                let session = session.filter(|session| session.principal == turn.principal);
                session.ok_or(Reason::UnknownSession)?.hear(&text);
            }
            Whose::Context(context) => {
                // Kept first: a session that begins meanwhile hears it one way or both.
                self.turns.keep(&turn.principal, &context, &text);
                let of_run = |session: &Arc<Session>| {
                    session.principal == turn.principal && session.context.as_ref() == Some(&context)
                };
                self.sessions
                    .all()
                    .iter()
                    .filter(|session| of_run(session))
                    .for_each(|session| session.hear(&text));
            }
        }
        Ok(())
    }
}

impl Session {
    /// What the user of this run has written before the session began.
    pub(super) fn hear_earlier(&self) {
        let Some(context) = &self.context else { return };
        self.gateway.turns.kept(&self.principal, context).iter().for_each(|text| self.hear(text));
    }

    fn hear(&self, text: &str) {
        let steps = self.event(Event::User { words: text });
        debug_assert!(steps.is_empty(), "the user's words ask for nothing to be done");
    }
}

/// Reads `{"session" or "context": …, "text": …, "nonce": …}` and nothing more.
fn read(body: &Bytes) -> Result<Turn, Reason> {
    let json = Json::check(body, 2)?;
    if json.kind() != Kind::Object {
        return Err(Reason::NotAnObject);
    }
    let known = |name: &str| matches!(name, "session" | "context" | "text" | "nonce");
    if !json.members().all(|(name, value)| known(&name.text()) && value.kind() == Kind::String) {
        return Err(Reason::BadParams);
    }
    let text = |name: &str| json.get(name).and_then(Json::text).map(std::borrow::Cow::into_owned);
    let named = |text: &String| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let whose = match (text("session").filter(named), text("context").filter(named)) {
        (Some(session), None) if json.get("context").is_none() => Whose::Session(session),
        (None, Some(context)) if json.get("session").is_none() => Whose::Context(context),
        _ => return Err(Reason::BadParams),
    };
    let nonce = text("nonce").filter(|nonce| nonce.len() >= 16 && named(nonce)).ok_or(Reason::BadParams)?;
    let text = text("text").filter(|text| !text.is_empty()).ok_or(Reason::BadParams)?;
    if text.len() > TURN {
        return Err(Reason::MessageTooLarge);
    }
    Ok(Turn { whose, text, nonce })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"0123456789abcdef";
    const NONCE: &str = "0123456789abcdef";

    fn turn(body: &str, seconds: u64, key: &[u8]) -> FrontTurn {
        let signature = Signer::new(key).unwrap().sign(seconds, body.as_bytes());
        FrontTurn {
            principal: Principal::new("local"),
            timestamp: Some(seconds.to_string()),
            signature: Some(signature),
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    fn body(nonce: &str) -> String {
        format!(r#"{{"context":"c","text":"hello","nonce":"{nonce}"}}"#)
    }

    #[test]
    fn only_what_was_signed_just_now_and_came_never_before_is_taken() {
        let turns = Turns { since: 5_000, ..Turns::new(Some(KEY)) };
        let take = |turn: &FrontTurn, now| turns.take(turn, now).map(|turn| turn.text);
        let good = turn(&body(NONCE), 6_000, KEY);
        let with = |change: fn(&mut FrontTurn)| {
            let mut other = turn(&body(NONCE), 6_000, KEY);
            change(&mut other);
            other
        };
        for (what, turn, now) in [
            ("an hour later", turn(&body(NONCE), 6_000, KEY), 9_600),
            ("a second too old", turn(&body(NONCE), 6_000, KEY), 6_301),
            ("from the future", turn(&body(NONCE), 6_301, KEY), 6_000),
            ("before we began", turn(&body(NONCE), 4_999, KEY), 5_000),
            ("another key", turn(&body(NONCE), 6_000, b"0123456789abcdeg"), 6_000),
            ("another time", with(|turn| turn.timestamp = Some("6001".to_owned())), 6_000),
            ("a sign before the time", with(|turn| turn.timestamp = Some("+6000".to_owned())), 6_000),
            ("no time", with(|turn| turn.timestamp = None), 6_000),
            ("no signature", with(|turn| turn.signature = None), 6_000),
            (
                "another text",
                with(|turn| turn.body = Bytes::from(body(NONCE).replace("hello", "hallo"))),
                6_000,
            ),
        ] {
            assert_eq!(take(&turn, now), Err(Reason::NotSigned), "{what}");
        }
        assert_eq!(take(&good, 6_299), Ok("hello".to_owned()));
        assert_eq!(take(&good, 6_300), Err(Reason::NotSigned), "the same again");
        let same_nonce = turn(&body(NONCE).replace("hello", "hallo"), 6_100, KEY);
        assert_eq!(take(&same_nonce, 6_300), Err(Reason::NotSigned), "the nonce again");
        assert_eq!(take(&turn(&body("fedcba9876543210"), 6_300, KEY), 6_300), Ok("hello".to_owned()));
        assert_eq!(Turns::new(None).take(&good, 6_000), Err(Reason::NotFound));
    }

    #[test]
    fn bodies() {
        let long = format!(r#"{{"context":"c","nonce":"{NONCE}","text":"{}"}}"#, "a".repeat(TURN + 1));
        for (body, outcome) in [
            (body(NONCE).as_str(), Ok(())),
            (r#"{"session":"abc","nonce":"0123456789abcdef","text":"é"}"#, Ok(())),
            (
                r#"{"session":"a","context":"b","nonce":"0123456789abcdef","text":"x"}"#,
                Err(Reason::BadParams),
            ),
            (r#"{"session":"","context":"b","nonce":"0123456789abcdef","text":"x"}"#, Err(Reason::BadParams)),
            (r#"{"nonce":"0123456789abcdef","text":"x"}"#, Err(Reason::BadParams)),
            (r#"{"context":"a b","nonce":"0123456789abcdef","text":"x"}"#, Err(Reason::BadParams)),
            (r#"{"context":"a","nonce":"short","text":"x"}"#, Err(Reason::BadParams)),
            (r#"{"context":"a","nonce":"0123456789abcdef","text":""}"#, Err(Reason::BadParams)),
            (r#"{"context":"a","nonce":"0123456789abcdef","text":7}"#, Err(Reason::BadParams)),
            (r#"{"context":"a","nonce":"0123456789abcdef","text":"x","at":1}"#, Err(Reason::BadParams)),
            (
                r#"{"context":"a","nonce":"0123456789abcdef","text":"x","text":"y"}"#,
                Err(Reason::DuplicateKey),
            ),
            ("[]", Err(Reason::NotAnObject)),
            ("", Err(Reason::NotJson)),
            (&long, Err(Reason::MessageTooLarge)),
        ] {
            let read = read(&Bytes::copy_from_slice(body.as_bytes())).map(drop);
            assert_eq!(read, outcome, "{body:.80}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded_and_nobody_elses() {
        let turns = Turns::new(Some(KEY));
        let (ann, bob) = (Principal::new("ann"), Principal::new("bob"));
        turns.keep(&ann, "c", "one");
        turns.keep(&ann, "c", "two");
        assert_eq!(turns.kept(&ann, "c"), ["one", "two"]);
        assert!(turns.kept(&bob, "c").is_empty() && turns.kept(&ann, "d").is_empty());
        for _ in 0..5 {
            turns.keep(&ann, "c", &"x".repeat(TURN));
        }
        assert_eq!(turns.kept(&ann, "c").len(), 4);
        for number in 0..RUNS {
            turns.keep(&bob, &format!("c{number}"), "one");
        }
        assert!(turns.kept(&ann, "c").is_empty() && !turns.kept(&bob, "c0").is_empty());
    }
}
