//! What is unusual: what each principal, tool and server usually does, learned from records as they come.
//!
//! Everything here is counting: how large a quantity usually is ([`Bound`]), and how often anything new turns up. Nothing is
//! unusual before enough was seen to tell, except what is beyond an absolute limit. Each [`Unusual`] says what was seen, what
//! is usual and how sure that is. No text of a server comes here: only checked names, digests and numbers.
//!
//! Memory is bounded: [`MOST_PRINCIPALS`], [`MOST_TOOLS`], [`MOST_SERVERS`] and [`MOST_SESSIONS`] are remembered, the least
//! recently seen forgotten. Each record costs a few digests of short texts and looks at lists of at most 256 entries.

mod baseline;
mod happened;
mod known;
mod moment;
mod rate;
mod save;
mod score;
mod session;
mod settings;
mod sign;
mod state;
mod table;
mod usual;
mod view;

use lockgate_audit::Record;
use lockgate_model::{Principal, ServerName, SessionId, UnixMillis};

use baseline::{OfPrincipal, OfServer, OfTool};
use happened::{Call, Happened};
use moment::{Found, Moment};
use save::{key, short_name};
use session::Session;
use table::Table;

pub use settings::{Bound, Settings};
pub use sign::{Figures, Sign, Unusual};
pub use state::{Damaged, MOST_STATE, STATE_VERSION};
pub use view::{PrincipalView, ServerView, ToolView, View};

/// Most principals whose behaviour is remembered.
pub const MOST_PRINCIPALS: usize = 512;
/// Most tools.
pub const MOST_TOOLS: usize = 2_048;
/// Most servers.
pub const MOST_SERVERS: usize = 256;
/// Most sessions that go on.
pub const MOST_SESSIONS: usize = 1_024;

/// Failures one after the other that cost a server nothing.
const FAILURES_FREE: u8 = 2;
/// What each further one costs. Thousandths of a point.
const FAILURE: u32 = 1_000;

/// What is usual, and what has happened of late.
#[derive(Clone, Debug)]
pub struct Behaviour {
    settings: Settings,
    principals: Table<OfPrincipal>,
    tools: Table<OfTool>,
    servers: Table<OfServer>,
    sessions: Table<Session>,
}

impl Behaviour {
    /// Knows nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            principals: Table::new(MOST_PRINCIPALS),
            tools: Table::new(MOST_TOOLS),
            servers: Table::new(MOST_SERVERS),
            sessions: Table::new(MOST_SESSIONS),
        }
    }

    /// What counts as unusual from now on. What was learned stays.
    pub fn set(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Looks at a record, made at that moment; says what is unusual about it, and learns from it. Records are handed over in
    /// the order in which they are made. O(log n).
    pub fn observe(&mut self, record: &Record, at: UnixMillis) -> Vec<Unusual> {
        let now = at.0;
        let happened = happened::read(record);
        self.judge_server(record, &happened, now);
        let who = key(&[record.principal.as_str()]);
        let call = match &happened {
            Happened::Other => return Vec::new(),
            Happened::Called(call) | Happened::Refused(call) | Happened::Answered { call, .. } => call,
        };
        let session = self.sessions.at(key(&[record.session.as_str()]), Session::default);
        let principal = || OfPrincipal::new(Principal::new(&short_name(record.principal.as_str())));
        let principal = self.principals.at(who, principal);
        let server = self.servers.at(call.of_server, || OfServer::new(call.server.clone()));
        let mut moment = Moment::new(&self.settings, session, record, now);
        match happened {
            Happened::Called(_) if !moment.begins(record) => {}
            Happened::Called(_) => {
                let tool =
                    self.tools.at(call.tool, || OfTool::new(call.server.clone(), short_name(call.name)));
                moment.asked(principal, Some(tool), server, call);
                moment.called(principal, tool, server, record, call);
                if let Some(before) = moment.after(call).and_then(|before| self.tools.get_mut(before)) {
                    moment.followed(before, call);
                }
            }
            Happened::Refused(_) => {
                if moment.begins(record) {
                    moment.asked(principal, self.tools.get_mut(call.tool), server, call);
                }
                moment.refused(principal);
            }
            Happened::Answered { failed, .. } => {
                if failed {
                    moment.refused(principal);
                }
                if let Some(tool) = self.tools.get_mut(call.tool) {
                    moment.answered(tool, server, record, call);
                }
            }
            Happened::Other => {}
        }
        let found = moment.found();
        self.tell(found, record, call, who, now)
    }

    /// The risk of a session and of its principal, whichever is higher. 0 to 100.
    pub fn risk(&self, session: &SessionId, principal: &Principal, now: UnixMillis) -> u8 {
        self.session_risk(session, now).max(self.principal_risk(principal, now))
    }

    /// The risk of a session: what was unusual about it of late. 0 to 100.
    pub fn session_risk(&self, session: &SessionId, now: UnixMillis) -> u8 {
        let session = self.sessions.get(key(&[session.as_str()]));
        session.map_or(0, |session| session.score.at(now.0, self.settings.session_half_life))
    }

    /// The risk of a principal, in all its sessions. 0 to 100.
    pub fn principal_risk(&self, principal: &Principal, now: UnixMillis) -> u8 {
        let principal = self.principals.get(key(&[principal.as_str()]));
        principal.map_or(0, |principal| principal.score.at(now.0, self.settings.principal_half_life))
    }

    /// How well a server has behaved. 0 to 100; 100 where nothing stands against it.
    pub fn reputation(&self, server: &ServerName, now: UnixMillis) -> u8 {
        let server = self.servers.get(key(&[server.as_str()]));
        100 - server.map_or(0, |server| server.lost.at(now.0, self.settings.reputation_half_life))
    }

    /// What a record says against a server.
    fn judge_server(&mut self, record: &Record, happened: &Happened<'_>, now: u64) {
        let half_life = self.settings.reputation_half_life;
        if let Some((name, points)) = happened::lost(record) {
            let server = self.servers.at(key(&[name.as_str()]), || OfServer::new(name.clone()));
            server.lost.raise(points, now, half_life);
        }
        if let Happened::Answered { call, failed } = happened {
            let server = self.servers.at(call.of_server, || OfServer::new(call.server.clone()));
            server.failures = if *failed { server.failures.saturating_add(1) } else { 0 };
            if server.failures > FAILURES_FREE {
                server.lost.raise(FAILURE, now, half_life);
            }
        }
    }

    /// What is told of what was found, and the risk that comes of it.
    fn tell(&mut self, found: Found, record: &Record, call: &Call<'_>, who: u64, now: u64) -> Vec<Unusual> {
        let mut told = Vec::new();
        if found.is_empty() {
            return told;
        }
        let session = self.sessions.at(key(&[record.session.as_str()]), Session::default);
        for (sign, about, figures) in found {
            if session.was_told(sign, about, now) {
                continue;
            }
            session.tell(sign, about, now);
            let thousandths = u32::from(sign.points()) * 1_000;
            session.score.raise(thousandths, now, self.settings.session_half_life);
            if let Some(principal) = self.principals.get_mut(who) {
                principal.score.raise(thousandths, now, self.settings.principal_half_life);
            }
            told.push(Unusual {
                sign,
                principal: record.principal.clone(),
                session: record.session.clone(),
                server: Some(call.server.clone()),
                target: record.target.clone(),
                figures,
                points: sign.points(),
            });
        }
        told
    }
}

#[cfg(test)]
mod tests;
