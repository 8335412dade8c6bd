//! Records, read back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use lockgate_audit::MOST_SOURCES;
use lockgate_audit::log::WIDTH;
use lockgate_model::{Json, Principal, ServerName, UnixMillis};
use lockgate_policy::{Action, Subject};
use lockgate_store::{LogError, LogFolder};

use super::values::{self, Evidence, Source};
use crate::moment;

/// SHA-256 of `{}`: what calls without arguments often send.
const NOTHING: &str = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

/// What a record holds of the arguments of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arguments {
    /// There were none.
    None,
    /// All of them: an object as JSON.
    Known(String),
    /// Only their digest.
    Digest,
}

/// One record.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When.
    pub at: UnixMillis,
    /// When, as it is written.
    pub time: String,
    /// What it is about, by a word of [`lockgate_audit::Happening`].
    pub event: String,
    /// The agent's run.
    pub session: String,
    /// Who the agent acted for.
    pub principal: Principal,
    /// What the agent's program called itself.
    pub client: Option<String>,
    /// The same for all records of one request.
    pub correlation: String,
    /// The method.
    pub method: Option<String>,
    /// The server concerned.
    pub server: Option<ServerName>,
    /// The tool, prompt or resource, in a form that is safe to print.
    pub target: Option<String>,
    /// What it was called with.
    pub arguments: Arguments,
    /// The digest of the arguments that are kept beside the record.
    pub content: Option<String>,
    /// `forward`, `rewrite`, `hold` or `deny`.
    pub verdict: String,
    /// What would have been done, where rules were only observed.
    pub would: Option<String>,
    /// Why; none where everything was in order.
    pub reason: Option<String>,
    /// Where it was found.
    pub phase: Option<String>,
    /// The rule that decided.
    pub rule: Option<String>,
    /// What of the arguments decided.
    pub detail: Option<String>,
    /// The servers whose text the session had read before.
    pub before: Vec<ServerName>,
    /// And after.
    pub after: Vec<ServerName>,
    /// How far what it had read after can be trusted, and how confidential it is: `free_text, private`.
    pub grade: Option<String>,
    /// Where the values in the arguments came from.
    pub sources: Vec<Source>,
    /// What stood against the call.
    pub evidence: Option<Evidence>,
    /// Facts beside the decision: `credential`, `start` …
    pub notes: Vec<String>,
    /// How many records were lost or removed, where it says that; of an alert, how many events it is about.
    pub count: Option<u64>,
    /// How the request ended, where it got no answer.
    pub ended: Option<String>,
    /// The alert, incident or approval that it is about.
    pub about: Option<String>,
    /// Why a person did it, in their words.
    pub why: Option<String>,
    /// The rule over alerts that told.
    pub alert_rule: Option<String>,
    /// What was seen that is not usual, and what is.
    pub figures: Option<(u64, u64)>,
    /// From the request to this decision. Microseconds.
    pub duration: u64,
    /// Is it a further record of a request that has one already?
    pub repeats: bool,
}

/// All records of some files, in their order.
#[derive(Debug, Default)]
pub struct History {
    /// The records.
    pub entries: Vec<Entry>,
    /// Lines that are no records, and the first of them as `file:line`.
    pub unread: (usize, Option<String>),
    approved: BTreeSet<String>,
    /// Requests that were to be sent and were refused after all, as where a limit had no room, with the reason.
    refused: BTreeMap<String, Option<String>>,
    asked: BTreeSet<String>,
}

impl History {
    /// Reads files of records, oldest first. A line that is no record is counted and passed over, since the last line of
    /// a file may be torn; files without any record are an error.
    pub fn read(files: &[PathBuf]) -> Result<Self, String> {
        let mut history = Self::default();
        for file in files {
            history.read_file(file)?;
        }
        if history.entries.is_empty() {
            let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
            let hint = "name the file that `records` in lockgate.yaml names";
            return Err(format!("{}: there are no records\n  hint: {hint}", names.join(", ")));
        }
        Ok(history)
    }

    /// A log that nobody can quietly change: what it says is believed as it is, `lockgate log verify` tells whether to.
    fn read_log(&mut self, folder: &Path) -> Result<(), String> {
        let (log, failed) = (LogFolder::new(folder), |error: LogError| error.to_string());
        // The oldest may be gone.
        let mut tile = log.removed().map_err(failed)? / WIDTH;
        while let Some(records) = log.records(tile).map_err(failed)? {
            let contents = log.contents(tile).map_err(failed)?;
            let entries = records.iter().filter_map(|line| Some(Entry::parse(line)?.with(&contents)));
            entries.for_each(|entry| self.note(entry));
            tile += 1;
        }
        Ok(())
    }

    fn read_file(&mut self, file: &Path) -> Result<(), String> {
        if file.join("log.vkey").is_file() {
            return self.read_log(file);
        }
        let text = std::fs::read(file).map_err(|error| {
            format!("{}: the file cannot be read: {}", file.display(), crate::config::plain(&error))
        })?;
        for (number, line) in text.split(|b| *b == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
            let Some(entry) = Entry::parse(line) else {
                self.unread.0 += 1;
                self.unread.1.get_or_insert_with(|| format!("{}:{}", file.display(), number + 1));
                continue;
            };
            self.note(entry);
        }
        Ok(())
    }

    fn note(&mut self, mut entry: Entry) {
        let correlation = entry.correlation.clone();
        if entry.event == "approval" && entry.verdict == "forward" {
            self.approved.insert(correlation);
        } else if entry.subject().is_some() && !self.asked.insert(correlation.clone()) {
            entry.repeats = true;
            self.refused.insert(correlation, entry.reason.clone());
        }
        self.entries.push(entry);
    }

    /// A sentence about lines that are no records, where there are any.
    pub fn complaint(&self) -> Option<String> {
        let (count, first) = (self.unread.0, self.unread.1.as_ref()?);
        let what = if count == 1 {
            "1 line is no record".to_owned()
        } else {
            format!("{count} lines are no records")
        };
        Some(format!("{what}: the first is {first}"))
    }

    /// Was the request sent after a person said yes to it?
    pub fn was_approved(&self, entry: &Entry) -> bool {
        self.approved.contains(&entry.correlation)
    }

    /// Was the request to be sent and then refused after all?
    pub fn was_refused(&self, entry: &Entry) -> bool {
        self.refused.contains_key(&entry.correlation)
    }

    /// Why a request was held or refused.
    pub fn reason<'h>(&'h self, entry: &'h Entry) -> Option<&'h str> {
        self.refused.get(&entry.correlation).unwrap_or(&entry.reason).as_deref()
    }

    /// What was done with a request, in the words of rules.
    pub fn was(&self, entry: &Entry) -> Action {
        match (entry.verdict.as_str(), entry.reason.as_deref()) {
            _ if self.was_refused(entry) => Action::Deny,
            ("hold", _) | ("deny", Some("approval_unavailable")) => Action::Ask,
            ("forward" | "rewrite", _) if self.was_approved(entry) => Action::Ask,
            ("forward" | "rewrite", _) => Action::Allow,
            _ => Action::Deny,
        }
    }
}

impl Entry {
    /// Reads one record. None where it is none.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let json = Json::check(line.trim_ascii(), 128).ok()?;
        let text = |key: &str| json.get(key)?.text().map(std::borrow::Cow::into_owned);
        // What lockgate writes here can be printed as it is; a line with anything else is not from it.
        let word = |key: &str| text(key).filter(|word| word.bytes().all(|b| b.is_ascii_graphic()));
        let origins = |key: &str| -> Vec<ServerName> {
            let origins = json.get(key).and_then(|label| label.get("origins"));
            origins
                .into_iter()
                .flat_map(Json::elements)
                .filter_map(|name| ServerName::parse(&name.text()?))
                .collect()
        };
        let digest = text("arguments_sha256");
        let kept = json.get("arguments").map(|kept| kept.written().to_owned());
        let arguments = match (kept, digest.as_deref()) {
            (Some(kept), _) => Arguments::Known(kept),
            (None, Some(NOTHING)) => Arguments::Known("{}".to_owned()),
            (None, Some(_)) => Arguments::Digest,
            (None, None) => Arguments::None,
        };
        Some(Self {
            at: moment::parse(&word("time")?)?,
            time: word("time")?,
            event: word("event")?,
            session: word("session")?,
            principal: Principal::new(&word("principal")?),
            client: text("client"),
            correlation: word("correlation")?,
            method: word("method"),
            server: text("server").and_then(|name| ServerName::parse(&name)),
            target: text("target"),
            arguments,
            content: word("content_sha256"),
            verdict: word("verdict")?,
            would: word("would"),
            reason: word("reason"),
            phase: word("phase"),
            rule: text("rule"),
            detail: text("detail"),
            before: origins("label_before"),
            after: origins("label_after"),
            grade: json.get("label_after").and_then(values::grade),
            sources: json
                .get("sources")
                .into_iter()
                .flat_map(Json::elements)
                .filter_map(Source::parse)
                .take(MOST_SOURCES)
                .collect(),
            evidence: json.get("evidence").and_then(Evidence::parse),
            notes: json
                .get("notes")
                .into_iter()
                .flat_map(Json::elements)
                .filter_map(|note| Some(note.text()?.into_owned()))
                .collect(),
            count: json.get("count").and_then(Json::unsigned),
            ended: word("ended"),
            about: word("about"),
            why: text("why"),
            alert_rule: text("alert_rule"),
            figures: json.get("figures").and_then(|figures| {
                let figure = |key| figures.get(key).and_then(Json::unsigned);
                Some((figure("seen")?, figure("usual")?))
            }),
            duration: json.get("duration_us").and_then(Json::unsigned).unwrap_or_default(),
            repeats: false,
        })
    }

    /// The same with what is kept beside it, by its digest.
    #[must_use]
    pub(crate) fn with(mut self, contents: &BTreeMap<String, Vec<u8>>) -> Self {
        let content = self.content.as_ref().and_then(|digest| contents.get(digest));
        if let Some(text) = content.and_then(|content| String::from_utf8(content.clone()).ok()) {
            self.arguments = Arguments::Known(text);
        }
        self
    }

    /// What rules are asked about, where it is the first record of a request that they decide.
    pub fn subject(&self) -> Option<Subject> {
        if self.repeats {
            return None;
        }
        match (self.event.as_str(), self.method.as_deref()?) {
            ("request", "tools/call") => Some(Subject::Tool),
            ("request", "prompts/get") => Some(Subject::Prompt),
            ("request", "resources/read") => Some(Subject::Resource),
            _ => None,
        }
    }

    /// The name as its server gave it; none where the record only holds a stand-in.
    pub fn name(&self) -> Option<&str> {
        let target = self.target.as_deref()?;
        let altered = match self.subject()? {
            Subject::Resource => target.contains('\\') || target.ends_with('…'),
            Subject::Tool | Subject::Prompt => target == "(unusual name)",
        };
        (!altered).then_some(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"v":1,"time":"2026-07-20T09:00:07.000000Z","event":"request","session":"s","principal":"local","correlation":"s-1","method":"tools/call","server":"db","target":"query","verdict":"forward","duration_us":0}"#;

    fn history(lines: &[String]) -> History {
        let mut history = History::default();
        for line in lines {
            history.note(Entry::parse(line.as_bytes()).unwrap());
        }
        history
    }

    #[test]
    fn what_lockgate_does_not_write_is_no_record() {
        assert!(Entry::parse(LINE.as_bytes()).is_some());
        for (from, to) in [
            ("s-1", r"s-1\n"),
            ("local", r"lo\u001b[2Jcal"),
            ("2026-07-20T", "yesterday"),
            ("\"verdict\":\"forward\",", ""),
            ("\"server\":\"db\"", "\"server\":\"db\",\"server\":\"web\""),
        ] {
            assert!(Entry::parse(LINE.replace(from, to).as_bytes()).is_none(), "{to}");
        }
    }

    #[test]
    fn a_request_that_found_no_room_was_refused() {
        let refusal = LINE.replace("\"forward\"", "\"deny\",\"reason\":\"budget_exceeded\"");
        let history = history(&[LINE.to_owned(), refusal]);
        let subjects: Vec<_> = history.entries.iter().map(|entry| entry.subject().is_some()).collect();
        assert_eq!(subjects, [true, false], "it is one request");
        assert_eq!(history.was(&history.entries[0]), Action::Deny);
        assert_eq!(history.reason(&history.entries[0]), Some("budget_exceeded"));
    }

    #[test]
    fn an_approved_request_was_asked_about() {
        let approval = LINE.replace("\"request\"", "\"approval\"");
        for lines in [[approval.clone(), LINE.to_owned()], [LINE.replace("forward", "hold"), approval]] {
            let history = history(&lines);
            let request = history.entries.iter().find(|entry| entry.subject().is_some()).unwrap();
            assert_eq!(history.was(request), Action::Ask);
        }
    }

    #[test]
    fn the_digest_of_nothing_is_known() {
        let with = |digest: &str| {
            let line = LINE.replace("\"verdict\"", &format!("\"arguments_sha256\":\"{digest}\",\"verdict\""));
            Entry::parse(line.as_bytes()).unwrap().arguments
        };
        assert_eq!(with(NOTHING), Arguments::Known("{}".to_owned()));
        assert_eq!(with("00"), Arguments::Digest);
    }
}
