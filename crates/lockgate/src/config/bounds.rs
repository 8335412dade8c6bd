//! Every number, size and time that can be set: default, least, most. The one place these are written.

use super::error::quoted;

/// What sort of number it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// A whole number.
    Count,
    /// Bytes: a whole number alone or with `B`, `KiB`, `MiB` or `GiB`.
    Size,
    /// Milliseconds: a whole number with `ms`, `s`, `m` or `h`.
    Time,
    /// Days: a whole number with `d`.
    Days,
}

/// One setting and what it may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// The type in the schema that has the key.
    pub(super) section: &'static str,
    /// The key.
    pub(super) key: &'static str,
    /// What sort of number.
    pub(super) measure: Measure,
    /// What holds where nothing is written.
    pub(super) default: u64,
    /// The least that can be written.
    pub(super) least: u64,
    /// The most that can be written.
    pub(super) most: u64,
}

const fn bounds(
    section: &'static str,
    key: &'static str,
    measure: Measure,
    default: u64,
    (least, most): (u64, u64),
) -> Bounds {
    Bounds { section, key, measure, default, least, most }
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

use Measure::{Count, Days, Size, Time};

pub(super) const TIMEOUT: Bounds = bounds("Server", "timeout", Time, MINUTE, (10, HOUR));
pub(super) const DEADLINE: Bounds = bounds("Server", "deadline", Time, 10 * MINUTE, (10, 24 * HOUR));
pub(super) const THREADS: Bounds = bounds("Http", "threads", Count, 1, (1, 64));
pub(super) const BODY_TIMEOUT: Bounds = bounds("Http", "body_timeout", Time, 10 * SECOND, (100, 10 * MINUTE));
pub(super) const CONNECTIONS: Bounds = bounds("Http", "connections", Count, 1_024, (1, 65_536));
pub(super) const POLL_AFTER: Bounds = bounds("Http", "poll_after", Time, 25 * SECOND, (10, 10 * MINUTE));
pub(super) const REQUEST_BYTES: Bounds = bounds("Limits", "request_bytes", Size, MIB, (KIB, 64 * MIB));
pub(super) const RESULT_BYTES: Bounds = bounds("Limits", "result_bytes", Size, 16 * MIB, (KIB, 256 * MIB));
pub(super) const ARGUMENT_DEPTH: Bounds = bounds("Limits", "argument_depth", Count, 10, (1, 126));
pub(super) const MESSAGE_DEPTH: Bounds = bounds("Limits", "message_depth", Count, 64, (8, 128));
pub(super) const PARAMETERS: Bounds = bounds("Limits", "parameters", Count, 100, (1, 10_000));
pub(super) const OPEN_REQUESTS: Bounds = bounds("Limits", "open_requests", Count, 256, (1, 65_536));
pub(super) const LIST_ENTRIES: Bounds = bounds("Limits", "list_entries", Count, 10_000, (1, 1_000_000));
pub(super) const SESSIONS: Bounds = bounds("Limits", "sessions", Count, 1_000, (1, 100_000));
pub(super) const SESSION_IDLE: Bounds =
    bounds("Limits", "session_idle", Time, 30 * MINUTE, (SECOND, 24 * HOUR));
pub(super) const CHILDREN: Bounds = bounds("Limits", "children", Count, 256, (1, 10_000));
pub(super) const HOLD_TIMEOUT: Bounds =
    bounds("Configuration", "hold_timeout", Time, 2 * MINUTE, (SECOND, HOUR));
pub(super) const AT_MOST: Bounds = bounds("Loops", "at_most", Count, 10, (2, 1_000));
pub(super) const LONGEST: Bounds = bounds("Loops", "longest", Count, 4, (1, 16));
pub(super) const PAUSE: Bounds = bounds("Loops", "pause", Time, MINUTE, (SECOND, HOUR));
pub(super) const APPROVED_FOR: Bounds =
    bounds("Flow", "approved_for", Time, 30 * MINUTE, (SECOND, 24 * HOUR));
pub(super) const FREEZE_AFTER: Bounds = bounds("Freeze", "after", Count, 3, (1, 1_000));
pub(super) const FROZEN_FOR: Bounds = bounds("Freeze", "for", Time, 15 * MINUTE, (SECOND, 24 * HOUR));
pub(super) const LEARNED_FOR: Bounds =
    bounds("Learn", "for", Time, 90 * 24 * HOUR, (MINUTE, 366 * 24 * HOUR));
pub(super) const PERSONAL_KEPT_FOR: Bounds =
    bounds("PersonalData", "keep_for", Time, 30 * 24 * HOUR, (0, 366 * 24 * HOUR));
pub(super) const VALID: Bounds = bounds("Approvals", "valid", Time, 15 * MINUTE, (MINUTE, 7 * 24 * HOUR));
pub(super) const MAX_BYTES: Bounds = bounds("Records", "max_bytes", Size, 64 * MIB, (64 * KIB, 16 * GIB));
pub(super) const MOST_ADDED: Bounds = bounds("Pinning", "most_added", Count, 20, (0, 10_000));
pub(super) const PIN_APPROVERS: Bounds = bounds("Pinning", "approvers", Count, 1, (1, 5));
pub(super) const OUTPUT_PARTS: Bounds = bounds("Output", "parts", Count, 10_000, (1, 1_000_000));
pub(super) const MEDIA_BYTES: Bounds = bounds("Output", "media_bytes", Size, 16 * MIB, (KIB, 256 * MIB));
pub(super) const QUORUM: Bounds = bounds("Records", "quorum", Count, 1, (1, 16));
/// A hundred years.
const FOR_GOOD: u64 = 36_500;
pub(super) const KEEP_CONTENTS: Bounds = bounds("Records", "keep_contents", Days, FOR_GOOD, (1, FOR_GOOD));
pub(super) const KEEP_RECORDS: Bounds = bounds("Records", "keep_records", Days, FOR_GOOD, (1, FOR_GOOD));
pub(super) const KEEP: Bounds = bounds("Records", "keep", Count, 5, (1, 1_000));
pub(super) const WARM_UP: Bounds = bounds("Behaviour", "warm_up", Count, 50, (10, 10_000));
pub(super) const RISK_HALF_LIFE: Bounds =
    bounds("Behaviour", "half_life", Time, 30 * MINUTE, (MINUTE, 24 * HOUR));
pub(super) const MOST_CALLS: Bounds = bounds("Behaviour", "calls", Count, 240, (30, 1_000_000));
pub(super) const MOST_REFUSALS: Bounds = bounds("Behaviour", "refusals", Count, 20, (7, 256));
pub(super) const MOST_TARGETS: Bounds = bounds("Behaviour", "targets", Count, 50, (15, 256));
pub(super) const MOST_REPEATS: Bounds = bounds("Behaviour", "repeats", Count, 20, (7, 256));
pub(super) const MOST_SENT: Bounds = bounds("Behaviour", "sent", Size, 8 * MIB, (32 * KIB, 16 * GIB));
pub(super) const MOST_READ: Bounds = bounds("Behaviour", "read", Size, 32 * MIB, (64 * KIB, 16 * GIB));

pub(super) const OTLP_INTERVAL: Bounds = bounds("Otlp", "interval", Time, MINUTE, (SECOND, HOUR));
pub(super) const SAMPLE_ONE_IN: Bounds = bounds("Otlp", "sample_one_in", Count, 1, (1, 1_000_000));

pub(super) const LABEL_TTL: Bounds = bounds("FlowSession", "ttl", Time, 24 * HOUR, (MINUTE, 30 * 24 * HOUR));

pub(super) const CHANNEL_AT_MOST: Bounds = bounds("AlertChannel", "at_most", Count, 60, (1, 1_000));
pub(super) const ALERT_AT_MOST: Bounds = bounds("AlertRule", "at_most", Count, 30, (1, 1_000));
pub(super) const ALERT_COUNT: Bounds =
    bounds("AlertRule", "count", Count, 1, (1, lockgate_watch::alert::MOST_COUNT as u64));
pub(super) const ALERT_WITHIN: Bounds =
    bounds("AlertRule", "within", Time, 10 * MINUTE, (SECOND, lockgate_watch::alert::LONGEST));
pub(super) const ALERT_QUIET: Bounds =
    bounds("AlertRule", "quiet", Time, 10 * MINUTE, (SECOND, lockgate_watch::alert::LONGEST));
/// Has no default: without it nothing but a person lifts a stop. So it is not among those of the schema.
pub(super) const CONTAINED_FOR: Bounds =
    bounds("AlertRule", "for", Time, 30 * MINUTE, (MINUTE, 7 * 24 * HOUR));

/// All of them.
pub(super) const ALL: &[Bounds] = &[
    WARM_UP,
    RISK_HALF_LIFE,
    MOST_CALLS,
    MOST_REFUSALS,
    MOST_TARGETS,
    MOST_REPEATS,
    MOST_SENT,
    MOST_READ,
    OTLP_INTERVAL,
    SAMPLE_ONE_IN,
    CHANNEL_AT_MOST,
    ALERT_AT_MOST,
    ALERT_COUNT,
    ALERT_WITHIN,
    ALERT_QUIET,
    LABEL_TTL,
    OUTPUT_PARTS,
    MEDIA_BYTES,
    TIMEOUT,
    DEADLINE,
    THREADS,
    BODY_TIMEOUT,
    CONNECTIONS,
    POLL_AFTER,
    REQUEST_BYTES,
    RESULT_BYTES,
    ARGUMENT_DEPTH,
    MESSAGE_DEPTH,
    PARAMETERS,
    OPEN_REQUESTS,
    LIST_ENTRIES,
    SESSIONS,
    SESSION_IDLE,
    CHILDREN,
    HOLD_TIMEOUT,
    AT_MOST,
    LONGEST,
    PAUSE,
    APPROVED_FOR,
    FREEZE_AFTER,
    FROZEN_FOR,
    LEARNED_FOR,
    PERSONAL_KEPT_FOR,
    VALID,
    MAX_BYTES,
    MOST_ADDED,
    PIN_APPROVERS,
    KEEP,
    QUORUM,
    KEEP_CONTENTS,
    KEEP_RECORDS,
];

impl Bounds {
    /// Reads what the operator wrote; else what is wrong with it, and a hint.
    pub(super) fn read(&self, text: &str) -> Result<u64, (String, String)> {
        let range = format!(
            "from {} to {}; the default is {}",
            self.measure.show(self.least),
            self.measure.show(self.most),
            self.measure.show(self.default)
        );
        let value = self
            .measure
            .read(text)
            .map_err(|(what, hint)| (format!("{} is not {what}", quoted(text)), hint))?;
        if value < self.least {
            return Err((format!("{} is too little for `{}`", quoted(text), self.key), range));
        }
        if value > self.most {
            return Err((format!("{} is too much for `{}`", quoted(text), self.key), range));
        }
        Ok(value)
    }
}

impl Measure {
    /// Units, largest first.
    fn units(self) -> &'static [(&'static str, u64)] {
        match self {
            Self::Count => &[("", 1)],
            Self::Size => &[("GiB", GIB), ("MiB", MIB), ("KiB", KIB), ("B", 1)],
            Self::Time => &[("h", HOUR), ("m", MINUTE), ("s", SECOND), ("ms", 1)],
            Self::Days => &[("d", 1)],
        }
    }

    /// A value in the largest unit that leaves nothing over.
    pub(super) fn show(self, value: u64) -> String {
        let unit = self.units().iter().find(|(_, size)| value >= *size && value.is_multiple_of(*size));
        // Nothing at all is nothing of the smallest.
        let (word, size) = unit.or(self.units().last()).copied().unwrap_or(("", 1));
        format!("{}{word}", value / size)
    }

    fn read(self, text: &str) -> Result<u64, (&'static str, String)> {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(end);
        let known = self.units().iter().find(|(word, _)| *word == unit);
        // A size is in bytes where nothing else is said, and every key for a size says so; a time has no such unit.
        let size = known.map(|(_, size)| *size).or((self == Self::Size && unit.is_empty()).then_some(1));
        let value = if digits.is_empty() { None } else { digits.parse::<u64>().ok() };
        match (value, size) {
            (Some(value), Some(size)) => Ok(value.saturating_mul(size)),
            // Digits alone that do not fit are too much for anything.
            (None, Some(_)) if !digits.is_empty() => Ok(u64::MAX),
            _ => Err(self.complaint(digits, unit)),
        }
    }

    fn complaint(self, digits: &str, unit: &str) -> (&'static str, String) {
        let unit = unit.trim().to_lowercase();
        let meant = match (self, unit.as_str()) {
            (Self::Time, "") => Some("s"),
            (Self::Time, unit) if unit == "ms" || unit.starts_with("mil") => Some("ms"),
            (Self::Time, unit) if unit.starts_with('s') => Some("s"),
            (Self::Time, unit) if unit.starts_with('m') => Some("m"),
            (Self::Time, unit) if unit.starts_with('h') => Some("h"),
            (Self::Days, "" | "days" | "day") => Some("d"),
            (Self::Size, unit) if unit.starts_with('k') => Some("KiB"),
            (Self::Size, unit) if unit.starts_with('m') => Some("MiB"),
            (Self::Size, unit) if unit.starts_with('g') => Some("GiB"),
            _ => None,
        };
        let guess = match meant {
            Some(unit) if !digits.is_empty() => format!("did you mean `{digits}{unit}`? "),
            _ => String::new(),
        };
        match self {
            Self::Count => ("a whole number", "write digits only".to_owned()),
            Self::Size => ("a size", format!("{guess}write a whole number with `B`, `KiB`, `MiB` or `GiB`")),
            Self::Days => ("a number of days", format!("{guess}write a whole number with `d`")),
            Self::Time => ("a time", format!("{guess}write a whole number with `ms`, `s`, `m` or `h`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_reads_back() {
        for bounds in ALL {
            for value in [bounds.default, bounds.least, bounds.most, bounds.least + 1] {
                assert_eq!(bounds.read(&bounds.measure.show(value)), Ok(value), "{}", bounds.key);
            }
            assert!(bounds.least <= bounds.default && bounds.default <= bounds.most, "{}", bounds.key);
        }
    }

    #[test]
    fn numbers_past_all_bounds_are_too_much() {
        for text in ["99999999999999999999999", "99999999999999999999h", "18446744073709551615h"] {
            assert!(TIMEOUT.read(&format!("{}h", text.trim_end_matches('h'))).is_err(), "{text}");
        }
    }
}
