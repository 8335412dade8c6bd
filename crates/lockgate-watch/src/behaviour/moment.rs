//! One record, held against what is usual.

use lockgate_audit::Record;

use super::baseline::{
    HOURS, MOST_FOLLOWERS, MOST_HOSTS, MOST_HOSTS_OF_ONE, MOST_SHAPES, MOST_TOOLS_OF_ONE, OfPrincipal,
    OfServer, OfTool,
};
use super::happened::Call;
use super::known::Known;
use super::save::{key, number};
use super::session::{Peak, Session};
use super::settings::{Bound, Settings};
use super::sign::{Figures, Sign};
use super::usual::Usual;

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

/// What was found unusual, and of what: it is not told again of the same thing for a while.
pub(super) type Found = Vec<(Sign, u64, Figures)>;

/// A record as it is looked at.
pub(super) struct Moment<'m> {
    settings: &'m Settings,
    session: &'m mut Session,
    now: u64,
    /// A session, or an hour of a long one.
    occasion: u64,
    /// Is it learned from?
    teaches: bool,
    found: Found,
}

impl<'m> Moment<'m> {
    pub(super) fn new(settings: &'m Settings, session: &'m mut Session, record: &Record, now: u64) -> Self {
        let occasion = key(&[record.session.as_str(), &(now / HOUR).to_string()]);
        let teaches = session.score.at(now, settings.session_half_life) < settings.distrust;
        Self { settings, session, now, occasion, teaches, found: Vec::new() }
    }

    pub(super) fn found(self) -> Found {
        self.found
    }

    /// Is it the first record of its request?
    pub(super) fn begins(&mut self, record: &Record) -> bool {
        self.session.begins(number(&record.correlation))
    }

    /// The agent asks for something, whether or not it gets it. What it is refused is not learned to be a tool, or names
    /// that were made up would take the room of others.
    pub(super) fn asked(
        &mut self,
        principal: &mut OfPrincipal,
        tool: Option<&mut OfTool>,
        server: &mut OfServer,
        call: &Call<'_>,
    ) {
        let settings = self.settings;
        let seen = principal.rate.count(self.now);
        self.count(Sign::Burst, 0, seen, &mut principal.rate.usual, &settings.burst);
        let (same, targets) = self.session.called(call.exact, call.target, self.now);
        self.count(Sign::Scan, 0, targets, &mut principal.targets, &settings.scan);
        let of_server = &mut server.calls.repeats;
        let levels = match tool {
            Some(tool) => Levels { own: &mut tool.calls.repeats, wider: Some(of_server) },
            None => Levels { own: of_server, wider: None },
        };
        self.count(Sign::Loop, call.exact, same, levels, &settings.repeats);
    }

    /// And may have it.
    pub(super) fn called(
        &mut self,
        principal: &mut OfPrincipal,
        tool: &mut OfTool,
        server: &mut OfServer,
        record: &Record,
        call: &Call<'_>,
    ) {
        let settings = self.settings;
        let seen = tool.rate.count(self.now);
        self.count(Sign::Burst, call.tool, seen, &mut tool.rate.usual, &settings.tool_burst);
        let seen = server.rate.count(self.now);
        self.count(Sign::Burst, call.of_server, seen, &mut server.rate.usual, &settings.server_burst);
        let bytes = record.measure.arguments_bytes.unwrap_or_default();
        self.size(Sign::LargeArguments, call.tool, bytes, &mut tool.arguments, &settings.arguments);
        let seen = self.session.sent(if call.reaches_outside { bytes } else { 0 }, self.now);
        self.count(Sign::LargeExport, 0, seen, &mut principal.sent, &settings.export);
        // That nothing is refused is usual too.
        self.refusals(principal, self.session.refusals(self.now));
        self.hosts(principal, tool, record);
        let shape = record.measure.arguments_shape.as_deref().map_or(0, number);
        self.meet(Sign::UnknownShape, call.tool, shape, &mut tool.shapes, MOST_SHAPES);
        self.meet(Sign::NewTool, call.tool, call.tool, &mut principal.tools, MOST_TOOLS_OF_ONE);
        self.hour(principal);
    }

    /// The tool that is called follows another. That a new tool has not is no news.
    pub(super) fn followed(&mut self, before: &mut OfTool, call: &Call<'_>) {
        if self.found.iter().any(|(sign, ..)| *sign == Sign::NewTool) {
            return self.learn(&mut before.followers, call.tool, MOST_FOLLOWERS);
        }
        self.meet(Sign::UnusualSequence, call.tool, call.tool, &mut before.followers, MOST_FOLLOWERS);
    }

    /// Notes the tool that is called, and says which was before.
    pub(super) fn after(&mut self, call: &Call<'_>) -> Option<u64> {
        self.session.last.replace(call.tool)
    }

    /// The agent is refused something, or it came to nothing.
    pub(super) fn refused(&mut self, principal: &mut OfPrincipal) {
        self.session.refused(self.now);
        self.refusals(principal, self.session.refusals(self.now));
    }

    /// A server has answered.
    pub(super) fn answered(
        &mut self,
        tool: &mut OfTool,
        server: &mut OfServer,
        record: &Record,
        call: &Call<'_>,
    ) {
        if let Some(bytes) = record.measure.result_bytes {
            let levels = Levels { own: &mut tool.calls.results, wider: Some(&mut server.calls.results) };
            self.size(Sign::LargeResult, call.tool, bytes, levels, &self.settings.result);
        }
    }

    fn refusals(&mut self, principal: &mut OfPrincipal, seen: u64) {
        self.count(Sign::Probing, 0, seen, &mut principal.refusals, &self.settings.probing);
    }

    /// A host is new where it is new to the tool and to the principal: one that is known from elsewhere is not.
    fn hosts(&mut self, principal: &mut OfPrincipal, tool: &mut OfTool, record: &Record) {
        for host in &record.measure.destinations {
            let host = number(host);
            if principal.hosts.has(host) {
                self.learn(&mut tool.hosts, host, MOST_HOSTS);
            } else {
                self.meet(Sign::NewDestination, host, host, &mut tool.hosts, MOST_HOSTS);
            }
            self.learn(&mut principal.hosts, host, MOST_HOSTS_OF_ONE);
        }
    }

    /// An hour is unusual where neither it nor one beside it is known. In UTC.
    fn hour(&mut self, principal: &mut OfPrincipal) {
        let hour = self.now / HOUR % 24;
        let beside = [(hour + 23) % 24, (hour + 1) % 24];
        if !beside.into_iter().any(|hour| principal.hours.has(hour)) {
            let figures = principal.hours.judge(hour, self.settings.unlikely_hour);
            self.note(Sign::UnusualHour, hour, figures);
        }
        if self.teaches {
            principal.hours.learn(hour, self.now / DAY, HOURS);
        }
    }

    /// Compares a count that grows with the usual. While it goes on only the most that it came to is learned, as one value,
    /// or a burst would be usual by itself.
    fn count<'u>(&mut self, sign: Sign, about: u64, seen: u64, levels: impl Into<Levels<'u>>, bound: &Bound) {
        let mut levels = levels.into();
        let figures = levels.judge(seen, bound, self.settings.warm_up);
        if self.teaches {
            match self.session.peak(sign, about, self.now) {
                Some(peak) if peak.seen < seen => {
                    levels.unlearn(peak.learned);
                    (peak.seen, peak.learned) = (seen, levels.learn(seen, bound));
                }
                Some(_) => {}
                None => {
                    let learned = levels.learn(seen, bound);
                    self.session.begin(Peak { sign, about, began: self.now, seen, learned });
                }
            }
        }
        self.note(sign, about, figures);
    }

    /// Compares a size with the usual, and learns it. Of what is told again and again only the first is learned.
    fn size<'u>(&mut self, sign: Sign, about: u64, seen: u64, levels: impl Into<Levels<'u>>, bound: &Bound) {
        let mut levels = levels.into();
        let figures = levels.judge(seen, bound, self.settings.warm_up);
        if self.teaches && (figures.is_none() || !self.session.was_told(sign, about, self.now)) {
            levels.learn(seen, bound);
        }
        self.note(sign, about, figures);
    }

    /// Asks whether something is new, and learns it.
    fn meet(&mut self, sign: Sign, about: u64, key: u64, known: &mut Known, most: usize) {
        let figures = known.judge(key, self.settings.unlikely);
        self.note(sign, about, figures);
        self.learn(known, key, most);
    }

    fn learn(&self, known: &mut Known, key: u64, most: usize) {
        if self.teaches {
            known.learn(key, self.occasion, most);
        }
    }

    fn note(&mut self, sign: Sign, about: u64, figures: Option<Figures>) {
        if let Some(figures) = figures {
            self.found.push((sign, about, figures));
        }
    }
}

/// What is usual of one thing, and of all that are like it: where too little is known of the one, the others count.
struct Levels<'u> {
    own: &'u mut Usual,
    wider: Option<&'u mut Usual>,
}

impl<'u> From<&'u mut Usual> for Levels<'u> {
    fn from(own: &'u mut Usual) -> Self {
        Self { own, wider: None }
    }
}

impl Levels<'_> {
    fn judge(&self, seen: u64, bound: &Bound, warm_up: u32) -> Option<Figures> {
        let wider = self.wider.as_ref().filter(|_| !self.own.is_warm(warm_up));
        wider.unwrap_or(&self.own).judge(seen, bound, warm_up)
    }

    /// As what it was learned on each level.
    fn learn(&mut self, seen: u64, bound: &Bound) -> [u64; 2] {
        let wider = self.wider.as_mut().map_or(0, |wider| wider.learn(seen, bound));
        [self.own.learn(seen, bound), wider]
    }

    fn unlearn(&mut self, [own, wider]: [u64; 2]) {
        self.own.unlearn(own);
        if let Some(usual) = &mut self.wider {
            usual.unlearn(wider);
        }
    }
}
