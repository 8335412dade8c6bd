//! What is usual of a principal, a tool and a server.

use lockgate_model::{Principal, ServerName};

use super::known::Known;
use super::rate::Rate;
use super::save::{Reader, Writer};
use super::score::Score;
use super::usual::Usual;

/// Most tools that are remembered of a principal.
pub(super) const MOST_TOOLS_OF_ONE: usize = 256;
/// Most hosts that are remembered of a principal.
pub(super) const MOST_HOSTS_OF_ONE: usize = 256;
/// Most hosts that are remembered of a tool.
pub(super) const MOST_HOSTS: usize = 64;
/// Most forms of arguments that are remembered of a tool.
pub(super) const MOST_SHAPES: usize = 32;
/// Most tools that are remembered to come after a tool.
pub(super) const MOST_FOLLOWERS: usize = 64;
/// Hours of a day.
pub(super) const HOURS: usize = 24;

/// What is usual of a principal.
#[derive(Clone, Debug)]
pub(super) struct OfPrincipal {
    pub(super) name: Principal,
    pub(super) tools: Known,
    pub(super) hosts: Known,
    /// Hours of the day, in UTC. An occasion is a day.
    pub(super) hours: Known,
    pub(super) rate: Rate,
    /// Refusals and failures that come together.
    pub(super) refusals: Usual,
    /// Different targets that are called together.
    pub(super) targets: Usual,
    /// Bytes that are sent out together.
    pub(super) sent: Usual,
    pub(super) score: Score,
}

impl OfPrincipal {
    pub(super) fn new(name: Principal) -> Self {
        Self {
            name,
            tools: Known::default(),
            hosts: Known::default(),
            hours: Known::default(),
            rate: Rate::default(),
            refusals: Usual::default(),
            targets: Usual::default(),
            sent: Usual::default(),
            score: Score::default(),
        }
    }

    pub(super) fn write(&self, to: &mut Writer) {
        to.text(self.name.as_str());
        for known in [&self.tools, &self.hosts, &self.hours] {
            known.write(to);
        }
        self.rate.write(to);
        for usual in [&self.refusals, &self.targets, &self.sent] {
            usual.write(to);
        }
        self.score.write(to);
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            name: Principal::new(from.text()?),
            tools: Known::read(from, MOST_TOOLS_OF_ONE)?,
            hosts: Known::read(from, MOST_HOSTS_OF_ONE)?,
            hours: Known::read(from, HOURS)?,
            rate: Rate::read(from)?,
            refusals: Usual::read(from)?,
            targets: Usual::read(from)?,
            sent: Usual::read(from)?,
            score: Score::read(from)?,
        })
    }
}

/// What is usual of the calls of one tool, or of all tools of a server.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    /// How long answers are. Bytes.
    pub(super) results: Usual,
    /// How often a session makes the same call.
    pub(super) repeats: Usual,
}

impl Calls {
    fn write(&self, to: &mut Writer) {
        for usual in [&self.results, &self.repeats] {
            usual.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self { results: Usual::read(from)?, repeats: Usual::read(from)? })
    }
}

/// What is usual of a tool, whoever calls it.
#[derive(Clone, Debug)]
pub(super) struct OfTool {
    pub(super) server: ServerName,
    pub(super) name: String,
    pub(super) rate: Rate,
    pub(super) shapes: Known,
    pub(super) hosts: Known,
    /// The tools that a session calls next.
    pub(super) followers: Known,
    /// How long arguments are. Bytes.
    pub(super) arguments: Usual,
    pub(super) calls: Calls,
}

impl OfTool {
    pub(super) fn new(server: ServerName, name: String) -> Self {
        Self {
            server,
            name,
            rate: Rate::default(),
            shapes: Known::default(),
            hosts: Known::default(),
            followers: Known::default(),
            arguments: Usual::default(),
            calls: Calls::default(),
        }
    }

    pub(super) fn write(&self, to: &mut Writer) {
        to.text(self.server.as_str());
        to.text(&self.name);
        self.rate.write(to);
        for known in [&self.shapes, &self.hosts, &self.followers] {
            known.write(to);
        }
        self.arguments.write(to);
        self.calls.write(to);
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            server: ServerName::parse(from.text()?)?,
            name: from.text()?.to_owned(),
            rate: Rate::read(from)?,
            shapes: Known::read(from, MOST_SHAPES)?,
            hosts: Known::read(from, MOST_HOSTS)?,
            followers: Known::read(from, MOST_FOLLOWERS)?,
            arguments: Usual::read(from)?,
            calls: Calls::read(from)?,
        })
    }
}

/// What is usual of a server, and what it has lost of its reputation.
#[derive(Clone, Debug)]
pub(super) struct OfServer {
    pub(super) name: ServerName,
    pub(super) rate: Rate,
    /// Of all its tools, for those of which too little is known.
    pub(super) calls: Calls,
    pub(super) lost: Score,
    /// Failures one after the other.
    pub(super) failures: u8,
}

impl OfServer {
    pub(super) fn new(name: ServerName) -> Self {
        Self { name, rate: Rate::default(), calls: Calls::default(), lost: Score::default(), failures: 0 }
    }

    pub(super) fn write(&self, to: &mut Writer) {
        to.text(self.name.as_str());
        self.rate.write(to);
        self.calls.write(to);
        self.lost.write(to);
        to.byte(self.failures);
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            name: ServerName::parse(from.text()?)?,
            rate: Rate::read(from)?,
            calls: Calls::read(from)?,
            lost: Score::read(from)?,
            failures: from.byte()?,
        })
    }
}
