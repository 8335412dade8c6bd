use std::fmt;
use std::num::NonZeroU32;

use lockgate_model::{Json, Principal, ServerName, SessionId, ToolName, quote};

use super::{Amount, BadAmount, BadWindow, Window};
use crate::test::Selector;

/// One limit of a rule: what it counts, how much of it may be, and whose calls are counted together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What is counted, and how much may be.
    pub measure: Measure,
    /// Whose calls are counted together.
    pub by: By,
}

/// What a limit counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Calls, whatever their answer.
    Calls {
        /// Most calls in the window.
        at_most: NonZeroU32,
        /// The time they are added up over.
        window: Window,
    },
    /// The values of an argument. A call without the argument, or with one that is no [`Amount`], is refused.
    Sum {
        /// Which argument, as in a condition.
        argument: Selector,
        /// Largest sum in the window. Zero is possible: then only calls with the amount 0 pass.
        at_most: Amount,
        /// The time they are added up over.
        window: Window,
    },
    /// Calls that have been sent and not been answered.
    Concurrent {
        /// Most calls at once.
        at_most: NonZeroU32,
    },
}

/// What one call needs of one limit. In windows, calls and sums are counted alike: a call is the amount 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charge {
    /// An amount within a window.
    Count {
        /// How much the call adds.
        amount: Amount,
        /// How much there may be with it.
        at_most: Amount,
        /// The time that is added up over.
        window: Window,
    },
    /// One place among the calls that are under way.
    Concurrent {
        /// How many there may be with it.
        at_most: u32,
    },
}

/// Whose calls are counted together. Always only calls that the limit's rule matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// One count for each principal.
    Principal,
    /// One count for each session. A new session starts from zero.
    Session,
    /// One count for each server.
    Server,
    /// One count for each tool of each server.
    Tool,
    /// One count for all. The default: no other choice allows less.
    #[default]
    Everyone,
}

/// Who makes a call, and which.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// Who the agent acts for.
    pub principal: &'a Principal,
    /// The agent's run.
    pub session: &'a SessionId,
    /// The server called.
    pub server: &'a ServerName,
    /// The tool called.
    pub tool: &'a ToolName,
}

/// Why a text is no limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLimit {
    /// Not two parts with a slash between them.
    #[error("`{0}` is not of the form `5/hour`")]
    Form(String),
    /// The part before the slash is not a whole number in plain digits.
    #[error("`{0}` is not a whole number of calls from 1 to 4294967295")]
    Count(String),
    /// The part before the slash is zero.
    #[error("a limit of 0 calls allows nothing")]
    Zero,
    /// The part after the slash.
    #[error(transparent)]
    Window(#[from] BadWindow),
    /// The largest sum.
    #[error("the largest sum is {0}")]
    Amount(#[from] BadAmount),
    /// None of the words for [`By`].
    #[error("a limit cannot be counted by `{0}`")]
    By(String),
}

impl BadLimit {
    /// What the operator can write instead.
    pub fn hint(&self) -> String {
        match self {
            Self::Form(_) => {
                "write a number, a slash and a window: 5/hour, 100/calendar_day, 10/15m".to_owned()
            }
            Self::Count(_) => {
                "write a positive whole number in digits, without sign, point or separators".to_owned()
            }
            Self::Zero => "write `action: deny` to allow no call".to_owned(),
            Self::Window(bad) => bad.hint(),
            Self::Amount(_) => "write a plain decimal number like \"500.00\"".to_owned(),
            Self::By(_) => "use principal, session, server, tool or everyone".to_owned(),
        }
    }
}

impl Limit {
    /// Reads the short form: calls in a window, counted for everyone together. `5/hour`, `100/calendar_day`,
    /// `10/15m`.
    pub fn parse(text: &str) -> Result<Self, BadLimit> {
        let (count, window) = text.split_once('/').ok_or_else(|| BadLimit::Form(text.to_owned()))?;
        if count.is_empty() || window.is_empty() {
            return Err(BadLimit::Form(text.to_owned()));
        }
        // `parse` alone would take a plus sign.
        let plain = count.bytes().all(|b| b.is_ascii_digit());
        let number: Option<u32> = count.parse().ok().filter(|_| plain);
        let number = number.ok_or_else(|| BadLimit::Count(count.to_owned()))?;
        Self::calls(number, Window::parse(window)?, By::default())
    }

    /// So many calls in a window; zero is refused.
    pub fn calls(at_most: u32, window: Window, by: By) -> Result<Self, BadLimit> {
        let at_most = NonZeroU32::new(at_most).ok_or(BadLimit::Zero)?;
        Ok(Self { measure: Measure::Calls { at_most, window }, by })
    }

    /// So many calls at once; zero is refused.
    pub fn concurrent(at_most: u32, by: By) -> Result<Self, BadLimit> {
        let at_most = NonZeroU32::new(at_most).ok_or(BadLimit::Zero)?;
        Ok(Self { measure: Measure::Concurrent { at_most }, by })
    }

    /// So large a sum of an argument in a window. `at_most` as [`Amount::from_decimal`] reads it.
    pub fn sum(argument: Selector, at_most: &str, window: Window, by: By) -> Result<Self, BadLimit> {
        let at_most = Amount::from_decimal(at_most)?;
        Ok(Self { measure: Measure::Sum { argument, at_most, window }, by })
    }

    /// What a call needs. `values` are those that [`Limit::argument`] selects; other measures look at none.
    /// An error where they cannot be added up: such a call is refused.
    pub fn charge<'a>(&self, values: impl IntoIterator<Item = Json<'a>>) -> Result<Charge, BadAmount> {
        Ok(match self.measure {
            Measure::Calls { at_most, window } => {
                Charge::Count { amount: Amount::whole(1), at_most: Amount::whole(at_most.get()), window }
            }
            Measure::Sum { at_most, window, .. } => {
                Charge::Count { amount: Amount::sum(values)?, at_most, window }
            }
            Measure::Concurrent { at_most } => Charge::Concurrent { at_most: at_most.get() },
        })
    }

    /// The argument that is added up, where one is.
    pub fn argument(&self) -> Option<&Selector> {
        match &self.measure {
            Measure::Sum { argument, .. } => Some(argument),
            Measure::Calls { .. } | Measure::Concurrent { .. } => None,
        }
    }

    /// The name of the count that a call goes into. `rule` is the place of the limit's rule in the
    /// configuration.
    ///
    /// The most that is allowed is not part of it, so that an operator may change it and keep the count;
    /// another window, argument or subject begins a count of its own. A JSON array of strings: no two
    /// subjects share a name, whatever characters are in theirs.
    pub fn key(&self, rule: &str, caller: Caller<'_>) -> String {
        let (what, argument) = match &self.measure {
            Measure::Calls { window, .. } => (format!("calls/{window}"), None),
            Measure::Sum { argument, window, .. } => (format!("sum/{window}"), Some(argument.as_str())),
            Measure::Concurrent { .. } => ("concurrent".to_owned(), None),
        };
        let subject = match self.by {
            By::Principal => vec![caller.principal.as_str()],
            By::Session => vec![caller.session.as_str()],
            By::Server => vec![caller.server.as_str()],
            By::Tool => vec![caller.server.as_str(), caller.tool.as_str()],
            By::Everyone => vec![],
        };
        let by = self.by.to_string();
        let parts = [rule, &what].into_iter().chain(argument).chain([by.as_str()]).chain(subject);
        format!("[{}]", parts.map(quote).collect::<Vec<_>>().join(","))
    }

    /// The window; none where calls at once are counted.
    pub fn window(&self) -> Option<Window> {
        match self.measure {
            Measure::Calls { window, .. } | Measure::Sum { window, .. } => Some(window),
            Measure::Concurrent { .. } => None,
        }
    }
}

/// For people: `at most 5 calls per hour, by principal`.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.measure {
            Measure::Calls { at_most, window } => write!(f, "at most {at_most} calls per {window}")?,
            Measure::Sum { argument, at_most, window } => {
                write!(f, "sum of `{argument}` at most {at_most} per {window}")?;
            }
            Measure::Concurrent { at_most } => write!(f, "at most {at_most} calls at once")?,
        }
        write!(f, ", by {}", self.by)
    }
}

impl By {
    /// Reads `principal`, `session`, `server`, `tool` or `everyone`.
    pub fn parse(text: &str) -> Result<Self, BadLimit> {
        Ok(match text {
            "principal" => Self::Principal,
            "session" => Self::Session,
            "server" => Self::Server,
            "tool" => Self::Tool,
            "everyone" => Self::Everyone,
            _ => return Err(BadLimit::By(text.to_owned())),
        })
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Principal => "principal",
            Self::Session => "session",
            Self::Server => "server",
            Self::Tool => "tool",
            Self::Everyone => "everyone",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_the_short_form() {
        for (text, shown) in [
            ("5/hour", "at most 5 calls per hour, by everyone"),
            ("10/day", "at most 10 calls per day, by everyone"),
            ("100/minute", "at most 100 calls per minute, by everyone"),
            ("1/calendar_month", "at most 1 calls per calendar_month, by everyone"),
            ("7/15m", "at most 7 calls per 15m, by everyone"),
        ] {
            assert_eq!(Limit::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn says_what_to_write_instead() {
        for (text, error, hint) in [
            ("five/hour", "`five` is not a whole number of calls from 1 to 4294967295", "write a positive"),
            ("-1/hour", "`-1` is not a whole number of calls from 1 to 4294967295", "write a positive"),
            ("+1/hour", "`+1` is not a whole number of calls from 1 to 4294967295", "write a positive"),
            ("1.5/hour", "`1.5` is not a whole number of calls from 1 to 4294967295", "write a positive"),
            (
                "4294967296/hour",
                "`4294967296` is not a whole number of calls from 1 to 4294967295",
                "write a pos",
            ),
            ("5 /hour", "`5 ` is not a whole number of calls from 1 to 4294967295", "write a positive"),
            ("0/hours", "unknown window `hours`", "write `hour`"),
            ("0/hour", "a limit of 0 calls allows nothing", "write `action: deny`"),
            ("5", "`5` is not of the form `5/hour`", "write a number, a slash"),
            ("5/", "`5/` is not of the form `5/hour`", "write a number, a slash"),
            ("", "`` is not of the form `5/hour`", "write a number, a slash"),
            ("5/hours", "unknown window `hours`", "write `hour`"),
            ("5/month", "unknown window `month`", "write `calendar_month`"),
            ("5/ hour", "unknown window ` hour`", "use second, minute"),
            ("5/hour/day", "unknown window `hour/day`", "use second, minute"),
            ("5/400d", "a sliding window lasts from 1 second to 366 days", "use second, minute"),
        ] {
            let bad = Limit::parse(text).unwrap_err();
            assert_eq!(bad.to_string(), error);
            assert!(bad.hint().starts_with(hint), "{text}: {}", bad.hint());
        }
        assert!(By::parse("user").unwrap_err().hint().contains("principal"));
    }

    #[test]
    fn charges_what_a_call_needs() {
        let day = Window::parse("day").unwrap();
        let values = |text: &'static str| Json::check(text.as_bytes(), 4).unwrap().elements();
        let amount = Selector::parse("amount").unwrap();
        let sum = Limit::sum(amount.clone(), "500.00", day, By::Session).unwrap();
        let charge = Charge::Count { amount: Amount::whole(7), at_most: Amount::whole(500), window: day };
        assert_eq!(sum.charge(values("[7.0]")), Ok(charge));
        assert_eq!(sum.charge(values("[]")), Err(BadAmount::Absent));
        assert_eq!(sum.charge(values("[-7]")), Err(BadAmount::Negative));
        assert_eq!(sum.argument(), Some(&amount));
        let calls = Limit::calls(5, day, By::Tool).unwrap();
        let charge = Charge::Count { amount: Amount::whole(1), at_most: Amount::whole(5), window: day };
        assert_eq!(calls.charge([]), Ok(charge));
        let places = Limit::concurrent(2, By::Server).unwrap();
        assert_eq!(places.charge([]), Ok(Charge::Concurrent { at_most: 2 }));
        assert_eq!(places.to_string(), "at most 2 calls at once, by server");
        assert_eq!(Limit::concurrent(0, By::Server), Err(BadLimit::Zero));
        let bad = Limit::sum(amount, "-5", day, By::Session).unwrap_err();
        assert_eq!(bad.to_string(), "the largest sum is a negative number");
    }

    #[test]
    fn no_two_subjects_share_a_count() {
        let key = |by, principal, tool| {
            let limit = Limit { by, ..Limit::parse("5/hour").unwrap() };
            let caller = Caller {
                principal: &Principal::new(principal),
                session: &SessionId::new("s"),
                server: &ServerName::parse("files").unwrap(),
                tool: &ToolName::new(tool),
            };
            limit.key("files/read_*#0", caller)
        };
        assert_eq!(key(By::Tool, "a", "t"), r#"["files/read_*#0","calls/hour","tool","files","t"]"#);
        assert_eq!(key(By::Everyone, "a", "t"), r#"["files/read_*#0","calls/hour","everyone"]"#);
        assert_ne!(key(By::Principal, r#"a","b"#, "t"), key(By::Principal, "a", "t"));
        assert_eq!(key(By::Principal, "a", "t"), key(By::Principal, "a", "u"));
        let at_most = |text| Limit::parse(text).unwrap();
        assert_eq!(at_most("5/hour").window(), at_most("6/hour").window());
    }

    proptest! {
        #[test]
        fn reads_what_it_printed(count in 1..u32::MAX, length in 1_000..31_622_400_000_u64) {
            let window = Window::sliding(length).unwrap();
            let limit = Limit::parse(&format!("{count}/{window}")).unwrap();
            prop_assert_eq!(limit.window(), Some(window));
        }

        #[test]
        fn never_panics(text in "[0-9]{0,25}/?(.{0,12}|[0-9]{0,25}[smhdw]{0,2})") {
            if let Err(bad) = Limit::parse(&text) {
                prop_assert!(!bad.hint().is_empty());
            }
        }
    }
}
