//! What bytes are, by how they begin (WHATWG MIME Sniffing; the registrations of the formats for the rest).

/// How much of the beginning is read as text.
const HEAD: usize = 512;

/// Bytes at a place, and the type that they are a sign of.
const MAGIC: &[(usize, &[u8], &str)] = &[
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBPVP8", "image/webp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"\0\0\x01\0", "image/x-icon"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (8, b"WAVE", "audio/wav"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"\xff\xf2", "audio/mpeg"),
    (0, b"OggS\0", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
    (0, b"\x7fELF", "application/x-elf"),
    (0, b"\xfe\xed\xfa\xce", "application/x-mach-binary"),
    (0, b"\xfe\xed\xfa\xcf", "application/x-mach-binary"),
    (0, b"\xce\xfa\xed\xfe", "application/x-mach-binary"),
    (0, b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (0, b"\xca\xfe\xba\xbe", "application/x-mach-binary"),
    (0, b"\0asm", "application/wasm"),
    (0, b"#!", "application/x-sh"),
];

/// What a page of HTML begins with, behind white space and comments (MIME Sniffing, section 7.1).
const PAGE: [&str; 16] = [
    "<!doctype html",
    "<html",
    "<head",
    "<script",
    "<iframe",
    "<h1",
    "<div",
    "<font",
    "<table",
    "<style",
    "<title",
    "<body",
    "<br",
    "<p>",
    "<form",
    "<a ",
];

/// Types that are called by several names: all are the first.
const ALIKE: &[&[&str]] = &[
    &["image/jpeg", "image/jpg", "image/pjpeg"],
    &["image/png", "image/x-png", "image/apng"],
    &["image/x-icon", "image/vnd.microsoft.icon"],
    &["image/bmp", "image/x-ms-bmp"],
    &["audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"],
    &["audio/mpeg", "audio/mp3"],
    &["audio/flac", "audio/x-flac"],
    &["audio/ogg", "video/ogg", "application/ogg", "audio/opus"],
    &[
        "video/mp4",
        "audio/mp4",
        "video/quicktime",
        "audio/m4a",
        "audio/x-m4a",
        "image/heic",
        "image/avif",
        "video/3gpp",
    ],
    &["video/webm", "audio/webm", "video/x-matroska"],
    &["application/gzip", "application/x-gzip"],
    &["application/zip", "application/x-zip-compressed"],
    &["text/html", "application/xhtml+xml"],
    &["application/x-sh", "text/x-shellscript", "text/x-python", "text/x-sh"],
];

/// The media type that the bytes begin like; nothing where they are like none, as most text is. Reads at most 512 bytes,
/// and where it is a ZIP the names in it that come first.
pub fn sniff(bytes: &[u8]) -> Option<&'static str> {
    let at = |from: usize, magic: &[u8]| bytes.get(from..).is_some_and(|rest| rest.starts_with(magic));
    if at(0, b"BM") && bytes.get(6..10) == Some(&[0; 4]) {
        return Some("image/bmp");
    }
    if at(0, b"MZ") && bytes.len() >= 64 {
        return Some("application/vnd.microsoft.portable-executable");
    }
    if at(4, b"ftyp") {
        return Some("video/mp4");
    }
    let riff = at(0, b"RIFF");
    let known = MAGIC.iter().find(|(from, magic, _)| (*from == 0 || riff) && at(*from, magic));
    match known.map(|(_, _, kind)| *kind) {
        Some("application/zip") => Some(archive(bytes)),
        None => words(bytes),
        known => known,
    }
}

/// Is what was declared what the bytes are? What `sniff` does not know may be declared as text, or as anything that it
/// would not know; it may not be declared as what it would know. Parameters, as a character set, do not count.
pub fn agrees(declared: &str, bytes: &[u8]) -> bool {
    let declared = essence(declared);
    match sniff(bytes) {
        Some(found) => {
            let office = found == "application/zip" || found.starts_with("application/vnd.openxmlformats");
            let text = matches!(
                found,
                "text/html" | "image/svg+xml" | "application/xml" | "application/x-sh" | "application/json"
            );
            same(&declared, found)
                || office && is_zip(&declared)
                || text && (declared.starts_with("text/") && declared != "text/html" || is_text(&declared))
                || declared == "application/octet-stream"
        }
        None if declared == "text/html" || declared == "image/svg+xml" || is_text(&declared) => true,
        None => !is_known(&declared),
    }
}

/// Does a pattern of an allow list, as `image/*`, `*/*` or `text/plain`, match this type?
pub fn allows(pattern: &str, kind: &str) -> bool {
    let (pattern, kind) = (essence(pattern), essence(kind));
    match pattern.split_once('/') {
        Some(("*", "*")) => true,
        Some((family, "*")) => kind.split_once('/').is_some_and(|(of, _)| of == family),
        _ => pattern == "*" || same(&pattern, &kind),
    }
}

/// Without parameters and case.
fn essence(kind: &str) -> String {
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn same(one: &str, other: &str) -> bool {
    one == other || ALIKE.iter().any(|names| names.contains(&one) && names.contains(&other))
}

fn is_known(kind: &str) -> bool {
    MAGIC.iter().any(|(_, _, known)| same(kind, known))
        || ["image/bmp", "video/mp4", "application/vnd.microsoft.portable-executable"]
            .iter()
            .any(|known| same(kind, known))
        || is_zip(kind)
}

fn is_zip(kind: &str) -> bool {
    const ENDS: [&str; 4] = ["+zip", "java-archive", "x-zip-compressed", "application/zip"];
    ENDS.iter().any(|end| kind.ends_with(end))
        || kind.starts_with("application/vnd.openxmlformats")
        || kind.starts_with("application/vnd.oasis.opendocument")
}

fn is_text(kind: &str) -> bool {
    const TEXTS: [&str; 8] = ["json", "xml", "yaml", "javascript", "ecmascript", "x-sh", "toml", "sql"];
    kind.starts_with("text/") || kind.is_empty() || TEXTS.iter().any(|end| kind.ends_with(end))
}

/// What sort of ZIP: the documents of offices say it in the name of what comes first.
fn archive(bytes: &[u8]) -> &'static str {
    let head = bytes.get(..bytes.len().min(4 * HEAD)).unwrap_or_default();
    let has = |name: &str| memchr::memmem::find(head, name.as_bytes()).is_some();
    if !has("[Content_Types].xml") && !has("_rels/") {
        "application/zip"
    } else if has("word/") {
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    } else if has("xl/") {
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    } else if has("ppt/") {
        "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    } else {
        "application/zip"
    }
}

/// What is text all the same: HTML, SVG, XML, JSON.
fn words(bytes: &[u8]) -> Option<&'static str> {
    let head = bytes.get(..bytes.len().min(HEAD))?;
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let mut text = text.trim_start_matches(|letter: char| letter == '\u{feff}' || letter.is_whitespace());
    while let Some((_, rest)) = text.strip_prefix("<!--").and_then(|rest| rest.split_once("-->")) {
        text = rest.trim_start();
    }
    if PAGE.iter().any(|start| text.starts_with(start)) {
        return Some("text/html");
    }
    if text.starts_with("<svg")
        || (text.starts_with("<?xml") || text.starts_with("<!doctype svg")) && text.contains("<svg")
    {
        return Some("image/svg+xml");
    }
    if text.starts_with("<?xml") {
        return Some("application/xml");
    }
    let json = text
        .strip_prefix('{')
        .is_some_and(|rest| matches!(rest.trim_start().chars().next(), Some('"' | '}')));
    json.then_some("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_by_their_bytes() {
        for (bytes, kind) in [
            (&b"\x89PNG\r\n\x1a\n...."[..], Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF89a", Some("image/gif")),
            (b"RIFF....WEBPVP8 ", Some("image/webp")),
            (b"RIFF....WAVEfmt ", Some("audio/wav")),
            (b"....WAVE", None),
            (b"BM\x01\0\0\0\0\0\0\0", Some("image/bmp")),
            (b"BMW is a maker of cars", None),
            (b"\0\0\0\x18ftypisom", Some("video/mp4")),
            (b"%PDF-1.7", Some("application/pdf")),
            (b"PK\x03\x04....mimetype", Some("application/zip")),
            (
                b"PK\x03\x04......[Content_Types].xml....word/document.xml",
                Some("application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
            ),
            (b"\x7fELF", Some("application/x-elf")),
            (b"\0asm", Some("application/wasm")),
            (b"#!/bin/sh\n", Some("application/x-sh")),
            (b"<!-- a -->\n<!DOCTYPE html>", Some("text/html")),
            (b"<?xml version='1.0'?><svg>", Some("image/svg+xml")),
            (b"<?xml version='1.0'?><feed>", Some("application/xml")),
            (b"{\"a\": 1}", Some("application/json")),
            (b"{a}", None),
            (b"# A title\n<p>", None),
            (b"", None),
        ] {
            assert_eq!(sniff(bytes), kind, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn what_is_declared_must_be_what_it_is() {
        let (png, page, text) = (&b"\x89PNG\r\n\x1a\n"[..], &b"<!doctype html>"[..], &b"Hello"[..]);
        for (declared, bytes, expected) in [
            ("image/png", png, true),
            ("IMAGE/PNG; q=1", png, true),
            ("image/jpeg", png, false),
            ("text/plain", png, false),
            ("image/png", text, false),
            ("image/png", page, false),
            ("image/jpg", b"\xff\xd8\xff\xe0", true),
            ("text/plain; charset=utf-8", text, true),
            ("text/plain", page, true),
            ("text/html", page, true),
            ("text/html", text, true),
            ("application/json", text, true),
            ("application/x-own", text, true),
            ("application/octet-stream", png, true),
            ("image/svg+xml", b"<svg/>", true),
            ("image/png", b"<svg/>", false),
            ("audio/mpeg", b"\x7fELF", false),
            ("", text, true),
        ] {
            assert_eq!(agrees(declared, bytes), expected, "{declared} {bytes:?}");
        }
    }

    #[test]
    fn allow_lists_have_patterns() {
        for (pattern, kind, expected) in [
            ("*/*", "image/png", true),
            ("*", "image/png", true),
            ("image/*", "image/png", true),
            ("image/*", "imagery/png", false),
            ("text/plain", "Text/Plain; charset=utf-8", true),
            ("image/jpg", "image/jpeg", true),
            ("image/png", "image/gif", false),
        ] {
            assert_eq!(allows(pattern, kind), expected, "{pattern} {kind}");
        }
    }
}
