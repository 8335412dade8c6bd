//! A first look at where letters can be in a stream at all, so that little of it is searched.

use std::collections::VecDeque;
use std::ops::Range;

use crate::text::BLOCK;

/// Letters that are looked at together.
const GROUP: usize = 4;
/// Letters from the beginning of one group to that of the next.
const STEP: usize = 2;
/// Letters that are taken in together.
const WORD: usize = 8;
/// Letters of a part of the stream: the least that is told apart.
const PART: usize = 1024;
/// Parts of a sheet: a bit for each in every row.
const PARTS: usize = u64::BITS as usize;
/// Rows of a sheet, for the 512 groups of a part.
const ROWS: usize = 1 << ROW_BITS;
const ROW_BITS: u32 = 11;
/// Letters at the beginning of a part that count for the part before as well, so that all groups of what begins near the end
/// of a part are found in one.
const OVER: usize = 32;
/// Groups of one text that are looked up.
const LOOKUPS: usize = OVER / STEP;
/// Letters of one text that are looked at.
pub(crate) const SEEN: usize = LOOKUPS * STEP + GROUP;

/// Which groups of four letters begin in which parts of the stream, at every second letter. A text of five letters or more
/// has such groups wherever it stands, so that a part that lacks one of them proves that it does not begin there. Never
/// wrong about what is there. Of what is not, eight letters at random pass for about one part in fifteen, sixteen for none.
#[derive(Debug, Default)]
pub(crate) struct Sieve {
    /// For each group, by its hash, the parts that have it; the oldest sheet first.
    sheets: VecDeque<Box<[u64; ROWS]>>,
    /// A bit for each group by its hash, as long as the stream is shorter than a part and has no sheet.
    few: Vec<u64>,
    /// How many letters of a short stream were taken in.
    few_done: usize,
    /// The number of the part that the stream begins in. Letters, parts and spaced bytes are counted from the first.
    first: usize,
    /// Where the parts behind it begin in the spaced stream: at this byte, or up to a block later.
    marks: VecDeque<usize>,
    /// The numbers of the letter and of the spaced byte that the streams begin with.
    letter: usize,
    spaced: usize,
    /// The number of the letter that is taken in next.
    done: usize,
}

impl Sieve {
    /// Takes in what the stream of letters has more than before. A short one is not worth it.
    pub(crate) fn extend(&mut self, stream: &[u8]) {
        if self.sheets.is_empty() && stream.len() < PART {
            return self.extend_few(stream);
        }
        let end = self.letter + stream.len();
        let whole = end / WORD * WORD;
        while self.done < whole {
            let next = (self.done / PART + 1) * PART;
            self.take_part(stream, self.done..next.min(whole));
            self.done = next.min(whole);
        }
        // What is not a whole word yet: now, and when it is one again.
        self.take_part(stream, whole..end);
    }

    /// How many letters the stream has where the next part begins.
    pub(crate) fn next(&self) -> usize {
        ((self.first + self.marks.len() + 1) * PART).saturating_sub(self.letter)
    }

    /// The next part begins at this place of the spaced stream, or up to a block later.
    pub(crate) fn mark(&mut self, place: usize) {
        self.marks.push_back(self.spaced + place);
    }

    /// So much is gone from the beginning of both streams.
    pub(crate) fn drop_front(&mut self, letters: usize, spaced: usize) {
        self.letter += letters;
        self.spaced += spaced;
        if self.letter > self.done {
            *self = Self::default();
        }
        while self.first < self.letter / PART && self.marks.pop_front().is_some() {
            self.first += 1;
            if self.first.is_multiple_of(PARTS) {
                self.sheets.pop_front();
            }
        }
    }

    /// The parts in which these letters may begin, by number; none of the runs touches the next. Nothing where that cannot
    /// be told.
    pub(crate) fn parts(&self, letters: &[u8]) -> Option<Vec<Range<usize>>> {
        if self.sheets.is_empty() {
            return self.part_of_few(letters);
        }
        if letters.len() < GROUP + STEP - 1 {
            return None;
        }
        let mut runs: Vec<Range<usize>> = Vec::new();
        let behind = letters.get(1..).unwrap_or_default();
        for (sheet, begin) in self.sheets.iter().zip((self.first / PARTS * PARTS..).step_by(PARTS)) {
            let mut parts = parts_of(sheet, letters) | parts_of(sheet, behind);
            while parts != 0 {
                let start = parts.trailing_zeros();
                let end = start + (parts >> start).trailing_ones();
                parts &= u64::MAX.checked_shl(end).unwrap_or_default();
                // The first sheet has parts that are gone.
                let [start, end] = [start, end].map(|place| self.first.max(begin + place as usize));
                match runs.last_mut() {
                    Some(last) if last.end == start => last.end = end,
                    _ if start < end => runs.push(start..end),
                    _ => {}
                }
            }
        }
        Some(runs)
    }

    /// The places of the stream of letters that these parts are.
    pub(crate) fn letters(&self, parts: &Range<usize>) -> Range<usize> {
        let place = |part: usize| (part * PART).saturating_sub(self.letter);
        place(parts.start)..place(parts.end)
    }

    /// The places of the spaced stream that have all letters of these parts.
    pub(crate) fn spaced(&self, parts: &Range<usize>) -> Range<usize> {
        let place = |part: usize| {
            let mark = self.marks.get(part.checked_sub(self.first + 1)?)?;
            Some(mark.saturating_sub(self.spaced))
        };
        place(parts.start).unwrap_or(0)..place(parts.end).map_or(usize::MAX, |end| end + BLOCK)
    }

    /// Memory held, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.sheets.len() * size_of::<[u64; ROWS]>()
            + (self.sheets.capacity() + self.few.capacity()) * size_of::<u64>()
            + self.marks.capacity() * size_of::<usize>()
    }

    /// Takes in what a short stream has more than before.
    fn extend_few(&mut self, stream: &[u8]) {
        if self.few.is_empty() {
            self.few = vec![0; ROWS / PARTS];
        }
        let new = stream.get(self.few_done.saturating_sub(GROUP - 1)..).unwrap_or_default();
        self.few_done = stream.len();
        for group in groups(new, 1) {
            if let Some(bits) = self.few.get_mut(group / PARTS) {
                *bits |= 1 << (group % PARTS);
            }
        }
    }

    fn part_of_few(&self, letters: &[u8]) -> Option<Vec<Range<usize>>> {
        let has = |group: usize| self.few.get(group / PARTS).map(|bits| bits >> (group % PARTS) & 1 == 1);
        for group in groups(letters, 1) {
            if !has(group)? {
                return Some(Vec::new());
            }
        }
        None
    }

    /// Takes in these letters, all of one part.
    fn take_part(&mut self, stream: &[u8], letters: Range<usize>) {
        let part = letters.start / PART;
        let over = letters.end.min(part * PART + OVER);
        if let Some(before) = part.checked_sub(1).filter(|_| letters.start < over) {
            self.take(before, stream, letters.start..over);
        }
        self.take(part, stream, letters);
    }

    /// Takes in the groups whose last letters are these, for this part.
    fn take(&mut self, part: usize, stream: &[u8], letters: Range<usize>) {
        let Some(number) = (part / PARTS).checked_sub(self.first / PARTS) else { return };
        while self.sheets.len() <= number {
            self.few = Vec::new();
            self.sheets.push_back(Box::new([0; ROWS]));
        }
        let Some(sheet) = self.sheets.get_mut(number) else { return };
        let (begin, end) = (letters.start - self.letter, letters.end - self.letter);
        let (seen, rest) = stream.split_at_checked(begin).unwrap_or_default();
        let mut before = seen.last_chunk().map_or(0, |two| u64::from(u16::from_le_bytes(*two)) << 48);
        let bit = 1 << (part % PARTS);
        let (words, rest) = rest.get(..end - begin).unwrap_or_default().as_chunks();
        for word in words {
            before = take_word(sheet, bit, before, *word);
        }
        if !rest.is_empty() {
            let mut word = [0; WORD];
            word.iter_mut().zip(rest).for_each(|(place, letter)| *place = *letter);
            take_word(sheet, bit, before, word);
        }
    }
}

/// The parts of a sheet that have all groups of the letters.
fn parts_of(sheet: &[u64; ROWS], letters: &[u8]) -> u64 {
    let mut parts = u64::MAX;
    for group in groups(letters, STEP).take(LOOKUPS) {
        parts &= sheet.get(group).copied().unwrap_or_default();
        if parts == 0 {
            break;
        }
    }
    parts
}

/// Takes in the four groups that begin from two letters before a word to four letters behind its beginning.
fn take_word(sheet: &mut [u64; ROWS], bit: u64, before: u64, word: [u8; WORD]) -> u64 {
    let word = u64::from_le_bytes(word);
    for group in [before >> 48 | word << 16, word, word >> 16, word >> 32] {
        #[expect(clippy::cast_possible_truncation, reason = "the four letters of the group")]
        if let Some(parts) = sheet.get_mut(row(group as u32)) {
            *parts |= bit;
        }
    }
    word
}

/// The rows of the groups that begin so many letters after each other.
fn groups(letters: &[u8], step: usize) -> impl Iterator<Item = usize> {
    let all = letters.windows(GROUP).step_by(step).filter_map(<[u8]>::first_chunk);
    all.map(|group| row(u32::from_le_bytes(*group)))
}

fn row(group: u32) -> usize {
    (group.wrapping_mul(0x9e37_79b1) >> (u32::BITS - ROW_BITS)) as usize
}
