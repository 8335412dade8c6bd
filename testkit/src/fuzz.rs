//! What the fuzz targets do with any bytes. They run here over the committed corpus, and under a fuzzer from `fuzz/`.

pub mod detect;

use std::path::Path;
use std::sync::LazyLock;

use bytes::Bytes;
use lockgate_clients::edit::{Section, mask};
use lockgate_clients::{Format, Hider, of_text};
use lockgate_core::{Boundary, Server, Speaks, Step, Wire};
use lockgate_detect::secrets::Secrets;
use lockgate_detect::{MARK, redact};
use lockgate_flow::{Capacity, Index, Origin, Source};
use lockgate_model::{Body, Json, Limits, Message, ServerName, Side, Tier, peek_id};
use lockgate_provenance::diff::Diff;
use lockgate_provenance::lock::Lock;
use lockgate_provenance::shadow::{Index as Offers, Offer, resembles};
use lockgate_provenance::{Kind, Pins, canonical, digest};
use lockgate_transport::lines::as_line;
use lockgate_transport::sse::{Parser, SseEvent};

use crate::stage::Stage;

/// A message: whatever we accept, another parser accepts and reads the same; nothing makes us panic.
pub fn envelope(bytes: &[u8]) {
    let limits = Limits::default();
    let _id = peek_id(bytes);
    // The other parser keeps a key for itself, and takes an object that has it for something else.
    if bytes.windows(10).any(|part| part == b"$serde_jso") {
        return;
    }
    for side in [Side::Agent, Side::Server] {
        let Ok(message) = Message::parse(bytes, side, &limits) else { continue };
        let other: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_else(|error| {
            panic!("accepted what is not JSON: {error}: {:?}", String::from_utf8_lossy(bytes))
        });
        match &message.body {
            Body::Request { id, method, params } => {
                assert_eq!(other["method"], **method);
                assert_eq!(other["id"].to_string().as_bytes(), normal(id.raw()));
                assert_eq!(other["params"].get("arguments").is_some(), params.arguments().is_some());
            }
            Body::Notification { method, .. } => assert_eq!(other["method"], **method),
            Body::Result { result, .. } => {
                assert_eq!(other["result"].to_string().as_bytes(), normal(result.raw()));
            }
            Body::Error { .. } => assert!(other.get("error").is_some()),
        }
        // What is sent on a pipe reads the same as what was inspected.
        let line = as_line(bytes);
        assert!(!line.get(..line.len() - 1).is_some_and(|line| line.contains(&b'\n')));
        let again: serde_json::Value =
            serde_json::from_slice(&line).unwrap_or_else(|error| panic!("the line is not JSON: {error}"));
        assert_eq!(again, other);
    }
}

fn normal(raw: &[u8]) -> Vec<u8> {
    serde_json::from_slice::<serde_json::Value>(raw)
        .map(|value| value.to_string().into_bytes())
        .unwrap_or_default()
}

/// A stream of events: the pieces it comes in make no difference. The first byte says how large they are.
pub fn sse(bytes: &[u8]) {
    let Some((size, stream)) = bytes.split_first() else { return };
    let read = |size: usize| {
        let mut parser = Parser::new(1 << 12);
        let mut events: Vec<SseEvent> = Vec::new();
        for piece in stream.chunks(size.max(1)) {
            parser.feed(piece);
            while let Some(event) = parser.next_event() {
                match event {
                    Ok(event) => events.push(event),
                    Err(_) => return (events, true),
                }
            }
        }
        (events, false)
    };
    let (whole, refused) = read(stream.len().max(1));
    let (pieces, stopped) = read(usize::from(*size));
    if !refused && !stopped {
        assert_eq!(whole, pieces);
    }
}

/// A conversation: each line of the input is said by the agent (`a`), by a server (`s`, `t`), or lets time pass (`w`).
/// It is held with servers of both eras, with one of each, and with two of which it is not known. Nothing panics, no
/// server makes us call a tool where the agent has called none, and each request that is over has one last record.
pub fn door(bytes: &[u8]) {
    for speaks in [[Some(Speaks::Both); 2], [Some(Speaks::Modern), Some(Speaks::Legacy)], [None; 2]] {
        converse(bytes, speaks);
    }
}

fn converse(bytes: &[u8], [one, two]: [Option<Speaks>; 2]) {
    let name = |text: &str| ServerName::parse(text).unwrap_or_else(|| panic!("{text} is a name"));
    let servers = [("one", Wire::Lines, one), ("two", Wire::Http, two)]
        .map(|(text, wire, speaks)| (name(text), Server { speaks, ..Server::new(wire) }));
    let boundary = Boundary { records: true, ..Boundary::new(servers.into()) };
    let mut stage = Stage::open(boundary, true);
    let mut called = false;
    for line in bytes.split(|b| *b == b'\n').take(200) {
        let Some((who, text)) = line.split_first() else { continue };
        let text = String::from_utf8_lossy(text);
        let steps = match who {
            b'a' => {
                called |= text.contains("call");
                stage.say(&text);
                Vec::new()
            }
            b's' => stage.server_says(&name("one"), &text),
            b't' => stage.server_says(&name("two"), &text),
            b'w' => stage.wait(1_000),
            _ => continue,
        };
        for step in &steps {
            if let Step::Send(permit) = step {
                // What a server says may lead to an answer, to a question of ours, and to a call that waited for it: never to
                // one that the agent has not made.
                assert!(called || permit.head().method != Some("tools/call"), "a server made us call a tool");
                assert_eq!(
                    Message::parse(&Bytes::clone(permit.message()), Side::Agent, &Limits::default()).err(),
                    None
                );
            }
        }
    }
    assert_eq!(stage.close(), Ok(()), "each request has one last record");
}

/// Secrets in a text: each is a part of it, in order; what was taken out is not found again. The letters of the text are
/// thirteen places further in the alphabet, so that no scanner takes the corpus for what it is not.
pub fn secrets(bytes: &[u8]) {
    static SECRETS: LazyLock<Secrets> = LazyLock::new(Secrets::new);
    let text: String = String::from_utf8_lossy(bytes).chars().map(turned).collect();
    let found = SECRETS.find(&text);
    let mut end = 0;
    for secret in &found {
        assert!(end <= secret.span.start && !secret.span.is_empty(), "{found:?}");
        assert!(text.get(secret.span.clone()).is_some(), "{found:?}");
        end = secret.span.end;
    }
    let redacted = redact(&text, found.into_iter().map(|secret| secret.span), MARK);
    for secret in SECRETS.find(&redacted) {
        let again = redacted.get(secret.span).unwrap_or_default();
        assert!(!again.contains(MARK), "{} is found in {redacted}", secret.kind);
    }
}

fn turned(letter: char) -> char {
    match letter {
        'a'..='m' | 'A'..='M' => char::from_u32(u32::from(letter) + 13).unwrap_or(letter),
        'n'..='z' | 'N'..='Z' => char::from_u32(u32::from(letter) - 13).unwrap_or(letter),
        other => other,
    }
}

/// What a session read, line by line: free text (`p`) and records (`r`) of one of four origins (the second byte), and
/// values to look up (`f`) or long texts to recognise (`c`). Nothing panics, and what was just read is found.
pub fn provenance(bytes: &[u8]) {
    let capacity = Capacity { ring: 4096, records: 64, tokens: 256, fingerprints: 256 };
    let mut index = Index::new([7; 16], capacity);
    for (event, line) in (0..).zip(bytes.split(|b| *b == b'\n').take(50)) {
        let [what, who, text @ ..] = line else { continue };
        let text = String::from_utf8_lossy(text);
        let source = Source { origin: Origin::new(who % 4).unwrap_or_default(), event };
        match what {
            b'p' => index.prose(source, &text),
            b'r' => index.record(source, &text),
            b'f' => drop(index.find(&text).first),
            b'c' => assert!(index.copied(&text).bytes <= text.len() * 40),
            _ => continue,
        }
        let telling = text.chars().filter(char::is_ascii_alphabetic).count() > 8 && text.len() < 200;
        if telling && matches!(what, b'p' | b'r') {
            let found = index.find(&text);
            let listed = found.records.join(found.saturated).contains(source.origin);
            assert!(
                if *what == b'p' { found.prose.is_some() } else { listed },
                "what was read is found: {text:?}"
            );
        }
        assert!(index.bytes() < 128 * 1024, "{} bytes", index.bytes());
    }
}

/// A lock file: one that is read is written so that it reads as the same, and everything it holds is approved. Nothing
/// panics.
pub fn lock(bytes: &[u8]) {
    let Ok(lock) = Lock::read(bytes) else { return };
    let text = lock.text();
    assert_eq!(Lock::read(text.as_bytes()).as_ref(), Ok(&lock), "{text}");
    let mut pins = Pins::default();
    lock.approve(&mut pins);
    let approved: usize = pins.servers().map(|(_, pins)| pins.approved.len()).sum();
    assert_eq!(approved, lock.servers.values().map(|locked| locked.definitions().count()).sum::<usize>());
}

/// Two definitions, a line each: the canonical form is its own, and there is a difference exactly where digests differ.
pub fn canonicals(bytes: &[u8]) {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n').map(|line| Json::check(line, 64));
    let (Some(Ok(old)), new) = (lines.next(), lines.next()) else { return };
    let text = canonical(old);
    let again =
        Json::check(text.as_bytes(), 64).unwrap_or_else(|reason| panic!("{text} is refused: {reason:?}"));
    assert_eq!(canonical(again), text);
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
    let Some(Ok(new)) = new else { return };
    for kind in Kind::ALL {
        let diff = Diff::of(kind, old, new);
        assert_eq!(diff.is_empty(), digest(kind, old) == digest(kind, new), "{kind:?} {diff}");
        assert!(diff.to_string().chars().all(|c| c.is_ascii_graphic() || " \n…".contains(c)));
    }
}

/// Definitions, one a line, of two servers by turns: whatever they say, judging them neither fails nor says more than it should,
/// and every finding stands where it says it does.
pub fn shadow(bytes: &[u8]) {
    let lines = bytes.split(|b| *b == b'\n').take(16).filter_map(|line| Json::check(line, 64).ok());
    let lines: Vec<Json<'_>> = lines.collect();
    let (Some(one), Some(other)) = (ServerName::parse("one"), ServerName::parse("github")) else { return };
    let of = |from: usize| lines.iter().skip(from).step_by(2).copied().collect::<Vec<_>>();
    let (ours, theirs) = (of(0), of(1));
    let offer = |server, tier, tools| Offer { server, tier, maker: None, identity: None, tools };
    let offers = Offers::new([offer(&one, Tier::Open, &ours), offer(&other, Tier::Internal, &theirs)]);
    for definition in &lines {
        let found = [
            offers.tool(&one, *definition),
            offers.offer(&other, *definition),
            offers.instructions(&one, *definition),
            offers.identity(&one, *definition),
        ];
        for found in found.into_iter().flatten() {
            assert!(found.place.is_ascii() && found.span.start <= found.span.end);
            assert!(found.span.end <= definition.raw().len());
            assert!(found.other.is_none_or(|server| server == one || server == other));
        }
    }
    if let Ok(host) = std::str::from_utf8(bytes) {
        let _answer = resembles(host, ["api.example.com"]);
    }
}

/// A client's file, in the format that its first byte says (`j`, `t` or `y`): nothing in it stops the reader, and where its
/// servers can be taken out, they come back.
pub fn clients(bytes: &[u8]) {
    static HIDER: LazyLock<Hider> = LazyLock::new(Hider::new);
    let Some((first, rest)) = bytes.split_first() else { return };
    let (path, format) = match first {
        b't' => ("a.toml", Format::Toml),
        b'y' => ("a.yaml", Format::Yaml),
        _ => ("a.json", Format::Json),
    };
    let text = String::from_utf8_lossy(rest);
    let found = of_text(Path::new(path), &text);
    let _masked = mask(&text, format, &HIDER);
    let Some(keys) = found.servers.first().map(|server| server.section.clone()) else { return };
    let section = Section { format, keys: &keys };
    let Ok(names) = section.names(&text) else { return };
    let entry = serde_json::json!({ "name": "lockgate", "command": "x", "args": ["y"], "env": { "A": "b" } });
    let Ok(made) = section.put(&text, &names, "lockgate", &entry) else { return };
    assert_eq!(section.names(&made).unwrap_or_default(), ["lockgate"], "{text:?}");
    match section.restore(&made, &text, "lockgate", &names) {
        Ok(back) => {
            let mut restored = section.names(&back).unwrap_or_default();
            let mut names = names;
            names.sort();
            restored.sort();
            assert_eq!(restored, names, "{text:?}");
        }
        Err(refusal) => assert!(format != Format::Json, "{refusal}: {text:?}"),
    }
}
