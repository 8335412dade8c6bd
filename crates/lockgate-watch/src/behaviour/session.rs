use std::collections::VecDeque;

use super::rate::Window;
use super::score::Score;
use super::sign::Sign;

/// Most calls and refusals of a session that are remembered.
pub(super) const MOST_RECENT: usize = 256;
/// Most requests that are told from their further records.
const MOST_REQUESTS: usize = 64;
/// Most counts that go on.
const MOST_PEAKS: usize = 64;
/// Most signs that are not told again while they are fresh.
const MOST_TOLD: usize = 64;

const MINUTE: u64 = 60_000;
/// How long the same call counts as the same.
const REPEATS: u64 = 10 * MINUTE;
/// How long different targets count together.
const TARGETS: u64 = 2 * MINUTE;
/// How long refusals count together.
const REFUSALS: u64 = 5 * MINUTE;
/// How long what was sent out counts together.
const SENT: u64 = 10 * MINUTE;
/// How long a sign is not told again of the same thing.
const TOLD: u64 = 10 * MINUTE;

/// What is remembered of a session while it goes on. Not saved.
#[derive(Clone, Debug, Default)]
pub(super) struct Session {
    pub(super) score: Score,
    /// The tool that was called last.
    pub(super) last: Option<u64>,
    calls: VecDeque<Made>,
    refusals: VecDeque<u64>,
    sent: Window,
    requests: VecDeque<u64>,
    told: VecDeque<(Sign, u64, u64)>,
    peaks: VecDeque<Peak>,
}

/// The most of something that was counted of late, as it was learned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peak {
    pub(super) sign: Sign,
    pub(super) about: u64,
    pub(super) began: u64,
    pub(super) seen: u64,
    /// As what it was learned, on each level.
    pub(super) learned: [u64; 2],
}

#[derive(Clone, Copy, Debug)]
struct Made {
    at: u64,
    /// The tool and its arguments.
    call: u64,
    target: u64,
}

impl Session {
    /// Is it the first record of this request?
    pub(super) fn begins(&mut self, request: u64) -> bool {
        let new = !self.requests.contains(&request);
        if new {
            push(&mut self.requests, request, MOST_REQUESTS);
        }
        new
    }

    /// Notes a call. How often the same was made, and how many different targets were called.
    pub(super) fn called(&mut self, call: u64, target: u64, now: u64) -> (u64, u64) {
        push(&mut self.calls, Made { at: now, call, target }, MOST_RECENT);
        let within =
            |span: u64| self.calls.iter().rev().take_while(move |made| now < made.at.saturating_add(span));
        let same = within(REPEATS).filter(|made| made.call == call).count();
        let mut targets: Vec<_> = within(TARGETS).map(|made| made.target).collect();
        targets.sort_unstable();
        targets.dedup();
        (long(same), long(targets.len()))
    }

    /// Notes a refusal or a failure.
    pub(super) fn refused(&mut self, now: u64) {
        push(&mut self.refusals, now, MOST_RECENT);
    }

    /// How many refusals and failures there were of late.
    pub(super) fn refusals(&self, now: u64) -> u64 {
        long(self.refusals.iter().rev().take_while(|at| now < at.saturating_add(REFUSALS)).count())
    }

    /// Notes what was sent out. How much it was.
    pub(super) fn sent(&mut self, bytes: u64, now: u64) -> u64 {
        self.sent.add(bytes, now, SENT)
    }

    /// The peak of a count that goes on.
    pub(super) fn peak(&mut self, sign: Sign, about: u64, now: u64) -> Option<&mut Peak> {
        let within = |peak: &Peak| now < peak.began.saturating_add(span(sign));
        self.peaks.iter_mut().find(|peak| (peak.sign, peak.about) == (sign, about) && within(peak))
    }

    pub(super) fn begin(&mut self, peak: Peak) {
        push(&mut self.peaks, peak, MOST_PEAKS);
    }

    /// Was that told a short while ago?
    pub(super) fn was_told(&self, sign: Sign, about: u64, now: u64) -> bool {
        self.told.iter().any(|(told, of, at)| (*told, *of) == (sign, about) && now < at.saturating_add(TOLD))
    }

    pub(super) fn tell(&mut self, sign: Sign, about: u64, now: u64) {
        push(&mut self.told, (sign, about, now), MOST_TOLD);
    }
}

/// How long what is counted for a sign counts together.
fn span(sign: Sign) -> u64 {
    match sign {
        Sign::Scan => TARGETS,
        Sign::Probing => REFUSALS,
        Sign::Loop => REPEATS,
        Sign::LargeExport => SENT,
        Sign::Burst
        | Sign::NewTool
        | Sign::NewDestination
        | Sign::LargeArguments
        | Sign::LargeResult
        | Sign::UnusualHour
        | Sign::UnusualSequence
        | Sign::UnknownShape => MINUTE,
    }
}

fn push<T>(all: &mut VecDeque<T>, one: T, most: usize) {
    if all.len() >= most {
        all.pop_front();
    }
    all.push_back(one);
}

fn long(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
