/// From where on a quantity is unusual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Never unusual up to here, however little is usual.
    pub at_least: u64,
    /// Unusual above so many times the usual. At least 1.
    pub times: u64,
    /// Unusual from here on, whatever is usual, and before anything was learned.
    pub limit: u64,
}

/// What counts as unusual. The defaults are what [behaviour.md] measures.
///
/// [behaviour.md]: https://github.com/lockgate/lockgate/blob/main/docs/behaviour.md
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A quantity is not compared before so many values of it were seen.
    pub warm_up: u32,
    /// Something new is unusual where the chance that anything new turns up on an occasion is below this. Millionths; an
    /// occasion is a session, or an hour of a long one. At one in 200, nothing new is unusual before 200 occasions.
    pub unlikely: u32,
    /// The same for hours, of a day on which the principal works.
    pub unlikely_hour: u32,
    /// Calls of a principal in a minute.
    pub burst: Bound,
    /// Calls of a tool in a minute, whoever makes them.
    pub tool_burst: Bound,
    /// Calls of a server in a minute, whoever makes them.
    pub server_burst: Bound,
    /// Refusals and failures of a session in five minutes. At most 256 are counted.
    pub probing: Bound,
    /// Different targets of a session in two minutes. At most 256 are counted.
    pub scan: Bound,
    /// The same call of a session in ten minutes. At most 256 are counted.
    pub repeats: Bound,
    /// Arguments of one call of a tool. Bytes.
    pub arguments: Bound,
    /// One answer of a tool. Bytes.
    pub result: Bound,
    /// Arguments of a session's calls that reach outside, in ten minutes. Bytes.
    pub export: Bound,
    /// A session whose risk is at least this teaches nothing, so that who attacks does not make the attack usual.
    pub distrust: u8,
    /// In this time the risk of a session falls to half. Milliseconds.
    pub session_half_life: u64,
    /// And that of a principal. Not shorter: it stands for that of its sessions after a restart.
    pub principal_half_life: u64,
    /// In this time half of what a server's reputation lacks comes back. Milliseconds.
    pub reputation_half_life: u64,
}

const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

impl Default for Settings {
    fn default() -> Self {
        Self {
            warm_up: 50,
            unlikely: 7_000,
            unlikely_hour: 40_000,
            burst: Bound { at_least: 30, times: 2, limit: 240 },
            tool_burst: Bound { at_least: 20, times: 4, limit: u64::MAX },
            server_burst: Bound { at_least: 60, times: 4, limit: u64::MAX },
            probing: Bound { at_least: 7, times: 2, limit: 20 },
            scan: Bound { at_least: 15, times: 2, limit: 50 },
            repeats: Bound { at_least: 7, times: 2, limit: 20 },
            arguments: Bound { at_least: 8 * KIB, times: 8, limit: 4 * MIB },
            result: Bound { at_least: 64 * KIB, times: 8, limit: 32 * MIB },
            export: Bound { at_least: 32 * KIB, times: 8, limit: 8 * MIB },
            distrust: 40,
            session_half_life: 30 * MINUTE,
            principal_half_life: DAY,
            reputation_half_life: 7 * DAY,
        }
    }
}
