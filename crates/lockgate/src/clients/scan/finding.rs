//! What a scan can find: every code, once.

use std::path::PathBuf;

use lockgate_clients::Place;

/// How bad something is. A chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Severity {
    /// Good to know.
    Info,
    /// Look at it one day.
    Low,
    /// Look at it.
    Medium,
    /// Change it.
    High,
    /// Stop using it until it is changed.
    Critical,
}

impl Severity {
    /// In one word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The word that SARIF has for it.
    pub(crate) fn sarif(self) -> &'static str {
        match self {
            Self::Info | Self::Low => "note",
            Self::Medium => "warning",
            Self::High | Self::Critical => "error",
        }
    }
}

/// A kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Code {
    /// The name, for ever.
    pub(crate) name: &'static str,
    /// What agent-scan calls the same.
    pub(crate) agent_scan: Option<&'static str>,
    /// How bad it is, where nothing makes it worse.
    pub(crate) severity: Severity,
    /// What it means.
    pub(crate) meaning: &'static str,
    /// What to do.
    pub(crate) hint: &'static str,
}

macro_rules! codes {
    ($($name:ident, $code:literal, $agent_scan:expr, $severity:ident, $meaning:literal, $hint:literal;)*) => {
        $(
            #[doc = $meaning]
            pub(crate) static $name: Code = Code {
                name: $code,
                agent_scan: $agent_scan,
                severity: Severity::$severity,
                meaning: $meaning,
                hint: $hint,
            };
        )*

        /// Every code.
        pub(crate) static CODES: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    UNREADABLE, "config_unreadable", None, Medium,
        "A client's file cannot be read.", "whoever can write there decides what the client starts: look at it by hand";
    BROKEN, "config_broken", None, Medium,
        "A client's file is not what its format says; what could be read is shown.", "correct it: the client may not see its servers either";
    DUPLICATE_KEY, "duplicate_key", None, Medium,
        "A key stands twice, and readers differ in which one they take.", "keep one of them";
    BAD_ENTRY, "bad_entry", None, Low,
        "An entry is no server.", "correct or remove it";
    WRITABLE, "config_writable_by_others", None, High,
        "Other users of this machine can change what the client starts.", "take the right to write from them (`chmod go-w`)";
    SECRET, "secret_in_clear", None, Medium,
        "A secret is written in clear in a client's file. High where others can read the file or it belongs to a project.",
        "let it refer to a variable, as `${NAME}`, and give the service a new secret";
    SECRET_ARGUMENT, "secret_in_arguments", None, High,
        "A secret is an argument of a program or a part of an address: every process of this machine can read it.",
        "hand it over in the environment or in a header";
    PLAIN_HTTP, "plain_http", None, High,
        "A server is reached without encryption: whoever is on the way can read and change everything.", "use `https`";
    UNPINNED, "unpinned_version", None, Medium,
        "Whoever publishes the next version decides what is started.", "name one version, as `package@1.2.3`, or the digest of an image";
    SHELL, "shell_line", None, Medium,
        "A server is started by a line for a shell. High where it pipes a download into one.", "start the program itself";
    APPROVED, "approves_everything", None, High,
        "The client calls every tool of the server without asking.", "remove it, or let Lockgate ask where it matters";
    APPROVES, "approves_tools", None, Low,
        "The client calls some tools of the server without asking.", "keep only tools that read";
    DUPLICATE, "duplicate_server", None, Info,
        "Several clients have the same server.", "behind Lockgate it stands in one place";
    DIFFERS, "name_differs", None, Low,
        "Clients have different servers of the same name.", "a name that people know should mean one thing";
    SILENT, "server_silent", None, Low,
        "A server could not be asked for its tools.", "does its command run by itself?";
    UNTRUSTED, "untrusted_content", Some("W015"), Medium,
        "Tools of the server return text that outsiders can write.", "what it says may be meant for the agent";
    UNTRUSTED_LOCAL, "untrusted_files", Some("W016"), Low,
        "Tools of the server return documents that may come from outside.", "what they say may be meant for the agent";
    PRIVATE, "sensitive_data", Some("W017"), Low,
        "Tools of the server return private data.", "think of where it may go";
    WORKSPACE, "workspace_data", Some("W018"), Low,
        "Tools of the server return files or code of this machine.", "think of where it may go";
    DESTRUCTIVE, "destructive_tools", Some("W019"), Low,
        "Tools of the server delete, or run what they are told.", "let a person approve them";
    DESTRUCTIVE_LOCAL, "local_destructive_tools", Some("W020"), Low,
        "Tools of the server change or delete files of this machine, or run commands on it.", "let a person approve them";
    HIDDEN, "hidden_text", Some("W021"), High,
        "The definition of a tool holds characters that people do not see. Medium where they may be there for their script.", "do not use the server before you know what they say";
    POISONED, "poisoned_definition", Some("E001"), Critical,
        "What a server says of itself or of a tool holds instructions for the agent that no honest definition has.",
        "do not use the server; `docs/poisoning.md` says what the word in the message means";
    SHADOWS, "shadows_other_server", Some("E002"), High,
        "A server passes for another, or says how tools of another server are to be used.",
        "do not use the two in one agent; `docs/poisoning.md` says what the word in the message means";
    SUSPICIOUS, "suspicious_words", Some("W001"), Low,
        "A definition holds something that is innocent alone.",
        "read the definition; `docs/poisoning.md` says what the word in the message means";
    LEAK, "private_data_can_leave", None, High,
        "One agent reads what outsiders write, reads private data, and can send something out: a text can have it sent to them.",
        "put Lockgate in between (`lockgate connect`): then no outsider's text decides who gets what";
    DAMAGE, "outsiders_can_destroy", None, High,
        "One agent reads what outsiders write and has tools that destroy or run commands: a text can have them called.",
        "put Lockgate in between (`lockgate connect`): then a person is asked";
}

/// Something that was found.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) code: &'static Code,
    pub(crate) severity: Severity,
    /// What, in our words; names of the file or of a server are escaped, secrets are in none.
    pub(crate) message: String,
    /// The word for the client.
    pub(crate) client: Option<&'static str>,
    pub(crate) server: Option<String>,
    pub(crate) tool: Option<String>,
    /// Where in a file; where several, the first.
    pub(crate) at: Option<(PathBuf, Place)>,
}

impl Finding {
    /// One of a code, as bad as that is.
    pub(crate) fn new(code: &'static Code, message: String) -> Self {
        let severity = code.severity;
        Self { code, severity, message, client: None, server: None, tool: None, at: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `BLESS=1` writes the table.
    #[test]
    fn the_page_has_every_code() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/scan.md");
        let page = std::fs::read_to_string(&file).unwrap();
        let rows: Vec<String> = CODES
            .iter()
            .map(|code| {
                let agent_scan = code.agent_scan.unwrap_or("–");
                format!("| `{}` | {agent_scan} | {} | {} |\n", code.name, code.severity.word(), code.meaning)
            })
            .collect();
        let table = format!(
            "| code | agent-scan | severity | what it means |\n| --- | --- | --- | --- |\n{}",
            rows.concat()
        );
        let (begin, end) = ("<!-- codes -->\n", "<!-- end -->");
        let (before, rest) = page.split_once(begin).unwrap();
        let (_, after) = rest.split_once(end).unwrap();
        let wanted = format!("{before}{begin}{table}{end}{after}");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&file, &wanted).unwrap();
        }
        assert!(
            wanted == page || std::env::var_os("BLESS").is_some(),
            "the table of docs/scan.md is another"
        );
    }

    #[test]
    fn names_differ() {
        for (at, code) in CODES.iter().enumerate() {
            assert!(CODES.iter().skip(at + 1).all(|other| other.name != code.name), "{}", code.name);
        }
    }
}
