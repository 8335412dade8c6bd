//! Counts for limits: opened when the first rule needs them, asked beside the session's other work.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use lockgate_core::{Claim, Event, Intercepted, Matter, Room, Step};
use lockgate_model::{ExchangeId, Json, UnixMillis};
use lockgate_policy::budget::Charge;
use lockgate_policy::intercept;
use lockgate_store::{Counters, CountersError, Refused, Reservation, Reserved, Slot};

use super::session::{Session, lock, unix_millis};

/// Room that a call has taken.
pub(super) struct Taken {
    reserved: Reserved,
    /// Is it given back where the call fails?
    refunds: bool,
}

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
        room(&counters, unix_millis(), claims).unwrap_or_else(|error| {
            say(&format!("a call with limits is refused: {error}"));
            (Room::Unknown, None)
        })
    }
}

/// Takes room in all limits or in none, and says which.
pub(crate) fn room(
    counters: &Counters,
    at: UnixMillis,
    claims: &[Claim],
) -> Result<(Room, Option<Reserved>), CountersError> {
    let windows: Vec<_> = claims.iter().map(|claim| window(claim.charge)).collect();
    let wanted: Vec<_> = claims.iter().zip(&windows).map(|(claim, window)| wanted(claim, window)).collect();
    match counters.reserve(at.0, &wanted) {
        Ok(reserved) => Ok((Room::Taken, Some(reserved))),
        Err(Refused::AtLimit { which, free_at, .. }) => {
            Ok((Room::Full { which, free_at: free_at.map(UnixMillis) }, None))
        }
        Err(Refused::Failed(error)) => Err(error),
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
            self.keep_taken(exchange, vec![Taken { reserved, refunds: false }]);
        }
        self.event(Event::Reserved { exchange, room })
    }

    /// Keeps what was taken until the exchange is over; the agent may have taken the call back meanwhile.
    fn keep_taken(&self, exchange: ExchangeId, taken: Vec<Taken>) {
        lock(&self.reserved).entry(exchange).or_default().extend(taken);
        if !self.core().is_open(exchange) {
            self.settle(exchange);
        }
    }

    /// The exchange is over: its place among calls at once is free.
    pub(super) fn settle(&self, exchange: ExchangeId) {
        let reserved = lock(&self.reserved).remove(&exchange);
        if let Some(reserved) = reserved {
            let gateway = Arc::clone(&self.gateway);
            tokio::task::spawn_blocking(move || {
                for taken in reserved {
                    if let Err(error) = taken.reserved.settle() {
                        gateway.say(&format!("a place among calls at once could not be given back: {error}"));
                    }
                }
            });
        }
    }
}

/// The counts of an Intercept policy in the file of all counts. What a call takes is kept until it is over.
struct InterceptCounts<'c> {
    counters: &'c Counters,
    server: &'c str,
    now: u64,
    taken: Vec<(intercept::Key, Reserved)>,
}

impl InterceptCounts<'_> {
    fn key(&self, key: &intercept::Key) -> String {
        serde_json::json!(["intercept", self.server, key.scope, key.counter]).to_string()
    }
}

/// What the policy says; nothing where the arguments cannot be read.
fn decide(call: &Intercepted, now: u64, counts: &mut InterceptCounts<'_>) -> Option<intercept::Decision> {
    Some(match &call.matter {
        Matter::Call { arguments, approved } => {
            let arguments = arguments.as_ref().map(|bytes| Json::check(bytes, usize::MAX));
            let arguments = arguments.transpose().ok()?;
            if *approved {
                call.policy.decide_approved(&call.tool, arguments, now, counts)
            } else {
                call.policy.decide(&call.tool, arguments, now, counts)
            }
        }
        Matter::Price(price) => call.policy.decide_price(&call.tool, *price, now, counts),
    })
}

/// What is said where a policy could not be asked.
fn unknown() -> intercept::Decision {
    intercept::Decision::Deny {
        rule: "(internal error)".to_owned(),
        message: "Internal policy error".to_owned(),
    }
}

/// A window of the calendar is one piece of time; which one, the policy says. A day is the longest.
fn since(start: u64) -> impl Fn(u64) -> Slot {
    move |_| Slot { at: start, since: start, until: start + 86_400_000 }
}

impl intercept::Counters for InterceptCounts<'_> {
    fn value(&self, key: &intercept::Key, window_start: u64) -> Option<intercept::Amount> {
        let used = self.counters.used(self.now, &self.key(key), &since(window_start)).ok()?;
        intercept::Amount::from_units(i128::try_from(used).ok()?)
    }

    fn reserve(
        &mut self,
        key: &intercept::Key,
        amount: intercept::Amount,
        limit: intercept::Amount,
        window_start: u64,
    ) -> bool {
        let units = |amount: intercept::Amount| u128::try_from(amount.units()).ok();
        let (Some(amount), Some(at_most)) = (units(amount), units(limit)) else { return false };
        let name = self.key(key);
        let wanted = [Reservation::Count { key: &name, amount, at_most, window: &since(window_start) }];
        match self.counters.reserve(self.now, &wanted) {
            Ok(reserved) => {
                self.taken.push((key.clone(), reserved));
                true
            }
            Err(_) => false,
        }
    }

    fn release(&mut self, key: &intercept::Key, _: intercept::Amount, _: u64) {
        if let Some(place) = self.taken.iter().position(|(taken, _)| taken == key) {
            let (_, reserved) = self.taken.swap_remove(place);
            // What cannot be given back stays counted: that refuses too much, never too little.
            let _released = reserved.release();
        }
    }
}

impl Session {
    /// Asks an Intercept policy, and carries on. What it counts for a price stays counted: the agent may pay.
    pub(super) async fn intercept(self: &Arc<Self>, call: Box<Intercepted>) -> Vec<Step> {
        let (gateway, exchange) = (Arc::clone(&self.gateway), call.exchange);
        let refunds = matches!(call.matter, Matter::Call { .. });
        let asking = tokio::task::spawn_blocking(move || {
            let counters = gateway.budget.counters(|text| gateway.say(text))?;
            let now = unix_millis().0;
            let mut counts =
                InterceptCounts { counters: &counters, server: &call.server, now, taken: Vec::new() };
            let decision = decide(&call, now, &mut counts)?;
            Some((decision, counts.taken))
        });
        let (decision, taken) = asking.await.ok().flatten().unwrap_or_else(|| (unknown(), Vec::new()));
        if !taken.is_empty() {
            let taken = taken.into_iter().map(|(_, reserved)| Taken { reserved, refunds });
            self.keep_taken(exchange, taken.collect());
        }
        self.event(Event::Intercepted { exchange, decision })
    }

    /// The call failed: its counts are taken back.
    pub(super) async fn refund(self: &Arc<Self>, exchange: ExchangeId) {
        let all = lock(&self.reserved).remove(&exchange).unwrap_or_default();
        let (refunds, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(|taken| taken.refunds);
        lock(&self.reserved).insert(exchange, kept);
        let gateway = Arc::clone(&self.gateway);
        let giving = tokio::task::spawn_blocking(move || {
            for taken in refunds {
                if let Err(error) = taken.reserved.release() {
                    gateway.say(&format!("what a failed call had counted could not be taken back: {error}"));
                }
            }
        });
        // The next call may rely on it.
        let _given = giving.await;
    }
}
