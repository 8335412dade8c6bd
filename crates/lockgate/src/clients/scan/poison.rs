//! What is suspicious in the definitions of tools.

use lockgate_clients::Found;
use lockgate_model::{Json, Untrusted};

use super::Asked;
use super::can::DEPTH;
use super::finding::{self, Finding};

/// Looks at every definition of the servers that were asked.
pub(super) fn look(files: &[Found], asked: &Asked) -> Vec<Finding> {
    let mut found = Vec::new();
    for ((file, at), answer) in asked {
        let Some(file) = files.get(*file) else { continue };
        let Some(server) = file.servers.get(*at) else { continue };
        let name = Untrusted::new(&server.name).escaped(64);
        for tool in answer.iter().flatten() {
            let Ok(definition) = Json::check(&tool.definition, DEPTH) else { continue };
            if hides(definition) {
                let shown = Untrusted::new(&tool.name).escaped(64);
                let message =
                    format!("the definition of {shown} of {name} holds characters that people do not see");
                found.push(Finding {
                    client: file.client.map(|client| client.id),
                    server: Some(name.clone()),
                    tool: Some(shown),
                    at: Some((file.path.clone(), server.place)),
                    ..Finding::new(&finding::HIDDEN, message)
                });
            }
        }
    }
    found
}

/// Is there a character in any text of it that shows as nothing, or turns what is around it?
fn hides(definition: Json<'_>) -> bool {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(definition.raw()) else { return false };
    // Written as JSON, texts stand in it as they are.
    let text = value.to_string();
    let (mut before, mut flag) = (' ', false);
    text.chars().any(|c| {
        let tag = ('\u{e0000}'..='\u{e007f}').contains(&c);
        let hidden = match c {
            // Joiners are a part of some scripts and of emoji, and tags of flags.
            '\u{200c}' | '\u{200d}' => before.is_ascii(),
            '\u{200b}'
            | '\u{2060}'..='\u{2064}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
            | '\u{7f}'..='\u{9f}' => true,
            _ => tag && !flag,
        };
        flag = c == '\u{1f3f4}' || flag && tag;
        before = c;
        hidden
    }) || text.contains("\\u001b")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hidden_characters() {
        for (text, hidden) in [
            ("plain", false),
            ("family 👨\u{200d}👩\u{200d}👧", false),
            ("می\u{200c}خواهم", false),
            ("zero\u{200b}width", true),
            ("join\u{200d}ed", true),
            ("turned\u{202e}", true),
            ("tag\u{e0041}", true),
            ("\u{1f3f4}\u{e0067}\u{e0062}\u{e007f}", false),
            ("\u{1b}[8m", true),
        ] {
            let definition = json!({ "name": "t", "description": text }).to_string();
            assert_eq!(hides(Json::check(definition.as_bytes(), 10).unwrap()), hidden, "{text:?}");
        }
    }
}
