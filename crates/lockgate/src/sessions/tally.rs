//! How many sessions went through without a question, and how many questions the others cost.

use std::fmt;
use std::path::Path;

use lockgate_flow::Mode;
use lockgate_model::Verdict;

/// What was decided of the sessions of one file.
#[derive(Debug, Default)]
pub(super) struct Tally {
    sessions: usize,
    calls: usize,
    untouched: usize,
    /// At most one question, and nothing denied.
    nearly: usize,
    asked: usize,
    denied: usize,
}

impl Tally {
    pub(super) fn add(&mut self, session: impl Iterator<Item = Verdict>) {
        let (mut calls, mut asked, mut denied) = (0, 0, 0);
        for verdict in session {
            calls += 1;
            asked += usize::from(verdict == Verdict::Hold);
            denied += usize::from(verdict == Verdict::Deny);
        }
        self.sessions += 1;
        self.calls += calls;
        self.untouched += usize::from(asked + denied == 0);
        self.nearly += usize::from(asked <= 1 && denied == 0);
        self.asked += asked;
        self.denied += denied;
    }
}

/// The tallies of all files, as a table.
#[derive(Debug, Default)]
pub(super) struct Summary(Vec<(String, Tally)>);

impl Summary {
    pub(super) fn add(&mut self, path: &Path, mode: Mode, fine: Tally, coarse: Tally) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        self.0.push((format!("{name}, {}", mode.word()), fine));
        self.0.push((format!("{name}, taint alone"), coarse));
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of sessions are far below 2^52")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        writeln!(
            out,
            "{:width$}  sessions   calls  no question  at most one  asked/session  denied/session",
            ""
        )?;
        for (name, tally) in &self.0 {
            let Tally { sessions, calls, untouched, nearly, asked, denied } = tally;
            let (untouched, nearly) =
                (100.0 * share(*untouched, *sessions), 100.0 * share(*nearly, *sessions));
            let (asked, denied) = (share(*asked, *sessions), share(*denied, *sessions));
            writeln!(
                out,
                "{name:width$}  {sessions:8}  {calls:6}  {untouched:9.1} %  {nearly:9.1} %  {asked:13.2}  {denied:14.2}"
            )?;
        }
        Ok(())
    }
}
