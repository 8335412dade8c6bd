//! Which events are told, to whom, how often, and what is stopped.
//!
//! Everything here has an end: 64 rules, 1,000 things that are counted apart for each, 256 times of each. What is beyond
//! is counted together, not forgotten. Nothing is dropped without being counted in the next alert.

mod rule;
mod shown;
#[cfg(test)]
mod tests;
mod window;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use lockgate_model::UnixMillis;

use crate::{Event, EventName, EventNames, Severity};

pub use rule::{LONGEST, MOST_COUNT, MOST_RULES, Per, Rule, default_rules, events};
use window::Window;

/// Most things that one rule counts apart. What comes when there are as many is counted together.
pub const MOST_KEYS: usize = 1_000;
/// What rates are over. Milliseconds.
const HOUR: u64 = 3_600_000;

/// What somebody is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its id, unique to this log.
    pub id: String,
    /// The rule that tells it.
    pub rule: String,
    /// When.
    pub at: UnixMillis,
    /// The event that brought it about; the newest of them where there are several.
    pub event: Event,
    /// How many events it is about.
    pub count: u32,
    /// How many of the same were counted and not told since the alert before.
    pub swallowed: u64,
    /// How many alerts were not told before this one, because there were too many in an hour.
    pub left_out: u64,
    /// What is stopped because of it.
    pub contain: Option<Containment>,
}

/// Something that is to be stopped because a rule says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Containment {
    /// What, and its name. Never [`Per::Rule`].
    pub target: (Per, String),
    /// When it is to be lifted; none for not before a person lifts it.
    pub until: Option<u64>,
    /// The alert that says why.
    pub alert: String,
    /// The rule.
    pub rule: String,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Stop something. It may be stopped already.
    Contain(Containment),
    /// Tell a channel, by its place in the list.
    Tell(usize, Box<Alert>),
}

/// The rules, and what was seen of late.
#[derive(Clone, Debug)]
pub struct Alerts {
    rules: Vec<Rule>,
    kept: Vec<Kept>,
    channels: Vec<Channel>,
    wanted: EventNames,
    /// What ids begin with.
    prefix: String,
    number: u64,
}

/// What one rule has seen.
#[derive(Clone, Debug, Default)]
struct Kept {
    buckets: BTreeMap<Key, Bucket>,
    told: Rates,
}

/// What is counted apart: the event where each is told, and whom it is about. None for all that is beyond the most.
type Key = Option<(Option<EventName>, String)>;

#[derive(Clone, Debug)]
struct Bucket {
    seen: Window,
    /// Not told again before.
    quiet: u64,
    swallowed: u64,
    /// The newest event that was swallowed.
    last: Option<Event>,
    /// The alert that told it last.
    alert: String,
}

/// How often something was told, by severity: noise that is not bad does not hide what is.
#[derive(Clone, Debug, Default)]
struct Rates(BTreeMap<Severity, (Window, Option<(Alert, u64)>)>);

#[derive(Clone, Debug)]
struct Channel {
    most: u32,
    told: Rates,
}

impl Alerts {
    /// Rules, and for each channel how many alerts of one severity it takes in an hour. Ids of alerts begin with `prefix`,
    /// which no other process has. Only the first 64 rules count.
    pub fn new(rules: Vec<Rule>, channels: &[u32], prefix: &str) -> Self {
        let rules: Vec<_> = rules.into_iter().take(MOST_RULES).collect();
        let wanted = rules.iter().fold(EventNames::NONE, |all, rule| all.or(rule.on));
        Self {
            kept: vec![Kept::default(); rules.len()],
            channels: channels.iter().map(|most| Channel { most: *most, told: Rates::default() }).collect(),
            rules,
            wanted,
            prefix: prefix.to_owned(),
            number: 0,
        }
    }

    /// The events that any rule is about: others need not be made.
    pub fn wanted(&self) -> EventNames {
        self.wanted
    }

    /// Something happened. What is to be done, in this order.
    pub fn see(&mut self, event: &Event, now: UnixMillis) -> Vec<Act> {
        let mut acts = Vec::new();
        for at in 0..self.rules.len() {
            self.hold(at, event, now, &mut acts);
        }
        acts
    }

    /// Time has passed: what was swallowed or left out is told, once it may be. To be called every some seconds.
    pub fn pass(&mut self, now: UnixMillis) -> Vec<Act> {
        let mut acts = Vec::new();
        for (rule, kept) in self.rules.iter().zip(&mut self.kept) {
            let mut again = Vec::new();
            kept.buckets.retain(|_, bucket| {
                if bucket.quiet > now.0 {
                    return true;
                }
                if let Some(event) = bucket.last.take() {
                    bucket.quiet = now.0.saturating_add(rule.quiet);
                    again.push((event, std::mem::take(&mut bucket.swallowed)));
                    return true;
                }
                !bucket.seen.is_empty(now.0, rule.within)
            });
            for (event, swallowed) in again {
                self.number += 1;
                let alert = Alert {
                    id: format!("{}-{}", self.prefix, self.number),
                    rule: rule.name.clone(),
                    at: now,
                    count: u32::try_from(swallowed).unwrap_or(u32::MAX),
                    event,
                    swallowed,
                    left_out: 0,
                    contain: None,
                };
                tell(rule, &mut kept.told, &mut self.channels, alert, &mut acts);
            }
            for alert in kept.told.due(now.0, rule.most) {
                tell(rule, &mut Rates::default(), &mut self.channels, alert, &mut acts);
            }
        }
        for (at, channel) in self.channels.iter_mut().enumerate() {
            acts.extend(
                channel.told.due(now.0, channel.most).into_iter().map(|alert| Act::Tell(at, Box::new(alert))),
            );
        }
        acts
    }

    /// How many things are counted now, over all rules. At most 64 times 1,001.
    pub fn kept(&self) -> usize {
        self.kept.iter().map(|kept| kept.buckets.len()).sum()
    }

    /// Holds one rule against an event.
    fn hold(&mut self, at: usize, event: &Event, now: UnixMillis, acts: &mut Vec<Act>) {
        let (Some(rule), Some(kept)) = (self.rules.get(at), self.kept.get_mut(at)) else { return };
        if !rule.is_about(event) {
            return;
        }
        let name = (rule.count == 1).then_some(event.name);
        let mut key = Some((name, rule.per.of(event).unwrap_or_default().to_owned()));
        if kept.buckets.len() >= MOST_KEYS && !kept.buckets.contains_key(&key) {
            key = None;
        }
        let crowded = key.is_none();
        let bucket = match kept.buckets.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Bucket {
                seen: Window::default(),
                quiet: 0,
                swallowed: 0,
                last: None,
                alert: String::new(),
            }),
        };
        let count = bucket.seen.add(now.0, rule.within, rule.count);
        let quiet = bucket.quiet > now.0;
        let tips = count >= rule.count;
        let tells = tips && !quiet;
        if tells {
            self.number += 1;
            bucket.alert = format!("{}-{}", self.prefix, self.number);
        }
        // Among those that are counted together nobody knows who did how much.
        let contain = rule.contain.as_ref().filter(|_| tips || crowded && quiet).and_then(|(what, lasts)| {
            let name = what.of(event)?.to_owned();
            let until = lasts.map(|lasts| now.0.saturating_add(lasts));
            let (alert, rule) = (bucket.alert.clone(), rule.name.clone());
            Some(Containment { target: (*what, name), until, alert, rule })
        });
        acts.extend(contain.clone().map(Act::Contain));
        if tips {
            bucket.seen.clear();
        }
        if quiet {
            bucket.swallowed += 1;
            bucket.last = Some(event.clone());
        }
        if !tells {
            return;
        }
        bucket.quiet = now.0.saturating_add(rule.quiet);
        bucket.last = None;
        let alert = Alert {
            id: bucket.alert.clone(),
            rule: rule.name.clone(),
            at: now,
            event: event.clone(),
            count,
            swallowed: std::mem::take(&mut bucket.swallowed),
            left_out: 0,
            contain,
        };
        tell(rule, &mut kept.told, &mut self.channels, alert, acts);
    }
}

/// Tells the channels of a rule, as far as it and they are not told too much already.
fn tell(rule: &Rule, told: &mut Rates, channels: &mut [Channel], alert: Alert, acts: &mut Vec<Act>) {
    let Some(alert) = told.pass(alert, rule.most) else { return };
    for at in &rule.then {
        if let Some(channel) = channels.get_mut(*at)
            && let Some(alert) = channel.told.pass(alert.clone(), channel.most)
        {
            acts.push(Act::Tell(*at, Box::new(alert)));
        }
    }
}

impl Rates {
    /// The alert, where there is room for it, with how many were left out before.
    fn pass(&mut self, alert: Alert, most: u32) -> Option<Alert> {
        let (told, left) = self.0.entry(alert.event.name.severity()).or_default();
        if told.takes(alert.at.0, HOUR, most) {
            let left_out = left.take().map_or(0, |(_, count)| count);
            return Some(Alert { left_out: alert.left_out + left_out, ..alert });
        }
        let before = left.take().map_or(0, |(_, count)| count);
        let count = before + 1 + alert.left_out;
        *left = Some((alert, count));
        None
    }

    /// The newest alert of those that were left out, where there is room now.
    fn due(&mut self, now: u64, most: u32) -> Vec<Alert> {
        let mut due = Vec::new();
        for (told, left) in self.0.values_mut() {
            if left.is_some() && told.takes(now, HOUR, most) {
                let newest = left.take().map(|(alert, count)| Alert { left_out: count - 1, ..alert });
                due.extend(newest);
            }
        }
        due
    }
}
