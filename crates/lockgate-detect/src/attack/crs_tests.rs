//! The regression tests of the OWASP Core Rule Set, for the rules that are built in.
//!
//! They are written as HTTP requests. A gateway of MCP has arguments and no requests, so a test applies where what it is about
//! is an argument: the query or the path of the address, or a body that is a form, JSON or XML. [`apart`] and [`in_header`] name all
//! others.

use std::collections::BTreeMap;
use std::io::Read;

use serde::Deserialize;

use super::FILES;
use crate::rules::Rules;

#[derive(Deserialize)]
struct File {
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    test_id: u32,
    stages: Vec<Stage>,
}

#[derive(Deserialize)]
struct Stage {
    input: Request,
    output: Output,
}

#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    uri: String,
    data: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(rename = "encoded_request")]
    bytes: Option<String>,
}

#[derive(Deserialize)]
struct Output {
    #[serde(default)]
    log: Log,
}

#[derive(Default, Deserialize)]
struct Log {
    #[serde(default)]
    expect_ids: Vec<u32>,
    #[serde(default)]
    no_expect_ids: Vec<u32>,
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test reads recorded data")]
fn the_tests_of_the_rules_taken_pass() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/rules/owasp-crs-regression.tar.gz");
    let Ok(file) = std::fs::File::open(path) else {
        eprintln!("skipped: there are no tests of the Core Rule Set");
        return;
    };
    let mut archive = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut archive).unwrap();

    let rules = Rules::new(crate::Threat::Attack, &FILES);
    let taken: Vec<u32> = rules.all.iter().map(|rule| rule.crs).filter(|crs| *crs > 0).collect();
    let (mut asked, mut wrong) = (0, Vec::new());
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, bytes) in files(&archive) {
        let id = name.rsplit('/').next().and_then(|name| name.split('.').next()?.parse().ok());
        let Some(id) = id.filter(|id| taken.contains(id)) else { continue };
        let file: File = serde_saphyr::from_str(std::str::from_utf8(bytes).unwrap())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        for test in &file.tests {
            if let Some(why) = apart(id, test) {
                *left.entry(why).or_default() += 1;
                continue;
            }
            let stage = &test.stages[0];
            let hits = |texts: Vec<Vec<u8>>| texts.iter().any(|text| rules.matches(id, text));
            let hit = hits(arguments(id, &stage.input));
            let log = &stage.output.log;
            let expected = log.expect_ids.contains(&id);
            if expected && !hit && hits(in_header(&stage.input)) {
                *left.entry("what it expects stands in a header or cookie").or_default() += 1;
                continue;
            }
            asked += 1;
            if expected && !hit || log.no_expect_ids.contains(&id) && hit {
                wrong.push((id, test.test_id, hit));
            }
        }
    }
    eprintln!("{} rules, {asked} tests asked, apart: {left:#?}", taken.len());
    assert!(wrong.is_empty(), "{} wrong, (rule, test, matched): {wrong:?}", wrong.len());
}

/// Why a test is about something that is no argument.
fn apart(id: u32, test: &Test) -> Option<&'static str> {
    let [stage] = test.stages.as_slice() else { return Some("several requests") };
    if stage.input.bytes.is_some() {
        return Some("a whole request, byte by byte");
    }
    if header(&stage.input, "content-type").is_some_and(|kind| kind.starts_with("multipart")) {
        return Some("a body of several parts");
    }
    // A manual may have a page of this name, and the rule is not asked of paths.
    if (id, test.test_id) == (941_180, 7) {
        return Some("the name of a page");
    }
    // One half is in one attribute of XML and the other in another.
    matches!((id, test.test_id), (944_110, 13 | 17)).then_some("two arguments that are bad together")
}

fn header<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    let found = request.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// What headers and cookies say.
fn in_header(request: &Request) -> Vec<Vec<u8>> {
    let parts = request.headers.values().flat_map(|value| {
        let cookies = value.split("; ").flat_map(|cookie| cookie.splitn(2, '='));
        cookies.chain([value.as_str()]).map(|part| part.as_bytes().to_vec())
    });
    parts.flat_map(|part| [decoded(&part), part]).collect()
}

/// The arguments of a request, values and names.
fn arguments(id: u32, request: &Request) -> Vec<Vec<u8>> {
    let mut texts = Vec::new();
    let (path, query) = request.uri.split_once('?').unwrap_or((&request.uri, ""));
    texts.push(decoded(path.as_bytes()));
    form(query.as_bytes(), &mut texts);
    // These two look at the address as it came.
    if matches!(id, 930_100 | 930_110) {
        texts.push(request.uri.clone().into_bytes());
    }
    let kind = header(request, "content-type").unwrap_or_default();
    let body = request.data.as_deref().unwrap_or_default();
    if kind.contains("json") {
        match serde_json::from_str(body) {
            Ok(value) => json(&value, "json", &mut texts),
            Err(_) => texts.push(body.as_bytes().to_vec()),
        }
    } else if kind.contains("xml") {
        xml(body, &mut texts);
    } else if kind.starts_with("text/plain") {
        texts.push(body.as_bytes().to_vec());
    } else {
        form(body.as_bytes(), &mut texts);
    }
    texts
}

fn form(text: &[u8], texts: &mut Vec<Vec<u8>>) {
    for pair in text.split(|&b| b == b'&').filter(|pair| !pair.is_empty()) {
        let mut sides = pair.splitn(2, |&b| b == b'=');
        texts.extend(sides.next().map(decoded));
        texts.extend(sides.next().map(decoded));
    }
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&b) = text.get(at) {
        let code = text.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = code.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (b, code) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(b),
        }
        at += 1;
    }
    out
}

fn json(value: &serde_json::Value, name: &str, texts: &mut Vec<Vec<u8>>) {
    match value {
        serde_json::Value::Object(members) => members.iter().for_each(|(key, value)| {
            texts.push(format!("{name}.{key}").into_bytes());
            json(value, &format!("{name}.{key}"), texts);
        }),
        serde_json::Value::Array(values) => values.iter().for_each(|value| json(value, name, texts)),
        serde_json::Value::String(text) => texts.push(text.clone().into_bytes()),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {
            texts.push(value.to_string().into_bytes());
        }
    }
}

/// The texts between tags, and the values of attributes.
fn xml(body: &str, texts: &mut Vec<Vec<u8>>) {
    let plain = |text: &str| {
        let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
        let text = text.replace("&#13;", "\r").replace("&#10;", "\n").replace("&apos;", "'");
        let text = text.replace("&#x7B;", "{").replace("&#x7D;", "}").replace("&#x5C;", "\\");
        text.replace("&amp;", "&").into_bytes()
    };
    for piece in body.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap_or((piece, ""));
        texts.push(plain(text.trim()));
        texts.extend(tag.split('"').skip(1).step_by(2).map(plain));
    }
}

/// The files of an archive (POSIX tar), by name.
fn files(archive: &[u8]) -> impl Iterator<Item = (String, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let header = archive.get(at..at + 512).filter(|header| header[0] != 0)?;
        let text = |from: usize, length: usize| {
            String::from_utf8_lossy(header[from..from + length].split(|&b| b == 0).next().unwrap())
                .into_owned()
        };
        let size = usize::from_str_radix(text(124, 12).trim(), 8).unwrap();
        let name =
            if header[345] == 0 { text(0, 100) } else { format!("{}/{}", text(345, 155), text(0, 100)) };
        let bytes = &archive[at + 512..at + 512 + size];
        at += 512 + size.div_ceil(512) * 512;
        Some((name, bytes))
    })
}
