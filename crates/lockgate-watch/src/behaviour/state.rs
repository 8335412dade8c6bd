//! What was learned, as bytes: so that a restart does not forget it. Sessions are not in it: the risk of their principals is,
//! and that is never below theirs.

use thiserror::Error;

use super::baseline::{OfPrincipal, OfServer, OfTool};
use super::save::{Reader, Writer, key, number};
use super::table::Table;
use super::{Behaviour, MOST_PRINCIPALS, MOST_SERVERS, MOST_TOOLS, Settings};

/// What the bytes begin with.
const MARK: [u8; 4] = *b"LGBH";
/// The version of the bytes. Those of another version are not read, and learning begins anew.
pub const STATE_VERSION: u16 = 1;
/// Longest state that is read. Bytes; more than the largest that is written.
pub const MOST_STATE: usize = 16 << 20;

/// Why bytes are not what was learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Damaged {
    /// Longer than [`MOST_STATE`].
    #[error("what was learned is longer than {MOST_STATE} bytes")]
    TooLong,
    /// Something else, or of another version.
    #[error("it is not what was learned, or is of another version")]
    NotOurs,
    /// Cut off or changed.
    #[error("what was learned is damaged")]
    Changed,
}

impl Behaviour {
    /// What was learned, for [`Behaviour::load`].
    pub fn save(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.0.extend_from_slice(&MARK);
        to.short(STATE_VERSION);
        write(&mut to, &self.principals, OfPrincipal::write);
        write(&mut to, &self.tools, OfTool::write);
        write(&mut to, &self.servers, OfServer::write);
        let digest = number(&to.0);
        to.long(digest);
        to.0
    }

    /// What was learned before. Linear.
    pub fn load(bytes: &[u8], settings: Settings) -> Result<Self, Damaged> {
        if bytes.len() > MOST_STATE {
            return Err(Damaged::TooLong);
        }
        let (body, digest) = bytes.split_last_chunk::<8>().ok_or(Damaged::NotOurs)?;
        let mut from = Reader(body.strip_prefix(&MARK).ok_or(Damaged::NotOurs)?);
        if from.short() != Some(STATE_VERSION) {
            return Err(Damaged::NotOurs);
        }
        if number(body) != u64::from_le_bytes(*digest) {
            return Err(Damaged::Changed);
        }
        let mut behaviour = Self::new(settings);
        behaviour.fill(&mut from).filter(|()| from.0.is_empty()).ok_or(Damaged::Changed)?;
        Ok(behaviour)
    }

    fn fill(&mut self, from: &mut Reader<'_>) -> Option<()> {
        read(from, &mut self.principals, MOST_PRINCIPALS, OfPrincipal::read, |one| {
            key(&[one.name.as_str()])
        })?;
        read(from, &mut self.tools, MOST_TOOLS, OfTool::read, |one| key(&[one.server.as_str(), &one.name]))?;
        read(from, &mut self.servers, MOST_SERVERS, OfServer::read, |one| key(&[one.name.as_str()]))
    }
}

fn write<V>(to: &mut Writer, table: &Table<V>, one: impl Fn(&V, &mut Writer)) {
    to.short(u16::try_from(table.len()).unwrap_or(u16::MAX));
    table.iter().for_each(|(_, value)| one(value, to));
}

fn read<V>(
    from: &mut Reader<'_>,
    table: &mut Table<V>,
    most: usize,
    one: impl Fn(&mut Reader<'_>) -> Option<V>,
    key: impl Fn(&V) -> u64,
) -> Option<()> {
    let count = usize::from(from.short()?);
    if count > most {
        return None;
    }
    for _ in 0..count {
        let value = one(from)?;
        table.at(key(&value), || value);
    }
    Some(())
}
