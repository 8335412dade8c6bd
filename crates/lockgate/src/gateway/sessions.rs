//! All sessions, by what finds them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use lockgate_model::{Principal, Reason, Tick};

use super::session::{Session, lock};

/// What finds a session. See `ARCHITECTURE.md`, "Sessions".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// The id of a handshake.
    Legacy(String),
    /// The principal, the route, and the context or the client's name.
    Modern {
        /// Who the agent acts for.
        principal: Principal,
        /// The server, or nothing for all of them.
        route: String,
        /// The context or the client's name.
        who: String,
    },
}

/// The sessions of the process; bounded.
#[derive(Default)]
pub(super) struct Sessions(Mutex<BTreeMap<Key, Arc<Session>>>);

impl Sessions {
    pub(super) fn find(&self, key: &Key) -> Option<Arc<Session>> {
        lock(&self.0).get(key).cloned()
    }

    /// Finds the session, or makes and places it where there is room for one more.
    pub(super) fn find_or_place(
        &self,
        key: Key,
        most: usize,
        make: impl FnOnce() -> Result<Arc<Session>, Reason>,
    ) -> Result<Arc<Session>, Reason> {
        let mut sessions = lock(&self.0);
        if let Some(session) = sessions.get(&key) {
            return Ok(Arc::clone(session));
        }
        if sessions.len() >= most {
            let evicted = most_idle(&sessions).and_then(|key| sessions.remove(&key));
            let evicted = evicted.ok_or(Reason::TooManySessions)?;
            tokio::spawn(async move { evicted.end().await });
        }
        let session = make()?;
        sessions.insert(key, Arc::clone(&session));
        Ok(session)
    }

    /// Places the one session of a pipe.
    pub(super) fn place_only(&self, session: &Arc<Session>) {
        lock(&self.0).insert(Key::Legacy(String::new()), Arc::clone(session));
    }

    pub(super) fn remove(&self, key: &Key) -> Option<Arc<Session>> {
        lock(&self.0).remove(key)
    }

    /// Takes a session out, whatever finds it.
    pub(super) fn forget(&self, session: &Arc<Session>) {
        lock(&self.0).retain(|_, other| !Arc::ptr_eq(other, session));
    }

    pub(super) fn all(&self) -> Vec<Arc<Session>> {
        lock(&self.0).values().cloned().collect()
    }

    /// Takes out those that are at rest and were last used before `then`.
    pub(super) fn take_idle(&self, then: Tick) -> Vec<Arc<Session>> {
        let mut sessions = lock(&self.0);
        let idle = |session: &Session| session.last_used() < then && session.at_rest();
        let keys: Vec<_> =
            sessions.iter().filter(|(_, session)| idle(session)).map(|(key, _)| key.clone()).collect();
        keys.iter().filter_map(|key| sessions.remove(key)).collect()
    }
}

/// What makes room when there are too many: of the principal with the most sessions, the handshake longest at rest.
/// Stateless sessions stay: who could push one out would wash off what it has read.
fn most_idle(sessions: &BTreeMap<Key, Arc<Session>>) -> Option<Key> {
    let mut owned: BTreeMap<&Principal, usize> = BTreeMap::new();
    for session in sessions.values() {
        *owned.entry(&session.principal).or_default() += 1;
    }
    let candidates =
        sessions.iter().filter(|(key, session)| matches!(key, Key::Legacy(_)) && session.at_rest());
    let rank = |session: &Session| {
        let owned = owned.get(&session.principal).copied().unwrap_or_default();
        (std::cmp::Reverse(owned), session.last_used())
    };
    candidates.min_by_key(|(_, session)| rank(session)).map(|(key, _)| key.clone())
}
