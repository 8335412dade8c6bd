//! `docs/reasons.md`: every reason with its meaning, made from the code.

use std::fmt::Write;

use anyhow::{Context, Result};
use lockgate_model::{Fault, Reason};

use crate::run::root;

pub(crate) fn write() -> Result<()> {
    let file = root().join("docs/reasons.md");
    std::fs::write(&file, page()).with_context(|| format!("cannot write {}", file.display()))
}

fn page() -> String {
    let mut page = String::from(
        "# Reasons\n\n<!-- Made by `cargo xtask reasons` from crates/lockgate-model/src/reason.rs. -->\n\n\
         Every refusal and every dropped message has one of these codes: in the error's `data.reason` or a tool result's \
         `_meta[\"io.lockgate/decision\"].reason`, and in the record. A code is never renamed or used for something else.\n",
    );
    for (fault, title, what) in [
        (
            Fault::Policy,
            "The operator's rules say no",
            "Answered to a tool call as a tool execution error, which the model can read; to other requests as a JSON-RPC error.",
        ),
        (Fault::Agent, "The agent broke the protocol", "The message went to no server."),
        (
            Fault::Server,
            "A server broke the protocol or did not answer",
            "What a server may not say is dropped and written down.",
        ),
        (Fault::Lockgate, "A limit of Lockgate", "Nothing is lost: the agent is told."),
    ] {
        let row = |page: &mut String, text: &str| {
            let written = writeln!(page, "{text}");
            debug_assert!(written.is_ok(), "writing to a String does not fail");
        };
        row(&mut page, &format!("\n## {title}\n\n{what}\n"));
        row(&mut page, "| code | meaning | what to do | JSON-RPC | HTTP |\n| --- | --- | --- | --- | --- |");
        for reason in Reason::ALL.iter().filter(|reason| reason.fault() == fault) {
            let (code, meaning, remedy) = (reason.code(), reason.meaning(), reason.remedy());
            row(
                &mut page,
                &format!(
                    "| `{code}` | {meaning} | {remedy} | {} | {} |",
                    reason.rpc_code(),
                    reason.http_status()
                ),
            );
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_fresh() {
        if std::env::var_os("BLESS").is_some() {
            write().unwrap();
        }
        let file = root().join("docs/reasons.md");
        let found = std::fs::read_to_string(file).unwrap_or_default();
        assert!(found == page(), "docs/reasons.md is old: `cargo xtask reasons` or BLESS=1 writes it");
    }
}
