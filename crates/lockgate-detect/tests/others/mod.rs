//! Texts of others, which are beside the repository and not in it.

use std::fs::{read, read_dir};
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;

/// The files whose names are wanted, in order: the name without its end, and the rows, one a line. Says so where there are none.
#[expect(clippy::disallowed_methods, reason = "a test may read")]
pub(crate) fn files(wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = (String, String)> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder =
        here.ancestors().map(|folder| folder.join("shared/data/train")).find(|folder| folder.is_dir());
    if folder.is_none() {
        eprintln!("skipped: there are no recorded texts");
    }
    let entries = folder.into_iter().flat_map(|folder| read_dir(folder).unwrap());
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().filter_map(move |file| {
        let name = file.file_name()?.to_str()?.strip_suffix(".jsonl.gz").filter(|name| wanted(name))?;
        let mut rows = String::new();
        GzDecoder::new(&*read(&file).unwrap()).read_to_string(&mut rows).unwrap();
        Some((name.to_owned(), rows))
    })
}
