//! What a gateway gives to the agent's host for a call, so that it can show its user what was really done.

use lockgate_model::Json;

use crate::log::Note;
use crate::one_line;

/// The first line of a receipt. No checkpoint begins so: what is signed as one is never taken for the other.
const HEAD: &str = "io.lockgate/receipt/v1";

/// Where a call's record says it, and how the receipt names it, in its order. What comes before the last word is read by
/// people; digests are of SHA-256, in hexadecimal.
const LINES: [(&str, &str); 12] = [
    ("time", "time"),
    ("correlation", "ref"),
    ("principal", "principal"),
    ("client", "client"),
    ("method", "method"),
    ("server", "server"),
    ("target", "target"),
    ("arguments_sha256", "arguments-sha256"),
    ("verdict", "verdict"),
    ("reason", "reason"),
    ("rule", "rule"),
    ("result_sha256", "result-sha256"),
];

/// A statement about one call that is to be signed, or was: lines of a word, a space and what is stated, in ASCII with the
/// escapes of JSON. It states what the last record of the call says, and so can be compared with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt(String);

impl Receipt {
    /// Where it is in `_meta` of a result.
    pub const KEY: &str = "io.lockgate/receipt";
    /// Deepest nesting of what is read for a receipt, which is deeper than any message that comes in: a result, and a record,
    /// which may hold the arguments of the call.
    pub const DEPTH: usize = 1_024;

    /// What the receipt of a log says of a record, which is given as its line in the log. None of what is not the record of
    /// a call with a result that went to the agent.
    pub fn of_line(log: &str, line: &[u8]) -> Option<Self> {
        let record = Json::check(line, Self::DEPTH).ok()?;
        record.get("result_sha256")?;
        let mut text = format!("{HEAD}\nlog {log}\n");
        for (field, word) in LINES {
            let Some(value) = record.get(field) else { continue };
            let value = one_line(lockgate_model::quote(&value.text()?).as_bytes())?;
            let value = value.strip_prefix('"')?.strip_suffix('"')?;
            text.push_str(&format!("{word} {value}\n"));
        }
        Some(Self(text))
    }

    /// The text of a note, if it is a receipt.
    pub fn of_note(note: &Note) -> Option<Self> {
        let receipt = Self(note.text().to_owned());
        (receipt.0.strip_prefix(HEAD)?.starts_with('\n') && receipt.get("ref").is_some()).then_some(receipt)
    }

    /// To be signed with the key of the log.
    pub fn note(&self) -> Option<Note> {
        Note::new(self.0.clone())
    }

    /// What it states under this word.
    pub fn get(&self, word: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(' '))
    }

    /// All that it states, in its order.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.lines().skip(1).filter_map(|line| line.split_once(' '))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Happening, Record};
    use lockgate_model::{Finding, Phase, Principal, Reason, ServerName, Verdict};

    fn record() -> Record {
        Record {
            method: Some("tools/call"),
            server: ServerName::parse("db"),
            target: Some("query".to_owned()),
            arguments: Some("00ff".to_owned()),
            result: Some("ff00".to_owned()),
            verdict: Verdict::Deny,
            finding: Some(Finding::deny(Phase::Flow, Reason::UntrustedContentReachesSink, "flow.value")),
            ..Record::of_gateway(Happening::Answer)
        }
    }

    fn of(record: &Record) -> Option<Receipt> {
        Receipt::of_line("example.org/log", record.to_json("2026-01-31T08:00:00.000000Z").as_bytes())
    }

    #[test]
    fn it_says_what_the_record_says() {
        let receipt = of(&record()).unwrap();
        let text = "io.lockgate/receipt/v1\nlog example.org/log\ntime 2026-01-31T08:00:00.000000Z\nref gateway\n\
             principal gateway\nmethod tools/call\nserver db\ntarget query\narguments-sha256 00ff\nverdict deny\n\
             reason untrusted_content_reaches_sink\nrule flow.value\nresult-sha256 ff00\n";
        assert_eq!(receipt.note().unwrap().text(), text);
        assert_eq!(receipt.get("rule"), Some("flow.value"));
        assert_eq!(Receipt::of_note(&receipt.note().unwrap()), Some(receipt.clone()));
        // However deep the arguments are that the record holds.
        let deep = Some(format!("{}{}", "[".repeat(100), "]".repeat(100)));
        assert_eq!(of(&Record { argument_text: deep, ..record() }), Some(receipt));
        // Of what gave no result there is none, and a checkpoint is none.
        assert_eq!(of(&Record { result: None, ..record() }), None);
        let checkpoint = Note::new("example.org/log\n12\nAAAA\n".to_owned()).unwrap();
        assert_eq!(Receipt::of_note(&checkpoint), None);
    }

    proptest! {
        #[test]
        fn no_name_adds_a_line(name in any::<String>()) {
            let named = Record { principal: Principal::new(&name), target: Some(name), ..record() };
            let receipt = of(&named).unwrap();
            let text = receipt.note().unwrap();
            prop_assert!(text.text().is_ascii());
            prop_assert_eq!(text.text().lines().count(), of(&record()).unwrap().lines().count() + 1);
            prop_assert_eq!(receipt.get("result-sha256"), Some("ff00"));
        }
    }
}
