//! Searching a text in some windows only.

use std::ops::Range;

use memchr::memmem::Finder;

/// The places of a piece, in order; of those that overlap the first.
pub(crate) struct Places<'ring> {
    text: &'ring [u8],
    finder: Option<Finder<'ring>>,
    windows: std::vec::IntoIter<Range<usize>>,
    /// What is left of the window that is searched.
    window: Range<usize>,
}

impl<'ring> Places<'ring> {
    /// The places in these windows of a text, which come in order and do not touch.
    pub(crate) fn new(text: &'ring [u8], windows: Vec<Range<usize>>, sought: &'ring [u8]) -> Self {
        // To make one costs more than most searches.
        let finder = (!windows.is_empty()).then(|| Finder::new(sought));
        Self { text, finder, windows: windows.into_iter(), window: 0..0 }
    }
}

impl Iterator for Places<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let finder = self.finder.as_ref()?;
        loop {
            if let Some(place) = finder.find(self.text.get(self.window.clone()).unwrap_or_default()) {
                let start = self.window.start + place;
                self.window.start = start + finder.needle().len();
                return Some(start);
            }
            self.window = self.windows.next()?;
        }
    }
}
