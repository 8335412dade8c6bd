//! Counts for limits: opened when the first rule needs them, asked beside the session's other work.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use lockgate_core::{Claim, Event, Room, Step};
use lockgate_model::{ExchangeId, UnixMillis};
use lockgate_policy::budget::Charge;
use lockgate_store::{Counters, Refused, Reservation, Reserved, Slot};

use super::session::{Session, lock, unix_millis};

/// The counts of this process, in a file that others on this machine share.
pub(super) struct Budget {
    folder: PathBuf,
    counters: OnceLock<Option<Arc<Counters>>>,
}

impl Budget {
    /// Counts in a folder. Nothing is opened or made yet.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, counters: OnceLock::new() }
    }

    fn counters(&self, say: impl Fn(&str)) -> Option<Arc<Counters>> {
        let open = || {
            let made = crate::state::make(&self.folder).map_err(|error| error.to_string());
            let opened = made
                .and_then(|()| Counters::open(&self.folder.join("counters.db")).map_err(|e| e.to_string()));
            match opened {
                Ok(counters) => {
                    let behind = counters.behind(unix_millis().0).unwrap_or(0);
                    if behind > 60_000 {
                        say(&format!(
                            "the clock is {} s behind the latest time seen: limits refuse more than they should until it has caught up",
                            behind / 1_000
                        ));
                    }
                    Some(Arc::new(counters))
                }
                Err(error) => {
                    say(&format!("calls with limits are refused: {error} ({})", self.folder.display()));
                    None
                }
            }
        };
        self.counters.get_or_init(open).clone()
    }

    /// Asks for room. Waits for other threads and processes, at most two seconds.
    fn reserve(&self, claims: &[Claim], say: impl Fn(&str)) -> (Room, Option<Reserved>) {
        let Some(counters) = self.counters(&say) else { return (Room::Unknown, None) };
        let windows: Vec<_> = claims.iter().map(|claim| window(claim.charge)).collect();
        let wanted: Vec<_> =
            claims.iter().zip(&windows).map(|(claim, window)| wanted(claim, window)).collect();
        match counters.reserve(unix_millis().0, &wanted) {
            Ok(reserved) => (Room::Taken, Some(reserved)),
            Err(Refused::AtLimit { which, free_at, .. }) => {
                (Room::Full { which, free_at: free_at.map(UnixMillis) }, None)
            }
            Err(Refused::Failed(error)) => {
                say(&format!("a call with limits is refused: {error}"));
                (Room::Unknown, None)
            }
        }
    }
}

fn window(charge: Charge) -> impl Fn(u64) -> Slot {
    move |now| match charge {
        Charge::Count { window, .. } => {
            let slot = window.slot(UnixMillis(now));
            Slot { at: slot.at, since: slot.since, until: slot.until }
        }
        // Calls at once have no window; nobody asks.
        Charge::Concurrent { .. } => Slot { at: now, since: now, until: now },
    }
}

fn wanted<'c>(claim: &'c Claim, window: &'c dyn Fn(u64) -> Slot) -> Reservation<'c> {
    let key = claim.key.as_str();
    match claim.charge {
        Charge::Count { amount, at_most, .. } => {
            Reservation::Count { key, amount: amount.nanos(), at_most: at_most.nanos(), window }
        }
        Charge::Concurrent { at_most } => Reservation::Concurrent { key, at_most },
    }
}

impl Session {
    /// Asks the counts for room, keeps what was taken until the exchange is over, and carries on.
    pub(super) async fn reserve(self: &Arc<Self>, exchange: ExchangeId, claims: Vec<Claim>) -> Vec<Step> {
        let gateway = Arc::clone(&self.gateway);
        let asking =
            tokio::task::spawn_blocking(move || gateway.budget.reserve(&claims, |text| gateway.say(text)));
        let (room, reserved) = asking.await.unwrap_or((Room::Unknown, None));
        if let Some(reserved) = reserved {
            lock(&self.reserved).insert(exchange, reserved);
        }
        self.event(Event::Reserved { exchange, room })
    }

    /// The exchange is over: its place among calls at once is free.
    pub(super) fn settle(&self, exchange: ExchangeId) {
        let reserved = lock(&self.reserved).remove(&exchange);
        if let Some(reserved) = reserved {
            let gateway = Arc::clone(&self.gateway);
            tokio::task::spawn_blocking(move || {
                if let Err(error) = reserved.settle() {
                    gateway.say(&format!("a place among calls at once could not be given back: {error}"));
                }
            });
        }
    }
}
