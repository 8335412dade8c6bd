//! `lockgate replay --sessions`: what is decided of whole sessions that were recorded without a gateway.
//!
//! It refuses to read more of a recording than a gateway would have seen: which calls somebody found harmful has no part
//! in what is decided.
//!
//! Read [`play`] first.

mod catalogue;
mod player;
mod recording;
mod tally;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use lockgate_core::Violation;
use lockgate_flow::Mode;
use serde_json::{Value, json};

use self::catalogue::Catalogues;
use self::player::{Decision, play_session};
use self::recording::Recording;
use self::tally::{Summary, Tally};
use crate::lines::Lines;

/// Which sessions to play, and how.
#[derive(Args)]
pub struct Options {
    /// Files of recorded sessions, one a line as JSON, plain or as gzip. What is decided of each call is printed, one
    /// session a line; a summary goes to standard error
    #[arg(long, num_args = 1.., value_name = "FILE", conflicts_with_all = ["policy", "records", "json"])]
    sessions: Vec<PathBuf>,
    /// What the servers of the sessions offer; else `catalogues.json` beside the sessions
    #[arg(long, value_name = "FILE", requires = "sessions")]
    catalogue: Option<PathBuf>,
    /// How much is asked of a call: off, observe, open, balanced or strict
    #[arg(long, value_parser = mode, default_value = "balanced", requires = "sessions")]
    mode: (Mode, Violation),
    /// Play as if nothing were known of what the user said
    #[arg(long, requires = "sessions")]
    no_user_turns: bool,
    /// Write here what would be decided by taint alone: after anything was read, every call is asked about that does more
    /// than read
    #[arg(long, value_name = "FILE", requires = "sessions")]
    coarse: Option<PathBuf>,
}

fn mode(word: &str) -> Result<(Mode, Violation), String> {
    if word == "observe" {
        return Ok((Mode::Balanced, Violation::Log));
    }
    let words = Mode::ALL.map(Mode::word).join(", ");
    let mode = Mode::ALL.into_iter().find(|mode| mode.word() == word);
    mode.map(|mode| (mode, Violation::Ask)).ok_or_else(|| format!("write one of observe, {words}"))
}

/// Plays every session through the core as a gateway without configuration would have: what is asked is approved by the
/// user, what is denied never happened. One session is held in memory at a time.
pub fn play(options: &Options, out: &mut dyn Write, summary: &mut dyn Write) -> Result<(), String> {
    let mut out = std::io::BufWriter::new(out);
    let mut coarse = match &options.coarse {
        None => None,
        Some(path) => {
            let file = std::fs::File::create(path).map_err(|error| unusable(path, &error))?;
            Some(std::io::BufWriter::new(file))
        }
    };
    let gone = |error: std::io::Error| error.to_string();
    let mut told = Summary::default();
    for path in &options.sessions {
        let catalogue = options.catalogue.clone().unwrap_or_else(|| path.with_file_name("catalogues.json"));
        let catalogues = Catalogues::load(&catalogue)?;
        let mut lines = Lines::open(path).map_err(|error| unusable(path, &error))?;
        let (mut fine, mut taint) = (Tally::default(), Tally::default());
        let mut line = Vec::new();
        while lines.next(&mut line).map_err(|error| unusable(path, &error))? {
            let wrong = |what: String| format!("{}:{}: {what}", path.display(), lines.number());
            let recording = Recording::read(&line).map_err(wrong)?;
            let catalogue = catalogues.find(&recording.catalogue).map_err(wrong)?;
            let decisions = play_session(&recording, catalogue, options).map_err(wrong)?;
            fine.add(decisions.iter().map(|decision| decision.verdict));
            taint.add(decisions.iter().map(|decision| decision.coarse));
            writeln!(out, "{}", shown(&recording, decisions.iter().map(Decision::to_json))).map_err(gone)?;
            if let Some(file) = &mut coarse {
                let alone = decisions.iter().map(Decision::coarse_to_json);
                writeln!(file, "{}", shown(&recording, alone)).map_err(gone)?;
            }
        }
        told.add(path, options.mode.0, fine, taint);
    }
    out.flush().map_err(gone)?;
    if let Some(mut file) = coarse {
        file.flush().map_err(gone)?;
    }
    write!(summary, "{told}").map_err(gone)
}

fn unusable(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {}", path.display(), crate::config::plain(error))
}

fn shown(recording: &Recording<'_>, decisions: impl Iterator<Item = Value>) -> Value {
    json!({ "id": recording.id, "decisions": decisions.collect::<Vec<_>>() })
}
