//! Links and addresses inside a text.

/// Most of them that are looked at in one text.
const MOST: usize = 256;

/// Web links, bare ones that begin with `www.`, and addresses of people, in order. O(length).
pub(crate) fn links(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for word in text.split(|c: char| {
        c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\'' | '(' | ')' | '[' | ']' | '`' | '|')
    }) {
        let word = word.trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '_', '}']);
        let start = ["://", "www."].iter().filter_map(|mark| word.find(mark)).min();
        let link = match start {
            Some(at) => {
                let scheme = word.get(..at).unwrap_or_default();
                let letters =
                    scheme.bytes().rev().take_while(|b| b.is_ascii_alphanumeric() || *b == b'+').count();
                word.get(at - letters.min(at)..)
            }
            None if is_address(word) => Some(word.trim_start_matches([',', ';', ':', '*', '{', '='])),
            None => None,
        };
        if let Some(link) = link.filter(|link| link.len() > 4) {
            found.push(link);
        }
        if found.len() == MOST {
            break;
        }
    }
    found
}

/// Is it an address such as `name@host.example`?
fn is_address(word: &str) -> bool {
    let Some((name, host)) = word.rsplit_once('@') else { return false };
    !name.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_links_and_addresses() {
        for (text, expected) in [
            (
                "see https://a.example/x?y=1, or www.b.example.",
                &["https://a.example/x?y=1", "www.b.example"][..],
            ),
            (
                "[here](http://c.example/p) and <mailto:d@e.example>",
                &["http://c.example/p", "mailto:d@e.example"],
            ),
            ("write to f@g.example; not @home or a@b", &["f@g.example"]),
            ("![x](data://h.example)", &["data://h.example"]),
            ("plain", &[]),
        ] {
            assert_eq!(links(text), expected, "{text}");
        }
    }
}
