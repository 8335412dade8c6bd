//! Server-sent events, read in pieces as they arrive and written whole.
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>

use bytes::{Bytes, BytesMut};
use lockgate_model::Reason;
use memchr::memchr2;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SseEvent {
    /// Where to resume the stream. At most 256 visible ASCII characters; an id of another form is dropped.
    pub id: Option<String>,
    /// How long to wait before reconnecting. Milliseconds.
    pub retry: Option<u64>,
    /// The data, its lines joined by a line feed. Empty for an event that only marks a place, and for one of another
    /// type than `message`.
    pub data: Bytes,
    /// The data of an event of the type `endpoint`, with which a server of HTTP+SSE says where messages go to. MCP gives no
    /// other type a meaning.
    pub endpoint: Option<Bytes>,
}

/// Reads a stream of events. Linear in the bytes fed, whatever the pieces.
#[derive(Debug)]
pub struct Parser {
    buffer: BytesMut,
    /// How far the buffer has been searched for the end of a line.
    searched: usize,
    largest: usize,
    event: SseEvent,
    data: BytesMut,
    lines: usize,
    kind: Kind,
    skipping: Skipping,
    started: bool,
    after_return: bool,
}

/// The type of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Message,
    Endpoint,
    Other,
}

/// Is the rest of an event that was too large being passed over?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Skipping {
    No,
    /// From the beginning of a line.
    Lines,
    /// From within a line.
    Within,
}

/// Most bytes that are kept of an event that was too large.
const BEGINNING: usize = 4 << 10;

impl Parser {
    /// Reads events of at most `largest` bytes.
    pub fn new(largest: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            searched: 0,
            largest,
            event: SseEvent::default(),
            data: BytesMut::new(),
            lines: 0,
            kind: Kind::Message,
            skipping: Skipping::No,
            started: false,
            after_return: false,
        }
    }

    /// Adds a piece of the stream.
    pub fn feed(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// The next event, as soon as it is whole. [`Reason::ResultTooLarge`] where it grows past the limit; the stream
    /// can be read further only after [`Parser::pass_over`].
    pub fn next_event(&mut self) -> Option<Result<SseEvent, Reason>> {
        loop {
            if !self.started {
                if self.buffer.len() < 3 && b"\xEF\xBB\xBF".starts_with(&self.buffer) {
                    return None;
                }
                if self.buffer.starts_with(b"\xEF\xBB\xBF") {
                    drop(self.buffer.split_to(3));
                }
                self.started = true;
            }
            if self.after_return && !self.buffer.is_empty() {
                if self.buffer.first() == Some(&b'\n') {
                    drop(self.buffer.split_to(1));
                }
                self.after_return = false;
            }
            let rest = self.buffer.get(self.searched..).unwrap_or_default();
            let Some(end) = memchr2(b'\n', b'\r', rest).map(|at| at + self.searched) else {
                if self.skipping != Skipping::No {
                    if !self.buffer.is_empty() {
                        self.skipping = Skipping::Within;
                    }
                    self.buffer.clear();
                    return None;
                }
                self.searched = self.buffer.len();
                // A field's name is not part of the data.
                let too_large = self.buffer.len() + self.data.len() > self.largest.saturating_add(16);
                return too_large.then_some(Err(Reason::ResultTooLarge));
            };
            self.searched = 0;
            let line = self.buffer.split_to(end);
            self.after_return = self.buffer.first() == Some(&b'\r');
            drop(self.buffer.split_to(1));
            if self.skipping != Skipping::No {
                let over = self.skipping == Skipping::Lines && line.is_empty();
                self.skipping = if over { Skipping::No } else { Skipping::Lines };
                continue;
            }
            if line.is_empty() {
                if let Some(event) = self.dispatch() {
                    return Some(Ok(event));
                }
                continue;
            }
            self.field(&line.freeze());
            if self.data.len() > self.largest {
                return Some(Err(Reason::ResultTooLarge));
            }
        }
    }

    /// After an event that was too large: gives what its data began with, at most 4 KiB, and passes over its rest.
    pub fn pass_over(&mut self) -> Bytes {
        let unfinished = std::mem::take(&mut self.buffer);
        let unfinished = if self.searched == 0 {
            // The last line was read; what stands in the buffer is behind it.
            self.buffer = unfinished;
            self.skipping = Skipping::Lines;
            BytesMut::new()
        } else {
            self.skipping = Skipping::Within;
            unfinished
        };
        let mut beginning = std::mem::take(&mut self.data);
        if beginning.is_empty() {
            let value = unfinished.strip_prefix(b"data:").unwrap_or_default();
            let value = value.strip_prefix(b" ").unwrap_or(value);
            beginning.extend_from_slice(value.get(..BEGINNING.min(value.len())).unwrap_or_default());
        }
        beginning.truncate(BEGINNING);
        self.searched = 0;
        self.lines = 0;
        self.kind = Kind::Message;
        self.event = SseEvent::default();
        Bytes::copy_from_slice(&beginning)
    }

    fn field(&mut self, line: &Bytes) {
        let colon = line.iter().position(|b| *b == b':').unwrap_or(line.len());
        let name = line.get(..colon).unwrap_or_default();
        let value = line.get(colon + 1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"data" => {
                if self.lines > 0 {
                    self.data.extend_from_slice(b"\n");
                }
                self.lines += 1;
                self.data.extend_from_slice(value);
            }
            b"event" => {
                self.kind = match value {
                    b"" | b"message" => Kind::Message,
                    b"endpoint" => Kind::Endpoint,
                    _ => Kind::Other,
                }
            }
            b"id" => {
                let usable =
                    value.len() <= 256 && value.iter().all(u8::is_ascii_graphic) && !value.is_empty();
                if let Some(id) = std::str::from_utf8(value).ok().filter(|_| usable) {
                    self.event.id = Some(id.to_owned());
                }
            }
            b"retry" => {
                let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
                let text = std::str::from_utf8(value).ok().filter(|_| digits);
                if let Some(retry) = text.and_then(|text| text.parse().ok()) {
                    self.event.retry = Some(retry);
                }
            }
            _ => {}
        }
    }

    fn dispatch(&mut self) -> Option<SseEvent> {
        let lines = std::mem::take(&mut self.lines);
        let mut event = std::mem::take(&mut self.event);
        let kind = std::mem::take(&mut self.kind);
        let data = self.data.split().freeze();
        match kind {
            Kind::Message => event.data = data,
            Kind::Endpoint if lines > 0 => event.endpoint = Some(data),
            Kind::Endpoint | Kind::Other => {}
        }
        let seen = lines > 0 && kind != Kind::Other;
        (seen || event.id.is_some() || event.retry.is_some()).then_some(event)
    }
}

/// Writes an event. Data that holds line feeds becomes several `data` lines; empty data is written as such, to mark a
/// place in the stream.
pub fn encode(out: &mut Vec<u8>, id: Option<&str>, retry: Option<u64>, data: &[u8]) {
    out.reserve(data.len() + 64);
    if let Some(id) = id {
        out.extend_from_slice(b"id: ");
        out.extend_from_slice(id.as_bytes());
        out.push(b'\n');
    }
    if let Some(retry) = retry {
        out.extend_from_slice(format!("retry: {retry}\n").as_bytes());
    }
    if !data.is_empty() {
        out.extend_from_slice(b"event: message\n");
    }
    for line in data.split(|b| *b == b'\n') {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        out.push(b'\n');
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(pieces: &[&[u8]]) -> Vec<SseEvent> {
        let mut parser = Parser::new(1 << 20);
        let mut events = Vec::new();
        for piece in pieces {
            parser.feed(piece);
            while let Some(event) = parser.next_event() {
                events.push(event.unwrap());
            }
        }
        events
    }

    #[test]
    fn reads_what_the_standard_shows() {
        let text = b"\xEF\xBB\xBF: comment\n\ndata: a\ndata:b\nid: 7\n\nevent: x\r\nretry: 30\r\ndata\r\n\r\nid: no\0\ndata: c\r\rrest";
        let events = read(&[text]);
        assert_eq!(events.len(), 3);
        assert_eq!((&events[0].data[..], events[0].id.as_deref()), (&b"a\nb"[..], Some("7")));
        assert_eq!((&events[1].data[..], events[1].retry), (&b""[..], Some(30)));
        assert_eq!((&events[2].data[..], events[2].id.as_deref()), (&b"c"[..], None));
    }

    #[test]
    fn events_of_another_type_and_unusable_fields_are_passed_over() {
        let long = format!("id: {}\n", "x".repeat(257));
        for (text, id, retry, data) in [
            ("event: ping\ndata: {}\nid: 3\n\n", Some("3"), None, ""),
            ("event: message\ndata: {}\n\n", None, None, "{}"),
            ("event\ndata: {}\n\n", None, None, "{}"),
            ("event: ping\nevent: message\ndata: {}\n\n", None, None, "{}"),
            ("id: 7\nid: a\0b\ndata: {}\n\n", Some("7"), None, "{}"),
            ("id: \u{e9}\ndata: {}\n\n", None, None, "{}"),
            ("retry: -1\nretry: 5\nretry: 99999999999999999999\ndata: {}\n\n", None, Some(5), "{}"),
            (&format!("{long}data: {{}}\n\n"), None, None, "{}"),
            ("data:  two spaces\nignored: x\n\n", None, None, " two spaces"),
        ] {
            let events = read(&[text.as_bytes()]);
            assert_eq!(events.len(), 1, "{text:?}");
            assert_eq!((events[0].id.as_deref(), events[0].retry), (id, retry), "{text:?}");
            assert_eq!(events[0].data, data, "{text:?}");
        }
        assert_eq!(read(&[b"event: ping\ndata: {}\n\n: comment\n\n"]), []);
    }

    #[test]
    fn an_endpoint_is_no_message() {
        let events =
            read(&[b"event: endpoint\ndata: /messages?session=1\n\ndata: {}\n\nevent: endpoint\n\n"]);
        assert_eq!(events.len(), 2);
        assert_eq!(events[0].endpoint.as_deref(), Some(&b"/messages?session=1"[..]));
        assert!(events[0].data.is_empty());
        assert_eq!((&events[1].data[..], &events[1].endpoint), (&b"{}"[..], &None));
    }

    #[test]
    fn an_event_that_was_too_large_is_passed_over() {
        let long = "x".repeat(300);
        let large = [
            format!("data: {long}\n\n"),
            format!("data: {long}\r\ndata: more\r\n\r\n"),
            format!("data: {}\nid: 1\ndata: {long}\n\n", "x".repeat(90)),
        ];
        for (text, piece) in large.iter().flat_map(|text| [1, 7, 1_000].map(|piece| (text, piece))) {
            let mut parser = Parser::new(100);
            let mut seen = Vec::new();
            for piece in format!("data: a\n\n{text}data: b\n\n").as_bytes().chunks(piece) {
                parser.feed(piece);
                while let Some(event) = parser.next_event() {
                    seen.push(event.map_or_else(|_| parser.pass_over(), |event| event.data));
                }
            }
            assert_eq!(seen.len(), 3, "{text:?} {piece}");
            assert_eq!((&seen[0][..], &seen[2][..]), (&b"a"[..], &b"b"[..]), "{text:?} {piece}");
            assert!(seen[1].starts_with(&[b'x'; 90]), "{text:?} {piece}");
        }
    }

    #[test]
    fn a_place_without_data_has_no_type() {
        let mut out = Vec::new();
        encode(&mut out, Some("1.0"), Some(100), b"");
        assert_eq!(out, b"id: 1.0\nretry: 100\ndata: \n\n");
        out.clear();
        encode(&mut out, None, None, b"{}");
        assert_eq!(out, b"event: message\ndata: {}\n\n");
    }

    /// A large event in small pieces: far too slow if each piece were searched from the beginning.
    #[test]
    fn a_large_event_in_small_pieces() {
        let mut parser = Parser::new(8 << 20);
        parser.feed(b"data: ");
        for _ in 0..(8 << 20) / 64 {
            parser.feed(&[b'x'; 64]);
            assert!(parser.next_event().is_none());
        }
        parser.feed(b"\n\n");
        assert_eq!(parser.next_event().unwrap().unwrap().data.len(), 8 << 20);
    }

    #[test]
    fn an_event_without_end_is_refused() {
        for line in ["data: 0123456789\n", ": 0123456789", "id: 0123456789"] {
            let mut parser = Parser::new(100);
            let refused = (0..20).any(|_| {
                parser.feed(line.as_bytes());
                parser.next_event() == Some(Err(Reason::ResultTooLarge))
            });
            assert!(refused, "{line}");
        }
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let mut parser = Parser::new(100);
        parser.feed(b"data: ");
        for _ in 0..20 {
            parser.feed(b"0123456789");
            if let Some(event) = parser.next_event() {
                assert_eq!(event, Err(Reason::ResultTooLarge));
                return;
            }
        }
        panic!("never refused");
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            text in proptest::collection::vec(prop_oneof![
                Just("data: x"), Just("data"), Just(":"), Just("\n"), Just("\r\n"), Just("\r"), Just("id: 1"),
                Just("retry: 5"), Just("\u{feff}"), Just(" "),
            ], 0..30),
            cuts in proptest::collection::vec(0_usize..100, 0..8),
        ) {
            let text = text.concat();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts {
                pieces.push(&text.as_bytes()[from..cut]);
                from = cut;
            }
            pieces.push(&text.as_bytes()[from..]);
            prop_assert_eq!(read(&pieces), read(&[text.as_bytes()]));
        }

        #[test]
        fn what_is_written_reads_back(data in "[a-z\n{}\"]{1,40}") {
            let mut out = Vec::new();
            encode(&mut out, Some("5"), None, data.as_bytes());
            let events = read(&[&out]);
            prop_assert_eq!(events.len(), 1);
            prop_assert_eq!(&events[0].data[..], data.as_bytes());
        }
    }
}
