use lockgate_model::{Principal, ServerName, SessionId, quote};

/// What is unusual about a call, an answer or a run of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// More calls in a minute than this principal makes. Calls a minute. SAFE-T1106, LLM10.
    Burst,
    /// A tool that this principal has not called before. Occasions.
    NewTool,
    /// A host that neither the tool nor the principal has named before. Occasions.
    NewDestination,
    /// Refusals and failures, one after the other. Within five minutes of a session.
    Probing,
    /// Many different tools, prompts and resources. Within two minutes of a session.
    Scan,
    /// The same call with the same arguments, again and again. Within ten minutes of a session.
    Loop,
    /// Arguments far longer than those of other calls of the tool. Bytes.
    LargeArguments,
    /// An answer far longer than other answers of the tool. Bytes.
    LargeResult,
    /// Far more sent out than this principal sends. Bytes of arguments of tools that reach outside, within ten minutes of a
    /// session.
    LargeExport,
    /// An hour of the day in which this principal does not work. Days.
    UnusualHour,
    /// A tool that has not been called after the one before it. Occasions.
    UnusualSequence,
    /// Arguments whose names and types the tool has not been called with. Occasions.
    UnknownShape,
}

impl Sign {
    /// Every sign.
    pub const ALL: [Self; 12] = [
        Self::Burst,
        Self::NewTool,
        Self::NewDestination,
        Self::Probing,
        Self::Scan,
        Self::Loop,
        Self::LargeArguments,
        Self::LargeResult,
        Self::LargeExport,
        Self::UnusualHour,
        Self::UnusualSequence,
        Self::UnknownShape,
    ];

    /// The word in the configuration, in events and in what is shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Burst => "burst",
            Self::NewTool => "new_tool",
            Self::NewDestination => "new_destination",
            Self::Probing => "probing",
            Self::Scan => "scan",
            Self::Loop => "loop",
            Self::LargeArguments => "large_arguments",
            Self::LargeResult => "large_result",
            Self::LargeExport => "large_export",
            Self::UnusualHour => "unusual_hour",
            Self::UnusualSequence => "unusual_sequence",
            Self::UnknownShape => "unknown_shape",
        }
    }

    /// The sign of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sign| sign.word() == word)
    }

    /// What it adds to a risk of 0; less the higher the risk is. Out of 100.
    pub fn points(self) -> u8 {
        match self {
            Self::LargeExport | Self::Probing => 35,
            Self::Burst | Self::Scan | Self::LargeArguments => 30,
            Self::LargeResult | Self::Loop | Self::NewDestination => 20,
            Self::NewTool => 15,
            Self::UnusualHour | Self::UnusualSequence | Self::UnknownShape => 10,
        }
    }
}

/// What was counted or measured, and what is usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// What was seen, in the unit of the sign; 1 of what is new.
    pub seen: u64,
    /// What it is at most, but for one time in a hundred: exact below 16, above that rounded up to half an octave. 0 of what
    /// is new.
    pub usual: u64,
    /// How often that was looked at: how many values or occasions it rests on.
    pub of: u32,
    /// How sure it is that this is not one of the usual values. Percent: of values, by the rule of succession; of what is
    /// new, by how often anything new has turned up (Good and Turing); 100 where an absolute limit was reached.
    pub sure: u8,
}

/// Something unusual. Only checked names, words of ours and figures; never text of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusual {
    /// What.
    pub sign: Sign,
    /// Who the agent acts for.
    pub principal: Principal,
    /// The agent's run.
    pub session: SessionId,
    /// The server that was called.
    pub server: Option<ServerName>,
    /// The tool, prompt or resource, in the form that is safe to print.
    pub target: Option<String>,
    /// What was seen and what is usual.
    pub figures: Figures,
    /// What it adds to the risk.
    pub points: u8,
}

impl Unusual {
    /// One sentence, without a full stop.
    pub fn sentence(&self) -> String {
        let Figures { seen, usual, of, .. } = self.figures;
        let target = self.target.as_deref().map_or_else(|| "it".to_owned(), quote);
        let so_far = match of {
            0 => "nothing is known of it yet".to_owned(),
            of => format!("of {of} before, 99 in 100 were at most {usual}"),
        };
        match self.sign {
            Sign::Burst => format!("{seen} calls in a minute; {so_far}"),
            Sign::NewTool => format!("this principal has not called {target} on {of} occasions"),
            Sign::NewDestination => {
                format!("{target} names a host that it has not named on {of} occasions")
            }
            Sign::Probing => format!("{seen} refusals and failures in five minutes; {so_far}"),
            Sign::Scan => format!("{seen} different tools and addresses in two minutes; {so_far}"),
            Sign::Loop => format!("the same call of {target} {seen} times in ten minutes; {so_far}"),
            Sign::LargeArguments => format!("{seen} bytes of arguments for {target}; {so_far}"),
            Sign::LargeResult => format!("{seen} bytes in an answer of {target}; {so_far}"),
            Sign::LargeExport => format!("{seen} bytes sent out in ten minutes; {so_far}"),
            Sign::UnusualHour => format!("this principal has not worked at this hour on {of} days"),
            Sign::UnusualSequence => {
                format!("{target} has not followed the call before it on {of} occasions")
            }
            Sign::UnknownShape => {
                format!("arguments with names and types that {target} did not have on {of} occasions")
            }
        }
    }
}
