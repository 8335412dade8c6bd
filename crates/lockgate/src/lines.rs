//! The lines of a file, plain or compressed, one at a time.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

/// Longest line, in bytes, as it is when unpacked.
const LONGEST: u64 = 64 << 20;

/// How a file that is packed with gzip begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

pub(crate) struct Lines {
    reader: Box<dyn BufRead + Send>,
    number: usize,
}

impl Lines {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Self::read(BufReader::new(File::open(path)?))
    }

    /// The lines of standard input.
    pub(crate) fn of_input() -> io::Result<Self> {
        Self::read(BufReader::new(io::stdin()))
    }

    fn read(mut reader: impl BufRead + Send + 'static) -> io::Result<Self> {
        let packed = reader.fill_buf()?.starts_with(&GZIP);
        let reader: Box<dyn BufRead + Send> =
            if packed { Box::new(BufReader::new(MultiGzDecoder::new(reader))) } else { Box::new(reader) };
        Ok(Self { reader, number: 0 })
    }

    /// The number of the line that was read last, from 1.
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// Reads the next line that is not empty. False at the end of the file. After [`io::ErrorKind::FileTooLarge`], which is
    /// said of one line, the next one can be read; after any other error nothing can.
    pub(crate) fn next(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        loop {
            line.clear();
            self.number += 1;
            let read = (&mut self.reader).take(LONGEST + 1).read_until(b'\n', line)?;
            if line.len() as u64 > LONGEST {
                if line.last() != Some(&b'\n') {
                    self.reader.skip_until(b'\n')?;
                }
                line.clear();
                let said = format!("the line is longer than {LONGEST} bytes");
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, said));
            }
            if read == 0 {
                return Ok(false);
            }
            if !line.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }
}
