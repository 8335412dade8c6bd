//! Files of rows, looked at by several threads. However large a file is, no more than some batches of it are in memory.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::PathBuf;

use lockgate_detect::{Inspector, Level};

use super::answer::Answer;
use super::crew::in_order;
use super::row::{Matter, Row};
use super::{is_input, shown};
use crate::command::complain;
use crate::lines::Lines;

/// Bytes of rows that are handed to a thread together; a longer row goes alone.
const BATCH: usize = 256 << 10;

/// Who looks at rows.
pub(super) struct Rows<'i> {
    pub(super) inspector: &'i Inspector,
    pub(super) threads: usize,
}

/// How it went.
#[derive(Default)]
pub(super) struct Went {
    /// The worst of all rows.
    pub(super) worst: Level,
    /// Something could not be read.
    pub(super) bad: bool,
}

/// What was read of a file: a line, or what is wrong with it.
enum Line {
    Row(usize, Vec<u8>),
    Wrong(String),
}

/// What is said of a batch.
#[derive(Default)]
struct Done {
    out: String,
    complaints: Vec<String>,
    worst: Level,
}

impl Rows<'_> {
    /// Looks at every row of the files, and writes a line for each. Rows that cannot be read are complained of.
    pub(super) fn look(&self, files: &[PathBuf], out: &mut dyn Write) -> Result<Went, String> {
        let mut out = BufWriter::new(out);
        let mut went = Went::default();
        for path in files {
            let name = shown(path);
            let opened = if is_input(path) { Lines::of_input() } else { Lines::open(path) };
            let lines = match opened {
                Ok(lines) => lines,
                Err(error) => {
                    complain(&format!("{name}: {}", crate::config::plain(&error)));
                    went.bad = true;
                    continue;
                }
            };
            let batches = Batches { lines, name: &name, ended: false };
            in_order(
                self.threads,
                batches,
                |batch| self.batch(&name, batch),
                |done: Done| {
                    went.worst = went.worst.max(done.worst);
                    went.bad |= !done.complaints.is_empty();
                    out.write_all(done.out.as_bytes())?;
                    done.complaints.iter().for_each(|said| complain(said));
                    Ok(())
                },
            )
            .map_err(|error: io::Error| error.to_string())?;
        }
        out.flush().map_err(|error| error.to_string())?;
        Ok(went)
    }

    fn batch(&self, name: &str, batch: Vec<Line>) -> Done {
        let mut done = Done::default();
        for line in batch {
            let answered = match &line {
                Line::Row(number, line) => {
                    self.row(line).map_err(|wrong| format!("{name}:{number}: {wrong}"))
                }
                Line::Wrong(wrong) => Err(wrong.clone()),
            };
            match answered {
                Ok((answer, level)) => {
                    done.worst = done.worst.max(level);
                    done.out.push_str(&answer);
                    done.out.push('\n');
                }
                Err(wrong) => done.complaints.push(wrong),
            }
        }
        done
    }

    fn row(&self, line: &[u8]) -> Result<(String, Level), String> {
        let row = Row::read(line)?;
        let id = row.id.written();
        let answer = match row.matter {
            Matter::Text(text) => Answer::of_text(id, self.inspector.text(row.genre, "", &text)),
            Matter::Object(object) => Answer::of_object(id, self.inspector.object(row.genre, object)),
        };
        Ok((answer.line(), answer.level()))
    }
}

/// The lines of a file, some at a time.
struct Batches<'n> {
    lines: Lines,
    name: &'n str,
    ended: bool,
}

impl Iterator for Batches<'_> {
    type Item = Vec<Line>;

    fn next(&mut self) -> Option<Vec<Line>> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while bytes < BATCH && !self.ended {
            let mut line = Vec::new();
            match self.lines.next(&mut line) {
                Ok(true) => {
                    bytes += line.len();
                    batch.push(Line::Row(self.lines.number(), line));
                }
                Ok(false) => self.ended = true,
                Err(error) => {
                    self.ended = error.kind() != ErrorKind::FileTooLarge;
                    let said = if self.ended { crate::config::plain(&error) } else { error.to_string() };
                    batch.push(Line::Wrong(format!("{}:{}: {said}", self.name, self.lines.number())));
                }
            }
        }
        (!batch.is_empty()).then_some(batch)
    }
}
