//! Messages as lines on a pipe.

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memchr2};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Reads lines of bounded length. Blank lines are passed over.
#[derive(Debug)]
pub struct LineReader<R> {
    source: R,
    buffer: BytesMut,
    searched: usize,
    longest: usize,
    /// The rest of a line that was too long is being passed over.
    skipping: bool,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// The whole line, without its end.
    Whole(Bytes),
    /// The beginning, at most 4 KiB, of a line that is longer than allowed; its rest is passed over.
    TooLong(Bytes),
}

const BEGINNING: usize = 4 << 10;

impl<R: AsyncRead + Unpin> LineReader<R> {
    /// Reads lines of at most `longest` bytes, their ends not counted.
    pub fn new(source: R, longest: usize) -> Self {
        Self { source, buffer: BytesMut::new(), searched: 0, longest, skipping: false }
    }

    /// The next line; none at the end of the stream. A last line without an end is no line: its writer died over it.
    /// Memory stays below the longest line allowed and one read. Dropping the future loses nothing.
    pub async fn next(&mut self) -> std::io::Result<Option<Line>> {
        loop {
            while let Some(line) = self.buffered() {
                if line != Line::Whole(Bytes::new()) {
                    return Ok(Some(line));
                }
            }
            self.buffer.reserve(16 << 10);
            if self.source.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn buffered(&mut self) -> Option<Line> {
        loop {
            let rest = self.buffer.get(self.searched..).unwrap_or_default();
            let Some(end) = memchr(b'\n', rest).map(|at| at + self.searched) else {
                self.searched = self.buffer.len();
                if self.skipping {
                    self.buffer.clear();
                    self.searched = 0;
                } else if self.too_long(&self.buffer) {
                    let beginning =
                        Bytes::copy_from_slice(self.buffer.get(..BEGINNING.min(self.buffer.len()))?);
                    self.buffer = BytesMut::new();
                    self.searched = 0;
                    self.skipping = true;
                    return Some(Line::TooLong(beginning));
                }
                return None;
            };
            self.searched = 0;
            let line = self.buffer.split_to(end + 1).freeze();
            if std::mem::take(&mut self.skipping) {
                continue;
            }
            let line = line.slice(..end);
            if self.too_long(&line) {
                return Some(Line::TooLong(line.slice(..BEGINNING.min(line.len()))));
            }
            // White space as JSON knows it: a form feed around a message is refused with it, as over HTTP.
            let blank = |b: &&u8| matches!(b, b' ' | b'\t' | b'\r');
            let start = line.iter().take_while(blank).count();
            let tail = line.iter().rev().take_while(blank).count();
            let line = if start == line.len() { Bytes::new() } else { line.slice(start..line.len() - tail) };
            return Some(Line::Whole(line));
        }
    }
}

impl<R> LineReader<R> {
    /// A carriage return at the end may belong to the line's end.
    fn too_long(&self, line: &[u8]) -> bool {
        line.strip_suffix(b"\r").unwrap_or(line).len() > self.longest
    }
}

/// A message as one line: line ends between its tokens become spaces, which JSON reads alike. A string of the message
/// cannot hold one: the strict parser refuses raw control characters.
pub fn as_line(message: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(message.len() + 1);
    line.extend_from_slice(message);
    if memchr2(b'\n', b'\r', message).is_some() {
        line.iter_mut().filter(|b| matches!(b, b'\n' | b'\r')).for_each(|b| *b = b' ');
    }
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A source that gives its bytes in pieces of a given size.
    struct Pieces<'a>(&'a [u8], usize);

    impl AsyncRead for Pieces<'_> {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            buffer: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            let count = self.1.min(self.0.len()).min(buffer.remaining());
            let (piece, rest) = self.0.split_at(count);
            buffer.put_slice(piece);
            self.0 = rest;
            std::task::Poll::Ready(Ok(()))
        }
    }

    fn read(text: &[u8], piece: usize, longest: usize) -> Vec<Line> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut reader = LineReader::new(Pieces(text, piece), longest);
            let mut lines = Vec::new();
            while let Some(line) = reader.next().await.unwrap() {
                lines.push(line);
            }
            lines
        })
    }

    #[test]
    fn long_blank_and_unfinished_lines() {
        let lines = read(b"one\r\n\n  \n0123456789012\ntwo\nunfinished", 5, 10);
        assert_eq!(
            lines,
            [Line::Whole("one".into()), Line::TooLong(lines_beginning(&lines)), Line::Whole("two".into()),]
        );
    }

    /// Far too slow if each piece were searched from the beginning.
    #[test]
    fn a_large_line_in_small_pieces() {
        let text = [vec![b'x'; 8 << 20], b"\n".to_vec()].concat();
        assert_eq!(read(&text, 64, 8 << 20), [Line::Whole(text[..8 << 20].to_vec().into())]);
        let short = read(&[text, b"next\n".to_vec()].concat(), 64, 100);
        assert!(matches!(&short[..], [Line::TooLong(_), Line::Whole(next)] if next == "next"));
    }

    fn lines_beginning(lines: &[Line]) -> Bytes {
        match &lines[1] {
            Line::TooLong(beginning) => {
                assert!(b"0123456789012".starts_with(beginning) && beginning.len() > 10);
                beginning.clone()
            }
            Line::Whole(line) => panic!("{line:?}"),
        }
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(text in "[ab \r\n]{0,60}", piece in 1_usize..9, longest in 1_usize..30) {
            // Of a line that is too long only the beginning depends on the pieces.
            let lines = |piece| -> Vec<_> {
                let whole = |line| match line {
                    Line::Whole(line) => Some(line),
                    Line::TooLong(_) => None,
                };
                read(text.as_bytes(), piece, longest).into_iter().map(whole).collect()
            };
            prop_assert_eq!(lines(piece), lines(1_000));
        }
    }

    #[test]
    fn a_message_becomes_one_line() {
        assert_eq!(as_line(b"{\r\n \"a\":1}"), b"{   \"a\":1}\n");
    }
}
