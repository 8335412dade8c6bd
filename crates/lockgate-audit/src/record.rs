use std::fmt::Write;

use lockgate_model::{
    ClientName, Effect, Evidence, Finding, Integrity, Label, Principal, ServerName, SessionId, Verdict, hex,
    quote,
};
use sha2::{Digest, Sha256};

use crate::Trace;

/// Version of the record's shape. Raised when a field changes its meaning; fields may be added without raising it.
pub const VERSION: u32 = 1;

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// The agent sent a message and it was decided.
    Request,
    /// A server answered, or failed to.
    Answer,
    /// A request ended without an answer: the record says how.
    End,
    /// A server spoke without being asked.
    Server,
    /// A person answered an approval.
    Approval,
    /// A server says something of itself that is not approved.
    Definition,
    /// The gateway started with a configuration, or was given another one.
    Configuration,
    /// A person, or a lock file, approved or refused something a server says of itself.
    Pin,
    /// A person, or a rule over alerts, stopped something or let it run again.
    Stop,
    /// A person said yes or no to a call that was put before people.
    Vote,
    /// A value was approved for later sessions as well, or forgotten.
    Destination,
    /// What tokens of personal data stand for was forgotten.
    Token,
    /// A person opened or closed an incident, or captured what there is of it.
    Incident,
    /// Somebody was told of something.
    Alert,
    /// What a session did is not what is usual.
    Behaviour,
    /// The gateway started, or ended in good order.
    Gateway,
    /// The log says something of itself: records of it were lost, or removed.
    Log,
}

impl Happening {
    /// Every one.
    pub const ALL: [Self; 17] = [
        Self::Request,
        Self::Answer,
        Self::End,
        Self::Server,
        Self::Approval,
        Self::Vote,
        Self::Definition,
        Self::Pin,
        Self::Destination,
        Self::Token,
        Self::Configuration,
        Self::Stop,
        Self::Incident,
        Self::Alert,
        Self::Behaviour,
        Self::Gateway,
        Self::Log,
    ];

    /// The word in the record.
    pub fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Answer => "answer",
            Self::End => "end",
            Self::Server => "server",
            Self::Approval => "approval",
            Self::Definition => "definition",
            Self::Configuration => "configuration",
            Self::Pin => "pin",
            Self::Stop => "stop",
            Self::Vote => "vote",
            Self::Destination => "destination",
            Self::Token => "token",
            Self::Incident => "incident",
            Self::Alert => "alert",
            Self::Behaviour => "behaviour",
            Self::Gateway => "gateway",
            Self::Log => "log",
        }
    }
}

/// The number of the exchange that brought something; none for what a server said unasked.
pub fn numbered(message: u32) -> Option<u32> {
    (message != u32::MAX).then_some(message)
}

/// Most sources that are written down of one call.
pub const MOST_SOURCES: usize = 16;

/// Where a value in a call came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The server it was first seen from; none where the user said it or a person approved it.
    pub server: Option<ServerName>,
    /// The number of the exchange that brought it, 0 for what the server says of its tools; none where it is not known.
    pub message: Option<u32>,
    /// The argument, as a JSON pointer (RFC 6901).
    pub argument: String,
    /// How much it may decide.
    pub integrity: Integrity,
}

/// Most rules that are written down of what was found in one message; what comes after the worst of them is left out.
pub const MOST_DETECTED: usize = 32;

/// What one rule found in a message, and what was done with it. Never the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Detected {
    /// The rule.
    pub rule: &'static str,
    /// What sort of thing it finds: `injection`, `personal` …
    pub class: &'static str,
    /// `block` or `review`; none where what was found has no level, as a credential.
    pub level: Option<&'static str>,
    /// How often it was found.
    pub count: u32,
    /// What was done: `flag`, `redact` …
    pub done: &'static str,
}

/// Most hosts that are written down of one call; what comes after them is left out.
pub const MOST_DESTINATIONS: usize = 8;

/// How big a call is, what form it has and whom it names: what can be compared of calls without their content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// What the tool does, where a tool is called.
    pub effect: Option<Effect>,
    /// Length of the arguments as they came. Bytes.
    pub arguments_bytes: Option<u64>,
    /// What the arguments are called and of which types they are: the first 16 hexadecimal digits of a SHA-256. The same
    /// for all calls with the same names and types, whatever their order and their values.
    pub arguments_shape: Option<String>,
    /// Length of what the server answered, as it came. Bytes; only of answers.
    pub result_bytes: Option<u64>,
    /// The hosts that the arguments name: of links anywhere in them, and of addresses in arguments that say whom or what a
    /// call speaks to. Lower case and ASCII, each once, in their order, without credentials. At most
    /// [`MOST_DESTINATIONS`]; only of requests.
    pub destinations: Vec<String>,
}

/// Most changes that are written down of one configuration.
pub const MOST_CHANGES: usize = 1_024;

/// Something that decides what is trusted, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// A file, or `definition`; in a form that is safe to print.
    pub what: String,
    /// The digest that counted before, `sha256:` and hexadecimal; none where nothing did.
    pub before: Option<String>,
    /// The digest that was offered instead; none where it is gone or was refused.
    pub after: Option<String>,
}

/// How a server did that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// From what was sent to it to its answer. Microseconds.
    pub took: u64,
    /// What it answered.
    pub outcome: Outcome,
}

/// What a server answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A result.
    Result,
    /// A result that says of itself that the tool failed (`isError`).
    ToolError,
    /// An error of JSON-RPC with this code; 0 where it has none that is a number of 32 bits.
    Error(i32),
    /// Nothing, or nothing that can be used: the record's reason says why.
    Nothing,
}

/// How a request ended that got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// The agent took it back.
    Cancelled,
    /// The agent left before the answer.
    Abandoned,
    /// The agent was asked for something first, and is to send it again.
    InputRequired,
    /// The session ended before the answer.
    SessionOver,
}

impl Ending {
    /// The word in the record.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Abandoned => "abandoned",
            Self::InputRequired => "input_required",
            Self::SessionOver => "session_over",
        }
    }
}

/// Longest text of a person in a record. Characters.
pub const LONGEST_WHY: usize = 400;

/// How much of something was seen that is not usual, and what it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// How much was seen; of what, the sign in the notes says.
    pub seen: u64,
    /// How much is usual at most.
    pub usual: u64,
    /// How many values or occasions that rests on.
    pub of: u32,
    /// How sure it is that this is not one of the usual. Percent.
    pub sure: u8,
    /// What it adds to the risk. 0 to 100.
    pub points: u8,
}

/// One decision. Everything in it is ours, or a name that was checked, or a digest, or what an operator wrote.
#[derive(Clone, Debug)]
pub struct Record {
    /// What it is about.
    pub happening: Happening,
    /// The agent's run.
    pub session: SessionId,
    /// Who the agent acts for; of a pin, who decided about it.
    pub principal: Principal,
    /// What the agent's program calls itself.
    pub client: Option<ClientName>,
    /// The same for all records of one request: `<session>-<number>`.
    pub correlation: String,
    /// The trace that the request belongs to, where its sender named one.
    pub trace: Option<Trace>,
    /// The method, where it is one of the protocol's.
    pub method: Option<&'static str>,
    /// The server concerned.
    pub server: Option<ServerName>,
    /// The tool, prompt or resource, in a form that is safe to print.
    pub target: Option<String>,
    /// SHA-256 of the arguments as they came, in hexadecimal.
    pub arguments: Option<String>,
    /// The arguments themselves, from [`one_line`]. Only of requests, and only where the operator wants them kept.
    pub argument_text: Option<String>,
    /// What can be compared of the call.
    pub measure: Measure,
    /// SHA-256 of the result that went to the agent, in hexadecimal: of its canonical form (RFC 8785) without `_meta`. Only
    /// where receipts are given, of the last record of a call.
    pub result: Option<String>,
    /// SHA-256 of [`argument_text`](Self::argument_text) in hexadecimal, where that is kept beside the record and not in it.
    pub content: Option<String>,
    /// Where the values in the arguments came from, of requests. At most [`MOST_SOURCES`]; what was never seen is not
    /// among them.
    pub sources: Vec<Source>,
    /// What decides what is trusted and is another thing now, or may be. At most [`MOST_CHANGES`].
    pub changes: Vec<Change>,
    /// What was done.
    pub verdict: Verdict,
    /// What would have been done, where rules are only observed and one stands against it.
    pub would: Option<Verdict>,
    /// Why, and by which rule; none where everything was in order.
    pub finding: Option<Finding>,
    /// What the session had read before.
    pub label_before: Option<Label>,
    /// And after.
    pub label_after: Option<Label>,
    /// Facts beside the decision, in words of ours: `credential` where one was found, `label_ignored` where a server said
    /// something of its own result that changes nothing, `failed` where an answer says that the request came to nothing.
    pub notes: Vec<&'static str>,
    /// The id of the alert, the incident or the approval that it is about; of a destination its digest.
    pub about: Option<String>,
    /// Why a person did something, in their words and in a form that is safe to print. At most [`LONGEST_WHY`].
    pub why: Option<String>,
    /// When it was decided, in RFC 3339, where that is longer ago than the record.
    pub decided: Option<String>,
    /// The rule over alerts that told.
    pub alert_rule: Option<String>,
    /// What is not usual, in figures.
    pub figures: Option<Figures>,
    /// How many records it stands for, where it says that some were lost or removed; of an alert, how many events.
    pub count: Option<u64>,
    /// What was found in the message. At most [`MOST_DETECTED`].
    pub detected: Vec<Detected>,
    /// How likely the message gives orders to a model, in hundredths; none where it was not looked at, or not at all likely.
    pub score: Option<u8>,
    /// From the request to this decision. Microseconds.
    pub duration: u64,
    /// How the server did that was asked, of the record of its answer.
    pub upstream: Option<Upstream>,
    /// How the request ended, where it got no answer.
    pub ended: Option<Ending>,
    /// Is it the last of its request? Not written down.
    pub last: bool,
}

/// What stands for a session, a principal and a request where there are none.
const GATEWAY: &str = "gateway";

impl Record {
    /// A record of the gateway itself, of no session and no request.
    pub fn of_gateway(happening: Happening) -> Self {
        Self {
            happening,
            session: SessionId::new(GATEWAY),
            principal: Principal::new(GATEWAY),
            client: None,
            correlation: GATEWAY.to_owned(),
            trace: None,
            method: None,
            server: None,
            target: None,
            arguments: None,
            argument_text: None,
            measure: Measure::default(),
            result: None,
            content: None,
            sources: Vec::new(),
            changes: Vec::new(),
            verdict: Verdict::Forward,
            would: None,
            finding: None,
            label_before: None,
            label_after: None,
            notes: Vec::new(),
            about: None,
            why: None,
            decided: None,
            alert_rule: None,
            figures: None,
            count: None,
            detected: Vec::new(),
            score: None,
            duration: 0,
            upstream: None,
            ended: None,
            last: false,
        }
    }

    /// Takes the arguments out, to be kept beside the record; their digest stays.
    pub fn part(&mut self) -> Option<String> {
        let content = self.argument_text.take()?;
        self.content = Some(digest(content.as_bytes()));
        Some(content)
    }

    /// The same in at most so many bytes: arguments and changes are left out where there is no room for them, and counted
    /// in `left_out`. At least 16 KiB, which everything else fits in.
    pub fn to_json_within(&self, time: &str, most: usize) -> String {
        let line = self.to_json(time);
        if line.len() <= most {
            return line;
        }
        let mut shorter = Self { argument_text: None, ..self.clone() };
        let mut left_out = usize::from(self.argument_text.is_some());
        loop {
            let line = shorter.to_json(time);
            let line = format!("{},\"left_out\":{left_out}}}", line.strip_suffix('}').unwrap_or(&line));
            if line.len() <= most || shorter.changes.is_empty() {
                return line;
            }
            let kept = shorter.changes.len() / 2;
            left_out += shorter.changes.len() - kept;
            shorter.changes.truncate(kept);
        }
    }

    /// The record as one line of JSON, without the line feed. `time` is RFC 3339 in UTC.
    pub fn to_json(&self, time: &str) -> String {
        let mut line = Line(String::with_capacity(512));
        line.raw("v", &VERSION.to_string());
        line.text("time", time);
        line.text("event", self.happening.word());
        line.text("session", self.session.as_str());
        line.text("principal", self.principal.as_str());
        line.maybe("client", self.client.as_ref().map(ClientName::as_str));
        line.text("correlation", &self.correlation);
        if let Some(trace) = &self.trace {
            line.raw("trace", &trace_json(trace));
        }
        line.maybe("method", self.method);
        line.maybe("server", self.server.as_ref().map(ServerName::as_str));
        line.maybe("target", self.target.as_deref());
        line.maybe("arguments_sha256", self.arguments.as_deref());
        if let Some(text) = &self.argument_text {
            line.raw("arguments", text);
        }
        line.maybe("effect", self.measure.effect.map(Effect::word));
        line.number("arguments_bytes", self.measure.arguments_bytes);
        line.maybe("arguments_shape", self.measure.arguments_shape.as_deref());
        line.number("result_bytes", self.measure.result_bytes);
        if !self.measure.destinations.is_empty() {
            let hosts = self.measure.destinations.iter().take(MOST_DESTINATIONS).map(|host| quote(host));
            line.raw("destinations", &format!("[{}]", hosts.collect::<Vec<_>>().join(",")));
        }
        line.maybe("result_sha256", self.result.as_deref());
        line.maybe("content_sha256", self.content.as_deref());
        if !self.sources.is_empty() {
            let sources: Vec<_> = self.sources.iter().take(MOST_SOURCES).map(source_json).collect();
            line.raw("sources", &format!("[{}]", sources.join(",")));
        }
        if !self.changes.is_empty() {
            let changes: Vec<_> = self.changes.iter().take(MOST_CHANGES).map(change_json).collect();
            line.raw("changes", &format!("[{}]", changes.join(",")));
        }
        line.text("verdict", self.verdict.word());
        line.maybe("would", self.would.map(Verdict::word));
        if let Some(finding) = &self.finding {
            line.text("reason", finding.reason.code());
            line.text("phase", finding.phase.word());
            line.text("rule", &finding.rule);
            line.maybe("detail", finding.detail.as_deref());
            if let Some(evidence) = &finding.evidence {
                line.raw("evidence", &evidence_json(evidence));
            }
        }
        for (name, label) in [("label_before", &self.label_before), ("label_after", &self.label_after)] {
            if let Some(label) = label {
                line.raw(name, &label_json(label));
            }
        }
        if !self.notes.is_empty() {
            line.raw("notes", &format!("[\"{}\"]", self.notes.join("\",\"")));
        }
        line.maybe("about", self.about.as_deref());
        line.maybe("alert_rule", self.alert_rule.as_deref());
        line.maybe("why", self.why.as_deref());
        line.maybe("decided", self.decided.as_deref());
        if let Some(Figures { seen, usual, of, sure, points }) = self.figures {
            let figures =
                format!("\"seen\":{seen},\"usual\":{usual},\"of\":{of},\"sure\":{sure},\"points\":{points}");
            line.raw("figures", &format!("{{{figures}}}"));
        }
        if let Some(count) = self.count {
            line.raw("count", &count.to_string());
        }
        if !self.detected.is_empty() {
            let detected: Vec<_> = self.detected.iter().take(MOST_DETECTED).map(detected_json).collect();
            line.raw("detected", &format!("[{}]", detected.join(",")));
        }
        line.maybe("ended", self.ended.map(Ending::word));
        if let Some(score) = self.score {
            line.raw("score", &format!("{}.{:02}", score / 100, score % 100));
        }
        line.raw("duration_us", &self.duration.to_string());
        if let Some(upstream) = self.upstream {
            line.raw("upstream_us", &upstream.took.to_string());
            match upstream.outcome {
                Outcome::Result | Outcome::Nothing => {}
                Outcome::ToolError => line.text("upstream_error", "tool_error"),
                Outcome::Error(code) => line.text("upstream_error", &code.to_string()),
            }
        }
        line.finish()
    }
}

/// SHA-256 in hexadecimal, as records name contents.
pub fn digest(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

/// Longest arguments that are kept. Bytes, as they came.
pub const KEPT_ARGUMENTS: usize = 1 << 16;

/// Well-formed JSON as one line of ASCII that means the same, so that nothing in a file of records can move a cursor,
/// hide or reorder text. None where it is longer than [`KEPT_ARGUMENTS`].
pub fn one_line(json: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(json).ok().filter(|text| text.len() <= KEPT_ARGUMENTS)?;
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // Between tokens only: a string holds none that is not escaped.
            '\n' | '\r' | '\t' => line.push(' '),
            ' '..='~' => line.push(c),
            // Outside ASCII and DEL, which stand in strings only.
            _ => {
                let mut units = [0; 2];
                line.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
            }
        }
    }
    Some(line)
}

fn trace_json(trace: &Trace) -> String {
    let mut line = Line::default();
    line.text("id", &format!("{:032x}", trace.id()));
    line.text("parent", &format!("{:016x}", trace.span()));
    line.finish()
}

fn label_json(label: &Label) -> String {
    let list = |words: &mut dyn Iterator<Item = String>| format!("[{}]", words.collect::<Vec<_>>().join(","));
    let secrecy = label.secrecy();
    let mut line = Line::default();
    line.text("integrity", label.integrity().word());
    line.text("secrecy", secrecy.level.word());
    if !secrecy.compartments.is_empty() {
        line.raw("compartments", &list(&mut secrecy.compartments.iter().map(|name| quote(name))));
    }
    line.raw("origins", &list(&mut label.origins().map(|origin| quote(origin.as_str()))));
    line.finish()
}

fn source_json(source: &Source) -> String {
    let mut line = Line::default();
    line.maybe("server", source.server.as_ref().map(ServerName::as_str));
    line.number("message", source.message);
    line.text("argument", &source.argument);
    line.text("integrity", source.integrity.word());
    line.finish()
}

fn change_json(change: &Change) -> String {
    let mut line = Line::default();
    line.text("what", &change.what);
    line.maybe("before", change.before.as_deref());
    line.maybe("after", change.after.as_deref());
    line.finish()
}

fn detected_json(detected: &Detected) -> String {
    let mut line = Line::default();
    line.text("rule", detected.rule);
    line.text("class", detected.class);
    line.maybe("level", detected.level);
    line.number("count", Some(detected.count));
    line.text("done", detected.done);
    line.finish()
}

fn evidence_json(evidence: &Evidence) -> String {
    let first = evidence.first.as_ref();
    let mut line = Line::default();
    line.text("argument", &evidence.argument);
    line.text("effect", evidence.effect.word());
    line.maybe("role", evidence.role);
    line.text("need", evidence.need.word());
    line.maybe("have", evidence.have.map(Integrity::word));
    line.maybe("server", first.map(|(server, _)| server.as_str()));
    line.number("message", first.and_then(|(_, message)| numbered(*message)));
    line.finish()
}

#[derive(Default)]
struct Line(String);

impl Line {
    fn raw(&mut self, name: &str, value: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        let written = write!(self.0, "\"{name}\":{value}");
        debug_assert!(written.is_ok(), "writing to a String does not fail");
    }

    fn text(&mut self, name: &str, value: &str) {
        self.raw(name, &quote(value));
    }

    fn maybe(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    fn number<N: Into<u64>>(&mut self, name: &str, value: Option<N>) {
        if let Some(value) = value {
            self.raw(name, &value.into().to_string());
        }
    }

    fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lockgate_model::{Confidentiality, Effect, Phase, Reason, Secrecy};
    use serde_json::json;
    use std::sync::Arc;

    fn measure() -> Measure {
        Measure {
            effect: Some(Effect::Egress),
            arguments_bytes: Some(70),
            arguments_shape: Some("00ff00ff00ff00ff".to_owned()),
            result_bytes: None,
            destinations: vec!["a.example".to_owned(); MOST_DESTINATIONS + 1],
        }
    }

    fn changed() -> Change {
        Change { what: "lockgate.yaml".to_owned(), before: Some("sha256:00".to_owned()), after: None }
    }

    fn detected() -> Detected {
        let (rule, class, level) = ("conceals_from_user", "injection", Some("block"));
        Detected { rule, class, level, count: 2, done: "redact" }
    }

    #[test]
    fn a_record_is_one_line_of_json() {
        let web = ServerName::parse("web").unwrap();
        let customers =
            Secrecy { level: Confidentiality::Private, compartments: ["customer".to_owned()].into() };
        let mut label = Label::clean();
        label.absorb(&web, Integrity::FreeText, &customers);
        let source = |server: Option<&ServerName>, message, integrity| Source {
            server: server.cloned(),
            message,
            argument: "/to".to_owned(),
            integrity,
        };
        let evidence = Evidence {
            argument: "/to".to_owned(),
            effect: Effect::Egress,
            role: Some("destination"),
            need: Integrity::OwnRecord,
            have: None,
            first: Some((web.clone(), u32::MAX)),
        };
        let record = Record {
            happening: Happening::Request,
            session: SessionId::new("s1"),
            principal: Principal::new("local"),
            client: Some(ClientName::new("a \"quoted\"\nname")),
            correlation: "s1-7".to_owned(),
            trace: Trace::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            method: Some("tools/call"),
            server: ServerName::parse("db"),
            target: Some("drop_table".to_owned()),
            arguments: Some("00".to_owned()),
            argument_text: one_line(
                "{\n\t\"a\": \"\u{e9}\u{7f}\u{1f600}\u{202e}\", \"n\": 1.50\r\n}".as_bytes(),
            ),
            measure: measure(),
            sources: [
                vec![source(None, None, Integrity::Endorsed)],
                vec![source(Some(&web), Some(3), Integrity::FreeText); 20],
            ]
            .concat(),
            changes: vec![changed(); MOST_CHANGES + 1],
            verdict: Verdict::Deny,
            finding: Some(Finding {
                evidence: Some(Arc::new(evidence)),
                ..Finding::deny(Phase::Flow, Reason::UntrustedContentReachesSink, "flow.value")
            }),
            label_before: Some(label.clone()),
            label_after: Some(label),
            about: None,
            why: None,
            decided: None,
            alert_rule: None,
            figures: None,
            detected: vec![detected(); MOST_DETECTED + 1],
            score: Some(97),
            duration: 12,
            upstream: Some(Upstream { took: 7, outcome: Outcome::Error(-32_602) }),
            last: true,
            ..Record::of_gateway(Happening::Request)
        };
        let line = record.to_json("2026-01-01T00:00:00.000Z");
        assert!(!line.contains('\n'));
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["reason"], "untrusted_content_reaches_sink");
        assert_eq!(
            value["trace"],
            json!({ "id": "4bf92f3577b34da6a3ce929d0e0e4736", "parent": "00f067aa0ba902b7" })
        );
        assert_eq!((&value["upstream_us"], &value["upstream_error"]), (&json!(7), &json!("-32602")));
        assert_eq!(
            value["label_before"],
            json!({ "integrity": "free_text", "secrecy": "private", "compartments": ["customer"],
                "origins": ["web"] })
        );
        assert_eq!(value["sources"].as_array().unwrap().len(), MOST_SOURCES);
        assert_eq!(value["sources"][0], json!({ "argument": "/to", "integrity": "endorsed" }));
        assert_eq!(value["sources"][1]["message"], 3);
        assert_eq!(
            value["evidence"],
            json!({ "argument": "/to", "effect": "egress", "role": "destination", "need": "own_record",
                "server": "web" })
        );
        assert_eq!(value["changes"].as_array().unwrap().len(), MOST_CHANGES);
        assert_eq!(value["changes"][0], json!({ "what": "lockgate.yaml", "before": "sha256:00" }));
        assert_eq!(value["detected"].as_array().unwrap().len(), MOST_DETECTED);
        assert_eq!(
            value["detected"][0],
            json!({ "rule": "conceals_from_user", "class": "injection", "level": "block", "count": 2, "done": "redact" })
        );
        assert_eq!(value["score"], 0.97);
        assert_eq!(value["effect"], "egress");
        assert_eq!((&value["arguments_bytes"], &value["result_bytes"]), (&json!(70), &json!(null)));
        assert_eq!(value["arguments_shape"], "00ff00ff00ff00ff");
        assert_eq!(value["destinations"].as_array().unwrap().len(), MOST_DESTINATIONS);
        assert!(line.is_ascii() && line.contains(": 1.50"), "{line}");
        assert_eq!(value["arguments"]["a"], "\u{e9}\u{7f}\u{1f600}\u{202e}");
        assert_eq!(one_line(&vec![b' '; KEPT_ARGUMENTS + 1]), None);
    }
}
