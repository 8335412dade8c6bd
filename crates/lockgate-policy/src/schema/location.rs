//! Where a `$ref` points: RFC 3986 resolution, and JSON Pointers in fragments.

use std::borrow::Cow;

/// A reference taken apart.
struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

/// The part before the fragment, and the fragment.
pub(super) fn split(reference: &str) -> (&str, &str) {
    reference.split_once('#').unwrap_or((reference, ""))
}

/// An identifier against the one it stands in. Neither has a fragment.
pub(super) fn resolve(base: &str, reference: &str) -> String {
    if reference.is_empty() {
        return base.to_owned();
    }
    let (base, own) = (parts(base), parts(reference));
    if own.scheme.is_some() {
        Parts { path: own.path, ..own }.written(without_dots(own.path))
    } else if own.authority.is_some() {
        Parts { scheme: base.scheme, ..own }.written(without_dots(own.path))
    } else if own.path.is_empty() {
        Parts { query: own.query.or(base.query), ..base }.written(base.path.to_owned())
    } else {
        let folder = base.path.rsplit_once('/').map(|(folder, _)| folder);
        let path = match folder {
            _ if own.path.starts_with('/') => own.path.to_owned(),
            Some(folder) => format!("{folder}/{}", own.path),
            None if base.authority.is_some() => format!("/{}", own.path),
            None => own.path.to_owned(),
        };
        Parts { query: own.query, ..base }.written(without_dots(&path))
    }
}

/// The steps of a fragment that is a JSON Pointer; none if it is a name or broken.
pub(super) fn pointer(fragment: &str) -> Option<Vec<String>> {
    if fragment.is_empty() {
        return Some(Vec::new());
    }
    let text = percent_decoded(fragment)?;
    let steps = text.strip_prefix('/')?;
    Some(steps.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect())
}

impl Parts<'_> {
    fn written(&self, path: String) -> String {
        let mut out = String::new();
        if let Some(scheme) = self.scheme {
            out.extend([scheme, ":"]);
        }
        if let Some(authority) = self.authority {
            out.extend(["//", authority]);
        }
        out.push_str(&path);
        if let Some(query) = self.query {
            out.extend(["?", query]);
        }
        out
    }
}

fn parts(text: &str) -> Parts<'_> {
    let (scheme, rest) = match text.split_once(':') {
        Some((scheme, rest)) if !scheme.is_empty() && !scheme.contains(['/', '?']) => (Some(scheme), rest),
        _ => (None, text),
    };
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => {
            let end = rest.find('/').unwrap_or(rest.len());
            rest.split_at_checked(end).map_or((None, rest), |(authority, path)| (Some(authority), path))
        }
        None => (None, rest),
    };
    Parts { scheme, authority, path, query }
}

/// RFC 3986, 5.2.4.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let rooted = path.starts_with('/');
    let mut steps = path.split('/').peekable();
    while let Some(step) = steps.next() {
        let is_last = steps.peek().is_none();
        match step {
            "." | ".." => {
                if step == ".." && kept.len() > usize::from(rooted) {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            _ => kept.push(step),
        }
    }
    kept.join("/")
}

fn percent_decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            out.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3986, 5.4, without fragments.
    #[test]
    fn resolves_as_the_rfc_says() {
        for (reference, expected) in [
            ("g:h", "g:h"),
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../../g", "http://a/g"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
        ] {
            assert_eq!(resolve("http://a/b/c/d;p?q", reference), expected, "{reference}");
        }
        assert_eq!(resolve("", "item.json"), "item.json");
        assert_eq!(resolve("http://a", "b"), "http://a/b");
        assert_eq!(resolve("urn:uuid:1", "urn:uuid:2"), "urn:uuid:2");
    }

    #[test]
    fn reads_pointers() {
        assert_eq!(pointer("/$defs/a~1b~0c/%25d").unwrap(), ["$defs", "a/b~c", "%d"]);
        assert_eq!(pointer("/").unwrap(), [""]);
        assert_eq!(pointer("").unwrap(), Vec::<String>::new());
        assert_eq!(pointer("name"), None);
        assert_eq!(pointer("/%zz"), None);
    }
}
