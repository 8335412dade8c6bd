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
        match ["://", "www."].iter().filter_map(|mark| word.find(mark)).min() {
            Some(at) => {
                let scheme = word.get(..at).unwrap_or_default();
                let letters =
                    scheme.bytes().rev().take_while(|b| b.is_ascii_alphanumeric() || *b == b'+').count();
                found.extend(word.get(at - letters.min(at)..).filter(|link| link.len() > 4));
            }
            None => found.extend(word.split([',', ';']).filter_map(address)),
        }
        if found.len() >= MOST {
            break;
        }
    }
    found
}

/// The address in a word, such as `name@host.example`, without what stands before and behind it.
fn address(word: &str) -> Option<&str> {
    let (name, host) = word.rsplit_once('@')?;
    let name = name.rsplit(':').next()?.trim_start_matches(['*', '{', '=']);
    let host = host.split(['?', '&', '#', '/', ':', '}']).next()?.trim_end_matches('.');
    let end = word.rfind('@')?;
    let known = !name.is_empty() && host.contains('.') && !host.starts_with('.');
    word.get(end - name.len()..end + 1 + host.len()).filter(|address| known && address.len() > 4)
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
            ("[here](http://c.example/p) and <mailto:d@e.example>", &["http://c.example/p", "d@e.example"]),
            ("write to f@g.example; not @home or a@b", &["f@g.example"]),
            ("![x](data://h.example)", &["data://h.example"]),
            ("plain", &[]),
            ("a@b.example,c@d.example; E <e@f.example>", &["a@b.example", "c@d.example", "e@f.example"]),
            ("mailto:a@b.example?subject=x", &["a@b.example"]),
            ("to:a@b.example.", &["a@b.example"]),
        ] {
            assert_eq!(links(text), expected, "{text}");
        }
    }
}
