//! The texts that travel: every reply is known beforehand, byte for byte.

use bytes::Bytes;

/// The stateless revision.
pub const MODERN: &str = "2026-07-28";
/// The newest revision with a handshake.
pub const LEGACY: &str = "2025-11-25";

/// A JSON string of plain prose, `length` bytes before escaping, with line breaks and quotation marks.
pub fn blob(length: usize) -> Bytes {
    const WORDS: [&str; 8] =
        ["the server", "returned", "\"ready\"", "for order", "4711", "of customer", "today", "in region"];
    let mut prose = String::with_capacity(length + 16);
    let mut seed: u32 = 7;
    while prose.len() < length {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        prose.push_str(WORDS[(seed >> 29) as usize]);
        prose.push(if seed & 0xF000 == 0 { '\n' } else { ' ' });
    }
    prose.truncate(length);
    serde_json::to_vec(&prose).map(Bytes::from).unwrap_or_default()
}

/// What stands before and after the text in the answer to a call.
pub fn around(id: &str, modern: bool) -> (String, &'static str) {
    let before = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":"#);
    let after =
        if modern { r#"}],"isError":false,"resultType":"complete"}}"# } else { r#"}],"isError":false}}"# };
    (before, after)
}

/// A list of tools: `echo`, `blob`, and as many others as give it that many bytes.
pub fn tools(least: usize) -> String {
    let mut list = String::from(concat!(
        r#"[{"name":"echo","description":"Returns its text.","inputSchema":{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]}},"#,
        r#"{"name":"blob","description":"Returns that many bytes of text.","inputSchema":{"type":"object","properties":{"bytes":{"type":"integer","minimum":0}},"required":["bytes"]}}"#,
    ));
    let mut number = 0;
    while list.len() < least {
        list.push_str(&format!(
            r#",{{"name":"record_{number:03}","description":"Looks up record family {number}. Takes the account, a filter expression and a page size, and returns the matching rows as text.","inputSchema":{{"type":"object","properties":{{"account":{{"type":"string","description":"Account identifier"}},"filter":{{"type":"string","description":"Filter expression"}},"page_size":{{"type":"integer","minimum":1,"maximum":100}}}},"required":["account"]}},"annotations":{{"readOnlyHint":true}}}}"#
        ));
        number += 1;
    }
    list.push(']');
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn texts_are_json_of_the_asked_size() {
        for length in [0, 1, 1_024, 100_000] {
            let text: String = serde_json::from_slice(&blob(length)).unwrap();
            assert_eq!(text.len(), length);
        }
        let list: Value = serde_json::from_str(&tools(36_000)).unwrap();
        assert_eq!(list[1]["name"], "blob");
        let (before, after) = around("7", true);
        let reply: Value = serde_json::from_str(&format!("{before}\"x\"{after}")).unwrap();
        assert_eq!(reply["result"]["content"][0]["text"], "x");
    }
}
