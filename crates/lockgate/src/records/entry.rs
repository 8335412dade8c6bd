//! Records, read back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lockgate_model::{Json, Principal, ServerName, UnixMillis};
use lockgate_policy::{Action, Subject};

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
    /// When, as it is written.
    pub time: String,
    /// `request`, `answer`, `server` or `approval`.
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
    /// `forward`, `rewrite`, `hold` or `deny`.
    pub verdict: String,
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
    /// From the request to this decision. Microseconds.
    pub duration: u64,
}

/// All records of some files, in their order.
#[derive(Debug, Default)]
pub struct History {
    /// The records.
    pub entries: Vec<Entry>,
    /// Lines that are no records, and the first of them as `file:line`.
    pub unread: (usize, Option<String>),
    approved: BTreeSet<String>,
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

    fn read_file(&mut self, file: &Path) -> Result<(), String> {
        let text = std::fs::read(file).map_err(|error| {
            format!("{}: the file cannot be read: {}", file.display(), crate::config::plain(&error))
        })?;
        for (number, line) in text.split(|b| *b == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
            let Some(entry) = Entry::parse(line) else {
                self.unread.0 += 1;
                self.unread.1.get_or_insert_with(|| format!("{}:{}", file.display(), number + 1));
                continue;
            };
            if entry.event == "approval" && entry.verdict == "forward" {
                self.approved.insert(entry.correlation.clone());
            }
            self.entries.push(entry);
        }
        Ok(())
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

    /// What was done with a request, in the words of rules.
    pub fn was(&self, entry: &Entry) -> Action {
        match (entry.verdict.as_str(), entry.reason.as_deref()) {
            ("hold", _) | ("deny", Some("approval_unavailable")) => Action::Ask,
            ("forward" | "rewrite", _) if self.was_approved(entry) => Action::Ask,
            ("forward" | "rewrite", _) => Action::Allow,
            _ => Action::Deny,
        }
    }
}

impl Entry {
    fn parse(line: &[u8]) -> Option<Self> {
        let json = Json::check(line.trim_ascii(), 128).ok()?;
        let text = |key: &str| json.get(key)?.text().map(std::borrow::Cow::into_owned);
        let origins = |key: &str| -> Vec<ServerName> {
            let origins = json.get(key).and_then(|label| label.get("origins"));
            origins
                .into_iter()
                .flat_map(Json::elements)
                .filter_map(|name| ServerName::parse(&name.text()?))
                .collect()
        };
        let digest = text("arguments_sha256");
        let kept = json.get("arguments").and_then(|kept| String::from_utf8(kept.raw().to_vec()).ok());
        let arguments = match (kept, digest.as_deref()) {
            (Some(kept), _) => Arguments::Known(kept),
            (None, Some(NOTHING)) => Arguments::Known("{}".to_owned()),
            (None, Some(_)) => Arguments::Digest,
            (None, None) => Arguments::None,
        };
        Some(Self {
            time: text("time")?,
            event: text("event")?,
            session: text("session")?,
            principal: Principal::new(&text("principal")?),
            client: text("client"),
            correlation: text("correlation")?,
            method: text("method"),
            server: text("server").and_then(|name| ServerName::parse(&name)),
            target: text("target"),
            arguments,
            verdict: text("verdict")?,
            reason: text("reason"),
            phase: text("phase"),
            rule: text("rule"),
            detail: text("detail"),
            before: origins("label_before"),
            after: origins("label_after"),
            duration: json.get("duration_us").and_then(Json::unsigned).unwrap_or_default(),
        })
    }

    /// What rules are asked about, where it is a request that they decide.
    pub fn subject(&self) -> Option<Subject> {
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

    /// When; none where the record says no moment.
    pub fn at(&self) -> Option<UnixMillis> {
        moment::parse(&self.time)
    }
}
