//! The lines of a file, plain or compressed, one at a time.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

/// Longest line, in bytes, as it is when unpacked.
const LONGEST: u64 = 64 << 20;

/// How a file that is packed with gzip begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

pub(super) struct Lines {
    reader: Box<dyn BufRead>,
    number: usize,
}

impl Lines {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut reader = BufReader::new(File::open(path)?);
        let packed = reader.fill_buf()?.starts_with(&GZIP);
        let reader: Box<dyn BufRead> =
            if packed { Box::new(BufReader::new(MultiGzDecoder::new(reader))) } else { Box::new(reader) };
        Ok(Self { reader, number: 0 })
    }

    /// The number of the line that was read last, from 1.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// Reads the next line that is not empty. False at the end of the file.
    pub(super) fn next(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        loop {
            line.clear();
            self.number += 1;
            let read = (&mut self.reader).take(LONGEST + 1).read_until(b'\n', line)?;
            if line.len() as u64 > LONGEST {
                let said = format!("line {} is longer than {LONGEST} bytes", self.number);
                return Err(io::Error::new(io::ErrorKind::InvalidData, said));
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
